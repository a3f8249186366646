"""``neocog predict``: answers on stdout as a table, CSV or JSON lines; everything else on stderr."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from neocog.tasks.prediction import Prediction


@click.command("predict")
@click.argument("model", type=click.Path())
@click.argument("inputs", nargs=-1, metavar="INPUT...")
@click.option("--top", type=click.IntRange(min=1), default=1, show_default=True, help="Classes to name for each input.")
@click.option("--csv", "form", flag_value="csv", help="Comma-separated: input,label,probability,...,error.")
@click.option("--jsonl", "form", flag_value="jsonl", help="One JSON object a line.")
@click.option("--encoding", help="Encoding of files of texts; UTF-8 unless told, e.g. latin-1.")
@click.option("--text-column", help="Column of a table that holds the texts.")
@click.option("--batch", type=click.IntRange(min=1), help="Samples at once; what suits the task unless told.")
@click.option("--workers", type=click.IntRange(min=0), help="Threads that read ahead; one a core unless told.")
@click.option("--device", help="cpu, cuda or cuda:N; a GPU when there is one.")
@click.option("--net", metavar="MODULE:FUNCTION", help="The model's network, where it is your own: its code then runs.")
@click.pass_context
def command(
    ctx: click.Context,
    model: str,
    inputs: tuple[str, ...],
    top: int,
    form: str | None,
    batch: int | None,
    workers: int | None,
    device: str | None,
    net: str | None,
    encoding: str | None,
    text_column: str | None,
) -> None:
    """Answer for each INPUT with MODEL, one row for each file, in the order given.

    INPUT is a file, a folder, a glob in quotes ('*.png', 'photos/**/*.jpg'), a .txt list of paths, a .csv or .tsv with
    a path column, or - for paths on stdin. A file that cannot be read has a row with the reason, and the exit status
    is 1. For a model of texts INPUT is a file with a text a line, a .csv, .tsv or .jsonl with a text column, a folder
    of text files, - for lines on stdin, or a text in quotes; a tagger takes files of a word a line, too.
    """
    from neocog.core.errors import UsageError
    from neocog.data.text_lines import ENCODING
    from neocog.data.text_rows import Reading
    from neocog.tasks.model import load
    from neocog.tasks.tagging import NAME as TAGGING
    from neocog.verbs.predict import stream

    if not inputs:
        raise UsageError("nothing to predict: give files, folders, globs, a list of paths, or - for paths on stdin.")
    loaded = load(model, device, net=net, fold=True)
    if loaded.contract.task == TAGGING and top > 1:
        raise UsageError(f"--top {top}: a tagger gives each word its tag of the best sequence; leave it out")
    if top > len(loaded.classes):
        top = len(loaded.classes)
        click.echo(f"neocog: the model knows {top} classes; all are named.", err=True)
    reading = Reading(encoding or ENCODING, text_column)
    counted = Counted(stream(loaded, inputs, top=top, batch_size=batch, workers=workers, reading=reading))
    whole = write(counted, form or ("tags" if loaded.contract.task == TAGGING else None), top)
    if whole and counted.refused:
        click.echo(f"neocog: {counted.refused} of {counted.seen} inputs refused; their rows say why.", err=True)
        ctx.exit(1)


class Counted:
    """Passes predictions on and counts those seen and those refused."""

    def __init__(self, predictions: Iterable[Prediction]) -> None:
        self._predictions = predictions
        self.seen = self.refused = 0

    def __iter__(self) -> Iterator[Prediction]:
        for prediction in self._predictions:
            self.seen += 1
            self.refused += prediction.error is not None
            yield prediction


def write(predictions: Iterable[Prediction], form: str | None, top: int) -> bool:
    """Writes the predictions to stdout in the form asked for; returns False where the reader has gone (``| head``)."""
    from neocog.cli.rows import as_csv, as_json_lines, as_table, as_tagged_lines

    forms = {"csv": as_csv, "jsonl": as_json_lines, "tags": as_tagged_lines, None: as_table}
    lines = forms[form](predictions, top)
    if hasattr(sys.stdout, "reconfigure"):
        # A file name is bytes: what is not UTF-8 in it goes out as it came in.
        sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape", newline="")
    try:
        for line in lines:
            sys.stdout.write(line)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python would complain once more when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    return True
