"""Kim's network with numbers set by hand: filter 0 of width 3 likes "good", filter 1 "bad", filter 2 "not good"."""

from __future__ import annotations

from pathlib import Path

import torch

from neocog import architectures
from neocog.core import modelfile
from neocog.core.contract import ModelContract
from neocog.data.text_preprocess import TextPreprocessing
from neocog.tasks.model import Model
from neocog.tasks.prediction import predictor_for

WORDS = ("good", "bad", "film", "not")


def contract(mode: str = "rand", tokeniser: str = "words") -> ModelContract:
    numbers = TextPreprocessing(tokeniser, WORDS, margin=(4, 5), usual=16)
    return ModelContract(
        network="kim_cnn",
        arguments={"classes": 2, "channels": len(WORDS), "dimension": 4, "mode": mode, "dropout": 0.0},
        task="text classification",
        classes=("negative", "positive"),
        preprocessing=numbers.to_contract(),
    )


def kim_model(mode: str = "rand", tokeniser: str = "words") -> Model:
    told = contract(mode, tokeniser)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = architectures.create("kim_cnn", **told.arguments).eval()
    with torch.no_grad():
        for each in network.parameters():
            each.zero_()
        network.tables()[0].weight[1:] = torch.eye(4)
        weight = network.filters[0].weight  # (100, 4, 3): each word is a number of its own
        weight[0, 0, 0], weight[1, 1, 1], weight[2, 3, 0], weight[2, 0, 1] = 2, 3, 1, 1
        network.head.weight[1, 0], network.head.weight[0, 1], network.head.weight[0, 2] = 1, 1, 2
    return Model(network, told, predictor_for(told), torch.device("cpu"))


def kim_file(folder: Path, mode: str = "rand") -> Path:
    model = kim_model(mode)
    path = folder / "model.safetensors"
    modelfile.save(path, model.network.state_dict(), model.contract)
    return path
