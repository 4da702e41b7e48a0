"""A model's tokenizer, from its checked files: what it lacks, and how long a text it takes."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer

from explorer.errors import ExplorerError, refusing
from explorer.language import t
from explorer.sources.families import most_positions
from explorer.sources.hub_cache import VOCABULARIES, needs_no_vocabulary
from explorer.sources.vocabulary import growth

_CANNOT = t("The tokenizer of “{name}” cannot be loaded{why}.")
_ENDLESS = 10**9  # Transformers writes 10^30 for “no limit”
# How libraries say which package they lack.
_LACKING = re.compile(
    r"pip install (?:-U )?([\w-]+)|need to install `?([\w-]+)|install ([\w-]+) to use"
    r"|`?([\w-]+)`? is required|The ([\w-]+) dictionary is not installed"
)


def load_tokenizer(folder: Path, name: str) -> Any:
    """The tokenizer of a model.

    Args:
        folder: The model's files, checked.
        name: The model's shown name.

    Raises:
        ExplorerError: There is none, it needs a package that is not here, or it cannot be loaded.
    """
    # Without a vocabulary file Transformers makes up five words, and every word is unknown.
    here = any((folder / file).is_file() for file in VOCABULARIES)
    if not here and not needs_no_vocabulary(folder):
        raise ExplorerError(
            t(
                "“{name}” has no tokenizer files, so it cannot read text: its folder "
                "holds none of tokenizer.json, vocab.txt, vocab.json, spiece.model, "
                "spm.model and their like. Save the tokenizer beside the model: "
                "tokenizer.save_pretrained(folder).",
                name=name,
            )
        )
    with lacking(name), refusing(_CANNOT.format(name=name)):
        return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


@contextmanager
def lacking(name: str) -> Iterator[None]:
    """Say which package a tokenizer needs, where one is missing.

    Raises:
        ExplorerError: One is.
    """
    try:
        yield
    except ExplorerError as error:
        cause = error.__cause__
        while cause is not None and not isinstance(cause, ImportError):
            cause = cause.__cause__ or cause.__context__
        if cause is None:
            raise
        found = _LACKING.search(str(cause))
        package = next(filter(None, found.groups()), None) if found else getattr(cause, "name", "")
        if not package:
            raise
        raise ExplorerError(
            t(
                "The tokenizer of “{name}” needs the Python package {package}, which is"
                " not installed here. Whoever runs this installs it with: pip install "
                "{replace}",
                name=name,
                package=package,
                replace=package.replace("_", "-"),
            )
        ) from error


def growth_of(tokenizer: Any, name: str) -> float:
    """How many times as long a text may become in a tokenizer, however it was put together.

    Raises:
        ExplorerError: Too much, or its parts cannot be looked at.
    """
    if not getattr(tokenizer, "is_fast", False):
        return 1.0  # its files were looked at, and its own code adds nothing
    with refusing(_CANNOT.format(name=name)):
        inner = tokenizer.backend_tokenizer
        return growth(_rules(inner.normalizer), _rules(inner.pre_tokenizer), name)


def _rules(part: Any) -> Any:
    """What a part of a tokenizer does, as tokenizer.json has it; None for nothing."""
    try:
        return None if part is None else json.loads(part.__getstate__())
    except Exception as error:
        if "Custom" in str(error):  # Python code of Transformers' own, which no file can bring
            return None
        raise


def own_tokens(config: Any, tokenizer: Any) -> int | None:
    """The most tokens that a model itself takes, as its files say; None if they set no limit."""
    limits: list[int | None] = []
    if tokenizer.model_max_length < _ENDLESS:
        limits.append(max(int(tokenizer.model_max_length), 1))
    limits.append(most_positions(config))
    return min(filter(None, limits), default=None)
