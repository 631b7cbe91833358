"""The files of the page: a fixed list, read once; no other file is ever served."""

from __future__ import annotations

from functools import cache
from pathlib import Path

STATIC = Path(__file__).parent / "static"
SHARED = Path(__file__).parents[1] / "report" / "assets"
SHARED_FILES = ("report.css", "vega.min.js", "vega-lite.min.js")
KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@cache
def static_files() -> dict[str, tuple[bytes, str]]:
    """Return the files of the page, by name: content and media type.

    The chart libraries are those of the reports, without the pointers to source maps that a browser would look for.
    """
    from gwm_models.report.shell import theme_css

    paths = [path for path in sorted(STATIC.iterdir()) if path.suffix in KINDS and path.is_file()]
    paths += [SHARED / name for name in SHARED_FILES]
    found = {path.name: (_text(path).encode(), KINDS[path.suffix]) for path in paths}
    return found | {"theme.css": (theme_css().encode(), KINDS[".css"])}


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8").split("\n//# sourceMappingURL=")[0]
