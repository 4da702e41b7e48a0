"""How much of each head's attention survives when it is made cheaper, over the budget.

What survives is the share of the attention that falls on the same keys as before: of a head A and
what stands in for it B, 1 − ½ Σ|A − B| / Σ A, over all rows, and 0 where that is less. Where some
keys are left out, this is the share of the attention that went to the others (Child et al. 2019,
Beltagy et al. 2020). Of a rank it is the share of the energy, Σ σ² of the largest singular values
over Σ σ² of all: so the nearest matrix of that rank is off by √(1 − share), in Frobenius norms of
the weights (Eckart, Young 1936).
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from explorer.cheaper import (
    KINDS,
    Cheap,
    Kind,
    estimate,
    near,
    reason_against,
    reason_against_placing,
)
from explorer.errors import ExplorerError
from explorer.language import t
from explorer.layers import AttentionLayer, Band, Doubles, FromScores
from explorer.trace import AttentionTrace, Token

Report = Callable[[str, float | None], None]
READ: tuple[Kind, ...] = (
    "window",
    "back",
    "global",
    "top",
)  # one reading of the rows gives these for any budget
FEATURES = (16, 64, 256)
LANDMARKS = (4, 8, 16, 32, 64)  # the paper takes 32 and 64; inverses of larger ones take long


@dataclass(frozen=True, eq=False)
class Curve:
    """What survives of every head in one way.

    Attributes:
        kind: The way.
        budgets: The budgets, rising.
        kept: What survives, 0 to 1, ``[budget, layer, head]``.
    """

    kind: Kind
    budgets: tuple[int, ...]
    kept: Doubles

    def at(self, budget: int) -> Doubles:
        """What survives of every head, ``[layer, head]``, with the largest budget up to this."""
        found: Doubles = self.kept[max(bisect_right(self.budgets, budget) - 1, 0)]
        return found

    def needs(self, share: float) -> "np.ndarray[tuple[int, ...], np.dtype[np.int64]]":
        """The least budget with which so much survives, ``[layer, head]``; −1 if none here does."""
        enough = self.kept >= share - 1e-9
        first = np.asarray(self.budgets)[enough.argmax(axis=0)]
        return np.where(enough.any(axis=0), first, -1)


@dataclass(frozen=True, eq=False)
class Survival:
    """What survives of every head of a text.

    Attributes:
        curves: By the way; those that this model has no place for are not there.
        reasons: Why not.
        everywhere: The tokens of ``global`` that look at all and are looked at by all.
    """

    curves: Mapping[Kind, Curve]
    reasons: Mapping[Kind, str]
    everywhere: tuple[int, ...]


def everywhere_of(tokens: Sequence[Token]) -> tuple[int, ...]:
    """The tokens that look at all and are looked at by all: the special ones, else the first."""
    return tuple(i for i, token in enumerate(tokens) if token.special) or (0,)


def budgets_for(kind: Kind, n: int) -> tuple[int, ...]:
    """The budgets that a way is measured with on a text of so many tokens."""
    if kind in ("window", "back", "global"):
        return tuple(range(max(n, 1)))
    if kind in ("top", "rank"):
        return tuple(range(1, n + 1))
    if kind == "linear":
        return (1,)
    if kind == "features":
        return FEATURES
    means = LANDMARKS if kind == "landmarks" else (*LANDMARKS, 128, 256)
    fewer = tuple(some for some in means if some < n)
    return fewer if n > means[-1] else (*fewer, n)


def survival(
    trace: AttentionTrace,
    kinds: Sequence[Kind] = KINDS,
    report: Report = lambda doing, share: None,
    show: Callable[[Survival], None] = lambda found: None,
) -> Survival:
    """What survives of every head, for every way and budget, one head after the other.

    Args:
        trace: The attention.
        kinds: The ways.
        report: Told what is being done; may raise to end it.
        show: Told what is known before the ranks are, which take longest.

    Raises:
        ExplorerError: The text does not look at itself.
    """
    if trace.query_tokens != trace.key_tokens:
        raise ExplorerError(
            t(
                "Here one text looks at another, and what is made cheaper is a text "
                "that looks at itself. Choose the attention of the encoder or of the "
                "decoder."
            )
        )
    everywhere = everywhere_of(trace.key_tokens)
    reasons = {kind: _reason(trace, kind) for kind in kinds}
    able = [kind for kind in kinds if not reasons[kind]]
    missing = {kind: reason for kind, reason in reasons.items() if reason}
    found: dict[Kind, Curve] = {}
    without_ranks = [kind for kind in able if kind != "rank"]
    for some in (without_ranks, [kind for kind in able if kind == "rank"]):
        made = _curves(trace, some, everywhere, report)
        found |= made
        if some is without_ranks and made:
            show(Survival(dict(found), missing, everywhere))
    curves = {kind: found[kind] for kind in kinds if kind in found}
    return Survival(curves, missing, everywhere)


def _reason(trace: AttentionTrace, kind: Kind) -> str:
    if kind == "back" and all(layer.looks_back for layer in trace.layers):
        return t("It looks only back as it is: this is the same as a window.")
    return next(filter(None, (reason_against(layer, kind) for layer in trace.layers)), "")


def _curves(
    trace: AttentionTrace, kinds: Sequence[Kind], everywhere: Sequence[int], report: Report
) -> dict[Kind, Curve]:
    n, (n_layers, n_heads) = len(trace.key_tokens), trace.shape[:2]
    curves = {
        kind: Curve(kind, budgets, np.zeros((len(budgets), n_layers, n_heads)))
        for kind in kinds
        for budgets in [budgets_for(kind, n)]
    }
    doing = t("Making each head cheaper")
    if "rank" in kinds:
        doing = t("Finding the rank of each head")
    for head in range(n_layers * n_heads if curves else 0):
        report(doing, head / (n_layers * n_heads))
        at, own = divmod(head, n_heads)
        layer = trace.layers[at]
        read = _read(layer, own, everywhere) if any(kind in READ for kind in kinds) else {}
        for kind, curve in curves.items():
            if kind == "rank":
                curve.kept[:, at, own] = energies(layer.rows(own))
            elif kind in READ:
                curve.kept[:, at, own] = read[kind]
            else:
                curve.kept[:, at, own] = _overlaps(layer, own, kind, curve.budgets)
    return curves


def energies(weights: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]") -> Doubles:
    """The share of Σ σ² that the largest singular values hold, ``[rank from 1]``."""
    whole = weights.astype(np.float64)
    # σ² are the eigenvalues of AᵀA: in float64 they are off by 1e-15 of the largest.
    squares = np.maximum(np.linalg.eigvalsh(whole.T @ whole)[::-1], 0)
    return _shares(np.cumsum(squares))


def _shares(rising: Doubles) -> Doubles:
    """What has come so far, over all that comes; all of nothing is there from the start."""
    whole = rising[-1] if len(rising) else 0.0
    return rising / whole if whole > 0 else np.ones_like(rising)


def _overlaps(layer: AttentionLayer, head: int, kind: Kind, budgets: Sequence[int]) -> list[float]:
    """What survives with each budget, where what stands in is made of q and k."""
    weights = layer.rows(head)
    whole = float(weights.sum(dtype=np.float64))
    found = []
    for budget in budgets:
        off = estimate(layer, head, Cheap(kind, budget))
        np.abs(np.subtract(off, weights, out=off), out=off)
        found.append(1 - float(off.sum(dtype=np.float64)) / (2 * whole) if whole else 1.0)
    return [max(kept, 0.0) for kept in found]


def _read(layer: AttentionLayer, head: int, everywhere: Sequence[int]) -> dict[Kind, Doubles]:
    """What survives in a window, with global tokens, and of the largest, in one reading."""
    n = layer.n_keys
    ahead, beside = np.zeros(2 * n - 1), np.zeros(2 * n - 1)
    ranked, total, seen = np.zeros(n), 0.0, np.zeros(n, dtype=bool)
    seen[list(everywhere)] = True
    for band in layer.bands(head):
        if not band.weights.size:
            continue
        by_distance(band, ahead)
        rest = band.weights.copy()
        rest[seen[band.queries]] = 0
        rest[:, seen[band.keys]] = 0
        by_distance(Band(band.queries, band.keys, rest), beside)
        total += float(band.weights.sum(dtype=np.float64))
        ordered = np.sort(band.weights, axis=-1)[:, ::-1]
        ranked[: ordered.shape[1]] += ordered.sum(axis=0, dtype=np.float64)
    if total == 0:
        return dict.fromkeys(READ, np.ones(n))
    everywhere_share = max(total - float(beside.sum()), 0.0)
    return {
        "window": _reaching(ahead, n) / total,
        "back": np.cumsum(ahead[n - 1 :: -1]) / total,
        "global": np.minimum((everywhere_share + _reaching(beside, n)) / total, 1.0),
        "top": np.cumsum(ranked) / total,
    }


def by_distance(band: Band, into: Doubles) -> None:
    """Add the weights of a band by how far the key is ahead of the query, −(n−1) first."""
    rows, columns = band.weights.shape
    # Rows from the last on, one after the other in memory with room behind each: seen as rows that
    # are one cell shorter, each begins one further left, and equal distances stand in one column.
    room = np.zeros((rows, columns + rows), dtype=np.float32)
    room[:, :columns] = band.weights[::-1]
    width = columns + rows - 1
    sums = room.ravel()[: rows * width].reshape(rows, width).sum(axis=0, dtype=np.float64)
    start = band.keys.start - (band.queries.start + rows - 1) + (len(into) - 1) // 2
    first = max(-start, 0)
    last = min(width, len(into) - start)
    into[start + first : start + last] += sums[first:last]


def _reaching(by_distance: Doubles, n: int) -> Doubles:
    """What is at most so far away, on both sides, ``[reach from 0]``."""
    back, forth = by_distance[n - 1 :: -1].copy(), by_distance[n - 1 :]
    back[1:] += forth[1:]
    return np.cumsum(back)


# — what a head could do without —

SHARES = (0.8, 0.9, 0.95, 0.99)  # of the attention, or of the energy, that shall survive
QUARTER = 0.25  # what is dear costs more than this share of the pairs
WITHOUT: tuple[Kind, ...] = ("window", "global", "top", "rank")  # in this order


def cost(layer: AttentionLayer, kind: Kind, budget: int, everywhere: Sequence[int] = ()) -> float:
    """The numbers that a way makes for one head, as a share of the pairs of full attention.

    Of windows and of the largest weights they are the pairs that are left; of a rank the numbers
    that two thin matrices have; of features, landmarks and pooled keys those of the thin matrices
    that are multiplied. At most 1: nobody would take what costs more.
    """
    n, width = layer.n_keys, budget
    whole = float(layer.n_allowed().sum())
    if kind in ("window", "back", "global"):
        first, last = layer.allowed().astype(np.int64).T
        at = np.arange(n)
        ahead = at if kind == "back" else at + budget
        left = np.minimum(last, ahead + 1) - np.maximum(first, at - budget)
        made = float(np.maximum(left, 0).sum())
        if kind == "global":
            seen = near(n, Cheap("global", budget), everywhere)
            keys = (at >= first[:, None]) & (at < last[:, None])
            made = float((seen & keys).sum())
    elif kind == "top":
        made = float(np.minimum(layer.n_allowed(), budget).sum())
    elif kind == "pooled":
        made = float(n * budget)
    else:
        width = layer.q.shape[2] if kind == "linear" and isinstance(layer, FromScores) else budget
        made = float(2 * n * width + (width * width if kind == "landmarks" else 0))
    return min(made / whole, 1.0) if whole else 1.0


def mean_cost(
    trace: AttentionTrace, kind: Kind, budget: int, everywhere: Sequence[int] = ()
) -> float:
    """The mean of `cost` over all layers, of which some may look less far than others."""
    alike = Counter(layer.allowed().tobytes() for layer in trace.layers)
    found = 0.0
    for layer in trace.layers:
        times = alike.pop(layer.allowed().tobytes(), 0)
        found += times * cost(layer, kind, budget, everywhere) if times else 0
    return found / len(trace.layers)


@dataclass(frozen=True, eq=False)
class Without:
    """What each head could do without, of all that it looks at.

    Attributes:
        ways: For each head the first of `WITHOUT` that can be put in place and keeps enough at a
            quarter of the cost, by its number there; −1 where none does, ``[layer, head]``.
        budgets: The budget that it needs; 0 where none does.
        costs: What that costs, as a share; 1 where none does.
    """

    ways: "np.ndarray[tuple[int, ...], np.dtype[np.int64]]"
    budgets: "np.ndarray[tuple[int, ...], np.dtype[np.int64]]"
    costs: Doubles


def without(trace: AttentionTrace, found: Survival, share: float) -> Without:
    """The plainest way that keeps so much of each head at no more than a quarter of the cost."""
    shape = trace.shape[:2]
    ways, budgets, costs = np.full(shape, -1), np.zeros(shape, np.int64), np.ones(shape)
    for at, kind in reversed(list(enumerate(WITHOUT))):
        if kind not in found.curves:
            continue
        needs = found.curves[kind].needs(share)
        needs[[bool(reason_against_placing(layer, kind)) for layer in trace.layers]] = -1
        known: dict[tuple[int, int], float] = {}
        for (i, head), budget in np.ndenumerate(needs):
            if budget < 0:
                continue
            key = (i, int(budget))
            if key not in known:
                known[key] = cost(trace.layers[i], kind, int(budget), found.everywhere)
            if known[key] <= QUARTER:
                ways[i, head], budgets[i, head], costs[i, head] = at, budget, known[key]
    return Without(ways, budgets, costs)
