"""A test's figures as text for people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neocog.cli.rows import visible
from neocog.tasks.evaluation import TestResult
from neocog.tasks.language_result import LanguageResult
from neocog.tasks.result import Result
from neocog.tasks.tag_result import TaggingResult

SHOWN_MISTAKES = 10
LARGEST_MATRIX = 12  # classes whose confusion matrix still fits a terminal; beyond that its largest cells are listed


def as_text(result: Result) -> str:
    """Returns the figures of a result of any kind."""
    from neocog.cli.language_figures import language_text
    from neocog.cli.tag_figures import tags_text

    if isinstance(result, TestResult):
        return classes_text(result)
    if isinstance(result, TaggingResult):
        return tags_text(result)
    if isinstance(result, LanguageResult):
        return language_text(result)
    raise TypeError(f"no text for {type(result).__name__}")


def classes_text(result: TestResult) -> str:
    """Returns the overall figures, a row a class, the confusions, the calibration curve and the worst mistakes."""
    blocks = [_overall(result), _classes(result), _confusions(result), _calibration(result), _mistakes(result)]
    return "\n".join("\n".join(block) + "\n" for block in blocks if block)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Returns lines of cells: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _overall(result: TestResult) -> list[str]:
    metrics, intervals = result.metrics, result.intervals
    rows = [(name.replace("_", " "), percent(value), "") for name, value in result.official.items()]
    rows += [
        (name, f"{metrics[key]:.2%}", f"{intervals[key].low:.2%} to {intervals[key].high:.2%}")
        for name, key in (("top-1", "top1"), ("top-5", "top5"))
    ]
    rows += [
        (name, percent(metrics[key]), "")
        for name, key in (
            ("F1 of all classes" if result.official else "macro F1", "f1"),
            ("balanced", "balanced_accuracy"),
        )
    ]
    rows.append(("loss", f"{metrics['loss']:.4f}", ""))
    heading = f"{result.contract.network} on {visible(result.statement)}: {result.samples:,} {result.what}"
    return [heading, "", *aligned([("", "value", "95 % interval (Wilson)"), *rows])]


def _classes(result: TestResult) -> list[str]:
    scores = result.scores
    rows = [
        (
            visible(name),
            percent(scores.precision[i]),
            percent(scores.recall[i]),
            percent(scores.f1[i]),
            f"{scores.support[i]:,}",
        )
        for i, name in enumerate(result.classes)
    ]
    return aligned([("class", "precision", "recall", "F1", result.what), *rows])


def _confusions(result: TestResult) -> list[str]:
    if len(result.classes) <= LARGEST_MATRIX:
        names = [visible(name) for name in result.classes]
        rows = [[name, *map(str, row)] for name, row in zip(names, result.confusion.tolist(), strict=True)]
        return ["confusion: a row is the true class, a column the answer", *aligned([["", *names], *rows])]
    wrong = result.confusion.copy()
    np.fill_diagonal(wrong, 0)
    cells = np.argsort(-wrong, axis=None, kind="stable")[:SHOWN_MISTAKES]
    pairs = [divmod(int(cell), len(wrong)) for cell in cells if wrong.flat[cell]]
    names = [visible(name) for name in result.classes]
    rows = [[f"{names[true]} -> {names[answer]}", str(wrong[true, answer])] for true, answer in pairs]
    return aligned([["most frequent confusions (true -> answer)", result.what], *rows]) if rows else []


def _calibration(result: TestResult) -> list[str]:
    curve = result.reliability
    rows = [
        (f"{low:.0%} to {high:.0%}", percent(confidence), percent(accuracy), f"{count:,}")
        for low, high, confidence, accuracy, count in zip(
            curve.edges[:-1], curve.edges[1:], curve.confidence, curve.accuracy, curve.count, strict=True
        )
        if count
    ]
    heading = f"calibration: expected error {percent(curve.error)} over {len(curve.count)} bins"
    return [heading, *aligned([("confidence", "mean", "accuracy", result.what), *rows])]


def _mistakes(result: TestResult) -> list[str]:
    mistakes = result.mistakes(SHOWN_MISTAKES)
    rows = [
        (visible(each.name), visible(each.truth), visible(each.predicted), f"{each.probability:.2%}")
        for each in mistakes
    ]
    return ["worst mistakes", *aligned([("input", "truth", "answer", "probability"), *rows])] if rows else []


def percent(value: float) -> str:
    """Returns a fraction in per cent, a dash for NaN."""
    return "-" if np.isnan(value) else f"{value:.2%}"
