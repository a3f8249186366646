"""Whether an input fits a network, tried with a batch of no samples before anything is computed."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from neocog.core.errors import NetworkError

LARGEST_TRIED = 4096
# The attribute of a network that cannot be expected to take an empty batch: how many samples it is tried with.
TRIAL_BATCH = "trial_batch"
# The attribute of one that looks at its numbers on the way, so that shapes alone do not do.
_NEEDS_NUMBERS = "needs_numbers"
# The attribute of a network that takes whole numbers (B, L) from 0 to as many as it says, not floats (B, C, L).
TOKENS = "tokens"
# The attribute of such a network whose every token is several whole numbers, or whose texts come in bags: its axes.
TOKEN_AXES = "token_axes"  # noqa: S105 - the linter takes it for a password


def shape_copy(network: nn.Module) -> nn.Module:
    """Returns a copy in evaluation mode that shares the network's tensors, to be run on an empty batch.

    Of a network with a `TRIAL_BATCH` it is one without numbers, on the device ``meta``, unless `check_input` found that
    it cannot do without.
    """
    if hasattr(network, TRIAL_BATCH) and not hasattr(network, _NEEDS_NUMBERS):
        return copy.deepcopy(network).to("meta").eval()
    shared: list[Tensor] = [*network.parameters(), *network.buffers()]
    return copy.deepcopy(network, {id(tensor): tensor for tensor in shared}).eval()


def empty_batch(network: nn.Module, shape: Sequence[int]) -> Tensor:
    """Returns inputs (0, *shape) for the network: every layer checks their shape and none has a number to compute.

    Of a network over tokens, whose shape is (different tokens, length, ...), they are whole numbers (0, length, ...).

    torch's device ``meta`` would do as well, but its first convolution imports two seconds' worth of modules.
    """
    tensor = next(network.parameters(), None)
    samples: int = getattr(network, TRIAL_BATCH, 0)
    if tensor is not None and hasattr(network, TOKENS):
        return tensor.new_zeros(samples, *shape[1:], dtype=torch.int64)
    return torch.zeros(samples, *shape) if tensor is None else tensor.new_zeros(samples, *shape)


def check_input(network: nn.Module, shape: Sequence[int], *, name: str = "the network") -> None:
    """Tries an input of ``shape`` (channels, then the axes, e.g. ``(3, 224, 224)``) without computing anything.

    ``name`` is how the network is called in the error.

    Raises NetworkError when it does not fit: with the number of channels or axes that does, or with the smallest
    (and, where there is one, the largest) size that does, found by trying.
    """
    trial = shape_copy(network)
    shape = tuple(shape)
    _refuse_channels(trial, shape, name)
    problem = _problem(trial, shape)
    if _wants_numbers(trial, problem):
        vars(network)[_NEEDS_NUMBERS] = True
        trial = shape_copy(network)
        problem = _problem(trial, shape)
    if problem is None:
        return
    if not isinstance(problem, _OF_SHAPE):  # a network of the user's own may raise anything
        raise NetworkError(f"{name} fails on an input of {_text(shape)}: {_line(problem)}") from problem
    sizes = _sizes_that_fit(trial, shape[0], len(shape) - 1)
    asked = _text(shape)
    if sizes is None:
        raise NetworkError(
            f"{name} takes no input with {shape[0]} channels and {len(shape) - 1} axes; got {asked} ({_line(problem)})."
        )
    smallest, largest = (_text((shape[0], *(size,) * (len(shape) - 1))) if size else "" for size in sizes)
    if not largest:
        raise NetworkError(f"{name} needs an input of at least {smallest}, got {asked}; give a larger size.")
    span = f"{smallest} to {largest}" if smallest != largest else smallest
    raise NetworkError(f"{name} takes inputs of {span}, got {asked}; give one of these, or build it for another size.")


def smallest_input(network: nn.Module, channels: int, axes: int = 2) -> int | None:
    """Returns the smallest side of a square (or cubic) input that the network takes, or None when none does."""
    sizes = _sizes_that_fit(shape_copy(network), channels, axes)
    return sizes[0] if sizes else None


def _refuse_channels(network: nn.Module, shape: tuple[int, ...], name: str) -> None:
    if not shape or min(shape) < 1:
        raise NetworkError(
            f"an input's shape should be positive numbers such as 3x224x224, got {_text(shape) or 'none'}."
        )
    tokens: int | None = getattr(network, TOKENS, None)
    if tokens is not None:
        axes: int = getattr(network, TOKEN_AXES, 1)
        if len(shape) != 1 + axes or shape[0] != tokens:
            wanted = f"e.g. {tokens}x64" if axes == 1 else f"{tokens} and {axes} sizes behind it"
            raise NetworkError(
                f"{name} takes texts of tokens 1 to {tokens} (channels={tokens}), {wanted}; got {_text(shape)}."
            )
        return
    first = next((module for module in network.modules() if isinstance(module, nn.modules.conv._ConvNd)), None)
    if first is None:
        return
    axes = len(first.kernel_size)
    if len(shape) != axes + 1:
        raise NetworkError(
            f"{name} takes an input of channels and {axes} axes, e.g. {_example(first)}; got {_text(shape)}."
        )
    if shape[0] != first.in_channels:
        raise NetworkError(
            f"{name} was built for channels={first.in_channels}, got {shape[0]} (input {_text(shape)}); "
            f"build it with channels={shape[0]} or convert the inputs."
        )


def _example(first: nn.modules.conv._ConvNd) -> str:
    return _text((first.in_channels, *(32,) * len(first.kernel_size)))


def check_outputs(network: nn.Module, shape: Sequence[int], classes: int, *, name: str = "the network") -> None:
    """Raises NetworkError when an input (B, *shape) does not become logits (B, classes)."""
    check_input(network, shape, name=name)
    trial = shape_copy(network)
    inputs = empty_batch(trial, shape)
    with torch.no_grad():
        outputs = trial(inputs)
    made = tuple(outputs.shape) if isinstance(outputs, Tensor) else type(outputs).__name__
    if made != (len(inputs), classes):
        wanted, got = f"(B, {classes})", f"(B, {', '.join(map(str, made[1:]))})" if isinstance(made, tuple) else made
        raise NetworkError(f"{name} should turn inputs of {_text(shape)} into logits {wanted}, got {got}.")


# What layers raise for a shape that does not fit them.
_OF_SHAPE = (RuntimeError, ValueError, IndexError, NetworkError)


def _problem(network: nn.Module, shape: tuple[int, ...]) -> Exception | None:
    try:
        with torch.no_grad():
            network(empty_batch(network, shape))
    except Exception as error:  # noqa: BLE001 - a network of the user's own may raise anything
        return error
    return None


def _wants_numbers(trial: nn.Module, problem: Exception | None) -> bool:
    """Tells whether a network of the user's own failed only because its copy has no numbers."""
    without = any(tensor.is_meta for tensor in (*trial.parameters(), *trial.buffers()))
    return without and (isinstance(problem, NotImplementedError) or "meta" in str(problem))


def _fits(network: nn.Module, shape: tuple[int, ...]) -> bool:
    problem = _problem(network, shape)
    if problem is None or isinstance(problem, _OF_SHAPE):
        return problem is None
    raise problem


def _sizes_that_fit(network: nn.Module, channels: int, axes: int) -> tuple[int, int | None] | None:
    """Returns the smallest size that fits, and the largest where there is one."""

    def fits(size: int) -> bool:
        return _fits(network, (channels, *(size,) * axes))

    if fits(LARGEST_TRIED):
        return _bisect(fits, 0, LARGEST_TRIED), None
    # A network whose dense layers were built for one size takes that, and the few more that its strides round off.
    found = next((size for size in range(1, 1025) if fits(size)), None)
    if found is None:
        return None
    last = found
    while fits(last + 1):
        last += 1
    return found, last


def _bisect(fits: Callable[[int], bool], failing: int, fitting: int) -> int:
    """Returns the smallest size that fits, given one that does not and a larger one that does."""
    while fitting - failing > 1:
        middle = (failing + fitting) // 2
        if fits(middle):
            fitting = middle
        else:
            failing = middle
    return fitting


def _text(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:200]
