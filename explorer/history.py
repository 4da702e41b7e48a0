"""TrainingHistory: the attention of one sequence over the steps of a training."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explorer.trace import AttentionTrace, Weights

Shares = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class TrainingHistory:
    """What a layer made of one sequence while it learned.

    Attributes:
        task: What is learned, in words.
        length: Tokens of every sequence that is learned from.
        until: The step up to which it is to learn.
        causal: Whether a token may look only at itself and at earlier ones.
        trace: The last frame's attention.
        weights: Every frame's, float32 ``[frame, layer, head, query, key]``.
        steps: The frames' steps.
        loss: Mean training loss since the frame before.
        accuracy: Share of right answers on held-out sequences.
        chance: That share for who always gives the most frequent answer.
        best: The accuracy and the loss of the best that anybody could do, where that is known and
            is not to be always right.
        near: By the ideal patterns' names, how near each head is to it on held-out sequences,
            ``[frame, layer, head]``, 0 to 1.
        ideals: By name, the ideal patterns of this sequence, 0 or 1, ``[query, key]``.
        answers: What is answered at each position, in words, frame by frame.
        right: The right answers; None where none is asked for.
        begun: What is gone on with, where what comes next is learned: the sequence, or so much of
            it that there is room behind it. Else empty.
        written: What is written behind that, frame by frame, always the likeliest; else empty.
    """

    task: str
    length: int
    until: int
    causal: bool
    trace: AttentionTrace
    weights: Weights
    steps: tuple[int, ...]
    loss: tuple[float, ...]
    accuracy: tuple[float, ...]
    chance: float
    best: tuple[float, float] | None
    near: dict[str, Shares]
    ideals: dict[str, Shares]
    answers: tuple[tuple[str, ...], ...]
    right: tuple[str | None, ...]
    begun: str = ""
    written: tuple[str, ...] = ()
