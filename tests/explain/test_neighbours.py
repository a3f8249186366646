import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neocog.core.errors import UsageError
from neocog.explain import neighbours
from neocog.explain.neighbours import nearest_neighbours

POINTS = torch.tensor([[0.0, 0], [3, 4], [0, 1], [0, -1], [6, 8]])


def test_distances_by_hand_and_ties_by_the_lower_row():
    found = nearest_neighbours(POINTS, POINTS[:1], 5)
    assert found.indices.tolist() == [[0, 2, 3, 1, 4]]
    assert found.distances.tolist() == [[0, 1, 1, 5, 10]]


def test_a_query_that_is_a_row_is_left_out_by_its_number_not_by_its_distance():
    twins = torch.cat([POINTS, POINTS[:1]])
    found = nearest_neighbours(twins, twins[[0, 5]], 2, exclude_self=[0, 5])
    assert found.indices.tolist() == [[5, 2], [0, 2]]
    assert found.distances.tolist() == [[0, 1], [0, 1]]
    assert nearest_neighbours(twins, twins[[0, 5]], 2, exclude_self=[-1, 5]).indices.tolist() == [[0, 5], [0, 2]]


def test_the_cosine_distance_knows_directions_alone():
    found = nearest_neighbours(POINTS, torch.tensor([[30.0, 40], [0, 1e-30]]), 5, metric="cosine")
    assert found.indices[0].tolist() == [1, 4, 2, 0, 3]
    assert found.distances[0].tolist() == pytest.approx([0, 0, 0.2, 1, 1.8], abs=1e-6)
    assert found.distances[1, 0].item() == 0
    nothing = nearest_neighbours(POINTS, torch.zeros(1, 2), 5, metric="cosine")
    assert nothing.distances.tolist() == [[1] * 5]
    assert nothing.indices.tolist() == [[0, 1, 2, 3, 4]]


@settings(max_examples=10)
@given(st.integers(0, 2**31), st.sampled_from(["euclidean", "cosine"]))
def test_chunks_do_not_change_the_answer(seed, metric):
    rows = torch.randint(0, 3, (40, 3), generator=torch.Generator().manual_seed(seed))  # many ties
    whole = nearest_neighbours(rows, rows[:7], 9, metric=metric)
    held, neighbours.HELD = neighbours.HELD, 7 * 3
    try:
        parts = nearest_neighbours(rows, rows[:7], 9, metric=metric)
    finally:
        neighbours.HELD = held
    assert torch.equal(whole.indices, parts.indices)
    assert torch.equal(whole.distances, parts.distances)
    ties = whole.distances.diff() == 0
    assert (whole.indices.diff()[ties] > 0).all()


def test_many_queries_and_maps_of_double_precision():
    rows = torch.rand(600, 2, 3, dtype=torch.float64)
    found = nearest_neighbours(rows, rows, 1)
    assert found.indices.flatten().tolist() == list(range(600))
    assert found.distances.dtype == torch.float64
    assert not found.distances.any()


def test_small_distances_between_long_vectors_are_not_lost():
    rows = torch.full((2, 10), 1000.0)
    rows[1, 0] += 0.001
    found = nearest_neighbours(rows, rows[:1], 2)
    assert found.distances[0, 1].item() == pytest.approx(0.001, rel=0.05)


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: nearest_neighbours(POINTS, POINTS, 6), "1 to 5"),
        (lambda: nearest_neighbours(POINTS, POINTS, 5, exclude_self=range(5)), "1 to 4"),
        (lambda: nearest_neighbours(POINTS, POINTS, 1, exclude_self=[9] * 5), "below 5"),
        (lambda: nearest_neighbours(POINTS, POINTS[:, :1], 1), "of one length"),
        (lambda: nearest_neighbours(POINTS / 0, POINTS, 1), "finite"),
        (lambda: nearest_neighbours(POINTS, POINTS, 1, metric="manhattan"), "metric is"),
        (lambda: nearest_neighbours(POINTS[:0], POINTS, 1), "something in them"),
    ],
)
def test_what_has_no_neighbours_is_refused(call, reason):
    with pytest.raises(UsageError, match=reason):
        call()
