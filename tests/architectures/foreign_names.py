"""What a table of another library's module names must be, whoever's names they are."""

from __future__ import annotations

from collections import Counter

import torch

from neocog.architectures import create, record


def assert_names_every_layer(name: str, library: str) -> dict[str, str]:
    """Asserts that the table names each module with weights once, and nothing else; returns the table."""
    with torch.device("meta"):
        network = create(name)
    table = dict(record(name).renames[library])
    modules = dict(network.named_modules())
    assert set(table.values()) <= set(modules)
    assert max(Counter(table.values()).values()) == 1
    for tensor in network.state_dict():
        parts = tensor.split(".")[:-1]
        prefixes = {".".join(parts[:count]) for count in range(1, len(parts) + 1)}
        assert len(prefixes & set(table.values())) == 1, tensor
    return table
