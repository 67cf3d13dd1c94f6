"""Every reported number is on the page, in the Markdown and on the terminal, and nothing of a hostile name gets out."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from tenfold.cli.tables.reproduce import print_dry_run, print_explanation, print_list, print_reproduction
from tenfold.files import as_json
from tenfold.reproduce.judge import judge
from tenfold.reproduce.page import _lines, reproduction_page
from tenfold.reproduce.phrases import cell_rows, kind
from tenfold.reproduce.records import (
    CellResult,
    ChoiceResult,
    ClaimResult,
    Explanation,
    ExtraTable,
    ListedTable,
    PopulationCost,
    Rehearsal,
    Reproduction,
    RunTest,
    TableRunResult,
    WayResult,
    finite,
)
from tenfold.reproduce.summary import summary_markdown
from tenfold.reproduce.table import Measure
from tenfold.runs.result import Failure
from tests.report.test_page import HOSTILE, SVG, Tags, text_of

FIELDS = ("standardize", "train_part")


def made_cell(run, reported, measured, *, metric="accuracy", part="test", epoch="last", unit="", n=None, **given):
    """A cell as the runner writes it, its verdict judged. measured: one number a seed, None where it failed."""
    up = metric not in ("loss", "cost")
    digits = len(reported.partition(".")[2])
    value = float(reported) / (100 if unit else 1)
    half = 0.0 if reported == "NaN" else 0.5 * 10.0**-digits / (100 if unit else 1)
    verdict = judge(value, half, "0.5 points", [np.nan if x is None else x for x in measured], n, up)
    cell = CellResult(
        id=Measure(run=run, metric=metric, part=part, epoch=epoch).id,
        run=run,
        label=run.replace("-", " "),
        metric=metric,
        part=part,
        epoch=epoch,
        reported=reported,
        unit=unit,
        measured=tuple(measured),
        mean=finite(verdict.mean),
        interval=verdict.interval,
        prediction=verdict.prediction,
        gap=finite(verdict.gap),
        verdict=verdict.word,
        note="",
        rests_on=FIELDS,
        tolerance="0.5 points",
        tolerance_by="default rule",
        allowed=finite(half + 0.005 + 0 * value),
    )
    return replace(cell, **given)


def near(center, seeds=5, spread=0.002, start=0):
    return [float(x) for x in np.round(np.random.default_rng(start).normal(center, spread, seeds), 6)]


def made_softmax():
    """Four settings with sixteen numbers, one of which no reading of the protocol gives."""
    rows = {
        "eta-0.1": ((26.72, 0.301), (29.77, 0.298), (39.48, 0.396), (43.31, 0.352)),
        "eta-0.001": ((30.0, 0.3), (30.72, 0.305), (45.17, 0.45), (45.59, 0.392)),
        "lambda-0.1": ((30.07, 0.3), (30.76, 0.304), (44.87, 0.447), (44.72, 0.397)),
        "lambda-1": ((30.3, 0.303), (31.01, 0.306), (40.0, 0.398), (38.99, 0.422)),
    }
    places = (("train", 1.0), ("test", 1.0), ("train", 40.0), ("test", 40.0))
    cells = [
        made_cell(run, f"{reported}", near(center, start=k), part=part, epoch=epoch, unit="%")
        for run, row in rows.items()
        for k, ((reported, center), (part, epoch)) in enumerate(zip(row, places, strict=True))
    ]
    cells[7] = replace(cells[7], verdict="protocol cannot be what was stated", note="above what others reach")
    ways = (
        WayResult("all 50,000 training images", "which images train", True, 0.4172, -0.0387, False),
        WayResult("test on the validation batch", "which images test", False, 0.3911, -0.0648, False),
        WayResult("test on training images", "which images test", True, 0.4533, -0.0026, True),
    )
    pair = WayResult("all 50,000 training images + flips", "", True, 0.4201, -0.0358, False)
    runs = {run: TableRunResult(f"setting {run}", False, {"learning_rate": 0.001}, (None,) * 5, 80.0) for run in rows}
    return Reproduction(
        name="softmax",
        title="Softmax regression on CIFAR-10",
        report="R1",
        about="Four settings of a linear softmax classifier, 40 epochs in batches of 100.",
        reference="about 41 % with linear softmax on raw pixels.",
        scale="full",
        seeds=5,
        data="cifar10 (20,000 of 60,000 images)",
        seconds=412.5,
        tolerance="0.5 points",
        choices=(
            ChoiceResult("standardize", "per_dimension", "the course's default; the report says nothing"),
            ChoiceResult("train_part", "10000-10000", "batch 1 trains, batch 2 validates"),
        ),
        runs=runs | {"best": TableRunResult("tuned by us", True, {"l2": 0.02}, (None,), 9.0)},
        cells=tuple(cells),
        ours=(RunTest("best", "tuned by us", "accuracy", "test", 0.4011, (0.399, 0.4032)),),
        added=(RunTest("best", "tuned by us, too", "accuracy", "test", 0.3911, None),),
        claims=(
            ClaimResult("λ = 0.1 is better than λ = 1", -0.025, (-0.028, -0.022), 1e-5, "refuted",
                        "-2.50 points (-2.80 to -2.20, p < 0.0001)"),
            ClaimResult("the small learning rate is better", 0.04, (0.03, 0.05), 0.001, "confirmed",
                        "+4.00 points (95 % interval 3.00 to 5.00, 5 seeds)"),
            ClaimResult("no difference from regularization", None, None, None, "undecided (one seed)", ""),
        ),
        explained={
            cells[7].id: Explanation(
                cause="a digest",
                reported="45.59",
                unit="%",
                base=0.392,
                sentence="45.59 % is reached only where the training images are tested, which it rules out.",
                verdict="protocol cannot be what was stated",
                ways=ways,
                pairs=(pair,),
            )
        },
        tables=(
            ExtraTable("Relative error of the gradients", ("tensor", "reported", "measured"),
                       (("W", 1.09e-15, 8.7e-16), ("b", 9.78e-17, None))),
        ),
        figures=("figures/learning_curves.svg",),
    )  # fmt: skip


def made_activations():
    """Reported NaN, a run that diverges in some seeds, losses and shares without a unit."""
    cells = [
        made_cell("zero-relu", "2.3009", near(2.3009, 3, 1e-4), metric="loss", part="train"),
        made_cell("zero-relu", "0.11", near(0.1135, 3, 1e-4), n=1000),
        made_cell("random-relu", "0.895", near(0.893, 3, 0.004), n=1000),
        made_cell("random-tanh", "0.484", near(0.31, 3, 0.01), metric="loss", part="validation"),
        made_cell("normal-relu", "NaN", [None] * 3, metric="loss", part="train"),
        made_cell("normal-leaky_relu", "NaN", [None, None, 2.31], metric="loss", part="train"),
        made_cell("normal-tanh", "0.332", [None] * 3),
    ]
    runs = {
        cell.run: TableRunResult("", False, {}, tuple(
            None if x is not None else Failure(4 + k, "linear 0", "weight gradient")
            for k, x in enumerate(cell.measured)), 20.0)
        for cell in cells
    }  # fmt: skip
    return replace(
        made_softmax(),
        name="activations",
        title="Activations and initializations on MNIST",
        report="R8",
        seeds=3,
        data="mnist",
        cells=tuple(cells),
        runs=runs,
        claims=(),
        explained={},
        ours=(),
        added=(),
        tables=(),
        reference="",
    )


def made_results():
    """Both, which JSON can hold."""
    results = [made_softmax(), made_activations()]
    json.dumps(as_json(results), allow_nan=False)
    return results


# The page


def page_of(results, figures=None):
    return reproduction_page(results, figures or {})


def sections(page):
    """Text of the summary, and of the section of each table."""
    return [text_of(part) for part in re.split(r'(?=<section id="table-)', page)]


def row_of(cell):
    """A cell as it is told to readers, its numbers computed here."""
    scale, digits, unit = (100, 2, " %") if cell.unit else (1, 4, "")
    told = [cell.reported + unit * (cell.reported != "NaN")]
    if cell.mean is None:
        return [*told, "diverged", "–", cell.verdict]
    half = cell.interval and (cell.interval[1] - cell.interval[0]) / 2
    told.append(f"{scale * cell.mean:.{digits}f}" + (f" ± {scale * half:.{digits}f}" if half else "") + unit)
    return [*told, "–" if cell.gap is None else f"{scale * cell.gap:+.{digits}f}", cell.verdict]


def test_every_reported_number_is_in_the_summary_and_in_its_section():
    results = made_results()
    summary, *own = sections(page_of(results))
    assert len(own) == len(results)
    for result, section in zip(results, own, strict=True):
        assert section.startswith(f"{result.report} · {result.name} {result.title}")
        for cell in result.cells:
            told = [cell.label, *row_of(cell)]
            pattern = r"[^%]*?".join(
                re.escape(word.replace("-", "−") if k in (2, 3) else word) for k, word in enumerate(told)
            )
            assert re.search(pattern, summary), told
            assert re.search(pattern.replace("[^%]*?", ".{0,90}?"), section), told


def test_the_verdicts_are_counted_and_told_by_shape_and_word():
    page = page_of(made_results())
    assert "15 of 23 reported numbers are reproduced" in text_of(page)
    assert "15 reproduced the difference is" in text_of(page)
    assert "11 reproduced 2 better 2 not reproduced 1 protocol cannot be what was stated" in text_of(page)
    shapes = {}
    for style, word in re.findall(r'<span class="judged (\w+)">.*?<span>(?:\d+ )?([^<(]+)', page, re.S):
        shapes.setdefault(style, set()).add(word.strip())
    marks = dict(re.findall(r'<svg class="mark (\w+)".*?aria-hidden="true">(.*?)</svg>', page, re.S))
    assert shapes["misses"] == {"not reproduced", "refuted"}
    assert shapes["holds"] == {"reproduced", "confirmed", "yes"}
    assert len(set(marks.values())) == len(marks) == 6


def test_choices_claims_failures_ways_own_and_extra_tables_are_told():
    _, softmax, activations = sections(page_of(made_results()))
    for told in (
        "All of them rest on choices 1 , 2 of ours",
        "1 standardize per_dimension the course's default",
        "refuted λ = 0.1 is better than λ = 1 -2.50 points",
        "eta 0.001 , test accuracy, epoch 40: reported 45.59 %, measured 39.16 ± 0.41 %",
        "test on training images which images test says otherwise 45.33 −0.26 yes",
        "all 50,000 training images + flips says otherwise 42.01 −3.58 no",
        "tuned by us test accuracy 40.11 ± 0.21 % 45.59 % (eta 0.001)",
        "W 1.09e-15 8.7e-16 b 9.78e-17 –",
        "best ours tuned by us l2 0.02",
        "· above what others reach eta-0.001/test@40",
    ):
        assert told in softmax, told
    assert "normal-leaky_relu 2 of 3 seeds, step 4 to 5 (linear 0, weight gradient)" in activations
    assert "2.3100 1 of 3 seeds, the others diverged" in activations
    assert "Claims of the report" not in activations
    assert "Best by validation" not in activations


def test_cells_that_rest_on_different_choices_say_so_each():
    result = made_results()[0]
    first, *others = result.cells
    result = replace(result, cells=(replace(first, rests_on=("train_part",)), *others))
    page = page_of([result])
    assert "training accuracy, epoch 1 · rests on choice 2" in text_of(page)
    assert "All of them rest on" not in text_of(page)
    links = set(re.findall(r'href="#([\w-]+)"', page))
    assert "table-1-choice-2" in links
    assert links <= set(re.findall(r'id="([\w-]+)"', page))


def test_the_strip_shows_where_the_gap_lies():
    lines = _lines(made_results()[0])
    gaps = {line.cell.id: (line.at, line.reach) for line in lines}
    at, (low, high) = gaps["eta-0.1/test@40"]
    assert at == pytest.approx(50 - 50 / 1.15)  # the largest gap of all
    assert low < at < high < 50
    assert [line.at > 50 for line in lines] == [line.cell.gap.startswith("+") for line in lines]
    for line in lines:
        if kind(line.cell.verdict) == "not reproduced":
            assert not line.reach[0] <= 50 <= line.reach[1]


def test_figures_are_inside_and_only_those_of_the_table():
    page = page_of(made_results(), {"activations": {"learning_curves": SVG}, "another": {"templates": SVG}})
    images = [tag for tag, _ in Tags(page).tags if tag == "img"]
    assert len(images) == 1
    assert "Learning curves of Activations" in page


def test_a_single_table_has_no_second_list_of_its_numbers():
    page = page_of(made_results()[1:])
    assert text_of(page).count("zero relu training loss") == 1
    assert "Activations and initializations on MNIST, measured again" in page


# Names from outside


def hostile():
    """Everything that a file may put into a result, in the way of whoever shows it."""
    result = made_results()[0]
    names = iter(HOSTILE * 9)
    texts = {key: next(names) for key in ("title", "report", "about", "reference", "data")}
    cells = tuple(replace(cell, label=next(names), note=next(names)) for cell in result.cells)
    choices = (replace(result.choices[0], value=next(names), why=next(names)), *result.choices[1:])
    claims = (replace(result.claims[0], text=next(names), evidence=next(names)), *result.claims[1:])
    tables = (ExtraTable(next(names), (next(names),) * 3, ((next(names),) * 3,)),)
    runs = {name: replace(result.runs["best"], about=name) for name in HOSTILE}
    runs[HOSTILE[1]] = replace(runs[HOSTILE[1]], failed=(Failure(1, HOSTILE[0], HOSTILE[3]),))
    explanation = result.explained["eta-0.001/test@40"]
    first, *others = explanation.ways
    ways = (replace(first, label=HOSTILE[0], question=HOSTILE[2]), *others)
    return replace(
        result,
        **texts,
        cells=cells,
        choices=choices,
        claims=claims,
        tables=tables,
        runs=runs,
        ours=(replace(result.ours[0], about=HOSTILE[0]),),
        explained={"eta-0.001/test@40": replace(explanation, sentence=HOSTILE[1], ways=ways)},
    )


def test_hostile_text_is_text_on_the_page():
    tame = page_of(made_results()[:1], {"softmax": {"learning_curves": SVG}})
    page = page_of([hostile()], {"softmax": {"learning_curves": SVG, HOSTILE[0]: "<svg onload=alert(1)>"}})
    for tag in ("script", "img", "style", "title"):
        assert [name for name, _ in Tags(page).tags].count(tag) == [name for name, _ in Tags(tame).tags].count(tag)
    assert "alert(1)" in text_of(page)
    assert not {"onerror", "onload", "style"} & {name for _, own in Tags(page).tags for name in own}
    for letter in ("\u202e", "\ud800", "\x1b"):
        assert letter not in page
    addresses = [
        value for _, own in Tags(page).tags for name, value in own.items() if name in ("src", "href", "srcset")
    ]
    assert all(value.startswith(("#", "data:")) for value in addresses)


def test_hostile_text_is_text_in_markdown():
    result = replace(hostile(), about="1. <b>x</b> [a](http://b) | $c$ @d", reference="- # no\nlist")
    told = summary_markdown([result], "| <script>")
    bare = re.sub(r"\\[^\w\s]", "", told)
    assert not re.search(r"[<>\[\]$@~]", bare)
    widths = [len(re.findall(r"(?<!\\)\|", line)) for line in told.splitlines() if line.startswith("|")]
    assert widths.count(8) == len(result.cells) + 2 + 3  # those of the counts have as many columns
    assert "1\\. \\<b\\>x" in told
    assert not re.search(r"^(-|\d+\.) ", told, re.MULTILINE)


def test_hostile_text_cannot_steer_a_terminal(capsys):
    print_reproduction(hostile())
    print_list([ListedTable(HOSTILE[0], HOSTILE[4], HOSTILE[6], 1, 1.0)])
    told = capsys.readouterr().out
    assert "alert(1)" in told
    assert not set(told) & {"\x1b", "\u202e", "\x00", "\ud800"}


# Markdown and the terminal


def room_of(cell):
    """How far the mean of a cell may lie off, as it is shown: half a point and half of the last digit."""
    if cell.reported == "NaN":
        return "–"
    percent = cell.unit == "%"
    room = (100 if percent else 1) * 0.005 + 0.5 * 10.0 ** -len(cell.reported.partition(".")[2])
    return f"±{room:.4g}{' points' * percent}, default rule"


def test_the_markdown_has_every_number_and_the_same_bytes():
    results = made_results()
    told = summary_markdown(results, "2 cores")
    assert told == summary_markdown(made_results(), "2 cores")
    assert "Generated by `tenfold reproduce --all`: full scale, 3 to 5 seeds, 2 cores." in told
    rows = [[column.strip() for column in line.strip("|").split(" | ")] for line in told.splitlines()]
    for result in results:
        for cell in result.cells:
            label = cell.label.replace("_", "\\_")
            runs = " (1 of 3 seeds)" if cell.measured.count(None) == 2 else ""
            reported, measured, gap, verdict = row_of(cell)
            found = [row for row in rows if row[0].startswith(label) and row[1:] == [
                reported, measured + runs, gap, room_of(cell), verdict, "1, 2"]]  # fmt: skip
            assert len(found) == 1, (cell.id, measured)
        for claim in result.claims:
            assert f"| {claim.text} | {claim.verdict} |" in told
    assert "| which images test: test on training images | 45.33 | -0.26 | yes | says otherwise |" in told
    assert "| softmax: Softmax regression on CIFAR-10 | R1 | 16 | 11 | – | 2 | 2 | 1 |" in told
    assert not re.search(r"(?<![\w.])/\w", told)


def test_the_terminal_has_every_number_within_100_columns(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    for result in made_results():
        print_reproduction(result)
        lines = capsys.readouterr().out.splitlines()
        assert not [line for line in lines if "±" in line and len(line) > 100]
        for cell in result.cells:
            reported, measured, gap, verdict = row_of(cell)
            few = " (1 of 3)" if cell.measured.count(None) == 2 else ""
            room = room_of(cell).removeprefix("±").removesuffix(" points, default rule").removesuffix(", default rule")
            shown = [cell.id, *reported.split(), *f"{measured.removesuffix(' %')}{few}".split(), gap, room]
            assert [*shown, *verdict.split()] in [line.split() for line in lines], shown
    print_reproduction(made_results()[0])
    told = capsys.readouterr().out
    assert "refuted: λ = 0.1 is better than λ = 1; -2.50 points" in told
    assert "found       11 reproduced, 2 better, 2 not reproduced, 1 protocol" in told
    assert "which images test: test on training images" in told


def test_an_explanation_is_told_in_the_unit_of_the_report(capsys):
    explanation = made_results()[0].explained["eta-0.001/test@40"]
    print_explanation(explanation)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == explanation.sentence
    assert "which images train: all 50,000 training 41.72 -3.87 no says otherwise" in lines
    print_explanation(replace(explanation, unit="", ways=(replace(explanation.ways[0], measured=None, gap=None),)))
    told = " ".join(capsys.readouterr().out.split())
    assert "– – no says otherwise" in told
    assert "0.4201 -0.0358 no" in told


def test_a_dry_run_says_what_trains_together_and_how_long(capsys):
    population = PopulationCost(("eta-0.1", "eta-0.001"), 2, 30.0, 5)
    print_dry_run([Rehearsal("softmax", "Softmax", "full", (population,), 150.0)])
    lines = capsys.readouterr().out.splitlines()
    assert "eta-0.1, eta-0.001 2 5 2.5" in [" ".join(line.split()) for line in lines]
    assert lines[-1] == "about 2.5 minutes"


def test_the_list_says_what_each_table_costs(capsys):
    row = ListedTable("softmax", "Softmax regression", "R1", 4, 6.87)
    print_list([row, replace(row, name="hinge", minutes=None)])
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["softmax", "R1", "4", "6.9", "Softmax", "regression"] in lines
    assert ["hinge", "R1", "4", "–", "Softmax", "regression"] in lines


def test_numbers_that_nothing_else_tells_apart_show_their_ids():
    alike = [made_cell("deep", "0.5", [0.5], metric="macro_f1", id=f"deep/test/macro_f1/{k}") for k in (2, 3)]
    check = made_cell("check", "1.09e-15", [1e-15], metric="weight_disagreement")
    told = [cell.where for cell in cell_rows(replace(made_softmax(), cells=(*alike, check)))]
    assert told == [
        "test macro F1 (deep/test/macro_f1/2)",
        "test macro F1 (deep/test/macro_f1/3)",
        "gradient check, weight",
    ]


def test_numbers_have_the_digits_that_the_report_has():
    cell = made_cell("tiny", "1.09e-15", [2e-15, 3e-15])
    assert cell_rows(replace(made_softmax(), cells=(cell,)))[0].measured.startswith("2.50e-15 ±")
    fine = made_cell("fine", "0.373224", [0.3732243])
    assert cell_rows(replace(made_softmax(), cells=(fine,)))[0].measured == "0.373224"
    huge = made_cell("huge", "2.3", [1e30], metric="loss")
    assert cell_rows(replace(made_softmax(), cells=(huge,)))[0].measured == "1.00e+30"
    zero = made_cell("zero", "45.59", [0.455899999], unit="%")
    assert cell_rows(replace(made_softmax(), cells=(zero,)))[0].gap == "+0.00"


def test_tolerances_reasons_fitted_choices_and_causes_are_told_everywhere(capsys):
    result = made_softmax()
    choices = (replace(result.choices[0], fitted=True), result.choices[1])
    chosen = replace(result.cells[0], tolerance_by="choice of the table", tolerance_why="the images are few")
    caused = replace(result.cells[3], cause="not explained; of 28 ways the nearest gives 41.18 %")
    cells = (chosen, result.cells[1], result.cells[2], caused, *result.cells[4:])
    result = replace(result, cells=cells, choices=choices)
    print_reproduction(result)
    shown = [sections(page_of([result]))[1], summary_markdown([result]).replace("\\", ""), capsys.readouterr().out]
    for text in shown:
        assert "the images are few" in text
        assert "fitted to the reported numbers: the course's default" in text
        assert "not explained; of 28 ways the nearest gives 41.18 %" in " ".join(text.split())
    for text in shown[:2]:
        assert "±0.505 points, default rule" in text
        assert "Tolerance chosen by the table for 1 number: the images are few." in text
    assert as_json(result)["cells"][0]["tolerance_by"] == "choice of the table"


def test_an_interval_that_is_cut_off_shows_both_ends():
    cut = made_cell("wild", "0.3", [0.9, 0.95, 0.5])
    row = cell_rows(replace(made_softmax(), cells=(cut,), seeds=3))[0]
    assert row.measured == f"0.7833 ({cut.interval[0]:.4f} to 1.0000)"
    assert row.prediction == "0.0000 to 1.0000"
