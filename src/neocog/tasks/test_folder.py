"""What ``neocog test --out`` leaves: the report, and the figures as tables and JSON."""

from __future__ import annotations

import csv
import io
import json
import math
import shutil
from pathlib import Path
from typing import Any

from neocog.core.errors import ResourceError, UsageError
from neocog.core.files import why_not_written, write_text
from neocog.data.dataset import Part
from neocog.report.page import Page
from neocog.report.running import facts_section
from neocog.tasks.kinds import Kind
from neocog.tasks.result import Result, Table


def refuse(folder: Path) -> None:
    """Raises UsageError where there is something already: what was measured before is never overwritten."""
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise UsageError(f"--out {folder}: there is something of that name already; give a new folder.")


def write(folder: Path, kind: Kind, result: Result, part: Part[Any]) -> None:
    """Writes ``report.html``, ``test.json`` and a CSV file for each of the result's tables, all or nothing.

    ``part`` holds the samples of the result. Raises UsageError where the folder is not empty, and ResourceError where
    it cannot be written.
    """
    refuse(folder)
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        _page(kind, result, part).write(unfinished / "report.html")
        write_text(unfinished / "test.json", json.dumps(result.to_json(), indent=1) + "\n")
        for name, rows in result.tables().items():
            write_text(unfinished / f"{name}.csv", to_csv(rows))
        unfinished.replace(folder)
    except OSError as error:
        raise ResourceError(why_not_written(folder, error)) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def to_csv(rows: Table) -> str:
    """Returns rows of cells as CSV text."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _page(kind: Kind, result: Result, part: Part[Any]) -> Page:
    figures = [(name, "-" if math.isnan(value) else f"{value:.4f}") for name, value in result.metrics.items()]
    sections = [*kind.sections(result, part), facts_section("All figures", figures)]
    facts = [("Network", result.contract.network), (result.what.capitalize(), f"{result.samples:,}")]
    if result.refused:
        facts.append(("Unreadable", f"{len(result.refused):,}"))
    verdict = " ".join([f"{result.verdict()}.", *(f"{each[0].upper()}{each[1:]}" for each in result.warnings)])
    title = f"{result.contract.network} on {result.statement}"
    return Page(title, sections, verdict=verdict[0].upper() + verdict[1:], facts=facts)
