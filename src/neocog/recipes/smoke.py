"""A recipe of seconds: it shows that everything runs, not how good it gets."""

from __future__ import annotations

from neocog.core.recipe import Recipe


def smoke() -> Recipe:
    """One epoch of AdamW at a rate that few networks mind."""
    return Recipe(
        name="smoke",
        epochs=1,
        batch_size=32,
        optimiser="adamw",
        learning_rate=1e-3,
        decay=0.01,
        schedule="cosine",
        source="Neocog",
    )
