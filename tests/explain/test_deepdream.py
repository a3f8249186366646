"""DeepDream: more of what is there, in range, by seed, sample by sample, at the sizes that the network takes."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from neocog.core.errors import NetworkError, UsageError
from neocog.explain import objectives as o
from neocog.explain.deepdream import deep_dream
from neocog.explain.maximise import reached


def small(axes: int = 2) -> nn.Module:
    torch.manual_seed(0)
    convolution = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[axes - 1]
    return nn.Sequential(convolution(3, 4, 3, padding=1), nn.ReLU(inplace=True), convolution(4, 2, 3, padding=1))


def start(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("axes", "shape"), [(1, (1, 3, 40)), (2, (2, 3, 31, 24)), (3, (1, 3, 9, 9, 9))])
def test_there_is_more_of_the_layer_and_the_start_stays(axes, shape):
    net, picture = small(axes), start(*shape)
    kept = picture.clone()
    made = deep_dream(net, picture, "2", steps=5, jitter=2)
    assert made.shape == picture.shape
    assert 0 <= float(made.min()) <= float(made.max()) <= 1
    assert bool((reached(net, "2", made) > reached(net, "2", picture)).all())
    assert torch.equal(picture, kept)
    assert all(each.grad is None and each.requires_grad for each in net.parameters())


def test_one_step_moves_a_pixel_by_the_rate_in_the_mean():
    made = deep_dream(small(), start(1, 3, 16, 16) * 0.5 + 0.25, "2", octaves=1, steps=1, rate=0.01, jitter=0)
    moved = (made - (start(1, 3, 16, 16) * 0.5 + 0.25)).abs().mean()
    assert float(moved) == pytest.approx(0.01, rel=1e-3)


def test_samples_do_not_influence_each_other_and_the_seed_decides():
    net, pictures = small(), start(2, 3, 24, 24)
    both = deep_dream(net, pictures, "0", steps=3)
    assert torch.allclose(both[1:], deep_dream(net, pictures[1:], "0", steps=3), atol=1e-5)
    assert torch.equal(both, deep_dream(net, pictures, "0", steps=3))
    assert not torch.equal(both, deep_dream(net, pictures, "0", steps=3, seed=1))


def test_a_network_of_one_size_dreams_at_that_size_alone():
    net = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten(), nn.Linear(2 * 14 * 14, 2))
    steps = []
    deep_dream(net, start(1, 3, 16, 16), "0", steps=2, on_step=lambda step, *_: steps.append(step))
    assert steps == [1, 2]
    with pytest.raises(NetworkError, match="3x16x16"):
        deep_dream(net, start(1, 3, 16, 16), "0", octaves=2, steps=2)


def test_it_stops_when_told_and_leaves_nothing_after_an_interrupt():
    net = small().train()
    made = deep_dream(net, start(1, 3, 32, 32), o.channel("2", 1), steps=9, on_step=lambda step, *_: step < 2)
    assert made.shape == (1, 3, 32, 32)

    def interrupt(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deep_dream(net, start(1, 3, 32, 32), "2", on_step=interrupt)
    assert net.training
    assert not any(each._forward_hooks for each in net.modules())


@pytest.mark.parametrize(
    ("picture", "options", "words"),
    [
        (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), {}, "floats"),
        (torch.full((1, 3, 8, 8), 2.0), {}, r"\[0, 1\]"),
        (torch.zeros(3, 8), {}, "floats"),
        (torch.zeros(1, 3, 8, 8), {"octaves": 0}, "from 1"),
        (torch.zeros(1, 3, 8, 8), {"ratio": 1.0}, "above 1"),
    ],
)
def test_refusals(picture, options, words):
    with pytest.raises(UsageError, match=words):
        deep_dream(small(), picture, "0", **options)
