"""The figures of a language model as text for people."""

from __future__ import annotations

from neocog.cli.figures import aligned
from neocog.cli.rows import visible
from neocog.tasks.language_result import LanguageResult

SHOWN_TOKENS = 10
SHOWN_LINES = 5
LEAST_TOKENS = 10  # of a line whose mean says something
LONGEST = 60


def language_text(result: LanguageResult) -> str:
    """Returns the overall figures, what the most frequent tokens cost, the lines that cost most, and what it writes."""
    blocks = [_overall(result), _tokens(result), _lines(result), _written(result)]
    return "\n".join("\n".join(block) + "\n" for block in blocks if block)


def _overall(result: LanguageResult) -> list[str]:
    heading = f"{result.contract.network} on {visible(result.statement)}: {result.samples:,} {result.unit}s"
    rows = [(name.replace("_", " "), f"{value:,.4f}") for name, value in result.metrics.items()]
    return [heading, "", *aligned(rows)]


def _tokens(result: LanguageResult) -> list[str]:
    costs = result.by_token()[:SHOWN_TOKENS]
    rows = [(repr(each.token), f"{each.times:,}", f"{each.bits:.2f}") for each in costs]
    return aligned([(f"most frequent {result.unit}s", "times", "bits"), *rows])


def _lines(result: LanguageResult) -> list[str]:
    costs = sorted((each for each in result.lines() if each.tokens >= LEAST_TOKENS), key=lambda each: -each.bits)
    rows = [(f"{visible(each.name)}  {_short(each.text)}", f"{each.bits:.2f}") for each in costs[:SHOWN_LINES]]
    return aligned([(f"lines that cost most a {result.unit}", "bits"), *rows]) if rows else []


def _short(text: str) -> str:
    plain = visible(text.strip())
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 1]}…"


def _written(result: LanguageResult) -> list[str]:
    return [
        line
        for temperature, text in result.written.items()
        for line in (f"written at temperature {temperature:g}", *(f"  {visible(each)}" for each in text.split("\n")))
    ]
