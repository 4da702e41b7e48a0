"""A text as turns of a conversation, as a reader writes them: lines that begin with who speaks."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

ROLES = ("system", "user", "assistant")
_CALLED = {"human": "user", "gpt": "assistant", "chatgpt": "assistant", "bot": "assistant"}
_BEGINS = re.compile(rf"^[ \t]*({'|'.join(ROLES)})[ \t]*:[ \t]*", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Turn:
    """What somebody says.

    Attributes:
        role: Who speaks, one of `ROLES`.
        content: The words, without white space round them.
    """

    role: str
    content: str


def turns_of(text: str) -> tuple[Turn, ...]:
    """The turns of a text; what stands before the first line that names a speaker is the user's.

    A line goes on with the turn before it unless it begins with ``system:``, ``user:`` or
    ``assistant:``, in any case.
    """
    begins = list(_BEGINS.finditer(text))
    first = text[: begins[0].start()] if begins else text
    found = [Turn("user", first.strip())] if first.strip() else []
    ends = [*(b.start() for b in begins[1:]), len(text)]
    for begin, end in zip(begins, ends, strict=False):
        found.append(Turn(begin[1].lower(), text[begin.end() : end].strip()))
    return tuple(found)


def as_text(turns: Iterable[Turn]) -> str:
    """Turns as `turns_of` reads them, each on lines of its own."""
    return "\n".join(f"{turn.role}: {turn.content}" for turn in turns)


def turns_in(said: object) -> tuple[Turn, ...] | None:
    """The turns of a list as files have it; None where it is of something else.

    A turn is an object with ``role`` and ``content``, or with ``from`` and ``value`` as ShareGPT
    has it, who calls the user ``human`` and the assistant ``gpt``.
    """
    if not isinstance(said, list):
        return None
    found = []
    for turn in said:
        if not isinstance(turn, dict):
            return None
        names = ("from", "value") if turn.get("role") is None else ("role", "content")
        role, content = (turn.get(name) for name in names)
        role = _CALLED.get(role, role) if isinstance(role, str) else None
        if role not in ROLES or not isinstance(content, str):
            return None
        found.append(Turn(role, content.strip()))
    return tuple(found)


def cut(turns: Iterable[Turn], most: int) -> tuple[Turn, ...]:
    """The turns that `as_text` writes in so many characters, the last of them cut."""
    found: list[Turn] = []
    for turn in turns:
        most -= len(turn.role) + 3
        if most <= 0:
            break
        found.append(Turn(turn.role, turn.content[:most].strip()))
        most -= len(turn.content)
    return tuple(found)
