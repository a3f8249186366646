"""What a source holds, by a look at its names and first lines: what `train` and `check` go by when nobody says."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from neocog.data.conll_open import holds_tags
from neocog.data.relation_open import hold_relations
from neocog.data.text_sniff import holds_texts

Held = Literal["relations", "tags", "texts", "pictures"]


def held_in(source: str | Path | None) -> Held:
    """Returns what a source holds; pictures where nothing speaks for anything else."""
    if hold_relations(source):
        return "relations"
    if holds_tags(source):
        return "tags"
    return "texts" if holds_texts(source) else "pictures"
