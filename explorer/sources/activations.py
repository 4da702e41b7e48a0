"""Run -> Activations: the vectors that a BERT-shaped model's attention moves."""

import numpy as np
import torch
from torch import Tensor

from explorer.activations import Activations, check_maps
from explorer.errors import ExplorerError
from explorer.run import Run
from explorer.source import Transplanted, model_of
from explorer.sources.families import layer_norm, plain_layers, projections
from explorer.sources.forward import attend
from explorer.sources.loading import load_model
from explorer.sources.progress import Progress, silent
from explorer.sources.tokens import read


def read_activations(run: Run, progress: Progress = silent) -> Activations:
    """What the attention of every layer moves, on a text.

    Raises:
        ExplorerError: The source is no BERT-shaped model, or cannot read the text, or the text is
            too long.
    """
    run.check_is_for_a_model()
    model = model_of(run.source)
    if model is None or isinstance(run.source, Transplanted):
        raise ExplorerError("The from-scratch layer has no LayerNorm and residual as BERT’s have.")
    loaded = load_model(model, progress).private()
    # Refuses attention of another build before any work.
    n_layers = len(plain_layers(loaded.network))
    reading = read(loaded, run.texts)
    check_maps(loaded.info, len(reading.tokens))
    norms = [layer_norm(loaded.network, layer) for layer in range(n_layers)]
    outputs: list[Tensor] = []

    def keep(_module: object, _inputs: object, output: Tensor) -> None:
        outputs.append(output)

    hooks = [norm.register_forward_hook(keep) for norm in norms]
    try:
        attentions, hidden = attend(loaded, reading.inputs, len(reading.tokens))
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
        tokens=reading.tokens,
        weights=_stacked([a[0] for a in attentions]),
        inputs=_stacked([x[0] for x in hidden[:n_layers]]),
        values=_stacked(values),
        w_o=_stacked([m[3].weight for m in maps]),
        b_o=_stacked([m[3].bias for m in maps]),
        gain=_stacked([norm.weight for norm in norms]),
        shift=_stacked([norm.bias for norm in norms]),
        eps=np.array([norm.eps for norm in norms], dtype=np.float32),
        outputs=_stacked([y[0] for y in outputs]),
    )


def _stacked(tensors: list[Tensor]) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    return torch.stack([t.detach().float() for t in tensors]).numpy()
