"""Run -> Activations: the vectors that a model's attention moves, and what they are added to.

Of BERT and its like the maps are known by name. Of all models whose layers add to what they read
(GPT-2, Llama and their like) they are found as `stream.py` finds them, and held against what went
through the tap.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from explorer.activations import Activations, check_maps
from explorer.errors import ExplorerError
from explorer.language import t
from explorer.residual import Doubles, Norm
from explorer.run import Run
from explorer.source import Transplanted, model_of
from explorer.sources.changing import change_for
from explorer.sources.families import family_of, layer_norm, plain_layers, projections
from explorer.sources.forward import attend, check_room, failing
from explorer.sources.loading import LoadedModel, load_model
from explorer.sources.progress import Progress, silent
from explorer.sources.stream import TakenApart, fitted_norm, take_apart
from explorer.sources.tap import Call, Change, Tap, weights_of
from explorer.sources.written import read_run
from explorer.trace import Token

_SAME = 1e-4  # of the largest number: float32 sums in another order
Singles = npt.NDArray[np.float32]


def read_activations(run: Run, progress: Progress = silent) -> Activations:
    """What the attention of every layer moves, on a text.

    Raises:
        ExplorerError: The source's layers are of another build, or it cannot read the text, or the
            text is too long.
    """
    run.check_is_for_a_model()
    model = model_of(run.source)
    if model is None or isinstance(run.source, Transplanted):
        raise ExplorerError(
            t("The from-scratch layer has no LayerNorm and residual as BERT’s have.")
        )
    loaded = load_model(model, progress).private()
    _check_kind(loaded)
    reading, _ = read_run(loaded, run)
    change = change_for(loaded, run.edits, len(reading.tokens))
    return activations_of(loaded, reading.inputs, reading.tokens, change)


def activations_of(
    loaded: LoadedModel, inputs: dict[str, Any], tokens: Sequence[Token], change: Change
) -> Activations:
    """What the attention of every layer of a model moves.

    Args:
        loaded: The model, in modules of its own.
        inputs: What it is called with; one text.
        tokens: The text's tokens.
        change: What is changed in its attention on the way.

    Raises:
        ExplorerError: Its layers are of another build, or the text is too long.
    """
    _check_kind(loaded)
    check_maps(loaded.info, len(tokens))
    named = family_of(loaded.network.config).plain is not None
    read = _named if named else _found
    return read(loaded, inputs, tuple(tokens), change)


def _check_kind(loaded: LoadedModel) -> None:
    """Refuse attention of another build before any work."""
    name, passport = loaded.info.name, loaded.info.passport
    why = ""
    if loaded.form != "text":
        why = t("it has several parts, and this method follows one stack of layers")
    elif family_of(loaded.network.config).plain is None and not loaded.by_scores:
        why = (passport and passport.reason) or t("it does not go by the tap")
    else:
        return
    raise ExplorerError(
        t(
            "The attention of {name} is built in another way than can be taken apart here: {why}.",
            name=name,
            why=why,
        )
    )


# --- BERT and its like, by the names of their maps ------------------------------------------------


def _named(
    loaded: LoadedModel, inputs: dict[str, Any], tokens: tuple[Token, ...], change: Change
) -> Activations:
    n_layers = len(plain_layers(loaded.network))
    norms: list[Any] = [layer_norm(loaded.network, layer) for layer in range(n_layers)]
    through: list[tuple[Tensor, Tensor]] = []

    def keep(_module: object, given: tuple[Tensor, ...], output: Tensor) -> None:
        through.append((given[0][0], output[0]))

    hooks = [norm.register_forward_hook(keep) for norm in norms]
    try:
        attentions, hidden = attend(loaded, inputs, len(tokens), change)
    finally:
        for hook in hooks:
            hook.remove()
    maps = [projections(loaded.network, layer) for layer in range(n_layers)]
    with torch.inference_mode():
        values = [
            m[2](x)[0].unflatten(-1, (loaded.info.n_heads, -1)).transpose(0, 1)
            for m, x in zip(maps, hidden[:n_layers], strict=True)
        ]
    return Activations(
        model=loaded.info,
        tokens=tokens,
        weights=_without_off([a[0] for a in attentions], change),
        inputs=_stacked([x[0] for x in hidden[:n_layers]]),
        values=_stacked(values),
        w_o=_stacked([m[3].weight for m in maps]),
        added=(None,) * n_layers,
        joined=tuple(_norm(m, *x) for m, x in zip(norms, through, strict=True)),
        outputs=_stacked([y for _, y in through]),
    )


def _norm(module: Any, read: Tensor, gave: Tensor) -> Norm:
    found = fitted_norm(module, read, gave)
    if found is None:
        raise ExplorerError(t("A LayerNorm of this model gives out something else than it should."))
    return found


# --- layers that add to what they read, as they ran -----------------------------------------------


def _found(
    loaded: LoadedModel, inputs: dict[str, Any], tokens: tuple[Token, ...], change: Change
) -> Activations:
    check_room(loaded, len(tokens), 3)
    network: Any = loaded.network
    tap = Tap(values=True, weights=True, change=change)

    def run() -> None:
        with torch.inference_mode(), failing(loaded.info.name), tap.open():
            network(**inputs)

    try:
        layers = take_apart(loaded, run)
    except ExplorerError as error:
        raise ExplorerError(_other(loaded)) from error
    calls = _calls_of(layers, tap.calls, loaded)
    heads = calls[0].query.shape[1]
    weights = _without_off([weights_of(call)[0] for call in calls], change)
    values = [_of_all_heads(call) for call in calls]
    if len({v.shape for v in values}) > 1:
        raise ExplorerError(
            t("The layers of {name} have values of different widths.", name=loaded.info.name)
        )
    for layer, w, v in zip(layers, weights, values, strict=True):
        _check_joined(layer.read, w, v, loaded)
    added = [_added(layer) for layer in layers]
    return Activations(
        model=replace(loaded.info, n_layers=len(layers), n_heads=heads),
        tokens=tokens,
        weights=weights,
        inputs=_stacked([layer.kept * layer.before for layer in layers]),
        values=_stacked(values),
        w_o=_stacked([_factor(layer) * layer.weight for layer in layers]),
        added=tuple(added),
        joined=(None,) * len(layers),
        outputs=_stacked([_sum(layer, n) for layer, n in zip(layers, added, strict=True)]),
    )


def _other(loaded: LoadedModel) -> str:
    return t(
        "The layers of {name} are built in another way than can be taken apart "
        "here: their attention does not add to what a layer reads, or its heads"
        " cannot be told apart. BERT, GPT-2, Llama, Qwen, Gemma and their like "
        "can.",
        name=loaded.info.name,
    )


def _calls_of(
    layers: Sequence[TakenApart], calls: Sequence[Call], loaded: LoadedModel
) -> list[Call]:
    """The call of each layer: each must have one, as what others move would not be seen."""
    found = []
    for layer in layers:
        inside = set(map(id, layer.module.modules()))
        mine = [call for call in calls if id(call.module) in inside]
        if len(mine) != 1:
            raise ExplorerError(_other(loaded))
        found += mine
    return found


def _of_all_heads(call: Call) -> Tensor:
    """The values of a call, one for each head, ``[head, key, d_v]``."""
    assert call.value is not None
    values, heads = call.value[0], call.query.shape[1]
    return values.repeat_interleave(heads // len(values), dim=0)


def _check_joined(read: Tensor, weights: Singles, values: Tensor, loaded: LoadedModel) -> None:
    """Refuse heads that give out something else than the sum of their values (a gate behind it)."""
    made = (torch.from_numpy(weights) @ values.float()).transpose(0, 1).flatten(1)
    if made.shape != read.shape or (made - read).abs().max() > _SAME * read.abs().max():
        raise ExplorerError(_other(loaded))


def _factor(layer: TakenApart) -> float:
    """What the output map is multiplied with where no norm stands behind it."""
    return layer.factor if layer.norm is None else 1.0


def _added(layer: TakenApart) -> Norm | None:
    """The norm between the output map and the sum, with the factor behind it."""
    norm = layer.norm
    if norm is None:
        return None
    return replace(norm, gain=norm.gain * layer.factor, shift=norm.shift * layer.factor)


def _sum(layer: TakenApart, norm: Norm | None) -> Tensor:
    """What the attention block gives out: what was there, and what attention adds, ``[token, d]``.

    Of models that let attention and MLP work side by side it is what there would be without the
    latter.
    """
    gave: Doubles = layer.gave.detach().double().numpy()
    if norm is None:
        added = layer.factor * gave
    else:
        added = norm.undivided(gave) / norm.scale[:, None] + norm.shift
    return torch.from_numpy(layer.kept * layer.before.double().numpy() + added)


def _without_off(weights: Sequence[Tensor], change: Change) -> Singles:
    """The weights of all layers, ``[layer, head, query, key]``; of heads that are off, zero."""
    found = _stacked(weights)
    return found if change.off is None else found * ~change.off[0].numpy()[:, :, None, None]


def _stacked(tensors: Sequence[Tensor]) -> Singles:
    found: Singles = torch.stack([t.detach().float() for t in tensors]).numpy()
    return found
