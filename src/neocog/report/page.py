"""The page: a title, a verdict and sections, in one file that asks nothing of the network."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import count
from pathlib import Path

from neocog.core.errors import ResourceError
from neocog.report.markup import Html, element, facts, join, text

_SVG = re.compile(r"<svg\b.*?</svg>", re.DOTALL)
_CHART_ID = re.compile(r'(?<=[ "#])chart0-')


@dataclass(frozen=True)
class Section:
    """One part of a page: ``heading`` is plain text, ``body`` finished markup."""

    heading: str
    body: Html


@dataclass(frozen=True)
class Page:
    """A report.

    ``verdict`` is the one sentence a reader takes away, ``facts`` labels with short values; all plain text.
    """

    title: str
    sections: Sequence[Section]
    verdict: str = ""
    facts: Sequence[tuple[str, str]] = ()

    def html(self) -> str:
        """Returns the whole document; the same input gives the same characters."""
        anchors = [f"s{index}" for index in range(1, len(self.sections) + 1)]
        body = join(_section(anchor, section) for anchor, section in zip(anchors, self.sections, strict=True))
        style = files("neocog.report").joinpath("style.css").read_text("utf-8")
        return _DOCUMENT.format(
            title=text(self.title), style=style, header=self._header(anchors), body=_number_charts(body)
        )

    def write(self, path: Path) -> None:
        """Writes the document as UTF-8; raises ResourceError where the file cannot be written."""
        try:
            path.write_text(self.html(), encoding="utf-8", newline="\n")
        except OSError as error:
            raise ResourceError(f"cannot write the report {path}: {error.strerror}; choose another folder") from error

    def _header(self, anchors: Sequence[str]) -> Html:
        verdict = element("p", text(self.verdict), class_="verdict") if self.verdict else Html("")
        links = join(
            Html(f'<li><a href="#{anchor}">{text(section.heading)}</a></li>')
            for anchor, section in zip(anchors, self.sections, strict=True)
        )
        contents = Html(f'<nav aria-label="Contents"><ul>{links}</ul></nav>') if links else Html("")
        return Html(f"<h1>{text(self.title)}</h1>{verdict}{facts(self.facts, 'key')}{contents}")


def _section(anchor: str, section: Section) -> Html:
    heading = f'<h2 id="{anchor}">{text(section.heading)}</h2>'
    return Html(f'<section aria-labelledby="{anchor}">{heading}{section.body}</section>\n')


def _number_charts(body: Html) -> Html:
    """Gives each chart its own number: drawn apart, they all call themselves ``chart0``."""
    numbers = count(1)
    return Html(_SVG.sub(lambda chart: _CHART_ID.sub(f"chart{next(numbers)}-", chart[0]), body))


_DOCUMENT = """<!doctype html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="neocog">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the results</a>
<header>{header}</header>
<main id="main">
{body}</main>
</body>
</html>
"""
