"""The inputs of a run: text, second text, examples, source and its options, Run."""

import streamlit as st

from explorer.errors import ExplorerError
from explorer.lesson import LEARNING_RATES, LIMITS, TASKS, Trained
from explorer.sources import EXAMPLES, Example
from explorer.ui import state

_KIND_NAMES = {
    "bert": "BERT (all-MiniLM-L6-v2, built in)",
    "scratch": "From-scratch layer (random weights)",
    "trained": "From-scratch layer (trained on a task)",
    "transplant": "From-scratch layer (a BERT’s weights)",
    "hf": "A model of the Hugging Face hub",
    "path": "A model in a folder",
}

_DONORS = {name: _KIND_NAMES[name] for name in ("bert", "hf", "path")}

# A tighter row of examples; on a phone one line, which a finger can push sideways.
_STYLE = """<style>
.st-key-examples { gap: 0 1.1rem; }
.st-key-text textarea, .st-key-second textarea { unicode-bidi: plaintext; text-align: start; }
@media (max-width: 640px) {
  .st-key-examples { flex-wrap: nowrap; overflow-x: auto; scrollbar-width: none; }
  .st-key-run kbd { display: none; }
}
.st-key-run kbd { color: inherit; opacity: 1; }
[class*="st-key-note_"] { padding: 0.6rem 1rem; border-left-width: 4px; }
[class*="st-key-note_"] pre { font-family: inherit; white-space: pre-wrap; }
.st-key-note_trouble { border-left-color: #d9822b; }
.st-key-examples > div { flex: none; width: auto; min-width: 0; }
.st-key-examples button { min-height: 2rem; padding: 0; }
.st-key-examples p { white-space: nowrap; font-size: 0.875rem; }
</style>"""


def ask() -> None:
    """Draw the inputs; a press of Run or of an example becomes the wanted run."""
    st.html(_STYLE)
    words, source = st.columns([5, 2], gap="medium")
    with words:
        _texts()
        _examples()
    with source:
        st.selectbox("Model", state.KINDS, key="kind", format_func=_KIND_NAMES.__getitem__)
        _options()
        st.button(
            "Run", key="run", type="primary", width="stretch", shortcut="Mod+Enter", on_click=_run
        )
        if state.is_changed():
            st.caption("Something was changed: press Run to see it.")


def _texts() -> None:
    first, second = st.columns(2) if st.session_state.pair else (st.container(), None)
    with first:
        st.text_area(
            "Text",
            key="text",
            height=76,
            placeholder="Paste or type a text in any language, then press Run.",
        )
    if second:
        with second:
            st.text_area(
                "Second text",
                key="second",
                height=76,
                help="BERT reads the two as a pair, with [SEP] between them.",
            )


def _examples() -> None:
    with st.container(horizontal=True, key="examples", vertical_alignment="center"):
        st.toggle("Second text", key="pair")
        st.markdown("Examples:")
        for i, example in enumerate(EXAMPLES):
            st.button(
                example.title,
                key=f"example_{i}",
                type="tertiary",
                on_click=_show_example,
                args=(example,),
            )


def _options() -> None:
    kind = st.session_state.kind
    if kind == "transplant":
        st.selectbox("Whose weights", _DONORS, key="donor", format_func=_DONORS.__getitem__)
        kind = st.session_state.donor
    if kind == "hf":
        st.text_input(
            "Model name",
            key="hub_name",
            placeholder="google-bert/bert-base-uncased",
            help="As the hub writes it; name@revision for a certain version. "
            "Only safetensors weights are loaded, and never a model’s own code.",
        )
    elif kind == "path":
        st.text_input(
            "Folder",
            key="folder",
            placeholder="/models/my-bert",
            help="With config.json, tokenizer files and model.safetensors, below one of the "
            "folders that EXPLORER_MODEL_DIRS names.",
        )
    elif kind == "scratch":
        with st.popover("Options of the layer", width="stretch"):
            left, right = st.columns(2)
            left.number_input("d_model (width)", 1, 1024, key="d_model")
            right.number_input("Heads", 1, 16, key="n_heads")
            left.number_input("Layers", 1, 12, key="n_layers")
            right.number_input("Seed", 0, 2**31 - 1, key="seed")
            st.toggle("Add positions", key="positions", help="Sines and cosines, as in the paper.")
            st.toggle("Causal: look only backwards", key="causal")
    elif kind == "trained":
        with st.popover("What it has learned", width="stretch"):
            task()
            lesson()


def task() -> None:
    """The task of a training."""
    st.selectbox(
        "Task",
        list(TASKS),
        key="t_task",
        format_func=lambda name: TASKS[name].title,
        on_change=_other_task,
    )


def lesson() -> None:
    """The settings of a training."""
    task = TASKS[st.session_state.t_task]
    left, right = st.columns(2)
    left.number_input("Length of a sequence", task.shortest, LIMITS["length"][1], key="t_length")
    right.number_input("Training steps", *LIMITS["steps"], key="t_steps")
    left.number_input("Heads", *LIMITS["n_heads"], key="t_n_heads")
    right.number_input("Layers", *LIMITS["n_layers"], key="t_n_layers")
    left.number_input("d_model (width)", *LIMITS["d_model"], key="t_d_model")
    right.number_input(
        "Learning rate", *LEARNING_RATES, key="t_learning_rate", step=0.001, format="%g"
    )
    left.number_input("Seed", *LIMITS["seed"], key="t_seed")


def _other_task() -> None:
    """Another task comes with its own settings."""
    state.fill_lesson(Trained(st.session_state.t_task))


def _run() -> None:
    try:
        state.want(state.run_from_inputs())
    except ExplorerError as error:
        state.failed(str(error))


def _show_example(example: Example) -> None:
    state.fill_inputs(example.run)
    state.want(example.run, example.opening)
