"""All heads over one text or many: profiles, kinds, and places on a plane."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explorer.analysis.divergence import distances_within, heads_of, sample
from explorer.analysis.patterns import Kind, kinds_of
from explorer.analysis.placement import place_heads
from explorer.analysis.profiles import HeadProfiles, Pooled, pool, profiles_both_ways
from explorer.language import t
from explorer.layers import Doubles
from explorer.trace import AttentionTrace, Token

Report = Callable[[str, float | None], None]
# Weights whose heads' distances are computed, some seconds; of a longer first text evenly spread
# rows: all of 512 tokens with 144 heads, a sixteenth of 2,048 tokens.
DISTANT_WEIGHTS = 40_000_000
BEGINNING = 40


@dataclass(frozen=True, eq=False)
class Habits:
    """What all heads do, in numbers and in words.

    Attributes:
        measures: Every measure by name, its mean and spread over the texts.
        kinds: What kind of head each is, ``[layer][head]``.
        sinks: The token that gets most of each head's attention, ``[layer][head]``, by its text;
            of several texts the commonest.
    """

    measures: dict[str, Pooled]
    kinds: list[list[Kind]]
    sinks: list[list[str]]


@dataclass(frozen=True, eq=False)
class Survey:
    """What all heads of a model do on some texts.

    Attributes:
        example: The first text's trace.
        texts: The tokens of every text.
        begins: How every text begins, up to `BEGINNING` characters.
        counted: What they do where special tokens count.
        left_out: What they do among ordinary tokens alone; None where no text has special tokens,
            or none has others.
        places: Where each head lies on the plane, ``[head, 2]``, heads counted through all layers.
        stress: What share of the distances the plane does not keep.
        n_placed: Over how many of the texts the distances are averaged.
        rows_placed: Over how many rows of the first text, where not over all; else None.
    """

    example: AttentionTrace
    texts: list[tuple[Token, ...]]
    begins: list[str]
    counted: Habits
    left_out: Habits | None
    places: Doubles
    stress: float
    n_placed: int
    rows_placed: int | None

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
    counted: list[HeadProfiles] = []
    left_out: list[HeadProfiles] = []
    texts: list[tuple[Token, ...]] = []
    begins: list[str] = []
    example: AttentionTrace | None = None
    distance: Doubles | None = None
    rows_placed: int | None = None
    read, placed = 0, 0
    for i, trace in enumerate(traces):

        def within(doing: str, share: float | None, at: int = i) -> None:
            report(doing, (at + (share or 0)) / n_texts)

        within(t("Reading text {i} of {n}", i=i + 1, n=n_texts), 0)
        example = example or trace
        whole, words = profiles_both_ways(trace, within)
        counted.append(whole)
        left_out.append(words or whole)
        texts.append(trace.key_tokens)
        begins.append(_beginning(trace.texts[0]))
        n, heads = len(trace.key_tokens), heads_of(trace.layers)
        rows = sample(heads.n_heads, n, n, DISTANT_WEIGHTS)
        cost = heads.n_heads * len(rows) * n
        if not placed or read + cost <= DISTANT_WEIGHTS:
            apart = distances_within(heads, rows, lambda share: within(t("Comparing heads"), share))
            distance = apart if distance is None else distance + apart
            if not placed and len(rows) < n:
                rows_placed = len(rows)
            placed, read = placed + 1, read + cost
    assert example is not None
    assert distance is not None
    report(t("Placing the heads"), None)
    places, stress = place_heads(distance / placed)
    tokens = [token for text in texts for token in text]
    marks = list(dict.fromkeys(t.text for t in tokens if t.special))
    has_both = 0 < sum(t.special for t in tokens) < len(tokens)
    return Survey(
        example,
        texts,
        begins,
        _habits(counted, texts, marks),
        _habits(left_out, texts, []) if has_both else None,
        places,
        stress,
        placed,
        rows_placed,
    )


def _beginning(text: str) -> str:
    cut = "…" * (len(text) > BEGINNING)
    return f"{text[:BEGINNING]}{cut}"


def _habits(
    profiles: list[HeadProfiles], texts: list[tuple[Token, ...]], marks: list[str]
) -> Habits:
    sinks = [
        np.array([t.text for t in tokens])[found.sinks]
        for tokens, found in zip(texts, profiles, strict=True)
    ]
    return Habits(pool(profiles), kinds_of(profiles, marks), _commonest(sinks))


def _commonest(sinks: list[npt.NDArray[np.str_]]) -> list[list[str]]:
    layers, heads = sinks[0].shape
    return [
        [Counter(str(s[layer, head]) for s in sinks).most_common(1)[0][0] for head in range(heads)]
        for layer in range(layers)
    ]
