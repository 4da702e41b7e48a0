"""What MiniLM's heads could do without, and what cheaper attention costs: `make efficiency`.

Measured here and written to docs/efficiency.md.
"""

import json
import math
import os
import platform
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from explorer.analysis.survival import WITHOUT, Survival, survival, without
from explorer.cheaper import Cheap, Kind
from explorer.headname import head_name
from explorer.instrument.wire.efficiency import WAYS
from explorer.run import Run
from explorer.scratch.costs import LENGTHS, REACH, WIDTH, Costs, measure_costs
from explorer.scratch.grammar import as_text, tell
from explorer.sources import EXAMPLES, trace_run
from explorer.sources.replacing import replace_heads
from explorer.trace import AttentionTrace

PAGE = Path(__file__).parent / "efficiency.md"
GPU = PAGE.with_name("efficiency_gpu.json")
SHARE = 0.9
HARBOUR = (
    "The harbour of the town lies behind a long wall, and whoever wants to see the boats must "
    "walk to its end. In spring the fishermen paint them, each in the colours of his family, "
    "and the children are allowed to write the names. Anna wrote hers on the smallest one when "
    "she was six; the letters lean to the left, because she sat on the right side of it. Years "
    "later she bought the boat from her uncle, who had become too old for the sea, and he asked "
    "only that the name should stay. When the storm came that took the wall away, she had been "
    "in the city for a month. The neighbours pulled what they could onto the square: ropes, "
    "baskets, an engine, two boats that nobody claimed. They did not find hers. It was seen "
    "once more, people say, far beyond the lighthouse, upright and empty, as if somebody had "
    "just stepped out of it. She did not believe them. But every year, on the day of the storm, "
    "she walks to where the wall ended, and looks for the letters that lean to the left."
)
LEAST: dict[Kind, str] = {
    "window": "The heads that a window is enough for, with its reach to each side",
    "top": "The heads that the fewest keys in each row are enough for",
    "rank": "The heads of the lowest rank",
}
PUT: tuple[Cheap, ...] = (
    Cheap("window", 8),
    Cheap("global", 8),
    Cheap("top", 8),
    Cheap("rank", 8),
    Cheap("window", 32),
    Cheap("global", 32),
    Cheap("top", 32),
    Cheap("rank", 32),
    Cheap("linear"),
    Cheap("features", 256),
    Cheap("landmarks", 32),
    Cheap("pooled", 64),
)


def stories() -> str:
    """Little stories, about 500 tokens of MiniLM's."""
    return " ".join(as_text(tell(seed).words) for seed in range(5))


TEXTS = {
    "paragraph": next(e.run.text for e in EXAMPLES if e.title == "Paragraph"),
    "harbour": HARBOUR,
    "stories": stories(),
}


def main() -> None:
    """Measure all, and write the page as it grows."""
    read = {name: trace_run(Run(text)) for name, text in TEXTS.items()}
    found = {name: survival(trace) for name, trace in read.items()}
    long = trace_run(Run(" ".join([HARBOUR, stories(), HARBOUR, HARBOUR])))  # 512 tokens
    lines: list[str] = []
    for part in (
        _begin(),
        _findings(found),
        _heads(read, found),
        _put(found),
        _costs(measure_costs(lengths=(*LENGTHS, 8192))),
        _on_gpu(),
        _time(timed(long)),
    ):
        lines += part
        PAGE.write_text("\n".join(lines), "utf-8")


def timed(trace: AttentionTrace) -> tuple[int, float, float]:
    """Tokens; seconds that all ways but ranks take, and ranks, of all heads.

    The least of several: others at work on the machine can only make it slower.
    """
    kinds: list[Kind] = [kind for kind in WAYS if kind != "rank"]
    parts: list[list[Kind]] = [kinds, ["rank"]]
    seconds = []
    for part in parts:
        times = []
        for _ in range(5):
            start = time.perf_counter()
            survival(trace, part)
            times.append(time.perf_counter() - start)
        seconds.append(min(times))
    return len(trace.key_tokens), seconds[0], seconds[1]


def _begin() -> Iterator[str]:
    yield "# Cheaper attention"
    yield ""
    yield "Written by `make efficiency`; every number is measured. The definitions stand in"
    yield "`explorer/cheaper.py` and `explorer/analysis/survival.py`; the page *Efficiency* shows"
    yield "the same of any text and model. The texts are three in `docs/efficiency.py`."
    yield ""


def _time(seconds: tuple[int, float, float]) -> Iterator[str]:
    n, others, ranks = seconds
    yield "## How long it takes"
    yield ""
    yield f"All 72 heads of all-MiniLM-L6-v2 on {n} tokens: all windows, all windows with global"
    yield "tokens, all numbers of largest weights, the linear kernel, and the budgets of features,"
    yield f"landmarks and pooled keys in {others:.1f} s; all ranks in {ranks:.1f} s"
    yield f"({os.cpu_count()} cores of {platform.machine()}, which others used too)."
    yield ""


def _findings(found: dict[str, Survival]) -> Iterator[str]:
    """Six findings, each with the line that gives its numbers of a text."""

    def each(kind: Kind, budget: int, at: tuple[int, int] | None = None) -> str:
        kept = [own.curves[kind].at(budget) for own in found.values()]
        return ", ".join(f"{100 * (x.mean() if at is None else x[at]):.0f} %" for x in kept)

    def least(kind: Kind, most: int) -> str:
        needs = [own.curves[kind].needs(SHARE) for own in found.values()]
        return ", ".join(str(int(((x >= 0) & (x <= most)).sum())) for x in needs)

    yield "## Six findings"
    yield ""
    yield f"Numbers are of the texts {', '.join(TEXTS)}, in this order. Before each line stands:"
    yield ""
    yield "    import explorer; from docs.efficiency import TEXTS"
    yield "    from explorer.analysis.survival import survival"
    yield '    curves = survival(explorer.trace(TEXTS["harbour"])).curves'
    yield ""
    said = (
        f"**Hardly any head is a window.** With 8 tokens to each side {each('window', 8)} of the "
        f'attention survive, the mean of all heads. `curves["window"].at(8).mean()`',
        f"**Two tokens are much of what windows lack.** With [CLS] and [SEP] as global tokens the "
        f'same windows keep {each("global", 8)}. `curves["global"].at(8).mean()`',
        f"**Two heads are nearly windows of 1**: L0·H2, which looks at the token before, keeps "
        f"{each('window', 1, (0, 2))}, and L1·H8, which looks at the one after, "
        f'{each("window", 1, (1, 8))}. `curves["window"].at(1)[[0, 1], [2, 8]]`',
        f"**Many heads are of rank 1**: of 72, {least('rank', 1)} have nine tenths of their energy "
        "in one singular value: they look at the same tokens whoever asks. "
        '`(curves["rank"].needs(0.9) == 1).sum()`',
        f"**Those that are windows have no low rank**: at rank 8 L0·H2 has "
        f"{each('rank', 8, (0, 2))} of its energy, the mean of all heads is {each('rank', 8)}. "
        '`curves["rank"].at(8)[0, 2]`',
        f"**A kernel in the place of the softmax does not fit a model that was trained without "
        f"it**: elu + 1 keeps {each('linear', 1)}, and 256 random features {each('features', 256)}"
        '. `curves["features"].at(256).mean()`',
    )
    for number, sentence in enumerate(said, 1):
        yield f"{number}. {sentence}"
    yield ""
    yield "What survives of a map is not yet what the model does: the last table but one below."
    yield ""


def _heads(read: dict[str, AttentionTrace], found: dict[str, Survival]) -> Iterator[str]:
    yield f"## What is enough for {SHARE:.0%} of a head"
    yield ""
    yield "The plainest way that keeps so much at no more than a quarter of the numbers; how many"
    yield "of the 72 heads."
    yield ""
    yield "| text | tokens | " + " | ".join(WAYS[kind].name for kind in WITHOUT) + " | none |"
    yield "|---" * (len(WITHOUT) + 3) + "|"
    for name, trace in read.items():
        own = without(trace, found[name], SHARE)
        counts = [int((own.ways == at).sum()) for at in (*range(len(WITHOUT)), -1)]
        yield f"| {name} | {len(trace.key_tokens)} | " + " | ".join(map(str, counts)) + " |"
    yield ""
    for kind, what in LEAST.items():
        yield from _best(read, found, kind, what)
    yield from _means(found)


def _best(
    read: dict[str, AttentionTrace], found: dict[str, Survival], kind: Kind, what: str
) -> Iterator[str]:
    """Six heads that need the least of a way on all texts, and the one that needs most."""
    needs = np.stack([own.curves[kind].needs(SHARE) for own in found.values()])
    worst = needs.max(axis=0)
    order = [divmod(int(i), worst.shape[1]) for i in np.argsort(worst, axis=None, kind="stable")]
    numbers = next(iter(read.values())).numbers

    def said(at: tuple[int, int]) -> str:
        return f"{head_name(numbers[at[0]], at[1])} ({', '.join(map(str, needs[:, *at]))})"

    listed = "; ".join(map(said, order[:6]))
    yield f"- {what}, on the texts: {listed}. The most needs {said(order[-1])}."


def _means(found: dict[str, Survival]) -> Iterator[str]:
    yield ""
    yield "What survives on average over all heads:"
    yield ""
    yield "| made cheaper by | " + " | ".join(found) + " |"
    yield "|---" * (len(found) + 1) + "|"
    for cheap in PUT:
        kept = [own.curves[cheap.kind].at(cheap.budget).mean() for own in found.values()]
        yield f"| {_name(cheap)} | " + " | ".join(f"{x:.3f}" for x in kept) + " |"
    yield ""


def _put(found: dict[str, Survival]) -> Iterator[str]:
    yield "## All heads really replaced"
    yield ""
    yield "The cosine of the text’s mean vector with and without; in brackets the least of a token."
    yield ""
    yield "| made cheaper by | " + " | ".join(TEXTS) + " |"
    yield "|---" * (len(TEXTS) + 1) + "|"
    for cheap in PUT:
        made = [
            replace_heads(Run(text), cheap, None, found[name].everywhere)
            for name, text in TEXTS.items()
        ]
        cells = (f"{one.pooled:.4f} ({one.cosine.min():.3f})" for one in made)
        yield f"| {_name(cheap)} | " + " | ".join(cells) + " |"
    yield ""


def _name(cheap: Cheap) -> str:
    return WAYS[cheap.kind].given.format(cheap.budget)


def _costs(costs: Costs) -> Iterator[str]:
    yield "## Time and memory over the length"
    yield ""
    yield from _measured(costs)


def _on_gpu() -> Iterator[str]:
    """What was once measured on a GPU, and is kept."""
    if not GPU.is_file():
        return
    costs = Costs(**json.loads(GPU.read_text("utf-8")))
    yield "### On a GPU"
    yield ""
    yield f"The same on one {costs.device}: {costs.heads} heads in bfloat16. Written once by"
    yield "`python -m docs.efficiency gpu` to `docs/efficiency_gpu.json`; a dash is where the"
    yield "memory of the GPU ended. sdpa is FlashAttention’s own code there."
    yield ""
    yield from _table(costs)


def _measured(costs: Costs) -> Iterator[str]:
    yield f"One head of width {WIDTH}, a window of {REACH} to each side, random numbers, torch"
    yield f"{torch.__version__} with {torch.get_num_threads()} threads; milliseconds, in brackets"
    yield "MB of the tensors that a pass makes at once. The slope is that of time from 1,024"
    yield "tokens on."
    yield ""
    yield from _table(costs)


def _table(costs: Costs) -> Iterator[str]:
    yield "| tokens | " + " | ".join(costs.seconds) + " |"
    yield "|---" * (len(costs.seconds) + 1) + "|"
    for i, n in enumerate(costs.lengths):
        cells = (
            f"{1e3 * costs.seconds[name][i]:.2f} ({costs.memory[name][i] / 2**20:.2f})"
            if math.isfinite(costs.seconds[name][i])
            else "–"
            for name in costs.seconds
        )
        yield f"| {n:,} | " + " | ".join(cells) + " |"
    yield "| slope | " + " | ".join(f"{x:.2f}" for x in costs.slopes.values()) + " |"
    for other in ("eager", "sdpa"):
        yield f"| faster than {other} from | " + " | ".join(_from(costs, other)) + " |"
    yield ""


def _from(costs: Costs, other: str) -> Sequence[str]:
    found = (None if name == other else costs.pays[name][other] for name in costs.seconds)
    return [f"{n:,}" if n else "—" for n in found]


def measure_gpu() -> None:
    """Measure the costs on the GPU of this machine, and keep them."""
    GPU.write_text(json.dumps(asdict(measure_costs(device="cuda")), indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    measure_gpu() if "gpu" in sys.argv else main()
