"""What every page of the toolkit shares: templates, styles, scripts, and a policy that lets nothing out."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from gwm_models import plots
from gwm_models.plots.words import number, typographic, with_unit

HERE = Path(__file__).parent
COMMAND = re.compile(r"`([^`]+)`")
UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def render(template: str, specs: object, **parts: Any) -> str:
    """Write one self-contained page.

    Parameters
    ----------
    template : str
        Its name among the templates.
    specs : mapping of str to Vega-Lite specification
        Charts by identity.
    **parts
        What the template is given besides scripts, styles and policy. All words are escaped.
    """
    scripts = [*_libraries(), _asset("report.js")]
    page = environment().get_template(template)
    return page.render(
        **parts,
        specs=script_json(specs),
        scripts=scripts,
        policy=_policy(scripts),
        style=theme_css() + _asset("report.css"),
        licences=_asset("LICENSES.txt"),
    )


def script_json(value: object) -> str:
    r"""Write JSON that is harmless inside a script element, whatever texts it holds.

    Examples
    --------
    >>> print(script_json({"title": "</script>"}))
    {"title":"\u003c/script\u003e"}
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.translate({ord(letter): code for letter, code in UNSAFE.items()})


def marked(text: object) -> Markup:
    """Escape a text, give it minus signs, and set what it has between backticks, such as a command, as code.

    Examples
    --------
    >>> str(marked("`gwm fit` has <b>"))
    '<code>gwm fit</code> has &lt;b&gt;'
    """
    parts = COMMAND.split(str(text))
    code = Markup("<code>{}</code>")
    return Markup("").join(
        code.format(part) if place % 2 else escape(typographic(part)) for place, part in enumerate(parts)
    )


@cache
def _asset(name: str) -> str:
    """Read a file that every page carries."""
    return (HERE / "assets" / name).read_text(encoding="utf-8")


def _libraries() -> list[str]:
    """Give the chart libraries, without the pointers to source maps that a browser would look for."""
    return [_asset(name).split("\n//# sourceMappingURL=")[0] for name in ("vega.min.js", "vega-lite.min.js")]


def _policy(scripts: Iterable[str]) -> str:
    """Give the content security policy: nothing is loaded, and no script runs but the page's own."""
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {allowed} 'unsafe-eval'; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def theme_css() -> str:
    """Write the colours of the charts and the page as CSS variables; print is always light."""
    light, dark = (
        "".join(f"--gwm-{name}:{value};" for name, value in plots.THEMES[theme].items()) for theme in ("light", "dark")
    )
    return f":root{{{light}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"


@cache
def environment() -> Environment:
    """Give the templates, with escaping on and an error for a name that does not exist."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {
        "marked": marked,
        "number": number,
        "with_unit": with_unit,
    }
    return environment
