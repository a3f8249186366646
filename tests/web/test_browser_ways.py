"""The explorer's page in Chromium: the ways in, the keyboard, colours, small screens, folded stages, mailed pages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from explorer_browser import chromium, chromium_or_skip, opened, served
from explorer_models import small_samples, zoo_model

from neocog.web.page import write_page
from neocog.web.session import Session

DROP = """([target, bytes]) => {
  const data = new DataTransfer();
  data.items.add(new File([Uint8Array.from(bytes)], "own.png", { type: "image/png" }));
  const event = target === "paste" ? new ClipboardEvent("paste", { clipboardData: data, bubbles: true })
    : new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
  document.body.dispatchEvent(event);
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def small() -> Iterator[str]:
    """LeNet-5 without data."""
    chromium_or_skip()
    with served(Session(zoo_model("lenet5_modern"))) as address:
        yield address


@pytest.fixture(scope="module")
def folded() -> Iterator[str]:
    """A residual network with data, whose stages fold."""
    chromium_or_skip()
    model = zoo_model("resnet20", side=32)
    with served(Session(model, small_samples(model.classes, side=32, count=6))) as address:
        yield address


NODES = """async () => {
  const headers = { "X-Neocog-Token": sessionStorage.getItem("neocog-token") };
  return (await (await fetch("/api/network", { headers })).json()).nodes.length;
}"""
# How many controls that can be seen have no name for those who cannot see them.
NAMELESS = """() => [...document.querySelectorAll("button, input:not([aria-hidden]), select")]
  .filter((each) => each.checkVisibility() && !each.textContent && !each.ariaLabel && !each.labels?.length).length"""


def likely(page: Any) -> str:
    text: str = page.locator(".likely").inner_text()
    return text


def test_own_pictures_by_file_drop_and_paste(browser: Any, small: str, picture_bytes: bytes) -> None:
    found = opened(browser, small)
    page = found.page
    page.locator(".present .note:has-text('Drop, paste, draw or open')").wait_for()
    sent = []
    page.on("response", lambda answer: sent.append(answer.status) if answer.url.endswith("/api/picture") else None)
    own = {"name": "own.png", "mimeType": "image/png", "buffer": picture_bytes}
    page.set_input_files("input[type=file]", own)
    found.ready()
    first = likely(page)
    assert "%" in first
    for way in ("drop", "paste"):
        with page.expect_response("**/api/picture"):
            page.evaluate(DROP, [way, list(picture_bytes)])
    assert sent == [200, 200, 200]
    assert likely(page) == first
    assert found.complaints == []
    page.context.close()


def test_what_is_no_picture_is_refused_in_words(browser: Any, small: str) -> None:
    found = opened(browser, small)
    page = found.page
    page.locator(".present .note").wait_for()
    page.set_input_files("input[type=file]", {"name": "<b>x</b>.txt", "mimeType": "text/plain", "buffer": b"<b>no</b>"})
    page.locator(".trouble .sorry").wait_for()
    assert page.locator(".trouble b").count() == 0
    assert page.locator(".trouble .sorry").get_attribute("role") == "alert"
    page.context.close()


def test_drawing_by_hand_and_by_keys_and_the_camera(browser: Any, small: str) -> None:
    found = opened(browser, small, permissions=["camera"])
    page = found.page
    page.click("#picture button:has-text('Draw')")
    pad = page.locator("canvas.pad")
    box = pad.bounding_box()
    with page.expect_response("**/api/picture") as drawn:
        page.mouse.move(box["x"] + 100, box["y"] + 40)
        page.mouse.down()
        page.mouse.move(box["x"] + 110, box["y"] + 180, steps=5)
        page.mouse.up()
    assert drawn.value.ok
    page.click(".pad-tool button:has-text('Clear')")
    pad.focus()
    for key in ("Space", *["ArrowDown"] * 6, "Space"):
        page.keyboard.press(key)
    with page.expect_response("**/api/picture") as keyed:
        page.click(".pad-tool button.primary")
    assert keyed.value.ok
    assert keyed.value.json()["shown"] != drawn.value.json()["shown"]
    page.click("#picture button:has-text('Camera')")
    page.locator("video").wait_for()
    page.wait_for_timeout(1000)
    with page.expect_response("**/api/picture") as taken:
        page.click("text=Take the picture")
    assert taken.value.ok
    page.click("#picture button:has-text('Camera')")
    assert page.locator("video").count() == 0
    assert found.complaints == []
    page.context.close()


@pytest.mark.parametrize(("kind", "shown"), [("text", "textarea#own-text"), ("sound", "button:has-text('Record')")])
def test_texts_and_sounds_have_their_own_ways_in(browser: Any, small: str, kind: str, shown: str) -> None:
    found = opened(browser, "about:blank")
    page = found.page

    def answer(route: Any) -> None:
        network = route.fetch()
        route.fulfill(response=network, body=json.dumps(network.json() | {"kind": kind}))

    page.route("**/api/network", answer)
    page.goto(small)
    page.wait_for_selector("html[data-ready]")
    assert page.locator(f".own {shown}").count() == 1
    assert page.locator(".own button:has-text('Camera')").count() == 0
    page.context.close()


def test_the_token_leaves_the_address_and_stays_in_use(browser: Any, small: str) -> None:
    found = opened(browser, small)
    page = found.page
    page.wait_for_selector("html[data-ready]")
    assert "token" not in page.url
    page.reload()
    page.wait_for_selector("html[data-ready]")
    assert found.complaints == []
    page.context.close()


def test_the_keyboard_alone_is_enough(browser: Any, folded: str) -> None:
    found = opened(browser, folded, reduced_motion="reduce")
    page = found.ready()
    page.locator(".column[data-node='1'] [data-channel]").first.wait_for()
    assert page.locator('.strip [data-channel][tabindex="0"]').count() == 1
    page.locator('.strip [data-channel][tabindex="0"]').focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    here = page.evaluate(
        "() => [document.activeElement.closest('.column').dataset.node, document.activeElement.dataset.channel]"
    )
    page.keyboard.press("Enter")
    page.locator(f".column[data-node='{here[0]}'] [data-channel='{here[1]}'][aria-pressed='true']").wait_for()
    assert here[0] == "1"
    page.locator("button.fold").first.focus()
    page.keyboard.press("Enter")
    fold = page.locator("button.fold").first
    assert fold.get_attribute("aria-expanded") == "true"
    assert page.evaluate("() => document.activeElement.classList.contains('fold')")
    assert page.evaluate(NAMELESS) == 0
    assert found.complaints == []
    page.context.close()


def test_stages_fold_and_only_what_is_seen_is_asked_for(browser: Any, folded: str) -> None:
    found = opened(browser, folded)
    page = found.ready()
    page.wait_for_timeout(500)
    columns = page.locator(".column").count()
    nodes = page.evaluate(NODES)
    assert columns < nodes
    page.locator(".folded [data-channel]").first.click()
    page.locator(".folded [aria-pressed=true]").wait_for()  # choosing a map of a folded stage does not open it
    assert page.locator(".column").count() == columns
    page.click("button:has-text('Open all')")
    page.wait_for_timeout(1000)
    assert page.locator(".column").count() == nodes
    asked = len(found.asked("/api/maps"))
    assert asked < nodes / 2
    page.locator(".column").last.scroll_into_view_if_needed()
    page.locator(".column").last.locator("button").first.wait_for()
    assert len(found.asked("/api/maps")) > asked
    assert page.locator(".branch").count() > 0
    assert found.complaints == []
    page.context.close()


# The least contrast of the text colours on the page's two backgrounds, after WCAG 2.
CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d");
  const channels = (colour) => {
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((each) => each / 255);
  };
  const linear = (each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
  const style = getComputedStyle(document.documentElement);
  const light = (name) => {
    const [red, green, blue] = channels(style.getPropertyValue(name)).map(linear);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05;
  };
  const contrast = (a, b) => Math.max(light(a), light(b)) / Math.min(light(a), light(b));
  const inks = ["--ink", "--muted", "--accent", "--second"];
  return Math.min(...inks.flatMap((ink) => ["--paper", "--soft"].map((paper) => contrast(ink, paper))));
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_are_readable_and_change_over(browser: Any, small: str, scheme: str) -> None:
    found = opened(browser, small, color_scheme=scheme)
    page = found.page
    page.wait_for_selector("html[data-ready]")
    background = "() => getComputedStyle(document.body).backgroundColor"
    dark = "rgb(21, 24, 28)"
    assert (page.evaluate(background) == dark) == (scheme == "dark")
    assert page.evaluate(CONTRAST) >= 4.5
    page.click("button.theme")
    assert (page.evaluate(background) == dark) == (scheme == "light")
    assert page.evaluate(CONTRAST) >= 4.5
    page.context.close()


@pytest.mark.parametrize("width", [360, 768, 2200])
def test_no_screen_is_too_small(browser: Any, folded: str, width: int) -> None:
    found = opened(browser, folded, viewport={"width": width, "height": 800})
    page = found.ready()
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    page.context.close()


def test_a_mailed_page_answers_by_itself(browser: Any, tmp_path: Path, picture_bytes: bytes) -> None:
    own = tmp_path / "own.png"
    own.write_bytes(picture_bytes)
    mail = tmp_path / "mail.html"
    write_page(Session(zoo_model("lenet5_modern")), mail, own)
    found = opened(browser, mail.as_uri(), reduced_motion="reduce")
    page = found.ready()
    assert "%" in likely(page)
    assert page.locator("#picture button").count() == 0
    page.locator('.column[data-node="4"] [data-channel]').first.click()
    page.locator("#arithmetic-title:has-text('c3')").wait_for()
    total = page.locator("#arithmetic .total output")
    computed = float(total.get_attribute("data-computed"))
    assert float(total.locator("data").get_attribute("value")) == pytest.approx(computed, abs=1e-5)
    page.locator("#explanations").scroll_into_view_if_needed()
    page.locator("#explanations .overlay").first.wait_for()
    assert [each for each in found.requests if not each.startswith(("file:", "data:", "blob:"))] == []
    assert found.complaints == []
    page.context.close()
