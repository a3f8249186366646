"""Taggers and networks for relations with numbers set by hand, for the tests of what is explained of them."""

from __future__ import annotations

import torch
from torch import nn

from neocog import architectures
from neocog.core.contract import ModelContract
from neocog.data.relation_preprocess import RelationPreprocessing
from neocog.data.tag_features import UNKNOWN
from neocog.data.tag_preprocess import TagPreprocessing
from neocog.nn.marked import REACH
from neocog.tasks.model import Model
from neocog.tasks.prediction import predictor_for

TAGGED = (UNKNOWN, "they", "live", "in", "new", "york")
SUFFIXES = (("in", "ew"), ("ork",))
RELATED = ("fire", "was", "caused", "by", "fuel", "the", "of")


def made(contract: ModelContract, *, zero: bool) -> Model:
    """Returns a model with random weights, the same each time, or with zeros to be set."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = architectures.create(contract.network, **contract.arguments).eval()
    if zero:
        with torch.no_grad():
            for each in network.parameters():
                each.zero_()
    return Model(network, contract, predictor_for(contract), torch.device("cpu"))


def tagger(
    name: str = "collobert_window",
    classes: tuple[str, ...] = ("O", "LOC"),
    likelihood: str = "word",
    *,
    zero: bool = False,
    schemes: tuple[str, str] | None = None,
) -> Model:
    """Returns a tagger; ``schemes`` are the data's and the network's."""
    scheme, learned = schemes or (None, None)
    numbers = TagPreprocessing(TAGGED, SUFFIXES, scheme, learned)
    arguments = {"classes": len(classes), "channels": len(TAGGED), "dimension": len(TAGGED), "suffixes": (2, 1)}
    contract = ModelContract(
        network=name,
        arguments={**arguments, "likelihood": likelihood, "dropout": 0.0},
        task="tagging",
        classes=classes,
        preprocessing=numbers.to_contract(),
    )
    return made(contract, zero=zero)


def behind_new(**options: object) -> Model:
    """Returns a window tagger for which a word is a LOC, with a score of 1.5, where "new" stands before it.

    With a capital it has 0.6 more. O has 0.7 everywhere.
    """
    model = tagger(zero=True, **options)  # type: ignore[arg-type]
    network = model.network
    width = len(TAGGED)
    with torch.no_grad():
        network.lookup.words.weight[1:] = torch.eye(width)
        network.lookup.capitals.weight[2, 0] = 1  # the first letter
        network.window.weight[0, TAGGED.index("new"), 1] = 0.5  # one place before the middle of five
        network.window.weight[1, width, 2] = 0.2  # the first number of the capitals
        network.head.weight[1, :2, 0] = 3
        network.head.bias[0] = 0.7
    return model


def related(name: str = "pcnn", classes: tuple[str, ...] = ("Other", "Cause"), *, zero: bool = False) -> Model:
    """Returns a network for relations."""
    bags = name.endswith("attention")
    numbers = RelationPreprocessing("words", RELATED, REACH, bags, (1, 8, 3) if bags else (8, 3))
    contract = ModelContract(
        network=name,
        arguments={"classes": len(classes), "channels": len(RELATED), "dimension": len(RELATED), "dropout": 0.0},
        task="relation classification",
        classes=classes,
        preprocessing=numbers.to_contract(),
    )
    return made(contract, zero=zero)


def caused(name: str = "pcnn") -> Model:
    """Returns a network for which "caused" in the middle of three words between the entities says Cause."""
    model = related(name, zero=True)
    network = model.network
    with torch.no_grad():
        network.vectors.words.weight[1:] = torch.eye(len(RELATED))
        network.filters.weight[0, RELATED.index("caused"), 1] = 0.5
        network.head.weight[1, 1] = 2  # filter 0 in the second of three pieces
        scale = [each for key, each in network.named_parameters() if key == "heed.scale"]
        for each in scale:
            nn.init.constant_(each, 1.0)
    return model
