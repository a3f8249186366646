"""Explanations, dreams and what the data say, as the page gets them; the page in one file."""

from __future__ import annotations

import base64
import html
import io
import json
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from explorer_client import Client
from explorer_models import model_of, zoo_model
from PIL import Image
from torch import nn

from neocog import explain
from neocog.core.errors import ResourceError, UnreadableInput, UsageError
from neocog.web import bundle, dreams, page
from neocog.web.session import Session

METHODS = (
    "saliency", "gradient_times_input", "smoothgrad", "integrated_gradients", "guided_backpropagation", "deconvnet",
    "grad_cam", "grad_cam_plus_plus", "score_cam", "guided_grad_cam", "occlusion", "relevance",
)  # fmt: skip


def heat(told: dict[str, Any]) -> np.ndarray[Any, Any]:
    data = np.frombuffer(base64.b64decode(told["heat"]["data"]), np.uint8).reshape(told["heat"]["shape"])
    return data / 255 * (told["heat"]["high"] - told["heat"]["low"]) + told["heat"]["low"]


def test_the_methods_are_those_of_look(lenet: Client) -> None:
    told = lenet.get("/api/methods")
    assert [row["name"] for row in told] == list(METHODS)
    assert all(row["paper"] and row["about"] and set(row["needs"]) <= {"target", "layer", "unit"} for row in told)


@pytest.mark.parametrize("method", METHODS)
def test_each_method_answers(lenet: Client, shown: int, method: str) -> None:
    told = lenet.get("/api/explain", picture=shown, method=method)
    assert told["heat"]["shape"] == [32, 32] and told["trust"] is None
    assert Image.open(io.BytesIO(base64.b64decode(told["overlay"].partition(",")[2]))).size == (32, 32)
    again = lenet.get("/api/explain", picture=shown, method=method)
    assert again["heat"] == told["heat"]


def test_the_map_is_the_functions(lenet: Client, shown: int) -> None:
    session = lenet.session
    inputs = session.picture(shown).inputs
    told = lenet.get("/api/explain", picture=shown, method="saliency", target=3)
    expected = explain.saliency(session.network, inputs, target=3)[0].numpy()
    assert told["target"] == 3 and np.abs(heat(told) - expected).max() <= np.ptp(expected) / 500
    unit = lenet.get("/api/explain", picture=shown, method="deconvnet", node=5, channel=7)
    expected = explain.deconvnet(session.network, inputs, layer="c3_relu", unit=7)[0].abs().amax(0).numpy()
    assert unit["layer"] == "c3_relu" and np.abs(heat(unit) - expected).max() <= np.ptp(expected) / 500


def test_trust_is_told_on_request(lenet: Client, shown: int) -> None:
    told = lenet.get("/api/explain", picture=shown, method="grad_cam", trust=True)["trust"]
    assert {"randomisation", "deletion", "insertion"} <= set(told) and -1 <= told["rank"] <= 1
    of_a_unit = lenet.get("/api/explain", picture=shown, method="deconvnet", node=5, channel=7, trust=True)["trust"]
    assert of_a_unit["deletion"] is None  # it explains no class


def test_a_method_that_does_not_go_with_the_network_says_why(picture_bytes: bytes) -> None:
    network = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Tanh(), nn.Flatten(), nn.Linear(72, 2))
    client = Client(Session(model_of(network, 3, 8, ("a", "b"))))
    client.post("/api/picture", content=picture_bytes)
    assert "rectifiers" in client.refused("GET", "/api/explain?picture=0&method=guided_backpropagation")
    assert "function" in client.refused("GET", "/api/explain?picture=0&method=grad_cam&node=0")


def finished(client: Client, job: int) -> dict[str, Any]:
    for _ in range(600):
        told: dict[str, Any] = client.get("/api/job", job=job)
        if told["done"]:
            return told
        time.sleep(0.05)
    raise AssertionError("the dream does not end")


def test_a_dream_excites_its_unit(lenet: Client) -> None:
    job = lenet.post("/api/dream", json={"node": 4, "channel": 3, "steps": 12, "size": 32})["job"]
    told = finished(lenet, job)
    assert told["error"] is None and told["step"] == told["steps"] == 12
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(told["picture"].partition(",")[2]))))
    assert pixels.shape == (32, 32)
    session = lenet.session
    noise = np.random.default_rng(0).integers(118, 138, (1, 32, 32), dtype=np.uint8)
    dreamt, other = (
        float(session.runner.run(session.inputs_of(torch.from_numpy(each.copy()))).values[4][0, 3].mean())
        for each in (pixels[None], noise)
    )
    assert dreamt > other


def test_a_new_dream_ends_the_one_before(lenet: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    first = lenet.post("/api/dream", json={"node": 1, "channel": 0, "steps": 256})["job"]
    second = lenet.post("/api/dream", json={"node": 12, "channel": 1, "steps": 256})["job"]
    assert finished(lenet, first)["step"] < 256
    assert lenet.post("/api/cancel", json={"job": second})["cancelled"]
    assert finished(lenet, second)["step"] < 256
    monkeypatch.setattr(dreams, "SECONDS", 0.0)
    assert finished(lenet, lenet.post("/api/dream", json={"node": 1, "channel": 0})["job"])["step"] <= 1


def test_strongest_patches_are_the_strongest(lenet: Client) -> None:
    session = lenet.session
    told = lenet.get("/api/strongest", node=1, channel=2, count=5)
    while told["looked"] < told["total"]:
        told = lenet.get("/api/strongest", node=1, channel=2, count=5)
    found = []
    for sample in range(30):
        pixels = session.readable(sample)
        assert pixels is not None
        found.append((float(session.runner.run(session.inputs_of(pixels)).values[1][0, 2].max()), sample))
    expected = sorted(found, reverse=True)[:5]
    assert [each["sample"] for each in told["patches"]] == [sample for _, sample in expected]
    assert [each["value"] for each in told["patches"]] == pytest.approx([value for value, _ in expected], abs=1e-5)
    for patch in told["patches"]:
        assert (patch["box"]["height"], patch["box"]["width"]) == (5, 5)
        assert (patch["box"]["top"], patch["box"]["left"]) == (patch["row"], patch["column"])


def test_the_nearest_is_not_the_picture_itself(lenet: Client) -> None:
    picture = lenet.post("/api/sample", json={"index": 4})["picture"]
    told = lenet.get("/api/neighbours", picture=picture, count=5)
    assert len(told) == 5 and 4 not in [each["sample"] for each in told]
    distances = [each["distance"] for each in told]
    assert distances == sorted(distances) and all(each["thumbnail"] for each in told)


def test_each_cell_of_the_confusion_holds_its_pictures(lenet: Client) -> None:
    told = lenet.get("/api/confusion")
    assert told["looked"] == told["total"] == told["n"] == sum(map(sum, told["matrix"])) == 30
    assert told["accuracy"] == sum(told["matrix"][k][k] for k in range(10)) / 30
    truth, predicted = next((i, j) for i in range(10) for j in range(10) if told["matrix"][i][j])
    cell = lenet.get("/api/cell", truth=truth, predicted=predicted)["samples"]
    assert len(cell) == told["matrix"][truth][predicted]
    assert all(each["label"] == told["classes"][truth] for each in cell)


def test_samples_come_with_thumbnails(lenet: Client) -> None:
    told = lenet.get("/api/samples", count=4, **{"from": 28})
    assert told["total"] == 30 and [each["index"] for each in told["samples"]] == [28, 29]
    assert lenet.get("/api/samples", **{"from": 99})["samples"] == []
    assert lenet.post("/api/sample", json={"index": 13})["label"] == "class 3"


def test_without_data_the_page_is_told_so(picture_bytes: bytes) -> None:
    client = Client(Session(zoo_model("lenet5_modern")))
    client.post("/api/picture", content=picture_bytes)
    assert client.get("/api/samples") == {"total": 0, "statement": "", "samples": []}
    for query in ("strongest?node=1&channel=0", "neighbours?picture=0", "confusion", "cell?truth=0&predicted=0"):
        assert "MODEL DATA" in client.refused("GET", f"/api/{query}")
    client.refused("POST", "/api/sample", json={"index": 0})
    assert "pictures, not text" in client.refused("POST", "/api/text", json={"text": "good"})


def test_one_page_holds_all_that_it_shows(lenet: Client, picture_bytes: bytes, tmp_path: Path) -> None:
    file, picture = tmp_path / "page.html", tmp_path / "a.png"
    picture.write_bytes(picture_bytes)
    session = Session(zoo_model("lenet5_modern"))
    page.write_page(session, file, picture)
    text = file.read_text("utf-8")
    found = re.search(r'<script type="application/json" id="embedded">(.*?)</script>', text, re.DOTALL)
    assert found is not None and "<" not in found[1]
    answers = json.loads(found[1])
    assert {"GET /api/network", "POST /api/picture", "GET /api/methods"} <= set(answers)
    id = answers["POST /api/picture"]["picture"]
    for place in range(len(session.nodes)):
        assert f"GET /api/maps?picture={id}&node={place}" in answers
    assert sum(key.startswith("GET /api/arithmetic") for key in answers) > 3 * len(session.nodes)
    assert sum(key.startswith("GET /api/explain") for key in answers) > 6
    # Nothing is asked of the network: no address but those within the text.
    for tag in re.findall(r"<(?:script|link|img|iframe|source)\b[^>]*>", text.replace(found[0], "")):
        assert "src=" not in tag or "data:" in tag
        assert "href=" not in tag or "data:" in html.unescape(tag)
    assert "import {" not in text and "\nexport " not in text and text.count("</script>") == 2


def test_a_page_that_cannot_be_made_says_why(lenet: Client, tmp_path: Path) -> None:
    session = lenet.session
    with pytest.raises(UsageError, match="html"):
        page.write_page(session, tmp_path / "page.pdf", None)
    with pytest.raises(ResourceError, match="cannot write"):
        page.write_page(session, tmp_path / "none" / "page.html", None)
    with pytest.raises(UnreadableInput, match=r"none\.png"):
        page.write_page(session, tmp_path / "page.html", tmp_path / "none.png")
    (tmp_path / "bad.png").write_bytes(b"no picture")
    with pytest.raises(UnreadableInput, match=r"bad\.png"):
        page.write_page(session, tmp_path / "page.html", tmp_path / "bad.png")
    with pytest.raises(UsageError, match="--picture"):
        page.write_page(Session(zoo_model("lenet5_modern")), tmp_path / "page.html", None)


def test_modules_are_joined_in_the_order_of_their_imports() -> None:
    files = {
        "main.js": 'import { b as c, a } from "./two.js";\nimport { one } from "./one.js";\nconsole.log(a, c, one);',
        "two.js": 'import { one } from "./one.js";\nexport const a = one;\nexport async function b() { "</script>" }',
        "one.js": "export const one = 1;\nconst exported = 2;\n",
    }
    script = bundle.joined("main.js", files.__getitem__)
    assert script.index("const M_one") < script.index("const M_two") < script.index("const M_main")
    assert script.count("const M_one") == 1 and "{ b : c, a }" in script.replace("b: c", "b : c")
    assert "</script" not in script and "import" not in script and "return { a, b };" in script
    for wrong in ({"main.js": "export default 1;"}, {"main.js": 'import x from "./x.js";'}):
        with pytest.raises(AssertionError, match="another form"):
            bundle.joined("main.js", wrong.__getitem__)
    circle = {"main.js": 'import { x } from "./x.js";', "x.js": 'import { y } from "./main.js";'}
    with pytest.raises(AssertionError, match="circle"):
        bundle.joined("main.js", circle.__getitem__)
