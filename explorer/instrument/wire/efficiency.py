"""What survives of all heads as the bytes that the browser reads; `efficiency.js` reads them.

Blocks: for each way what survives, float32 ``[budget, head]``, heads counted through all layers;
a head's map before and after, float32 ``[query, key]``; a file that was asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from explorer.analysis.survival import SHARES, WITHOUT, Survival, mean_cost, without
from explorer.cheaper import Cheap, Kind, estimate, reason_against_placing
from explorer.instrument.wire.about import About
from explorer.instrument.wire.container import Block, of_bytes, write
from explorer.language import t
from explorer.place import Place
from explorer.trace import AttentionTrace

NOWHERE = Place()
EACH = 32  # budgets up to here are all sent, of longer ones some


@dataclass(frozen=True)
class Way:
    """A way in words.

    Attributes:
        name: What it is called.
        budget: What its budget is called; empty where it has none.
        given: A head that is made cheaper so, with {} for the budget.
        kept: What survives of it, in words.
        exactly: What is measured.
        gives_up: What it cannot do.
        source: Who described it.
    """

    name: str
    budget: str
    given: str
    exactly: str
    gives_up: str
    source: str
    kept: str = t("of its attention")


_WINDOW = t("The share of the attention that falls on tokens at most this far away, over all rows.")
_OVERLAP = t("1 − ½ Σ|A − B| / Σ A, of the weights A and what stands in for them, B; 0 where less.")
WAYS: Mapping[Kind, Way] = {
    "window": Way(
        t("a window"),
        t("tokens to each side"),
        t("a window of {} to each side"),
        _WINDOW,
        t(
            "What is farther away is not seen in this layer; only a path of several layers "
            "reaches it."
        ),
        "Child et al. 2019; Beltagy et al. 2020 (Longformer)",
    ),
    "back": Way(
        t("a window that looks back"),
        t("tokens back"),
        t("itself and the {} before"),
        t("{window} Only itself and tokens before it.", window=_WINDOW),
        t("Nothing that follows is seen; nor what stands farther back."),
        "Child et al. 2019",
    ),
    "global": Way(
        t("a window and global tokens"),
        t("tokens to each side"),
        t("a window of {} to each side and the global tokens"),
        t(
            "{window} Global tokens look at all and are looked at by all: here the special "
            "tokens, or the first token where there are none.",
            window=_WINDOW,
        ),
        t("Two ordinary tokens that are far apart meet only by way of a global one."),
        "Beltagy et al. 2020 (Longformer); Zaheer et al. 2020 (BigBird)",
    ),
    "top": Way(
        t("the largest weights"),
        t("keys in each row"),
        t("the {} largest of each row"),
        t("The share of the attention that the largest weights of each row hold."),
        t(
            "Which keys these are is only known once all scores are there: it saves what "
            "follows them."
        ),
        "Gupta et al. 2021",
    ),
    "rank": Way(
        t("a low rank"),
        "rank",
        "rank {}",
        t(
            "The share of Σ σ² that the largest singular values of the weights hold. The "
            "nearest matrix of this rank is off by the root of what is missing."
        ),
        t(
            "Rows no longer sum to 1, and weights may be negative; the singular vectors "
            "are known only once all weights are. A mask is not kept: where tokens look "
            "only back, they would see what follows, so there it is not put in place."
        ),
        "Eckart, Young 1936; Wang et al. 2020 (Linformer)",
        t("of the energy of its weights"),
    ),
    "linear": Way(
        t("a linear kernel"),
        "",
        t("the kernel elu + 1"),
        _OVERLAP,
        t(
            "Weights are spread far more evenly: one key is hard to single out. A model "
            "must be trained with it."
        ),
        "Katharopoulos et al. 2020",
    ),
    "features": Way(
        t("random features"),
        "features",
        t("{} random features"),
        t("{overlap} The same random numbers each time, drawn with seed 0.", overlap=_OVERLAP),
        t("Weights are estimates: large scores, which sharp heads have, need very many features."),
        "Choromanski et al. 2021 (Performer)",
    ),
    "landmarks": Way(
        t("landmarks"),
        t("landmarks"),
        t("{} landmarks"),
        t(
            "{overlap} The text is divided into this many stretches, as even as can be.",
            overlap=_OVERLAP,
        ),
        t(
            "A single key is seen only through the mean of its stretch; rows need not sum "
            "to 1, and it does not go with a causal mask."
        ),
        "Xiong et al. 2021 (Nyströmformer)",
    ),
    "pooled": Way(
        t("pooled keys"),
        t("keys that are left"),
        t("keys pooled to {}"),
        t(
            "{overlap} Keys and values become means of stretches. Linformer learns what to "
            "add up; here it is fixed.",
            overlap=_OVERLAP,
        ),
        t(
            "The keys of a stretch cannot be told apart; the length is fixed, and it does "
            "not go with a causal mask."
        ),
        "Wang et al. 2020 (Linformer)",
    ),
}


_BACK: Mapping[Kind, str] = {
    "window": t("a window of {} back"),
    "global": t("a window of {} back and the global tokens"),
}


def way_of(trace: AttentionTrace, kind: Kind) -> Way:
    """A way in words; of a window what it is where no token looks ahead."""
    if kind in _BACK and all(layer.looks_back for layer in trace.layers):
        return replace(WAYS[kind], budget=t("tokens back"), given=_BACK[kind])
    return WAYS[kind]


@dataclass(frozen=True)
class Tried:
    """What the output did when heads were really made cheaper.

    Attributes:
        way: The way, with its budget in words.
        heads: Which heads, in words.
        pooled: The cosine of the mean vector before and after.
        least: The least cosine of a token's vector.
        least_at: That token.
        divergence: Mean Kullback–Leibler divergence of the predictions, in bits; None without.
        agrees: Share of the tokens at which the likeliest next one is the same; None without.
    """

    way: str
    heads: str
    pooled: float
    least: float
    least_at: str
    divergence: float | None = None
    agrees: float | None = None


def pack_efficiency(
    trace: AttentionTrace,
    found: Survival,
    *,
    efficiency_id: str,
    link: Mapping[str, str] | None = None,
    about: About | None = None,
    place: Place = NOWHERE,
    opening: Mapping[str, str] | None = None,
    shown: tuple[int, int, Cheap] | None = None,
    tried: Sequence[Tried] = (),
    can_try: str = "",
    whole: bool = True,
    page: str = "",
) -> bytes:
    """The payload of what survives.

    Args:
        trace: The attention.
        found: What survives of it.
        efficiency_id: Names it: payloads with one id add to the same picture.
        link: The URL parameters of the run; None if no link can carry it.
        about: Whose it is; None for the trace's.
        place: Where the reader looks.
        opening: The view that a file opens with, by the names that a link uses.
        shown: A layer's number, a head and a way: its map before and after is sent.
        tried: What was really put in place.
        can_try: Why nothing can be; empty if it can.
        whole: Whether the ranks are known too.
        page: All this as a file, if it was asked for.
    """
    kinds = [kind for kind in WAYS if kind in found.curves]
    if found not in _told:  # the same for every head that is looked at
        _told[found] = {
            "ways": [_way(trace, found, kind) for kind in kinds],
            "without": [_without(trace, found, share) for share in SHARES],
        }
    header = {
        **_told[found],
        "id": efficiency_id,
        "link": link,
        "about": asdict(about or About.of(trace)),
        "numbers": trace.numbers,
        "n_heads": trace.model.n_heads,
        "n_tokens": len(trace.key_tokens),
        "everywhere": [trace.key_tokens[i].text for i in found.everywhere][:8],
        "reasons": [{"name": WAYS[kind].name, "why": why} for kind, why in found.reasons.items()],
        "shares": list(SHARES),
        "order": _order(trace, found),
        "place": place.to_query(),
        "opening": opening,
        "tried": list(map(asdict, tried)),
        "can_try": can_try,
        "whole": whole,
        "of_map": shown and _named(trace, *shown),
    }
    blocks: list[Block] = [({"kind": kind}, _kept(found, kind)) for kind in kinds]
    blocks += [] if shown is None else _maps(trace, found, *shown)
    return write(header, [*blocks, of_bytes({"kind": "page"}, page.encode())])


_told: "WeakKeyDictionary[Survival, dict[str, Any]]" = WeakKeyDictionary()


def some_of(budgets: Sequence[int]) -> list[int]:
    """The places of the budgets that are sent: the first ones, then ever fewer, and the last."""
    found, at = [], 0
    while at < len(budgets):
        found.append(at)
        at = at + 1 if at < EACH else max(at + 1, int(at * 1.1))
    return found if found[-1] == len(budgets) - 1 else [*found, len(budgets) - 1]


def _kept(found: Survival, kind: Kind) -> npt.NDArray[np.float32]:
    curve = found.curves[kind]
    some = curve.kept[some_of(curve.budgets)]
    return np.asarray(some.reshape(len(some), -1), np.float32)


def _way(trace: AttentionTrace, found: Survival, kind: Kind) -> dict[str, Any]:
    curve = found.curves[kind]
    budgets = [curve.budgets[at] for at in some_of(curve.budgets)]
    return {
        "kind": kind,
        **asdict(way_of(trace, kind)),
        "budgets": budgets,
        "not_placed": _not_placed(trace, kind),
        "costs": [round(mean_cost(trace, kind, budget, found.everywhere), 6) for budget in budgets],
        "needs": [curve.needs(share).ravel().tolist() for share in SHARES],
    }


def _order(trace: AttentionTrace, found: Survival) -> list[Kind]:
    """The ways that may be enough for a head of some layer, the plainest first."""
    return [kind for kind in WITHOUT if kind in found.curves and _may_be(trace, kind)]


def _may_be(trace: AttentionTrace, kind: Kind) -> bool:
    return not all(reason_against_placing(layer, kind) for layer in trace.layers)


def _not_placed(trace: AttentionTrace, kind: Kind) -> str:
    """Why all heads cannot be made cheaper so; empty if they can."""
    return next(filter(None, (reason_against_placing(layer, kind) for layer in trace.layers)), "")


def _without(trace: AttentionTrace, found: Survival, share: float) -> list[list[Any]]:
    """For each head the way, its budget and its cost; the way is −1 where none is cheap."""
    own = without(trace, found, share)
    known = _order(trace, found)
    ways = [known.index(WITHOUT[way]) if way >= 0 else -1 for way in own.ways.ravel().tolist()]
    columns = (ways, own.budgets.ravel().tolist(), own.costs.ravel().round(6).tolist())
    return [list(row) for row in zip(*columns, strict=True)]


def _named(trace: AttentionTrace, number: int, head: int, cheap: Cheap) -> dict[str, Any]:
    at = trace.numbers.index(number) * trace.model.n_heads + head
    return {"head": at, "kind": cheap.kind, "budget": cheap.budget}


def _maps(
    trace: AttentionTrace, found: Survival, number: int, head: int, cheap: Cheap
) -> list[Block]:
    layer = trace.layer(number)
    after = estimate(layer, head, cheap, found.everywhere)
    return [({"kind": "before"}, layer.rows(head)), ({"kind": "after"}, after)]
