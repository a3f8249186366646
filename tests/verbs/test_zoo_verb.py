"""The verb zoo: the list and the anatomy of one network, as functions and as a command."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from neocog.architectures import networks, record
from neocog.cli.zoo import command
from neocog.core.errors import NetworkError, UsageError
from neocog.verbs.anatomy import parse_shape
from neocog.verbs.catalogue import count, years
from neocog.verbs.zoo import zoo


def run(*arguments: str) -> str:
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_the_list_has_every_network_by_year():
    assert tuple(entry.name for entry in zoo()) == networks()


def test_filters_leave_exactly_what_passes_them():
    everything = zoo()
    assert zoo(max_params="2M", sort="name") == tuple(
        sorted((entry for entry in everything if entry.params <= 2e6), key=lambda entry: entry.name)
    )
    assert {entry.name for entry in zoo(max_macs="1G")} == {e.name for e in everything if e.macs <= 1e9}
    assert {entry.name for entry in zoo(year="2015-2016")} == {e.name for e in everything if e.year in (2015, 2016)}
    assert zoo(year=1971) == ()
    assert {entry.task for entry in zoo(task="image")} == {"image classification"}
    both = zoo(like="lenet", max_params=60_500)
    assert {entry.name for entry in both} >= {"lenet5"}
    assert "lenet5_modern" not in {entry.name for entry in both}


def test_a_word_or_a_pattern_in_the_name():
    assert {"resnet18"} <= {entry.name for entry in zoo(like="resnet")}
    assert all("resnet" in " ".join((entry.name, *entry.aliases)) for entry in zoo(like="ResNet"))
    assert [entry.name for entry in zoo(like="lenet5_mod?rn")] == ["lenet5_modern"]
    assert zoo(like="et5_modern*") == ()


@pytest.mark.parametrize("sort", ["year", "params", "macs", "top1_error", "top5_error"])
@pytest.mark.parametrize("reverse", [False, True])
def test_sorting_puts_what_is_not_known_last(sort: str, reverse: bool):
    values = [getattr(entry, sort) for entry in zoo(sort=sort, reverse=reverse)]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=reverse)
    assert values[len(known) :] == [None] * (len(values) - len(known))


def test_what_is_not_understood_is_refused():
    for wrong in ({"task": "cooking"}, {"max_params": "many"}, {"max_macs": "5T"}, {"year": "last"}, {"sort": "taste"}):
        with pytest.raises(UsageError):
            zoo(**wrong)
    with pytest.raises(UsageError, match="`neocog zoo NAME --input`"):
        zoo(input="3x8x8")
    with pytest.raises(UsageError, match="--task goes with the list"):
        zoo("lenet5", task="image")
    with pytest.raises(UsageError, match="Did you mean reverse"):
        zoo(revers=True)
    with pytest.raises(UsageError, match="goes with a race"):
        zoo("lenet5", epochs=3)
    with pytest.raises(UsageError, match="--nets lenet5,OTHER"):
        zoo("lenet5", race="digits")
    for wrong in ({"batch": 0}, {"precision": "fp8"}, {"svg": "net.png"}):
        with pytest.raises(UsageError):
            zoo("lenet5", **wrong)
    with pytest.raises(UsageError, match="like 3x160x160"):
        zoo("resnet18", input="3x0x8")
    with pytest.raises(UsageError, match="square"):
        zoo("lenet5", input="1x32x40")
    with pytest.raises(NetworkError, match="Did you mean lenet5"):
        zoo("lenet51")
    with pytest.raises(NetworkError, match="at least 32 a side, got 28"):
        zoo("lenet5", input=(1, 28, 28))


def test_one_network_at_its_own_size_and_another():
    shown = zoo("mobilenet_v2")
    assert (shown.params, shown.macs) == (record("mobilenet_v2").params, record("mobilenet_v2").macs)
    half = zoo("mobilenet_v2", input="3x112x112")
    assert half.params == shown.params
    assert half.layers[0].output_shape == (32, 56, 56)
    assert half.macs < shown.macs
    assert zoo("keras_cifar", input=(1, 64, 64)).layers[0].output_shape == (32, 64, 64)
    assert zoo("lenet5_modern", classes=7).layers[-1].arithmetic == "7 x 84 + 7 = 595"


def test_a_network_over_bags_is_shown_too():
    shown = zoo("cnn_attention")
    assert (shown.params, shown.macs, shown.hidden_params) == (5_756_873, 3_307_860, 0)


def test_size_jump_and_start_of_receptive_fields():
    rows = {row.name: row for row in zoo("resnet18").layers}
    assert (rows["conv1"].receptive_field, rows["conv1"].jump, rows["conv1"].start) == ((7, 7), (2, 2), (-3, -3))
    assert (rows["maxpool"].receptive_field, rows["maxpool"].jump, rows["maxpool"].start) == (
        (11, 11),
        (4, 4),
        (-5, -5),
    )


@pytest.mark.parametrize(
    ("text", "number"),
    [("5M", 5_000_000), ("11.7 M", 11_700_000), ("1.5k", 1_500), ("2g", 2 * 10**9), ("1,250,858", 1_250_858), (7, 7)],
)
def test_numbers_that_people_write(text, number):
    assert count(text) == number


@pytest.mark.parametrize(
    ("text", "span"),
    [
        (2015, (2015, 2015)),
        ("2012-2016", (2012, 2016)),
        ("2012-", (2012, 9999)),
        ("-2000", (0, 2000)),
        (None, (0, 9999)),
    ],
)
def test_years_that_people_write(text, span):
    assert years(text) == span


@pytest.mark.parametrize("text", ["", "15", "20152016", "2015-16"])
def test_years_that_nobody_writes(text):
    with pytest.raises(UsageError, match="a year should be like"):
        years(text)


def test_years_that_end_before_they_begin():
    with pytest.raises(UsageError, match="did you mean 2012-2016"):
        years("2016-2012")


def test_a_shape_beyond_what_torch_counts():
    with pytest.raises(UsageError, match="like 3x160x160"):
        parse_shape("3x160x99999999999999999999")


def test_shapes():
    assert parse_shape("3x160x160") == parse_shape("3, 160, 160") == parse_shape([3, 160, 160]) == (3, 160, 160)


def test_csv_of_the_list():
    text = run("--csv")
    assert text.startswith("name,year,paper,task,params,macs,top1_error,top5_error")
    rows = {row["name"]: row for row in csv.DictReader(io.StringIO(text))}
    assert tuple(rows) == networks()
    assert (rows["resnet18"]["params"], rows["resnet18"]["macs"]) == ("11689512", "1814073344")
    assert rows["resnet18"]["input"] == "3x224x224"
    assert rows["lenet5"]["top1_error"] == ""


def test_csv_and_json_of_one_network():
    rows = list(csv.DictReader(io.StringIO(run("resnet18", "--csv"))))
    assert sum(int(row["params"]) for row in rows) == 11_689_512
    assert rows[0]["arithmetic"] == "64 x (7x7x3) = 9,408"
    assert (rows[0]["receptive_field"], rows[0]["jump"], rows[0]["start"]) == ("7x7", "2x2", "-3x-3")
    assert [row["receptive_field"] for row in rows if row["name"] == "layer4.1.conv2"] == ["435x435"]
    shown = json.loads(run("lenet5", "--json"))
    assert shown["macs"] == 326_520
    assert shown["memory"]["batch"] == 32
    assert [layer["name"] for layer in shown["layers"]][-1] == "head"


def test_json_of_the_list():
    assert [entry["name"] for entry in json.loads(run("--json"))] == list(networks())


def test_a_pipe_gets_plain_and_whole_lines():
    text = run()
    assert "\x1b" not in text
    assert len(text.splitlines()) == len(networks()) + 1
    assert "11,689,512" in text
    one = run("keras_cifar")
    assert "1,250,858" in one
    assert "512 x 2304 + 512 = 1,180,160" in one
    assert "(32, 32)" not in one


def test_filters_that_nothing_passes_leave_stdout_empty():
    result = CliRunner().invoke(command, ["--max-params", "1"], catch_exceptions=False)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "No network" in result.stderr


def test_the_list_is_drawn_where_there_are_errors(tmp_path: Path):
    picture = tmp_path / "zoo.png"
    assert zoo(like="resnet18", picture=picture) == zoo(like="resnet18")
    with Image.open(picture) as drawn:
        assert drawn.width > drawn.height > 500
    with pytest.raises(UsageError, match="nothing to draw"):
        zoo(like="lenet5", picture=tmp_path / "none.png")


OWN = '''
from torch import nn

class Own(nn.Module):
    def __init__(self, classes, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, 4, 3)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.head = nn.Linear(4, classes)

    def forward(self, x):
        return self.head(self.flatten(self.pool(self.conv(x))))

def build(classes=5, channels=3):
    """Mine."""
    return Own(classes, channels)
'''


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A network of the user's own, in the working folder."""
    (tmp_path / "my_networks.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return "my_networks:build"


def test_a_network_of_ones_own(own: str, tmp_path: Path):
    shown = zoo(own, input="3x40x40", classes=7, svg=tmp_path / "own.svg")
    assert (shown.entry.name, shown.entry.paper, shown.entry.year, shown.entry.summary) == (own, "", None, "Mine.")
    assert shown.params == shown.entry.params == 4 * 27 + 4 + 7 * 4 + 7
    assert shown.macs == 4 * 27 * 38 * 38 + 28
    assert "my_networks:build" in (tmp_path / "own.svg").read_text("utf-8")
    assert zoo(own).input == (3, 224, 224)


def test_a_network_of_ones_own_is_built_for_the_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    lines = (
        "from torch import nn",
        "def build(classes, size):",
        "    return nn.Sequential(nn.Flatten(), nn.Linear(3 * size * size, classes))",
    )
    (tmp_path / "told_its_size.py").write_text("\n".join(lines))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    assert zoo("told_its_size:build", classes=2).params == 2 * 3 * 224 * 224 + 2
    assert zoo("told_its_size:build", classes=2, input="3x10x10").params == 2 * 300 + 2
