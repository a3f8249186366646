"""``neocog dream``: pictures that excite a layer, a unit or a class most."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import click


@click.command("dream")
@click.argument("model")
@click.argument("layers", nargs=-1, metavar="LAYER[:UNIT]...")
@click.option("--out", type=click.Path(), required=True, help="New folder, or a .png file: one picture, or the sheet.")
@click.option("--class", "classes", multiple=True, metavar="NAME", help="A class, by name or number; repeat it.")
@click.option("--steps", type=click.IntRange(min=1), help="Steps of ascent [256; 10 a size with --start; 300].")
@click.option("--size", type=click.IntRange(min=1), help="Side in pixels [128, or the model's own].")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the noise that it begins with.")
@click.option("--plain", is_flag=True, help="Gradient ascent from noise without any trick.")
@click.option("--start", type=click.Path(), metavar="IMAGE", help="DeepDream: show more of what it sees in IMAGE.")
@click.option("--invert", type=click.Path(), metavar="IMAGE", help="What LAYER still knows of IMAGE.")
@click.option("--device", help="cpu, cuda or cuda:N; a GPU when there is one.")
@click.option("--net", metavar="MODULE:FUNCTION", help="The model's network, where it is your own: its code then runs.")
@click.option("--json", "as_json", is_flag=True, help="Print how each was made as JSON.")
def command(as_json: bool, **options: Any) -> None:
    """Make pictures that excite what MODEL has learnt: LAYER, LAYER:CHANNEL, or LAYER:CHANNEL,ROW,COLUMN.

    MODEL is a model file, or a network of the zoo with its ImageNet weights. Layers have the names that `neocog zoo`
    prints; c3:0-8 are nine channels. Of several there is a sheet, too, and beside the pictures a .json that says how
    they were made and how far each came.
    """
    from neocog.verbs.dream import dream
    from neocog.verbs.dream_files import to_json

    made = dream(**options, progress=_progress(sys.stderr.isatty()))
    if as_json:
        click.echo(json.dumps(to_json(made), indent=1, ensure_ascii=False))
        return
    for each in made.dreams:
        change = f"error {each.error:.3f}" if each.error is not None else f"{each.before:.4g} -> {each.after:.4g}"
        click.echo(f"{each.file or made.file}\t{each.words}\t{change}")
    if len(made.dreams) > 1:
        click.echo(f"neocog: all of them are in {made.file}", err=True)


def _progress(shown: bool) -> Callable[[int, int, str, int, float], None] | None:
    """Returns what writes a line that replaces itself, every tenth step; None where nobody watches."""
    if not shown:
        return None

    def tell(number: int, count: int, words: str, step: int, score: float) -> None:
        if step % 10 == 0:
            click.echo(f"\r\033[K{number} of {count}: {words}, step {step}: {score:.4g}", nl=False, err=True)

    return tell
