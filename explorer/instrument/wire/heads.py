"""A survey of all heads as the bytes that the browser reads; `heads.js` is the other end.

Layout, little-endian: header length (uint32), header (JSON), thumbnails of all heads on the first
text (uint8 ``[layer, head, s, s]``).
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from explorer.analysis.finder import Found
from explorer.analysis.patterns import KINDS
from explorer.analysis.survey import Survey
from explorer.instrument.wire.about import passport_words
from explorer.instrument.wire.container import write
from explorer.instrument.wire.trace import both_thumbnails
from explorer.layers import Doubles

Pair = tuple[int, int, int]
"""A text, and the positions of the word that looks and of the one that is looked at."""

# Short name, unit, and what a number of it means, in words ({} is the number).
MEASURES: Mapping[str, tuple[str, str, str]] = {
    "previous": (
        "attention on the previous token",
        "share",
        "puts {} of its attention on the token before",
    ),
    "next": ("attention on the next token", "share", "puts {} of its attention on the token after"),
    "self": (
        "attention on the token itself",
        "share",
        "puts {} of its attention on the token itself",
    ),
    "first": (
        "attention on the first token",
        "share",
        "puts {} of its attention on the first token",
    ),
    "punctuation": ("attention on punctuation", "share", "puts {} of its attention on punctuation"),
    "same word": (
        "attention on the same word elsewhere",
        "share",
        "puts {} of its attention on other occurrences of the same word",
    ),
    "same word before": (
        "attention on the same word earlier",
        "share",
        "puts {} of its attention on earlier occurrences of the same word",
    ),
    "after the same word": (
        "attention on what followed the same word (induction)",
        "share",
        "puts {} of its attention on what came after the same word before",
    ),
    "own sentence": (
        "attention within the own sentence",
        "share",
        "keeps {} of each word’s attention in its own sentence",
    ),
    "first to second text": (
        "attention from the first text to the second",
        "share",
        "gives {} of the first text’s attention to the second",
    ),
    "second to first text": (
        "attention from the second text to the first",
        "share",
        "gives {} of the second text’s attention to the first",
    ),
    "column": (
        "attention on one token at most",
        "share",
        "gives one token {} of all its attention",
    ),
    "sharpness": ("sharpness (mean row maximum)", "share", "gives its first choice {} on average"),
    "entropy": ("entropy", "bits", "spreads each row over {} bits"),
    "evenness": ("entropy, of the possible", "share", "has {} of the possible entropy"),
    "no token": (
        "attention on no token (a sink, or all keys masked)",
        "share",
        "gives {} of its attention to no token",
    ),
    "distance": ("mean distance", "tokens", "looks {} tokens away on average"),
    "distance among words": (
        "mean distance, without special tokens",
        "tokens",
        "looks {} tokens away on average where a word looks at a word, special tokens left out",
    ),
}


def pack_heads(
    survey: Survey,
    *,
    survey_id: str,
    link: Mapping[str, str] | None = None,
    pairs: Sequence[Pair] = (),
    found: Found | None = None,
) -> bytes:
    """The payload of a survey.

    Args:
        survey: What to show.
        survey_id: Names the survey: payloads with one id add to the same picture.
        link: The URL parameters of the run; None if no link can carry it.
        pairs: The words that were pointed at.
        found: How the heads look from the one to the other.
    """
    model = survey.example.model
    thumbs, _ = both_thumbnails(survey.example)
    header = {
        "id": survey_id,
        "link": link,
        "title": model.name,
        "passport": passport_words(model),
        "numbers": survey.example.numbers,
        "n_heads": model.n_heads,
        "n_texts": survey.n_texts,
        "n_placed": survey.n_placed,
        "measures": [_measure(survey, key) for key in _ordered(survey)],
        "kinds": list(KINDS),
        "heads": [
            {"kind": KINDS.index(kind.name), "evidence": kind.evidence, "sink": sink}
            for kinds, sinks in zip(survey.kinds, survey.sinks, strict=True)
            for kind, sink in zip(kinds, sinks, strict=True)
        ],
        "places": survey.places.round(4).tolist(),
        "rows_placed": survey.rows_placed,
        "stress": round(survey.stress, 4),
        "texts": [
            [{"text": t.text, "special": t.special, "word": t.word} for t in tokens]
            for tokens in survey.texts
        ],
        "pairs": list(pairs),
        "found": found and _found(found),
    }
    return write(header, [({"kind": "thumbs"}, thumbs)])


def _ordered(survey: Survey) -> list[str]:
    """The measures that these texts can show; special tokens behind the other shares."""
    known = survey.profiles.mean
    marks = [key for key in known if key not in MEASURES]
    named = [key for key in MEASURES if key in known]
    split = named.index("column")
    return [*named[:split], *marks, *named[split:]]


def _measure(survey: Survey, key: str) -> dict[str, Any]:
    usual = (f"attention on {key}", "share", f"puts {{}} of its attention on {key}")
    name, unit, words = MEASURES.get(key, usual)
    profiles = survey.profiles
    return {
        "key": key,
        "name": name,
        "unit": unit,
        "words": words,
        "mean": _numbers(profiles.mean[key]),
        "spread": _numbers(profiles.spread[key]),
        "n_texts": profiles.n_texts[key],
    }


def _found(found: Found) -> dict[str, Any]:
    return {
        "weight": _numbers(found.weight),
        "spread": _numbers(found.spread),
        "baseline": _numbers(found.baseline),
        "others": _numbers(found.others),
    }


def _numbers(values: Doubles) -> list[float | None]:
    return [None if math.isnan(x) else round(float(x), 6) for x in np.ravel(values)]
