"""Whether our networks are those of torchvision, timm and Keras: the same weights in both, the outputs compared.

Each library's own network gets random weights and batch-norm statistics, which are read through our tables of names;
and ours are written back through them into the library's network. Outputs are compared in evaluation and in training
mode, those of auxiliary heads too, without dropout. ``--python`` is an interpreter with torch, torchvision, timm, keras
and safetensors.

    python benchmarks/equivalence.py --python PYTHON --out docs/benchmarks/equivalence.md
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

import harness
from counterparts import NAMES
from neocog.architectures import create, records
from neocog.core.errors import NeocogError
from neocog.core.foreign import written
from neocog.core.randomness import generator, seed_everything
from neocog.core.registry import Record
from peers.libraries import computing, run, spread_statistics

HERE = Path(__file__).parent
LIBRARIES = ("torchvision", "timm", "keras")
GOAL = 1e-5
MOST_SIDE, MOST_SIDE_299 = 96, 139


class Row(NamedTuple):
    """One pair: largest relative differences of their weights in ours, and of ours in theirs; None where not tried."""

    ours: str
    library: str
    theirs: str
    input: str
    read: dict[str, float]
    back: dict[str, float]
    fault: str = ""

    @property
    def worst(self) -> float:
        """The largest of all."""
        return max([*self.read.values(), *self.back.values()], default=float("nan"))


class Peer:
    """The other interpreter, started once."""

    def __init__(self, python: str) -> None:
        environment = {**os.environ, "KERAS_BACKEND": "torch", "PYTHONDONTWRITEBYTECODE": "1"}
        self._process = subprocess.Popen(
            [python, "-W", "ignore", "-m", "peers.libraries"],
            cwd=HERE, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.versions: dict[str, str] = self._answer()

    def ask(self, order: dict[str, Any]) -> dict[str, Any]:
        """Returns the answer to one order."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        while line := self._process.stdout.readline():
            if line.startswith("{"):
                return dict(json.loads(line))
        raise SystemExit("the other interpreter ended")

    def close(self) -> None:
        """Ends the process."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()


def shape_of(entry: Record, library: str) -> tuple[int, ...]:
    """Returns a quick input: the published one where dense layers depend on it."""
    channels, side = entry.input[0], entry.input[-1]
    fixed = "size" in inspect.signature(entry.build).parameters or (library == "keras" and entry.name.startswith("vgg"))
    fixed |= side == 299 and entry.name.endswith("_aux")  # their heads need maps of 17x17
    most = MOST_SIDE_299 if side == 299 else MOST_SIDE
    return (channels, *(side if fixed else min(side, most),) * 2)


def compare(entry: Record, library: str, peer: Peer, options: argparse.Namespace) -> Row:
    """Compares one network with its counterpart in a library."""
    theirs = NAMES.get((library, entry.name))
    candidates = [theirs.name] if theirs else [entry.name, *entry.aliases]
    shape = shape_of(entry, library)
    said = "x".join(map(str, shape))
    dtype = torch.float32 if options.single else torch.float64
    with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
        folder = Path(scratch)
        inputs = torch.randn(options.batch, *shape, generator=generator(options.seed, entry.name)).to(dtype)
        save_file({"inputs": inputs}, folder / "inputs.safetensors")
        ours = {} if library == "keras" else write_ours(entry, library, inputs, folder, options.seed)
        order = {
            "library": library, "candidates": candidates, "options": theirs.options if theirs else {},
            "seed": options.seed, "double": not options.single, "threads": options.threads, "folder": scratch,
        }  # fmt: skip
        answer = peer.ask(order)
        if answer.get("error"):
            return Row(entry.name, library, candidates[0], said, {}, {}, answer["error"])
        if answer["name"] is None:
            return Row(entry.name, library, "", said, {}, {})
        try:
            read = differences(
                read_theirs(entry, library, inputs, folder), load_file(folder / "theirs_outputs.safetensors")
            )
            back = folder / "back_outputs.safetensors"
            written_back = differences(ours, load_file(back)) if back.exists() else {}
        except NeocogError as error:
            return Row(entry.name, library, answer["name"], said, {}, {}, str(error).replace(scratch, "."))
    return Row(entry.name, library, answer["name"], said, read, written_back)


def write_ours(entry: Record, library: str, inputs: Tensor, folder: Path, seed: int) -> dict[str, Tensor]:
    """Writes random weights of ours in the library's names and returns what ours computes."""
    seed_everything(seed, entry.name)
    network = create(entry.name)
    spread_statistics(network, seed + 1)
    state = written(network.state_dict(), entry, library)
    save_file({name: each.contiguous() for name, each in state.items()}, folder / "ours.safetensors")
    return run(computing(network, inputs), inputs)


def read_theirs(entry: Record, library: str, inputs: Tensor, folder: Path) -> dict[str, Tensor]:
    """Returns what ours computes with the library's weights."""
    file = folder / ("theirs.weights.h5" if library == "keras" else "theirs.safetensors")
    network = create(entry.name, weights=f"{library}:{file}", say=lambda line: print(line, file=sys.stderr))
    return run(computing(network, inputs), inputs)


def differences(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> dict[str, float]:
    """Returns for each output the largest difference over the largest number; infinite where one is missing."""
    if ours.keys() != theirs.keys():
        missing = sorted(ours.keys() ^ theirs.keys())
        raise NeocogError(f"outputs {', '.join(missing)} are on one side only")
    return {name: float((each - theirs[name]).abs().max() / theirs[name].abs().max()) for name, each in ours.items()}


def rows(peer: Peer, options: argparse.Namespace, known: dict[tuple[str, str], Row]) -> Iterator[Row]:
    for entry in records():
        for library in options.libraries:
            if library in entry.renames and (not options.only or entry.name in options.only):
                if (entry.name, library) in known:
                    yield known[entry.name, library]
                    continue
                row = compare(entry, library, peer, options)
                print(
                    f"{row.ours} {library}: {row.fault or f'{row.theirs or None} {row.worst:.1e}'}",
                    file=sys.stderr,
                    flush=True,
                )
                yield row


def page(found: Sequence[Row], peer: Peer, options: argparse.Namespace) -> str:
    """Returns the page: what was done, the worst difference, and a row a pair."""
    good, lone = [row for row in found if row.theirs and not row.fault], [row for row in found if not row.theirs]
    bad = [f"{row.ours} ({row.library})" for row in found if row.fault or row.worst > GOAL]
    precision = "single" if options.single else "double"
    worst = max((row.worst for row in good), default=float("nan"))
    verdict = f"Not within {GOAL:g}: {', '.join(bad)}." if bad else f"All are within {GOAL:g}."
    alone = f"Names known, but no such network there: {', '.join(f'{row.ours} ({row.library})' for row in lone)}."
    return "\n\n".join(
        (
            "# Our networks and other libraries'",
            f"    {harness.command({'--python': 'PYTHON', '--scratch': 'FOLDER'})}",
            "Each library's network with random weights and batch-norm statistics, read into ours through the tables "
            "of names (*read*), and ours written into theirs (*written*; Keras's files are read only). Batch "
            f"{options.batch}, seed {options.seed}, no dropout, computed in {precision} precision with weights in "
            "single. A figure is the largest difference between the logits over the largest logit, in evaluation and "
            "in training mode, where auxiliary heads count, too. Keras's batch norms, which would round to single, are "
            "kept in double.",
            f"{len(good)} pairs of {len({row.ours for row in good})} networks; the largest difference is {worst:.1e}. "
            f"{verdict}{f' {alone}' if lone else ''}",
            harness.environment(options.threads, {**harness.own_versions("neocog", "torch"), **_theirs(peer)}),
            harness.table(
                [
                    "network",
                    "library",
                    "its name",
                    "input",
                    "read, eval",
                    "read, train",
                    "written, eval",
                    "written, train",
                ],
                [cells(row) for row in found if row.theirs],
            ),
        )
    )


def _theirs(peer: Peer) -> dict[str, str]:
    return {f"{name} (peer)" if name == "torch" else name: number for name, number in peer.versions.items()}


def cells(row: Row) -> list[str]:
    start = [row.ours, row.library, row.theirs, row.input]
    if row.fault:
        return [*start, row.fault, "", "", ""]
    return [
        *start,
        *(text for side in (row.read, row.back) for text in (_figure(side, "eval"), _figure(side, "train"))),
    ]


def _figure(side: dict[str, float], mode: str) -> str:
    values = [value for name, value in side.items() if name.startswith(mode)]
    return f"{max(values):.1e}" if values else ""


def rows_of(text: str) -> dict[tuple[str, str], Row]:
    """Returns the pairs of a page that was written before, those with a fault left out."""
    found = {}
    for line in text.splitlines():
        parts = [part.strip() for part in line.strip("|").split("|")]
        if len(parts) != 8 or parts[1] not in LIBRARIES or not _FIGURES.fullmatch(" ".join(parts[4:]).strip()):
            continue
        read, back = (_known(parts[start : start + 2]) for start in (4, 6))
        found[parts[0], parts[1]] = Row(parts[0], parts[1], parts[2], parts[3], read, back)
    return found


_FIGURES = re.compile(r"\d\.\de[+-]\d+( \d\.\de[+-]\d+)*")


def _known(figures: Sequence[str]) -> dict[str, float]:
    return {mode: float(figure) for mode, figure in zip(("eval", "train"), figures, strict=True) if figure}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", required=True, help="interpreter with torch, torchvision, timm, keras, safetensors")
    parser.add_argument("--libraries", nargs="+", default=LIBRARIES, choices=LIBRARIES)
    parser.add_argument("--only", nargs="*", help="networks of ours; all unless told")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--single", action="store_true", help="compute in single precision")
    parser.add_argument("--scratch", help="folder for the weights that go to and fro; the system's unless told")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--resume", action="store_true", help="keep what the page at --out already has")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    peer = Peer(options.python)
    found: list[Row] = []
    known = rows_of(options.out.read_text(encoding="utf-8")) if options.resume and options.out.exists() else {}
    for row in rows(peer, options, known):
        found.append(row)
        if options.out:  # so that what is known is kept
            harness.write(page(found, peer, options), options.out)
    harness.publish(page(found, peer, options), options.out)
    peer.close()


if __name__ == "__main__":
    main()
