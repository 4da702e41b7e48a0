"""What the page shows is exact: rescaled rows, sums, shares, entropies and CSV files of MiniLM are
held against a computation in float64 from the model's own q and k."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

import explorer
from explorer.instrument.wire.trace import layers_to_send, pack

JS = Path(__file__).parents[1] / "js" / "head_numbers.js"
CAT = "The cat sat on the mat because it was tired."
WORDS = ("the", "river", "ran", "past", "an", "old", "mill", "where", "a", "light", "was", "seen")
LARGEST = 2e-7  # of a number between 0 and 1: float32's own rounding, and that of a sum


def text_of(n_tokens):
    """A text of so many tokens with [CLS] and [SEP], in which words come again."""
    return " ".join(WORDS[(7 * i + i // 5) % len(WORDS)] for i in range(n_tokens - 2))


def on_the_page(trace, tmp_path, query=1, key=1):
    file = tmp_path / "trace.bin"
    file.write_bytes(pack(trace, trace_id="x", layers=layers_to_send(trace, 0)))
    command = ["node", str(JS), str(file), str(query), str(key)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def cells(csv):
    """The numbers of a CSV file, ``[query, key]``."""
    lines = csv.lstrip("\ufeff").strip().splitlines()[1:]
    return np.array([line.split(",")[1:] for line in lines], dtype=np.float64)


def by_float64(layer, head):
    """A head's weights, each step in double precision."""
    scores = layer.rule.scale * layer.q[head].astype(np.float64) @ layer.k[head].astype(float).T
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("n", [13, 138, 274, 512])
def test_every_number_agrees_with_float64(n, tmp_path):
    trace = explorer.trace(CAT if n == 13 else text_of(n))
    assert len(trace.tokens) == n
    off = {}
    for shown in on_the_page(trace, tmp_path)["heads"]:
        want = by_float64(trace.layer(shown["layer"]), shown["head"])
        ordinary = want[1:-1, 1:-1]
        sums = want[:, 1:-1].sum(axis=-1)
        entropy = -(want * np.log2(want)).sum(axis=-1).mean()
        for name, got, right in (
            ("CSV", cells(shown["csv"]), want),
            ("rescaled", cells(shown["rescaled"]), ordinary / ordinary.sum(axis=-1)[:, None]),
            ("sums", shown["sums"], sums),
            ("sums over columns", shown["got"], sums),
            ("shares", shown["shares"], want.mean(axis=0)),
            ("entropy, of the possible", shown["entropy"] / np.log2(n), entropy / np.log2(n)),
        ):
            off[name] = max(off.get(name, 0), np.abs(np.array(got) - right).max())
        assert max(shown["sums"]) <= 1 + LARGEST
        assert cells(shown["csv"]).sum(axis=-1) == pytest.approx(1, abs=1e-6)
    print(f"{n} tokens: {', '.join(f'{name} {most:.1e}' for name, most in off.items())}")
    assert max(off.values()) < LARGEST, off


def test_the_head_that_joins_two_words_is_found_where_little_is_left_to_rescale(tmp_path):
    trace = explorer.trace(CAT)
    page = on_the_page(trace, tmp_path, query=1, key=1)
    strongest = page["pinned"][0]
    assert len(page["pinned"]) == 72
    assert (strongest["layer"], strongest["head"]) == (0, 2)
    assert strongest["weight"] == pytest.approx(0.9926, abs=5e-5)
    assert cells(page["heads"][0]["rescaled"])[0, 0] == pytest.approx(0.9926, abs=5e-5)
