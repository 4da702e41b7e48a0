"""From an attention that was heard to what each of its parts did, or a refusal that names the part.

Families join their maps, norm queries and keys, and turn them, each in its own way. What is heard
is explained: of the maps that read the layer's vectors, the one is found whose numbers become the
queries, by no step, by a norm, by a turn with the cosines and sines that the model was handed, or
by both. Nothing counts as found that does not give the model's own numbers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.language import t
from explorer.layertrace import Array, Normed, StepName, Turn
from explorer.sources.listening import Event, Heard, rows
from explorer.sources.stream import fitted_norm, linear_of

_CLOSE = 2e-5  # of the largest number: float32 sums in another order
_ROUNDED = 2e-2  # of the same in half precision, which keeps two to three digits


@dataclass(frozen=True, eq=False)
class Side:
    """How queries, keys or values come of vectors.

    Attributes:
        weight: ``[head · d, d_in]``.
        bias: ``[head · d]``, or None.
        mapped: What the map gave, ``[head, token, d]``.
        steps: What is done behind it, in order.
        norm: The norm among these.
        turn: The turn among these.
        factor: What the model multiplies with behind all (OPT divides its queries here).
    """

    weight: Array
    bias: Array | None
    mapped: Array
    steps: tuple[StepName, ...] = ()
    norm: Normed | None = None
    turn: Turn | None = None
    factor: float = 1.0


@dataclass(frozen=True, eq=False)
class Output:
    """The map behind the heads: what it is, what it gave, and the norm behind it."""

    weight: Array
    bias: Array | None
    gave: Array
    after: Normed | None


def sides_of(heard: Heard, name: str) -> tuple[Side, Side, Side]:
    """How the queries, keys and values of an attention were made.

    Raises:
        ExplorerError: In a way that is not known here.
    """
    call = heard.call
    assert call.value is not None
    found = []
    turns = [*turns_of(heard, call.query.shape[-1])]
    for which, target, source in (
        ("queries", call.query, heard.hidden),
        ("keys", call.key, heard.keys_from),
        ("values", call.value, heard.keys_from),
    ):
        side = _side(heard, which, target[0], source, () if which == "values" else turns)
        if side is None:
            raise ExplorerError(
                t(
                    "The {which} of this attention of {name} are made in a way that cannot "
                    "be followed here: by no one map of what it reads, with a norm and a "
                    "turn behind it where they have them. Explore shows its attention all "
                    "the same.",
                    which=which,
                    name=name,
                )
            )
        found.append(side)
    queries, keys, values = found
    if queries.steps != keys.steps:
        raise ExplorerError(
            t(
                "The queries of this attention of {name} go another way than its keys, "
                "which cannot be followed here. Explore shows its attention all the "
                "same.",
                name=name,
            )
        )
    return queries, keys, values


def output_of(heard: Heard, name: str) -> Output:
    """The map behind the heads, and the norm behind that.

    Raises:
        ExplorerError: Something else is done to what the heads give.
    """
    joined = heard.joined
    for i, event in enumerate(heard.behind):
        linear = linear_of(event.module)
        if linear is None or event.read is None or not _close(rows(event.read), joined):
            continue
        weight, bias = linear
        gave = rows(event.gave)
        behind = (e for e in heard.behind[i + 1 :] if e.is_norm)
        after = next((n for e in behind if (n := normed(e, gave)) is not None), None)
        return Output(array(weight), None if bias is None else array(bias), array(gave), after)
    raise ExplorerError(
        t(
            "What the heads of this attention of {name} give is not what its output"
            " map reads: it is changed on the way, by a gate or a norm. That cannot"
            " be followed here; Explore shows its attention all the same.",
            name=name,
        )
    )


def norm_before(heard: Heard) -> Normed | None:
    """The norm of this layer whose output is what the attention reads; None if there is none."""
    for event in reversed(heard.before):
        if _same(rows(event.gave), heard.hidden):
            return normed(event, None)
    return None


def normed(event: Event, read: Tensor | None) -> Normed | None:
    """A norm that ran over vectors, ``[token, d]``; None if it is none, or read something else."""
    if event.read is None or event.read.shape != event.gave.shape:
        return None
    took, gave = rows(event.read), rows(event.gave)
    if took.dim() != 2 or (read is not None and not _close(took, read, exactly=True)):
        return None
    found = fitted_norm(event.module, took, gave)
    if found is None:
        return None
    has_shift = getattr(event.module, "bias", None) is not None
    return Normed(
        array(took),
        array(gave),
        found.scale.astype(np.float32),
        found.gain.astype(np.float32),
        found.shift.astype(np.float32) if has_shift else None,
        array(took.double().mean(-1)) if found.centred else None,
    )


# --- from vectors to queries, keys and values ----------------------------------------------------


def _side(
    heard: Heard, which: str, target: Tensor, source: Tensor, turns: Sequence[Turn]
) -> Side | None:
    """The map whose numbers become the target, ``[head, token, d]``."""
    heads, _, d = target.shape
    query_heads, key_heads = heard.call.query.shape[1], heard.call.key.shape[1]
    for event in heard.inside:
        linear = linear_of(event.module)
        if linear is None or event.read is None or not _same(rows(event.read), source):
            continue
        weight, bias = linear
        gave = rows(event.gave)
        for first, step in _layouts(which, gave.shape[1], query_heads, key_heads, d):
            at = (first + step * torch.arange(heads)[:, None] + torch.arange(d)).flatten()
            if int(at[-1]) >= gave.shape[1]:
                continue
            mapped = gave[:, at].unflatten(-1, (heads, d)).transpose(0, 1)
            found = _steps(mapped, target, heard.inside, turns)
            if found is not None:
                own = None if bias is None else array(bias[at])
                return Side(array(weight[at]), own, array(mapped), **found)
    return None


def _layouts(
    which: str, width: int, query_heads: int, key_heads: int, d: int
) -> Iterator[tuple[int, int]]:
    """Where the numbers of the first head may begin in a map's output, and how far the next is.

    A map of its own; three in one, one behind the other (GPT-2, Phi-3); or head by head (GPT-NeoX).
    """
    q, k = query_heads * d, key_heads * d
    yield {"queries": 0, "keys": 0, "values": 0}[which], d
    if which != "queries":
        yield (q if which == "keys" else q + k), d
        yield width - (2 * k if which == "keys" else k), d
    each = width // query_heads
    yield {"queries": 0, "keys": d, "values": 2 * d}[which], each


def _steps(
    mapped: Tensor, target: Tensor, inside: Sequence[Event], turns: Sequence[Turn]
) -> dict[str, Any] | None:
    """What makes the target of what a map gave, as the fields of a `Side`; None if nothing does."""
    for turn in turns:
        if _close(turned(turn, mapped), target):
            return {"steps": ("turn",), "turn": turn}
    if _close(mapped, target):
        return {}
    if (factor := _factor(mapped, target)) is not None:
        return {"factor": factor}
    for event in (e for e in inside if e.is_norm):
        for turn in turns:
            first = _head_norm(event, turned(turn, mapped))
            if first is not None and _close(torch.from_numpy(first.gave), target):
                return {"steps": ("turn", "norm"), "turn": turn, "norm": first}
        found = _head_norm(event, mapped)
        if found is None:
            continue
        gave = torch.from_numpy(found.gave)
        for turn in turns:
            if _close(turned(turn, gave), target):
                return {"steps": ("norm", "turn"), "turn": turn, "norm": found}
        if _close(gave, target):
            return {"steps": ("norm",), "norm": found}
    return None


def turned(turn: Turn, vectors: Tensor) -> Tensor:
    """Vectors ``[head, token, d]``, turned by their places."""
    return torch.from_numpy(turn.of(array(vectors)))


def _factor(one: Tensor, other: Tensor) -> float | None:
    """The number that one times which is the other; None if there is none."""
    a, b = one.double(), other.double()
    factor = float((a * b).sum() / a.pow(2).sum().clamp_min(1e-300))
    return factor if factor and _close((factor * a).float(), other) else None


def _head_norm(event: Event, mapped: Tensor) -> Normed | None:
    """A norm of queries or keys that has read these, ``[head, token, d]``."""
    if event.read is None or event.read.numel() != mapped.numel():
        return None
    heads, n, d = mapped.shape
    read, gave = (_as_heads(x, heads, n, d) for x in (event.read, event.gave))
    if read is None or gave is None or not _close(read, mapped):
        return None
    over_all = event.read.shape[-1] != d  # of all heads together (OLMo 2)
    flat, flat_gave = (
        x.transpose(0, 1).flatten(1) if over_all else x.reshape(-1, d) for x in (read, gave)
    )
    found = _fitted(event.module, flat, flat_gave)
    if found is None:
        return None
    scale = np.broadcast_to(found.scale.reshape((1, n) if over_all else (heads, n)), (heads, n))
    mean = flat.double().mean(-1).reshape((1, n) if over_all else (heads, n))
    wide = [np.broadcast_to(x.reshape(-1, d), (heads, d)) for x in (found.gain, found.shift)]
    gain, shift = (x.astype(np.float32) for x in wide)
    return Normed(
        array(read),
        array(gave),
        scale.astype(np.float32),
        gain,
        shift if getattr(event.module, "bias", None) is not None else None,
        array(mean.expand(heads, n)) if found.centred else None,
    )


def _fitted(module: Any, read: Tensor, gave: Tensor) -> Any:
    """A norm over vectors as a LayerNorm or RMSNorm; None if its weights are no such vector."""
    weight = getattr(module, "weight", None)
    if weight is not None and weight.numel() != read.shape[-1]:
        return None
    return fitted_norm(module, read, gave)


def _as_heads(x: Tensor, heads: int, n: int, d: int) -> Tensor | None:
    """Vectors as ``[head, token, d]``, however a module was given them."""
    if x.dim() == 4 and x.shape[1:] == (n, heads, d):
        return x[0].transpose(0, 1)
    if x.dim() == 4 and x.shape[1:] == (heads, n, d):
        return x[0]
    if x.shape[-1] == heads * d:
        return x.reshape(n, heads, d).transpose(0, 1)
    return None


# --- turns --------------------------------------------------------------------------------------


def turns_of(heard: Heard, d: int) -> Iterator[Turn]:
    """Every way in which cosines and sines that the attention was handed may turn its vectors.

    Numbers go together in halves or side by side, of a whole vector or of a part of it; the cosine
    of a pair stands once in what was handed, or twice, likewise; and some turn the other way round.
    """
    n = heard.hidden.shape[0]
    for cos, sin in _handed(heard.given, n):
        width = cos.shape[1]
        for wide in {width, 2 * width}:
            if wide > d or wide % 2:
                continue
            half = wide // 2
            kinds = [slice(None)] if wide == 2 * width else [slice(0, half), slice(0, None, 2)]
            for kind in kinds:
                for first in dict.fromkeys((0, d - wide)):
                    beside = np.arange(wide).reshape(half, 2)
                    for pairs in (beside.reshape(-1).reshape(2, half).T, beside):
                        own = (array(cos[:, kind]), array(sin[:, kind]))
                        yield Turn((first + pairs).astype(np.int32), *own)
                        yield Turn((first + pairs).astype(np.int32), own[0], -own[1])


def _handed(given: Sequence[Any], n: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Cosines and sines, ``[token, …]``, in what a module was called with."""
    for one in given:
        if isinstance(one, Tensor) and one.is_complex() and one.numel() % n == 0:
            flat = one.reshape(n, -1)
            yield flat.real, flat.imag
        if not isinstance(one, tuple | list) or len(one) != 2:
            continue
        if not all(isinstance(x, Tensor) and x.is_floating_point() for x in one):
            continue
        cos, sin = one
        if cos.shape == sin.shape and cos.numel() == n * cos.shape[-1]:
            yield cos.reshape(n, -1), sin.reshape(n, -1)


# --- small things -------------------------------------------------------------------------------


def _same(one: Tensor, other: Tensor) -> bool:
    return one is other or (one.shape == other.shape and torch.equal(one, other))


def _close(one: Tensor, other: Tensor, exactly: bool = False) -> bool:
    """Whether two tensors are the same to what their precision keeps; or in every bit."""
    if exactly or one.shape != other.shape:
        return _same(one, other)
    half = torch.float16 in (one.dtype, other.dtype) or torch.bfloat16 in (one.dtype, other.dtype)
    most = _ROUNDED if half else _CLOSE
    off = (one.float() - other.float()).abs().max()
    return bool(off <= most * other.float().abs().max())


def array(tensor: Tensor) -> Array:
    """A copy, so that locking it does not lock the model."""
    found: Array = tensor.detach().float().numpy().copy()
    return found
