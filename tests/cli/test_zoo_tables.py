"""The zoo's tables on terminals of several widths: nothing runs out of the screen, nothing that matters is dropped."""

from __future__ import annotations

import re

import pytest

from neocog.architectures import networks
from neocog.cli.zoo_tables import amount, anatomy_text, entries_text, short
from neocog.verbs.zoo import zoo


def plain(text: str) -> list[str]:
    return re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()


@pytest.mark.parametrize("width", [72, 80, 100, 140])
def test_the_list_fits_the_terminal(width: int) -> None:
    lines = plain(entries_text(zoo(), width))
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    assert all(name in text for name in networks())
    assert "11.7 M" in text
    assert "1.81 G" in text
    assert "60.0 k" in text
    assert "…" not in text


@pytest.mark.parametrize("width", [80, 100, 140, 200])
@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2", "lenet5"])
def test_the_layers_fit_the_terminal(width: int, name: str) -> None:
    shown = zoo(name)
    lines = plain(anatomy_text(shown, width))
    assert max(map(len, lines)) <= width
    text = re.sub(r"\s+", "", "".join(lines))
    assert f"{shown.params:,}" in text
    assert "…" not in text
    first = re.sub(r"\s+", "", shown.layers[0].arithmetic)
    assert first in text


def test_a_wide_terminal_shows_what_a_pipe_shows() -> None:
    shown = zoo("lenet5_modern")
    wide, pipe = plain(anatomy_text(shown, 250)), plain(anatomy_text(shown, None))
    assert [line.split() for line in wide[-len(shown.layers) :]] == [
        line.split() for line in pipe[-len(shown.layers) :]
    ]
    heading = next(line for line in pipe if line.startswith("layer "))
    assert " ".join(heading.split()) == (
        "layer kind input output kernel stride padding parameters MACs receptive field jump start"
    )


def test_a_narrow_table_says_what_it_left_out() -> None:
    shown = zoo("resnet18")
    assert "show more" in anatomy_text(shown, 80)
    assert "show more" not in anatomy_text(shown, None)
    assert "7x7 /2 +3" in anatomy_text(shown, 80)


def test_memory_is_said_in_words() -> None:
    text = anatomy_text(zoo("lenet5_modern", batch=4, precision="bf16"), None)
    assert re.search(r"training +\S+ [KM]iB for a batch of 4 in bf16: .* gradients .* AdamW .* backward", text)
    assert re.search(r"inference +\S+ [KM]iB for a batch of 4", text)


@pytest.mark.parametrize(
    ("number", "text"), [(999, "999"), (999_499, "999 k"), (999_500, "1.00 M"), (1_814_073_344, "1.81 G"), (0, "0")]
)
def test_short_numbers(number: int, text: str) -> None:
    assert short(number) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1 KiB"),
        (46_758_448, "44.6 MiB"),
        (2**30 - 1, "1024 MiB"),
        (5 * 2**30, "5 GiB"),
    ],
)
def test_amounts_of_memory(size: int, text: str) -> None:
    assert amount(size) == text
