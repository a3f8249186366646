"""``explore``: a local page in which a person walks through their own network."""

from __future__ import annotations

import contextlib
import secrets
import socket
import sys
import webbrowser
from collections.abc import Callable
from pathlib import Path

from neocog.core.errors import ResourceError, UsageError
from neocog.data.text_lines import ENCODING
from neocog.data.text_rows import Reading
from neocog.tasks.model import Model
from neocog.verbs.opening import open_model
from neocog.web.samples import Samples, open_samples
from neocog.web.session import Session

LOCAL = "127.0.0.1"


def explore(
    model: str | Path | Model,
    data: str | Path | None = None,
    *,
    port: int = 0,
    browser: bool = True,
    html: str | Path | None = None,
    picture: str | Path | None = None,
    root: str | Path | None = None,
    encoding: str | None = None,
    text_column: str | None = None,
    label_column: str | None = None,
    device: str | None = None,
    net: str | None = None,
    say: Callable[[str], None] | None = None,
) -> None:
    """Serves the explorer's page on this machine until it is interrupted, or writes one page into a file.

    ``model`` is a model file, a loaded model or a network of the zoo with its ImageNet weights; ``data`` whatever
    `neocog.train` takes, for samples beside one's own pictures, and ``root`` where a known set lies. ``port`` 0 is a
    free one; the page is opened in a ``browser``, and its address given to ``say`` (standard error unless told). With
    ``html`` nothing is served: the page for ``picture`` (a file, for a model of texts the text itself, or the first
    sample of ``data``) is written there whole. ``encoding`` and the columns say how files of texts are read. ``net`` is
    the ``module:function`` of a network of your own, whose code then runs.

    Raises ResourceError for a port that is taken and a file that cannot be written; UsageError, ModelFileError,
    DataError and UnreadableInput as opening model, data and picture does.
    """
    tell = say or (lambda line: print(line, file=sys.stderr))  # noqa: T201
    if html is None and picture is not None:
        raise UsageError("--picture goes with --html FILE; drop a picture on the page instead.")
    if not 0 <= port <= 65535:
        raise UsageError(f"a port is a number from 1 to 65535, or 0 for a free one; got {port}.")
    loaded = open_model(model, device, net=net)
    reading = Reading(encoding or ENCODING, text_column, label_column)
    session = Session(loaded, None if data is None else _samples(loaded, data, root, reading))
    if html is not None:
        from neocog.web.page import write_page

        write_page(session, Path(html), picture)
        tell(f"neocog: the page is {html}")
        return
    with listening(port) as sock:
        serve(session, sock, browser=browser, say=tell)


def _samples(model: Model, data: str | Path, root: str | Path | None, reading: Reading) -> Samples:
    return open_samples(model.contract, data, root=root, reading=reading)


def listening(port: int) -> socket.socket:
    """Returns a socket bound to this machine's own address alone.

    Raises ResourceError where the port is taken or not allowed.
    """
    # Said to be TCP, so that asyncio sends small answers at once.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((LOCAL, port))
        sock.listen(64)
    except OSError as error:
        sock.close()
        raise ResourceError(f"port {port} of {LOCAL}: {error.strerror}; choose another --port, or 0.") from error
    return sock


def serve(session: Session, sock: socket.socket, *, browser: bool, say: Callable[[str], None]) -> None:
    """Answers on the socket until Ctrl-C; the address with its token is told first."""
    import uvicorn

    from neocog.web.server import application

    token = secrets.token_urlsafe(32)
    address = f"http://{LOCAL}:{sock.getsockname()[1]}/?token={token}"
    say(f"neocog: {address}  (Ctrl-C ends)")
    settings = uvicorn.Config(
        application(session, token),
        log_level="error",
        access_log=False,
        server_header=False,
        limit_concurrency=64,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=1,
        ws="none",
        proxy_headers=False,
    )
    if browser:
        webbrowser.open(address)
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(settings).run(sockets=[sock])
