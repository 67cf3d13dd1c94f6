"""Model cards: every number is the run's, nothing that was not measured is claimed, and no name acts on the page."""

import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch
from markdown_it import MarkdownIt
from PIL import Image

import tenfold
from tenfold.engine.models.linear import Linear
from tenfold.engine.models.mlp import MLP
from tenfold.files import from_json
from tenfold.report.card import card as card_of
from tenfold.report.card import write_cards
from tenfold.report.read import read_made
from tenfold.runs.result import kind_of
from tenfold.trained.model import TrainedModel, load_model, weights_sha256

HOSTILE = (
    "a|b",
    "<script>alert(1)</script>",
    "[x](javascript:alert(1))",
    "![x](https://example.org/x.png)",
    "`code` **bold** _it_ ~~no~~ $x$",
    "&lt;b&gt; &#124; <https://example.org> www.example.org a@example.org",
    "two\nlines\n# heading\n| --- |",
    "\u202egnp\x1b[31m\x00",
    "\\| \\",
    "",
)
SHOWN = (*HOSTILE[:6], "two lines # heading | --- |", "gnp[31m", HOSTILE[8], "?")
ALLOWED = {"h1", "h2", "p", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "code", "pre"}


def card(model, result, file="model.tenfold"):
    """The page, of a result as JSON has it."""
    typed = result and from_json(kind_of(result), result, Path("result.json"))
    return card_of(model, typed, file)


def trained(class_names=("cat", "dog", "owl"), model=None, shape=(1, 2, 2)):
    model = model or Linear(int(np.prod(shape)), len(class_names))
    inputs = torch.ones(model.inputs)
    data = {"name": "pets", "fingerprint": "f" * 64, "images": {"train": 1000, "validation": 120, "test": 2345}}
    cause = {
        "rung": "linear-softmax",
        "member": 2,
        "settings": {"loss": "softmax", "learning_rate": 0.003, "l2": 0.0},
        "validation": {"accuracy": 0.912345},
        "steps": 55,
        "recipe": {
            "batch_size": 100,
            "optimizer": "sgd",
            "seed": 17,
            "learning_rate": [0.1, 0.003],
            "metric": "macro_f1",
        },
        "data": data,
        "version": "9.8.7",
    }
    params = model.init([3], "he", 1.0)
    return TrainedModel(
        "linear", model, params, inputs, inputs, shape, 1 / 255, class_names, "softmax", cause, 1.234567
    )


def scores(class_names=("cat", "dog", "owl")):
    """A result with a number for everything, each its own."""
    per_class = [
        {
            "class": name,
            "n": 700 + k,
            "precision": 0.811 + k / 100,
            "recall": 0.7011 + k / 100,
            "recall_interval": [0.601 + k / 100, 0.801 + k / 100],
            "f1": 0.755 + k / 100,
        }
        for k, name in enumerate(class_names)
    ]
    calibration = {"temperature": 1.234567, "error": 0.01234, "uncalibrated_error": 0.05678, "log_loss": 0.3}
    test = {
        "accuracy": 0.87654,
        "interval": [0.8612, 0.8909],
        "macro_f1": 0.8666,
        "macro_f1_interval": [0.8511, 0.8822],
        "n": 2345,
        "per_class": per_class,
        "calibration": calibration,
        "without_twins": {"n": 2300, "accuracy": 0.8701, "interval": [0.8555, 0.8833], "macro_f1": 0.8599},
    }
    return {
        "best_rung": "linear-softmax",
        "validation": {"accuracy": 0.9123, "interval": [0.8477, 0.9511], "macro_f1": 0.9012, "n": 120},
        "test": test,
        "rungs": [{"rung": "other", "validation_accuracy": 0.5}],
        "notes": ["3 files ignored"],
        "warnings": ["2 labels contradict each other"],
    }


class Page(HTMLParser):
    """Tags, attributes and the text of every cell of a page."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.rows, self.inside = set(), [], [], False
        self.feed(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text))

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

        self.inside = tag in ("td", "th") or (tag == "code" and self.inside)

    def handle_endtag(self, tag):
        self.inside = tag == "code" and self.inside

    def handle_data(self, data):
        if self.inside:
            self.rows[-1][-1] += data

    @property
    def facts(self):
        return {row[0]: row[1:] for row in self.rows}


def test_a_card_says_what_the_model_is():
    model = trained()
    page = Page(card(model, scores()))
    assert page.tags == ALLOWED
    assert page.facts["Parameters"] == ["15"]
    assert page.facts["Model"] == ["linear; affine layers 4 → 3"]
    assert page.facts["Classes"] == ["cat, dog, owl"]
    assert page.facts["Temperature"][0].startswith("1.235 ")
    assert page.facts["Fingerprint"] == ["f" * 64]
    assert page.facts["Images, test"] == ["2,345"]
    assert page.facts["learning_rate"] == ["0.003"]
    assert page.facts["seed"] == ["17"]
    assert page.facts["weights from"] == ["step 55, epoch 5.5"]
    assert page.facts["tenfold"] == ["9.8.7"]
    text = card(model, scores())
    assert f"SHA-256 of the weights: `{weights_sha256(model.params, 0)}`" in text
    assert "best by validation macro F1." in text
    assert "- 2 labels contradict each other\n- 3 files ignored\n" in text
    deep = trained(model=MLP(4, 3, (7,)))
    assert Page(card(deep, None)).facts["Model"][0].endswith("4 → 7, 7 → 3")
    assert Page(card(deep, None)).facts["Parameters"] == [str(4 * 7 + 7 + 7 * 3 + 3)]


def test_a_card_says_what_the_test_images_showed():
    text = card(trained(), scores())
    facts = Page(text).facts
    assert facts["images"] == ["120", "2,345"]
    assert facts["accuracy"] == ["91.23 %", "87.65 %"]
    assert facts["95 % interval"] == ["84.77 to 95.11 %", "86.12 to 89.09 %"]
    assert facts["macro F1"] == ["0.901", "0.867"]
    assert facts["95 % interval of it"] == ["–", "0.851 to 0.882"]
    assert facts["expected calibration error"] == ["–", "1.23 %"]
    assert facts["… without temperature"] == ["–", "5.68 %"]
    assert facts["dog"] == ["701", "71.11 %", "61.10 to 81.10 %", "0.821", "0.765"]
    assert "classes that it leaves out" not in facts
    assert "Without them:\naccuracy 87.01 % (95 % interval 85.55 to 88.33 %, n = 2,300), macro F1 0.860." in text
    assert "not scored" not in text


def test_nothing_is_said_of_twins_where_there_are_none():
    result = scores()
    result["test"]["without_twins"] = None
    assert "twin" not in card(trained(), result)


def test_a_stopped_run_claims_nothing_about_test_images():
    for result in (scores() | {"test": None}, None):
        text = card(trained(), result)
        assert "not scored on its test images." in text
        assert "87.65" not in text
        assert "twin" not in text
        assert "Class (test)" not in text
    assert "Validation accuracy: 91.23 %." in card(trained(), None)


def test_the_card_of_another_rung_has_its_own_numbers():
    own = {"rung": "linear-softmax", "validation_accuracy": 0.4321, "test_accuracy": 0.4, "test_interval": [0.3, 0.5]}
    text = card(trained(), scores() | {"best_rung": "mlp", "rungs": [own]}, "linear-softmax.tenfold")
    facts = Page(text).facts
    assert facts["validation accuracy"] == ["43.21 %"]
    assert facts["test accuracy"] == ["40.00 %"]
    assert facts["95 % interval"] == ["30.00 to 50.00 %"]
    assert "87.65" not in text
    assert "By validation, mlp of the same run is better" in text
    assert 'load_model("linear-softmax.tenfold")' in text
    # A stopped run may keep the best of a rung that it had not finished: nothing is known that sets it below another.
    unfinished = card(trained(), scores() | {"best_rung": "mlp", "rungs": []})
    assert "is better" not in unfinished
    assert "not scored on its test images." in unfinished


def test_numbers_that_were_not_finite_are_absent():
    result = json.loads(json.dumps(scores()))
    result["test"] |= {"accuracy": None, "interval": [None, None], "macro_f1": None, "calibration": None}
    result["test"]["per_class"][1] |= {"n": 0, "recall_interval": None}
    facts = Page(card(trained(), result)).facts
    assert facts["accuracy"] == ["91.23 %", "–"]
    assert facts["dog"][:3] == ["0", "–", "–"]


def test_names_from_outside_are_text_and_nothing_else():
    model = trained(HOSTILE)
    model.cause["data"]["name"] = HOSTILE[1] + HOSTILE[2]
    result = scores(HOSTILE)
    result["notes"], result["warnings"] = [*HOSTILE], [HOSTILE[3]]
    text = card(model, result)
    page = Page(text)
    assert page.tags == ALLOWED
    assert {name for name, _ in page.attributes} <= {"class"}
    assert [row[0] for row in page.rows if len(row) == 6][1:] == list(SHOWN)
    assert all(len(row) in (2, 3, 6) for row in page.rows)
    assert page.facts["Classes"] == [", ".join(SHOWN)]
    # Automatic links of other renderers: no address is left whole.
    assert not re.search(r"https?:|www\.|@", text)
    assert not set("\u202e\x1b\x00") & set(text)


def test_a_setting_of_the_member_is_not_told_again_as_the_list_that_it_came_from():
    model = trained()
    model.cause["settings"]["momentum"] = 0.5
    model.cause["recipe"]["momentum"] = [0.5, 0.9]
    assert [row for row in Page(card(model, None)).rows if row[0] == "momentum"] == [["momentum", "0.5"]]


def test_predict_is_named_only_where_image_files_can_be_read():
    assert "tenfold predict model.tenfold" in card(trained(), None)
    assert "tenfold predict" not in card(trained(shape=(1, 4, 1)), None)
    assert "tenfold evaluate model.tenfold" in card(trained(shape=(1, 4, 1)), None)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    root = tmp_path_factory.mktemp("card")
    rng = np.random.default_rng(0)
    np.savez(root / "ours.npz", x=rng.random((120, 4, 4), dtype=np.float32), y=np.arange(120) % 3)
    tenfold.train(root / "ours.npz", out=root / "run", epochs=1)
    return root / "run"


def test_a_card_lies_beside_every_model_file(run, tmp_path):
    folder = shutil.copytree(run, tmp_path / "copy")
    for path in folder.rglob("*.md"):
        path.unlink()
    made = read_made(folder)
    write_cards(folder, made.models, made.result)
    models = sorted(folder.rglob("*.tenfold"))
    assert len(models) == 2
    assert sorted(folder.rglob("*.md")) == [path.with_suffix(".md") for path in models]
    for path in models:
        text = path.with_suffix(".md").read_text(encoding="utf-8")
        result = json.loads((folder / "result.json").read_text())
        assert text == card(load_model(path), result, path.name)
        assert f"{100 * result['test']['accuracy']:.2f} %" in text


def test_the_python_lines_of_a_card_run(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.new("L", (9, 5), 70).save("picture.jpg")
    text = card(load_model(run / "model.tenfold"), None)
    (lines,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names = {"images": torch.rand(5, 1, 4, 4)}
    program = lines.replace('"model.tenfold"', repr(str(run / "model.tenfold")))
    exec(compile(program, "card", "exec"), names)
    torch.testing.assert_close(names["shares"].sum(1), torch.ones(5, dtype=torch.float64))
    assert names["shares"].shape == (5, 3)
    assert names["answer"].predicted in load_model(run / "model.tenfold").class_names


def test_the_card_of_an_encoder_promises_no_classes():
    model = trained()
    network = MLP(4, 0, (6,), embedding=5)
    cause = {**model.cause, "recipe": {**model.cause["recipe"], "embedding": 5}}
    encoder = replace(model, room_name="mlp", model=network, params=network.init([0]), loss="triplet", cause=cause)
    text = card(encoder, scores())
    page = Page(text)
    assert text.startswith("# Image encoder for ")
    assert page.facts["Output"] == ["an embedding of 5 numbers; no classes"]
    assert "Temperature" not in page.facts
    assert "tenfold probe model.tenfold" in text
    assert "tenfold predict" not in text
    assert "vote of the nearest training images" in text.replace("\n", " ")
