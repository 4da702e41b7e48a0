"""Induction and its kin: against sums by hand, and a head that was built to be one."""

import numpy as np
import pytest

from explorer.analysis.induction import copying_of, induction_scores
from explorer.errors import ExplorerError
from explorer.residual import AtPosition, Part
from explorer.run import Run
from explorer.sources import trace_run
from explorer.sources.repeats import repeated
from explorer.sources.stream import Stream
from explorer.trace import AttentionTrace, ModelInfo, Token
from tests.models.writers import run_of, save_writer


def test_scores_are_means_over_single_edges(tmp_path):
    save_writer("llama", tmp_path)
    traces = []
    for seed in (0, 1):
        run, length = repeated(run_of(tmp_path), 12, seed)
        assert run.written[:12] == run.written[12:]
        assert len(set(run.written)) == length == 12
        assert Run.from_query(run.to_query()) == run
        traces.append(trace_run(run))
    found = induction_scores(traces, 12)
    n = traces[0].shape[2]
    for layer, head in ((0, 1), (3, 2)):
        rows = [trace.weights[layer, head].astype(float) for trace in traces]
        for scores, back in ((found.induction, 11), (found.same, 12)):
            want = np.mean([[a[i, i - back] for i in range(n - 12, n)] for a in rows])
            assert scores[layer, head] == pytest.approx(want, abs=1e-6)
        want = np.mean([[a[i, i - 1] for i in range(1, n)] for a in rows])
        assert found.previous[layer, head] == pytest.approx(want, abs=1e-6)
    assert found.even[1] == pytest.approx(np.mean([1 / (i + 1) for i in range(1, n)]))


def test_a_head_that_was_built_for_it_is_found():
    n, length = 25, 12
    weights = np.zeros((1, 3, n, n), np.float32)
    for i in range(n):
        repeats = i >= n - length
        weights[0, 0, i, i - length + 1 if repeats else i] = 1
        weights[0, 1, i, i - length if repeats else i] = 1
        weights[0, 2, i, max(i - 1, 0)] = 1
    tokens = tuple(Token(str(i), None, i, 0, False) for i in range(n))
    trace = AttentionTrace(ModelInfo("built", None, 1, 3, 8, n), ("x",), tokens, tokens, weights)
    found = induction_scores([trace], length)
    assert found.induction[0].tolist() == [1, 0, 0]
    assert found.same[0].tolist() == [0, 1, 0]
    assert found.previous[0].tolist() == [0, 0, 1]


def test_a_head_that_writes_what_it_reads_is_a_copying_head():
    """Four tokens with directions of their own; the heads look at the third, and write a word."""
    eye, n = np.eye(4), 6
    weights = np.zeros((1, 3, n, n), np.float32)
    weights[:, :, :, 2] = 1
    tokens = tuple(Token(str(i), None, i, 0, False) for i in range(n))
    trace = AttentionTrace(ModelInfo("built", None, 1, 3, 4, n), ("x",), tokens, tokens, weights)
    parts = (Part("token"), *(Part("head", 0, head) for head in range(3)))
    written = np.stack([eye[0], 2 * eye[2], -eye[2], eye[1]])
    zero = np.zeros(4)
    at = AtPosition(5, parts, written, written.sum(0), None, (9,) * 4, eye, zero, zero, zero)
    copies, hinders, writes_another = copying_of(trace, at, [0, 1, 2, 3])[0]
    assert copies == pytest.approx(np.sqrt(3))  # (1 - 1/4) / the deviation of 1, 0, 0, 0
    assert hinders == pytest.approx(-np.sqrt(3))
    assert writes_another == pytest.approx(-1 / np.sqrt(3))


def test_copying_is_read_from_a_models_own_stream(tmp_path):
    save_writer("llama", tmp_path)
    run, length = repeated(run_of(tmp_path), 12)
    trace, stream = trace_run(run), Stream(run)
    n = trace.shape[2]
    places, ids = list(range(n - 2 * length, n - length)), list(run.written[:length])
    found = stream.at(n - 3, ids)
    got = copying_of(trace, found, places)
    vector = found.vectors[[(p.layer, p.head) for p in found.parts].index((2, 1))]
    logits = found.norm.of(vector, n - 3) @ found.directions.T
    weights = trace.weights[2, 1, n - 3, places].astype(float)
    want = weights @ (logits - logits.mean()) / weights.sum() / logits.std()
    assert got[2, 1] == pytest.approx(want, abs=1e-6)


def test_models_with_too_little_room_are_refused(tmp_path):
    save_writer("gpt2", tmp_path, max_position_embeddings=12, n_positions=12)
    with pytest.raises(ExplorerError, match="too few for a sequence"):
        repeated(run_of(tmp_path))
