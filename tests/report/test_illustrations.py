"""Figures of any size have a place on the page: whole, smaller, as one picture, or by name."""

import base64
import io
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tenfold.report import illustrations
from tenfold.report.illustrations import CAP, illustrate, illustration
from tenfold.report.pages import run_page
from tenfold.report.pictures import album
from tenfold.report.svg import drawn
from tests.report.test_page import made_case, made_dataset, made_results

RUNGS = ("linear-softmax", "linear-hinge", "linear-sigmoid")


@pytest.fixture(scope="module")
def large():
    """Three linear rungs on 20 classes of 64 × 64 pixels in color: their templates are 1.5 MB of noise."""
    dataset = made_dataset(names=[f"class {k}" for k in range(20)], side=64)
    noise = np.random.default_rng(0).normal(size=(20, 3, 64, 64)).astype(np.float32)
    return dataset, replace(made_results(dataset, RUNGS), templates=dict.fromkeys(RUNGS, noise))


def content(uri):
    return base64.b64decode(uri.split(",", 1)[1])


def test_templates_above_half_a_megabyte_become_smaller_and_stay_figures(large):
    dataset, results = large
    case = made_case(dataset, results, figures={})
    assert len(drawn("templates", results)) > 2 * CAP
    shown = illustrate("templates", case, "Weights of all.")
    for uri in (shown.light, shown.dark):
        svg = content(uri).decode()
        assert len(svg) <= CAP
        inside = re.findall(r"data:image/webp;base64,([A-Za-z0-9+/=]+)", svg)
        pixels = [math.prod(Image.open(io.BytesIO(base64.b64decode(image))).size) for image in inside]
        assert sum(pixels) > 60 * 60**2
        assert "class 19" in svg
    assert shown.light != shown.dark
    page = run_page(case, album(dataset, True))
    assert 'id="templates"' in page
    assert re.search(r"<img src=\"data:image.svg[^>]* alt=\"Weights of linear-softmax", page)


def test_what_stays_too_large_becomes_one_picture():
    lines = '<svg viewBox="0 0 684 360">' + "<path d='M0 0L1 1'/>" * 40_000 + "</svg>"
    shown = illustrate("learning_curves", made_case(figures={"learning_curves": lines}), "Loss over the epochs.")
    assert (shown.alt, shown.light) == ("Loss over the epochs.", shown.dark)
    image = Image.open(io.BytesIO(content(shown.light)))
    assert max(image.size) <= 1200
    assert len(shown.light) < CAP


def test_what_is_too_large_in_every_form_is_named_with_its_file(large, monkeypatch):
    dataset, results = large
    monkeypatch.setattr(illustrations, "CAP", 10_000)
    shown = illustrate("templates", made_case(dataset, results, figures={}), "Weights of all.")
    assert (shown.light, shown.dark) == ("", "")
    said = r"The figure templates \([\d.]+ [kM]B\) is too large for this page: see figures/templates\.svg\."
    assert re.fullmatch(said, shown.alt)
    assert re.search(said, run_page(made_case(dataset, results, figures={}), album(dataset, True)))


def test_a_figure_of_many_lines_is_named_where_there_is_nothing_to_draw_it_from():
    svg = '<svg viewBox="0 0 90 40">' + "<path d='M0 0L1 1'/>" * 40_000 + "</svg>"
    shown = illustration("errors_by_seed", svg, "")
    assert (shown.light, shown.width) == ("", 90)
    assert shown.alt == "The figure errors by seed (800 kB) is too large for this page: see figures/errors_by_seed.svg."


@pytest.mark.parametrize("inside", ["AAAA", "iVBORw0KGgo=", "=" * 9])
def test_pictures_inside_that_cannot_be_read_stay_as_they_are(inside):
    svg = f'<svg viewBox="0 0 9 9"><image href="data:image/png;base64,{inside}"/>' + "<g/>" * 200_000
    assert illustration("made", svg, "").light == ""
    short = f'<svg viewBox="0 0 9 9"><image href="data:image/png;base64,{inside}"/></svg>'
    assert inside in content(illustration("made", short, "").light).decode()
