"""The commands and where they live; each imports what it needs when it is called."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Annotated

import typer
from typer.main import get_command_name
from typer.models import CommandInfo

from gwm_models.cli import (
    appraise,
    check,
    compare,
    data,
    diff,
    evaluate,
    evidence,
    explain,
    explore,
    figures,
    fit,
    goal,
    index,
    init,
    portfolio,
    ranks,
    reproduce,
    rerun,
    run,
    sweep,
)
from gwm_models.cli.help import help_

app = typer.Typer(
    name="gwm",
    help="Policy scenarios, ranks and models for the Good Work Monitor of England.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

app.command()(run.run)
app.command()(check.check)
app.command()(compare.compare)
app.command()(goal.goal)
app.command()(portfolio.portfolio)
app.command()(sweep.sweep)
app.command()(appraise.appraise)
app.command()(evaluate.evaluate)
app.command()(ranks.ranks)
app.command()(fit.fit)
app.add_typer(index.app, name="index")
app.add_typer(data.app, name="data")
app.command()(explore.explore)
app.command()(figures.figures)
app.command()(evidence.evidence)
app.command()(check.schema)
app.command()(init.init)
app.command()(explain.explain)
app.command()(diff.diff)
app.command()(rerun.rerun)
app.command()(reproduce.reproduce)
app.command("help")(help_)


def app_for(words: Sequence[str]) -> typer.Typer:
    """Return the command line with the command that is named alone: building all of them takes longer than a check.

    Parameters
    ----------
    words : sequence of str
        What stands after ``gwm``; the whole command line is returned where that names no command.
    """
    chosen = copy(app)
    chosen.registered_commands = [each for each in app.registered_commands if _name(each) in words[:1]]
    chosen.registered_groups = [each for each in app.registered_groups if each.name in words[:1]]
    return chosen if chosen.registered_commands or chosen.registered_groups else app


def command_names() -> set[str]:
    """Return the names of all commands."""
    return {*map(_name, app.registered_commands), *(each.name or "" for each in app.registered_groups)}


def _name(command: CommandInfo) -> str:
    function = command.callback.__name__ if command.callback is not None else ""
    return command.name or get_command_name(function)


def _print_version(wanted: bool) -> None:
    if wanted:
        from gwm_models import __version__

        typer.echo(f"gwm {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Policy scenarios, ranks and models for the Good Work Monitor of England.

    Start with: gwm run northern-participation-2026, and gwm help for what there is to read.
    """
