"""The neocognitron: its cells by hand, its sizes, its fixed weights."""

from __future__ import annotations

import pytest
import torch

from neocog.architectures import create
from neocog.architectures.neocognitron import CLayer, SLayer, centred_weights
from neocog.core.layers import layer_table
from neocog.core.randomness import generator


def s_cell(*, a: float, b: float, r: float) -> SLayer:
    """Returns one S-cell with equal excitatory weights."""
    layer = SLayer(1, 1, r, padding=0)
    with torch.no_grad():
        layer.weight.fill_(a)
        layer.bias.fill_(b)
    return layer


def test_an_s_cell_by_hand():
    seen = torch.full((1, 1, 5, 5), 2.0)  # e = 25 x 0.04 x 2 = 2, and v = 2, as the weights c sum to one
    assert s_cell(a=0.04, b=0.0, r=1.0)(seen).item() == pytest.approx(2.0)
    assert s_cell(a=0.04, b=0.5, r=1.0)(seen).item() == pytest.approx((1 + 2) / (1 + 1) - 1)
    assert s_cell(a=0.04, b=1.0, r=1.0)(seen).item() == pytest.approx(0.0, abs=1e-6)
    # r = 3: 3 x ((1 + 2) / (1 + 6/4 x 0.25 x 2) - 1) = 3 x (3 / 1.75 - 1)
    assert s_cell(a=0.04, b=0.25, r=3.0)(seen).item() == pytest.approx(3 * (3 / 1.75 - 1))
    assert s_cell(a=0.0, b=4.0, r=1.0)(seen).item() == 0.0


def test_an_s_cell_prefers_its_pattern_to_another_of_equal_strength():
    layer = s_cell(a=0.0, b=1.0, r=4.0)
    bar = torch.zeros(1, 1, 5, 5)
    bar[..., 2, :] = 1.0
    with torch.no_grad():
        layer.weight.copy_(bar / 2)
    assert layer(bar).item() > 0
    assert layer(bar.transpose(2, 3)).item() == 0.0


def test_c_cells_by_hand():
    # Two planes: e = 1 and 0, their mean is 1/2. The first: x = 2 / 1.5 - 1 = 1/3, x / (1/2 + x) = 0.4.
    outputs = CLayer(1)(torch.tensor([1.0, 0.0]).view(1, 2, 1, 1))
    assert outputs.flatten().tolist() == pytest.approx([0.4, 0.0])


def test_a_c_cell_forgives_a_shift():
    # The same S-cell active in any place of the area: strongest in the middle, but never silent.
    layer, answers = CLayer(5), []
    for column in range(5):
        planes = torch.zeros(1, 2, 5, 5)
        planes[0, 0, 2, column] = 10.0
        answers.append(layer(planes)[0, 0].item())
    assert min(answers) > 0
    assert answers == pytest.approx(answers[::-1])
    assert max(answers) == answers[2]


def test_fixed_weights_fall_from_the_centre_and_sum_to_one():
    weights = centred_weights(5, 3)
    assert weights.shape == (1, 3, 5, 5)
    assert weights.sum().item() == pytest.approx(1.0)
    assert weights[0, 0, 2, 2] > weights[0, 0, 2, 3] > weights[0, 0, 2, 4] > weights[0, 0, 0, 4] > 0
    assert torch.equal(weights, weights.flip(2, 3))


def test_layers_have_the_published_sizes():
    rows = {row.name: row for row in layer_table(create("neocognitron"), (1, 16, 16))}
    sizes = [rows[name].output_shape for name in ("s1", "c1", "s2", "c2", "head", "c3")]
    assert sizes == [(24, 16, 16), (24, 10, 10), (24, 8, 8), (24, 6, 6), (24, 2, 2), (24, 1, 1)]
    assert [rows[name].params for name in ("s1", "s2", "head")] == [24 * 25 + 24, 24 * 25 * 24 + 24, 24 * 25 * 24 + 24]


def test_answers_are_between_zero_and_one_and_differ():
    outputs = create("neocognitron")(torch.rand(4, 1, 16, 16, generator=generator(0)))
    assert outputs.shape == (4, 24)
    assert ((outputs >= 0) & (outputs < 1)).all()
    assert outputs.std() > 0.01
