import pytest
import torch
from torch import nn

from neocog.core.errors import NetworkError, UsageError
from neocog.explain.probes import _features, linear_probes


class Squares(nn.Module):
    """The first layer keeps the input's two numbers; the second squares them, which parts a ring from its middle."""

    def __init__(self):
        super().__init__()
        self.same, self.squared = nn.Identity(), nn.Identity()

    def forward(self, x):
        return self.squared(self.same(x) ** 2)


def rings(count=120):
    random = torch.Generator().manual_seed(0)
    labels = torch.arange(count) % 2
    angle = torch.rand(count, generator=random) * 6.2832
    radius = 1 + 2 * labels + 0.2 * torch.rand(count, generator=random)
    return torch.stack([radius * angle.cos(), radius * angle.sin()], 1), labels


def test_the_layer_that_parts_the_classes_is_found():
    x, labels = rings()
    probes = linear_probes(Squares(), [x[:50], x[50:]], labels, ["same", "squared"])
    assert [probe.layer for probe in probes] == ["same", "squared"]
    assert probes[0].accuracy < 0.75
    assert probes[1].accuracy == probes[1].train_accuracy == 1
    for probe in probes:
        assert (probe.size, probe.trained, probe.held_out, probe.majority) == (2, 90, 30, 0.5)
        assert probe.converged


def test_the_same_seed_is_the_same_split_and_nothing_global_moves():
    x, labels = rings()
    state = torch.get_rng_state()
    one, same, other = (linear_probes(Squares(), [x], labels, ["same"], seed=seed) for seed in (1, 1, 2))
    assert one == same != other
    assert torch.equal(state, torch.get_rng_state())


def test_a_rare_class_is_in_both_parts_and_maps_are_pooled():
    torch.manual_seed(0)
    x = torch.rand(11, 1, 6, 6)
    probes = linear_probes(nn.Sequential(nn.Conv2d(1, 2, 3)), [x], [0] * 9 + [7] * 2, ["0"], places=2, steps=1)
    assert (probes[0].size, probes[0].trained, probes[0].held_out) == (8, 8, 3)
    assert probes[0].majority == pytest.approx(2 / 3)
    assert not probes[0].converged


X = torch.rand(5, 2, 7, 7, generator=torch.Generator().manual_seed(0))


def conv_net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Dropout(0.5), nn.Linear(75, 4))


def test_features_of_several_layers_come_from_one_pass():
    module = conv_net().train()
    maps = module[0](X).detach()  # not yet overwritten by the rectifier
    for places, wanted in (
        (1, maps.mean((2, 3))),
        (2, nn.functional.adaptive_avg_pool2d(maps, 2).flatten(1)),
        (None, maps.flatten(1)),
    ):
        found = _features(module, iter([X[:2], X[2:]]), ["0", "4"], places)
        torch.testing.assert_close(found["0"], wanted)
    assert all(each.training and not each._forward_hooks for each in module.modules())
    torch.testing.assert_close(found["4"], module.eval()(X).detach())


def test_features_of_words_are_averaged_over_the_words():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 3))
    batches = [torch.tensor([[1, 2, 3]]), torch.tensor([[4, 5], [6, 7]])]
    found = _features(module, batches, ["0", "1"], 1)
    torch.testing.assert_close(found["0"][2], module[0].weight[[6, 7]].mean(0).detach())
    assert found["1"].shape == (3, 3)
    with pytest.raises(UsageError, match="different lengths"):
        _features(module, batches, ["0"], None)


def test_the_network_stays_as_it_was_also_after_an_interrupt():
    module, given = conv_net().train(), X.clone()

    def batches():
        yield given
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        linear_probes(module, batches(), [0, 1], ["0"])
    assert all(each.training and not each._forward_hooks for each in module.modules())
    assert torch.equal(given, X)


def test_what_gives_no_features_is_refused():
    with pytest.raises(NetworkError, match="no layer 'conv'"):
        linear_probes(conv_net(), [X], [0, 1], ["conv"])
    with pytest.raises(UsageError, match="no samples"):
        linear_probes(conv_net(), [], [], ["0"])
    with pytest.raises(UsageError, match="places"):
        linear_probes(conv_net(), [X], [0, 1], ["0"], places=0)
    turned = nn.Sequential(nn.Flatten(0, 1), nn.Conv1d(7, 2, 1))
    with pytest.raises(NetworkError, match="not a row for each"):
        linear_probes(turned, [X], [0, 1], ["0"])


def test_what_cannot_be_probed_is_refused():
    x, labels = rings(6)
    for given, reason in (
        ([0] * 6, "all labels are one class"),
        ([0] * 5 + [1], "class 1 has a single sample"),
        (labels[:5], "a class for each of 6 samples"),
        (labels.float(), "a class for each"),
    ):
        with pytest.raises(UsageError, match=reason):
            linear_probes(Squares(), [x], given, ["same"])
    with pytest.raises(UsageError, match="at least one layer"):
        linear_probes(Squares(), [x], labels, [])
    with pytest.raises(UsageError, match="held_out"):
        linear_probes(Squares(), [x], labels, ["same"], held_out=1)
    with pytest.raises(UsageError, match="not finite"):
        linear_probes(Squares(), [x / 0], labels, ["same"])
