"""What the Article's figures show of a text: every layer's own numbers, our layer's, and noise."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from explorer.run import Run
from explorer.scratch.attention import SelfAttention
from explorer.source import Embedded
from explorer.sources.layertraces import trace_layer
from explorer.sources.loading import load_model
from explorer.sources.progress import Progress, silent
from explorer.sources.transplanted import Agreement, check_transplant

Arrays = dict[str, npt.NDArray[Any]]
SIZES = (512, 8, 10)  # d_model, heads and tokens of the article's own example
SEED = 0


def layer_arrays(run: Run, layers: tuple[int, ...], progress: Progress = silent) -> Arrays:
    """Every layer's numbers on a text, as the model computes them.

    Args:
        run: The text, and the embedded model.
        layers: The numbers of the layers.
        progress: Told what is being done.

    Returns:
        ``x``, ``joined`` and ``output``, ``[layer, token, d_model]``; ``q``, ``k`` and ``v``,
        ``[layer, head, token, d_k]``.
    """
    traces = [trace_layer(run, layer, progress=progress) for layer in layers]
    names = ("x", "q", "k", "v", "joined", "output")
    return {name: np.stack([getattr(trace, name) for trace in traces]) for name in names}


def random_weights(
    x: npt.NDArray[np.float32], n_heads: int, seed: int = SEED
) -> npt.NDArray[np.float32]:
    """The attention of a from-scratch layer that nobody has trained.

    Args:
        x: What it reads, ``[layer, token, d_model]``: one layer of random weights for each.
        n_heads: Its heads.
        seed: Which random weights.

    Returns:
        ``[layer, head, query, key]``.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = [SelfAttention(x.shape[-1], n_heads).eval() for _ in x]
    with torch.inference_mode():
        read = torch.from_numpy(np.array(x))[:, None]
        found = [
            layer(one, one, one, return_weights=True)[1]
            for layer, one in zip(layers, read, strict=True)
        ]
    weights: npt.NDArray[np.float32] = torch.cat(found).numpy()
    return weights


def agreement(run: Run, progress: Progress = silent) -> list[Agreement]:
    """Our layer with the embedded model's weights against that model, layer by layer."""
    return check_transplant(load_model(Embedded(), progress), run.texts, progress)


def example_arrays(seed: int = SEED) -> Arrays:
    """The article's own example, run: random weights on random tokens.

    Returns:
        ``x``, ``joined`` and ``output``, ``[1, token, d_model]``; ``q``, ``k`` and ``v``,
        ``[1, head, token, d_k]``; ``weights``, ``[1, head, query, key]``.
    """
    d_model, n_heads, n = SIZES
    with torch.random.fork_rng(devices=[]), torch.inference_mode():
        torch.manual_seed(seed)
        layer = SelfAttention(d_model, n_heads).eval()
        Q, K, V = (torch.randn(1, n, d_model) for _ in range(3))
        output, weights = layer(Q, K, V, return_weights=True)
        q, k = layer.queries_and_keys(Q, K)
        v = layer.W_V(V).unflatten(-1, (n_heads, -1)).transpose(1, 2)
        joined = (weights @ v).transpose(1, 2).flatten(2)
    found = {"x": Q, "q": q, "k": k, "v": v, "weights": weights, "joined": joined, "output": output}
    return {name: tensor.numpy() for name, tensor in found.items()}
