"""Numbers and pictures as JSON values: exact arrays, maps for the screen, PNG pictures."""

from __future__ import annotations

import base64
import io
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

LARGEST_MAP = 64
LARGEST_THUMBNAIL = 72
Json = dict[str, Any]


def array(values: Tensor) -> Json:
    """Returns a tensor exactly: its shape, and its float32 numbers in base64, little endian."""
    numbers = values.detach().cpu().to(torch.float32).contiguous().numpy().astype("<f4", copy=False)
    return {"shape": list(values.shape), "data": base64.b64encode(numbers.tobytes()).decode("ascii")}


def flat(channel: Tensor) -> Tensor:
    """Returns one channel (...) as rows and columns: sound is one row, volumes lie below each other."""
    if channel.dim() <= 2:
        return channel.reshape(1, -1) if channel.dim() < 2 else channel
    return channel.reshape(-1, channel.shape[-1])


def shown_map(channel: Tensor, *, full: bool = False) -> Json:
    """Returns a channel (...) as bytes from ``low`` (0) to ``high`` (255), at most 64 a side unless ``full``."""
    values = flat(channel.detach().float())
    if not full and max(values.shape) > LARGEST_MAP:
        height, width = (min(each, LARGEST_MAP) for each in values.shape)
        values = functional.adaptive_avg_pool2d(values[None, None], (height, width))[0, 0]
    values = values.nan_to_num()
    low, high = (float(each) for each in values.aminmax())
    scaled = (values - low).mul(255 / (high - low) if high > low else 0).round().to(torch.uint8)
    data = base64.b64encode(scaled.contiguous().numpy().tobytes()).decode("ascii")
    return {"shape": list(values.shape), "low": low, "high": high, "data": data}


def png(pixels: Tensor, side: int | None = None) -> str:
    """Returns uint8 (1|3, H, W) as the address of a PNG picture, no side longer than ``side``."""
    numbers = pixels.cpu().permute(1, 2, 0).contiguous().numpy()
    image = Image.fromarray(numbers[..., 0] if numbers.shape[2] == 1 else np.ascontiguousarray(numbers))
    if side is not None:
        image.thumbnail((side, side), Image.Resampling.LANCZOS)
    written = io.BytesIO()
    image.save(written, "png")
    return f"data:image/png;base64,{base64.b64encode(written.getvalue()).decode('ascii')}"


def to_json(value: Any) -> bytes:
    """Returns JSON in ASCII: NaN and infinities are null, and ``<`` is escaped for where it stands in a page."""
    try:
        text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    except ValueError:
        text = json.dumps(_finite(value), allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").encode("ascii")


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    return [_finite(each) for each in value] if isinstance(value, (list, tuple)) else value
