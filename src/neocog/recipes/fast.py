"""Our own recipes: good accuracy in the time that an ordinary machine has."""

from __future__ import annotations

from neocog.core.recipe import Augmentation, Recipe

SMALL = 48  # pixels of the short side: digits, Fashion-MNIST, CIFAR
MEDIUM = 96


def fast(*, samples: int, short_side: int, grey: bool, pretrained: bool) -> Recipe:
    """Returns the recipe for data of that kind; few samples get more epochs, so that the weights move often enough."""
    if pretrained:
        return fine_tuned(samples)
    if short_side <= SMALL and grey:
        return small_grey(samples)
    return small_colour(samples) if short_side <= MEDIUM else photographs(samples)


def small_grey(samples: int) -> Recipe:
    """Digits, letters, Fashion-MNIST: moved by up to two pixels, never mirrored, since a mirrored 2 is no 2."""
    return Recipe(
        name="fast: small grey pictures",
        epochs=_epochs(samples, seen=600_000, least=8, most=60),
        batch_size=64,
        optimiser="adamw",
        learning_rate=2e-3,
        decay=0.05,
        schedule="one-cycle",
        label_smoothing=0.05,
        augmentation=Augmentation(shift=2),
        source="Neocog",
    )


def small_colour(samples: int) -> Recipe:
    """CIFAR and its like: moved by up to four pixels of 32, mirrored."""
    return Recipe(
        name="fast: small colour pictures",
        epochs=_epochs(samples, seen=1_000_000, least=12, most=100),
        batch_size=64,
        optimiser="adamw",
        learning_rate=2e-3,
        decay=0.05,
        schedule="one-cycle",
        label_smoothing=0.05,
        augmentation=Augmentation(shift=3, horizontal_flip=True),
        source="Neocog",
    )


def texts(network: str, *, samples: int) -> Recipe:
    """Sentences and documents: few epochs, since the words of a training part are soon learned by heart."""
    characters = network not in ("kim_cnn", "dpcnn", "elman_text", "lstm_text", "gru_text")
    return Recipe(
        name="fast: texts",
        epochs=_epochs(samples, seen=600_000 if characters else 80_000, least=3, most=30),
        batch_size=64,
        optimiser="adamw",
        learning_rate=1e-3,
        decay=0.01,
        schedule="one-cycle",
        source="Neocog",
    )


def tags(*, samples: int) -> Recipe:
    """Sentences with a tag for each word: the word vectors move, and half of what is seen is dropped."""
    return Recipe(
        name="fast: tagged sentences",
        epochs=_epochs(samples, seen=150_000, least=6, most=60),
        batch_size=32,
        optimiser="adamw",
        learning_rate=2e-3,
        decay=0.01,
        schedule="one-cycle",
        dropout=0.5,
        source="Neocog",
    )


def relations(network: str, *, samples: int) -> Recipe:
    """Sentences with two entities, alone or in bags: dropout, which Zeng et al. 2014 did without, and averaged weights.

    A val part of some hundred sentences errs by more than one epoch differs from the next; the average moves little.
    """
    return Recipe(
        name="fast: relations",
        epochs=_epochs(samples, seen=110_000, least=3, most=60),
        batch_size=32,
        optimiser="adamw",
        learning_rate=1.5e-3,
        decay=0.5,
        schedule="one-cycle",
        ema=0.998,
        dropout=0.4 if network == "zeng_cnn" else 0.5,
        source="Neocog",
    )


def language(*, characters: int) -> Recipe:
    """Running text: enough epochs that some millions of characters pass; windows of text are the samples."""
    return Recipe(
        name="fast: running text",
        epochs=_epochs(characters, seen=4_000_000, least=2, most=40),
        batch_size=16,
        optimiser="adamw",
        learning_rate=4e-3,
        decay=0.01,
        schedule="one-cycle",
        clip=1.0,
        source="Neocog",
    )


def photographs(samples: int) -> Recipe:
    """Photographs from scratch: random resized crops, mirrored, a little colour."""
    return Recipe(
        name="fast: photographs from scratch",
        epochs=_epochs(samples, seen=2_000_000, least=16, most=100),
        batch_size=64,
        optimiser="adamw",
        learning_rate=1e-3,
        decay=0.05,
        schedule="one-cycle",
        clip=1.0,
        label_smoothing=0.1,
        ema=0.998,
        augmentation=Augmentation(crop_scale=(0.35, 1.0), horizontal_flip=True, jitter=0.2),
        source="Neocog",
    )


def fine_tuned(samples: int) -> Recipe:
    """All layers of a pretrained network at once, at a low rate."""
    return Recipe(
        name="fast: pretrained network",
        epochs=_epochs(samples, seen=30_000, least=3, most=20),
        batch_size=32,
        optimiser="adamw",
        learning_rate=3e-4,
        decay=0.02,
        schedule="cosine",
        warmup=0.5,
        label_smoothing=0.1,
        augmentation=Augmentation(crop_scale=(0.5, 1.0), horizontal_flip=True),
        source="Neocog",
    )


def _epochs(samples: int, *, seen: int, least: int, most: int) -> int:
    """Returns the epochs in which about ``seen`` samples pass."""
    return max(least, min(most, round(seen / max(samples, 1))))
