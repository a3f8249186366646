"""How long the explorer lets one wait: each kind of request at every layer, over HTTP, and the bytes that come back.

The server runs as `neocog explore` starts it, in a process of its own; networks have their first weights, which cost
what trained ones do. The first picture and what is asked once a page is told apart from what each click asks.

    python benchmarks/explore.py --out docs/benchmarks/explore.md
"""

from __future__ import annotations

import argparse
import io
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image

import harness
from neocog import architectures
from neocog.core import modelfile
from neocog.core.contract import ModelContract
from neocog.data.preprocess import PicturePreprocessing

# The network, the side of its input, and the longest that an answer may take, in milliseconds.
CASES = {"lenet5_modern": (32, 100), "resnet18": (224, 1000)}
EXPLANATIONS = ("saliency", "gradient_times_input", "guided_backpropagation", "grad_cam", "deconvnet", "relevance")


class Answer(NamedTuple):
    """One request: what was asked, how long it took, and how many bytes came back."""

    kind: str
    milliseconds: float
    bytes: int


class Page:
    """Asks a server as its page does, over one connection that stays open."""

    def __init__(self, address: str) -> None:
        found = re.search(r"http://([\d.]+):(\d+)/\?token=([\w-]+)", address)
        assert found is not None, address
        self._connection = HTTPConnection(found[1], int(found[2]), timeout=600)
        self._headers = {"X-Neocog-Token": found[3]}
        self.answers: list[Answer] = []

    def ask(self, kind: str, path: str, body: bytes | None = None) -> Any:
        """Returns the JSON of one answer, and notes what it took."""
        began = time.perf_counter()
        self._connection.request("GET" if body is None else "POST", f"/api/{path}", body, self._headers)
        answer = self._connection.getresponse()
        content = answer.read()
        self.answers.append(Answer(kind, 1000 * (time.perf_counter() - began), len(content)))
        assert answer.status == 200, (path, content[:200])
        return json.loads(content)


def save(name: str, side: int, path: Path) -> None:
    """Writes a model file with the network's first weights."""
    torch.manual_seed(0)
    record = architectures.record(name)
    channels = record.input[0]
    numbers = PicturePreprocessing((side, side), side, "bilinear", (0.5,) * channels, (0.25,) * channels, channels)
    classes = tuple(f"class {index}" for index in range(record.classes))
    arguments = {"classes": len(classes), "channels": channels}
    contract = ModelContract(name, arguments, "image classification", classes, numbers.to_contract())
    modelfile.save(path, architectures.create(name, **arguments).state_dict(), contract)


def picture(side: int) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, "png")
    return written.getvalue()


def measure(name: str, repeats: int) -> list[Answer]:
    side, _ = CASES[name]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        save(name, side, path)
        command = [str(Path(sys.executable).parent / "neocog"), "explore", str(path), "--no-browser"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
            try:
                assert server.stderr is not None
                page = Page(server.stderr.readline())
                for place, (kind, asked, body) in enumerate(requests(page, side, repeats)):
                    page.ask(kind, asked, body)
                    if place % 100 == 99:
                        print(f"{name}: {place + 1} requests", file=sys.stderr, flush=True)
            finally:
                server.terminate()
    return page.answers


def requests(page: Page, side: int, repeats: int) -> Iterator[tuple[str, str, bytes | None]]:
    """Yields what a visit asks for: kind, path, body."""
    nodes = page.ask("the network (once)", "network")["nodes"]
    yield "methods (once)", "methods", None
    first = page.ask("the first picture", "picture", picture(side))["picture"]
    for _ in range(repeats):
        yield "another picture", "picture", picture(side)
        for node in nodes:
            channel = node["shape"][0] // 2
            where = f"picture={first}&node={node['id']}"
            yield "maps of a layer (12)", f"maps?{where}&count=12&order=strength", None
            yield "links of a map", f"links?{where}&channel={channel}", None
            yield "arithmetic of a map", f"arithmetic?{where}&channel={channel}", None
            if len(node["shape"]) == 3:
                yield "field of a unit", f"field?node={node['id']}&row={node['shape'][1] // 2}", None
        yield "softmax", f"softmax?picture={first}", None
        for method in EXPLANATIONS:
            yield f"explanation: {method}", f"explain?picture={first}&method={method}", None


def table(name: str, answers: list[Answer], limit: int) -> tuple[list[list[str]], str]:
    rows = []
    for kind in dict.fromkeys(answer.kind for answer in answers):
        own = [answer for answer in answers if answer.kind == kind]
        times, sizes = (sorted(each) for each in zip(*((a.milliseconds, a.bytes) for a in own), strict=True))
        middle = harness.spread(times).median
        rows.append([kind, str(len(own)), f"{middle:.1f}", f"{times[-1]:.1f}", f"{sizes[len(sizes) // 2] / 1024:.1f}",
                     f"{sizes[-1] / 1024:.1f}"])  # fmt: skip
    later = [a for a in answers if "first" not in a.kind and "once" not in a.kind]
    slowest = max(later, key=lambda each: each.milliseconds)
    within = sum(each.milliseconds < limit for each in later)
    verdict = (
        f"{name}: {within:,} of {len(later):,} answers after the first picture within {limit} ms; the slowest was "
        f"{slowest.milliseconds:.0f} ms ({slowest.kind}): {'met' if within == len(later) else 'missed'}."
    )
    return rows, verdict


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--cores", type=int, default=2, help="0: all")
    parser.add_argument("--only", nargs="+", choices=list(CASES), default=list(CASES))
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    cores = harness.take_cores(arguments.cores)
    header = ["request", "n", "median ms", "most ms", "median KiB", "most KiB"]
    parts = ["# The explorer's answers\n"]
    for name in arguments.only:
        rows, verdict = table(name, measure(name, arguments.repeats), CASES[name][1])
        parts += [f"## {name}, input {CASES[name][0]}\n", verdict + "\n", harness.table(header, rows) + "\n"]
    parts.insert(1, f"    {harness.command({})}\n")
    parts.append(harness.environment(cores, harness.own_versions("neocog", "torch", "fastapi", "uvicorn")))
    harness.publish("\n".join(parts), arguments.out)


if __name__ == "__main__":
    main()
