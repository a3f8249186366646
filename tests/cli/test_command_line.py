"""The command line as a whole: help without torch, one line for what goes wrong, options that match the function's."""

from __future__ import annotations

import inspect
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import click
import pytest

import neocog
from neocog.cli import main
from neocog.cli.train import command as train_command
from neocog.core.errors import DataError
from neocog.tasks.options import TrainOptions

# How a command prints what its function returns.
FORMS = {"form", "show_all", "as_json"}


def fresh(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_importing_the_package_and_asking_for_help_loads_no_torch() -> None:
    code = "import sys; from neocog.cli.main import run; run(['--help']); print({'torch', 'numpy'} & {*sys.modules})"
    assert fresh(code).splitlines()[-1] == "set()"


def test_one_name_catches_whatever_is_refused() -> None:
    with pytest.raises(neocog.NeocogError, match="resnet18"):
        neocog.create("resnet_18")


def test_every_verb_is_a_function_and_a_command() -> None:
    for verb in main.VERBS:
        assert callable(getattr(neocog, verb))
        assert isinstance(main.neocog.get_command(click.Context(main.neocog), verb), click.Command)


@pytest.mark.parametrize("verb", ["test", "check", "predict", "export", "zoo"])
def test_the_options_of_a_command_are_those_of_its_function(verb: str) -> None:
    command = main.neocog.get_command(click.Context(main.neocog), verb)
    assert command is not None
    function = set(inspect.signature(getattr(neocog, verb)).parameters)
    assert {parameter.name for parameter in command.params} - FORMS <= function


def test_the_options_of_train_are_one_table() -> None:
    assert {parameter.name for parameter in train_command.params} == {
        option.name for option in fields(TrainOptions)
    } | {"resume"}
    assert all(option.metadata["help"] for option in fields(TrainOptions))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["tain"], "Did you mean train?"),
        (["train", "--epoch", "3"], "--epochs"),
        (["train", "no-such-folder"], "no-such-folder"),
        (["train", "--epochs", "many"], "many"),
        (["predict", "no-model.safetensors", "a.png"], "no-model.safetensors"),
        (["zoo", "resnet81"], "resnet18"),
    ],
)
def test_what_goes_wrong_is_one_line_and_status_2(
    arguments: list[str],
    words: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main.run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert words in captured.err
    assert list(tmp_path.iterdir()) == []


def test_an_unexpected_fault_is_one_line_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("division\nby zero")

    monkeypatch.delenv("NEOCOG_TRACEBACK", raising=False)
    monkeypatch.setattr("neocog.verbs.zoo.zoo", broken)
    monkeypatch.setitem(neocog.__dict__, "zoo", broken)
    assert main.run(["zoo"]) == 2
    assert "unexpected ZeroDivisionError: division by zero" in capsys.readouterr().err


def test_ctrl_c_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.delenv("NEOCOG_TRACEBACK", raising=False)
    monkeypatch.setattr("neocog.verbs.zoo.zoo", interrupted)
    assert main.run(["zoo"]) == 2
    assert "Ctrl-C" in capsys.readouterr().err


def test_an_unknown_name_of_the_package_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="trane"):
        neocog.trane  # noqa: B018
    assert issubclass(DataError, Exception)
    assert "train" in dir(neocog)
