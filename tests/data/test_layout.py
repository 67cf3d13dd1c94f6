"""Folders as people have them: which are classes, which are parts, and what is said where neither is clear."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tenfold
from tenfold import choices, cli
from tenfold.data.load import load
from tenfold.data.partfolders import part_word
from tenfold.errors import DataError, UsageError
from tenfold.report.read import read_results
from tenfold.report.write import write_report
from tenfold.runs.ask import predict_files
from tenfold.runs.events import silent
from tenfold.runs.predict import evaluate_model
from tenfold.runs.prepare import prepare


def draw(root, *places, count=3, side=8, mode="L"):
    """Write some pictures into every place, each of another grey."""
    for place in places:
        folder = root / place
        folder.mkdir(parents=True, exist_ok=True)
        for k in range(count):
            value = (37 * sum(map(ord, place)) + 50 * k) % 256
            Image.new(mode, (side, side), value).save(folder / f"{k}.png")
    return root


def tree(root, tops, classes=("cat", "dog"), **options):
    return draw(root, *(f"{top}/{name}" for top in tops for name in classes), **options)


def read(root, **options):
    return load(str(root), **options)


def parts_of(dataset):
    return {part: len(rows) for part, rows in dataset.parts.items()}


# Part folders by their names


@pytest.mark.parametrize(
    ("tops", "parts"),
    [
        (("training_set", "test_set"), {"train": 6, "test": 6}),
        (("Train", "val", "TEST"), {"train": 6, "validation": 6, "test": 6}),
        (("train_images", "valid"), {"train": 6, "validation": 6}),
        (("Training Images", "dev", "testing-data"), {"train": 6, "validation": 6, "test": 6}),
        (("data_train", "Validation.Set"), {"train": 6, "validation": 6}),
        (("trainset", "devset", "testset"), {"train": 6, "validation": 6, "test": 6}),
    ],
)
def test_parts_are_known_by_words_in_any_spelling(tmp_path, tops, parts):
    dataset = read(tree(tmp_path, tops))
    assert parts_of(dataset) == parts
    assert dataset.class_names == ("cat", "dog")
    assert dataset.notes == ()


@pytest.mark.parametrize("word", ["trains", "trainer", "tester", "attest", "valley", "contest", "device", "set", ""])
def test_other_words_are_no_parts(word):
    assert part_word(word) == ""


UNNAMED = [
    ("fold1", "fold2", "fold3"),
    ("entrenamiento", "prueba"),
    ("seg_train/seg_train", "seg_test/seg_test"),
    ("a", "b"),
    ("train", "holdout"),
]


@pytest.mark.parametrize("tops", UNNAMED)
def test_folders_that_look_like_parts_are_not_classes(tmp_path, tops):
    tree(tmp_path, tops)
    with pytest.raises(DataError, match=r"say which folders are parts, for example --parts '?train=") as error:
        read(tmp_path)
    option = str(error.value).split("--parts ")[1].split(", or")[0].strip("'")
    dataset = read(tmp_path, parts=option)
    assert dataset.class_names == ("cat", "dog")
    assert sum(parts_of(dataset).values()) == 6 * len(tops)


@pytest.mark.parametrize(
    ("places", "option"),
    [
        (("seg_train/a", "seg_train/b", "seg_test/a", "seg_test/b", "seg_pred"), "train=seg_train,test=seg_test"),
        (("trainval/a", "trainval/b", "test/a", "test/b"), "train=trainval,test=test"),
        (("train1/a", "train1/b", "train2/a", "train2/b", "test/a"), "train=train1+train2,test=test"),
        (("Trainingsdaten/a", "Trainingsdaten/b", "Testdaten/a", "Testdaten/b"), "train=Trainingsdaten,test=Testdaten"),
        (("train/a", "train/b", "test_new/a"), "train=train,test=test_new"),
        (("train/a", "train/b", "extra"), "train=train"),
    ],
)
def test_the_option_that_is_shown_is_the_right_one(tmp_path, places, option):
    draw(tmp_path, *places)
    with pytest.raises(DataError, match=re.escape(f"--parts {option}, or --parts none")):
        read(tmp_path)
    assert read(tmp_path, parts=option).class_names == ("a", "b")


def test_unlabeled_folders_of_a_competition_are_not_classes(tmp_path):
    draw(tmp_path, "train/train", "test1/test1")
    with pytest.raises(DataError, match="the folders test1, train look like parts"):
        read(tmp_path)
    with pytest.raises(DataError, match="holds only the class folder 'train'"):
        read(tmp_path, parts="train=train,test=test1")


def test_folds_that_lack_a_class_look_like_parts(tmp_path):
    draw(tmp_path, "1/cat", "1/dog", "2/dog", "2/eel", "3/cat", "3/eel")
    with pytest.raises(DataError, match="the folders 1, 2, 3 look like parts, each with the classes cat, dog, eel"):
        read(tmp_path)


def test_classes_with_folders_of_their_own_are_classes(tmp_path):
    draw(tmp_path / "a", "cat/indoor", "cat/outdoor", "dog/sea", "dog/land")
    assert read(tmp_path / "a").class_names == ("cat", "dog")
    draw(tmp_path / "b", "train", "bus", "car/red", "car/blue")
    assert read(tmp_path / "b").class_names == ("bus", "car", "train")
    draw(tmp_path / "c", "valid", "invalid")
    assert read(tmp_path / "c").class_names == ("invalid", "valid")
    draw(tmp_path / "d", "cat", "cat/small", "cat/large", "dog", "dog/small", "dog/large")
    assert len(read(tmp_path / "d").labels) == 18


def test_parts_inside_the_classes_are_told(tmp_path):
    draw(tmp_path, "cat/train", "cat/test", "dog/train", "dog/test")
    with pytest.raises(DataError, match=r"each hold test, train: the parts lie inside the classes.*--parts none"):
        read(tmp_path)
    assert read(tmp_path, parts="none").class_names == ("cat", "dog")


def test_two_words_for_one_part_are_asked_about(tmp_path):
    tree(tmp_path, ("train", "dev", "val"))
    with pytest.raises(DataError, match="dev and val both look like the validation part"):
        read(tmp_path)
    assert parts_of(read(tmp_path, parts="train=train,val=dev+val")) == {"train": 6, "validation": 12}


def test_a_folder_beside_the_parts(tmp_path):
    tree(tmp_path, ("train", "test"))
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "all.csv").write_text("file,label\n")
    assert read(tmp_path).notes == ("1 entry ignored: 1 in no part (labels)",)
    draw(tmp_path, "pred")
    with pytest.raises(DataError, match="'pred' stands beside test"):
        read(tmp_path)
    dataset = read(tmp_path, parts="train=train,test=test")
    assert dataset.notes == ("4 entries ignored: 4 in no part (labels, pred/0.png, pred/1.png, …)",)


def test_parts_without_class_folders(tmp_path):
    draw(tmp_path, "train", "test")
    with pytest.raises(DataError, match=r"train: 3 images without class folders.*--parts none, if the folders beside"):
        read(tmp_path)
    assert read(tmp_path, parts="none").class_names == ("test", "train")


def test_images_beside_class_folders_are_counted(tmp_path):
    tree(tmp_path, ("train", "test"))
    draw(tmp_path, "train", count=2)
    (tmp_path / "train" / "Thumbs.db").touch()
    dataset = read(tmp_path)
    assert parts_of(dataset) == {"train": 6, "test": 6}
    assert dataset.notes == (
        "3 entries ignored: 1 of the system (train/Thumbs.db); 2 outside the class folders (train/0.png, train/1.png)",
    )
    assert dataset.reading.ignored == 3


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ("nonsense", "parts 'nonsense': expected folders of DATA by part"),
        ("train=fold1,probe=fold2", "no part 'probe': known: test, train, validation"),
        ("train=fold1,test=fold9", "has no folder 'fold9'; did you mean 'fold"),
        ("train=fold1,test=fold1", "'fold1' would be in two places"),
        ("train=fold1,test=fold1/cat", "would be in two places"),
        ("train=fold1,train=fold2", "train is there twice"),
        ("train=../elsewhere", "lies outside of"),
        ("test=fold1", "no training part beside fold1"),
        ("train=", "expected folders of DATA by part"),
    ],
)
def test_parts_that_cannot_be(tmp_path, parts, why):
    with pytest.raises((UsageError, DataError), match=why) as error:
        read(tree(tmp_path, ("fold1", "fold2")), parts=parts)
    assert "\n" not in str(error.value)


def test_names_with_commas_and_plus_signs_may_be_parts(tmp_path):
    tree(tmp_path, ("a,b", "c+d", "e"))
    assert parts_of(read(tmp_path, parts="train=a,b,validation=c+d,test=e")) == {
        "train": 6,
        "validation": 6,
        "test": 6,
    }


def test_parts_are_for_folders():
    with pytest.raises(UsageError, match="parts is for folders of images; digits is not one"):
        load("digits", parts="train=a")


# Classes that a part lacks


def test_a_part_may_lack_a_class(tmp_path):
    tree(tmp_path, ("train", "val", "test"))
    draw(tmp_path, "train/eel", "val/eel")
    (tmp_path / "test" / "eel").mkdir()
    dataset = read(tmp_path)
    assert dataset.class_names == ("cat", "dog", "eel")
    assert parts_of(dataset) == {"train": 9, "validation": 9, "test": 6}
    run = tenfold.train(str(tmp_path), epochs=1, out=tmp_path / "run")
    assert run.result["test"]["n"] == 6


def test_a_class_unknown_to_training_is_named(tmp_path):
    tree(tmp_path, ("train", "test"))
    draw(tmp_path, "test/Cats")
    with pytest.raises(DataError, match=r"class 'Cats' is missing in train, but test has it.*did you mean 'cat'"):
        read(tmp_path)
    for path in (tmp_path / "test" / "Cats").iterdir():
        path.unlink()
    assert "1 without images (test/Cats)" in read(tmp_path).notes[0]


def test_names_of_classes_that_look_alike_are_one_class(tmp_path):
    draw(tmp_path, "train/caf\u00e9", "train/tea", "test/cafe\u0301", "test/tea")
    dataset = read(tmp_path)
    assert dataset.class_names == ("caf\u00e9", "tea")
    assert parts_of(dataset) == {"train": 6, "test": 6}


@pytest.mark.parametrize("place", ["unknown", "images", "test"])
def test_a_lone_strange_folder_in_test_holds_unlabeled_images(tmp_path, place):
    tree(tmp_path, ("train",))
    draw(tmp_path, f"test/{place}")
    with pytest.raises(DataError, match=rf"test/{place}: 3 images without labels.*tenfold predict MODEL .*{place}"):
        read(tmp_path)


def test_a_part_without_readable_images_is_no_part(tmp_path):
    tree(tmp_path, ("train", "test"))
    for path in (tmp_path / "test").rglob("*.png"):
        path.write_bytes(b"")
    with pytest.raises(DataError, match="no readable images in the test part"):
        read(tmp_path, skip_unreadable=True)


# Order of classes


def test_numbers_are_ordered_as_numbers(tmp_path):
    draw(tmp_path / "a", *map(str, range(1, 13)))
    dataset = read(tmp_path / "a")
    assert dataset.class_names == tuple(map(str, range(1, 13)))
    assert dataset.labels.tolist() == [k for k in range(12) for _ in range(3)]
    tree(tmp_path / "b", ("train", "test"), ("9", "010", "-1", "100"))
    assert read(tmp_path / "b").class_names == ("-1", "9", "010", "100")
    draw(tmp_path / "c", "1", "10", "2b")
    assert read(tmp_path / "c").class_names == ("1", "10", "2b")


def test_words_for_numbers_in_arrays_are_ordered_as_numbers(tmp_path):
    y = np.array(["10", "9", "1", "10", "9", "1"])
    np.savez(tmp_path / "a.npz", x=np.zeros((6, 4, 4), np.uint8), y=y)
    dataset = read(tmp_path / "a.npz")
    assert dataset.class_names == ("1", "9", "10")
    assert dataset.labels.tolist() == [2, 1, 0, 2, 1, 0]


def older(folder, order):
    """Make a run one of a version that ordered its classes otherwise."""
    path = folder / "resolved.json"
    resolved = json.loads(path.read_text())
    resolved["data"]["class_names"] = list(order)
    del resolved["data"]["background"]
    path.write_text(json.dumps(resolved))
    return resolved["data"]


def test_an_older_run_keeps_its_order_of_classes(tmp_path, monkeypatch):
    data = draw(tmp_path / "data", *map(str, range(1, 12)), count=6)
    alphabet = tuple(sorted(map(str, range(1, 12))))
    monkeypatch.setattr("tenfold.data.layout.ordered", sorted)  # as versions before did
    run = tenfold.train(str(data), epochs=2, seed=3, out=tmp_path / "run").folder
    monkeypatch.undo()
    assert tuple(older(run, alphabet)["class_names"]) == alphabet
    scored = evaluate_model(run, str(data), "test", "")
    assert scored["same_data"]
    assert tuple(row["class"] for row in scored["per_class"]) == alphabet
    facts = prepare(choices.read(run / "recipe.toml"), run, "", silent).about.facts  # refuses changed data
    assert facts.class_names == alphabet
    anew = load(str(data))
    assert anew.class_names != alphabet
    draw(data, "12")
    with pytest.raises(DataError, match="has a class '12' that the model does not know"):
        prepare(choices.read(run / "recipe.toml"), run, "", silent)


# Evaluation and prediction


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run on folders that only an option shows to be parts."""
    root = tmp_path_factory.mktemp("folds")
    tree(root / "data", ("fold1", "fold2"), ("cat", "dog", "eel"), count=6)
    return tenfold.train(str(root / "data"), parts="train=fold1,test=fold2", epochs=1, out=root / "run").folder


def test_the_parts_travel_with_the_run(run, tmp_path):
    data = run.parent / "data"
    scored = evaluate_model(run, str(data), "", "")
    assert (scored["part"], scored["n"], scored["same_data"]) == ("test", 18, True)
    other = tree(tmp_path / "other", ("test", "val"), ("cat",))
    scored = evaluate_model(run, str(other), "", "")
    assert (scored["part"], scored["n"], scored["same_data"]) == ("test", 3, False)
    resumed = prepare(choices.read(run / "recipe.toml"), run, "", silent)
    assert resumed.about.facts.images == {"train": 16, "validation": 2, "test": 18}


def test_one_class_is_evaluated(run, tmp_path):
    scored = evaluate_model(run, str(draw(tmp_path / "one", "dog")), "", "")
    assert (scored["part"], scored["n"]) == ("all", 3)
    assert [row["n"] for row in scored["per_class"]] == [0, 3, 0]
    np.savez(tmp_path / "one.npz", x=np.zeros((2, 8, 8), np.uint8), y=np.array(["eel", "eel"]))
    assert evaluate_model(run, str(tmp_path / "one.npz"), "", "")["n"] == 2
    np.savez(tmp_path / "test.npz", x_test=np.zeros((2, 8, 8), np.uint8), y_test=np.array(["eel", "cat"]))
    assert evaluate_model(run, str(tmp_path / "test.npz"), "", "")["part"] == "test"
    with pytest.raises(DataError, match="holds no images"):
        predict_files(run, [tmp_path / "empty"]) if (tmp_path / "empty").mkdir() is None else None


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("", r"flat: 3 images without labels, since no class folders.*tenfold predict MODEL .*flat"),
        (
            "unknown",
            r"unknown: 3 images without labels, since 'unknown' is none of the classes \('cat', 'dog'",
        ),
        ("wrapped/cat", r"one level down; give .*wrapped instead"),
    ],
)
def test_unlabeled_images_are_for_predict(run, tmp_path, place, why):
    draw(tmp_path / "flat", place)
    with pytest.raises(DataError, match=why):
        evaluate_model(run, str(tmp_path / "flat"), "", "")
    assert len(predict_files(run, [tmp_path / "flat"])["predictions"]) == 3


def test_a_class_that_the_model_does_not_know_is_named(run, tmp_path):
    draw(tmp_path, "cat", "frog")
    with pytest.raises(DataError, match="has a class 'frog' that the model does not know"):
        evaluate_model(run, str(tmp_path), "", "")


# How to get from other data to folders of classes


def test_a_flat_folder_says_how_to_sort_it(tmp_path):
    for name in ("cat.1", "cat.2", "dog.1", "dog.2"):
        Image.new("L", (4, 4)).save(tmp_path / f"{name}.png")
    with pytest.raises(DataError, match=r"4 images but no folders in it.*names begin with cat \(2\), dog \(2\)"):
        read(tmp_path)
    (tmp_path / "legend.csv").write_text("file,label\n")
    with pytest.raises(DataError, match=r"move every image to .*/<class>/, by its label in legend\.csv"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("legend.csv", "move each one to FOLDER/<label>/, then give FOLDER"),
        ("photos.zip", "unpack it"),
        ("x.npy", r"numpy\.savez"),
        ("cat.jpg", "one image: .*tenfold predict"),
    ],
)
def test_other_files_say_how_to_get_to_data(tmp_path, name, why):
    (tmp_path / name).touch()
    with pytest.raises(UsageError, match=why):
        read(tmp_path / name)


def test_the_way_from_a_table_to_folders_works(tmp_path, monkeypatch):
    """Of docs/data.md."""
    text = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")
    for k in range(4):
        (tmp_path / "images").mkdir(exist_ok=True)
        Image.new("L", (4, 4), 60 * k).save(tmp_path / "images" / f"{k}.png")
    rows = "".join(f"{k}.png,{'cat' if k % 2 else 'dog'}\n" for k in range(4))
    (tmp_path / "images" / "labels.csv").write_text(f"file,label\n{rows}")
    monkeypatch.chdir(tmp_path)
    exec(text.split("```python\n")[1].split("```")[0], {})
    assert load("sorted").labels.tolist() == [0, 0, 1, 1]


# What is a picture


def test_debris_of_systems_is_left_out_and_counted(tmp_path):
    draw(tmp_path, "cat", "dog", "__MACOSX/cat", "@eaDir", "cat/@eaDir", "dog/.ipynb_checkpoints")
    for name in ("Thumbs.db", "desktop.ini", ".DS_Store"):
        (tmp_path / "cat" / name).touch()
    dataset = read(tmp_path)
    assert dataset.class_names == ("cat", "dog")
    assert len(dataset.labels) == 6
    assert dataset.notes[0].startswith("7 entries ignored: 7 of the system (@eaDir, __MACOSX, cat/.DS_Store, …)")


def test_pictures_without_an_ending_are_known_by_content(tmp_path):
    draw(tmp_path, "cat", "dog")
    (tmp_path / "cat" / "0.png").rename(tmp_path / "cat" / "first")
    (tmp_path / "cat" / "1.png").rename(tmp_path / "cat" / "subject01.happy")
    for name, text in (("README", "BM is no picture"), ("LICENSE", "P5 is the fifth"), ("labels.txt", "x")):
        (tmp_path / "dog" / name).write_text(text)
    dataset = read(tmp_path)
    assert len(dataset.labels) == 6
    assert dataset.notes == (
        "2 images known by content: their names do not end like images",
        "3 entries ignored: 3 not an image (dog/LICENSE, dog/README, dog/labels.txt)",
    )


def test_avif_is_read(tmp_path):
    draw(tmp_path, "cat", "dog")
    Image.new("RGB", (8, 8), (200, 10, 10)).save(tmp_path / "cat" / "9.avif")
    dataset = read(tmp_path)
    assert dataset.reading.modes == {"PNG L": 6, "AVIF RGB": 1}


@pytest.mark.parametrize("ending", ["svg", "nef", "psd", "jxl", "dng", "JP2", "tga", "heic"])
def test_pictures_of_other_formats_are_unreadable_by_name(tmp_path, ending):
    draw(tmp_path, "cat", "dog")
    (tmp_path / "cat" / f"9.{ending}").write_bytes(b"II*\0" + bytes(100))
    with pytest.raises(DataError, match=rf"9\.{ending}: .* by --skip-unreadable"):
        read(tmp_path)
    dataset = read(tmp_path, skip_unreadable=True)
    assert dataset.notes[0].startswith("1 unreadable image skipped: ")
    with pytest.raises(DataError, match=rf"9\.{ending}: "):
        load(str(tmp_path))


def test_a_raw_file_is_not_read_by_its_preview(tmp_path):
    """A camera's file is a TIFF whose first image is a thumbnail."""
    draw(tmp_path, "cat", "dog")
    Image.new("L", (8, 8)).save(tmp_path / "cat" / "9.nef", format="TIFF")
    with pytest.raises(DataError, match=r"9\.nef: not a readable image .a camera's raw file; export it as PNG or JPEG"):
        read(tmp_path)


HEIC = b"\0\0\0\x1cftypheic\0\0\0\0mif1heicmiaf" + bytes(40)


def test_heic_without_its_reader_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)
    draw(tmp_path, "cat", "dog")
    (tmp_path / "cat" / "9.HEIC").write_bytes(HEIC)
    with pytest.raises(DataError, match=r"9\.HEIC: .*pip install 'tenfold\[heic\]'"):
        read(tmp_path)


def test_a_folder_of_heic_alone_says_why_there_are_no_images(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.heic").write_bytes(HEIC)
    with pytest.raises(DataError, match=r"none of the 2 images can be read: .*cat/1\.heic: .*tenfold\[heic\]"):
        read(tmp_path, skip_unreadable=True)


def test_heic_is_read_with_its_reader(tmp_path):
    heif = pytest.importorskip("pillow_heif")
    draw(tmp_path, "cat", "dog")
    pixels = np.full((8, 8, 3), (30, 200, 90), dtype=np.uint8)
    heif.from_pillow(Image.fromarray(pixels)).save(tmp_path / "cat" / "9.heic")
    dataset = read(tmp_path)
    assert dataset.reading.modes == {"PNG L": 6, "HEIF RGB": 1}
    assert np.abs(dataset.images[3].numpy().astype(int) - pixels.transpose(2, 0, 1)).max() < 9


def test_the_command_line_says_what_it_left_out(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tree(tmp_path, ("fold1", "fold2")))
    assert cli._run(["fit", ".", "--minutes", "0.1"], False) == 1
    assert "--parts train=fold1,test=fold2" in capfd.readouterr().err
    (tmp_path / "fold1" / "cat" / "notes.txt").touch()
    line = ["train", ".", "--parts", "train=fold1,test=fold2", "--epochs", "1", "--out", "run", "--json"]
    assert cli._run(line, False) == 0
    found = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert found["notes"] == [
        "3 entries ignored: 1 in no part (runs); 1 not an image (fold1/cat/notes.txt); 1 of Tenfold's runs (run)"
    ]
    assert 'parts = "train=fold1,test=fold2"' in Path("run", "recipe.toml").read_text()
    assert cli._run(["audit", ".", "--parts", "train=fold1,test=fold2", "--out", "a.html", "--json"], False) == 0
    audit = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert set(audit["counts"]) == {"train", "test"}


# Rows of numbers that are images


def rows(path, width, sides=None):
    y = np.arange(40) % 2
    x = np.random.default_rng(0).integers(0, 99, (40, width)) + 150 * y[:, None]
    np.savez(path, x=x.astype(np.uint8).reshape(40, *(sides or [width])), y=y)
    return str(path)


@pytest.mark.parametrize(
    ("width", "said"),
    [
        (64, "rows of 64 numbers: learned from as rows, drawn as 8 × 8 pixels"),
        (784, "rows of 784 numbers: learned from as rows, drawn as 28 × 28 pixels"),
        (3072, "one pixel high; for colored images of 32 × 32 pixels save them in the shape (N, 3, 32, 32)"),
    ],
)
def test_rows_that_may_be_images_are_said(tmp_path, width, said):
    dataset = read(Path(rows(tmp_path / "a.npz", width)))
    assert dataset.images.shape == (40, 1, 1, width)
    assert said in dataset.notes[0]


@pytest.mark.parametrize("width", [5, 16, 63, 100 - 1])
def test_other_rows_are_only_rows(tmp_path, width):
    assert read(Path(rows(tmp_path / "a.npz", width))).notes == ()


def test_rows_are_drawn_as_squares(tmp_path):
    run = tenfold.train(rows(tmp_path / "a.npz", 64), epochs=2, out=tmp_path / "run").folder
    (weights,) = read_results(run).templates.values()
    assert weights.shape == (2, 1, 8, 8)
    assert "vectors, not images" not in write_report(run).read_text()
    Image.new("L", (20, 20), 220).save(tmp_path / "light.png")
    assert predict_files(run, [tmp_path / "light.png"])["predictions"][0]["predicted"] == "1"
    square = rows(tmp_path / "b.npz", 64, (8, 8))
    flat = rows(tmp_path / "c.npz", 64)
    assert evaluate_model(run, square, "all", "")["accuracy"] == evaluate_model(run, flat, "all", "")["accuracy"]


# Drawings on transparency


def drawing(path, color, side=16):
    """A cross of one color on nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("RGBA", (side, side), (255, 255, 255, 0) if color == (0, 0, 0, 255) else (0, 0, 0, 0))
    for k in range(3, side - 3):
        image.putpixel((k, k), color)
        image.putpixel((k, side - 1 - k), color)
    image.save(path)


def drawings(root, color, count=3):
    for name in ("cat", "dog"):
        for k in range(count):
            drawing(root / name / f"{k}.png", color)
    return root


@pytest.mark.parametrize(
    ("color", "background"),
    [
        ((255, 255, 255, 255), "black"),
        ((240, 240, 200, 255), "black"),
        ((255, 255, 255, 128), "black"),
        ((0, 0, 0, 255), "white"),
        ((200, 30, 30, 255), "white"),
        ((0, 0, 0, 0), "white"),
    ],
)
def test_drawings_are_laid_on_the_color_that_shows_them(tmp_path, color, background):
    dataset = read(drawings(tmp_path, color))
    assert dataset.background == background
    assert (dataset.images[0].float().std() > 10) == (color[3] > 0)
    assert f"6 images: transparency to {background}" in dataset.notes
    black = "transparent images are laid on black: on white 6 of 6 would be blank"
    assert (black in dataset.notes) == (background == "black")
    assert not any("blank" in note for note in dataset.notes if note != black)


def test_all_images_of_a_data_set_lie_on_one_color(tmp_path):
    """Else the color would tell the classes apart."""
    drawings(tmp_path, (90, 90, 90, 255), 4)
    for k in range(4):
        drawing(tmp_path / "dog" / f"white{k}.png", (255, 255, 255, 255))
    dataset = read(tmp_path)
    assert dataset.background == "black"
    assert int(dataset.images[:, :, 0, 0].max()) == 0
    for k in range(9):
        drawing(tmp_path / "cat" / f"black{k}.png", (0, 0, 0, 255))
    dataset = read(tmp_path)
    assert dataset.background == "white"
    assert "4 of 21 transparent images are blank on white" in dataset.notes


def test_gif_and_palette_drawings_are_seen_too(tmp_path):
    drawings(tmp_path, (255, 255, 255, 255))
    for path in list(tmp_path.rglob("*.png")):
        Image.open(path).quantize(8).save(path.with_suffix(".gif"), transparency=0)
        Image.open(path).convert("LA").save(path.with_suffix(".webp"), lossless=True)
        path.unlink()
    dataset = read(tmp_path)
    assert dataset.background == "black"


def test_the_color_is_kept_for_prediction(tmp_path):
    data = tmp_path / "data"
    for k in range(20):
        for name, reach in (("cross", 3), ("dot", 7)):
            image = Image.new("RGBA", (16, 16), (0, 0, 0, 0))
            for p in range(reach, 16 - reach):
                image.putpixel((p, p), (255, 255, 255, 255 - k))
                image.putpixel((p, 15 - p), (255, 255, 255, 255 - k))
            (data / name).mkdir(parents=True, exist_ok=True)
            image.save(data / name / f"{k:02}.png")
    run = tenfold.train(str(data), epochs=20, audit=False, learning_rate=0.1, out=tmp_path / "run").folder
    assert json.loads((run / "resolved.json").read_text())["data"]["background"] == "black"
    found = predict_files(run, [data / "cross"])["predictions"] + predict_files(run, [data / "dot"])["predictions"]
    assert [row["predicted"] for row in found] == ["cross"] * 20 + ["dot"] * 20
    scored = evaluate_model(run, str(data), "all", "")
    assert (scored["accuracy"], scored["same_data"]) == (1, True)
