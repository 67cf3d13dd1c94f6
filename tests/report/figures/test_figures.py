"""Laws over every figure, and what each of them selects."""

import hashlib
import re
import subprocess
import sys
import warnings
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from itertools import cycle

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from tenfold.errors import FileError
from tenfold.report import svg
from tenfold.report.figures import rung_colors, signed_colors
from tenfold.report.results import Explanations, FirstLayer, Results
from tenfold.report.svg import draw_all, house_style
from tenfold.rooms import find, names
from tenfold.text import short
from tests.report.figures.test_sweeps import made_sweep

FIGURES = names("figures")
HOSTILE = (
    "$x$",
    "$\\frac{$",
    "<script>alert(1)</script>",
    "n" * 300,
    "😀",
    "שלום",
    "\u202egnp",
    "a\x00\x1b[31mb",
    "\ud800",
    "",
)
COLUMNS = [f"{part}_{name}" for part in ("train", "validation") for name in ("loss", "cost", "accuracy")]
COLUMNS += ["linear_probe", "active", "effective_rank", "alignment", "uniformity"]


def made(class_names=("cat", "dog", "owl"), rungs=("linear", "mlp"), channels=3):
    """Rungs of three members over four epochs; a value tells where it stands: 0.1·rung + 0.01·member + 0.001·epoch."""
    rows = [(r, m, e) for r in range(len(rungs)) for m in range(3) for e in range(1, 5)]
    rung, member, epoch = np.array(rows).T
    values = 0.1 * rung + 0.01 * member + 0.001 * epoch
    curves = {"rung": np.array(rungs)[rung], "step": 10 * epoch, "epoch": epoch.astype(float), "member": member}
    classes = len(class_names)
    labels = np.arange(4 * classes) % classes
    wrong = np.where(np.arange(labels.size) < classes, (labels + 1) % classes, labels)
    weights = np.random.default_rng(0).normal(size=(classes, channels, 5, 4)).astype(np.float32)
    generator = np.random.default_rng(1)
    layers = {
        name: FirstLayer(
            generator.normal(size=(5 + 60 * k, channels, 3, 3)).astype(np.float32), 96, np.linspace(9, 0, 5 * (1 - k))
        )
        for k, name in enumerate(rungs[:2])
    }
    maps = generator.normal(size=(2, classes, 5, 4)).astype(np.float32)[:, :8]
    pixels = generator.integers(0, 256, (classes, 5, 4, 3), dtype=np.uint8)[:8]
    shown = tuple(class_names[:8])
    tried = tuple({"loss": "softmax", "learning_rate": rate, "l2": 0.0} for rate in (0.1, 0.01, 0.03))
    return Results(
        name="made",
        class_names=tuple(class_names),
        curves=curves | {name: values + index for index, name in enumerate(COLUMNS)},
        settings=dict.fromkeys(rungs, tried),
        winners={name: min(index + 1, 2) for index, name in enumerate(rungs)},
        best=rungs[-1],
        part="test",
        positions=np.arange(labels.size),
        labels=labels,
        predicted={name: wrong if index else labels for index, name in enumerate(rungs)},
        confidence=dict.fromkeys(rungs, np.linspace(0.4, 0.99, labels.size)),
        uncalibrated=dict.fromkeys(rungs, np.linspace(0.3, 0.95, labels.size)),
        templates={rungs[0]: weights},
        sweep=made_sweep(),
        reconstructions={name: np.abs(np.stack((weights, weights + 0.5)))[:, :12] for name in rungs},
        encoder_loss={
            name: 0.02 + 0.1 / np.outer(range(1, 5), (index + 1, index + 2)) for index, name in enumerate(rungs)
        },
        filters=layers,
        explanations=Explanations(
            True, pixels if channels == 3 else pixels[..., 0], *maps, shown, shown[::-1], (0.5,) * len(shown)
        ),
    )


def empty():
    none = np.zeros(0, dtype=np.int64)
    return Results("made", ("cat", "dog"), {}, {}, {}, "linear", "test", none, none, {}, {}, {}, {})


def broken():
    """Every number of the second rung's winner is missing, infinite or huge."""
    results = made()
    curves = {name: column.copy() for name, column in results.curves.items()}
    failed = (curves["rung"] == "mlp") & (curves["member"] == 2)
    for name, value in zip(COLUMNS, cycle((np.nan, np.inf, np.nan, -np.inf, 1e300, np.nan)), strict=False):
        curves[name][failed] = value
    templates = {"linear": np.full((3, 1, 5, 4), np.nan, np.float32), "mlp": np.full((3, 3, 5, 4), np.inf, np.float32)}
    pictures = {
        "linear": np.full((2, 3, 1, 5, 4), np.nan, np.float32),
        "mlp": np.full((2, 1, 3, 5, 4), np.inf, np.float32),
    }
    losses = {"linear": np.array([[1.0, 1e-9], [np.nan, np.inf], [1e300, 2.0]]), "mlp": np.full((2, 2), np.nan)}
    layers = {
        "linear": FirstLayer(np.full((3, 3, 2, 2), np.nan, np.float32), 3, np.zeros(3)),
        "mlp": FirstLayer(np.full((2, 1, 2, 2), np.inf, np.float32), 2, np.zeros(0)),
    }
    maps = {"plain": np.full((3, 5, 4), np.nan, np.float32), "smoothed": np.full((3, 5, 4), np.inf, np.float32)}
    explained = results.explanations._replace(confidence=(np.nan,) * 3, **maps)
    return replace(
        results,
        curves=curves,
        templates=templates,
        reconstructions=pictures,
        encoder_loss=losses,
        filters=layers,
        explanations=explained,
    )


def runs(count=9):
    """As many runs of one member; the last diverges, the one before it from its first epoch."""
    results = made(rungs=tuple(f"$run$ {index}" for index in range(count)))
    rows = results.curves["member"] == 0
    curves = {name: column[rows].copy() for name, column in results.curves.items()}
    last, before = (curves["rung"] == f"$run$ {count - k}" for k in (1, 2))
    for part in ("train", "validation"):
        curves[f"{part}_loss"][last & (curves["epoch"] > 2)] = np.nan
        curves[f"{part}_loss"][before] = np.inf
    losses = {run: np.array([[10.0, 20.0, 30.0, 50.0], [1.0, 3.0, 2.0, 9.0]]) for run in results.winners}
    alone = dict.fromkeys(results.winners, 0)
    return replace(results, curves=curves, winners=alone, losses=losses, apart=True)


CASES = {
    "plain": made(),
    "runs": runs(),
    "grey": made(channels=1),
    "hostile": replace(made(HOSTILE, ("$r^$", "_<b>\x07" + "r" * 99)), name="$^$<b>" + "n" * 99),
    "one rung": made(rungs=("linear",)),
    "many": made([f"class {index}" for index in range(41)], tuple(f"rung {index}" for index in range(9)), channels=1),
    "broken": broken(),
}


# What is drawn of runs of one member each, and of nothing else.
ALONE = ("run_curves", "run_losses")


def digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def select(word, results):
    return find("figures", word).select(results)


# Together they have every kind of content; the others would draw the same twice over.
TWICE = ("plain", "runs", "hostile")


@pytest.mark.parametrize("case", CASES)
def test_every_figure_is_the_same_bytes_twice_and_well_formed(case, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figures = draw_all(CASES[case], tmp_path / "once").figures
    assert list(figures) == [word for word in FIGURES if case == "runs" or word not in ALONE]
    if case in TWICE:
        draw_all(CASES[case], tmp_path / "twice")
        assert digests(tmp_path / "once") == digests(tmp_path / "twice")
    for word, svg_text in figures.items():
        assert (tmp_path / "once" / f"{word}.svg").read_text(encoding="utf-8") == svg_text
        tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(svg_text).iter()}
        assert "svg" in tags
        assert not tags & {"script", "b", "foreignObject"}


def test_figures_that_there_is_no_time_for_are_named_and_drawn_later(tmp_path):
    figures, undrawn = draw_all(CASES["plain"], tmp_path / "late", seconds=-1)
    assert figures == {}
    assert undrawn
    later = draw_all(CASES["plain"], tmp_path / "late", have=undrawn[:1])
    assert tuple(later.figures) == undrawn[1:]
    assert later.undrawn == draw_all(empty(), tmp_path / "none", seconds=-1).undrawn == ()


def test_no_setting_of_matplotlib_is_touched_or_used(tmp_path):
    draw_all(CASES["plain"], tmp_path / "before")
    with matplotlib.rc_context({"font.size": 31, "axes.facecolor": "red", "text.usetex": True, "svg.fonttype": "path"}):
        settings = dict(matplotlib.rcParams)
        draw_all(CASES["plain"], tmp_path / "after")
        assert dict(matplotlib.rcParams) == settings
    assert digests(tmp_path / "before") == digests(tmp_path / "after")


@pytest.mark.parametrize("word", FIGURES)
def test_drawing_changes_neither_settings_nor_results(word):
    make = runs if word in ALONE else made
    results, settings = make(), dict(matplotlib.rcParams)
    figure = find("figures", word).draw(select(word, results))
    assert isinstance(figure, Figure)
    assert dict(matplotlib.rcParams) == settings
    np.testing.assert_equal(vars(results.sweep), vars(made().sweep))
    np.testing.assert_equal(vars(replace(results, sweep=None)), vars(replace(make(), sweep=None)))


def test_drawing_needs_no_pyplot():
    program = (
        "import sys, tenfold.report.svg as d, tenfold.rooms as r; [r.find('figures', w) for w in r.names('figures')]"
    )
    check = f"{program}; assert d; assert 'matplotlib.pyplot' not in sys.modules"
    subprocess.run([sys.executable, "-c", check], check=True)


@pytest.mark.parametrize("word", FIGURES)
def test_nothing_to_show_is_none(word, tmp_path):
    assert select(word, empty()) is None
    assert draw_all(empty(), tmp_path) == ({}, ())
    assert list(tmp_path.iterdir()) == []


def test_hostile_names_are_text_and_stay_inside_the_figure():
    for word in FIGURES:
        with house_style():
            figure = find("figures", word).draw(select(word, CASES["runs" if word in ALONE else "hostile"]))
            figure.draw_without_rendering()
            width, height = figure.bbox.size
            box = figure.get_tightbbox().transformed(figure.dpi_scale_trans)
        assert box.x0 > -2, word
        assert box.y0 > -2, word
        assert box.x1 < width + 2, word
        assert box.y1 < height + 2, word


def test_class_names_can_be_searched_in_the_file(tmp_path):
    draw_all(made(("$x$", "dog", "owl")), tmp_path)
    for word in ("class_accuracy", "confusion", "templates"):
        assert re.search(r">\$x\$[ <]", (tmp_path / f"{word}.svg").read_text(encoding="utf-8")), word


def test_a_file_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "figures").write_text("a file where the folder should be")
    with pytest.raises(FileError, match="figures"):
        draw_all(made(), tmp_path / "figures")

    def full(path, fill, size):
        raise FileError(f"{path}: disk full")

    monkeypatch.setattr(svg, "write_atomically", full)
    with pytest.raises(FileError, match=r"abstention\.svg"):
        draw_all(made(), tmp_path / "elsewhere")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_learning_curves_select_the_winners():
    data = select("learning_curves", made())
    assert [(line.rung, line.member) for line in data.winners] == [("linear", 1), ("mlp", 2)]
    assert data.others == ()
    assert data.members == 6
    epochs = np.arange(1, 5)
    second = data.winners[1]
    np.testing.assert_array_equal(second.times, epochs)
    np.testing.assert_allclose(second.train[0], 0.12 + 0.001 * epochs)
    np.testing.assert_allclose(second.train[2], 100 * (2.12 + 0.001 * epochs))
    np.testing.assert_allclose(second.validation[1], 4.12 + 0.001 * epochs)


def test_a_single_rung_shows_its_other_members():
    data = select("learning_curves", made(rungs=("linear",)))
    assert [line.member for line in data.others] == [0, 2]


def test_a_member_that_diverges_does_not_set_the_scale():
    results = made(rungs=("linear",))
    results.curves["validation_loss"][results.curves["member"] == 2] = 1e30
    figure = find("figures", "learning_curves").draw(select("learning_curves", results))
    assert figure.axes[0].get_ylim()[1] < 10


def test_class_accuracy_selects_shares_of_each_class():
    results = replace(made(), class_names=("cat", "dog", "owl", "never seen"))
    data = select("class_accuracy", results)
    np.testing.assert_array_equal(data.counts, [4, 4, 4, 0])
    np.testing.assert_array_equal(data.accuracy["linear"], [100, 100, 100, np.nan])
    np.testing.assert_array_equal(data.accuracy["mlp"], [75, 75, 75, np.nan])
    assert data.overall == {"linear": 100.0, "mlp": 75.0}


def test_confusion_selects_true_by_predicted_of_the_best():
    data = select("confusion", made())
    assert data.rung == "mlp"
    np.testing.assert_array_equal(data.counts, [[3, 1, 0], [0, 3, 1], [1, 0, 3]])


def test_confusion_writes_counts_only_where_there_is_room():
    figure = find("figures", "confusion").draw(select("confusion", made()))
    assert sorted(text.get_text() for text in figure.axes[0].texts) == ["1", "1", "1", "3", "3", "3"]
    hundred = made([f"class {index}" for index in range(101)])
    crowded = find("figures", "confusion").draw(select("confusion", hundred))
    assert not crowded.axes[0].texts


def test_colored_templates_fill_the_range_of_each_class():
    (row,) = select("templates", made()).rows
    assert row.images.shape == (3, 5, 4, 3)
    np.testing.assert_allclose(row.images.min(axis=(1, 2, 3)), 0, atol=1e-6)
    np.testing.assert_allclose(row.images.max(axis=(1, 2, 3)), 1, atol=1e-6)
    weights = made().templates["linear"][1].transpose(1, 2, 0)
    np.testing.assert_allclose(row.images[1], (weights - weights.min()) / np.ptp(weights), atol=1e-6)


def test_grey_templates_are_the_weights_around_zero():
    results = made(channels=1)
    (row,) = select("templates", results).rows
    np.testing.assert_array_equal(row.images, results.templates["linear"][:, 0])
    assert 0 < row.limit <= np.abs(row.images).max()


def test_reconstructions_stand_below_their_images():
    results = made(channels=1)
    images = np.stack([np.full((2, 14, 1, 5, 4), value, np.float32) for value in (0.25, 1.5)])[:, 0]
    data = select("reconstructions", replace(results, reconstructions={"relu": images}))
    (pair,) = data.pairs
    assert pair.images.shape == (2, 10, 5, 4, 3)
    assert pair.error == 1.25**2
    np.testing.assert_array_equal(pair.images[0], np.float32(0.25))
    np.testing.assert_array_equal(pair.images[1], np.float32(1))
    picture = find("figures", "reconstructions").draw(data).axes[0].images[0].get_array()
    assert picture[0, 0].tolist() == [0.25, 0.25, 0.25, 1]
    assert picture[-1, -1].tolist() == [1, 1, 1, 1]
    colored = select("reconstructions", made()).pairs[1]
    wanted = made().reconstructions["mlp"][1, 2].transpose(1, 2, 0).clip(0, 1)
    np.testing.assert_array_equal(colored.images[1, 2], wanted)


def test_filters_fill_their_own_range_about_zero():
    results = made()
    first, second = select("filters", results).blocks
    weights = results.filters["linear"].filters[2].transpose(1, 2, 0)
    np.testing.assert_allclose(first.images[2], 0.5 + 0.5 * weights / np.abs(weights).max(), atol=1e-6)
    assert first.names == ("9", "6.8", "4.5", "2.2", "0")
    assert "5 filters" not in first.said
    assert "first 5 of 96 filters that whiten patches of 3 × 3 pixels, and as many negatives" in first.said
    assert second.names == tuple(map(str, range(1, 66)))
    assert "first 65 of 96 filters of 3 × 3 pixels, trained" in second.said


def test_maps_are_blue_below_zero_red_above_and_summed_over_squares_where_they_are_large():
    red, white, blue = (signed_colors(np.array([[k, 1.0], [1.0, -1.0]]))[0, 0] for k in (1.0, 0.0, -1.0))
    assert red[0] > 2 * red[2]
    assert blue[2] > 1.5 * blue[0]
    assert white[:3].min() > 0.95
    values = np.zeros((130, 100))
    values[3, 4], values[7, 3], values[8, 5], values[90, 90], values[91, 91] = 5.0, -4.0, -1.0, 5.0, -5.0
    colors = signed_colors(values)
    assert colors.shape == (44, 34, 4)
    for place, color in (((1, 1), red), ((2, 1), blue), ((30, 30), white), ((43, 33), white)):
        assert (colors[place] == color).all()
    explained = made().explanations
    data = select("explanations", made())
    np.testing.assert_array_equal(data.pictures[1][2], signed_colors(explained.plain[2]))
    np.testing.assert_array_equal(data.pictures[2][2], signed_colors(explained.smoothed[2]))
    assert data.heads[0] == "cat\nas owl\n50.00 %"
    assert data.heads[1] == "dog\nright\n50.00 %"


def test_many_runs_have_a_panel_each():
    data = select("run_losses", runs(9))
    np.testing.assert_allclose(data.losses["$run$ 2"][0], 0.2 + 0.001 * np.arange(1, 5))
    np.testing.assert_array_equal(data.times["$run$ 2"], [1, 2, 3, 4])
    panels = find("figures", "run_losses").draw(data).axes
    assert [bool(panel.texts) for panel in panels if panel.get_visible()] == [False] * 7 + [True, True]
    assert "first epoch" in panels[7].texts[0].get_text()
    training, validation = panels[2].lines
    np.testing.assert_array_equal(training.get_ydata(), data.losses["$run$ 2"][0])
    np.testing.assert_array_equal(validation.get_ydata(), data.losses["$run$ 2"][1])
    assert select("run_losses", runs(6)) is None
    assert select("run_losses", made(rungs=tuple(map(str, range(9))))) is None


def test_losses_of_encoders_are_drawn_by_epoch_training_and_held_out():
    loss = np.array([[0.04, 0.03], [np.inf, 0.02], [0.02, 1e300]])
    data = select("encoder_loss", replace(made(), encoder_loss={"relu": loss, "none yet": np.zeros((0, 2))}))
    np.testing.assert_array_equal(data.losses["relu"], [[0.04, 0.03], [np.nan, 0.02], [0.02, np.nan]])
    assert list(data.losses) == ["relu"]
    training, held = find("figures", "encoder_loss").draw(data).axes[0].lines
    np.testing.assert_array_equal(training.get_xydata(), [[1, 0.04], [2, np.nan], [3, 0.02]])
    np.testing.assert_array_equal(held.get_ydata(), [0.03, 0.02, np.nan])


def test_names_are_cut_and_made_visible():
    assert [short(name) for name in ("a\nb", "\u202e\x00", "$x$", "\ud800x")] == ["a b", "?", "$x$", "x"]
    assert len(short("n" * 300)) == 24
    assert short("class number 12 of a family") == "class number 12 … family"


@pytest.mark.parametrize("count", [1, 7, 8, 40])
def test_rung_colors_differ(count):
    assert len(set(rung_colors(count))) == count


def test_runs_side_by_side_have_axes_of_their_own_and_pairs_share_a_row():
    results = runs(3)
    first, second, third = results.winners
    results.curves["train_cost"] = results.curves["train_loss"].copy()
    results.curves["validation_cost"] = results.curves["validation_loss"].copy()
    data = select("run_curves", replace(results, pairs=((third, first),)))
    assert data.measures == ("loss", "accuracy")
    assert [tuple(run and run.run for run in row) for row in data.rows] == [(third, first), (second, None)]
    np.testing.assert_allclose(data.rows[0][1].values["accuracy"][1], 100 * (5 + 0.001 * np.arange(1, 5)))
    assert select("run_curves", replace(results, apart=False)) is None
    assert [len(row) for row in select("run_curves", results).rows] == [1, 1, 1]
    assert {len(row) for row in select("run_curves", runs(9)).rows} == {2}
    assert select("run_curves", runs(9)).measures == ("loss", "cost", "accuracy")


def test_a_run_shows_the_losses_of_its_mini_batches_as_long_as_it_trained():
    results = runs(2)
    (first,), _ = select("run_curves", results).rows
    np.testing.assert_allclose(first.losses, [[1, 2, 3], [1, 3, 2]])  # the step 50 is after its last validation
    counted = select("run_curves", replace(results, time="iteration"))
    assert counted.time == "iteration"
    np.testing.assert_array_equal(counted.rows[0][0].losses[0], [10, 20, 30])
    np.testing.assert_array_equal(counted.rows[0][0].times, [10, 20, 30, 40])
    figure = find("figures", "run_curves").draw(counted)
    assert {panel.get_xlabel() for panel in figure.axes} == {"", "iteration"}
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_xydata()[:, 1], [1, 3, 2])
    alone = replace(made(rungs=("linear",)), losses={"linear": np.array([[10.0], [0.5]])})
    np.testing.assert_array_equal(select("learning_curves", alone).losses, [[1], [0.5]])
    assert select("learning_curves", made()).losses.size == 0


def test_an_axis_becomes_a_log_scale_where_one_curve_would_squash_another():
    results = made()
    for part in ("train", "validation"):
        results.curves[f"{part}_loss"] = (
            np.where(results.curves["rung"] == "mlp", 2.0, 6.0) + 0.2 / results.curves["epoch"]
        )
    flat = find("figures", "learning_curves").draw(select("learning_curves", results))
    assert flat.axes[0].get_yscale() == "linear"
    results.curves["train_loss"][results.curves["rung"] == "linear"] *= results.curves["epoch"][:12] / 2
    squashed = find("figures", "learning_curves").draw(select("learning_curves", results))
    assert squashed.axes[0].get_yscale() == "log"
    assert squashed.axes[2].get_yscale() == "linear"


def test_lone_points_at_one_epoch_are_told_apart():
    results = made()
    first = results.curves["epoch"] == 1
    results = replace(results, curves={name: column[first] for name, column in results.curves.items()})
    panel = find("figures", "learning_curves").draw(select("learning_curves", results)).axes[0]
    places = [line.get_xdata().tolist() for line in panel.lines]
    assert places == [[0.75], [0.75], [1.25], [1.25]]
    ring, dot = panel.lines[:2]
    assert ring.get_markerfacecolor() == "none"
    assert ring.get_markersize() > dot.get_markersize()
    losses = {name: np.array([[0.5, 0.4]]) for name in ("relu", "tanh")}
    panel = find("figures", "encoder_loss").draw(select("encoder_loss", replace(results, encoder_loss=losses))).axes[0]
    assert [line.get_xdata().tolist() for line in panel.lines] == [[0.75], [0.75], [1.25], [1.25]]


def test_runs_of_a_table_have_no_best_among_them():
    for word in ("abstention", "class_accuracy", "learning_curves", "templates"):
        assert select(word, made()).best == "mlp"
        figure = find("figures", word).draw(select(word, replace(made(), apart=True)))
        shown = [text.get_text() for text in figure.findobj(Text)]
        assert not [text for text in shown if "best" in text or "chosen" in text], word


def test_class_accuracy_names_classes_alike_in_every_line_and_sets_pairs_side_by_side():
    results = made(rungs=tuple(f"run {k}" for k in range(7)))
    figure = find("figures", "class_accuracy").draw(select("class_accuracy", results))
    sizes = {label.get_fontsize() for panel in figure.axes for label in panel.get_yticklabels() if label.get_text()}
    assert len(sizes) == 1
    data = select("class_accuracy", replace(results, pairs=(("run 3", "run 0"), ("run 1", "gone"))))
    assert data.panels == (("run 3", "run 0"), *[(f"run {k}",) for k in (1, 2, 4, 5, 6)])
    pair = find("figures", "class_accuracy").draw(data).axes[0]
    assert len(pair.patches) == 6
    assert len({patch.get_facecolor() for patch in pair.patches}) == 2


def test_names_of_templates_are_whole():
    results = made(rungs=("softmax-10000-unmirrored",))
    figure = find("figures", "templates").draw(select("templates", replace(results, apart=True)))
    assert figure.axes[0].get_ylabel().replace("\n", "") == "softmax-10000-unmirrored"


def test_embeddings_are_shown_of_the_winner_and_the_others_in_grey():
    data = find("figures", "representation").select(made())
    assert data.members == 3
    assert data.times.tolist() == [1, 2, 3, 4]
    assert np.allclose(data.values["effective_rank"], 8 + np.array([0.121, 0.122, 0.123, 0.124]))
    assert np.allclose(data.of_others["linear_probe"][0], 100 * (np.array([0.101, 0.102, 0.103, 0.104]) + 6))
    assert find("figures", "representation").select(replace(made(), curves={})) is None


def test_a_loss_without_triplets_has_no_panel_of_them():
    curves = made().curves
    none = replace(made(), curves={**curves, "active": np.full(len(curves["active"]), np.nan)})
    plot = find("figures", "representation")
    titles = [axes.get_title("left") for axes in plot.draw(plot.select(none)).axes]
    assert not any("triplets" in title for title in titles)
    assert any("rank" in title for title in titles)
