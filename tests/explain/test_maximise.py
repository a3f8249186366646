"""Activation maximisation: known optima, any axes and types, nothing left behind, stops, refusals."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from neocog.core.errors import NetworkError, UsageError
from neocog.explain import objectives as o
from neocog.explain.maximise import ascend, maximise, reached


def edge() -> nn.Module:
    """One filter that likes the left side dark and the right side bright."""
    net = nn.Sequential(nn.Conv2d(1, 1, 2, bias=False), nn.ReLU())
    net[0].weight.data = torch.tensor([[[[-1.0, 1.0], [-1.0, 1.0]]]])
    return net


def small(axes: int = 2, channels: int = 3) -> nn.Module:
    torch.manual_seed(0)
    convolution = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[axes - 1]
    pool = (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d)[axes - 1]
    norm = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)[axes - 1]
    return nn.Sequential(
        convolution(channels, 4, 3), norm(4), nn.ReLU(inplace=True), pool(1), nn.Flatten(), nn.Linear(4, 2)
    )


def everything(net: nn.Module) -> tuple:
    hooks = sum(len(each._forward_hooks) + len(each._forward_pre_hooks) for each in net.modules())
    flags = [(each.requires_grad, each.grad) for each in net.parameters()]
    state = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    return hooks, flags, [each.training for each in net.modules()], state, torch.get_rng_state()


def same(one: tuple, other: tuple) -> bool:
    states = all(torch.equal(one[3][name], other[3][name]) for name in one[3])
    return one[:3] == other[:3] and states and torch.equal(one[4], other[4])


@pytest.mark.parametrize("way", ["fourier", "pixels"])
def test_the_unit_gets_the_pattern_of_its_filter(way):
    picture = maximise(
        edge(), o.unit("0", 0), (1, 2, 2), steps=200, rate=0.2, parameterisation=way, transforms=(), seed=1
    )
    assert torch.allclose(picture, torch.tensor([[[[0.0, 1], [0, 1]]]]), atol=0.1)


def test_simonyans_ascent_finds_the_closed_form():
    # S = w . x - penalty ||x||^2 is greatest at w / (2 penalty), whatever it begins with.
    net = nn.Linear(3, 2, bias=True)
    found = ascend(net, o.logit(1), (3,), steps=200, rate=0.5, penalty=0.25, seed=3)
    assert torch.allclose(found[0], net.weight[1].detach() / 0.5, atol=1e-5)
    also = ascend(net, o.logit(1) - 0.25 * o.square_norm(), (3,), steps=200, rate=0.5, seed=3)
    assert torch.allclose(also, found)


def test_one_plain_step_is_the_gradient_and_nothing_else():
    start = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    net = small().eval()
    inputs = start.clone().requires_grad_()
    (slope,) = torch.autograd.grad(net(inputs)[:, 1].sum(), inputs)
    assert torch.allclose(
        ascend(net, o.logit(1), (3, 8, 8), count=2, steps=1, rate=0.3, start=start), start + 0.3 * slope
    )


@pytest.mark.parametrize(("axes", "shape"), [(1, (2, 17)), (2, (3, 11, 9)), (2, (5, 16, 16)), (3, (1, 9, 9, 9))])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_any_axes_channels_and_types_get_higher(axes, shape, dtype):
    net = small(axes, shape[0]).to(dtype)
    before: list[float] = []
    made = maximise(net, o.logit(0), shape, steps=30, on_step=lambda step, score, _: before.append(float(score[0])))
    assert made.shape == (1, *shape)
    assert made.dtype == dtype
    assert 0 <= float(made.min()) <= float(made.max()) <= 1
    assert float(reached(net, o.logit(0), made)) > before[0]
    start = torch.zeros(1, *shape, dtype=dtype)
    assert reached(net, o.logit(0), ascend(net, o.logit(0), shape, steps=9, start=start)) > reached(
        net, o.logit(0), start
    )


def test_the_same_seed_gives_the_same_and_samples_do_not_mix():
    net = small()
    one = maximise(net, "0", (3, 16, 16), steps=5, seed=2)
    pair = maximise(net, "0", (3, 16, 16), count=2, steps=5, seed=2)
    assert torch.equal(one, maximise(net, "0", (3, 16, 16), steps=5, seed=2))
    assert torch.allclose(pair[:1], one, atol=1e-5)
    assert not torch.allclose(pair[1:], one, atol=1e-2)
    assert not torch.allclose(maximise(net, "0", (3, 16, 16), steps=5, seed=3), one, atol=1e-2)
    assert torch.allclose(
        ascend(net, "0", (3, 8, 8), count=2, steps=5)[:1], ascend(net, "0", (3, 8, 8), steps=5), atol=1e-5
    )


@pytest.mark.parametrize("way", [maximise, ascend])
def test_nothing_stays_behind_also_after_an_interrupt(way):
    net = small().train()
    net[0].weight.requires_grad_(False)
    net[5].weight.grad = torch.ones_like(net[5].weight)
    before = everything(net)
    way(net, o.channel("2", 1), (3, 8, 8), steps=2)
    assert same(everything(net), before)

    def interrupt(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        way(net, o.channel("2", 1), (3, 8, 8), steps=2, on_step=interrupt)
    assert same(everything(net), before)
    with pytest.raises(UsageError):
        way(net, o.channel("2", 99), (3, 8, 8), steps=2)
    assert same(everything(net), before)


def test_on_step_sees_and_stops():
    seen = []

    def watch(step, score, picture):
        seen.append((step, score.shape, picture.requires_grad))
        return step < 3

    picture = maximise(small(), "0", (3, 8, 8), count=2, steps=50, on_step=watch)
    assert seen == [(step, (2,), False) for step in (1, 2, 3)]
    assert torch.equal(picture, maximise(small(), "0", (3, 8, 8), count=2, steps=2))


def test_a_unit_behind_a_shut_rectifier_is_opened():
    net = edge()
    net[0].bias = nn.Parameter(torch.tensor([-0.5]))  # noise around gray does not reach it
    assert float(reached(net, o.unit("1", 0), torch.full((1, 1, 2, 2), 0.5))) == 0
    picture = maximise(net, o.unit("1", 0), (1, 2, 2), steps=100, rate=0.2, transforms=())
    assert float(reached(net, o.unit("1", 0), picture)) > 1


def test_mean_and_std_come_between_the_picture_and_the_network():
    seen = []
    net = nn.Sequential(nn.Flatten(), nn.Linear(12, 1))
    net.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach().clone()))
    means, stds = (0.2, 0.4, 0.6), (0.5, 1.0, 2.0)
    picture = maximise(net, o.logit(0), (3, 2, 2), steps=1, rate=1e-9, transforms=(), mean=means, std=stds)
    by_hand = (picture - torch.tensor(means).reshape(3, 1, 1)) / torch.tensor(stds).reshape(3, 1, 1)
    assert torch.allclose(seen[0], by_hand, atol=1e-4)


def test_a_start_is_where_it_begins_and_stays_as_it_was():
    start = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 0.8 + 0.1
    kept = start.clone()
    first = []
    maximise(small(), "0", (3, 8, 8), steps=1, start=start, on_step=lambda _s, _v, picture: first.append(picture))
    assert torch.allclose(first[0], start, atol=1e-5)
    assert torch.equal(start, kept)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"steps": 0}, UsageError, "from 1"),
        ({"rate": 0.0}, UsageError, "above 0"),
        ({"std": (0.0,)}, UsageError, "above 0"),
        ({"mean": (0.1, 0.2)}, UsageError, "3 channels"),
        ({"objective": "conv"}, NetworkError, "no layer 'conv'"),
        ({"shape": (1, 8, 8)}, NetworkError, "channels"),
    ],
)
def test_refusals(options, error, words):
    arguments = {"objective": "0", "shape": (3, 8, 8), "steps": 1, **options}
    with pytest.raises(error, match=words):
        maximise(small(), arguments.pop("objective"), arguments.pop("shape"), **arguments)


def test_an_objective_that_no_pixel_moves_is_refused():
    net = nn.Sequential(nn.Conv2d(1, 1, 2), nn.Hardtanh())
    net[0].weight.data.zero_()
    for way in (maximise, ascend):
        with pytest.raises(NetworkError, match="does not depend"):
            way(net, o.channel("1", 0), (1, 4, 4), steps=2)


def test_a_diverging_ascent_is_told():
    with pytest.raises(NetworkError, match="diverged"):
        ascend(nn.Sequential(nn.Conv2d(1, 1, 1)), o.layer("0"), (1, 4, 4), steps=500, rate=1e6)
