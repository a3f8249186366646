"""Precision, recall and F1 from three counts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PrecisionRecall:
    """How many there are (``gold``), were said to be (``predicted``), and are both (``correct``)."""

    correct: int = 0
    predicted: int = 0
    gold: int = 0

    @property
    def precision(self) -> float:
        """Returns the share of what was predicted that is right; 0 where nothing was."""
        return self.correct / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """Returns the share of what there is that was predicted; 0 where there is nothing."""
        return self.correct / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """Returns the harmonic mean of precision and recall; 0 where nothing is right."""
        return 2 * self.correct / (self.predicted + self.gold) if self.correct else 0.0
