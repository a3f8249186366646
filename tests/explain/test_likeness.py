import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torchmetrics.functional.image import structural_similarity_index_measure

from neocog.explain.likeness import rank_correlation, structural_similarity


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=3, max_size=20))
def test_the_rank_correlation_is_scipys_ties_included(pairs):
    one, other = torch.tensor(pairs, dtype=torch.float64).T
    if one.unique().numel() == 1 or other.unique().numel() == 1:
        return
    found = rank_correlation(one[None], other[None])
    assert found.item() == pytest.approx(stats.spearmanr(one.numpy(), other.numpy()).statistic, abs=1e-12)


def test_any_rising_function_keeps_the_ranks_and_a_falling_one_turns_them():
    row = torch.rand(1, 50, generator=torch.Generator().manual_seed(0))
    assert rank_correlation(row, row.exp()).item() == pytest.approx(1)
    assert rank_correlation(row, -(row**3)).item() == pytest.approx(-1)


def test_constant_rows_are_alike_only_to_each_other():
    flat, other = torch.zeros(1, 4), torch.arange(4.0)[None]
    assert rank_correlation(flat, flat + 3).tolist() == [1]
    assert rank_correlation(flat, other).tolist() == [0]
    assert rank_correlation(other, flat).tolist() == [0]


def test_the_structural_similarity_is_that_of_uniform_windows():
    one, other = torch.rand(2, 3, 1, 20, 23, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    scaled = [each / each.flatten(1).amax(1)[:, None, None, None] for each in (one, other)]
    ours = structural_similarity(one[:, 0], other[:, 0])
    _, image = structural_similarity_index_measure(
        *scaled, gaussian_kernel=False, kernel_size=7, data_range=1.0, reduction="none", return_full_image=True
    )
    inside = image[..., 3:-3, 3:-3]  # theirs reaches over the edges, too
    torch.testing.assert_close(ours, inside.flatten(1).mean(1), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("shape", [(2, 9), (2, 3), (2, 8, 5), (2, 8, 9, 10), (2, 3, 4, 5, 6)])
def test_a_map_is_like_itself_and_its_scale_does_not_matter(shape):
    maps = torch.rand(shape, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(structural_similarity(maps, 7 * maps), torch.ones(2, dtype=torch.float64))
    assert (structural_similarity(maps, maps.flip(-1)) < 1).all()


def test_dark_maps_are_alike():
    assert structural_similarity(torch.zeros(1, 8, 8), torch.zeros(1, 8, 8)).tolist() == [1]
