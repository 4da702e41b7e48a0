"""The from-scratch layer with a BERT's weights: a source, and the proof that the two agree."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from explorer.language import t
from explorer.layers import of_weights
from explorer.limits import STEPS_TOKENS, check_tokens
from explorer.run import Run
from explorer.scratch.attention import SelfAttention
from explorer.scratch.transplant import transplant
from explorer.sources.families import plain_layers, projections
from explorer.sources.forward import attend
from explorer.sources.loading import LoadedModel
from explorer.sources.progress import Progress, silent, tick
from explorer.sources.tokens import read
from explorer.trace import AttentionTrace, ModelInfo


@dataclass(frozen=True)
class Agreement:
    """How far the from-scratch layer and one of a BERT's layers are apart on a text.

    Attributes:
        layer: The layer, from 0.
        weights: Largest difference of any attention weight.
        output: Largest difference of any number of the attention's output.
        size: Largest number in that output, to compare the difference with.
    """

    layer: int
    weights: float
    output: float
    size: float


def trace_transplanted(loaded: LoadedModel, run: Run) -> AttentionTrace:
    """The attention of the from-scratch layer with each layer's weights, on what that layer reads.

    Raises:
        ExplorerError: The model's attention is built in another way.
    """
    reading = read(loaded, run.texts)
    _, hidden = attend(loaded, reading.inputs, len(reading.tokens))
    weights = []
    with torch.inference_mode():
        for layer in range(len(plain_layers(loaded.network))):
            tick()
            x = hidden[layer]
            ours = transplanted_layer(loaded.network, layer)
            weights.append(ours(x, x, x, return_weights=True)[1])
    return AttentionTrace(
        transplanted_info(loaded.info),
        run.texts,
        reading.tokens,
        reading.tokens,
        of_weights(torch.cat(weights).numpy()),
        reading.n_cut,
    )


def transplanted_layer(network: Any, layer: int) -> SelfAttention:
    """The from-scratch layer with the weights of a model's layer.

    Args:
        network: A BERT-shaped or DistilBERT-shaped model, with or without a head on top.
        layer: The layer, from 0.

    Raises:
        ExplorerError: There is no such layer, or its attention is built in another way.
    """
    maps = projections(network, layer)
    return transplant(*maps, n_heads=network.config.num_attention_heads)


def transplanted_info(donor: ModelInfo) -> ModelInfo:
    """What the from-scratch layer with a model's weights is called, and its sizes."""
    name = t("from-scratch layer with the weights of {name}", name=donor.name)
    return replace(donor, name=name, notes=(), passport=None)


def check_transplant(
    loaded: LoadedModel, texts: tuple[str, ...], progress: Progress = silent
) -> list[Agreement]:
    """Run both on what each layer of the model reads, and measure how far they are apart.

    Args:
        loaded: The model.
        texts: What they read.
        progress: Told what is being done.

    Raises:
        ExplorerError: The model's attention is built in another way.
    """
    reading = read(loaded, texts)
    check_tokens(t("Step by step"), len(reading.tokens), STEPS_TOKENS)
    attentions, hidden = attend(loaded, reading.inputs, len(reading.tokens))
    found = []
    for layer in range(len(plain_layers(loaded.network))):
        progress(t("Comparing layer {layer}", layer=layer), None)
        found.append(_compare(loaded, layer, hidden[layer], attentions[layer]))
    return found


def _compare(
    loaded: LoadedModel, layer: int, x: torch.Tensor, attention: torch.Tensor
) -> Agreement:
    with torch.inference_mode():
        ours, weights = transplanted_layer(loaded.network, layer)(x, x, x, return_weights=True)
        theirs = _output(loaded.network, layer, x, attention)
    return Agreement(
        layer,
        float(np.abs(weights.numpy() - attention.numpy()).max()),
        float(np.abs(ours.numpy() - theirs.numpy()).max()),
        float(theirs.abs().max()),
    )


def _output(
    network: torch.nn.Module, layer: int, x: torch.Tensor, attention: torch.Tensor
) -> torch.Tensor:
    """The model's own attention output, before its residual connection, by its own modules."""
    _, _, value, output = projections(network, layer)
    values = value(x).unflatten(-1, (attention.shape[1], -1)).transpose(1, 2)
    return output((attention @ values).transpose(1, 2).flatten(2))
