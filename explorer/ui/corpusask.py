"""The inputs of “Over a corpus”: a folder to open, or texts to read with the page's model."""

from hashlib import blake2b
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from explorer.corpus.shelf import Asked, OnShelf, Shelf
from explorer.errors import ExplorerError
from explorer.limits import (
    CORPUS_TEXTS,
    CORPUS_TOKENS,
    MAX_CHARACTERS,
    MAX_UPLOAD_MB,
)
from explorer.source import Model
from explorer.sources import absent_model
from explorer.ui import controls, corpus, state
from explorer.ui.answers import made
from explorer.ui.speaking import t
from explorer.visible import visible

_KINDS = ["txt", "jsonl", "csv", "parquet"]


def ask() -> None:
    """Draw the inputs."""
    with st.container(key="ask"):
        there, new, model = st.columns([2, 3, 2], gap="medium")
        with there:
            _open_one()
        with new:
            _texts()
        with model:
            controls.model(computes=True)
            _bounds()
            st.button(
                t("Read these texts"),
                key="corpus_start",
                type="primary",
                width="stretch",
                on_click=_start,
            )


def _open_one() -> None:
    """The folders that are there; a reader's own can be deleted."""
    listed = {one.name: one for one in corpus.shelf().listed()}
    now = corpus.name_wanted()
    names, titles = list(listed), _titles(list(listed.values()))
    # A browser knows titles: where one has changed, the box is another one.
    key = f"corpus_name_{blake2b(repr((titles, now)).encode(), digest_size=8).hexdigest()}"
    st.selectbox(
        t("Open a corpus"),
        names,
        index=names.index(now) if now in names else None,
        key=key,
        format_func=titles.__getitem__,
        placeholder=t("Choose one"),
        on_change=_open,
        args=(key, names),
        help=t(
            "Our own sentences, what you have read here, and folders of runs and trees of HeadVis "
            "below those that EXPLORER_MODEL_DIRS names."
        ),
    )
    one = listed.get(now)
    if one and one.kind == "own":
        st.button(
            t("Delete “{file}”", file=one.corpus),
            key="corpus_delete_own",
            type="tertiary",
            on_click=corpus.delete,
            args=(one.name,),
        )


def _titles(listed: list[OnShelf]) -> dict[str, str]:
    """What folders are called, each by its name; a browser tells them apart by their titles."""
    found: dict[str, str] = {}
    for one in listed:
        title = _titled(one)
        found[one.name] = f"{title} ({one.name})" if title in found.values() else title
    return found


def _titled(one: OnShelf) -> str:
    if one.kind == "sentences":
        return t("Our own sentences, read by {model}", model=one.model)
    if one.kind == "tree":
        return t("{name}, a tree of HeadVis", name=visible(one.name))
    file = visible(one.name) if one.kind == "run" else one.corpus
    if one.complete:
        return t("{file}, read by {model}", file=file, model=one.model)
    return t("{file}, not read to its end", file=file)


def _open(key: str, names: list[str]) -> None:
    name = st.session_state.get(key)
    if name in names and name != corpus.name_wanted():
        corpus.go(name)


def _texts() -> None:
    """The texts that are to be read: a file, or pasted lines."""
    st.file_uploader(
        t("Texts from a file"),
        _KINDS,
        key="corpus_file",
        max_upload_size=min(MAX_UPLOAD_MB, st.get_option("server.maxUploadSize")),
        on_change=_look_into,
        help=t(
            "A .txt file with a text in each line, or a .jsonl, .csv or .parquet file with a "
            "column of texts, in UTF-8."
        ),
    )
    if not isinstance(st.session_state.get("corpus_file"), UploadedFile):
        st.text_area(
            t("Or paste texts, one in each line"),
            key="corpus_lines",
            height=76,
            max_chars=MAX_CHARACTERS,
        )
        return
    columns: list[str] = st.session_state.get("corpus_columns") or []
    if columns:
        first, second = st.columns(2)
        usual = columns.index("text") if "text" in columns else 0
        first.selectbox(t("Column of the texts"), columns, index=usual, key="corpus_column")
        second.selectbox(
            t("Column of second texts"),
            columns,
            index=None,
            key="corpus_second",
            placeholder=t("None"),
            help=t("A model such as BERT reads the two as a pair."),
            disabled=bool(st.session_state.get("corpus_chat")),
        )
        st.toggle(
            t("As conversations"),
            key="corpus_chat",
            help=t(
                "The column holds lists of turns, or texts whose lines begin with “user:” or "
                "“assistant:”: the model’s own chat template writes them."
            ),
        )


def _bounds() -> None:
    texts, tokens = st.columns(2)
    texts.number_input(
        t("Texts at most"), 1, CORPUS_TEXTS, min(2000, CORPUS_TEXTS), key="corpus_limit"
    )
    tokens.number_input(
        t("Tokens of each at most"), 3, CORPUS_TOKENS, min(128, CORPUS_TOKENS), key="corpus_length"
    )


def _look_into() -> None:
    """A file has come: the names of its columns."""
    session = st.session_state
    found, session.corpus_columns = session.get("corpus_file"), []
    if not isinstance(found, UploadedFile):
        return
    from explorer.corpus.paged import columns_in

    data, ending = found.getvalue(), Path(found.name).suffix.lower()
    try:
        session.corpus_columns = made(
            "corpus columns", lambda _: columns_in(data, ending), found.file_id
        )
        corpus.now().trouble = ""
    except ExplorerError as error:
        corpus.now().trouble = str(error)


def _start() -> None:
    """Keep the texts, and have them read."""
    try:
        name = _begun(corpus.shelf())
        corpus.read(name)
    except ExplorerError as error:
        corpus.now().trouble = str(error)
        return
    trouble = corpus.now().trouble
    corpus.go(name)
    corpus.now().trouble = trouble


def _begun(shelf: Shelf) -> str:
    """The name of a corpus that is to be read now.

    Raises:
        ExplorerError: There are no texts, or no model that reads a corpus.
    """
    session = st.session_state
    source = state.source_from_inputs()
    if not isinstance(source, Model):
        raise ExplorerError(
            t(
                "A corpus is read by a pretrained model: choose BERT, the little stories, a model "
                "of the hub or one in a folder."
            )
        )
    absent = absent_model(source)
    if absent:
        raise ExplorerError(
            t(
                "The model “{name}” is not on this machine yet. Choose “This text” and press Run "
                "there: that fetches it.",
                name=absent.name,
            )
        )
    file: Any = session.get("corpus_file")
    given = isinstance(file, UploadedFile)
    said = session.get("corpus_lines") or ""
    if not given and not said.strip():
        raise ExplorerError(t("Which texts? Choose a file, or paste some lines."))
    columns = given and bool(session.get("corpus_columns"))
    chat = columns and bool(session.get("corpus_chat"))
    if chat:
        _check_chat(source)
    asked = Asked(
        visible(Path(file.name).name[:80]) if given else "pasted lines.txt",
        Path(file.name).suffix.lower() if given else ".txt",
        source.spec,
        session.corpus_column if columns else "text",
        session.corpus_second if columns and not chat else None,
        int(session.corpus_limit),
        int(session.corpus_length),
        chat,
    )
    data = file.getvalue() if given else said.encode("utf-8", "surrogatepass")
    return shelf.begin(asked, data)


def _check_chat(source: Model) -> None:
    """Refuse a model that is known to have no chat template; others say it when they are loaded.

    Raises:
        ExplorerError: It has none.
    """
    from explorer.corpus.work import check_template
    from explorer.sources.loading import loaded_model

    loaded = loaded_model(source)
    if loaded is not None:
        check_template(loaded)
