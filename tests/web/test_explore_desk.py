"""The explorer's desk: one computation at a time, quick ones first, bounds on queue and time."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from explorer_client import Client
from explorer_models import model_of
from torch import Tensor, nn

from neocog.web import server
from neocog.web.desk import Busy, Desk
from neocog.web.session import Session


def test_a_queue_that_is_full_and_a_time_that_is_over_are_503(picture_bytes: bytes) -> None:
    class Slow(nn.Module):
        """Takes 20 ms a pass and counts them."""

        def __init__(self) -> None:
            super().__init__()
            self.head, self.passes = nn.Linear(3, 2), 0

        def forward(self, x: Tensor) -> Tensor:
            time.sleep(0.02)
            self.passes += 1
            return self.head(x.mean((2, 3)))

    network = Slow()
    session = Session(model_of(network, 3, 8, ("a", "b")))
    client = Client(session, desk=Desk(session.network, seconds=0.3))
    picture = client.post("/api/picture", content=picture_bytes)["picture"]
    # 16 orders of removal take some hundred passes.
    reason = client.refused("GET", f"/api/explain?picture={picture}&method=smoothgrad&trust=true", 503)
    assert "0.3 seconds" in reason
    for _ in range(100):  # it ends by itself the next time that it runs the network
        if not network._forward_pre_hooks:
            break
        time.sleep(0.1)
    before = network.passes
    time.sleep(0.1)
    assert network.passes == before
    assert client.get("/api/softmax", picture=picture)["sum"] > 1  # and others are answered

    full = Client(session, desk=Desk(session.network, waiting=0))
    assert "waiting" in full.refused("GET", "/api/network", 503)


def test_one_computation_at_a_time() -> None:
    desk = Desk(nn.Identity())
    running, most = 0, 0

    def work() -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        time.sleep(0.01)
        running -= 1
        return most

    async def many() -> list[Any]:
        return await asyncio.gather(*(desk.run(work) for _ in range(8)))

    assert set(asyncio.run(many())) == {1}
    desk.close()


def test_quick_computations_go_before_slow_ones() -> None:
    desk, order = Desk(nn.Identity()), []

    async def many() -> None:
        await asyncio.gather(
            desk.run(lambda: time.sleep(0.05), slow=True),
            desk.run(lambda: order.append("first slow"), slow=True),
            desk.run(lambda: order.append("second slow"), slow=True),
            desk.run(lambda: order.append("quick")),
        )

    asyncio.run(many())
    assert order == ["quick", "first slow", "second slow"]
    desk.close()


def test_who_gives_up_waiting_holds_up_nobody() -> None:
    desk = Desk(nn.Identity())

    async def many() -> list[Any]:
        answers = (
            desk.run(lambda: time.sleep(0.3)),
            desk.run(lambda: 1, seconds=0.05),
            desk.run(lambda: 2),
        )
        return await asyncio.gather(*answers, return_exceptions=True)

    found = asyncio.run(many())
    assert found[0] is None
    assert isinstance(found[1], Busy)
    assert found[2] == 2
    desk.close()


def test_a_closed_desk_gives_up(picture_bytes: bytes) -> None:
    network = nn.Identity()
    desk = Desk(network)

    async def ask() -> Any:
        desk._closed = True
        return await desk.run(lambda: 1)

    with pytest.raises(Busy):
        asyncio.run(ask())


def test_what_is_loaded_ahead_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "PAUSE", 0)
    asyncio.run(server.warm())
