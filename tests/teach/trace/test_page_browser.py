"""The page of a trace in a real browser: it steps by button, key, slider and address, and draws what is known then."""

import pytest

from tenfold.teach.trace.chapters import RULES
from tenfold.teach.trace.webpage import page as page_text
from tests.browsing import in_browser, opener
from tests.teach.trace.traced import hostile, traced

WALKED = ("judged", "all-rivals")
# Text and marks of every slot, and what is said of the line, after each step.
WALK = """(most) => {
    const seen = [];
    for (let step = 0; step < most; step += 1) {
        const slots = {};
        for (const node of document.querySelectorAll("svg.across [data-slot]"))
            if (node.textContent) slots[node.dataset.slot] = [node.textContent, node.getAttribute("class")];
        seen.push({ slots, hash: location.hash, where: document.getElementById("where").textContent,
                    value: document.querySelector("#shown b.value").textContent,
                    spoken: document.getElementById("spoken").textContent,
                    at: [...document.querySelectorAll("svg.across :is(g.at)")].map((node) => node.dataset.part) });
        if (document.getElementById("next").disabled) break;
        document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
    }
    return seen;
}"""

pytestmark = in_browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    found = tmp_path_factory.mktemp("traces")
    for name in (*WALKED, "wide"):
        (found / f"{name}.html").write_text(page_text(traced(name)), encoding="utf-8")
    (found / "hostile.html").write_text(page_text(hostile()), encoding="utf-8")
    return found


@pytest.fixture
def show(browser, folder):
    with opener(browser, folder) as opened:
        yield opened


def number(text):
    return float(text.split()[-1].replace("−", "-"))


def line_of(page):
    return int(page.inner_text("#where b").split()[1])


@pytest.mark.parametrize("name", WALKED)
def test_every_step_shows_its_line_and_nothing_before_its_time(show, name):
    found = traced(name)
    seen = show(name).evaluate(WALK, len(found.rows) + 1)
    assert len(seen) == len(found.rows)
    for row, step in zip(found.rows, seen, strict=True):
        line = row.line
        assert step["where"].startswith(f"Line {line.number} of {len(seen)} · Update {line.moment.update}")
        assert step["value"] == row.value
        assert step["spoken"].startswith(f"Line {line.number} of {len(seen)}: {line.symbol.text} = ")
        assert step["at"], "no part of the drawing is pointed at"
        marked = [text for text, classes in step["slots"].values() if "at" in classes.split()]
        if line.stage != "loss":
            assert [number(text) for text in marked] == [pytest.approx(number(row.value), rel=0.006)]
        if line.moment.sample and row.stage in ("forward", "loss"):
            assert not [slot for slot in step["slots"] if slot.endswith(" gradient")], "a gradient before the loss"
    assert seen[0]["hash"] == ""
    assert seen[-1]["hash"] == f"#line-{len(seen)}"


def test_buttons_keys_and_slider_go_where_they_say(show):
    page, last = show("judged"), len(traced("judged").rows)
    assert line_of(page) == 1
    assert page.is_disabled("#back")

    def gone_to(fragment, line):
        page.evaluate(f"location.hash = '{fragment}'")
        page.wait_for_function(f"document.querySelector('#slider').value === '{line}'")

    for act, expected in [
        (lambda: page.click("#next"), 2),
        (lambda: page.keyboard.press("ArrowRight"), 3),
        (lambda: page.keyboard.press("ArrowLeft"), 2),
        (lambda: page.keyboard.press("End"), last),
        (lambda: page.keyboard.press("ArrowRight"), last),
        (lambda: page.click("#first"), 1),
        (lambda: page.fill("#slider", "30"), 30),
        (lambda: page.click("#back"), 29),
        (lambda: page.focus("#slider"), 29),
        (lambda: page.keyboard.press("ArrowRight"), 30),
        (lambda: page.keyboard.press("Home"), 1),
        (lambda: page.click('a.brief[href="#line-7"]'), 7),
        (lambda: page.click('#printed a[href="#line-46"]'), 46),
        (lambda: page.keyboard.press("Control+ArrowLeft"), 46),
        (lambda: gone_to("#line-12", 12), 12),
        (lambda: gone_to("#line-9999", last), last),
    ]:
        act()
        assert line_of(page) == expected
        current = page.eval_on_selector_all("[aria-current=true].brief", "links => links.map(link => link.hash)")
        assert current == [f"#line-{expected}"]
        assert page.input_value("#slider") == str(expected)


def test_an_address_opens_its_line_and_an_unknown_one_the_first(show):
    page = show("judged", "#line-46")
    assert line_of(page) == 46
    assert page.evaluate("scrollY") == 0
    told = page.inner_text("#shown")
    assert "printed 0.65" in told
    assert "slip here" in told
    assert "exactly 0.52395888" in told
    assert page.inner_text("#why") == RULES["update"]
    assert line_of(show("judged", "#line-x")) == 1


def test_a_gradient_goes_backward_and_a_new_sample_clears_it(show):
    page = show("judged", "#line-20")
    assert page.is_visible('svg.across [data-part="bias-1-1"].at .back')
    assert page.locator('svg.across [data-slot="node-1-1 gradient"]').text_content() == "∂L/∂z₁ = −1"
    page.keyboard.press("End")
    assert "fresh" in page.get_attribute('svg.across [data-slot="edge-1-1-1 parameter"]', "class")
    page.evaluate("location.hash = '#line-25'")
    page.wait_for_function("document.getElementById('where').textContent.startsWith('Line 25 ')")
    texts = page.eval_on_selector_all("svg.across text.gradient", "nodes => nodes.map(node => node.textContent)")
    assert set(texts) == {""}
    assert page.locator('svg.across [data-slot="node-0-1 value"]').text_content() == "x = 2"
    assert page.locator('svg.across [data-slot="edge-1-1-1 parameter"]').text_content() == "w₁ = 0.51"


@pytest.mark.parametrize(
    ("name", "width", "theme"), [("hostile", 1280, "light"), ("hostile", 390, "dark"), ("wide", 390, "light")]
)
def test_a_page_is_quiet_fits_its_window_and_has_its_theme(show, name, width, theme):
    page = show(name, "#line-30", width=width, theme=theme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    color = page.evaluate("getComputedStyle(document.body).backgroundColor")
    levels = [int(part) for part in color[4:-1].split(",")[:3]]
    assert max(levels) < 60 if theme == "dark" else min(levels) > 200
    assert page.is_visible("svg.down" if width == 390 else "svg.across")
    assert not page.is_visible("svg.across" if width == 390 else "svg.down")


def test_without_scripts_and_on_paper_every_line_is_there_in_full(show):
    found = traced("judged")
    for page in (show("judged", scripts=False), show("judged", "#line-9", theme="dark")):
        page.emulate_media(media="screen" if page.locator("html.scripted").count() == 0 else "print")
        assert not page.is_visible("#desk")
        for number in (1, 46, len(found.rows)):
            item = page.locator("li.line").nth(number - 1)
            assert item.locator(".working").is_visible()
            assert item.locator(".checks").is_visible()
            assert not item.locator(".brief").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
