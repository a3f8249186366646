"""The explorer's page in Chromium: every feature is clicked through, and its numbers are torch's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from explorer_browser import Watched, chromium, chromium_or_skip, opened, served
from explorer_models import small_samples, zoo_model
from torch.nn import functional

from neocog.web.session import Session

SIDE = 32


@pytest.fixture(scope="module")
def session() -> Session:
    chromium_or_skip()
    model = zoo_model("lenet5_modern")
    return Session(model, small_samples(model.classes, side=SIDE))


@pytest.fixture(scope="module")
def window(session: Session) -> Iterator[tuple[Any, str]]:
    with served(session) as address, chromium() as browser:
        yield browser, address


@pytest.fixture
def watched(window: tuple[Any, str]) -> Iterator[Watched]:
    """The page with its first picture; it must have complained of nothing and asked nobody else."""
    found = opened(*window, permissions=["camera"], reduced_motion="reduce")
    found.ready()
    yield found
    assert found.complaints == []
    assert len(found.hosts()) == 1
    found.page.context.close()


@pytest.fixture
def values(session: Session) -> dict[str, torch.Tensor]:
    """What torch makes of the first sample, by layer; ``input`` is the network's input."""
    pixels = session.readable(0)
    assert pixels is not None
    found = {"input": session.inputs_of(pixels)[0].double()}
    network = session.network
    hooks = [
        layer.register_forward_hook(lambda _m, _i, made, name=name: found.update({name: made[0].double()}))
        for name, layer in network.named_children()
    ]
    try:
        with torch.no_grad():
            network(session.inputs_of(pixels))
    finally:
        for hook in hooks:
            hook.remove()
    return found


def choose(page: Any, node: int, channel: int) -> None:
    column = page.locator(f'.column[data-node="{node}"]')
    column.scroll_into_view_if_needed()
    button = column.locator(f'[data-channel="{channel}"]')
    button.click()
    page.locator(f'.column[data-node="{node}"] [data-channel="{channel}"][aria-pressed="true"]').wait_for()


def place(page: Any) -> tuple[int, int]:
    row, column = re.findall(r"\d+", page.locator("#arithmetic .controls .place").inner_text())
    return int(row), int(column)


def node_of(session: Session, name: str) -> int:
    return next(index for index, node in enumerate(session.nodes) if node.name == name)


def headed(page: Any, title: str) -> None:
    page.locator(f'#arithmetic-title:has-text("{title}")').wait_for()


def test_a_convolution_adds_up_to_what_torch_computes(
    watched: Watched, session: Session, values: dict[str, torch.Tensor]
) -> None:
    page, channel = watched.page, 5
    choose(page, node_of(session, "c3"), channel)
    headed(page, f"c3, map {channel}")
    page.locator("#arithmetic .pixels.control").focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "ArrowLeft"):
        page.keyboard.press(key)
    row, column = place(page)
    expected = values["c3"][channel, row, column].item()
    assert watched.becomes("#arithmetic .total output", expected, 1e-5)
    computed = float(page.locator("#arithmetic .total output").get_attribute("data-computed"))
    assert computed == pytest.approx(expected, abs=1e-5)

    page.click("#arithmetic button:has-text('show all')")
    lines = page.locator("#arithmetic .addition li:not(.plain)")
    assert lines.count() == 6
    layer = session.network.get_submodule("c3")
    patch = values["s2"][:, row : row + 5, column : column + 5]
    products = (patch * layer.weight[channel].double()).sum((1, 2))
    shown = {}
    for index in range(6):
        name = lines.nth(index).locator("button").inner_text()
        shown[int(name.split()[-1])] = float(lines.nth(index).locator("data").get_attribute("value"))
    assert [shown[index] for index in range(6)] == pytest.approx(products.tolist(), abs=1e-5)

    cells = page.locator("#arithmetic .grid").first.locator("td")
    first = int(lines.first.locator("button").inner_text().split()[-1])
    titles = [float(cells.nth(index).get_attribute("title")) for index in range(25)]
    assert titles == pytest.approx(patch[first].flatten().tolist(), abs=1e-5)


def test_hovering_moves_the_window_and_the_field_on_the_picture(watched: Watched) -> None:
    page = watched.page
    area = page.locator("#arithmetic .pixels.control")
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    page.mouse.move(box["x"] + box["width"] * (10.5 / 28), box["y"] + box["height"] * (3.5 / 28))
    assert place(page) == (3, 10)
    field = page.locator("#picture .mark.field")
    assert [float(field.get_attribute(name)) for name in ("x", "y", "width", "height")] == [10, 3, 5, 5]
    assert "rows 3 to 7, columns 10 to 14" in page.locator(".sees").inner_text()
    page.locator("#said:has-text('Row 3, column 10.')").wait_for(state="attached")


def test_the_window_slides_pauses_and_steps(window: tuple[Any, str]) -> None:
    found = opened(*window)
    page = found.ready()
    choose(page, 1, 2)
    headed(page, "map 2")
    player = page.locator("#arithmetic .play")
    page.locator("#arithmetic .play:has-text('Pause')").wait_for()
    player.click()
    here = place(page)
    page.wait_for_timeout(200)
    assert place(page) == here
    page.click("#arithmetic button:has-text('Step ›')")
    at = here[0] * 28 + here[1] + 1
    assert place(page) == divmod(at, 28)
    page.locator("#arithmetic input[type=range]").fill("6")
    player.click()
    page.wait_for_timeout(300)
    assert place(page) != divmod(at, 28)
    assert found.complaints == []
    page.context.close()


def test_pooling_marks_the_winner_and_sends_the_gradient_to_it(
    watched: Watched, session: Session, values: dict[str, torch.Tensor]
) -> None:
    page, channel = watched.page, 1
    choose(page, node_of(session, "s2"), channel)
    headed(page, "s2, map 1")
    row, column = place(page)
    assert watched.number(".way.forward .equation") == pytest.approx(
        values["s2"][channel, row, column].item(), abs=1e-6
    )
    given = values["c1_relu"][channel, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
    winners = page.locator(".way.forward td")
    marked = ["★" in winners.nth(index).inner_text() for index in range(4)]
    assert marked.index(True) == int(given.argmax())
    assert sum(marked) == 1
    pixels = session.readable(0)
    assert pixels is not None
    inner = session.inputs_of(pixels)
    network = session.network
    caught: list[torch.Tensor] = []
    hook = network.get_submodule("s2").register_forward_hook(lambda _m, _i, made: caught.append(made) or made)
    try:
        logits = network(inner.requires_grad_(True))
        (gradient,) = torch.autograd.grad(logits[0, logits.argmax()], caught[0])
    finally:
        hook.remove()
    assert watched.number(".way.backward .equation") == pytest.approx(
        gradient[0, channel, row, column].item(), abs=1e-6
    )
    assert "all of it goes to the winner" in page.locator(".way.backward").inner_text()


def test_activations_dense_units_and_softmax(
    watched: Watched, session: Session, values: dict[str, torch.Tensor]
) -> None:
    page = watched.page
    choose(page, node_of(session, "c1_relu"), 0)
    headed(page, "c1_relu")
    row, column = place(page)
    before, after = (float(each.get_attribute("value")) for each in page.locator("#arithmetic .equation data").all())
    assert before == pytest.approx(values["c1"][0, row, column].item(), abs=1e-6)
    assert after == max(before, 0)
    choose(page, node_of(session, "head"), 3)
    headed(page, "head, unit class 3")
    logits = values["head"]
    assert watched.becomes("#arithmetic tr.total", logits[3].item(), 1e-5)
    top = page.locator("#arithmetic tbody tr").first
    index = int(top.locator("th").inner_text())
    numbers = [float(each.get_attribute("value")) for each in top.locator("data").all()]
    weight = session.network.get_submodule("head").weight[3, index].item()
    assert numbers == pytest.approx([numbers[0], weight, numbers[0] * weight], abs=1e-6)
    probabilities = functional.softmax(logits, 0).sort(descending=True)
    rows = page.locator("#output tbody tr")
    shown = [float(rows.nth(each).locator("data").nth(3).get_attribute("value")) for each in range(10)]
    assert shown == pytest.approx(probabilities.values.tolist(), abs=1e-6)
    assert rows.first.locator("th").inner_text() == session.classes[probabilities.indices[0]]


def test_links_are_weighted_by_contribution(watched: Watched, session: Session) -> None:
    page = watched.page
    choose(page, node_of(session, "c3"), 2)
    page.locator(".lines .link").first.wait_for(state="attached")
    assert page.locator(".lines .link").count() == 6
    widths = [float(each.get_attribute("stroke-width")) for each in page.locator(".lines .link").all()]
    assert widths == sorted(widths)  # the strongest lies on top
    assert np.isclose(widths[-1], 5.75)


def test_explanations_with_trust_beside_each_other(watched: Watched) -> None:
    page = watched.page
    page.locator("#explanations").scroll_into_view_if_needed()
    page.locator("#explanations .overlay").first.wait_for()
    assert page.locator(".beside thead th").count() == 3
    page.locator("#explanations select").select_option(index=1)
    assert page.locator(".beside thead th").count() == 4
    page.locator("#explanations button:has-text('Trust')").first.click()
    page.locator("dl.trust").wait_for()
    assert "deletion" in page.locator("dl.trust").inner_text()


def test_a_unit_dreams_and_has_strongest_patches(watched: Watched, session: Session) -> None:
    page = watched.page
    choose(page, node_of(session, "c1"), 1)
    page.click("button:has-text('Find them')")
    page.locator(".patches button").first.wait_for()
    assert page.locator(".patches button").count() == 9
    page.fill("#dream-steps", "12")
    page.click("#unit button.primary")
    page.locator(".dreamed img").wait_for()
    page.locator("#unit progress").wait_for(state="hidden")
    assert page.locator("#unit button.primary").is_enabled()


def test_neighbours_confusion_and_their_pictures(watched: Watched) -> None:
    page = watched.page
    page.click("button:has-text('Find the nearest')")
    page.locator("#data .thumbs.wide button").first.wait_for()
    assert page.locator("#data .thumbs.wide button").count() == 6
    page.click("button:has-text('Test on the data')")
    page.locator(".matrix button").first.wait_for()
    page.locator("#data .note:has-text('30 pictures looked at')").wait_for()
    assert sum(int(each.inner_text()) for each in page.locator(".matrix button").all()) == 30
    page.locator(".matrix button").first.click()
    sample = page.locator(".cell .thumbs button").first
    sample.wait_for()
    number = sample.get_attribute("data-sample")
    with page.expect_request("**/api/sample") as asked:
        sample.click()
    assert asked.value.post_data_json == {"index": int(number or -1)}


def test_the_widget_computes_sizes(watched: Watched, session: Session) -> None:
    page = watched.page
    page.fill("#knob-input", "8")
    page.fill("#knob-padding", "0")
    assert page.locator(".formula").inner_text() == "⌊(8 + 2 × 0 − 3) / 2⌋ + 1 = 3"
    assert "1 last row" in page.locator("#sizes .note").inner_text()
    choose(page, node_of(session, "c1"), 0)
    page.click("button.take")
    assert page.locator(".formula").inner_text() == "⌊(32 + 2 × 0 − 5) / 1⌋ + 1 = 28"
    page.fill("#knob-kernel", "40")
    assert page.locator("#knob-kernel").get_attribute("aria-invalid") == "true"
