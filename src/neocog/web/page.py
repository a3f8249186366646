"""One page in one file: the explorer with the answers for one picture inside it, to be mailed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from neocog.core.errors import NeocogError, ResourceError, UnreadableInput, UsageError
from neocog.web.arithmetic import arithmetic_json
from neocog.web.bundle import bundled
from neocog.web.encode import Json, to_json
from neocog.web.explanations import explain_json, methods_json
from neocog.web.kinds import Shown
from neocog.web.links import links_json
from neocog.web.maps import maps_json, ordered, picture_json, softmax_json
from neocog.web.network import network_json
from neocog.web.session import Session

MAPS, TARGETS = 12, 3
# Of small networks more is shown, since the page stays small.
FEW, MANY, SMALL = 4, 8, 1_000_000


def write_page(session: Session, path: Path, picture: str | Path | None) -> None:
    """Writes the page for a picture file or a text, or for the first sample of the session's data.

    Raises UsageError where there is neither, UnreadableInput for a file that is no picture, and ResourceError where
    the page cannot be written.
    """
    if path.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"a page is written as .html, not as {path.name!r}; change its ending.")
    if picture is not None:
        shown = session.add(str(picture)) if session.kind.name == "text" else _from_file(session, Path(picture))
    elif session.data is not None:
        shown = session.add_sample(0)
    else:
        raise UsageError("a page needs a picture: --picture IMAGE, or data behind the model.")
    answers = dict(embedded(session, shown.id))
    try:
        path.write_text(bundled(to_json(answers).decode()), encoding="utf-8", newline="\n")
    except OSError as error:
        raise ResourceError(f"cannot write {path}: {error.strerror}; choose another file.") from error


def _from_file(session: Session, path: Path) -> Shown:
    try:
        return session.add(path.read_bytes())
    except OSError as error:
        raise UnreadableInput(f"{path}: {error.strerror or error}") from error
    except UnreadableInput as error:
        raise UnreadableInput(f"{path}: {error}") from error


def embedded(session: Session, id: int) -> Iterator[tuple[str, Any]]:
    """Yields what the page may ask for about one picture, under the request's method, path and query."""
    network = network_json(session) | {"data": False, "samples": 0}
    picture = picture_json(session, session.picture(id))
    yield "GET /api/network", network
    yield "GET /api/samples", {"total": 0, "statement": "", "samples": []}
    yield "POST /api/picture", picture
    yield _key("softmax", picture=id), softmax_json(session, id)
    yield "GET /api/methods", methods_json(session)
    most = MANY if network["params"] < SMALL else FEW
    for place in range(len(session.nodes)):
        yield _key("maps", picture=id, node=place), maps_json(session, id, place, 0, MAPS, "strength")
        strongest = ordered(session.passed(id).values[place][0], "strength")[:most]
        for channel in dict.fromkeys((0, *strongest)):  # the first is the one that the page begins with
            where = {"picture": id, "node": place, "channel": channel}
            yield _key("links", **where), links_json(session, id, place, channel)
            yield _key("arithmetic", **where), arithmetic_json(session, id, place, channel)
    yield from _explained(session, id, [row["index"] for row in picture["prediction"][:TARGETS]])


def _explained(session: Session, id: int, targets: list[int]) -> Iterator[tuple[str, Json]]:
    for method in methods_json(session):
        if not method["fast"]:
            continue
        for target in targets if "target" in method["needs"] else [None]:
            try:
                found: Json = explain_json(session, id, method["name"], target=target)
            except NeocogError as error:  # a method that does not go with this network says so on the page
                found = {"error": " ".join(str(error).split())}
            told = {} if target is None else {"target": target}
            yield _key("explain", picture=id, method=method["name"], **told), found
            if target == targets[0]:  # the page asks so where no class was chosen
                yield _key("explain", picture=id, method=method["name"]), found


def _key(name: str, **query: int | str) -> str:
    return f"GET /api/{name}?{urlencode(query)}"
