"""Randomness without state: every random number is a function of the seed and of where it is used.

A generator that is carried along must be saved and restored exactly for a resumed run to be the same run.
One that is made anew from ``(seed, purpose, epoch, step)`` cannot get out of step, whichever process, worker
thread or resumed run asks.
"""

from __future__ import annotations

import hashlib

import torch


def mix(seed: int, *coordinates: int | str) -> int:
    """Returns a 63-bit number that depends on the seed and on every coordinate (BLAKE2b of their text)."""
    text = "/".join(str(part) for part in (seed, *coordinates))
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def generator(seed: int, *coordinates: int | str) -> torch.Generator:
    """Returns a fresh CPU generator for one use, named by its coordinates, e.g. ``generator(seed, "order", epoch)``."""
    return torch.Generator().manual_seed(mix(seed, *coordinates))


def seed_everything(seed: int, *coordinates: int | str) -> None:
    """Seeds torch's global generators (all devices), which dropout and weight initialisation draw from."""
    torch.manual_seed(mix(seed, *coordinates))
