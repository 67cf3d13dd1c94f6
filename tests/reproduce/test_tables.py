"""The shipped tables: they parse and resolve, say what the reports print, and the documented example runs as told."""

import re
import tomllib
from itertools import combinations
from pathlib import Path

import pytest

from tenfold.errors import UsageError
from tenfold.recipe import VARYING, Recipe
from tenfold.reproduce.explain import explain
from tenfold.reproduce.protocol import overridden
from tenfold.reproduce.reproduce import reproduce
from tenfold.reproduce.table import TableRequest, read_table, resolved, shipped

DOCUMENT = Path(__file__).parents[2] / "docs" / "reproducing.md"
NAMES = sorted(shipped())
every_table = pytest.mark.parametrize("name", NAMES)

# What the reports print: table -> cell -> digits.
REPORTED = {
    "cifar10-softmax": {
        "eta0.1/train@1": "26.72",
        "eta0.1/test@1": "29.77",
        "eta0.1/train": "39.48",
        "eta0.1/test": "43.31",
        "eta0.001/train@1": "30",
        "eta0.001/test@1": "30.72",
        "eta0.001/train": "45.17",
        "eta0.001/test": "45.59",
        "l2-0.1/train@1": "30.07",
        "l2-0.1/test@1": "30.76",
        "l2-0.1/train": "44.87",
        "l2-0.1/test": "44.72",
        "l2-1/train@1": "30.3",
        "l2-1/test@1": "31.01",
        "l2-1/train": "40",
        "l2-1/test": "38.99",
        "eta0.001/train/weight_disagreement": "1.09e-15",
        "eta0.001/train/bias_disagreement": "9.78e-17",
    },
    "cifar10-softmax-sigmoid": {"softmax-50/test": "40.76"},
    "cifar10-hinge": {
        "first/train": "0.343",
        "first/validation": "0.363",
        "tuned/train": "0.373224",
        "tuned/validation": "0.386",
        "tuned/test": "0.375",
    },
    "cifar10-softmax-clipped": {"fifth-less/validation@best": "36.89"},
    "fashion-activations": {
        "logistic/validation/loss": "1.5920",
        "logistic/test/macro_f1": "0.37",
        "tanh/validation/loss": "0.4834",
        "tanh/test/macro_f1": "0.84",
        "relu/validation/loss": "0.4620",
        "relu/test/macro_f1": "0.84",
        "identity/validation/loss": "0.4913",
        "identity/test/macro_f1": "0.83",
    },
    "mnist-mlp": {"mlp/test": "98.4"},
    "fashion-mlp": {"mlp/test": "89.5"},
}
# Columns: training loss and accuracy, those of validation, test accuracy.
MNIST = """
zero relu 2.3009 0.1141 2.3001 0.1173 0.11
zero sigmoid 2.3010 0.1141 2.3001 0.1173 0.11
zero tanh 2.3009 0.1141 2.3001 0.1173 0.11
zero leaky_relu 2.3008 0.1141 2.3001 0.1173 0.11
random relu 0.2604 0.9132 0.3261 0.897 0.895
random sigmoid 1.1552 0.7175 1.1806 0.7040 0.706
random tanh 0.3076 0.9102 0.484 0.8547 0.844
random leaky_relu 0.2544 0.9250 0.3256 0.8987 0.893
normal relu NaN 0.0987 NaN 0.1027 0.08
normal sigmoid 1.1214 0.6291 1.1857 0.6093 0.604
normal tanh 1.1635 0.6511 2.673 0.3373 0.332
normal leaky_relu NaN 0.0987 NaN 0.1027 0.08
"""


@every_table
def test_every_run_is_a_recipe_at_every_scale(name):
    table = read_table(name)
    assert set(table.scales) == {"full", "quick", "tiny"}
    for scale in table.scales:
        recipes = {run: resolved(table, run, scale, seed=1) for run in table.runs}
        assert all(isinstance(recipe, Recipe) and recipe.seed == 1 for recipe in recipes.values())
        # A scale may not make two runs one: their rows would be told apart by nothing.
        if scale == "full":
            for (first, a), (second, b) in combinations(recipes.items(), 2):
                assert a != b, f"{first} and {second} are the same run"


@every_table
def test_tables_say_what_they_are_of_and_why(name):
    table = read_table(name)
    assert table.name == name
    assert table.about
    assert table.reference
    assert table.choices
    assert all(len(choice.why) > 10 for choice in table.choices)
    assert table.cells, "nothing is reported"
    assert not {run for run in table.runs if table.runs[run].ours} & {cell.run for cell in table.cells}


@every_table
def test_every_way_of_a_question_changes_something(name):
    table = read_table(name)
    bases = [resolved(table, run, "full") for run, own in table.runs.items() if not own.searches]
    for question in table.questions:
        for way in question.ways:
            other = way.part or way.epoch or any(overridden(base, way.set) != base for base in bases)
            assert other, f"{question.about}: {way.label} is what the table does anyway"


@pytest.mark.parametrize("name", sorted(REPORTED))
def test_cells_hold_the_digits_of_the_report(name):
    assert {cell.id: cell.reported for cell in read_table(name).cells} == REPORTED[name]


def test_cells_of_the_activations_hold_the_digits_of_the_report():
    parts = ("train/loss", "train", "validation/loss", "validation", "test")
    rows = [line.split() for line in MNIST.split("\n") if line]
    told = {
        f"{init}-{activation}/{part}": digits
        for init, activation, *numbers in rows
        for part, digits in zip(parts, numbers, strict=True)
    }
    assert {cell.id: cell.reported for cell in read_table("mnist-activations").cells} == told


def test_cells_of_the_grid_are_those_of_its_best_setting():
    cells = read_table("fashion-grid").cells
    assert {cell.metric: cell.reported for cell in cells} == {"macro_f1": "0.85", "loss": "0.4080"}
    assert all(c.setting == {"optimizer": "adam", "batch_size": 64, "learning_rate": 2e-4} for c in cells)


def test_every_table_is_spotted():
    assert {*REPORTED, "mnist-activations", "fashion-grid"} <= set(NAMES)


def test_settings_of_one_population_share_what_a_population_shares():
    table = read_table("cifar10-softmax")
    recipes = [resolved(table, run, "full").model_dump() for run in table.runs]
    assert len(recipes) == 4
    assert all(recipe[name] == recipes[0][name] for recipe in recipes for name in recipe if name not in VARYING)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("learning_rate = 0.1", "learning_rat = 0.1", "learning_rate"),
        ('[[cells]]\nrun = "eta0.1"', '[[cells]]\nrun = "eta0.2"', "eta0.2"),
        ('note = "called test', 'nota = "called test', "note"),
    ],
)
def test_a_slip_in_a_table_is_told(tmp_path, old, new, told):
    text = shipped()["cifar10-softmax"].read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "slip.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(UsageError, match=re.escape(told)):
        read_table(str(path))


def test_the_documented_table_runs_and_ends_as_told(tmp_path):
    document = DOCUMENT.read_text(encoding="utf-8")
    example = re.search(r"^```toml\n(.*?)^```$", document, re.MULTILINE | re.DOTALL)[1]
    path = tmp_path / "digits-penalty.toml"
    path.write_text(example, encoding="utf-8")
    asked = TableRequest(read_table(str(path)))
    result = reproduce(asked, tmp_path / "out", lambda event: None)
    rows = re.findall(r"^\| (\S+/\S+) \| (\S+) % \| (.+) \|$", document, re.MULTILINE)
    assert rows == [(cell.id, cell.reported, cell.verdict) for cell in result.cells]
    assert tomllib.loads(example)["scales"]["full"]["seeds"] == len(result.cells[0].measured)
    found = explain(asked, tmp_path / "out", "penalized/test", lambda event: None)
    told = re.search(r"(?:^> .*\n)+", document, re.MULTILINE)[0]
    assert found.sentence == " ".join(line.removeprefix("> ") for line in told.splitlines())
    assert f"*{found.verdict}*" in " ".join(document.split())


def test_a_shipped_table_runs_on_its_data(data_root, tmp_path):
    asked = TableRequest(read_table("mnist-mlp"), scale="tiny", data_dir=str(data_root("mnist")))
    (cell,) = reproduce(asked, tmp_path / "out", lambda event: None).cells
    assert 0.5 < cell.mean < 0.98
