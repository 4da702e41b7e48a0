"""The one function through which a model's attention goes: it hands out q, k and the score rule.

Transformers dispatches attention by name to a function in a registry. Ours delegates to sdpa where
that can compute the model's attention, and computes in blocks of queries where it cannot (a soft
cap, sinks), so that the model's output is what it was. While a `Tap` is open in this thread of work
it also notes every call; and it is the one place where attention is changed: heads off, edges cut,
weights replaced.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

from explorer.layers import FromScores, ScoreRule, Weights, causal

NAME = "explorer_tap"
_CELLS = 2**22  # scores of all heads that are made at once where sdpa cannot compute them: 16 MB
_current: ContextVar["Tap | None"] = ContextVar("tap", default=None)
Places: TypeAlias = slice | Tensor


@dataclass(frozen=True)
class Change:
    """What is changed in a model's attention; layers are counted as the model calls them, from 0.

    Attributes:
        off: bool ``[text, layer, head]``: heads whose output becomes zero, which is what zero
            attention weights would give (Michel, Levy, Neubig 2019).
        cut: For a layer, bool ``[head or 1, query, key]``, or ``[text, head or 1, query, key]``:
            edges whose score becomes −inf before the softmax, so that the rest of the row shares
            what they had (Geva et al. 2023). Of a text that grows the last queries and keys count.
        replaced: For a layer, ``[head, query, key]``: weights that stand in for the model's own.
        even: For a layer, bool ``[head]``: heads whose queries share out their attention evenly
            over all keys that they may look at.
        silent: For a layer, bool ``[head]``: heads whose sink, which is no token, takes nothing.
        instead: For a layer, what makes other weights of its call and of those that it has,
            ``[text, head, query, key]``.
    """

    off: Tensor | None = None
    cut: Mapping[int, Tensor] = field(default_factory=dict)
    replaced: Mapping[int, Tensor] = field(default_factory=dict)
    even: Mapping[int, Tensor] = field(default_factory=dict)
    silent: Mapping[int, Tensor] = field(default_factory=dict)
    instead: Mapping[int, "Callable[[Call, Tensor], Tensor]"] = field(default_factory=dict)

    def wants_weights(self, layer: int) -> bool:
        """Whether a layer's weights must be formed to make the change."""
        return layer in self.cut or layer in self.replaced or layer in self.instead


@dataclass(frozen=True, eq=False)
class Call:
    """One call of the attention function: one layer, all texts of a batch.

    Attributes:
        module: The attention module that called.
        query: ``[text, head, query, d]``.
        key: ``[text, key head, key, d]``.
        mask: ``[text, head or 1, query, key]``: True where a key is seen, or numbers to add.
        options: What else was said: scaling, softcap, sinks, bias.
        value: ``[text, key head, key, d_v]`` where asked for.
        weights: ``[text, head, query, key]`` where they were formed; torch's graph hangs on them.
    """

    module: torch.nn.Module
    query: Tensor
    key: Tensor
    mask: Tensor | None
    options: Mapping[str, Any]
    value: Tensor | None = None
    weights: Tensor | None = None


class Tap:
    """What went through the attention function while it was open, call by call.

    Args:
        values: Whether values are kept too.
        weights: Whether weights are formed: with memory that grows with the square of the length.
        change: What to change.
        keep: Whether calls are noted at all.
    """

    def __init__(
        self,
        *,
        values: bool = False,
        weights: bool = False,
        change: Change | None = None,
        keep: bool = True,
    ) -> None:
        self.calls: list[Call] = []
        self._values, self._weights, self._keep = values, weights, keep
        self._change = change or Change()
        self._count = 0

    @contextmanager
    def open(self) -> Iterator["Tap"]:
        """Note what goes through the attention function in this thread until the block ends."""
        token = _current.set(self)
        try:
            yield self
        finally:
            _current.reset(token)

    def attend(
        self,
        module: torch.nn.Module,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Tensor | None,
        options: dict[str, Any],
    ) -> Tensor:
        """A layer's output, ``[text, query, head, d_v]``."""
        layer, change = self._count, self._change
        self._count += 1
        query, options = _evened(query, options, change.even.get(layer))
        options = _silenced(options, change.silent.get(layer))
        if layer in change.cut:
            mask = _with_cuts(module, query, key, mask, options, change.cut[layer])
        weights = None
        if self._weights or change.wants_weights(layer):
            weights = _weights(module, query, key, mask, options)
            if layer in change.cut:  # all edges of a row may be cut
                weights = weights.nan_to_num(nan=0.0)
            if layer in change.replaced:
                weights = change.replaced[layer].to(weights).expand_as(weights)
            if layer in change.instead:
                call = Call(module, query, key, mask, options)
                weights = change.instead[layer](call, weights)
            output = (weights @ _for_all(value, query)).transpose(1, 2)
        else:
            output = _output(module, query, key, value, mask, options)
        if change.off is not None:
            output = output * ~change.off[:, layer, None, :, None].to(output.device)
        if self._keep:
            kept = (value if self._values else None, weights)
            self.calls.append(Call(module, query, key, mask, options, *kept))
        return output.contiguous()


def _attention(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None = None,
    **options: Any,
) -> tuple[Tensor, None]:
    """The function that stands in the registry of Transformers."""
    tap = _current.get()
    if tap is None:
        return _output(module, query, key, value, attention_mask, options), None
    return tap.attend(module, query, key, value, attention_mask, options), None


AttentionInterface.register(NAME, _attention)
AttentionMaskInterface.register(NAME, sdpa_mask)  # under another name the mask would be None

# --- what the model's attention is --------------------------------------------------------------


def _output(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    options: dict[str, Any],
) -> Tensor:
    """A layer's output, ``[text, query, head, d_v]``: by sdpa where that can compute it."""
    if _cap(options) is None and _sinks(options) is None:
        output: Tensor = sdpa_attention_forward(module, query, key, value, mask, **options)[0]
        return output
    step = max(1, _CELLS // (query.shape[0] * query.shape[1] * key.shape[2]))
    values = _for_all(value, query)
    parts = [
        _weights(module, query, key, mask, options, slice(start, start + step)) @ values
        for start in range(0, query.shape[2], step)
    ]
    return torch.cat(parts, dim=2).transpose(1, 2)


def _weights(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    mask: Tensor | None,
    options: Mapping[str, Any],
    some: Places = slice(None),
) -> Tensor:
    """The weights of some queries, ``[text, head, query, key]``: scale, cap, add, mask, softmax."""
    scores = query[:, :, some] @ _for_all(key, query).transpose(2, 3) * _scale(query, options)
    cap, sinks = _cap(options), _sinks(options)
    if cap is not None:
        scores = torch.tanh(scores / cap) * cap
    bias = options.get("position_bias")
    if bias is not None:
        scores = scores + bias[:, :, some, : key.shape[2]]
    blind = None
    if mask is not None and mask.dtype == torch.bool:
        seen = mask[:, :, some, : key.shape[2]]
        blind = ~seen.any(-1, keepdim=True)  # padding that sees nothing through its window
        scores = scores.masked_fill(~seen, -torch.inf).masked_fill(blind, 0.0)
    elif mask is not None:
        scores = scores + mask[:, :, some, : key.shape[2]]
    elif _is_causal(module, query, mask, options):
        places = torch.arange(key.shape[2], device=scores.device)
        scores = scores.masked_fill(
            places > torch.arange(query.shape[2], device=scores.device)[some, None], -torch.inf
        )
    if sinks is not None:
        column = sinks.to(scores).reshape(1, -1, 1, 1).expand(*scores.shape[:3], 1)
        scores = torch.cat([scores, column], dim=-1)
    found = torch.softmax(scores, dim=-1, dtype=torch.float32).to(query.dtype)
    found = found if sinks is None else found[..., :-1]
    return found if blind is None else found.masked_fill(blind, 0.0)


def _evened(
    query: Tensor, options: dict[str, Any], heads: Tensor | None
) -> tuple[Tensor, dict[str, Any]]:
    """Queries and options with which some heads give every score the same: q of nought, no bias."""
    if heads is None:
        return query, options
    kept = ~heads.to(query.device)[:, None, None]
    bias = options.get("position_bias")
    if bias is not None:
        options = options | {"position_bias": bias * kept}
    return query * kept, _silenced(options, heads)


def _silenced(options: dict[str, Any], heads: Tensor | None) -> dict[str, Any]:
    sinks = _sinks(options)
    if heads is None or sinks is None:
        return options
    return options | {"s_aux": sinks.reshape(-1).masked_fill(heads.to(sinks.device), -torch.inf)}


def _with_cuts(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    mask: Tensor | None,
    options: Mapping[str, Any],
    cut: Tensor,
) -> Tensor:
    """A mask without some edges, ``[text, head or 1, query, key]``."""
    n, keys = query.shape[2], key.shape[2]
    gone = cut[..., -n:, -keys:].to(query.device)
    gone = gone if gone.dim() == 4 else gone[None]
    if mask is None:
        mask = torch.ones((1, 1, n, keys), dtype=torch.bool, device=query.device)
        if _is_causal(module, query, None, options):
            mask = mask.tril()
    mask = mask[..., :keys]
    return mask & ~gone if mask.dtype == torch.bool else mask.masked_fill(gone, -torch.inf)


def weights_of(call: Call, some: Places = slice(None)) -> Tensor:
    """The weights of a call, ``[text, head, query, key]``: those formed, or formed now.

    Args:
        call: The call.
        some: Which queries, in which order.
    """
    if call.weights is not None:
        return call.weights[:, :, some]
    return _weights(call.module, call.query, call.key, call.mask, call.options, some)


def _for_all(part: Tensor, query: Tensor) -> Tensor:
    """Keys or values with one for each head: those of a key head serve the heads beside it."""
    times = query.shape[1] // part.shape[1]
    return part if times == 1 else part.repeat_interleave(times, dim=1)


def _scale(query: Tensor, options: Mapping[str, Any]) -> float:
    said = options.get("scaling")
    return float(query.shape[-1] ** -0.5 if said is None else said)


def _cap(options: Mapping[str, Any]) -> float | None:
    said = options.get("softcap")
    return None if said is None else float(said)


def _sinks(options: Mapping[str, Any]) -> Tensor | None:
    return options.get("s_aux")


def _is_causal(
    module: torch.nn.Module, query: Tensor, mask: Tensor | None, options: Mapping[str, Any]
) -> bool:
    """Whether each query looks only at keys up to its own place, as sdpa decides it."""
    said = options.get("is_causal")
    said = getattr(module, "is_causal", True) if said is None else said
    return mask is None and query.shape[2] > 1 and bool(said)


# --- from calls to layers -----------------------------------------------------------------------


def layers_from(
    calls: Sequence[Call], numbers: Sequence[int], text: int = 0
) -> tuple[FromScores, ...]:
    """The layers of one text of a batch, kept as q, k and a score rule.

    Args:
        calls: From a `Tap`, one for each layer.
        numbers: The model's own numbers of the layers.
        text: Which text of the batch.

    Raises:
        ExplorerError: q or k are not numbers.
    """
    masks: dict[int, tuple[Any, ...]] = {}
    return tuple(
        FromScores(
            number, _array(call.query[text]), _array(call.key[text]), _rule(call, text, masks)
        )
        for number, call in zip(numbers, calls, strict=True)
    )


def numbers_of(network: torch.nn.Module, calls: Sequence[Call]) -> tuple[int, ...]:
    """The model's own numbers of the layers that called: those in the names of their modules.

    Where one module serves several layers (ALBERT) the calls are counted; where it stands under
    several names (Zamba 2) it called once for each, in order.
    """
    names: dict[int, list[int]] = {}
    for name, module in network.named_modules(remove_duplicate=False):
        found = re.search(r"(?:^|\.)(\d+)(?:\.|$)", name)
        if found:
            names.setdefault(id(module), []).append(int(found[1]))
    left = {key: sorted(set(found)) for key, found in names.items()}
    numbers = []
    for call in calls:
        mine = left.get(id(call.module))
        if not mine:
            return tuple(range(len(calls)))
        numbers.append(mine.pop(0))
    rising = all(a < b for a, b in pairwise(numbers))
    return tuple(numbers) if rising else tuple(range(len(calls)))


def _array(tensor: Tensor) -> Weights:
    """A tensor as numpy has it, without the memory of a larger one that it may be a part of."""
    found = tensor.detach()
    if found.dtype not in (torch.float32, torch.float16):
        found = found.float()  # numpy has no bfloat16; float32 holds the same numbers
    whole = found.untyped_storage().nbytes()
    if found.device.type != "cpu" or whole > 1.05 * found.numel() * found.element_size():
        found = found.cpu().clone(memory_format=torch.contiguous_format)
    array: Weights = found.numpy()
    return array


def _rule(call: Call, text: int, masks: dict[int, tuple[Any, ...]]) -> ScoreRule:
    mask, bias, sinks = call.mask, call.options.get("position_bias"), _sinks(call.options)
    shape = (call.query.shape[2], call.key.shape[2])
    allowed, offsets, added = _read(mask, text, shape, masks)
    if _is_causal(call.module, call.query, mask, call.options):
        allowed = causal(*shape)
    if bias is not None:
        found = _read(bias, min(text, len(bias) - 1), shape, masks)
        allowed = found[0] if allowed is None else allowed
        offsets, added = (_sum(offsets, found[1]), _sum(added, found[2]))
    return ScoreRule(
        scale=_scale(call.query, call.options),
        cap=_cap(call.options),
        allowed=allowed,
        offsets=offsets,
        added=added,
        sinks=None if sinks is None else _array(sinks.reshape(-1)),
    )


def _sum(one: Weights | None, other: Weights | None) -> Weights | None:
    if one is None or other is None:
        return one if other is None else other
    return one + other


Found = tuple[npt.NDArray[np.int32] | None, Weights | None, Weights | None]


def _read(mask: Tensor | None, text: int, shape: tuple[int, int], known: dict[int, Any]) -> Found:
    """A mask or a bias in its shortest form: which keys are allowed, offsets, or what is added.

    Layers share their masks, so each is read once.
    """
    if mask is None:
        return None, None, None
    found: Found | None = known.get(id(mask), (None, None))[1]
    if found is None:
        found = _shortest(mask[min(text, len(mask) - 1), :, : shape[0], : shape[1]].detach().cpu())
        known[id(mask)] = (mask, found)  # the mask too: its name must not become another's
    return found


def _shortest(mask: Tensor) -> Found:
    """A mask or a bias of one text, ``[head, query, key]``, in its shortest form."""
    plain = mask.dtype == torch.bool
    seen = mask if plain else mask > torch.finfo(mask.dtype).min / 2
    allowed = _ranges(seen)
    rest = None if plain else mask.float().masked_fill(~seen, 0.0)
    if rest is not None and not rest.any():
        rest = None
    if allowed is None and not seen.all():  # keys are left out in another shape
        holes = torch.zeros(seen.shape) if rest is None else rest
        return None, None, holes.masked_fill(~seen, -torch.inf).numpy()
    whole = allowed is None or bool((allowed == (0, mask.shape[2])).all())
    if rest is None:
        return (None if whole else allowed), None, None
    offsets = _offsets(rest) if whole else None
    return (None if whole else allowed), offsets, rest.numpy() if offsets is None else None


def _ranges(seen: Tensor) -> npt.NDArray[np.int32] | None:
    """The first key that each query sees and one past the last; None if it sees with gaps."""
    one = seen[0]
    if any(not torch.equal(one, other) for other in seen[1:]):
        return None
    counts = one.sum(-1)
    first = one.int().argmax(-1)
    last = torch.where(counts > 0, one.shape[1] - one.flip(-1).int().argmax(-1), first)
    if not torch.equal(last - first, counts):
        return None
    return torch.stack([first, last], dim=-1).numpy().astype(np.int32)


def _offsets(bias: Tensor) -> Weights | None:
    """A bias by ``key − query + n_queries − 1``, ``[head, offset]``; None if it is no such."""
    if not torch.equal(bias[:, 1:, 1:], bias[:, :-1, :-1]):
        return None
    found: Weights = torch.cat([bias[:, :, 0].flip(-1), bias[:, 0, 1:]], dim=-1).numpy()
    return found


# --- what a model's own attention returns --------------------------------------------------------


def catching(modules: Sequence[torch.nn.Module], take: Callable[[Tensor], None]) -> list[Any]:
    """Hooks that hand out the weights that attention modules return beside their output."""

    def look(_module: object, _inputs: object, output: Any) -> None:
        parts = output if isinstance(output, tuple) else ()
        found = [part for part in parts if isinstance(part, Tensor) and part.dim() == 4]
        if found:
            take(found[-1])  # T5 returns its bias before them

    return [module.register_forward_hook(look) for module in dict.fromkeys(modules)]
