"""A real browser for the tests of pages, in which every noise that a page makes is an error."""

import os
import shutil
from contextlib import contextmanager

import pytest

BROWSER = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
FLAGS = ("--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update")

# Milliseconds that an action may take before it fails by itself: as long as a busy machine may need.
PATIENCE = 300_000

in_browser = [
    pytest.mark.skipif(BROWSER is None, reason="needs chromium"),
]


@contextmanager
def launched():
    """The browser itself."""
    sync_api = pytest.importorskip("playwright.sync_api")
    # As root a browser has no sandbox to put itself into.
    flags = [*FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=BROWSER, args=flags, timeout=PATIENCE)
        yield found
        found.close()


@contextmanager
def opener(browser, folder):
    """`show("ten")` opens a page; at the end it must have made no noise: no error, request, alert or blocked thing."""
    contexts, noise = [], []

    def opened(name, fragment="", width=1280, theme="light", scripts=True):
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=theme, java_script_enabled=scripts
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: noise.append(message.text))
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.on("dialog", lambda dialog: (noise.append(f"alert {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: request.url.startswith(("file:", "data:")) or noise.append(request.url))
        page.goto((folder / f"{name}.html").as_uri() + fragment)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert noise == []
