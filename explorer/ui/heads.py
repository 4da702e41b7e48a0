"""The page “Heads”: every head profiled, placed, ranked, and found by what it does."""

import streamlit as st

from explorer.analysis.survey import Survey
from explorer.instrument import component
from explorer.instrument.component import heard
from explorer.instrument.wire.heads import Pair, pack_heads
from explorer.instrument.wire.request import Head, head_of, pairs_of
from explorer.limits import MAX_LINES
from explorer.run import Run
from explorer.ui import background, controls, place, state
from explorer.ui.scheduler import scheduler
from explorer.ui.show import name_of
from explorer.ui.work import Finding, Surveying


def ask() -> None:
    """The inputs, and whether each line is a text of its own."""
    session = st.session_state
    if "by_line" not in session:
        session.by_line = st.query_params.get("lines") == "1"
        session.survey_id, session.pairs, session.head_to_explore = None, (), None
    controls.ask()
    st.toggle(
        "Every line is a text of its own",
        key="by_line",
        persist_state="session",
        help=f"Up to {MAX_LINES} lines: every number is then a mean over them, ± its spread.",
    )


def result() -> None:
    """Draw the survey of what is wanted, or the last one."""
    session = st.session_state
    run: Run | None = session.wanted or session.shown
    found = background.outcome("heads", run and Surveying(run, session.by_line))
    if found:
        surveying, survey = found
        state.write_address()
        _heads(surveying, survey)
    scheduler().warm_up()


@st.fragment
def _heads(surveying: Surveying, survey: Survey) -> None:
    session = st.session_state
    if session.head_to_explore:
        view, session.head_to_explore = session.head_to_explore, None
        st.switch_page("pages/explore.py", query_params=view)
    run, survey_id = surveying.run, name_of(surveying)
    if session.survey_id != survey_id:  # what was pointed at belongs to the last texts
        session.survey_id, session.pairs = survey_id, ()
    pairs: tuple[Pair, ...] = tuple(p for p in session.pairs if _is_in(survey, p))
    found = background.aside("finding", Finding(surveying, pairs) if pairs else None)
    payload = pack_heads(
        survey,
        survey_id=survey_id,
        link=_link(surveying),
        pairs=pairs,
        found=found,
    )

    def on_pairs(wanted: tuple[tuple[int, ...], ...]) -> None:
        session.pairs = tuple((p[0], p[1], p[2]) for p in wanted)

    def on_explore(head: Head) -> None:
        place.look(layer=head.layer, heads=(head.head,))
        text = surveying.runs[pairs[-1][0] if pairs else 0]
        session.next_run = text if text != run else None
        view = {"layer": str(head.layer), "heads": str(head.head)}
        session.head_to_explore = (text.to_query() if text.fits_link() else {}) | view

    component.show(
        "heads",
        payload,
        key="heads_view",
        request=heard(pairs_of, on_pairs),
        explore=heard(head_of, on_explore),
    )


def _link(surveying: Surveying) -> dict[str, str] | None:
    if not surveying.run.fits_link():
        return None
    lines = {"lines": "1"} if surveying.by_line else {}
    return surveying.run.to_query() | lines


def _is_in(survey: Survey, pair: Pair) -> bool:
    text, *places = pair
    return text < survey.n_texts and max(places) < len(survey.texts[text])
