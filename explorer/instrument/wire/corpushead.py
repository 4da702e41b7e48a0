"""What one head does over a corpus, for the browser; `panels/corpushead.js` is the other end."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from explorer.corpus.folder import CorpusFolder, Example, Like, LookedAt
from explorer.corpus.headvis import HeadVisTree, Histogram, TreeHead
from explorer.corpus.headvis import Sequence as TreeText
from explorer.corpus.measures import MEASURES, NAMES, NEXT, PREVIOUS, SELF, SPECIAL
from explorer.corpus.rules import Held, Rule, best_of
from explorer.headname import head_name
from explorer.instrument.wire.corpus import measure_name
from explorer.language import Said, listed, sentences, t, tn
from explorer.visible import visible

if TYPE_CHECKING:
    from explorer.corpus.search import Hit

_BARS = 40  # of a histogram at most: bins that stand beside each other are put together
_NEAR = 12  # tokens on both sides of a strong pair that are shown of a long text
_WHOLE = 160  # tokens of a text that is shown whole
_AROUND = 3  # pairs of a long text that are shown
_TOKENS = 3  # that a sentence names
_UNITS = {"share": "", "bits": t("bits"), "tokens": t("tokens"), "tokens²": t("tokens²")}

Bars = dict[str, Any]
Pairs = Sequence[tuple[int, int, float]]


@dataclass(frozen=True)
class Beside:
    """Another folder, whose heads are most like this one.

    Attributes:
        name: Its name in a link.
        title: What it is called.
        like: Its heads.
        why: Why there are none; empty if there are.
    """

    name: str
    title: str
    like: Sequence[Like] = ()
    why: str = ""

    def said(self) -> dict[str, Any]:
        """The same as it is sent."""
        like = [[one.layer, one.head, _number(one.apart)] for one in self.like]
        return {"name": self.name, "title": self.title, "like": like, "why": self.why}


def pack_head(
    of: CorpusFolder | HeadVisTree,
    layer: int,
    head: int,
    measure: str,
) -> dict[str, Any]:
    """What is known of one head.

    Args:
        of: The folder.
        layer: The layer's own number.
        head: The head.
        measure: By which its examples stand in order.

    Raises:
        ExplorerError: There is no such head or measure, or the folder is damaged.
    """
    if isinstance(of, HeadVisTree):
        found = _of_tree(of, layer, head)
    else:
        found = _of_run(of, layer, head, measure)
    nothing: dict[str, Any] = {"others": [], "beside": None, "search": None}
    return found | nothing | {"layer": layer, "head": head, "measure": measure}


def _of_run(of: CorpusFolder, layer: int, head: int, measure: str) -> dict[str, Any]:
    known = [name for i, name in enumerate(NAMES) if of.heads.n[i] > 0]
    measure = measure if measure in known else known[0]
    held = of.rules(layer, head)
    tokens = {side: of.tokens(layer, head, side) for side in ("key", "query")}
    return {
        "ordered": measure,
        "says": sentences(*_says(of, layer, head, held, tokens["key"])),
        "rules": [_rule(one) for one in held if one.of],
        "measures": _measures(of, layer, head, known),
        "distances": [list(one) for one in of.distances(layer, head)],
        "tokens": {
            side: {
                "total": [_token(one) for one in tokens[side]],
                "mean": [_token(one) for one in of.tokens(layer, head, side, "mean")],
            }
            for side in tokens
        },
        "examples": [_example(one) for one in of.examples(layer, head, measure)],
        "like": [[one.layer, one.head, one.apart] for one in of.like(layer, head)],
        "opens": True,
    }


# --- what it does, in a sentence ----------------------------------------------------------------


_PLACES = {
    PREVIOUS: t("the token before"),
    NEXT: t("the token after"),
    SELF: t("the token itself"),
    SPECIAL: t("special tokens"),
}


def rule_words(rule: Rule) -> Said:
    """What a rule asks of a text."""
    least, first = f"{rule.least:.2f}", rule.measures[0]
    if rule.beyond:
        return t(
            "At least {least} more of each word’s attention stays in its own sentence than even "
            "attention would put there.",
            least=least,
        )
    if len(rule.measures) > 1:
        return t(
            "At least {least} of its attention is on {one}, and as much on {other}.",
            least=least,
            one=_PLACES[first],
            other=_PLACES[rule.measures[1]],
        )
    if first in _PLACES:
        place = _PLACES[first]
        return t("At least {least} of its attention is on {place}.", least=least, place=place)
    if rule.kind == "broad":
        return t("Its rows have at least {least} of the possible entropy.", least=least)
    return t("At least {least} of its attention is on one and the same token.", least=least)


def _does(rule: Rule, name: str) -> Said:
    """What a head does in whose texts a rule holds."""
    first = rule.measures[0]
    if rule.beyond:
        return t("{head} stays in the word’s own sentence.", head=name)
    if len(rule.measures) > 1:
        other = _PLACES[rule.measures[1]]
        return t("{head} looks at special tokens, and at {place}.", head=name, place=other)
    if first in _PLACES:
        return t("{head} looks at {place}.", head=name, place=_PLACES[first])
    if rule.kind == "broad":
        return t("{head} looks everywhere.", head=name)
    return t("{head} looks at one and the same token of a text.", head=name)


def _says(
    of: CorpusFolder, layer: int, head: int, held: Sequence[Held], keys: Sequence[LookedAt]
) -> list[Said]:
    """What a head does, the numbers that say so, and in how many texts that holds."""
    name, best, tokens = head_name(layer, head), best_of(held), _most(keys)
    often = _of(best, of.about["corpus"]["n_texts"])
    if best.holds:
        holds = t("That holds in {often}.", often=often)
        return [_does(best.rule, name), _evidence(of, layer, head, best), holds, tokens]
    nothing = t("{head} does no one thing: no rule holds in three of four texts.", head=name)
    if not best.held:
        return [nothing, t("None holds in any text."), tokens]
    nearest = t("The nearest, “{kind}”, does in {often}.", kind=t(best.rule.kind), often=often)
    return [nothing, nearest, _evidence(of, layer, head, best), tokens]


def _evidence(of: CorpusFolder, layer: int, head: int, held: Held) -> Said:
    """The means of what a rule is about."""
    at = of.layers.index(layer), head
    said = []
    for measure in held.rule.measures:
        m = NAMES.index(measure)
        mean, spread = (float(part[(m, *at)]) for part in (of.heads.mean, of.heads.spread))
        value = f"{mean:.2f} ± {spread:.2f}"
        said.append(t("{measure}: {value}", measure=measure_name(measure), value=value))
    if held.rule.beyond:
        said.append(t("even attention would put {even} there", even=f"{held.even:.2f}"))
        return t("{measure}, where {even}.", measure=said[0], even=said[1])
    return t("{evidence}.", evidence=listed(said))


def _of(held: Held, n_texts: int) -> Said:
    """In how many texts a rule holds."""
    n, share = f"{held.of:,}", f"{100 * held.share:.1f}"
    if held.of < n_texts:
        return tn(
            "{held} of the one text that can show it",
            "{held} of the {n} texts that can show it ({share} %)",
            held.of,
            n=n,
            held=f"{held.held:,}",
            share=share,
        )
    if held.held == held.of:
        return tn("the one text", "all {n} texts", held.of, n=n)
    return t("{held} of {n} texts ({share} %)", held=f"{held.held:,}", n=n, share=share)


def _most(keys: Sequence[LookedAt]) -> Said:
    """The tokens that get most of its attention."""
    named = [f"“{visible(one.token)}”" for one in keys[:_TOKENS]]
    return t("Over the corpus most of its attention goes to {tokens}.", tokens=listed(named))


def _rule(held: Held) -> dict[str, Any]:
    rule = held.rule
    return {
        "kind": t(rule.kind),
        "asks": rule_words(rule),
        "held": held.held,
        "of": held.of,
        "holds": held.holds,
    }


# --- numbers ------------------------------------------------------------------------------------


def _measures(
    of: CorpusFolder, layer: int, head: int, known: Iterable[str]
) -> list[dict[str, Any]]:
    """Every measure of a head over the texts, with how many texts have how much."""
    at, histograms = (of.layers.index(layer), head), of.histograms(layer, head)
    found = []
    for name in known:
        m = (NAMES.index(name), *at)
        tenths = [_number(value) for value in of.heads.deciles[m]]
        found.append(
            {
                "key": name,
                "name": measure_name(name),
                "unit": _UNITS[MEASURES[name].unit],
                "share": MEASURES[name].unit == "share",
                "n": int(of.heads.n[m[0]]),
                "mean": _number(of.heads.mean[m]),
                "spread": _number(of.heads.spread[m]),
                "deciles": tenths,
                "bars": _bars(histograms.get(name, [])),
            }
        )
    return found


def _bars(found: Sequence[tuple[float, float, int]]) -> Bars:
    """A histogram as bars that stand side by side, each of as many of its bins.

    Returns:
        ``below``: how many texts have less than the first edge; ``edges``, which rise by one
        factor, and ``counts`` between them.
    """
    below = sum(count for low, _, count in found if low <= 0)
    inner = [one for one in found if one[0] > 0]
    if not inner:
        edge = found[0][1] if found else 1.0
        return {"below": below, "edges": [_number(edge)], "counts": []}
    first, last = inner[0], inner[-1]
    factor = next((high / low for low, high, _ in inner if math.isfinite(high)), 2.0)
    n = round(math.log(last[0] / first[0], factor)) + 1
    together = -(-n // _BARS)
    counts = [0] * -(-n // together)
    for low, _, count in inner:
        counts[round(math.log(low / first[0], factor)) // together] += count
    edges = [first[0] * factor ** (i * together) for i in range(len(counts) + 1)]
    return {"below": below, "edges": [_number(edge) for edge in edges], "counts": counts}


def _number(value: float) -> float | None:
    """A number with seven digits; None for what is none."""
    return float(f"{float(value):.7g}") if math.isfinite(value) else None


def _token(found: LookedAt) -> list[Any]:
    attention, mean = _number(found.attention), _number(found.mean)
    return [visible(found.token), found.n, attention, mean]


# --- texts --------------------------------------------------------------------------------------


def _example(found: Example) -> dict[str, Any]:
    return _text(found.tokens, found.pairs) | {
        "text": found.number,
        "value": _number(found.value),
        "decile": found.decile,
        "top": found.top,
    }


def _text(tokens: Sequence[str], pairs: Pairs) -> dict[str, Any]:
    """A text with its strongest pairs; of a long one what stands about the first of them.

    ``places`` are the positions of the tokens that are sent.
    """
    near = range(len(tokens))
    if len(tokens) > _WHOLE:
        ends = {end for query, key, _ in pairs[:_AROUND] for end in (query, key)} or {0}
        spots = {i for end in ends for i in range(end - _NEAR, end + _NEAR + 1)}
        near = sorted(i for i in spots if 0 <= i < len(tokens))  # type: ignore[assignment]
    return {
        "n": len(tokens),
        "places": list(near),
        "tokens": [visible(tokens[i]) for i in near],
        "pairs": [[query, key, _number(weight)] for query, key, weight in pairs],
    }


def pack_search(
    pair: tuple[str, str],
    hits: Sequence["Hit"],
    n_texts: int,
    of: int,
    state: str,
    trouble: str = "",
) -> dict[str, Any]:
    """Where else a head does what it does at a pair.

    Args:
        pair: The token that looks and the one that is looked at; empty where nobody knows yet.
        hits: What `explorer.corpus.search` found, the most alike first.
        n_texts: How many texts were read.
        of: How many there are.
        state: ``offered``, ``busy``, ``told`` or ``failed``.
        trouble: Why it failed.
    """
    return {
        "pair": [visible(word) for word in pair],
        "state": state,
        "trouble": trouble,
        "n_texts": n_texts,
        "of": of,
        "hits": [_hit(hit) for hit in hits],
    }


def _hit(hit: "Hit") -> dict[str, Any]:
    return _text(hit.tokens, [(hit.query, hit.key, hit.weight)]) | {
        "text": hit.text.number,
        "value": _number(hit.likeness),
        "query_like": _number(hit.query_like),
        "key_like": _number(hit.key_like),
    }


# --- a tree that others made --------------------------------------------------------------------


def _of_tree(of: HeadVisTree, layer: int, head: int) -> dict[str, Any]:
    said, at = of.head(layer, head), of.places.index((layer, head))
    name = head_name(layer, head)
    whole = sum(said.distances.values) or 1.0
    edges = said.distances.edges
    shares = [value / whole for value in said.distances.values]
    return {
        "ordered": "",
        "says": t(
            "What {head} does by rules, and in how many texts, this tree does not say: it has "
            "numbers and examples.",
            head=name,
        ),
        "rules": [],
        "measures": [*_activations(said), *_metrics(of, at)],
        "distances": [
            [_number(low), _number(_last(low, high)), _number(share)]
            for low, high, share in zip(edges, edges[1:], shares, strict=False)
        ],
        "tokens": {
            side: {"total": [[visible(token), None, _number(w), None] for token, w in found]}
            for side, found in (("key", said.key_tokens), ("query", said.query_tokens))
        },
        "examples": [_sequence(i, one) for i, one in enumerate(said.sequences)],
        "like": [],
        "opens": False,
    }


def _last(low: float, high: float) -> float:
    """The last distance before an edge, where edges are whole numbers, as distances are."""
    return high - 1 if low.is_integer() and high.is_integer() else high


def _activations(said: TreeHead) -> list[dict[str, Any]]:
    """The largest weights of its texts, which its examples are ordered by."""
    return [_unnamed("", t("Largest weight of a text"), said.mean, said.histogram, said.n_samples)]


def _metrics(of: HeadVisTree, at: int) -> list[dict[str, Any]]:
    return [_unnamed(name, name, values[at]) for name, values in of.metrics.items()]


def _unnamed(
    key: str, name: str, mean: float | None, bins: Histogram | None = None, n: int | None = None
) -> dict[str, Any]:
    """A number as a tree has it."""
    bars = None
    if bins:
        edges, counts = [_number(edge) for edge in bins.edges], list(bins.values)
        bars = {"below": 0, "edges": edges, "counts": counts}
    return {
        "key": key,
        "name": name,
        "unit": "",
        "share": False,
        "n": n,
        "mean": None if mean is None else _number(mean),
        "spread": None,
        "deciles": [],
        "bars": bars,
    }


def _sequence(i: int, found: TreeText) -> dict[str, Any]:
    return _text(found.tokens, found.pairs) | {
        "text": i,
        "value": _number(found.value),
        "decile": found.interval,
        "top": False,
    }
