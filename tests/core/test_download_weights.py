"""Weights by address: verified, kept once, and never without a hash or by http."""

from __future__ import annotations

import hashlib
import io
import urllib.error

import pytest

from neocog.core import download
from neocog.core.download import fetch_weights
from neocog.core.errors import ResourceError

CONTENT = b"tensors"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
NAMED = f"https://one.example/models/net_x0.5-{DIGEST[:8]}.pth"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NEOCOG_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "weights"


@pytest.fixture
def asked(monkeypatch):
    addresses = []

    def serve(address, timeout):
        addresses.append(address)
        return io.BytesIO(CONTENT)

    monkeypatch.setattr(download.urllib.request, "urlopen", serve)
    return addresses


def test_the_hash_stands_in_the_name_or_behind_the_address(asked, cache):
    path = fetch_weights(NAMED)
    assert path == cache / f"net_x0.5-{DIGEST[:8]}.pth"
    assert path.read_bytes() == CONTENT
    other = fetch_weights(f"https://one.example/a%20b.weights.h5?download=1#sha256={DIGEST.upper()}")
    assert other == cache / f"a b-{DIGEST[:16]}.weights.h5"
    assert asked == [NAMED, "https://one.example/a%20b.weights.h5?download=1"]
    assert fetch_weights(NAMED) == path
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("https://one.example/net.pth", "add its hash"),
        ("https://one.example/net.pth#sha256=12", "add its hash"),
        ("https://one.example/", "add its hash"),
        (NAMED.replace("https", "http"), "https only"),
        ("ftp://one.example/net.pth", "https only"),
        (f"https://one.example/net-{'0' * 8}.pth", "expected 00000000; nothing kept"),
    ],
)
def test_what_cannot_be_verified_is_refused_and_not_kept(address, words, asked, cache):
    with pytest.raises(ResourceError, match=words) as caught:
        fetch_weights(address)
    assert "\n" not in str(caught.value)
    assert not cache.exists() or not list(cache.iterdir())


def test_without_a_network_the_file_and_its_place_are_named(monkeypatch, cache):
    def offline(address, timeout):
        raise urllib.error.URLError("no network here")

    monkeypatch.setattr(download.urllib.request, "urlopen", offline)
    with pytest.raises(ResourceError, match="no network here") as caught:
        fetch_weights(NAMED)
    target = cache / NAMED.rsplit("/", 1)[1]
    assert f"Fetch {NAMED} elsewhere and put it at {target}" in str(caught.value)
    target.write_bytes(CONTENT)
    assert fetch_weights(NAMED) == target
    target.write_bytes(b"other")
    with pytest.raises(ResourceError, match="remove it and fetch the file again"):
        fetch_weights(NAMED)
