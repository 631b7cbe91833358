"""The addresses of the local page: what is asked, by whom it is answered, and in which form."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gwm_models.explore import pages, project
from gwm_models.explore.assets import static_files
from gwm_models.explore.bodies import form_in, read_json
from gwm_models.explore.guard import FAULT, Guard, Refused
from gwm_models.explore.pool import Pool, workers_for_machine
from gwm_models.explore.start import start, warm

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    Handler = Callable[[Request], Awaitable[Response]]

PAGE_SECONDS = 120.0
"""For a page of areas, which is worked out once."""
CLIENT = re.compile(r"[A-Za-z0-9-]{1,64}")


def make_app(edition: str, port: int, scenarios: dict[str, Path], pool: Pool | None = None) -> Guard:
    """Return the whole page as an ASGI application; its workers start and end with it.

    Parameters
    ----------
    edition : str
        The edition that it shows.
    port : int
        On which it is served; requests to another host are refused.
    scenarios : dict of str to Path
        Scenario files that can be opened, by name.
    pool : Pool, optional
        The workers, not yet started.
    """
    from starlette.applications import Starlette
    from starlette.routing import Route

    workers = pool or Pool(workers_for_machine(), warm, (edition,))
    page = Page(edition, scenarios, workers)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        workers.start()
        try:
            yield
        finally:
            workers.stop()

    gets: dict[str, Handler] = {
        "/": page.index,
        "/static/{name}": page.static,
        "/api/start": page.start,
        "/api/areas": page.areas,
        "/api/map": page.map,
        "/api/area/{code}": page.area,
        "/api/scenario/{name}": page.scenario,
    }
    posts: dict[str, Handler] = {
        "/api/read": page.read,
        "/api/check": page.check,
        "/api/project": page.project,
        "/api/compare": page.compare,
        "/api/file": page.file,
        "/api/report": page.report,
    }
    routes = [Route(path, answer, methods=["GET"]) for path, answer in gets.items()]
    routes += [Route(path, answer, methods=["POST"]) for path, answer in posts.items()]
    app = Starlette(
        routes=routes,
        lifespan=lifespan,
        exception_handlers={404: _nowhere, 405: _not_so, Refused: _refused, Exception: _fault},
    )
    app.router.redirect_slashes = False
    return Guard(app, port)


class Page:
    """What answers each address.

    Parameters
    ----------
    edition : str
    scenarios : dict of str to Path
    pool : Pool
    """

    def __init__(self, edition: str, scenarios: dict[str, Path], pool: Pool) -> None:
        self.edition, self.scenarios, self.pool = edition, scenarios, pool
        self.kept: dict[tuple[Hashable, ...], bytes] = {}

    async def index(self, request: Request) -> Response:
        """Answer with the page itself."""
        return _content(*static_files()["index.html"])

    async def static(self, request: Request) -> Response:
        """Answer with one of the files of the page."""
        found = static_files().get(request.path_params["name"])
        if found is None:
            raise Refused(404, "There is no such file. Start at /.")
        return _content(*found)

    async def start(self, request: Request) -> Response:
        """Answer with what the page builds its controls from."""
        found = json.loads(await self._kept(start, self.edition))
        listed = json.loads(
            await self._kept(pages.list_scenarios, tuple((name, str(path)) for name, path in self.scenarios.items()))
        )
        return _json(project.as_json(found | {"scenarios": listed}))

    async def areas(self, request: Request) -> Response:
        """Answer with the table of areas."""
        return _json(await self._kept(pages.areas, self.edition))

    async def map(self, request: Request) -> Response:
        """Answer with the map of one field."""
        fields = {field["id"] for field in json.loads(await self._kept(pages.areas, self.edition))["fields"]}
        show = request.query_params.get("show", "total")
        if show not in fields:
            raise Refused(404, "There is no such field. Use one of those that /api/areas lists.")
        return _json(await self._kept(pages.field_map, self.edition, show))

    async def area(self, request: Request) -> Response:
        """Answer with the page of one area."""
        code = request.path_params["code"]
        rows = json.loads(await self._kept(pages.areas, self.edition))["rows"]
        if code not in {row["area_code"] for row in rows}:
            raise Refused(404, "There is no area of this code. Use one that /api/areas lists.")
        return _json(await self._kept(pages.area, self.edition, code))

    async def scenario(self, request: Request) -> Response:
        """Answer with a scenario file and its form."""
        path = self.scenarios.get(request.path_params["name"])
        if path is None:
            raise Refused(404, "There is no scenario of this name. Use one that /api/start lists.")
        return _json(await self._kept(pages.read_scenario_file, str(path), self.edition))

    async def read(self, request: Request) -> Response:
        """Answer with the form of a scenario file that was sent."""
        body = read_json(await request.body())
        if not isinstance(body, dict) or set(body) != {"yaml"} or not isinstance(body["yaml"], str):
            raise Refused(400, "Send a JSON object with 'yaml', the text of a scenario file, and nothing else.")
        return _json(await self._work(request, project.read, body["yaml"], self.edition))

    async def check(self, request: Request) -> Response:
        """Answer with what the checker finds in a form, and its file."""
        return _json(await self._form(request, project.check))

    async def project(self, request: Request) -> Response:
        """Answer with the projection of a form."""
        return _json(await self._form(request, project.project_form))

    async def compare(self, request: Request) -> Response:
        """Answer with two forms held against each other."""
        a, b = form_in(read_json(await request.body()), "a", "b")
        return _json(await self._work(request, project.compare, a, b, self.edition))

    async def file(self, request: Request) -> Response:
        """Answer with the scenario file of a form."""
        found = json.loads(await self._form(request, project.file))
        return _content(found["yaml"].encode(), "application/yaml", f"{found['id']}.yaml")

    async def report(self, request: Request) -> Response:
        """Answer with the report of a run of a form."""
        found = json.loads(await self._form(request, project.report))
        return _content(found["html"].encode(), "text/html", f"{found['id']}.html")

    async def _form(self, request: Request, work: Callable[..., bytes]) -> bytes:
        [form] = form_in(read_json(await request.body()), "form")
        return await self._work(request, work, form, self.edition)

    async def _work(self, request: Request, work: Callable[..., bytes], *args: Any) -> bytes:
        """Have a worker do it, unless whoever asks goes away first."""
        name = request.headers.get("x-gwm-client", "")
        client = f"{name} {request.url.path}" if CLIENT.fullmatch(name) else ""
        working = asyncio.ensure_future(self.pool.run(work, *args, client=client))
        gone = asyncio.ensure_future(_gone(request))
        try:
            await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise Refused(499, "Nobody waits for the answer.")
            return working.result()
        finally:
            for task in (working, gone):
                task.cancel()
            with suppress(asyncio.CancelledError):
                await gone

    async def _kept(self, work: Callable[..., bytes], *args: Hashable) -> bytes:
        """Have a worker do what never changes, once."""
        key = (work.__name__, *args)
        if key not in self.kept:
            self.kept[key] = await self.pool.run(work, *args, seconds=PAGE_SECONDS)
        return self.kept[key]


async def _gone(request: Request) -> None:
    """Wait until whoever asked has gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _content(body: bytes, kind: str, download: str = "") -> Response:
    from starlette.responses import Response

    headers = {"content-disposition": f'attachment; filename="{download}"'} if download else {}
    return Response(body, headers=headers, media_type=kind)


def _json(body: bytes, status: int = 200) -> Response:
    from starlette.responses import Response

    return Response(body, status, media_type="application/json")


def _error(status: int, words: str) -> Response:
    return _json(json.dumps({"error": words}, ensure_ascii=False).encode(), status)


async def _nowhere(request: Request, error: Exception) -> Response:
    return _error(404, "There is no such page. Start at /.")


async def _not_so(request: Request, error: Exception) -> Response:
    return _error(405, "Use GET to look and POST to send a form.")


async def _refused(request: Request, error: Any) -> Response:
    return _error(error.status, error.words)


async def _fault(request: Request, error: Exception) -> Response:
    """Answer where the toolkit is at fault; the guard writes the traceback."""
    return _error(500, FAULT)
