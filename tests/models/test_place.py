"""The place that all pages look at: in a link, and in another text."""

from hypothesis import given
from hypothesis import strategies as st

import explorer
from explorer.instrument.wire.request import place_of
from explorer.place import Place, content_word
from explorer.positions import MOST_PINNED, read_tokens, write_tokens
from explorer.run import Run

positions = st.lists(st.integers(0, 99_999), max_size=40, unique=True).map(sorted).map(tuple)
heads = st.lists(st.integers(0, 9_999), min_size=1, max_size=8, unique=True).map(tuple)

CAT = Run("The cat sat on the mat because it was tired.")


def traced(text, second=None):
    run = Run(text, second)
    return run, explorer.trace(text, second)


@given(positions)
def test_positions_come_back_from_a_link(tokens):
    assert read_tokens(write_tokens(tokens)) == tokens


@given(st.text(alphabet="0123456789.-x ", max_size=60))
def test_whatever_a_link_says_of_positions_is_bounded(text):
    found = read_tokens(text)
    assert len(found) <= MOST_PINNED
    assert list(found) == sorted(set(found))


def test_a_link_that_names_all_positions_is_bounded_before_they_are_made():
    assert len(read_tokens("0-99999")) == MOST_PINNED
    assert len(read_tokens(".".join(["0-99999"] * 200))) <= MOST_PINNED


@given(st.integers(0, 999_999), heads, positions, positions)
def test_a_place_comes_back_from_its_link(layer, chosen, queries, keys):
    place = Place(CAT, layer, chosen, queries, keys)
    assert Place.from_query(place.to_query(), CAT) == place


@given(st.dictionaries(st.sampled_from(["layer", "heads", "query", "key"]), st.text(max_size=12)))
def test_a_link_that_says_nonsense_names_a_place_all_the_same(query):
    place = Place.from_query(query)
    assert place.heads
    assert place.layer >= 0


@given(st.recursive(st.none() | st.integers() | st.text(max_size=9), st.lists, max_leaves=9))
def test_what_a_page_sends_in_place_of_a_place_is_no_place(sent):
    told = place_of({"view": sent, "words": sent, "page": sent, "open": sent})
    assert told is None or told.place is None
    assert place_of(sent) is None


def test_the_words_that_a_page_sends_are_texts_of_a_bounded_length():
    for words in (["x" * 201, ""], ["x"], [1, 2], "ab", None):
        told = place_of({"view": {"layer": "1"}, "words": words})
        assert told.place.words == ("", "")
    sent = {"view": {"layer": "1", "query": "2"}, "words": ["it", ""], "page": "heads"}
    told = place_of(sent | {"open": {}, "from": "train"})
    assert (told.place.words, told.place.queries) == (("it", ""), (2,))
    assert (told.page, told.query, told.source, told.named) == ("heads", {}, "train", False)
    assert place_of(sent | {"named": True}).named
    assert [place_of(sent | {"written": w}).written for w in ("1.2", "", 3)] == ["1.2", "", None]


def test_the_pin_stays_on_the_same_word_in_another_text():
    place = Place(CAT, 3, (1,), (8,), (2,), ("it", "cat"))
    run, trace = traced("I saw it. My Cat did not.")
    there = place.in_trace(run, trace)
    words = [trace.tokens[i].text for i in (*there.queries, *there.keys)]
    assert words == ["it", "cat"]
    assert (there.layer, there.heads, there.words) == (3, (1,), ("it", "Cat"))


def test_the_pin_stays_on_every_piece_of_a_word():
    run, trace = traced("Ada Lovelace wrote it.")
    place = Place(CAT, 0, (0,), (1,), (), ("Lovelace", ""))
    pieces = [trace.tokens[i].text for i in place.in_trace(run, trace).queries]
    assert pieces == ["love", "##lace"]


def test_a_word_that_is_not_there_leaves_the_pin_on_a_word_of_content_never_on_a_mark():
    place = Place(CAT, 3, (1,), (0,), (0,), ("", ""))  # on [CLS], which is a word of no text
    run, trace = traced("A dog barks loudly!")
    there = place.in_trace(run, trace)
    assert [trace.tokens[i].text for i in there.queries] == ["loudly"]
    assert there.keys == ()


def test_where_nothing_is_pinned_another_text_pins_nothing():
    run, trace = traced("A dog barks loudly!")
    assert Place(CAT, 3, (1,)).in_trace(run, trace).queries == ()


def test_after_a_text_without_words_the_pin_comes_back():
    run, trace = traced("!?")
    without = Place(CAT, 3, (1,), (2,), (), ("cat", "")).in_trace(run, trace)
    assert (without.queries, without.in_trace(run, trace)) == ((), without)
    for text, word in (("My cat sleeps soundly.", "cat"), ("A dog barks loudly!", "loudly")):
        run, trace = traced(text)
        there = without.in_trace(run, trace)
        assert [trace.tokens[i].text for i in there.queries] == [word]


def test_a_smaller_model_is_looked_at_in_the_nearest_layer_and_in_a_head_that_it_has():
    run = Run(CAT.text, source=explorer.source.Scratch())
    trace = explorer.trace(CAT.text, source="scratch")
    there = Place(CAT, 5, (11, 3), (2,), (), ("cat", "")).in_trace(run, trace)
    assert (there.layer, there.heads) == (1, (3,))


def test_in_its_own_run_a_place_is_left_as_it_is_as_far_as_there_are_tokens():
    _, trace = traced(CAT.text)
    place = Place(CAT, 3, (1,), (8, 99), (2, 99))  # of a link, which names no words
    there = place.in_trace(CAT, trace)
    assert (there.queries, there.keys, there.words) == ((8,), (2,), ("it", "cat"))


def test_a_text_without_words_has_no_word_of_content():
    _, trace = traced("!?")
    assert content_word(trace) == ()
