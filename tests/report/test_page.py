"""The report says what the run folder says, lets nothing out of a hostile name, and loads nothing."""

import base64
import csv
import hashlib
import html
import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import tenfold
from tenfold.choices import recipe
from tenfold.data.types import Dataset
from tenfold.errors import FileError, RunError, UsageError
from tenfold.files import from_json
from tenfold.report import document
from tenfold.report.case import Case, read_case
from tenfold.report.curves import chart_data
from tenfold.report.gallery import EACH, matrix
from tenfold.report.headline import headline
from tenfold.report.illustrations import illustrate
from tenfold.report.pages import PLACED, run_page, write_audit_page
from tenfold.report.pictures import album
from tenfold.report.results import Results
from tenfold.report.selection import cells, confusion_counts, least_certain, mistakes
from tenfold.report.svg import darkened, drawn
from tenfold.report.write import _sentences, report_runs, write_report
from tenfold.runs import fit
from tenfold.runs.environment import Environment
from tenfold.runs.prepare import DataFacts
from tenfold.runs.result import FitResult, kind_of
from tenfold.sessions import begin
from tenfold.text import label
from tenfold.trained.metrics import Brief, Metrics
from tenfold.trained.statistics import wilson

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'\"&quot;</title></style></script><!--",
    "{{ 7 * 7 }}{% raw %}",
    "😀 שלום \u202egnp",
    "n" * 300,
    "\ud800\x00\x1b[31m",
    "plain",
)
RUNGS = ("linear-softmax", "mlp-256")
# A figure of the folder is taken as it is, which spares most tests the drawing.
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 30 20"><path style="fill: #0072b2"/></svg>'
STILL = dict.fromkeys(PLACED, SVG)
COLUMNS = [f"{part}_{kind}" for part in ("train", "validation") for kind in ("loss", "cost", "accuracy")]


def made_dataset(names=HOSTILE, each=12, channels=3, side=12, paths=True):
    """Images whose color tells their position."""
    count = each * len(names)
    labels = torch.arange(count) % len(names)
    shade = (torch.arange(count) * 37 % 256).to(torch.uint8)
    images = shade[:, None, None, None].repeat(1, channels, side, side).contiguous()
    files = tuple(f"/data/{names[k]}/{n} <b>&.png" for n, k in enumerate(labels.tolist())) if paths else ()
    return Dataset("made <i>set", images, labels, tuple(names), 1 / 255, {}, paths=files, notes=("read <u>all</u>",))


def made_results(dataset, rungs=RUNGS, seed=0, confident=True):
    """Every third image taken for the next class; 4 members over 5 epochs."""
    rng, labels = np.random.default_rng(seed), dataset.labels.numpy()
    rows = [(r, m, e) for r in range(len(rungs)) for m in range(4) for e in range(1, 6)]
    rung, member, epoch = np.array(rows).T
    curves = {"rung": np.array(rungs)[rung], "step": 10 * epoch, "epoch": epoch.astype(float), "member": member}
    curves |= {name: 1 / (1 + epoch) + 0.01 * member + index for index, name in enumerate(COLUMNS)}
    wrong = np.where(np.arange(len(labels)) % 3 == 0, (labels + 1) % len(dataset.class_names), labels)
    confidence = {name: np.round(rng.uniform(0.2, 1, len(labels)), 6) for name in rungs} if confident else {}
    settings = tuple({"learning_rate": rate, "l2": l2} for rate in (0.1, 0.01) for l2 in (0.0, 0.001))
    channels, height, width = dataset.images.shape[1:]
    return Results(
        name=dataset.name,
        class_names=dataset.class_names,
        curves=curves,
        settings=dict.fromkeys(rungs, settings),
        winners=dict.fromkeys(rungs, 1),
        best=rungs[-1],
        part="test",
        positions=np.arange(len(labels)),
        labels=labels,
        predicted={name: wrong if index else labels for index, name in enumerate(rungs)},
        confidence=confidence,
        uncalibrated=confidence,
        templates={rungs[0]: rng.normal(size=(len(dataset.class_names), channels, height, width)).astype(np.float32)},
    )


def made_case(dataset=None, results=None, figures=STILL, **result):
    dataset = dataset or made_dataset()
    results = results or made_results(dataset)
    right = int((results.predicted[results.best] == results.labels).sum())
    n = len(results.labels)
    test = {"accuracy": right / n, "interval": [0.5, 0.75], "macro_f1": 0.625, "macro_f1_interval": [0.6, 0.65], "n": n}
    test["calibration"] = {"temperature": 1.5, "error": 0.0321, "uncalibrated_error": 0.0654, "log_loss": 0.5}
    known = {
        "run": "runs/made <b>",
        "data": dataset.name,
        "part": "test",
        "best_rung": results.best,
        "best": {"rung": results.best, "settings": {"learning_rate": 0.1, "l2": 0.001}},
        "validation": {"accuracy": 0.7, "n": 40},
        "test": test,
        "seconds": 75.0,
        "warnings": ["a warning <script>alert(2)</script>"],
        "notes": list(dataset.notes),
    }
    recipe_of = {"data": "/data/secret", "seed": 3, "init_seed": 4}
    facts = DataFacts(image_shape=(3, 12, 12), images={"train": 56, "test": n}, fingerprint="f\ud800")
    split = {"train": np.arange(0, n - 40), "validation": np.arange(n - 40, n)}
    machine = Environment(argv=("tenfold", "fit", "/data/secret"), packages={"torch": "2"}, python="3.11")
    content = known | result
    typed = from_json(kind_of(content), content, Path("result.json"))
    return Case(Path("made"), typed, results, machine, recipe_of, facts, {}, split, 12345, figures)


def made_page(with_images=True, dataset=None, **result):
    dataset = dataset or made_dataset()
    return run_page(made_case(dataset, **result), album(dataset, with_images))


def test_a_result_no_better_than_guessing_is_named_at_the_top():
    """Answers dealt at random, a constant answer, and good ones."""
    dataset, rng = made_dataset(names=("cat", "dog"), each=60), np.random.default_rng(0)
    results = made_results(dataset)
    guesses = {
        "random": rng.permutation(results.labels),
        "constant": np.zeros_like(results.labels),
        "good": np.where(np.arange(120) % 5 == 0, 1 - results.labels, results.labels),
    }
    for name, predicted in guesses.items():
        own = replace(results, predicted=dict.fromkeys(RUNGS, predicted))
        right = int((predicted == results.labels).sum())
        test = {"accuracy": right / 120, "interval": wilson(right, 120), "n": 120}
        case = made_case(dataset, own, test=test)
        text = text_of(run_page(case, album(dataset, True)))
        assert (
            "This result is no better than guessing, as far as 120 test images can show: the same answers" in text
        ) == (name != "good")
        assert ("It is not shown that this model is right more often than always saying" in text) == (name != "good")
        if name != "good":
            assert headline(case, False).warnings[0].grave
            assert text.index("no better than guessing") < text.index("a warning")


def test_the_page_counts_the_classes_that_macro_f1_leaves_out():
    without = "2 classes left out that neither occur nor are predicted"
    test = {"accuracy": 0.75, "macro_f1": 1.0, "macro_f1_interval": [1.0, 1.0], "n": 8, "absent": 2}
    assert f"95 % interval 1.000 to 1.000; {without}" in text_of(made_page(test=test))
    assert without not in text_of(made_page(test=test | {"absent": 0}))


def data_of(page):
    return json.loads(re.search(r'<script type="application/json" id="page-data">(.*?)</script>', page, re.S)[1])


def text_of(page):
    """What a reader reads: no markup, one space between words."""
    body = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", page, flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


class Tags(HTMLParser):
    """Names and attributes of all elements, and the text of scripts and styles."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.raw, self._inside = [], [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._inside = tag if tag in ("script", "style") and dict(attrs).get("type") != "application/json" else ""

    def handle_data(self, data):
        if self._inside:
            self.raw.append((self._inside, data))
            self._inside = ""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A short real fit; its folder and the report that it wrote."""
    folder = tmp_path_factory.mktemp("report") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit, "LADDER", fit.LADDER[:2])
        patch.setattr(fit, "LEAST", 100)
        begin(recipe({"kind": "fit", "data": "digits", "limit": 300}), str(folder))
    return folder


def test_the_headline_is_that_of_result_json(run):
    result, page = json.loads((run / "result.json").read_text()), (run / "report.html").read_text()
    test, text = result["test"], text_of(page)
    low, high = (f"{100 * end:.2f}" for end in test["interval"])
    share = f"{100 * test['accuracy']:.2f} %"
    assert f"{result['best_rung']} classifies {share} of {test['n']} test images right" in text
    assert f"95 % interval {low} to {high}" in text
    assert f"{test['macro_f1']:.3f}" in text
    for rung in result["rungs"]:
        assert rung["rung"] in text
        assert f"{100 * rung['test_accuracy']:.2f}" in text
    for row in test["per_class"]:
        assert f"{row['precision']:.3f}" in text
    assert json.loads((run / "resolved.json").read_text())["data"]["fingerprint"] in text
    assert f"tenfold train --recipe {run}/recipe.toml" in text


def test_what_the_best_is_best_by_is_told():
    told = text_of(made_page(metric="macro_f1", validation={"accuracy": 0.7, "macro_f1": 0.4321, "n": 40}))
    assert "Chosen by validation macro F1 among 8 settings of 2 models: macro F1 0.432, 70.00 % of 40 images" in told
    told = text_of(made_page())
    assert "Chosen by validation accuracy among 8 settings of 2 models: 70.00 % of 40 images right there." in told


def test_a_model_worse_than_the_most_frequent_class_is_said_to_be():
    worse = "Always saying the most frequent class would be right more often than this model."
    results = made_results(made_dataset())
    results = replace(results, labels=np.zeros_like(results.labels))
    assert worse in text_of(run_page(made_case(results=results), album(made_dataset(), True)))
    assert worse not in text_of(made_page())


def test_the_ladder_has_the_score_that_decided():
    rungs = [{"rung": name, "validation_accuracy": 0.8, "validation_macro_f1": 0.4567} for name in RUNGS]
    assert "80.00 F1 0.457" in text_of(made_page(metric="macro_f1", rungs=rungs))
    assert "F1 0.457" not in text_of(made_page(rungs=rungs))


def test_what_was_not_searched_for_is_not_counted():
    case = made_case()._replace(audit={"exact": [], "near": [], "near_searched": False})
    told = text_of(run_page(case, album(made_dataset(), True)))
    assert "Exact duplicates 0 groups Near duplicates not searched for" in told


def test_cells_count_what_predictions_csv_says(run):
    with (run / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    best = json.loads((run / "result.json").read_text())["best_rung"]
    data = data_of((run / "report.html").read_text())
    pairs = [(int(row["label"]), int(row[f"predicted {best}"])) for row in rows]
    assert {key: cell["count"] for key, cell in data["cells"].items()} == {
        f"{true}-{taken}": pairs.count((true, taken)) for true, taken in set(pairs)
    }
    for key, cell in data["cells"].items():
        own = [row for row, pair in zip(rows, pairs, strict=True) if f"{pair[0]}-{pair[1]}" == key]
        own.sort(key=lambda row: (-float(row[f"confidence {best}"]), int(row["position"])))
        assert [image[0] for image in cell["images"]] == [int(row["position"]) for row in own[: len(cell["images"])]]
        assert len(cell["images"]) == min(len(own), EACH)


def test_the_same_run_gives_the_same_bytes_with_the_data_in_hand_or_loaded_again(run):
    first = (run / "report.html").read_bytes()
    assert write_report(run).read_bytes() == first
    assert len(first) < 2_500_000


def test_every_inlined_script_and_style_is_allowed_and_nothing_else():
    page = made_page()
    found = Tags(page)
    policy = next(a["content"] for tag, a in found.tags if a.get("http-equiv") == "Content-Security-Policy")
    for word in ("default-src 'none'", "img-src data:", "base-uri 'none'", "form-action 'none'"):
        assert word in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    kinds = {"script": "script-src", "style": "style-src"}
    sources = {
        kind: set(re.findall(r"'(sha256-[^']+)'", re.search(rf"{kinds[kind]} ([^;]+)", policy)[1])) for kind in kinds
    }
    present = {kind: set() for kind in kinds}
    for kind, content in found.raw:
        present[kind].add(f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}")
    assert present == sources
    for tag, attributes in found.tags:
        assert "style" not in attributes, tag
        assert not [name for name in attributes if name.startswith("on")], tag
        for name in ("src", "srcset", "href"):
            assert attributes.get(name, "#").startswith(("data:", "#")), (tag, attributes)


def test_hostile_names_are_text():
    page = made_page()
    plain_page = made_page(dataset=made_dataset([f"class {k}" for k in range(len(HOSTILE))]))
    counts = [len([tag for tag, _ in Tags(p).tags if tag in ("script", "img", "title")]) for p in (page, plain_page)]
    assert counts[0] == counts[1]
    assert "alert(1)" in text_of(page)
    assert "7 * 7" in text_of(page)
    assert "<b>&" not in page
    assert "\u202e" not in page
    assert "\x1b" not in page
    assert "\ud800" not in page


def test_without_images_there_are_neither_images_nor_paths():
    page = made_page(with_images=False)
    assert "image/webp" not in page
    assert "/data/" not in page
    assert "secret" not in page
    assert "runs/made" not in page
    assert "read &lt;u&gt;" not in page
    assert "Class templates" not in page
    assert "left out of this page" in text_of(page)
    cell = data_of(page)["cells"]["0-1"]
    assert cell["images"]
    assert not any(uri or path for _, _, uri, path in cell["images"])
    assert "image/webp" in made_page()


def test_private_paths_are_relative_to_what_they_share():
    dataset = made_dataset(("cat", "dog"))
    shown = album(dataset, True)
    assert shown.path(3) == "dog/3 <b>&.png"
    assert album(dataset, False).path(3) == ""
    assert album(None, True).why


def test_cells_hold_the_surest_images_first():
    results = made_results(made_dataset(("cat", "dog", "owl")))
    found = {(cell.true, cell.predicted): cell for cell in cells(results)}
    counts = [[found[t, p].images if (t, p) in found else 0 for p in range(3)] for t in range(3)]
    np.testing.assert_array_equal(confusion_counts(results), counts)
    for (true, taken), cell in found.items():
        assert (results.labels[cell.rows] == true).all()
        assert (results.predicted[results.best][cell.rows] == taken).all()
        assert (np.diff(results.confidence[results.best][cell.rows]) <= 0).all()
    assert sum(cell.images for cell in found.values()) == len(results.labels)
    assert not cells(made_results(made_dataset(("cat", "dog"), each=0)))


def test_mistakes_are_the_surest_and_uncertain_images_the_least_sure():
    results = made_results(made_dataset(("cat", "dog", "owl")))
    confidence, wrong = results.confidence[results.best], results.predicted[results.best] != results.labels
    found = mistakes(results, 5)
    assert wrong[found].all()
    assert confidence[found].min() >= np.sort(confidence[wrong])[-5]
    np.testing.assert_array_equal(least_certain(results, 4), np.argsort(confidence)[:4])


@pytest.mark.parametrize(
    ("channels", "side", "dtype"),
    [(1, 8, "uint8"), (2, 9, "float"), (3, 40, "float"), (4, 12, "uint8"), (3, 100, "uint8")],
)
def test_images_of_every_kind_become_pictures(channels, side, dtype):
    dataset = made_dataset(("cat", "dog"), channels=channels, side=side)
    if dtype == "float":
        images = (dataset.images.float() / 100 - 0.5)[:, :, :, : side - 2].contiguous()
        images[0] = float("nan")
        dataset = Dataset("made", images, dataset.labels, dataset.class_names, 1.0)
    shown = album(dataset, True)
    pictures = [shown.picture(k) for k in range(3)] + [shown.mean([0, 1])]
    assert all(picture.uri.startswith("data:image/webp;base64,") for picture in pictures)
    assert max(pictures[0].width, pictures[0].height) <= 64
    page = run_page(made_case(dataset, made_results(dataset)), shown)
    assert len(page) < 1_500_000


def test_vectors_have_no_pictures():
    images = torch.rand(24, 1, 1, 7)
    dataset = Dataset("made", images, torch.arange(24) % 2, ("cat", "dog"), 1.0)
    page = run_page(made_case(dataset, made_results(dataset)), album(dataset, True))
    assert "image/webp" not in page
    assert "vectors, not images" in page


def test_many_classes_become_a_list_and_nothing_explodes():
    dataset = made_dataset([f"class {k}" for k in range(1500)], each=3, side=8)
    results = made_results(dataset)
    found = matrix(results)
    assert found.rows == []
    assert len(found.largest) == 60
    page = run_page(made_case(dataset, results), album(dataset, True))
    assert len(page) < 3_000_000
    assert len(data_of(page)["cells"]) == 60
    assert "Open a line to see the images behind it." in page


def test_large_pictures_stay_in_their_budget():
    dataset = made_dataset([f"class {k}" for k in range(12)], each=100, side=64)
    noisy = torch.randint(0, 256, dataset.images.shape, generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    noisy_set = Dataset("made", noisy, dataset.labels, dataset.class_names, 1 / 255)
    page = run_page(made_case(noisy_set, made_results(noisy_set)), album(noisy_set, True))
    assert len(page) < 5_000_000


def test_charts_hold_the_winners_curves():
    results = made_results(made_dataset(("cat", "dog")))
    charts = chart_data(results)
    assert [chart["measure"] for chart in charts] == ["loss", "cost", "accuracy"]
    line = next(s for s in charts[2]["series"] if s["rung"] == 1 and s["part"] == "validation")
    own = (results.curves["rung"] == "mlp-256") & (results.curves["member"] == 1)
    np.testing.assert_allclose(line["y"], 100 * results.curves["validation_accuracy"][own], rtol=1e-4)
    assert charts[0]["x"] == [1, 2, 3, 4, 5]


def test_a_lone_population_shows_its_other_members():
    dataset = made_dataset(("cat", "dog"))
    results = made_results(dataset, rungs=("mlp-256",))
    assert [line["rung"] for line in chart_data(results)[0]["series"]] == [-1, -1, -1, 0, 0]
    assert "mlp-256" in run_page(made_case(dataset, results), album(dataset, True))


def test_a_stopped_run_says_that_it_saw_no_test_image():
    dataset = made_dataset(("cat", "dog"))
    results = made_results(dataset)
    stopped = results.__class__(**{**vars(results), "part": "validation"})
    validation = {"accuracy": 0.5, "interval": [0.4, 0.6], "macro_f1": 0.5, "n": 24}
    case = made_case(dataset, stopped, part="validation", state="interrupted", validation=validation, test=None)
    text = text_of(run_page(case, album(dataset, True)))
    assert "50.00 % of 24 validation images right" in text
    assert "stopped before its model was scored on the test images" in text
    assert "test images were looked at once" not in text


def test_a_sparse_result_still_makes_a_page():
    dataset = made_dataset(("cat", "dog"))
    case = made_case(dataset, made_results(dataset, confident=False))
    bare = case._replace(
        result=FitResult(test=Metrics(accuracy=0.5, n=24)),
        environment=Environment(),
        recipe={},
        data=DataFacts(),
        split={},
        model_bytes=0,
    )
    assert "50.00 % of 24 test images right" in text_of(run_page(bare, album(None, True)))


def test_without_the_chart_script_the_still_figure_takes_its_place(monkeypatch, tmp_path):
    monkeypatch.setattr(document, "VENDOR", tmp_path)
    page = made_page()
    assert "uPlot" not in page.replace("typeof uPlot", "").replace("new uPlot", "")
    assert 'id="charts"' not in page
    assert re.search(r'aria-label="learning curves, figure"', page)


def test_embedded_data_cannot_end_its_script():
    names = ("</script><script>alert(1)</script>", "a & b <!-- c")
    page = made_page(dataset=made_dataset(names))
    raw = re.search(r'id="page-data">(.*?)</script>', page, re.S)[1]
    assert not set("<>&\u2028") & set(raw)
    assert data_of(page)["cells"]["0-0"]["true"] == label(names[0], 40)


def test_dark_figures_keep_their_colors_and_lose_their_black():
    svg = drawn("learning_curves", made_results(made_dataset(("cat", "dog"))))
    dark = darkened(svg)
    assert "#ffffff" not in dark
    assert dark.count("#0072b2") == svg.count("#0072b2") > 0


def test_runs_side_by_side(run, tmp_path):
    other = tmp_path / "other"
    begin(recipe({"data": "digits", "epochs": 2, "learning_rate": [0.01, 0.1]}), str(other))
    page = report_runs([run, other], tmp_path / "both.html").path.read_text()
    text = text_of(page)
    for folder in (run, other):
        test = json.loads((folder / "result.json").read_text())["test"]
        assert f"{100 * test['accuracy']:.2f}" in text
    assert "McNemar" in text
    assert report_runs([other]).path == other / "report.html"
    assert "image/webp" not in report_runs([run, other], tmp_path / "both.html", with_images=False).path.read_text()


def test_what_is_no_run_is_said(tmp_path):
    with pytest.raises(RunError, match="not a run folder"):
        report_runs([tmp_path / "absent"])
    with pytest.raises(RunError, match="not a run folder"):
        read_case(tmp_path)


def test_a_run_of_another_version_is_said_to_be_one(run, tmp_path):
    for name in ("recipe.toml", "result.json"):
        (tmp_path / name).write_bytes((run / name).read_bytes())
    (tmp_path / "status.json").write_text('{"format": 0, "state": "finished"}')
    with pytest.raises(RunError, match="another version"):
        read_case(tmp_path)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("result.json", lambda text: text.replace('"rungs": [', '"rungs": [3,')),
        ("result.json", lambda text: text.replace('"recall_interval": [', '"recall_interval": 3, "before": [')),
        ("resolved.json", lambda text: text.replace('"images": {', '"images": 3, "before": {')),
        ("metrics.csv", lambda text: text[:-30] + "\udcff"),
        ("splits.npz", None),
    ],
)
def test_files_that_were_spoiled_are_one_plain_line(run, tmp_path, name, change):
    spoiled = shutil.copytree(run, tmp_path / "spoiled")
    whole = (spoiled / name).read_bytes()
    made = change(whole.decode()).encode("utf-8", "surrogateescape") if change else whole[: len(whole) // 2]
    assert made != whole
    (spoiled / name).write_bytes(made)
    with pytest.raises(FileError, match=r"spoiled.*restore it from a copy") as caught:
        report_runs([spoiled], with_images=False)
    assert "\n" not in str(caught.value)


def test_a_figure_made_of_openings_is_shown(run):
    """That it takes a moment, benchmarks/bench_moments.py measures."""
    case = read_case(run)._replace(figures={"templates": '<svg viewBox="0 0 9 9">' + "<!--" * 100_000})
    assert illustrate("templates", case, "") is not None


def test_runs_on_other_data_are_told_once(run, tmp_path):
    others = [shutil.copytree(run, tmp_path / f"other {k}") for k in range(4)]
    for k, folder in enumerate(others):
        said = folder / "resolved.json"
        said.write_text(said.read_text().replace('"fingerprint": "', f'"fingerprint": "{k}'))
    told = _sentences([read_case(folder) for folder in (run, *others, run)], private=True)
    assert len(told) == 2
    assert told[0][0].startswith(
        "Only runs that were tested on the same images are compared. These are: run on digits;"
    )
    assert "No difference shown" in told[1][0]


def test_every_folder_of_a_path_stands_by_itself():
    """Else a class whose name runs from right to left would stand behind the file's number, as its folder."""
    environment = document._environment()
    told = environment.from_string('{% import "parts.html" as parts %}{{ parts.path("test/כלב/<0>.png") }}').render()
    inner = "<bdi>test</bdi>/<bdi>כלב</bdi>/<bdi>&lt;0&gt;.png</bdi>"
    assert told.strip() == f'<span class="path" title="test/כלב/&lt;0&gt;.png"><span>{inner}</span></span>'


def test_the_page_of_several_runs_makes_its_folder(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert report_runs([run, run], with_images=False).path == Path("runs/report.html")
    assert (tmp_path / "runs" / "report.html").stat().st_size


def test_data_that_changed_are_not_shown(run, monkeypatch):
    monkeypatch.setattr("tenfold.report.write.fingerprint", lambda dataset: "other")
    before = (run / "report.html").read_bytes()
    page = write_report(run).read_text()
    (run / "report.html").write_bytes(before)
    assert "image/webp" not in page
    assert "not those that the run was trained on" in text_of(page)


@pytest.fixture
def of_folder(tmp_path):
    """A run on a folder of pictures, with its page."""
    for k in range(40):
        path = tmp_path / "data" / ("light" if k % 2 else "dark") / f"{k}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        low = 120 * (k % 2)
        Image.fromarray(np.random.default_rng(k).integers(low, low + 100, (9, 9), np.uint8)).save(path)
    run = tenfold.train(str(tmp_path / "data"), epochs=1, out=tmp_path / "run").folder
    assert "image/webp" in report_runs([run]).path.read_text()
    return run


def spoil(data, how):
    if how == "moved":
        data.rename(data.parent / "elsewhere")
    elif how == "removed":
        shutil.rmtree(data)
    else:
        next((data / "dark").iterdir()).unlink()


@pytest.mark.parametrize("how", ["moved", "removed", "changed"])
def test_a_page_does_not_lose_its_pictures_unasked(of_folder, tmp_path, how):
    before = (of_folder / "report.html").read_bytes()
    spoil(tmp_path / "data", how)
    with pytest.raises(RunError, match=r"report\.html: would lose its images: .*--data .*--out .*--force") as refused:
        report_runs([of_folder])
    assert "\n" not in str(refused.value)
    assert (of_folder / "report.html").read_bytes() == before
    elsewhere = report_runs([of_folder], tmp_path / "other.html")
    assert "images are not shown" in elsewhere.why
    assert "image/webp" not in elsewhere.path.read_text()
    assert report_runs([of_folder], tmp_path / "other.html").why == elsewhere.why
    assert report_runs([of_folder], with_images=False).why == ""
    (of_folder / "report.html").write_bytes(before)
    assert report_runs([of_folder], force=True).why == elsewhere.why
    assert "image/webp" not in (of_folder / "report.html").read_text()


def test_a_page_is_made_of_pictures_that_were_moved(of_folder, tmp_path):
    before = (of_folder / "report.html").read_text()
    spoil(tmp_path / "data", "moved")
    written = report_runs([of_folder], data=str(tmp_path / "elsewhere"))
    assert written.why == ""
    assert written.path.read_text().count("image/webp") == before.count("image/webp")
    with pytest.raises(UsageError, match="nowhere"):
        report_runs([of_folder], data=str(tmp_path / "nowhere"), force=True)
    with pytest.raises(RunError, match=r"not those that the run was trained on"):
        report_runs([of_folder], data="digits")
    with pytest.raises(UsageError, match="one run"):
        report_runs([of_folder, of_folder], data=str(tmp_path / "elsewhere"))


def test_the_audit_shows_pairs_with_part_class_and_path(tmp_path):
    dataset = made_dataset(("cat", "<b>dog"))
    dataset = replace(dataset, parts={"train": torch.arange(16), "test": torch.arange(16, 24)})
    groups = [[k, k + 2] for k in range(14)]
    found = {
        "class_names": list(dataset.class_names),
        "images": 24,
        "near": groups,
        "exact": [],
        "large": [list(range(20))],
        "conflicts": [[0, 1]],
        "twins": {"test": [[17, 3]]},
        "warnings": ["1 of 8 <i>test images"],
        "unreadable": ["/data/secret.png: broken"],
    }
    path = tmp_path / "audit.html"
    write_audit_page(path, found, dataset)
    page, text = path.read_text(), text_of(path.read_text())
    shown = album(dataset, True)
    assert "Test images with a twin in training" in text
    for position, part in ((17, "test"), (3, "train")):
        assert f"<b>dog {part}, image {position} {shown.path(position)}" in text.replace(" / ", "/")
        assert shown.picture(position).uri in page
    assert "… and 2 more" in text
    assert "… and 14 more images" in text
    assert "1 of 8 <i>test images" in text
    assert "secret.png" in page
    write_audit_page(path, found, dataset, with_images=False)
    assert "image/webp" not in path.read_text()
    assert "/data/" not in path.read_text()


def test_a_run_page_shows_its_audit_and_the_score_without_twins():
    dataset = made_dataset(("cat", "dog"))
    case = made_case(dataset, made_results(dataset))
    test = replace(case.result.test, without_twins=Brief(0.5, (0.3, 0.7), 0.5, 20))
    case = case._replace(
        result=replace(case.result, test=test), audit={"class_names": ["cat", "dog"], "exact": [[0, 2]], "images": 24}
    )
    text = text_of(run_page(case, album(dataset, True)))
    assert "Without twins 50.00 %" in text
    assert "Exact duplicates" in text
