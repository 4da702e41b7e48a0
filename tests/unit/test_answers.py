"""Whatever a browser may want is work with a name of its own, for the scheduler."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData, ScriptRequests

from explorer.errors import ExplorerError
from explorer.instrument.wire.request import Group, Head, Page, Request
from explorer.instrument.wire.trace import Block
from explorer.run import Run
from explorer.source import Embedded, Scratch
from explorer.sources import trace_run
from explorer.sources.loading import load_model
from explorer.sources.progress import silent
from explorer.ui import answers
from explorer.ui.scheduler import Scheduler

REQUESTS = [
    Request("x", 0, Group("g", ((0,),), ((1, 2),), True, True, False)),
    Request("x", 0, means=True),
    Request("x", 0, page=Page(7, (0,), {"layer": "0", "words": "1"})),
]


@pytest.fixture
def page(monkeypatch):
    """A page's session, and a scheduler of its own."""

    class State(dict):
        __getattr__ = dict.__getitem__

    state, own = State(reader="someone/page"), Scheduler()
    monkeypatch.setattr(answers.st, "session_state", state)
    monkeypatch.setattr(answers, "scheduler", lambda: own)
    return state


@pytest.mark.parametrize("asked", REQUESTS, ids=["group", "means", "page"])
def test_every_wish_is_answered_through_the_scheduler(page, make_trace, asked):
    (found,) = answers.answers("one", make_trace(), "x", asked, Head(), lambda page, report: "<p>")
    about: Block = found[0]
    assert about["kind"] in ("group", "means", "page")


def test_an_answer_is_made_once_and_a_file_anew(page, make_trace):
    trace, made = make_trace(), []

    def file(page, report):
        made.append(page)
        return "<p>"

    for asked in (REQUESTS[0], REQUESTS[0], REQUESTS[2], REQUESTS[2]):
        first = answers.answers("one", trace, "x", asked, Head(), file)
        again = answers.answers("one", trace, "x", asked, Head(), file)
        assert (first is again) == (asked.page is None)
    assert len(made) == 4


def test_each_head_of_a_layer_is_switched_off_and_the_text_s_vector_compared_with_itself(page):
    run = Run("The cat sat on the mat.")
    trace = trace_run(run)
    asked = Request("x", 0, effects=1)
    ((about, _),) = answers.answers("one", trace, "x", asked, Head(), run=run)
    assert (about["done"], about["measure"], about["finding"]) == ([1], "text", None)
    found = answers.effects_of(run, trace, lambda doing, share: None, 1)
    model = load_model(Embedded(), silent)
    whole, off = (_vector(model, run.texts[0], heads) for heads in ((), ((1, 3),)))
    cosine = whole @ off / np.linalg.norm(whole) / np.linalg.norm(off)
    # One float32 forward pass against another, batched in another way: 1e-6 of each number.
    assert found[3] == pytest.approx(cosine - 1, abs=1e-6)


def test_of_two_texts_it_is_how_much_shorter_the_first_vector_is_along_its_direction(page):
    run = Run("Who wrote it?", "Ada Lovelace did.")
    found = answers.effects_of(run, trace_run(run), lambda doing, share: None, 1)
    model = load_model(Embedded(), silent)
    whole, off = (_out(model, run.texts, heads)[0] for heads in ((), ((1, 3),)))
    # One float32 forward pass against another, batched in another way: 1e-6 of each number.
    assert found[3] == pytest.approx(off @ whole / (whole @ whole) - 1, abs=1e-6)


def _vector(model, text, off):
    """The mean output vector with some heads off."""
    return _out(model, (text,), off).mean(0)


def _out(model, texts, off):
    """The output vectors with the parts of some heads of the joined outputs set to zero."""
    hooks = []
    for layer, head in off:
        joined = model.network.encoder.layer[layer].attention.output.dense

        def without(_, inputs, at=head):
            values = inputs[0].clone()
            values[..., 32 * at : 32 * (at + 1)] = 0  # MiniLM's heads are 32 wide
            return (values, *inputs[1:])

        hooks.append(joined.register_forward_pre_hook(without))
    with torch.inference_mode():
        out = model.network(**model.tokenizer(*texts, return_tensors="pt"))
    for hook in hooks:
        hook.remove()
    return out.last_hidden_state[0].double().numpy()


def test_where_no_head_can_be_switched_off_the_reason_is_told(page):
    run = Run("The cat sat on the mat.", source=Scratch())
    asked = Request("x", 0, effects=0)
    ((about, _),) = answers.answers("one", trace_run(run), "x", asked, Head(), run=run)
    assert about["reason"].startswith("The from-scratch layer predicts nothing")
    long = Run("word " * 401)
    asked = Request("y", 0, effects=0)
    ((about, _),) = answers.answers("one", trace_run(long), "y", asked, Head(), run=long)
    assert "texts of up to 2,000 characters; this one has 2,005" in about["reason"]


def test_what_is_wanted_of_another_trace_is_left_out(page, make_trace):
    assert answers.answers("one", make_trace(), "y", REQUESTS[1], Head(), lambda *_: "") == ()


def test_of_a_long_text_the_head_in_sight_comes_before_anything_is_asked(page, make_trace):
    found = answers.answers("one", make_trace(2, 3, 800), "x", None, Head(9, 9))
    heads = {(about["layer"], about["head"]) for about, _ in found if "layer" in about}
    assert heads == {(1, 2)}, "the nearest there is"
    assert {about["kind"] for about, _ in found} == {
        *("head", "summary", "thumbs", "ordinary_thumbs")
    }
    assert answers.answers("one", make_trace(2, 3, 8), "x", None, Head()) == ()


def test_a_file_is_of_its_own_view_and_a_refusal_is_said(page, monkeypatch):
    said = []
    monkeypatch.setattr(answers.messages, "trouble", lambda sentence, place: said.append(sentence))

    def refuse(report):
        raise ExplorerError("It does not fit.")

    assert answers.file({"layer": "1"}, lambda report: "one") == "one"
    assert answers.file({"layer": "2"}, lambda report: "two") == "two"
    assert answers.file({"layer": "3"}, refuse) == answers.NO_FILE
    assert said == ["It does not fit."]


def test_a_browser_that_waits_for_a_file_is_told_that_it_does_not_come(
    page, make_trace, monkeypatch
):
    monkeypatch.setattr(answers.messages, "trouble", lambda sentence, place: None)

    def refuse(page, report):
        raise ExplorerError("It does not fit.")

    asked = Request("x", 0, page=Page(7, (0,)))
    ((about, none),) = answers.answers("one", make_trace(), "x", asked, Head(), refuse)
    assert (about["kind"], about["ticket"]) == ("page", 7)
    assert bytes(none) == answers.NO_FILE.encode()


def test_what_is_asked_meanwhile_ends_the_wait_and_the_work(page, make_trace, monkeypatch):
    monkeypatch.setattr(answers.state, "is_asked_again", lambda: True)
    ended = threading.Event()

    def slowly(trace, request, page_of, report, *makers):
        try:
            while True:
                report("Reading a head", None)
        finally:
            ended.set()

    monkeypatch.setattr(answers, "answers_to", slowly)
    asked = Request("x", 0, means=True)
    assert answers.answers("one", make_trace(), "x", asked, Head()) == ()
    assert ended.wait(10), "the work ended too"


def test_a_file_is_made_to_its_end_whatever_is_asked_meanwhile(page, make_trace, monkeypatch):
    monkeypatch.setattr(answers.state, "is_asked_again", lambda: True)
    monkeypatch.setattr(answers, "to_html", lambda *_, **__: threading.Event().wait(0.2) or "<p>")
    asked = Request("x", 0, page=Page(7, (0,)))
    ((about, _),) = answers.answers("one", make_trace(), "x", asked, Head())
    assert about["kind"] == "page"


@pytest.mark.parametrize(("waiting", "again"), [("mine", True), ("another", False), (None, False)])
def test_a_page_sees_what_streamlit_keeps_until_its_part_has_run(monkeypatch, waiting, again):
    context = SimpleNamespace(script_requests=ScriptRequests(), fragment_ids_this_run=["mine"])
    if waiting:
        context.script_requests.request_rerun(RerunData(fragment_id=waiting))
    monkeypatch.setattr(answers.state, "get_script_run_ctx", lambda: context)
    assert answers.state.is_asked_again() is again
