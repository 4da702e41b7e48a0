"""Attention Explorer: every attention weight of a from-scratch layer or a real model.

>>> import explorer
>>> trace = explorer.trace("The cat sat on the mat because it was tired.")
>>> trace.weights.shape  # [layer, head, query, key]
(6, 12, 13, 13)

Importing this package is light: torch and transformers are imported by the first trace.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from os import PathLike
from typing import TYPE_CHECKING, Any

# numpy reads this when it is loaded. Its threads wait for each other by running in circles: beside
# others' work the scores of a head took 10 times as long with two threads as with one.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from explorer.edits import Edits
from explorer.errors import ExplorerError
from explorer.language import sentences, t
from explorer.picture import Picture
from explorer.run import Run
from explorer.source import InMemory, Source, parse_source
from explorer.trace import AttentionTrace, Token

if TYPE_CHECKING:
    from explorer.export.notebook import Shown

__all__ = [
    "AttentionTrace",
    "ExplorerError",
    "Run",
    "Token",
    "load",
    "save",
    "show",
    "trace",
    "traces",
]

_SHOWN = 40  # characters of a text in a sentence


def trace(
    text: str = "",
    second: str | None = None,
    *,
    source: str = "bert",
    part: str = "cross",
    picture: object = None,
    source_language: str | None = None,
    target_language: str | None = None,
    written: Sequence[int] = (),
    edits: str = "",
    chat: bool = False,
    model: object = None,
    tokenizer: object = None,
    processor: object = None,
    **options: object,
) -> AttentionTrace:
    """Run a text, or a picture, through a model and keep every attention weight.

    Args:
        text: The text, in any language.
        second: A second text; the model then reads the two as a pair. For an encoder-decoder it
            is what the model shall write; without one the model writes it itself, greedily.
        source: ``bert`` (the embedded all-MiniLM-L6-v2), ``stories`` (the embedded decoder, which
            has learned to tell little stories; ``stories-zh`` does so in Chinese), ``scratch`` (the
            from-scratch layer, random weights), ``trained`` (it after learning a task),
            ``transplant:bert`` (it with BERT's weights), ``hf:NAME`` or ``path:FOLDER``.
        part: Of an encoder-decoder: ``cross``, ``encoder`` or ``decoder``.
        picture: A file for a vision model to look at, in place of a text; or a picture of PIL.
        source_language: Of a model that translates (M2M100, NLLB, mBART): the language of the
            text, as its tokenizer calls it, such as ``en``, ``eng_Latn`` or ``en_XX``.
        target_language: The language that it shall write.
        written: Numbers of tokens that stand behind the text, as a decoder wrote them.
        edits: What is changed in the model's attention, as links say it: ``off:3-1`` switches
            L3·H1 off, ``even:3-1`` lets it look evenly, ``cut:4`` lets no later token look at
            token 4, ``edges:3-1-8-4`` cuts that head's edge from token 8 to token 4; with ``_``
            between several.
        chat: Whether the text is a conversation: lines that begin with ``system:``, ``user:`` or
            ``assistant:``, which the model's own chat template writes.
        model: A model of Transformers that is in memory, in place of a source. It reads as many
            tokens as it can, and is left as it was found.
        tokenizer: Its tokenizer.
        processor: What prepares pictures for it.
        options: For ``scratch``: d_model, n_heads, n_layers, seed, positions, causal. For
            ``trained``: task, length, d_model, n_heads, n_layers, learning_rate, steps, seed,
            corpus.

    Returns:
        The trace; ``trace.weights`` is float32 ``[layer, head, query, key]``.

    Raises:
        ExplorerError: With a sentence that says what is wrong and what to do.
    """
    from explorer.sources import trace_run  # here, so that `import explorer` stays light

    reads = _source(source, model, tokenizer, processor, options)
    languages = (source_language, target_language)
    run = _run(text, second, reads, part, _picture(picture), languages)
    changes = Edits.of_link(edits)
    return trace_run(replace(run, written=tuple(written), edits=changes, chat=chat))


def traces(
    texts: Iterable[str | tuple[str, str]],
    *,
    source: str = "bert",
    part: str = "cross",
    source_language: str | None = None,
    target_language: str | None = None,
    model: object = None,
    tokenizer: object = None,
    progress: bool | Callable[[int, int], None] = False,
    **options: object,
) -> list[AttentionTrace]:
    """Run several texts through one model, which is loaded once.

    Args:
        texts: Each a text, or a text and a second one.
        source: As for `trace`; so are part, the languages, model, tokenizer and options.
        part: Of an encoder-decoder.
        source_language: Of a model that translates: the language of the texts.
        target_language: The language that it shall write.
        model: A model in memory.
        tokenizer: Its tokenizer.
        progress: Whether to print how many are done; or a function that is told it, and how many
            there are.
        options: Of the source.

    Returns:
        A trace for each text, in order.

    Raises:
        ExplorerError: It says which text could not be read. What can be seen beforehand is said
            before anything is computed.
    """
    from explorer.sources import trace_run

    _check_texts(texts)
    asked = [(t, None) if isinstance(t, str) else t for t in texts]
    languages = (source_language, target_language)
    reads = _source(source, model, tokenizer, None, options)
    runs = []
    for i, both in enumerate(asked):
        pair: Any = both
        with _saying_which(i, asked):
            if not isinstance(pair, tuple | list) or len(pair) != 2:
                raise ExplorerError(t("It is neither a text nor two."))
            runs.append(_run(pair[0], pair[1], reads, part, None, languages))
    tell = progress if callable(progress) else _printed if progress else None
    found = []
    for i, run in enumerate(runs):
        with _saying_which(i, asked):
            found.append(trace_run(run))
        if tell:
            tell(i + 1, len(runs))
    return found


def _check_texts(texts: object) -> None:
    """Refuse what is no list of texts."""
    if isinstance(texts, str):
        raise ExplorerError(
            t("These texts are one text: give a list, or call explorer.trace(text).")
        )
    if not isinstance(texts, Iterable):
        raise ExplorerError(
            t(
                "The texts are of the type {name}; they must be a list of texts.",
                name=type(texts).__name__,
            )
        )
    if isinstance(texts, set | frozenset):
        raise ExplorerError(t("The texts are a set, which has no order: give a list of texts."))


def show(
    what: object,
    tokens: object = None,
    key_tokens: object = None,
    *,
    layer: int | None = None,
    head: int | None = None,
    query: str | int | None = None,
    layers: Sequence[int] | None = None,
    heads: Sequence[Sequence[int]] | None = None,
    height: int = 1000,
    view: Mapping[str, str] | None = None,
) -> "Shown":
    """The instrument for a notebook cell: every head, with every interaction, offline.

    Args:
        what: A trace; or attention weights of torch or numpy: one array
            ``[layer, head, query, key]``, ``[head, query, key]`` or ``[query, key]``, or a list of
            layers, as ``outputs.attentions`` is.
        tokens: Of weights: a list of texts, or what a fast tokenizer returned; None for the
            positions as names.
        key_tokens: Of weights: the tokens that are looked at, where they are others.
        layer: The layer to open with, by the model's own number.
        head: The head to open with, from 0.
        query: The token or word to open with: its text (the first of equal ones) or its position.
        layers: The layers to put in; None for all. Of the others the small pictures are there. A
            text of more than about 775 tokens has its heads put in one by one: all of these
            layers; with None the one that is opened.
        heads: Of such a text the heads to put in, (layer, head) each, in place of `layers`.
        height: Of the cell, in pixels.
        view: The rest of what is seen, by the names that a link of the app uses: “Copy as Python”
            writes it. What cannot be is left as usual.

    Raises:
        ExplorerError: These are no weights, there is no such place, or it is more than a page
            holds.
    """
    from explorer.export.notebook import shown

    if not isinstance(what, AttentionTrace):
        from explorer.sources.at_hand import trace_at_hand

        what = trace_at_hand(what, tokens, key_tokens)
    elif tokens is not None or key_tokens is not None:
        raise ExplorerError(t("A trace has its own tokens: give them with weights alone."))
    return shown(
        what,
        layer=layer,
        head=head,
        query=query,
        layers=layers,
        heads=heads,
        height=height,
        view=view,
    )


def save(trace: AttentionTrace, file: str | PathLike[str]) -> None:
    """Write a trace as NPZ: q, k and the score rule, or all weights if they are smaller.

    Args:
        trace: What to write.
        file: Where to. What stands there stays until the new file is complete.

    Raises:
        ExplorerError: This is no trace, or it cannot be written there.
    """
    from explorer.export.files import write_whole
    from explorer.sources.stored import write_npz

    if not isinstance(trace, AttentionTrace):
        raise ExplorerError(
            t(
                "This is of the type {name}, not a trace: save what explorer.trace returns; "
                "what explorer.show returns has a save of its own.",
                name=type(trace).__name__,
            )
        )
    write_whole(file, lambda out: write_npz(trace, out))


def load(file: str | PathLike[str]) -> AttentionTrace:
    """Read what `save` wrote, the same bit for bit; or weights of one's own, NPZ or safetensors.

    Args:
        file: The file. Nothing in it is run, whoever has written it.

    Raises:
        ExplorerError: There is none, or it holds something else.
    """
    from explorer.sources.own import trace_of_file

    return trace_of_file(*_bytes_and_name(file))


def _source(
    spec: str, model: object, tokenizer: object, processor: object, options: dict[str, Any]
) -> Source:
    if model is None:
        if tokenizer is not None or processor is not None:
            raise ExplorerError(t("A tokenizer or a processor reads for a model: give model= too."))
        if not isinstance(spec, str):
            raise ExplorerError(
                t(
                    "source= is of the type {name}; it must be a text such as “bert” or “hf:NAME”. "
                    "A model in memory is model=.",
                    name=type(spec).__name__,
                )
            )
        return parse_source(spec, **options)
    if spec != "bert":
        raise ExplorerError(
            t("There are two models, source=“{spec}” and model=: give one of them.", spec=spec)
        )
    if options:
        raise ExplorerError(
            t("A model in memory takes no option “{options}”.", options=next(iter(options)))
        )
    return InMemory(model, tokenizer, processor)


def _run(
    text: Any,
    second: Any,
    source: Source,
    part: str,
    picture: Picture | None,
    languages: tuple[str | None, str | None] = (None, None),
) -> Run:
    named = {t("second text"): second, t("source language"): languages[0]}
    named |= {t("target language"): languages[1]}
    for name, given in {
        t("text"): text,
        **{n: g for n, g in named.items() if g is not None},
    }.items():
        if isinstance(given, str):
            continue
        kind = type(given).__name__
        wrong = t("The {name} is of the type {kind}; it must be a str.", name=name, kind=kind)
        several = isinstance(given, list | tuple)
        hint = t("Several texts are read by explorer.traces.") if several else ""
        raise ExplorerError(sentences(wrong, hint))
    return Run(text, second, source, part, picture, *languages)


def _picture(file: Any) -> Picture | None:
    if file is None:
        return None
    from explorer.sources.pictures import picture_at_hand, picture_of

    at_hand = picture_at_hand(file)
    return at_hand or picture_of(_bytes_and_name(file)[0])


def _bytes_and_name(file: Any) -> tuple[bytes, str]:
    from explorer.export.files import path_of

    path = path_of(file)
    try:
        return path.read_bytes(), path.name
    except OSError as error:
        raise ExplorerError(
            t(
                "“{path}” cannot be read: {strerror}. Check the path.",
                path=path,
                strerror=error.strerror or error,
            )
        ) from error


@contextmanager
def _saying_which(i: int, asked: Sequence[Any]) -> Iterator[None]:
    """Name the text that a refusal is about."""
    try:
        yield
    except ExplorerError as error:
        both = asked[i]
        text = str(both[0] if isinstance(both, tuple | list) and both else both)[:_SHOWN]
        raise ExplorerError(
            t(
                "Text {i} of {asked} (“{text}”): {error}",
                i=i + 1,
                asked=len(asked),
                text=text,
                error=str(error),
            )
        ) from error


def _printed(done: int, n: int) -> None:
    print(f"\r{done} of {n} texts", end="\n" if done == n else "", file=sys.stderr, flush=True)


# The function has the name of the module it returns a class of. `import explorer.trace` finds
# the module; for `explorer.trace.AttentionTrace` the function carries the class too.
trace.AttentionTrace = AttentionTrace  # type: ignore[attr-defined]
