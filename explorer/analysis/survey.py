"""All heads over one text or many: profiles, kinds, and places on a plane."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explorer.analysis.detectors import sentence_of
from explorer.analysis.divergence import distances_within
from explorer.analysis.patterns import Kind, kinds_of, own_sentence_share
from explorer.analysis.placement import place_heads
from explorer.analysis.profiles import Doubles, HeadProfiles, PooledProfiles, head_profiles, pool
from explorer.trace import AttentionTrace, Token

Report = Callable[[str, float | None], None]
DISTANT_WEIGHTS = 40_000_000  # weights whose heads' distances are computed, some seconds


@dataclass(frozen=True, eq=False)
class Survey:
    """What all heads of a model do on some texts.

    Attributes:
        example: The first text's trace.
        texts: The tokens of every text.
        profiles: Every measure, its mean and spread over the texts.
        kinds: What kind of head each is, ``[layer][head]``.
        sinks: The token that gets most of each head's attention, ``[layer][head]``, by its text;
            of several texts the commonest.
        places: Where each head lies on the plane, ``[head, 2]``, heads counted through all layers.
        stress: What share of the distances the plane does not keep.
        n_placed: Over how many of the texts the distances are averaged.
    """

    example: AttentionTrace
    texts: list[tuple[Token, ...]]
    profiles: PooledProfiles
    kinds: list[list[Kind]]
    sinks: list[list[str]]
    places: Doubles
    stress: float
    n_placed: int

    @property
    def n_texts(self) -> int:
        """How many texts there are."""
        return len(self.texts)


def survey(
    traces: Iterable[AttentionTrace], n_texts: int, report: Report = lambda doing, share: None
) -> Survey:
    """Profile and place all heads over texts; each trace is let go once it is read.

    Args:
        traces: One for each text, at least one, all of one model.
        n_texts: How many there are.
        report: Told what is being done; may raise to end it.
    """
    profiles: list[HeadProfiles] = []
    own, sinks, texts = [], [], []
    example: AttentionTrace | None = None
    marks: dict[str, None] = {}
    distance: Doubles | None = None
    read, placed = 0, 0
    for i, trace in enumerate(traces):
        report(f"Reading text {i + 1} of {n_texts}", i / n_texts)
        example = example or trace
        found = head_profiles(trace)
        profiles.append(found)
        texts.append(trace.key_tokens)
        marks |= dict.fromkeys(t.text for t in trace.key_tokens if t.special)
        own.append(own_sentence_share(sentence_of(trace.key_tokens)))
        sinks.append(_sinks(trace, found))
        cost = trace.weights.size
        if not placed or read + cost <= DISTANT_WEIGHTS:
            apart = distances_within(
                trace.weights,
                lambda share, at=i: report("Comparing heads", (at + share) / n_texts),  # type: ignore[misc]
            )
            distance = apart if distance is None else distance + apart
            placed, read = placed + 1, read + cost
    assert example is not None
    assert distance is not None
    report("Placing the heads", None)
    places, stress = place_heads(distance / placed)
    pooled = pool(profiles)
    kinds = kinds_of(pooled.mean, list(marks), float(np.mean(own)))
    return Survey(example, texts, pooled, kinds, _commonest(sinks), places, stress, placed)


def _sinks(trace: AttentionTrace, found: HeadProfiles) -> npt.NDArray[np.str_]:
    return np.array([t.text for t in trace.key_tokens])[found.sinks]


def _commonest(sinks: list[npt.NDArray[np.str_]]) -> list[list[str]]:
    layers, heads = sinks[0].shape
    return [
        [Counter(str(s[layer, head]) for s in sinks).most_common(1)[0][0] for head in range(heads)]
        for layer in range(layers)
    ]
