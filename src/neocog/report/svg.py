"""Matplotlib figures as SVG for a page: colours that follow light and dark, no ids but those needed, no dates."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neocog.core.errors import ResourceError, UsageError
from neocog.report.markup import Html, text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The colours of style.css in its light form: a chart on a page names the variable, a chart by itself has the value.
INK = "#1b1f24"
MUTED = "#59626d"
GRID = "#dfe3e8"
ACCENT = "#1f5fae"
SECOND = "#a85400"
PAPER = "#fdfdfc"
_VARIABLES = {INK: "ink", MUTED: "muted", GRID: "grid", ACCENT: "accent", SECOND: "second", PAPER: "paper"}

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: selectable, searchable, in the reader's own font
    "svg.hashsalt": "neocog",
    "text.parse_math": False,
    "font.family": "DejaVu Sans",  # comes with matplotlib, so the layout is the same on every machine
    "font.size": 11,
    "axes.labelsize": 11,
    "xtick.labelsize": 10.5,
    "ytick.labelsize": 10.5,
    "legend.fontsize": 11,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": MUTED,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.linewidth": 0.8,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "ytick.major.size": 0,
    "xtick.major.size": 3,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
    "legend.borderpad": 0,
    "legend.handlelength": 1.6,
    "legend.columnspacing": 1.4,
}


@contextmanager
def drawing() -> Iterator[None]:
    """Everything that is drawn and written within has the report's style; matplotlib's own settings come back after."""
    import matplotlib

    with matplotlib.rc_context(), warnings.catch_warnings():
        # Text is left to the browser, so what DejaVu lacks (Chinese, emoji) is missing from the measuring only.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support .* natively")
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        yield


def figure(width: float, height: float) -> Figure:
    """Returns an empty figure of so many SVG units (about a pixel each on a page)."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width / 72, height / 72), layout="constrained")


def to_svg(drawn: Figure, title: str, description: str) -> Html:
    """Returns the figure as an ``<svg>`` element to stand in a page.

    ``title`` and ``description`` are plain text, for those who do not see the picture. Ids begin with ``chart0-``,
    which the page replaces by a number for each chart.
    """
    written = io.StringIO()
    drawn.savefig(written, format="svg", metadata=_NO_METADATA)
    return _inline(written.getvalue(), title, description)


def save(drawn: Figure, path: Path) -> None:
    """Writes the figure to an ``.svg`` or ``.png`` file on white.

    Raises UsageError for another ending, ResourceError where the file cannot be written.
    """
    form = path.suffix.lower().removeprefix(".")
    if form not in ("svg", "png"):
        raise UsageError(f"a picture is written as .svg or .png, not as {path.name!r}; change its ending")
    metadata = _NO_METADATA if form == "svg" else {"Software": None}
    try:
        drawn.savefig(path, format=form, dpi=144, facecolor="white", metadata=metadata)
    except OSError as error:
        raise ResourceError(f"cannot write the picture {path}: {error.strerror}; choose another folder") from error


_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


def _inline(document: str, title: str, description: str) -> Html:
    box = re.search(r'viewBox="([^"]+)"', document)
    inner = re.search(r"<svg[^>]*>(.*)</svg>", document, re.DOTALL)
    if box is None or inner is None:
        raise AssertionError("matplotlib wrote an SVG without a view box")
    body = _without_metadata(inner[1])
    used = set(re.findall(r'(?:href="|url\()#([^")]+)', body))
    body = re.sub(r"<[^>]+>", lambda tag: _colours(_fonts(_ids(tag[0], used))), body)
    labels = f'<title id="chart0-title">{text(title)}</title><desc id="chart0-desc">{text(description)}</desc>'
    opening = f'<svg class="chart" viewBox="{box[1]}" role="img" aria-labelledby="chart0-title chart0-desc">'
    return Html(f"{opening}{labels}{body}</svg>")


def _without_metadata(body: str) -> str:
    body = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<style[^>]*>.*?</style>", "", body, flags=re.DOTALL)
    return re.sub(r"\s*\n\s*", "\n", body.replace("xlink:href", "href"))


def _ids(tag: str, used: set[str]) -> str:
    """Keeps the ids that something refers to, under the chart's own prefix."""
    tag = re.sub(r' id="([^"]+)"', lambda found: f' id="chart0-{found[1]}"' if found[1] in used else "", tag)
    return re.sub(r'(href="|url\()#', r"\1#chart0-", tag)


def _fonts(tag: str) -> str:
    """Keeps the size and leaves the family to the page; matplotlib writes them together or, of late, apart."""
    tag = re.sub(r"font: ([\d.]+px) [^;\"]+", r"font-size: \1", tag)
    return re.sub(r"font-family: [^;\"]+; ?", "", tag)


def _colours(tag: str) -> str:
    for value, variable in _VARIABLES.items():
        tag = tag.replace(value, f"var(--{variable})")
    return tag
