"""Worker processes that are kept warm: work that takes long, or fails, never stops the page.

Each worker is a process of its own behind a pipe. One that dies is replaced and its work tried once more; one that
takes too long is killed. What waits is bounded.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from gwm_models.errors import GwmError
from gwm_models.explore.guard import FAULT, Refused

Work = Callable[..., bytes]

MOST_SECONDS = 30.0
"""For one piece of work."""
START_SECONDS = 120.0
"""For a worker to start and warm up."""
MOST_WAITING = 12
"""Pieces of work that wait for a worker."""
NO_ROOM = "No worker could be started. End other programs, and try again."
READY, DONE, REFUSED, FAILED = "ready", "done", "refused", "failed"


def workers_for_machine() -> int:
    """Return how many workers to keep: two, so that two people can work at once; up to four on a larger machine."""
    return max(2, min(4, (os.cpu_count() or 2) - 1))


def _serve(pipe: Connection, warm: Work | None, args: tuple[Any, ...]) -> None:
    """Do work as it comes, until the other end of the pipe is closed; this runs in the worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if warm is not None:
        with suppress(Exception):
            warm(*args)
    with suppress(EOFError, OSError):
        pipe.send(READY)
        while True:
            work, args = pipe.recv()
            pipe.send(_done(work, args))


def _done(work: Work, args: tuple[Any, ...]) -> tuple[str, bytes | str]:
    try:
        return DONE, work(*args)
    except GwmError as error:
        return REFUSED, str(error)
    except BaseException:
        return FAILED, traceback.format_exc()


class _Broken(Exception):
    """A worker died while it worked."""


class _Slow(Exception):
    """A worker took too long, and was killed."""


class Worker:
    """One process, and the pipe to it."""

    def __init__(self, warm: Work | None, args: tuple[Any, ...]) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=_serve, args=(other, warm, args), daemon=True, name="gwm-explore-worker")
        self.process.start()
        self.ready = False
        other.close()

    def ask(self, work: Work, args: tuple[Any, ...], seconds: float) -> tuple[str, Any]:
        """Send work and wait for the answer.

        Raises
        ------
        _Broken, _Slow
            If the process is gone, or was killed for taking longer than `seconds`; it cannot be used any more.
        """
        try:
            if not self.ready:
                self._receive(START_SECONDS)
                self.ready = True
            self.pipe.send((work, args))
            found: tuple[str, Any] = self._receive(seconds)
        except (EOFError, OSError) as error:
            raise _Broken from error
        return found

    def _receive(self, seconds: float) -> Any:
        if not self.pipe.poll(seconds):
            raise _Slow
        return self.pipe.recv()

    def stop(self) -> None:
        """End the process, whatever it is doing."""
        self.process.kill()
        self.process.join(5)


@dataclass
class _Ticket:
    """A piece of work that waits for a worker."""

    free: asyncio.Future[Worker]
    client: str

    def refuse(self, why: Refused) -> None:
        """Tell whoever waits that it will not be done; who gave up in the same moment need not be told."""
        if not self.free.done():
            self.free.set_exception(why)


@dataclass
class Pool:
    """Workers, and the queue before them; made and used inside one event loop.

    Parameters
    ----------
    size : int
        Number of workers.
    warm, args
        What a worker does first, so that its first answer comes fast.
    """

    size: int
    warm: Work | None = None
    args: tuple[Any, ...] = ()
    _idle: list[Worker] = field(default_factory=list)
    _all: list[Worker] = field(default_factory=list)
    _queue: list[_Ticket] = field(default_factory=list)
    _threads: ThreadPoolExecutor | None = None
    _closed: bool = False

    def start(self) -> None:
        """Start the workers; they warm up by themselves."""
        self._threads = ThreadPoolExecutor(self.size, thread_name_prefix="gwm-explore")
        while len(self._all) < self.size:
            self._add()

    def _add(self) -> None:
        """Start one more worker.

        Raises
        ------
        OSError
            If the machine has no room for it.
        """
        worker = Worker(self.warm, self.args)
        self._all.append(worker)
        self._release(worker)

    def _replace(self, worker: Worker) -> None:
        """End a worker that cannot be used any more and start another; where that fails, it is tried again later."""
        worker.stop()
        self._all.remove(worker)
        try:
            self._add()
        except OSError:
            while self._queue and not self._all:
                self._queue.pop().refuse(Refused(503, NO_ROOM))

    def stop(self) -> None:
        """End all workers."""
        self._closed = True
        for worker in self._all:
            worker.stop()
        for ticket in self._queue:
            ticket.free.cancel()
        if self._threads is not None:
            self._threads.shutdown(wait=True)

    @property
    def process_ids(self) -> list[int]:
        """The ids of the worker processes."""
        return [worker.process.pid for worker in self._all if worker.process.pid is not None]

    async def run(self, work: Work, *args: Any, client: str = "", seconds: float = MOST_SECONDS) -> bytes:
        """Have a worker do some work.

        Parameters
        ----------
        work : callable
            A function of a module, as it is sent to another process; it returns bytes.
        *args
        client : str
            Who asks: of what one client has waiting only the latest is done.
        seconds : float
            After which it is stopped.

        Raises
        ------
        Refused
            400 where the toolkit refuses it, 409 where the client has asked for something later, 429 where too many
            wait, 503 where a worker died twice, 504 where it took too long.
        """
        for _ in range(2):
            worker = await self._free_worker(client)
            try:
                kind, found = await self._ask(worker, work, args, seconds)
            except _Broken:
                continue
            except _Slow:
                words = f"This took longer than {seconds:g} seconds and was stopped. Ask for fewer draws or actions."
                raise Refused(504, words) from None
            if kind == DONE:
                return bytes(found)
            if kind == REFUSED:
                raise Refused(400, str(found))
            sys.stderr.write(str(found))
            raise Refused(500, FAULT)
        raise Refused(503, "The work was broken off twice. Try again; if it happens again, ask for fewer draws.")

    async def _ask(self, worker: Worker, work: Work, args: tuple[Any, ...], seconds: float) -> tuple[str, Any]:
        """Ask one worker in a thread, and hand it on when it has answered, even where nobody waits any more."""
        asked = asyncio.get_running_loop().run_in_executor(self._threads, worker.ask, work, args, seconds)

        def hand_on(done: asyncio.Future[tuple[str, Any]]) -> None:
            broken = done.cancelled() or done.exception() is not None
            if broken and not self._closed:
                self._replace(worker)
            elif not self._closed:
                self._release(worker)

        asked.add_done_callback(hand_on)
        return await asyncio.shield(asked)

    async def _free_worker(self, client: str) -> Worker:
        for worker in [worker for worker in self._idle if not worker.process.is_alive()]:
            self._idle.remove(worker)
            self._replace(worker)
        if not self._all:
            self._start_one()
        if self._idle:
            return self._idle.pop()
        for waiting in list(self._queue):
            if client and waiting.client == client:
                self._queue.remove(waiting)
                waiting.refuse(Refused(409, "A later request took its place."))
        if len(self._queue) >= MOST_WAITING:
            raise Refused(429, "Too many requests wait. Try again in a few seconds.")
        ticket = _Ticket(asyncio.get_running_loop().create_future(), client)
        self._queue.append(ticket)
        try:
            return await ticket.free
        except asyncio.CancelledError:
            if ticket in self._queue:
                self._queue.remove(ticket)
            elif ticket.free.done() and not ticket.free.cancelled() and ticket.free.exception() is None:
                self._release(ticket.free.result())
            raise

    def _start_one(self) -> None:
        try:
            self._add()
        except OSError as error:
            raise Refused(503, NO_ROOM) from error

    def _release(self, worker: Worker) -> None:
        """Give a worker to whoever has waited longest."""
        while self._queue:
            ticket = self._queue.pop(0)
            if not ticket.free.done():
                ticket.free.set_result(worker)
                return
        self._idle.append(worker)
