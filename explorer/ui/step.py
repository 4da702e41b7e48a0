"""The page “Step by step”: one head's way, what changes it, and the proof that layers agree."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial, reduce
from typing import Any

import streamlit as st

from explorer import export, language
from explorer.code import python_of_layers
from explorer.errors import ExplorerError
from explorer.instrument import component
from explorer.instrument.component import heard
from explorer.instrument.wire.about import About, file_name
from explorer.instrument.wire.layertrace import WhatIf, pack_layer_traces
from explorer.instrument.wire.next import may_predict
from explorer.instrument.wire.request import Head, Step, step_of
from explorer.layertrace import LayerTrace
from explorer.place import content_word
from explorer.run import Run
from explorer.source import Scratch, Transplanted, model_of
from explorer.trace import AttentionTrace
from explorer.ui import messages, offer, place, state
from explorer.ui.answers import file, offer_npz
from explorer.ui.scheduler import scheduler
from explorer.ui.show import about_of, current, name_of
from explorer.ui.speaking import t
from explorer.ui.work import Checking, LayerTracing, Measuring, Work
from explorer.views.experiments import cost_figure, saturation_figure


def result() -> None:
    """Draw the way of one head through the layer, and what changes it."""
    messages.as_it_is(state.as_it_is())
    trace = current()
    if trace:
        run: Run = st.session_state.shown
        offer.of_others((trace, run))
        _steps(trace, run)
        if st.session_state.get("layer_is_plain"):
            _proof(run)
    scheduler().warm_up()


@st.fragment
def _steps(trace: AttentionTrace, run: Run) -> None:
    session = st.session_state
    if "what_if" not in session:  # the first visit: as the link says
        session.what_if = step_of(st.query_params.to_dict()) or Step(Head())
    wanted: Step = session.what_if
    if session.pop("step_to", None):  # after whatever else was heard with it
        place.look(layer=wanted.head.layer, heads=(wanted.head.head,))
    view = place.opening(run, trace)
    layer, head = place.here().layer, place.here().head
    works, note, what_if = _works(run, layer, wanted, alone=trace.model.part is None)
    layer_traces, trouble = _layer_traces(works, head)
    if trouble:
        note, what_if = "", replace(what_if, trouble=trouble)
    session.layer_is_plain = False
    if not layer_traces:
        messages.trouble(what_if.trouble)
        return
    session.what_if = replace(wanted, page=None)  # a file is handed out once
    session.layer_is_plain = layer_traces[0][0].is_plain
    about = replace(about_of(trace, run), code=_python(works[: len(layer_traces)]))
    payload = pack_layer_traces(
        layer_traces,
        trace_id=name_of(run),
        note=note,
        opening=view,
        usual=next(iter(content_word(trace)), 0),
        about=about,
        texts=trace.texts,
        link=run.to_query() if run.fits_link() else None,
        what_if=what_if,
        apart=_is_told_apart(trace, run),
        page=_page(layer_traces, note, about, wanted.page),
    )

    def on_request(new: Step) -> None:
        session.what_if, session.step_to = new, True

    component.show("steps", payload, key="steps", request=heard(step_of, on_request))
    shown = [found for found, _ in layer_traces]
    offer_npz(
        file_name(about, "npz", f"steps layer {shown[0].layer}"),
        lambda report: export.layer_traces_to_npz(shown, trace.texts, report),
        2 * sum(found.nbytes for found in shown),
        *map(id, shown),
    )


def _page(
    layer_traces: list[tuple[LayerTrace, int]],
    note: str,
    about: About,
    view: Mapping[str, str] | None,
) -> str:
    """All this as a file, if one is wanted."""
    if view is None:
        return ""
    make = partial(export.layer_traces_to_html, layer_traces, note=note, about=about)
    return file(view, lambda _: make(opening=view))


def _is_told_apart(trace: AttentionTrace, run: Run) -> bool:
    """Whether Explore tells what each score is made of: of a model that reads a text forwards."""
    passport = trace.model.passport
    tapped = passport is not None and passport.form == "scores"
    own = model_of(run.source) is not None and not isinstance(run.source, Transplanted)
    return own and tapped and trace.model.part is None and may_predict(trace)


def _works(
    run: Run, layer: int, wanted: Step, *, alone: bool
) -> tuple[list[LayerTracing], str, WhatIf]:
    """The layer as it is, and as it is changed; the change, in words and as asked.

    Args:
        run: What is shown.
        layer: The layer.
        wanted: What is asked for.
        alone: Whether it is a model of one part: of others nothing is changed.
    """
    sizes = isinstance(run.source, Scratch)
    offered = ("positions", "backwards", *(["size"] if sizes else [])) if alone else ()
    asked = tuple(c for c in wanted.changes if c in offered)  # another source offers less
    what_if = WhatIf(offered, asked, wanted.other)
    both = {"positions", "backwards"} <= set(asked)
    # Backwards and without positions: the honest comparison is forwards without positions.
    first = LayerTracing(run, layer, positions=not both)
    try:
        second, note = _changed(first, what_if, both)
    except ExplorerError as error:  # a size that no layer can have
        return [first], "", replace(what_if, trouble=str(error))
    return [first] if second == first else [first, second], note, what_if


def _layer_traces(
    works: Sequence[LayerTracing], head: int
) -> tuple[list[tuple[LayerTrace, int]], str]:
    """The head as it is, and as it is changed if it can be; else why it cannot."""
    found: list[tuple[LayerTrace, int]] = []
    try:
        for work in works:
            trace: LayerTrace = _done(work)
            found.append((trace, min(head, trace.model.n_heads - 1)))
    except ExplorerError as error:
        return found, str(error)
    return found, ""


def _python(works: Sequence[LayerTracing]) -> str:
    """The Python that gives the same numbers."""
    return python_of_layers([(w.run, w.layer, w.positions, w.backwards) for w in works])


def _changed(work: LayerTracing, what_if: WhatIf, both: bool) -> tuple[LayerTracing, str]:
    """The same with the changes, and these in words."""
    notes: list[str] = []
    if "positions" in what_if.changes:
        work = replace(work, positions=False)
        notes.append(
            language.t("without positions in both") if both else language.t("without positions")
        )
    if "backwards" in what_if.changes:
        work = replace(work, backwards=True)
        notes.append(language.t("with the words read backwards"))
    source = work.run.source
    if "size" in what_if.changes and isinstance(source, Scratch):
        d_model, n_heads = what_if.other
        other = replace(source, d_model=d_model, n_heads=n_heads)
        work = replace(work, run=replace(work.run, source=other))
        notes.append(
            language.tn(
                "with d_model {width} and {n} head",
                "with d_model {width} and {n} heads",
                n_heads,
                width=d_model,
            )
        )
    return work, reduce(_and, notes) if notes else ""


def _and(one: str, other: str) -> str:
    return language.t("{start}, {next}", start=one, next=other)


def _done(work: Work) -> Any:
    """A small piece of work, waited for."""
    return scheduler().wait(work, f"{st.session_state.reader} {work!r:.40}")


def _proof(run: Run) -> None:
    """The from-scratch layer with the model's weights, beside the model."""
    if model_of(run.source) is None or run.picture is not None:
        return
    with st.expander(t("The proof: our layer, given BERT’s weights, computes BERT’s attention")):
        st.markdown(
            t(
                "`explorer.scratch.transplant` copies a layer’s query, key, value and output "
                "maps into the article’s `SelfAttention`. Both then read the same hidden "
                "states of your text. Measured here, on this text:"
            )
        )
        try:
            rows = _done(Checking(run))
        except ExplorerError as error:
            messages.trouble(str(error), "_of_proof")
            return
        st.text(_verdict(max(r.weights for r in rows)))
        if not isinstance(run.source, Transplanted):
            st.button(
                t("Walk through our layer with these weights"), on_click=_transplant, args=(run,)
            )
        st.dataframe(
            {
                t("layer"): [r.layer for r in rows],
                t("largest difference of a weight"): [f"{r.weights:.1e}" for r in rows],
                t("largest difference of an output"): [f"{r.output:.1e}" for r in rows],
                t("largest number in the output"): [f"{r.size:.2f}" for r in rows],
            },
            hide_index=True,
        )


def _verdict(worst: float) -> str:
    if worst == 0:
        return t(
            "Not one weight differs, not even in its last bit: the largest difference is "
            "0. They are the same machine."
        )
    return t(
        "The largest difference of a weight is {worst}: that is the rounding of 32-bit "
        "numbers, added up in another order. They are the same machine.",
        worst=f"{worst:.1e}",
    )


def _transplant(run: Run) -> None:
    model = model_of(run.source)
    assert model is not None
    other = replace(run, source=Transplanted(model))
    state.fill_inputs(other)
    state.want(other)


def experiments() -> None:
    """What the reader can measure here and now."""
    with st.container(key="experiment_cost"), st.expander(t("Experiment: what does length cost?")):
        _cost()
    with st.container(key="experiment_scale"), st.expander(t("Experiment: what is √dₖ for?")):
        _saturation()


@st.fragment
def _cost() -> None:
    st.markdown(
        t(
            "It is often said that the cost of self-attention grows *exponentially* with "
            "the length of the text. It grows with the **square**: $n^2$ pairs of $d_k$ "
            "products each, $O(n^2 d)$. On a plot with both axes logarithmic a power is a "
            "straight line, and its slope is the exponent. Measure it on the machine that "
            "runs this app, with our layer (one head, $d = 64$)."
        )
    )
    if st.button(t("Measure now"), key="measure"):
        st.session_state.measured = uuid.uuid4().hex
    if not st.session_state.get("measured"):
        return
    with st.spinner(t("Measuring texts of 128 to 2,896 tokens…")):
        cost = _done(Measuring(st.session_state.measured))
    st.plotly_chart(
        cost_figure(cost.lengths, cost.seconds),
        config={"displayModeBar": False},
        alt=t("Time of one forward pass over the number of tokens, both logarithmic."),
    )
    st.text(
        t(
            "Measured slope from 1,024 tokens on: {slope}. A slope of 2 is the square; an "
            "exponential would bend upwards without end. From {lengths} to {lengths_2} "
            "tokens the time grew from {seconds} ms to {seconds_2} ms.",
            slope=f"{cost.slope:.2f}",
            lengths=cost.lengths[0],
            lengths_2=f"{cost.lengths[-1]:,}",
            seconds=f"{cost.seconds[0] * 1000.0:.2g}",
            seconds_2=f"{cost.seconds[-1] * 1000.0:.3g}",
        )
    )


def _saturation() -> None:
    st.markdown(
        t(
            "$q \\cdot k$ is a sum of $d_k$ products, so it spreads more the wider a head "
            "is. Given to softmax as it is, nearly everything goes to one key: its "
            "gradient is almost zero then, and the layer stops learning. Divided by "
            "$\\sqrt{d_k}$ it is a score, and scores keep their spread. Here: random "
            "queries and keys, as they are before any training; 32 keys in a row, so even "
            "attention would be 0.03."
        )
    )
    done = _done(Measuring())
    st.plotly_chart(
        saturation_figure(done.widths, done.scaled, done.unscaled),
        config={"displayModeBar": False},
        alt=t("The largest weight of a row over the width of a head, with and without the scale."),
    )
    st.text(
        t(
            "With d_k = {widths} the largest weight of a row is {unscaled} on average "
            "without the scale, and {scaled} with it.",
            widths=done.widths[-1],
            unscaled=f"{done.unscaled[-1]:.2f}",
            scaled=f"{done.scaled[-1]:.2f}",
        )
    )
