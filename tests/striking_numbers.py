"""The numbers of what is worth a look once more: plain loops in float64 over all weights."""

import itertools

import numpy as np


def words_of(trace):
    """The words of a trace as lists of positions; special tokens are none."""
    tokens = trace.key_tokens
    ordinary = [i for i, token in enumerate(tokens) if not token.special]
    pieces = itertools.groupby(
        ordinary, key=lambda i: ("alone", i) if tokens[i].word is None else tokens[i].word
    )
    return [list(word) for _, word in pieces]


def said_by(trace, word):
    return " ".join(trace.key_tokens[i].text for i in word).upper().lower()


def between(weights, query, key):
    """What a word gives to another in a head: a mean over its pieces, a sum over the other's."""
    return sum(weights[i, j] for i in query for j in key) / len(query)


def numbers_of(trace, finding, may=lambda query, key: True):
    """A finding's number and its baselines.

    Args:
        trace: The trace.
        finding: The finding.
        may: Whether a position may look at another.
    """
    at = trace.numbers.index(finding.layer)
    weights = trace.weights.astype(np.float64)
    head = weights[at, finding.head]
    others = [
        weights[i, h] for i, h in np.ndindex(weights.shape[:2]) if (i, h) != (at, finding.head)
    ]
    of_kind = {"pair": _pair, "words again": _again, "sink": _sink}
    of_kind |= {"goes on": _goes_on, "own text": _text, "other text": _text}
    measure = of_kind.get(finding.kind, _neighbour)
    number, baselines = measure(trace, finding, head, may)
    if "heads" in finding.baselines:
        own = [measure(trace, finding, other, may)[0] for other in others]
        baselines["heads"] = sum(own) / len(own)
    return number, baselines


def _choices(n, may):
    return [sum(may(i, j) for j in range(n)) for i in range(n)]


def _neighbour(trace, finding, head, may):
    offset, n = {"previous": -1, "next": 1, "self": 0}[finding.kind], len(head)
    cells = [(i, i + offset) for i in range(n) if 0 <= i + offset < n and may(i, i + offset)]
    choices = _choices(n, may)
    return sum(head[c] for c in cells) / n, {"even": sum(1 / choices[i] for i, _ in cells) / n}


def _sink(trace, finding, head, may):
    n, (key,) = len(head), finding.keys
    choices = _choices(n, may)
    even = sum(1 / choices[i] for i in range(n) if may(i, key)) / n
    return head[:, key].sum() / n, {"even": even}


def _pair(trace, finding, head, may):
    words = words_of(trace)
    i, j = words.index([*finding.queries]), words.index([*finding.keys])

    def sees(a, b):
        return all(may(words[a][-1], k) for k in words[b])

    n = len(words)
    others = [between(head, words[a], words[j]) for a in range(n) if a not in (i, j) and sees(a, j)]
    apart = [
        between(head, words[a], words[a + j - i])
        for a in range(n)
        if a != i and 0 <= a + j - i < n and sees(a, a + j - i)
    ]
    baselines = {"others": sum(others) / len(others), "distance": sum(apart) / len(apart)}
    return between(head, words[i], words[j]), baselines


def _again(trace, finding, head, may):
    words = words_of(trace)
    shares, evens = [], []
    for a, word in enumerate(words):
        alike = [
            other
            for b, other in enumerate(words)
            if a != b
            and any(letter.isalnum() for letter in said_by(trace, word))
            and said_by(trace, other) == said_by(trace, word)
            and all(may(word[-1], k) for k in other)
        ]
        if alike:
            shares.append(sum(between(head, word, other) for other in alike))
            evens.append(sum(map(len, alike)) / sum(may(word[-1], k) for k in range(len(head))))
    return sum(shares) / len(shares), {"even": sum(evens) / len(evens)}


def _goes_on(trace, finding, head, may):
    """What came right after the same word before; the token before, and the same word, are not."""
    words = words_of(trace)
    said, n = [said_by(trace, word) for word in words], len(words)

    def sees(a, b):
        return all(may(words[a][-1], k) for k in words[b])

    after = {
        (a, b + 1)
        for a in range(n)
        for b in range(a - 2)
        if said[a] == said[b] and any(letter.isalnum() for letter in said[a])
        if said[b + 1] != said[a] and sees(a, b + 1)
    }
    asked = {a for a, _ in after}

    def mean(cells):
        return sum(between(head, words[a], words[b]) for a, b in cells) / len(cells)

    def elsewhere(alike):
        """The mean of what is given where it is no such place, for each such place, per word."""
        every = [(a, b) for a in range(n) for b in range(n) if sees(a, b)]
        total = 0
        for a, b in after:
            same = [cell for cell in every if alike(cell, (a, b))]
            total += mean([cell for cell in same if cell not in after] or same)
        return total / len(asked)

    baselines = {
        "even": sum(
            len(words[b]) / sum(may(words[a][-1], k) for k in range(len(head))) for a, b in after
        )
        / len(asked),
        "others": elsewhere(lambda one, other: one[1] == other[1] and one[0] != one[1]),
        "distance": elsewhere(lambda one, other: one[1] - one[0] == other[1] - other[0]),
    }
    return mean(sorted(after)) * len(after) / len(asked), baselines


def _text(trace, finding, head, may):
    tokens = trace.key_tokens
    ordinary = [i for i, token in enumerate(tokens) if not token.special]
    cells = [(i, j) for i in ordinary for j in ordinary if may(i, j)]
    own = {c: tokens[c[0]].segment == tokens[c[1]].segment for c in cells}
    share = sum(head[c] for c in cells if own[c]) / sum(head[c] for c in cells)
    even = np.mean(
        [
            sum(own[i, j] for j in ordinary if may(i, j)) / sum(may(i, j) for j in ordinary)
            for i in ordinary
        ]
    )
    at_distance = {}
    for i, j in cells:
        at_distance.setdefault(j - i, []).append((i, j))
    mean = {d: sum(head[c] for c in some) / len(some) for d, some in at_distance.items()}
    near = sum(mean[j - i] for i, j in cells if own[i, j]) / sum(mean[j - i] for i, j in cells)
    if finding.kind == "other text":
        share, even, near = 1 - share, 1 - even, 1 - near
    return share, {"even": even, "distance": near}
