"""What ``neocog test --out`` leaves: the report, and the figures as tables and JSON."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from neocog.core.errors import ResourceError, UsageError
from neocog.core.files import why_not_written, write_text
from neocog.data.dataset import Part
from neocog.report.page import Page
from neocog.report.running import facts_section
from neocog.report.scores import accuracy_verdict
from neocog.tasks import kinds
from neocog.tasks.evaluation import TestResult
from neocog.tasks.options import TrainOptions
from neocog.tasks.run_report import SHOWN_MISTAKES, result_sections


def refuse(folder: Path) -> None:
    """Raises UsageError where there is something already: what was measured before is never overwritten."""
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise UsageError(f"--out {folder}: there is something of that name already; give a new folder.")


def write(folder: Path, result: TestResult, part: Part[Any]) -> None:
    """Writes ``report.html``, ``test.json``, ``classes.csv``, ``confusion.csv`` and ``answers.csv``, all or nothing.

    ``part`` holds the samples of the result. Raises UsageError where the folder is not empty, and ResourceError where
    it cannot be written.
    """
    refuse(folder)
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        _page(result, part).write(unfinished / "report.html")
        write_text(unfinished / "test.json", json.dumps(result.to_json(), indent=1) + "\n")
        for name, rows in _tables(result).items():
            write_text(unfinished / f"{name}.csv", to_csv(rows))
        unfinished.replace(folder)
    except OSError as error:
        raise ResourceError(why_not_written(folder, error)) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def class_table(result: TestResult) -> list[list[Any]]:
    """Returns a header and a row a class; what has no meaning is empty."""
    rows = result.class_rows()
    return [list(rows[0]), *(["" if cell is None else cell for cell in row.values()] for row in rows)]


def to_csv(rows: Iterable[Sequence[Any]]) -> str:
    """Returns rows of cells as CSV text."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _tables(result: TestResult) -> dict[str, list[list[Any]]]:
    names = list(result.classes)
    confusion = [[name, *row] for name, row in zip(names, result.confusion.tolist(), strict=True)]
    answers = result.answers
    chances = answers.probabilities.max(1).tolist()
    rows: list[list[Any]] = [
        [result.items.name(int(index)), names[truth], names[answer], f"{chance:.9g}", ""]
        for index, truth, answer, chance in zip(answers.indices, answers.truth, answers.predicted, chances, strict=True)
    ]
    refused = [[each.name, "", "", "", each.reason] for each in result.refused]
    return {
        "classes": class_table(result),
        "confusion": [["truth", *names], *confusion],
        "answers": [["input", "truth", "label", "probability", "error"], *rows, *refused],
    }


def _page(result: TestResult, part: Part[Any]) -> Page:
    kind = kinds.find(TrainOptions(task=result.contract.task))
    pictures = kind.pictures(part, [mistake.index for mistake in result.mistakes(SHOWN_MISTAKES)])
    figures = [(name, f"{value:.4f}") for name, value in result.metrics.items()]
    sections = [*result_sections(result, pictures), facts_section("All figures", figures)]
    facts = [("Network", result.contract.network), ("Samples", f"{result.samples:,}")]
    if result.refused:
        facts.append(("Unreadable", f"{len(result.refused):,}"))
    title = f"{result.contract.network} on {result.statement}"
    return Page(title, sections, verdict=_verdict(result), facts=facts)


def _verdict(result: TestResult) -> str:
    share = accuracy_verdict(result.metrics["top1"], result.samples, result.intervals["top1"], what="samples")
    return " ".join([f"{share}.", *(f"{warning[0].upper()}{warning[1:]}" for warning in result.warnings)])
