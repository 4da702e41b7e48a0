"""The experiments behind the Article's corrections; what they gave is kept in article_facts.json.

The article is 自注意力机制(Self-Attention Mechanism)原理与代码实战案例讲解. Its module stands in
article_code.txt, word for word, and is run here. `python -m docs.article` writes the file, a test
finds all but the seconds again; so a page shows them before torch is there.
"""

import functools
import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent
KEPT = _HERE / "article_facts.json"
_WORDS = ("the", "cat", "chased", "the", "dog")
_OTHER = (0, 4, 2, 3, 1)  # the dog chased the cat
_WIDTH, _HEADS = 8, 2  # of the layer whose words change places
_KEYS, _DRAWN = 32, 64  # keys of a row, and maps drawn for each d_k
WIDTHS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


def article_code() -> str:
    """The article's module, as the article prints it."""
    return (_HERE / "article_code.txt").read_text("utf-8")


@functools.cache
def kept_facts() -> dict[str, Any]:
    """What the experiments gave when they were last written; no torch is needed for it."""
    found: dict[str, Any] = json.loads(KEPT.read_text("utf-8"))
    return found


def found_facts() -> dict[str, Any]:
    """All experiments but the measured time, which is another on every machine."""
    return {
        "order": order_facts(),
        "scale": scale_facts(),
        "rows": rows_facts(),
        "faults": fault_facts(),
        "mended": mended_facts(),
    }


def cost_facts(report: Callable[[str, float | None], None]) -> dict[str, Any]:
    """Measured time of the from-scratch layer over the length, and its counted multiplications."""
    import torch

    from explorer.scratch.experiments import WIDTH, measure_cost

    found = measure_cost(report)
    return {
        "lengths": list(found.lengths),
        "seconds": [float(f"{one:.4g}") for one in found.seconds],
        "slope": round(found.slope, 3),
        "multiplications": multiplications(found.lengths),
        "width": WIDTH,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
    }


def multiplications(lengths: Sequence[int]) -> list[int]:
    """Those that one pass of the layer makes with all its weights, counted by torch."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from explorer.scratch.attention import SelfAttention
    from explorer.scratch.experiments import WIDTH

    layer, found = SelfAttention(WIDTH, 1).eval(), []
    for n in lengths:
        x = torch.zeros(1, n, WIDTH)
        with torch.inference_mode(), FlopCounterMode(display=False) as counter:
            layer(x, x, x, return_weights=True)
        found.append(counter.get_total_flops() // 2)  # it counts the addition beside each, too
    return found


def order_facts() -> dict[str, Any]:
    """A small layer with its words, so that a browser can change their order, and two answers.

    All numbers are in double precision: what is off by 1e-15 is rounding, what is off by more is
    the order of the words.
    """
    import torch

    from explorer.scratch.encoder import Encoder, embed, sinusoidal_positions
    from explorer.source import Scratch

    options = Scratch(d_model=_WIDTH, n_heads=_HEADS, n_layers=1, seed=0)
    layer = Encoder(options).layers[0].double().eval()
    x = embed(list(_WORDS), _WIDTH, 0).double()
    places = sinusoidal_positions(len(_WORDS), _WIDTH).double()
    moved = list(_OTHER)

    def answer(read: "torch.Tensor") -> "torch.Tensor":
        with torch.inference_mode():
            out: torch.Tensor = layer(read[None], read[None], read[None], return_weights=True)[0]
        return out[0]

    with torch.inference_mode():
        off = {
            "without": float((answer(x)[moved] - answer(x[moved])).abs().max()),
            "with": float((answer(x + places)[moved] - answer(x[moved] + places)).abs().max()),
        }
    return {
        "words": list(_WORDS),
        "n_heads": _HEADS,
        "x": x.tolist(),
        "positions": places.tolist(),
        "maps": {
            name: {"weight": part.weight.tolist(), "bias": part.bias.tolist()}
            for name, part in layer.named_children()
        },
        "moved": moved,
        "answers": {
            "without": answer(x[moved]).tolist(),
            "with": answer(x[moved] + places).tolist(),
        },
        "off": off,
    }


def scale_facts() -> dict[str, Any]:
    """The spread of scores and the entropy of their softmax over d_k, with and without √d_k."""
    import torch

    draw = torch.Generator().manual_seed(0)
    found: dict[str, dict[str, list[float]]] = {
        name: {"spread": [], "entropy": []} for name in ("divided", "plain")
    }
    for width in WIDTHS:
        q, k = (torch.randn(_DRAWN, _KEYS, width, generator=draw).double() for _ in range(2))
        products = q @ k.transpose(-2, -1)
        for name, scores in (("divided", products * width**-0.5), ("plain", products)):
            weights = scores.softmax(-1)
            bits = -torch.special.xlogy(weights, weights).sum(-1) / torch.log(torch.tensor(2.0))
            found[name]["spread"].append(round(float(scores.std(correction=0)), 5))
            found[name]["entropy"].append(round(float(bits.mean()), 5))
    return {"widths": list(WIDTHS), "keys": _KEYS, **found}


def rows_facts() -> dict[str, Any]:
    """W_Q·X and X·W_Qᵀ + b of small whole numbers, and what torch says of the first for rows."""
    import torch

    x = torch.tensor([[1.0, 2, 0, -1], [0, 1, 1, 2], [2, 0, -1, 1]])
    layer = torch.nn.Linear(4, 4).requires_grad_(False)
    layer.weight.copy_(torch.tensor([[1.0, 0, 2, 1], [0, 1, 1, 0], [-1, 1, 0, 2], [2, 0, 1, -1]]))
    layer.bias.copy_(torch.tensor([1.0, 0, -1, 2]))
    with torch.inference_mode():
        return {
            "x": x.tolist(),
            "weight": layer.weight.tolist(),
            "bias": layer.bias.tolist(),
            "rows": layer(x).tolist(),
            "columns": (layer.weight @ x.T + layer.bias[:, None]).tolist(),
            "error": _said(lambda: layer.weight @ x)["says"],
        }


# — the article's module and ours, asked the same —


def article_class() -> Any:
    """The article's `SelfAttention`, made of its own text."""
    names: dict[str, Any] = {}
    exec(compile(article_code(), "the article", "exec"), names)  # a file of this package
    return names["SelfAttention"]


_SETUP = "layer = SelfAttention(512, 8)"
FAULTS: tuple[tuple[str, str, str], ...] = (  # name, what makes the layer, what is asked of it
    ("lengths", _SETUP, "layer(texts(1, 10), keys := texts(1, 7), keys)"),
    ("mask", _SETUP, "layer(x := texts(1, 10), x, x, mask=causal(10))"),
    ("batch", _SETUP, "layer(texts(2, 5), keys := texts(1, 10), keys)"),
    ("width", _SETUP, "layer(x := torch.randn(1, 10, 500), x, x)"),
    ("heads", "layer = SelfAttention(512, 7)", "layer(x := texts(1, 10), x, x)"),
)


def fault_facts() -> list[dict[str, Any]]:
    """Each question of `FAULTS`, and what either module answers."""
    from explorer.scratch.attention import SelfAttention

    both = {"article": article_class(), "ours": SelfAttention}
    return [
        {"name": name, "made": made, "asked": asked}
        | {whose: _said(partial(_ask, own, made, asked)) for whose, own in both.items()}
        for name, made, asked in FAULTS
    ]


def mended_facts() -> dict[str, Any]:
    """What our layer's weights are where the article's has none: of two lengths, and of a mask."""
    import torch

    from explorer.scratch.attention import SelfAttention

    draw = torch.Generator().manual_seed(0)
    x, keys = torch.randn(1, 10, 512, generator=draw), torch.randn(1, 7, 512, generator=draw)
    layer = SelfAttention(512, 8).eval()
    with torch.inference_mode():
        wide = layer(x, keys, keys, return_weights=True)[1]
        masked = layer(x, x, x, causal=True, return_weights=True)[1]
    return {"weights": list(wide.shape), "later": float(masked.triu(1).amax())}


def _ask(own: Any, made: str, asked: str) -> Any:
    """Make a layer and ask it, as the two lines say; both are from `FAULTS`."""
    import torch

    draw = torch.Generator().manual_seed(0)
    names: dict[str, Any] = {
        "torch": torch,
        "SelfAttention": own,
        "texts": lambda batch, n: torch.randn(batch, n, 512, generator=draw),
        "causal": lambda n: torch.ones(n, n, dtype=torch.bool).tril(),
    }
    with torch.inference_mode():
        exec(made, names)
        return eval(asked, names)


def _said(make: Callable[[], Any]) -> dict[str, Any]:
    """What comes of a call: the shape of its answer, or what it says against it."""
    from explorer.errors import ExplorerError

    try:
        found = make()
    except (ExplorerError, RuntimeError, TypeError) as error:
        return {"fails": True, "says": f"{type(error).__name__}: {error}"}
    return {"fails": False, "says": f"torch.Size({list(found.shape)})"}
