"""Texts for the corpus tests, and what a plain loop over all weights finds in them."""

import random
from functools import cache

import numpy as np

import explorer
from explorer.corpus.measures import NAMES
from explorer.corpus.texts import Text
from tests.models.tiny import WORDS


def texts_of(n, seed=0, most=30):
    """Different texts of words that tiny models know, some of them twice; 1 to ``most`` words."""
    rng = random.Random(seed)
    found = {}
    while len(found) < n:
        found.setdefault(" ".join(rng.choice(WORDS) for _ in range(rng.randint(1, most))))
    return [Text(i, (text,)) for i, text in enumerate(found)]


def by_hand(trace):
    """Every measure of every head of one text, float64 ``[measure, layer, head]``, cell by cell."""
    weights = np.asarray(trace.weights, dtype=np.float64)
    tokens = trace.key_tokens
    words = _words(tokens, trace.model.unknown_token)
    maps, sentences = _maps(tokens, words), _sentences(tokens)
    nowhere = 1 - weights.sum(-1).mean(-1)
    has_sink = nowhere.max() > 2e-3  # beyond what rounding leaves
    found = np.full((len(NAMES), *weights.shape[:2]), np.nan)
    for layer in range(weights.shape[0]):
        for head in range(weights.shape[1]):
            w = weights[layer, head]
            seen = (weights[layer] > 0).any(axis=0).sum(axis=-1)  # by any head of the layer
            values = _of_head(w, maps) | {"own sentence": _own(w, sentences)}
            values["no token"] = nowhere[layer, head] if has_sink else np.nan
            even = sum(np.log2(max(count, 1)) for count in seen) / len(w)
            values["evenness"] = values["entropy"] / even if even else 0.0
            found[:, layer, head] = [values[name] for name in NAMES]
    return found


def _words(tokens, unknown):
    """What word each token says; None for what is no word: marks, the unknown, spaces."""
    found, last = [], None
    for t in tokens:
        goes_on, last = t.word is not None and t.word == last, t.word
        no_word = t.special or t.text == unknown or not t.text.strip("␣⏎")
        found.append(None if no_word else (t.text.lower(), goes_on))
    return found


def _sentences(tokens):
    """The sentence of each token, None for marks: one begins behind a stop, unless one follows."""
    found, number, stop = [], 0, False
    for t in tokens:
        if t.special:
            found.append(None)
            continue
        number += stop and t.text != "."
        stop = t.text == "."
        found.append(number)
    return found


def _own(w, sentences):
    """The mean share that a word gives its own sentence; NaN where there is one sentence."""
    asked = [i for i, one in enumerate(sentences) if one is not None]
    if max(sentences[i] for i in asked) == 0:
        return np.nan
    shares = [sum(w[i, j] for j in asked if sentences[j] == sentences[i]) for i in asked]
    return sum(shares) / len(asked)


def even_by_hand(trace):
    """What even attention over the keys that are seen gives to the own sentence, ``[layer]``."""
    seen = (np.asarray(trace.weights) > 0).any(axis=1).astype(np.float64)
    return np.array(
        [_own(layer / layer.sum(-1, keepdims=True), _sentences(trace.key_tokens)) for layer in seen]
    )


def _maps(tokens, words):
    n = len(tokens)
    cells = [(i, j) for i in range(n) for j in range(n)]
    alike = {(i, j) for i, j in cells if words[i] is not None and words[i] == words[j]}
    return {
        "self": {(i, i) for i in range(n)},
        "previous": {(i, i - 1) for i in range(1, n)},
        "next": {(i, i + 1) for i in range(n - 1)},
        "first": {(i, 0) for i in range(n)},
        "special": {(i, j) for i, j in cells if tokens[j].special},
        "punctuation": {(i, j) for i, j in cells if tokens[j].text in (".", ",")},
        "same word": {(i, j) for i, j in alike if i != j},
        "after the same word": {(i, j + 1) for i, j in alike if j + 1 < i},
    }


def _of_head(w, maps):
    n = len(w)
    mass = sum(w[i, j] for i in range(n) for j in range(n))
    far = sum(w[i, j] * abs(i - j) for i in range(n) for j in range(n))
    square = sum(w[i, j] * abs(i - j) ** 2 for i in range(n) for j in range(n))
    inner = [w[i, j] for i in range(1, n) for j in range(1, n)]
    rows = [row / row.sum() for row in w]
    found = {
        "entropy": sum(-sum(p * np.log2(p) for p in row if p > 0) for row in rows) / n,
        "sharpness": sum(max(row) for row in w) / n,
        "strongest": max(inner) if inner else np.nan,
        "distance": far / n,
        "distance variance": square / mass - (far / mass) ** 2,
        "column": max(sum(w[i, j] for i in range(n)) for j in range(n)) / n,
    }
    for name, cells in maps.items():
        found[name] = sum(w[i, j] for i, j in cells) / n if cells else np.nan
    return found


def over_texts(how, values, **options):
    """A mean or a spread over texts; NaN where none can show a measure."""
    shown = ~np.isnan(values).all(axis=0)
    return np.where(shown, how(np.where(shown, values, 0), axis=0, **options), np.nan)


@cache
def trace_of(folder, parts):
    return explorer.trace(*parts, source=f"path:{folder}")
