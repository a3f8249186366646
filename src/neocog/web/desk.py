"""Where requests wait their turn: one computation at a time, quick ones first, with bounds on queue and time."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Event
from typing import Any, TypeVar

from torch import nn

from neocog.core.errors import NeocogError

MOST_WAITING = 32
SECONDS = 60.0
QUIET = 0.5
Answer = TypeVar("Answer")


class Busy(NeocogError):
    """The queue is full, or a computation took more time than it may."""


class Late(Exception):
    """Raised inside a computation whose time is over, where it calls the network next."""


class Desk:
    """Runs computations one after the other in a thread of its own; those that are ``slow`` let the others go first.

    ``idle`` is set while none is waited for. A computation whose time is over is answered with `Busy` at once; it ends
    itself the next time that it calls the ``network``.
    """

    def __init__(self, network: nn.Module, *, seconds: float = SECONDS, waiting: int = MOST_WAITING) -> None:
        self.seconds, self.waiting = seconds, waiting
        self.idle = Event()
        self.idle.set()
        self._network = network
        self._pool = ThreadPoolExecutor(1, "neocog-explore")
        self._queued = 0
        self._taken = False
        self._line: list[tuple[bool, int, asyncio.Future[None]]] = []
        self._numbers = count()
        self._closed = False
        self._last = time.monotonic()

    async def beside(self, work: Callable[[], Any]) -> None:
        """Runs a short piece of work that nobody waits for, where nobody waits for anything else."""
        if not self._queued and not self._closed and time.monotonic() - self._last > QUIET:
            await asyncio.get_running_loop().run_in_executor(self._pool, work)

    async def run(self, work: Callable[[], Answer], seconds: float | None = None, *, slow: bool = False) -> Answer:
        """Returns what ``work`` returns; raises what it raises, and Busy where it cannot be done in time."""
        limit = self.seconds if seconds is None else min(seconds, self.seconds)
        if self._queued >= self.waiting:
            raise Busy(f"{self._queued} requests are waiting already; try again in a moment.")
        self._queued += 1
        self.idle.clear()
        gone = Event()
        try:
            async with asyncio.timeout(limit):
                return await self._in_turn(work, limit, gone, slow=slow)
        except (TimeoutError, Late) as error:
            raise Busy(f"this takes more than {limit:g} seconds on this machine; it was given up.") from error
        finally:
            gone.set()
            self._queued -= 1
            self._last = time.monotonic()
            if not self._queued:
                self.idle.set()

    async def _in_turn(self, work: Callable[[], Answer], limit: float, gone: Event, *, slow: bool) -> Answer:
        if self._taken:
            turn = asyncio.get_running_loop().create_future()
            heapq.heappush(self._line, (slow, next(self._numbers), turn))
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():  # its turn came in the moment in which it was given up
                    self._next()
                raise
        self._taken = True
        try:
            future = asyncio.get_running_loop().run_in_executor(self._pool, self._timed, work, limit, gone)
            future.add_done_callback(_seen)
            return await asyncio.shield(future)
        finally:
            self._next()

    def _next(self) -> None:
        """Gives the turn to the first in line that still waits."""
        while self._line:
            _, _, turn = heapq.heappop(self._line)
            if not turn.done():
                turn.set_result(None)
                return
        self._taken = False

    def close(self) -> None:
        """Gives up what runs and what waits."""
        self._closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _timed(self, work: Callable[[], Answer], limit: float, gone: Event) -> Answer:
        if gone.is_set() or self._closed:
            raise Late
        end = time.monotonic() + limit

        def watch(_module: nn.Module, _arguments: Any) -> None:
            if self._closed or gone.is_set() or time.monotonic() > end:
                raise Late

        handle = self._network.register_forward_pre_hook(watch)
        try:
            return work()
        finally:
            handle.remove()


def _seen(future: asyncio.Future[Any]) -> None:
    """Takes note of an error that nobody waits for any more."""
    if not future.cancelled():
        future.exception()
