"""One HTML file that holds everything it needs and may load nothing: style, scripts and data, under a strict policy."""

__all__ = ["document"]

import base64
import hashlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, UndefinedError
from markupsafe import Markup

from tenfold.text import count, duration, in_script, interval, label, number, percent, rounded, settings

ASSETS = Path(__file__).parent / "assets"
VENDOR = ASSETS / "vendor"
FILTERS = (count, duration, interval, label, number, percent, rounded, settings)
"""What templates may call."""


def document(
    template: str, context: dict[str, Any], data: dict[str, Any], colors: Sequence[str] = (), page_word: str = ""
) -> str:
    """Fill a template of assets/ with the context, data for its scripts, and the colors of the rungs.

    page_word: of a style and a script that this page has beside those of every page: assets/word.css and word.js.
    """
    charts = _chart_script() if data.get("charts") else ""
    styles = [_asset("style.css"), _rung_style(colors), _chart_style() if charts else ""]
    style = Markup("\n".join([*styles, _asset(f"{page_word}.css")] if page_word else styles))
    scripts = [Markup(text) for text in (charts, _asset("page.js"), page_word and _asset(f"{page_word}.js")) if text]
    context = context | {"style": style, "scripts": scripts, "policy": _policy(style, scripts)}
    context |= {"data": Markup(_json(data)), "live": bool(charts)}
    try:
        page = _environment().get_template(template).render(context)
    except UndefinedError as error:  # a number, say, where the template looks into a list
        raise TypeError(str(error)) from error
    # Half a character from a file that someone else wrote cannot be encoded.
    return page.encode("utf-8", "replace").decode()


def _policy(style: str, scripts: Sequence[str]) -> str:
    """Return the page's content security policy: nothing from anywhere but its own style, scripts and data URIs."""
    allowed = " ".join(map(_digest, scripts))
    return (
        f"default-src 'none'; img-src data:; style-src {_digest(style)}; script-src {allowed}; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def _json(data: dict[str, Any]) -> str:
    return in_script(json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False))


def _rung_style(colors: Sequence[str]) -> str:
    """Return a class for each rung's color; black becomes the ink of the theme."""
    used = ("var(--ink)" if color == "#000000" else color for color in colors)
    return "\n".join(f".rung-{k}{{--rung:{color}}}" for k, color in enumerate(used))


@cache
def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def _chart_script() -> str:
    """Return the chart library with its license on top; "" where it was not bundled."""
    names = ("uplot.license", "uplot.js", "uplot.css")
    if not all((VENDOR / name).exists() for name in names):
        return ""
    notice, code, _ = ((VENDOR / name).read_text(encoding="utf-8") for name in names)
    return f"/*! uPlot\n{notice.strip()}\n*/\n{code}"


def _chart_style() -> str:
    return f"/*! uPlot, license as in its script */\n{(VENDOR / 'uplot.css').read_text(encoding='utf-8')}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(ASSETS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {form.__name__: form for form in FILTERS}
    return environment
