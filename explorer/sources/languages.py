"""The languages that a translating model's tokenizer knows: which there are, and which are used."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from explorer.errors import ExplorerError
from explorer.language import sentences, t

_CODE = re.compile(r"[a-z]{2,3}(_[A-Za-z]{2,4})?")
_NAMED = 8  # languages that a refusal lists
_NO_SOURCE = t("“{code}” is no language of {name}, so it cannot be the source language.")
_NO_TARGET = t("“{code}” is no language of {name}, so it cannot be the target language.")


def languages_of(tokenizer: Any) -> dict[str, int]:
    """The languages that can be chosen, each with the number of its token; most models have none.

    They go by the names that the tokenizer has for them: ``en``, ``eng_Latn``, ``en_XX``.
    """
    if not hasattr(tokenizer, "src_lang"):
        return {}
    listed = getattr(tokenizer, "lang_code_to_token", None)  # M2M100
    listed = listed or {code: code for code in getattr(tokenizer, "lang_code_to_id", ())}
    listed = listed or {token: token for token in tokenizer.all_special_tokens}  # NLLB, Seamless
    found: dict[str, int] = {}
    for code, token in listed.items():
        name, number = code.strip("_"), tokenizer.convert_tokens_to_ids(token)
        known = type(number) is int and number != tokenizer.unk_token_id
        if known and (_CODE.fullmatch(name) or code != token or code.startswith("__")):
            found[name] = number
    return found


def check_languages(tokenizer: Any, chosen: tuple[str | None, str | None], name: str) -> None:
    """Refuse languages that a model does not have.

    Args:
        tokenizer: Its tokenizer.
        chosen: The source's and the target's language; None for what nobody has chosen.
        name: The model's name.

    Raises:
        ExplorerError: It has no such language, or none to choose between.
    """
    if chosen == (None, None):
        return
    known = languages_of(tokenizer)
    if not known:
        raise ExplorerError(
            t(
                "{name} has no languages to choose between. Leave the source and the target "
                "language out, or choose a model such as facebook/m2m100_418M.",
                name=name,
            )
        )
    for wrong, code in zip((_NO_SOURCE, _NO_TARGET), chosen, strict=True):
        if code is not None and code not in known:
            some, more = ", ".join(sorted(known)[:_NAMED]), len(known) - _NAMED
            has = t("It has {some}.", some=some)
            if more > 0:
                has = t("It has {some} and {more} more.", some=some, more=more)
            raise ExplorerError(sentences(wrong.format(code=code, name=name), has))


def used_languages(
    loaded_tokenizer: Any, chosen: tuple[str | None, str | None], forced: int | None
) -> tuple[str, str] | None:
    """The source's and the target's language as they are used; None for a model without any.

    What nobody has chosen is as the model's files say: the tokenizer's own languages, then the
    token that the model begins every text with; and where they say nothing, a text is written in
    the language that it is read in, as Transformers does for NLLB and mBART.

    Args:
        loaded_tokenizer: The model's tokenizer.
        chosen: The source's and the target's language; None for what nobody has chosen.
        forced: The token with which the model begins what it writes, if it has one.
    """
    known = languages_of(loaded_tokenizer)
    if not known:
        return None
    by_number = {number: code for code, number in known.items()}
    own = [(getattr(loaded_tokenizer, at) or "").strip("_") for at in ("src_lang", "tgt_lang")]
    source = chosen[0] or (own[0] if own[0] in known else next(iter(known)))
    target = chosen[1] or (own[1] if own[1] in known else by_number.get(forced or -1, source))
    return source, target


@contextmanager
def speaking(tokenizer: Any, languages: tuple[str, str] | None) -> Iterator[None]:
    """Let a tokenizer read and write in some languages, and be as it was afterwards.

    It keeps them in itself: one text is read at a time.
    """
    if languages is None:
        yield
        return
    before = tokenizer.src_lang, tokenizer.tgt_lang
    try:
        tokenizer.src_lang, tokenizer.tgt_lang = languages
        yield
    finally:
        tokenizer.src_lang, tokenizer.tgt_lang = before
