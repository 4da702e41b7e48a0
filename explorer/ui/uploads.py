"""What readers upload: pictures, weights of their own, texts. Read in turn, and bounded."""

import codecs
import gc
import weakref
from collections.abc import Callable
from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from explorer import language
from explorer.errors import ExplorerError
from explorer.limits import FILES_MB, MAX_CHARACTERS, MAX_LINES, MAX_UPLOAD_MB
from explorer.picture import Picture
from explorer.source import Own
from explorer.trace import AttentionTrace
from explorer.ui import state
from explorer.ui.answers import made
from explorer.ui.scheduler import owner_of
from explorer.ui.speaking import t
from explorer.visible import is_blank, visible

_PICTURES = ["png", "jpg", "jpeg", "webp", "gif", "bmp"]

# The weights that pages hold, with their readers; they go with the last page that shows them.
_held: "weakref.WeakKeyDictionary[AttentionTrace, str]" = weakref.WeakKeyDictionary()


def ask_for_picture(side: str) -> None:
    """A box for a picture, and the one in use."""
    picture: Picture | None = st.session_state[f"{side}picture"]
    box, small = st.columns([6, 1], vertical_alignment="bottom")
    box.file_uploader(
        t("Picture for a vision model, such as ViT or DINOv2"),
        _PICTURES,
        key=f"{side}picture_file",
        max_upload_size=_most(),
        on_change=_take_picture,
        args=(side,),
    )
    if picture:
        small.image(picture.png, width=90)  # the one in use: the box is empty on another page


def ask_for_weights(side: str, then: Callable[[], None] | None) -> None:
    """A box for a file of weights, and the one in use.

    Args:
        side: Whose box it is.
        then: Called when a file has been taken.
    """
    st.file_uploader(
        t("NPZ or safetensors with weights [layer, head, query, key] and tokens"),
        ["npz", "safetensors"],
        key=f"{side}own_file",
        max_upload_size=_most(),
        on_change=_take_weights,
        args=(side, then),
        help=t("A file that “All weights as NPZ” has saved is one, too. Nothing in it is run."),
    )
    own: Own | None = st.session_state[f"{side}own"]
    if own:
        st.text(
            t("In use: {name}, {shape}", name=own.trace.model.name, shape=list(own.trace.shape))
        )


def ask_for_lines(then: Callable[[], None]) -> None:
    """A box for a file of texts, one a line; what is in it is then in the box of the text.

    Args:
        then: Called when a file has been taken.
    """
    st.file_uploader(
        t("A .txt file with one text a line, up to {max_lines}", max_lines=MAX_LINES),
        ["txt"],
        key="lines_file",
        max_upload_size=min(_most(), -(-4 * MAX_CHARACTERS // 2**20)),
        on_change=_take_lines,
        args=(then,),
        help=t("In UTF-8. Blank lines are left out. It takes the place of the text."),
    )


def _most() -> int:
    """Megabytes: ours, or the server's own limit if that is less."""
    return min(MAX_UPLOAD_MB, st.get_option("server.maxUploadSize"))


def _take_picture(side: str) -> None:
    from explorer.sources.pictures import picture_of

    _take(f"{side}picture", picture_of)


def _take_weights(side: str, then: Callable[[], None] | None) -> None:
    from explorer.sources.own import own_weights

    session = st.session_state
    file, owner = session[f"{side}own_file"], owner_of(session.reader)

    def read(data: bytes) -> Own:  # in another thread, which has no session
        found = own_weights(data, visible(file.name[:80]))
        hold(found.trace, owner)
        return found

    if _take(f"{side}own", read) and then:
        then()


def _take_lines(then: Callable[[], None]) -> None:
    session = st.session_state
    if not _take("lines", lines_of):
        return
    session.text, session.pair, session.looks = session.lines, False, False
    session.kind = "bert" if session.kind == "own" else session.kind  # weights read no text
    then()


def lines_of(data: bytes) -> str:
    """The texts of a file, one a line.

    Raises:
        ExplorerError: It is no text, or too much of it; the sentence says where.
    """
    text = _decoded(data).replace("\r\n", "\n")
    lines = [line for line in text.splitlines() if not is_blank(line)]
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise ExplorerError(
            language.t(
                "This file is no text: line {line} holds bytes that are no characters. Save "
                "the texts as plain text in UTF-8, one a line.",
                line=f"{line:,}",
            )
        )
    if not lines:
        raise ExplorerError(language.t("There is no text in this file. Put one text on each line."))
    if len(lines) > MAX_LINES or len(text) > MAX_CHARACTERS:
        raise ExplorerError(
            language.t(
                "This file has {lines} texts with {text} characters; at most {max_lines} texts "
                "with {max_characters} characters together can be read. Nothing was changed: "
                "shorten the file.",
                lines=f"{len(lines):,}",
                text=f"{len(text):,}",
                max_lines=MAX_LINES,
                max_characters=f"{MAX_CHARACTERS:,}",
            )
        )
    return "\n".join(lines)


def _decoded(data: bytes) -> str:
    """The characters of a file: UTF-8, or UTF-16 that begins with its mark."""
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    code, name = ("utf-16", "UTF-16") if marked else ("utf-8-sig", "UTF-8")
    try:
        return data.decode(code)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ExplorerError(
            language.t(
                "This file is not in {name}: byte {start}, in line {line}, belongs to no "
                "character. Save it as UTF-8 in your editor, or paste its lines into the box.",
                name=name,
                start=f"{error.start + 1:,}",
                line=f"{line:,}",
            )
        ) from error


def _take(name: str, read: Callable[[bytes], Any]) -> bool:
    """Read what was put into a box; whether there is something new."""
    session = st.session_state
    file = session[f"{name}_file"]
    session[f"{name}_refused"] = None
    if not isinstance(file, UploadedFile):
        return False  # taken out of the box, or let go of; what was read of it stays
    data = file.getvalue()
    try:
        session[name] = made("upload", lambda report: read(data), file.file_id)
    except ExplorerError as error:
        session[f"{name}_refused"] = str(error)
        state.failed(str(error))
        return False
    return True


def hold(trace: AttentionTrace, owner: str) -> None:
    """Count uploaded weights among those that pages hold.

    Raises:
        ExplorerError: They are more than one reader, or all together, may hold here.
    """
    if _over(trace, owner):
        gc.collect()  # what no page holds any more may still lie about
    over = _over(trace, owner)
    if over:
        whose, most = over
        raise ExplorerError(
            language.t(
                "The uploaded weights that pages hold here, {whose}, would take more than "
                "{most} MB (EXPLORER_FILES_MB). Close pages that show some, or save float16, "
                "fewer layers, or fewer tokens.",
                whose=whose,
                most=f"{most:,}",
            )
        )
    _held[trace] = owner


def _over(trace: AttentionTrace, owner: str) -> tuple[str, int] | None:
    """Whose share would be too much with some more weights, and how many MB it is; None if none."""
    held = list(_held.items())
    own = sum(one.nbytes for one, whose in held if whose == owner)
    for whose, taken, most in (
        (language.t("yours"), own, FILES_MB // 2),
        (language.t("of all readers"), sum(one.nbytes for one, _ in held), FILES_MB),
    ):
        if taken + trace.nbytes > most * 2**20:
            return whose, most
    return None
