"""Run -> LayerTrace: every number of one layer, as the model computes it on a text."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from inspect import signature
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.language import t
from explorer.layers import FromScores, ScoreRule
from explorer.layers import causal as seen_causally
from explorer.layertrace import Array, LayerTrace, Part
from explorer.limits import STEPS_TOKENS, check_tokens
from explorer.run import Run
from explorer.scratch.attention import SelfAttention
from explorer.source import Trained, Transplanted, model_of
from explorer.sources.explained import Side, array, norm_before, normed, output_of, sides_of
from explorer.sources.families import first_position
from explorer.sources.forward import check_room
from explorer.sources.listening import Heard, listen, listen_outside, rows
from explorer.sources.loading import LoadedModel, load_model
from explorer.sources.outside import found_outside
from explorer.sources.progress import Progress, silent
from explorer.sources.scratch import POSITIONS, ScratchReading, read_scratch
from explorer.sources.seq2seq import read_sides
from explorer.sources.tap import layers_from
from explorer.sources.tokens import Reading
from explorer.sources.trained import read_trained
from explorer.sources.transplanted import transplanted_info, transplanted_layer
from explorer.sources.written import read_run
from explorer.trace import ModelInfo, Token

_ORDER = {"token": 0, "position": 1, "text A or B": 2}  # in which parts of an input are shown
_FAR = 1e-4  # of the largest number: what sums over what was found may be off, in float32
_FAR_ROUNDED = 5e-2  # and in half precision


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
        layer: The layer, by the model's own number.
        twist: What to change; nothing if left out.
        progress: Told what is being done.

    Raises:
        ExplorerError: The source cannot be loaded or cannot read the text, has no such layer, or
            a part of its attention cannot be followed.
    """
    run.check_is_for_a_model()
    twist = twist or Twist()
    model = model_of(run.source)
    if model is not None:
        loaded = load_model(model, progress).part("text")
        with torch.inference_mode():
            return _trace_model(loaded.private(), run, layer, twist, progress)
    trains = isinstance(run.source, Trained)
    reading = read_trained(run, progress) if trains else read_scratch(run)
    with torch.inference_mode():
        return _trace_scratch(reading, layer, twist)


# --- layers of our own --------------------------------------------------------------------------


def _trace_scratch(reading: ScratchReading, layer: int, twist: Twist) -> LayerTrace:
    if not 0 <= layer < reading.info.n_layers:
        raise ExplorerError(
            t(
                "There is no layer {layer}: {name} has the layers 0 to {value}.",
                layer=layer,
                name=reading.info.name,
                value=reading.info.n_layers - 1,
            )
        )
    check_tokens(t("Step by step"), len(reading.tokens), STEPS_TOKENS)
    order = word_order(reading.tokens, twist.backwards)
    words, n = reading.words[order], len(reading.tokens)
    told = reading.positions if twist.positions else None
    parts = [Part("token", array(words))]
    x = words
    if told is not None:
        x = words + told[:n]
        parts.append(Part("position", array(told[:n])))
    x = x[None]
    for i in range(layer):
        x = reading.encoder.output(i, x)
    ours: SelfAttention = reading.encoder.layers[layer]
    tokens = tuple(reading.tokens[i] for i in order)
    made = _trace_ours(reading.info, layer, tokens, x[0], ours, reading.encoder.causal)
    made = replace(made, parts=tuple(parts) if layer == 0 else ())
    if reading.positions is None:
        return made
    return replace(made, positions=array(reading.positions[: max(n, POSITIONS)]))


def _trace_ours(
    info: ModelInfo,
    layer: int,
    tokens: tuple[Token, ...],
    x: Tensor,
    ours: SelfAttention,
    causal: bool,
) -> LayerTrace:
    """The from-scratch layer's numbers, by its own modules."""
    batch = x[None]
    output, weights = ours(batch, batch, batch, causal=causal, return_weights=True)
    q, k, v = (
        m(x).unflatten(-1, (ours.n_heads, -1)).transpose(0, 1)
        for m in (ours.W_Q, ours.W_K, ours.W_V)
    )
    n = len(tokens)
    return LayerTrace(
        model=info,
        layer=layer,
        tokens=tokens,
        parts=(),
        normed=False,
        x=array(x),
        w_q=array(ours.W_Q.weight),
        w_k=array(ours.W_K.weight),
        w_v=array(ours.W_V.weight),
        b_q=array(ours.W_Q.bias),
        b_k=array(ours.W_K.bias),
        b_v=array(ours.W_V.bias),
        q=array(q),
        k=array(k),
        v=array(v),
        rule=ScoreRule(scale=ours.d_k**-0.5, allowed=seen_causally(n, n) if causal else None),
        allowed=np.tri(n, dtype=bool) if causal else np.ones((n, n), dtype=bool),
        weights=array(weights[0]),
        joined=array((weights[0] @ v).transpose(0, 1).flatten(1)),
        w_o=array(ours.o.weight),
        b_o=array(ours.o.bias),
        output=array(output[0]),
    )


# --- models -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Read:
    """A text, or two, as a model gets them.

    Attributes:
        network: What is called.
        inputs: What it is called with.
        tokens: The tokens that look.
        keys: Those that are looked at; None for the same.
        part: Which attention of an encoder-decoder.
    """

    network: Any
    inputs: dict[str, Tensor]
    tokens: tuple[Token, ...]
    keys: tuple[Token, ...] | None = None
    part: str | None = None


def _trace_model(
    loaded: LoadedModel, run: Run, layer: int, twist: Twist, progress: Progress
) -> LayerTrace:
    read = _read(loaded, run, twist, progress)
    n = max(len(read.tokens), len(read.keys or ()))
    check_tokens(t("Step by step"), n, STEPS_TOKENS)
    check_room(loaded, n, 3)
    heard = _heard(loaded, read, layer)
    made = _followed(loaded, read, layer, heard)
    if isinstance(run.source, Transplanted):
        ours = transplanted_layer(read.network, layer)
        info = transplanted_info(loaded.info)
        copied = _trace_ours(info, layer, read.tokens, heard.hidden, ours, causal=False)
        made = replace(copied, parts=made.parts, normed=made.normed, positions=made.positions)
    return made


def _heard(loaded: LoadedModel, read: _Read, layer: int) -> Heard:
    """The attention of a layer as it ran.

    Raises:
        ExplorerError: Its queries and keys are not known.
    """
    name, passport = loaded.info.name, loaded.info.passport
    if loaded.by_scores:
        return listen(name, read.network, read.inputs, layer, read.part)
    own = listen_outside(name, read.network, read.inputs, layer) if read.part is None else None
    found = own and found_outside(own)
    if found is None:
        why = passport.reason if passport and passport.reason else t("nothing else was found exact")
        raise ExplorerError(
            t(
                "The queries and keys of {name} cannot be had: its weights are taken as"
                " Transformers returns them, because {why}. Explore shows them; to walk"
                " through a layer choose another model, such as "
                "google-bert/bert-base-uncased or openai-community/gpt2.",
                name=name,
                why=why,
            )
        )
    return found


def _read(loaded: LoadedModel, run: Run, twist: Twist, progress: Progress) -> _Read:
    """What the model is called with, changed as is asked."""
    if loaded.form != "pair":
        return _twisted(loaded, read_run(loaded, run)[0], twist)
    if twist != Twist():
        raise ExplorerError(
            t(
                "{name} reads one text and writes another: here its words are not "
                "turned round, and their positions not taken from them.",
                name=loaded.info.name,
            )
        )
    sides = read_sides(loaded, run, progress)
    keys = sides.keys if run.part == "cross" else None
    return _Read(sides.network, sides.inputs, sides.tokens, keys, run.part)


def _twisted(loaded: LoadedModel, reading: Reading, twist: Twist) -> _Read:
    order = word_order(reading.tokens, twist.backwards)
    inputs = dict(reading.inputs)
    ids = inputs["input_ids"] = inputs["input_ids"][:, order]
    if not twist.positions:
        if "position_ids" not in signature(loaded.network.forward).parameters:
            raise ExplorerError(
                t(
                    "{name} is not told its positions from outside, so its tokens cannot "
                    "all be told the same one.",
                    name=loaded.info.name,
                )
            )
        first = first_position(loaded.network.config)
        inputs["position_ids"] = torch.full_like(ids, first)
        # Without a mask, positions that do not rise are taken for texts that stand side by side.
        inputs.setdefault("attention_mask", torch.ones_like(ids))
    tokens = tuple(reading.tokens[i] for i in order)
    return _Read(loaded.network, inputs, tokens)


def _followed(loaded: LoadedModel, read: _Read, layer: int, heard: Heard) -> LayerTrace:
    """All that was heard of an attention, explained and held against the model.

    Raises:
        ExplorerError: A part of it cannot be followed.
    """
    name = loaded.info.name
    q, k, v = sides_of(heard, name)
    out, norm = output_of(heard, name), norm_before(heard)
    own = layers_from([heard.call], [layer])[0]
    rule = replace(own.rule, scale=own.rule.scale * q.factor * k.factor)
    allowed = _allowed(own)
    first = heard.hidden if norm is None else torch.from_numpy(norm.read)
    follows = heard.came is not None and torch.equal(first.float(), heard.came.float())
    at_start = follows and layer == heard.numbers[0]
    parts, after_norm = _input_parts(heard, first) if at_start else ((), False)
    assert heard.call.weights is not None
    made = LayerTrace(
        model=replace(loaded.info, n_layers=len(heard.numbers), n_heads=len(own.q)),
        layer=layer,
        numbers=heard.numbers,
        tokens=read.tokens,
        key_tokens=read.keys,
        parts=parts,
        normed=after_norm,
        follows=follows,
        norm=norm,
        x=array(heard.hidden),
        x_keys=array(heard.keys_from) if read.keys is not None else None,
        w_q=q.weight,
        w_k=k.weight,
        w_v=v.weight,
        b_q=q.bias,
        b_k=k.bias,
        b_v=v.bias,
        q=_behind(q, own.q),
        k=_behind(k, own.k),
        v=v.mapped,
        steps=q.steps,
        q_mapped=q.mapped if q.steps else None,
        k_mapped=k.mapped if k.steps else None,
        q_norm=q.norm,
        k_norm=k.norm,
        turn=q.turn,
        rule=rule,
        allowed=allowed,
        buckets=_buckets(heard, own),
        weights=array(heard.call.weights[0]),
        joined=array(heard.joined),
        w_o=out.weight,
        b_o=out.bias,
        output=out.gave,
        after=out.after,
        positions=_position_table(heard, len(read.tokens)),
    )
    _check(made, name, heard.hidden.dtype)
    return made


def _behind(side: Side, own: Array) -> Array:
    """Queries or keys as the products are made of them, without a factor that is the scale's."""
    return side.mapped if side.factor != 1 else np.array(own, dtype=np.float32)


def _allowed(layer: FromScores) -> "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]":
    """Whether a query may look at a key, ``[query, key]``."""
    keys = np.arange(layer.n_keys)
    seen = np.ones((layer.n_queries, layer.n_keys), dtype=bool)
    if layer.rule.allowed is not None:
        first, end = layer.rule.allowed.T
        seen = (keys >= first[:, None]) & (keys < end[:, None])
    if layer.rule.added is not None:
        seen &= ~np.isneginf(layer.rule.added).all(axis=0)
    return seen


def _check(trace: LayerTrace, name: str, dtype: torch.dtype) -> None:
    """Hold the sums that the page will show against the model's own weights and output.

    Raises:
        ExplorerError: They are something else.
    """
    far = _FAR if dtype == torch.float32 else _FAR_ROUNDED
    again = FromScores(trace.layer, trace.q, trace.k, trace.rule)
    off = max(
        float(np.abs(again.rows(head) - trace.weights[head]).max()) for head in range(len(trace.q))
    )
    output = trace.joined @ trace.w_o.T + (0 if trace.b_o is None else trace.b_o)
    beside = float(np.abs(output - trace.output).max() / max(np.abs(trace.output).max(), 1e-30))
    if not max(off, beside) <= far:
        raise ExplorerError(
            t(
                "What was found of this layer of {name} does not give its own numbers "
                "again (off by {n}), so it is not shown. Explore shows its attention.",
                name=name,
                n=f"{max(off, beside):.1e}",
            )
        )


# --- what goes in -------------------------------------------------------------------------------


def _input_parts(heard: Heard, stream: Tensor) -> tuple[tuple[Part, ...], bool]:
    """What the first layer's input is added up from, and whether through a norm.

    Nothing where it is made in another way.
    """
    n, d = stream.shape
    fitting = [e for e in heard.tables if e.gave.shape[-1] == d]
    tables = [e for e in fitting if rows(e.gave).shape[0] in (1, n)]
    norms = [one for e in heard.norms if (one := normed(e, None)) is not None]
    for start in range(len(tables)):  # before a decoder's stand its encoder's
        values = [rows(e.gave).expand(n, d).float() for e in tables[start:]]
        total = torch.stack(values).sum(0)
        factor = float((total * stream).sum() / total.pow(2).sum().clamp_min(1e-30))
        after_norm = any(
            _near(torch.from_numpy(one.read), total) and _near(torch.from_numpy(one.gave), stream)
            for one in norms
        )
        if not after_norm and not _near(total, stream):
            if len(values) > 1 or not _near(factor * total, stream):
                continue
            values = [factor * values[0]]  # Gemma multiplies its tokens with √d
        names = [_part_name(e.name) for e in tables[start:]]
        if len(set(names)) < len(names):  # several kinds of positions (LayoutLM)
            names = [e.name.rsplit(".", 1)[-1].replace("_", " ") for e in tables[start:]]
        named = [Part(name, array(x)) for name, x in zip(names, values, strict=True)]
        return tuple(sorted(named, key=lambda part: _ORDER.get(part.name, 1))), after_norm
    return (), False


def _near(one: Tensor, other: Tensor) -> bool:
    if one.shape != other.shape:
        return False
    off = (one.float() - other.float()).abs().max()
    return bool(off <= 1e-5 * max(1.0, float(other.float().abs().max())))


def _part_name(table: str) -> str:
    last = table.rsplit(".", 1)[-1].lower()
    if "pos" in last or last == "wpe":
        return "position"
    return "text A or B" if "type" in last else "token"  # stages.js says what it is called


def _position_table(heard: Heard, n: int) -> Array | None:
    """The model's own vectors of the first positions: those of a text, and more of a short one."""
    d = heard.hidden.shape[-1]
    found = [e for e in heard.tables if _part_name(e.name) == "position" and e.gave.shape[-1] == d]
    if len({e.name.rsplit(".", 1)[-1] for e in found}) != 1:
        return None
    table = found[-1].module.weight  # a decoder's, not its encoder's
    same = (table == rows(found[-1].gave)[0]).all(-1).nonzero()
    if not len(same):
        return None
    first = int(same[0])
    return array(table[first : first + max(n, POSITIONS)])


def _buckets(heard: Heard, layer: FromScores) -> "np.ndarray[Any, np.dtype[np.int32]] | None":
    """Which row of a table of distances is added to each score; None where there is no such table.

    T5 keeps it in its first layer: distances in buckets, that grow wider the farther they are.
    """
    module: Any = heard.call.module
    bucket = getattr(module, "_relative_position_bucket", None)
    known = [*heard.tables, *heard.inside]
    table = next((e for e in reversed(known) if "relative_attention_bias" in e.name), None)
    bias = heard.call.options.get("position_bias")
    if bucket is None or table is None or bias is None:
        return None
    n, m = layer.n_queries, layer.n_keys
    distance = torch.arange(m)[None] - torch.arange(n)[:, None]
    found = bucket(
        distance,
        bidirectional=not module.is_decoder,
        num_buckets=module.relative_attention_num_buckets,
        max_distance=module.relative_attention_max_distance,
    )
    seen = torch.from_numpy(_allowed(layer))
    own = table.module.weight[found].permute(2, 0, 1)
    off = (own - bias[0, :, :n, :m]).masked_fill(~seen, 0.0).abs().max()
    return found.numpy().astype(np.int32) if off <= 1e-5 else None


def word_order(tokens: Sequence[Token], backwards: bool) -> list[int]:
    """The order in which tokens are read: word by word, each word's pieces in their own order.

    Special tokens keep their places, and each text keeps its own words.
    """
    order = list(range(len(tokens)))
    if not backwards:
        return order
    for segment in {token.segment for token in tokens}:
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
