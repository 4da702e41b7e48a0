"""Why this weight: against the model's own q and k, and against changes made by hand."""

import numpy as np
import pytest
import torch

from explorer.analysis.edge import why
from explorer.errors import ExplorerError
from explorer.sources import trace_run
from explorer.sources.edges import edge_vectors
from explorer.sources.stream import Stream
from tests.models.writers import ids_of, run_of, save_writer

# Float32 sums of the model against float64 sums of parts. Measured: 3e-7.
TOLERANCE = 1e-5
LAYER, HEAD, QUERY, KEY = 2, 3, 9, 4
# One map or three in one, shared keys, biases, norms of each head, soft cap, turns of all of a head
# or of a part of it, in halves or side by side; and no turns at all.
NAMES = {"gpt2": 0, "llama": 4, "qwen3": 4, "gemma2": 4, "gpt_oss": 4, "cohere": 4, "phi": 3}
NAMES |= {"gpt_neox": 2, "olmo2": 4, "phi3": 4}


@pytest.fixture(scope="module", params=NAMES)
def read(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    model = save_writer(request.param, folder)
    return request.param, model, run_of(folder), Stream(run_of(folder))


def test_the_parts_and_the_bands_sum_to_the_models_own_score(read):
    name, _, run, stream = read
    layer = trace_run(run).layer(LAYER)
    shared = HEAD * len(layer.k) // len(layer.q)
    q, k = layer.q[HEAD, QUERY].astype(float), layer.k[shared, KEY].astype(float)
    found = why(edge_vectors(stream, LAYER, HEAD, QUERY, KEY))
    assert found.score == pytest.approx(layer.rule.scale * float(q @ k), abs=1e-6)
    assert abs(found.rest) <= TOLERANCE
    for sums in (found.as_query, found.as_key, found.pairs):
        assert sums.sum() + found.rest == pytest.approx(found.score)
    if NAMES[name]:
        assert len(found.bands) == NAMES[name]
        assert found.bands.sum() == pytest.approx(found.score, abs=TOLERANCE)
    else:
        assert found.bands is None
    if name == "gemma2":
        cap = layer.rule.cap
        assert found.score + found.added == pytest.approx(cap * np.tanh(found.score / cap))
    ranked = [abs(value) for _, _, value in found.ranked]
    assert ranked == sorted(ranked, reverse=True)
    assert found.strongest_pairs(1)[0][2] == pytest.approx(
        found.pairs.flat[np.abs(found.pairs).argmax()]
    )


def test_a_part_of_the_key_is_what_gpt2s_own_map_makes_of_it(tmp_path):
    """The norm frozen, the slice of the map to keys, and the whole query: all by hand."""
    model = save_writer("gpt2", tmp_path)
    run = run_of(tmp_path)
    stream = Stream(run)
    edge = edge_vectors(stream, LAYER, HEAD, QUERY, KEY)
    block = model.transformer.h[LAYER]
    with torch.inference_mode():
        out = model(input_ids=torch.tensor([ids_of(run)]), output_hidden_states=True)
    x = out.hidden_states[LAYER][0, KEY].double()
    spread = torch.sqrt(x.var(unbiased=False) + block.ln_1.eps)
    weight = block.attn.c_attn.weight.detach().double()[:, 32 + 8 * HEAD : 32 + 8 * HEAD + 8]
    parts, vectors = stream.parts(KEY, LAYER)
    assert edge.key_parts[:-1] == tuple(parts)
    for i, vector in enumerate(vectors):
        part = torch.from_numpy(vector)
        normed = (part - part.mean()) / spread * block.ln_1.weight.detach().double()
        assert np.abs(edge.key[i] - (normed @ weight).numpy()).max() <= 1e-6


def test_what_cannot_be_taken_apart_is_said(tmp_path):
    save_writer("bloom", tmp_path)
    stream = Stream(run_of(tmp_path))
    with pytest.raises(ExplorerError, match="kept as q and k"):
        edge_vectors(stream, 0, 0, 3, 2)


def test_an_edge_that_is_not_there_is_refused(tmp_path):
    save_writer("gpt2", tmp_path)
    stream = Stream(run_of(tmp_path))
    for layer, head, query, key, words in (
        (0, 0, 2, 3, "no weight from token 2 to token 3"),
        (9, 0, 3, 2, "no layer 9"),
        (0, 9, 3, 2, "no head L0·H9"),
    ):
        with pytest.raises(ExplorerError, match=words):
            edge_vectors(stream, layer, head, query, key)
