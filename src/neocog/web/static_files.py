"""The page's own files: looked up in a list of what is there, so that no path of a request ever reaches the disk."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path, PurePosixPath

from fastapi import FastAPI, Response
from starlette.exceptions import HTTPException

KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".png": "image/png",
}


def folder() -> Path:
    """Returns where the page's files lie."""
    return Path(str(files("neocog.web").joinpath("static")))


def listed() -> dict[str, Path]:
    """Returns the page's files by the name under which they are asked for."""
    root = folder()
    return {path.relative_to(root).as_posix(): path for path in sorted(root.rglob("*")) if path.suffix in KINDS}


def add(app: FastAPI) -> None:
    """Serves the index page at ``/`` and the rest below ``/static/``."""

    @app.get("/")
    def index() -> Response:
        return _file("index.html")

    @app.get("/static/{name:path}")
    def static(name: str) -> Response:
        return _file(name)


def _file(name: str) -> Response:
    found = listed().get(name)
    if found is None:
        raise HTTPException(404)
    return Response(found.read_bytes(), media_type=KINDS[PurePosixPath(name).suffix])
