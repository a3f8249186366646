"""``neocog look``: pictures of what a network sees, in a new folder, with a report."""

from __future__ import annotations

from typing import Any

import click


def _list(ctx: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if not wanted:
        return
    from neocog.verbs.look_methods import METHODS

    for each in METHODS:
        mark = "*" if each.usual else " "
        click.echo(f"{mark} {each.name:24}{each.title} ({each.paper})")
    click.echo("* unless --method says otherwise.", err=True)
    ctx.exit(0)


@click.command("look")
@click.argument("model")
@click.argument("inputs", nargs=-1, metavar="IMAGE...")
@click.option("--out", type=click.Path(), required=True, help="New folder for the pictures, look.json and report.html.")
@click.option("--method", multiple=True, metavar="NAME", help="A way to look, or all; repeat it; --list names them.")
@click.option("--layer", metavar="NAME", help="Layer as `neocog zoo` prints it; each method finds its own unless told.")
@click.option("--unit", metavar="C[,ROW,COLUMN]", help="Channel of the layer, or one place of it; the strongest.")
@click.option("--class", "target", metavar="NAME", help="Class to explain; the predicted one unless told.")
@click.option("--top", type=int, default=1, show_default=True, help="Explain so many of the most probable classes.")
@click.option("--count", type=int, default=16, show_default=True, help="Maps on a sheet.")
@click.option("--trust/--no-trust", default=True, show_default=True, help="Score how far each map can be trusted.")
@click.option("--data", metavar="DATA", help="Pictures to find strongest patches and nearest neighbours in.")
@click.option("--root", type=click.Path(), help="Where local copies of known data sets lie (or NEOCOG_DATA).")
@click.option("--samples", type=int, default=2000, show_default=True, help="Pictures of DATA to look through, at most.")
@click.option("--device", help="cpu, cuda or cuda:N; a GPU when there is one.")
@click.option("--net", metavar="MODULE:FUNCTION", help="The model's network, where it is your own: its code then runs.")
@click.option("--list", is_flag=True, is_eager=True, expose_value=False, callback=_list, help="List the methods.")
@click.pass_context
def command(ctx: click.Context, /, model: str, inputs: tuple[str, ...], **options: Any) -> None:
    """Show what MODEL sees in each IMAGE: where its answer comes from, its maps, its filters.

    MODEL is a model file, or a network of the zoo with its ImageNet weights. IMAGE is a file, a folder, a glob in
    quotes, or a .txt or .csv list, as for `neocog predict`. Every map comes with scores of its trustworthiness.
    """
    from neocog.verbs.look import look

    found = look(model, inputs, **options, say=lambda name: click.echo(f"neocog: looked at {name}", err=True))
    for each in found.refused:
        click.echo(f"neocog: unreadable: {each.input}: {each.error}", err=True)
    for title, reason in _refused(found):
        click.echo(f"neocog: refused: {title}: {reason}", err=True)
    for figure in found.all_figures:
        if figure.file is not None and found.folder is not None:
            click.echo(str(found.folder / figure.file))
    click.echo(f"neocog: the report is {found.report}", err=True)
    if found.refused:
        ctx.exit(1)


def _refused(found: Any) -> tuple[tuple[str, str], ...]:
    from neocog.verbs.look_result import refusals

    return refusals(found.all_figures)
