"""Bits per character of the language models on one text, each after the same number of epochs, and what they write.

Each run is `neocog train --task language` in a fresh process on one core; the test part is measured once, at its end.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import neocog
from harness import command, environment, own_versions, publish, table, take_cores
from neocog.core.layers import count_macs

NETWORKS = ("elman_lm", "gru_lm", "lstm_lm", "gated_conv_lm")
TEMPERATURES = (0.2, 0.7, 1.2)
PROMPT = "The "
_SENTENCE = re.compile(r"# text = (.*)")


class Outcome(NamedTuple):
    """One run: its summary, MACs a character, the seconds of the process, what the model writes by temperature."""

    summary: dict[str, Any]
    macs: float
    seconds: float
    written: dict[float, str]


def text_of(source: Path, folder: Path) -> Path:
    """Returns the running text: as it is, or of a folder of CoNLL-U its sentences, a line each, in the same parts."""
    tables = sorted(source.glob("*.conllu")) if source.is_dir() else []
    for path in tables:
        part = next(name for name in ("train", "dev", "test") if name in path.stem)
        lines = path.read_text(encoding="utf-8").splitlines()
        sentences = [found[1] for line in lines if (found := _SENTENCE.fullmatch(line))]
        (folder / f"{part}.txt").write_text("\n".join(sentences) + "\n", encoding="utf-8")
    return folder if tables else source


def run(net: str, text: Path, folder: Path, options: argparse.Namespace) -> Outcome:
    """Trains one network and lets it write."""
    out = folder / net
    words = ["train", str(text), "--task", "language", "--net", net, "--epochs", str(options.epochs)]
    began = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "neocog", *words, "--seed", str(options.seed), "--quiet", "--out", str(out)], check=True
    )
    seconds = time.monotonic() - began
    model = neocog.load(out / "model.safetensors")
    numbers = model.contract.preprocessing
    macs = count_macs(model.network, (len(numbers["words"]), numbers["window"])) / numbers["window"]
    written = {
        temperature: str(
            neocog.generate(model, prompt=PROMPT, length=options.length, temperature=temperature, seed=options.seed)[0]
        )
        for temperature in TEMPERATURES
    }
    return Outcome(json.loads((out / "summary.json").read_text()), macs, seconds, written)


def row(net: str, outcome: Outcome) -> list[str]:
    """Returns a row of the table."""
    summary = outcome.summary
    figures = [f"{summary[part][figure]:.3f}" for figure in ("bits_per_character", "perplexity") for part in PARTS]
    return [f"`{net}`", f"{summary['parameters']:,}", f"{outcome.macs:,.0f}", *figures, f"{outcome.seconds:.0f}"]


PARTS = ("val", "test")


def samples(outcomes: dict[str, Outcome]) -> str:
    """Returns what each model wrote, as a page has it."""
    blocks = []
    for net, outcome in outcomes.items():
        blocks.append(f"### `{net}`")
        for temperature, text in outcome.written.items():
            quoted = "\n".join(f"    {line}" for line in text.split("\n"))
            blocks.append(f"Temperature {temperature:g}:\n\n{quoted}")
    return "\n\n".join(blocks)


def page(outcomes: dict[str, Outcome], options: argparse.Namespace) -> str:
    header = ["network", "parameters", "MACs a character", "bits, val", "bits, test", "perplexity, val"]
    header += ["perplexity, test", "seconds"]
    count = next(iter(outcomes.values())).summary["test"]["n"]
    lead = (
        f"`neocog train TEXT --task language --epochs {options.epochs} --seed {options.seed}`, a fresh process each, "
        f"on one core. {options.title} Bits are per character, over {count:,} held-out test characters; each is told "
        "from at least 64 characters before it. Seconds are of the whole process, reading, measuring and the report "
        "included."
    )
    return "\n\n".join(
        [
            "# Language models, by character",
            lead,
            environment(take_cores(1), own_versions("neocog", "torch")),
            table(header, [row(net, outcome) for net, outcome in outcomes.items()]),
            f"## What they write\n\nBehind the prompt {PROMPT!r}, seed {options.seed}.",
            samples(outcomes),
            f"Made by `{command({'--data': 'TEXT', '--title': 'TITLE', '--out': 'FILE'})}`.",
        ]
    )


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--data", type=Path, required=True, help="running text, or a folder of CoNLL-U files")
    parser.add_argument("--title", default="", help="a sentence on what the text is")
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--length", type=int, default=300, help="characters to be written")
    parser.add_argument("--out", type=Path, help="the page")
    return parser.parse_args()


def main() -> None:
    options = parsed()
    take_cores(1)
    outcomes: dict[str, Outcome] = {}
    with tempfile.TemporaryDirectory() as name:
        (folder := Path(name) / "text").mkdir()
        text = text_of(options.data, folder)
        for net in options.networks:
            outcomes[net] = run(net, text, Path(name), options)
            print(f"{net}: {outcomes[net].summary['verdict']} in {outcomes[net].seconds:.0f} s", file=sys.stderr)
    publish(page(outcomes, options), options.out)


if __name__ == "__main__":
    main()
