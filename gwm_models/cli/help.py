"""`gwm help`: what the toolkit does and how, topic by topic."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from gwm_models.cli.output import emit, write_line
from gwm_models.cli.table import terminal_width

TOPICS = Path(__file__).parent / "topics"
TABLES = "<!-- tables -->"
"""Where the list of tables stands in the topic on data."""
READABLE = 100
"""Columns of a page of words at most."""


def help_(
    topic: Annotated[str | None, typer.Argument(metavar="[TOPIC]", help="What to explain; a list if left out.")] = None,
) -> None:
    """Explain how the toolkit works, topic by topic: methods with formulas, data with sources, and what to type.

    Examples: gwm help

    gwm help methods
    """
    if topic is None:
        _print_list()
        return
    text = topic_text(find_topic(topic))
    if sys.stdout.isatty():
        _print_markdown(text)
    else:
        sys.stdout.write(plain_text(text))


def topics() -> dict[str, str]:
    """Return the name and the title of each topic."""
    return {path.stem: _title(path) for path in sorted(TOPICS.glob("*.md"))}


def topic_text(name: str) -> str:
    """Return the Markdown of a topic; the tables of the topic on data are those of the data package."""
    text = (TOPICS / f"{name}.md").read_text(encoding="utf-8")
    return text.replace(TABLES, _tables()) if TABLES in text else text


def find_topic(word: str) -> str:
    """Return the topic that a word names: by its name, or by a part of one name alone.

    Raises
    ------
    DataError
        If there is none; the message has the nearest.
    """
    from difflib import get_close_matches

    from gwm_models.data.area_names import shown
    from gwm_models.errors import DataError

    known = list(topics())
    wanted = "-".join(word.casefold().split())
    if wanted in known:
        return wanted
    alike = [name for name in known if wanted and any(part.startswith(wanted) for part in (name, *name.split("-")))]
    if len(alike) == 1:
        return alike[0]
    near = alike or get_close_matches(wanted, known, n=2, cutoff=0.6)
    asked = f" Did you mean {' or '.join(near)}?" if near else ""
    options = f" For the options of a command: gwm {wanted} --help." if wanted in _commands() else ""
    raise DataError(f"There is no topic '{shown(word)}'.{asked}{options} Topics: {', '.join(known)}.")


def plain_text(markdown: str) -> str:
    r"""Return Markdown as plain text: headings underlined, code indented, no marks of emphasis.

    Examples
    --------
    >>> print(plain_text("# Ranks\n\n**One** [page](https://example.org) of `gwm`.\n"), end="")
    Ranks
    =====
    <BLANKLINE>
    One page (https://example.org) of gwm.
    """
    lines, in_code = [], False
    for line in markdown.splitlines():
        if line.startswith("```"):
            in_code = not in_code
        elif in_code:
            lines.append(f"    {line}".rstrip())
        elif line.startswith("#"):
            title = line.lstrip("# ")
            lines += [title, ("=" if line.startswith("# ") else "-") * len(title)]
        else:
            linked = re.sub(r"\[([^]]+)]\(([^)]+)\)", r"\1 (\2)", line)
            lines.append(linked.replace("**", "").replace("`", ""))
    return "\n".join(lines) + "\n"


def _title(path: Path) -> str:
    with path.open(encoding="utf-8") as file:
        return file.readline().lstrip("# ").strip()


def _commands() -> set[str]:
    from gwm_models.cli.app import command_names

    return command_names()


def _print_list() -> None:
    rows = [{"topic": name, "about": title} for name, title in topics().items()]
    emit(rows, format="table", title="Topics; read one with gwm help TOPIC")
    write_line()
    write_line("The options of a command: gwm COMMAND --help")


def _print_markdown(text: str) -> None:
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console(file=sys.stdout, width=min(terminal_width(), READABLE), height=25)
    console.print(Markdown(text, code_theme="ansi_dark", hyperlinks=False))


def _tables() -> str:
    """Return each table of the data package with its producers, periods and licence, as a Markdown list."""
    from gwm_models.data.descriptor import read_descriptor
    from gwm_models.data.home import data_home

    items = []
    for table in read_descriptor(data_home()).resources.values():
        items.append(f"- **{table.name}**: {table.title}. {table.licence}.")
        sources = dict.fromkeys(f"{source.producer}: {source.title}, {source.period}" for source in table.sources)
        items += [f"    - {source}" for source in sources]
    return "\n".join(items)
