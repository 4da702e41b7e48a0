"""A loaded model run on its inputs, and the attention that it then had, layer by layer.

Models whose attention goes through the tap are kept as q, k and a score rule; of all others the
weights are taken as Transformers returns them. Nobody beyond this file needs to know which.
"""

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import torch

from explorer.errors import ExplorerError, refusing
from explorer.language import t
from explorer.layers import AttentionLayer, GivenWeights
from explorer.sources.loading import LoadedModel
from explorer.sources.memory import take
from explorer.sources.passport import OUTSIDE
from explorer.sources.tap import Call, Change, Tap, layers_from, numbers_of
from explorer.trace import ModelInfo, Passport

_ROUNDED = 0.02  # of a row's sum that half precision may be off by
_CROSS = re.compile(r"cross|encoder_attn|encdec|encoder_decoder", re.IGNORECASE)


def attention_of(
    loaded: LoadedModel,
    inputs: dict[str, Any],
    sides: tuple[int, int],
    *,
    network: Any = None,
    part: str | None = None,
    change: Change | None = None,
) -> tuple[AttentionLayer, ...]:
    """The attention layers of a model on some inputs.

    Args:
        loaded: The model.
        inputs: What the network is called with; one text.
        sides: How many tokens look, and how many are looked at.
        network: What to call, where it is not the network that reads.
        part: Of an encoder-decoder: whose attention is wanted.
        change: What is changed in it on the way.

    Raises:
        ExplorerError: The model fails, would not fit in memory, or returns no attention of every
            token on every token.
    """
    network = loaded.network if network is None else network
    calls: list[Call] = []
    if loaded.by_scores:
        check_room(loaded, max(sides), None)
        tap = Tap(change=change)
        with torch.inference_mode(), failing(loaded.info.name), tap.open():
            network(**inputs)
        calls = [c for c in of_part(network, tap.calls, part) if _sides(c) == sides]
    if not calls:  # or this part goes beside the tap, as a DeBERTa does before a BERT that writes
        return _returned(loaded, network, inputs, sides, part)
    heads = sorted({call.query.shape[1] for call in calls})
    if len(heads) > 1:
        raise ExplorerError(
            t(
                "The layers of {name} have different numbers of heads ({join}), so they"
                " cannot be laid side by side. Choose another model.",
                name=loaded.info.name,
                join=", ".join(map(str, heads)),
            )
        )
    return layers_from(calls, numbers_of(network, calls))


def _returned(
    loaded: LoadedModel,
    network: Any,
    inputs: dict[str, Any],
    sides: tuple[int, int],
    part: str | None,
) -> tuple[AttentionLayer, ...]:
    """The layers of the weights that a model returns; the arguments are those of `attention_of`."""
    check_room(loaded, max(sides), 3)
    with torch.inference_mode(), failing(loaded.info.name):
        out = network(**inputs, output_attentions=True)
    names = {"decoder": "decoder_attentions", "cross": "cross_attentions"}
    attentions: Any = getattr(out, names.get(part or "", "attentions"), None)
    found = complete(attentions, *sides, loaded.info)
    # A hybrid has None where a layer has no attention.
    numbers = (i for i, a in enumerate(attentions) if a is not None)
    return tuple(_given(i, a[0]) for i, a in zip(numbers, found, strict=True))


def _given(number: int, weights: torch.Tensor) -> GivenWeights:
    """A layer of the weights that a model returns, ``[head, query, key]``, as float32.

    Rows that half precision has rounded sum to 1 again; where much more than that is missing, the
    model itself gives it to no token.
    """
    found = weights.float()
    sums = found.sum(-1, keepdim=True)
    has_sink = bool(((sums > 0) & (sums < 1 - _ROUNDED)).any())
    if weights.dtype in (torch.float16, torch.bfloat16) and not has_sink:
        found = found / torch.where(sums > 0, sums, 1.0)
    return GivenWeights(number, found.cpu().numpy(), has_sink)


def of_part(network: Any, calls: Sequence[Call], part: str | None) -> list[Call]:
    """The calls that belong to one part of an encoder-decoder; all if none is named."""
    if part is None:
        return list(calls)
    inside = set(map(id, network.get_encoder().modules()))
    if part == "encoder":
        return [call for call in calls if id(call.module) in inside]
    names = {id(module): name for name, module in network.named_modules()}
    rest = [call for call in calls if id(call.module) not in inside]
    cross = part == "cross"
    return [c for c in rest if bool(_CROSS.search(names.get(id(c.module), ""))) == cross]


def attend(
    loaded: LoadedModel, inputs: dict[str, Any], n: int, change: Change | None = None
) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Run the model, and form all its weights: for what needs them all, and what each layer read.

    Args:
        loaded: The model.
        inputs: What it is called with; one text.
        n: Tokens.
        change: What is changed in its attention on the way.

    Returns:
        For each layer its weights, ``[1, head, query, key]``, and what it read,
        ``[1, token, d_model]``.

    Raises:
        ExplorerError: The model fails, or returns no attention.
    """
    check_room(loaded, n, 3)
    tap = Tap(weights=True, change=change)
    with torch.inference_mode(), failing(loaded.info.name), tap.open():
        out = loaded.network(
            **inputs, output_attentions=not loaded.by_scores, output_hidden_states=True
        )
    found = [call.weights for call in tap.calls] if loaded.by_scores else out.attentions
    return complete(found, n, n, loaded.info), list(out.hidden_states)


def sized(info: ModelInfo, layers: Sequence[AttentionLayer]) -> ModelInfo:
    """A model's description with the sizes of the attention that came, and which way it came."""
    passport = info.passport
    if passport and passport.form == "scores" and isinstance(layers[0], GivenWeights):
        passport = Passport("weights", reason=OUTSIDE)  # of this part of it
    return replace(info, n_layers=len(layers), n_heads=layers[0].n_heads, passport=passport)


def check_room(loaded: LoadedModel, n: int, copies: int | None = 3) -> None:
    """Refuse the attention of so many tokens if it would not fit in memory.

    Args:
        loaded: The model.
        n: Tokens.
        copies: How often all weights are held at once: scores, weights and a copy; None where q
            and k are kept and no weights are formed.

    Raises:
        ExplorerError: It would not.
    """
    info = loaded.info
    if copies is None:
        # q and k of each layer, what a layer holds while it computes, and masks.
        size = 4 * n * max(info.d_model, 1) * (2 * info.n_layers + 24) + 6 * n * n
    else:
        size = copies * 4 * info.n_layers * info.n_heads * n * n
    take(
        size,
        t("The attention of {n} tokens", n=f"{n:,}"),
        t("Choose a shorter text or a smaller model."),
    )


def complete(attentions: Any, n_queries: int, n_keys: int, info: ModelInfo) -> list[torch.Tensor]:
    """The weights of all layers, ``[1, head, query, key]`` each.

    Raises:
        ExplorerError: They are not the attention of every query on every key.
    """
    found = [] if isinstance(attentions, dict) else [a for a in attentions or [] if a is not None]
    sides = (n_queries, n_keys)
    if not found or any(not torch.is_tensor(a) or tuple(a.shape[2:]) != sides for a in found):
        raise ExplorerError(_nothing(info))
    if any(bool((a < 0).any()) for a in found):
        raise ExplorerError(
            t(
                "{name} hands out scores in Transformers, where other models hand out "
                "attention weights, so there is nothing exact to show. Choose another "
                "model.",
                name=info.name,
            )
        )
    return found


def _sides(call: Call) -> tuple[int, int]:
    return call.query.shape[2], call.key.shape[2]


def _nothing(info: ModelInfo) -> str:
    return t(
        "{name} returns no attention of every token on every token, so there is"
        " nothing to show. Choose another model.",
        name=info.name,
    )


def failing(name: str) -> AbstractContextManager[None]:
    """Whatever goes wrong inside a model becomes a refusal in its own words.

    Raises:
        ExplorerError: Something did.
    """
    return refusing(
        t(
            "{name} failed while it was reading this{why}. Try another text, or another model.",
            name=name,
        )
    )
