"""The page “Compare”: two runs side by side, and how far their heads are apart."""

from collections.abc import Mapping
from functools import partial

import streamlit as st

from explorer import export, language
from explorer.analysis.comparison import Comparison
from explorer.analysis.profiles import ENTROPY
from explorer.errors import ExplorerError
from explorer.headname import head_name
from explorer.instrument import component
from explorer.instrument.component import heard
from explorer.instrument.wire.about import file_name
from explorer.instrument.wire.compare import pack_compare
from explorer.instrument.wire.request import Head, Request, file_of, side_of
from explorer.instrument.wire.trace import layers_to_send, pack
from explorer.place import Place
from explorer.run import LINK_BYTES, Run
from explorer.sources import EXAMPLES
from explorer.trace import AttentionTrace
from explorer.ui import background, controls, offer, place, state
from explorer.ui.answers import answers, file, offer_npz
from explorer.ui.scheduler import scheduler
from explorer.ui.show import about_of, name_of
from explorer.ui.speaking import t
from explorer.ui.work import Comparing
from explorer.views.comparison import distance_figure, entropy_figure


def ask() -> None:
    """The inputs of both runs, and Compare."""
    _open()
    with st.container(key="ask"):
        controls.ask_for_two()
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                t("Compare"), key="compare", type="primary", shortcut="Mod+Enter", on_click=_compare
            )
            st.button(t("Give B the text of A"), key="same_text", on_click=_same_text)
            st.button(t("Swap A and B"), key="swap", on_click=_swap)
            if _is_changed():
                with st.container(key="changed"):  # the style dims the picture beside it
                    st.caption(t("Something was changed: press Compare to see it."))


def _is_changed() -> bool:
    """Whether the inputs ask for something else than what is shown or on its way."""
    try:
        wanted = Comparing(state.run_from_inputs(), state.run_from_inputs(state.B))
    except ExplorerError:
        return False  # Compare says what is wrong
    return wanted != st.session_state.pair_wanted


def _open() -> None:
    """A begins as what was shown last; B as the link says, else as what stands against A."""
    session = st.session_state
    # A link may ask for a model that is not here: then nothing is shown yet.
    current: Run = session.wanted or session.shown or EXAMPLES[0].run
    if "pair_wanted" not in session:
        session.pair_requests = {}
        session.pair_layers = _layers_in_address()
        b = _b_in_address(current)
    elif state.went_through_history() and _names_b():  # an earlier comparison, or a later one
        session.pair_layers = _layers_in_address()
        b = _b_in_address(current)
    elif session.pair_wanted.a != current:
        b = state.opposite(current)  # another page has gone on: what is shown there is A now
    else:
        return
    state.fill_inputs(b, state.B)
    session.pair_wanted = Comparing(current, b)


def _names_b() -> bool:
    return any(state.B + name in st.query_params for name in ("source", "text"))


def _layers_in_address() -> dict[str, int]:
    query = st.query_params.to_dict()
    own = Head.of(query).layer if "layer" in query else place.here().layer
    return {"a": own, "b": Head.of({"layer": query.get("b_layer")}).layer}


def _place(pair: Comparing, shown: Comparison) -> dict[str, str] | None:
    """What A opens with: where other pages look, if a reader has chosen that."""
    view = place.opening(pair.a, shown.a)
    return None if view == Place().to_query() else view


def _b_query() -> dict[str, str]:
    return {k.removeprefix(state.B): v for k, v in st.query_params.items() if k.startswith(state.B)}


def _b_named(a: Run, query: Mapping[str, str]) -> Run | None:
    own = {"text": a.text} | ({"second": a.second} if a.second else {})
    return Run.from_query(query if query.get("text") else {**query, **own})


def _is_named(pair: Comparing) -> bool:
    """Whether the address names these two already, in whatever way."""
    query = st.query_params.to_dict()
    try:
        return Run.from_query(query) == pair.a and _b_named(pair.a, _b_query()) == pair.b
    except ExplorerError:
        return False


def _b_in_address(a: Run) -> Run:
    query = _b_query()
    lost = state.lost_in(query)
    if lost:
        state.went_wrong(lost)
    if lost or ("source" not in query and "text" not in query):
        return state.opposite(a)
    try:
        run = _b_named(a, query)
        if run is None:
            return state.opposite(a)
        state.permitted(run.source)
        return state.opposite(a) if state.lacks_model(run) else run
    except ExplorerError as error:
        state.went_wrong(
            language.t("This link cannot be opened as it is. {error}", error=str(error))
        )
        return state.opposite(a)


def _compare() -> None:
    session = st.session_state
    try:
        wanted = Comparing(state.run_from_inputs(), state.run_from_inputs(state.B))
        if offer.lacks((wanted.a, wanted.b), _compare):
            return
    except ExplorerError as error:
        state.went_wrong(str(error))
        return
    session.pair_wanted, session.wanted = wanted, wanted.a
    state.went_wrong(None)
    session.asked_times += 1


def _same_text() -> None:
    session = st.session_state
    for name in ("text", "second", "pair", "looks", "picture"):
        session[state.B + name] = session[name]


def _swap() -> None:
    try:
        a, b = state.run_from_inputs(), state.run_from_inputs(state.B)
    except ExplorerError as error:
        state.went_wrong(str(error))
        return
    state.fill_inputs(b)
    state.fill_inputs(a, state.B)
    _compare()


def result() -> None:
    """Draw the wanted comparison if it is ready, else the last one under a note of progress."""
    found = background.outcome("pair", st.session_state.pair_wanted)
    if found:
        pair, comparison = found
        if pair == st.session_state.pair_wanted:  # else the address may be of the one to come
            _write_address(pair)
        offer.of_others((comparison.a, pair.a), (comparison.b, pair.b), then=_compare)
        _pair(comparison, pair)
        _charts(comparison)
    scheduler().warm_up()


def link_of(pair: Comparing) -> dict[str, str] | None:
    """Both runs as URL parameters; None if no link can carry them."""
    if pair.a.is_of_a_file() or pair.b.is_of_a_file():
        return None
    own = pair.b.to_query()
    if (pair.b.text, pair.b.second) == (pair.a.text, pair.a.second):
        own = {name: value for name, value in own.items() if name not in ("text", "second")}
        own.setdefault("source", pair.b.source.spec)
    query = pair.a.to_query() | {state.B + name: value for name, value in own.items()}
    return query if sum(len(k) + len(v.encode()) for k, v in query.items()) < LINK_BYTES else None


def _write_address(pair: Comparing) -> None:
    """Let the address name what is compared: every comparison is one step of the history.

    Of a page that was just opened the browser writes it, in the step that led there.
    """
    own, now = link_of(pair), st.query_params.to_dict()
    link = own or _marks(pair)
    is_left = own is not None and (not {"text", "source"} & now.keys() or _is_named(pair))
    if not is_left and any(now.get(name) != value for name, value in link.items()):
        state.set_address(link)
    st.session_state.address = pair.a


def _marks(pair: Comparing) -> dict[str, str]:
    """What the address says of a pair that it cannot carry."""
    a, b = state.mark_of(pair.a), state.mark_of(pair.b)
    query = {a: "1"} if a else pair.a.to_query()
    if a and not b:
        return query | {state.B + name: value for name, value in pair.b.to_query().items()}
    return query | {state.B + (b or "long"): "1"}


@st.fragment
def _pair(shown: Comparison, pair: Comparing) -> None:
    session = st.session_state
    link = link_of(pair)
    view, session.pair_file = session.get("pair_file"), None  # a file is handed out once
    payloads = tuple(
        _side(side, trace, run)
        for side, trace, run in (("a", shown.a, pair.a), ("b", shown.b, pair.b))
    )
    abouts = about_of(shown.a, pair.a), about_of(shown.b, pair.b)
    to_html = partial(export.comparison_to_html, shown, abouts=abouts)
    payload = pack_compare(
        shown,
        (payloads[0], payloads[1]),
        compare_id=f"{name_of(pair.a)}-{name_of(pair.b)}",
        link=link,
        opening=_place(pair, shown),
        page=file(view, lambda r: to_html(opening=view, report=r)) if view else "",
    )

    def on_request(wish: tuple[str, Request]) -> None:
        side, request = wish
        session.pair_requests[side] = request
        session.pair_layers[side] = request.layer

    def on_file(view: Mapping[str, str]) -> None:
        session.pair_file = view

    def on_sent(sent: object) -> None:
        heard(file_of, on_file)(sent)
        heard(side_of, on_request)(sent)

    component.show("compare", payload, key="pair_view", request=on_sent)
    one, other = (file_name(about, "").rstrip(".") for about in abouts)
    size = 2 * (shown.a.nbytes + shown.b.nbytes)
    make = partial(export.comparison_to_npz, shown)
    offer_npz(f"{one}-and-{other}.npz", make, size, id(shown))


def _side(side: str, trace: AttentionTrace, run: Run) -> bytes:
    session = st.session_state
    request: Request | None = session.pair_requests.get(side)
    session.pair_requests[side] = request and request.without_page()

    trace_id = f"{side}{name_of(run)}"
    return pack(
        trace,
        trace_id=trace_id,
        layers=layers_to_send(trace, session.pair_layers[side]),
        about=about_of(trace, run),
        answers=answers(f"pair_{side}", trace, trace_id, request, Head(session.pair_layers[side])),
    )


def _charts(shown: Comparison) -> None:
    with st.expander(t("Every head of A against every head of B, and how evenly both look")):
        left, right = st.columns(2, gap="large")
        with left:
            st.text(
                t(
                    "Distance of heads: Jensen–Shannon divergence of their rows, mean over "
                    "{n_rows} common words, in bits",
                    n_rows=f"{shown.n_rows:,}",
                )
            )
            st.plotly_chart(
                distance_figure(shown.distance, shown.a.numbers, shown.b.numbers),
                config={"displayModeBar": False},
                alt=t("Distance of every head of A from every head of B."),
            )
        with right:
            st.text(t("Entropy of every head, as a share of what even attention would have"))
            st.plotly_chart(
                entropy_figure(
                    shown.profiles_a.measures,
                    shown.profiles_b.measures,
                    shown.a.numbers,
                    shown.b.numbers,
                ),
                config={"displayModeBar": False},
                alt=t("Entropy of every head of A and B, layer by layer."),
            )
        st.dataframe(_table(shown), hide_index=True)


def _table(shown: Comparison) -> dict[str, list[object]]:
    """Every head of A: its namesake or match, the distance, the best match, the entropies."""
    matches = shown.best_match()
    width = shown.distance.shape[1]
    bits_a, bits_b = (p.measures[ENTROPY] for p in (shown.profiles_a, shown.profiles_b))
    rows = shown.ranking()
    best = [matches[layer * width + head] for layer, head, *_ in rows]
    nearest = [float(shown.distance[(r[0], r[1], *b)]) for r, b in zip(rows, best, strict=True)]
    return {
        t("head of A"): [_name(shown.a, *r[:2]) for r in rows],
        t("compared with B’s"): [_name(shown.b, *r[2:4]) for r in rows],
        t("distance (bits)"): [round(r[4], 4) for r in rows],
        t("best match in B"): [_name(shown.b, *b) for b in best],
        t("its distance"): [round(d, 4) for d in nearest],
        t("entropy in A (bits)"): [round(float(bits_a[r[0], r[1]]), 3) for r in rows],
        t("entropy in B (bits)"): [round(float(bits_b[r[2], r[3]]), 3) for r in rows],
    }


def _name(trace: AttentionTrace, layer: int, head: int) -> str:
    """A head by the model's own number of its layer."""
    return head_name(trace.numbers[layer], head)
