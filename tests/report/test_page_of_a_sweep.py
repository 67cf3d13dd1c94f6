"""The page of a search: its ranked table, its choice, where to widen, and nothing of it on the page of another run."""

import re
from dataclasses import replace

import numpy as np
import pytest

from tenfold.report.case import Case
from tenfold.report.pages import run_page
from tenfold.report.pictures import album
from tenfold.report.search import MOST, OPEN, search
from tenfold.report.versus import versus_page
from tests.report.figures.test_sweeps import HOSTILE, made_sweep
from tests.report.test_page import Tags, made_case, made_dataset, made_page, made_results, text_of

VARY = ("loss=softmax,hinge", "learning_rate=1e-4:0.1:log", "l2=0,1e-3:1e-1:log")


def swept_case(sweep=None, vary=VARY, **recipe) -> Case:
    """A run like those of test_report with one model, and a sweep before it."""
    dataset, sweep = made_dataset(("cat", "dog")), sweep or made_sweep()
    results = replace(made_results(dataset, ("final",)), sweep=sweep)
    best = sweep.ranked[0]
    results = replace(results, settings={"final": (sweep.settings[best],)}, winners={"final": 0})
    told = ["6 settings × 2 folds: 12 runs in 4 populations, 3 members each."]
    score = {"score": float(sweep.scores[best]), "interval": sweep.intervals[best].tolist()}
    case = made_case(dataset, results, validation=score, populations=told, warnings=["widen it"])
    return case._replace(recipe=case.recipe | {"vary": vary, "model": "linear", "sampler": "sobol", **recipe})


def page_of(case):
    return run_page(case, album(made_dataset(("cat", "dog")), True))


def many(count):
    """A sweep of that many settings, the first the best."""
    own = made_sweep()
    scores = np.linspace(0.9, 0.1, count)
    settings = tuple({"loss": "hinge", "learning_rate": 0.001 + k * 1e-6, "l2": 0.0} for k in range(count))
    intervals = np.stack([scores - 0.01, scores + 0.01], 1)
    return replace(
        own,
        settings=settings,
        scores=scores,
        intervals=intervals,
        ranked=tuple(range(count)),
        simplest=0,
        populations=(),
    )


def test_the_choice_the_simplest_and_their_scores_are_told():
    text = text_of(page_of(swept_case()))
    assert "linear hinge classifies" in text
    best = "loss hinge, learning rate 0.0001, l2 0"
    simplest = "loss hinge, learning rate 1e-6, l2 0.1"
    assert f"Best {best} : 80.00 % (95 % interval 75.00 to 85.00) on validation images" in text
    assert f"within one standard error of the best: {simplest} : 70.00 % (95 % interval 65.00 to 75.00)" in text
    assert "Chosen by validation accuracy among 6 settings: 80.00 %" in text
    assert "trained again from its start for 5 epochs, on all images but the test images" in text
    assert "It was tested once, after that." in text
    assert "No temperature was fitted" in text
    assert "fitted on validation images" not in text
    assert "Every setting tried" not in text
    same = replace(made_sweep(), simplest=3)
    assert "The best is also the setting with the largest l2" in text_of(page_of(swept_case(same)))


def test_the_axes_say_where_to_search_further():
    found = {option.name: option for option in search(swept_case()).options}
    assert found["learning rate"].edge == "at the low end"
    assert found["learning rate"].widen == "--learning-rate 1e-05:0.1:log"
    assert (found["l2"].widen, found["l2"].edge) == ("", "inside")
    assert (found["loss"].widen, found["loss"].edge) == ("", "")
    assert found["l2"].searched == "0.0, 0.001:0.1:log"
    text = text_of(page_of(swept_case()))
    assert "at the low end: --learning-rate 1e-05:0.1:log" in text
    assert "widen it" in text


def test_halving_failures_and_populations_are_sentences():
    told = " ".join(search(swept_case()).sentences)
    assert "6 settings, drawn by sobol." in told
    assert "12 runs in 4 populations, 3 members each." in told
    # 7, 7, 8 and 9 epochs × members of 9 each, and one member that failed after two.
    assert "of 3 members 2 went on after epoch 1. That took 86 % of the updates" in told
    assert "1 setting failed" in told
    rounds = swept_case(rounds=2)
    twice = rounds._replace(result=replace(rounds.result, populations=("3 settings.",) * 2))
    assert "12 runs in 4 populations, 3 members each." in " ".join(search(twice).sentences)


def test_twenty_rows_are_open_the_rest_is_folded_and_what_is_left_out_counted():
    page = page_of(swept_case(many(MOST + 7)))
    section = re.search(r'<section id="search".*?</section>', page, re.S)[0]
    folded = re.search(r"<details>.*?</details>", section, re.S)[0]
    assert folded.count("<tr") == 1 + MOST - OPEN
    assert section.count("<tr") == folded.count("<tr") + 1 + OPEN + 1 + 3
    assert "and 7 more settings" in text_of(folded)
    assert "<details" not in re.search(r'<section id="search".*?</section>', page_of(swept_case()), re.S)[0]


def test_a_single_run_has_no_interval_and_macro_f1_is_no_percentage():
    alone = replace(made_sweep(metric="macro_f1"), runs=1, intervals=np.full((6, 2), np.nan))
    text = text_of(page_of(swept_case(alone)))
    assert "Chosen by validation macro f1 among 6 settings: 0.800 there, one run." in text.replace("F1", "f1")
    assert "One standard error" not in text
    several = text_of(page_of(swept_case(made_sweep(metric="macro_f1"))))
    assert "0.800 (95 % interval 0.750 to 0.850)" in several
    assert "0.800 0.750 to 0.850 3" in several


def test_hostile_words_are_text():
    words = (HOSTILE[1], '"><img src=x>', HOSTILE[3], HOSTILE[5])
    page = page_of(swept_case(made_sweep(words), vary=VARY[1:]))
    tame = page_of(swept_case(made_sweep(("a", "b", "c", "d")), vary=VARY[1:]))
    counts = [len([tag for tag, _ in Tags(shown).tags if tag in ("script", "img")]) for shown in (page, tame)]
    assert counts[0] == counts[1]
    assert "alert(1)" in text_of(page)
    assert "\u202e" not in page
    assert "\ud800" not in page


def test_a_run_that_is_no_sweep_has_no_section_of_it():
    page = made_page()
    assert 'id="search"' not in page
    assert 'id="settings"' in page
    assert search(made_case()) is None


def test_the_links_of_the_contents_have_their_sections():
    page = page_of(swept_case())
    wanted = re.findall(r'<li><a href="#([^"]+)"', page)
    assert "search" in wanted
    for name in wanted:
        assert f'id="{name}"' in page


def test_beside_other_runs_a_sweep_tells_its_settings_and_validation_score():
    text = text_of(versus_page([swept_case(), made_case(made_dataset(("cat", "dog")))], [("one", "two")], False))
    assert "6 settings, a sweep" in text
    assert "80.00 70.00" in text


def test_the_figures_are_told_in_words():
    case = swept_case()
    alts = [attributes.get("alt") for tag, attributes in Tags(page_of(case)).tags if tag == "img"]
    told = [alt for alt in alts if alt and "loss hinge, learning rate 0.0001, l2 0, 80.00 %" in alt]
    assert len(told) == 4


@pytest.mark.parametrize("figure", ["sweep_map", "sweep_slices", "sweep_curves", "sweep_budget"])
def test_a_figure_that_cannot_be_drawn_is_left_out(figure):
    case = swept_case()
    bare = case._replace(results=replace(case.results, sweep=replace(case.results.sweep, axes={}, populations=())))
    without = {word: svg for word, svg in case.figures.items() if word != figure}
    assert f'aria-label="{figure.replace("_", " ")}, figure"' not in page_of(bare._replace(figures=without))
