"""The levels of a text cut it into groups that a reader would call its sentences and so on."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.analysis.levels import (
    LEVELS,
    MOST_GROUPS,
    TURN_MARKS,
    fitting_levels,
    levels_of,
    map_levels,
    stretches_of,
)
from explorer.trace import Token

MARKS = ("[CLS]", "[SEP]", *sorted(TURN_MARKS)[:3])
PIECE = re.compile("|".join(map(re.escape, MARKS)) + r"|\r\n|\n|\w+|[^\w\s]| ")


def tokens_of(*texts):
    """Words, signs, spaces and line breaks, each a token; marks are special and have no span."""
    found = []
    for segment, text in enumerate(texts):
        for word, match in enumerate(PIECE.finditer(text)):
            special = match[0] in MARKS
            span = None if special else match.span()
            own = None if special else word + 1000 * segment
            found.append(Token(match[0], span, own, segment, special))
    return found


def groups(text, level, *more):
    """The texts of a level's groups, without what a reader does not see at their ends."""
    tokens = tokens_of(text, *more)
    starts = levels_of(tokens, (text, *more))[level]
    ends = [*starts[1:], len(tokens)]
    return [
        "".join(t.text for t in tokens[a:b]).strip(" ⏎␍") for a, b in zip(starts, ends, strict=True)
    ]


def test_a_sentence_ends_with_its_stop_and_a_number_is_none():
    text = "[CLS]Pi is 3.14 here. It is! 猫坐。狗跑。[SEP]"
    found = groups(text, "sentence")
    assert found == ["[CLS]", "Pi is 3.14 here.", "It is!", "猫坐。", "狗跑。", "[SEP]"]


def test_a_sentence_ends_where_its_paragraph_does():
    text = "A title\n\nOne here. Two here\n\nThree"
    assert groups(text, "sentence") == ["A title", "One here.", "Two here", "Three"]
    assert groups(text, "paragraph") == ["A title", "One here. Two here", "Three"]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_line_breaks_part_paragraphs_only_where_no_blank_line_does(newline):
    lines = newline.join(["one two", "three four", "five six"])
    assert groups(lines, "sentence") == ["one two", "three four", "five six"]
    blank = f"{lines}{newline} {newline}seven eight{newline}"
    assert len(groups(blank, "sentence")) == 2


def test_a_turn_goes_from_one_mark_of_a_chat_to_the_next():
    mark = MARKS[2]
    text = f"{mark}user says a. And b.{mark}model says c.\n\nThen d.{mark}user ends"
    assert groups(text, "turn") == [
        *(mark, "user says a. And b.", mark, "model says c.⏎⏎Then d.", mark, "user ends")
    ]
    assert "turn" not in levels_of(tokens_of("a b. c d."), ("a b. c d.",))


def test_the_second_text_begins_a_paragraph():
    assert groups("one two", "sentence", "three four") == ["one two", "three four"]


def test_what_says_nothing_new_is_left_out():
    assert levels_of(tokens_of("just one sentence of words"), ("just one sentence of words",)) == {}
    assert levels_of(tokens_of("a. b. c."), ("a. b. c.",)).keys() == {"sentence"}
    assert levels_of([Token("p", None, None, 0, False)] * 9, ()) == {}
    assert levels_of([], ()) == {}


texts = st.lists(
    st.sampled_from(["one", "two ", ". ", ".", "\n", "\n\n", " ", "3.14", "。", *MARKS]),
    max_size=60,
).map("".join)


@given(texts, texts)
def test_starts_ascend_cover_the_text_and_leave_special_tokens_alone(one, two):
    tokens = tokens_of(one, two)
    found = levels_of(tokens, (one, two))
    size, outer = len(tokens), None
    for name in sorted(found, key=LEVELS.index):
        starts = found[name]
        check(tokens, starts)
        assert sum(not tokens[s].special for s in starts) >= 2
        assert len(starts) < size, "each level is coarser than the one before"
        assert outer is None or set(starts) <= set(outer), "and its groups are made of those"
        size, outer = len(starts), starts


def check(tokens, starts):
    assert starts[0] == 0
    assert all(a < b for a, b in pairwise(starts))
    assert starts[-1] < len(tokens)
    for i, token in enumerate(tokens):
        if token.special:
            assert i in starts
            assert i + 1 in (*starts, len(tokens))


@given(st.lists(st.booleans(), min_size=1, max_size=200), st.integers(2, 40))
def test_stretches_are_as_many_as_there_is_room_for(specials, most):
    tokens = [Token("x", (i, i + 1), i, 0, special) for i, special in enumerate(specials)]
    starts = stretches_of(tokens, most)
    assert len(starts) <= most
    if 2 * sum(specials) + 1 <= most:
        check(tokens, starts)


def test_the_map_of_a_long_text_has_the_finest_level_that_there_is_room_for():
    few = "a b. " * 400 + "\n\n" + "c d. " * 100
    many = "a b. " * 600 + "\n\n" + "c d. " * 100
    plain = "word " * 5000
    own, keys, level = map_levels(tokens_of(few), None, (few,), True)
    assert (level, keys, "stretch" in own) == ("sentence", None, False)
    own, _, level = map_levels(tokens_of(many), None, (many,), True)
    assert (level, len(own["sentence"])) == ("paragraph", 700)
    assert fitting_levels(own, None) == ["paragraph"]
    own, keys, level = map_levels(tokens_of(few), tokens_of("", plain), (few, plain), True)
    assert level == "stretch"
    assert len(keys["stretch"]) <= MOST_GROUPS
    assert map_levels(tokens_of(few), None, (few,), False)[2] is None, "a short one shows words"
