"""The explorer's server: what the page asks for, answered as JSON by the session."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any

import torch
from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from torch import nn

from neocog import explain
from neocog.core.errors import NeocogError, UsageError
from neocog.web import arithmetic, explanations, fields, likeness, links, maps, static_files
from neocog.web.desk import Busy, Desk
from neocog.web.dreams import LARGEST_SIDE, MOST_STEPS, SMALLEST_SIDE, Dreams
from neocog.web.encode import Json, to_json
from neocog.web.network import network_json
from neocog.web.safety import Guard, TooLarge
from neocog.web.session import Session
from neocog.web.survey import Survey

LARGEST_ID = 2**31 - 1
# So that the first picture goes first.
PAUSE = 5.0
Id = Annotated[int, Query(ge=0, le=LARGEST_ID)]
Some = Annotated[int, Query(ge=1, le=maps.MOST_MAPS)]


def application(session: Session, token: str, *, desk: Desk | None = None) -> Any:
    """Returns the ASGI application; ``token`` is asked for with every request below ``/api/``."""
    worker = Desk(session.network) if desk is None else desk
    dreams = Dreams(session, worker)
    background: list[Callable[[], Coroutine[Any, Any, None]]] = []
    lifespan = _lifespan(background, (worker.close, dreams.close))
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False, lifespan=lifespan)
    _errors(app)
    static_files.add(app)
    _network(app, session, worker)
    _pictures(app, session, worker)
    _maps(app, session, worker)
    _numbers(app, session, worker)
    _explanations(app, session, worker)
    _dreams(app, dreams)
    survey = None if session.data is None else Survey(session)
    _data(app, session, worker, survey)
    if survey is not None:
        background.append(lambda: walk(survey, worker))
    return Guard(app, token)


def _lifespan(
    background: list[Callable[[], Coroutine[Any, Any, None]]], close: Sequence[Callable[[], None]]
) -> Callable[[FastAPI], Any]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(begin()) for begin in (warm, *background)]
        yield
        for task in tasks:
            task.cancel()
        for end in close:
            end()

    return lifespan


def _json(value: Any, status: int = 200) -> Response:
    return Response(to_json(value), status, media_type="application/json")


def _errors(app: FastAPI) -> None:
    def handle(kind: type[Exception], status: int, reason: Callable[[Any], str]) -> None:
        async def handler(_request: Request, error: Exception) -> Response:
            return _json({"error": " ".join(reason(error).split())}, status)

        app.add_exception_handler(kind, handler)

    handle(NeocogError, 400, str)
    handle(Busy, 503, str)
    handle(TooLarge, 413, lambda _: "more was sent than may be sent at once.")
    handle(RequestValidationError, 400, _invalid)

    async def http(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        reason = "there is nothing at this address." if error.status_code == 404 else str(error.detail)
        return _json({"error": reason}, error.status_code)

    async def unexpected(_request: Request, error: Exception) -> Response:
        reason = " ".join(f"unexpected {type(error).__name__}: {error}".split())[:300]
        print(f"neocog: {reason}", file=sys.stderr)  # noqa: T201 - the server's log
        return _json({"error": reason}, 500)

    app.add_exception_handler(HTTPException, http)
    # Starlette would raise it again behind the answer for the handler of Exception itself, with a traceback.
    for kind in (ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError, OSError, RuntimeError,
                 TypeError, ValueError):  # fmt: skip
        app.add_exception_handler(kind, unexpected)


def _invalid(error: RequestValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(each) for each in first["loc"][1:]) or "the request"
    return f"{where}: {first['msg']}."


async def body_json(request: Request) -> Json:
    """Returns a request's JSON object.

    Raises UsageError for anything else.
    """
    import json

    try:
        found = json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise UsageError("expected a JSON object.") from error
    if not isinstance(found, dict):
        raise UsageError("expected a JSON object.")
    return found


def whole(found: Json, key: str, low: int = 0, high: int = LARGEST_ID) -> int:
    """Returns a whole number of a JSON object.

    Raises UsageError where it is missing, no whole number, or out of range.
    """
    value = found.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise UsageError(f"{key} is a whole number from {low} to {high}; got {str(value)[:40]!r}.")
    return value


def _network(app: FastAPI, session: Session, desk: Desk) -> None:
    @app.get("/api/network")
    async def network() -> Response:
        return _json(await desk.run(lambda: network_json(session)))

    @app.get("/api/field")
    async def field(node: Id, row: Id = 0, column: Id = 0, picture: Id | None = None) -> Response:
        return _json(await desk.run(lambda: fields.field_json(session, node, row, column, picture)))


def _pictures(app: FastAPI, session: Session, desk: Desk) -> None:
    @app.get("/api/samples")
    async def samples(
        start: Annotated[int, Query(alias="from", ge=0, le=LARGEST_ID)] = 0, count: Some = 24
    ) -> Response:
        most = min(count, maps.MOST_SAMPLES)
        return _json(await desk.run(lambda: maps.samples_json(session, start, most)))

    @app.post("/api/picture")
    async def picture(request: Request) -> Response:
        raw = await request.body()
        return _json(await desk.run(lambda: maps.picture_json(session, session.add(raw))))

    @app.post("/api/sample")
    async def sample(request: Request) -> Response:
        index = whole(await body_json(request), "index")
        return _json(await desk.run(lambda: maps.picture_json(session, session.add_sample(index))))

    @app.post("/api/text")
    async def text(request: Request) -> Response:
        given = (await body_json(request)).get("text")
        if not isinstance(given, str):
            raise UsageError(f"text is a string; got {str(given)[:40]!r}.")
        return _json(await desk.run(lambda: maps.picture_json(session, session.add(given))))


def _maps(app: FastAPI, session: Session, desk: Desk) -> None:
    @app.get("/api/maps")
    async def node_maps(
        picture: Id,
        node: Id,
        start: Annotated[int, Query(alias="from", ge=0, le=LARGEST_ID)] = 0,
        count: Some = 16,
        order: str = "index",
    ) -> Response:
        return _json(await desk.run(lambda: maps.maps_json(session, picture, node, start, count, order)))

    @app.get("/api/map")
    async def one_map(picture: Id, node: Id, channel: Id) -> Response:
        return _json(await desk.run(lambda: maps.map_json(session, picture, node, channel)))

    @app.get("/api/softmax")
    async def softmax(picture: Id) -> Response:
        return _json(await desk.run(lambda: maps.softmax_json(session, picture)))


def _numbers(app: FastAPI, session: Session, desk: Desk) -> None:
    @app.get("/api/links")
    async def node_links(picture: Id, node: Id, channel: Id) -> Response:
        return _json(await desk.run(lambda: links.links_json(session, picture, node, channel)))

    @app.get("/api/arithmetic")
    async def node_arithmetic(picture: Id, node: Id, channel: Id, target: Id | None = None) -> Response:
        return _json(await desk.run(lambda: arithmetic.arithmetic_json(session, picture, node, channel, target)))


def _explanations(app: FastAPI, session: Session, desk: Desk) -> None:
    @app.get("/api/methods")
    async def methods() -> Response:
        return _json(explanations.methods_json(session))

    @app.get("/api/explain")
    async def explain(
        picture: Id,
        method: str,
        target: Id | None = None,
        node: Id | None = None,
        channel: Id | None = None,
        trust: bool = False,
    ) -> Response:
        told: Json = {"target": target, "place": node, "channel": channel, "trust": trust}
        return _json(await desk.run(lambda: explanations.explain_json(session, picture, method, **told), slow=True))


def _dreams(app: FastAPI, dreams: Dreams) -> None:
    @app.post("/api/dream")
    async def dream(request: Request) -> Response:
        asked = await body_json(request)
        steps = whole({"steps": 64} | asked, "steps", 1, MOST_STEPS)
        size = whole({"size": 128} | asked, "size", SMALLEST_SIDE, LARGEST_SIDE)
        return _json(dreams.start(whole(asked, "node"), whole(asked, "channel"), steps, size))

    @app.get("/api/job")
    async def job(job: Id) -> Response:
        return _json(dreams.job(job).json())

    @app.post("/api/cancel")
    async def cancel(request: Request) -> Response:
        return _json(dreams.cancel(whole(await body_json(request), "job")))


def _data(app: FastAPI, session: Session, desk: Desk, survey: Survey | None) -> None:
    async def answered(answer: Callable[[Survey], Any]) -> Response:
        def work() -> Any:
            session.samples()  # says that there are none where there are none
            assert survey is not None
            return answer(survey)

        return _json(await desk.run(work))

    @app.get("/api/strongest")
    async def strongest(node: Id, channel: Id, count: Some = 9) -> Response:
        return await answered(lambda walk: likeness.strongest_json(session, walk, node, channel, count))

    @app.get("/api/neighbours")
    async def neighbours(picture: Id, count: Some = 6) -> Response:
        return await answered(lambda walk: likeness.neighbours_json(session, walk, picture, count))

    @app.get("/api/confusion")
    async def confusion() -> Response:
        return await answered(lambda walk: likeness.confusion_json(session, walk))

    @app.get("/api/cell")
    async def cell(truth: Id, predicted: Id) -> Response:
        return await answered(lambda walk: likeness.cell_json(session, walk, truth, predicted))


async def warm() -> None:
    """Lets torch load what its first explanations and its first optimiser load, before somebody waits for them."""
    await asyncio.to_thread(_differentiate)
    await asyncio.sleep(PAUSE)
    await asyncio.to_thread(_optimise)


def _differentiate() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2))
    inputs = torch.ones(1, 1, 2, 2)
    for method in (explain.saliency, explain.grad_cam_plus_plus, explain.relevance):
        method(network, inputs, target=0)


def _optimise() -> None:
    x = torch.ones(1, requires_grad=True)
    x.grad = torch.ones(1)
    torch.optim.Adam([x]).step()


async def walk(survey: Survey, desk: Desk, pause: float = 0.02) -> None:
    """Looks through the data while nobody asks for anything."""
    while not survey.done:
        await asyncio.sleep(pause)
        await desk.beside(survey.step)
