"""What keeps other pages and other machines out: the Host, the Origin, the token, the size of what is sent."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from neocog.web.encode import to_json

LARGEST_BODY = 20 * 1024 * 1024
TOKEN_HEADER = b"x-neocog-token"
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(self), microphone=(self), geolocation=()"),
)


class TooLarge(Exception):
    """A body of more than `LARGEST_BODY` bytes."""


class Guard:
    """ASGI middleware: refuses what is not asked by our own page, and adds the headers that bind the page.

    The Host has to be this machine's own address with the port that the request came to: a name that an attacker makes
    point here (DNS rebinding) is another. The Origin, where one is sent, has to be the same, so that no other page can
    ask. Below ``/api/`` the token is asked for, too, and compared in constant time.
    """

    def __init__(self, application: Any, token: str, largest: int = LARGEST_BODY) -> None:
        self._application = application
        self._token = token.encode()
        self._largest = largest

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] == "lifespan":
            await self._application(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # no other protocol is spoken
        refusal = self._refusal(scope)
        if refusal:
            await answer(_with_headers(send), *refusal)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await _with_headers(send)(message)

        try:
            await self._application(scope, self._counted(receive), watched)
        except TooLarge:
            if not started:
                await answer(_with_headers(send), *self._too_large())

    def _refusal(self, scope: Message) -> tuple[int, str] | None:
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        port = scope["server"][1]
        ends = (f":{port}", "") if port == 80 else (f":{port}",)  # browsers leave the usual port out
        hosts = {f"{name}{end}".encode() for name in ("127.0.0.1", "localhost") for end in ends}
        asked = [value for name, value in headers if name == b"host"]
        if len(asked) != 1 or asked[0] not in hosts:
            return 403, "this server answers for 127.0.0.1 and localhost only; open the address that it printed."
        origins = [value for name, value in headers if name == b"origin"]
        if any(each not in {b"http://" + host for host in hosts} for each in origins):
            return 403, "another page asked for this; open the address that the server printed."
        if scope["path"].startswith("/api") and not self._has_token(headers):
            return 403, "the token is missing or wrong; open the address that the server printed."
        lengths = [value for name, value in headers if name == b"content-length"]
        if any(not each.isdigit() or len(each) > 15 or int(each) > self._largest for each in lengths):
            return self._too_large()
        return None

    def _has_token(self, headers: list[tuple[bytes, bytes]]) -> bool:
        sent = [value for name, value in headers if name == TOKEN_HEADER]
        return len(sent) == 1 and hmac.compare_digest(sent[0], self._token)

    def _too_large(self) -> tuple[int, str]:
        return 413, f"at most {self._largest // 2**20} MiB can be sent at once."

    def _counted(self, receive: Receive) -> Receive:
        total = 0

        async def counted() -> Message:
            nonlocal total
            message = await receive()
            total += len(message.get("body", b""))
            if total > self._largest:
                raise TooLarge
            return message

        return counted


def _with_headers(send: Send) -> Send:
    async def adding(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = {name for name, _ in HEADERS}
            others = [(name, value) for name, value in message.get("headers", []) if name.lower() not in own]
            message = {**message, "headers": [*others, *HEADERS]}
        await send(message)

    return adding


async def answer(send: Send, status: int, reason: str) -> None:
    """Sends an error as JSON."""
    body = to_json({"error": reason})
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
