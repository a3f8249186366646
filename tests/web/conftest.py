"""What the explorer's tests share: sessions, clients and pictures."""

from __future__ import annotations

import io

import numpy as np
import pytest
from explorer_client import Client
from explorer_models import small_samples, zoo_model
from PIL import Image

from neocog.web.session import Session


@pytest.fixture(scope="module")
def lenet() -> Client:
    """LeNet-5 as it is taught today, with 30 small pictures beside it."""
    model = zoo_model("lenet5_modern")
    return Client(Session(model, small_samples(model.classes, side=32)))


@pytest.fixture(scope="module")
def shown(lenet: Client, picture_bytes: bytes) -> int:
    """A picture that was given to LeNet-5."""
    found: int = lenet.post("/api/picture", content=picture_bytes)["picture"]
    return found


@pytest.fixture(scope="session")
def picture_bytes() -> bytes:
    """A PNG of 40 x 48 with something in it."""
    pixels = np.random.default_rng(1).integers(0, 256, (48, 40, 3), dtype=np.uint8)
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, "png")
    return written.getvalue()
