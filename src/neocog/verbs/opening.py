"""Opening what is to be looked into: a model file, or a network of the zoo with its ImageNet weights."""

from __future__ import annotations

from pathlib import Path

import torch

from neocog import architectures
from neocog.core import device as devices
from neocog.core import modelfile
from neocog.core.contract import ModelContract
from neocog.core.errors import NeocogError, UsageError
from neocog.core.imagenet_names import IMAGENET_NAMES
from neocog.core.pretrained import Weights
from neocog.core.registry import Record
from neocog.data.preprocess import PicturePreprocessing
from neocog.tasks.model import Model, load
from neocog.tasks.prediction import predictor_for

IMAGENET = "imagenet"


def open_model(model: str | Path | Model, device: str | torch.device | None = None, *, net: str | None = None) -> Model:
    """Returns a loaded model: a model file, one in memory, or a network of the zoo with its ImageNet weights.

    Weights that do not come with the installation are downloaded to the cache and verified. A file or folder of a
    network's name goes first. ``net`` is the ``module:function`` of a network of your own, whose code then runs.

    Raises UsageError where there is neither such a file nor such a network, or the network has no trained weights;
    ModelFileError and ResourceError as loading does.
    """
    if isinstance(model, Model):
        return model
    name = str(model)
    record = refuse_missing(name)
    if record is None:
        return load(name, device, net=net)
    if net is not None:
        raise UsageError(f"--net goes with the model file of a network of your own; leave it out for {name}.")
    if all(each.name != IMAGENET for each in record.weights):
        raise UsageError(
            f"{name} has no trained weights to look into; train it (`neocog train DATA --net {name}`) and give its "
            "model.safetensors."
        )
    return _with_weights(record.name, architectures.weights_of(record.name, IMAGENET), device)


def refuse_missing(name: str) -> Record | None:
    """Returns the network of the zoo of that name; None for a model file.

    Raises ModelFileError where there is no such file, and UsageError where there is no such network.
    """
    if Path(name).exists() or any(sign in name for sign in "./\\:"):
        modelfile.refuse_no_file(Path(name))
        return None
    try:
        return architectures.record(name)
    except NeocogError as error:
        raise UsageError(f"{name} is neither a model file nor a network of the zoo. {error}") from error


def _with_weights(name: str, weights: Weights, device: str | torch.device | None) -> Model:
    place = devices.choose(None if device is None else str(device))
    with torch.random.fork_rng(devices=[]):  # initial weights, about to be replaced, draw from the user's generator
        network = architectures.create(name, weights=weights.name)
    network.eval().to(place)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    contract = imagenet_contract(name, weights)
    return Model(network, contract, predictor_for(contract), place)


def imagenet_contract(name: str, weights: Weights) -> ModelContract:
    """Returns the contract of a network with ImageNet weights; its classes are ImageNet's 1000."""
    numbers = PicturePreprocessing(
        size=(weights.size, weights.size),
        resize=weights.resize,
        filter=weights.filter,  # type: ignore[arg-type]
        mean=weights.mean,
        std=weights.std,
        channels=3,
    )
    return ModelContract(
        network=name,
        arguments={"classes": weights.classes, "channels": 3},
        task="image classification",
        classes=IMAGENET_NAMES if weights.classes == len(IMAGENET_NAMES) else _numbered(weights.classes),
        preprocessing=numbers.to_contract(),
        training={"weights": weights.name, "source": weights.source},
    )


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(f"ImageNet {index}" for index in range(count))
