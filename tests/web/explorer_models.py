"""Models for the explorer's tests: networks of the zoo with their first weights, and some of the tests' own."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from neocog import architectures
from neocog.core.contract import ModelContract
from neocog.data.dataset import Part
from neocog.data.items import ArrayItems
from neocog.data.preprocess import PicturePreprocessing
from neocog.tasks.model import Model
from neocog.tasks.prediction import predictor_for
from neocog.web.samples import Samples


def model_of(network: nn.Module, channels: int, side: int, classes: tuple[str, ...], name: str = "lenet5") -> Model:
    """Returns a model around a network, as `neocog.load` would."""
    numbers = PicturePreprocessing((side, side), 0, "bilinear", (0.4,) * channels, (0.3,) * channels, channels)
    contract = ModelContract(
        network=name,
        arguments={"classes": len(classes), "channels": channels},
        task="image classification",
        classes=classes,
        preprocessing=numbers.to_contract(),
    )
    network = network.eval().to(memory_format=torch.channels_last)
    return Model(network, contract, predictor_for(contract), torch.device("cpu"))


def zoo_model(name: str, *, side: int | None = None, classes: int = 10, seed: int = 0) -> Model:
    """Returns a network of the zoo whose norms are not what they begin with."""
    record = architectures.record(name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = architectures.create(name, classes=classes)
        for module in network.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.running_mean.uniform_(-0.3, 0.3)
                module.running_var.uniform_(0.5, 2)
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.uniform_(module.bias, -0.5, 0.5)
    names = tuple(f"class {index}" for index in range(classes))
    return model_of(network, record.input[0], side or record.input[1], names, record.name)


def small_samples(classes: tuple[str, ...], *, side: int, count: int = 30) -> Samples:
    """Returns labelled pictures of noise, brighter from class to class."""
    noise = np.random.default_rng(0)
    labels = tuple(index % len(classes) for index in range(count))
    levels = np.array(labels)[:, None, None] * 20 + noise.integers(0, 60, (count, side, side))
    return Samples(Part(ArrayItems(levels.astype(np.uint8), "noise"), labels), classes, "noise")


def text_model(network: nn.Module | None = None, *, name: str = "kim_cnn", seed: int = 0, **arguments: object) -> Model:
    """Returns a model of texts over twelve words, with its first weights made larger; a network of one's own too."""
    from neocog.data.text_preprocess import TextPreprocessing

    told = {"classes": 3, "channels": len(TEXT_WORDS), "dimension": 6} | arguments
    if network is None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = architectures.create(name, **told)
            for each in network.parameters():
                if each.dim() > 1:
                    each.data.normal_(0, 0.5)
                    if len(each) == len(TEXT_WORDS) + 1:
                        each.data[0] = 0  # padding
    numbers = TextPreprocessing("words", TEXT_WORDS, margin=(4, 5), usual=16)
    contract = ModelContract(name, told, "text classification", ("bad", "fine", "good"), numbers.to_contract())
    return Model(network.eval(), contract, predictor_for(contract), torch.device("cpu"))


TEXT_WORDS = ("a", "good", "bad", "film", "not", "very", "the", "is", "was", "plot", "and", "dull")


def text_samples(count: int = 12) -> Samples:
    """Returns labelled sentences of different lengths."""
    from neocog.data.text_items import TextItems

    said = ("good", "bad", "dull")
    texts = [f"the film {'very ' * (n % 4)}{said[n % 3]}" for n in range(count)]
    items = TextItems(texts, [f"t.txt:{n + 1}" for n in range(count)])
    return Samples(Part(items, tuple((2, 0, 0)[n % 3] for n in range(count))), ("bad", "fine", "good"), "sentences")
