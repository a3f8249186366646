"""Grad-CAM and Grad-CAM++ by hand, by captum, and for what is not a plain picture network."""

import pytest
import torch
from captum.attr import LayerAttribution, LayerGradCam
from torch import nn
from torch.nn import functional
from twins import Plain, settled, twins

from neocog.core.errors import NetworkError, UsageError
from neocog.explain.gradcam import grad_cam, grad_cam_plus_plus

X = torch.rand(3, 3, 11, 9, generator=torch.Generator().manual_seed(1))


def hand_set():
    """Logit 0 is the mean of map 0 plus twice that of map 1, logit 1 minus that of map 0; the maps are x and 1 - x."""
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 2, bias=False))
    with torch.no_grad():
        network[0].weight.copy_(torch.tensor([1.0, -1.0]).reshape(2, 1, 1, 1))
        network[0].bias.copy_(torch.tensor([0.0, 1.0]))
        network[3].weight.copy_(torch.tensor([[1.0, 2.0], [-1.0, 0.0]]))
    return network


def test_by_hand():
    x = torch.tensor([[[[0.0, 1.0], [2.0, 4.0]]]])
    # The gradient at each of four places is 1/4 and 2/4: x / 4 + (1 - x) / 2 = (2 - x) / 4, cut off at 0.
    expected = torch.tensor([[[0.5, 0.25], [0.0, 0.0]]])
    torch.testing.assert_close(grad_cam(hand_set(), x, target=0), expected)
    torch.testing.assert_close(grad_cam(hand_set(), x, target=1), torch.zeros(1, 2, 2))
    torch.testing.assert_close(grad_cam(hand_set(), x, target=lambda y: y[:, 0] - y[:, 1]), torch.full((1, 2, 2), 0.5))


def test_plus_plus_by_hand():
    x = torch.tensor([[[[0.0, 1.0], [2.0, 4.0]]]])
    # Equation 19 with g = 1/4 and a total of 7: share 1 / (2 + 7/4), weight 4 shares g = 4/15. Map 1 has g = 1/2 and
    # the total -3: share 1 / (2 - 3/2) = 2, weight 4 * 2 / 2 = 4.
    expected = (4 / 15 * x[0] + 4 * (1 - x[0])).clamp(min=0)
    torch.testing.assert_close(grad_cam_plus_plus(hand_set(), x, target=0), expected)


def test_plus_plus_does_not_lose_small_gradients():
    # Of shares 1 / 2 the weights are in proportion 1/2 and 1: (x / 2 + 1 - x).
    small, x = hand_set(), torch.tensor([[[[0.0, 1.0], [2.0, 4.0]]]])
    with torch.no_grad():
        small[3].weight.mul_(1e-16)  # its third power is no float
    heat = grad_cam_plus_plus(small, x, target=0)
    torch.testing.assert_close(heat / heat.max(), torch.tensor([[[1.0, 0.5], [0.0, 0.0]]]))


@pytest.mark.parametrize("layer", ["conv1", "relu1", "conv2", "norm2", "conv3", "relu3"])
def test_captum_has_the_same(layer):
    network = settled(Plain()).eval()
    target = torch.tensor([1, 0, 4])
    oracle = LayerGradCam(network, network.get_submodule(layer))
    theirs = oracle.attribute(X, target, relu_attributions=True)
    ours = grad_cam(network, X, target=target, layer=layer, upsample=False)
    torch.testing.assert_close(ours, theirs[:, 0].detach())
    enlarged = LayerAttribution.interpolate(theirs, (11, 9), "bilinear")
    torch.testing.assert_close(grad_cam(network, X, target=target, layer=layer), enlarged[:, 0].detach())


@pytest.mark.parametrize("method", [grad_cam, grad_cam_plus_plus])
def test_however_it_is_written(method):
    for plain, other in twins():
        for layer, name in (("conv1", "conv1"), ("norm2", "norm2"), ("conv3", "conv3")):
            torch.testing.assert_close(method(other, X, layer=name), method(plain, X, layer=layer))
    reused = other  # the last of them
    torch.testing.assert_close(method(reused, X, layer="relu1@3"), method(plain, X, layer="relu3"))
    torch.testing.assert_close(method(reused, X, layer="relu1@1"), method(plain, X, layer="relu1"))
    torch.testing.assert_close(method(reused, X), method(plain, X))
    with pytest.raises(NetworkError, match="runs 3 times"):
        method(reused, X, layer="relu1")


@pytest.mark.parametrize("method", [grad_cam, grad_cam_plus_plus])
def test_samples_stay_apart_and_doubles_stay_doubles(method):
    network = settled(Plain()).double()
    x = X.double()
    both = method(network, x)
    assert both.dtype == torch.float64
    assert both.shape == (3, 11, 9)
    torch.testing.assert_close(both, torch.cat([method(network, x[i : i + 1]) for i in range(3)]))


def test_sound_words_and_volumes():
    torch.manual_seed(0)
    sound = nn.Sequential(nn.Conv1d(2, 4, 5, 2), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(4, 3))
    x = torch.randn(2, 2, 21)
    coarse = grad_cam(sound, x, upsample=False)
    assert coarse.shape == (2, 9)
    expected = functional.interpolate(coarse[:, None], size=(21,), mode="linear")[:, 0]
    torch.testing.assert_close(grad_cam(sound, x), expected)
    volume = nn.Sequential(nn.Conv3d(1, 2, 2), nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(2, 3))
    assert grad_cam(volume, torch.rand(1, 1, 5, 6, 7)).shape == (1, 5, 6, 7)
    assert grad_cam(Kim(), torch.tensor([[1, 2, 3, 4, 5], [5, 5, 1, 0, 2]])).shape == (2, 5)


class Kim(nn.Module):
    """A convolution over pictures of words: its maps are (words, 1)."""

    def __init__(self):
        super().__init__()
        self.table, self.conv, self.head = nn.Embedding(7, 4), nn.Conv2d(1, 3, (2, 4)), nn.Linear(3, 2)

    def forward(self, words):
        return self.head(self.conv(self.table(words)[:, None]).relu().amax((2, 3)))


def test_words_by_hand():
    torch.manual_seed(0)
    kim = Kim()
    words = torch.tensor([[1, 2, 3, 4, 5]])
    heat = grad_cam(kim, words, target=0, upsample=False)
    maps = kim.conv(kim.table(words)[:, None]).relu().detach()  # (1, 3, 4, 1)
    slope = torch.zeros_like(maps)
    for channel in range(3):
        slope[0, channel, maps[0, channel, :, 0].argmax(), 0] = kim.head.weight[0, channel].detach()
    before = kim.conv(kim.table(words)[:, None]).detach()
    alive = (maps > 0).float()
    weights = (slope * alive).mean((2, 3), keepdim=True)
    torch.testing.assert_close(heat, (weights * before).sum(1).clamp(min=0))


def test_what_cannot_be_drawn_is_refused():
    network = settled(Plain())
    with pytest.raises(NetworkError, match="Did you mean conv3, conv2, conv1"):
        grad_cam(network, X, layer="conv")
    with pytest.raises(NetworkError, match=r"'head' gives 5 numbers without places"):
        grad_cam(network, X, layer="head")
    with pytest.raises(UsageError, match="classes from 0 to 4"):
        grad_cam(network, X, target=5)
    spread = nn.Sequential(nn.Unflatten(2, (3, 7)), nn.Conv2d(2, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(15, 2))
    with pytest.raises(NetworkError, match="do not lie along the input's axes 21"):
        grad_cam(spread, torch.rand(1, 2, 21))
    assert grad_cam(spread, torch.rand(1, 2, 21), upsample=False).shape == (1, 1, 5)


class Cut(Plain):
    def forward(self, x):
        return super().forward(x).detach()


def test_a_cut_gradient_is_refused():
    with pytest.raises(NetworkError, match="no gradient leads"):
        grad_cam(Cut(), X, layer="conv3")


def test_what_the_score_does_not_depend_on_is_zero():
    network = nn.Sequential(nn.Conv2d(3, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 2))
    with torch.no_grad():
        network[3].weight.zero_()
    for method in (grad_cam, grad_cam_plus_plus):
        torch.testing.assert_close(method(network, X), torch.zeros(3, 11, 9))
