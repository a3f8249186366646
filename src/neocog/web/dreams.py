"""Dreams: pictures that excite a unit, made step by step beside the other requests, and given up when told to."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field
from itertools import count
from threading import Event, Lock, Thread
from typing import Any

import torch
from torch import Tensor

from neocog.core.errors import NeocogError, NetworkError, UsageError
from neocog.core.inputs import check_input
from neocog.explain import objectives
from neocog.web.desk import Desk
from neocog.web.encode import Json, png
from neocog.web.explanations import layer_name
from neocog.web.kinds import Pictures
from neocog.web.session import Session

MOST_STEPS, LARGEST_SIDE, SMALLEST_SIDE = 256, 224, 8
SECONDS = 180.0
HELD_JOBS = 16
# A step waits so long at most for the requests that came meanwhile.
COURTESY = 2.0


@dataclass
class Job:
    """One dream; ``picture`` is that of the last step, uint8 (C, H, W)."""

    id: int
    steps: int
    step: int = 0
    done: bool = False
    error: str | None = None
    score: float | None = None
    picture: Tensor | None = None
    cancelled: Event = field(default_factory=Event)

    def json(self) -> Json:
        """Returns how far it is."""
        shown = None if self.picture is None else png(self.picture)
        head = {"job": self.id, "done": self.done, "step": self.step, "steps": self.steps}
        return head | {"picture": shown, "score": self.score, "error": self.error}


class Dreams:
    """Runs one dream at a time in a thread of its own, on a copy of the network that shares its weights.

    A new one ends the one before. Between two steps it lets the ``desk``'s requests go first.
    """

    def __init__(self, session: Session, desk: Desk) -> None:
        self._session, self._desk = session, desk
        self._jobs: OrderedDict[int, Job] = OrderedDict()
        self._numbers = count()
        self._turn = Lock()

    def start(self, place: int, channel: int, steps: int, size: int) -> Json:
        """Begins a dream of a node's channel; raises UsageError for a channel that is not there."""
        if self._session.kind.name != "picture":
            raise UsageError("a dream is a picture; between two words there is nothing that could be dreamed.")
        self._session.channel(place, channel)
        objective = self._objective(place, channel)
        for other in self._jobs.values():
            other.cancelled.set()
        job = Job(next(self._numbers), steps)
        self._jobs[job.id] = job
        while len(self._jobs) > HELD_JOBS:
            self._jobs.popitem(last=False)
        Thread(target=self._run, args=(job, objective, size), name="neocog-dream", daemon=True).start()
        return {"job": job.id, "steps": steps}

    def job(self, id: int) -> Job:
        """Returns a dream; raises UsageError where there is none of that number any more."""
        if id not in self._jobs:
            raise UsageError(f"there is no dream {id}.")
        return self._jobs[id]

    def cancel(self, id: int) -> Json:
        """Ends a dream after the step that it is at."""
        self.job(id).cancelled.set()
        return {"job": id, "cancelled": True}

    def close(self) -> None:
        """Ends all dreams."""
        for job in self._jobs.values():
            job.cancelled.set()

    def _objective(self, place: int, channel: int) -> Any:
        last = place == len(self._session.nodes) - 1 and self._session.runner.traced
        if last and self._session.nodes[place].shape == (len(self._session.classes),):
            return objectives.logit(channel)
        return objectives.channel(layer_name(self._session, place), channel)

    def _run(self, job: Job, objective: Any, size: int) -> None:
        from neocog.explain.maximise import maximise

        kind = self._session.kind
        assert isinstance(kind, Pictures)
        numbers = kind.numbers
        try:
            with self._turn:
                end = time.monotonic() + SECONDS

                def each(step: int, score: Tensor, picture: Tensor) -> bool:
                    job.step, job.score, job.picture = step, float(score[0]), _pixels(picture)
                    self._desk.idle.wait(COURTESY)
                    return not job.cancelled.is_set() and time.monotonic() < end

                if not job.cancelled.is_set():
                    shape = self._shape(size)
                    settings: Json = {"steps": job.steps, "mean": numbers.mean, "std": numbers.std}
                    made = maximise(self._session.twin, objective, shape, on_step=each, **settings)
                    job.picture = _pixels(made)
        except NeocogError as error:
            job.error = str(error)
        except Exception as error:  # noqa: BLE001 - a thread's errors have nobody else to tell
            job.error = " ".join(f"unexpected {type(error).__name__}: {error}".split())[:300]
        finally:
            job.done = True

    def _shape(self, size: int) -> tuple[int, ...]:
        """Returns the shape to dream in: a square of the size asked for, or what the network was built for."""
        shape = self._session.input_shape
        wanted = (shape[0], *(size,) * (len(shape) - 1))
        try:
            check_input(self._session.twin, wanted)
        except NetworkError:
            return shape
        return wanted


def _pixels(picture: Tensor) -> Tensor:
    return picture[0].mul(255).round().clamp(0, 255).to(torch.uint8).cpu()
