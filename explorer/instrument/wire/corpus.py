"""All heads over a corpus as bytes for the browser; `numbers/corpus.js` is the other end.

Blocks: mean, spread, and the values between which eight tenths of the texts lie, each float64
``[measure, head]``, heads counted through all layers; a file that was asked for.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.instrument.wire.about import About
from explorer.instrument.wire.container import Block, of_bytes, write
from explorer.language import Said, t
from explorer.visible import visible

if TYPE_CHECKING:
    from explorer.corpus.comparing import Compared
    from explorer.corpus.overview import Overview

_ROWS = 400  # differences that are sent
_NAME = re.compile(r"[^\x00-\x1f/\\]{1,120}")


@dataclass(frozen=True)
class Named:
    """A measure in words: what it is called, and what exactly is measured."""

    name: Said
    exactly: Said


MEASURES: Mapping[str, Named] = {
    "entropy": Named(
        t("Entropy"),
        t("How spread out a row is, in bits: 0 where all attention is on one token. The mean."),
    ),
    "evenness": Named(
        t("Entropy, of the possible"),
        t("The entropy, divided by that of even attention over all tokens a row may look at."),
    ),
    "sharpness": Named(
        t("Largest weight of a row"), t("The largest weight of each row: the mean over all rows.")
    ),
    "strongest": Named(
        t("Strongest weight"),
        t("The largest weight of a text; the first row and the first column are left out."),
    ),
    "distance": Named(
        t("Mean distance"),
        t("How many tokens lie from the one that looks to the one that is looked at."),
    ),
    "distance variance": Named(
        t("Variance of the distance"), t("How much that distance varies over all attention.")
    ),
    "self": Named(t("Attention to itself"), t("The weight of each token on itself.")),
    "previous": Named(
        t("Attention to the token before"), t("The weight on the token just before.")
    ),
    "next": Named(t("Attention to the token after"), t("The weight on the token just after.")),
    "first": Named(t("Attention to the first token"), t("The weight on the first token.")),
    "column": Named(
        t("Attention to one token at most"),
        t("The mean of each column of the map; of these the largest."),
    ),
    "special": Named(
        t("Attention to special tokens"),
        t("The weights on special tokens, added up in each row. Of texts that have some."),
    ),
    "punctuation": Named(
        t("Attention to punctuation"),
        t("The weights on tokens that are punctuation alone. Of texts that have some."),
    ),
    "same word": Named(
        t("Attention to the same word elsewhere"),
        t("The weights on other tokens of the same word. Of texts that have a word twice."),
    ),
    "after the same word": Named(
        t("Attention to what followed the same word (induction)"),
        t("The weights on the tokens that came right after earlier ones of the same word."),
    ),
    "no token": Named(
        t("Attention to no token"), t("What is missing to 1 in each row: a sink, or all masked.")
    ),
    "own sentence": Named(
        t("Attention within the sentence"),
        t("The weights on words of the same sentence. Of texts with several sentences."),
    ),
}
_UNITS = {"share": "", "bits": t("bits"), "tokens": t("tokens"), "tokens²": t("tokens²")}


@dataclass(frozen=True)
class Beside:
    """Another folder that this one is compared with.

    Attributes:
        name: Its name in a link.
        title: What it is called.
        found: What differs; None where they cannot be compared.
        why: Why they cannot.
    """

    name: str
    title: str
    found: "Compared | None"
    why: str = ""


def pack_corpus(
    over: "Overview",
    *,
    corpus_id: str,
    name: str,
    kind: str,
    link: Mapping[str, str] | None,
    about: About,
    place: tuple[int, int],
    pins: Mapping[str, str] | None = None,
    head: Mapping[str, Any] | None = None,
    others: Sequence[tuple[str, str]] = (),
    beside: Beside | None = None,
    growing: bool = False,
    opening: Mapping[str, str] | None = None,
    page: str = "",
) -> bytes:
    """The payload of a folder.

    Args:
        over: All its heads.
        corpus_id: Names it: payloads with one id add to the same picture.
        name: By which a link calls it.
        kind: As `OnShelf.kind`.
        link: The URL parameters that lead here.
        about: Whose picture it is.
        place: The layer's own number and the head that is looked at on all pages.
        pins: The tokens that are pinned on all pages, as a link has them.
        head: What is known of one head (`wire/corpushead.py`); None while none is chosen.
        others: Folders that it can be compared with: name and title.
        beside: The one that it is compared with.
        growing: Whether it is still being read.
        opening: The view that a file opens with, by the names that a link uses.
        page: All this as a file, if it was asked for.
    """
    header = {
        "id": corpus_id,
        "name": name,
        "kind": kind,
        "link": link,
        "about": asdict(about),
        "model": visible(over.model),
        "corpus": about.text or visible(over.corpus),
        "measures": [_measure(over, i) for i in range(len(over.names))],
        "layers": list(over.layers),
        "n_heads": over.n_heads,
        "n_texts": over.n_texts,
        "n_tokens": over.n_tokens,
        "place": list(place),
        "pins": dict(pins or {}),
        "head": head,
        "others": [list(one) for one in others],
        "beside": beside and _beside(beside),
        "growing": growing,
        "opening": opening,
    }
    return write(header, [*_blocks(over), of_bytes({"kind": "page"}, page.encode())])


def pack_none(about: About, link: Mapping[str, str] | None) -> bytes:
    """The payload of a folder that cannot be shown: whose it would be."""
    return write({"waits": asdict(about), "link": link}, [])


def measure_name(name: str) -> str:
    """What a measure is called."""
    return MEASURES[name].name if name in MEASURES else name


def _measure(over: "Overview", i: int) -> dict[str, Any]:
    name, unit = over.names[i], over.units[i]
    named = MEASURES.get(name)
    return {
        "key": name,
        "name": named.name if named else name,
        "exactly": named.exactly if named else t("As whoever made this tree calls it."),
        "unit": _UNITS.get(unit, unit),
        "share": unit == "share",
        "n": over.n[i],
    }


def _blocks(over: "Overview") -> list[Block]:
    shape = len(over.names), len(over.layers) * over.n_heads
    values = {"mean": over.mean, "spread": over.spread, "low": over.low, "high": over.high}
    return [({"kind": kind}, array.reshape(shape)) for kind, array in values.items()]


def _beside(beside: Beside) -> dict[str, Any]:
    found = beside.found
    said: dict[str, Any] = {"name": beside.name, "title": beside.title, "why": beside.why}
    if found is None:
        return said | {"rows": [], "n_differs": 0, "n_tested": 0, "same_texts": False}
    tested = np.isfinite(found.found.p)
    return said | {
        "rows": [list(row) for row in found.strongest(_ROWS)],
        "n_differs": int(found.found.differs.sum()),
        "n_tested": int(tested.sum()),
        "same_texts": found.same_texts,
    }


# --- what the browser asks ----------------------------------------------------------------------


@dataclass(frozen=True)
class Wish:
    """What a reader wants of a folder beyond all its heads.

    Attributes:
        layer, head: The head that is looked at; None for none.
        measure: By which its examples stand in order.
        beside: The folder that it is compared with; empty for none.
    """

    layer: int | None = None
    head: int | None = None
    measure: str = ""
    beside: str = ""


def wish_of(sent: object) -> Wish | None:
    """What a page has asked; None where that cannot be read."""
    if not isinstance(sent, Mapping):
        return None
    layer, head = (_whole(sent.get(name)) for name in ("layer", "head"))
    if layer is None or head is None:
        layer = head = None
    measure, beside = (_word(sent.get(name)) for name in ("measure", "beside"))
    return Wish(layer, head, measure, beside)


def _whole(said: object) -> int | None:
    if not isinstance(said, int | float) or isinstance(said, bool) or not 0 <= said < 2**31:
        return None
    return int(said) if said == int(said) else None


def _word(said: object) -> str:
    return said if isinstance(said, str) and _NAME.fullmatch(said) else ""
