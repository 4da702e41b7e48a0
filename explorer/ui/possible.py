"""What cannot be asked, said before anybody presses Run; as far as it is known without a model."""

import streamlit as st

from explorer import language
from explorer.sources.catalogue import KNOWN
from explorer.ui.speaking import say, t

_NAMES = {known.name: known for known in KNOWN}
_BUILT_IN = {
    "bert": "all-MiniLM-L6-v2",
    "stories": language.t("The teller of little stories"),
    "stories-zh": language.t("The teller of little stories in Chinese"),
}
_LAYERS = ("scratch", "trained", "transplant")
SMALL_SIGHT = next(known for known in KNOWN if known.name == "facebook/deit-tiny-patch16-224")


def ill_suited(kind: str, looks: bool, computes: bool) -> str:
    """Why a kind of model cannot be chosen now, in a few words; empty where it can.

    Args:
        kind: One of `state.KINDS`.
        looks: Whether it shall look at a picture.
        computes: Whether the page computes with the model, for which weights alone are too little.
    """
    if kind == "own":
        return t("no model to compute with") if computes else ""
    return t("reads no pictures") if looks and (kind in _LAYERS or kind in _BUILT_IN) else ""


def why_not(side: str, computes: bool) -> str:
    """Why the inputs ask for what cannot be, and what can; empty where nothing is known of it."""
    get = st.session_state.get
    kind, looks = get(f"{side}kind"), get(f"{side}looks") and get(f"{side}kind") != "own"
    if kind == "own" and computes:
        return t(
            "A file holds attention weights and no model, so there is nothing to compute "
            "from. Explore, Compare and Heads show it; here choose another model."
        )
    known = _NAMES.get((get(f"{side}hub_name") or "").strip()) if kind == "hf" else None
    if looks and (known is None or known.reads == "text"):
        name = known.name if known else say(_BUILT_IN.get(kind, ""))
        if name or kind in _LAYERS:
            who = name or t("The from-scratch layer")
            return t(
                "{who} reads text, not pictures: choose a vision model, or turn off “Picture”.",
                who=who,
            )
    if known and known.reads == "picture" and not looks:
        return t(
            "{name} reads pictures, not text: turn on “Picture”, and give it one.", name=known.name
        )
    return ""


def way_out(side: str) -> None:
    """A button for a vision model, where a picture shall be read by one of texts."""
    if st.session_state[f"{side}looks"]:
        name = SMALL_SIGHT.name.rpartition("/")[2]
        st.button(
            t("Take {name} ({n} MB)", name=name, n=SMALL_SIGHT.megabytes),
            key=f"{side}take_sight",
            width="stretch",
            on_click=_take,
            args=(side,),
        )


def _take(side: str) -> None:
    st.session_state[f"{side}kind"] = "hf"
    st.session_state[f"{side}hub_name"] = SMALL_SIGHT.name
