"""Cheaper attention: what may stand in for a head's weights where not every query meets every key.

Each way has a budget, and gives the weights that a head would then have, as an array
``[query, key]``. All of them are of a text that looks at itself: a query and a key of one number
are one token.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from explorer.errors import ExplorerError
from explorer.language import t
from explorer.layers import AttentionLayer, Doubles, FromScores, Weights

Kind = Literal[
    "window", "back", "global", "top", "rank", "linear", "features", "landmarks", "pooled"
]
KINDS: tuple[Kind, ...] = get_args(Kind)
_OF_SCORES = ("linear", "features", "landmarks", "pooled")  # these are made of q and k anew
_OF_ALL = ("landmarks", "pooled")  # and these of the whole text, so that a mask cannot be kept
SEED = 0  # of random features


@dataclass(frozen=True, slots=True)
class Cheap:
    """A way to make attention cheaper, and how much it may take.

    Attributes:
        kind: ``window``: each token looks at the tokens at most ``budget`` away, and the weights
            of these are shared out again (Child et al. 2019, Beltagy et al. 2020). ``back``: the
            same, but only at itself and at those before. ``global``: a window, and some tokens
            that look at all and are looked at by all (Beltagy et al. 2020, Zaheer et al. 2020).
            ``top``: the ``budget`` largest weights of each row; of equal ones the first; shared
            out again. ``rank``: the matrix of rank ``budget`` that is nearest (Eckart, Young
            1936), as it is: its rows need not sum to 1. ``linear``: elu(q)+1 times elu(k)+1 in
            place of exp(score), each row divided by its sum; has no budget (Katharopoulos et al.
            2020). ``features``: exp(score) estimated over ``budget`` positive random features,
            orthogonal in blocks as wide as a head (Choromanski et al. 2021). ``landmarks``: the
            means of ``budget`` stretches of queries and of keys stand between (Nyström; Xiong et
            al. 2021), with the exact pseudo-inverse. ``pooled``: keys and values become the
            ``budget`` means of stretches, a projection that is fixed where Linformer's is learned
            (Wang et al. 2020).
        budget: How much it may take, from 1 on; of a window from 0 on.

    Raises:
        ExplorerError: There is no such way, or no such budget.
    """

    kind: Kind
    budget: int = 1

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ExplorerError(
                t(
                    "There is no “{kind}”: attention can be made cheaper by {kinds}.",
                    kind=self.kind,
                    kinds=", ".join(KINDS),
                )
            )
        least = 0 if self.kind in ("window", "back", "global") else 1
        if type(self.budget) is not int or not least <= self.budget < 2**20:
            raise ExplorerError(
                t("The budget must be a whole number from {least} on.", least=least)
            )


def reason_against(layer: AttentionLayer, kind: Kind) -> str:
    """Why a layer's attention cannot be made cheaper in this way; empty if it can."""
    if layer.n_queries != layer.n_keys:
        return t("One text looks at another here: there is no window of what is near.")
    if kind not in _OF_SCORES:
        return ""
    if not isinstance(layer, FromScores):
        return t("Only its weights are known here, not its queries and keys.")
    rule = layer.rule
    if rule.cap is not None or rule.offsets is not None or rule.sinks is not None:
        return t(
            "Its scores are more than q·k: a bias of distance, a cap or a sink is in them, "
            "which this way has no place for."
        )
    if rule.added is not None and (rule.added[np.isfinite(rule.added)] != 0).any():
        return t("Numbers are added to its scores, which this way has no place for.")
    if kind in _OF_ALL and _has_mask(layer):
        return t("A token may not look at all others here, and a mean of keys would let it.")
    return ""


def reason_against_placing(layer: AttentionLayer, kind: Kind) -> str:
    """Why a layer's attention cannot be put in place so; empty if it can.

    What survives of a rank can be measured behind any mask. The nearest matrix keeps none, so a
    model that reads forwards would predict words that it sees.
    """
    if kind == "rank" and _has_mask(layer):
        return t(
            "A token may not look at all others here, and a matrix of low rank would let "
            "it: what it predicts it would have seen. So a low rank is measured, and not "
            "put in place."
        )
    return reason_against(layer, kind)


def _has_mask(layer: AttentionLayer) -> bool:
    return not bool((layer.n_allowed() == layer.n_keys).all())


def estimate(
    layer: AttentionLayer, head: int, cheap: Cheap, everywhere: Sequence[int] = ()
) -> Weights:
    """The weights that a head has when it is made cheaper, float32 ``[query, key]``.

    Args:
        layer: Its layer.
        head: The head.
        cheap: In which way.
        everywhere: Of ``global``: the tokens that look at all and are looked at by all.

    Raises:
        ExplorerError: It cannot be made cheaper in this way.
    """
    reason = reason_against(layer, cheap.kind)
    if reason:
        raise ExplorerError(reason)
    if cheap.kind == "rank":
        return _of_rank(layer.rows(head), cheap.budget)
    if cheap.kind == "top":
        return _within(layer, head, largest(layer.rows(head), cheap.budget))
    if cheap.kind in _OF_SCORES:
        assert isinstance(layer, FromScores)
        return _of_scores(layer, head, cheap)
    return _within(layer, head, near(layer.n_keys, cheap, everywhere))


def near(n: int, cheap: Cheap, everywhere: Sequence[int] = ()) -> npt.NDArray[np.bool_]:
    """Which keys are looked at in a window, ``[query, key]``."""
    at = np.arange(n)
    ahead = at - at[:, None]
    found = np.abs(ahead) <= cheap.budget
    if cheap.kind == "back":
        found &= ahead <= 0
    if cheap.kind == "global":
        found[list(everywhere)] = found[:, list(everywhere)] = True
    return np.asarray(found)


def largest(weights: Weights, count: int) -> npt.NDArray[np.bool_]:
    """Which weights are among the largest of their row; of equal ones the first."""
    found = np.zeros(weights.shape, dtype=bool)
    order = np.argsort(-weights, axis=-1, kind="stable")[:, :count]
    np.put_along_axis(found, order, values=True, axis=-1)
    return found


def _within(layer: AttentionLayer, head: int, kept: npt.NDArray[np.bool_]) -> Weights:
    """A head that looks nowhere else: what it had there is left to the rest of each row."""
    if isinstance(layer, FromScores):  # by the scores, as a row's whole weight may be elsewhere
        return _masked(layer, head, kept).rows(0)
    weights = layer.rows(head)
    left = np.where(kept, weights, np.float32(0))
    whole = left.sum(axis=-1, dtype=np.float64)
    if layer.has_sink:
        whole += 1 - weights.sum(axis=-1, dtype=np.float64)
    whole[whole == 0] = 1
    return np.asarray(left / whole[:, None].astype(np.float32))


def _masked(layer: FromScores, head: int, kept: npt.NDArray[np.bool_]) -> FromScores:
    """One head of a layer, of which all other keys are left out."""
    rule = layer.rule
    added = np.where(kept, np.float32(0), np.float32(-np.inf))[None]
    if rule.added is not None:
        added = added + rule.added[[head % len(rule.added)]]
    own = replace(
        rule,
        added=added,
        offsets=None if rule.offsets is None else rule.offsets[[head]],
        sinks=None if rule.sinks is None else rule.sinks[[head]],
    )
    key_head = head * layer.k.shape[0] // layer.n_heads
    return FromScores(layer.number, layer.q[[head]], layer.k[[key_head]], own)


def _of_rank(weights: Weights, rank: int) -> Weights:
    """The nearest matrix of a rank: the weights, seen along their first right singular vectors."""
    if rank >= min(weights.shape):
        return weights
    whole = weights.astype(np.float64)
    _, vectors = np.linalg.eigh(whole.T @ whole)  # in rising order
    first = vectors[:, -rank:]
    return np.asarray((whole @ first) @ first.T, np.float32)


# — of q and k anew —


def _of_scores(layer: FromScores, head: int, cheap: Cheap) -> Weights:
    q = layer.q[head].astype(np.float64)
    k = layer.k[head * layer.k.shape[0] // layer.n_heads].astype(np.float64)
    if cheap.kind == "linear":
        return _shared((_elu(q).astype(np.float32) @ _elu(k).T.astype(np.float32)), layer)
    scale = layer.rule.scale
    if cheap.kind == "features":
        return _shared(_by_features(q * scale**0.5, k * scale**0.5, cheap.budget), layer)
    starts = stretches(layer.n_keys, cheap.budget)
    sizes = np.diff([*starts, layer.n_keys])
    keys = np.add.reduceat(k, starts, axis=0) / sizes[:, None]
    to_keys = _softmax(q @ keys.T * scale)
    if cheap.kind == "pooled":
        return np.repeat((to_keys / sizes).astype(np.float32), sizes, axis=1)
    queries = np.add.reduceat(q, starts, axis=0) / sizes[:, None]
    between = np.linalg.pinv(_softmax(queries @ keys.T * scale))
    return np.asarray(to_keys @ between @ _softmax(queries @ k.T * scale), np.float32)


def stretches(n: int, count: int) -> npt.NDArray[np.intp]:
    """Where each of so many stretches of a text begins: as even as can be, at most ``n``."""
    count = min(count, n)
    return np.arange(count) * n // count


def _elu(x: Doubles) -> Doubles:
    """elu(x) + 1."""
    return np.where(x > 0, x + 1, np.exp(np.minimum(x, 0)))


def _softmax(scores: Doubles) -> Doubles:
    found: Doubles = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return found / found.sum(axis=-1, keepdims=True)


def _by_features(q: Doubles, k: Doubles, count: int) -> Doubles:
    """exp(q·k) over random features, ``[query, key]``: each row times some number of its own."""
    directions = features(q.shape[1], count)
    # What is taken from a whole row, and from all keys alike, is gone once rows are divided.
    queries = q @ directions.T
    queries -= queries.max(axis=-1, keepdims=True)
    keys = k @ directions.T - (k**2).sum(axis=-1, keepdims=True) / 2
    found: Doubles = np.exp(queries) @ np.exp(keys - keys.max()).T
    return found


def features(width: int, count: int) -> Doubles:
    """Random directions, ``[feature, width]``: normal numbers, at right angles in each block."""
    draw = np.random.default_rng(SEED)
    blocks = []
    for _ in range(0, count, width):
        drawn = draw.standard_normal((width, width))
        turned, corner = np.linalg.qr(drawn)
        turned *= np.sign(np.diag(corner))  # else the first of each are always of one sign
        lengths = np.sqrt((draw.standard_normal((width, width)) ** 2).sum(axis=1))
        blocks.append(turned.T * lengths[:, None])
    found: Doubles = np.concatenate(blocks)[:count]
    return found


def _shared(kernel: npt.NDArray[np.floating], layer: FromScores) -> Weights:
    """Rows of a kernel, where a query may look, divided by their sum."""
    if _has_mask(layer):
        kernel = np.where(may_look(layer), kernel, 0.0)
    whole = kernel.sum(axis=-1, keepdims=True)
    whole[whole == 0] = 1
    return np.asarray(kernel / whole, np.float32)


def may_look(layer: FromScores) -> npt.NDArray[np.bool_]:
    """Which keys each query may look at, ``[query, key]``."""
    first, last = layer.allowed().T
    keys = np.arange(layer.n_keys)
    found = (keys >= first[:, None]) & (keys < last[:, None])
    added = layer.rule.added
    return np.asarray(found if added is None else found & ~np.isneginf(added).all(axis=0))
