"""A trace as a payload; `data.js` is the other end.

What each of its blocks is is called its kind:

- ``thumbs``: thumbnails of all heads, uint8 ``[layer, head, s, s]``; ``ordinary_thumbs``: the same
  with special tokens left out;
- ``layer``: the weights of one layer, float32 ``[head, query, key]``;
- ``scores``: a part of the same layer as what its weights are made of, where that is shorter:
  ``log_sum_exp``, ``q``, ``k`` and the arrays of its score rule (`FromScores`);
- ``mask``: the keys that queries may look at in some layers, where these are not all, int32
  ``[query, 2]``: the first, and one past the last;
- ``means``: the mean over the heads of every layer, float32 ``[layer, query, key]``;
- ``group``: the attention between chosen words in every head (`attention_between`), float32;
- ``training``: the weights of every frame of one, float32 ``[frame, layer, head, query, key]``;
- ``ideals``: where it would be best to look, float32 ``[pattern, query, key]``;
- ``picture``: what a vision model saw, as PNG;
- ``page``: the instrument as a file of its own, to be handed to the reader;
- ``striking``, ``effects``: what is worth a look (`wire/striking.py`);
- ``lens``, ``wrote``: how a prediction comes about (`wire/lens.py`);
- ``next``: what a decoder expects behind every token (`wire/next.py`).

Of a long text (`is_long`) heads travel one by one, and neither ``layer`` nor ``scores`` nor
``means`` do:

- ``head``: a part of one head, as ``scores`` has them of a layer: ``q``, ``k``, ``log_sum_exp``,
  ``allowed``, ``offsets``, ``sinks``; or its ``weights`` where these were given;
- ``summary``: what is shown of a head besides its rows, at a level of groups (`Summary`):
  ``received``, ``ordinary``, ``maps``, ``pairs``, ``pair_weights``, and its profile;
- ``thumbs``, ``ordinary_thumbs``: those of some heads, in the order of ``places``.

Nothing but the thumbnails is rounded. From q and k the browser makes weights in double precision,
so that each of a whole row is off by no more than float32's own rounding, 6e-8 of it. Columns and
tiles of a long text lean on its ``log_sum_exp``, which is summed up of float32 scores: there it is
1e-7 of it for each unit of the largest score. Layers go by the model's own numbers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from explorer.analysis.groups import attention_between
from explorer.analysis.profiles import possible_entropy
from explorer.history import TrainingHistory
from explorer.instrument.wire.about import About, passport_words, title_of
from explorer.instrument.wire.container import Block, of_bytes, write
from explorer.instrument.wire.lens import Reads, lens_blocks, why_blocks
from explorer.instrument.wire.longtext import (
    head_blocks,
    head_bytes,
    is_long,
    levels,
    places_in,
    summary_blocks,
    thumb_blocks,
    thumbs_of,
)
from explorer.instrument.wire.next import NO_HAND, Expects, Hand, next_blocks
from explorer.instrument.wire.request import Edge, Group, Head, Page, Places, Request
from explorer.instrument.wire.striking import Effects, effects_block, striking_block, told_blocks
from explorer.language import t
from explorer.layers import FEW_KEYS, AttentionLayer, FromScores, causal
from explorer.lesson import TASKS
from explorer.residual import EdgeVectors
from explorer.trace import AttentionTrace, Token, Weights
from explorer.visible import marks_in

Thumbnails = tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]
Report = Callable[[str, float | None], None]
WHOLE = 2 * 10**6  # up to so many bytes all layers travel at once
MAX_WORK = 2**31  # weights that are read for one answer: some ten seconds
MAX_PAGE = 160 * 2**20  # bytes of a file that a browser is handed through its socket


def pack(
    trace: AttentionTrace,
    *,
    trace_id: str,
    layers: Sequence[int] = (),
    heads: Places = (),
    opening: Mapping[str, object] | None = None,
    about: About | None = None,
    link: Mapping[str, str] | None = None,
    answers: Sequence[Block] = (),
    history: TrainingHistory | None = None,
    stale: str = "",
    striking: bool = False,
    hand: Hand = NO_HAND,
    more: bool = False,
    report: Report = lambda doing, share: None,
) -> bytes:
    """The payload of a trace: its texts, all thumbnails, and some layers in full.

    Args:
        trace: What to show.
        trace_id: Names the trace: payloads with one id add to the same picture.
        layers: The numbers of the layers to send in full; none of a long text.
        heads: Of a long text the heads, (layer, head) each, to send with their summaries.
        opening: The view to open with, by the names that a link uses.
        about: Whose picture it is; None for the trace alone.
        link: The URL parameters of the run; None if no link can carry it.
        answers: What else the browser asked for, from `answers_to`.
        history: The training that the trace is the last frame of; its layers need not be sent.
        stale: What the training is of, where that is no longer what is asked for.
        striking: Whether what is worth a look is told, or may be asked for.
        hand: What a reader may do with the model.
        more: Whether the browser has what is said of the trace, so that only the answers are sent.
        report: Told what is being done; may raise to end it.
    """
    if more:
        return write({"id": trace_id, "more": True}, answers)
    blocks = _whole_heads(trace, heads, report) if is_long(trace) else _whole(trace, layers, report)
    blocks += [*mask_blocks(trace), *answers, *(_history_blocks(history) if history else [])]
    if trace.patches:
        blocks.append(of_bytes({"kind": "picture"}, trace.patches.png))
    blocks += (told := told_blocks(trace) if striking else [])
    header = (
        _known_about(trace)
        | hand.said(trace)
        | {
            "id": trace_id,
            "about": asdict(about or About.of(trace)),
            "opening": opening,
            "link": link,
            "training": history and _about_history(history) | {"stale": stale},
            "striking": ("here" if told else "ask") if striking else None,
        }
    )
    return write(header, blocks)


def _whole(trace: AttentionTrace, layers: Sequence[int], report: Report) -> list[Block]:
    """Some layers of a short text, with the small pictures of all its heads."""
    thumbs, ordinary = both_thumbnails(trace)
    blocks: list[Block] = [({"kind": "thumbs"}, thumbs), ({"kind": "ordinary_thumbs"}, ordinary)]
    for number in layers:
        report(t("Packing the weights"), None)
        blocks += _layer_blocks(trace.layer(number))
    return blocks


def _whole_heads(trace: AttentionTrace, heads: Places, report: Report) -> list[Block]:
    """Some heads of a long text, with their summaries and small pictures."""
    blocks: list[Block] = []
    level = levels(trace)[2]
    for i, (number, head) in enumerate(heads):
        report(t("Packing the heads"), i / len(heads))
        # The summary reads all rows and leaves their sums, which travel with the head.
        blocks += summary_blocks(trace, number, head, level or "")
        blocks += head_blocks(trace, number, head)
    return [*blocks, *thumb_blocks(trace, heads)]


_abouts: "WeakKeyDictionary[AttentionTrace, dict[str, Any]]" = WeakKeyDictionary()


def _known_about(trace: AttentionTrace) -> dict[str, Any]:
    known = _abouts.get(trace)
    if known is None:
        known = _abouts[trace] = _about(trace)
    return known


def _about(trace: AttentionTrace) -> dict[str, Any]:
    """What a trace says besides numbers of attention."""
    queries, keys = trace.query_tokens, trace.key_tokens
    own, other, map_level = levels(trace)
    return {
        "title": title_of(trace.model),
        "passport": passport_words(trace.model),
        "numbers": trace.numbers,
        "n_heads": trace.model.n_heads,
        "query_tokens": _columns(queries),
        "key_tokens": None if keys == queries else _columns(keys),
        "long": is_long(trace),
        "levels": own,
        "key_levels": other,
        "map_level": map_level,
        "texts": trace.texts,
        "marks": [marks_in(text) for text in trace.texts],
        "patches": trace.patches and [trace.patches.rows, trace.patches.columns],
        "n_cut": trace.n_cut,
        "truncation_side": trace.model.truncation_side,
        "unknown": trace.model.unknown_token,
        "n_written": trace.n_written,
        "possible": possible_entropy(trace.layers).round(6).tolist(),
        "sinks": any(layer.has_sink for layer in trace.layers),
    }


def _columns(tokens: Sequence[Token]) -> dict[str, list[Any]]:
    """Tokens column by column: a third of the letters that one after the other would take."""
    return {
        "text": [token.text for token in tokens],
        "start": [token.span and token.span[0] for token in tokens],
        "end": [token.span and token.span[1] for token in tokens],
        "word": [token.word for token in tokens],
        "segment": [token.segment for token in tokens],
        "special": [i for i, token in enumerate(tokens) if token.special],
    }


def _history_blocks(history: TrainingHistory) -> list[Block]:
    """The weights of a history, and those that would be best."""
    ideals = np.stack(list(history.ideals.values()))
    return [_weights({"kind": "training"}, history.weights), _weights({"kind": "ideals"}, ideals)]


def _about_history(history: TrainingHistory) -> dict[str, Any]:
    """What a history says besides weights."""
    return {
        "task": history.task,
        "says": next((task.says for task in TASKS.values() if task.title == history.task), ""),
        "length": history.length,
        "until": history.until,
        "causal": history.causal,
        "steps": history.steps,
        "loss": history.loss,
        "accuracy": history.accuracy,
        "chance": history.chance,
        "best": history.best and {"accuracy": history.best[0], "loss": history.best[1]},
        "near": [
            {"name": name, "heads": shares.reshape(len(shares), -1).round(4).tolist()}
            for name, shares in history.near.items()
        ],
        "ideals": list(history.ideals),
        "answers": history.answers,
        "right": history.right,
        "begun": history.begun,
        "written": history.written,
    }


def first_head(trace: AttentionTrace, wanted: Head) -> Places:
    """The head of a long text that is sent first: the wanted one or the nearest; else none."""
    if not is_long(trace):
        return ()
    return ((trace.nearest(wanted.layer), min(wanted.head, trace.model.n_heads - 1)),)


def layers_to_send(trace: AttentionTrace, wanted: int) -> list[int]:
    """The numbers of all layers of a short text; of a long one only of the wanted or nearest."""
    if sum(map(bytes_sent, trace.layers)) <= WHOLE:
        return list(trace.numbers)
    return [trace.nearest(wanted)]


def answers_to(
    trace: AttentionTrace,
    request: Request,
    page_of: Callable[[Page], str],
    report: Report = lambda doing, share: None,
    effects: Effects | None = None,
    expects: Expects | None = None,
    reads: Reads | None = None,
    takes: Callable[[Edge], EdgeVectors] | None = None,
) -> list[Block]:
    """What a browser asked for beyond layers, for `pack`; nothing where it cannot be.

    Args:
        trace: What it is about.
        request: What is asked for.
        page_of: Makes the file that was asked for.
        report: Told what is being done; may raise to end it.
        effects: Switches the heads of a layer off; None where there is no model to do it in.
        expects: Says what comes next; None where there is no model to ask.
        reads: Reads its layers one by one, likewise.
        takes: Takes the score of an edge apart, likewise.
    """
    n_heads = trace.model.n_layers * trace.model.n_heads
    if not request.fits(len(trace.query_tokens), len(trace.key_tokens), n_heads):
        return []
    blocks = _heads_asked_for(trace, request, report) if is_long(trace) else []
    if request.means and not is_long(trace):
        report(t("Adding up the heads"), None)
        means = np.stack([_mean(layer) for layer in trace.layers])
        blocks.append(_weights({"kind": "means"}, means))
    if request.group and _is_bearable(trace, request.group):
        report(t("Adding up words"), None)
        group = request.group
        ordinary = ~_special(trace.key_tokens)
        between = attention_between(
            trace.layers,
            group.queries,
            group.keys,
            mean=group.mean,
            together=group.together,
            kept=ordinary if group.rescaled else None,
        )
        blocks.append(_weights({"kind": "group", "name": group.name}, between))
    if request.striking:
        blocks.append(striking_block(trace, report))
    if request.effects is not None and effects:
        blocks.append(effects_block(trace, request.effects, effects))
    if request.next is not None and expects:
        blocks += next_blocks(request.next, expects)
    if request.lens is not None and reads:
        blocks += lens_blocks(request.lens, reads)
    if request.why is not None and takes:
        blocks += why_blocks(request.why, takes)
    if request.page:
        page = page_of(request.page).encode()
        about = {"kind": "page", "ticket": request.page.ticket}
        blocks.append(of_bytes(about, page if len(page) <= MAX_PAGE else b""))
    return blocks


def _heads_asked_for(trace: AttentionTrace, request: Request, report: Report) -> list[Block]:
    """The heads, summaries and small pictures of a long text that a browser asked for.

    Heads and levels that there are not are left out, and what would be more than a browser is
    handed at once.
    """
    blocks: list[Block] = []
    size = 0
    level = request.map or levels(trace)[2] or ""
    for number, head in places_in(trace, request.summaries):
        tick = partial(report, t("Reading a head"), None)
        found = summary_blocks(trace, number, head, level, tick) if size <= MAX_PAGE else []
        size += sum(array.nbytes for _, array in found)
        blocks += found
    for number, head in places_in(trace, request.heads):
        report(t("Packing a head"), None)
        size += head_bytes(trace.layer(number))
        blocks += head_blocks(trace, number, head, quick=True) if size <= MAX_PAGE else []
    places = places_in(trace, request.thumbs)
    for i, (number, head) in enumerate(places):
        tick = partial(report, t("Drawing small pictures of heads"), i / len(places))
        thumbs_of(trace, number, head, tick)
    return blocks + thumb_blocks(trace, tuple(places))


def _is_bearable(trace: AttentionTrace, group: Group) -> bool:
    """Whether the attention between chosen words is found in some seconds.

    The rows of the queries are read in all heads. Of few keys the columns are enough, where a
    reading of the head has left the sums of all rows.
    """
    rows = sum(map(len, group.queries))
    of_keys = sum(map(len, group.keys)) <= len(trace.key_tokens) // FEW_KEYS
    cells = rows * len(trace.key_tokens) * trace.model.n_heads
    unread = [
        layer for layer in trace.layers if not (of_keys and not group.rescaled and layer.is_read)
    ]
    return cells * len(unread) <= MAX_WORK


def _layer_blocks(layer: AttentionLayer) -> list[Block]:
    """A layer as its weights or as what they are made of, whichever is shorter."""
    if not isinstance(layer, FromScores) or bytes_sent(layer) == 4 * _cells(layer):
        return [_weights({"kind": "layer", "layer": layer.number}, layer.weights())]
    rule = layer.rule
    logs = np.stack([layer.log_sum_exp(head) for head in range(layer.n_heads)])
    about = {"kind": "scores", "layer": layer.number, "scale": rule.scale, "cap": rule.cap}
    blocks: list[Block] = [(about | {"part": "log_sum_exp"}, logs)]
    if rule.allowed is not None:
        blocks.append((about | {"part": "allowed"}, rule.allowed.astype(np.int32)))
    parts = {"q": layer.q, "k": layer.k, "offsets": rule.offsets, "sinks": rule.sinks}
    known = ((name, part) for name, part in parts.items() if part is not None)
    return [*blocks, *(_weights(about | {"part": name}, part) for name, part in known)]


def mask_blocks(trace: AttentionTrace) -> list[Block]:
    """Which keys may be looked at, once for all layers of which the same is true.

    Given weights say nothing of a mask. Where no head of a layer gives any weight to a later token
    they are taken for causal, as chance does not do that.
    """
    found: dict[bytes, tuple[npt.NDArray[np.int32], list[int]]] = {}
    for layer in trace.layers:
        allowed = layer.allowed()
        given = not isinstance(layer, FromScores)
        if given and not np.array_equal(allowed, causal(layer.n_queries, layer.n_keys)):
            continue
        if layer.n_queries > 1 and (allowed != (0, layer.n_keys)).any():
            _, numbers = found.setdefault(allowed.tobytes(), (allowed, []))
            numbers.append(layer.number)
    return [({"kind": "mask", "layers": numbers}, mask) for mask, numbers in found.values()]


def _weights(about: dict[str, Any], numbers: npt.NDArray[Any]) -> Block:
    return about, np.asarray(numbers, np.float32)


def _cells(layer: AttentionLayer) -> int:
    return layer.n_heads * layer.n_queries * layer.n_keys


def bytes_sent(layer: AttentionLayer) -> int:
    """Bytes that a layer takes on its way."""
    given = 4 * _cells(layer)
    if not isinstance(layer, FromScores) or layer.rule.added is not None:
        return given
    rule = layer.rule
    numbers = layer.q.size + layer.k.size + 2 * layer.n_heads * layer.n_queries
    parts = (rule.allowed, rule.offsets, rule.sinks)
    numbers += sum(part.size for part in parts if part is not None)
    return min(given, 4 * numbers)


def _mean(layer: AttentionLayer) -> Weights:
    """The mean over a layer's heads, ``[query, key]``, one head at a time."""
    total = np.zeros((layer.n_queries, layer.n_keys))
    for head in range(layer.n_heads):
        for some, weights in layer.blocks(head):
            total[some] += weights
    return (total / layer.n_heads).astype(np.float32)


def both_thumbnails(trace: AttentionTrace) -> Thumbnails:
    """The thumbnails of all heads, of all tokens and of ordinary ones alone, made once."""
    dots = np.stack(
        [
            [thumbs_of(trace, layer.number, head) for head in range(layer.n_heads)]
            for layer in trace.layers
        ]
    )
    return dots[:, :, 0], dots[:, :, 1]


def _special(tokens: Sequence[Token]) -> npt.NDArray[np.bool_]:
    return np.array([t.special for t in tokens])
