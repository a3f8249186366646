"""A client for the explorer's application without a socket: each request runs the ASGI application once."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import httpx
import numpy as np
import torch

from neocog.web.desk import Desk
from neocog.web.server import application
from neocog.web.session import Session

TOKEN = "the-token"
BASE = "http://127.0.0.1:8765"


class Client:
    """Asks as the page does: with the token, of 127.0.0.1:8765."""

    def __init__(self, session: Session, *, desk: Desk | None = None) -> None:
        self.session = session
        self.app = application(session, TOKEN, desk=desk)

    def request(self, method: str, path: str, *, headers: dict[str, str] | None = None, **options: Any) -> Any:
        sent = {"X-Neocog-Token": TOKEN} | (headers or {})

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=True)
            async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
                return await client.request(method, path, headers={k: v for k, v in sent.items() if v}, **options)

        return asyncio.run(ask())

    def get(self, path: str, **params: Any) -> Any:
        """Returns the JSON of a GET that succeeds."""
        answer = self.request("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, **options: Any) -> Any:
        """Returns the JSON of a POST that succeeds."""
        answer = self.request("POST", path, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, method: str, path: str, status: int = 400, **options: Any) -> str:
        """Returns the one line with which a request is refused."""
        answer = self.request(method, path, **options)
        assert answer.status_code == status, (answer.status_code, answer.text)
        reason: str = answer.json()["error"]
        assert reason and "\n" not in reason and "Traceback" not in reason
        return reason


def decoded(array: dict[str, Any]) -> torch.Tensor:
    """Returns the numbers of an ARRAY."""
    numbers = np.frombuffer(base64.b64decode(array["data"]), dtype="<f4").astype(np.float64)
    return torch.from_numpy(numbers).reshape(array["shape"])
