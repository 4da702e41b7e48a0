"""Where else a head does what it does at one pair of tokens: exBERT's question, over a corpus.

A cell of another text is like the pair where its query's vector points as the pair's does, and its
key's vector too; and the head must look there. All three are one number, from 0 to 1.
"""

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from torch.nn.functional import normalize

from explorer.corpus.census import tokenized
from explorer.corpus.folder import CorpusFolder
from explorer.corpus.reading import Read, batches, listen, rows_of
from explorer.corpus.texts import Text
from explorer.corpus.work import digest_of, model_of
from explorer.errors import ExplorerError
from explorer.language import t
from explorer.layers import FromScores, Weights
from explorer.run import Run
from explorer.source import InMemory
from explorer.sources import trace_run
from explorer.sources.loading import LoadedModel
from explorer.sources.progress import tick
from explorer.sources.tap import Call
from explorer.trace import AttentionTrace
from explorer.visible import visible

Report = Callable[[str, float | None], None]
_AT_ONCE = 256  # texts between two reports
MOST = 20


@dataclass(frozen=True, eq=False)
class Pair:
    """One weight of a head, by its causes.

    Attributes:
        layer: Which layer, counted from 0 among those with attention.
        head: Which head of it.
        query, key: The two vectors whose product its score is made of.
    """

    layer: int
    head: int
    query: Weights
    key: Weights


@dataclass(frozen=True, slots=True)
class Hit:
    """A text in which the head links such words.

    Attributes:
        likeness: The weight, times the two cosines.
        text: The text.
        tokens: As the model read it.
        query, key: Where.
        weight: How much the query looks at the key there.
        query_like, key_like: The cosines of the vectors there with those of the pair.
    """

    likeness: float
    text: Text
    tokens: tuple[str, ...]
    query: int
    key: int
    weight: float
    query_like: float
    key_like: float


def pair_of(trace: AttentionTrace, layer: int, head: int, query: int, key: int) -> Pair:
    """The pair that is pinned in a trace; the layer by the model's own number.

    Raises:
        ExplorerError: The model's attention does not come as queries and keys, or there is no such
            place.
    """
    trace.tile(layer, head, [query], [key])  # which refuses what is not there
    found = trace.layer(layer)
    if not isinstance(found, FromScores):
        raise ExplorerError(
            t(
                "The attention of {name} does not come as queries and keys, by which "
                "other texts are searched. Choose another model.",
                name=trace.model.name,
            )
        )
    of_head = head * found.k.shape[0] // found.n_heads
    at = trace.numbers.index(layer)
    q, k = found.q[head, query], found.k[of_head, key]
    return Pair(at, head, q.astype(np.float32), k.astype(np.float32))


@dataclass(frozen=True)
class Searched:
    """What a search from a pinned pair has found, or has so far.

    Attributes:
        pair: The tokens of the pair: the one that looks, and the one that is looked at.
        n_texts: How many texts were read.
        of: How many there are.
        hits: The most alike, one of each text.
    """

    pair: tuple[str, str]
    n_texts: int
    of: int
    hits: tuple[Hit, ...]


def search_from(
    run: Run,
    place: tuple[int, int, int, int],
    folder: CorpusFolder,
    report: Report = lambda doing, share: None,
    show: Callable[[Searched], None] = lambda found: None,
) -> Searched:
    """Where else a head does what it does at a pair of a run, in the texts of a folder.

    Args:
        run: The run.
        place: The layer by the model's own number, the head, and the positions of the two tokens.
        folder: Of the same model.
        report: Told what is being done.
        show: Told what is known so far.

    Raises:
        ExplorerError: The folder is of another model; or it says what `pair_of` says.
    """
    layer, head, query, key = place
    report(t("Reading the pair"), None)
    trace = trace_run(run)
    pair = pair_of(trace, layer, head, query, key)
    loaded = model_of(_source_of(run))
    model, of = folder.about["model"], int(folder.about["corpus"]["n_texts"])
    if digest_of(loaded, model["precision"]) != model["digest"]:
        raise ExplorerError(
            t(
                "The heads of this corpus are those of {model}, and the pair is pinned in "
                "{other}: they are not the same heads. Pin a pair in {model}, or open a corpus "
                "that {other} has read.",
                model=visible(str(model["name"])),
                other=visible(trace.model.name),
            )
        )
    words = (trace.query_tokens[query].text, trace.key_tokens[key].text)

    def told(n: int, hits: list[Hit]) -> None:
        report(t("Searching {n} of {of} texts", n=f"{n:,}", of=f"{of:,}"), n / max(of, 1))
        show(Searched(words, n, of, tuple(hits)))

    found = search(loaded, folder.texts(), pair, int(folder.about["length"]), report=told)
    return Searched(words, of, of, tuple(found))


def _source_of(run: Run) -> str | InMemory:
    return run.source if isinstance(run.source, InMemory) else run.source.spec


def search(
    loaded: LoadedModel,
    texts: Iterable[Text],
    pair: Pair,
    length: int,
    most: int = MOST,
    report: Callable[[int, list[Hit]], None] = lambda n, hits: None,
) -> list[Hit]:
    """The texts in which a head links such words most, one place of each, the most alike first.

    Args:
        loaded: The model of the pair.
        texts: Where to look.
        pair: What to look for.
        length: Tokens of a text that are read.
        most: How many.
        report: Told how many texts were read, and the best of them; may raise to end it.
    """
    best: list[Hit] = []
    left, n = iter(texts), 0
    while some := list(islice(left, _AT_ONCE)):
        best = heapq.nlargest(
            most,
            [*best, *_hits(loaded, some, pair, length)],
            key=lambda h: (h.likeness, -h.text.number),
        )
        n += len(some)
        report(n, best)
    return best


def _hits(loaded: LoadedModel, texts: Sequence[Text], pair: Pair, length: int) -> list[Hit]:
    kept, read, _ = tokenized(loaded, texts, length)
    types = {name: i for i, name in enumerate({t.text for r in read for t in r.tokens})}
    device = next(loaded.network.parameters()).device
    found: list[Hit] = []
    for batch in batches(read, types):
        tick()

        def hear(layer: int, call: Call, at: tuple[int, ...] = tuple(batch.at)) -> None:
            if layer == pair.layer:
                some = [(kept[i], read[i]) for i in at]
                found.extend(_best_of(_of_head(call, pair.head), pair, some))

        listen(loaded, batch.to(device), hear, last=pair.layer)
    return found


def _of_head(call: Call, head: int) -> Call:
    """The same call of one head alone, so that no other head's weights are made."""
    n_heads = call.query.shape[1]
    of_key = head * call.key.shape[1] // n_heads

    def own(part: torch.Tensor | None, axis: int = 1) -> torch.Tensor | None:
        if part is None or part.shape[axis] == 1:
            return part
        return part.narrow(axis, head, 1)

    options = dict(call.options)
    for name, axis in (("position_bias", 1), ("s_aux", 0)):
        if options.get(name) is not None:
            part = options[name] if axis else options[name].reshape(-1)
            options[name] = own(part, axis)
    query, key = call.query.narrow(1, head, 1), call.key.narrow(1, of_key, 1)
    return Call(call.module, query, key, own(call.mask), options)


def _best_of(call: Call, pair: Pair, texts: Sequence[tuple[Text, Read]]) -> list[Hit]:
    """The most alike cell of each text of a batch."""
    t, _, n = call.query.shape[:3]
    device = call.query.device
    alike = []
    for vectors, own in ((call.query[:, 0], pair.query), (call.key[:, 0], pair.key)):
        there = normalize(torch.from_numpy(own).to(device), dim=0)
        alike.append(normalize(vectors, dim=-1) @ there)
    query, key = alike
    best = torch.full((t,), -1.0, device=device)
    cell = torch.zeros((t, 3), device=device)
    for rows, weights in rows_of(call):
        w = weights[:, 0]
        likeness = w * query[:, rows, None].clamp_min(0) * key[:, None].clamp_min(0)
        top, flat = likeness.reshape(t, -1).max(dim=-1)
        at = torch.stack([rows[flat // n].float(), (flat % n).float(), _at(w, flat)], dim=-1)
        better = top > best
        best, cell = torch.where(better, top, best), torch.where(better[:, None], at, cell)
    found = []
    for i, (text, read) in enumerate(texts):
        q, k = int(cell[i, 0]), int(cell[i, 1])
        tokens = tuple(token.text for token in read.tokens)
        values = (float(cell[i, 2]), float(query[i, q]), float(key[i, k]))
        found.append(Hit(float(best[i]), text, tokens, q, k, *values))
    return found


def _at(weights: torch.Tensor, flat: torch.Tensor) -> torch.Tensor:
    """One cell of each text."""
    return weights.reshape(len(flat), -1).gather(-1, flat[:, None])[:, 0]
