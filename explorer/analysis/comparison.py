"""Two readings beside each other: common words, distances of heads, and the main findings."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from explorer.analysis.alignment import Alignment, align
from explorer.analysis.detectors import PLACES
from explorer.analysis.divergence import Doubles, head_distances
from explorer.analysis.groups import attention_between
from explorer.analysis.profiles import entropy, head_profiles
from explorer.errors import ExplorerError
from explorer.trace import AttentionTrace, Weights


@dataclass(frozen=True, eq=False)
class Comparison:
    """What two traces have in common and where they differ.

    Attributes:
        a: The first trace.
        b: The second.
        alignment: The words that both have.
        on_a: The first one's attention between the common words, ``[layer, head, word, word]``;
            what it gives to other tokens is left out.
        on_b: The second one's.
        distance: Jensen–Shannon divergence in bits, ``[layer, head, layer of b, head of b]``.
        entropy_a: Mean entropy of the rows, over all its tokens, in bits, ``[layer, head]``.
        entropy_b: The second one's.
    """

    a: AttentionTrace
    b: AttentionTrace
    alignment: Alignment
    on_a: Weights
    on_b: Weights
    distance: Doubles
    entropy_a: Doubles
    entropy_b: Doubles

    @property
    def same_shape(self) -> bool:
        """Whether both have the same layers and heads, so that each head has its namesake."""
        return self.on_a.shape[:2] == self.on_b.shape[:2]

    @property
    def kept(self) -> tuple[float, float]:
        """Of each, the share of the common words' attention that stays among them."""
        return float(self.on_a.sum(-1).mean()), float(self.on_b.sum(-1).mean())

    @cached_property
    def findings(self) -> list[str]:
        """The main findings as sentences; found once, where they take their turn."""
        return findings(self)

    def best_match(self) -> list[tuple[int, int]]:
        """For each head of the first, in order, the nearest head of the second."""
        flat = self.distance.reshape(-1, *self.on_b.shape[:2])
        width = self.on_b.shape[1]
        nearest = [int(np.nan_to_num(d, nan=2.0).argmin()) for d in flat.reshape(len(flat), -1)]
        return [(i // width, i % width) for i in nearest]

    def namesakes(self) -> list[tuple[int, int]]:
        """For each head of the first the head it is compared with: its namesake, or its match."""
        if not self.same_shape:
            return self.best_match()
        layers, heads = self.on_a.shape[:2]
        return [(layer, head) for layer in range(layers) for head in range(heads)]

    def ranking(self) -> list[tuple[int, int, int, int, float]]:
        """Layer and head of the first, of the second, and their distance; the farthest first."""
        heads = self.on_a.shape[1]
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
            "Only self-attention can be compared: queries and keys must be the same. Of an "
            "encoder-decoder choose Encoder or Decoder on Explore first."
        )
    alignment = align(a, b)
    if not alignment.units:
        raise ExplorerError(
            "The two texts have no word in common at the same place, so their attention cannot be "
            "laid side by side. Compare a text with an edited one, or with itself in another model."
        )
    places_a, places_b = [u.a for u in alignment.units], [u.b for u in alignment.units]
    on_a = attention_between(a.weights, places_a, places_a, mean=False, together=False)
    on_b = attention_between(b.weights, places_b, places_b, mean=False, together=False)
    distance = head_distances(
        on_a, on_b, lambda share: report("Comparing every pair of heads", share)
    )
    report("Putting it into words", None)
    found = Comparison(
        a, b, alignment, on_a, on_b, distance, entropy(a.weights), entropy(b.weights)
    )
    _ = found.findings  # found now, in turn with others; a page only reads it
    return found


EVEN = 0.9  # of the possible entropy: almost evenly everywhere
HABIT = 0.3  # share of the attention from which a habit is named
ALIKE = 1e-4  # bits: the same but for rounding


def findings(c: Comparison) -> list[str]:
    """The main findings as sentences, the widest first."""
    return [
        *(_spread(name, t, e) for name, t, e in (("A", c.a, c.entropy_a), ("B", c.b, c.entropy_b))),
        _farthest(c),
    ]


def _spread(name: str, trace: AttentionTrace, bits: Doubles) -> str:
    """How evenly a reading looks, and what its sharpest head does."""
    most = np.log2(len(trace.key_tokens))
    mean = bits.mean()
    how = "looks almost evenly everywhere" if mean > EVEN * most else "is selective"
    layer, head = np.unravel_index(int(bits.argmin()), bits.shape)
    measures = head_profiles(trace).measures
    marks = {t.text: t.text for t in trace.key_tokens if t.special}
    places = {measures[k][layer, head]: w for k, w in (PLACES | marks).items() if k in measures}
    share = max(places)
    habit = places[share]
    does = f"puts {share:.2f} on {habit}" if share >= HABIT else "has no simple habit of place"
    return (
        f"{name}, {trace.model.name}, {how}: a row’s entropy is {mean:.1f} of at most "
        f"{most:.1f} bits on average. Its "
        f"sharpest head, layer {layer} head {head}, {does}."
    )


def _farthest(c: Comparison) -> str:
    ranked = [pair for pair in c.ranking() if not np.isnan(pair[4])]
    if not ranked:
        return "No row of either looks at a common word, so no distance can be given."
    most, least = ranked[0], ranked[-1]
    if most[4] <= ALIKE:
        return f"The two are the same in every head: the largest distance is {most[4]:.1g} bits."
    if c.same_shape:
        return (
            f"They differ most in layer {most[0]} head {most[1]} ({most[4]:.2f} of at most 1 bit), "
            f"least in layer {least[0]} head {least[1]} ({least[4]:.2f})."
        )
    return (
        f"The nearest pair is A’s layer {least[0]} head {least[1]} and B’s layer {least[2]} head "
        f"{least[3]} ({least[4]:.2f} of at most 1 bit). A’s layer {most[0]} head {most[1]} is "
        f"farthest from all of B’s: {most[4]:.2f} from the nearest."
    )
