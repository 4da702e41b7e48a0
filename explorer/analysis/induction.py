"""Induction and its kin, on random tokens that are repeated once (Olsson et al. 2022).

Nothing in such a text can be known but that it repeats itself. A head that finds the earlier place
of the token it stands at, and looks at what came after it, is an induction head; it is told from
heads that look at the token before, or at the same token, and from heads that write what they read.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer.residual import AtPosition, Doubles
from explorer.trace import AttentionTrace


@dataclass(frozen=True, eq=False)
class InductionScores:
    """What every head does on repeated random tokens, each ``[layer, head]``.

    Attributes:
        numbers: The model's own numbers of the layers.
        induction: Mean attention from tokens of the repetition to what followed them before.
        same: Mean attention from tokens of the repetition to the same token before.
        previous: Mean attention to the token before.
        even: What each of these would be if attention were shared out evenly: induction and same,
            then previous.
        copying: By how many standard deviations of the logits of all tokens in the text what the
            head writes favours those that it looks at; None where that cannot be had.
    """

    numbers: tuple[int, ...]
    induction: Doubles
    same: Doubles
    previous: Doubles
    even: tuple[float, float]
    copying: Doubles | None = None


def induction_scores(traces: Sequence[AttentionTrace], length: int) -> InductionScores:
    """The scores of every head, as means over some texts that end in a repeated sequence.

    Args:
        traces: Each ends with ``length`` tokens, twice.
        length: Tokens of the sequence.
    """
    found = [_scores(trace, length) for trace in traces]
    induction, same, previous = (np.mean(some, axis=0) for some in zip(*found, strict=True))
    n = traces[0].shape[2]
    repeated, all_later = np.arange(n - length, n), np.arange(1, n)
    even = (float(np.mean(1 / (repeated + 1))), float(np.mean(1 / (all_later + 1))))
    return InductionScores(traces[0].numbers, induction, same, previous, even)


def _scores(trace: AttentionTrace, length: int) -> tuple[Doubles, Doubles, Doubles]:
    n = trace.shape[2]
    repeated, later = np.arange(n - length, n), np.arange(1, n)
    wanted = (
        (repeated, repeated - length + 1),
        (repeated, repeated - length),
        (later, later - 1),
    )
    induction, same, previous = (
        np.array(
            [
                [layer.cells(head, *some).mean(dtype=np.float64) for head in range(layer.n_heads)]
                for layer in trace.layers
            ]
        )
        for some in wanted
    )
    return induction, same, previous


def copying_of(trace: AttentionTrace, at: AtPosition, places: Sequence[int]) -> Doubles:
    """How much what each head writes at a position favours the tokens that it looks at.

    Args:
        trace: The attention of the text.
        at: The stream at the position, with the tokens that stand at ``places``.
        places: The positions of the tokens that are compared.

    Returns:
        ``[layer, head]``: in standard deviations of the logits over those tokens.
    """
    directions = at.directions
    if at.norm is not None:
        directions = at.norm.seen_from(directions, at.position)
    found = np.zeros(trace.shape[:2])
    for part, vector in zip(at.parts, at.vectors, strict=True):
        if part.head is None or part.layer is None:
            continue
        logits = directions @ vector
        weights = trace.tile(part.layer, part.head, [at.position], list(places))[0]
        share = weights.sum(dtype=np.float64)
        spread = logits.std()
        if share > 0 and spread > 0:
            raised = weights @ (logits - logits.mean())
            found[trace.numbers.index(part.layer), part.head] = raised / share / spread
    return found
