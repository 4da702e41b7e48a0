"""An explanation as the bytes that the browser reads: JSON; `explain.js` is the other end."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from explorer.analysis.explanation import Explanation, Score, truth_line
from explorer.analysis.profiles import Doubles
from explorer.instrument.wire.container import write

Predictions = Sequence[tuple[str, float]]


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


def pack_explain(
    found: Explanation,
    *,
    explain_id: str,
    title: str,
    asks_at: bool,
    predictions: Predictions = (),
    changed: Changed | None = None,
    link: Mapping[str, str] | None = None,
    returns: int = 0,
) -> bytes:
    """The payload of an explanation.

    Args:
        found: What to show.
        explain_id: Names it: payloads with one id add to the same picture.
        title: The model's name, and how far its numbers were checked.
        asks_at: Whether the target is about one token, so that a click may choose another.
        predictions: The likeliest words or classes with all heads on.
        changed: The answer for the heads that are off and the words that are gone.
        link: The URL parameters of the run and target; None if no link can carry them.
        returns: How often an earlier explanation has come back. Streamlit sends a message that the
            page has as a reference to it; while others come fast the page may just have let it go,
            so what comes back must be another message.
    """
    shape = None if found.importance is None else found.importance.shape
    header = {
        "id": explain_id,
        "returns": returns,
        "link": link,
        "title": title,
        "name": found.name,
        "value": found.value,
        "empty": found.empty,
        "instead": found.instead,
        "asks_at": asks_at,
        "tokens": [{"text": t.text, "special": t.special} for t in found.tokens],
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
        "predictions": list(predictions),
        "changed": changed and asdict(changed),
        "agreements": [[[a.rho, a.low, a.high] for a in row] for row in found.agreements],
    }
    return write(header)


def _method(score: Score) -> dict[str, Any]:
    method, a, curves = score.method, score.agreement, score.curves
    return {
        "key": method.key,
        "name": method.name,
        "paper": method.paper,
        "caveat": f"{method.caveat} {method.limit}".strip(),
        "signed": method.signed,
        "values": None if score.values is None else _numbers(score.values),
        "reason": score.reason,
        "agreement": a and {"rho": a.rho, "low": a.low, "high": a.high, "n": a.n},
        "curves": curves
        and {
            "shares": _numbers(curves.shares),
            "deletion": _numbers(curves.deletion),
            "insertion": _numbers(curves.insertion),
            "areas": [curves.deletion_area, curves.insertion_area],
        },
    }


def _numbers(values: Doubles) -> list[float | None]:
    """Six significant digits: what is shown has at most four."""
    return [float(f"{x:.6g}") if math.isfinite(x) else None for x in np.ravel(values)]
