"""Score-CAM by the steps of its algorithm, and what it holds at a time."""

import pytest
import torch
from torch import nn
from torch.nn import functional
from twins import Plain, settled, twins

from neocog.core.errors import UsageError
from neocog.core.trace import caught
from neocog.explain.scorecam import score_cam

X = torch.rand(2, 3, 11, 9, generator=torch.Generator().manual_seed(1))


def by_the_algorithm(network, x, target, layer):
    """Algorithm 1 for one input (1, C, h, w), map by map, with the baseline 0."""
    network.eval()
    with torch.no_grad(), caught(network, [layer]) as seen:
        network(x)
    maps = seen.activation(layer)
    found, kept = [], []
    for each in range(maps.shape[1]):
        mask = functional.interpolate(maps[:, each : each + 1], size=x.shape[2:], mode="bilinear")
        if mask.max() == mask.min():
            continue
        mask = (mask - mask.min()) / (mask.max() - mask.min())
        with torch.no_grad():
            found.append((network(x * mask) - network(torch.zeros_like(x)))[0, target])
        kept.append(each)
    weights = torch.stack(found).softmax(0)
    return sum(weight * maps[0, each] for weight, each in zip(weights, kept, strict=True)).clamp(min=0)


@pytest.mark.parametrize("layer", ["relu1", "conv3", "relu3"])
def test_as_the_algorithm_says(layer):
    network = settled(Plain())
    coarse = score_cam(network, X, target=[2, 0], layer=layer, upsample=False, batch_size=3)
    expected = torch.stack([by_the_algorithm(network, X[i : i + 1], t, layer) for i, t in enumerate((2, 0))])
    torch.testing.assert_close(coarse, expected)
    fine = functional.interpolate(expected[:, None], size=(11, 9), mode="bilinear")[:, 0]
    torch.testing.assert_close(score_cam(network, X, target=[2, 0], layer=layer), fine)


def hand_set():
    """Map 0 is the picture, map 1 its negative and one, map 2 the same everywhere; the logits are sums of channels."""
    network = nn.Sequential(nn.Conv2d(1, 3, 1), nn.Flatten(), nn.Linear(12, 2, bias=False))
    with torch.no_grad():
        network[0].weight.copy_(torch.tensor([1.0, -1.0, 0.0]).reshape(3, 1, 1, 1))
        network[0].bias.copy_(torch.tensor([0.0, 1.0, 5.0]))
        network[2].weight.zero_()
        network[2].weight[0, :4] = 1.0
    return network


def test_by_hand():
    x = torch.tensor([[[[0.0, 0.0], [0.0, 1.0]]]])
    # Under map 0 as a mask the picture stays and scores 1; under map 1 it is blank and scores 0. The map that is the
    # same everywhere is no mask and, though the greatest, has no part.
    first, second = torch.tensor([1.0, 0.0]).softmax(0).tolist()
    expected = torch.tensor([[[second, second], [second, first]]])
    torch.testing.assert_close(score_cam(hand_set(), x, target=0, layer="0"), expected)
    one = score_cam(hand_set(), x, target=0, layer="0", channels=1)  # map 1 sums to 3, map 0 to 1
    torch.testing.assert_close(one, 1 - x[0])
    torch.testing.assert_close(score_cam(hand_set(), torch.zeros(1, 1, 2, 2), layer="0"), torch.zeros(1, 2, 2))


def test_the_predicted_class_is_that_of_the_whole_input():
    network = settled(Plain())
    predicted = network.eval()(X).argmax(1)
    torch.testing.assert_close(score_cam(network, X), score_cam(network, X, target=predicted))
    by_function = score_cam(network, X, target=lambda logits: logits[:, 3])
    torch.testing.assert_close(by_function, score_cam(network, X, target=3))


def test_samples_stay_apart_and_batches_are_as_told():
    network, sizes = settled(Plain()).double(), []
    x = X.double()
    expected = torch.cat([score_cam(network, x[i : i + 1]) for i in range(2)])
    network.register_forward_pre_hook(lambda _, inputs: sizes.append(len(inputs[0])))
    torch.testing.assert_close(score_cam(network, x, batch_size=3), expected)
    assert max(sizes) <= 3
    with pytest.raises(UsageError, match="channels must be at least 1"):
        score_cam(network, x, channels=0)
    with pytest.raises(UsageError, match="batch_size must be at least 1"):
        score_cam(network, x, batch_size=0)


def test_however_it_is_written():
    for plain, other in twins():
        torch.testing.assert_close(score_cam(other, X, layer="conv3"), score_cam(plain, X, layer="conv3"))


def test_sound_and_words():
    torch.manual_seed(0)
    sound = nn.Sequential(nn.Conv1d(2, 4, 5, 2), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(4, 3))
    assert score_cam(sound, torch.randn(2, 2, 21)).shape == (2, 21)
    words = torch.tensor([[1, 2, 3, 4, 5], [5, 5, 1, 0, 2]])
    text = Text()
    heat = score_cam(text, words, batch_size=3)
    assert heat.shape == (2, 5)
    torch.testing.assert_close(heat, torch.cat([score_cam(text, words[i : i + 1]) for i in range(2)]))


class Text(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.conv, self.head = nn.Embedding(7, 4), nn.Conv1d(4, 6, 2), nn.Linear(6, 2)

    def forward(self, words):
        return self.head(self.conv(self.table(words).transpose(1, 2)).relu().amax(2))
