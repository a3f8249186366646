"""The explorer of texts: the answer is the network's, each word's arithmetic adds up, whatever the text's length."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from explorer_client import Client, decoded
from explorer_models import TEXT_WORDS, text_model, text_samples
from torch import Tensor, nn

from neocog.core.errors import UnreadableInput, UsageError
from neocog.data.text_rows import Reading
from neocog.verbs.look_methods import find_method
from neocog.verbs.look_words import seen_text, word_scores
from neocog.web import kinds, page
from neocog.web.samples import open_samples
from neocog.web.session import Session

TEXT = "the film was not very good zzz and dull <b>"


@pytest.fixture(scope="module")
def texts() -> Client:
    return Client(Session(text_model(), text_samples()))


@pytest.fixture(scope="module")
def shown(texts: Client) -> dict:
    return texts.post("/api/text", json={"text": TEXT})


def node_of(client: Client, name: str) -> dict:
    return next(node for node in client.get("/api/network")["nodes"] if node["name"] == name)


def test_the_network_is_over_channels_and_places(texts):
    told = texts.get("/api/network")
    assert (told["kind"], told["input"], told["data"], told["note"]) == ("text", [1, 16], True, None)
    shapes = {node["name"] or node["kind"]: (node["role"], node["shape"]) for node in told["nodes"]}
    assert shapes["input"] == ("input", [1, 16])
    assert shapes["words"] == ("embedding", [6, 16])
    assert shapes["vectors"] == ("reshape", [6, 16])
    assert shapes["filters.0"] == ("convolution", [100, 14])
    assert node_of(texts, "filters.2")["field"] == {"size": [5], "jump": [1], "start": [0]}


def test_predict_and_the_page_agree(texts, shown):
    (said,) = texts.session.model.predict(TEXT, top=3)
    assert [row["class"] for row in shown["prediction"]] == list(said.labels)
    assert [row["probability"] for row in shown["prediction"]] == pytest.approx(said.probabilities, abs=1e-6)


def test_tokens_stand_at_the_places_of_the_maps(texts, shown):
    seen = texts.session.model.predictor.preprocessing.tokens(TEXT)
    assert shown["kind"] == "text" and shown["tokens"][4:-5] == seen and set(shown["tokens"][:4]) == {""}
    assert [shown["tokens"][place] for place in shown["unknown"]] == [word for word in seen if word not in TEXT_WORDS]
    assert shown["width"] == len(shown["tokens"])
    own = {node["id"]: node for node in shown["nodes"]}
    first = node_of(texts, "filters.0")["id"]
    assert own[first]["shape"] == [100, shown["width"] - 2]
    assert own[first]["formula"] == f"floor(({shown['width']} + 2*0 - 3)/1) + 1 = {shown['width'] - 2}"
    maps = texts.get("/api/maps", picture=shown["picture"], node=first, count=1)
    assert maps["maps"][0]["shape"] == [1, shown["width"] - 2]


@pytest.mark.parametrize("text", ["good", TEXT, "very " * 30 + "good"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_convolution_over_word_vectors_adds_up(texts, text, place):
    """By hand: the vectors of the words out of the table, times the weights, place after place."""
    network = texts.session.network
    told = texts.post("/api/text", json={"text": text})
    node = node_of(texts, f"filters.{place}")["id"]
    found = texts.get("/api/arithmetic", picture=told["picture"], node=node, channel=7)
    layer = network.filters[place]
    vectors = network.words.weight[texts.session.picture(told["picture"]).inputs[0]].T.double()  # (E, L)
    width = layer.kernel_size[0]
    wanted = [
        float((vectors[:, at : at + width] * layer.weight[7].double()).sum() + layer.bias[7].double())
        for at in range(vectors.shape[1] - width + 1)
    ]
    assert decoded(found["output"])[0].tolist() == pytest.approx(wanted, abs=1e-5)
    sums = decoded(found["rest"])[0] + found["bias"]
    for each in found["inputs"]:
        row, weights = decoded(each["map"])[0], decoded(each["weights"])[0]
        assert row.tolist() == pytest.approx(vectors[each["channel"]].tolist())
        sums = sums + (row.unfold(0, width, 1) * weights).sum(1)
    assert sums.tolist() == pytest.approx(wanted, abs=1e-5)


def test_words_are_looked_up_and_the_greatest_wins(texts, shown):
    id, network = shown["picture"], texts.session.network
    table = node_of(texts, "words")["id"]
    found = texts.get("/api/arithmetic", picture=id, node=table, channel=2)
    numbers = decoded(found["input"])[0].long()
    assert found["kind"] == "lookup" and numbers.tolist() == texts.session.picture(id).inputs[0].tolist()
    assert torch.equal(decoded(found["output"])[0].float(), network.words.weight[numbers, 2].detach())
    assert texts.get("/api/links", picture=id, node=table, channel=2)["sources"][0]["node"] == 0
    pooled = texts.get("/api/arithmetic", picture=id, node=node_of(texts, "over_time.1")["id"], channel=3)
    row = decoded(pooled["input"])[0]
    assert (pooled["kind"], int(decoded(pooled["winners"]))) == ("max", int(row.argmax()))
    assert float(decoded(pooled["output"])) == float(row.max())
    inner = decoded(pooled["gradient"]["input"])[0]
    assert inner.count_nonzero() <= 1 and float(inner.sum()) == pytest.approx(
        float(decoded(pooled["gradient"]["output"]))
    )


def test_scores_of_words_are_those_of_look(texts, shown):
    methods = {row["name"] for row in texts.get("/api/methods")}
    assert {
        "saliency",
        "gradient_times_input",
        "integrated_gradients",
        "occlusion",
    } <= methods and "deconvnet" not in methods
    seen = seen_text(texts.session.model, TEXT)
    for name in sorted(methods - {"smoothgrad"}):
        told = texts.get("/api/explain", picture=shown["picture"], method=name, target=2)
        wanted = word_scores(find_method(name), texts.session.network, seen, target=2)
        assert decoded(told["scores"]).tolist() == pytest.approx(wanted.tolist(), abs=1e-5), name
        assert told["heat"]["shape"] == [1, shown["width"]] and told["overlay"] is None
        assert told["words"] == list(seen.tokens)
    trust = texts.get("/api/explain", picture=shown["picture"], method="occlusion", trust=1)["trust"]
    assert 0 <= trust["deletion"] <= 1 and 0 <= trust["insertion_chance"] <= 1


def test_samples_are_sentences(texts):
    told = texts.get("/api/samples", count=3)
    assert [each["text"] for each in told["samples"]] == [
        "the film good",
        "the film very bad",
        "the film very very dull",
    ]
    assert told["samples"][0]["thumbnail"] is None and told["samples"][0]["label"] == "good"
    chosen = texts.post("/api/sample", json={"index": 1})
    assert chosen["label"] == "bad" and [word for word in chosen["tokens"] if word] == ["the", "film", "very", "bad"]


def test_the_strongest_ngrams_of_the_data(texts):
    session, node = texts.session, node_of(texts, "filters.0")["id"]
    told = texts.get("/api/strongest", node=node, channel=11, count=3)["patches"]
    best = []
    for sample in range(12):
        values = session.runner.run(session.inputs_of(session.readable(sample))).values[node][0, 11]
        best.append((float(values.max()), sample, int(values.argmax())))
    value, sample, place = max(best, key=lambda each: (each[0], -each[1]))
    assert told[0]["value"] == pytest.approx(value, abs=1e-6) and told[0]["crop"] is None
    assert told[0]["words"] == list(session.readable(sample).words_at(place, 3)) or told[0]["value"] == told[1]["value"]
    assert len(told[0]["words"]) == 3
    pooled = texts.get("/api/strongest", node=node_of(texts, "over_time.0")["id"], channel=11, count=1)["patches"][0]
    assert pooled["words"][:2] == ["the", "film"]  # of what comes from anywhere the whole sentence is shown


def test_neighbours_and_the_confusion(texts):
    first = texts.post("/api/sample", json={"index": 0})["picture"]
    near = texts.get("/api/neighbours", picture=first, count=2)
    assert near[0]["text"].startswith("the film") and near[0]["sample"] != 0
    told = texts.get("/api/confusion")
    answers = [texts.session.model.predict(texts.session.samples().read(n))[0].label for n in range(12)]
    right = sum(texts.session.samples().label(n) == answer for n, answer in enumerate(answers))
    assert told["n"] == 12 and told["accuracy"] == pytest.approx(right / 12)


def test_what_is_not_for_texts_is_refused(texts):
    assert "dream" in texts.refused("POST", "/api/dream", json={"node": 3, "channel": 0})
    assert "not pictures" in texts.refused("POST", "/api/picture", content=b"GIF89a")
    assert "string" in texts.refused("POST", "/api/text", json={"text": 3})
    assert "empty" in texts.refused("POST", "/api/text", json={"text": " "})
    assert "4,000" in texts.refused("POST", "/api/text", json={"text": "good " * (kinds.MOST_TOKENS + 1)})


def test_pictures_are_not_texts(lenet):
    assert "pictures, not text" in lenet.refused("POST", "/api/text", json={"text": "good"})


def test_what_a_unit_sees_ends_with_the_text(texts, shown):
    node = node_of(texts, "filters.0")["id"]
    last = shown["width"] - 3
    told = texts.get("/api/field", node=node, row=0, column=last, picture=shown["picture"])["theory"]
    assert (told["left"], told["width"]) == (last, 3)
    pooled = texts.get("/api/field", node=node_of(texts, "over_time.0")["id"], picture=shown["picture"])["theory"]
    assert (pooled["left"], pooled["width"]) == (0, shown["width"])


class Flat(nn.Module):
    """Kim's network as many write it: convolutions over a picture of words times numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(len(TEXT_WORDS) + 1, 6, padding_idx=0)
        self.conv, self.head = nn.Conv2d(1, 4, (3, 6)), nn.Linear(4, 3)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.conv(self.table(tokens).unsqueeze(1)).relu()
        return self.head(x.squeeze(3).amax(2))


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(lambda: text_model(mode="multichannel"), id="two tables"),
        pytest.param(lambda: text_model(name="dpcnn"), id="dpcnn"),
        pytest.param(lambda: text_model(Flat()), id="picture of words"),
    ],
)
def test_every_node_of_other_networks_for_texts(model):
    client = Client(Session(model()))
    told = client.post("/api/text", json={"text": TEXT})
    with torch.no_grad():
        logits = client.session.network(client.session.picture(told["picture"]).inputs)[0]
    rows = {row["index"]: row["logit"] for row in told["prediction"]}
    assert [rows[k] for k in range(3)] == pytest.approx(logits.tolist(), abs=1e-5)
    for node in client.get("/api/network")["nodes"]:
        shape = told["nodes"][node["id"]]["shape"]
        where = {"picture": told["picture"], "node": node["id"], "channel": shape[0] - 1}
        found = client.get("/api/arithmetic", **where)
        links = client.get("/api/links", **where)
        if node["role"] == "convolution":
            assert found["kind"] == "convolution"
        if node["role"] in ("convolution", "dense", "pooling", "activation", "embedding"):
            assert links["sources"] or not node["name"], node  # of functions of masks nothing is told
        client.get("/api/maps", picture=told["picture"], node=node["id"], count=2)


def test_the_mailed_page_of_a_text(texts, tmp_path: Path):
    session = Session(text_model())
    page.write_page(session, tmp_path / "page.html", "the film was <b>good</b>")
    written = (tmp_path / "page.html").read_text("utf-8")
    (inner,) = re.findall(r'<script type="application/json" id="embedded">(.*?)</script>', written, re.DOTALL)
    answers = json.loads(inner)
    assert answers["POST /api/picture"]["tokens"][4:7] == ["the", "film", "was"] and "<b>" not in inner
    assert any("method=occlusion" in key or "method=saliency" in key for key in answers)
    with pytest.raises(UnreadableInput):
        page.write_page(session, tmp_path / "other.html", " ")
    with pytest.raises(UsageError):
        page.write_page(session, tmp_path / "other.html", None)


def test_samples_of_a_file(tmp_path: Path):
    (tmp_path / "films.csv").write_bytes("text,label\ngood film,good\nbad caf\xe9,bad\n".encode("latin-1"))
    samples = open_samples(text_model().contract, tmp_path / "films.csv", reading=Reading("latin-1"))
    assert len(samples) == 2 and samples.read(1) == "bad caf\xe9" and samples.label(1) == "bad"


def test_the_network_stays_as_it_was(texts, shown):
    modules = list(texts.session.network.modules())
    assert not any(each._forward_hooks or each._forward_pre_hooks or each.training for each in modules)
    assert all(each.grad is None for each in texts.session.network.parameters())
