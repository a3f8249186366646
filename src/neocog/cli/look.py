"""``neocog look``: what a network sees in pictures, texts, tags and relations, with a report in a new folder."""

from __future__ import annotations

from typing import Any

import click


def _list(ctx: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if not wanted:
        return
    from neocog.verbs.look_methods import METHODS
    from neocog.verbs.look_text_methods import TEXT_METHODS

    of_texts = [each for each in TEXT_METHODS if each.of is None]
    rows = [(each.usual, each.name, each.title, each.paper) for each in METHODS]
    for usual, name, title, paper in [*rows, *((one.usual, one.name, one.title, one.paper) for one in of_texts)]:
        click.echo(f"{'*' if usual else ' '} {name:24}{title} ({paper})")
    words = ", ".join(each.name for each in TEXT_METHODS if each.usual)
    click.echo(f"* unless --method says otherwise; for texts: {words}.", err=True)
    ctx.exit(0)


@click.command("look")
@click.argument("model")
@click.argument("inputs", nargs=-1, metavar="INPUT...")
@click.option("--out", type=click.Path(), help="New folder for the pictures, look.json and report.html.")
@click.option("--method", multiple=True, metavar="NAME", help="A way to look, or all; repeat it; --list names them.")
@click.option("--layer", metavar="NAME", help="Layer as `neocog zoo` prints it; each method finds its own unless told.")
@click.option("--unit", metavar="C[,ROW,COLUMN]", help="Channel of the layer, or one place of it; the strongest.")
@click.option("--class", "target", metavar="NAME", help="Class to explain; the predicted one unless told.")
@click.option("--top", type=int, default=1, show_default=True, help="Explain so many of the most probable classes.")
@click.option("--count", type=int, default=16, show_default=True, help="Maps on a sheet.")
@click.option("--trust/--no-trust", default=True, show_default=True, help="Score how far each map can be trusted.")
@click.option("--data", metavar="DATA", help="Pictures to find patches and neighbours in; texts to find n-grams in.")
@click.option("--root", type=click.Path(), help="Where local copies of known data sets lie (or NEOCOG_DATA).")
@click.option("--samples", type=int, default=2000, show_default=True, help="Pictures of DATA to look through, at most.")
@click.option("--word", multiple=True, metavar="WORD", help="For taggers: explain this word's tag, by name or number.")
@click.option("--words", metavar="W,W", help="For texts: the nearest words to these in the model's word vectors.")
@click.option("--vectors", metavar="FILE", help="With --words: the vectors that training began with, to compare.")
@click.option("--encoding", help="Encoding of files of texts; UTF-8 unless told, e.g. latin-1.")
@click.option("--text-column", help="Column of a table that holds the texts.")
@click.option("--device", help="cpu, cuda or cuda:N; a GPU when there is one.")
@click.option("--net", metavar="MODULE:FUNCTION", help="The model's network, where it is your own: its code then runs.")
@click.option("--list", is_flag=True, is_eager=True, expose_value=False, callback=_list, help="List the methods.")
@click.pass_context
def command(ctx: click.Context, /, model: str, inputs: tuple[str, ...], **options: Any) -> None:
    """Show what MODEL sees in each INPUT: where its answer comes from, its maps, its filters.

    MODEL is a model file, or a network of the zoo with its ImageNet weights. INPUT is a picture file, a folder, a glob
    in quotes, or a .txt or .csv list, as for `neocog predict`; for a model of texts, tags or relations a sentence in
    quotes, or a file of them. Every map comes with scores of its trustworthiness. The words of a text go to stdout, in
    colour in a terminal. Of a tagged sentence the words that the network is least sure of are explained, with --class
    those that have this tag.
    """
    from neocog.core.errors import UsageError
    from neocog.verbs.look import look
    from neocog.verbs.look_kinds import is_of_texts, refuse_other_tasks
    from neocog.verbs.opening import refuse_missing

    refuse_missing(model)
    texts = is_of_texts(model)
    if options["out"] is None and not texts:
        refuse_other_tasks(model)
        raise UsageError("pictures are written into a new folder; name it, --out DIR.")
    options["words"] = options["words"] or ()
    found: Any = look(model, inputs, **options, say=lambda name: click.echo(f"neocog: looked at {name}", err=True))
    for each in found.refused:
        click.echo(f"neocog: unreadable: {each.input or repr(each.input)}: {each.error}", err=True)
    for title, reason in _refused(found):
        click.echo(f"neocog: refused: {title}: {reason}", err=True)
    if texts:
        _tell(found)
    else:
        for figure in found.all_figures:
            if figure.file is not None and found.folder is not None:
                click.echo(str(found.folder / figure.file))
    if found.report is not None:
        click.echo(f"neocog: the report is {found.report}", err=True)
    if found.refused:
        ctx.exit(1)


def _tell(found: Any) -> None:
    import os
    import sys

    from neocog.cli.look_text import lines

    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    coloured = sys.stdout.isatty() and not plain
    for line in lines(found, coloured=coloured):
        click.echo(line, color=True)


def _refused(found: Any) -> tuple[tuple[str, str], ...]:
    from neocog.verbs.look_result import refusals

    return refusals(found.all_figures)
