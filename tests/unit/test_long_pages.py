"""What a browser is sent of a long text is what it reads, and the numbers are the definition's."""

import json
import subprocess
from pathlib import Path

import numpy as np

from explorer.instrument.wire.trace import pack
from explorer.layers import FromScores, ScoreRule
from explorer.trace import AttentionTrace, ModelInfo, Token

JS = Path(__file__).parents[1] / "js" / "long_numbers.js"
N, D = 900, 4
LARGEST = 3e-6  # of a weight: scores and sums of the server are float32


def test_a_browser_has_the_numbers_of_a_head_of_a_long_text(tmp_path):
    rng = np.random.default_rng(3)
    q, k = rng.normal(size=(2, 2, N, D)).astype(np.float32) * 2
    ends = np.arange(1, N + 1)
    allowed = np.stack([np.maximum(ends - 300, 0), ends], axis=-1).astype(np.int32)
    said = ["." if i % 9 == 8 else "word" for i in range(N)]
    tokens = tuple(Token(t, (5 * i, 5 * i + len(t)), i, 0, i == 0) for i, t in enumerate(said))
    text = " ".join(t.ljust(4) for t in said)
    layer = FromScores(3, q, k, ScoreRule(0.5, allowed=allowed))
    info = ModelInfo("random", None, 1, 2, 8, N)
    trace = AttentionTrace(info, (text,), tokens, tokens, [layer])
    file = tmp_path / "trace.bin"
    file.write_bytes(pack(trace, trace_id="x", heads=((3, 1),)))
    command = ["node", str(JS), str(file), "3", "1", "500"]
    got = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    keys = np.arange(N)
    scores = 0.5 * q[1].astype(np.float64) @ k[1].astype(np.float64).T
    scores[(keys < allowed[:, :1]) | (keys >= allowed[:, 1:])] = -np.inf
    want = np.exp(scores - scores.max(axis=-1, keepdims=True))
    want /= want.sum(axis=-1, keepdims=True)
    starts = got["levels"][got["level"]]
    assert (got["level"], starts[:3], got["sides"]) == ("sentence", [0, 1, 9], [101, 101])
    sums = np.add.reduceat(np.add.reduceat(want, starts, axis=1), starts, axis=0)
    tops = np.maximum.reduceat(np.maximum.reduceat(want, starts, axis=1), starts, axis=0)
    maps = [sums / np.diff([*starts, N])[:, None], tops]
    for name, right in (
        ("row", want[500]),
        ("column", want[:, 500]),
        ("received", want.mean(axis=0)),
        ("ordinary", want[:, 1:].sum(axis=-1)),
        ("maps", np.ravel(maps)),
        ("strongest", want.max()),
    ):
        assert np.abs(np.array(got[name]) - right).max() < LARGEST, name
    assert max(got["small"]) == round(255 * want.max() ** 0.5)
    assert got["tokens"][1] == {
        **{"text": "word", "span": [5, 9], "word": 1, "segment": 0, "special": False}
    }
