"""``neocog generate``: text that a language model writes, on stdout as it is written."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import click


@click.command("generate")
@click.argument("model", type=click.Path())
@click.option("--prompt", default="", help="How the text begins; without it, at the start of a line.")
@click.option("--length", type=click.IntRange(min=1), default=500, show_default=True, help="Characters (or words).")
@click.option(
    "--temperature",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="1 as learned, lower safer, higher bolder; 0 takes the likeliest.",
)
@click.option("--top", type=click.IntRange(min=1), help="Draw among so many of the likeliest alone.")
@click.option("--seed", type=int, default=0, show_default=True, help="One seed gives one text.")
@click.option("--count", type=click.IntRange(min=1), default=1, show_default=True, help="Texts, each of the next seed.")
@click.option("--jsonl", "as_json", is_flag=True, help="One JSON object a text: prompt, text, seed.")
@click.option("--device", help="cpu, cuda or cuda:N; a GPU when there is one.")
@click.option("--net", metavar="MODULE:FUNCTION", help="The model's network, where it is your own: its code then runs.")
def command(**options: Any) -> None:
    """Write text with MODEL, a language model (`neocog train TEXT --task language`).

    The text goes to stdout, behind its prompt; several are parted by an empty line.
    """
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8", newline="")
    try:
        _write(**options)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python would complain once more when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _write(
    *,
    model: str,
    prompt: str,
    length: int,
    temperature: float,
    top: int | None,
    seed: int,
    count: int,
    as_json: bool,
    device: str | None,
    net: str | None,
) -> None:
    from neocog.tasks.generation import Sampling
    from neocog.verbs.generate import opened, seeds, stream

    writer, sampling = opened(model, device=device, net=net), Sampling(temperature, top)
    for place, each in enumerate(seeds(seed, count)):
        pieces = stream(writer, prompt=prompt, length=length, sampling=sampling, seed=each)
        if as_json:
            sys.stdout.write(json.dumps({"prompt": prompt, "text": "".join(pieces), "seed": each}) + "\n")
            continue
        sys.stdout.write(("\n" if place else "") + prompt)
        for piece in pieces:
            sys.stdout.write(shown(piece))
            sys.stdout.flush()
        sys.stdout.write("\n")


def shown(piece: str) -> str:
    """Returns a token as a terminal may show it: what would move its cursor or change its colours is escaped."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else ascii(letter)[1:-1] for letter in piece)
