"""The explorer of recurrent networks of texts: every layer is shown over the words, and no sum is made up."""

from __future__ import annotations

import pytest
import torch
from explorer_client import Client
from explorer_models import text_model

from neocog.web.session import Session

TEXT = "the good film the bad film"


@pytest.mark.parametrize("name", ["elman_text", "lstm_text", "gru_text"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_every_layer_is_shown_and_no_sum_is_made_up(name, bidirectional):
    client = Client(Session(text_model(name=name, bidirectional=bidirectional)))
    nodes = client.get("/api/network")["nodes"]
    told = client.post("/api/text", json={"text": TEXT})
    forms = {}
    for node in nodes:
        asked = {"picture": told["picture"], "node": node["id"]}
        client.get("/api/maps", **asked)
        forms[node["name"] or node["kind"]] = client.get("/api/arithmetic", **asked, channel=0)["kind"]
        client.get("/api/links", **asked, channel=0)
    assert (forms["words"], forms["recurrent.onward"], forms["head"]) == ("lookup", "other", "dense")
    own = {node["name"]: (node["role"], node["shape"]) for node in nodes}
    assert own["recurrent.onward"] == ("other", [128, 16])
    if bidirectional:
        assert own["recurrent.turn"][1] == [6, 16] and own["recurrent.turn_again"][1] == [128, 16]
    (said,) = client.session.model.predict(TEXT, top=3)
    shown = [row["probability"] for row in told["prediction"]]
    assert shown == pytest.approx(said.probabilities, abs=1e-6)
    assert torch.isfinite(torch.tensor(shown)).all()
