"""What a reader should know of a result: what was cut, what is unknown, what no link carries."""

import unicodedata
from dataclasses import dataclass

from explorer.language import tn
from explorer.limits import MAX_TOKENS
from explorer.run import Run
from explorer.source import Hub
from explorer.sources.catalogue import KNOWN, Known
from explorer.trace import AttentionTrace, Token
from explorer.visible import visible

UNKNOWN_SHARE = 0.2  # from this share of unknown tokens on another model is offered
_CHINESE, _MANY = "google-bert/bert-base-chinese", "google-bert/bert-base-multilingual-cased"


@dataclass(frozen=True, slots=True)
class Note:
    """One thing to know.

    Attributes:
        label: In a word or two.
        says: In a sentence.
    """

    label: str
    says: str


@dataclass(frozen=True, slots=True)
class Other:
    """A model that may know the words that this one does not.

    Attributes:
        name: As the hub writes it.
        size: What it brings to download; empty where it is on this machine.
    """

    name: str
    size: str


def notes_of(trace: AttentionTrace, run: Run | None = None) -> tuple[Note, ...]:
    """What is to be known of a trace, and of the run that it came from.

    Args:
        trace: What is shown.
        run: What it is the trace of, where that is known.
    """
    model = trace.model
    found = [Note("about the model", sentence) for sentence in model.notes]
    for segment, n_cut in enumerate(trace.n_cut):
        if n_cut:
            found.append(Note(f"✂ {n_cut:,} {_tokens(n_cut)} cut", _cut(trace, segment)))
    unknown, read = unknown_tokens(trace), [t for t in trace.tokens if not t.special]
    if unknown:
        label = f"{len(unknown):,} of {len(read):,} tokens unknown"
        found.append(Note(label, _unknown(trace, unknown, len(read))))
    if model.part in ("cross", "decoder") and run and not (run.second or run.written):
        says = (
            f"{model.name} wrote the second text itself, always taking the likeliest token. Turn "
            "on “Second text” to give it another."
        )
        found.append(Note("second text by the model", says))
    if run:
        found += _of_writing(run)
    if run and run.edits:
        says = "What this shows is not the model as it is: its attention was changed, so: "
        found.append(Note("attention changed", says + "; ".join(run.edits.in_words()) + "."))
    if run and run.is_of_a_file():
        says = "This shows a file of yours: a shared address will not carry it."
        found.append(Note("not in a link", says))
    elif run and not run.fits_link():
        says = "This text is too long for a link: a shared address will not carry it."
        found.append(Note("not in a link", says))
    return tuple(found)


def _tokens(n: int) -> str:
    return "token" if n == 1 else "tokens"


def _cut(trace: AttentionTrace, segment: int) -> str:
    """Whose limit it is that a text was cut at, and what was read of it."""
    model, which = trace.model, ("text", "second text")[segment]
    kept = sum(t.segment == segment and not t.special for t in trace.tokens)
    end = "last" if model.truncation_side == "left" else "first"
    read = (
        f"{end} {kept:,} of the {which} were read, {trace.n_cut[segment]:,} were cut. A ✂ marks "
        "the place in the reading view."
    )
    if model.max_tokens == MAX_TOKENS < (model.own_tokens or MAX_TOKENS + 1):
        own = f"takes {model.own_tokens:,}" if model.own_tokens else "sets no limit"
        return (
            f"This server reads at most {model.max_tokens:,} tokens at once, and {model.name} "
            f"itself {own}: whoever runs the server may raise EXPLORER_MAX_TOKENS and start it "
            f"again. The {read}"
        )
    return f"{model.name} takes at most {model.max_tokens:,} tokens: the {read}"


def _of_writing(run: Run) -> list[Note]:
    """That a text is a conversation, and that there is more of it than was given."""
    found = []
    if run.chat:
        says = (
            "Its turns are written as the model’s own chat template writes them: marks, roles and "
            "line breaks are the template’s."
        )
        found.append(Note("a conversation", says))
    if n := len(run.written):
        says = (
            f"The last {n:,} {_tokens(n)} were not given but written behind the text, by the model "
            "or chosen one by one. The reading view underlines them."
        )
        found.append(Note(f"{n:,} of them written", says))
    return found


def unknown_tokens(trace: AttentionTrace) -> list[Token]:
    """The tokens that stand for a piece of text which the model's vocabulary does not have."""
    name = trace.model.unknown_token
    return [t for t in trace.tokens if name and t.span and not t.special and t.text == name]


def _unknown(trace: AttentionTrace, unknown: list[Token], n_read: int) -> str:
    """What is not known, and what knows it."""
    are = "is" if len(unknown) == 1 else "are"
    said = (
        f"{len(unknown)} of {n_read} tokens {are} {trace.model.unknown_token}, hatched in the "
        f"reading view: this model’s vocabulary has no “{visible(_first(trace, unknown)[:20])}”."
    )
    other = known_elsewhere(trace)
    if other:
        said += f" Try the hub model {other.name}; the from-scratch layer takes any script."
    return said


def unknown_in_words(trace: AttentionTrace) -> str:
    """How much of a text is not known, in a sentence."""
    unknown, n_read = unknown_tokens(trace), sum(not t.special for t in trace.tokens)
    return tn(
        "{n} of {read} tokens is {token}: {model} does not know what stands there.",
        "{n} of {read} tokens are {token}: {model} does not know what stands there.",
        len(unknown),
        read=n_read,
        token=trace.model.unknown_token,
        model=trace.model.name,
    )


def _first(trace: AttentionTrace, unknown: list[Token]) -> str:
    """The first piece of text that is not known."""
    start, end = unknown[0].span or (0, 0)
    return trace.texts[unknown[0].segment][start:end]


def known_elsewhere(trace: AttentionTrace) -> Known | None:
    """A model that knows the script of what this one does not; None where too little is unknown."""
    unknown, n_read = unknown_tokens(trace), sum(not t.special for t in trace.tokens)
    if not unknown or len(unknown) < UNKNOWN_SHARE * n_read:
        return None
    letters = _first(trace, unknown)
    chinese = any(unicodedata.name(c, "").startswith("CJK UNIFIED") for c in letters)
    name = _CHINESE if chinese else _MANY
    if trace.model.name == name:
        return None  # it does not know it either
    return next(known for known in KNOWN if known.name == name)


def other_of(trace: AttentionTrace) -> Other | None:
    """The model that is offered for what this one does not know, with what it brings."""
    known = known_elsewhere(trace)
    if known is None:
        return None
    from explorer.sources.download import is_downloaded

    here = is_downloaded(Hub(known.name))
    return Other(known.name, "" if here else f"{known.megabytes:,} MB")
