import itertools
import math

import pytest
import torch
from torch import nn

from neocog.core.errors import UsageError
from neocog.explain.removal import blurred, deletion, insertion


class Sum(nn.Module):
    """Logits (s, 0) with s the weighted sum of a picture of one channel."""

    def __init__(self, weights):
        super().__init__()
        self.register_buffer("weights", weights)

    def forward(self, x):
        s = (x[:, 0] * self.weights).flatten(1).sum(1)
        return torch.stack([s, torch.zeros_like(s)], 1)


WEIGHTS = torch.tensor([[3.0, 0.0], [0.0, 1.0]])
ONES = torch.ones(1, 1, 2, 2)


def sigmoid(value):
    return 1 / (1 + math.exp(-value))


def test_deletion_and_insertion_of_four_pixels_by_hand():
    found = deletion(Sum(WEIGHTS), ONES, WEIGHTS[None], target=0, fill=0.0, steps=4, orders=0)
    down = [sigmoid(4), sigmoid(1), 0.5, 0.5, 0.5]
    assert found.shares.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert found.curve[0].tolist() == pytest.approx(down)
    assert found.area.item() == pytest.approx(sum((a + b) / 2 for a, b in itertools.pairwise(down)) / 4)
    assert found.chance.isnan().all()
    found = insertion(Sum(WEIGHTS), ONES, WEIGHTS[None], target=0, fill=0.0, steps=4, orders=0)
    assert found.curve[0].tolist() == pytest.approx([0.5, sigmoid(3), sigmoid(4), sigmoid(4), sigmoid(4)])


def test_the_right_map_gains_over_chance_and_the_wrong_one_loses():
    weights = torch.zeros(8, 8)
    weights[2:4, 2:4] = 2
    x = torch.ones(1, 1, 8, 8)
    for measure in (deletion, insertion):
        right, wrong = (measure(Sum(weights), x, sign * weights[None], target=0, fill=0.0) for sign in (1, -1))
        assert right.gain.item() > 0.1 > -0.1 > wrong.gain.item()
        assert torch.equal(right.chance, wrong.chance)


def test_a_flat_map_is_a_random_order_the_same_for_each_sample():
    x = torch.ones(2, 1, 8, 8)
    found = deletion(Sum(torch.rand(8, 8)), x, torch.zeros(2, 8, 8), target=0, fill=0.0, seed=4)
    assert torch.equal(found.curve[0], found.curve[1])
    assert found.curve[0, 0] > found.curve[0, 3] > found.curve[0, -1]  # not from one corner to the other


def test_the_predicted_class_is_that_of_the_whole_input():
    found = deletion(Sum(WEIGHTS), -ONES, WEIGHTS[None], fill=1.0, steps=4)
    assert found.curve[0, 0].item() == pytest.approx(1 - sigmoid(-4))
    assert found.curve[0, -1].item() == pytest.approx(1 - sigmoid(4))


def test_samples_do_not_influence_each_other_and_the_batch_does_not_matter():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(75, 4))
    x, maps = torch.rand(2, 2, 7, 7), torch.rand(2, 7, 7)
    both = insertion(network, x, maps, batch_size=5)
    for place in range(2):
        alone = insertion(network, x[place, None], maps[place, None])
        torch.testing.assert_close(alone.curve[0], both.curve[place])
        torch.testing.assert_close(alone.chance[0], both.chance[place])


def test_norms_that_mix_samples_see_one_at_a_time():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3, track_running_stats=False), nn.Flatten(), nn.Linear(75, 4)
    )
    x = torch.rand(1, 1, 7, 7)
    assert deletion(network, x, x[:, 0]).curve[0, 0].item() == pytest.approx(
        network(x).softmax(1).max().item(), abs=1e-6
    )


def test_the_network_stays_as_it_was_also_after_an_interrupt():
    network = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(4, 2)).train()
    state, given = torch.get_rng_state(), ONES.clone()
    deletion(network, given, WEIGHTS[None])

    def interrupt(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deletion(network, given, WEIGHTS[None], target=interrupt)
    assert all(each.training for each in network.modules())
    assert all(each.requires_grad and each.grad is None for each in network.parameters())
    assert torch.equal(state, torch.get_rng_state())
    assert torch.equal(given, ONES)


def test_a_single_output_is_a_yes_or_no():
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 1, bias=False))
    nn.init.ones_(network[1].weight)
    assert deletion(network, ONES, WEIGHTS[None], fill=0.0).curve[0, 0].item() == pytest.approx(sigmoid(4))


def test_a_function_as_target_is_watched_itself():
    found = deletion(Sum(WEIGHTS), ONES, WEIGHTS[None], target=lambda logits: logits[:, 0], fill=0.0, steps=4)
    assert found.curve[0].tolist() == [4, 1, 0, 0, 0]


def test_words_are_taken_away_behind_their_embedding():
    class Text(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(3, 2)
            with torch.no_grad():
                self.embedding.weight.copy_(torch.tensor([[0.0, 0], [1, 0], [5, 0]]))

        def forward(self, tokens):
            s = self.embedding(tokens)[..., 0].sum(1)
            return torch.stack([s, torch.zeros_like(s)], 1)

    tokens = torch.tensor([[0, 2, 1], [1, 1, 2]])
    found = deletion(Text(), tokens, torch.tensor([[0.0, 2, 1], [1, 1, 2]]), target=0, fill=0.0, steps=3)
    assert found.curve[0].tolist() == pytest.approx([sigmoid(6), sigmoid(1), 0.5, 0.5])
    assert found.curve[1].tolist() == pytest.approx([sigmoid(7), sigmoid(2), sigmoid(1), 0.5])


def test_the_mean_is_each_channels_own_and_a_tensor_broadcasts():
    x = torch.stack([torch.zeros(2, 2), torch.tensor([[0.0, 0], [0, 8]])])[None]
    seen = []

    class Keeps(nn.Module):
        def forward(self, x):
            seen.append(x.clone())
            return x.flatten(1)

    deletion(Keeps(), x, torch.zeros(1, 2, 2), steps=1, orders=0)
    assert seen[-1][-1].flatten(1).tolist() == [[0] * 4, [2] * 4]
    deletion(Keeps(), x, torch.zeros(1, 2, 2), steps=1, orders=0, fill=torch.tensor([1.0, 3])[:, None, None])
    assert seen[-1][-1].flatten(1).tolist() == [[1] * 4, [3] * 4]


@pytest.mark.parametrize("shape", [(1, 2, 50), (2, 1, 31, 40), (1, 1, 9, 10, 11), (1, 1, 1)])
def test_a_blur_keeps_what_is_flat_and_flattens_the_rest(shape):
    flat = torch.full(shape, 3.0)
    torch.testing.assert_close(blurred(flat), flat)
    noise = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert noise.numel() == 1 or blurred(noise).std() < 0.9 * noise.std()


def test_what_does_not_fit_is_refused():
    network = Sum(WEIGHTS)
    with pytest.raises(UsageError, match="one value a place"):
        deletion(network, ONES, ONES)
    with pytest.raises(UsageError, match="finite"):
        deletion(network, ONES, WEIGHTS[None] / 0)
    with pytest.raises(UsageError, match="fill is mean"):
        deletion(network, ONES, WEIGHTS[None], fill="black")
    with pytest.raises(UsageError, match="broadcast"):
        deletion(network, ONES, WEIGHTS[None], fill=torch.zeros(7))
    with pytest.raises(UsageError, match="at least 1"):
        deletion(network, ONES, WEIGHTS[None], steps=0)
    with pytest.raises(UsageError, match="orders"):
        deletion(network, ONES, WEIGHTS[None], orders=-1)
    with pytest.raises(UsageError, match="behind the channels"):
        deletion(nn.Linear(3, 2), torch.ones(1, 3), torch.ones(1, 3))


def test_only_some_places_take_part():
    among = torch.tensor([[True, False], [False, True]])
    found = deletion(Sum(WEIGHTS), ONES, WEIGHTS[None], target=0, fill=0.0, among=among, steps=2, orders=1)
    assert found.curve[0].tolist() == pytest.approx([sigmoid(4), sigmoid(1), 0.5])
    found = insertion(Sum(WEIGHTS), ONES, WEIGHTS[None], target=0, fill=0.0, among=among[[1, 0]], steps=2, orders=0)
    assert found.curve[0].tolist() == [0.5, 0.5, 0.5]  # the two that count never come
    for wrong in (among[0], among.float(), torch.zeros(2, 2, dtype=torch.bool)):
        with pytest.raises(UsageError, match="among"):
            deletion(Sum(WEIGHTS), ONES, WEIGHTS[None], target=0, among=wrong)
