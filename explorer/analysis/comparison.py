"""Two readings beside each other: common words, distances of heads, and the main findings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explorer.analysis.alignment import Alignment, align
from explorer.analysis.detectors import PLACES
from explorer.analysis.divergence import Heads, head_distances, sample
from explorer.analysis.profiles import (
    ENTROPY,
    EVENNESS,
    HeadProfiles,
    head_profiles,
    possible_entropy,
)
from explorer.errors import ExplorerError
from explorer.headname import head_name
from explorer.language import t
from explorer.layers import Doubles, Weights
from explorer.once import once
from explorer.trace import AttentionTrace

# Numbers that pairs of heads are compared by, some 10 s: all rows of 512 words with 6 layers of 12
# heads on either side; beyond that as many rows as this allows, evenly spread.
MOST_COMPARED = 2_000_000_000


@dataclass(frozen=True, eq=False)
class Comparison:
    """What two traces have in common and where they differ.

    Attributes:
        a: The first trace.
        b: The second.
        alignment: The words that both have.
        kept: Of each, the share of what the common words give to tokens that stays among them.
        distance: Jensen–Shannon divergence in bits of the attention between the common words,
            ``[layer, head, layer of b, head of b]``; layers are counted, not numbered. What a word
            gives to other tokens is left out.
        n_rows: Over how many of the common words the distances are taken.
        profiles_a: What every head of the first does, over all its tokens.
        profiles_b: The same of the second.
    """

    a: AttentionTrace
    b: AttentionTrace
    alignment: Alignment
    kept: tuple[float, float]
    distance: Doubles
    n_rows: int
    profiles_a: HeadProfiles
    profiles_b: HeadProfiles

    @property
    def same_shape(self) -> bool:
        """Whether both have the same layers and heads, so that each head has its namesake."""
        return (self.a.numbers, self.distance.shape[1]) == (self.b.numbers, self.distance.shape[3])

    @once
    def findings(self) -> list[str]:
        """The main findings as sentences; found once, where they take their turn."""
        return findings(self)

    def best_match(self) -> list[tuple[int, int]]:
        """For each head of the first, in order, the nearest head of the second."""
        width = self.distance.shape[3]
        flat = self.distance.reshape(-1, self.distance.shape[2] * width)
        nearest = [int(np.nan_to_num(d, nan=2.0).argmin()) for d in flat]
        return [(i // width, i % width) for i in nearest]

    def namesakes(self) -> list[tuple[int, int]]:
        """For each head of the first the head it is compared with: its namesake, or its match."""
        if not self.same_shape:
            return self.best_match()
        layers, heads = self.distance.shape[:2]
        return [(layer, head) for layer in range(layers) for head in range(heads)]

    def ranking(self) -> list[tuple[int, int, int, int, float]]:
        """Layer and head of the first, of the second, and their distance; the farthest first."""
        heads = self.distance.shape[1]
        pairs = [
            (i // heads, i % heads, *other, float(self.distance[(i // heads, i % heads, *other)]))
            for i, other in enumerate(self.namesakes())
        ]
        return sorted(pairs, key=lambda pair: -np.nan_to_num(pair[4], nan=-1.0))


def compare(
    a: AttentionTrace,
    b: AttentionTrace,
    report: Callable[[str, float | None], None] = lambda doing, share: None,
) -> Comparison:
    """Compare two traces of self-attention.

    Raises:
        ExplorerError: They have no word in common, or one is no self-attention.
    """
    if any(t.query_tokens != t.key_tokens for t in (a, b)):
        raise ExplorerError(
            t(
                "Only self-attention can be compared: queries and keys must be the "
                "same. Of an encoder-decoder choose Encoder or Decoder on Explore "
                "first."
            )
        )
    alignment = align(a, b)
    if not alignment.units:
        raise ExplorerError(
            t(
                "The two texts have no word in common at the same place, so their "
                "attention cannot be laid side by side. Compare a text with an edited "
                "one, or with itself in another model."
            )
        )
    one = _common(a, [u.a for u in alignment.units])
    other = _common(b, [u.b for u in alignment.units])
    rows = sample(one.n_heads * other.n_heads, one.n_rows, one.n_keys, MOST_COMPARED)
    distance = head_distances(
        one, other, rows, lambda share: report(t("Comparing every pair of heads"), share)
    )
    kept = _kept(a, [u.a for u in alignment.units]), _kept(b, [u.b for u in alignment.units])
    profiles = head_profiles(a, report), head_profiles(b, report)
    report(t("Putting it into words"), None)
    found = Comparison(a, b, alignment, kept, distance, len(rows), *profiles)
    _ = found.findings  # found now, in turn with others; a page only reads it
    return found


def _common(trace: AttentionTrace, words: Sequence[tuple[int, ...]]) -> Heads:
    """The attention of a trace between some words, every word one row and one key."""

    def rows(some: npt.NDArray[np.intp]) -> Weights:
        asked = [words[i] for i in some]
        heads = [
            layer.pooled(head, asked, words)
            for layer in trace.layers
            for head in range(layer.n_heads)
        ]
        return np.stack(heads).astype(np.float32)

    return Heads((trace.model.n_layers, trace.model.n_heads), len(words), len(words), rows)


def _kept(trace: AttentionTrace, words: Sequence[tuple[int, ...]]) -> float:
    """The share of some words' attention that stays among them, on average over all heads.

    Of what each word gives to tokens: what a sink takes is not gone to tokens that are left out.
    Words that look at nothing do not count.
    """
    groups = [[place for word in words for place in word], list(range(len(trace.key_tokens)))]
    found = np.concatenate(
        [
            layer.pooled(head, words, groups)
            for layer in trace.layers
            for head in range(layer.n_heads)
        ]
    )
    among, whole = found[found[:, 1] > 0].T
    return float(np.mean(among / whole)) if len(whole) else 0.0


EVEN = 0.9  # of the possible entropy: almost evenly everywhere
HABIT = 0.3  # share of the attention from which a habit is named
ALIKE = 1e-4  # bits: the same but for rounding


def findings(c: Comparison) -> list[str]:
    """The main findings as sentences: where the two differ, then how each looks."""
    return [
        _farthest(c),
        _spread("A", c.a, c.profiles_a),
        _spread("B", c.b, c.profiles_b),
        *_left_out(c),
    ]


def head_of(trace: AttentionTrace, layer: int, head: int) -> str:
    """A head's name; ``layer`` is counted, and named by the model's own number."""
    return head_name(trace.numbers[layer], head)


def _spread(name: str, trace: AttentionTrace, profiles: HeadProfiles) -> str:
    """How evenly a reading looks, and what its sharpest head does."""
    measures = profiles.measures
    bits, most = measures[ENTROPY], possible_entropy(trace.layers).mean()
    even = measures[EVENNESS].mean() > EVEN
    how = t("looks almost evenly everywhere") if even else t("is selective")
    layer, head = np.unravel_index(int(bits.argmin()), bits.shape)
    marks = {token.text: token.text for token in trace.key_tokens if token.special}
    places = {measures[k][layer, head]: w for k, w in (PLACES | marks).items() if k in measures}
    share = max(places)
    habit = places[share]
    does = t("puts {share} on {habit}", share=f"{share:.2f}", habit=habit)
    return t(
        "{name}, {model}, {how}: a row’s entropy is {bits} of at most {most} bits on average. Its "
        "sharpest head, {head}, {does}.",
        name=name,
        model=trace.model.name,
        how=how,
        bits=f"{bits.mean():.1f}",
        most=f"{most:.1f}",
        head=head_of(trace, int(layer), int(head)),
        does=does if share >= HABIT else t("has no simple habit of place"),
    )


def _left_out(c: Comparison) -> list[str]:
    """What the distances do not tell."""
    if c.n_rows == len(c.alignment.units):
        return []
    return [
        t(
            "The distances are means over {n} of the {all} common words, evenly spread: every pair "
            "of heads over all of them would take minutes.",
            n=f"{c.n_rows:,}",
            all=f"{len(c.alignment.units):,}",
        )
    ]


def _farthest(c: Comparison) -> str:
    ranked = [pair for pair in c.ranking() if not np.isnan(pair[4])]
    if not ranked:
        return t("No row of either looks at a common word, so no distance can be given.")
    most, least = ranked[0], ranked[-1]
    if most[4] <= ALIKE:
        return t(
            "The two are the same in every head: the largest distance is {most} bits.",
            most=f"{most[4]:.1g}",
        )
    if c.same_shape:
        return t(
            "They differ most in {head} ({most} of at most 1 bit), least in {other} ({least}).",
            head=head_of(c.a, *most[:2]),
            most=f"{most[4]:.2f}",
            other=head_of(c.a, *least[:2]),
            least=f"{least[4]:.2f}",
        )
    return t(
        "The nearest pair is A’s {a} and B’s {b} ({least} of at most 1 bit). A’s {head} is "
        "farthest from all of B’s: {most} from the nearest.",
        a=head_of(c.a, *least[:2]),
        b=head_of(c.b, *least[2:4]),
        least=f"{least[4]:.2f}",
        head=head_of(c.a, *most[:2]),
        most=f"{most[4]:.2f}",
    )
