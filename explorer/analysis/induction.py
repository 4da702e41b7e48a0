"""Induction and its kin, on random tokens that are repeated once (after Olsson et al. 2022).

Nothing in such a text can be known but that it repeats itself. A head that finds the earlier place
of the token it stands at, and looks at what came after it, is an induction head (they call this
prefix matching); it is told from heads that look at the same token, or at the token before, and
from heads that write what they read (copying). They repeat 25 tokens four times; here 48 are
repeated once, and every number is a mean over all of the repeated ones.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explorer.analysis.detectors import Detector, Map, detectors
from explorer.language import t
from explorer.layers import AttentionLayer, slices
from explorer.residual import AtPosition, Doubles
from explorer.run import Run
from explorer.trace import AttentionTrace

INDUCTION, SAME, PREVIOUS, COPYING = "induction", "same", "previous", "copying"
SHARES = (INDUCTION, SAME, PREVIOUS)
_PATTERNS = {INDUCTION: "after the same word", SAME: "same word before"}  # in a reader's text

Repetition = tuple[Run, AttentionTrace, int, Sequence[AtPosition] | str]
Report = Callable[[str, float | None], None]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Repeats:
    """What every head does on repeated random tokens.

    Attributes:
        run: The first of the texts.
        numbers: The model's own numbers of the layers.
        n_heads: Heads in each.
        n_tokens: Tokens of each text.
        length: Tokens of each sequence, with which the texts end, twice.
        scores: By name, ``[text, layer, head]``, means over the tokens of the repetition:
            ``induction``, the attention on what followed the same token before; ``same``, on that
            token; ``previous``, on the token before. ``copying``: by how many standard deviations
            of the logits of all drawn tokens what a head writes favours those that it looks at.
        even: What each of these would be if attention were shared out evenly, ``[layer]``; what
            the sign of copying would be of a head that writes at random: 0.
        no_copying: Why copying is not there; empty where it is.
    """

    run: Run
    numbers: tuple[int, ...]
    n_heads: int
    n_tokens: int
    length: int
    scores: Mapping[str, Doubles]
    even: Mapping[str, Doubles]
    no_copying: str = ""

    @property
    def n_texts(self) -> int:
        """How many sequences were read."""
        return len(self.scores[INDUCTION])

    def mean(self, name: str) -> Doubles:
        """A score of every head, the mean over the sequences, ``[layer, head]``."""
        found: Doubles = self.scores[name].mean(axis=0)
        return found

    def spread(self, name: str) -> Doubles:
        """Its standard deviation over the sequences (of the sample); 0 for a single one."""
        some = self.scores[name]
        found: Doubles = some.std(axis=0, ddof=1) if len(some) > 1 else np.zeros(some.shape[1:])
        return found


def repeat_scores(found: Iterable[Repetition]) -> Repeats:
    """The scores of every head on sequences as `explorer.sources.repeats.repetitions` reads them.

    Args:
        found: Of each its run, its trace, which ends with a sequence twice, how long that is, and
            what is written at each of its repeated tokens, or why nobody knows.
    """
    shares: list[dict[str, Doubles]] = []
    copying: list[Doubles] = []
    reason, begun = "", None
    for run, trace, length, written in found:
        begun = begun or (run, trace, length)
        shares.append(_shares(trace, length))
        if isinstance(written, str):
            reason = written
        else:
            copying.append(copying_of(trace, length, written))
    assert begun is not None
    run, trace, length = begun
    scores = {name: np.stack([one[name] for one in shares]) for name in SHARES}
    even = {name: _even(trace, *_cells(trace, length)[name]) for name in SHARES}
    if not reason:
        scores[COPYING] = np.stack(copying)
        even[COPYING] = np.zeros(len(trace.layers))
    n_heads, n = trace.model.n_heads, trace.shape[2]
    return Repeats(run, trace.numbers, n_heads, n, length, scores, even, reason)


Cells = tuple[Sequence[int], Sequence[int]]


def _cells(trace: AttentionTrace, length: int) -> dict[str, Cells]:
    """The weights that each score is a mean of: a query and a key for each repeated token."""
    n = trace.shape[2]
    repeated = range(n - length, n)
    back = {INDUCTION: length - 1, SAME: length, PREVIOUS: 1}
    return {name: (repeated, [i - steps for i in repeated]) for name, steps in back.items()}


def _shares(trace: AttentionTrace, length: int) -> dict[str, Doubles]:
    cells = _cells(trace, length)
    return {name: _mean_of(trace, *some) for name, some in cells.items()}


def _mean_of(trace: AttentionTrace, queries: Sequence[int], keys: Sequence[int]) -> Doubles:
    """The mean of some weights in every head, ``[layer, head]``."""
    return np.array(
        [
            [
                layer.cells(head, queries, keys).mean(dtype=np.float64)
                for head in range(layer.n_heads)
            ]
            for layer in trace.layers
        ]
    )


def _even(trace: AttentionTrace, queries: Sequence[int], keys: Sequence[int]) -> Doubles:
    """What even attention would give there, ``[layer]``: nothing where a window ends before."""
    return np.array([_even_in(layer, queries, keys) for layer in trace.layers])


def _even_in(layer: AttentionLayer, queries: Sequence[int], keys: Sequence[int]) -> float:
    first, last = layer.allowed()[list(queries)].astype(np.float64).T
    sees = (first <= keys) & (np.asarray(keys) < last)
    return float(np.mean(sees / np.maximum(last - first, 1)))


def copying_of(trace: AttentionTrace, length: int, written: Sequence[AtPosition]) -> Doubles:
    """How much what each head writes favours the tokens that it looks at.

    What a head has written at a position, read as logits of all drawn tokens (the last norm kept
    as it is there), less their mean and divided by their standard deviation; of that the mean over
    the drawn tokens, weighted by the attention that each gets in both of its places.

    Args:
        trace: The attention of the text, which ends with a sequence twice.
        length: Tokens of the sequence.
        written: What each part has written at some positions, each with the tokens of the sequence.

    Returns:
        ``[layer, head]``, the mean over the positions; 0 where a head looks elsewhere, or writes
        nothing that tells them apart.
    """
    n = trace.shape[2]
    drawn, places = list(range(n - 2 * length, n)), [at.position for at in written]
    raised: dict[tuple[int, int], Doubles] = {}  # [position, drawn token]
    for i, at in enumerate(written):
        for part, row in zip(at.parts, _raised(at), strict=True):
            if part.head is not None and part.layer is not None:
                of_head = raised.setdefault(
                    (part.layer, part.head), np.zeros((len(written), length))
                )
                of_head[i] = row
    found = np.zeros(trace.shape[:2])
    for (layer, head), rows in raised.items():
        weights = trace.tile(layer, head, places, drawn).astype(np.float64)
        given = weights.reshape(-1, 2, length).sum(axis=1)
        share = given.sum(axis=1)
        mean = (given * rows).sum(axis=1) / np.where(share > 0, share, 1)
        found[trace.numbers.index(layer), head] = mean.mean()
    return found


def _raised(at: AtPosition) -> Doubles:
    """What each part does to the logits of the tokens, in their standard deviations.

    Returns:
        ``[part, token]``, with mean 0; 0 of what does the same to all.
    """
    directions = at.directions
    if at.norm is not None:
        directions = at.norm.seen_from(directions, at.position)
    logits = at.vectors @ directions.T
    logits -= logits.mean(axis=1, keepdims=True)
    spread = logits.std(axis=1, keepdims=True)
    found: Doubles = logits / np.where(spread > 0, spread, 1)
    return found


# — the same in a text of the reader's own —


@dataclass(frozen=True, eq=False)
class OwnRepeats:
    """What every head does where a text repeats itself.

    Attributes:
        shares: ``induction``, ``same`` and ``previous`` as far as the text can show them,
            ``[layer, head]``: of the first two the mean over the tokens whose word was said before
            (`explorer.analysis.detectors.same_words`; all earlier places count), of the last over
            all tokens but the first.
        even: What each would be if attention were shared out evenly, ``[layer]``.
        counts: Over how many tokens each is the mean.
    """

    shares: Mapping[str, Doubles]
    even: Mapping[str, Doubles]
    counts: Mapping[str, int]


def repeats_in(trace: AttentionTrace, report: Report = lambda doing, share: None) -> OwnRepeats:
    """What every head does where a text repeats itself; every number is the model's own.

    Args:
        trace: Of a text that is read forwards.
        report: Told what is being done; may raise to end it.
    """
    n = trace.shape[2]
    known = detectors(trace)
    shares, even, counts = {}, {}, {}
    for name in (INDUCTION, SAME):
        pattern = known.get(_PATTERNS[name])
        if pattern is not None:
            shares[name], even[name], counts[name] = _on(trace, pattern, report)
    if n > 1:
        cells = range(1, n), range(n - 1)
        shares[PREVIOUS], even[PREVIOUS] = _mean_of(trace, *cells), _even(trace, *cells)
        counts[PREVIOUS] = n - 1
    return OwnRepeats(shares, even, counts)


def _on(trace: AttentionTrace, pattern: Detector, report: Report) -> tuple[Doubles, Doubles, int]:
    """What the rows that have a place on a pattern give it; evenly; and how many rows these are."""
    n = trace.shape[2]
    given = np.zeros(trace.shape[:2])
    even, count = np.zeros(len(trace.layers)), 0
    for some in slices(n, n):
        report(t("Reading where this text repeats itself"), some.start / n)
        wanted = pattern.rows(some)
        has = wanted.any(axis=1)
        rows, wanted = some.start + np.flatnonzero(has), wanted[has]
        count += len(rows)
        if not len(rows):
            continue
        for i, layer in enumerate(trace.layers):
            even[i] += _evenly_on(layer, rows, wanted)
            for head in range(layer.n_heads):
                given[i, head] += layer.rows(head, rows).sum(where=wanted, dtype=np.float64)
    return given / max(count, 1), even / max(count, 1), count


def _evenly_on(layer: AttentionLayer, rows: Places, wanted: Map) -> float:
    """What even attention of some rows would give the wanted keys, added up."""
    first, last = layer.allowed()[rows].T
    keys = np.arange(wanted.shape[1])
    sees = wanted & (keys >= first[:, None]) & (keys < last[:, None])
    return float((sees.sum(axis=1) / np.maximum(last - first, 1)).sum())
