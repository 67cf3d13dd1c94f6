"""The report in a real browser: quiet, offline, reachable by mouse, keyboard and link, in both themes and widths."""

import numpy as np
import pytest

from tenfold.report.document import VENDOR
from tenfold.report.pages import run_page
from tenfold.report.pictures import album
from tenfold.report.selection import cells
from tests.browsing import in_browser, opener
from tests.report.test_page import HOSTILE, made_case, made_dataset, made_results

pytestmark = in_browser
charts = pytest.mark.skipif(
    not (VENDOR / "uplot.js").exists(), reason="uPlot was not bundled (npm, see hatch_build.py)"
)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    hostile = run_page(made_case(figures={}), album(made_dataset(), True))
    (folder / "hostile.html").write_text(hostile, encoding="utf-8")
    ten = made_dataset([f"class {k}" for k in range(10)], each=30)
    (folder / "ten.html").write_text(run_page(made_case(ten, made_results(ten)), album(ten, True)), encoding="utf-8")
    return folder


@pytest.fixture
def show(browser, files):
    with opener(browser, files) as opened:
        yield opened


def positions(page):
    """Positions of the images in the open dialog, by their descriptions."""
    alts = page.eval_on_selector_all("#behind-images img", "images => images.map(image => image.alt)")
    return [int(alt.split()[1].rstrip(",")) for alt in alts]


def expected(true, taken, dataset=None):
    results = made_results(dataset or made_dataset([f"class {k}" for k in range(10)], each=30))
    cell = next(cell for cell in cells(results) if (cell.true, cell.predicted) == (true, taken))
    return cell.rows[:24].tolist()


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
@pytest.mark.parametrize("name", ["ten", "hostile"])
def test_a_page_is_quiet_fits_its_window_and_has_its_theme(show, name, width, theme):
    page = show(name, width=width, theme=theme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    color = page.evaluate("getComputedStyle(document.body).backgroundColor")
    levels = [int(part) for part in color[4:-1].split(",")[:3]]
    assert max(levels) < 60 if theme == "dark" else min(levels) > 200
    assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")


def test_a_cell_opens_its_images_by_click_and_escape_closes(show):
    page = show("ten")
    page.click("#cell-3-4")
    assert page.is_visible("#behind")
    assert page.inner_text("#behind-title") == "class 3 taken for class 4"
    assert positions(page) == expected(3, 4)
    assert page.evaluate("location.hash") == "#cell-3-4"
    shown = page.eval_on_selector("#behind-images img", "image => image.complete && image.naturalWidth")
    assert shown == 12
    page.keyboard.press("Escape")
    assert not page.is_visible("#behind")
    assert page.evaluate("document.activeElement.id") == "cell-3-4"
    page.wait_for_function("location.hash === ''")


def test_a_picture_in_the_dialog_is_the_image_of_that_position(show):
    dataset = made_dataset([f"class {k}" for k in range(10)], each=30)
    page = show("ten", "#cell-5-5")
    sources = page.eval_on_selector_all("#behind-images img", "images => images.map(image => image.src)")
    assert sources == [album(dataset, True).picture(position).uri for position in expected(5, 5)]


def test_the_keyboard_reaches_every_cell(show):
    page = show("ten")
    page.focus("#cell-3-3")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") == "cell-3-4"
    page.keyboard.press("Enter")
    assert positions(page) == expected(3, 4)
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.id") == "cell-4-4"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#matrix')") is None


def test_a_link_to_a_cell_opens_it(show):
    page = show("hostile", "#cell-0-1")
    assert page.is_visible("#behind")
    assert page.inner_text("#behind-title") == f"{HOSTILE[0]} taken for {HOSTILE[1]}"
    assert positions(page) == expected(0, 1, made_dataset())
    page.click("#behind .close")
    assert not page.is_visible("#behind")
    page.evaluate("location.hash = '#cell-1-1'")
    page.wait_for_selector("#behind[open]")
    assert not show("hostile", "#cell-99-99").is_visible("#behind")


@charts
@pytest.mark.parametrize("width", [1280, 390])
def test_hovering_a_chart_shows_its_values(show, width):
    page = show("ten", width=width)
    before = page.inner_text("#value-1-accuracy-validation")
    area = page.locator("#charts .u-over").nth(2)
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    page.mouse.move(box["x"] + 3, box["y"] + 40)
    page.wait_for_function("document.querySelector('#readout-epoch').textContent === 'At epoch 1'")
    results = made_results(made_dataset([f"class {k}" for k in range(10)], each=30))
    own = (results.curves["rung"] == "mlp-256") & (results.curves["member"] == 1)
    value = 100 * results.curves["validation_accuracy"][own][0]
    np.testing.assert_allclose(float(page.inner_text("#value-1-accuracy-validation")), value, atol=0.02)
    page.mouse.move(5, 5)
    page.wait_for_function("document.querySelector('#readout-epoch').textContent !== 'At epoch 1'")
    assert page.inner_text("#value-1-accuracy-validation") == before


@charts
def test_arrow_keys_walk_along_a_chart(show):
    page = show("ten")
    page.focus("#charts .chart [tabindex]")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('#readout-epoch').textContent === 'At epoch 2'")


def test_without_scripts_the_numbers_and_the_still_figure_are_there(show):
    page = show("ten", scripts=False)
    assert page.is_visible("#matrix")
    assert page.is_visible('[aria-label="learning curves, figure"]')
    assert not page.is_visible(".copy")


def test_it_prints_light_with_the_still_figure(show, tmp_path):
    page = show("ten", theme="dark")
    path = tmp_path / "page.pdf"
    page.pdf(path=str(path), format="A4", print_background=True)
    assert path.read_bytes().startswith(b"%PDF")
    page.emulate_media(media="print")
    assert page.is_visible('[aria-label="learning curves, figure"]')
    assert not page.is_visible("nav")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
