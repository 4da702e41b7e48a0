"""A survey of all heads as the bytes that the browser reads; `heads.js` is the other end.

Layout, little-endian: header length (uint32), header (JSON), thumbnails of all heads on the first
text (uint8 ``[layer, head, s, s]``), a file that was asked for.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from explorer.analysis.finder import Found
from explorer.analysis.patterns import KIND_NAMES, KINDS
from explorer.analysis.profiles import Pooled
from explorer.analysis.survey import Habits, Survey
from explorer.instrument.wire.about import About
from explorer.instrument.wire.container import of_bytes, write
from explorer.instrument.wire.repeats import Retold
from explorer.instrument.wire.trace import both_thumbnails
from explorer.language import t
from explorer.layers import Doubles
from explorer.place import Place
from explorer.trace import Token
from explorer.visible import visible

NOWHERE = Place()
Pair = tuple[int, int, int]
"""A text, and the positions of the word that looks and of the one that is looked at."""

WHERE, WORDS = t("Where it looks"), t("Which words")
SENTENCES = t("Which sentence and text")
SHARPLY, FAR = t("How sharply"), t("How far")


@dataclass(frozen=True)
class Named:
    """A measure in words.

    Attributes:
        group: The question that it answers with others.
        short: What it is called among these.
        unit: ``share``, ``bits`` or ``tokens``.
        words: What a head with a number does, with {} for the number.
        exactly: What is measured.
        name: What it is called alone.
    """

    group: str
    short: str
    unit: str
    words: str
    exactly: str
    name: str


def _share(group: str, short: str, exactly: str, words: str = "") -> Named:
    """A share of the attention."""
    words = words or t("puts {} of its attention on {what}", what=short)
    return Named(group, short, "share", words, exactly, t("attention on {what}", what=short))


_MEAN = t("Added up in each row, and the mean over all rows.")
MEASURES: Mapping[str, Named] = {
    "previous": _share(
        WHERE,
        t("the token before"),
        t(
            "The weight on the token just before: the mean over all rows. A row with none "
            "before it counts as 0."
        ),
    ),
    "next": _share(
        WHERE,
        t("the token after"),
        t(
            "The weight on the token just after: the mean over all rows. A row with none "
            "after it counts as 0."
        ),
    ),
    "self": _share(
        WHERE,
        t("the token itself"),
        t("The weight of each token on itself: the mean over all rows."),
    ),
    "first": _share(
        WHERE,
        t("the first token"),
        t("The weight on the first token of those that count: the mean over all rows."),
    ),
    "punctuation": _share(
        WHERE,
        t("punctuation"),
        t("The weights on tokens that are punctuation alone. {mean}", mean=_MEAN),
    ),
    "column": _share(
        WHERE,
        t("one token at most"),
        t("The mean of each column of the map; of these the largest."),
        t("gives one token {} of all its attention"),
    ),
    "no token": _share(
        WHERE,
        t("no token (a sink, or all keys masked)"),
        t("What is missing to 1 in each row: the mean over all rows."),
        t("gives {} of its attention to no token"),
    ),
    "same word": _share(
        WORDS,
        t("the same word elsewhere"),
        t(
            "The weights on other tokens with the same letters, whatever their case, if "
            "both begin a word or both go on with one. {mean}",
            mean=_MEAN,
        ),
    ),
    "same word before": _share(
        WORDS,
        t("the same word earlier"),
        t("The weights on earlier tokens of the same word. {mean}", mean=_MEAN),
    ),
    "after the same word": _share(
        WORDS,
        t("what followed the same word (induction)"),
        t(
            "The weights on the tokens that came right after earlier ones of the same "
            "word: so a head goes on with what it has read (Olsson et al. 2022). {mean}",
            mean=_MEAN,
        ),
    ),
    "own sentence": _share(
        SENTENCES,
        t("the own sentence"),
        t(
            "The weights on tokens of the same sentence. Added up in each row, and the "
            "mean over the rows of words. A sentence ends with . ! ? or their like."
        ),
        t("keeps {} of each word’s attention in its own sentence"),
    ),
    "first to second text": _share(
        SENTENCES,
        t("the second text, from the first"),
        t(
            "The weights of the first text’s tokens on the second text’s. Added up in each "
            "row, and the mean over the rows of the first text."
        ),
        t("gives {} of the first text’s attention to the second"),
    ),
    "second to first text": _share(
        SENTENCES,
        t("the first text, from the second"),
        t(
            "The weights of the second text’s tokens on the first text’s. Added up in each "
            "row, and the mean over the rows of the second text."
        ),
        t("gives {} of the second text’s attention to the first"),
    ),
    "sharpness": Named(
        SHARPLY,
        t("largest weight of a row"),
        "share",
        t("gives its first choice {} on average"),
        t("The largest weight of each row: the mean over all rows (Voita et al. 2019)."),
        t("sharpness (mean row maximum)"),
    ),
    "entropy": Named(
        SHARPLY,
        t("entropy"),
        "bits",
        t("spreads each row over {} bits"),
        t(
            "−Σ p·log₂ p of each row: 0 bits where all attention is on one token, log₂ n "
            "where n tokens get the same. The mean over all rows."
        ),
        t("entropy"),
    ),
    "evenness": Named(
        SHARPLY,
        t("entropy, of the possible"),
        "share",
        t("has {} of the possible entropy"),
        t("The entropy, divided by that of even attention over all tokens that a row may look at."),
        t("entropy, of the possible"),
    ),
    "distance": Named(
        FAR,
        t("mean distance"),
        "tokens",
        t("looks {} tokens away on average"),
        t(
            "How many tokens lie from the one that looks to the one that is looked at, "
            "weighted by the attention: the mean over all rows."
        ),
        t("mean distance"),
    ),
}


def pack_heads(
    survey: Survey,
    *,
    survey_id: str,
    link: Mapping[str, str] | None = None,
    pairs: Sequence[Pair] = (),
    found: Found | None = None,
    about: About | None = None,
    place: Place = NOWHERE,
    given: Pair | None = None,
    opening: Mapping[str, str] | None = None,
    page: str = "",
    repeats: Retold | None = None,
) -> bytes:
    """The payload of a survey.

    Args:
        survey: What to show.
        survey_id: Names the survey: payloads with one id add to the same picture.
        link: The URL parameters of the run; None if no link can carry it.
        pairs: The words that were pointed at.
        found: How the heads look from the one to the other.
        about: Whose survey it is; None for the first text's trace.
        place: Where the reader looks.
        given: The words that are pinned there: the page opens with them as a pair.
        opening: The view that a file opens with, by the names that a link uses.
        page: All this as a file, if it was asked for.
        repeats: What heads do on random tokens that are repeated; None of what reads no text
            forwards.
    """
    thumbs, _ = both_thumbnails(survey.example)
    header = {
        "id": survey_id,
        "link": link,
        "about": asdict(about or About.of(survey.example)),
        "numbers": survey.example.numbers,
        "n_heads": survey.example.model.n_heads,
        "n_texts": survey.n_texts,
        "n_placed": survey.n_placed,
        "kinds": [KIND_NAMES[kind] for kind in KINDS],
        "counted": _habits(survey.counted, survey.n_texts),
        "left_out": survey.left_out and _habits(survey.left_out, survey.n_texts),
        "places": survey.places.round(4).tolist(),
        "rows_placed": survey.rows_placed,
        "stress": round(survey.stress, 4),
        "texts": list(map(_pointable, survey.texts)),
        "begins": list(map(visible, survey.begins)),
        "pairs": list(pairs),
        "place": {
            "head": _counted_through(survey, place.layer, place.head),
            "view": place.to_query(),
            "words": list(place.words),
            "given": given,
        },
        "found": found and _found(found),
        "opening": opening,
        "repeats": repeats and repeats.said(),
    }
    blocks = [({"kind": "thumbs"}, thumbs), of_bytes({"kind": "page"}, page.encode())]
    return write(header, blocks)


def pack_waiting(about: About) -> bytes:
    """The payload of a survey that is still being made: whose it will be."""
    return write({"waits": asdict(about)}, [])


def _pointable(tokens: Sequence[Token]) -> list[dict[str, Any]]:
    return [{"text": token.text, "special": token.special, "word": token.word} for token in tokens]


def _counted_through(survey: Survey, layer: int, head: int) -> int:
    """A head, counted through all layers; −1 for one that the model has not."""
    numbers, width = survey.example.numbers, survey.example.model.n_heads
    has = layer in numbers and head < width
    return numbers.index(layer) * width + head if has else -1


def _habits(habits: Habits, n_texts: int) -> dict[str, Any]:
    """What all heads do, with special tokens or without."""
    measures = habits.measures
    return {
        "measures": [_measure(key, measures[key], n_texts) for key in _ordered(measures)],
        "heads": [
            {"kind": KINDS.index(kind.name), "evidence": kind.evidence, "sink": sink}
            for kinds, sinks in zip(habits.kinds, habits.sinks, strict=True)
            for kind, sink in zip(kinds, sinks, strict=True)
        ],
    }


def _ordered(known: Mapping[str, Pooled]) -> list[str]:
    """The measures that these texts can show; special tokens behind the first one."""
    marks = [key for key in known if key not in MEASURES]
    named = [key for key in MEASURES if key in known]
    split = named.index("first") + 1
    return [*named[:split], *marks, *named[split:]]


def _measure(key: str, pooled: Pooled, n_texts: int) -> dict[str, Any]:
    named = MEASURES.get(key) or _share(
        WHERE, key, t("The weights on every {token}. {mean}", token=key, mean=_MEAN)
    )
    several = n_texts > 1
    return {
        "key": key,
        **asdict(named),
        "mean": _numbers(pooled.mean),
        "spread": _numbers(pooled.spread),
        "n_texts": pooled.n_texts,
        "farthest": pooled.farthest.ravel().tolist() if several else [],
        "extreme": _numbers(pooled.extreme) if several else [],
    }


def _found(found: Found) -> dict[str, Any]:
    return {
        "weight": _numbers(found.weight),
        "spread": _numbers(found.spread),
        "baseline": _numbers(found.baseline),
        "others": _numbers(found.others),
        "each": [_numbers(one) for one in found.each],
    }


def _numbers(values: Doubles) -> list[float | None]:
    return [None if math.isnan(x) else round(float(x), 6) for x in np.ravel(values)]
