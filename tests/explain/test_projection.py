import pytest
import torch
from sklearn.decomposition import PCA

from neocog.core.errors import UsageError
from neocog.explain.projection import project

CLOUD = torch.randn(40, 5, generator=torch.Generator().manual_seed(0)) * torch.tensor([5.0, 3, 1, 1, 1])


def test_principal_components_are_scikit_learns_but_for_the_sign():
    theirs = torch.from_numpy(PCA(2).fit_transform(CLOUD.double().numpy()))
    torch.testing.assert_close(project(CLOUD).abs(), theirs.abs())


def test_the_sign_is_fixed_by_the_greatest_loading():
    line = torch.tensor([[0.0, 0], [-3, 1], [3, -1]])
    places = project(line)
    torch.testing.assert_close(places[:, 0], torch.tensor([0, -1, 1]).double() * 10**0.5)
    torch.testing.assert_close(places[:, 1], torch.zeros(3).double(), atol=1e-12, rtol=0)
    torch.testing.assert_close(project(line[[2, 1, 0]]), places[[2, 1, 0]])


@pytest.mark.parametrize("shape", [(1, 3), (2, 3), (4, 1), (3, 2, 2, 2)])
def test_few_samples_and_few_features_have_two_coordinates(shape):
    places = project(torch.rand(shape))
    assert places.shape == (shape[0], 2)
    assert places.isfinite().all()


@pytest.mark.parametrize("shape", [(3, 4), (4, 1), (5, 60), (2, 3), (6, 2)])
def test_neighbours_of_few_samples(shape):
    rows = torch.rand(shape, generator=torch.Generator().manual_seed(1))
    if shape[0] < 3:
        with pytest.raises(UsageError, match="needs at least 3, got 2; use method='pca'"):
            project(rows, method="tsne")
        return
    places = project(rows, method="tsne")
    assert places.shape == (shape[0], 2)
    assert places.isfinite().all()
    assert torch.equal(places, project(rows, method="tsne"))


def test_groups_stay_groups():
    rows = torch.cat([CLOUD[:20, :3], CLOUD[20:, :3] + 50])
    places = project(rows, method="tsne", seed=3)
    groups = places[:20], places[20:]
    apart = (groups[0].mean(0) - groups[1].mean(0)).norm()
    assert apart > 2 * max((group - group.mean(0)).norm(dim=1).median() for group in groups)


def test_equal_rows_lie_on_one_place():
    for method in ("pca", "tsne"):
        assert not project(torch.ones(4, 3), method=method).any()


def test_what_cannot_be_projected_is_refused():
    with pytest.raises(UsageError, match="method is"):
        project(CLOUD, method="umap")
    with pytest.raises(UsageError, match="finite"):
        project(CLOUD / 0)
    with pytest.raises(UsageError, match="something in them"):
        project(CLOUD[:0])
