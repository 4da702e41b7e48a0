"""Whether a model's numbers here are Transformers' own: measured once for each model.

A short text is read both ways, through the tap and by the model's own eager attention, and the
largest differences are kept beside the model's name. Where they are too large, or the attention
does not come through the tap at all, the weights that Transformers returns are taken instead.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from explorer.errors import own_words
from explorer.language import t
from explorer.sources.families import windows_of
from explorer.sources.tap import NAME, Call, Tap, catching, layers_from
from explorer.trace import Passport

N_TOKENS = 64
_WINDOW = 256  # a window up to here is put to the test by a text that is longer
_LARGEST = {torch.float32: 1e-4, torch.float16: 5e-3, torch.bfloat16: 4e-2}
OUTSIDE = t("its attention does not go through the interface of Transformers")


def passport_of(network: Any, inputs: Mapping[str, Any], n_tokens: int) -> Passport:
    """Run a model both ways, and let its attention go through the tap if that is exact.

    Args:
        network: The model, in evaluation mode; afterwards it is set to the tap, or to eager.
        inputs: What it is called with.
        n_tokens: How many tokens that is.

    Returns:
        How far the two were apart, and which of them is used.
    """
    if not network._can_set_attn_implementation():
        return Passport("weights", reason=OUTSIDE)
    try:
        return _compared(network, inputs, n_tokens)
    except Exception as error:  # noqa: BLE001  # a model fails in its own ways: eager then says so
        network.set_attn_implementation("eager")
        words = own_words(error, 200)
        return Passport(
            "weights", reason=t("it failed while it was checked (“{words}”)", words=words)
        )


def _compared(network: Any, inputs: Mapping[str, Any], n_tokens: int) -> Passport:
    with torch.inference_mode():
        network.set_attn_implementation(NAME)
        with Tap().open() as tap:
            ours = network(**inputs)[0]
        network.set_attn_implementation("eager")
        theirs: list[torch.Tensor] = []
        hooks = catching([call.module for call in tap.calls], theirs.append)
        try:
            wanted = network(**inputs)[0]
        finally:
            for hook in hooks:
                hook.remove()
    if not tap.calls:
        return Passport("weights", reason=OUTSIDE)
    if len(theirs) != len(tap.calls):
        return Passport("weights", reason=t("there is nothing to hold others against"))
    weights = _largest(tap.calls, theirs)
    output = float((ours - wanted).abs().max() / wanted.abs().max().clamp_min(1e-30))
    most = _LARGEST.get(wanted.dtype, 1e-4)
    if not (weights <= most and output <= most):  # so also where one of them is no number
        worst = float(torch.tensor([weights, output]).max())
        return Passport(
            "weights",
            n_tokens,
            reason=t(
                "those computed from q and k were off by {worst} on {n_tokens} tokens",
                worst=f"{worst:.1g}",
                n_tokens=n_tokens,
            ),
        )
    network.set_attn_implementation(NAME)
    return Passport("scores", n_tokens, weights, output)


def _largest(calls: Sequence[Call], theirs: Sequence[torch.Tensor]) -> float:
    """The largest difference between weights from q and k and a model's own."""
    layers = layers_from(calls, range(len(calls)))
    return max(
        float((torch.from_numpy(layer.weights()) - other[0].float().cpu()).abs().max())
        for layer, other in zip(layers, theirs, strict=True)
    )


def sample(network: Any, special: Sequence[int], most: int, *, pair: bool) -> dict[str, Any]:
    """A text of numbers alone, to run a model on: longer than its window, if that is short.

    Args:
        network: The model.
        special: Token numbers that mark something.
        most: Tokens that the model takes.
        pair: Whether it also wants a text that is written.
    """
    windows = windows_of(network.config)
    longest = max([w + 16 for w in windows if w <= _WINDOW], default=0)
    n = max(min(max(N_TOKENS, longest), most), 1)
    try:
        table = network.get_input_embeddings()
    except (NotImplementedError, AttributeError):  # OWL-ViT's part for texts, CANINE
        table = None
    size = table.weight.shape[0] if hasattr(table, "weight") else 256
    plain = torch.tensor([i for i in range(min(size, 5000)) if i not in set(special)] or [0])
    ids = plain[(torch.arange(n) * 7919 + 11) % len(plain)][None]
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    return inputs | ({"decoder_input_ids": ids[:, : max(n // 2, 1)]} if pair else {})
