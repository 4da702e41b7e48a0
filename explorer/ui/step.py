"""The page “Step by step”: one head's way, what changes it, and the proof that layers agree."""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from explorer import export
from explorer.errors import ExplorerError
from explorer.instrument import component
from explorer.instrument.component import heard
from explorer.instrument.wire.layertrace import pack_layer_traces
from explorer.instrument.wire.request import Head, step_of
from explorer.layertrace import LayerTrace
from explorer.run import Run
from explorer.source import Scratch, Transplanted, model_of
from explorer.trace import AttentionTrace
from explorer.ui import messages, place, state
from explorer.ui.answers import file
from explorer.ui.scheduler import scheduler
from explorer.ui.show import current, name_of
from explorer.ui.work import Checking, LayerTracing, Measuring, Work
from explorer.views.experiments import cost_figure, saturation_figure

_POSITIONS, _BACKWARDS, _SIZE = "Leave positions out", "Read the words backwards", "Another size"
_CODES = {_POSITIONS: "positions", _BACKWARDS: "backwards", _SIZE: "size"}  # in a link


def result() -> None:
    """Draw the way of one head through the layer, and the switches that change it."""
    trace = current()
    if trace:
        run: Run = st.session_state.shown
        changes = _changes(run)
        _steps(trace, run, changes)
        _proof(run)
    scheduler().warm_up()


def _changes(run: Run) -> list[str]:
    """What the reader wants changed; the link says it too."""
    offered = [_POSITIONS, _BACKWARDS] + [_SIZE] * isinstance(run.source, Scratch)
    if "changes" in st.session_state:
        known = st.session_state.changes
        st.session_state.changes = [c for c in offered if c in known]  # another source offers less
    else:
        named = st.query_params.get("change", "").split(".")
        st.session_state.changes = [c for c in offered if _CODES[c] in named]
    chosen: list[str] = st.pills(
        "What if? The change stands beside the original.",
        offered,
        selection_mode="multi",
        key="changes",
        persist_state="session",
    )
    if _SIZE in chosen:
        width, heads, _ = st.columns([1, 1, 3])
        width.number_input(
            "d_model of the other", 1, 1024, _asked("other_d_model", 16, 1024), key="other_d_model"
        )
        heads.number_input(
            "Heads of the other", 1, 16, _asked("other_n_heads", 1, 16), key="other_n_heads"
        )
    _write_changes(chosen)
    return chosen


def _asked(name: str, usual: int, most: int) -> int:
    """A whole number that the link names, or the usual one."""
    text = st.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text[:5]) <= most else usual


def _write_changes(chosen: list[str]) -> None:
    """Let the address name what is changed."""
    session, told = st.session_state, {}
    if chosen:
        told["change"] = ".".join(_CODES[c] for c in chosen)
    if _SIZE in chosen:
        sizes = ("other_d_model", "other_n_heads")
        told |= {name: str(session[name]) for name in sizes}
    for name in ("change", "other_d_model", "other_n_heads"):
        now = st.query_params.get(name)
        if name in told and now != told[name]:
            st.query_params[name] = told[name]
        elif name not in told and now is not None:
            del st.query_params[name]


@st.fragment
def _steps(trace: AttentionTrace, run: Run, changes: list[str]) -> None:
    session = st.session_state
    place.opening(run, trace)
    layer, head = place.here().layer, place.here().head
    layer_traces, note, trouble = _layer_traces(run, layer, head, changes)
    if trouble:
        messages.trouble(trouble)
    if not layer_traces:
        return
    view, session.steps_file = session.get("steps_file"), None  # a file is handed out once
    payload = pack_layer_traces(
        layer_traces,
        trace_id=name_of(run),
        note=note,
        link=run.to_query() if run.fits_link() else None,
        page=file(
            view, lambda _: export.layer_traces_to_html(layer_traces, note=note, opening=view)
        )
        if view
        else "",
    )

    def on_request(wish: tuple[Head, Mapping[str, str] | None]) -> None:
        wanted, file = wish
        place.look(layer=wanted.layer, heads=(wanted.head,))
        session.steps_file = file

    component.show("steps", payload, key="steps", request=heard(step_of, on_request))


def _layer_traces(
    run: Run, layer: int, head: int, changes: list[str]
) -> tuple[list[tuple[LayerTrace, int]], str, str]:
    """The head as it is, and as it is changed if it can be; the change, and what is wrong."""
    both = {_POSITIONS, _BACKWARDS} <= set(changes)
    # Backwards and without positions: the honest comparison is forwards without positions.
    first = LayerTracing(run, layer, positions=not both)
    layer_traces: list[tuple[LayerTrace, int]] = []
    try:
        layer_traces.append((_done(first), head))
        second, note = _changed(first, changes, both)
        if second != first:
            changed: LayerTrace = _done(second)
            layer_traces.append((changed, min(head, changed.model.n_heads - 1)))
    except ExplorerError as error:
        return layer_traces, "", str(error)
    return layer_traces, note, ""


def _changed(work: LayerTracing, changes: list[str], both: bool) -> tuple[LayerTracing, str]:
    """The same with the changes, and these in words."""
    notes = []
    if _POSITIONS in changes:
        work = replace(work, positions=False)
        notes.append("both without positions" if both else "without positions")
    if _BACKWARDS in changes:
        work = replace(work, backwards=True)
        notes.append("words read backwards")
    source = work.run.source
    if _SIZE in changes and isinstance(source, Scratch):
        session = st.session_state
        other = replace(source, d_model=session.other_d_model, n_heads=session.other_n_heads)
        work = replace(work, run=replace(work.run, source=other))
        notes.append(f"d_model {other.d_model}, {other.n_heads} heads")
    return work, ", ".join(notes)


def _done(work: Work) -> Any:
    """A small piece of work, waited for."""
    return scheduler().wait(work, f"{st.session_state.reader} {work!r:.40}")


def _proof(run: Run) -> None:
    """The from-scratch layer with the model's weights, beside the model."""
    if model_of(run.source) is None or run.picture is not None:
        return
    with st.expander("The proof: our layer, given BERT’s weights, computes BERT’s attention"):
        st.markdown(
            "`explorer.scratch.transplant` copies a layer’s query, key, value and output maps into "
            "the article’s `SelfAttention`. Both then read the same hidden "
            "states of your text. Measured here, on this text:"
        )
        try:
            rows = _done(Checking(run))
        except ExplorerError as error:
            messages.trouble(str(error), "_of_proof")
            return
        st.text(_verdict(max(r.weights for r in rows)))
        if not isinstance(run.source, Transplanted):
            st.button(
                "Walk through our layer with these weights", on_click=_transplant, args=(run,)
            )
        st.dataframe(
            {
                "layer": [r.layer for r in rows],
                "largest difference of a weight": [f"{r.weights:.1e}" for r in rows],
                "largest difference of an output": [f"{r.output:.1e}" for r in rows],
                "largest number in the output": [f"{r.size:.2f}" for r in rows],
            },
            hide_index=True,
        )


def _verdict(worst: float) -> str:
    if worst == 0:
        return (
            "Not one weight differs, not even in its last bit: the largest difference is 0. They "
            "are the same machine."
        )
    return (
        f"The largest difference of a weight is {worst:.1e}: that is the rounding of 32-bit "
        "numbers, added up in another order. They are the same machine."
    )


def _transplant(run: Run) -> None:
    model = model_of(run.source)
    assert model is not None
    other = replace(run, source=Transplanted(model))
    state.fill_inputs(other)
    state.want(other)


def experiments() -> None:
    """What the reader can measure here and now."""
    with st.expander("Experiment: what does length cost?"):
        _cost()
    with st.expander("Experiment: what is √d_k for?"):
        _saturation()


@st.fragment
def _cost() -> None:
    st.markdown(
        "It is often said that the cost of self-attention grows *exponentially* with the length of "
        "the text. It grows with the **square**: $n^2$ scores of $d_k$ products each, $O(n^2 d)$. "
        "On a plot with both axes logarithmic a power is a straight line, and its slope is the "
        "exponent. Measure it on the machine that runs this app, with our layer (one head, "
        "$d = 64$)."
    )
    if st.button("Measure now", key="measure"):
        st.session_state.measured = uuid.uuid4().hex
    if not st.session_state.get("measured"):
        return
    with st.spinner("Measuring texts of 128 to 2,896 tokens…"):
        cost = _done(Measuring(st.session_state.measured))
    st.plotly_chart(
        cost_figure(cost.lengths, cost.seconds),
        config={"displayModeBar": False},
        alt="Time of one forward pass over the number of tokens, both logarithmic.",
    )
    st.text(
        f"Measured slope from 1,024 tokens on: {cost.slope:.2f}. A slope of 2 is the square; an "
        f"exponential would bend upwards without end. From {cost.lengths[0]} to "
        f"{cost.lengths[-1]:,} tokens the time grew from {cost.seconds[0] * 1e3:.2g} ms to "
        f"{cost.seconds[-1] * 1e3:.3g} ms."
    )


def _saturation() -> None:
    st.markdown(
        "A score is a sum of $d_k$ products, so without a scale it spreads more the wider a head "
        "is, and softmax gives nearly everything to one key. Its gradient then is almost zero, and "
        "the layer stops learning. Divided by $\\sqrt{d_k}$ the scores keep their spread. Here: "
        "random queries and keys, as they are before any training; 32 keys in a row, so even "
        "attention would be 0.03."
    )
    done = _done(Measuring())
    st.plotly_chart(
        saturation_figure(done.widths, done.scaled, done.unscaled),
        config={"displayModeBar": False},
        alt="The largest weight of a row over the width of a head, with and without the scale.",
    )
    st.text(
        f"With d_k = {done.widths[-1]} the largest weight of a row is {done.unscaled[-1]:.2f} on "
        f"average without the scale, and {done.scaled[-1]:.2f} with it."
    )
