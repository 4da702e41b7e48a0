"""Edits -> Change: what a reader changes, as the tap makes it in one model."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from explorer.edits import Edits, Head
from explorer.errors import ExplorerError
from explorer.headname import head_name
from explorer.language import t
from explorer.sources.forward import failing
from explorer.sources.loading import LoadedModel
from explorer.sources.tap import Change, Tap, numbers_of

_known: "WeakKeyDictionary[torch.nn.Module, Heads]" = WeakKeyDictionary()


@dataclass(frozen=True)
class Heads:
    """The heads of a model whose attention goes through the tap.

    Attributes:
        numbers: The model's own numbers of the layers, in the order in which they call.
        n_heads: Heads of each layer.
        sinks: Whether each layer has a sink that is no token.
    """

    numbers: tuple[int, ...]
    n_heads: int
    sinks: tuple[bool, ...]


def heads_of(loaded: LoadedModel) -> Heads:
    """The heads of a model, found by one run on two tokens and then known.

    Raises:
        ExplorerError: Its attention cannot be changed here.
    """
    passport = loaded.info.passport
    if not loaded.by_scores or loaded.form != "text":
        why: str = t("it has several parts, and here models of one are changed")
        if passport and passport.reason:
            why = passport.reason
        raise ExplorerError(
            t("No attention of {name} can be changed: {why}.", name=loaded.info.name, why=why)
        )
    network: Any = loaded.network
    if network not in _known:
        tap = Tap()
        with torch.inference_mode(), failing(loaded.info.name), tap.open():
            network(input_ids=torch.zeros((1, 2), dtype=torch.long))
        sizes = {call.query.shape[1] for call in tap.calls}
        if len(sizes) != 1:
            raise ExplorerError(
                t(
                    "The layers of {name} have different numbers of heads, so none can be named.",
                    name=loaded.info.name,
                )
            )
        sinks = tuple(call.options.get("s_aux") is not None for call in tap.calls)
        _known[network] = Heads(numbers_of(network, tap.calls), sizes.pop(), sinks)
    return _known[network]


def change_for(loaded: LoadedModel, edits: Edits | None, n: int, new: int | None = None) -> Change:
    """What the tap changes for a text of so many tokens.

    Args:
        loaded: The model.
        edits: What a reader changes.
        n: Tokens of the text.
        new: How many of the last are read now, where the others were read before.

    Raises:
        ExplorerError: There is no such head or token, or the model cannot be changed.
    """
    if not edits:
        return Change()
    heads = heads_of(loaded)
    _check(loaded, edits, heads, n)
    silent = _by_layer(edits.silent, heads)
    return Change(
        off=_off(edits.off, heads),
        cut=_cuts(edits, heads, n, n if new is None else new),
        even=_by_layer(edits.even, heads),
        silent={at: some for at, some in silent.items() if heads.sinks[at]},
    )


def _check(loaded: LoadedModel, edits: Edits, heads: Heads, n: int) -> None:
    named = [*edits.off, *edits.even, *edits.silent]
    named += [(layer or heads.numbers[0], head or 0) for layer, head, _, _ in edits.edges]
    for layer, head in named:
        if layer not in heads.numbers or not 0 <= head < heads.n_heads:
            raise ExplorerError(
                t(
                    "{name} has no head {layer}.",
                    name=loaded.info.name,
                    layer=head_name(layer, head),
                )
            )
    for at in (*edits.cut, *(i for edge in edits.edges for i in edge[2:])):
        if not 0 <= at < n:
            raise ExplorerError(
                t(
                    "There is no token {at}: this text has the tokens 0 to {value}.",
                    at=at,
                    value=n - 1,
                )
            )


def _off(off: Iterable[Head], heads: Heads) -> Tensor | None:
    found = torch.zeros(1, len(heads.numbers), heads.n_heads, dtype=torch.bool)
    for layer, head in off:
        found[0, heads.numbers.index(layer), head] = True
    return found if found.any() else None


def _by_layer(some: Iterable[Head], heads: Heads) -> dict[int, Tensor]:
    found: dict[int, Tensor] = {}
    for layer, head in some:
        at = heads.numbers.index(layer)
        found.setdefault(at, torch.zeros(heads.n_heads, dtype=torch.bool))[head] = True
    return found


def _cuts(edits: Edits, heads: Heads, n: int, new: int) -> dict[int, Tensor]:
    """For each layer the edges that are cut, ``[head or 1, new query, key]``."""
    found: dict[int, Tensor] = {}
    layers = range(len(heads.numbers))
    if edits.cut:
        gone = knocked_out(edits.cut, n)[None, n - new :]
        found = dict.fromkeys(layers, gone)  # one tensor for all
    apart: dict[int, Tensor] = {}

    def own(at: int) -> Tensor:
        if at not in apart:
            start = found.get(at, torch.zeros((1, new, n), dtype=torch.bool))
            apart[at] = start.expand(heads.n_heads, -1, -1).clone()
        return apart[at]

    for at, some in _by_layer(edits.silent, heads).items():
        if not heads.sinks[at]:
            own(at)[some, max(1 - (n - new), 0) :, 0] = True
    for layer, head, query, key in edits.edges:
        if query < n - new:
            continue  # that row was read before
        for at in layers if layer is None else [heads.numbers.index(layer)]:
            own(at)[slice(None) if head is None else head, query - (n - new), key] = True
    return found | apart


def knocked_out(positions: Iterable[int], n: int) -> Tensor:
    """The edges from all later tokens to some positions, bool ``[query, key]``."""
    found = torch.zeros((n, n), dtype=torch.bool)
    for at in positions:
        found[at + 1 :, at] = True
    return found
