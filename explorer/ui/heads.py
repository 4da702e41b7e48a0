"""The page “Heads”: every head profiled, placed, ranked, and found by what it does."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import streamlit as st

from explorer import export
from explorer.analysis.finder import Found
from explorer.analysis.groups import word_of
from explorer.analysis.survey import Survey
from explorer.code import python_of_survey
from explorer.instrument import component
from explorer.instrument.component import heard
from explorer.instrument.wire.about import About, file_name
from explorer.instrument.wire.heads import Pair, pack_heads, pack_waiting
from explorer.instrument.wire.repeats import Retold, may_repeat
from explorer.instrument.wire.request import Head, pairs_of, shown_of, survey_file_of
from explorer.instrument.wire.trace import Report
from explorer.limits import MAX_LINES
from explorer.run import Run
from explorer.source import Trained
from explorer.trace import AttentionTrace
from explorer.ui import background, controls, offer, place, state, uploads
from explorer.ui.answers import file, offer_npz
from explorer.ui.scheduler import scheduler
from explorer.ui.show import about_of, name_of
from explorer.ui.speaking import t
from explorer.ui.work import Finding, Recurring, Repeating, Surveying
from explorer.ui.writing import can_write

_REPEATS = ("repeats", "own_repeats")  # what is asked for of them, by name


def ask() -> None:
    """The inputs, and whether each line is a text of its own."""
    session = st.session_state
    if "by_line" not in session:
        session.by_line = st.query_params.get("lines") == "1"
        session.survey_id, session.pairs, session.batch = None, (), None
        session.wants_lines = False
    controls.ask(more=_ask_for_lines)


def _ask_for_lines() -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="by_lines"):
        st.toggle(
            t("Every line is a text of its own"),
            key="by_line",
            persist_state="session",
            help=t(
                "Up to {max_lines} lines: every number is then a mean over them, ± its spread.",
                max_lines=MAX_LINES,
            ),
        )
        with st.popover(t("Texts from a file")):
            uploads.ask_for_lines(then=_read_lines)


def _read_lines() -> None:
    """A file of texts has come: each of its lines is one, and they are looked at."""
    st.session_state.by_line = True
    controls.run()


def result() -> None:
    """Draw the survey of what is wanted, or the last one."""
    session = st.session_state
    run: Run | None = session.wanted or session.shown
    found = background.outcome("heads", run and Surveying(run, session.by_line))
    shown = session.get("heads_shown")
    if found and not isinstance(found[1], Survey) and shown:  # the last one stays meanwhile
        found = shown, scheduler().wait(shown, f"{session.reader} heads shown")
    if found:
        surveying, survey = found
        state.write_address()
        _offer_batch(surveying)
        if isinstance(survey, Survey):
            if len(surveying.runs) == 1:
                offer.of_others((survey.example, surveying.run))
            _heads(surveying, survey)
        else:
            _waiting(surveying, survey)
    scheduler().warm_up()


def _waiting(surveying: Surveying, trace: AttentionTrace) -> None:
    """Whose heads are being read, before anything is known of them."""
    about, n_texts = about_of(trace, surveying.run), len(surveying.runs)
    if n_texts > 1:  # nobody knows yet how many tokens these are
        about = replace(about, n_texts=n_texts, n_tokens=0, notice="", notes=(), other=None)
    component.show("heads", pack_waiting(about), key="heads_view")


def _offer_batch(surveying: Surveying) -> None:
    """Of one text out of many that were looked at here, the way back to all of them."""
    session = st.session_state
    if surveying.by_line and len(surveying.runs) > 1:
        session.batch = surveying.run
    many: Run | None = session.batch
    lines = many.by_line() if many else []
    if many and many != surveying.run and surveying.run in lines:
        which = lines.index(surveying.run) + 1
        st.button(
            t(
                "This is text {which} of {lines}: back to all of them",
                which=which,
                lines=len(lines),
            ),
            key="batch",
            on_click=_show_batch,
            args=(many,),
        )


def _show_batch(many: Run) -> None:
    st.session_state.by_line = True
    state.fill_inputs(many)
    state.want(many)


@st.fragment
def _heads(surveying: Surveying, survey: Survey) -> None:
    session = st.session_state
    _leave()
    run, survey_id = surveying.run, name_of(surveying)
    if session.survey_id != survey_id:  # what was pointed at belongs to the last texts
        session.survey_id, session.pairs, session.repeats = survey_id, (), False
    pairs: tuple[Pair, ...] = tuple(p for p in session.pairs if _is_in(survey, p))
    found = background.aside("finding", Finding(surveying, pairs) if pairs else None)
    retold = _retold(surveying, survey)
    view, session.heads_file = session.get("heads_file"), None  # a file is handed out once
    about = _about(surveying, survey, pairs, retold)
    own = (pairs if found else (), found, retold)
    payload = pack_heads(
        survey,
        survey_id=survey_id,
        link=_link(surveying),
        pairs=pairs,
        found=found,
        about=about,
        given=_given(run, survey),
        place=place.here(),
        page=_page(survey, about, own, view),
        repeats=retold,
    )

    def on_pairs(wanted: tuple[tuple[int, ...], ...]) -> None:
        session.pairs = tuple((p[0], p[1], p[2]) for p in wanted)

    def on_explore(wanted: tuple[int, Head]) -> None:
        at, head = wanted
        _to_explore(surveying, survey, min(at, survey.n_texts - 1), head)

    def on_file(view: Mapping[str, str]) -> None:
        session.heads_file = view

    def on_repeats(_: object) -> None:
        session.repeats = True
        for key in _REPEATS:
            background.ask_again(key)

    component.show(
        "heads",
        payload,
        key="heads_view",
        request=heard(pairs_of, on_pairs),
        explore=heard(shown_of, on_explore),
        lines=lambda _: _want_lines(),
        repeats=on_repeats,
        sequence=heard(shown_of, lambda wanted: _to_sequence(retold, wanted[1])),
        page=heard(survey_file_of, on_file),
    )
    make = partial(export.survey_to_npz, survey, *own)
    told = retold and (id(retold.found), id(retold.own))
    offer_npz(file_name(about, "npz", "heads"), make, 2**24, id(survey), pairs, told)


def _page(
    survey: Survey,
    about: About,
    own: tuple[Sequence[Pair], Found | None, Retold | None],
    view: Mapping[str, str] | None,
) -> str:
    """All this as a file, if one is wanted; ``own`` is what was asked for beside the survey."""
    if view is None:
        return ""
    pairs, found, repeats = own

    def made(_: Report) -> str:
        return export.survey_to_html(
            survey, about=about, opening=view, pairs=pairs, found=found, repeats=repeats
        )

    return file(view, made)


def _retold(surveying: Surveying, survey: Survey) -> Retold | None:
    """What heads do on random tokens that are repeated, where a reader has asked for it.

    None where the page has no room for it: the model reads no text forwards.
    """
    run = surveying.runs[0]
    has_model = can_write(run) or isinstance(run.source, Trained)
    if run.picture or not has_model or not may_repeat(survey.example):
        return None
    if not st.session_state.repeats:
        return Retold()
    key, own_key = _REPEATS
    found, trouble = background.beside(key, Repeating(run.source))
    if found is None:
        return Retold("failed" if trouble else "busy", trouble)
    own, trouble = background.beside(own_key, Recurring(run))
    return Retold("told", trouble, found, own)


def _leave() -> None:
    """What was wanted of another part of the page, or of another page, which that part opens."""
    session = st.session_state
    if session.wants_lines or session.go_to:
        session.wants_lines = False
        st.rerun()


def _about(
    surveying: Surveying, survey: Survey, pairs: Sequence[Pair], retold: Retold | None
) -> About:
    """Whose survey it is; of several texts how many."""
    told = retold is not None and retold.state == "told"
    code = python_of_survey(surveying.runs, pairs, repeats=told)
    found = replace(about_of(survey.example, surveying.run), code=code)
    if survey.n_texts == 1:
        return found
    n_tokens = sum(map(len, survey.texts))
    of_all = replace(found, n_texts=survey.n_texts, n_tokens=n_tokens)
    return replace(of_all, notice="", notes=(), other=None)  # these are of the first text


def _given(run: Run, survey: Survey) -> Pair | None:
    """The words that are pinned on both sides, in the first text; the place is brought over."""
    if survey.n_texts == 1 or place.here().run != run:
        place.opening(run, survey.example)
    seen = place.here().in_trace(run, survey.example)
    return (0, seen.queries[0], seen.keys[0]) if seen.queries and seen.keys else None


def _to_explore(surveying: Surveying, survey: Survey, at: int, head: Head) -> None:
    """One of the texts shall be seen in Explore, with a head, and the words pointed at, whole."""
    session, text, tokens = st.session_state, surveying.runs[at], survey.texts[at]
    place.look(run=text, layer=head.layer, heads=(head.head,))
    ends = [p for p in (head.query, head.key) if p is not None and p < len(tokens)]
    if len(ends) == 2:
        queries, keys = (tuple(word_of(tokens, position)) for position in ends)
        place.look(queries=queries, keys=keys, words=("", ""))
    elif text != surveying.run:  # nothing is pinned in it yet
        place.look(queries=(), keys=(), words=("", ""))
    session.next_run = text if text != surveying.run else None
    place.go("explore")


def _to_sequence(retold: Retold | None, head: Head) -> None:
    """The first of the random sequences shall be seen in Explore, where a head may be induction.

    Pinned is a token in the middle of the second round, and the one that followed it in the first.
    """
    if retold is None or retold.found is None:
        return
    found = retold.found
    query = found.n_tokens - found.length // 2
    after = query - found.length + 1
    place.look(layer=head.layer, heads=(head.head,), run=found.run, words=("", ""))
    place.look(queries=(query,), keys=(after,))
    st.session_state.next_run = found.run
    place.go("explore")


def _want_lines() -> None:
    """Several sentences shall be given: each line is one."""
    st.session_state.by_line = st.session_state.wants_lines = True


def _link(surveying: Surveying) -> dict[str, str] | None:
    if not surveying.run.fits_link():
        return None
    lines = {"lines": "1"} if surveying.by_line else {}
    return surveying.run.to_query() | lines


def _is_in(survey: Survey, pair: Pair) -> bool:
    text, *places = pair
    return text < survey.n_texts and max(places) < len(survey.texts[text])
