"""How much a model will be, counted while it is built of nothing: before a number of it is made.

A configuration has many numbers, and any of them may be the length of a loop. So the network is
built on PyTorch's meta device, where tensors have a shape and no numbers, and the building is
stopped as soon as it has become more than the model's files can hold, or has done more than any
model's building does.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any

import torch
from torch.nn.modules import module as torch_module

from explorer.errors import ExplorerError
from explorer.language import t
from explorer.limits import MODELS_MB
from explorer.sources.memory import check_fits

_MODULES = 30_000  # 48 layers with a hundred experts each come to about 20,000
_BUFFER_BYTES = 2**30  # of what is no weight: tables of positions
_CALLS = 3_000_000  # of functions; the largest models make about half a million
_SECONDS = 5  # of the processor: tables of positions that are made one by one take half of one


class _TooMuchError(Exception):
    """What is built has become too much; its text says of what."""


class _Count:
    """Counts what one thread builds.

    PyTorch tells of every module, parameter and buffer that any thread makes; others may be
    building at the same time.
    """

    def __init__(self, most_numbers: int) -> None:
        self.most_numbers = most_numbers
        self.numbers, self.modules, self.buffer_bytes, self.calls = 0, 0, 0, 0
        self._thread, self._began = threading.get_ident(), time.thread_time()

    def parameter(self, _module: Any, _name: str, parameter: Any) -> None:
        if parameter is not None and self._is_mine():
            self.numbers += parameter.numel()
            self._check(self.numbers, self.most_numbers, t("numbers"))

    def module(self, _module: Any, _name: str, submodule: Any) -> None:
        if submodule is not None and self._is_mine():
            self.modules += 1
            self._check(self.modules, _MODULES, t("parts"))

    def buffer(self, _module: Any, _name: str, buffer: Any) -> None:
        if buffer is not None and self._is_mine():
            self.buffer_bytes += buffer.numel() * buffer.element_size()
            self._check(self.buffer_bytes, _BUFFER_BYTES, t("bytes of tables"))

    def call(self, _frame: FrameType, _event: str, _of: Any) -> None:
        self.calls += 1
        self._check(self.calls, 2 * _CALLS, t("steps"))  # a call is told when it begins and ends
        if self.calls % 64 == 0:
            self._check(time.thread_time() - self._began, _SECONDS, t("seconds of work"))

    def _is_mine(self) -> bool:
        return threading.get_ident() == self._thread

    def _check(self, found: float, most: int, what: str) -> None:
        if found > most:
            raise _TooMuchError(t("more than {most} {what}", most=f"{most:,}", what=what))


@contextmanager
def counting_steps(name: str, what: str) -> Iterator[None]:
    """Stop what has gone on for more steps than any model's takes: a number in it may be anything.

    Args:
        name: The model's name.
        what: What it is that a number asks for.

    Raises:
        ExplorerError: It was stopped.
    """
    try:
        with _watched(_Count(0)):
            yield
    except _TooMuchError as error:
        raise _too_much(name, what, error) from error


@contextmanager
def _watched(count: _Count) -> Iterator[None]:
    before = sys.getprofile()
    sys.setprofile(count.call)
    try:
        yield
    finally:
        sys.setprofile(before)


def _too_much(name: str, what: str, error: BaseException) -> ExplorerError:
    return ExplorerError(
        t(
            "“{name}” was not loaded: a number in its config.json asks for {what} "
            "of {error}, which is more than its files can hold.",
            name=name,
            what=what,
            error=error,
        )
    )


def check_need(name: str, build: Callable[[], torch.nn.Module], held: int) -> torch.nn.Module:
    """Refuse a model that needs far more numbers than its files hold, or more than fit in memory.

    Args:
        name: The model's name.
        build: Builds the network.
        held: Bytes of its files.

    Returns:
        The network, without numbers.

    Raises:
        ExplorerError: It does, or it cannot be built.
    """
    most = 2 * held  # a number takes a byte at least; a pooler may be missing
    count = _Count(most)
    try:
        with ExitStack() as stack:
            for register, told in (
                (torch_module.register_module_parameter_registration_hook, count.parameter),
                (torch_module.register_module_module_registration_hook, count.module),
                (torch_module.register_module_buffer_registration_hook, count.buffer),
            ):
                stack.callback(register(told).remove)
            stack.enter_context(_watched(count))
            stack.enter_context(torch.device("meta"))
            network = build()
    except _TooMuchError as error:
        if count.numbers > most:
            raise ExplorerError(
                t(
                    "The weights of “{name}” cannot be loaded: the files are damaged or do "
                    "not fit the model's config.json, which asks for more than {most} "
                    "numbers.",
                    name=name,
                    most=f"{most:,}",
                )
            ) from error
        raise _too_much(name, "a model", error) from error
    except Exception as error:
        raise ExplorerError(
            t(
                "“{name}” cannot be built: its config.json asks for what cannot be, or "
                "for a model that Transformers has no plain network of.",
                name=name,
            )
        ) from error
    _check_memory(name, 4 * sum(p.numel() for p in network.parameters()), count.buffer_bytes)
    return network


def _check_memory(name: str, needed: int, tables: int) -> None:
    """Refuse what does not fit in memory, or would push out every other model for good."""
    if needed > MODELS_MB * 2**20:
        raise ExplorerError(
            t(
                "“{name}” takes {value} MB once it is loaded, four bytes for every "
                "number; at most {models_mb} MB are for models here "
                "(EXPLORER_MODELS_MB). Choose a smaller model.",
                name=name,
                value=f"{needed / 2**20:,.0f}",
                models_mb=f"{MODELS_MB:,}",
            )
        )
    check_fits(needed + tables, f"“{name}”", t("Choose a smaller model."))
