"""What a reader should know of a result: what was cut, what is unknown, what no link carries."""

import unicodedata
from dataclasses import dataclass
from functools import reduce

from explorer.language import sentences, t, tn
from explorer.limits import MAX_TOKENS
from explorer.run import Run
from explorer.source import Hub
from explorer.sources.catalogue import KNOWN, Known
from explorer.trace import AttentionTrace, Token
from explorer.visible import visible

# What was read of a text, by whether it is its end, and whether it is the second text.
_AT_ITS_OWN = {
    (False, False): t(
        "{model} takes at most {most} tokens: the first {kept} of the text were read, {cut} were "
        "cut. A ✂ marks the place in the reading view."
    ),
    (False, True): t(
        "{model} takes at most {most} tokens: the first {kept} of the second text were read, "
        "{cut} were cut. A ✂ marks the place in the reading view."
    ),
    (True, False): t(
        "{model} takes at most {most} tokens: the last {kept} of the text were read, {cut} were "
        "cut. A ✂ marks the place in the reading view."
    ),
    (True, True): t(
        "{model} takes at most {most} tokens: the last {kept} of the second text were read, {cut} "
        "were cut. A ✂ marks the place in the reading view."
    ),
}
_AT_OURS = {
    (False, False): t(
        "The first {kept} of the text were read, {cut} were cut. A ✂ marks the place in the "
        "reading view."
    ),
    (False, True): t(
        "The first {kept} of the second text were read, {cut} were cut. A ✂ marks the place in "
        "the reading view."
    ),
    (True, False): t(
        "The last {kept} of the text were read, {cut} were cut. A ✂ marks the place in the "
        "reading view."
    ),
    (True, True): t(
        "The last {kept} of the second text were read, {cut} were cut. A ✂ marks the place in the "
        "reading view."
    ),
}
UNKNOWN_SHARE = 0.2  # from this share of unknown tokens on another model is offered
CHINESE, _MANY = "google-bert/bert-base-chinese", "google-bert/bert-base-multilingual-cased"


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
    found = [Note(t("about the model"), sentence) for sentence in model.notes]
    for segment, n_cut in enumerate(trace.n_cut):
        if n_cut:
            found.append(
                Note(
                    tn("✂ {n} token cut", "✂ {n} tokens cut", n_cut, n=f"{n_cut:,}"),
                    _cut(trace, segment),
                )
            )
    unknown, read = unknown_tokens(trace), [token for token in trace.tokens if not token.special]
    if unknown:
        label = t("{n} of {all} tokens unknown", n=f"{len(unknown):,}", all=f"{len(read):,}")
        found.append(Note(label, _unknown(trace, unknown, len(read))))
    if model.part in ("cross", "decoder") and run and not (run.second or run.written):
        says = t(
            "{model} wrote the second text itself, always taking the likeliest token. Turn on "
            "“Second text” to give it another.",
            model=model.name,
        )
        found.append(Note(t("second text by the model"), says))
    if run:
        found += _of_writing(run)
    if run and run.edits:
        says = t(
            "What this shows is not the model as it is: its attention was changed, so: {edits}.",
            edits=reduce(_one_more, run.edits.in_words()),
        )
        found.append(Note(t("attention changed"), says))
    if run and run.is_of_a_file():
        says = t("This shows a file of yours: a shared address will not carry it.")
        found.append(Note(t("not in a link"), says))
    elif run and not run.fits_link():
        says = t("This text is too long for a link: a shared address will not carry it.")
        found.append(Note(t("not in a link"), says))
    return tuple(found)


def _one_more(said: str, edit: str) -> str:
    return t("{start}; {next}", start=said, next=edit)


def _cut(trace: AttentionTrace, segment: int) -> str:
    """Whose limit it is that a text was cut at, and what was read of it."""
    model = trace.model
    kept = sum(token.segment == segment and not token.special for token in trace.tokens)
    limit = {"most": f"{model.max_tokens:,}", "model": model.name, "kept": f"{kept:,}"}
    limit["cut"] = f"{trace.n_cut[segment]:,}"
    last = model.truncation_side == "left"
    if model.max_tokens != MAX_TOKENS or (model.own_tokens or MAX_TOKENS + 1) <= MAX_TOKENS:
        return t(_AT_ITS_OWN[last, segment > 0], **limit)
    if model.own_tokens:
        own = t("{model} itself takes {n}", model=model.name, n=f"{model.own_tokens:,}")
    else:
        own = t("{model} itself sets no limit", model=model.name)
    return sentences(
        t(
            "This server reads at most {most} tokens at once, and {model_itself}: whoever runs "
            "the server may raise EXPLORER_MAX_TOKENS and start it again.",
            most=limit["most"],
            model_itself=own,
        ),
        t(_AT_OURS[last, segment > 0], **limit),
    )


def _of_writing(run: Run) -> list[Note]:
    """That a text is a conversation, and that there is more of it than was given."""
    found = []
    if run.chat:
        says = t(
            "Its turns are written as the model’s own chat template writes them: marks, roles and "
            "line breaks are the template’s."
        )
        found.append(Note(t("a conversation"), says))
    if n := len(run.written):
        says = tn(
            "The last {n} token was not given but written behind the text, by the model or chosen "
            "by the reader. The reading view underlines it.",
            "The last {n} tokens were not given but written behind the text, by the model or "
            "chosen one by one. The reading view underlines them.",
            n,
            n=f"{n:,}",
        )
        found.append(Note(t("{n} of them written", n=f"{n:,}"), says))
    return found


def unknown_tokens(trace: AttentionTrace) -> list[Token]:
    """The tokens that stand for a piece of text which the model's vocabulary does not have."""
    name = trace.model.unknown_token
    return [
        token
        for token in trace.tokens
        if name and token.span and not token.special and token.text == name
    ]


def _unknown(trace: AttentionTrace, unknown: list[Token], n_read: int) -> str:
    """What is not known, and what knows it."""
    said = tn(
        "{n} of {all} tokens is {mark}, hatched in the reading view: this model’s vocabulary has "
        "no “{word}”.",
        "{n} of {all} tokens are {mark}, hatched in the reading view: this model’s vocabulary has "
        "no “{word}”.",
        len(unknown),
        all=n_read,
        mark=trace.model.unknown_token,
        word=visible(_first(trace, unknown)[:20]),
    )
    other = known_elsewhere(trace)
    if not other:
        return said
    return sentences(
        said,
        t("Try the hub model {name}; the from-scratch layer takes any script.", name=other.name),
    )


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
    unknown, n_read = unknown_tokens(trace), sum(not token.special for token in trace.tokens)
    if not unknown or len(unknown) < UNKNOWN_SHARE * n_read:
        return None
    letters = _first(trace, unknown)
    chinese = any(unicodedata.name(c, "").startswith("CJK UNIFIED") for c in letters)
    name = CHINESE if chinese else _MANY
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
