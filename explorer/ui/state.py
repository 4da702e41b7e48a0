"""What a reader is looking at: one Run in the session, and in the page's address.

The address is the truth when a page opens and when the reader goes back or forward; the session is
the truth otherwise. The instrument writes its own part of the address (layer, heads, pins) itself.
"""

import hashlib
import os
import re
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequestType

from explorer import language
from explorer.edits import NO_EDITS
from explorer.errors import ExplorerError
from explorer.lesson import Trained
from explorer.place import Place
from explorer.run import PARTS, Run
from explorer.source import (
    Embedded,
    Folder,
    Hub,
    Model,
    Own,
    Scratch,
    Source,
    Stories,
    Transplanted,
    hub_model,
    kind_of,
    model_of,
)
from explorer.sources import EXAMPLES, absent_model
from explorer.sources.catalogue import Opening
from explorer.ui import log
from explorer.ui.speaking import LANGUAGE

_SCRATCH = tuple(f.name for f in fields(Scratch))
_TRAINED = tuple(f.name for f in fields(Trained))
_OF_A_RUN = ("text", "second", "pair", "kind", "hub_name", "folder", "donor", "part", *_SCRATCH)
_OF_A_RUN += ("chat", "looks", "picture", "own", "source_language", "target_language")
_OF_A_RUN += tuple(f"t_{name}" for name in _TRAINED)
B = "b_"  # before the names of everything that belongs to the second run of a comparison
_INPUTS = (*_OF_A_RUN, *(B + name for name in _OF_A_RUN))
_REFUSED = tuple(f"{side}{box}_refused" for side in ("", B) for box in ("picture", "own"))
AS_IT_IS = ("step", "efficiency")  # pages that show a model without a reader's changes
KINDS = ("bert", "stories", "stories-zh", "scratch", "trained", "transplant", "hf", "path", "own")
DONORS = ("bert", "hf", "path")  # whose weights the from-scratch layer can be given
# What no address carries leaves a mark in it, so that whoever opens it is told what is missing.
LOST = {
    "file": language.t(
        "This address is of a page that showed an uploaded file. Files do not travel "
        "in addresses, and the server has it no longer: upload it again, a picture "
        "with “Picture” on, weights under Model, “My own attention weights”. Something "
        "else stands in its place."
    ),
    "long": language.t(
        "This address is of a page that showed a text too long for a link, and the "
        "server has it no longer: paste it again. Something else stands in its place."
    ),
}
RECENT = 8  # models of the hub that are remembered for a reader


def start(*, at_home: bool = False) -> None:
    """Bring session and address together; called by the frame before any page.

    Args:
        at_home: Whether the page is the first one, whose plain address is of the first example.
    """
    state = st.session_state
    if "reader" not in state:
        state.shown, state.wanted, state.opening = None, None, None
        state.trouble, state.trouble_of = None, None  # and what the inputs asked for then
        state.address, state.browser_requests, state.go_to = None, None, None
        state.next_run = None
        state.asked_times, state.arrived_at = (
            0,
            None,
        )  # runs that were asked for; when the last came
        state.kept = {}  # what the inputs held last
        state.offer = None  # a model that could be downloaded, and what then
        state.recent, state.with_parts = [], set()  # models that were shown; those of several parts
        state.with_templates = set()  # those that say how they read a conversation
        state.with_languages = {}  # those that translate, and the languages that they know
        _open()
        state.reader = f"{_owner()}/{uuid.uuid4().hex}"  # last: what failed before it is done again
    else:
        asked = _run_in_address(tell=False) if went_through_history() else None
        if went_through_history():
            state.go_to = None
            if "layer" in st.query_params:  # else the browser knows, which tells it
                state.place = Place.from_query(st.query_params.to_dict(), asked or state.shown)
            if at_home and not address():
                asked = EXAMPLES[0].run
        if asked is not None and asked not in (state.address, state.shown):
            _adopt(asked, None if address() else EXAMPLES[0].opening)
        # A picture leads to Explore with a run of its own; until the browser is there, the page
        # that it stands on may be drawn again.
        if at_home and state.next_run is not None:
            asked, state.next_run = state.next_run, None
            _adopt(asked, None)
    _keep_inputs()


def address() -> dict[str, str]:
    """What the address asks for; the language in it is the reader's, whatever he looks at."""
    return {name: value for name, value in st.query_params.items() if name != LANGUAGE}


def set_address(query: Mapping[str, str]) -> None:
    """Let the address ask for something else, in the language that was chosen."""
    now = st.query_params.to_dict()
    st.query_params.from_dict({k: now[k] for k in (LANGUAGE,) if k in now} | dict(query))


def forget_browser() -> None:
    """A browser has nothing any more of the pictures that it had."""
    st.session_state.browser_requests = None


def on_page(name: str) -> None:
    """Another page: what a browser had of the last one's picture it has no more."""
    state = st.session_state
    if state.get("page") != name:
        state.page, state.browser_requests, state.go_to = name, None, None
        if name not in AS_IT_IS:
            _change_again()


def _owner() -> str:
    """A short name of the reader to whom this page belongs; all his pages share one budget.

    Who is logged in is known; else a browser is, by the cookie that Streamlit gives it against
    forged requests; else all that a machine opens are one.
    """
    user = st.user.get("sub") if st.user.get("is_logged_in") else None
    context = st.context
    cookie = str(context.cookies.get("_streamlit_xsrf"))
    known = user or _browser(cookie) or context.ip_address
    return hashlib.blake2b(str(known).encode(), digest_size=8).hexdigest()


def _browser(cookie: str) -> str:
    """What stays the same in a browser's cookie, which is masked anew for every page."""
    found = re.fullmatch(r"2\|([0-9a-f]{8})\|([0-9a-f]{32})\|[0-9]+", cookie)
    if not found:
        return ""
    mask, masked = (bytes.fromhex(part) for part in found.groups())
    return bytes(byte ^ mask[i % 4] for i, byte in enumerate(masked)).hex()


def went_through_history() -> bool:
    """Whether the reader pressed Back or Forward.

    Anything else that a browser sends may carry the address of a moment ago, when the server has
    just changed it: to take that for a wish would bring back what the reader has left.
    """
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def is_asked_again() -> bool:
    """Whether the reader has asked something new of the part of the page that is being run.

    Streamlit keeps that until the part's run has ended, and tells nobody: hence its own fields.
    """
    context = get_script_run_ctx()
    asked = context and context.script_requests
    if not context or not asked or asked._state is not ScriptRequestType.RERUN:
        return False
    waiting = asked._rerun_data.fragment_id_queue
    return not set(waiting).isdisjoint(context.fragment_ids_this_run or ())


def _open() -> None:
    """What a page opens with: its address's run, else the first example."""
    state, first = st.session_state, EXAMPLES[0]
    asked = _run_in_address(tell=True) or _without_written()
    lost = lost_in(st.query_params.to_dict())
    trouble = state.trouble or lost
    run = asked or first.run
    viewed = "layer" in st.query_params  # the link says where to look
    state.place = Place.from_query(st.query_params.to_dict(), run)
    _adopt(run, first.opening if run == first.run and not viewed else None)
    fill_inputs(opposite(run), B)
    if trouble:  # the link is no good: say so, and keep its text
        went_wrong(trouble)
        state.text = st.query_params.get("text", state.text)


def _adopt(run: Run, opening: Opening | None) -> None:
    """Show what the address asks for, unless that would fetch something nobody here asked for."""
    st.session_state.address = run
    fill_inputs(run)
    if not lacks_model(run):
        want(run, opening)


def lacks_model(run: Run) -> bool:
    """Whether a link asks for a model that is not on this machine; if so, the reader is told."""
    model = absent_model(run.source)
    if model is None:
        return False
    went_wrong(
        language.t(
            "This link wants the model “{name}”, which is not on this machine yet. Press "
            "Run to download it.",
            name=model.name,
        )
    )
    return True


def want(run: Run, opening: Opening | None = None) -> None:
    """Ask for a run; it is shown as soon as it is computed."""
    state = st.session_state
    state.wanted, state.opening = run, opening
    went_wrong(None)
    state.asked_times += 1
    if opening:
        state.place = place_of(opening, run)


def place_of(opening: Opening, run: Run) -> Place:
    """Where an example is looked at first."""
    pinned = {name: (opening[name],) if name in opening else () for name in ("query", "key")}
    return Place(run, opening["layer"], tuple(opening["heads"]), pinned["query"], pinned["key"])


def arrived(run: Run) -> None:
    """The wanted run is what is shown from now on."""
    state = st.session_state
    if state.wanted == run:
        state.arrived_at = time.time()
    state.shown, state.wanted = run, None
    model = model_of(run.source)
    if isinstance(model, Hub):
        name = model.spec.removeprefix("hf:")
        state.recent = [name, *(n for n in state.recent if n != name)][:RECENT]


def has_parts(side: str = "") -> bool:
    """Whether the model in the inputs is known to be an encoder-decoder."""
    try:
        return _source_from_inputs(side) in st.session_state.with_parts
    except ExplorerError:
        return False


def has_template(side: str = "") -> bool:
    """Whether the model in the inputs is known to read conversations, or is asked for one."""
    try:
        return _source_from_inputs(side) in st.session_state.with_templates
    except ExplorerError:
        return False


def languages(side: str = "") -> tuple[str, ...]:
    """The languages of the model in the inputs, if it is known to translate."""
    try:
        found: tuple[str, ...] = st.session_state.with_languages.get(_source_from_inputs(side), ())
        return found
    except ExplorerError:
        return ()


def opposite(run: Run) -> Run:
    """What a run is compared with when nobody says: the from-scratch layer, or BERT.

    One whose attention is changed stands beside the model as it is.
    """
    if run.edits:
        return replace(run, edits=NO_EDITS)
    if run.is_of_a_file():
        return run
    scratch = isinstance(run.source, Scratch)
    other = Embedded() if scratch else Scratch()
    return replace(run, source=other, source_language=None, target_language=None, written=())


def write_address() -> None:
    """Note what the address names: the browser writes it, with the place (`hosts/address.js`).

    What no link can carry leaves a mark.
    """
    state = st.session_state
    run: Run | None = state.shown
    if run is None:
        return
    mark = mark_of(run)
    if mark and (state.address is not None or st.query_params.get(mark) != "1"):
        set_address({mark: "1"})
    state.address = None if mark else run


def mark_of(run: Run) -> str | None:
    """The mark, of `LOST`, that an address has in place of a run that it cannot carry."""
    if run.is_of_a_file():
        return "file"
    return None if run.fits_link() else "long"


def lost_in(query: Mapping[str, str]) -> str | None:
    """What to say of an address with a mark in place of a run."""
    found = [LOST[mark] for mark in LOST if query.get(mark) == "1" and not query.get("text")]
    return found[0] if found else None


def as_it_is() -> bool:
    """What is shown on this page is the model as it is: changes of its attention are put aside.

    They are there again on the next page that shows them, where the text is still the same.

    Returns:
        Whether something of what is shown is put aside.
    """
    session = st.session_state
    for name in ("shown", "wanted"):
        run: Run | None = session[name]
        if run and run.edits:
            session.changed, session[name] = run, replace(run, edits=NO_EDITS)
            if session.place.run == run:
                session.place = replace(session.place, run=session[name])
    return _put_aside() is not None


def _put_aside() -> Run | None:
    """What is shown, with the changes that are put aside; None where there are none."""
    session = st.session_state
    changed: Run | None = session.get("changed")
    here = session.wanted or session.shown
    return changed if changed and here == replace(changed, edits=NO_EDITS) else None


def _change_again() -> None:
    """Make the changes again that were put aside; an address that is gone back to says its own."""
    session, changed = st.session_state, _put_aside()
    session.changed = None
    if changed and not went_through_history():
        session.wanted = changed
        session.place = replace(session.place, run=changed)


def failed(sentence: str) -> None:
    """The wanted run cannot be had; what is shown stays."""
    st.session_state.wanted = None
    went_wrong(sentence)


def went_wrong(sentence: str | None) -> None:
    """What is wrong with what the inputs ask for, as far as anybody knows; None: nothing."""
    st.session_state.trouble, st.session_state.trouble_of = sentence, None


def trouble() -> str | None:
    """What is wrong, if something is: it leaves with its cause, as soon as an input changes."""
    state = st.session_state
    if state.trouble:
        asked = [state.get(name) for name in (*_INPUTS, *_REFUSED)]
        state.trouble_of = state.trouble_of or asked
        if state.trouble_of != asked:
            went_wrong(None)
    told: str | None = state.trouble
    return told


def fill_inputs(run: Run, side: str = "") -> None:
    """Set every input to what a run says; ``side`` is `B` for the second run of a comparison."""
    source = run.source
    model = model_of(source)
    values: dict[str, object] = {
        "text": run.text,
        "second": run.second or "",
        "pair": run.second is not None,
        "chat": run.chat,
        "kind": kind_of(source),
        "donor": kind_of(model) if model and kind_of(model) in DONORS else "bert",
        "hub_name": model.spec.removeprefix("hf:") if isinstance(model, Hub) else "",
        "folder": model.path if isinstance(model, Folder) else "",
        "part": run.part,
        "looks": run.picture is not None,
        "source_language": run.source_language,
        "target_language": run.target_language,
    }
    # What was uploaded stays where another run does not need its place.
    values |= {"picture": run.picture} if run.picture else {}
    values |= {"own": source} if isinstance(source, Own) else {}
    scratch = source if isinstance(source, Scratch) else Scratch()
    values |= {name: getattr(scratch, name) for name in _SCRATCH}
    if run.chat:
        st.session_state.with_templates.add(source)
    if run.is_of_a_file() and f"{side}text" in st.session_state:
        for name in ("text", "second", "pair", "chat"):
            del values[name]  # what was typed stays
    for name, value in values.items():
        st.session_state[side + name] = value
    for name in ("picture", "own"):
        st.session_state.setdefault(side + name, None)
    fill_lesson(source if isinstance(source, Trained) else Trained(), side)


def run_from_inputs(side: str = "") -> Run:
    """What the inputs ask for.

    Raises:
        ExplorerError: They ask for something that cannot be.
    """
    get = _getter(side)
    source = source_from_inputs(side)
    if get("looks") and not isinstance(source, Own):
        refused_in("picture", side)
        if get("picture") is None:
            raise ExplorerError(language.t("Which picture? Upload one, or turn off “Picture”."))
        return Run(source=source, picture=get("picture"))
    second = get("second") if get("pair") else None
    part = get("part") if has_parts(side) else PARTS[0]
    names = ("source_language", "target_language")
    reads, writes = (get(name) if languages(side) else None for name in names)
    chat = bool(get("chat")) and has_template(side)
    return Run(get("text"), second, source, part, None, reads, writes, chat=chat)


def source_from_inputs(side: str = "") -> Source:
    """The model that the inputs name, whatever the text.

    Raises:
        ExplorerError: There is no such model, or it may not be opened here.
    """
    return permitted(_source_from_inputs(side))


def refused_in(box: str, side: str) -> None:
    """Say again why the file that lies in a box was not taken.

    Raises:
        ExplorerError: It was not.
    """
    refused = st.session_state.get(f"{side}{box}_refused")
    if refused and st.session_state.get(f"{side}{box}_file") is not None:
        raise ExplorerError(refused)


def _getter(side: str) -> Callable[[str], Any]:
    return lambda name: st.session_state[side + name]


def is_changed() -> bool:
    """Whether the inputs ask for something else than what is shown or on its way."""
    state = st.session_state
    try:
        given = [
            run and replace(run, written=(), edits=NO_EDITS) for run in (state.shown, state.wanted)
        ]
        return run_from_inputs() not in given
    except ExplorerError:
        return True  # Run says what is wrong


def fill_lesson(lesson: Trained, side: str = "") -> None:
    """Set the inputs of a training."""
    for name in _TRAINED:
        st.session_state[f"{side}t_{name}"] = getattr(lesson, name)


def lesson_from_inputs(side: str = "") -> Trained:
    """The training that the inputs ask for.

    Raises:
        ExplorerError: A setting is out of its range.
    """
    get = _getter(side)
    return Trained(**{name: get(f"t_{name}") for name in _TRAINED})


def _source_from_inputs(side: str) -> Source:
    get = _getter(side)
    if get("kind") == "scratch":
        return Scratch(**{name: get(name) for name in _SCRATCH})
    if get("kind") == "trained":
        return lesson_from_inputs(side)
    if get("kind") == "transplant":
        return Transplanted(_model_from_inputs(get("donor"), side))
    if get("kind") == "own":
        refused_in("own", side)
        if get("own") is None:
            raise ExplorerError(
                language.t(
                    "Which file? Upload one with weights [layer, head, query, key] and tokens."
                )
            )
        return get("own")
    return _model_from_inputs(get("kind"), side)


def _model_from_inputs(kind: str, side: str) -> Model:
    get = _getter(side)
    if kind == "hf":
        return hub_model(get("hub_name") or "")
    if kind == "path":
        return Folder(get("folder").strip())
    if kind in ("stories", "stories-zh"):
        return Stories("en" if kind == "stories" else "zh")
    return Embedded()


def permitted(source: Source) -> Source:
    """A page, and so any link, may only open folders that the operator allowed.

    Raises:
        ExplorerError: The folder is not below one of EXPLORER_MODEL_DIRS.
    """
    model = model_of(source)
    if isinstance(model, Folder):
        allowed = [d for d in os.environ.get("EXPLORER_MODEL_DIRS", "").split(os.pathsep) if d]
        place = model.place().resolve()
        if not any(place.is_relative_to(Folder(d).place().resolve()) for d in allowed):
            where = ", ".join(allowed) or language.t("none yet")
            raise ExplorerError(
                language.t(
                    "Model folders are opened only below the ones that the setting "
                    "EXPLORER_MODEL_DIRS names (now: {where}). Set it before starting the app, for "
                    "example EXPLORER_MODEL_DIRS=/models.",
                    where=where,
                )
            )
    return source


def _run_in_address(tell: bool) -> Run | None:
    """The run that the address names; None if it names none, or one that cannot be."""
    query = st.query_params.to_dict()
    try:
        if tell and not query.get("text") and query.get("source", "trained") != "trained":
            query["text"] = EXAMPLES[0].run.text  # of a lesson the page “Train” knows more
        run = Run.from_query(query)
        if run is not None:
            permitted(run.source)
        return run
    except Exception as error:  # noqa: BLE001  # anybody may write a link, and anything into it
        why = str(error) if isinstance(error, ExplorerError) else language.t("The log says why.")
        if not isinstance(error, ExplorerError):
            log.failure(error)
        if tell:
            went_wrong(language.t("This link cannot be opened as it is. {why}", why=why))
        return None


def _without_written() -> Run | None:
    """What an address names that says nothing good of what is written: its text and its model."""
    query = st.query_params.to_dict()
    if not query.pop("written", ""):
        return None
    try:
        run = Run.from_query(query)
        if run is not None:
            permitted(run.source)
        return run
    except ExplorerError:
        return None


def _keep_inputs() -> None:
    """Streamlit forgets an input that is not drawn, and one whose page was left in a hurry."""
    state = st.session_state
    for name in _INPUTS:
        state.kept[name] = state[name] = state[name] if name in state else state.kept[name]
