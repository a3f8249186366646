"""The spatial transformer (Jaderberg, Simonyan, Zisserman, Kavukcuoglu 2015, arXiv:1506.02025)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from neocog.core.errors import NetworkError

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


class SpatialTransformer(nn.Module):
    """Looks at its input, decides on an affine map, and resamples the input by it (figure 2).

    ``localisation`` is a module that ends in a dense layer of six numbers, the affine map's two rows; that layer is
    set, in place, so that training starts at the identity. Put the block in front of a network, or between two layers
    of maps: ``nn.Sequential(SpatialTransformer(localisation), network)``.

    Raises NetworkError when ``localisation`` does not end in six numbers.
    """

    def __init__(self, localisation: nn.Module) -> None:
        super().__init__()
        self.localisation = localisation
        self.sampler = AffineSampler()
        start_at_identity(localisation)

    def forward(self, x: Tensor) -> Tensor:  # (B, C, H, W)
        """Returns (B, C, H, W)."""
        affine = self.localisation(x).unflatten(1, (2, 3))  # (B, 2, 3)
        return self.sampler(x, affine)  # type: ignore[no-any-return]


class AffineSampler(nn.Module):
    """Reads maps where affine maps of the output's coordinates point: bilinear, zero outside (sections 3.2 and 3.3)."""

    def forward(self, x: Tensor, affine: Tensor) -> Tensor:  # (B, C, H, W), (B, 2, 3)
        """Returns (B, C, H, W)."""
        grid = sampling_grid(affine.float(), x.shape[-2], x.shape[-1]).to(x.dtype)  # (B, H, W, 2)
        return functional.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def sampling_grid(affine: Tensor, height: int, width: int) -> Tensor:
    """Returns where in the input each output pixel is read, as pairs of x and y (B, height, width, 2) (equation 1).

    ``affine`` (B, 2, 3) maps the output's coordinates to the input's; both run from -1 to 1 between the picture's outer
    edges, so that n pixels have their centres at (2 i + 1) / n - 1.
    """
    x, y = (
        (2 * torch.arange(size, dtype=affine.dtype, device=affine.device) + 1) / size - 1 for size in (width, height)
    )
    x, y = x.expand(height, width), y[:, None].expand(height, width)
    targets = torch.stack((x, y, torch.ones_like(x)), dim=2).view(1, height * width, 3)
    return (targets @ affine.transpose(1, 2)).view(affine.shape[0], height, width, 2)


def start_at_identity(localisation: nn.Module) -> None:
    """Sets the last dense layer so that it gives the identity for every input; the first step of training moves it.

    Raises NetworkError when there is no last dense layer of six numbers.
    """
    dense = [module for module in localisation.modules() if isinstance(module, nn.Linear)]
    if not dense or dense[-1].out_features != len(IDENTITY):
        found = f"its last gives {dense[-1].out_features}" if dense else "it has none"
        raise NetworkError(
            f"a localisation net should end in a dense layer of 6 numbers, {found}; add nn.Linear(features, 6)."
        )
    nn.init.zeros_(dense[-1].weight)
    with torch.no_grad():
        dense[-1].bias.copy_(torch.tensor(IDENTITY))
