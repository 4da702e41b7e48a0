"""A tokenizer's files: which of their keys are handed on, and how much a text may become in them.

A tokenizer can make much of little: a rule that replaces a letter by a megabyte, a pattern that
tries for ever, a table of characters that each become a thousand. What it will make is counted
from its files, before any library builds it.
"""

import base64
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from explorer.language import t
from explorer.sources.checking import (
    PIECE_LENGTH,
    PIECES,
    bounded,
    check_text,
    either,
    refuse,
    tokenizer_class,
)
from explorer.sources.patterns import RunawayError, least_length

MOST_GROWTH = 1024  # times that a text may grow: Albert's rules, one after the other, come to 650
_UNICODE = 18  # letters that one character becomes at most, by Unicode's own rules (NFKC of U+FDFA)
_RUN = 64  # the same by a SentencePiece table of its own
_RULES = 32  # steps one after the other
_WORD = 512  # letters of a word that WordPiece tries: it takes time with the square of them
_LETTERS_OF_ALL = 16_000_000  # of a vocabulary: merges are found by cutting pieces at every one
# Of a vocabulary that is tried from each letter on: each of its letters takes some 350 bytes.
_TRIED, _TRIED_OF_ALL = 256, 3_000_000
_ADDED = 100_000  # tokens added to a vocabulary
_ADDED_LETTERS = 500_000  # of them all: what looks for them takes some 80 bytes for each

Check = Callable[[Any, str, str, str], Any]

# --- tokenizer_config.json, special_tokens_map.json, added_tokens.json --------------------------


def _length(value: Any, name: str, file: str, key: str) -> Any:
    return bounded(value, 0, 1e31, name, file, key)  # 10^30 stands for “no limit”


def _few(value: Any, name: str, file: str, key: str) -> Any:
    return bounded(value, -1000, 1000, name, file, key)


def _word(value: Any, name: str, file: str, key: str) -> Any:
    """The name of a language, a side, a kind: libraries look some of them up as files."""
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z][\w-]{0,31}", value):
        raise refuse(name, file, key, t("must be a short name of letters and digits"))
    return check_text(value, name, file, key)


def _words(value: Any, name: str, file: str, key: str) -> Any:
    if isinstance(value, str):
        return _word(value, name, file, key)
    if not isinstance(value, list) or len(value) > 16:
        raise refuse(name, file, key, t("must be a list of at most 16 short names"))
    return [_word(v, name, file, key) for v in value]


def _inputs(value: Any, name: str, file: str, key: str) -> Any:
    """What a network is called with; without its tokens none can be."""
    if not isinstance(value, list) or "input_ids" not in value:
        raise refuse(name, file, key, t("must be a list that has input_ids"))
    return _words(value, name, file, key)


def _languages(value: Any, name: str, file: str, key: str) -> Any:
    if not isinstance(value, dict) or len(value) > 1000:
        raise refuse(name, file, key, t("must be a table of at most 1,000 languages"))
    for pair in value.items():
        for part in pair:
            number = isinstance(part, str) and part.isdecimal()
            (_few if type(part) is int or number else _word)(
                int(part) if number else part, name, file, key
            )
    return value


_TOKEN_SIGNS = ("lstrip", "rstrip", "single_word", "normalized", "special")


def _token(value: Any, name: str, file: str, key: str) -> Any:
    """One token, as a text or with how it is told apart."""
    text = value.get("content") if isinstance(value, dict) else value
    if not isinstance(text, str) or len(text) > PIECE_LENGTH:
        why = t(
            "must be a token: a text of at most {piece_length} characters",
            piece_length=f"{PIECE_LENGTH:,}",
        )
        raise refuse(name, file, key, why)
    if not isinstance(value, dict):
        return value
    signs = {k: v for k, v in value.items() if k in _TOKEN_SIGNS and isinstance(v, bool)}
    marked = {"__type": "AddedToken"} if value.get("__type") == "AddedToken" else {}
    return {"content": text} | signs | marked


def _tokens(value: Any, name: str, file: str, key: str) -> Any:
    if not isinstance(value, list | dict) or len(value) > _ADDED:
        raise refuse(
            name, file, key, t("must be a list of at most {added} tokens", added=f"{_ADDED:,}")
        )
    if isinstance(value, dict):
        return {k: _token(v, name, file, key) for k, v in value.items() if len(k) <= 100}
    return [_token(v, name, file, key) for v in value]


def _numbered(value: Any, name: str, file: str, key: str) -> Any:
    """Tokens by their numbers."""
    if not isinstance(value, dict) or len(value) > _ADDED:
        raise refuse(
            name, file, key, t("must be a table of at most {added} tokens", added=f"{_ADDED:,}")
        )
    for number in value:
        if not re.fullmatch(r"\d{1,9}", number) or int(number) > PIECES:
            raise refuse(
                name,
                file,
                key,
                t("has a token whose number is not within {pieces}", pieces=f"{PIECES:,}"),
            )
    return {k: _token(v, name, file, key) for k, v in value.items() if isinstance(v, dict)}


def _letters(value: Any, name: str, file: str, key: str) -> Any:
    return bounded(value, 1, _WORD, name, file, key)


# The keys that are handed on, by what each must be.
_SETTINGS: tuple[tuple[str, Check], ...] = (
    (r"add_(blank|bos_token|eos_token|prefix_space)|(clean|normalize)_text|is_uroman", either),
    (r"clean_up_tokenization_spaces(_for_bpe_even_though_it_will_corrupt_output)?", either),
    (r"do_(basic|subword|word)_tokenize|do_split_on_punc|do_(lower|upper)_case|legacy", either),
    (r"do_lowercase(_and_remove_accent)?|do_(clean_text|phonemize)|legacy_behaviour", either),
    (r"fix_mistral_regex|handle_chinese_chars|keep_accents|normalization|normalize", either),
    (r"only_label_first_subword|phonemize|predict_timestamps|preserve_case|reduce_len", either),
    (r"remove_space|separate_vocabs|should_strip_spaces|split_(by_punct|special_tokens)", either),
    (r"strip_(accents|handles)|token_type_ids_include_special_tokens|trim_offsets", either),
    (r"tokenize_chinese_chars|trim_whitespace|return_token_type_ids", either),
    (r"model_max_length|max_len", _length),
    (r"extra_ids|offset|num_madeup_words|max_(entity|mention)_length|unk_id", _few),
    (r"max_(depth|width)|pad_width|pad_token_(type_id|label)", _few),
    (r"max_input_chars_per_word", _letters),
    (r"(padding|truncation)_side|errors|language|task|(src|tgt|source|target)_lang", _words),
    (r"lang_codes|language_codes|langs|(sub)?word_tokenizer_type", _words),
    (r"(token_type_ids|special_tokens)_pattern", _words),
    (r"model_input_names", _inputs),
    (r"lang2id|id2lang", _languages),
    (r"(additional|extra|model_specific)_special_tokens|never_split", _tokens),
    (r"added_tokens_decoder", _numbered),
    (r"\w+_token|entity_token_[12]|wordpieces_prefix", _token),
)
# What Transformers takes as the vocabulary itself, or as the file or the object that holds it; no
# checkpoint says any of it here.
_REFUSED: tuple[str, ...] = (
    "vocab",
    "merges",
    "entity_vocab",
    "tokenizer_object",
    "gguf_file",
    "init_inputs",
)
_REFUSED += ("post_processor", "tokenizer_padding", "tokenizer_truncation", "_json_padding")
_REFUSED += ("_json_truncation", "_spm_precompiled_charsmap")
_MOST_SETTINGS = 200


def settings_of(said: Any, name: str, file: str) -> dict[str, Any]:
    """What a tokenizer's settings say, of what may be said in them; the rest is left out.

    Checkpoints carry the names of files that their makers had, templates of chats and code: none
    of them is handed on.

    Raises:
        ExplorerError: A value is impossible, or a key puts something else in place of the files.
    """
    if not isinstance(said, dict):
        raise refuse(name, file, "{", t("is missing: it holds no keys"))
    kept: dict[str, Any] = {}
    for key, value in said.items():
        if key in _REFUSED and value not in (None, [], {}):
            raise refuse(name, file, key, t("names what is read in place of the model’s own files"))
        if key == "tokenizer_class" and value is not None:
            kept[key] = tokenizer_class(value, name, file)
            continue
        check = next((check for keys, check in _SETTINGS if re.fullmatch(keys, key)), None)
        if check is _token and not isinstance(value, str | dict | None):
            continue  # whether a token is used, and not the token
        if check is not None:
            kept[key] = None if value is None else check(value, name, file, key)
    if len(kept) > _MOST_SETTINGS:
        raise refuse(name, file, "…_token", t("stands more often than any tokenizer has tokens"))
    return kept


def numbers_of(said: Any, name: str, file: str) -> dict[str, int]:
    """A table of pieces and their numbers.

    Raises:
        ExplorerError: It is none, or a far too large one.
    """
    if not isinstance(said, dict) or len(said) > PIECES:
        raise refuse(
            name,
            file,
            "{",
            t("must hold at most {pieces} pieces and their numbers", pieces=f"{PIECES:,}"),
        )
    for piece, number in said.items():
        if type(number) is not int or not 0 <= number <= PIECES:
            raise refuse(
                name, file, piece, t("must have a number from 0 to {pieces}", pieces=f"{PIECES:,}")
            )
    _check_lengths(said, name, file, "vocab")
    return said


def _check_lengths(pieces: Iterable[Any], name: str, file: str, key: str) -> None:
    letters = 0
    for piece in pieces:
        if not isinstance(piece, str) or len(piece) > PIECE_LENGTH:
            raise refuse(
                name,
                file,
                key,
                t(
                    "has a piece of more than {piece_length} characters",
                    piece_length=f"{PIECE_LENGTH:,}",
                ),
            )
        letters += len(piece)
    if letters > _LETTERS_OF_ALL:
        raise refuse(
            name,
            file,
            key,
            t(
                "has more than {letters_of_all} characters in all",
                letters_of_all=f"{_LETTERS_OF_ALL:,}",
            ),
        )


# --- tokenizer.json -----------------------------------------------------------------------------

_FILE = "tokenizer.json"


def check_tokenizer(said: Any, name: str) -> None:
    """Refuse a tokenizer.json that would make too much of a text.

    Raises:
        ExplorerError: It would, or it is none.
    """
    if not isinstance(said, dict) or not isinstance(said.get("model"), dict):
        raise refuse(name, _FILE, "model", t("is missing"))
    for key in ("normalizer", "pre_tokenizer", "post_processor", "decoder"):
        for count, step in enumerate(_steps(said.get(key), name, key)):
            if count > _RULES:  # those within others too
                raise refuse(name, _FILE, key, t("has more than {rules} steps", rules=_RULES))
            _check_step(step, name, key)
    growth(said.get("normalizer"), said.get("pre_tokenizer"), name)
    _check_written(said.get("decoder"), name)
    _check_added(said.get("added_tokens"), name)
    _check_padding(said, name)
    _check_model(said["model"], name)


def _steps(tree: Any, name: str, key: str, depth: int = 0) -> Iterator[dict[str, Any]]:
    """The steps of a part of a tokenizer, those within other steps too."""
    if tree is None:
        return
    if not isinstance(tree, dict) or depth > 8:
        raise refuse(name, _FILE, key, t("is no step of a tokenizer"))
    yield tree
    lists = [tree.get(k) for k in ("normalizers", "pretokenizers", "processors", "decoders")]
    inner = [step for steps in lists if isinstance(steps, list) for step in steps]
    if len(inner) > _RULES:
        raise refuse(name, _FILE, key, t("has more than {rules} steps", rules=_RULES))
    for step in inner:
        yield from _steps(step, name, key, depth + 1)


def _check_step(step: dict[str, Any], name: str, key: str) -> None:
    if step.get("type") == "TemplateProcessing":
        _check_template(step, name, key)
        return
    for part, value in step.items():
        if part == "precompiled_charsmap":
            continue
        if isinstance(value, str) and len(value) > 256:
            raise refuse(name, _FILE, f"{key}.{part}", t("is a text of more than 256 characters"))
        if isinstance(value, dict) and "Regex" in value:
            _least_of(value, name, f"{key}.{part}")
        if type(value) is int and abs(value) > PIECES:
            raise refuse(
                name, _FILE, f"{key}.{part}", t("must be at most {pieces}", pieces=f"{PIECES:,}")
            )


def _check_template(step: dict[str, Any], name: str, key: str) -> None:
    """A template may name a text once: each time more copies all of its tokens."""
    for part in ("single", "pair"):
        pieces = step.get(part) or []
        if not isinstance(pieces, list) or len(pieces) > 64:
            raise refuse(name, _FILE, f"{key}.{part}", t("has more than 64 pieces"))
        texts = [
            p["Sequence"].get("id")
            for p in pieces
            if isinstance(p, dict) and isinstance(p.get("Sequence"), dict)
        ]
        if len(texts) != len(set(map(str, texts))):
            raise refuse(name, _FILE, f"{key}.{part}", t("names a text twice"))
    tokens = step.get("special_tokens") or {}
    values = tokens.values() if isinstance(tokens, dict) else [tokens]
    if len(tokens) > 64 or any(
        not isinstance(v, dict) or len(v.get("ids") or ()) > 16 or len(v.get("tokens") or ()) > 16
        for v in values
    ):
        raise refuse(
            name,
            _FILE,
            f"{key}.special_tokens",
            t("has more than 64 tokens, or long ones"),
        )


def _check_written(tree: Any, name: str) -> None:
    """What tokens become when they are written out again: read once for every token of a text."""
    grown = 1.0
    for step in _steps(tree, name, "decoder"):
        if step.get("type") == "Replace":
            grown *= max(
                1,
                len(str(step.get("content", "")))
                / _least_of(step.get("pattern"), name, "decoder.pattern", least=1),
            )
        if grown > _RUN:
            raise refuse(
                name, _FILE, "decoder.content", t("makes a token {run} times as long", run=_RUN)
            )


def _check_added(tokens: Any, name: str) -> None:
    if tokens is None:
        return
    if not isinstance(tokens, list) or len(tokens) > _ADDED:
        raise refuse(
            name,
            _FILE,
            "added_tokens",
            t("must be a list of at most {added} tokens", added=f"{_ADDED:,}"),
        )
    if sum(len(str(t.get("content", ""))) for t in tokens if isinstance(t, dict)) > _ADDED_LETTERS:
        raise refuse(
            name,
            _FILE,
            "added_tokens",
            t("has more than {added_letters} letters", added_letters=f"{_ADDED_LETTERS:,}"),
        )
    for token in tokens:
        if not isinstance(token, dict):
            raise refuse(name, _FILE, "added_tokens", t("must be a list of tokens"))
        _token(token, name, _FILE, "added_tokens")
        bounded(token.get("id"), 0, PIECES, name, _FILE, "added_tokens.id")


def _check_padding(said: dict[str, Any], name: str) -> None:
    padding, truncation = said.get("padding") or {}, said.get("truncation") or {}
    if not isinstance(padding, dict) or not isinstance(truncation, dict):
        raise refuse(name, _FILE, "padding", t("is no way to make texts of one length"))
    strategy = padding.get("strategy")
    if isinstance(strategy, dict):
        bounded(strategy.get("Fixed"), 0, 2**17, name, _FILE, "padding.strategy.Fixed")
    if padding.get("pad_to_multiple_of") is not None:
        bounded(padding["pad_to_multiple_of"], 0, 4096, name, _FILE, "padding.pad_to_multiple_of")
    for key in ("max_length", "stride"):
        if key in truncation:
            bounded(truncation[key], 0, 2**62, name, _FILE, f"truncation.{key}")


def _check_model(model: dict[str, Any], name: str) -> None:
    vocabulary = model.get("vocab")
    if isinstance(vocabulary, dict):
        numbers_of(vocabulary, name, _FILE)
    elif isinstance(vocabulary, list) and len(vocabulary) <= PIECES:
        texts = [p[0] for p in vocabulary if isinstance(p, list) and p and isinstance(p[0], str)]
        if max(map(len, texts), default=0) > _TRIED or sum(map(len, texts)) > _TRIED_OF_ALL:
            raise refuse(
                name,
                _FILE,
                "model.vocab",
                t(
                    "has pieces of more than {tried} letters, or more than {tried_of_all} in all",
                    tried=_TRIED,
                    tried_of_all=f"{_TRIED_OF_ALL:,}",
                ),
            )
        _check_lengths(
            (p[0] if isinstance(p, list) and len(p) == 2 else None for p in vocabulary),
            name,
            _FILE,
            "model.vocab",
        )
    else:
        raise refuse(
            name,
            _FILE,
            "model.vocab",
            t("must be at most {pieces} pieces", pieces=f"{PIECES:,}"),
        )
    for merge in model.get("merges") or ():
        if len(merge) > 2 * PIECE_LENGTH + 1 or not isinstance(merge, str | list):
            raise refuse(name, _FILE, "model.merges", t("joins pieces that are too long"))
    most = model.get("max_input_chars_per_word")
    if most is not None:
        bounded(most, 1, _WORD, name, _FILE, "model.max_input_chars_per_word")
    if "cache_capacity" in model:
        bounded(model["cache_capacity"], 0, 100_000, name, _FILE, "model.cache_capacity")
    for key in ("unk_token", "continuing_subword_prefix", "end_of_word_suffix"):
        value = model.get(key)
        if value is not None and (not isinstance(value, str) or len(value) > 256):
            raise refuse(name, _FILE, f"model.{key}", t("is a text of more than 256 characters"))


# --- how much a text becomes --------------------------------------------------------------------


def growth(normalizer: Any, pre_tokenizer: Any, name: str) -> float:
    """How many times as long a text may become, at most, by the rules of a tokenizer.

    Args:
        normalizer: The rules as tokenizer.json has them, or None.
        pre_tokenizer: The same.
        name: The model's name.

    Raises:
        ExplorerError: More than any tokenizer needs.
    """
    grown, letters = 1.0, 1.0
    for key, tree in (("normalizer", normalizer), ("pre_tokenizer", pre_tokenizer)):
        for step in _steps(tree, name, key):
            times, kind = _growth_of(step, name, key), step.get("type")
            if kind in _LETTERS:  # what one has taken apart is not taken apart by another
                letters = _UNICODE
            grown *= times
            if grown * letters > MOST_GROWTH:
                part = {"Replace": "content", "Prepend": "prepend"}.get(str(kind), str(kind))
                raise refuse(
                    name,
                    _FILE,
                    f"{key}.{part}",
                    t(
                        "makes a text more than {most_growth} times as long",
                        most_growth=f"{MOST_GROWTH:,}",
                    ),
                )
    return grown * letters


_LETTERS = ("BertNormalizer", "NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents")


def _growth_of(step: dict[str, Any], name: str, key: str) -> float:
    kind = step.get("type")
    if kind == "Replace":
        content = len(str(step.get("content", "")))
        least = _least_of(step.get("pattern"), name, f"{key}.pattern")
        return max(1.0, content / least if least else 1 + content)
    if kind == "Prepend":
        return float(max(1, len(str(step.get("prepend", "")))))
    if kind == "Precompiled":
        return float(
            longest_run(_table_of(step, name, key), name, _FILE, f"{key}.precompiled_charsmap")
        )
    if kind == "ByteLevel":
        return 4.0  # each byte of a letter becomes a letter
    if kind == "Metaspace":
        return 2.0
    return 1.0


def _least_of(pattern: Any, name: str, key: str, least: int = 0) -> int:
    if isinstance(pattern, dict) and isinstance(pattern.get("Regex"), str):
        try:
            return max(least, least_length(pattern["Regex"]))
        except RunawayError as error:
            raise refuse(name, _FILE, key, str(error)) from None
    text = pattern.get("String") if isinstance(pattern, dict) else pattern
    return max(least, len(text) if isinstance(text, str) else 0)


def _table_of(step: dict[str, Any], name: str, key: str) -> bytes:
    try:
        return base64.b64decode(step.get("precompiled_charsmap") or "", validate=True)
    except (ValueError, TypeError) as error:
        raise refuse(name, _FILE, f"{key}.precompiled_charsmap", t("is damaged")) from error


def longest_run(table: bytes, name: str, file: str, key: str) -> int:
    """The most letters that a SentencePiece table of characters puts in place of one.

    The table is a tree of 32-bit cells, which the libraries walk without looking where a cell
    leads, and behind it the texts, each ended by a zero.

    Raises:
        ExplorerError: It is damaged, or leads out of itself, or a text is too long.
    """
    if not table:
        return 1
    size = int.from_bytes(table[:4], "little")
    if len(table) < 4 or size % 4 or not 0 < size <= len(table) - 4:
        raise refuse(name, file, key, t("is damaged"))
    cells = np.frombuffer(table, "<u4", size // 4, 4).astype(np.int64)
    texts = table[4 + size :]
    leaf = cells >> 31 == 1
    ahead = (cells >> 10) << ((cells & 512) >> 6)
    base = (np.arange(len(cells)) ^ ahead) | 255
    if (base[~leaf] >= len(cells)).any() or ((cells[leaf] & 0x7FFFFFFF) >= len(texts)).any():
        raise refuse(name, file, key, t("is damaged: it leads out of itself"))
    try:
        runs = [len(text) for text in texts.decode("utf-8").split("\0")]
    except ValueError as error:
        raise refuse(name, file, key, t("is damaged: it holds no text")) from error
    if max(runs) > _RUN:
        raise refuse(name, file, key, t("puts more than {run} letters in place of one", run=_RUN))
    return max(1, *runs)


# --- SentencePiece files ------------------------------------------------------------------------


def check_pieces(data: bytes, name: str, file: str) -> None:
    """Refuse a SentencePiece file that would make too much of a text.

    The file is a protocol buffer: of its parts only the pieces (1) and the rules of normalising (3)
    and of writing out (5) are looked at.

    Raises:
        ExplorerError: It would, or it is damaged.
    """
    if file in ("tokenizer.model", "tiktoken.model") and _is_ranks(data):
        return
    n, letters = 0, 0
    try:
        for field, value in _fields(data):
            if field == 1:
                size = len(next((v for f, v in _fields(value) if f == 1), b""))
                n, letters = n + 1, letters + size
                if max(size / PIECE_LENGTH / 4, n / PIECES, letters / _LETTERS_OF_ALL) > 1:
                    raise refuse(name, file, "pieces", t("are more or longer than any model’s"))
            if field in (3, 5):
                for inner, table in _fields(value):
                    if inner == 2:
                        longest_run(table, name, file, "precompiled_charsmap")
    except (IndexError, TypeError) as error:
        raise refuse(name, file, "pieces", t("are damaged")) from error


def _is_ranks(data: bytes) -> bool:
    """Whether it is a list of pieces in base64, each with its rank, as tiktoken has it."""
    rank = re.compile(rb"[A-Za-z0-9+/]{1,1400}=* \d{1,9}")
    lines = [line for line in data.splitlines() if line]
    return bool(lines) and len(lines) <= PIECES and all(map(rank.fullmatch, lines))


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """The fields of a protocol buffer: their numbers, and bytes where they hold bytes.

    Raises:
        IndexError: It ends too early, or is none.
    """
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind, value = tag & 7, None
        if kind == 0:
            _, at = _varint(data, at)
        elif kind == 2:
            size, at = _varint(data, at)
            value = data[at : at + size]
            at += size
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        else:
            raise IndexError
        if at > len(data):
            raise IndexError
        yield tag >> 3, value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise IndexError
