"""What is worth a look, on its way to a browser."""

import json

import numpy as np
import pytest

from explorer.errors import ExplorerError
from explorer.instrument.wire import striking as blocks
from explorer.instrument.wire.container import read
from explorer.instrument.wire.request import Request
from explorer.instrument.wire.trace import answers_to, pack
from tests.unit.test_striking import PAIR, planted, trace_of


def told(payload, kind="striking"):
    header, found = read(payload)
    return header["striking"], next((a for a, _ in found if a["kind"] == kind), None)


@pytest.fixture
def trace():
    return trace_of(planted(PAIR), PAIR)


def ask(trace, **wish):
    return answers_to(trace, Request("x", **wish), lambda page: "")


def test_a_short_text_brings_what_is_worth_a_look_with_its_first_payload(trace):
    said, block = told(pack(trace, trace_id="x", striking=True))
    assert said == "here"
    assert block["silence"] is None
    assert {"previous", "pair", "sink", "words again"} <= {f["kind"] for f in block["findings"]}
    names = {"kind", "layer", "head", "queries", "keys", "number", "baselines", "n_heads"}
    assert all(set(finding) == names for finding in block["findings"])


def test_a_longer_text_is_looked_through_when_it_is_asked_for_once_and_then_it_is_kept(
    trace, monkeypatch
):
    monkeypatch.setattr(blocks, "QUICK", 100)
    assert told(pack(trace, trace_id="x", striking=True)) == ("ask", None)
    ((about, numbers),) = ask(trace, striking=True)
    assert (about["kind"], numbers.size) == ("striking", 0)
    monkeypatch.setattr(blocks, "striking", None)
    said, block = told(pack(trace, trace_id="x", striking=True))
    assert said == "here"
    assert json.dumps(block["findings"]) == json.dumps(about["findings"])


def test_a_page_without_room_for_it_is_told_nothing(trace):
    assert told(pack(trace, trace_id="x")) == (None, None)


def test_heads_are_switched_off_layer_by_layer_and_the_last_layer_brings_the_finding(trace):
    asked = []

    def effects(number):
        asked.append(number)
        return np.array([0.0, -0.1 * number, 0.0, 0.0, 0.0, 0.0])

    for number in trace.numbers:
        (block,) = answers_to(trace, Request("x", effects=number), lambda page: "", effects=effects)
        assert block[0]["done"] == [*range(number + 1)]
    answers_to(trace, Request("x", effects=3), lambda page: "", effects=effects)
    assert asked == [0, 1, 2, 3], "each once"
    finding = block[0]["finding"]
    assert (finding["kind"], finding["layer"], finding["head"]) == ("off", 3, 1)
    assert finding["number"] == pytest.approx(-0.3)
    again = told(pack(trace, trace_id="x", striking=True), "effects")[1]["finding"]
    assert again == json.loads(json.dumps(finding))


def test_a_layer_that_there_is_not_is_not_asked_for_and_a_refusal_is_said(trace):
    def refuses(number):
        raise ExplorerError("No head of this model can be switched off.")

    (block,) = answers_to(trace, Request("x", effects=9), lambda page: "", effects=refuses)
    assert (block[0]["done"], block[0]["reason"]) == ([], "")
    (block,) = answers_to(trace, Request("x", effects=0), lambda page: "", effects=refuses)
    assert block[0]["reason"] == "No head of this model can be switched off."
    assert answers_to(trace, Request("x", effects=0), lambda page: "") == []
