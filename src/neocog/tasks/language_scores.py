"""What each token of a text costs a language model, whatever network it is."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from neocog.data.window_source import NOT_SCORED, WindowSource
from neocog.tasks.language_modelling import costs

TOGETHER_TOKENS = 1 << 14  # that a network sees at once


def token_costs(network: nn.Module, tokens: Tensor, window: int, *, device: torch.device | None = None) -> Tensor:
    """Returns -log p (T,) in nats of each of ``tokens`` (T,) int64, given those before it; float64 on the CPU.

    Each is told from at least ``window`` tokens before it, or from all where there are fewer: windows overlap by that
    much, and only their second half is scored. A recurrent network begins each window with nothing remembered, so what
    it is given is at most twice the window; one that sees less than the window gives exactly what it gives of the whole
    text at once.
    """
    source = WindowSource(tokens, window, context=window)
    made: list[Tensor] = [torch.empty(0, dtype=torch.float64)]
    together = max(1, TOGETHER_TOKENS // (2 * window))
    with torch.inference_mode():
        for places in torch.split(torch.arange(len(source)), together) if len(tokens) else ():
            batch = source.load(places)
            assert isinstance(batch.inputs, Tensor)
            inputs, targets = batch.inputs.to(device), batch.targets.to(device)
            found = costs(network, inputs, targets).double().cpu()
            made.append(found[batch.targets != NOT_SCORED])
    return torch.cat(made)
