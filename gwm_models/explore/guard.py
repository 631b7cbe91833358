"""What every request and every answer of the local page goes through: who may ask, how much, and which headers."""

from __future__ import annotations

import asyncio
import json
import sys
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]
Headers = dict[bytes, list[bytes]]

MOST_BYTES = 256 * 1024
"""Of the body of a request; a scenario is a few kilobytes."""
BODY_SECONDS = 10.0
"""For a whole body to arrive."""
MOST_DRAINED, DRAIN_SECONDS = 4 * MOST_BYTES, 1.0
"""Of a refused body that is read and thrown away, so that the answer arrives."""
METHODS = ("GET", "HEAD", "POST")
FAULT = "This is a fault of the toolkit, not of your input. The window of gwm explore shows the details."
POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing is loaded but from the page's own address. Vega compiles the expressions of a chart, hence the one eval."""
HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"cache-control", b"no-store"),
)


class Refused(Exception):
    """A request that is answered with an error.

    Parameters
    ----------
    status : int
        Of HTTP.
    words : str
        One sentence that says what to do.
    """

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status, self.words = status, words


@dataclass(frozen=True)
class Guard:
    """ASGI middleware around the whole page.

    A page of another site can send requests to this machine, and under a name of its own that points here even read
    the answers (DNS rebinding). So only the names of this machine are answered, and what makes work must come from the
    page itself: a JSON body and a header of its own, which a browser sends across sites only after asking.

    Parameters
    ----------
    app : callable
        The ASGI application.
    port : int
        On which it is served.

    References
    ----------
    OWASP Cheat Sheet Series, "Cross-Site Request Forgery Prevention" (custom request headers, Fetch Metadata). RFC
    9110, sections 7.2 (Host) and 15.5.20 (421 Misdirected Request).
    """

    app: Asgi
    port: int

    @property
    def hosts(self) -> frozenset[bytes]:
        """The names under which the page is answered, with the port; without it on the usual one."""
        names = (b"127.0.0.1", b"localhost", b"[::1]")
        bare = frozenset(names) if self.port == 80 else frozenset()
        return bare | {name + b":%d" % self.port for name in names}

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            if (await receive())["type"] == "websocket.connect":
                await send({"type": "websocket.close", "code": 1008})
            return
        started = False

        async def guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                own = {name for name, _ in HEADERS}
                kept = [(name, value) for name, value in message.get("headers", ()) if name.lower() not in own]
                message = {**message, "headers": [*kept, *HEADERS]}
            await send(message)

        try:
            self._check_request(scope)
            body = await _body(scope, receive) if scope["method"] == "POST" else None
            await self.app(scope, _replayed(body, receive), guarded)
        except Refused as refused:
            if scope["method"] == "POST" and not started:
                await _drain(receive)
            await _answer(guarded, refused.status, refused.words)
        except asyncio.CancelledError:
            # The server is being ended while somebody waits.
            if not started:
                await _answer(guarded, 503, "The explorer was ended. Start it again with gwm explore.")
        except Exception as fault:
            traceback.print_exception(fault, file=sys.stderr)
            if not started:
                words = (
                    "This is a fault of the toolkit, not of your input. The window of gwm explore shows the details."
                )
                await _answer(guarded, 500, words)

    def _check_request(self, scope: MutableMapping[str, Any]) -> None:
        """Refuse what does not come from this page on this machine.

        Raises
        ------
        Refused
        """
        headers: Headers = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.lower(), []).append(value)
        found = headers.get(b"host", [])
        if len(found) != 1 or found[0].strip().lower() not in self.hosts:
            raise Refused(421, f"Open this page as http://127.0.0.1:{self.port}/; other names are not answered.")
        if scope["method"] not in METHODS:
            raise Refused(405, "Use GET or POST.")
        if b"\0" in scope["path"].encode("utf-8", "surrogateescape"):
            raise Refused(404, "There is no such page. Start at /.")
        origins = headers.get(b"origin", [])
        if any(origin.lower() != b"http://" + found[0].strip().lower() for origin in origins):
            raise Refused(403, "Open the page itself; requests from other pages are not answered.")
        sites = headers.get(b"sec-fetch-site", [])
        if scope["path"] != "/" and any(site not in (b"same-origin", b"none") for site in sites):
            raise Refused(403, "Open the page itself; requests from other pages are not answered.")
        if scope["method"] == "POST":
            _check_post(headers)


def _check_post(headers: Headers) -> None:
    """Refuse a body that the page did not send."""
    if headers.get(b"x-gwm") != [b"1"]:
        raise Refused(403, "Send the header X-GWM: 1, as the page does.")
    kinds = headers.get(b"content-type", [])
    kind, _, more = (kinds[0] if len(kinds) == 1 else b"").lower().partition(b";")
    if kind.strip() != b"application/json" or more.strip() not in (b"", b"charset=utf-8"):
        raise Refused(415, "Send JSON, with the content type application/json.")
    if b"content-encoding" in headers:
        raise Refused(415, "Send the JSON as it is, without a content encoding.")
    for length in headers.get(b"content-length", []):
        if not length.isdigit():
            raise Refused(400, "Send the length of the body as a number.")
        if len(length) > 9 or int(length) > MOST_BYTES:
            raise _too_large()


def _too_large() -> Refused:
    return Refused(413, f"Send less: a form may hold {MOST_BYTES // 1024} KB at most.")


async def _body(scope: MutableMapping[str, Any], receive: Receive) -> bytes:
    """Read a body, counting while it arrives."""
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Refused(400, "Send the whole body.")
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > MOST_BYTES:
                    raise _too_large()
                if not message.get("more_body", False):
                    return b"".join(parts)
    except TimeoutError as error:
        raise Refused(408, f"Send the whole body within {BODY_SECONDS:g} seconds.") from error


async def _drain(receive: Receive) -> None:
    """Read what is left of a body that is refused, within bounds: closed upon unread bytes, a client sees no answer."""
    left = MOST_DRAINED
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_SECONDS):
            while left > 0:
                message = await receive()
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
                left -= len(message.get("body", b""))


def _replayed(body: bytes | None, receive: Receive) -> Receive:
    """Give a body that was read to the application as one message, then what follows."""
    if body is None:
        return receive
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


async def _answer(send: Send, status: int, words: str) -> None:
    """Answer with an error, after which the connection is closed: the rest of a body is not read."""
    body = json.dumps({"error": words}, ensure_ascii=False).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    headers += [(b"connection", b"close"), *([(b"allow", ", ".join(METHODS).encode())] if status == 405 else [])]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
