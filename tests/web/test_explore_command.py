"""The command: its help, its refusals, a server that answers and that Ctrl-C ends."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from explorer_models import zoo_model

import neocog
from neocog.cli.main import run
from neocog.core import modelfile
from neocog.core.errors import ResourceError, UsageError
from neocog.web.explore import listening


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    model = zoo_model("lenet5_modern")
    path = tmp_path_factory.mktemp("explore") / "model.safetensors"
    modelfile.save(path, model.network.state_dict(), model.contract)
    return path


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_help_loads_neither_torch_nor_the_server() -> None:
    code = (
        "import sys, neocog\n"
        "from neocog.cli.main import run\n"
        "assert run(['explore', '--help']) == 0\n"
        "print([name for name in ('torch', 'fastapi', 'uvicorn', 'numpy') if name in sys.modules])"
    )
    assert python(code).splitlines()[-1] == "[]"


def test_the_verb_is_a_function_too() -> None:
    assert callable(neocog.explore)
    with pytest.raises(UsageError, match="--html"):
        neocog.explore("lenet5_modern", picture="a.png")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["no-such-model.safetensors"], "no-such-model"),
        (["lenet6"], "lenet5"),
        (["lenet5_modern"], "no trained weights"),
        (["{model}", "no-such-data"], "no-such-data"),
        (["{model}", "--picture", "a.png"], "--html"),
        (["{model}", "--html", "a.html"], "--picture"),
        (["{model}", "--html", "a.pdf", "--picture", "a.png"], ".html"),
        (["{model}", "--port", "70000"], "65535"),
    ],
)
def test_refusals_are_one_line(arguments: list[str], words: str, model_file: Path, capsys: Any) -> None:
    status = run(["explore", *(each.format(model=model_file) for each in arguments), "--no-browser"])
    written = capsys.readouterr()
    assert status == 2 and written.out == ""
    assert words in written.err and written.err.startswith("neocog: ") and written.err.count("\n") == 1


def test_a_port_that_is_taken_is_one_line(model_file: Path, capsys: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ResourceError, match=str(port)):
            listening(port)
        assert run(["explore", str(model_file), "--no-browser", "--port", str(port)]) == 2
    written = capsys.readouterr().err
    assert str(port) in written and written.count("\n") == 1


def test_the_socket_is_this_machines_own() -> None:
    with listening(0) as sock:
        assert sock.getsockname()[0] == "127.0.0.1"


def asked(address: str, token: str, headers: dict[str, str] | None = None) -> Any:
    request = urllib.request.Request(address, headers={"X-Neocog-Token": token} | (headers or {}))
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read()


def test_the_server_answers_until_ctrl_c(model_file: Path) -> None:
    command = [sys.executable, "-m", "neocog", "explore", str(model_file), "digits", "--no-browser"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as server:
        try:
            assert server.stderr is not None and server.stdout is not None
            line = server.stderr.readline()
            found = re.search(r"(http://127\.0\.0\.1:\d+)/\?token=([\w-]{40,})", line)
            assert found is not None, line
            base, token = found.groups()
            assert b"<" in asked(base + "/", "")
            assert json.loads(asked(base + "/api/network", token))["name"] == "lenet5_modern"
            for wrong in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"X-Neocog-Token": "x"}):
                with pytest.raises(urllib.error.HTTPError) as refused:
                    asked(base + "/api/network", token, wrong)
                assert refused.value.code == 403
                refused.value.close()
            server.send_signal(signal.SIGINT)
            out, err = server.communicate(timeout=30)
        finally:
            server.kill()
    assert (server.returncode, out, err) == (0, "", "")


def test_a_page_is_written(model_file: Path, tmp_path: Path, capsys: Any) -> None:
    target = tmp_path / "page.html"
    assert run(["explore", str(model_file), "digits", "--html", str(target)]) == 0
    assert target.stat().st_size > 100_000 and "page.html" in capsys.readouterr().err
