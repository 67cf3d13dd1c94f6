"""What the figures of confidence and of settings select, and that they draw it whatever the numbers are."""

import re
import warnings
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import matplotlib
import numpy as np
import pytest

from tenfold.report import svg
from tenfold.report.results import Results
from tenfold.report.svg import house_style
from tenfold.rooms import find
from tenfold.trained import calibrate

FIGURES = ("abstention", "reliability", "settings_map")
SETTINGS = tuple({"loss": "softmax", "learning_rate": rate, "l2": l2} for rate in (0.1, 0.003) for l2 in (0.0, 1e-4))
HOSTILE = ("$x$", "<script>alert(1)</script>", "n" * 300, "\u202egnp", "a\x00\x1b[31mb", "\ud800", "")


def curves(accuracies):
    """Columns of metrics.csv; accuracies: rung -> member -> validation accuracy of each epoch from 1."""
    rows = [
        (rung, epoch, member, value)
        for rung, members in accuracies.items()
        for member, values in enumerate(members)
        for epoch, value in enumerate(values, 1)
    ]
    rung, epoch, member, value = zip(*rows, strict=True) if rows else ((), (), (), ())
    numbers = {"epoch": np.array(epoch, float), "validation_accuracy": np.array(value, float)}
    return {"rung": np.array(rung, str), "member": np.array(member, int), **numbers}


def made(rungs=("linear", "mlp"), classes=("cat", "dog", "owl"), n=200, seed=0, settings=SETTINGS):
    """Rungs of four settings: 0.5 and a little for every member and epoch; each image right as often as it is sure."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, len(classes), n)
    confidence = {rung: np.round(rng.uniform(1 / len(classes), 1, n), 6) for rung in rungs}
    right = {rung: rng.random(n) < confidence[rung] for rung in rungs}
    accuracies = {
        rung: [[0.5 + 0.01 * m + 0.001 * e for e in range(1, 5)] for m in range(len(settings))] for rung in rungs
    }
    return Results(
        name="made",
        class_names=tuple(classes),
        curves=curves(accuracies),
        settings=dict.fromkeys(rungs, settings),
        winners=dict.fromkeys(rungs, len(settings) - 1),
        best=rungs[-1],
        part="test",
        positions=np.arange(n),
        labels=labels,
        predicted={rung: np.where(right[rung], labels, (labels + 1) % len(classes)) for rung in rungs},
        confidence=confidence,
        uncalibrated={rung: confidence[rung] ** 0.25 for rung in rungs},
        templates={},
    )


def select(word, results):
    return find("figures", word).select(results)


def drawn(word, results):
    with house_style():
        figure = find("figures", word).draw(select(word, results))
        figure.draw_without_rendering()
    return figure


def texts(figure):
    return [text.get_text() for text in figure.findobj(matplotlib.text.Text)]


def broken():
    """Nothing is finite in the best rung's winner, and some of its confidences."""
    results = made()
    accuracy = results.curves["validation_accuracy"].copy()
    of_winner = (results.curves["rung"] == "mlp") & (results.curves["member"] == 3)
    accuracy[of_winner] = [np.nan, np.inf, -np.inf, np.nan]
    results.confidence["mlp"][:50] = np.nan
    results.confidence["linear"][:] = np.nan
    return replace(results, curves=results.curves | {"validation_accuracy": accuracy})


CASES = {
    "plain": made(),
    "hostile": replace(made(("$r^$", "_<b>\x07" + "r" * 99), HOSTILE), name="$^$<b>" + "n" * 99),
    "one rung": made(rungs=("linear",)),
    "nine rungs": made(tuple(f"rung {index}" for index in range(9)), [f"class {index}" for index in range(41)]),
    "one image": made(n=1),
    "validation": replace(made(), part="validation"),
    "broken": broken(),
}


@pytest.mark.parametrize("case", CASES)
def test_every_figure_is_a_well_formed_page_without_warnings(case):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pages = [svg.drawn(word, CASES[case]) for word in FIGURES]
    for page in pages:
        tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(page).iter()}
        assert "svg" in tags
        assert not tags & {"script", "b", "foreignObject"}


@pytest.mark.parametrize("word", FIGURES)
def test_the_same_results_give_the_same_bytes(word):
    assert len({svg.drawn(word, CASES["hostile"]) for _ in range(2)}) == 1


@pytest.mark.parametrize("word", FIGURES)
@pytest.mark.parametrize("case", CASES)
def test_everything_stays_inside_the_figure(case, word):
    figure = drawn(word, CASES[case])
    width, height = figure.bbox.size
    box = figure.get_tightbbox().transformed(figure.dpi_scale_trans)
    assert box.x0 > -2
    assert box.y0 > -2
    assert box.x1 < width + 2
    assert box.y1 < height + 2


@pytest.mark.parametrize("word", FIGURES)
def test_the_results_stay_as_they_were(word):
    results = made()
    drawn(word, results)
    np.testing.assert_equal(vars(results), vars(made()))


def test_nothing_to_show_is_none():
    none = np.zeros(0)
    whole = made()
    bare = replace(whole, labels=none.astype(int), predicted={}, confidence={}, uncalibrated={}, curves={}, settings={})
    without = replace(whole, confidence={"mlp": np.full(200, np.nan)}, uncalibrated={})
    alone = replace(whole, settings=dict.fromkeys(whole.settings, SETTINGS[:1]), winners={"linear": 0, "mlp": 0})
    for word in FIGURES:
        assert select(word, bare) is None
    assert select("reliability", without) is None
    assert select("abstention", without) is None
    assert select("settings_map", alone) is None
    assert select("settings_map", replace(whole, settings={})) is None


def test_reliability_is_that_of_the_best_rung_with_and_without_its_temperature():
    results = made()
    data = select("reliability", results)
    right = results.predicted["mlp"] == results.labels
    assert (data.rung, data.part, data.n) == ("mlp", "test", 200)
    assert data.error == calibrate.calibration_error(results.confidence["mlp"], right)
    assert data.uncalibrated_error == calibrate.calibration_error(results.uncalibrated["mlp"], right)
    np.testing.assert_equal(data.bins, calibrate.reliability(results.confidence["mlp"], right))
    assert data.error < data.uncalibrated_error
    shown = "\n".join(texts(drawn("reliability", results)))
    assert f"calibration error {100 * data.error:.2f} % with its temperature" in shown
    assert "n = 200 test images" in shown


def test_the_bars_of_reliability_are_the_accuracies_of_the_bins():
    results = made()
    data = select("reliability", results)
    bars = drawn("reliability", results).axes[0].patches
    full = data.bins.images > 0
    assert [bar.get_height() for bar in bars] == pytest.approx(100 * data.bins.accuracy[full])
    assert [bar.get_x() for bar in bars] == pytest.approx(100 * data.bins.edges[:-1][full])


def test_images_without_a_confidence_are_not_counted():
    assert select("reliability", CASES["broken"]).n == 150


def test_reliability_on_validation_images_says_what_they_were_used_for():
    shown = "\n".join(texts(drawn("reliability", CASES["validation"])))
    assert "200 validation images" in shown
    assert "fitted on these very images" in shown
    assert "fitted" not in "".join(texts(drawn("reliability", made())))


def test_abstention_is_the_curve_of_every_rung():
    results = made()
    data = select("abstention", results)
    assert [line.rung for line in data.lines] == ["linear", "mlp"]
    assert data.chance == pytest.approx(100 / 3)
    for line in data.lines:
        right = results.predicted[line.rung] == results.labels
        curve = calibrate.abstention(results.confidence[line.rung], right)
        np.testing.assert_allclose(line.share, 100 * curve.share)
        np.testing.assert_allclose(line.accuracy, 100 * curve.accuracy)
        assert line.overall == pytest.approx(100 * right.mean())
        order = np.argsort(-results.confidence[line.rung])
        assert line.surest == pytest.approx(100 * right[order[:160]].mean())
    told = f"mlp, best rung: {data.lines[1].surest:.2f} % of the surest 80 %, {data.lines[1].overall:.2f} % of all"
    assert told in texts(drawn("abstention", results))


def test_a_long_curve_is_thinned_to_its_ends_and_points_between():
    results = made(n=5000)
    (line, _) = select("abstention", results).lines
    right = results.predicted["linear"] == results.labels
    whole = calibrate.abstention(results.confidence["linear"], right)
    assert line.share.size == 400
    assert (line.share[0], line.share[-1]) == (100 * whole.share[0], 100.0)
    places = np.searchsorted(100 * whole.share, line.share)
    np.testing.assert_allclose(line.accuracy, 100 * whole.accuracy[places])


def test_a_rung_without_confidences_is_left_out():
    assert [line.rung for line in select("abstention", CASES["broken"]).lines] == ["mlp"]


def test_the_map_holds_the_best_accuracy_of_each_setting_in_the_order_of_its_axes():
    shown = select("settings_map", made()).maps[0]
    assert shown.rates == (0.003, 0.1)
    assert shown.penalties == (0.0, 1e-4)
    # Members in the order of SETTINGS: (0.1, 0), (0.1, 1e-4), (0.003, 0), (0.003, 1e-4).
    wanted = {(0, 1): 50.4, (1, 1): 51.4, (0, 0): 52.4, (1, 0): 53.4}
    assert {place: cell.accuracy for place, cell in shown.cells.items()} == pytest.approx(wanted)
    assert shown.winner == (1, 0)
    assert shown.others == ()
    assert not any(cell.failed or cell.ended for cell in shown.cells.values())


def test_the_map_marks_who_failed_and_who_ended_early():
    nan = np.nan
    rows = {"mlp": [[0.1, 0.2, 0.3, 0.4], [0.5, 0.3], [0.6, nan], [nan]]}
    results = replace(made(("mlp",)), curves=curves(rows), winners={"mlp": 1})
    cells = select("settings_map", results).maps[0].cells
    assert cells[(0, 1)] == (pytest.approx(40), 0.0, False)
    assert cells[(1, 1)] == (pytest.approx(50), 2.0, False)
    assert cells[(0, 0)] == (pytest.approx(60), 2.0, True)
    assert cells[(1, 0)][1:] == (1.0, True)
    assert np.isnan(cells[(1, 0)].accuracy)
    shown = texts(drawn("settings_map", results))
    assert {"40.00", "50.00\n2 ep.", "60.00\nfailed", "failed"} <= set(shown)
    assert any("ep.: last epoch" in text and "failed: " in text for text in shown)


def test_the_map_takes_the_best_over_other_settings_and_says_so():
    settings = tuple(
        {"loss": "softmax", "learning_rate": rate, "l2": 0.0, "momentum": momentum}
        for rate in (0.1, 0.2)
        for momentum in (0.0, 0.9)
    )
    rows = {"mlp": [[0.3], [0.2], [np.nan], [0.7]]}
    results = replace(made(("mlp",), settings=settings), curves=curves(rows), winners={"mlp": 3})
    (shown,) = select("settings_map", results).maps
    assert shown.others == ("momentum",)
    assert {place: cell.accuracy for place, cell in shown.cells.items()} == pytest.approx({(0, 0): 30.0, (0, 1): 70.0})
    assert not shown.cells[(0, 1)].failed
    assert any("best over momentum" in text for text in texts(drawn("settings_map", results)))


def test_only_rungs_with_more_than_one_cell_have_a_map():
    results = made()
    mixed = replace(results, settings={"linear": SETTINGS[:1], "mlp": SETTINGS}, winners={"linear": 0, "mlp": 3})
    data = select("settings_map", mixed)
    assert [shown.rung for shown in data.maps] == ["mlp"]
    assert data.members == 4


def test_a_setting_that_was_never_evaluated_is_an_empty_cell():
    results = replace(made(("mlp",)), curves=curves({"mlp": [[0.3], [0.4]]}), winners={"mlp": 1})
    cells = select("settings_map", results).maps[0].cells
    assert np.isnan(cells[(0, 0)].accuracy)
    assert not cells[(0, 0)].failed
    assert "–" in texts(drawn("settings_map", results))


def test_a_crowded_map_has_colors_and_no_numbers():
    settings = tuple({"learning_rate": 0.1 * k, "l2": l2} for k in range(1, 21) for l2 in (0.0, 0.1))
    results = made(("mlp",), settings=settings)
    panel = drawn("settings_map", results).axes[0]
    assert not panel.texts
    assert len(panel.patches) == 41
    assert len(panel.get_xticks()) <= 14


@pytest.mark.parametrize("word", FIGURES)
def test_what_is_written_on_colors_is_no_pure_grey_and_what_is_not_is(word, tmp_path):
    """A dark report inverts pure greys: text on a colored cell must stay as it is."""
    figure = drawn(word, made())
    on_cells = [text for panel in figure.axes for text in panel.texts] if word == "settings_map" else []
    for text in on_cells:
        red, green, blue = matplotlib.colors.to_rgb(text.get_color())
        assert not red == green == blue
    assert bool(on_cells) == (word == "settings_map")
    others = [t for t in figure.findobj(matplotlib.text.Text) if t not in on_cells and t.get_text()]
    for text in others:
        red, green, blue = matplotlib.colors.to_rgb(text.get_color())
        assert red == green == blue


def test_names_can_be_searched_in_the_file():
    for word in FIGURES:
        page = svg.drawn(word, made(("$r$", "$r$ too")))
        assert re.search(r">[^<]*\$r\$ too", page), word
