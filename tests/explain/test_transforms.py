"""Transforms: sizes kept, moves by hand, differentiable, seeded."""

from __future__ import annotations

import pytest
import torch

from neocog.core.errors import UsageError
from neocog.explain.transforms import jitter, moved, pad, rotate, scale, usual


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_jitter_cuts_a_window_and_padding_frames():
    picture = torch.arange(25.0).reshape(1, 1, 5, 5)
    window = jitter(2)(picture, seeded())
    assert window.shape == (1, 1, 3, 3)
    assert float(window[0, 0, 1, 1] - window[0, 0, 0, 0]) == 6
    framed = pad(1, 9.0)(picture, seeded())
    assert framed.shape == (1, 1, 7, 7)
    assert float(framed[0, 0, 0, 3]) == 9
    assert torch.equal(framed[:, :, 1:-1, 1:-1], picture)
    colours = pad(1, torch.tensor([1.0, 2.0]).reshape(2, 1, 1))(torch.zeros(1, 2, 1, 1), seeded())
    assert colours[0, :, 0, 0].tolist() == [1, 2]


def test_scale_1_and_rotation_0_change_nothing():
    picture = torch.rand(2, 3, 7, 5, generator=seeded())
    assert torch.allclose(scale(1, 1)(picture, seeded()), picture, atol=1e-6)
    assert torch.allclose(rotate(0)(picture, seeded()), picture, atol=1e-6)


def test_a_quarter_turn(monkeypatch):
    monkeypatch.setattr("neocog.explain.transforms._uniform", lambda *_: 90.0)
    picture = torch.rand(1, 1, 5, 5, generator=seeded())
    turned = rotate(90)(picture, seeded())
    quarters = [torch.rot90(picture, way, (2, 3)) for way in (1, -1)]
    assert any(torch.allclose(turned, quarter, atol=1e-5) for quarter in quarters)


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 33, 47), (2, 40), (1, 16, 16, 16), (1, 4, 4), (7,)])
def test_the_usual_ones_keep_the_size_are_seeded_and_differentiable(shape):
    picture = torch.rand(2, *shape, generator=seeded(), requires_grad=True)
    once, again = (moved(picture, usual(shape), seeded(3)) for _ in range(2))
    assert once.shape == picture.shape
    assert torch.equal(once, again)
    once.sum().backward()
    assert picture.grad is not None
    assert torch.allclose(moved(picture[1:], usual(shape), seeded(3)), once[1:])  # a batch moves alike


def test_too_much_is_refused():
    with pytest.raises(UsageError, match=r"put pad\(2\)"):
        moved(torch.zeros(1, 1, 8, 8), (jitter(2),), seeded())
    with pytest.raises(UsageError, match="leaves nothing"):
        jitter(8)(torch.zeros(1, 1, 8, 8), seeded())
    with pytest.raises(UsageError, match="for pictures"):
        rotate(5)(torch.zeros(1, 1, 8), seeded())
    with pytest.raises(UsageError, match="above 0"):
        scale(0, 1)
    with pytest.raises(UsageError, match="from 0"):
        pad(-1)
