"""One attention of a model as it ran: what it was called with, and what its parts read and gave.

An attention that goes through the tap tells its queries and keys; one that goes another way tells
its weights alone, and its queries and keys are found from what its maps gave (`outside.py`).

Nothing is looked up by name but that a linear map, a norm and a table of embeddings are what they
are. Hooks note them while the model reads a text: norms before the attention, all parts inside it,
and what comes behind it until the output map and the norm behind that are known.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.language import t
from explorer.sources.forward import failing, of_part
from explorer.sources.stream import linear_of
from explorer.sources.tap import Call, Tap, numbers_of

_NUMBER = re.compile(r"(?:^|\.)(\d+)(?:\.|$)")
_NORMS = 4  # before an attention that are kept


class _EnoughError(Exception):
    """Raised where a run has gone as far as it is wanted."""


@dataclass(frozen=True, eq=False)
class Event:
    """A module that ran: what it read and what it gave out, ``[…, d]``."""

    module: Any
    name: str
    read: Tensor | None
    gave: Tensor

    @property
    def is_norm(self) -> bool:
        """Whether it is called a norm."""
        return "norm" in type(self.module).__name__.lower()

    @property
    def is_table(self) -> bool:
        """Whether it is a table of embeddings."""
        return "Embedding" in type(self.module).__name__ and hasattr(self.module, "weight")


@dataclass(eq=False)
class Heard:
    """One attention as it ran.

    Attributes:
        numbers: The model's own numbers of all layers with attention.
        call: What the attention function was called with, with values and weights. Of one that
            goes another way, what it would have been called with, as soon as that is found.
        weights: The weights that an attention which goes another way gave out; else None.
        hidden: What its module read, ``[token, d]``.
        keys_from: What keys and values are made of, ``[key, d]``: the same but in
            cross-attention.
        given: All else that it was called with.
        came: What went into its layer, ``[token, d]``.
        tables: Tables of embeddings that were read before it.
        norms: The last norms before it.
        before: Those of its own layer.
        inside: Its maps and norms, as far as the attention function.
        behind: Maps and norms from there on.
    """

    numbers: tuple[int, ...]
    call: Call
    weights: Tensor | None
    hidden: Tensor
    keys_from: Tensor
    given: list[Any]
    came: Tensor | None
    tables: list[Event]
    norms: list[Event]
    before: list[Event]
    inside: list[Event]
    behind: list[Event]

    @property
    def is_cross(self) -> bool:
        """Whether it looks at another text."""
        return self.keys_from is not self.hidden

    @property
    def joined(self) -> Tensor:
        """The heads' outputs side by side, ``[token, head · d_v]``."""
        weights, value = self.call.weights, self.call.value
        assert weights is not None
        assert value is not None
        times = weights.shape[1] // value.shape[1]
        return (weights @ value.repeat_interleave(times, dim=1))[0].transpose(0, 1).flatten(1)


def listen(
    name: str, network: Any, inputs: dict[str, Any], layer: int, part: str | None = None
) -> Heard:
    """Run a model as far as one attention needs it.

    Args:
        name: The model's name.
        network: What is called.
        inputs: What it is called with.
        layer: The model's own number of the layer.
        part: Which attention of an encoder-decoder.

    Raises:
        ExplorerError: There is no such layer, or the model fails.
    """
    tap = Tap()
    with torch.inference_mode(), failing(name), tap.open():
        network(**inputs)
    calls = of_part(network, tap.calls, part)
    numbers = numbers_of(network, calls)
    if layer not in numbers:
        raise ExplorerError(_no_layer(name, layer, numbers))
    call = calls[numbers.index(layer)]
    # A module may serve several layers (ALBERT): which of its calls it is.
    times = [one for one in tap.calls if one.module is call.module].index(call)
    del tap, calls
    ear = _Ear(network, call.module, times, part == "cross")
    with torch.inference_mode(), failing(name), ear.listening(), ear.open(), suppress(_EnoughError):
        network(**inputs)
    return ear.heard(numbers)


def listen_outside(name: str, network: Any, inputs: dict[str, Any], layer: int) -> Heard | None:
    """The same of a model whose attention does not go through the tap; None if it gives no weights.

    Its call holds the module alone, until the queries and keys are found.

    Raises:
        ExplorerError: There is no such layer.
    """
    found: dict[int, torch.nn.Module] = {}
    names = {id(m): n for n, m in network.named_modules()}

    def look(module: torch.nn.Module, _given: Any, out: Any) -> None:
        number = _NUMBER.search(names[id(module)])
        has_maps = any(linear_of(m) is not None for m in module.modules())
        if number and has_maps and _weights_in(out) is not None:  # the innermost comes first
            found.setdefault(int(number[1]), module)

    hooks = [module.register_forward_hook(look) for module in network.modules()]
    options = {**inputs, "output_attentions": True}
    with torch.inference_mode(), suppress(ExplorerError), failing(name):
        network(**options)
    for hook in hooks:
        hook.remove()
    numbers = tuple(sorted(found))
    if not found:
        return None
    if layer not in found:
        raise ExplorerError(_no_layer(name, layer, numbers))
    ear = _Ear(network, found[layer], 0, False)
    with torch.inference_mode(), failing(name), ear.listening(), suppress(_EnoughError):
        network(**options)
    return ear.heard(numbers)


def _weights_in(out: Any) -> Tensor | None:
    """The weights, ``[1, head, query, key]``, among what an attention gives out."""
    parts = out if isinstance(out, tuple) else ()
    found = [x for x in parts if isinstance(x, Tensor) and x.dim() == 4 and len(x) == 1]
    return found[-1] if found else None


def _no_layer(name: str, layer: int, numbers: tuple[int, ...]) -> str:
    said = t("has the layers 0 to {value}", value=len(numbers) - 1)
    if numbers != tuple(range(len(numbers))):
        some = "layer" if len(numbers) == 1 else "layers"
        said = t("has attention in the {some} {join}", some=some, join=", ".join(map(str, numbers)))
    return t("There is no layer {layer}: {name} {said}.", layer=layer, name=name, said=said)


class _Ear(Tap):
    """A tap that listens to one call of one module, and to what stands around it."""

    def __init__(self, network: Any, module: torch.nn.Module, times: int, cross: bool) -> None:
        super().__init__(keep=False)
        self._cross = cross
        self._network, self._module, self._left = network, module, times
        self._where: Literal["before", "inside", "behind"] = "before"
        self._open = False  # whether the module is under way
        self._hidden: Tensor | None = None
        self._keys: Tensor | None = None
        self._came: Tensor | None = None
        self._weights_out: Tensor | None = None
        self._given: list[Any] = []
        self._tables = list[Event]()
        self._norms, self._before = list[Event](), list[Event]()
        self._inside, self._behind = list[Event](), list[Event]()
        names = {id(m): name for name, m in network.named_modules()}
        found = _NUMBER.search(names[id(module)])
        self._block = found.string[: found.end(1)] if found else ""

    @contextmanager
    def listening(self) -> Iterator[None]:
        """A block in which the modules of the network are heard."""
        hooks = [self._module.register_forward_pre_hook(self._enter, with_kwargs=True)]
        if self._block:
            block = self._network.get_submodule(self._block)
            hooks.append(block.register_forward_pre_hook(self._reach, with_kwargs=True))
        for name, module in self._network.named_modules():
            event = Event(module, name, None, torch.empty(0))
            if event.is_norm or event.is_table or linear_of(module) is not None:
                hooks.append(module.register_forward_hook(self._note(name), with_kwargs=True))
        hooks.append(self._module.register_forward_hook(self._leave))
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def attend(self, module: torch.nn.Module, *about: Any) -> Tensor:
        """The model's own output; of the one call it is all kept."""
        ours = self._where == "inside" and module is self._module
        self._keep = self._values = self._weights = ours
        output = super().attend(module, *about)
        if ours:
            self._where = "behind"
        return output

    def heard(self, numbers: tuple[int, ...]) -> Heard:
        """What was heard."""
        assert self._hidden is not None
        hidden, keys = self._hidden, self._keys
        nothing = torch.empty(0)
        call = self.calls[0] if self.calls else Call(self._module, nothing, nothing, None, {})
        return Heard(
            numbers,
            call,
            self._weights_out,
            hidden,
            hidden if keys is None else keys,
            self._given,
            self._came,
            self._tables,
            self._norms,
            self._before,
            self._inside,
            self._behind,
        )

    def _reach(self, _module: Any, given: tuple[Any, ...], named: dict[str, Any]) -> None:
        if self._where == "before":
            self._before = []
            self._came = next((rows(x) for x in (*given, *named.values()) if _is_stream(x)), None)

    def _enter(self, _module: Any, given: tuple[Any, ...], named: dict[str, Any]) -> None:
        self._left -= 1
        if self._left >= 0 or self._where != "before":
            return
        self._where, self._open = "inside", True
        self._given = [*given, *named.values()]
        streams = [x for x in self._given if _is_stream(x)]
        self._hidden = rows(streams[0])
        self._keys = rows(streams[1]) if self._cross and len(streams) > 1 else None

    def _leave(self, _module: Any, _given: Any, out: Any) -> None:
        if self._where == "behind":
            self._open = False
        elif self._where == "inside":  # it has not gone through the tap
            self._where, self._open, self._weights_out = "behind", False, _weights_in(out)

    def _note(self, name: str) -> Any:
        def note(module: Any, given: tuple[Any, ...], named: dict[str, Any], out: Any) -> None:
            if not isinstance(out, Tensor):
                return
            read = next((x for x in (*given, *named.values()) if isinstance(x, Tensor)), None)
            event = Event(module, name, read, out)
            if self._where == "before":
                if event.is_table:
                    self._tables.append(event)
                elif event.is_norm:
                    self._norms = [*self._norms, event][-_NORMS:]
                    self._before = [*self._before, event][-_NORMS:]
            elif self._where == "inside":
                self._inside.append(event)
            else:
                self._behind.append(event)
                self._stop_after(event)

        return note

    def _stop_after(self, event: Event) -> None:
        """Go on until a map behind the output map, or behind whatever stands in its place."""
        maps = [e for e in self._behind if not e.is_norm]
        if not self._open and len(maps) > 1 and event is maps[-1]:
            raise _EnoughError


def rows(tensor: Tensor) -> Tensor:
    """``[token, d]``: of the one text."""
    return tensor[0] if tensor.dim() == 3 else tensor


def _is_stream(x: Any) -> bool:
    return isinstance(x, Tensor) and x.is_floating_point() and x.dim() == 3
