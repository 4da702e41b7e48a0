"""A property that is computed at its first use and then kept."""

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

Value = TypeVar("Value")


class once(Generic[Value]):  # noqa: N801  # used as @property is
    """What ``functools.cached_property`` is from Python 3.12 on.

    That of Python 3.11 holds one lock for the property of all objects while it computes one. Work
    that lets other work go on meanwhile (`Job.tick`) must hold no such lock: the other would wait
    for it with the turn in its hand, and both for ever. Here two threads may compute the same value
    at once; the same is kept then.
    """

    def __init__(self, make: Callable[[Any], Value]) -> None:
        self._make, self._name = make, make.__name__
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Value: ...
    def __get__(self, instance: object | None, owner: type) -> Self | Value:
        """The value; computed where the object does not have it yet."""
        if instance is None:
            return self
        # What stands in the object's own dictionary is found before a property without a setter.
        made: Value = instance.__dict__.setdefault(self._name, self._make(instance))
        return made
