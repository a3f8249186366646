"""What holds of every explanation: it leaves nothing behind, and how a network is written makes no difference."""

from __future__ import annotations

import dataclasses
import inspect
import random
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from typing import Any

import numpy
import pytest
import torch
from torch import Tensor, nn
from torch.overrides import _get_current_function_mode_stack
from twins import WAYS, InPlace, Plain, pictures, settled

from neocog import explain
from neocog.core.errors import NetworkError
from neocog.explain.objectives import channel
from neocog.explain.relevance import RULES

LAYER = "conv3"
CHANNEL = channel("conv2", 1)
Method = Callable[[nn.Module, Tensor], Any]

# Explanations of each sample of a batch, by the name of their function, and behind a colon of their setting.
OF_SAMPLES: dict[str, Method] = {
    "deconvnet": lambda module, x: explain.deconvnet(module, x, layer=LAYER),
    "deconvnet: unit": lambda module, x: explain.deconvnet(module, x, layer="conv2", unit=1),
    "feature_maps": lambda module, x: explain.feature_maps(module, x, layer=LAYER),
    "grad_cam": lambda module, x: explain.grad_cam(module, x, layer=LAYER),
    "grad_cam_plus_plus": lambda module, x: explain.grad_cam_plus_plus(module, x, layer="conv2"),
    "gradient": explain.gradient,
    "gradient_times_input": explain.gradient_times_input,
    "guided_backpropagation": explain.guided_backpropagation,
    "guided_grad_cam": lambda module, x: explain.guided_grad_cam(module, x, layer=LAYER),
    "integrated_gradients": lambda module, x: explain.integrated_gradients(module, x, steps=3),
    "occlusion": lambda module, x: explain.occlusion(module, x, window=4, stride=4),
    "receptive_field": lambda module, x: explain.receptive_field(module, x, layer="conv2"),
    "saliency": lambda module, x: explain.saliency(module, x, target=1),
    "sight": lambda module, x: explain.sight(module, x, layer="conv2").effective,
    "score_cam": lambda module, x: explain.score_cam(module, x, layer="conv2"),
    "smoothgrad": lambda module, x: explain.smoothgrad(module, x, samples=2),
    **{f"relevance: {rule}": lambda module, x, rule=rule: explain.relevance(module, x, rule=rule) for rule in RULES},
    "relevance: bounds": lambda module, x: explain.relevance(module, x, bounds=(-9.0, 9.0)),
}
# Those that hand whole sets, networks or pictures of their own to a network.
OF_NETWORKS: dict[str, Method] = {
    "deletion": lambda module, x: explain.deletion(module, x, x.abs().amax(1), steps=2),
    "features": lambda module, x: explain.features(module, [x], layer=LAYER),
    "filters": lambda module, x: explain.filters(module),
    "insertion": lambda module, x: explain.insertion(module, x, x.abs().amax(1), steps=2),
    "linear_probes": lambda module, x: explain.linear_probes(module, [x] * 4, [0, 1] * (2 * len(x)), [LAYER], steps=2),
    "randomisation": lambda module, x: explain.randomisation(explain.saliency, module, x, steps=2),
    # Not how large a field is: in theory the padding counts, and what cannot be traced is measured without it.
    "strongest_activations": lambda module, x: [
        (each.sample, each.channel, each.value, each.place)
        for each in explain.strongest_activations(module, [x], layer=LAYER, units=1)
    ],
    "ascend": lambda module, x: explain.ascend(module, CHANNEL, x.shape[1:], steps=2),
    "deep_dream": lambda module, x: explain.deep_dream(module, x[:1].sigmoid(), CHANNEL, octaves=1, steps=2),
    "invert_features": lambda module, x: explain.invert_features(module, x[:1], layer="conv2", steps=2),
    "maximise": lambda module, x: explain.maximise(module, CHANNEL, x.shape[1:], steps=2),
}
METHODS = {**OF_SAMPLES, **OF_NETWORKS}
# Of words and of dense layers that see the input, neither of which these networks have.
OF_OTHERS = {"firing_ngrams", "maximal_input", "word_saliency"}
WITHOUT_A_RUN = {"filters"}
X = pictures(2, 3, 11, 9)


def test_every_explanation_is_here() -> None:
    functions = {name: getattr(explain, name) for name in explain.__all__}
    of_modules = {
        name
        for name, each in functions.items()
        if inspect.isfunction(each) and "module" in inspect.signature(each).parameters
    }
    assert of_modules - OF_OTHERS == {name.partition(":")[0] for name in METHODS}


@pytest.fixture(scope="session", autouse=True)
def _all_imported() -> None:
    """What is imported at its first use may draw random numbers as it is read."""
    OF_NETWORKS["linear_probes"](settled(Plain()), X)


def tensors(value: Any) -> Iterator[Tensor]:
    """Yields the tensors and numbers that a result is made of."""
    if isinstance(value, (Tensor, float, int)):
        yield torch.as_tensor(value).detach()
    elif dataclasses.is_dataclass(value):
        for each in dataclasses.fields(value):
            yield from tensors(getattr(value, each.name))
    elif isinstance(value, (tuple, list)):
        for each in value:
            yield from tensors(each)


def same(first: Any, second: Any, tolerance: float = 1e-5) -> bool:
    pairs = list(zip(tensors(first), tensors(second), strict=True))
    assert pairs
    return all(torch.allclose(a, b, atol=tolerance, rtol=1e-3, equal_nan=True) for a, b in pairs)


def state(network: nn.Module) -> list[Any]:
    """Returns all of a network and of torch that an explanation could leave changed."""
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    parts = [
        (name, each.training, sorted(each.__dict__), *(list(getattr(each, hook)) for hook in hooks))
        for name, each in network.named_modules()
    ]
    weights = [
        (name, id(each), each.requires_grad, each.grad, each.tolist()) for name, each in network.named_parameters()
    ]
    buffers = [(name, id(each), each.tolist()) for name, each in network.named_buffers()]
    draws = (torch.get_rng_state().tolist(), random.getstate(), str(numpy.random.get_state()))
    modes = (torch.is_grad_enabled(), torch.is_inference_mode_enabled(), len(_get_current_function_mode_stack()))
    everywhere = [
        len(vars(nn.modules.module)[name]) for name in vars(nn.modules.module) if "_global_" in name and "hooks" in name
    ]
    return [parts, weights, buffers, draws, modes, everywhere]


class Fuse:
    """Raises at its n-th burning, in copies too."""

    def __init__(self, error: type[BaseException] | None, at: int) -> None:
        self.error, self.left = error, at

    def __deepcopy__(self, memo: object) -> Fuse:
        return self

    def burn(self) -> None:
        self.left -= 1
        if self.left == 0 and self.error is not None:
            raise self.error("boom")


class Fused(InPlace):
    """A network of mixed modes and flags that raises in the middle."""

    def __init__(self, error: type[BaseException] | None, at: int) -> None:
        super().__init__()
        self.fuse = Fuse(error, at)
        self.conv2.register_forward_hook(lambda *_: self.fuse.burn())
        self.norm2.eval()
        self.conv1.weight.requires_grad_(False)
        self.head.weight.grad = torch.ones_like(self.head.weight)


@pytest.mark.parametrize("at", [1, 2])
@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("name", METHODS)
def test_nothing_is_left_behind(name: str, error: type[BaseException] | None, at: int) -> None:
    network = settled(Fused(error, at))
    inputs = X.clone()
    before = state(network)
    with nullcontext() if error is None else suppress(error, NetworkError):
        METHODS[name](network, inputs)
        assert error is None or at > 1 or name in WITHOUT_A_RUN
    for was, now in zip(before, state(network), strict=True):
        assert was == now or str(was) == str(now)
    assert torch.equal(inputs, X)
    assert not inputs.requires_grad
    assert inputs.grad is None


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", METHODS)
def test_how_it_is_written_makes_no_difference(name: str, way: type[Plain]) -> None:
    assert same(METHODS[name](settled(Plain()), X), METHODS[name](settled(way()), X))


@pytest.mark.parametrize("name", METHODS)
def test_neither_does_how_it_is_called(name: str) -> None:
    network, method = settled(Plain()), METHODS[name]
    expected = method(network.eval(), X)
    assert same(method(network.train(), X), expected)  # dropout and batch norm
    with torch.no_grad():
        assert same(method(network, X), expected)
    with torch.inference_mode():
        assert same(method(network, X.clone()), expected)
    asking = X.clone().requires_grad_()
    assert same(method(network, asking), expected)
    assert asking.grad is None


@pytest.mark.parametrize("name", OF_SAMPLES)
def test_samples_do_not_meet(name: str) -> None:
    network, method = settled(Plain()), OF_SAMPLES[name]
    found = method(network, X)
    assert len(found) == len(X)
    alone = [method(network, X[place : place + 1]) for place in range(len(X))]
    assert same(found, torch.cat(alone))
    assert not found.requires_grad


@pytest.mark.parametrize("name", OF_SAMPLES)
def test_double_precision_and_other_channels(name: str) -> None:
    network, inputs = settled(Plain(4)).double(), pictures(1, 4, 9, 12, dtype=torch.float64)
    found = OF_SAMPLES[name](network, inputs)
    assert found.dtype == torch.float64
    assert found.isfinite().all()
    assert found.any()
    narrow = OF_SAMPLES[name](settled(Plain(4)), inputs.float())
    assert same(found.float(), narrow, tolerance=1e-3)


@pytest.mark.parametrize("name", OF_SAMPLES)
def test_networks_of_torch_compile(name: str) -> None:
    network, method = settled(Plain()).eval(), OF_SAMPLES[name]
    expected = method(network, X)
    compiled = torch.compile(network, backend="eager")
    compiled(X)
    assert same(method(compiled, X), expected)
    network.conv2.compile(backend="eager")
    network(X)
    assert same(method(network, X), expected)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.parametrize("name", OF_SAMPLES)
def test_networks_of_torch_jit_are_right_or_refused(name: str) -> None:
    network, method = settled(Plain()).eval(), OF_SAMPLES[name]
    compiled = torch.jit.trace(network, X, check_trace=False)
    for _ in range(3):
        try:
            assert same(method(compiled, X), method(network, X))
        except NetworkError:
            continue


class Sound(Plain):
    """The same in one dimension."""

    def __init__(self) -> None:
        super().__init__(2)
        self.conv1, self.conv2 = nn.Conv1d(2, 6, 3, padding=1), nn.Conv1d(6, 6, 3, padding=1)
        self.norm2, self.pool, self.conv3 = nn.BatchNorm1d(6), nn.MaxPool1d(3, 2, ceil_mode=True), nn.Conv1d(6, 8, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu1(self.conv1(x))
        x = self.relu2(self.norm2(self.conv2(x)) + x)
        return self.head(self.relu3(self.conv3(self.dropout(self.pool(x)))).mean(2))


class Words(Sound):
    """The same behind an embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(10, 2)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(self.words(x).transpose(1, 2))


@pytest.mark.parametrize("name", OF_SAMPLES)
def test_sound_and_words(name: str) -> None:
    method = OF_SAMPLES[name]
    sound = method(settled(Sound()), pictures(2, 2, 21))
    assert sound.isfinite().all()
    assert sound.any()
    words = torch.randint(10, (2, 21), generator=torch.Generator().manual_seed(0))
    if name == "relevance: bounds":
        return
    found = method(settled(Words()), words)
    assert found.shape == sound.shape
    assert found.any()
