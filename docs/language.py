"""The catalogues: what is said is gathered from the code, joined with what is translated, compiled.

    make language                 # gather, join, compile
    python -m docs.language fr    # begins one

While several translate at once, each has a file of his own beside the catalogue (``zh/anna.po``);
they are joined into it, and deleted unless ``--keep`` is said.

A message is what stands in ``t(…)``, ``tn(…)`` or ``tc(…)``, in Python and JavaScript, a block of
the Guide or the Article, or a term and what it says. One that nobody says any more leaves the
catalogue.
"""

import io
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
LOCALE = ROOT / "explorer/locale"
KEYWORDS = {"t": None, "tn": (1, 2), "tc": ((1, "c"), 2)}
PROSE = ("explorer/ui/guide.md", "explorer/ui/article.md", "explorer/ui/article_6_9.md")
NOT_SAID = ("{figure ", "> ")  # names of figures, and what the article itself says
KEEP = "--keep"
WHEN = datetime(2026, 1, 1, tzinfo=UTC)  # or equal catalogues would differ by their date

Found = tuple[str | tuple[str, ...], str | None, str]
"""A message, or its two forms; its context; and where it stands."""


def messages() -> Iterator[Found]:
    """Every message that the code can say."""
    places = [*sorted(ROOT.glob("explorer/**/*.py")), *sorted(ROOT.glob("pages/*.py"))]
    places += sorted(ROOT.glob("explorer/**/*.js"))
    for path in places:
        method, options = ("python", {})
        if path.suffix == ".js":
            method, options = ("javascript", {"parse_template_string": True})
        where = path.relative_to(ROOT).as_posix()
        with path.open("rb") as file:
            for _, message, _, context in extract(method, file, KEYWORDS, options=options):
                yield message, context, where
    for name in PROSE:
        path = ROOT / name
        if path.is_file():
            yield from ((block, None, name) for block in blocks(path.read_text("utf-8")))
    terms = json.loads((ROOT / "explorer/terms.json").read_text("utf-8"))
    for name, term in terms.items():
        yield name, "term", "explorer/terms.json"
        yield term["says"], None, "explorer/terms.json"


def blocks(text: str) -> Iterator[str]:
    """The blocks of a Markdown text that are said: headings, paragraphs, lists."""
    found = (block.strip() for block in text.split("\n\n"))
    yield from (block for block in found if block and not block.startswith(NOT_SAID))


def gathered() -> Catalog:
    """All messages, none translated."""
    found = Catalog(charset="utf-8", fuzzy=False)
    for message, context, where in messages():
        if message:
            found.add(message, locations=[(where, 0)], context=context)
    return found


def read(path: Path) -> Catalog:
    """What a file has translated."""
    with path.open("rb") as file:
        return read_po(file, charset="utf-8")


def joined(language: str) -> Catalog:
    """The catalogue of a language: all that is said, with what is known of it."""
    folder = LOCALE / language
    main = folder / "LC_MESSAGES/explorer.po"
    known = read(main) if main.is_file() else Catalog(locale=language, charset="utf-8")
    parts = [read(path) for path in sorted(folder.glob("*.po"))]
    whole = Catalog(
        locale=language,
        header_comment="# The sentences of Attention Explorer in another language.",
        project="Attention Explorer",
        version="1",
        msgid_bugs_address="none",
        creation_date=WHEN,
        revision_date=WHEN,
        last_translator="none",
        charset="utf-8",
        fuzzy=False,
    )
    for message in gathered():
        if not message.id:
            continue
        key = message.id[0] if message.pluralizable else message.id
        said = next(
            (
                m.string
                for c in (*parts, known)
                if (m := c.get(key, message.context)) and is_said(m)
            ),
            "",
        )
        whole.add(message.id, said, locations=message.locations, context=message.context)
    return whole


def is_said(message: Message) -> bool:
    """Whether it is translated, in all its forms."""
    forms = message.string if isinstance(message.string, tuple) else (message.string,)
    return all(forms)


def written(catalogue: Catalog) -> bytes:
    """A catalogue as a file, the same for the same messages."""
    out = io.BytesIO()
    write_po(out, catalogue, width=100, sort_by_file=True, include_lineno=False, omit_header=False)
    return out.getvalue()


def compiled(catalogue: Catalog) -> bytes:
    """A catalogue as the app reads it."""
    out = io.BytesIO()
    for message in [message for message in catalogue if message.id and not is_said(message)]:
        catalogue.delete(message.id, message.context)  # or a plural would be its own translation
    write_mo(out, catalogue)
    return out.getvalue()


def main(arguments: list[str]) -> None:
    """Bring the catalogues up to date, and say what is still to be translated."""
    languages = [name for name in arguments if name != KEEP]
    for language in languages or [path.name for path in sorted(LOCALE.iterdir()) if path.is_dir()]:
        catalogue = joined(language)
        missing = sum(1 for message in catalogue if message.id and not is_said(message))
        folder = LOCALE / language / "LC_MESSAGES"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "explorer.po").write_bytes(written(catalogue))
        (folder / "explorer.mo").write_bytes(compiled(catalogue))
        for part in (LOCALE / language).glob("*.po"):
            if KEEP not in arguments:
                part.unlink()
        print(f"{language}: {len(catalogue)} messages, {missing} not translated")


if __name__ == "__main__":
    main(sys.argv[1:])
