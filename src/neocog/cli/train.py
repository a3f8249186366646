"""``neocog train``: the options come from the table in `neocog.tasks.options`."""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import fields
from typing import Any, Union, get_args, get_origin, get_type_hints

import click

from neocog.tasks.options import TrainOptions


def _plain_type(hint: Any) -> Any:
    if get_origin(hint) in (Union, types.UnionType):
        return next(kind for kind in get_args(hint) if kind is not type(None))
    return hint


def _with_options(function: Callable[..., Any]) -> Callable[..., Any]:
    hints = get_type_hints(TrainOptions)
    for option in reversed(fields(TrainOptions)):
        if option.name == "data":
            continue
        flag = "--" + option.name.replace("_", "-")
        kind = _plain_type(hints[option.name])
        choices = option.metadata.get("choices")
        settings: dict[str, Any] = {"default": option.default, "help": option.metadata["help"]}
        if kind is bool:
            switch = flag if option.default is False else f"{flag}/--no-{flag[2:]}"
            function = click.option(switch, option.name, is_flag=True, **settings)(function)
        else:
            settings["type"] = click.Choice(choices) if choices else kind
            function = click.option(flag, option.name, **settings)(function)
    return function


@click.command("train")
@click.argument("data", required=False)
@click.option("--resume", metavar="RUN", help="Continue an interrupted run or cross-validation; no other option.")
@_with_options
@click.pass_context
def command(ctx: click.Context, /, data: str | None, resume: str | None, **options: Any) -> None:
    """Train a network on DATA and leave a run folder with the model file, the metrics and a report.

    DATA is a folder of class folders (with train/val/test or without), a CSV or TSV of path and label, an .npz or .zip,
    or the name of a known set: digits, mnist, fashion-mnist, cifar10.  Without DATA: handwritten digits.
    """
    from neocog.training.distributed import expected
    from neocog.verbs.train import train

    given = {
        name: value
        for name, value in options.items()
        if ctx.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT
    }
    run = train(data, resume=resume, **given)
    if expected().main and not options["quiet"]:
        click.echo(run.text())
