"""The verb zoo, as a function and as a command."""

from __future__ import annotations

import csv
import io
import json

import pytest
from click.testing import CliRunner

from neocog.architectures import networks, record
from neocog.cli.zoo import _entries_text, _short, command
from neocog.core.errors import NetworkError, UsageError
from neocog.verbs.zoo import count, parse_shape, years, zoo


def run(*arguments: str) -> str:
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_the_list_has_every_network_by_year():
    assert tuple(entry.name for entry in zoo()) == networks()


def test_filters_and_sorting():
    small = zoo(max_params="2M", sort="params")
    assert [entry.name for entry in small] == ["lenet5", "lenet5_modern", "keras_cifar"]
    assert {entry.name for entry in zoo(year="2015-2016")} == {"resnet18", "keras_cifar"}
    assert zoo(year=1971) == ()
    assert {entry.task for entry in zoo(task="image")} == {"image classification"}
    best_first = [entry.top1_error for entry in zoo(sort="top1_error")]
    known = [error for error in best_first if error is not None]
    assert known == sorted(known)
    assert best_first[len(known) :] == [None] * (len(best_first) - len(known))


def test_what_is_not_understood_is_refused():
    for wrong in ({"task": "cooking"}, {"max_params": "many"}, {"year": "last"}, {"sort": "taste"}, {"input": "3x8x8"}):
        with pytest.raises(UsageError):
            zoo(**wrong)
    with pytest.raises(UsageError, match="filters and sorting go with the list"):
        zoo("lenet5", task="image")
    with pytest.raises(UsageError, match="like 3x160x160"):
        zoo("resnet18", input="3x0x8")
    with pytest.raises(UsageError, match="square"):
        zoo("lenet5", input="1x32x40")
    with pytest.raises(NetworkError, match="Did you mean lenet5"):
        zoo("lenet")
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


@pytest.mark.parametrize(
    ("text", "number"), [("5M", 5_000_000), ("1.5k", 1_500), ("2g", 2 * 10**9), ("1,250,858", 1_250_858), (7, 7)]
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
    assert rows[0]["receptive_field"] == "7x7"
    assert [row["receptive_field"] for row in rows if row["name"] == "layer4.1.conv2"] == ["435x435"]
    shown = json.loads(run("lenet5", "--json"))
    assert shown["macs"] == 326_520
    assert [layer["name"] for layer in shown["layers"]][-1] == "head"


def test_json_of_the_list():
    assert [entry["name"] for entry in json.loads(run("--json"))] == list(networks())


def test_a_pipe_gets_plain_lines():
    text = run()
    assert "\x1b" not in text
    assert len(text.splitlines()) == len(networks()) + 1
    assert "11,689,512" in text
    one = run("keras_cifar")
    assert "1,250,858" in one
    assert "512 x 2304 + 512 = 1,180,160" in one


def test_a_terminal_gets_every_name_and_short_numbers(monkeypatch):
    monkeypatch.setenv("COLUMNS", "90")
    text = _entries_text(zoo(), terminal=True)
    assert all(name in text for name in networks())
    assert "11.7 M" in text
    assert "1.81 G" in text
    assert "60.0 k" in text


@pytest.mark.parametrize(
    ("number", "text"), [(999, "999"), (999_499, "999 k"), (999_500, "1.00 M"), (1_814_073_344, "1.81 G"), (0, "0")]
)
def test_short_numbers(number, text):
    assert _short(number) == text


def test_filters_that_nothing_passes_leave_stdout_empty():
    result = CliRunner().invoke(command, ["--max-params", "1"], catch_exceptions=False)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "No network" in result.stderr
