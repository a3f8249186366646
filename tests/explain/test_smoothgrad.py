"""SmoothGrad."""

from __future__ import annotations

import pytest
import torch
from captum.attr import NoiseTunnel, Saliency
from torch import Tensor, nn
from twins import Plain, pictures, settled

from neocog.core.errors import UsageError
from neocog.explain import gradient, smoothgrad


class Square(nn.Module):
    """The slope at x is 2 x."""

    def forward(self, x: Tensor) -> Tensor:
        return x.square().sum(1, keepdim=True)


def test_the_mean_over_its_own_draws() -> None:
    inputs = torch.tensor([[0.0, 1.0, 4.0], [0.0, 0.0, 2.0]])
    draws = torch.Generator().manual_seed(7)
    noise = torch.stack([torch.randn(3, generator=draws) for _ in range(5)])  # the same for each sample
    deviations = 0.1 * torch.tensor([[4.0], [2.0]])  # of each sample's own range
    found = smoothgrad(Square(), inputs, samples=5, noise=0.1, seed=7)
    assert torch.allclose(found, 2 * (inputs + deviations * noise.mean(0)), atol=1e-6)
    squared = smoothgrad(Square(), inputs, samples=5, noise=0.1, seed=7, squared=True)
    each = 2 * (inputs + deviations * noise[:, None])  # (draws, B, 3)
    assert torch.allclose(squared, each.square().mean(0), atol=1e-5)


def test_without_noise_it_is_the_gradient() -> None:
    network, inputs = settled(Plain()), pictures(2, 3, 9, 9)
    assert torch.allclose(smoothgrad(network, inputs, noise=0, samples=2), gradient(network, inputs), atol=1e-6)


def test_the_class_is_that_of_the_clean_input() -> None:
    network = nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        network.weight.copy_(torch.eye(2))
    inputs = torch.tensor([[1.0, 0.99]])  # noise would predict the second class every other time
    assert smoothgrad(network, inputs, noise=50.0).tolist() == [[1.0, 0.0]]


def test_seeds() -> None:
    network, inputs = settled(Plain()), pictures(1, 3, 9, 9)
    first, again = (smoothgrad(network, inputs, samples=2, seed=3) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, smoothgrad(network, inputs, samples=2, seed=4))


def test_near_captum() -> None:
    network, inputs = settled(Plain()).eval(), pictures(1, 3, 8, 8)
    deviation = 0.15 * float(inputs.max() - inputs.min())
    torch.manual_seed(0)
    expected = NoiseTunnel(Saliency(network)).attribute(
        inputs.clone(), nt_type="smoothgrad", nt_samples=200, stdevs=deviation, target=2, abs=False
    )
    found = smoothgrad(network, inputs, target=2, samples=200)
    alike = torch.corrcoef(torch.stack([found.flatten(), expected.flatten()]))[0, 1]
    assert alike > 0.95  # both means of random draws
    assert float(found.norm() / expected.norm()) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("settings", [{"samples": 0}, {"noise": -0.1}, {"noise": float("nan")}])
def test_settings_that_cannot_be(settings: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="smoothgrad takes"):
        smoothgrad(Square(), torch.ones(1, 2), **settings)  # type: ignore[arg-type]
