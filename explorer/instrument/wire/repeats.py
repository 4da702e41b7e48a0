"""Induction and its kin as a part of the survey's header; `numbers/repeats.js` is the other end."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from explorer.analysis.induction import COPYING, INDUCTION, PREVIOUS, SAME, OwnRepeats, Repeats
from explorer.language import t
from explorer.layers import Doubles
from explorer.trace import AttentionTrace

State = Literal["ask", "busy", "told", "failed"]


@dataclass(frozen=True)
class Named:
    """A score in words.

    Attributes:
        short: What it is called among the others.
        name: What it is called alone.
        unit: ``share`` or ``sd``.
        words: What a head with a number does, with {} for the number.
        exactly: What is measured.
    """

    short: str
    name: str
    unit: str
    words: str
    exactly: str


_EACH = t(
    "The mean over the tokens of the second round, then over the sequences; ± is their spread."
)
_HERE = t(
    "In a text of your own a word may stand before more than once: there it is the "
    "sum over all of its earlier places. Special tokens and tokens that the model "
    "does not know are no words there."
)
NAMES = {
    INDUCTION: Named(
        t("induction"),
        t("induction on random tokens"),
        "share",
        t(
            "looks at the tokens after earlier same ones: {} of its attention on repeated random "
            "tokens"
        ),
        t(
            "The weight on the token that followed the same one in the first round: so a "
            "head finds what comes next (prefix matching, Olsson et al. 2022). {each} "
            "{here}",
            each=_EACH,
            here=_HERE,
        ),
    ),
    SAME: Named(
        t("same token"),
        t("the same token before, on random tokens"),
        "share",
        t(
            "looks at the same token, wherever it stood before: {} of its attention on repeated "
            "random tokens"
        ),
        t("The weight on the same token in the first round. {each} {here}", each=_EACH, here=_HERE),
    ),
    PREVIOUS: Named(
        t("token before"),
        t("the token before, on random tokens"),
        "share",
        t("looks at the token before: {} of its attention on repeated random tokens"),
        t(
            "The weight on the token just before. Behind such a head, in a later layer, an "
            "induction head can know what stood before each token. {each}",
            each=_EACH,
        ),
    ),
    COPYING: Named(
        t("copying"),
        t("copying on random tokens"),
        "sd",
        t("writes what favours the tokens that it looks at: by {} standard deviations"),
        t(
            "What the head adds, read as logits of the tokens of the sequence (the last "
            "norm kept as it is): how far the logits of the tokens that it looks at lie "
            "above the mean of all, in their standard deviations, weighted by its "
            "attention. Below 0 it hinders them. After Olsson et al. (2022), who count the "
            "share of what is raised. The mean over some tokens of the second round, "
            "evenly spread, then over the sequences; ± is their spread."
        ),
    ),
}


@dataclass(frozen=True, eq=False)
class Retold:
    """Repeated random tokens as a page has them.

    Attributes:
        state: ``ask``: nothing is measured yet; ``busy``: it is being measured; ``told``: here it
            is; ``failed``: it is not, and `reason` says why.
        reason: Why not.
        found: What every head does on them.
        own: What every head does where the reader's text repeats itself; None while it is read.
    """

    state: State = "ask"
    reason: str = ""
    found: Repeats | None = None
    own: OwnRepeats | None = None

    def said(self) -> dict[str, Any]:
        """As a header says it."""
        found = self.found
        if found is None:
            return {"state": self.state, "reason": self.reason, "measures": []}
        return {
            "state": self.state,
            "reason": self.reason,
            "length": found.length,
            "n_texts": found.n_texts,
            "no_copying": found.no_copying,
            "own_known": self.own is not None,
            "measures": [_measure(key, found, self.own) for key in NAMES if key in found.scores],
        }


def may_repeat(trace: AttentionTrace) -> bool:
    """Whether a trace is of one text that is read forwards, in all layers."""
    if trace.patches or trace.model.part or trace.query_tokens != trace.key_tokens:
        return False
    return all(layer.looks_back for layer in trace.layers)


def _measure(key: str, found: Repeats, own: OwnRepeats | None) -> dict[str, Any]:
    n_heads = found.n_heads
    here = None
    if own is not None and key in own.shares:
        here = {
            "mean": _numbers(own.shares[key]),
            "even": _numbers(np.repeat(own.even[key], n_heads)),
            "count": own.counts[key],
        }
    return {
        "key": key,
        **asdict(NAMES[key]),
        "group": "",
        "mean": _numbers(found.mean(key)),
        "spread": _numbers(found.spread(key)),
        "even": _numbers(np.repeat(found.even[key], n_heads)),
        "n_texts": found.n_texts,
        "farthest": [],
        "extreme": [],
        "own": here,
    }


def _numbers(values: Doubles) -> list[float]:
    return [round(float(x), 6) for x in np.ravel(values)]
