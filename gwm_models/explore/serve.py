"""Start the local page, say where it is, and end it without a trace."""

from __future__ import annotations

import os
import socket
import sys
import threading
import webbrowser
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from gwm_models.errors import GwmError

if TYPE_CHECKING:
    import uvicorn

    from gwm_models.explore.guard import Guard

HOST = "127.0.0.1"
BACKLOG = 64


class ServeError(GwmError):
    """The page cannot be served here."""


def bind(port: int) -> socket.socket:
    """Open a port of this machine that only this machine can reach; 0 takes a free one.

    Raises
    ------
    ServeError
        If it is taken, or not allowed.
    """
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((HOST, port))
        found.listen(BACKLOG)
    except OSError as error:
        found.close()
        why = error.strerror or str(error)
        raise ServeError(
            f"Port {port} cannot be used ({why}). Name another with --port, or --port 0 for any."
        ) from error
    return found


def scenario_files(folder: Path | None) -> dict[str, Path]:
    """Return the scenario files that the page can open, by name: those of a folder, or the shipped ones.

    Raises
    ------
    ServeError
        If there is no such folder.
    """
    from gwm_models.scenarios.reader import SUFFIXES, shipped_scenarios

    if folder is None:
        return shipped_scenarios()
    try:
        found = sorted(folder.iterdir())
    except OSError as error:
        why = error.strerror or str(error)
        raise ServeError(f"{folder} cannot be read as a folder ({why}). Name one with scenario files.") from error
    return {path.stem: path for path in found if path.suffix in SUFFIXES and path.is_file()}


def serve(edition: str, *, port: int, scenarios: Path | None = None, browser: bool = True) -> None:
    """Serve the page until the user stops it.

    Parameters
    ----------
    edition : str
        The edition that it shows.
    port : int
        0 for any that is free.
    scenarios : Path, optional
        Folder of scenario files to open, instead of the shipped ones.
    browser : bool
        Whether to open it in the user's browser, where there is a screen.

    Raises
    ------
    GwmError
        If the edition or folder is unknown, or the port is taken.

    Notes
    -----
    An interrupt ends the server and its workers, and is no error.
    """
    from gwm_models.data.vocabulary import load_vocabulary
    from gwm_models.explore.app import make_app

    load_vocabulary(edition)
    files = scenario_files(scenarios)
    with bind(port) as found:
        address = f"http://{HOST}:{found.getsockname()[1]}/"
        app = make_app(edition, found.getsockname()[1], files)
        sys.stdout.write(f"The explorer is at {address} until you press Ctrl-C.\n")
        sys.stdout.flush()
        if browser and has_screen():
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        server = server_of(app)
        with suppress(KeyboardInterrupt, SystemExit):
            server.run(sockets=[found])
        if not server.started:
            raise ServeError("The page could not be started. Free some memory, or end other programs, and try again.")


def server_of(app: Guard) -> uvicorn.Server:
    """Return the server of the page: quiet, and without what is not needed on one machine."""
    import uvicorn

    config = uvicorn.Config(
        app,
        log_level="critical",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        lifespan="on",
        http="h11",
        loop="asyncio",
        timeout_keep_alive=30,
        timeout_graceful_shutdown=2,
    )
    return uvicorn.Server(config)


def has_screen() -> bool:
    """Tell whether a browser could be seen here."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
