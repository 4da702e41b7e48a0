"""What comes next, who wrote it and what is changed, on their way between browser and server."""

import numpy as np
import pytest

from explorer.edits import Edits
from explorer.errors import ExplorerError
from explorer.instrument.wire.container import read, write
from explorer.instrument.wire.lens import lens_blocks, why_blocks
from explorer.instrument.wire.next import may_predict, next_blocks
from explorer.instrument.wire.request import Draw, Lens, Request, Written
from explorer.layers import GivenWeights
from explorer.prediction import Predictions
from explorer.residual import AtPosition, EdgeVectors, LensMap, LensRow, Part
from explorer.trace import AttentionTrace, ModelInfo, Token

N = 3
TOKENS = tuple(Token(f"t{i}", (2 * i, 2 * i + 2), i, 0, False) for i in range(N))
ASKED = {"trace": "x", "layer": 0}


def trace_of(weights, part=None):
    info = ModelInfo("m", None, 1, 1, 4, 8, part=part)
    return AttentionTrace(info, ("t0t1t2",), TOKENS, TOKENS, (GivenWeights(0, weights[None]),))


def told(was=None):
    ids = np.array([[7, 8]], np.int32)
    logs = np.log(np.array([[0.5, 0.25]], np.float32))
    real, ranks = np.array([np.nan], np.float32), np.array([-1], np.int32)
    return Predictions(2, 2, ids, logs, real, ranks, was, {7: "a", 8: "b"}, 9, (0,), 5)


def sent(blocks):
    return {about.get("part", about["kind"]): (about, data) for about, data in blocks}


def test_only_a_text_that_is_read_forwards_is_gone_on_with():
    forwards = np.tril(np.ones((N, N), np.float32))
    forwards /= forwards.sum(-1, keepdims=True)
    both = np.full((N, N), 1 / N, np.float32)
    assert may_predict(trace_of(forwards))
    assert not may_predict(trace_of(both))
    assert may_predict(trace_of(both, "decoder"))
    assert not may_predict(trace_of(forwards, "encoder"))


def test_what_comes_next_survives_the_way_to_the_browser():
    _, blocks = read(write({}, next_blocks(Draw(50, 5, 2), lambda draw: told())))
    found = sent(blocks)
    about, ids = found["ids"]
    assert ids.tolist() == [[7, 8]]
    assert (about["temperature"], about["top"], about["at"]) == (50, 5, 2)
    assert about["names"] == {"7": "a", "8": "b"}
    assert found["ranks"][1].tolist() == [-1]
    assert "was" not in found
    was = np.log(np.array([[0.1, 0.9]], np.float32))
    changed = sent(next_blocks(Draw(), lambda draw: told(was)))
    assert (changed["was"][1] == was).all()


def test_a_model_that_expects_nothing_says_why():
    def refused(draw):
        raise ExplorerError("It has no head.")

    ((about, _),) = next_blocks(Draw(), refused)
    assert about["reason"] == "It has no head."
    ((about, _),) = lens_blocks(Lens(0), lambda wish: refused(None))
    assert about["reason"] == "It has no head."


def test_the_lens_and_the_parts_of_a_logit_survive_the_way_and_sum_to_it():
    numbers, chances = (-1, 0), np.array([[0.25], [0.5]])
    whole = LensMap(numbers, (2,), np.zeros((2, 1), int), chances, (("x",), ("y",)), None, chances)
    row = LensRow(numbers, np.zeros((2, 1), int), chances, (("x",), ("y",)), 7, chances[:, 0], None)
    vectors, direction = np.array([[1.0, 0], [0, 2]]), np.array([[1.0, 3]])
    parts = (Part("token"), Part("head", 0, 1))
    bias, logit = np.array([0.5]), np.array([7.5])
    added = AtPosition(2, parts, vectors, vectors.sum(0), None, (7,), direction, bias, logit, logit)
    found = sent(lens_blocks(Lens(2), lambda wish: (whole, row, added, ("y",))))
    about, lens = found["lens"]
    assert lens.shape == (2, 2, 1)
    assert (about["positions"], about["names"]) == ([2], ("y",))
    about, values = found["wrote"]
    assert [part["name"] for part in about["parts"]] == ["token embedding", "L0·H1"]
    assert values.sum() + about["constant"] + about["rest"] == about["logit"] == 7.5


@pytest.mark.parametrize("draw", [{}, {"temperature": -1}, {"temperature": 1.5, "top": 0, "at": 0}])
def test_a_way_to_draw_that_cannot_be_is_none(draw):
    assert Request.of(ASKED | {"next": draw}).next is None
    assert Written.of({"act": "write"} | draw) is None


def test_what_a_reader_wants_written_is_checked():
    assert Written.of({"act": "append", "at": 3, "token": 7}) == Written("append", 3, 7)
    assert Written.of({"act": "append", "at": 3, "token": -7}) is None
    assert Written.of({"act": "append", "at": True, "token": 7}) is None
    assert Written.of({"act": "stop"}) == Written("stop")
    edits = Edits(off=((3, 1),), cut=(4,))
    assert Written.of({"act": "edit", "edits": edits.in_link()}) == Written("edit", edits=edits)
    assert Written.of({"act": "edit", "edits": "<b>"}) is None
    assert Written.of("edit") is None


def test_the_edits_of_a_link_are_those_that_it_was_made_of():
    edits = Edits(((0, 1),), ((2, 3),), ((1, 1),), (4, 5, 6, 9), ((None, None, 3, 1), (1, 2, 3, 0)))
    assert Edits.of_link(edits.in_link()) == edits
    assert edits.in_words()[:2] == ["L0·H1 is off", "L2·H3 looks evenly"]
    assert len(edits.in_words()) == 9


def test_the_score_of_an_edge_is_told_part_by_part_and_they_sum_to_it():
    q, k = np.array([[1.0, 0], [0, 2]]), np.array([[3.0, 1]])
    parts = (Part("token"), Part("head", 0, 1))
    edge = EdgeVectors(parts, (Part("mlp", 0),), q, k, 0.5, 2.5, 2.5, None)
    ((about, values),) = why_blocks((1, 0, 4, 2), lambda asked: edge)
    assert [part["side"] for part in about["parts"]] == ["query", "query", "key"]
    assert values.tolist() == [1.5, 1.0, 2.5]
    assert values[:2].sum() + about["rest"] == about["score"] == 2.5
    assert about["pairs"][0] == ["token embedding", "MLP of layer 0", 1.5]


@pytest.mark.parametrize("edge", [None, [1, 2, 3], [1, 2, 3, -1], "1234", [1, 2, 3, 4.0]])
def test_an_edge_that_cannot_be_is_not_taken_apart(edge):
    assert Request.of(ASKED | {"why": edge}).why is None
    assert Request.of(ASKED | {"why": [2, 1, 4, 3]}).why == (2, 1, 4, 3)
