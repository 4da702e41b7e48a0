"""Attention that somebody has in Python: tensors of torch or numpy, as libraries return them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from explorer.errors import ExplorerError, refusing
from explorer.language import listed, t
from explorer.sources.given import Came, arranged, given_trace, kind_of
from explorer.sources.memory import check_fits
from explorer.trace import AttentionTrace, Token

Array = npt.NDArray[Any]
_ATTENTIONS = ("attentions", "encoder_attentions", "decoder_attentions", "cross_attentions")


def trace_at_hand(
    weights: object, tokens: object = None, key_tokens: object = None, name: str = "weights"
) -> AttentionTrace:
    """A trace of attention weights at hand.

    Args:
        weights: One array ``[layer, head, query, key]``, ``[head, query, key]`` or
            ``[query, key]``; or a list of layers, each ``[head, query, key]`` or
            ``[1, head, query, key]``, as ``outputs.attentions`` is, None for a layer without
            attention.
        tokens: A list of texts, or what a tokenizer returned; None: positions are the names.
        key_tokens: The same for the tokens that are looked at, where they are others.
        name: What it is called on the page.

    Raises:
        ExplorerError: They are no attention weights, or the tokens are not theirs.
    """
    layers, numbers, notes = _layers(weights)
    size = sum(4 * layer.size for layer in layers)
    check_fits(2 * size, t("What is to be shown"), t("Give fewer layers, or fewer tokens."))
    # What is shown stays as it is, whatever becomes of the caller's array; others are copied below.
    layers = [layer.copy() if layer.dtype == np.float32 else layer for layer in layers]
    queries = _tokens(tokens)
    keys = queries if key_tokens is None else _tokens(key_tokens)
    came = _came(weights)
    return given_trace(layers, queries, keys, name, numbers=numbers, notes=notes, came=came)


def _came(weights: Any) -> Came:
    """What weights came in."""
    if not isinstance(weights, list | tuple):
        return Came(torch=hasattr(weights, "detach"))
    if _is_plain(weights):
        return Came(plain=True)
    tensors = any(hasattr(layer, "detach") for layer in weights)
    return Came(layers=True, gaps=any(layer is None for layer in weights), torch=tensors)


def _layers(weights: Any) -> tuple[Sequence[Array], list[int] | None, tuple[str, ...]]:
    """Each layer ``[head, query, key]``, their numbers if they have any, and what to say of it."""
    held = [name for name in _ATTENTIONS if getattr(weights, name, None) is not None]
    if held or isinstance(weights, Mapping):
        raise ExplorerError(
            t(
                "These are all outputs of a model; give its attention alone: {join}. Is"
                " there none, load the model with attn_implementation=“eager” and call "
                "it with output_attentions=True; or give the model to "
                "explorer.trace(text, model=model, tokenizer=tokenizer).",
                join=" or ".join(f"outputs.{name}" for name in held or _ATTENTIONS),
            )
        )
    if not isinstance(weights, list | tuple) or _is_plain(weights):
        array, notes = arranged(_array(weights))
        return list(array), None, notes
    if any(isinstance(layer, list | tuple) for layer in weights):
        raise ExplorerError(
            t(
                "This is a list of lists of tensors, as generate() returns them: one "
                "for each step. Give one step, outputs.attentions[0]; or the whole text"
                " that was written to explorer.trace(text, model=model, "
                "tokenizer=tokenizer)."
            )
        )
    numbers = [i for i, layer in enumerate(weights) if layer is not None]
    if not numbers:
        raise ExplorerError(
            t(
                "There is no attention in this list: models with fast attention kernels"
                " return none. Load the model with attn_implementation=“eager” and call"
                " it with output_attentions=True; or give the model to "
                "explorer.trace(text, model=model, tokenizer=tokenizer)."
            )
        )
    return _of_list([_array(weights[i]) for i in numbers], numbers)


def _of_list(
    layers: list[Array], numbers: list[int]
) -> tuple[Sequence[Array], list[int] | None, tuple[str, ...]]:
    shapes = {layer.shape for layer in layers}
    if len(shapes) > 1:
        found = listed([str(list(shape)) for shape in sorted(shapes)[:2]])
        raise ExplorerError(
            t(
                "The layers in this list have different shapes, such as {found}; all "
                "must have the same heads, queries and keys. Show them in parts.",
                found=found,
            )
        )
    shape = layers[0].shape
    if len(shape) == 4 and shape[0] > 1:
        raise ExplorerError(
            t(
                "Each layer in this list has the shape {shape}, a batch of {shape2} "
                "texts. Choose one: [layer[0] for layer in weights] is the first.",
                shape=list(shape),
                shape2=shape[0],
            )
        )
    if len(shape) == 4:
        note = t(
            "The layers came as {shape}, a batch of one text: this is layer[0] of each.",
            shape=list(shape),
        )
        return [layer[0] for layer in layers], numbers, (note,)
    if len(shape) == 3:
        return layers, numbers, ()
    array, notes = arranged(np.stack(layers))
    return list(array), None, notes


def _is_plain(value: Any) -> bool:
    """Whether nested lists hold plain numbers at last, and not tensors."""
    while isinstance(value, list | tuple) and value:
        value = value[0]
    return isinstance(value, int | float)


def _array(tensor: Any) -> Array:
    """A tensor as numpy has it: off its device, out of its graph, in digits that numpy knows.

    Raises:
        ExplorerError: It is no tensor of numbers.
    """
    kind = type(tensor).__name__
    with refusing(
        t(
            "The weights are of the type {kind}, which cannot be read as numbers. "
            "Give an array of numpy or torch, [layer, head, query, key], or a list "
            "of layers.",
            kind=kind,
        )
    ):
        if hasattr(tensor, "detach"):  # torch, which need not be imported to know it
            tensor = tensor.detach().cpu()
            if tensor.is_sparse:
                tensor = tensor.to_dense()
            tensor = (tensor.float() if tensor.is_floating_point() else tensor).numpy()
        array = np.asarray(tensor)
        if array.dtype.name == "bfloat16":  # of jax, by a package that gives numpy the name
            array = array.astype(np.float32)
        if array.dtype.kind == "O" or isinstance(tensor, str | bytes):
            raise TypeError(kind)
    if array.dtype.kind not in "fiu":
        raise ExplorerError(
            t("“weights” holds {array}; it must hold numbers.", array=kind_of(array))
        )
    return array


def _tokens(given: Any) -> Any:
    """Names of tokens, or what a tokenizer returned, as a list of texts.

    Raises:
        ExplorerError: They are numbers of tokens, which nobody can read.
    """
    if isinstance(given, str | bytes) or given is None:
        return given
    if callable(getattr(given, "tokens", None)) and getattr(given, "is_fast", True):
        return list(given.tokens())  # what a fast tokenizer returned
    ids = isinstance(given, Mapping) or hasattr(given, "detach")
    if not ids and isinstance(given, list | tuple | range) and given:
        first = given[0]
        ids = hasattr(first, "detach") or isinstance(first, int | np.integer)
    if ids:
        raise ExplorerError(
            t(
                "The tokens are numbers, and their texts are not among them. Give "
                "tokenizer.convert_ids_to_tokens(inputs[“input_ids”][0])."
            )
        )
    if isinstance(given, set | frozenset):
        raise ExplorerError(
            t(
                "The tokens are a set, which has no order. Give a list of texts, in the"
                " order of their positions."
            )
        )
    if isinstance(given, np.ndarray):
        return given
    with refusing(t("The tokens must be a list of texts, one for each position.")):
        return [t.text if isinstance(t, Token) else t for t in given]
