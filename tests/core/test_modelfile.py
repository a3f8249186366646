"""The model file: what goes in comes out, and nothing else is taken for one."""

from __future__ import annotations

import json
import math
import pickle
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError
from safetensors.torch import save_file

from neocog.core import modelfile
from neocog.core.contract import FORMAT, ModelContract
from neocog.core.errors import ModelFileError, ResourceError

CONTRACT = ModelContract(
    network="lenet5",
    arguments={"classes": 3, "channels": 1},
    task="image classification",
    classes=("cat", "dog", "emu"),
    preprocessing={"kind": "picture", "size": [32, 32]},
    training={"seed": 7},
    metrics={"test": {"top1": 0.5}},
)
STATE = {"weight": torch.arange(6.0).reshape(2, 3), "bias": torch.tensor([0.5, -1.0])}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    modelfile.save(path, STATE, CONTRACT)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(ModelFileError) as caught:
        modelfile.read(path)
    line = str(caught.value)
    assert "\n" not in line
    assert str(path) in line
    return line


def test_what_is_saved_is_read(file: Path) -> None:
    contract, state = modelfile.read(file)
    assert contract == CONTRACT
    assert modelfile.read_contract(file) == CONTRACT
    assert state.keys() == STATE.keys()
    assert all(torch.equal(state[name], STATE[name]) for name in STATE)


def test_every_kind_of_tensor_keeps_its_type_and_shape(tmp_path: Path) -> None:
    shared = torch.randn(4, 2, generator=torch.Generator().manual_seed(0))
    state = {
        "half": torch.tensor([1.5, -2.0]).bfloat16(),
        "count": torch.tensor(3),
        "mask": torch.tensor([True, False]),
        "none": torch.zeros(0, 3),
        "turned": shared.t(),
        "tied": shared.t(),
        "last": torch.zeros(2, 3, 4, 5).to(memory_format=torch.channels_last),
        "learned": torch.nn.Parameter(torch.ones(2)),
    }
    modelfile.save(tmp_path / "m", state, CONTRACT)
    _, read = modelfile.read(tmp_path / "m")
    for name, tensor in state.items():
        assert read[name].dtype == tensor.dtype, name
        assert read[name].shape == tensor.shape, name
        assert torch.equal(read[name], tensor), name


def test_the_contract_can_be_read_without_neocog(file: Path) -> None:
    data = file.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    contract = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["neocog"])
    assert contract["classes"] == ["cat", "dog", "emu"]
    assert contract["format"] == FORMAT


def test_every_flipped_bit_is_noticed(file: Path) -> None:
    data = file.read_bytes()
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1 << place % 8
        file.write_bytes(changed)
        refusal(file)


def test_every_truncation_is_noticed(file: Path) -> None:
    data = file.read_bytes()
    for length in range(len(data)):
        file.write_bytes(data[:length])
        refusal(file)
    file.write_bytes(data + b"\0")
    refusal(file)


def test_an_exchanged_contract_is_noticed(file: Path, tmp_path: Path) -> None:
    """The header of one model and the hash of another do not make a model."""
    metadata = json.loads(file.read_bytes()[8:].split(b'},"', 1)[0] + b"}}")["__metadata__"]
    metadata["neocog"] = replace(CONTRACT, classes=("dog", "cat", "emu")).to_json()
    save_file(STATE, tmp_path / "forged", metadata=metadata)
    assert "SHA-256" in refusal(tmp_path / "forged")


def test_a_newer_format_asks_for_an_update(file: Path) -> None:
    newer = file.read_bytes().replace(b'\\"format\\": 1', b'\\"format\\": 2')
    file.write_bytes(newer)
    assert "newer" in refusal(file)
    with pytest.raises(ModelFileError, match="newer"):
        modelfile.read_contract(file)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"short", "not a Neocog model file"),
        (b"\0" * 64, "not a Neocog model file"),
        (b"\xff" * 64, "not a Neocog model file"),
        (b"GIF89a and so on and on and on", "not a Neocog model file"),
        (pickle.dumps({"weight": np.zeros(3)}), "pickle"),
        (b"PK\x03\x04" + bytes(40), "zip"),
        (b"\x89HDF\r\n\x1a\n" + bytes(40), "HDF5"),
        (b"\x02" + bytes(7) + b"[]", "not a Neocog model file"),
        (b"\x0c" + bytes(7) + b'{"a": [1, 2}', "damaged"),
        (b"\x04" + bytes(7) + b'{"\xff"', "damaged"),
        (b"\x02" + bytes(7) + b"{}", "without Neocog's contract"),
        (struct.pack("<Q", 100_000) + b'{"a":' * 20_000, "damaged"),
    ],
)
def test_foreign_content_gets_a_line(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "foreign.safetensors"
    path.write_bytes(content)
    assert says in refusal(path)


def test_other_programs_files_get_a_line(tmp_path: Path) -> None:
    save_file(STATE, tmp_path / "plain.safetensors")
    assert "without Neocog's contract" in refusal(tmp_path / "plain.safetensors")
    torch.save(STATE, tmp_path / "torch.pt")
    assert "zip" in refusal(tmp_path / "torch.pt")


def test_no_file_gets_a_line(tmp_path: Path) -> None:
    assert "no such model file" in refusal(tmp_path / "nothing")
    assert "folder" in refusal(tmp_path)
    modelfile.save(tmp_path / "model.safetensors", STATE, CONTRACT)
    assert str(tmp_path / "model.safetensors") in refusal(tmp_path)


def test_a_failed_write_leaves_the_old_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = file.read_bytes()

    def full(tensors: object, path: Path, metadata: object) -> None:
        Path(path).write_bytes(b"half")
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(modelfile, "save_file", full)
    with pytest.raises(ResourceError, match="full"):
        modelfile.save(file, {}, CONTRACT)
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == [file.name]


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
mappings = st.dictionaries(st.text(), plain, max_size=4)
surrogates = st.characters(categories=["L", "N", "P", "Cs"])  # a byte of a folder's name that is no UTF-8


@settings(deadline=None, max_examples=40)
@given(st.text(), mappings, mappings, mappings, st.lists(st.text(surrogates), unique=True, max_size=5).map(tuple))
def test_contracts_survive_json(
    network: str, arguments: dict, preprocessing: dict, training: dict, classes: tuple
) -> None:
    contract = ModelContract(network, arguments, "task", classes, preprocessing, training)
    assert ModelContract.from_json(contract.to_json()) == contract


def test_numbers_that_json_lacks_become_null() -> None:
    contract = replace(CONTRACT, metrics={"loss": math.nan, "rates": (math.inf, 1.0)})
    assert ModelContract.from_json(contract.to_json()).metrics == {"loss": None, "rates": [None, 1.0]}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"classes": ["a", 3]}, "classes"),
        ({"classes": "abc"}, "classes"),
        ({"classes": ["a", "a"]}, "twice"),
        ({"network": None}, "network"),
        ({"preprocessing": []}, "preprocessing"),
        ({"surprise": 1}, "surprise"),
        ({"format": "1"}, "format"),
        ({"format": True}, "format"),
        ({"format": 0}, "format"),
    ],
)
def test_a_bad_field_is_named(changes: dict, says: str) -> None:
    fields = {**json.loads(CONTRACT.to_json()), **changes}
    with pytest.raises(ModelFileError, match=says):
        ModelContract.from_json(json.dumps(fields))


@pytest.mark.parametrize("missing", ["network", "arguments", "task", "classes", "preprocessing", "training", "format"])
def test_a_missing_field_is_named(missing: str) -> None:
    fields = json.loads(CONTRACT.to_json())
    del fields[missing]
    with pytest.raises(ModelFileError, match=missing):
        ModelContract.from_json(json.dumps(fields))


@pytest.mark.parametrize("text", ["", "nonsense", "[]", "3", "[" * 100_000])
def test_a_contract_that_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(ModelFileError):
        ModelContract.from_json(text)
