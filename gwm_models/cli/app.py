"""The commands and where they live; each imports what it needs when it is called."""

from __future__ import annotations

from typing import Annotated

import typer

from gwm_models.cli import check, data, fit, index, ranks, reproduce, run

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
app.command()(ranks.ranks)
app.command()(fit.fit)
app.add_typer(index.app, name="index")
app.add_typer(data.app, name="data")
app.command()(check.schema)
app.command()(reproduce.reproduce)


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

    Start with: gwm run northern-participation-2026
    """
