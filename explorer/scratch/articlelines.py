"""The article's module beside ours, line by line; both are read where they stand."""

import ast
import functools
from dataclasses import dataclass
from pathlib import Path

from explorer.scratch.articlefacts import article_code

Step = tuple[str, tuple[str, ...], tuple[tuple[str, str], ...]]

# What is done; the first words of the article's lines; and where our lines stand, with theirs.
_STEPS: tuple[Step, ...] = (
    (
        "sizes",
        ("self.d_k =",),
        (("__init__", "if n_heads < 1"), ("__init__", "self.d_model, self.n_heads")),
    ),
    (
        "maps",
        ("self.W_Q =", "self.W_K =", "self.W_V =", "self.o ="),
        tuple(("__init__", f"self.{name} =") for name in ("W_Q", "W_K", "W_V", "o")),
    ),
    (
        "split",
        ("Q =", "K =", "V ="),
        (
            *(("forward", f"{name} = self._split") for name in "qkv"),
            ("_split", "return x.unflatten"),
        ),
    ),
    (
        "scores",
        ("scores = torch.matmul",),
        (("attention_weights", "scale ="), ("attention_weights", "scores = (q * scale")),
    ),
    (
        "softmax",
        ("scores = torch.nn",),
        (
            ("attention_weights", "return torch.softmax"),
            ("attention_weights", "seen = scores.masked_fill"),
        ),
    ),
    ("values", ("output = torch.matmul",), (("forward", "heads ="),)),
    ("join", ("output = output.transpose",), (("forward", "joined ="),)),
    ("output", ("output = self.o",), (("forward", "output: Tensor"),)),
)


@dataclass(frozen=True)
class Lines:
    """What one step is in both programs.

    Attributes:
        step: The name of the step.
        article: The article's lines.
        ours: Ours.
    """

    step: str
    article: tuple[str, ...]
    ours: tuple[str, ...]


def lines() -> list[Lines]:
    """All steps, each line quoted as it stands.

    Raises:
        KeyError: A line is no longer there.
    """
    theirs = article_code().splitlines()
    return [
        Lines(
            step,
            tuple(_quoted(theirs, start) for start in starts),
            tuple(_quoted(_functions()[where], start) for where, start in own),
        )
        for step, starts, own in _STEPS
    ]


@functools.cache
def _functions() -> dict[str, list[str]]:
    """The source of every function of our module; read, as to import it would take torch."""
    text = Path(__file__).with_name("attention.py").read_text("utf-8")
    found = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    in_order = sorted(found, key=lambda node: node.lineno)  # what is overloaded stands last
    return {node.name: str(ast.get_source_segment(text, node)).splitlines() for node in in_order}


def _quoted(source: list[str], start: str) -> str:
    found = [line.strip() for line in source if line.strip().startswith(start)]
    if not found:
        raise KeyError(start)
    return found[0]
