"""``neocog test``: how good a model is on labelled data."""

from __future__ import annotations

import json
from typing import Any

import click


@click.command("test")
@click.argument("model", type=click.Path())
@click.argument("data")
@click.option("--part", help="train, val, test or all; the test part unless told, all of data without parts.")
@click.option("--csv", "form", flag_value="csv", help="Precision, recall, F1 and support of each class.")
@click.option("--json", "form", flag_value="json", help="All figures.")
@click.option("--out", type=click.Path(), help="New folder for the report with pictures, and all tables.")
@click.option("--root", type=click.Path(), help="Where local copies of known data sets lie (or NEOCOG_DATA).")
@click.option("--exclude", type=click.Path(), help="List of paths to leave out, as `neocog check` writes it.")
@click.option("--encoding", help="Encoding of text files; UTF-8 unless told, e.g. latin-1.")
@click.option("--text-column", help="Column of a table that holds the texts.")
@click.option("--label-column", help="Column of a table of texts that holds the labels.")
@click.option("--trees", type=click.Choice(("fine", "binary")), help="Labels of sentiment trees; fine unless told.")
@click.option("--split-seed", type=int, help="Seed of the split, for data without parts; the model's own unless told.")
@click.option("--batch", type=click.IntRange(min=1), help="Samples at once; 16, on a GPU 128, unless told.")
@click.option("--workers", type=click.IntRange(min=0), help="Threads that read ahead; one a core unless told.")
@click.option("--device", help="cpu, cuda or cuda:N; a GPU when there is one.")
@click.option("--net", metavar="MODULE:FUNCTION", help="The model's network, where it is your own: its code then runs.")
@click.pass_context
def command(ctx: click.Context, /, model: str, data: str, form: str | None, **options: Any) -> None:
    """Measure MODEL on DATA: accuracy with its interval, each class, confusions, calibration, the worst mistakes.

    DATA is whatever `neocog train` takes. Classes are matched by name. A sample that cannot be read is named, and the
    exit status is 1.
    """
    from neocog.cli.figures import as_text
    from neocog.tasks.test_folder import to_csv
    from neocog.verbs.test import test

    result = test(model, data, **options)
    unread = f", {len(result.refused):,} unreadable" if result.refused else ""
    click.echo(f"neocog: tested on {result.statement}: {result.samples:,} {result.what}{unread}", err=True)
    for warning in result.warnings:
        click.echo(f"neocog: warning: {warning}", err=True)
    for refused in result.refused:
        click.echo(f"neocog: unreadable: {refused.name}: {refused.reason}", err=True)
    if form == "json":
        click.echo(json.dumps(result.to_json()))
    elif form == "csv":
        click.echo(to_csv(result.tables()["classes"]), nl=False)
    else:
        click.echo(as_text(result), nl=False)
    if options["out"]:
        click.echo(f"neocog: the report is {options['out']}/report.html", err=True)
    if result.refused:
        ctx.exit(1)
