"""The sparse autoencoder of the gallery (Ng, lecture notes of CS294A, 2011): its patches and its training."""

from __future__ import annotations

import torch
from torch import Tensor, nn

import neocog
from neocog.core.randomness import generator

PATCH, PATCHES = 10, 10_000
# The mean activation asked of hidden units, and what that and the weight decay count (the notes' exercise).
SPARSITY, PENALTY, DECAY = 0.01, 3.0, 1e-4


def patches(pictures: Tensor) -> Tensor:
    """Returns grey patches (N, 100), 0 to 1, of pictures uint8 (P, H, W, 3) at half their size."""
    half = nn.functional.avg_pool2d(pictures.float().mean(3)[:, None] / 255, 2)[:, 0]  # (P, H / 2, W / 2)
    random = generator(0, "patches")
    picture = torch.randint(len(half), (2 * PATCHES,), generator=random)
    top, left = (torch.randint(half.shape[1] - PATCH, (2 * PATCHES,), generator=random) for _ in range(2))
    cut = torch.stack([half[p, t : t + PATCH, c : c + PATCH] for p, t, c in zip(picture, top, left, strict=True)])
    flat = cut.flatten(1)
    return flat[flat.std(1) > 0.05][:PATCHES]  # nothing is learned from a blank wall


def scaled(flat: Tensor) -> Tensor:
    """Returns patches (N, 100) without their mean, three standard deviations as 0.1 to 0.9 (the notes' exercise)."""
    centred = flat - flat.mean(1, keepdim=True)
    limit = 3 * centred.std()
    return 0.5 + 0.4 * (centred.clamp(-limit, limit) / limit)


def trained(patches: Tensor) -> nn.Module:
    """Trains 100-100-100 with the notes' loss: squared error, weight decay, and the sparsity of the hidden units."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = neocog.create("autoencoder_100_100")
    layers = dict(net.named_modules())
    optimiser = torch.optim.LBFGS(net.parameters(), max_iter=400, history_size=50, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        hidden = layers["hidden_sigmoid"](layers["hidden"](patches))
        made = layers["head_sigmoid"](layers["head"](hidden))
        error = (made - patches).square().sum(1).mean() / 2
        decay = sum(layers[name].weight.square().sum() for name in ("hidden", "head")) / 2
        mean = hidden.mean(0)
        apart = SPARSITY * (SPARSITY / mean).log() + (1 - SPARSITY) * ((1 - SPARSITY) / (1 - mean)).log()
        total = error + DECAY * decay + PENALTY * apart.sum()
        total.backward()
        return total

    optimiser.step(loss)
    return net.eval()
