"""The inputs of a run: text, second text, examples, source and its options, Run."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from explorer import language
from explorer.errors import ExplorerError
from explorer.history import TrainingHistory
from explorer.lesson import LEARNING_RATES, LETTERS, LIMITS, TASKS, Trained
from explorer.run import PARTS
from explorer.sources import EXAMPLES, Example
from explorer.sources.catalogue import KNOWN
from explorer.ui import offer, possible, state, uploads
from explorer.ui.scheduler import scheduler
from explorer.ui.speaking import say, t
from explorer.ui.work import Recording

_KIND_NAMES = {
    "bert": language.t("BERT (all-MiniLM-L6-v2, built in)"),
    "stories": language.t("Little stories (a decoder, built in)"),
    "stories-zh": language.t("Little stories in Chinese (a decoder, built in)"),
    "scratch": language.t("From-scratch layer (random weights)"),
    "trained": language.t("From-scratch layer (trained on a task)"),
    "transplant": language.t("From-scratch layer (a BERT’s weights)"),
    "hf": language.t("A model of the Hugging Face hub"),
    "path": language.t("A model in a folder"),
    "own": language.t("My own attention weights (a file)"),
}
_PARTS = {
    "cross": language.t("Cross"),
    "encoder": language.t("Encoder"),
    "decoder": language.t("Decoder"),
}
_BY_NAME = {known.name: known for known in KNOWN}

_DONORS = {name: _KIND_NAMES[name] for name in state.DONORS}


def ask(computes: bool = False, more: Callable[[], None] | None = None) -> None:
    """Draw the inputs; a press of Run or of an example becomes the wanted run.

    Args:
        computes: Whether the page computes with the model, so that weights alone are too little.
        more: Draws what a page asks for beyond a run.
    """
    with st.container(key="ask"):
        words, source = st.columns([5, 2], gap="medium")
        with words:
            texts()
            with st.container(horizontal=True, key="below_text", vertical_alignment="center"):
                _examples()
            if more:
                more()
        with source:
            model(computes=computes)
            impossible = possible.why_not("", computes)
            st.button(
                t("Run"),
                key="run",
                type="primary",
                width="stretch",
                shortcut="Mod+Enter",
                on_click=run,
                disabled=bool(impossible),
                help=impossible or None,
            )
            if impossible:
                with st.container(key="impossible"):
                    st.caption(impossible)
                    possible.way_out("")
            elif state.is_changed():
                with st.container(key="changed"):  # the style dims the picture beside it
                    st.caption(t("Something was changed: press Run to see it."))
    offer.draw()


def ask_for_two() -> None:
    """Draw the inputs of two runs, A and B."""
    for column, side, name in zip(
        st.columns(2, gap="large"), ("", state.B), ("A", "B"), strict=True
    ):
        with column:
            texts(side, t("Text of {name}", name=name))
            with st.container(horizontal=True):
                _switches(side)
            model(side, t("Model of {name}", name=name))
    offer.draw()


def texts(side: str = "", title: str | None = None) -> None:
    """The text and, if wanted, the second text of a run; or its picture."""
    if st.session_state[f"{side}kind"] == "own":
        uploads.ask_for_weights(side, then=None if side else run)
        return
    if st.session_state[f"{side}looks"]:
        uploads.ask_for_picture(side)
        return
    paired = st.session_state[f"{side}pair"]
    first, second = st.columns(2) if paired else (st.container(), None)
    with first:
        st.text_area(
            title or t("Text"),
            key=f"{side}text",
            height=76,
            placeholder=t("Paste or type a text in any language, then press Run."),
        )
    if second:
        with second:
            st.text_area(
                t("Second text") if not side else t("Second text of B"),
                key=f"{side}second",
                height=76,
                help=t(
                    "BERT reads the two as a pair, with [SEP] between them. For an encoder-decoder "
                    "it is what the model shall write; without one it writes itself."
                ),
            )


def _switches(side: str = "") -> None:
    looks, own = st.session_state[f"{side}looks"], st.session_state[f"{side}kind"] == "own"
    st.toggle(t("Second text"), key=f"{side}pair", disabled=looks or own)
    st.toggle(t("Picture"), key=f"{side}looks", disabled=own)
    if state.has_template(side) and not looks:
        st.toggle(
            t("As a conversation"),
            key=f"{side}chat",
            help=t(
                "Lines that begin with “system:”, “user:” or “assistant:” are turns, which the "
                "model’s own chat template writes as it was trained on them; “Write” answers "
                "as the assistant. A text without such lines is one turn of the user."
            ),
        )


def _examples() -> None:
    with st.container(horizontal=True, key="switches"):
        _switches()
    with st.container(horizontal=True, key="examples", vertical_alignment="center"):
        st.markdown(t("Examples:"))
        for i, example in enumerate(EXAMPLES):
            st.button(
                say(example.title),
                key=f"example_{i}",
                type="tertiary",
                on_click=_show_example,
                args=(example,),
            )


def model(side: str = "", title: str | None = None, computes: bool = False) -> None:
    """What reads the text, and its options; what cannot be chosen is named with the reason."""
    looks = st.session_state[f"{side}looks"]

    def named(kind: str) -> str:
        why = possible.ill_suited(kind, looks, computes)
        name = say(_KIND_NAMES[kind])
        return t("{name} — {why}", name=name, why=why) if why else name

    st.selectbox(title or t("Model"), state.KINDS, key=f"{side}kind", format_func=named)
    kind = st.session_state[f"{side}kind"]
    if kind == "transplant":
        st.selectbox(
            t("Whose weights"),
            _DONORS,
            key=f"{side}donor",
            format_func=lambda donor: say(_DONORS[donor]),
        )
        kind = st.session_state[f"{side}donor"]
    if kind == "hf":
        _hub_name(side)
    elif kind == "path":
        st.text_input(
            t("Folder"),
            key=f"{side}folder",
            placeholder="/models/my-bert",
            help=t(
                "With config.json, tokenizer files and model.safetensors, below one of the "
                "folders that EXPLORER_MODEL_DIRS names."
            ),
        )
    elif kind == "scratch":
        with st.popover(t("Options of the layer"), width="stretch"):
            _scratch(side)
    elif kind == "trained":
        with st.popover(t("What it has learned"), width="stretch"):
            task(side)
            corpus(side)
            lesson(side)
        st.button(
            t("Fill in an example sequence"),
            key=f"{side}example_sequence",
            type="tertiary",
            on_click=_example_sequence,
            args=(side,),
        )
    if state.has_parts(side):
        st.segmented_control(
            t("Attention"),
            PARTS,
            key=f"{side}part",
            format_func=lambda part: say(_PARTS[part]),
            required=True,
            on_change=None if side else run,
            help=t(
                "Cross: where what is written looks in the text. Encoder: the text in itself. "
                "Decoder: what is written in itself."
            ),
        )
    _languages(side)


def _languages(side: str) -> None:
    """The languages of a model that translates, once it is known which it has."""
    known = state.languages(side)
    if not known:
        return
    titles = t("Source language"), t("Target language")
    names = "source_language", "target_language"
    for column, title, name in zip(st.columns(2), titles, names, strict=True):
        key = f"{side}{name}"
        if st.session_state[key] not in known:
            st.session_state[key] = None
        column.selectbox(
            title,
            known,
            key=key,
            index=None,
            placeholder=t("As its files say"),
            help=t("By the names that the model’s tokenizer has for them."),
        )


def _hub_name(side: str) -> None:
    from explorer.sources.download import downloaded

    here = downloaded()
    recent = [*st.session_state.recent, *here]
    st.selectbox(
        t("Model name"),
        list(dict.fromkeys([*recent, *_BY_NAME])),
        key=f"{side}hub_name",
        index=None,
        accept_new_options=True,
        placeholder=t("Choose one, or type a name"),
        on_change=_take_name,
        args=(side,),
        help=t(
            "As the hub writes it, such as google-bert/bert-base-uncased; name@revision "
            "for a certain version. Only safetensors weights are loaded, and never a "
            "model’s own code."
        ),
    )
    chosen = st.session_state[f"{side}hub_name"] or ""
    known = _BY_NAME.get(chosen)
    if known:
        size = (
            t("on this machine") if chosen in here else t("about {n} MB", n=f"{known.megabytes:,}")
        )
        st.text(
            t(
                "{about}. {layers} layers, {heads} heads; {size}.",
                about=say(known.about),
                layers=known.layers,
                heads=known.heads,
                size=size,
            )
        )
    elif chosen in here:
        st.text(t("It is on this machine."))


def _take_name(side: str) -> None:
    """Typing in the box drops the name that is in it: “@main” means a revision of that model."""
    session, key = st.session_state, f"{side}hub_name"
    former = (session.kept.get(key) or "").partition("@")[0].strip()
    if (session[key] or "").strip().startswith("@") and former:
        session[key] = former + session[key].strip()


def _scratch(side: str) -> None:
    left, right = st.columns(2)
    left.number_input(t("d_model (width)"), 1, 1024, key=f"{side}d_model")
    right.number_input(t("Heads"), 1, 16, key=f"{side}n_heads")
    left.number_input(t("Layers"), 1, 12, key=f"{side}n_layers")
    right.number_input(t("Seed"), 0, 2**31 - 1, key=f"{side}seed")
    st.toggle(
        t("Add positions"), key=f"{side}positions", help=t("Sines and cosines, as in the paper.")
    )
    st.toggle(t("Causal: look only backwards"), key=f"{side}causal")


def task(side: str = "") -> None:
    """The task of a training."""
    st.selectbox(
        t("Task"),
        list(TASKS),
        key=f"{side}t_task",
        format_func=lambda name: say(TASKS[name].title),
        on_change=_other_task,
        args=(side,),
    )


def corpus(side: str = "") -> None:
    """The text that is learned from, for a task that has one."""
    if TASKS[st.session_state[f"{side}t_task"]].of_text:
        st.text_area(
            t("Text to learn from"),
            key=f"{side}t_corpus",
            height=96,
            placeholder=t(
                "Paste {letters} to {letters_2} characters, then press Start. Empty: “This is "
                "the house that Jack built.”",
                letters=f"{LETTERS[0]:,}",
                letters_2=f"{LETTERS[1]:,}",
            ),
        )


def lesson(side: str = "") -> None:
    """The settings of a training."""
    chosen = TASKS[st.session_state[f"{side}t_task"]]
    left, right = st.columns(2)

    def number(place: Any, title: str, name: str, least: int = 0) -> None:
        low, high = LIMITS[name]
        high = min(high, chosen.longest) if name == "length" else high
        place.number_input(title, max(low, least), high, key=f"{side}t_{name}")

    number(left, t("Length of a sequence"), "length", chosen.shortest)
    number(right, t("Training steps"), "steps")
    number(left, t("Heads"), "n_heads")
    number(right, t("Layers"), "n_layers")
    number(left, t("d_model (width)"), "d_model")
    right.number_input(
        t("Learning rate"), *LEARNING_RATES, key=f"{side}t_learning_rate", step=0.001, format="%g"
    )
    number(left, t("Seed"), "seed")


def _other_task(side: str) -> None:
    """Another task comes with its own settings; a text that was pasted stays."""
    pasted = st.session_state[f"{side}t_corpus"]
    state.fill_lesson(Trained(st.session_state[f"{side}t_task"]), side)
    st.session_state[f"{side}t_corpus"] = pasted


def _example_sequence(side: str) -> None:
    try:
        wish = Recording(state.lesson_from_inputs(side), None)
        history: TrainingHistory = scheduler().wait(wish, f"{st.session_state.reader} example")
    except ExplorerError as error:
        state.failed(str(error))
        return
    st.session_state[f"{side}text"], st.session_state[f"{side}pair"] = history.trace.texts[0], False


def run() -> None:
    """Ask for what the inputs say; a model that is not here is offered first."""
    try:
        wanted = state.run_from_inputs()
        if not offer.lacks((wanted,), run):
            state.want(wanted)
    except ExplorerError as error:
        state.failed(str(error))


def _show_example(example: Example) -> None:
    state.fill_inputs(example.run)
    state.want(example.run, example.opening)
