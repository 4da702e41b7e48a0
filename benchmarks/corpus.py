"""The census of a corpus: beside a plain forward pass, beside the eager way, and its memory.

    python -m benchmarks.corpus                # 3,072 sentences with MiniLM, and all parts below
    python -m benchmarks.corpus 10240          # so many sentences
    python -m benchmarks.corpus memory         # 1,000 and 100,000 texts with a tiny model
    python -m benchmarks.corpus long           # 512 and 4,096 tokens, beside the eager way
    python -m benchmarks.corpus queries        # a folder of 1,024 heads
    python -m benchmarks.corpus ray            # one worker and two, where Ray is installed
    python -m benchmarks.corpus gpu 10240      # half precision on a GPU, so many sentences
    python -m benchmarks.corpus workers        # texts a second of local workers, on many cores

One thread each, in turns, shard by shard; a ratio is the median of the ratios of a shard.
"""

import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers

from benchmarks.attention import ratio
from explorer.corpus.census import census, tokenized
from explorer.corpus.engines import Engine, Here, Pool, Ray
from explorer.corpus.folder import CorpusFolder
from explorer.corpus.measures import NAMES
from explorer.corpus.reading import Read, batches
from explorer.corpus.running import SHARD_TEXTS, Progress, Settings, run
from explorer.corpus.sentences import sentences
from explorer.corpus.texts import Corpus, Text
from explorer.corpus.work import placed
from explorer.source import Embedded, InMemory
from explorer.sources.loading import LoadedModel, load_model
from explorer.sources.progress import silent
from tests.models.tiny import byte_level, tiny_model

LENGTHS = (512, 4096)
GPU_LENGTHS = (512, 4096, 8192, 16384, 24576)
_BY = "strongest"


def texts_of(n: int) -> list[Text]:
    return [Text(i, (text,)) for i, text in enumerate(sentences(n))]


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


# --- beside a plain forward pass --------------------------------------------------------------


def plain(loaded: LoadedModel, read: Sequence[Read]) -> None:
    """The forward pass alone, in the same batches, with sdpa."""
    types = {t.text: 0 for r in read for t in r.tokens}
    with torch.inference_mode():
        for batch in batches(read, types):
            loaded.network(**batch.inputs)


def beside_plain(n: int) -> None:
    loaded = load_model(Embedded(), silent)
    own = loaded.private()
    own.network.set_attn_implementation("sdpa")
    texts = texts_of(n)
    shards = [texts[i : i + SHARD_TEXTS] for i in range(0, n, SHARD_TEXTS)]
    census(loaded, texts[:50], 512, _BY)
    whole, alone, tokens = [], [], 0
    for i, shard in enumerate(shards):
        _, read, _ = tokenized(loaded, shard, 512)
        tokens += sum(len(r.tokens) for r in read)
        ways: list[Callable[[], object]] = [
            lambda s=shard: census(loaded, s, 512, _BY),  # type: ignore[misc]
            lambda r=read: plain(own, r),  # type: ignore[misc]
        ]
        times = {j: seconds(ways[j]) for j in ((0, 1) if i % 2 else (1, 0))}
        whole.append(times[0])
        alone.append(times[1])
    rate = tokens / sum(whole)
    print(f"{n:,} sentences, {tokens:,} tokens, MiniLM, one thread")
    print(f"census {sum(whole):.1f} s, forward pass alone {sum(alone):.1f} s: ", end="")
    print(f"ratio {ratio(whole, alone):.2f}; {rate:,.0f} tokens a second")
    plan(tokens / n, rate)


def plan(tokens: float, rate: float) -> None:
    """A million sentences, on paper: shards share nothing, so cores add up."""
    for cores in (1, 16, 128):
        hours = 1e6 * tokens / rate / cores / 3600
        print(f"  a million such sentences on {cores:>3} cores: {hours:.1f} h")


# --- beside the eager way ---------------------------------------------------------------------


def eager_way(loaded: LoadedModel, read: Read) -> list[Any]:
    """All weights as Transformers returns them, and then the same measures over each map."""
    with torch.inference_mode():
        device = next(loaded.network.parameters()).device
        inputs = {name: tensor.to(device) for name, tensor in read.inputs.items()}
        found = loaded.network(**inputs, output_attentions=True).attentions
        return [
            _of_map(weights[0, head].float(), read)
            for weights in found
            for head in range(len(weights[0]))
        ]


def _of_map(w: torch.Tensor, read: Read) -> list[float]:
    """The measures of one head's map, each as its definition says it."""
    n, device = len(w), w.device
    i, j = torch.arange(n, device=device)[:, None], torch.arange(n, device=device)
    far = (i - j).abs().float()
    words = torch.from_numpy(read.words).to(device)
    alike = (words[:, None] == words) & (words[:, None] >= 0)
    after = torch.zeros_like(alike)
    after[:, 1:] = alike[:, :-1] & (j[1:] < i)
    special = torch.tensor([t.special for t in read.tokens], device=device)
    signs = torch.tensor([t.text in (".", ",") for t in read.tokens], device=device)
    sentences = torch.from_numpy(read.sentences).to(device)
    own = (sentences[:, None] == sentences) & (sentences[:, None] >= 0)
    received = w.sum(0)
    mean = (w * far).sum() / w.sum()
    found = [
        -(w * w.clamp_min(1e-38).log2()).sum(-1).mean(),
        w.amax(-1).mean(),
        w[1:, 1:].max(),
        (w * far).sum() / n,
        (w * far**2).sum() / w.sum() - mean**2,
        w.diagonal().mean(),
        w.diagonal(-1).sum() / n,
        w.diagonal(1).sum() / n,
        received[0] / n,
        received.max() / n,
        received[special].sum() / n,
        received[signs].sum() / n,
        w[alike & (i != j)].sum() / n,
        w[after].sum() / n,
        w[own].sum() / (sentences >= 0).sum(),
        1 - w.sum() / n,
    ]
    found.append(found[0] / math.log2(n))
    torch.bincount(far.long().reshape(-1), w.reshape(-1))  # the histogram of distances
    w.reshape(-1).topk(32)
    return [float(value) for value in found]


def long_model(implementation: str, n: int = max(LENGTHS)) -> LoadedModel:
    """MiniLM's shape with random weights and room for so many tokens."""
    torch.manual_seed(0)
    config = transformers.BertConfig(
        hidden_size=384,
        num_hidden_layers=6,
        num_attention_heads=12,
        intermediate_size=1536,
        max_position_embeddings=n,
        vocab_size=300,
        initializer_range=0.1,
    )
    model = transformers.BertModel(config).eval()
    tokenizer = byte_level()
    tokenizer.model_max_length = n
    loaded = load_model(InMemory(model, tokenizer), silent).part("text")
    if implementation == "eager":
        loaded = loaded.private()
        loaded.network.set_attn_implementation("eager")
    return loaded


def long_text(n: int) -> Text:
    return Text(0, (("the big cat sat under a red mat because it was tired. " * n)[: 4 * n],))


def one_long(way: str, n: int) -> None:
    """One text by one way, in a process of its own: its seconds and the memory that it took."""
    torch.set_num_threads(1)
    loaded = long_model(way)
    text = long_text(n)
    _, read, _ = tokenized(loaded, [text], n)
    assert len(read[0].tokens) == n, len(read[0].tokens)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def work() -> None:
        if way == "eager":
            eager_way(loaded, read[0])
        else:
            census(loaded, [text], n, _BY)

    took = statistics.median(seconds(work) for _ in range(3 if n <= 512 else 1))
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(json.dumps({"tokens": len(read[0].tokens), "seconds": took, "MB": peak}))


def beside_eager() -> None:
    print("one text: the census beside output_attentions and the same measures")
    for n in LENGTHS:
        times: dict[str, list[float]] = {"census": [], "eager": []}
        said: dict[str, Any] = {}
        for _ in range(3 if n <= 512 else 1):
            for way, found in times.items():
                said[way] = _apart("long", way, str(n))
                found.append(said[way]["seconds"])
        times_as_much = ratio(times["eager"], times["census"])
        for way in times:
            print(f"  {said[way]['tokens']:,} tokens, {way}: {times[way][-1]:.2f} s, ", end="")
            print(f"{said[way]['MB']:,.0f} MB more")
        print(f"  eager / census: {times_as_much:.1f}")
    layers, heads = 6, 12
    print("  the eager way holds all weights:", end="")
    for n in (4096, 8192, 16384):
        print(f" {n:,} tokens {layers * heads * n * n * 4 / 2**30:,.1f} GiB;", end="")
    print()


def _apart(*words: str) -> Any:
    """What a process of its own prints."""
    command = [sys.executable, "-m", "benchmarks.corpus", *words]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return {"tokens": int(words[-1]), "seconds": float("inf"), "MB": float("inf")}
    return json.loads(done.stdout.splitlines()[-1])


# --- memory, queries, Ray ---------------------------------------------------------------------


def memory(n: int) -> None:
    """The memory of a run over so many texts with a tiny model, in a process of its own."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "model").mkdir()
        model = tiny_model("Model", folder / "model")
        file = folder / "texts.txt"
        with file.open("w") as out:
            out.writelines(f"the cat {i} sat on a mat . it was {i % 97}\n" for i in range(n))
        run(Corpus(file), folder / "heads", Settings(f"path:{model}"), Here())
    print(json.dumps({"MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


def memories() -> None:
    found = {n: _apart("memory", str(n))["MB"] for n in (1000, 100_000)}
    print("memory of a run: " + ", ".join(f"{n:,} texts {mb:,.0f} MB" for n, mb in found.items()))


def queries() -> None:
    """A folder of 32 layers of 32 heads, and what a page asks of it."""
    torch.manual_seed(0)
    config = transformers.BertConfig(
        hidden_size=64,
        num_hidden_layers=32,
        num_attention_heads=32,
        intermediate_size=64,
        vocab_size=300,
        initializer_range=0.5,
    )
    source = InMemory(transformers.BertModel(config).eval(), byte_level())
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "heads"
        corpus = Corpus(None, lines=["the cat " + s[:40] for s in sentences(400)])
        run(corpus, path, Settings(source), Here())
        size = sum(f.stat().st_size for f in path.rglob("*") if f.is_file()) / 2**20
        folder = CorpusFolder(path)
        asked: dict[str, Callable[[], object]] = {
            "all heads": lambda: CorpusFolder(path).heads,
            "a histogram": lambda: folder.histogram(17, 5, "entropy"),
            "distances": lambda: folder.distances(17, 5),
            "tokens": lambda: folder.tokens(17, 5, "key"),
            "examples": lambda: folder.examples(17, 5, "entropy"),
            "heads like it": lambda: folder.like(17, 5),
        }
        print(f"a folder of {32 * 32:,} heads and {len(NAMES)} measures, {size:,.0f} MB")
        for name, ask in asked.items():
            ask()
            print(f"  {name}: {statistics.median(seconds(ask) for _ in range(9)) * 1000:.0f} ms")


def on_ray(n: int) -> None:
    """One worker of Ray and two, with MiniLM."""
    try:
        from ray.cluster_utils import Cluster
    except ImportError:
        print("Ray is not installed: requirements-ray.txt")
        return
    took = {}
    for workers in (1, 2):
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": workers})
        engine: Engine = Ray(cluster.address)
        with tempfile.TemporaryDirectory() as place:
            lines = sentences(64 * workers)
            run(Corpus(None, lines=lines), Path(place) / "warm", Settings(shard_texts=32), engine)
            corpus, into = Corpus(None, lines=sentences(n)), Path(place) / "heads"
            settings = Settings(shard_texts=256)
            took[workers] = seconds(lambda c=corpus, i=into, s=settings, e=engine: run(c, i, s, e))  # type: ignore[misc]
        engine.close()
        cluster.shutdown()
    print(f"Ray, {n:,} sentences: one worker {took[1]:.1f} s, two {took[2]:.1f} s: ", end="")
    print(f"{took[1] / took[2]:.2f} times as fast")


def gpu(n: int) -> None:
    """Half precision on a GPU: beside float32, beside the forward pass alone, and long texts."""
    if not torch.cuda.is_available():
        print("There is no GPU here.")
        return
    torch.set_num_threads(os.cpu_count() or 1)
    loaded = load_model(Embedded(), silent)
    there = placed(loaded)
    weights = next(there.network.parameters())
    print(f"MiniLM on {torch.cuda.get_device_name()}, {weights.dtype}, {n:,} sentences")
    texts = texts_of(n)
    precision(loaded, there, texts[:1000])
    beside_forward(there, texts)
    print("one text, MiniLM's shape with random weights, half precision")
    for length in GPU_LENGTHS:
        print(f"  {length:,} tokens: {long_on_gpu(length)}")


def precision(loaded: LoadedModel, there: LoadedModel, texts: Sequence[Text]) -> None:
    """How far the means in half precision are from those in float32."""
    exact, half = (census(which, texts, 512, _BY).sums for which in (loaded, there))
    assert exact is not None
    assert half is not None
    for m, name in enumerate(NAMES):
        if not exact.count[m]:
            continue
        apart = abs(half.total[m] - exact.total[m]) / exact.count[m]
        mean = abs(exact.total[m]) / exact.count[m]
        print(f"  {name:<20} mean off by {apart.max():.1e}, of up to {mean.max():.3g}")


def beside_forward(there: LoadedModel, texts: Sequence[Text]) -> None:
    """The census and the forward pass alone, shard by shard in turns."""
    own = there.private()
    own.network.set_attn_implementation("sdpa")
    shards = [texts[i : i + SHARD_TEXTS] for i in range(0, len(texts), SHARD_TEXTS)]
    census(there, shards[0], 512, _BY)
    whole, alone, cut, tokens = [], [], [], 0
    for shard in shards:
        start = time.perf_counter()
        _, read, _ = tokenized(there, shard, 512)
        cut.append(time.perf_counter() - start)
        tokens += sum(len(r.tokens) for r in read)
        whole.append(seconds(lambda s=shard: census(there, s, 512, _BY)))  # type: ignore[misc]
        alone.append(seconds(lambda r=read: on_gpu(own, r)))  # type: ignore[misc]
    print(f"  census {sum(whole):.1f} s, of it tokenizing {sum(cut):.1f} s; ", end="")
    print(f"forward pass alone {sum(alone):.1f} s: ", end="")
    reading = [a - b for a, b in zip(whole, cut, strict=True)]
    print(f"without tokenizing {ratio(reading, alone):.2f} times; ", end="")
    print(f"{tokens / sum(whole):,.0f} tokens a second")
    plan(tokens / len(texts), tokens / sum(whole))


def on_gpu(loaded: LoadedModel, read: Sequence[Read]) -> None:
    types = {t.text: 0 for r in read for t in r.tokens}
    device = next(loaded.network.parameters()).device
    with torch.inference_mode():
        for batch in batches(read, types):
            loaded.network(**batch.to(device).inputs)
    torch.cuda.synchronize()


def long_on_gpu(n: int) -> str:
    """One text of so many tokens by the census and by the eager way; or where that one ends."""
    said = []
    for way in ("census", "eager"):
        loaded = placed(long_model("census", n))
        if way == "eager":
            loaded = loaded.private()
            loaded.network.set_attn_implementation("eager")
        try:
            said.append(f"{way} {_timed_on_gpu(loaded, way, n)}")
        except torch.cuda.OutOfMemoryError as error:
            said.append(f"{way} ends: {str(error).splitlines()[0][:120]}")
        torch.cuda.empty_cache()
    return "; ".join(said)


def _timed_on_gpu(loaded: LoadedModel, way: str, n: int) -> str:
    text = long_text(n)
    _, (read,), _ = tokenized(loaded, [text], n)

    def work() -> None:
        if way == "eager":
            eager_way(loaded, read)
        else:
            census(loaded, [text], n, _BY)
        torch.cuda.synchronize()

    work()
    torch.cuda.reset_peak_memory_stats()
    took = seconds(work)
    return f"{took:.2f} s, {torch.cuda.max_memory_allocated() / 2**30:.2f} GiB at most"


def workers() -> None:
    """Texts a second of local workers."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        loaded = long_model("census")
        loaded.whole.save_pretrained(folder / "model")
        loaded.tokenizer.save_pretrained(folder / "model")
        for n in (1, 2, 4, 8, 16):
            if n > (os.cpu_count() or 1):
                break
            pool = Pool(n)
            told: list[Progress] = []
            settings = Settings(f"path:{folder / 'model'}", shard_texts=128)
            corpus = Corpus(None, lines=sentences(512 * n))
            run(corpus, folder / f"heads{n}", settings, pool, told.append)
            pool.close()
            # From the first shards on, when every worker has its model.
            seen = [p for p in told if p.doing == "Reading" and p.n_shards >= n]
            rate = (seen[-1].new_tokens - seen[0].new_tokens) / (seen[-1].seconds - seen[0].seconds)
            print(f"{n} workers: {rate:,.0f} tokens a second")


def main() -> None:
    torch.set_num_threads(1)
    words = sys.argv[1:]
    if words[:1] == ["long"] and len(words) == 3:
        one_long(words[1], int(words[2]))
    elif words[:1] == ["memory"] and len(words) == 2:
        memory(int(words[1]))
    elif words and not words[0].isdigit():
        parts: dict[str, Callable[[], None]] = {
            "long": beside_eager,
            "memory": memories,
            "queries": queries,
            "ray": lambda: on_ray(2048),
            "gpu": lambda: gpu(int(words[1]) if len(words) > 1 else 10 * SHARD_TEXTS),
            "workers": workers,
        }
        parts[words[0]]()
    else:
        beside_plain(int(words[0]) if words else 3 * SHARD_TEXTS)
        beside_eager()
        memories()
        queries()


if __name__ == "__main__":
    main()
