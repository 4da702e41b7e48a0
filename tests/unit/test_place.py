"""The place when a run changes: the pin stays where it is, or goes to the same word."""

import re
from dataclasses import replace

import numpy as np
import pytest

from explorer.edits import Edits
from explorer.layers import GivenWeights
from explorer.place import Place
from explorer.run import Run
from explorer.trace import AttentionTrace, ModelInfo, Token

RED = Run("My red ball . His red ball .")  # the second ball is token 7, the second red token 6
SECOND = Place(RED, 0, (0,), (7,), (6,), ("ball", "red"))


def traced(text):
    """A trace whose tokens are a mark and the words of a text."""
    spans = [found.span() for found in re.finditer(r"\S+", text)]
    words = [Token(text[a:b], (a, b), i, 0, special=False) for i, (a, b) in enumerate(spans)]
    tokens = (Token("<s>", None, None, 0, special=True), *words)
    weights = np.tril(np.ones((1, len(tokens), len(tokens)), np.float32))
    weights /= weights.sum(axis=-1, keepdims=True)
    info = ModelInfo("m", None, 1, 1, 4, 99)
    return AttentionTrace(info, (text,), tokens, tokens, (GivenWeights(0, weights),))


@pytest.mark.parametrize(
    "edits",
    [
        Edits(off=((0, 0),)),
        Edits(even=((0, 0),)),
        Edits(silent=((0, 0),)),
        Edits(cut=(2,)),
        Edits(edges=((0, 0, 7, 6),)),
    ],
)
def test_an_edit_leaves_the_pin_where_it_is_and_so_does_its_way_back(edits):
    trace, edited = traced(RED.text), replace(RED, edits=edits)
    there = SECOND.in_trace(edited, trace)
    assert there == replace(SECOND, run=edited)
    assert there.in_trace(RED, trace) == SECOND
    for pinned in ({"queries": ()}, {"keys": ()}, {"queries": (0, 7)}):  # one side, or a mark too
        one = replace(SECOND, **pinned).in_trace(RED, trace)
        assert one.in_trace(edited, trace) == replace(one, run=edited)


def test_a_written_word_leaves_the_pin_where_it_is_and_so_does_another_in_its_place():
    longer, text = replace(RED, written=(3,)), RED.text + " My red ball"
    there = SECOND.in_trace(longer, traced(text))
    assert there == replace(SECOND, run=longer)
    assert there.in_trace(replace(RED, written=(4, 5)), traced(text)).queries == (7,)


def test_a_pin_on_a_written_word_that_is_gone_is_on_the_same_word_elsewhere():
    longer = replace(RED, written=(3,))
    gone = Place(longer, 0, (0,), (9,), (6,), ("ball", "red")).in_trace(RED, traced(RED.text))
    assert (gone.queries, gone.keys) == ((3,), (6,))


def test_in_another_text_the_same_word_at_the_same_position_comes_first():
    for text in ("My red ball . His red ball fell", "A red ball or a red ball ."):
        there = SECOND.in_trace(Run(text), traced(text))
        assert (there.queries, there.keys) == ((7,), (6,)), text
    text = "ball red . ball red . ball red"
    there = SECOND.in_trace(Run(text), traced(text))
    assert (there.queries, there.keys) == ((7,), (2,))
    text = "One ball is red and one ball is red"
    there = SECOND.in_trace(Run(text), traced(text))
    assert there.words == ("ball", "red")
    assert (there.queries, there.keys) == ((7,), (4,))
