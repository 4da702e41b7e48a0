"""Whose picture it is: what every page says of what it shows, in its first line and in files."""

import math
import re
from dataclasses import dataclass

from explorer.code import python_of
from explorer.instrument.wire.notes import Note, Other, notes_of, other_of
from explorer.language import t
from explorer.run import Run
from explorer.source import Scratch
from explorer.sources import notice_of
from explorer.trace import AttentionTrace, ModelInfo
from explorer.visible import visible

PART_NAMES = {
    "encoder": t("self-attention of the encoder"),
    "decoder": t("self-attention of the decoder"),
    "cross": t("cross-attention"),
}
_NAMED = 24  # letters of a text in the name of a file
SHOWN = 400  # letters of a text that travel in the line


@dataclass(frozen=True)
class About:
    """What is said of a result before any number of it.

    Attributes:
        title: The model, and which attention of it.
        passport: How far its numbers were checked, in a sentence; empty where nothing was read.
        checked: The largest difference found, such as ``3e-6``; None where none was measured.
        text: What was read, or its beginning, in one line; what nobody sees is a mark.
        n_layers: Layers with attention.
        n_heads: Heads of each.
        n_tokens: Tokens that look, of all texts together.
        n_texts: How many texts there are; of several `text` is the first.
        noise: Whether the weights are random, so that no picture of them means anything.
        asked: Which of a reader's runs it is: with a new one, the inputs fold.
        made: When it came, in seconds since 1970; None where nobody knows.
        code: The Python that gives the same trace; empty where there is none.
        notice: What an example shows, if it is one.
        facts: What is said in place of the text and the sizes.
        notes: What else is to be known of it.
        other: A model that may know the words that this one does not.
    """

    title: str
    passport: str
    checked: str | None
    text: str
    n_layers: int
    n_heads: int
    n_tokens: int
    noise: bool = False
    asked: int = 0
    made: float | None = None
    code: str = ""
    notice: str = ""
    facts: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    other: Other | None = None
    n_texts: int = 1

    @staticmethod
    def of(
        trace: AttentionTrace, run: Run | None = None, *, asked: int = 0, made: float | None = None
    ) -> "About":
        """What is to be said of a trace, and of the run that it came from."""
        model = trace.model
        return About(
            title_of(model),
            passport_words(model),
            checked(model),
            visible(" ".join(" / ".join(trace.texts)[:SHOWN].split())),
            model.n_layers,
            model.n_heads,
            len(trace.query_tokens),
            run is not None and isinstance(run.source, Scratch),
            asked,
            made,
            python_of(run) if run else "",
            notice_of(run) if run else "",
            notes=notes_of(trace, run),
            other=other_of(trace),
        )


def file_name(about: About, ending: str, what: str = "") -> str:
    """What a file is called after, as `fileName` of save/handing.js calls it."""
    line = " ".join(about.text.split())
    if len(line.encode("utf-16-le")) > 2 * _NAMED:  # as a browser counts letters
        cut = line.encode("utf-16-le")[: 2 * _NAMED].decode("utf-16-le", "replace")
        line = re.sub(r"\s\S{0,12}$", "", cut)
    words = re.sub("[^a-z0-9]+", "-", f"{about.title} {line} {what}".lower())
    return f"{words.strip('-')}.{ending}"


def title_of(model: ModelInfo) -> str:
    """What made the weights, in words."""
    if model.part not in PART_NAMES:
        return model.name
    return t("{model}, {part}", model=model.name, part=PART_NAMES[model.part])


def checked(model: ModelInfo) -> str | None:
    """The largest difference of a model's numbers from its own; None where none was measured."""
    found = model.passport
    if found is None or found.form != "scores":
        return None
    if not found.weights:
        return "0"
    power = 10.0 ** math.floor(math.log10(found.weights))
    # Upwards: else it would be off by more.
    rounded = math.ceil(found.weights / power - 1e-9) * power
    return f"{rounded:.0e}".replace("e-0", "e-")


def passport_words(model: ModelInfo) -> str:
    """How far a model's numbers were found from its own, in words; empty where nothing was read."""
    found = model.passport
    if found is None:
        return ""
    if found.form == "scores":
        return t(
            "checked against Transformers on {n_tokens} tokens: no weight is off by more "
            "than {model}",
            n_tokens=found.n_tokens,
            model=checked(model),
        )
    return t("its weights are those that Transformers returns, as {reason}", reason=found.reason)
