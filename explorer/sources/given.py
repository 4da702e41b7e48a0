"""Attention weights that were made elsewhere, as a trace: arranged, checked, told what is wrong."""

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from explorer.errors import ExplorerError
from explorer.language import t
from explorer.layers import ROW_SUM_TOLERANCE, GivenWeights, Weights
from explorer.run import readable
from explorer.sources.stored import MAX_NAME
from explorer.trace import AttentionTrace, ModelInfo, Token
from explorer.visible import visible

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Came:
    """What weights came in, as far as somebody who is to change them must know it.

    Attributes:
        layers: Whether as a list of layers; else as one array.
        gaps: Whether layers of that list are None.
        plain: Whether as numbers in lists, without an array.
        torch: Whether as tensors of torch.
    """

    layers: bool = False
    gaps: bool = False
    plain: bool = False
    torch: bool = False

    def changed(self, how: str) -> str:
        """The code that changes all the weights; in how, ``{w}`` is an array, ``{lib}`` its kind's.

        What it says must hold for arrays of any number of dimensions, counted from the last.
        """
        library = "torch" if self.torch else "numpy"
        if not self.layers:
            return how.format(w="numpy.array(weights)" if self.plain else "weights", lib=library)
        one = how.format(w="w", lib=library)
        return f"[{'w if w is None else ' if self.gaps else ''}{one} for w in weights]"


_EXACT = 1e-4  # from 1, of a row that is left as it is: float32 sums come to 1e-6
# Formats of numbers, and by which share rounding to them may change one (half of a last digit).
_ROUNDING = {"bfloat16": 2.0**-8, "float16": 2.0**-11}
_PLAIN = 2.0**-14  # from here on a float16 has all its digits
_MOST_LISTED = 10 * 2**20  # characters of tokens that were written as one text
_QUOTED = re.compile(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"")
_ESCAPE = re.compile(r"\\(x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|[\\'\"ntr])")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}
_MOST_NAMED = 20  # positions that are named one by one
_BETWEEN = re.compile(r"[\[\](),\s]|np\.str_")


def given_trace(
    weights: Array | Sequence[Array],
    queries: object,
    keys: object,
    name: str,
    *,
    numbers: Sequence[int] | None = None,
    notes: tuple[str, ...] = (),
    came: Came | None = None,
) -> AttentionTrace:
    """A trace of given weights.

    Args:
        weights: ``[layer, head, query, key]``, or one ``[head, query, key]`` for each layer.
        queries: The names of the tokens that look, or None: their positions are their names.
        keys: The names of those that are looked at.
        name: What a reader calls it.
        numbers: Of the layers; from 0 if none are given.
        notes: What a reader should know of it, beside what is found here.
        came: What they came in; one array if it is not said.

    Raises:
        ExplorerError: The weights are no distributions, or the tokens are not theirs.
    """
    n_heads, n_queries, n_keys = weights[0].shape
    sides = [
        _texts(tokens, n, side)
        for tokens, n, side in ((queries, n_queries, "query"), (keys, n_keys, "key"))
    ]
    same = sides[0] == sides[1]
    key_tokens, key_text = _placed(sides[1], 0)
    query_tokens, query_text = (key_tokens, key_text) if same else _placed(sides[0], 1)
    texts = (key_text,) if same else (key_text, query_text)
    given, divided = _distributions(weights, came or Came(), same=same)
    layers = [
        GivenWeights(number, layer)
        for number, layer in zip(numbers or range(len(given)), given, strict=True)
    ]
    most = max(n_queries, n_keys)
    model = ModelInfo(name, None, len(given), n_heads, 0, most, notes=(*notes, *divided))
    return AttentionTrace(model, texts, query_tokens, key_tokens, layers, (0,) * len(texts))


# — which number of the shape counts what —


def arranged(weights: Array) -> tuple[Array, tuple[str, ...]]:
    """Weights as ``[layer, head, query, key]``, and what was taken for what, where that is open.

    Raises:
        ExplorerError: They have another shape, and no one way to read it.
    """
    shape = weights.shape
    if 0 in shape or not 2 <= len(shape) <= 5 or (len(shape) == 5 and 1 not in shape[:2]):
        raise ExplorerError(_wrong_shape(shape))
    if len(shape) == 5:
        way = "weights[0]" if shape[0] == 1 else "weights[:, 0]"
        note = t(
            "The weights came as {shape}, a batch of one text: this is {way}.",
            shape=list(shape),
            way=way,
        )
        return (weights[0] if shape[0] == 1 else weights[:, 0]), (note,)
    if len(shape) == 3:
        note = t(
            "The weights came as {shape}: they are shown as the heads of one layer."
            " If the first number counts layers, give weights[:, None].",
            shape=list(shape),
        )
        return weights[None], (note,) if shape[0] > 1 else ()
    return (weights[None, None] if len(shape) == 2 else weights), ()


def _wrong_shape(shape: tuple[int, ...]) -> str:
    if len(shape) == 5 and 0 not in shape:
        return t(
            "“weights” has the shape {shape}, a batch of several texts. Choose one:"
            " weights[:, 0] is the first, if the second number counts texts (here "
            "{shape2}), as in torch.stack(outputs.attentions); weights[0], if the "
            "first does ({shape3}).",
            shape=list(shape),
            shape2=shape[1],
            shape3=shape[0],
        )
    ones = len(shape) - 4
    hint = (
        f" Here: weights[{', '.join('0' * ones)}]." if ones > 1 and {*shape[:ones]} == {1} else ""
    )
    return t(
        "“weights” has the shape {shape}; wanted is [layer, head, query, key], "
        "four numbers from 1 on. A single head is weights[None, None], the "
        "heads of one layer are weights[None].{hint}",
        shape=list(shape),
        hint=hint,
    )


# — rows that are distributions —


def _distributions(
    weights: Array | Sequence[Array], came: Came, *, same: bool
) -> tuple[list[Weights], tuple[str, ...]]:
    """Each layer as float32, its rows divided by their sums where rounding has changed them.

    Args:
        weights: Of each layer.
        came: What they came in.
        same: Whether the tokens that look are those that are looked at.

    Raises:
        ExplorerError: Rows are no distributions, even if their rounding is minded.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # what becomes infinite is refused
        layers = [layer.astype(np.float32, copy=False) for layer in weights]
        sums = [layer.sum(axis=-1, dtype=np.float64) for layer in layers]
    _check_numbers(sums, came, same=same)
    least = min(layer.min() for layer in layers)
    if least < 0:
        raise ExplorerError(
            t(
                "A weight is negative ({least}); weights of attention never are. If "
                "these are scores from before the softmax, give torch.softmax(scores, "
                "dim=-1).",
                least=f"{least:.3g}",
            )
        )
    off = max(float(np.where(s == 0, 0, np.abs(s - 1)).max()) for s in sums)
    if off <= _EXACT:
        return layers, ()
    kind = next((k for k in _ROUNDING if all(_is_rounded(layer, k) for layer in layers)), None)
    if off > max(ROW_SUM_TOLERANCE, 4 * _ROUNDING.get(kind or "", 0)):  # sums are rounded too
        raise ExplorerError(_no_distributions(layers, off, came))
    divided = [
        layer / np.where(total == 0, 1, total).astype(np.float32)[..., None]
        for layer, total in zip(layers, sums, strict=True)
    ]
    digits = t(", as those of {kind} are by rounding", kind=kind) if kind else ""
    note = t(
        "The rows of these weights do not sum to 1: they are off by up to "
        "{off}{digits}. Here each row is divided by its sum.",
        off=f"{off:.2g}",
        digits=digits,
    )
    return divided, (note,)


def _is_rounded(layer: Weights, kind: str) -> bool:
    """Whether every weight of a layer has no more digits than a format of numbers gives it.

    The smallest are left out: bfloat16 saved as float16 loses digits of those.
    """
    large = layer[layer >= _PLAIN]
    lost = 16 if kind == "bfloat16" else 13  # of the 23 bits behind the point of a float32
    return not (large.view(np.uint32) & np.uint32(2**lost - 1)).any()


def _check_numbers(sums: Sequence[npt.NDArray[np.float64]], came: Came, *, same: bool) -> None:
    """Refuse rows that are not numbers, and say how to cut those of padding.

    Args:
        sums: Of the rows of each layer, ``[head, query]``.
        came: What the weights came in.
        same: Whether the tokens that look are those that are looked at.

    Raises:
        ExplorerError: Some are not.
    """
    bad = [~np.isfinite(s) for s in sums]
    some = np.any([b.any(axis=0) for b in bad], axis=0)
    if not some.any():
        return
    every = np.all([b.all(axis=0) for b in bad], axis=0)
    if every.all() or (some != every).any():
        layer = next(i for i, b in enumerate(bad) if b.any())
        head, query = np.argwhere(bad[layer])[0]
        raise ExplorerError(
            t(
                "“weights” holds {n} rows that are not numbers (NaN or infinite), the "
                "first in layer {layer}, head {head}, query {query}, counted from 0. "
                "Models in float16 come to such numbers where theirs grow too large: "
                "run the model in float32 or bfloat16, and save its attention again.",
                n=f"{sum(int(b.sum()) for b in bad):,}",
                layer=layer,
                head=head,
                query=query,
            )
        )
    at = np.flatnonzero(every)
    raise ExplorerError(
        t(
            "The rows of {at} of “weights”, counted from 0, are not numbers (NaN) "
            "in any head: a mask left these queries no key, as it does with "
            "padding. {at2}",
            at=_ranges(at),
            at2=_cut(at, len(every), came, same=same),
        )
    )


def _ranges(at: npt.NDArray[np.intp]) -> str:
    """Positions in words, the first few of many."""
    runs = np.split(at, np.flatnonzero(np.diff(at) > 1) + 1)
    words = [
        t("{run} to {run2}", run=run[0], run2=run[-1]) if len(run) > 1 else f"{run[0]}"
        for run in runs[:5]
    ]
    more = t(" and others") if len(runs) > 5 else ""
    return (t("queries ") if len(at) > 1 else t("query ")) + ", ".join(words) + more


def _cut(at: npt.NDArray[np.intp], n: int, came: Came, *, same: bool) -> str:
    """How to cut queries away; where the keys are the same tokens, those too."""
    if at[0] == n - len(at):
        end = f":{at[0]}"
    elif at[-1] == len(at) - 1:
        end = f"{len(at)}:"
    else:
        kept = came.changed("{w}[..., real, :]" + ("[..., real]" if same else ""))
        named = list(map(str, at)) if len(at) <= _MOST_NAMED else ["these"]
        gone = t(" and ").join(filter(None, (", ".join(named[:-1]), named[-1])))
        return t(
            "Keep the others alone: with real as the list of all positions but "
            "{gone}, {kept}, and their {value}tokens.",
            gone=gone,
            kept=kept,
            value="" if same else "query ",
        )
    kept = came.changed(f"{{w}}[..., {end}, {end if same else ':'}]")
    return t(
        "Cut them off: {kept} and {value}[{end}].",
        kept=kept,
        value="tokens" if same else "the query tokens",
        end=end,
    )


def _no_distributions(layers: Sequence[Weights], off: float, came: Came) -> str:
    """What is said of rows that sum to something else than 1, by what they look like."""
    said = t(
        "The rows of the attention weights must sum to 1; one is off by {off}. ", off=f"{off:.3g}"
    )
    columns = [layer.sum(axis=-2, dtype=np.float64) for layer in layers]
    if all(np.abs(s - 1).max() <= ROW_SUM_TOLERANCE for s in columns):
        first, second, third = layers[0].shape
        heads_last = first == second != third  # [query, key, head]
        turned = came.changed(
            "{lib}.moveaxis({w}, -1, -3)" if heads_last else "{w}.swapaxes(-1, -2)"
        )
        return t(
            "{said}Their columns do: the last number of the shape must count keys, "
            "the one before it queries. Give {turned}.",
            said=said,
            turned=turned,
        )
    largest = max(float(layer.sum(axis=-1).max()) for layer in layers)
    if largest <= 1 + ROW_SUM_TOLERANCE:
        return t(
            "{said}They sum to less: keys are missing, or the model has attention "
            "sinks, which take their share (gpt-oss). Give all keys; with sinks, "
            "give the model itself to explorer.trace(text, model=model, "
            "tokenizer=tokenizer).",
            said=said,
        )
    return t(
        "{said}Are these scores from before the softmax? Or weights of a model "
        "in training, which dropout changes? Call model.eval() first.",
        said=said,
    )


# — tokens —


def _texts(tokens: Any, n: int, side: str) -> list[str]:
    """The names of one side's tokens; numbers where none are given."""
    if isinstance(tokens, np.ndarray) and tokens.ndim == 0 and tokens.dtype.kind in "US":
        tokens = tokens.item()
    if isinstance(tokens, str | bytes):
        tokens = listed(tokens.decode("utf-8", "replace") if isinstance(tokens, bytes) else tokens)
    if tokens is None:
        return [str(i) for i in range(n)]
    if isinstance(tokens, np.ndarray):
        if tokens.ndim == 2 and len(tokens) == 1:
            tokens = tokens[0]  # a batch of one
        if tokens.dtype.kind in "iu":
            raise ExplorerError(
                t(
                    "The {side} tokens are numbers. Give their texts: "
                    "tokenizer.convert_ids_to_tokens(ids).",
                    side=side,
                )
            )
        if tokens.ndim != 1 or tokens.dtype.kind not in "US":
            raise ExplorerError(
                t(
                    "The {side} tokens must be a list of texts; these are {tokens} with the"
                    " shape {shape}.",
                    side=side,
                    tokens=kind_of(tokens),
                    shape=list(tokens.shape),
                )
            )
        tokens = tokens.tolist()
    if not isinstance(tokens, list) or not all(isinstance(t, str | bytes) for t in tokens):
        raise ExplorerError(
            t("The {side} tokens must be a list of texts, and nothing else.", side=side)
        )
    if len(tokens) != n:
        raise ExplorerError(
            t(
                "There are {n} {side} tokens, and “weights” has {n2} on that side. "
                "Every position has one, marks such as [CLS] and padding too.",
                n=f"{len(tokens):,}",
                side=side,
                n2=f"{n:,}",
            )
        )
    short = [t[:MAX_NAME] for t in tokens]
    return [readable(t.decode("utf-8", "replace") if isinstance(t, bytes) else t) for t in short]


def listed(text: str) -> object:
    """The list that a text is one of: as JSON, or as Python prints it, str(tokens).

    Raises:
        ExplorerError: It is none.
    """
    with suppress(ValueError, RecursionError):
        return json.loads(text)
    rest = _BETWEEN.sub("", _QUOTED.sub("", text)) if len(text) <= _MOST_LISTED else "…"
    if not rest:
        with suppress(ValueError):  # a code that no character has
            found = [_ESCAPE.sub(_unescaped, quoted[1:-1]) for quoted in _QUOTED.findall(text)]
            if found:
                return found
    raise ExplorerError(
        t(
            "The tokens are one text, “{visible}”, and no list. Give a list of "
            "texts, one for each position; in a file numpy.array(tokens), or "
            "json.dumps(tokens) with safetensors.",
            visible=visible(text[:40]),
        )
    )


def _unescaped(found: re.Match[str]) -> str:
    """The character that Python's `repr` writes with a backslash."""
    code = found[1]
    return chr(int(code[1:], 16)) if code[1:] else _ESCAPED.get(code, code)


def kind_of(array: Array) -> str:
    """What an array holds, in numpy's words; a file may have put names of its own among them."""
    return visible(str(array.dtype)[:40])


def _placed(texts: list[str], segment: int) -> tuple[tuple[Token, ...], str]:
    """Tokens in a running text, one after the other."""
    tokens, at = [], 0
    for word, text in enumerate(texts):
        span = (at, at + len(text)) if text else None
        tokens.append(Token(text or "␣", span, word, segment, special=_is_mark(text)))
        at += len(text) + 1
    return tuple(tokens), " ".join(texts)


def _is_mark(text: str) -> bool:
    """Whether a token is written as marks of places are: [CLS], <s>, <|endoftext|>."""
    return len(text) > 2 and (text[0], text[-1]) in (("[", "]"), ("<", ">"))
