"""One edge of one head, by what its query and its key are made of.

How a model makes a query of a vector (a norm, one map or three in one, a norm of each head, a turn
by its place) is not looked up. Its own attention module is run on one position alone, with what
each part has written there in the place of the whole; the norms on the way are kept as they are, so
that all of it is linear. It is taken for that only where the parts add up to the model's own query
and key.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.headname import head_name
from explorer.language import t
from explorer.residual import Doubles, EdgeVectors, Part, pairs_of_turns
from explorer.sources.forward import failing
from explorer.sources.stream import Stream
from explorer.sources.tap import Call, Tap

_CLOSE = 1e-4  # of the largest number of a query: float32 sums in another order
_TRIED = 16  # vectors that are turned to see which dimensions go together
_EPS = (1e-5, 1e-6, 1e-8, 1e-12, 0.0)


class _EnoughError(Exception):
    """Raised where a run has gone as far as it is wanted."""


@dataclass(frozen=True, eq=False)
class _Module:
    """An attention module as it was called."""

    module: torch.nn.Module
    hidden: Tensor
    named: dict[str, Any]
    place: str | int
    given: tuple[Any, ...]
    call: Call


def edge_vectors(stream: Stream, layer: int, head: int, query: int, key: int) -> EdgeVectors:
    """What the query and the key of an edge are made of.

    Args:
        stream: The text before the decoder.
        layer: The model's own number of the layer.
        head: The head.
        query: The position that looks.
        key: The position that is looked at.

    Raises:
        ExplorerError: There is no such edge, or they cannot be taken apart in this model.
    """
    name, n = stream.loaded.info.name, stream.n_tokens
    if stream.loaded.form != "text" or not stream.loaded.by_scores:
        raise ExplorerError(
            t(
                "A weight of {name} cannot be taken apart: that goes for decoders whose"
                " attention is kept as q and k, such as GPT-2 and Llama.",
                name=name,
            )
        )
    if not (0 <= query < n and 0 <= key <= query):
        raise ExplorerError(
            t("There is no weight from token {query} to token {key}.", query=query, key=key)
        )
    if layer not in stream.numbers:
        raise ExplorerError(t("{name} has no layer {layer}.", name=name, layer=layer))
    own = _called(stream, layer)
    if not 0 <= head < own.call.query.shape[1]:
        raise ExplorerError(
            t("{name} has no head {layer}.", name=name, layer=head_name(layer, head))
        )
    found = {}
    for side, at in (("query", query), ("key", key)):
        found[side] = _side(stream, own, layer, at, side, head)
    scale, score, shown = _score(own.call, head, query, key)
    (query_parts, q), (key_parts, k) = found["query"], found["key"]
    return EdgeVectors(query_parts, key_parts, q, k, scale, score, shown, _bands(stream, own, head))


def _called(stream: Stream, layer: int) -> _Module:
    """The attention module of a layer, with what it is called with on the text.

    Raises:
        ExplorerError: The layer has none, or it reads no vectors of its own.
    """
    loaded = stream.loaded
    network: Any = loaded.network
    taps = _attention_in(stream, layer)
    kept: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = []

    def keep(module: Any, given: tuple[Any, ...], named: dict[str, Any]) -> None:
        kept.append((module, given, named))

    def stop(*_: object) -> None:
        raise _EnoughError

    hooks = [
        taps.register_forward_pre_hook(keep, with_kwargs=True),
        taps.register_forward_hook(stop),
    ]
    tap = Tap()
    try:
        with torch.inference_mode(), failing(loaded.info.name), tap.open():
            _until_enough(lambda: network(**stream.inputs, use_cache=False))
    finally:
        for hook in hooks:
            hook.remove()
    module, given, named = kept[-1]
    place = next((i for i, x in enumerate(given) if _is_hidden(x)), None)
    where: Any = place if place is not None else next(k for k, x in named.items() if _is_hidden(x))
    hidden = given[where] if isinstance(where, int) else named[where]
    return _Module(module, hidden, named, where, given, tap.calls[-1])


def _until_enough(what: Callable[[], object]) -> None:
    try:
        what()
    except _EnoughError:
        return


def _is_hidden(x: Any) -> bool:
    return isinstance(x, Tensor) and x.is_floating_point() and x.dim() == 3


def _attention_in(stream: Stream, layer: int) -> torch.nn.Module:
    """The module of a layer that calls the attention function."""
    inside = {id(m) for m in stream.layer(layer).modules()}
    tap = Tap()
    network: Any = stream.loaded.network
    short = {"input_ids": torch.zeros((1, 2), dtype=torch.long)}
    with torch.inference_mode(), failing(stream.loaded.info.name), tap.open():
        network(**short, use_cache=False)
    found = [call.module for call in tap.calls if id(call.module) in inside]
    if len(found) != 1:
        raise ExplorerError(
            t(
                "Layer {layer} of {name} has {n} attentions, so no weight of it can be "
                "taken apart.",
                layer=layer,
                name=stream.loaded.info.name,
                n=len(found),
            )
        )
    return found[0]


# --- one side of an edge ------------------------------------------------------------------------


def _side(
    stream: Stream, own: _Module, layer: int, at: int, side: str, head: int
) -> tuple[tuple[Part, ...], Doubles]:
    """What the query, or the key, of a head at a position is made of."""
    parts, vectors = stream.parts(at, layer)
    whole = stream.before(layer, at).float()
    given = torch.from_numpy(np.stack(vectors)).to(whole)
    normed, shift = _normed(stream, own, layer, at, whole, given)
    nothing = torch.zeros_like(own.hidden[0, at])
    batch = torch.cat([own.hidden[0, at][None], nothing[None], shift[None], normed])
    found = _mapped(stream, own, at, batch)[side]  # [text, head, d]
    heads = own.call.query.shape[1]
    found = found[:, head * found.shape[1] // heads].double()
    of_nothing = found[1]
    made = torch.cat([found[3:] - of_nothing, found[2:3]])  # what is there in any case comes last
    call = own.call.query if side == "query" else own.call.key
    want = call[0, head * call.shape[1] // heads, at].double()
    off = (made.sum(0) - want).abs().max()
    if not off <= _CLOSE * want.abs().max():
        raise ExplorerError(
            t(
                "The {side} of {layer} in {name} is not linear in what its position was"
                " given, even with the norms kept as they are, so this weight cannot be"
                " taken apart.",
                side=side,
                layer=head_name(layer, head),
                name=stream.loaded.info.name,
            )
        )
    return (*parts, Part("constant")), made.numpy()


def _normed(
    stream: Stream, own: _Module, layer: int, at: int, whole: Tensor, parts: Tensor
) -> tuple[Tensor, Tensor]:
    """Parts of the stream behind the norm before an attention, and what that adds in any case."""
    read = own.hidden[0, at].float()
    if torch.allclose(read, whole, rtol=1e-5, atol=1e-6):
        return parts, torch.zeros_like(read)
    for module in stream.layer(layer).modules():
        if "norm" not in type(module).__name__.lower():
            continue
        if getattr(getattr(module, "weight", read), "shape", read.shape) != read.shape:
            continue
        frozen = _frozen(module, whole[None], read[None])
        if frozen is not None:
            return frozen(parts), frozen(torch.zeros_like(whole[None]), shift=True)[0]
    raise ExplorerError(
        t(
            "What the attention of layer {layer} of {name} reads is not the stream "
            "behind a norm, so no weight of it can be taken apart.",
            layer=layer,
            name=stream.loaded.info.name,
        )
    )


def _frozen(module: Any, read: Tensor, gave: Tensor) -> Callable[..., Tensor] | None:
    """A norm with what it divides by kept as it is for one vector; None if it is another thing."""
    weight, bias = getattr(module, "weight", None), getattr(module, "bias", None)
    x, want = read.double(), gave.double()
    gain = torch.ones(()) if weight is None else weight.detach().double()
    added = torch.zeros(()) if bias is None else bias.detach().double()
    said = [getattr(module, name, None) for name in ("eps", "variance_epsilon", "epsilon")]
    best, found = 2e-5 * float(want.abs().max()), None
    for centred in (False, True):
        middle = x - x.mean(-1, keepdim=True) if centred else x
        for eps in [float(e) for e in said if isinstance(e, float | int)] or _EPS:
            scale = (middle.pow(2).mean(-1, keepdim=True) + eps).sqrt()
            for factor in (gain, gain + 1):
                off = float((middle / scale * factor + added - want).abs().max())
                if off <= best:
                    best, found = off, (centred, scale, factor)
    if found is None:
        return None
    centred, scale, factor = found

    def norm(vectors: Tensor, *, shift: bool = False) -> Tensor:
        wide = vectors.double()
        wide = wide - wide.mean(-1, keepdim=True) if centred else wide
        return (wide / scale * factor + (added if shift else 0.0)).to(vectors.dtype)

    return norm


def _mapped(stream: Stream, own: _Module, at: int, batch: Tensor) -> dict[str, Tensor]:
    """Queries and keys that the module makes of vectors at a position, ``[vector, head, d]``.

    The first vector is the model's own: the norms inside the module are kept as they are for it.
    """
    norms: dict[int, Callable[..., Tensor]] = {}
    with _noting(own.module, norms):
        _run(stream, own, at, batch[:1])
    with _keeping(own.module, norms):
        call = _run(stream, own, at, batch)
    return {"query": call.query[:, :, 0], "key": call.key[:, :, 0]}


def _run(stream: Stream, own: _Module, at: int, batch: Tensor) -> Call:
    """Run the module on vectors that all stand at one position, as far as its attention."""
    n = own.hidden.shape[1]

    def alone(x: Any) -> Any:
        """What belongs to the position, of what is said of all."""
        if isinstance(x, tuple):
            return tuple(map(alone, x))
        if isinstance(x, Tensor) and x.dim() in (2, 3) and x.shape[1] == n:
            return x[:, at : at + 1]
        return x

    named = {key: alone(x) for key, x in own.named.items()}
    given = [alone(x) for x in own.given]
    for key in ("attention_mask", "past_key_values", "layer_past"):
        if key in named:
            named[key] = None
    hidden = batch[:, None].to(own.hidden.dtype)
    if isinstance(own.place, int):
        given[own.place] = hidden
    else:
        named[own.place] = hidden
    tap = _Stopping()
    with torch.inference_mode(), failing(stream.loaded.info.name), tap.open():
        _until_enough(lambda: own.module(*given, **named))
    return tap.calls[-1]


class _Stopping(Tap):
    """One that ends the run at its first call."""

    def attend(self, *about: Any) -> Tensor:
        super().attend(*about)
        raise _EnoughError


def _inner_norms(module: torch.nn.Module) -> list[torch.nn.Module]:
    return [m for m in module.modules() if "norm" in type(m).__name__.lower()]


@contextmanager
def _noting(module: torch.nn.Module, norms: dict[int, Callable[..., Tensor]]) -> Iterator[None]:
    """A block in which the norms inside a module are found out, as they are for what it reads."""

    def note(norm: Any, given: tuple[Any, ...], out: Tensor) -> None:
        found = _frozen(norm, given[0], out)
        if found is None:
            raise ExplorerError(
                t("It has a norm of another kind: {name}.", name=type(norm).__name__)
            )
        norms[id(norm)] = found

    yield from _hooked(module, note)


@contextmanager
def _keeping(module: torch.nn.Module, norms: dict[int, Callable[..., Tensor]]) -> Iterator[None]:
    """A block in which they divide all vectors by what they divided that one by."""

    def put(norm: Any, given: tuple[Any, ...], _out: Tensor) -> Tensor:
        return norms[id(norm)](given[0], shift=True)

    yield from _hooked(module, put)


def _hooked(module: torch.nn.Module, hook: Any) -> Iterator[None]:
    hooks = [norm.register_forward_hook(hook) for norm in _inner_norms(module)]
    try:
        yield
    finally:
        for one in hooks:
            one.remove()


# --- the score, and bands of rotation ------------------------------------------------------------


def _score(call: Call, head: int, query: int, key: int) -> tuple[float, float, float]:
    """The scale, scale · q·k, and the score as it comes to the softmax."""
    said = call.options.get("scaling")
    scale = float(call.query.shape[-1] ** -0.5 if said is None else said)
    shared = head * call.key.shape[1] // call.query.shape[1]
    q, k = call.query[0, head, query].double(), call.key[0, shared, key].double()
    score = scale * float(q @ k)
    cap, bias = call.options.get("softcap"), call.options.get("position_bias")
    shown = score if cap is None else float(cap) * float(np.tanh(score / float(cap)))
    if bias is not None:
        shown += float(bias[0, head % bias.shape[1], query, key])
    return scale, score, shown


def _bands(stream: Stream, own: _Module, head: int) -> tuple[tuple[int, ...], ...] | None:
    """Dimensions that are turned together: by what the module makes of vectors at two places."""
    draw = torch.Generator().manual_seed(0)
    some = torch.randn((_TRIED, own.hidden.shape[-1]), generator=draw).to(own.hidden)
    last = own.hidden.shape[1] - 1
    here, there = (_run(stream, own, at, some).query[:, head, 0].numpy() for at in (0, last))
    return pairs_of_turns(here, there)
