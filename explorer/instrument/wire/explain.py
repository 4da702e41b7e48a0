"""What is asked on Explain and what was found, as the browser reads it: JSON.

`explained.js` of the numbers is the other end.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np

from explorer.analysis.explanation import Explanation, Score, held_against, truth_line
from explorer.analysis.pointing import Pointing
from explorer.analysis.profiles import Doubles
from explorer.instrument.wire.about import About
from explorer.instrument.wire.container import of_bytes, write
from explorer.language import sentences, t
from explorer.target import (
    MOST_GUESS,
    ClassScore,
    How,
    Likeness,
    MaskedWord,
    NextWord,
    OutputVector,
    Target,
    WrittenSpan,
    target_from_query,
)
from explorer.trace import Token

Predictions = Sequence[tuple[str, float]]
KIND_OF: dict[type[Target], str] = {
    Likeness: "like",
    MaskedWord: "word",
    ClassScore: "class",
    OutputVector: "vector",
    NextWord: "next",
    WrittenSpan: "span",
}
KINDS = tuple(KIND_OF.values())
MOST_TYPED = 20_000  # letters in a box of the bar; what a target takes is told in words
MOST_COUNTED = 100_000


class Possible(Protocol):
    """What can be explained of a run, as `explorer.sources.targets.Possible` is."""

    @property
    def reasons(self) -> Mapping[str, str]: ...
    @property
    def classes(self) -> Sequence[str]: ...
    @property
    def tokens(self) -> Sequence[Token]: ...
    @property
    def answers(self) -> bool: ...


@dataclass(frozen=True)
class Changed:
    """What the target came to with some heads off and some words gone.

    Attributes:
        heads: The (layer, head) that are off.
        gone: The positions that are gone.
        value: The target.
        predictions: The likeliest words or classes then, with their probabilities.
    """

    heads: Sequence[tuple[int, int]]
    gone: Sequence[int]
    value: float
    predictions: Predictions


@dataclass(frozen=True)
class Wish:
    """What a reader wants explained and how, as the bar of the page says it.

    Attributes:
        kind: The kind of target, as links name it.
        other: The other text, of a likeness.
        first: Whether a text's vector is that of its first token.
        at: The token that is asked about; None for the one that the page opens with.
        guess: The word whose probability is asked for; empty for the one that stood there.
        label: The number of the class; None for the likeliest.
        versus: The word that a next word is compared with; empty for none.
        logit: Whether the logit of a next word is meant, and not its probability.
        start: The first token of a span, and ``end`` one past its last.
        how: How words are taken away.
        neutral: The token that stands in the place of a word that is taken away; empty for the
            model's own.
        by_word: Whether the pieces of a word count as one.
        whole_flow: Whether attention flow is computed however long it takes.
    """

    kind: str = "like"
    other: str = "A tired animal rests."
    first: bool = False
    at: int | None = None
    guess: str = ""
    label: int | None = None
    versus: str = ""
    logit: bool = False
    start: int = 0
    end: int = 1
    how: How = "replace"
    neutral: str = ""
    by_word: bool = True
    whole_flow: bool = False

    @staticmethod
    def of(sent: object) -> "Wish | None":
        """The wish in what a page sent; None if there is none, or one that cannot be."""
        if not isinstance(sent, Mapping) or sent.get("kind") not in KINDS:
            return None
        texts = [sent.get("other"), sent.get("guess")]
        texts += [sent.get("versus", ""), sent.get("neutral", "")]
        counts = [sent.get("at"), sent.get("label"), sent.get("start", 0), sent.get("end", 1)]
        if not all(isinstance(text, str) and len(text) <= MOST_TYPED for text in texts):
            return None
        if not all(n is None or (type(n) is int and 0 <= n < MOST_COUNTED) for n in counts):
            return None
        flags = [sent.get(name) is True for name in ("first", "by_word", "whole_flow")]
        return Wish(
            kind=sent["kind"],
            other=sent["other"],
            first=flags[0],
            at=counts[0],
            guess=sent["guess"],
            label=counts[1],
            versus=sent.get("versus", ""),
            logit=sent.get("logit") is True,
            start=counts[2] or 0,
            end=counts[3] or 1,
            how=_how(sent.get("how")),
            neutral=sent.get("neutral", ""),
            by_word=flags[1],
            whole_flow=flags[2],
        )

    @staticmethod
    def from_query(query: Mapping[str, str]) -> "Wish":
        """What a link asks for.

        Raises:
            ExplorerError: It names a target that cannot be.
        """
        target = target_from_query(query) or Likeness(Wish.other)
        return Wish(
            kind=KIND_OF[type(target)],
            other=target.other if isinstance(target, Likeness) else Wish.other,
            first=getattr(target, "first", False),
            at=getattr(target, "at", None),
            guess=getattr(target, "guess", None) or "",
            label=getattr(target, "label", None),
            versus=(isinstance(target, NextWord) and target.other) or "",
            logit=getattr(target, "logit", False),
            start=getattr(target, "start", 0),
            end=getattr(target, "end", 1),
            how=_how(query.get("away")),
            neutral=query.get("neutral", "")[:MOST_GUESS],
            by_word=query.get("pieces") != "1",
            whole_flow=query.get("flow") == "1",
        )

    def target(self) -> Target:
        """The target that is wished for.

        Raises:
            ExplorerError: It is none that can be.
        """
        if self.kind == "like":
            return Likeness(self.other, self.first)
        if self.kind == "word":
            return MaskedWord(self.at, self.guess.strip() or None)
        if self.kind == "next":
            return NextWord(self.at, self.guess or None, self.versus or None, self.logit)
        if self.kind == "span":
            return WrittenSpan(self.start, self.end)
        return ClassScore(self.label) if self.kind == "class" else OutputVector(self.at)

    def to_query(self) -> dict[str, str]:
        """How words go, as URL parameters; only what is not as at first."""
        told = {
            "away": "" if self.how == "replace" else self.how,
            "neutral": self.neutral.strip() if self.how == "replace" else "",
            "pieces": "" if self.by_word else "1",
            "flow": "1" if self.whole_flow else "",
        }
        return {name: value for name, value in told.items() if value}


def _how(said: object) -> How:
    return "drop" if said == "drop" else "cut" if said == "cut" else "replace"


def first_kind(reasons: Mapping[str, str], usual: str) -> str:
    """The usual kind of target where a model has it, or has none at all; else its first."""
    return next((kind for kind in (usual, *KINDS) if not reasons[kind]), usual)


def bar_of(wish: Wish, possible: Possible | None, *, stale: bool) -> dict[str, Any]:
    """What the bar of the page shows.

    Args:
        wish: What is asked for.
        possible: What can be explained; None while that is not known.
        stale: Whether the explanation below it is of something else.
    """
    tokens = possible.tokens if possible else ()
    return {
        "wish": asdict(wish),
        "reasons": possible and dict(possible.reasons),
        "classes": list(possible.classes) if possible else [],
        "tokens": _tokens(tokens),
        "answers": bool(possible and possible.answers),
        "stale": stale,
    }


def pack_explain(
    bar: Mapping[str, Any], explained: Mapping[str, Any] | None, page: str = ""
) -> bytes:
    """The payload of the page.

    Args:
        bar: What is asked for.
        explained: An explanation, if there is one yet.
        page: All this as a file, if it was asked for.
    """
    file = of_bytes({"kind": "page"}, page.encode())
    return write({"bar": bar, "explained": explained}, [file])


def explained_of(
    found: Explanation,
    *,
    explain_id: str,
    about: About,
    predictions: Predictions = (),
    before: Predictions = (),
    changed: Changed | None = None,
    link: Mapping[str, str] | None = None,
    returns: int = 0,
    opening: Mapping[str, str] | None = None,
    edits: str | None = None,
    place: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """An explanation as the browser reads it.

    Args:
        found: What to show.
        explain_id: Names it: payloads with one id add to the same picture.
        about: Whose explanation it is.
        predictions: The likeliest words or classes with all heads on.
        before: The same of the model as it is, where something is changed in its attention.
        changed: The answer for the heads that are off and the words that are gone.
        link: The URL parameters of the run and target; None if no link can carry them.
        returns: How often an earlier explanation has come back. Streamlit sends a message that the
            page has as a reference to it; while others come fast the page may just have let it go,
            so what comes back must be another message.
        opening: The view that a file opens with, by the names that a link uses.
        edits: What is changed in the model's attention, as links say it; None where nothing can be.
        place: The head and words that the reader looks at, which can be changed.
    """
    return _what_was_found(found) | {
        "id": explain_id,
        "returns": returns,
        "link": link,
        "opening": opening,
        "about": asdict(about),
        "title": _titled(about),
        "edits": edits,
        "place": place,
        "predictions": list(predictions),
        "before": list(before),
        "changed": changed and asdict(changed),
    }


def _what_was_found(found: Explanation) -> dict[str, Any]:
    """What an explanation itself says."""
    shape = None if found.importance is None else found.importance.shape
    return {
        "name": found.name,
        "value": found.value,
        "plain": found.plain,
        "deciding": found.deciding,
        "points": _pointing(found.points),
        "how": found.how,
        "empty": found.empty,
        "instead": found.instead,
        "at": found.at,
        "tokens": _tokens(found.tokens),
        "units": found.units,
        "whole": found.whole,
        "stopped": found.stopped,
        "removal": None if found.removal is None else _numbers(found.removal),
        "lines": [*truth_line(found), *found.notes],
        "methods": [_method(score) for score in found.scores],
        "shape": shape,
        "numbers": found.numbers,
        "effects": None if found.head_effects is None else _numbers(found.head_effects),
        "importance": None if found.importance is None else _numbers(found.importance),
        "heads_reason": found.heads_reason,
        "heads_agree": found.heads_agree and found.heads_agree.rho,
        "agreements": [[[a.rho, a.low, a.high] for a in row] for row in found.agreements],
    }


def _titled(about: About) -> str:
    """The model, and how far its numbers were checked."""
    if not about.passport:
        return about.title
    return t("{model} · {passport}", model=about.title, passport=about.passport)


def _tokens(tokens: Sequence[Token]) -> list[dict[str, Any]]:
    return [{"text": token.text, "special": token.special} for token in tokens]


def _method(score: Score) -> dict[str, Any]:
    method, a, curves = score.method, score.agreement, score.curves
    return {
        "key": method.key,
        "name": method.name,
        "paper": method.paper,
        "caveat": sentences(method.caveat, method.limit, held_against(method)),
        "signed": method.signed,
        "values": None if score.values is None else _numbers(score.values),
        "reason": score.reason,
        "agreement": a and {"rho": a.rho, "low": a.low, "high": a.high, "n": a.n},
        "pointing": _pointing(score.pointing),
        "curves": curves
        and {
            "shares": _numbers(curves.shares),
            "deletion": _numbers(curves.deletion),
            "insertion": _numbers(curves.insertion),
            "areas": [curves.deletion_area, curves.insertion_area],
        },
    }


def _pointing(found: Pointing | None) -> dict[str, float | None] | None:
    return None if found is None else {"rank": found.rank, "area": found.area, "n": found.n}


def _numbers(values: Doubles) -> list[float | None]:
    """Six significant digits: what is shown has at most four."""
    return [float(f"{x:.6g}") if math.isfinite(x) else None for x in np.ravel(values)]
