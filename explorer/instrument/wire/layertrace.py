"""One head's way from tokens to output as a payload; `layertrace.js` is the other end.

Its blocks are the arrays of each trace by their names, and ``page``, a file if one was asked for.
Nothing is rounded: the browser repeats the sums and shows how far it is from the model's own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from explorer.instrument.wire.about import About, passport_words
from explorer.instrument.wire.container import Block, of_bytes, write
from explorer.layertrace import Array, LayerTrace, Normed


@dataclass(frozen=True)
class WhatIf:
    """What the server can change, and has changed.

    Attributes:
        offered: What can be asked for, of `CHANGES`.
        changes: What is asked for.
        other: d_model and number of heads of the layer of another size.
        trouble: Why it cannot be shown, if it cannot.
    """

    offered: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    other: tuple[int, int] = (0, 0)
    trouble: str = ""


def pack_layer_traces(
    traces: Sequence[tuple[LayerTrace, int]],
    *,
    trace_id: str,
    note: str = "",
    opening: Mapping[str, object] | None = None,
    usual: int = 0,
    about: About | None = None,
    texts: Sequence[str] = (),
    link: Mapping[str, str] | None = None,
    what_if: WhatIf | None = None,
    apart: bool = False,
    page: str = "",
) -> bytes:
    """The payload of a head, and of the same with something changed.

    Args:
        traces: A layer and one of its heads; behind it, if there is one, what it is compared with.
        trace_id: Names the text and the model: payloads with one id keep the reader's view.
        note: What is different in the second, in words.
        opening: The view to open with, by the names that a link uses.
        usual: The token that is the query where nobody has chosen one.
        about: Whose picture it is; None for the trace alone.
        texts: What was read: by its words a place is found in another text.
        link: The URL parameters of the run; None if no link can carry it.
        what_if: What is changed, and what could be; in a file nothing can.
        apart: Whether Explore tells what each score is made of.
        page: All this as a file, if it was asked for.
    """
    abouts, blocks = [], list[Block]()
    for number, (trace, head) in enumerate(traces):
        abouts.append(_about(trace, head))
        for name, array in _arrays(trace, head):
            blocks.append(({"trace": number, "name": name}, array.astype(np.float32)))
    header = {
        "id": trace_id,
        "note": note,
        "opening": opening,
        "usual": usual,
        "about": about and asdict(about),
        "texts": texts,
        "link": link,
        "what_if": asdict(what_if or WhatIf()),
        "apart": apart,
        "traces": abouts,
    }
    return write(header, [*blocks, of_bytes({"name": "page"}, page.encode())])


def _about(trace: LayerTrace, head: int) -> dict[str, object]:
    """What is said of a head beside its arrays; what its layer has not is None."""
    rule, norm = trace.rule, trace.q_norm
    bias = trace.bias(head)
    return {
        "title": trace.model.name,
        "passport": passport_words(trace.model),
        "layer": trace.layer,
        "numbers": trace.numbers,
        "head": head,
        "n_heads": len(trace.q),
        "beside": trace.beside(head),
        "d_model": trace.x.shape[1],
        "d_k": trace.d_k,
        "d_v": trace.d_v,
        "d_out": trace.output.shape[1],
        "causal": _looks_back(trace),
        "window": _window(trace),
        "follows": trace.follows,
        "normed": trace.normed,
        "norm": trace.norm and trace.norm.kind,
        "head_norm": norm and norm.kind,
        "after": trace.after and trace.after.kind,
        "steps": trace.steps,
        "pairs": None if trace.turn is None else trace.turn.pairs.tolist(),
        "scale": rule.scale,
        "cap": rule.cap,
        "bias": None if bias is None else _kind(trace, bias),
        "slope": _slope(trace, bias),
        "sink": None if rule.sinks is None else float(rule.sinks[head]),
        "parts": [part.name for part in trace.parts],
        "tokens": [asdict(token) for token in trace.tokens],
        "keys": None if trace.key_tokens is None else [asdict(t) for t in trace.key_tokens],
    }


def _looks_back(trace: LayerTrace) -> bool:
    """Whether no query sees a key behind its own place."""
    one = len(trace.tokens) == 1  # of which nothing can be said
    return not (one or trace.key_tokens or np.triu(trace.allowed, 1).any())


def _window(trace: LayerTrace) -> int | None:
    """How many keys a query sees at most, where some are so near the end that it sees not all."""
    seen = trace.allowed.sum(axis=1)
    before = np.arange(1, len(trace.tokens) + 1)
    all_seen = before if _looks_back(trace) else np.full_like(before, trace.allowed.shape[1])
    return None if (seen >= all_seen).all() else int(seen.max())


def _kind(trace: LayerTrace, bias: Array) -> str:
    """What hangs what is added on: a table of ``buckets``, a ``slope``, or it is given."""
    if trace.buckets is not None:
        return "buckets"
    return "given" if _slope(trace, bias) is None else "slope"


def _slope(trace: LayerTrace, bias: Array | None) -> float | None:
    """How much more is added with each position (ALiBi); None where it is nothing so simple.

    Some count positions from the first token, some back from the query: that is the same for a
    whole row, and changes no weight.
    """
    n = len(trace.tokens)
    if bias is None or n < 2 or trace.key_tokens is not None or trace.buckets is not None:
        return None
    slope = float(bias[-1, -1] - bias[-1, 0]) / (n - 1)
    far = np.arange(n) - np.arange(n)[:, None]
    off = np.abs(bias - np.diagonal(bias)[:, None] - slope * far)[trace.allowed].max()
    return slope if off <= 1e-5 * np.abs(bias).max() else None


def _arrays(trace: LayerTrace, head: int) -> list[tuple[str, npt.NDArray[np.generic]]]:
    """What the browser needs of a layer to repeat every sum of one head."""
    mine = trace.key_head(head)
    found: dict[str, npt.NDArray[np.generic] | None] = {
        **{f"part{i}": part.values for i, part in enumerate(trace.parts)},
        "positions": trace.positions,
        "x": trace.x,
        "x_keys": trace.x_keys,
        **_side("q", trace.w_q, trace.b_q, trace.d_k, head),
        **_side("k", trace.w_k, trace.b_k, trace.d_k, mine),
        **_side("v", trace.w_v, trace.b_v, trace.d_v, mine),
        "q": trace.q[head],
        "k": trace.k[mine],
        "v": trace.v[mine],
        "q_mapped": None if trace.q_mapped is None else trace.q_mapped[head],
        "k_mapped": None if trace.k_mapped is None else trace.k_mapped[mine],
        **_normed("norm", trace.norm, None),
        **_normed("q_norm", trace.q_norm, head),
        **_normed("k_norm", trace.k_norm, mine),
        **_normed("after", trace.after, None),
        "cos": None if trace.turn is None else trace.turn.cos,
        "sin": None if trace.turn is None else trace.turn.sin,
        "bias": trace.bias(head),
        "buckets": trace.buckets,
        "allowed": None if trace.is_causal or trace.allowed.all() else trace.allowed,
        "weights": trace.weights[head],
        "joined": trace.joined,
        "w_o": trace.w_o[:, head * trace.d_v : (head + 1) * trace.d_v],
        "b_o": trace.b_o,
        "output": trace.output,
    }
    found["norm_gave"] = None  # which is x
    return [(name, array) for name, array in found.items() if array is not None]


def _side(
    name: str, weight: Array, bias: Array | None, width: int, head: int
) -> dict[str, npt.NDArray[np.generic] | None]:
    """The map to queries, keys or values of one head."""
    own = slice(head * width, (head + 1) * width)
    return {f"w_{name}": weight[own], f"b_{name}": None if bias is None else bias[own]}


def _normed(
    name: str, norm: Normed | None, head: int | None
) -> dict[str, npt.NDArray[np.generic] | None]:
    """A norm's numbers: of one head, or of the vectors that all heads read."""
    if norm is None:
        return {}
    parts = {key: getattr(norm, key) for key in ("read", "gave", "scale", "gain", "shift", "mean")}
    own = {key: part if part is None or head is None else part[head] for key, part in parts.items()}
    return {f"{name}_{key}": part for key, part in own.items()}
