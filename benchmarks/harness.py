"""What the benchmarks share: repeats in turns, their spread, the line about the machine, and Markdown tables."""

from __future__ import annotations

import os
import platform
import random
import shlex
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple, TypeVar

Result = TypeVar("Result")


class Spread(NamedTuple):
    """The middle and the ends of some repeats of one measurement."""

    median: float
    low: float
    high: float
    n: int

    def text(self, digits: int = 0) -> str:
        """Returns e.g. ``812 (790 to 830)``."""
        return f"{self.median:.{digits}f} ({self.low:.{digits}f} to {self.high:.{digits}f})"


def spread(values: Iterable[float]) -> Spread:
    numbers = sorted(values)
    return Spread(statistics.median(numbers), numbers[0], numbers[-1], len(numbers))


def paired_ratio(numerators: Sequence[float], denominators: Sequence[float]) -> float:
    """Returns the median of the ratios round by round: what slows one whole round down cancels out."""
    return statistics.median(first / second for first, second in zip(numerators, denominators, strict=True))


def interleaved(names: Sequence[str], measure: Callable[[str], Result], repeats: int) -> dict[str, list[Result]]:
    """Measures A B C, A B C, ...; a round's order is turned by one each time, so that none is always first."""
    results: dict[str, list[Result]] = {name: [] for name in names}
    for repeat in range(repeats):
        turn = repeat % len(names)
        for name in (*names[turn:], *names[:turn]):
            results[name].append(measure(name))
            print(f"round {repeat + 1}/{repeats}: {name}", file=sys.stderr, flush=True)
    return results


def shuffled(
    steps: Mapping[str, Callable[[], object]], repeats: int, least: float, chance: random.Random
) -> dict[str, list[float]]:
    """Returns each step's `seconds`, round by round, in an order drawn anew in each: none always runs behind the same.

    ``least`` is the time of each measurement.
    """
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(repeats):
        for name in chance.sample(list(steps), len(steps)):
            times[name].append(seconds(steps[name], least))
    return times


def seconds(step: Callable[[], object], least: float) -> float:
    """Returns the time of one step, of as many as fill ``least`` seconds."""
    began, count = time.perf_counter(), 0
    while count == 0 or time.perf_counter() - began < least:
        step()
        count += 1
    return (time.perf_counter() - began) / count


def take_cores(count: int) -> int:
    """Keeps this process and its children to ``count`` cores (0: all that it has) and returns how many they are."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[: count or len(cores)])
    return len(os.sched_getaffinity(0))


def environment(threads: int, versions: Mapping[str, str]) -> str:
    """Returns the line that says on what the figures were measured."""
    named = ", ".join(f"{name} {number}" for name, number in versions.items())
    load = os.getloadavg()[0]
    return f"{processor()}, {threads} thread(s), load {load:.1f}; Python {platform.python_version()}, {named}."


def own_versions(*packages: str) -> dict[str, str]:
    return {package: version(package) for package in packages}


def processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    facts = dict(line.replace("\t", "").split(":", 1) for line in lines if ":" in line)
    name = facts.get("model name", platform.machine()).strip()
    family = f" (family {facts['cpu family'].strip()}, model {facts['model'].strip()})" if "cpu family" in facts else ""
    wide = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flag in facts.get("flags", "").split()]
    return f"{name}{family} with {', '.join(wide) or 'no wide vectors'}"


def command(places: Mapping[str, str]) -> str:
    """Returns the command line that is running, with the values of the options in ``places`` named, not spelled out."""
    words = [f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]]
    after = dict(zip(words[1:], words, strict=False))
    return "python " + " ".join(places.get(after.get(word, ""), "") or shlex.quote(word) for word in words)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def publish(text: str, out: Path | None) -> None:
    """Prints the page and, if asked, writes it."""
    print(text)
    if out is not None:
        write(text, out)


def write(text: str, out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text + "\n", encoding="utf-8")
