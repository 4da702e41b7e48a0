"""The analyses beside what they could be done with otherwise, in one run.

Rollout beside a plain chain of matrix products; attention flow beside the authors' way (networkx,
Edmonds–Karp, on the same graph); all profiles of 12 × 12 heads beside reading the weights once for
each measure; a text of 2,048 tokens kept as q and k, with the memory that each analysis takes
beside it; removal of every token in batches beside one at a time.
"""

import statistics
import time
import tracemalloc
from functools import partial

import networkx as nx
import numpy as np

from benchmarks.attention import ratio, take_turns
from explorer.analysis.comparison import compare
from explorer.analysis.finder import find_pairs
from explorer.analysis.flow import attention_flow
from explorer.analysis.profiles import head_profiles
from explorer.analysis.rollout import attention_rollout, rollout_from, with_residual
from explorer.analysis.survey import survey
from explorer.layers import FromScores, ScoreRule, of_weights
from explorer.run import Run
from explorer.sources import trace_run
from explorer.sources.intervention import intervention
from explorer.target import Likeness
from explorer.trace import AttentionTrace, ModelInfo, Token, Weights

TEXT = (
    "The old lighthouse had not been lit for thirty years and nobody in the village knew why , but "
    "every evening its keeper climbed the stairs because she liked to watch the ships go by . "
)


def main() -> None:
    rollout()
    flow()
    profiles()
    long_text()
    removal()


def text_of(n: int) -> str:
    """A text of so many tokens, [CLS] and [SEP] included; each of its words is one token."""
    words = (TEXT.split() * 20)[: n - 2]
    return " ".join(words)


def weights_of(n: int) -> Weights:
    weights = trace_run(Run(text_of(n))).weights
    assert weights.shape[-1] == n
    return weights


def rollout() -> None:
    print("attention_rollout, MiniLM: tokens | ms | / chain of products of the ready matrices")
    for n in (16, 128, 512):
        weights = weights_of(n)
        mixed = with_residual(weights)

        def chain(mixed: np.ndarray = mixed) -> np.ndarray:
            found = mixed[0]
            for layer in mixed[1:]:
                found = layer @ found
            return found

        times = take_turns([partial(attention_rollout, weights), chain], 20)
        print(f"{n} | {1e3 * statistics.median(times[0]):.2f} | {ratio(*times):.1f}")


def flow() -> None:
    print("attention_flow, MiniLM, one flow: tokens | ours, ms | networkx, ms | times faster")
    for n in (12, 30, 60):
        weights = weights_of(n)
        graph, layers = graph_of(weights), len(weights)
        keys = range(0, n, max(1, n // 6))
        start = time.perf_counter()
        theirs = [
            nx.maximum_flow_value(
                graph, (layers, n // 2), (0, key), flow_func=nx.algorithms.flow.edmonds_karp
            )
            for key in keys
        ]
        slow = (time.perf_counter() - start) / len(keys)
        start = time.perf_counter()
        ours = attention_flow(weights, queries=[n // 2])[0]
        fast = (time.perf_counter() - start) / n
        shares = ours[list(keys)] / ours[keys[0]]
        assert np.abs(shares - np.array(theirs) / theirs[0]).max() < 1e-5
        print(f"{n} | {1e3 * fast:.2f} | {1e3 * slow:.0f} | {slow / fast:.0f}")
    print("attention_flow, MiniLM: tokens | one output token, s | all, s (estimated from 4)")
    for n in (16, 32, 64, 128, 256):
        weights = weights_of(n)
        start = time.perf_counter()
        attention_flow(weights, queries=[1, n // 3, n // 2, n - 1])
        one = (time.perf_counter() - start) / 4
        print(f"{n} | {one:.3f} | {one * n:.1f}")


def graph_of(weights: Weights) -> nx.DiGraph:
    """The authors' graph."""
    graph = nx.DiGraph()
    for layer, map_ in enumerate(with_residual(weights)):
        for i, row in enumerate(map_):
            for j, capacity in enumerate(row):
                graph.add_edge((layer + 1, i), (layer, j), capacity=capacity)
    return graph


def profiles() -> None:
    rng = np.random.default_rng(0)
    weights = rng.random((12, 12, 512, 512), dtype=np.float32)
    weights /= weights.sum(-1, keepdims=True)
    tokens = trace_run(Run(text_of(512))).key_tokens
    info = ModelInfo("12 x 12", None, 12, 12, 768, 512)
    trace = AttentionTrace(info, (text_of(512),), tokens, tokens, of_weights(weights))
    count = len(head_profiles(trace).measures)

    def read_once_each() -> None:
        for _ in range(count):
            weights.sum()

    times = take_turns([partial(head_profiles, trace), read_once_each], 5)
    print("head_profiles, 12 x 12 heads, 512 tokens: measures | ms | / reading once for each")
    print(f"{count} | {1e3 * statistics.median(times[0]):.0f} | {ratio(*times):.2f}")


def long_text() -> None:
    print("12 x 12 heads of 64, 2,048 tokens, q and k: analysis | s | MB beside q and k")
    trace, other = (scores_trace(seed, 2048) for seed in (0, 1))
    start = np.eye(1, 2048)
    for name, do in (
        ("profiles", lambda: head_profiles(trace)),
        ("a row of the rollout", lambda: rollout_from(trace.layers, start)),
        ("a pair of words", lambda: find_pairs([(trace.layers, [9], [2])])),
        ("survey", lambda: survey([trace], 1)),
        ("comparison", lambda: compare(trace, other)),
    ):
        tracemalloc.start()
        begun = time.perf_counter()
        do()
        taken = time.perf_counter() - begun
        print(f"{name} | {taken:.1f} | {tracemalloc.get_traced_memory()[1] / 2**20:.0f}")
        tracemalloc.stop()
    heads = trace.model.n_layers * trace.model.n_heads
    print(f"q and k take {trace.nbytes / 2**20:.0f} MB, all weights would {heads * 16:,} MB")


def scores_trace(seed: int, n: int) -> AttentionTrace:
    """A trace of random q and k, 12 layers of 12 heads of 64."""
    rng = np.random.default_rng(seed)
    words = (TEXT.split() * (n // 20 + 1))[:n]
    starts = np.cumsum([0, *(len(word) + 1 for word in words)])[:-1].tolist()
    tokens = tuple(
        Token(word, (at, at + len(word)), i, 0, False)
        for i, (word, at) in enumerate(zip(words, starts, strict=True))
    )
    q, k = rng.standard_normal((2, 12, 12, n, 64), dtype=np.float32)
    layers = [FromScores(i, q[i], k[i], ScoreRule(0.125)) for i in range(12)]
    info = ModelInfo("12 x 12", None, 12, 12, 768, n)
    return AttentionTrace(info, (" ".join(words),), tokens, tokens, layers)


def removal() -> None:
    print("removal of every token, MiniLM: tokens | batched, ms | / one at a time")
    for n in (16, 64, 128):
        asked = intervention(Run(text_of(n)), Likeness("A keeper watches ships."))
        every = [[i] for i in asked.removable]

        def one_by_one(every: list[list[int]] = every, asked: "object" = asked) -> None:
            for removed in every:
                asked.without([removed], "replace")  # type: ignore[attr-defined]

        times = take_turns([partial(asked.without, every, "replace"), one_by_one], 3)
        print(f"{n} | {1e3 * statistics.median(times[0]):.0f} | {ratio(*times):.2f}")


if __name__ == "__main__":
    main()
