"""What a walk between the pages and a click on a token leave of a run."""

from dataclasses import replace

import pytest

from explorer.edits import NO_EDITS, Edits
from explorer.place import Place
from explorer.run import Run
from explorer.source import Scratch, Stories
from explorer.ui import state, writing

RUN = Run("Mia has a cat. It sleeps.", source=Stories())
CHANGED = replace(RUN, edits=Edits(off=((1, 0),)))


class Session(dict):
    __getattr__, __setattr__ = dict.__getitem__, dict.__setitem__


@pytest.fixture
def session(monkeypatch):
    own = Session(shown=CHANGED, wanted=None, place=Place(CHANGED, queries=(2,)), page="Explore")
    monkeypatch.setattr(state.st, "session_state", own)
    monkeypatch.setattr(state, "went_through_history", lambda: False)
    return own


def test_changes_of_attention_are_put_aside_on_a_page_without_and_there_again_after(session):
    for page in state.AS_IT_IS:
        state.on_page(page)
        assert state.as_it_is()
        assert session.shown == replace(CHANGED, edits=NO_EDITS)
        assert session.place == Place(session.shown, queries=(2,))
    state.on_page("Explore")
    assert session.wanted == CHANGED
    assert session.place == Place(CHANGED, queries=(2,))
    assert session.changed is None


def test_changes_of_another_text_are_not_made_in_this_one(session):
    state.on_page("Step by step")
    assert state.as_it_is()
    session.shown = Run("Tom sings.", source=Stories())
    assert not state.as_it_is()
    state.on_page("Explore")
    assert session.wanted is None


def test_what_was_never_changed_is_not_said_to_be(session):
    session.shown = RUN
    assert not state.as_it_is()


def test_what_a_click_left_out_is_told_as_long_as_what_came_of_it_is_shown(session):
    after = replace(RUN, text="Mia has", written=(7,))
    session.writing = writing.OnThePage(left=writing.LeftOut("a cat.", Place(RUN), after))
    for shown in (after, replace(after, written=(7, 8))):
        session.shown = shown
        assert writing.was_left()
    for shown in (None, RUN, replace(after, written=(8,))):
        session.shown = shown
        assert writing.was_left() is None


def test_the_words_behind_a_position_are_what_a_click_there_leaves_out(make_trace):
    trace = make_trace()
    text, spans = trace.texts[-1], [t.span for t in trace.query_tokens]
    at = next(i for i, span in enumerate(spans) if span)
    assert writing.left_out(trace, at) == text[spans[at][1] :].strip()


def test_a_clicked_token_is_looked_at_when_it_is_there(session, make_trace):
    trace = make_trace()
    session.writing = writing.OnThePage(clicked=RUN)
    writing.pin_clicked(RUN, trace)
    assert session.place.queries == (len(trace.query_tokens) - 1,)
    assert session.place.run == RUN
    before = session.place = Place(RUN)
    writing.pin_clicked(RUN, trace)  # asked for anew, by nobody's click
    assert session.place == before


def test_compare_sets_changed_attention_beside_the_model_as_it_is():
    assert state.opposite(CHANGED) == RUN


def test_what_a_decoder_wrote_is_not_asked_of_a_layer_that_writes_nothing():
    other = state.opposite(replace(RUN, written=(5, 6)))
    assert (other.text, other.written, other.source) == (RUN.text, (), Scratch())
