import pytest
import torch
from torch import nn
from torch.nn import functional

from neocog.core.errors import NetworkError, UsageError
from neocog.explain import saliency
from neocog.explain.randomisation import randomisation


def conv_net():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(36, 3)
    )


def pictures(count=2):
    return torch.rand(count, 2, 7, 7, generator=torch.Generator().manual_seed(3))


def explain(module, inputs):
    return saliency(module, inputs, target=1)


def test_layers_are_forgotten_from_the_head_down():
    found = randomisation(explain, conv_net(), pictures())
    assert found.layers == ("6", "3", "1", "0")
    assert found.rank.shape == found.ssim.shape == (4, 2)
    torch.testing.assert_close(found.score, 1 - found.rank[-1].abs())


def test_a_map_of_the_input_alone_is_not_to_be_trusted():
    edges = randomisation(lambda _, inputs: inputs.diff(dim=-1).abs().sum(1), conv_net(), pictures())
    assert edges.score.tolist() == pytest.approx([0, 0])
    assert edges.ssim[-1].tolist() == pytest.approx([1, 1])
    assert (randomisation(explain, conv_net(), pictures()).score > 0.3).all()


def test_a_linear_network_whose_map_is_its_weights():
    network = nn.Sequential(nn.Flatten(), nn.Linear(400, 2))
    found = randomisation(explain, network, torch.ones(1, 1, 20, 20))
    assert found.score.item() > 0.8  # 400 weights drawn anew have nothing to do with those before


def test_one_layer_at_a_time_leaves_the_others_as_they_were():
    def first_weights(module, inputs):
        return module[0].weight.sum((0, 1)).expand(len(inputs), -1, -1)

    found = randomisation(first_weights, conv_net(), pictures(), cascade=False)
    assert found.layers == ("6", "3", "1", "0")
    assert found.rank[:3].min() == pytest.approx(1)
    assert found.rank[3].max() < 1
    torch.testing.assert_close(found.full_rank, found.rank[3])  # the same fresh weights


def test_with_few_steps_everything_is_forgotten_all_the_same():
    whole = randomisation(explain, conv_net(), pictures())
    short = randomisation(explain, conv_net(), pictures(), steps=2)
    assert short.layers == ("3", "0")
    assert torch.equal(short.rank, whole.rank[[1, 3]])
    assert torch.equal(randomisation(explain, conv_net(), pictures(), steps=99).rank, whole.rank)


def test_the_network_and_the_random_state_stay_as_they_were():
    network, inputs = conv_net(), pictures()
    network.train()
    kept, given = {name: value.clone() for name, value in network.state_dict().items()}, inputs.clone()
    state = torch.get_rng_state()

    def fails(module, inputs):
        assert module is not network
        raise KeyboardInterrupt

    randomisation(explain, network, inputs)
    with pytest.raises(KeyboardInterrupt):
        randomisation(fails, network, inputs)
    assert torch.equal(state, torch.get_rng_state())
    assert torch.equal(given, inputs)
    assert all(torch.equal(kept[name], value) for name, value in network.state_dict().items())
    assert all(each.training and not each._forward_hooks for each in network.modules())
    assert all(each.requires_grad and each.grad is None for each in network.parameters())


def test_a_seed_says_which_weights_come():
    one, same, other = (randomisation(explain, conv_net(), pictures(), seed=seed) for seed in (5, 5, 6))
    assert torch.equal(one.rank, same.rank)
    assert not torch.equal(one.rank, other.rank)


def test_samples_do_not_influence_each_other():
    both = randomisation(explain, conv_net(), pictures())
    alone = [randomisation(explain, conv_net(), pictures()[place, None]) for place in range(2)]
    torch.testing.assert_close(both.ssim, torch.cat([each.ssim for each in alone], 1))
    torch.testing.assert_close(both.rank, torch.cat([each.rank for each in alone], 1), atol=1e-3, rtol=0)


class Borrowing(nn.Module):
    """Uses one layer twice, one by its weights alone, and holds a weight of its own."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3))
        self.twice = nn.Linear(3, 3)
        self.unasked = nn.Linear(3, 3)
        self.head = nn.Linear(3, 2)

    def forward(self, x):
        x = torch.relu_(self.twice(x * self.scale))
        return self.head(torch.relu(self.twice(functional.linear(x, self.unasked.weight))))


def test_weights_that_are_used_without_their_layer_are_forgotten_too():
    def weights(module, inputs):
        return module.unasked.weight.flatten()[None]

    found = randomisation(weights, Borrowing(), torch.ones(1, 3))
    assert found.layers == ("head", "twice", "(the network)")
    assert found.rank[1].item() == pytest.approx(1)
    assert found.score.item() > 0


def test_words_are_explained_behind_their_embedding():
    torch.manual_seed(1)

    class Text(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.conv, self.head = nn.Embedding(9, 4), nn.Conv1d(4, 5, 3), nn.Linear(5, 2)

        def forward(self, tokens):
            return self.head(self.conv(self.embedding(tokens).transpose(1, 2)).relu().amax(2))

    tokens = torch.arange(8)[None]
    for over in ("max", "all"):
        found = randomisation(lambda m, x, over=over: saliency(m, x, target=0, over=over), Text(), tokens)
        assert found.layers == ("head", "conv", "embedding")
        assert found.score.isfinite().all()


def test_sound_and_double_precision():
    torch.manual_seed(2)
    network = nn.Sequential(nn.Conv1d(1, 3, 5), nn.ReLU(), nn.Flatten(), nn.Linear(3 * 27, 2)).double()
    found = randomisation(explain, network, torch.rand(2, 1, 31, dtype=torch.float64))
    assert found.rank.shape == (2, 2)


def test_it_works_inside_inference_mode():
    network = conv_net()
    with torch.inference_mode():
        found = randomisation(explain, network, pictures())
    assert torch.equal(found.rank, randomisation(explain, network, pictures()).rank)


def test_what_cannot_be_randomised_is_refused():
    with pytest.raises(NetworkError, match="the network has none"):
        randomisation(lambda _, x: x, nn.Sequential(nn.ReLU()), pictures())
    with pytest.raises(UsageError, match="steps should be at least 1"):
        randomisation(explain, conv_net(), pictures(), steps=0)
    with pytest.raises(UsageError, match="a map for each of 2 inputs"):
        randomisation(lambda _, x: x.sum(), conv_net(), pictures())
    with pytest.raises(NetworkError, match="not finite"):
        randomisation(lambda _, x: x / 0, conv_net(), pictures())
    holding = conv_net()
    holding.kept = holding(pictures())  # part of a graph, which deepcopy refuses
    with pytest.raises(NetworkError, match="cannot be copied"):
        randomisation(explain, holding, pictures())
