"""What the figures of a search select, read against the run folder by hand, and that they draw it whatever it holds."""

import csv
import json
import math
import warnings
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np
import pytest

from tenfold.files import from_json
from tenfold.report.figures import ruler
from tenfold.report.illustrations import CAP
from tenfold.report.read import read_results
from tenfold.report.read_sweep import _swept as swept
from tenfold.report.read_sweep import _Unit as Unit
from tenfold.report.results import Results, Sweep, Trained
from tenfold.report.svg import drawn as drawn_as_svg
from tenfold.report.svg import house_style
from tenfold.rooms import find
from tenfold.runs.result import SweepResult
from tenfold.search.axes import parse_axis
from tenfold.search.request import requested
from tenfold.search.units import UnitMember
from tenfold.sessions import begin
from tenfold.text import setting
from tests.report.test_page import text_of


def result_of(content):
    """A sweep's result of its JSON."""
    return from_json(SweepResult, content, Path("result.json"))


FIGURES = ("sweep_budget", "sweep_curves", "sweep_map", "sweep_slices")
HOSTILE = ("$x$", "<script>alert(1)</script>", "n" * 300, "\u202egnp", "a\x00\x1b[31mb", "\ud800", "")
NAN = math.nan


def made_sweep(words=("softmax", "hinge"), metric="accuracy"):
    """Six candidates in two rounds of two folds: 2 was dropped after one of three validations, 4 failed in a fold."""
    settings = tuple(
        {"loss": words[k % len(words)], "learning_rate": 10.0 ** -(k + 1), "l2": (0.0, 1e-3, 1e-1)[k % 3]}
        for k in range(6)
    )
    epochs, steps = np.array([1.0, 2.0, 3.0]), np.array([10, 20, 30])
    first = np.array([[0.1, 0.2, 0.3], [0.4, 0.6, 0.5], [0.2, NAN, NAN]])
    second = np.array([[0.5, 0.7, 0.8], [0.3, NAN, NAN], [0.1, 0.3, 0.7]])
    ends, none = np.array([3, 3, 1]), np.zeros(3, bool)
    dropped = np.array([False, False, True])
    failing = np.array([3, 2, 3])
    populations = (
        Trained(0, np.arange(3), dropped, epochs, first, ends, steps),
        Trained(0, np.arange(3), dropped, epochs, first + 0.1, ends, steps),
        Trained(1, np.arange(3, 6), none, epochs, second, failing, steps),
        Trained(1, np.arange(3, 6), none, epochs, np.where(np.isnan(second), 0.3, second), np.array([3, 3, 3]), steps),
    )
    scores = np.array([0.35, 0.55, 0.25, 0.8, NAN, 0.7])
    intervals = np.stack([scores - 0.05, scores + 0.05], 1)
    axes = {"loss": "words", "learning_rate": "log", "l2": "log"}
    return Sweep(metric, axes, settings, scores, intervals, 2, (3, 5, 1, 0, 2, 4), 5, populations)


def searched(sweep, name="made"):
    """Results with nothing but a sweep."""
    none = np.zeros(0, dtype=np.int64)
    return Results(name, ("cat", "dog"), {}, {}, {}, "final", "test", none, none, {}, {}, {}, {}, sweep)


def many():
    """More settings, rounds and axes than a figure can show of each."""
    rng = np.random.default_rng(0)
    axes = {f"axis {k}": ("log", "linear", "words")[k % 3] for k in range(14)} | {"learning_rate": "log"}
    settings = tuple({name: round(float(rng.uniform(1e-3, 1)), 3) for name in axes} for _ in range(400))
    scores = rng.uniform(0, 1, 400)
    curve = np.linspace(0.2, 1, 90) * scores[:, None]
    whole = np.full(20, 90)
    populations = tuple(
        Trained(
            k,
            np.arange(20 * k, 20 * k + 20),
            np.zeros(20, bool),
            np.arange(1.0, 91),
            curve[20 * k : 20 * k + 20],
            whole,
            np.arange(10, 910, 10),
        )
        for k in range(20)
    )
    ranked = tuple(np.argsort(-scores).tolist())
    return Sweep("accuracy", axes, settings, scores, np.full((400, 2), NAN), 1, ranked, ranked[300], populations)


def lone():
    """One candidate, one population, one validation."""
    population = Trained(
        0, np.zeros(1, int), np.zeros(1, bool), np.ones(1), np.full((1, 1), 0.5), np.ones(1, int), np.full(1, 10)
    )
    settings = ({"learning_rate": 0.1, "l2": 0.0},)
    axes = {"learning_rate": "log", "l2": "linear"}
    return Sweep("macro_f1", axes, settings, np.full(1, 0.5), np.full((1, 2), NAN), 1, (0,), 0, (population,))


CASES = {
    "plain": searched(made_sweep()),
    "hostile": searched(made_sweep(HOSTILE, "macro_f1"), "$^$<b>\x07" + "n" * 99),
    "many": searched(many()),
    "lone": searched(lone()),
    "same everywhere": searched(replace(made_sweep(), scores=np.full(6, 0.4))),
}


def select(word, results):
    return find("figures", word).select(results)


def drawn(word, results):
    with house_style():
        figure = find("figures", word).draw(select(word, results))
        figure.draw_without_rendering()
    return figure


def texts(figure):
    return [text.get_text() for text in figure.findobj(matplotlib.text.Text)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A real search in two rounds of three folds."""
    choices = {"learning_rate": "0.01:1:log", "l2": "0,1e-3:0.1:log", "loss": "softmax,hinge", "members": 7}
    made = tmp_path_factory.mktemp("sweep") / "run"
    begin(requested({"data": "digits", "limit": 400, "epochs": 3, "folds": 3, "rounds": 2, **choices}), str(made))
    return made


def rows_of(folder):
    """(number of the candidate, epoch, accuracy) of every row of every unit, counted by hand."""
    plan, found = json.loads((folder / "plan.json").read_text()), []
    first = {0: 0, 1: len(plan["round 0"])}
    for unit in sorted((folder / "units").glob("*/*")):
        members = json.loads((unit / "outcome.json").read_text())["members"]
        with (unit / "metrics.csv").open() as file:
            for row in csv.DictReader(file):
                number = first[int(unit.parent.name)] + members[int(row["member"])]["candidate"]
                found.append((number, float(row["epoch"]), float(row["validation_accuracy"])))
    return found


def test_the_sweep_of_a_run_is_its_table(folder):
    result, sweep = json.loads((folder / "result.json").read_text()), read_results(folder).sweep
    assert sweep.ranked == tuple(row["member"] for row in result["table"])
    for row in result["table"]:
        assert sweep.settings[row["member"]] == row["settings"]
        assert sweep.scores[row["member"]] == row["score"]
        assert sweep.intervals[row["member"]].tolist() == row["interval"]
    assert (sweep.runs, sweep.metric, len(sweep.populations)) == (3, "accuracy", 6)
    assert sweep.axes == {"loss": "words", "learning_rate": "log", "l2": "log"}
    assert sweep.simplest == result["one_standard_error"]["member"]
    plan = json.loads((folder / "plan.json").read_text())
    assert list(sweep.settings) == plan["round 0"] + plan["round 1"]
    assert [population.round for population in sweep.populations] == [0, 0, 0, 1, 1, 1]
    assert {int(m) for population in sweep.populations[3:] for m in population.members} == {4, 5, 6}


def test_a_line_is_the_mean_of_the_rows_of_its_runs(folder):
    data, rows = select("sweep_curves", read_results(folder)), rows_of(folder)
    assert [line.member for line in data.lines][::-1] == list(read_results(folder).sweep.ranked)
    for line in data.lines:
        assert line.times.tolist() == [1, 2, 3]
        wanted = [np.mean([100 * y for k, at, y in rows if k == line.member and at == epoch]) for epoch in (1, 2, 3)]
        np.testing.assert_allclose(line.scores, wanted, rtol=1e-12)
        assert line.shade == read_results(folder).sweep.settings[line.member]["learning_rate"]


def test_the_budget_is_every_epoch_of_every_member(folder):
    results, rows = read_results(folder), rows_of(folder)
    data = select("sweep_budget", results)
    assert data.paths[-1].spent[-1] == len(rows) == 7 * 3 * 3
    assert data.paths[0].spent.tolist() == [4, 8, 12]
    # A round's settings are known when its last fold is: after 36 and 63 epochs.
    assert data.spent.tolist() == [36, 63]
    scores = 100 * results.sweep.scores
    assert data.best.tolist() == pytest.approx([scores[:4].max(), scores.max()])
    first = [100 * y for _, epoch, y in rows[:12] if epoch == 3]
    assert data.paths[0].best[-1] == pytest.approx(max(first))


def test_the_map_puts_every_setting_at_its_logarithms(folder):
    results = read_results(folder)
    data, sweep = select("sweep_map", results), results.sweep
    assert data.names == ("learning_rate", "l2")
    for k, own in enumerate(sweep.settings):
        assert data.rulers[0].places[k] == pytest.approx(math.log10(own["learning_rate"]))
        zero = data.rulers[1].places[k] < data.rulers[1].gap
        assert zero == (own["l2"] == 0)
        (panel,) = [panel for panel in data.panels if k in panel.members]
        assert panel.words == own["loss"]
    np.testing.assert_allclose(data.scores, 100 * sweep.scores)
    assert (data.best, data.simplest) == (sweep.ranked[0], sweep.simplest)
    assert data.panels[0].members[-1] == sweep.ranked[0]


def test_the_page_of_a_search_says_what_its_result_says(folder):
    result, text = json.loads((folder / "result.json").read_text()), text_of((folder / "report.html").read_text())
    low, high = (f"{100 * end:.2f}" for end in result["validation"]["interval"])
    told = f"{100 * result['validation']['score']:.2f} % (95 % interval {low} to {high})"
    assert f"Chosen by validation accuracy among 7 settings: {told} there" in text
    assert f"linear {result['best']['settings']['loss']} classifies {100 * result['test']['accuracy']:.2f} % of" in text
    assert "7 settings, drawn by sobol, asked for in 2 rounds. 21 runs in 6 populations, 3 to 4 members each." in text
    for rank, row in enumerate(result["table"], 1):
        low, high = (f"{100 * end:.2f}" for end in row["interval"])
        own = row["settings"]
        values = f"{own['learning_rate']:g} {own['l2']:g} {own['loss']}"
        assert f"{rank} {values} {100 * row['score']:.2f} {low} to {high} {row['member']}" in text
    assert {f"{word}.svg" for word in FIGURES} <= {path.name for path in (folder / "figures").iterdir()}


def test_slices_hold_every_axis_score_and_round(folder):
    results = read_results(folder)
    data = select("sweep_slices", results)
    assert [shown.name for shown in data.slices] == ["learning_rate", "l2", "loss"]
    assert data.rounds.tolist() == [0, 0, 0, 0, 1, 1, 1]
    places = data.slices[2].ruler.places
    assert [data.slices[2].ruler.labels[int(at)] for at in places] == [own["loss"] for own in results.sweep.settings]
    assert sorted(data.shown) == list(range(7))


def test_a_line_ends_where_its_first_run_did_and_says_that_it_was_dropped():
    lines = {line.member: line for line in select("sweep_curves", CASES["plain"]).lines}
    assert lines[2].times.tolist() == [1]
    assert lines[2].scores.tolist() == pytest.approx([25])
    assert lines[2].dropped
    assert not lines[0].dropped
    # It failed in one of its folds after the first validation.
    assert lines[4].scores[0] == pytest.approx(30)
    assert np.isnan(lines[4].scores[1:]).all()
    assert "dropped here by halving" in texts(drawn("sweep_curves", CASES["plain"]))


def test_the_colors_of_the_rates_are_named():
    assert {"0.01", "0.1"} <= set(texts(drawn("sweep_curves", CASES["many"])))
    assert {"0.1", "0.01", "0.001"} <= set(texts(drawn("sweep_curves", CASES["plain"])))


def test_a_setting_that_one_fold_dropped_ends_there():
    sweep = made_sweep()
    first, second = sweep.populations[:2]
    gone = np.array([True, False, True])
    later = first._replace(dropped=gone, validations=np.array([2, 3, 1]))
    lines = {
        line.member: line
        for line in select("sweep_curves", searched(replace(sweep, populations=(later, second)))).lines
    }
    assert lines[0].times.tolist() == [1, 2]
    assert lines[0].scores.tolist() == pytest.approx([15, 25])
    assert lines[0].dropped


def test_who_was_dropped_spends_nothing_more():
    data = select("sweep_budget", CASES["plain"])
    assert [path.spent.tolist() for path in data.paths] == [[3, 5, 7], [10, 12, 14], [17, 20, 22], [25, 28, 31]]
    assert data.paths[0].best.tolist() == pytest.approx([40, 60, 50])
    assert data.spent.tolist() == [14, 31]
    assert data.best.tolist() == pytest.approx([55, 80])
    assert {"round 1", "round 2"} <= set(texts(drawn("sweep_budget", CASES["plain"])))


def test_the_best_and_the_simplest_are_marked_where_they_lie():
    results = CASES["plain"]
    data = select("sweep_map", results)
    panels = [panel for panel in drawn("sweep_map", results).axes if panel.get_title()]
    marks = {
        line.get_marker(): (line.get_xdata()[0], line.get_ydata()[0])
        for panel in panels
        for line in panel.lines
        if line.get_marker() in ("o", "D")
    }
    for mark, member in (("o", 3), ("D", 5)):
        assert marks[mark] == tuple(own.places[member] for own in data.rulers)
    assert not any(line.get_marker() == "D" for line in drawn("sweep_map", CASES["lone"]).axes[0].lines)


def test_a_grid_has_its_numbers_on_the_map():
    rates, penalties = (0.01, 0.1), (0.0, 0.1)
    settings = tuple({"learning_rate": rate, "l2": l2} for rate in rates for l2 in penalties)
    scores = np.array([0.5, 0.6, 0.7, NAN])
    axes = {"learning_rate": "log", "l2": "linear"}
    grid = Sweep("accuracy", axes, settings, scores, np.full((4, 2), NAN), 1, (2, 1, 0, 3), 2, ())
    assert {"50.00", "60.00", "70.00", "failed"} <= set(texts(drawn("sweep_map", searched(grid))))
    assert "50.00" not in texts(drawn("sweep_map", CASES["many"]))


def test_a_search_without_two_axes_of_numbers_has_no_map_and_one_without_a_sweep_no_figure():
    sweep = made_sweep()
    assert select("sweep_map", searched(replace(sweep, axes={"loss": "words", "l2": "log"}))) is None
    failed = replace(sweep, scores=np.full(6, NAN))
    for word in FIGURES:
        assert select(word, searched(None)) is None
        assert (select(word, searched(failed)) is None) == (word != "sweep_curves")
    assert select("sweep_curves", searched(replace(sweep, populations=()))) is None
    assert select("sweep_budget", searched(replace(sweep, populations=()))) is None


@pytest.mark.parametrize("case", ["hostile", "many", "lone", "same everywhere"])
@pytest.mark.parametrize("word", FIGURES)
def test_every_figure_is_a_well_formed_page_without_warnings_and_fits_a_report(word, case):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svg = drawn_as_svg(word, CASES[case])
    assert len(svg.encode()) < CAP
    tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(svg).iter()}
    assert not tags & {"script", "b", "foreignObject"}


@pytest.mark.parametrize("word", FIGURES)
def test_the_same_sweep_gives_the_same_bytes(word):
    assert len({drawn_as_svg(word, CASES["plain"]) for _ in range(2)}) == 1


@pytest.mark.parametrize("case", ["hostile", "lone"])
def test_everything_stays_inside_and_its_text_is_pure_grey(case):
    for word in FIGURES:
        figure = drawn(word, CASES[case])
        width, height = figure.bbox.size
        box = figure.get_tightbbox().transformed(figure.dpi_scale_trans)
        assert min(box.x0, box.y0) > -2, word
        assert box.x1 < width + 2, word
        assert box.y1 < height + 2, word
        for text in figure.findobj(matplotlib.text.Text):
            red, green, blue = matplotlib.colors.to_rgb(text.get_color())
            assert red == green == blue, (word, text.get_text())


def test_drawing_leaves_the_sweep_as_it_was():
    results = CASES["plain"]
    for word in FIGURES:
        find("figures", word).draw(select(word, results))
    np.testing.assert_equal(vars(results.sweep), vars(made_sweep()))


@pytest.mark.parametrize(
    ("option", "scale"),
    [
        (("l2", "0,1e-4:1:log"), "log"),
        (("momentum", "0:0.95"), "linear"),
        (("batch_size", "32,64"), "linear"),
        (("learning_rate", "0.001,0.1"), "log"),
        (("l2", "0,0.5"), "linear"),
        (("hidden", "16,32-16"), "words"),
        (("loss", "softmax,hinge"), "words"),
        (("seed", "1,2,3"), "words"),
        (("nesterov", [True, False]), "words"),
    ],
)
def test_an_axis_is_shown_on_the_scale_that_it_was_asked_on(option, scale):
    name, pieces = option
    axis = parse_axis(name, pieces)
    row = {"member": 0, "settings": {}, "score": 0.5, "interval": None}
    result = {"table": [row], "metric": "accuracy", "runs_each": 1, "one_standard_error": {"member": 0}}
    words = pieces if isinstance(pieces, str) else "true,false"
    found = swept(result_of(result), [f"{axis.name}={words}"], [1], []) if name != "nesterov" else None
    assert found is None or found.axes == {name: scale}


def test_a_unit_is_read_by_its_places_and_steps():
    curves = {
        "step": np.array([5, 5, 10, 15]),
        "epoch": np.array([0.5, 0.5, 1.0, 1.5]),
        "member": np.array([0, 1, 1, 1]),
        "validation_accuracy": np.array([0.2, 0.3, 0.4, NAN]),
    }
    rows = [{"member": k, "settings": {"l2": 0.1 * k}, "score": None, "interval": None} for k in range(4)]
    result = {"table": rows, "metric": "accuracy", "runs_each": 1, "one_standard_error": {"member": 0}}
    unit = Unit(1, [UnitMember(1, dropped=True), UnitMember(0)], curves)
    (found,) = swept(result_of(result), ["l2=0.1:0.4"], [2, 2], [unit]).populations
    assert found.members.tolist() == [3, 2]
    assert found.dropped.tolist() == [True, False]
    assert found.epochs.tolist() == [0.5, 1.0, 1.5]
    assert found.validations.tolist() == [1, 3]
    np.testing.assert_array_equal(found.scores, [[0.2, NAN, NAN], [0.3, 0.4, NAN]])


def test_a_ruler_keeps_zero_apart_and_names_few_values_themselves():
    drawn_ = ruler([0.0, 1e-4, 1.0], "log")
    assert drawn_.labels == ["0", "0.0001", "1"]
    assert drawn_.places[0] < drawn_.gap < drawn_.places[1] == -4
    assert math.isnan(ruler([1e-4, 1.0], "log").gap)
    assert ruler([32, 64], "linear").labels == ["32", "64"]
    words = ruler([[64, 32], "b", None, True], "words")
    assert words.labels == sorted(words.labels)
    assert [words.labels[int(at)] for at in words.places] == ["64-32", "b", "–", "yes"]
    assert np.isnan(ruler([None, 0.5], "linear").places[0])
    crowded = ruler(np.geomspace(1e-6, 1e3, 40).tolist(), "log")
    assert len(crowded.ticks) <= 6
    assert setting(1e-05) == "1e-5"


def test_curves_of_an_axis_of_words_have_names_and_no_color_bar():
    sweep = made_sweep()
    worded = replace(sweep, axes={"loss": "words", "l2": "log"})
    data = select("sweep_curves", searched(worded))
    assert (data.words, data.of, data.rated) == (("hinge", "softmax"), "loss", "")
    shades = {line.member: data.words[int(line.shade)] for line in data.lines}
    assert shades == {line.member: sweep.settings[line.member]["loss"] for line in data.lines}
    figure = find("figures", "sweep_curves").draw(data)
    assert len(figure.axes) == 1
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()][:3] == ["hinge", "softmax", "the best: hinge"]
    rated = select("sweep_curves", searched(sweep))
    assert (rated.words, rated.rated) == ((), "log")
    assert len(find("figures", "sweep_curves").draw(rated).axes) == 2
    many = tuple(settings | {"loss": f"word {k}"} for k, settings in enumerate(sweep.settings + sweep.settings[:1]))
    more = replace(worded, settings=many[:6])
    assert select("sweep_curves", searched(more)).words == tuple(f"word {k}" for k in range(6))


def test_curves_of_a_search_count_iterations_where_its_recipe_does():
    data = select("sweep_curves", replace(searched(made_sweep()), time="iteration"))
    assert {line.member: line for line in data.lines}[0].times.tolist() == [10, 20, 30]
    assert find("figures", "sweep_curves").draw(data).axes[0].get_xlabel() == "iteration"
