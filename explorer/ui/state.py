"""What a reader is looking at: one Run in the session, and in the page's address.

The address is the truth when a page opens and when the reader goes back or forward; the session is
the truth otherwise. The instrument writes its own part of the address (layer, heads, pins) itself.
"""

import os
import uuid
from dataclasses import fields
from pathlib import Path

import streamlit as st

from explorer.errors import ExplorerError
from explorer.instrument.want import Head
from explorer.lesson import Trained
from explorer.run import Run
from explorer.source import (
    Embedded,
    Folder,
    Hub,
    Model,
    Scratch,
    Source,
    Transplanted,
    kind_of,
    model_of,
)
from explorer.sources import EXAMPLES
from explorer.sources.catalogue import Opening

_SCRATCH = tuple(f.name for f in fields(Scratch))
_TRAINED = tuple(f.name for f in fields(Trained))
_INPUTS = (
    *("text", "second", "pair", "kind", "hub_name", "folder", "donor", *_SCRATCH),
    *(f"t_{name}" for name in _TRAINED),
)
KINDS = ("bert", "scratch", "trained", "transplant", "hf", "path")


def start() -> None:
    """Bring session and address together; called by the frame before any page."""
    state = st.session_state
    if "reader" not in state:
        state.reader = uuid.uuid4().hex
        state.shown, state.wanted, state.opening, state.trouble = None, None, None, None
        state.address, state.browser_wants, state.walk_to = None, None, None
        head = Head.of(st.query_params.to_dict())
        state.layer, state.head = head.layer, head.head
        state.kept = {}  # what the inputs held last
        _open()
    else:
        asked = _run_in_address(tell=False)
        if asked is not None and asked not in (state.address, state.shown):
            _adopt(asked, None)  # the reader went back or forward
    _keep_inputs()


def _open() -> None:
    """What a page opens with: its address's run, else the first example."""
    state, first = st.session_state, EXAMPLES[0]
    asked = _run_in_address(tell=True)
    trouble = state.trouble
    run = asked or first.run
    viewed = "layer" in st.query_params  # the link says where to look
    _adopt(run, first.opening if run == first.run and not viewed else None)
    if trouble:  # the link is no good: say so, and keep its text
        state.trouble, state.text = trouble, st.query_params.get("text", state.text)


def _adopt(run: Run, opening: Opening | None) -> None:
    """Show what the address asks for, unless that would fetch something nobody here asked for."""
    st.session_state.address = run
    fill_inputs(run)
    model = model_of(run.source)
    if isinstance(model, Hub):
        from explorer.sources.download import is_downloaded

        if not is_downloaded(model):
            st.session_state.trouble = (
                f"This link wants the model “{model.name}”, which is not on this machine "
                "yet. Press Run to download it."
            )
            return
    want(run, opening)


def want(run: Run, opening: Opening | None = None) -> None:
    """Ask for a run; it is shown as soon as it is computed."""
    state = st.session_state
    state.wanted, state.opening, state.trouble = run, opening, None
    if opening:
        state.layer, state.head = opening["layer"], opening["heads"][0]


def arrived(run: Run) -> None:
    """The wanted run is what is shown from now on."""
    st.session_state.shown, st.session_state.wanted = run, None


def write_address() -> None:
    """Let the page's address name what is shown, as far as a link can carry it."""
    state = st.session_state
    run: Run | None = state.shown
    named = st.query_params.get("text") is not None
    if run is None or (run == EXAMPLES[0].run and not named):
        return  # a first visit keeps its plain address
    if not run.fits_link():
        if named:
            st.query_params.clear()
        state.address = None
    elif not named or run != state.address:
        st.query_params.from_dict(run.to_query())
        state.address = run


def failed(sentence: str) -> None:
    """The wanted run cannot be had; what is shown stays."""
    st.session_state.trouble, st.session_state.wanted = sentence, None


def fill_inputs(run: Run) -> None:
    """Set every input to what a run says."""
    state = st.session_state
    source = run.source
    state.text, state.second, state.pair = run.text, run.second or "", run.second is not None
    state.kind = kind_of(source)
    model = model_of(source)
    state.donor = kind_of(model) if model else "bert"
    state.hub_name = model.spec.removeprefix("hf:") if isinstance(model, Hub) else ""
    state.folder = model.path if isinstance(model, Folder) else ""
    scratch = source if isinstance(source, Scratch) else Scratch()
    for name in _SCRATCH:
        state[name] = getattr(scratch, name)
    fill_lesson(source if isinstance(source, Trained) else Trained())


def run_from_inputs() -> Run:
    """What the inputs ask for.

    Raises:
        ExplorerError: They ask for something that cannot be.
    """
    state = st.session_state
    return Run(state.text, state.second if state.pair else None, permitted(_source_from_inputs()))


def is_changed() -> bool:
    """Whether the inputs ask for something else than what is shown or on its way."""
    state = st.session_state
    try:
        return run_from_inputs() not in (state.shown, state.wanted)
    except ExplorerError:
        return False  # Run says what is wrong


def fill_lesson(lesson: Trained) -> None:
    """Set the inputs of a training."""
    for name in _TRAINED:
        st.session_state[f"t_{name}"] = getattr(lesson, name)


def lesson_from_inputs() -> Trained:
    """The training that the inputs ask for.

    Raises:
        ExplorerError: A setting is out of its range.
    """
    return Trained(**{name: st.session_state[f"t_{name}"] for name in _TRAINED})


def _source_from_inputs() -> Source:
    kind = st.session_state.kind
    if kind == "scratch":
        return Scratch(**{name: st.session_state[name] for name in _SCRATCH})
    if kind == "trained":
        return lesson_from_inputs()
    if kind == "transplant":
        return Transplanted(_model_from_inputs(st.session_state.donor))
    return _model_from_inputs(kind)


def _model_from_inputs(kind: str) -> Model:
    state = st.session_state
    if kind == "hf":
        name, _, revision = state.hub_name.strip().partition("@")
        return Hub(name, revision or None)
    return Folder(state.folder.strip()) if kind == "path" else Embedded()


def permitted(source: Source) -> Source:
    """A page, and so any link, may only open folders that the operator allowed.

    Raises:
        ExplorerError: The folder is not below one of EXPLORER_MODEL_DIRS.
    """
    model = model_of(source)
    if isinstance(model, Folder):
        allowed = [
            Path(d) for d in os.environ.get("EXPLORER_MODEL_DIRS", "").split(os.pathsep) if d
        ]
        path = Path(model.path).expanduser().resolve()
        if not any(path.is_relative_to(d.expanduser().resolve()) for d in allowed):
            where = ", ".join(map(str, allowed)) or "none yet"
            raise ExplorerError(
                "Model folders are opened only below the ones that the setting "
                f"EXPLORER_MODEL_DIRS names (now: {where}). Set it before starting the app, "
                "for example EXPLORER_MODEL_DIRS=/models."
            )
    return source


def _run_in_address(tell: bool) -> Run | None:
    """The run that the address names; None if it names none, or one that cannot be."""
    try:
        run = Run.from_query(st.query_params.to_dict())
        if run is not None:
            permitted(run.source)
        return run
    except ExplorerError as error:
        if tell:
            st.session_state.trouble = f"This link cannot be opened as it is. {error}"
        return None


def _keep_inputs() -> None:
    """Streamlit forgets an input that is not drawn, and one whose page was left in a hurry."""
    state = st.session_state
    for name in _INPUTS:
        state.kept[name] = state[name] = state[name] if name in state else state.kept[name]
