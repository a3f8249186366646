"""The explorer's page of a model of texts in Chromium: its words and numbers are the network's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from explorer_browser import Watched, chromium, chromium_or_skip, opened, served
from explorer_models import text_model, text_samples

from neocog.explain import occlusion
from neocog.web.page import write_page
from neocog.web.session import Session

TEXT = "the film was not very good <b>zzz</b>"
TOKENS = ["the", "film", "was", "not", "very", "good", "<", "b", ">", "zzz", "<", "/", "b", ">"]


@pytest.fixture(scope="module")
def session() -> Session:
    chromium_or_skip()
    return Session(text_model(), text_samples())


@pytest.fixture(scope="module")
def window(session: Session) -> Iterator[tuple[Any, str]]:
    with served(session) as address, chromium() as browser:
        yield browser, address


@pytest.fixture
def watched(window: tuple[Any, str]) -> Iterator[Watched]:
    """The page with a text that was typed in; it must have complained of nothing."""
    found = opened(*window, reduced_motion="reduce")
    page = found.ready()
    page.fill("#own-text", TEXT)
    page.click("#picture form button")
    page.locator("#picture .words span:has-text('zzz')").wait_for()
    page.locator("#arithmetic .under-words").wait_for()
    yield found
    assert found.complaints == []


def shown(session: Session) -> int:
    return next(reversed(session._pictures))


def test_the_text_as_the_network_reads_it(watched: Watched, session: Session) -> None:
    page = watched.page
    parts = page.locator("#picture .words span").all_inner_texts()
    assert [part for part in parts if part != "\N{MIDDLE DOT}"] == TOKENS
    assert page.locator("#picture .words .unknown").all_inner_texts() == TOKENS[6:]
    answer = session.model.predict(TEXT)[0]
    assert page.locator("#picture .says strong").inner_text() == answer.label
    assert page.locator("#picture .words b").count() == 0
    assert page.locator("section.column[data-node='3'] .head p").nth(1).inner_text() == f"100 × {len(parts) - 2}"


def test_the_sum_of_a_window_is_torchs_and_its_words_are_marked(watched: Watched, session: Session) -> None:
    page, id = watched.page, shown(session)
    values = session.passed(id).values[3][0, 0]
    place = int(values.argmax())
    assert watched.becomes("#arithmetic .total", float(values[place]))  # the first sample's sum goes when it comes
    everything = ["", "", "", "", *TOKENS, "", "", "", "", ""]
    seen = [token or "\N{MIDDLE DOT}" for token in everything[place : place + 3]]
    assert page.locator("#arithmetic .sees .equation").inner_text() == f"3 places: {' '.join(seen)}"
    assert page.locator("#picture .words .seen").all_inner_texts() == seen
    page.click("text=Step ›")
    assert watched.becomes("#arithmetic .total", float(values[min(place + 1, len(values) - 1)]))
    under = page.locator("#arithmetic .under-words span").all_inner_texts()
    assert under == [token or "\N{MIDDLE DOT}" for token in everything[: len(values)]]


def test_a_word_is_looked_up(watched: Watched, session: Session) -> None:
    page = watched.page
    page.locator("section.column[data-node='1'] button.map").first.click()
    page.locator("#arithmetic .equation:has-text('of the vector of word')").wait_for()
    number = int(page.locator("#arithmetic .computed > .equation data").first.get_attribute("value"))
    channel = int(
        page.locator("section.column[data-node='1'] button.map[aria-pressed='true']").get_attribute("data-channel")
    )
    made = float(page.locator("#arithmetic .computed > .equation data").last.get_attribute("value"))
    assert made == pytest.approx(float(session.network.words.weight[number, channel]), abs=1e-6)


def test_words_in_colours_are_the_explanations(watched: Watched, session: Session) -> None:
    page, id = watched.page, shown(session)
    page.locator("#explanations").scroll_into_view_if_needed()
    target = int(session.logits(id).argmax())
    cell = page.locator(f"#explanations td[data-method='occlusion'][data-target='{target}']")
    cell.locator(".words").wait_for()
    colours = cell.locator(".words > span")
    assert colours.count() == len(TOKENS)
    inputs = session.picture(id).inputs
    falls = occlusion(
        session.network, inputs, target=lambda logits: logits.log_softmax(1)[:, target], window=1, stride=1, fill=0.0
    )[0, 4:-5]
    strongest = int(falls.abs().argmax())
    told = colours.nth(strongest).get_attribute("title").replace("\N{MINUS SIGN}", "-")
    assert float(told) == pytest.approx(float(falls[strongest]), abs=0.02 * float(falls.abs().max()))
    cell.locator("button:has-text('Trust')").click()
    cell.locator("dl.trust").wait_for()


def test_sentences_of_the_data(watched: Watched) -> None:
    page = watched.page
    page.locator("#unit .find").click()
    page.locator("#unit .sentence button").first.wait_for()
    assert len(page.locator("#unit .sentence button").first.inner_text().split()) == 3
    assert page.locator("#unit :text('Dream')").count() == 0
    page.locator("#data .find").first.click()
    page.locator("#data .quote").first.wait_for()
    page.locator("#picture .samples button.picture").nth(1).click()
    page.locator("#picture .words span:has-text('bad')").wait_for()
    assert "the film very bad" in page.locator("#picture .samples").inner_text()


def test_the_mailed_page_of_a_text(tmp_path: Path, window: tuple[Any, str]) -> None:
    write_page(Session(text_model()), tmp_path / "page.html", TEXT)
    found = opened(window[0], (tmp_path / "page.html").as_uri(), reduced_motion="reduce")
    page = found.ready()
    assert [
        part for part in page.locator("#picture .words span").all_inner_texts() if part != "\N{MIDDLE DOT}"
    ] == TOKENS
    assert found.hosts() <= {""} and found.complaints == []
