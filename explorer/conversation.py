"""A text as turns of a conversation, as a reader writes them: lines that begin with who speaks."""

import re
from dataclasses import dataclass

ROLES = ("system", "user", "assistant")
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
