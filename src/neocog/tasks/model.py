"""A trained model in memory: the network together with its contract, so that neither is used without the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from neocog import architectures
from neocog.core import device as devices
from neocog.core import modelfile
from neocog.core.contract import ModelContract
from neocog.core.errors import ModelFileError, NetworkError, UnreadableInput, UsageError
from neocog.core.own import is_own
from neocog.nn.fold import folded
from neocog.tasks.prediction import Prediction, Predictor, cores, predictor_for, read_ahead

Key = TypeVar("Key")


@dataclass(frozen=True, eq=False)
class Model:
    """A network in evaluation mode, what its outputs mean, and how its inputs are made.

    The answer for an input does not depend on what else is asked. With the same number of inputs in its batch it is
    the same to the last bit, on the same machine with the same number of threads; with another number the order of
    additions inside the libraries may differ, which moves probabilities by less than 1e-6 in practice.
    """

    network: nn.Module
    contract: ModelContract
    predictor: Predictor
    device: torch.device

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the outputs, in order."""
        return self.contract.classes

    def predict(self, inputs: Any, *, top: int = 1, batch_size: int | None = None) -> list[Prediction]:
        """Returns one prediction an input, in order; an unreadable input has its reason in ``error``.

        ``inputs``: one input or several; of pictures: paths, bytes, Pillow images, uint8 arrays (H, W[, 1|3]) or
        tensors (C, H, W), also stacked; of texts: strings. ``top`` is how many classes to name, at most all.
        """
        named = ((_name(raw, place), raw) for place, raw in enumerate(self.predictor.singles(inputs)))
        return list(self.stream(named, top=top, batch_size=batch_size))

    def stream(
        self,
        named: Iterable[tuple[str, Any]],
        *,
        top: int = 1,
        batch_size: int | None = None,
        workers: int | None = None,
    ) -> Iterator[Prediction]:
        """Yields a prediction for each (name, input) as batches fill; memory stays bounded however many come.

        In place of an input there may be an UnreadableInput that was met before. ``workers`` threads read ahead; None
        is one a core.

        Raises UsageError for ``top`` or ``batch_size`` below 1.
        """
        if top < 1:
            raise UsageError(f"top must be at least 1; got {top}")
        for keys, errors, outputs in self.batches(self._read, named, batch_size=batch_size, workers=workers):
            answers = iter(self.predictor.answers(outputs, self.classes, min(top, len(self.classes))))
            for (name, _), error in zip(keys, errors, strict=True):
                if error is not None:
                    yield Prediction(name, (), (), str(error))
                    continue
                yield Prediction(name, *next(answers))

    def batches(
        self,
        read: Callable[[Key], Tensor],
        keys: Iterable[Key],
        *,
        batch_size: int | None = None,
        workers: int | None = None,
    ) -> Iterator[tuple[list[Key], list[UnreadableInput | None], Any]]:
        """Yields some keys, why each was refused or None, and the predictor's outputs of the others, in order.

        ``read`` turns a key into what the predictor's ``read`` makes; it runs in ``workers`` threads. A batch holds
        ``batch_size`` readable inputs (16, on a GPU 128, unless told), the last fewer.

        Raises UsageError for a ``batch_size`` below 1.
        """
        if batch_size is None:
            batch_size = self.predictor.batches[self.device.type != "cpu"]
        if batch_size < 1:
            raise UsageError(f"batch_size must be at least 1; got {batch_size}")
        seen: list[Key] = []
        errors: list[UnreadableInput | None] = []
        samples: list[Tensor] = []
        workers = 0 if self.predictor.instant else workers
        for key, made in read_ahead(read, keys, workers=workers, ahead=max(batch_size, 2 * cores())):
            seen.append(key)
            errors.append(made if isinstance(made, UnreadableInput) else None)
            if isinstance(made, Tensor):
                samples.append(made)
            if len(samples) == batch_size or len(seen) == 16 * batch_size:  # a run of refused inputs is reported, too
                yield seen, errors, self.outputs(samples)
                seen, errors, samples = [], [], []
        if seen:
            yield seen, errors, self.outputs(samples)

    def _read(self, named: tuple[str, Any]) -> Tensor:
        if isinstance(named[1], UnreadableInput):
            raise named[1]
        return self.predictor.read(named[1])

    def outputs(self, samples: list[Tensor]) -> Any:
        """Returns the predictor's outputs for what its ``read`` made: of classifiers log-probabilities (B, K).

        Tensors are float32, on the CPU; B may be 0.
        """
        if not samples:
            return self.predictor.nothing(len(self.classes))
        inputs = self.predictor.collate(samples)
        moved = tuple(each.to(self.device) for each in inputs) if isinstance(inputs, tuple) else inputs.to(self.device)
        with torch.inference_mode():
            return self.predictor.outputs(self.network, moved)


def load(
    path: str | Path, device: str | torch.device | None = None, *, net: str | None = None, fold: bool = False
) -> Model:
    """Loads a model file; ``device`` is a GPU where there is one, unless told.

    ``net`` is needed for a model of a network of the user's own alone: its ``module:function``, whose code is not in
    the file and runs when it is loaded. With ``fold`` batch norms become part of the convolutions before them, as
    `neocog predict` and `neocog test` have it: answers come faster and are the same but for rounding, and the network
    is no longer the one to look into or to train on; a network of the user's own stays as it is.

    Raises ModelFileError for a file that is not a whole model file of ours, and UsageError for a device that is not
    there, a network of the user's own without ``net``, and a ``net`` that is not the file's.
    """
    path = Path(path)
    contract, state = modelfile.read(path)
    name = _agreed(path, contract.network, net)
    place = devices.choose(None if device is None else str(device))
    try:
        predictor = predictor_for(contract)
        if contract.arguments.get("classes") != len(contract.classes):
            raise ModelFileError(
                f"the network has {contract.arguments.get('classes')} outputs for {len(contract.classes)} class names."
            )
        with torch.random.fork_rng(devices=[]):  # initial weights, about to be replaced, draw from the user's generator
            network = architectures.create(name, **contract.arguments)
        network.load_state_dict(state)
    except (ModelFileError, NetworkError, TypeError, ValueError, RuntimeError) as error:
        raise ModelFileError(f"{path}: {' '.join(str(error).split())}") from error
    network.eval()
    if fold and not is_own(name):  # the code of one's own may see what lies between a convolution and its norm
        network = folded(network)
    network.to(place)
    # Several times faster for depthwise convolutions; only weights of two-dimensional convolutions change their layout.
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Model(network, contract, predictor, place)


def _agreed(path: Path, network: str, net: str | None) -> str:
    """Returns the network to build: the file's, or the user's own where the user says so."""
    if is_own(network) and net is None:
        raise UsageError(
            f"{path}: its network is {network}, code that is not in this file and would run on loading; if you trust "
            f"that code, say --net {network} (in Python net={network!r})."
        )
    if net is not None and net != network and not (is_own(network) and is_own(net)):
        raise UsageError(
            f"{path}: its network is {network}, not {net}; leave --net out, it is for networks of your own."
        )
    return net or network


def _name(raw: Any, place: int) -> str:
    return str(raw) if isinstance(raw, (str, Path)) else f"input[{place}]"
