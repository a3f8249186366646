"""``neocog check``: what the data doctor found, as text or JSON."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from neocog.verbs.check import Report

SHOWN = 5


@click.command("check")
@click.argument("data", required=False)
@click.option("--root", metavar="FOLDER", help="Where a known set lies; else NEOCOG_DATA, else it is fetched.")
@click.option("--out", "list_out", metavar="FILE", help="Where the list for `train --exclude` goes [neocog-check.csv].")
@click.option("--near/--no-near", default=True, help="Also look for what is nearly the same. [on]")
@click.option("--max-pixels", type=click.IntRange(min=1), help="Refuse pictures of more pixels. [178956970]")
@click.option("--workers", type=click.IntRange(min=1), help="Number of reading threads. [one a core]")
@click.option("--encoding", help="Encoding of text files; UTF-8 unless told, e.g. latin-1.")
@click.option("--text-column", help="Column of a table that holds the texts.")
@click.option("--label-column", help="Column of a table of texts that holds the labels.")
@click.option("--trees", type=click.Choice(("fine", "binary")), help="Labels of sentiment trees; fine unless told.")
@click.option("--all", "show_all", is_flag=True, help="Name every sample, not only the first of each kind.")
@click.option("--json", "as_json", is_flag=True, help="Everything as one JSON object, for programs.")
def command(data: str | None, show_all: bool, as_json: bool, **options: Any) -> None:
    """Examine DATA for what spoils training; change and delete nothing.

    DATA is whatever `neocog train` takes. Found are files that cannot be read, empty texts, copies (exact and near),
    copies in two parts or under two labels, pictures of unusual modes, texts of a wrong encoding or unusual length,
    and classes that are empty, tiny or very unequal. Samples that had better be left out (unreadable ones, copies but
    one, copies of test samples outside the test part) are written to a list for `neocog train --exclude LIST`. The
    exit status is 0 whatever is found, 2 where nothing could be examined.
    """
    from neocog.verbs.check import check

    report = check(data, progress=_progress if sys.stderr.isatty() else None, **options)
    if as_json:
        click.echo(json.dumps(_plain(report), indent=2))
        return
    for line in lines(report, None if show_all else SHOWN):
        click.echo(line)
    if report.list_file is not None:
        click.echo(f"Written: {report.list_file}. Look through it, then: {_next_step(data, report, options)}", err=True)


def _next_step(data: str | None, report: Report, options: Mapping[str, Any]) -> str:
    """Returns the command that trains without what was found, which reads the data as they were read here."""
    shared = ("root", "encoding", "text_column", "label_column", "trees")
    said = [word for name in shared if options[name] for word in (f"--{name.replace('_', '-')}", options[name])]
    return shlex.join(["neocog", "train", data or report.source, *said, "--exclude", str(report.list_file)])


def _progress(examined: int, total: int) -> None:
    """Writes a line that replaces itself, every hundredth sample and at the end."""
    if examined % 100 == 0 or examined == total:
        click.echo(f"\rexamined {examined} of {total}", nl=examined == total, err=True)


def lines(report: Report, shown: int | None = SHOWN) -> Iterator[str]:
    """Yields the summary's lines, with at most ``shown`` samples of each kind (None: all)."""
    parts = ", ".join(f"{name} {count}" for name, count in report.samples.items())
    yield f"{report.source}: {sum(report.samples.values())} {report.what} ({parts}), {len(report.classes)} classes"
    yield from (f"  note: {note}" for note in report.notes)
    if not report.findings:
        yield "Nothing found that spoils training."
    for kind, count in report.counts.items():
        yield f"{kind}: {count} ({report.meanings[kind]})"
        found = [finding for finding in report.findings if finding.kind == kind]
        for finding in found[:shown]:
            yield f"  {finding.name or finding.part or 'classes'}: {finding.detail}"
        if shown is not None and len(found) > shown:
            yield f"  ... and {len(found) - shown} more (--all names them)"
    if report.proposals:
        yield f"Proposed for leaving out of training: {len(report.proposals)} of {sum(report.samples.values())}"


def _plain(report: Report) -> dict[str, object]:
    return {
        "source": report.source,
        "classes": list(report.classes),
        "samples": dict(report.samples),
        "counts": report.counts,
        "findings": [
            {"kind": each.kind, "part": each.part, "path": each.name, "detail": each.detail, "exclude": each.propose}
            for each in report.findings
        ],
        "notes": list(report.notes),
        "list": str(report.list_file) if report.list_file else None,
    }
