from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from neocog.core.errors import ResourceError
from neocog.report import confusion, dataset, history, mistakes, network, running, scores
from neocog.report.charts import RateSearch
from neocog.report.markup import element, facts, fraction, name, number, percent, plural, shorten, table, text
from neocog.report.page import Page, Section

VOID = {"meta", "link", "img", "wbr"}
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "猫" * 300,
    "\u202eevil",
    "חתול",
    "🐈\x00\udcff",
)


class Checker(HTMLParser):
    """Balanced tags, ids, resources and text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        found = dict(attrs)
        self.attributes.append((tag, found))
        assert len(found) == len(attrs), f"repeated attribute in <{tag}>"
        if tag not in VOID:
            self.open.append(tag)
        if found.get("id"):
            self.ids.append(str(found["id"]))
        self.references += [str(found[key]) for key in ("src", "href", "srcset", "xlink:href") if key in found]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def checked(page: str) -> Checker:
    checker = Checker(page)
    assert checker.open == []
    assert len(checker.ids) == len(set(checker.ids)), "an id occurs twice"
    for reference in checker.references:
        assert reference.startswith(("data:", "#")), reference
        assert not reference.startswith("#") or reference[1:] in checker.ids, reference
    for target in re.findall(r"url\(([^)]*)\)", page):
        assert target.startswith("#") and target[1:] in checker.ids, target
    assert "http:" not in page and "https:" not in page and "@import" not in page
    return checker


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def sections(classes: list[str], layers: int = 3) -> list[Section]:
    count = len(classes)
    counts = np.random.default_rng(1).poisson(0.02, (count, count)) + 5 * np.eye(count, dtype=np.int64)
    epochs = [history.Epoch(at, 2 / at, 2.5 / at, 1 - 1 / at, learning_rate=0.1 / at) for at in range(1, 6)]
    edges = np.linspace(0, 1, 5)
    middle = (edges[1:] + edges[:-1]) / 2
    wrong = [mistakes.Mistake(label, label, classes[-1], 0.99, 0.001, noise(120, 90, 3)) for label in classes[:24]]
    rows = [
        network.LayerRow(f"blocks.{at}", "Conv2d", (32, 14, 14), "3x3", "1", 100, 1000, "31") for at in range(layers)
    ]
    return [
        history.history_section(history.History(epochs, "top1", best=5)),
        confusion.confusion_section(confusion.Confusion(classes, counts)),
        scores.classes_section([scores.ClassRow(label, 0.9, 0.8, 0.85, 10, 0.6, 0.95) for label in classes]),
        scores.calibration_section(scores.Calibration(edges, np.array([0, 1, 2, 3]), middle, middle, 0.02)),
        mistakes.mistakes_section(wrong, 100),
        network.network_section(network.NetworkTable("net", (3, 32, 32), rows, 300, 3000)),
        network.filters_section("conv1", np.random.default_rng(2).normal(size=(64, 3, 11, 11))),
        dataset.data_section(
            dataset.DataSummary(
                classes[0],
                classes,
                {"train": [10] * count, "test": [5] * count},
                notes=[classes[0]],
                skipped=[(label, label) for label in classes],
                examples={label: [noise(96, 96, 3)] * 6 for label in classes},
            )
        ),
        history.rate_search_section(RateSearch([1e-4, 1e-3, 1e-2], [2.0, 1.0, 3.0], 1e-3)),
        running.settings_section("Recipe", [("source", classes[0])]),
        running.facts_section("Versions", [("neocog", classes[0])], lead="What it ran on."),
        running.commands_section([("Train it again", f"neocog train '{classes[0]}'")]),
    ]


def test_page_is_well_formed_and_asks_nothing_of_the_network() -> None:
    page = Page("Digits", sections(["cat", "dog", "owl"]), "All is well", [("Network", "lenet5")]).html()
    checker = checked(page)
    assert page.startswith("<!doctype html>")
    assert checker.tags.count("h1") == 1 and checker.tags.count("main") == 1
    assert checker.tags.count("h2") == 12
    assert checker.tags.count("svg") == 5 == checker.tags.count("desc")
    assert all("alt" in found for tag, found in checker.attributes if tag == "img")
    assert all("scope" in found for tag, found in checker.attributes if tag == "th")
    assert checker.tags.count("caption") == checker.tags.count("table")
    assert len(page) < 300_000


def test_the_same_input_gives_the_same_bytes() -> None:
    first, second = (Page("Digits", sections(["cat", "dog"])).html() for _ in range(2))
    assert first == second


def test_names_from_the_data_are_harmless(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    Page(HOSTILE[0], sections(list(HOSTILE)), HOSTILE[1], [(HOSTILE[0], HOSTILE[5])]).write(path)
    page = path.read_text("utf-8")
    checker = checked(page)
    assert "script" not in checker.tags
    assert not any(key.startswith("on") for _, found in checker.attributes for key in found)
    assert HOSTILE[0] in checker.words
    assert "\x00" not in page and "🐈\ufffd\ufffd" in page
    assert "\u202e" not in page and "\ufffdevil" in page


@pytest.mark.parametrize("letter", ["&", "猫"])
def test_a_thousand_long_names_stay_under_two_megabytes(letter: str) -> None:
    classes = [f"{letter * 150}{at}{letter * 150}" for at in range(1000)]
    page = Page("Large", sections(classes, layers=400)).html()
    checked(page)
    assert len(page.encode("utf-8")) < 2_000_000


def test_equal_sections_keep_their_own_ids() -> None:
    checked(Page("Twice", sections(["cat", "dog"]) * 2).html())


def test_a_page_without_sections() -> None:
    checker = checked(Page("Empty", []).html())
    assert "nav" not in checker.tags


def test_a_report_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="cannot write the report"):
        Page("x", []).write(tmp_path / "missing" / "report.html")


def test_every_colour_of_the_charts_is_that_of_the_style_sheet() -> None:
    from neocog.report import svg

    style = Page("x", []).html()
    light, dark = style.split("prefers-color-scheme: dark", 1)
    for value, variable in svg._VARIABLES.items():
        assert f"--{variable}: {value};" in light
        assert f"--{variable}: #" in dark


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.9861, "98.6 %"),
        (1.0, "100.0 %"),
        (0.99999, "99.9 %"),
        (0.00001, "0.1 %"),
        (0.0, "0.0 %"),
        (float("nan"), "–"),
    ],
)
def test_percent(value: float, written: str) -> None:
    assert percent(value).replace("\N{NO-BREAK SPACE}", " ") == written


@pytest.mark.parametrize(
    ("value", "written"),
    [(1234567, "1,234,567"), (0.00123456, "0.001235"), (3.0, "3"), (float("inf"), "–"), (1e20, "1e+20")],
)
def test_number(value: float, written: str) -> None:
    assert number(value) == written


def test_small_pieces() -> None:
    assert fraction(0.5) == "0.500" and fraction(float("nan")) == "–"
    assert plural(1, "class", "classes") == "1 class" and plural(2000, "epoch") == "2,000 epochs"
    assert shorten("abcdefghij", 5) == "ab…ij" and shorten("abcde", 5) == "abcde"
    assert [len(shorten("x" * 100, longest)) for longest in (3, 7, 48)] == [3, 7, 48]
    assert name("<b>") == "<bdi>&lt;b&gt;</bdi>"
    assert element("p", text("a<b"), class_="x", aria_label='"') == '<p class="x" aria-label="&quot;">a&lt;b</p>'
    assert facts([]) == ""


def test_a_row_of_the_wrong_length_is_refused() -> None:
    from neocog.report.markup import Column

    with pytest.raises(ValueError, match="zip"):
        table("t", (Column("a"), Column("b")), [(text("only one"),)])
