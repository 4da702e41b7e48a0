"""Run -> LayerTrace: every number of one layer, as the model computes it on a text."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.layertrace import Array, LayerTrace, Part
from explorer.limits import STEPS_TOKENS, check_tokens
from explorer.run import Run
from explorer.scratch.attention import SelfAttention
from explorer.source import Stories, Trained, Transplanted, model_of
from explorer.sources.families import first_position, plain_layers, projections
from explorer.sources.forward import attend
from explorer.sources.little_stories import StoryReading, read_stories
from explorer.sources.loading import LoadedModel, load_model
from explorer.sources.progress import Progress, silent
from explorer.sources.scratch import POSITIONS, ScratchReading, read_scratch
from explorer.sources.tokens import Reading, read
from explorer.sources.trained import read_trained
from explorer.sources.transplanted import transplanted_info, transplanted_layer
from explorer.trace import ModelInfo, Token


@dataclass(frozen=True, slots=True)
class Twist:
    """A change that shows what order means to a layer.

    Attributes:
        positions: Whether each token is told its position; else all are told the same.
        backwards: Whether the words are read in reverse order.
    """

    positions: bool = True
    backwards: bool = False


def trace_layer(
    run: Run, layer: int, twist: Twist | None = None, progress: Progress = silent
) -> LayerTrace:
    """Every number that one layer makes of a text.

    Args:
        run: The text and what reads it.
        layer: The layer, from 0.
        twist: What to change; nothing if left out.
        progress: Told what is being done.

    Raises:
        ExplorerError: The source cannot be loaded or cannot read the text, has no such layer, or
            its attention is built in another way.
    """
    run.check_is_for_a_model()
    twist = twist or Twist()
    if isinstance(run.source, Stories):
        loaded = load_model(run.source, progress)
        with torch.inference_mode():
            return _trace_stories(read_stories(loaded, run), layer, twist)
    model = model_of(run.source)
    if model is not None:
        loaded = load_model(model, progress)
        ours = isinstance(run.source, Transplanted)
        with torch.inference_mode():
            return _trace_model(loaded, run.texts, layer, twist, ours)
    trains = isinstance(run.source, Trained)
    reading = read_trained(run, progress) if trains else read_scratch(run)
    with torch.inference_mode():
        return _trace_scratch(reading, layer, twist)


def _trace_scratch(reading: ScratchReading, layer: int, twist: Twist) -> LayerTrace:
    _check_layer(layer, reading.info)
    check_tokens("Step by step", len(reading.tokens), STEPS_TOKENS)
    order = word_order(reading.tokens, twist.backwards)
    words, n = reading.words[order], len(reading.tokens)
    told = reading.positions if twist.positions else None
    parts = [Part("token", _array(words))]
    x = words
    if told is not None:
        x = words + told[:n]
        parts.append(Part("position", _array(told[:n])))
    x = x[None]
    for i in range(layer):
        x = reading.encoder.output(i, x)
    ours: SelfAttention = reading.encoder.layers[layer]
    tokens = tuple(reading.tokens[i] for i in order)
    made = _trace_ours(
        *(reading.info, layer, tokens, tuple(parts) if layer == 0 else (), False, x),
        *(ours, reading.encoder.causal),
    )
    if reading.positions is None:
        return made
    return replace(made, positions=_array(reading.positions[: max(n, POSITIONS)]))


def _trace_stories(reading: StoryReading, layer: int, twist: Twist) -> LayerTrace:
    """The same of the decoder that tells stories: its attention reads what LayerNorm has made."""
    _check_layer(layer, reading.info)
    n = len(reading.tokens)
    check_tokens("Step by step", n, STEPS_TOKENS)
    order = word_order(reading.tokens, twist.backwards)
    words, places = reading.words[order], reading.positions[:n]
    told = places if twist.positions else places[:1].expand(n, -1)
    parts = (Part("token", _array(words)), Part("position", _array(told)))
    made = _trace_ours(
        reading.info,
        layer,
        tuple(reading.tokens[i] for i in order),
        parts if layer == 0 else (),
        True,
        reading.read_by(layer, (words + told)[None]),
        reading.layer(layer),
        causal=True,
    )
    return replace(made, positions=_array(reading.positions[: max(n, POSITIONS)]))


def _trace_model(
    loaded: LoadedModel, texts: tuple[str, ...], layer: int, twist: Twist, transplanted: bool
) -> LayerTrace:
    plain_layers(loaded.network)  # refuses attention of another build before any work
    _check_layer(layer, loaded.info)
    reading = _twisted(loaded, read(loaded, texts), twist)
    check_tokens("Step by step", len(reading.tokens), STEPS_TOKENS)
    attentions, hidden = attend(loaded, reading.inputs, len(reading.tokens))
    x = hidden[layer]
    found = _embedded(loaded, reading, hidden[0])
    parts = found if layer == 0 else ()
    about = (reading.tokens, parts, bool(parts), x)
    if transplanted:
        ours = transplanted_layer(loaded.network, layer)
        made = _trace_ours(transplanted_info(loaded.info), layer, *about, ours, causal=False)
    else:
        maps = projections(loaded.network, layer)
        made = _record(loaded.info, layer, *about, maps, attentions[layer], causal=False)
    if not found:
        return made
    return replace(made, positions=_learned_positions(loaded, len(reading.tokens)))


def _learned_positions(loaded: LoadedModel, n: int) -> Array:
    """The model's own vectors of the first positions: those of a text, and more of a short one."""
    network: Any = loaded.network
    first = first_position(network.config)
    table = network.embeddings.position_embeddings.weight[first:]
    return _array(table[: max(n, POSITIONS)])


def _trace_ours(
    info: ModelInfo,
    layer: int,
    tokens: tuple[Token, ...],
    parts: tuple[Part, ...],
    normed: bool,
    x: Tensor,
    ours: SelfAttention,
    causal: bool,
) -> LayerTrace:
    """The from-scratch layer's numbers, by its own modules."""
    _, weights = ours(x, x, x, causal=causal, return_weights=True)
    maps = (ours.W_Q, ours.W_K, ours.W_V, ours.o)
    return _record(info, layer, tokens, parts, normed, x, maps, weights, causal=causal)


def _record(
    info: ModelInfo,
    layer: int,
    tokens: tuple[Token, ...],
    parts: tuple[Part, ...],
    normed: bool,
    x: Tensor,
    maps: Sequence[torch.nn.Linear],
    weights: Tensor,
    *,
    causal: bool,
) -> LayerTrace:
    """A layer's numbers: its maps of what it read, and its own weights."""
    q_all, k_all, v_all = (_split(m(x), weights.shape[1]) for m in maps[:3])
    joined = (weights @ v_all).transpose(1, 2).flatten(2)
    output = maps[3](joined)
    n = len(tokens)
    w_q, w_k, w_v, w_o = (_array(m.weight) for m in maps)
    b_q, b_k, b_v, b_o = (_array(m.bias) for m in maps)
    q, k, v = (_array(a[0]) for a in (q_all, k_all, v_all))
    return LayerTrace(
        model=info,
        layer=layer,
        tokens=tokens,
        parts=parts,
        normed=normed,
        x=_array(x[0]),
        **{"w_q": w_q, "w_k": w_k, "w_v": w_v, "b_q": b_q, "b_k": b_k, "b_v": b_v},
        **{"q": q, "k": k, "v": v, "w_o": w_o, "b_o": b_o},
        allowed=np.tri(n, dtype=bool) if causal else np.ones((n, n), dtype=bool),
        weights=_array(weights[0]),
        joined=_array(joined[0]),
        output=_array(output[0]),
    )


def _split(x: Tensor, heads: int) -> Tensor:
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def _array(tensor: Tensor) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    """A copy, so that locking it does not lock the model."""
    return tensor.detach().float().numpy().copy()


def _check_layer(layer: int, info: ModelInfo) -> None:
    if not 0 <= layer < info.n_layers:
        raise ExplorerError(
            f"There is no layer {layer}: {info.name} has the layers 0 to {info.n_layers - 1}."
        )


def word_order(tokens: Sequence[Token], backwards: bool) -> list[int]:
    """The order in which tokens are read: word by word, each word's pieces in their own order.

    Special tokens keep their places, and each text keeps its own words.
    """
    order = list(range(len(tokens)))
    if not backwards:
        return order
    for segment in {t.segment for t in tokens}:
        places = [i for i in order if tokens[i].segment == segment and not tokens[i].special]
        words: list[list[int]] = []
        for i in places:
            same = words and tokens[i].word is not None
            if same and tokens[words[-1][-1]].word == tokens[i].word:
                words[-1].append(i)
            else:
                words.append([i])
        turned = [i for word in reversed(words) for i in word]
        for place, i in zip(places, turned, strict=True):
            order[place] = i
    return order


def _twisted(loaded: LoadedModel, reading: Reading, twist: Twist) -> Reading:
    order = word_order(reading.tokens, twist.backwards)
    inputs = dict(reading.inputs)
    inputs["input_ids"] = inputs["input_ids"][:, order]
    if not twist.positions:
        first = first_position(loaded.network.config)
        inputs["position_ids"] = torch.full_like(inputs["input_ids"], first)
    return replace(reading, inputs=inputs, tokens=tuple(reading.tokens[i] for i in order))


def _embedded(loaded: LoadedModel, reading: Reading, x: Tensor) -> tuple[Part, ...]:
    """What the first layer's input is added up from; nothing if it is made in another way."""
    embeddings: Any = getattr(loaded.network, "embeddings", None)
    ids = reading.inputs["input_ids"]
    try:
        start = first_position(loaded.network.config)
        counted = torch.arange(start, start + ids.shape[1])[None]
        places = reading.inputs.get("position_ids", counted)
        parts = {
            "token": embeddings.word_embeddings(ids),
            "position": embeddings.position_embeddings(places),
        }
        if hasattr(embeddings, "token_type_embeddings"):
            kinds = reading.inputs.get("token_type_ids", torch.zeros_like(ids))
            parts["text A or B"] = embeddings.token_type_embeddings(kinds)
        made = embeddings.LayerNorm(sum(parts.values()))
    except (AttributeError, TypeError):
        return ()
    if made.shape != x.shape or not torch.allclose(made, x, atol=1e-5):
        return ()
    return tuple(Part(name, _array(values[0])) for name, values in parts.items())
