"""Metrics of a network on one part of a data set."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import nn

from neocog.core.task import Batch, Loader, Meter, Task
from neocog.training.distributed import SINGLE, World
from neocog.training.memory import is_out_of_memory, release
from neocog.training.precision import Arithmetic

SMALLEST_BATCH = 64


def evaluate(
    network: nn.Module,
    task: Task,
    loader: Loader,
    *,
    batch_size: int,
    arithmetic: Arithmetic,
    world: World = SINGLE,
    stop: Callable[[], bool] = lambda: False,
) -> dict[str, float]:
    """Returns the task's metrics over all samples of the part, each counted once whatever the number of processes.

    The forward pass is in fp32, as in every later test and prediction. The network is left in evaluation mode.
    When ``stop`` says so, the metrics are those of what was seen until then.
    """
    network.eval()
    meter = task.meter()
    with torch.inference_mode():
        for batch in loader.batches(max(batch_size, SMALLEST_BATCH)):
            if stop():
                break
            prepared = arithmetic.arrange(task.prepare(batch.to(arithmetic.device), None))
            _update(meter, task, network, prepared)
    if world.size > 1:
        meter.merge(world.gather(meter.state()))
    return {name: float(value) for name, value in meter.compute().items()}


def _update(meter: Meter, task: Task, network: nn.Module, batch: Batch) -> None:
    """Takes in one batch, in halves and halves of halves where the whole does not fit into memory."""
    if not len(batch):
        return
    try:
        outputs = task.outputs(network, batch)
    except RuntimeError as error:
        if not is_out_of_memory(error) or len(batch) == 1:
            raise
    else:
        meter.update(outputs, batch)
        return
    release(batch.targets.device)
    for half in _halves(batch):
        _update(meter, task, network, half)


def _halves(batch: Batch) -> Iterator[Batch]:
    middle = len(batch) // 2
    yield batch.rows(0, middle)
    yield batch.rows(middle, len(batch))
