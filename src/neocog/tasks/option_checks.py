"""What options must be whatever the data are: numbers in range, folds that say of how many, no weights for words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neocog.core.errors import UsageError

if TYPE_CHECKING:
    from neocog.tasks.options import TrainOptions

# What an option must be at least, and at most.
_RANGES: dict[str, tuple[float, float]] = {
    "epochs": (1, 1e6),
    "batch": (1, 1e6),
    "accumulate": (1, 1e6),
    "size": (1, 4096),
    "words": (0, 1e9),
    "vocabulary": (1, 1e9),
    "window": (2, 1e6),
    "folds": (2, 1e6),
    "fold": (1, 1e6),
    "dimension": (1, 65536),
    "samples": (1, 1e9),
    "max_bad": (0, 1),
    "crop": (0.01, 1),
    "dropout": (0, 0.99),
    "ema": (0, 0.99999),
    "label_smoothing": (0, 0.99),
    "mixup": (0, 100),
    "cutmix": (0, 100),
    "erasing": (0, 1),
    "jitter": (0, 1),
    "decay": (0, 1),
    "minutes": (0.01, 1e5),
    "workers": (0, 256),
    "patience": (0, 1e6),
    "warmup": (0, 1e6),
    "clip": (0, 1e9),
    "max_norm": (0, 1e9),
    "momentum": (0, 0.9999),
    "shift": (0, 1024),
    "seed": (0, 2**62),
    "split_seed": (0, 2**62),
    "checkpoint_seconds": (0, 1e6),
}


def check_ranges(options: TrainOptions) -> None:
    """Raises UsageError for a number outside its range."""
    for name, (least, most) in _RANGES.items():
        value = getattr(options, name)
        if value is not None and not least <= value <= most:
            raise UsageError(f"--{name.replace('_', '-')} must lie between {least:g} and {most:g}; got {value:g}")
    if options.lr not in (None, "find"):
        try:
            rate = float(options.lr or 0)
        except ValueError:
            raise UsageError(f"--lr takes a number such as 0.01, or `find`; got {options.lr!r}") from None
        if not 0 < rate < 1e4:
            raise UsageError(f"--lr must be a positive number; got {options.lr}")


def refuse_weights(options: TrainOptions, instead: str) -> None:
    """Raises UsageError where trained weights are asked for; ``instead`` says what there is in their place."""
    if options.weights not in (None, "none") or options.transfer not in (None, "none"):
        raise UsageError(instead)


def fold_of(options: TrainOptions) -> tuple[int, int] | None:
    """Returns which fold is tested on, and of how many; None without folds.

    Raises UsageError for a fold of nobody knows how many.
    """
    if options.fold is None:
        return None
    if options.folds is None:
        raise UsageError(f"--fold {options.fold}: say of how many by --folds")
    return options.fold, options.folds
