"""The page “Article”: the lesson on the reader's own sentence, with every figure live in it."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import streamlit as st

from explorer import export, language
from explorer.errors import ExplorerError
from explorer.instrument import component
from explorer.instrument.component import heard
from explorer.instrument.wire.article import Facts, Whose, pack_article
from explorer.instrument.wire.notes import CHINESE, known_elsewhere, unknown_in_words
from explorer.instrument.wire.request import view_of
from explorer.language import spoken
from explorer.place import Place
from explorer.run import Run
from explorer.source import Embedded, Hub, Source, Stories, kind_of
from explorer.sources import EXAMPLES, stored_trace
from explorer.sources.catalogue import STORIES_NAMES
from explorer.trace import AttentionTrace
from explorer.ui import background, place, state
from explorer.ui.answers import file
from explorer.ui.facts import at_hand
from explorer.ui.prose import chapters
from explorer.ui.scheduler import scheduler
from explorer.ui.show import PATIENCE, about_of, name_of
from explorer.ui.speaking import say, t
from explorer.ui.work import Lecturing

LETTERS = 200  # of a text: a lesson is read on a sentence, and its figures have room for no more


def ask() -> None:
    """Draw the one input: a sentence of the reader's own."""
    session = st.session_state
    run, _ = lesson_run(session.wanted or session.shown)
    if session.get("lesson_of") != run:
        session.lesson_of, session.lesson_text = run, run.text
    with st.container(key="ask"):
        words, button = st.columns([5, 2], gap="medium", vertical_alignment="bottom")
        words.text_area(t("Your own sentence"), key="lesson_text", height=76)
        button.button(t("Run"), key="run", type="primary", width="stretch", on_click=_run)


def _run() -> None:
    try:
        run = Run(st.session_state.lesson_text)
    except ExplorerError as error:
        state.failed(str(error))
        return
    state.fill_inputs(run)
    state.want(run)


def lesson_run(run: Run | None) -> tuple[Run, Whose]:
    """What the lesson is read on: a reader's text by the embedded model, or the first example.

    Args:
        run: What the reader looks at.

    Returns:
        The run, and whether its text is the reader's, the beginning of it, or the example's.
    """
    first = EXAMPLES[0].run
    if run is None or not run.text or run == first or run.chat:
        return first, "example"
    text = _beginning(run.text)
    return Run(text, source=Embedded()), "reader" if text == run.text else "beginning"


def _beginning(text: str) -> str:
    """A text as far as a lesson reads it: to the end of a sentence or of a word, if it can."""
    most = LETTERS // (3 if _is_dense(text) else 1)
    if len(text) <= most:
        return text
    cut = text.lstrip()[:most]
    ends = [cut.rfind(mark) + 1 for mark in (". ", "? ", "! ", "。", "？", "！", "\n")]
    end = max(ends) if max(ends) > most // 4 else cut.rfind(" ") + 1
    return cut[: end or most].rstrip()


def _is_dense(text: str) -> bool:
    """Whether most letters of a text are words of their own, as in Chinese."""
    return sum(letter > "\u2e80" for letter in text) > len(text) / 2


def result() -> None:
    """Draw the lesson: at once if its attention is at hand, its other numbers as they come."""
    session = st.session_state
    reader: Run | None = session.wanted or session.shown
    run, whose = lesson_run(reader)
    stored = stored_trace(run)
    outcome = background.outcome(
        "article",
        Lecturing(run),
        patience=0 if stored else PATIENCE,
        arrives=run == reader,
    )
    if outcome and (outcome[0].run == run or not stored):
        work, (trace, facts) = outcome
        run = work.run
    elif stored:
        trace, facts = stored, None
    else:
        return
    state.write_address()
    _of_another(trace)
    _drawn(run, whose if run == lesson_run(reader)[0] else "reader", trace, facts)
    scheduler().warm_up()


def _of_another(trace: AttentionTrace) -> None:
    """What else reads a text that the lesson's model does not know; always there, as in `offer`."""
    with st.container(key="read_others"):
        sources = others(trace)
        if not sources:
            return
        why = language.t(
            "The lesson is always read by this model, and it reads English: of this text its "
            "figures show what it makes of words that it does not know. Write an English "
            "sentence, or look at yours in Explore with a model that knows it."
        )
        st.text(say(language.sentences(unknown_in_words(trace), why)))
        with st.container(horizontal=True):
            for source in sources:
                query = Run(trace.texts[0], source=source).to_query()
                label = t("Explore it with {model}", model=_short(source))
                key = f"read_{kind_of(source)}"
                st.button(label, key=key, on_click=place.go, args=("explore", query))


def others(trace: AttentionTrace) -> list[Source]:
    """The models that know the words of a text, where the lesson's own knows too few."""
    known = known_elsewhere(trace)
    if known is None:
        return []
    return [Hub(known.name), *([Stories("zh")] if known.name == CHINESE else [])]


def _short(source: Source) -> str:
    """What a model is called on a button."""
    if isinstance(source, Stories):
        return say(STORIES_NAMES["zh"])
    return source.spec.rpartition("/")[2]


@st.fragment
def _drawn(run: Run, whose: Whose, trace: AttentionTrace, facts: Facts | None) -> None:
    session = st.session_state
    view, session.article_file = session.get("article_file"), None  # a file is handed out once
    opening = _opening(run, trace)
    link = session.wanted or session.shown or run  # what the reader asked for stays in the address
    about = about_of(trace, run)
    told = partial(
        pack_article,
        trace,
        chapters(spoken()),
        facts or at_hand(),
        article_id=name_of(run),
        link=link.to_query() if link.fits_link() else None,
        run=run.to_query(),
        about=about,
        opening=opening,
        whose=whose,
        whole=facts is not None,
    )

    def on_file(view: Mapping[str, str]) -> None:
        session.article_file = view

    component.show(
        "article",
        told(page=_page(trace, facts or at_hand(), view, about=about, whose=whose)),
        key="article",
        page=heard(view_of, on_file),
    )


def _opening(run: Run, trace: AttentionTrace) -> dict[str, str]:
    """Where the figures look first; a text that is not the other pages' has a place of its own."""
    session = st.session_state
    if run in (session.shown, session.wanted):
        session.aside = None
        told = place.opening(run, trace)
        # Who comes without a place is led to what the lesson asks about; the browser finds it.
        return {} if told == Place().in_trace(run, trace).to_query() else told
    first = EXAMPLES[0].opening
    if not session.get("place_aside"):
        session.place_aside = state.place_of(first, EXAMPLES[0].run)
    return place.aside(run, trace)


def _page(trace: AttentionTrace, facts: Facts, view: Mapping[str, str] | None, **told: Any) -> str:
    """All this as a file, if one is wanted."""
    if view is None:
        return ""
    to_html = partial(export.article_to_html, trace, chapters(spoken(), alone=True), facts, **told)
    return file(view, lambda _: to_html(opening=view))
