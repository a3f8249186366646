"""Other libraries' own networks: their weights and what they compute, for the comparison with ours.

Runs in an environment that has torchvision, timm and keras (KERAS_BACKEND names its backend), as
``python -m peers.libraries``. Each line on stdin is one order, each line on stdout its answer, both JSON; tensors go
through safetensors files in the order's folder.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

Outputs = dict[str, Tensor]

# What torchvision's binary would have registered; its Python files ask for them when they are imported.
OPERATORS = (
    "nms(Tensor dets, Tensor scores, float t) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float t) -> Tensor",
)
_DECLARED: list[Any] = []  # a library's operators go when it does


def declare_operators() -> None:
    """Declares torchvision's operators, so that it can be imported beside a CPU build of torch."""
    if not _DECLARED:
        library = torch.library.Library("torchvision", "DEF")
        for schema in OPERATORS:
            library.define(schema)
        _DECLARED.append(library)


def spread_statistics(network: nn.Module, seed: int) -> None:
    """Gives batch norms statistics and weights that a mix-up would show."""
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            for tensor in (module.running_var, module.weight):
                if tensor is not None:
                    tensor.data.uniform_(0.5, 1.5, generator=generator)
            for tensor in (module.running_mean, module.bias):
                if tensor is not None:
                    tensor.data.normal_(0, 0.1, generator=generator)


def computing(network: nn.Module, inputs: Tensor) -> nn.Module:
    """Returns the network in the inputs' precision and without dropout."""
    for module in network.modules():
        if isinstance(module, (nn.Dropout, nn.Dropout2d)):
            module.p = 0.0
    return network.to(inputs.dtype)


def run(network: nn.Module, inputs: Tensor) -> Outputs:
    """Returns the logits in evaluation and in training mode, those of auxiliary heads in the order of the layers."""
    with torch.no_grad():
        outputs = {"eval": _plain(network.eval()(inputs))[0]}
        outputs |= {f"train{index}": each for index, each in enumerate(_plain(network.train()(inputs)))}
    return {name: tensor.contiguous() for name, tensor in outputs.items()}


def _plain(outputs: Any) -> list[Tensor]:
    """Returns the logits of the head, then those of the auxiliary heads in order."""
    if isinstance(outputs, Tensor):
        return [outputs]
    if not hasattr(outputs, "_asdict"):  # timm's
        return list(outputs)
    named = {name: each for name, each in outputs._asdict().items() if each is not None}
    if "auxiliary" in named:  # ours
        return [named["logits"], *named["auxiliary"]]
    return [named.pop("logits"), *(named[name] for name in sorted(named))]


def torch_network(order: Mapping[str, Any]) -> nn.Module | None:
    """Returns the first of the candidates that the library has, or None."""
    if order["library"] == "torchvision":
        from torchvision import models

        names: Callable[[], list[str]] = models.list_models
        make: Callable[..., nn.Module] = lambda name, **given: models.get_model(name, weights=None, **given)  # noqa: E731
    else:
        import timm

        names, make = timm.list_models, partial(timm.create_model, drop_rate=0.0)
    known = set(names())
    name = next((each for each in order["candidates"] if each in known), None)
    if name is None:
        return None
    network = make(name, **order["options"])
    network.library_name = name
    return network


def answer_torch(order: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    torch.manual_seed(order["seed"])
    network = torch_network(order)
    if network is None:
        return {"name": None}
    spread_statistics(network, order["seed"])
    inputs = load_file(folder / "inputs.safetensors")["inputs"]
    save_file({key: each.contiguous() for key, each in network.state_dict().items()}, folder / "theirs.safetensors")
    save_file(run(computing(network, inputs), inputs), folder / "theirs_outputs.safetensors")
    if (folder / "ours.safetensors").exists():
        network.load_state_dict(load_file(folder / "ours.safetensors"))
        save_file(run(network, inputs), folder / "back_outputs.safetensors")
    return {"name": network.library_name}


def keep_double(keras: Any) -> None:
    """Lets Keras's batch norm compute in double precision, which it would round to single."""
    backend = keras.src.backend
    rounding = backend.result_type
    if not hasattr(rounding, "rounding"):

        def result_type(*kinds: Any) -> str:
            double = "float64" in [getattr(kind, "name", str(kind).removeprefix("torch.")) for kind in kinds]
            return "float64" if double else str(rounding(*kinds))

        result_type.rounding = rounding  # type: ignore[attr-defined]
        backend.result_type = result_type


def answer_keras(order: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    import keras

    keras.backend.clear_session()
    precision = "float64" if order["double"] else "float32"
    keras.config.set_floatx(precision)
    keras.config.set_dtype_policy(precision)
    keep_double(keras)
    keras.utils.set_random_seed(order["seed"])
    name = order["candidates"][0]
    if not hasattr(keras.applications, name):
        return {"name": None}
    inputs = load_file(folder / "inputs.safetensors")["inputs"].permute(0, 2, 3, 1).contiguous()
    network = getattr(keras.applications, name)(
        weights=None, classifier_activation=None, input_shape=tuple(inputs.shape[1:]), **order["options"]
    )
    generator = np.random.default_rng(order["seed"])
    for layer in network.layers:
        norm = isinstance(layer, keras.layers.BatchNormalization)
        drawn = [_spread(each, generator) if norm else keras.ops.convert_to_numpy(each) for each in layer.weights]
        layer.set_weights([each.astype("float32").astype(each.dtype) for each in drawn])  # what ours can hold
    network.save_weights(str(folder / "theirs.weights.h5"))
    with torch.no_grad():
        outputs = {
            key: torch.from_numpy(keras.ops.convert_to_numpy(network(inputs.numpy(), training=training)))
            for key, training in (("eval", False), ("train0", True))
        }
    save_file(outputs, folder / "theirs_outputs.safetensors")
    return {"name": name}


def _spread(weight: Any, generator: np.random.Generator) -> Any:
    scale = weight.name in ("gamma", "moving_variance")
    drawn = generator.uniform(0.5, 1.5, weight.shape) if scale else generator.normal(0, 0.1, weight.shape)
    return drawn.astype(weight.dtype)


def versions() -> dict[str, str]:
    found = {}
    for package in ("torch", "torchvision", "timm", "keras"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "none"
    return found


def main() -> None:
    declare_operators()
    print(json.dumps(versions()), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        torch.set_num_threads(order["threads"])
        answer = answer_keras if order["library"] == "keras" else answer_torch
        try:
            print(json.dumps(answer(order, Path(order["folder"]))), flush=True)
        except Exception as error:  # noqa: BLE001 - one network's fault is a row of the page
            print(json.dumps({"error": f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]}), flush=True)


if __name__ == "__main__":
    main()
