"""``neocog zoo``: the networks as a table, CSV or JSON; one network layer by layer; a race between networks."""

from __future__ import annotations

import shutil
import sys
from math import isnan
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neocog.verbs.race import Race

ENTRY_COLUMNS = (
    "name", "year", "paper", "task", "params", "macs", "top1_error", "top5_error",
    "error_source", "input", "classes", "weights", "deviations", "family", "aliases",
)  # fmt: skip
LAYER_COLUMNS = (
    "name", "kind", "input_shape", "output_shape", "kernel", "stride", "padding",
    "params", "arithmetic", "macs", "receptive_field", "jump", "start",
)  # fmt: skip
RACE_COLUMNS = (
    "network", "year", "params", "macs", "epochs", "seconds", "top1", "low", "high", "spread", "n", "runs", "error",
)  # fmt: skip
SORTS = ("year", "name", "params", "macs", "top1_error", "top5_error")


@click.command("zoo")
@click.argument("name", required=False)
@click.option("--task", metavar="TASK", help="List: networks for this task, e.g. image.")
@click.option("--like", metavar="WORD", help="List: networks with this word in their name, or like 'resnet*_v2'.")
@click.option("--max-params", metavar="N", help="List: networks with at most so many parameters, e.g. 5M.")
@click.option("--max-macs", metavar="N", help="List: networks with at most so many multiply-accumulates, e.g. 1G.")
@click.option("--year", metavar="YEARS", help="List: networks of these years: 2015, 2012-2016, 2012-.")
@click.option("--sort", type=click.Choice(SORTS), default="year", show_default=True, help="List: smallest first, by.")
@click.option("--reverse", is_flag=True, help="List: largest first.")
@click.option("--picture", metavar="FILE", help="List: draw accuracy against cost into an .svg or .png.")
@click.option("--input", metavar="CxHxW", help="NAME: for inputs of this shape, e.g. 3x160x160.")
@click.option("--classes", type=int, help="NAME: with so many outputs.")
@click.option("--batch", type=int, default=32, show_default=True, help="NAME: the memory for so many samples at once.")
@click.option(
    "--precision",
    type=click.Choice(["fp32", "bf16", "fp16"]),
    default="fp32",
    show_default=True,
    help="NAME: the memory in this arithmetic.",
)
@click.option("--auxiliary/--no-auxiliary", default=None, help="NAME: with the heads that run in training only.")
@click.option("--svg", metavar="FILE", help="NAME: draw the network.")
@click.option("--race", metavar="DATA", help="Train several networks on DATA under one protocol.")
@click.option("--nets", metavar="A,B,...", help="Race: the networks; those made for pictures of that size unless told.")
@click.option("--epochs", type=int, help="Race: passes over the training part.")
@click.option("--minutes", type=float, help="Race: time that each network may train; cuts the epochs.")
@click.option("--seeds", type=int, default=1, show_default=True, help="Race: train each network so many times.")
@click.option("--samples", type=int, help="Race: train on so many of the training pictures.")
@click.option("--size", type=int, help="Race: side of the input of all networks.")
@click.option("--recipe", type=click.Choice(["fast", "smoke"]), help="Race: the recipe of all networks.")
@click.option("--root", metavar="FOLDER", help="Race: where local copies of known data sets lie.")
@click.option("--out", metavar="FOLDER", help="Race: the folder to make, or that of a race to go on with.")
@click.option("--quiet", is_flag=True, help="Race: say nothing but errors.")
@click.option("--csv", "form", flag_value="csv", help="Print comma-separated values.")
@click.option("--json", "form", flag_value="json", help="Print JSON.")
@click.pass_context
def command(ctx: click.Context, /, name: str | None, form: str | None, **options: Any) -> int:
    """List the networks, show the network NAME layer by layer, or let networks race.

    NAME is one of the zoo's, or module:function for one of your own. Parameters and multiply-accumulates (MACs) are
    exact; top-1 and top-5 are published errors, on ImageNet's validation part or, of networks for ten classes, on
    CIFAR-10's test part; --csv says whose they are.
    """
    from neocog.cli.zoo_tables import anatomy_text, entries_text
    from neocog.verbs.anatomy import Anatomy
    from neocog.verbs.zoo import zoo

    default = click.core.ParameterSource.DEFAULT
    given = {option: value for option, value in options.items() if ctx.get_parameter_source(option) is not default}
    shown: Any = zoo(name, **given)
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    if "race" in given:
        return _race(shown, form)
    if form == "json":
        click.echo(_json(shown))
    elif isinstance(shown, Anatomy):
        click.echo(_csv(LAYER_COLUMNS, shown.layers) if form else anatomy_text(shown, width))
    elif form:
        click.echo(_csv(ENTRY_COLUMNS, shown))
    elif shown:
        click.echo(entries_text(shown, width))
    else:
        click.echo("No network passes these filters; `neocog zoo` lists all.", err=True)
    return 0


def _race(race: Race, form: str | None) -> int:
    """Prints the results; returns 1 where some networks failed and 2 where all did."""
    if form == "json":
        click.echo(_json(race))
    else:
        click.echo(_csv(RACE_COLUMNS, race.results) if form else race.text().rstrip("\n"))
    click.echo(f"table and pictures: {race.folder}", err=True)
    failed = sum(bool(result.error) for result in race.results)
    return 0 if not failed else 2 if failed == len(race.results) else 1


def _json(shown: Any) -> str:
    import json
    from dataclasses import asdict

    plain = [asdict(entry) for entry in shown] if isinstance(shown, tuple) else asdict(shown)
    return json.dumps(_without_nan(plain), indent=2, ensure_ascii=False, default=str)


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(each) for each in value]
    return None if isinstance(value, float) and isnan(value) else value


def _csv(columns: Sequence[str], rows: Sequence[object]) -> str:
    import csv
    import io

    from neocog.cli.zoo_tables import cell

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([cell(getattr(row, column)) for column in columns] for row in rows)
    return text.getvalue().rstrip("\n")
