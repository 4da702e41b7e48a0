"""A decoder that writes on the page: the model goes on by itself, or a reader chooses a token."""

from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from explorer import language
from explorer.errors import ExplorerError
from explorer.instrument.wire.next import Hand
from explorer.instrument.wire.request import Draw, Written
from explorer.lesson import TASKS, Trained
from explorer.place import Place
from explorer.run import Run
from explorer.sampling import Sampling
from explorer.source import Transplanted, model_of
from explorer.trace import AttentionTrace
from explorer.ui import place, state
from explorer.ui.scheduler import Job, scheduler
from explorer.ui.work import Continuing

AT_A_TIME = 24  # tokens


@dataclass
class OnThePage:
    """What is being written, or was last.

    Attributes:
        job: The work; None once it has ended or was stopped.
        ended: Why no more was written, for the text that was written.
        drawn: What was known of the work when the page was drawn last.
        clicked: The run that a click on a token asked for, until it is there.
        left: What the last such click left out.
    """

    job: Job | None = None
    ended: tuple[Run, str] | None = None
    drawn: Any = None
    clicked: Run | None = None
    left: "LeftOut | None" = None


@dataclass(frozen=True)
class LeftOut:
    """What a click on a token in the middle of a text left out.

    Attributes:
        words: The words.
        before: Where the reader was before.
        after: The run that the click asked for.
    """

    words: str
    before: Place
    after: Run

    def is_of(self, run: Run | None) -> bool:
        """Whether a run is what came of it, or goes on from there."""
        if run is None:
            return False
        begun = run.written[: len(self.after.written)]
        return replace(run, written=begun, edits=self.after.edits) == self.after


def now() -> OnThePage:
    """What is being written."""
    found: OnThePage = st.session_state.setdefault("writing", OnThePage())
    return found


def can_write(run: Run) -> bool:
    """Whether a run is read by a model that can be asked what comes next."""
    source = run.source
    if isinstance(source, Trained):
        return TASKS[source.task].writes > 0
    return model_of(source) is not None and not isinstance(source, Transplanted)


def edits_of(run: Run, trace: AttentionTrace) -> str | None:
    """What is changed in a run's attention, as links say it; None where nothing can be."""
    passport = trace.model.passport
    can = can_write(run) and run.picture is None and trace.model.part is None
    return run.edits.in_link() if can and passport and passport.form == "scores" else None


def hand_of(run: Run, trace: AttentionTrace) -> Hand:
    """What a reader may do with the model behind a trace."""
    return Hand(can_write(run), state_of(run), edits_of(run, trace))


def sampling_of(draw: Draw) -> Sampling:
    """How a token is drawn, as the browser says it."""
    return Sampling(draw.temperature / 100, draw.top or None)


def state_of(run: Run) -> str | None:
    """Whether a run is being written on, as payloads say it: ``now``; or why it went no further."""
    writing = now()
    if writing.job is not None:
        return "now"
    return writing.ended[1] if writing.ended and writing.ended[0] == run else None


def asked(wish: Written, run: Run, trace: AttentionTrace) -> None:
    """What a reader wants of what is written behind the text that he sees."""
    stop()
    if wish.act == "append":
        try:
            _append(run, trace, wish)
        except ExplorerError as error:
            state.went_wrong(str(error))
    if wish.act == "edit":
        state.want(replace(run, edits=wish.edits))
    if wish.act == "write":
        chosen = replace(sampling_of(wish.draw), seed=len(run.written) + 1)
        work = Continuing(run, chosen, AT_A_TIME)
        now().job = scheduler().ask(work, _reader())
        now().ended = None


def _append(run: Run, trace: AttentionTrace, wish: Written) -> None:
    """Go on with a token; the inputs then hold the text that is left."""
    writing, longer = now(), gone_on(run, trace, wish.at, wish.token)
    words = "" if wish.at == len(trace.query_tokens) - 1 else left_out(trace, wish.at)
    writing.clicked = longer
    writing.left = LeftOut(words, replace(place.here(), run=run), longer) if words else None
    if longer.texts != run.texts:
        state.fill_inputs(longer)
    state.want(longer)


def left_out(trace: AttentionTrace, at: int) -> str:
    """The words that stand behind a position."""
    spans = [t.span for t in trace.query_tokens[: at + 1] if t.span]
    return trace.texts[-1][max((end for _, end in spans), default=0) :].strip()


def was_left() -> LeftOut | None:
    """What the last click on a token left out, while what came of it is shown."""
    left = now().left
    return left if left and left.is_of(st.session_state.shown) else None


def take_back() -> None:
    """What a click left out is there again, and its reader where he was."""
    left = was_left()
    if left is None or left.before.run is None:
        return
    stop()
    state.fill_inputs(left.before.run)
    state.want(left.before.run)
    st.session_state.place = left.before


def pin_clicked(run: Run, trace: AttentionTrace) -> None:
    """A run has arrived; of one that a click on a token asked for, that token is looked at."""
    writing = now()
    if writing.clicked == run:
        _look_at_end(run, trace)
    writing.clicked = None


def _look_at_end(run: Run, trace: AttentionTrace) -> None:
    place.look(run=run, queries=(len(trace.query_tokens) - 1,), keys=(), words=("", ""))


def gone_on(run: Run, trace: AttentionTrace, at: int, token: int) -> Run:
    """A run whose text goes on with a token behind a position; what stood there is left out.

    Raises:
        ExplorerError: The position is within a conversation.
    """
    n = len(trace.query_tokens)
    given = n - trace.n_written
    if at >= given:
        return replace(run, written=(*run.written[: at - given + 1], token))
    text = trace.texts[-1]
    spans = [t.span for t in trace.query_tokens[: at + 1] if t.span]
    left = text[: max((end for _, end in spans), default=0)]
    if run.chat and at < given - 1:
        raise ExplorerError(
            language.t(
                "A conversation is gone on with at its end. To go on from another place, "
                "change the turns in the text and press Run."
            )
        )
    if at == given - 1 or all(t.special for t in trace.query_tokens[at + 1 : given]):
        return replace(run, written=(token,))  # the given text stays as it is
    if trace.model.part in ("cross", "decoder"):
        return replace(run, written=(token,), second=left)
    return replace(run, written=(token,), text=left)


def arrived() -> AttentionTrace | None:
    """What is written so far, where something is being written; it becomes what is shown."""
    session, writing = st.session_state, now()
    if session.wanted is not None:
        stop()  # the reader has asked for something else
    job = writing.job
    if job is None:
        return None
    scheduler().look(job)
    found = job.partial
    if job.future.done():
        writing.job = None
        try:
            found = job.future.result()
            found = (
                *found[:2],
                found[2]
                or language.t("{at_a_time} tokens written; Write goes on.", at_a_time=AT_A_TIME),
            )
        except ExplorerError as error:
            state.went_wrong(str(error))
    writing.drawn = found
    if found is None:
        return None
    run, trace, ended = found
    if ended:
        writing.ended = run, ended
    session.shown = run
    state.write_address()
    _look_at_end(run, trace)
    return trace


def goes_on() -> bool:
    """Whether there is more to show than what was drawn last."""
    job = now().job
    return job is not None and (job.future.done() or job.partial is not now().drawn)


def stop() -> None:
    """The model writes no further; what it wrote stays."""
    scheduler().leave(_reader())
    now().job = None


def _reader() -> str:
    return f"{st.session_state.reader} write"
