"""Run, a cheaper attention -> what the model's output does when it is really put in place.

The attention of the chosen heads is made anew in the forward pass, layer after layer, from the
queries and keys that they have there: so a layer reads what the cheaper ones before it have left.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from explorer.cheaper import Cheap, estimate, reason_against_placing
from explorer.errors import ExplorerError
from explorer.headname import head_name
from explorer.language import t
from explorer.prediction import log_softmax
from explorer.run import Run
from explorer.source import Transplanted, model_of
from explorer.sources.changing import Heads, heads_of
from explorer.sources.forward import check_room, failing
from explorer.sources.loading import LoadedModel, load_model
from explorer.sources.predicting import as_found, check_logits, finite, has_head
from explorer.sources.progress import Progress, silent, tick
from explorer.sources.tap import Call, Change, Tap, layers_from
from explorer.sources.written import read_run
from explorer.trace import Token

Doubles = npt.NDArray[np.float64]
_AT_ONCE = 64  # positions whose chances are held at once


@dataclass(frozen=True, eq=False)
class Replaced:
    """What a model's output does when heads are made cheaper.

    Attributes:
        model: The model's name.
        tokens: The tokens that it read.
        heads: How many heads were made cheaper.
        cosine: Of each token's last vector, before and after, ``[token]``.
        pooled: Of the mean of these vectors.
        divergence: Kullback–Leibler, in bits, of the chances of all tokens, before from after,
            ``[token]``: what is lost by taking the one for the other; None for a model that
            predicts no tokens.
        agrees: Whether the likeliest token stays the same, ``[token]``; None as above.
    """

    model: str
    tokens: tuple[Token, ...]
    heads: int
    cosine: Doubles
    pooled: float
    divergence: Doubles | None = None
    agrees: npt.NDArray[np.bool_] | None = None


def replace_heads(
    run: Run,
    cheap: Cheap,
    heads: Sequence[tuple[int, int]] | None = None,
    everywhere: Sequence[int] = (),
    progress: Progress = silent,
) -> Replaced:
    """Run a model as it is, and with some heads made cheaper, and hold the outputs side by side.

    Args:
        run: The text and the model.
        cheap: In which way, and how much it may take.
        heads: Which heads, a layer's own number and a head each; None for all.
        everywhere: Of ``global``: the tokens that look at all and are looked at by all.
        progress: Told what is being done.

    Raises:
        ExplorerError: There is no such head, or the model's attention cannot be changed, or not in
            this way.
    """
    run.check_is_for_a_model()
    run.check_is_unchanged()
    model = model_of(run.source)
    if model is None or isinstance(run.source, Transplanted):
        raise ExplorerError(
            t("Only in a pretrained model can attention be replaced: choose one under Model.")
        )
    progress(t("Reading the text"), None)
    loaded = load_model(model, progress).part("text" if run.picture is None else "picture")
    known = heads_of(loaded)
    chosen = _chosen(loaded, known, heads)
    with as_found(run):
        reading, _ = read_run(loaded, run)
    check_room(loaded, len(reading.tokens), 3)
    instead = _instead(chosen, cheap, everywhere, progress)
    before, after = (_outputs(loaded, reading.inputs, made) for made in ({}, instead))
    cosine, pooled = _cosines(before[0], after[0])
    counted = sum(map(len, chosen.values()))
    found = Replaced(loaded.info.name, reading.tokens, counted, cosine, pooled)
    if before[1] is None or after[1] is None:
        return found
    told = _divergences(before[1], after[1])
    return Replaced(found.model, found.tokens, counted, cosine, pooled, *told)


def _chosen(
    loaded: LoadedModel, known: Heads, heads: Sequence[tuple[int, int]] | None
) -> dict[int, list[int]]:
    """The heads of each layer, these counted as the model calls them."""
    if heads is None:
        return {at: list(range(known.n_heads)) for at in range(len(known.numbers))}
    found: dict[int, list[int]] = {}
    for layer, head in sorted(set(heads)):
        if layer not in known.numbers or not 0 <= head < known.n_heads:
            raise ExplorerError(
                t(
                    "{name} has no head {layer}.",
                    name=loaded.info.name,
                    layer=head_name(layer, head),
                )
            )
        found.setdefault(known.numbers.index(layer), []).append(head)
    return found


def _instead(
    chosen: Mapping[int, Sequence[int]],
    cheap: Cheap,
    everywhere: Sequence[int],
    progress: Progress,
) -> dict[int, Callable[[Call, Tensor], Tensor]]:
    """For each layer what makes its weights anew, of those that it has."""
    done = [0]
    total = max(sum(map(len, chosen.values())), 1)

    def made(heads: Sequence[int]) -> Callable[[Call, Tensor], Tensor]:
        def make(call: Call, weights: Tensor) -> Tensor:
            (layer,) = layers_from([call], [0])
            reason = reason_against_placing(layer, cheap.kind)
            if reason:
                raise ExplorerError(reason)
            weights = weights.clone()
            for head in heads:
                progress(t("Running the model with cheaper attention"), done[0] / total)
                tick()
                own = estimate(layer, head, cheap, everywhere)
                weights[0, head] = torch.from_numpy(own).to(weights)
                done[0] += 1
            return weights

        return make

    return {at: made(heads) for at, heads in chosen.items()}


def _outputs(
    loaded: LoadedModel,
    inputs: Mapping[str, Any],
    instead: Mapping[int, Callable[[Call, Tensor], Tensor]],
) -> tuple[Doubles, Any]:
    """The last vector of each token, and the logits of a model that predicts tokens."""
    network: Any = loaded.network
    tells = loaded.predicts in ("word", "next") and has_head(loaded.whole)
    tap = Tap(keep=False, change=Change(instead=instead))
    with torch.inference_mode(), failing(loaded.info.name), tap.open():
        if not tells:
            return _vectors(network(**inputs)), None
        check_logits(loaded, inputs["input_ids"].shape[1])
        whole: Any = loaded.whole
        out = whole(**inputs, output_hidden_states=True)
    return _doubles(out.hidden_states[-1][0]), finite(out.logits[0])


def _vectors(out: Any) -> Doubles:
    return _doubles(out[0][0])


def _doubles(found: Tensor) -> Doubles:
    return found.detach().double().cpu().numpy()


def _cosines(before: Doubles, after: Doubles) -> tuple[Doubles, float]:
    """Of each token's vector, and of the mean of all."""
    means = before.mean(axis=0, keepdims=True), after.mean(axis=0, keepdims=True)
    return _cosine(before, after), float(_cosine(*means)[0])


def _cosine(one: Doubles, other: Doubles) -> Doubles:
    lengths = np.linalg.norm(one, axis=-1) * np.linalg.norm(other, axis=-1)
    found: Doubles = (one * other).sum(axis=-1) / np.where(lengths > 0, lengths, 1)
    return found


def _divergences(before: Any, after: Any) -> tuple[Doubles, npt.NDArray[np.bool_]]:
    found = []
    for start in range(0, len(before), _AT_ONCE):
        p, q = (log_softmax(x[start : start + _AT_ONCE]) for x in (before, after))
        share = np.exp(p)
        with np.errstate(invalid="ignore"):  # what is ruled out in both
            terms = np.where(share > 0, share * (p - q), 0)
        found.append(np.maximum(terms.sum(axis=-1), 0) / np.log(2))
    return np.concatenate(found), np.asarray(before.argmax(-1) == after.argmax(-1))
