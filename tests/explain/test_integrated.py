"""Integrated gradients."""

from __future__ import annotations

import pytest
import torch
from captum.attr import IntegratedGradients
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from twins import Plain, pictures, settled

from neocog.core.errors import UsageError
from neocog.explain import entry as entering
from neocog.explain import integrated_gradients
from neocog.explain.integrated import gauss_legendre


class Product(nn.Module):
    """score = x y^2: of the way from 0 to (x, y), x gets a third and y two thirds."""

    def forward(self, x: Tensor) -> Tensor:
        return (x[:, 0] * x[:, 1].square())[:, None]


def test_known_shares() -> None:
    found = integrated_gradients(Product(), torch.tensor([[3.0, 2.0]]), steps=2)  # exact for cubic polynomials
    assert torch.allclose(found, torch.tensor([[4.0, 8.0]]))


@given(st.integers(1, 40))
def test_nodes_integrate_polynomials_exactly(count: int) -> None:
    nodes, weights = gauss_legendre(count)
    for degree in (0, 1, 2 * count - 1):
        total = sum(weight * node**degree for node, weight in zip(nodes, weights, strict=True))
        assert total == pytest.approx(1 / (degree + 1), abs=1e-12)


def smooth(channels: int = 2) -> nn.Module:
    return settled(nn.Sequential(nn.Conv2d(channels, 4, 3), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(36, 3)))


@pytest.mark.parametrize("baseline", [None, 0.5, torch.tensor([[[0.1]], [[-0.4]]]), pictures(2, 2, 8, 8, seed=5)])
def test_completeness(baseline: Tensor | float | None) -> None:
    network, inputs = smooth(), pictures(2, 2, 8, 8)
    found = integrated_gradients(network, inputs, target=1, baseline=baseline, steps=16)
    start = torch.zeros_like(inputs) if baseline is None else torch.as_tensor(baseline).expand_as(inputs)
    change = (network(inputs) - network(start))[:, 1]
    assert torch.allclose(found.flatten(1).sum(1), change, atol=1e-4)


def test_completeness_with_rectifiers() -> None:
    network, inputs = settled(Plain()).eval(), pictures(2, 3, 9, 9)
    classes = network(inputs).argmax(1, keepdim=True)
    change = (network(inputs) - network(torch.zeros_like(inputs))).gather(1, classes)[:, 0]
    assert torch.allclose(integrated_gradients(network, inputs).flatten(1).sum(1), change, rtol=0.02, atol=0.02)


def test_the_class_is_that_of_the_inputs() -> None:
    network = nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        network.weight.copy_(torch.eye(2))
    found = integrated_gradients(network, torch.tensor([[2.0, 1.0]]), baseline=torch.tensor([0.0, 5.0]))
    assert torch.allclose(found, torch.tensor([[2.0, 0.0]]))  # near the baseline the second class is predicted


def test_words_with_words_for_a_baseline() -> None:
    class Reader(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding.from_pretrained(torch.tensor([[0.5], [2.0], [4.0]]))

        def forward(self, words: Tensor) -> Tensor:
            return self.words(words).square().sum(1)

    words = torch.tensor([[1, 2]])
    assert torch.allclose(integrated_gradients(Reader(), words), torch.tensor([[[4.0, 16.0]]]))
    padding = torch.tensor([0, 2])
    assert torch.allclose(
        integrated_gradients(Reader(), words, baseline=padding), torch.tensor([[[3.75, 0.0]]]), atol=1e-5
    )


def test_equal_to_captum() -> None:
    network, inputs = settled(Plain()).eval(), pictures(2, 3, 9, 11)
    baseline = pictures(2, 3, 9, 11, seed=9)
    expected = IntegratedGradients(network).attribute(inputs.clone(), baselines=baseline, target=2, n_steps=20)
    found = integrated_gradients(network, inputs, target=2, baseline=baseline, steps=20)
    assert torch.allclose(found, expected.detach(), atol=1e-5)


@pytest.mark.parametrize(("most", "together"), [(3 * 2 * 8 * 8, 1), (2**19, 16)])
def test_memory_does_not_grow_with_the_steps(monkeypatch: pytest.MonkeyPatch, most: int, together: int) -> None:
    """So many points at a time go through the network as the bound on their numbers lets, 16 at most."""
    monkeypatch.setattr(entering, "MOST_NUMBERS", most)
    sizes: list[int] = []
    network = smooth()
    network.register_forward_hook(lambda _m, given, _o: sizes.append(len(given[0])))
    found = integrated_gradients(network, pictures(3, 2, 8, 8), target=[0, 1, 0], steps=40)
    assert max(sizes) == 3 * together
    assert sum(sizes) == 3 * 40
    alone = integrated_gradients(network, pictures(3, 2, 8, 8)[1:2], target=1, steps=40)
    assert torch.allclose(found[1:2], alone, atol=1e-6)


@pytest.mark.parametrize(("baseline", "steps"), [(torch.zeros(3, 1, 1), 4), (None, 0)])
def test_settings_that_cannot_be(baseline: Tensor | None, steps: int) -> None:
    with pytest.raises(UsageError, match=r"baseline has|at least 1 step"):
        integrated_gradients(smooth(), pictures(1, 2, 8, 8), baseline=baseline, steps=steps)
