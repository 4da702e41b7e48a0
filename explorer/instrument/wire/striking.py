"""What is worth a look as blocks of a payload; `numbers/data.js` keeps them.

- ``striking``: what is found in all heads (`Striking`): ``findings``, or a ``silence``;
- ``effects``: what is known of the model's answer with each head off: the layers that are ``done``,
  of what ``measure`` it is, once all are done the ``finding``; or the ``reason`` why there is none.

Both are all in what is said of the block, which holds no numbers. What was found of a trace is kept
as long as the trace is.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal
from weakref import WeakKeyDictionary

import numpy as np

from explorer.analysis.striking import Finding, Striking, moved_most, striking
from explorer.errors import ExplorerError
from explorer.instrument.wire.container import Block, of_bytes
from explorer.layers import Doubles
from explorer.trace import AttentionTrace

QUICK = 2**17  # weights that are read for a first payload: 20 ms; 42 tokens in 72 heads

Report = Callable[[str, float | None], None]
Measure = Literal["text", "token"]
"""What moves: the vector of the text turns, or that of the first token gets shorter."""
Effects = Callable[[int], Doubles]
"""How far the answer moves with each head of a layer off alone, ``[head]``."""


@dataclass
class _Moves:
    """What is known of switching heads off."""

    done: dict[int, Doubles] = field(default_factory=dict)
    reason: str = ""


_found: "WeakKeyDictionary[AttentionTrace, Striking]" = WeakKeyDictionary()
_moves: "WeakKeyDictionary[AttentionTrace, _Moves]" = WeakKeyDictionary()


def told_blocks(trace: AttentionTrace) -> list[Block]:
    """What is known of a trace already, or found in no time."""
    quick = int(np.prod(trace.shape, dtype=np.int64)) <= QUICK
    blocks = [striking_block(trace)] if quick or trace in _found else []
    return blocks + ([_effects_known(trace)] if trace in _moves else [])


def striking_block(trace: AttentionTrace, report: Report = lambda doing, share: None) -> Block:
    """What is worth a look in a trace; found once."""
    found = _found.get(trace)
    if found is None:
        found = _found[trace] = striking(trace, report)
    findings = [_said(finding) for finding in found.findings]
    return of_bytes({"kind": "striking", "findings": findings, "silence": found.silence}, b"")


def effects_block(trace: AttentionTrace, number: int, effects: Effects) -> Block:
    """What is known once the heads of one more layer were off.

    Args:
        trace: The trace.
        number: The model's own number of the layer.
        effects: Switches the heads of a layer off.
    """
    moves = _moves.setdefault(trace, _Moves())
    if number in trace.numbers and number not in moves.done:
        try:
            moves.done[number] = effects(number)
        except ExplorerError as error:
            moves.reason = str(error)
    return _effects_known(trace)


def _effects_known(trace: AttentionTrace) -> Block:
    moves = _moves[trace]
    finding = None
    if set(moves.done) == set(trace.numbers):
        effects = np.stack([moves.done[number] for number in trace.numbers])
        finding = moved_most(trace.numbers, effects)
    about = {
        "kind": "effects",
        "done": sorted(moves.done),
        "measure": measure_of(trace),
        "finding": finding and _said(finding),
        "reason": moves.reason,
    }
    return of_bytes(about, b"")


def measure_of(trace: AttentionTrace) -> Measure:
    """What is measured of a model's answer to a text, or to two."""
    return "text" if len(trace.texts) == 1 else "token"


def _said(finding: Finding) -> dict[str, Any]:
    return {
        "kind": finding.kind,
        "layer": finding.layer,
        "head": finding.head,
        "queries": finding.queries,
        "keys": finding.keys,
        "number": finding.number,
        "baselines": finding.baselines,
        "n_heads": finding.n_heads,
    }
