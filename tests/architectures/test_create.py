"""What `create` and the registry refuse, each in one line, and what the list of networks holds."""

from __future__ import annotations

import numpy as np
import pytest
from torch import nn

from neocog.architectures import create, headless, networks, records
from neocog.core.errors import NetworkError


def test_options_that_a_network_does_not_have_are_refused():
    with pytest.raises(NetworkError, match="resnet18 has no 'dropout'; it has no options"):
        create("resnet18", dropout=0.5)
    with pytest.raises(NetworkError, match=r"keras_cifar has no 'dropuot'.*Did you mean dropout\?"):
        create("keras_cifar", dropuot=0.5)
    create("resnet18", size=64)  # it takes any size


@pytest.mark.parametrize("numbers", [{"classes": 0}, {"channels": 0}, {"classes": -3}])
def test_no_classes_or_channels_are_refused(numbers):
    with pytest.raises(NetworkError, match="should be 1 or more"):
        create("lenet5", **numbers)


@pytest.mark.parametrize("numbers", [{"classes": "10"}, {"classes": 3.5}, {"classes": True}, {"size": (8, 8)}])
def test_what_is_no_whole_number_is_refused(numbers):
    with pytest.raises(NetworkError, match="should be a whole number, 1 or more"):
        create("lenet5", **numbers)
    assert create("lenet5_modern", classes=np.int64(7)).head.out_features == 7


def test_an_option_out_of_range_is_one_line():
    with pytest.raises(NetworkError, match=r"keras_cifar cannot be built with .*dropout=2.0.*between 0 and 1"):
        create("keras_cifar", dropout=2.0)
    with pytest.raises(NetworkError, match="called by its name, such as 'resnet18'; got None"):
        create(None)


def test_an_unknown_network_gets_near_names():
    with pytest.raises(NetworkError, match=r"'resnet81'.*Did you mean resnet18"):
        create("resnet81")


def test_the_list_is_by_year_and_every_record_is_whole():
    assert [entry.year for entry in records()] == sorted(entry.year for entry in records())
    assert networks() == tuple(entry.name for entry in records())
    assert set(networks("image")) == set(networks("image classification")) >= {"lenet5", "resnet18"}
    for entry in records():
        assert entry.summary.endswith(".")
        assert entry.deviations


def test_a_head_that_is_not_there():
    with pytest.raises(NetworkError, match="no layer called 'head'"):
        headless(nn.Sequential(nn.Linear(2, 2)))
