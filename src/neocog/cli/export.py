"""``neocog export``: a trained model in a form that other programs read."""

from __future__ import annotations

import click


@click.command("export")
@click.argument("model", type=click.Path())
@click.option("--weights", required=True, metavar="LIBRARY", help="Whose names the weights get: torchvision or timm.")
@click.option("--out", required=True, type=click.Path(), help="The file to write: .safetensors, or .pth.")
def command(model: str, weights: str, out: str) -> None:
    """Write MODEL's weights as a state dict that another library's network of that name loads.

    `neocog train --weights torchvision:FILE` reads it back.
    """
    from neocog.verbs.export import export

    click.echo(str(export(model, weights=weights, out=out)))
