"""Sentences in the reader's language.

A sentence is written in English where it belongs, as a message with named places, and stays
English while it travels: a result is found once and read by many. It is a `Said`, which remembers
how it was made; whoever shows it renders it in the reader's language (`say`, `say_all`). The
catalogues are gettext's, one folder a language (`locale/`), for the browser's part as well.
"""

import functools
import gettext
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

ENGLISH = "en"

_LOCALE = Path(__file__).parent / "locale"
_PLACE = re.compile(r"\{(\w*)\}")  # one without a name is often filled in a browser
_CONTEXT = "\x04"  # between the context and the message, in gettext's files

_spoken: ContextVar[str | None] = ContextVar("spoken", default=None)
_ask_reader: list[Callable[[], str | None]] = []  # how the page finds the language of its reader


class Said(str):
    """An English sentence that remembers its message and what fills its places."""

    __slots__ = ("context", "many", "message", "number", "values")
    message: str
    many: str | None
    number: int
    context: str
    values: Mapping[str, object]

    def __str__(self) -> str:
        """Itself: so the sentence of an error is still one that can be said."""
        return self

    def format(self, *args: object, **values: object) -> "Said":
        """The same sentence with these in its places, as they are."""
        return _made(self.message, self.many, self.number, self.context, {**self.values, **values})

    def __reduce__(self) -> tuple[Any, ...]:
        """How it is kept in a file or sent to another process."""
        return _made, (self.message, self.many, self.number, self.context, dict(self.values))


def _made(
    message: str, many: str | None, count: int, context: str, values: Mapping[str, object]
) -> Said:
    chosen = message if many is None or count == 1 else many
    said = Said(_filled(chosen, values))
    said.message, said.many, said.number = message, many, count
    said.context, said.values = context, values
    return said


def t(message: str, /, **values: object) -> Said:
    """A sentence; what stands in ``{name}`` is put there as it is, and may be a sentence itself."""
    return _made(message, None, 1, "", values)


def tn(one: str, many: str, n: int, /, **values: object) -> Said:
    """A sentence about a number of things, ``{n}`` in it unless that is given otherwise."""
    return _made(one, many, n, "", {"n": n, **values})


def tc(context: str, message: str, /, **values: object) -> Said:
    """A word that means different things in different places: its context says which."""
    return _made(message, None, 1, context, values)


def listed(items: Sequence[object]) -> str:
    """Things one after the other: a, b and c."""
    if len(items) < 2:
        only: object = items[0] if items else ""
        return only if isinstance(only, str) else str(only)
    start: object = items[0]
    for item in items[1:-1]:
        start = t("{start}, {next}", start=start, next=item)
    return t("{start} and {last}", start=start, last=items[-1])


def one_behind_the_other(items: Sequence[object]) -> object:
    """Things one behind the other that may have commas within: a; b; c."""
    start: object = items[0] if items else ""
    for item in items[1:]:
        start = t("{start}; {next}", start=start, next=item)
    return start


def sentences(*parts: str) -> Said:
    """Whole sentences one behind the other, as a language sets them."""
    kept = [part for part in parts if part]
    if not kept:
        return _made("", None, 1, "", {})
    start = kept[0]
    for part in kept[1:]:
        start = t("{sentence} {next}", sentence=start, next=part)
    return start if isinstance(start, Said) else t("{sentence}", sentence=start)


def _filled(message: str, values: Mapping[str, object]) -> str:
    """A message with its places filled; one that nothing is known of stays as it is."""
    return _PLACE.sub(lambda m: str(values.get(m[1], m[0])), message)


def say(sentence: str, language: str | None = None) -> str:
    """A sentence in a language, or the one spoken now; what is no message stays as it is."""
    if not isinstance(sentence, Said):
        return sentence
    return _said(sentence, language or spoken())


def _said(sentence: Said, language: str) -> str:
    if language == ENGLISH:
        return "".join(sentence)  # plain, whatever it was made of
    values = {
        name: _said(value, language) if isinstance(value, Said) else value
        for name, value in sentence.values.items()
    }
    return _filled(_translated(sentence, language), values)


def _translated(sentence: Said, language: str) -> str:
    if not sentence.message:
        return ""  # gettext keeps what is to be known of a catalogue under it
    catalogue = catalogue_of(language)
    if sentence.many is not None:
        return catalogue.ngettext(sentence.message, sentence.many, sentence.number)
    if sentence.context:
        return catalogue.pgettext(sentence.context, sentence.message)
    return catalogue.gettext(sentence.message)


def say_all(tree: Any, language: str | None = None) -> Any:
    """The same lists and tables with every sentence in them said."""
    language = language or spoken()
    return tree if language == ENGLISH else _all_said(tree, language)


def _all_said(tree: Any, language: str) -> Any:
    if isinstance(tree, Said):
        return _said(tree, language)
    if isinstance(tree, Mapping):
        return {_all_said(k, language): _all_said(v, language) for k, v in tree.items()}
    if isinstance(tree, list | tuple):
        return [_all_said(value, language) for value in tree]
    return tree


def spoken() -> str:
    """The language of whoever is spoken to now."""
    if chosen := _spoken.get():
        return chosen
    asked = _ask_reader[-1]() if _ask_reader else None
    return asked if asked in languages() else ENGLISH


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Inside, this language is spoken, by this thread."""
    token = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(token)


def asks_reader(how: Callable[[], str | None]) -> None:
    """From now on, the language is what this says, where no other is set."""
    _ask_reader[:] = [how]


@functools.cache
def languages() -> dict[str, str]:
    """The languages there are, each with what it calls itself."""
    codes = (path.parts[-3] for path in sorted(_LOCALE.glob("*/LC_MESSAGES/explorer.mo")))
    name = tc("a language's own name", "English")
    return {ENGLISH: str(name)} | {code: _said(name, code) for code in codes}


def nearest(wanted: str | None) -> str | None:
    """The language there is for a locale such as ``zh-Hans-CN``; None where there is none."""
    code = re.split(r"[-_]", wanted or "")[0].lower()
    return code if code in languages() else None


@functools.cache
def catalogue_of(language: str) -> gettext.NullTranslations:
    """The catalogue of a language; an empty one where there is none."""
    path = _LOCALE / language / "LC_MESSAGES" / "explorer.mo"
    if not re.fullmatch(r"\w+", language) or not path.is_file():
        return gettext.NullTranslations()
    with path.open("rb") as file:
        return gettext.GNUTranslations(file)


def messages_within(text: str, language: str) -> dict[str, str | list[str]]:
    """The translations of messages that stand as string literals in some code.

    Returns:
        For each message, with its context before it where it has one, what it is in the language;
        of one with a plural all its forms.
    """
    raw: Mapping[Any, str] = getattr(catalogue_of(language), "_catalog", {})
    found: dict[str, str | list[str]] = {}
    for key, translated in raw.items():
        message = key[0] if isinstance(key, tuple) else key
        literal = message.split(_CONTEXT)[-1].replace("\\", "\\\\").replace('"', '\\"')
        if not message or f'"{literal}"' not in text:
            continue
        if isinstance(key, tuple):
            forms = found.setdefault(message, [])
            assert isinstance(forms, list)
            forms.append(translated)  # gettext keeps them in order
        else:
            found[message] = translated
    return found


def plural_rule(language: str) -> str:
    """Which plural form a number ``n`` takes, as gettext writes it; JavaScript reads it alike."""
    rule = catalogue_of(language).info().get("plural-forms", "plural=(n != 1)")
    found = re.search(r"plural=([n0-9 %=!<>&|?:()+*-]+)", rule)
    return found[1].strip() if found else "n != 1"
