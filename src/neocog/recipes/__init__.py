"""Recipes by name: ``paper`` as published, ``fast`` ours, ``smoke`` in seconds."""

from __future__ import annotations

from neocog.core.errors import UsageError, near_names
from neocog.core.recipe import Recipe

NAMES = ("paper", "fast", "smoke")


def find(
    name: str,
    network: str,
    *,
    samples: int = 50_000,
    short_side: int = 224,
    grey: bool = False,
    pretrained: bool = False,
    text: bool = False,
    tags: bool = False,
    relations: bool = False,
) -> Recipe:
    """Returns a recipe for a network and data of that kind.

    ``samples`` is the size of the training part, ``short_side`` the usual one of its pictures in pixels, ``grey``
    whether they have no colour, ``pretrained`` whether the network brings weights, ``text`` whether they are texts,
    ``tags`` whether each of their words has a tag,
    ``relations`` whether they are sentences with relations or bags of them.

    Raises UsageError for an unknown recipe, and for ``paper`` where the network's paper gives none.
    """
    from neocog.recipes import fast, paper, smoke

    match name:
        case "fast" if tags:
            return fast.tags(samples=samples)
        case "fast" if relations:
            return fast.relations(network, samples=samples)
        case "fast" if text:
            return fast.texts(network, samples=samples)
        case "fast":
            return fast.fast(samples=samples, short_side=short_side, grey=grey, pretrained=pretrained)
        case "smoke":
            return smoke.smoke()
        case "paper":
            return paper.find(network)
        case _:
            raise UsageError(f"no recipe is called {name!r}.{near_names(name, NAMES)} There are {', '.join(NAMES)}.")
