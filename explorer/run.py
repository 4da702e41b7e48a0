"""Run: what a reader asked for. Hashable; the cache key and the link both come from it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from explorer.edits import NO_EDITS, Edits
from explorer.errors import ExplorerError
from explorer.language import t
from explorer.lesson import Trained
from explorer.limits import MAX_CHARACTERS, MAX_LINES
from explorer.picture import Picture
from explorer.source import (
    Embedded,
    InMemory,
    Model,
    Own,
    Scratch,
    Source,
    Transplanted,
    source_from_query,
    source_to_query,
)
from explorer.visible import is_blank, visible

PARTS = ("cross", "encoder", "decoder")  # of an encoder-decoder; the first is what is shown first
FIRST_SENT = 1_000_001  # UTF-16 units of a longer text that a page sends; guard.js cuts there
_LANGUAGE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,23}")
_NUMBERS = re.compile(r"\d{1,9}(\.\d{1,9})*", re.ASCII)
_MOST_WRITTEN = 100_000  # tokens; far more than any model here reads
LINK_BYTES = 6_000  # servers and chat programs commonly refuse links of 8 kB


@dataclass(frozen=True, slots=True)
class Run:
    """A text, perhaps a second one, or a picture, and what shall read them.

    Equal runs give equal traces, in any process: everything random is seeded.

    Attributes:
        text: The text; empty where there is a picture or an uploaded tensor.
        second: The second text of a pair, or what an encoder-decoder shall write.
        source: What reads them.
        part: The attention of an encoder-decoder that is wanted, one of `PARTS`.
        picture: What a vision model shall look at, in place of a text.
        source_language: Of a model that translates: the language of the text, as its tokenizer
            calls it (``en``, ``eng_Latn``, ``en_XX``); None leaves it to the model's files.
        target_language: The language that it shall write.
        written: Numbers of the tokens that stand behind the text, or behind what an
            encoder-decoder has begun to write: written by the model, or chosen by the reader one
            by one. Numbers and not letters, as a text does not always give back its tokens.
        edits: What is changed in the model's attention.
        chat: Whether the text is a conversation, whose turns the model's own template writes
            (`conversation.py`).

    Raises:
        ExplorerError: The text is blank, or far too long for what others use too; or a language
            is no name.
    """

    text: str = ""
    second: str | None = None
    source: Source = field(default_factory=Embedded)
    part: str = PARTS[0]
    picture: Picture | None = None
    source_language: str | None = None
    target_language: str | None = None
    written: tuple[int, ...] = ()
    edits: Edits = NO_EDITS
    chat: bool = False

    def __post_init__(self) -> None:
        for name in ("source_language", "target_language"):
            object.__setattr__(self, name, _language(getattr(self, name)))
        if self.part not in PARTS:
            raise ExplorerError(
                t(
                    "There is no attention “{part}”; an encoder-decoder has {parts}.",
                    part=self.part,
                    parts=", ".join(PARTS),
                )
            )
        if self.picture is not None or isinstance(self.source, Own):
            object.__setattr__(self, "text", "")
            object.__setattr__(self, "second", None)
            object.__setattr__(self, "written", ())
            object.__setattr__(self, "edits", NO_EDITS)
            object.__setattr__(self, "chat", False)
            return
        object.__setattr__(self, "written", tuple(self.written))
        _check_written(self.written)
        object.__setattr__(self, "text", readable(self.text))
        second = readable(self.second or "")
        object.__setattr__(self, "second", None if is_blank(second) else second)
        if self.chat and self.second is not None:
            raise ExplorerError(
                t(
                    "A conversation is one text: write its turns one below the other, and turn off "
                    "the second text."
                )
            )
        if is_blank(self.text):
            raise ExplorerError(
                t("There is no text to read yet. Type or paste some, then press Run.")
            )
        if not isinstance(self.source, InMemory):  # what others share is bounded
            _check_length(self.texts)

    @property
    def languages(self) -> tuple[str | None, str | None]:
        """The source's and the target's language; None for what nobody has chosen."""
        return self.source_language, self.target_language

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.text,) if self.second is None else (self.text, self.second)

    def by_line(self) -> "list[Run]":
        """Each line of the text as a run of its own, blank ones left out.

        A file is one run, and so is a conversation.

        Raises:
            ExplorerError: There are too many.
        """
        if self.is_of_a_file() or self.chat:
            return [self]
        lines = [line for line in self.text.splitlines() if not is_blank(line)]
        if len(lines) > MAX_LINES:
            raise ExplorerError(
                t(
                    "There are {lines} lines; at most {max_lines} can be read as texts of their "
                    "own. Shorten the list, or read it as one text.",
                    lines=f"{len(lines):,}",
                    max_lines=MAX_LINES,
                )
            )
        return [replace(self, text=line, second=None, written=(), edits=NO_EDITS) for line in lines]

    def to_query(self) -> dict[str, str]:
        """The run as URL parameters; `from_query` gives it back."""
        query = {"text": self.text}
        if self.second is not None:
            query["second"] = self.second
        if self.part != PARTS[0]:
            query["part"] = self.part
        names = ("source_language", "target_language")
        query |= {n: v for n, v in zip(names, self.languages, strict=True) if v is not None}
        if self.written:
            query["written"] = ".".join(map(str, self.written))
        if self.chat:
            query["chat"] = "1"
        if self.edits:
            query["edits"] = self.edits.in_link()
        return query | source_to_query(self.source)

    def is_of_a_file(self) -> bool:
        """Whether it shows what a reader uploaded, which no link can carry."""
        return self.picture is not None or isinstance(self.source, Own)

    def check_is_unchanged(self) -> None:
        """Refuse what reads a model as it is where its attention is changed.

        Raises:
            ExplorerError: It is.
        """
        if self.edits:
            raise ExplorerError(
                t("This reads the unchanged model. Take back your changes to see it.")
            )

    def check_is_for_a_model(self) -> None:
        """Refuse what only a model of text, or the from-scratch layer, can be asked.

        Raises:
            ExplorerError: There is no model behind the weights, or there is no text.
        """
        if isinstance(self.source, Own):
            raise ExplorerError(
                t(
                    "An uploaded file holds attention weights and no model, so there is nothing "
                    "more to compute from. Explore, Compare and Heads show it; for this page "
                    "choose another model, then press Run."
                )
            )
        if self.picture is not None and not isinstance(self.source, Model | InMemory):
            raise ExplorerError(
                t(
                    "The from-scratch layer reads text, not pictures. Turn off “Picture”, or "
                    "choose a vision model such as google/vit-base-patch16-224."
                )
            )
        if self.chat and not isinstance(self.source, Model | InMemory):
            raise ExplorerError(
                t(
                    "The from-scratch layer has no chat template. Turn off “As a conversation”, or "
                    "choose a model that was trained on conversations."
                )
            )
        if self.languages != (None, None) and isinstance(
            self.source, Scratch | Trained | Transplanted
        ):
            raise ExplorerError(
                t(
                    "The from-scratch layer has no languages to choose between. Leave them out, or "
                    "choose a model that translates, such as facebook/m2m100_418M."
                )
            )

    def fits_link(self) -> bool:
        """Whether a link can carry this run."""
        return not self.is_of_a_file() and len(urlencode(self.to_query())) <= LINK_BYTES

    @staticmethod
    def from_query(query: Mapping[str, str]) -> "Run | None":
        """The run that a link asks for; None if it names no text.

        Raises:
            ExplorerError: The link names something that cannot be run.
        """
        if not query.get("text"):
            return None
        source, part = source_from_query(query), query.get("part", PARTS[0])
        languages = query.get("source_language"), query.get("target_language")
        behind = _written(query.get("written", "")), Edits.of_link(query.get("edits", ""))
        second, chat = query.get("second"), query.get("chat") == "1"
        return Run(query["text"], second, source, part, None, *languages, *behind, chat)


def _language(name: str | None) -> str | None:
    if not name:
        return None
    if not _LANGUAGE.fullmatch(name):
        raise ExplorerError(
            t(
                "“{name}” is no name of a language as tokenizers have them, such as en, "
                "eng_Latn or en_XX.",
                name=visible(name[:40]),
            )
        )
    return name


def _written(said: str) -> tuple[int, ...]:
    """The tokens that a link says were written."""
    if said and not _NUMBERS.fullmatch(said):
        raise ExplorerError(
            t(
                "The link says written = {said}; it must be numbers of tokens, such as 12.5.9.",
                said=f"{said[:20]!r}",
            )
        )
    return tuple(map(int, filter(None, said.split("."))))


def _check_written(written: tuple[int, ...]) -> None:
    if len(written) > _MOST_WRITTEN or any(type(i) is not int or i < 0 for i in written):
        raise ExplorerError(
            t(
                "What was written must be at most {most_written} numbers of tokens, from 0 on.",
                most_written=f"{_MOST_WRITTEN:,}",
            )
        )


def _check_length(texts: tuple[str, ...]) -> None:
    length, most = sum(map(len, texts)), min(MAX_CHARACTERS, FIRST_SENT - 1)
    if any(len(text.encode("utf-16-le")) == 2 * FIRST_SENT for text in texts):
        raise ExplorerError(
            t(
                "This text has {length} characters or more: no more of it was sent. At most "
                "{most} can be read at once: shorten the text and press Run again.",
                length=f"{length:,}",
                most=f"{most:,}",
            )
        )
    if length > most:
        raise ExplorerError(
            t(
                "This text has {length} characters; at most {most} can be read at once. "
                "Nothing was changed: shorten the text and press Run again.",
                length=f"{length:,}",
                most=f"{most:,}",
            )
        )


def readable(text: str) -> str:
    """The text with lone surrogates, which no tokenizer and no socket takes, made visible."""
    return re.sub(r"[\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", text)
