"""Who may ask, what may be sent, and that nothing but one line of JSON comes back where something is wrong."""

from __future__ import annotations

import asyncio
import io
import struct
import zlib
from typing import Any

import httpx
import pytest
from explorer_client import BASE, TOKEN, Client
from explorer_models import model_of
from PIL import Image
from torch import Tensor, nn

from neocog.web.safety import LARGEST_BODY, Guard
from neocog.web.session import Session

PATHS = ["/", "/static/main.js", "/api/network", "/api/samples", "/api/nothing", "/nothing"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "127.0.0.1:8766", "localhost.evil.example:8765", "[::1]:8765", ""]
)
def test_another_host_is_refused_everywhere(lenet: Client, path: str, host: str) -> None:
    answer = lenet.request("GET", path, headers={"Host": host} if host else {"Host": " "})
    assert answer.status_code == 403 and "127.0.0.1" in answer.json()["error"]


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765"])
def test_our_own_hosts_are_answered(lenet: Client, host: str) -> None:
    answer = lenet.request("GET", "/api/methods", headers={"Host": host, "Origin": f"http://{host}"})
    assert answer.status_code == 200


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:8765", "http://127.0.0.1:1"])
def test_another_origin_is_refused_everywhere(lenet: Client, path: str, origin: str) -> None:
    answer = lenet.request("GET", path, headers={"Origin": origin})
    assert answer.status_code == 403 and "another page" in answer.json()["error"]


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x", TOKEN[:-1], TOKEN.upper()])
@pytest.mark.parametrize("path", ["/api/network", "/api/nothing", "/api", "/api/picture", "/api/dream"])
def test_without_the_token_nothing_is_told(lenet: Client, token: str, path: str) -> None:
    for method in ("GET", "POST"):
        answer = lenet.request(method, path, headers={"X-Neocog-Token": token})
        assert answer.status_code == 403 and "token" in answer.json()["error"]
    assert lenet.request("GET", f"{path}?token={TOKEN}", headers={"X-Neocog-Token": token}).status_code == 403


def test_no_answer_may_be_kept_framed_or_run(lenet: Client) -> None:
    for path in PATHS:
        headers = lenet.request("GET", path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "script-src 'self'" in policy and "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy and "http:" not in policy
        assert headers["cache-control"] == "no-store" and headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in headers
    assert lenet.request("OPTIONS", "/api/network", headers={"Origin": "http://evil.example"}).status_code == 403


@pytest.mark.parametrize(
    "path",
    ["../server.py", "%2e%2e/server.py", "..%2fserver.py", "/etc/passwd", "%2fetc%2fpasswd", "main.js/../../server.py",
     "index.html%00.js", "C:\\boot.ini", "", "."],
)  # fmt: skip
def test_no_path_reaches_the_disk(lenet: Client, path: str) -> None:
    answer = lenet.request("GET", f"/static/{path}")
    assert answer.status_code == 404 and b"import" not in answer.content


def test_documentation_pages_that_load_foreign_scripts_are_off(lenet: Client) -> None:
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert lenet.request("GET", path).status_code == 404


def test_a_large_body_is_refused_by_its_length(lenet: Client) -> None:
    headers = {"Content-Length": str(LARGEST_BODY + 1)}
    assert "20 MiB" in lenet.refused("POST", "/api/picture", 413, content=b"x", headers=headers)
    for length in ("-1", "x", "9" * 40):
        assert (
            lenet.request("POST", "/api/picture", content=b"x", headers={"Content-Length": length}).status_code == 413
        )


@pytest.mark.parametrize("path", ["/api/picture", "/api/sample", "/api/dream", "/api/nothing"])
def test_a_large_body_without_a_length_is_refused_while_it_comes(lenet: Client, path: str) -> None:
    sent = 0

    async def stream() -> Any:
        nonlocal sent
        for _ in range(64):
            sent += 1 << 20
            yield bytes(1 << 20)

    answer = lenet.request("POST", path, content=stream())
    assert answer.status_code == (404 if path.endswith("nothing") else 413)
    assert "error" in answer.json()


def png_of(width: int, height: int) -> bytes:
    """Returns a PNG of black pixels whose data are as small as they can be."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    packed = zlib.compressobj(9)
    data = packed.compress(bytes((width + 1) * height)) + packed.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def test_a_decompression_bomb_is_refused_by_its_header(lenet: Client) -> None:
    bomb = png_of(9000, 8000)
    assert len(bomb) < 1 << 18
    assert "pixels" in lenet.refused("POST", "/api/picture", content=bomb)


@pytest.mark.parametrize(
    "raw", [b"", b"no picture", b"\x89PNG\r\n\x1a\n", b"<svg onload=alert(1)>", b"\xff\xd8\xff\xe0" + b"x" * 99]
)
def test_what_is_no_picture_is_refused(lenet: Client, raw: bytes) -> None:
    reason = lenet.refused("POST", "/api/picture", content=raw)
    assert "<svg" not in lenet.request("POST", "/api/picture", content=raw).text and reason


def test_a_cut_picture_is_refused(lenet: Client, picture_bytes: bytes) -> None:
    lenet.refused("POST", "/api/picture", content=picture_bytes[: len(picture_bytes) // 2])
    written = io.BytesIO()
    Image.new("RGB", (64, 64)).save(written, "jpeg")
    lenet.refused("POST", "/api/picture", content=written.getvalue()[:300])


BAD_NUMBERS = ["-1", "x", "1.5", "9" * 30, "1e3", "NaN", "", "0x1", "2147483648", "%00"]


@pytest.mark.parametrize("number", BAD_NUMBERS)
def test_strange_numbers_are_refused(lenet: Client, shown: int, number: str) -> None:
    queries = [
        f"/api/maps?picture={number}&node=1",
        f"/api/maps?picture={shown}&node={number}",
        f"/api/maps?picture={shown}&node=1&from={number}",
        f"/api/maps?picture={shown}&node=1&count={number}",
        f"/api/arithmetic?picture={shown}&node=1&channel={number}",
        f"/api/arithmetic?picture={shown}&node=1&channel=0&target={number}",
        f"/api/links?picture={shown}&node={number}&channel=0",
        f"/api/field?node=1&row={number}",
        f"/api/explain?picture={shown}&method=saliency&target={number}",
        f"/api/job?job={number}",
        f"/api/strongest?node=1&channel={number}",
        f"/api/cell?truth={number}&predicted=0",
    ]
    for query in queries:
        lenet.refused("GET", query)


def test_unknown_ids_are_refused_by_name(lenet: Client, shown: int) -> None:
    for query, word in [
        ("/api/maps?picture=999&node=1", "picture 999"),
        (f"/api/maps?picture={shown}&node=999", "0 to 12"),
        (f"/api/arithmetic?picture={shown}&node=1&channel=6", "0 to 5"),
        (f"/api/arithmetic?picture={shown}&node=3&channel=0&target=10", "0 to 9"),
        (f"/api/maps?picture={shown}&node=1&order=random", "index or strength"),
        (f"/api/maps?picture={shown}&node=1&count=257", "count"),
        ("/api/field?node=1&row=28", "28x28"),
        (f"/api/explain?picture={shown}&method=__class__", "saliency"),
        (f"/api/explain?picture={shown}&method=saliency&target=10", "0 to 9"),
        ("/api/job?job=77", "77"),
        ("/api/cell?truth=10&predicted=0", "0 to 9"),
        ("/api/maps", "picture"),
    ]:
        assert word in lenet.refused("GET", query)


BODIES = [b"", b"[]", b"{", b"null", b'{"index": "0"}', b'{"index": true}', b'{"index": -1}', b'{"index": 30}',
          b'{"index": 1e400}', b'{"index": 0.5}', b"[" * 100_000, b"\xff\xfe", b'{"index": {}}',
          b'{"index": ' + b"9" * 5000 + b"}"]  # fmt: skip


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_strange_bodies_are_refused(lenet: Client, body: bytes) -> None:
    lenet.refused("POST", "/api/sample", content=body)
    lenet.refused("POST", "/api/dream", content=body)
    lenet.refused("POST", "/api/cancel", content=body)


@pytest.mark.parametrize(
    "asked",
    [
        {"node": 1, "channel": 0, "steps": 257},
        {"node": 1, "channel": 0, "steps": 0},
        {"node": 1, "channel": 0, "size": 225},
        {"node": 1, "channel": 0, "size": 1},
        {"node": 1, "channel": 6},
        {"node": 99, "channel": 0},
        {"node": 0, "channel": 0},
        {"channel": 0},
    ],
)
def test_dreams_have_bounds(lenet: Client, asked: dict[str, int]) -> None:
    lenet.refused("POST", "/api/dream", json=asked)


def test_class_names_stay_text(picture_bytes: bytes) -> None:
    names = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "a\u202eb\x00\ud800")

    class Flat(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(3, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(x.mean((2, 3)))

    client = Client(Session(model_of(Flat(), 3, 8, names)))
    answers = [
        client.request("GET", "/api/network"),
        client.request("POST", "/api/picture", content=picture_bytes),
        client.request("GET", "/api/softmax?picture=0"),
    ]
    for answer in answers:
        assert answer.headers["content-type"] == "application/json"
        assert b"<" not in answer.content
    assert tuple(answers[0].json()["classes"]) == names


def test_an_unexpected_error_is_one_line(lenet: Client, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    from neocog.web import maps

    def fail(*_: Any) -> Any:
        raise KeyError("two\nlines")

    monkeypatch.setattr(maps, "samples_json", fail)
    assert "KeyError" in lenet.refused("GET", "/api/samples", 500)
    assert capsys.readouterr().err.count("\n") == 1


def test_the_guard_speaks_http_alone() -> None:
    async def never(*_: Any) -> None:
        raise AssertionError("asked")

    asyncio.run(Guard(never, TOKEN)({"type": "websocket", "path": "/", "headers": []}, never, never))


def test_two_hosts_or_tokens_are_refused(lenet: Client) -> None:
    for name, values in (("Host", ["127.0.0.1:8765", "evil"]), ("X-Neocog-Token", [TOKEN, "x"])):
        pairs = [("X-Neocog-Token", TOKEN)] if name == "Host" else []

        async def ask(pairs: Any = pairs, name: str = name, values: Any = values) -> httpx.Response:
            transport = httpx.ASGITransport(app=lenet.app)
            async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
                return await client.get("/api/network", headers=[*pairs, *((name, each) for each in values)])

        assert asyncio.run(ask()).status_code == 403
