"""The page's arithmetic, numbers and folding, in JavaScript, run by node where there is one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from neocog.web.static_files import folder

HERE = Path(__file__).parent


def test_the_pages_arithmetic() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node")
    tests = [node, "--test", str(HERE / "js" / "model.test.mjs")]
    made = subprocess.run(
        tests,
        env=os.environ | {"NEOCOG_STATIC": str(folder())},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert made.returncode == 0, made.stdout + made.stderr


MODULES = sorted(folder().glob("*.js"))
IMPORT = re.compile(r'^import \{ ([\w ,]+) \} from "\./(\w+)\.js";$')


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_modules_are_short_and_import_what_is_there(module: Path) -> None:
    lines = module.read_text("utf-8").splitlines()
    assert len(lines) < 300
    assert lines[0].startswith("// ")
    for line in lines:
        if not line.startswith("import"):
            continue
        found = IMPORT.match(line)
        assert found, line
        source = (folder() / f"{found[2]}.js").read_text("utf-8")
        for name in found[1].split(","):
            exported = rf"^export (async )?(function|const|class) {name.split(' as ')[0].strip()}\b"
            assert re.search(exported, source, re.MULTILINE), f"{found[2]}.js exports no {name}"


def test_only_the_transport_asks_and_the_model_knows_no_page() -> None:
    for module in MODULES:
        text = module.read_text("utf-8")
        assert ("fetch(" in text) == (module.stem == "transport")
        assert "innerHTML" not in text
        assert "insertAdjacentHTML" not in text
        if module.stem in ("model", "numbers", "graph", "state"):
            assert "document" not in text
            assert "window." not in text


def test_the_page_asks_nothing_of_others_and_has_nothing_inline() -> None:
    index = (folder() / "index.html").read_text("utf-8")
    style = (folder() / "style.css").read_text("utf-8")
    assert "<style" not in index
    assert "style=" not in index
    assert not re.search(r"<script(?![^>]*src=)", index)
    assert not re.search(r"""(src|href)="(?!/static/|#|data:,)""", index)
    assert "http" not in index
    assert "@import" not in style
    assert "url(" not in style
