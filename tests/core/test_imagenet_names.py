"""The thousand names: each once, in ImageNet's order."""

from __future__ import annotations

import csv
from pathlib import Path

from neocog.core.imagenet_names import IMAGENET_NAMES


def test_a_thousand_different_names() -> None:
    assert len(IMAGENET_NAMES) == len(set(IMAGENET_NAMES)) == 1000
    assert (IMAGENET_NAMES[0], IMAGENET_NAMES[207], IMAGENET_NAMES[999]) == (
        "tench",
        "golden retriever",
        "toilet tissue",
    )


def test_the_order_is_that_of_the_photographs(shared_data: Path) -> None:
    with (shared_data / "imagenet_sample" / "labels.csv").open() as file:
        for row in csv.DictReader(file):
            assert IMAGENET_NAMES[int(row["index"])].startswith(row["name"].replace("_", " "))
