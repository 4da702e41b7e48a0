"""The door by itself: which messages are heard, how uploads make room, what a failure becomes."""

import asyncio
import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.runtime import runtime_util
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec
from streamlit.testing.v1 import AppTest

from explorer.ui import door


def test_a_page_may_ask_for_a_run_and_for_nothing_that_touches_others():
    heard = {}
    for name in BackMsg.DESCRIPTOR.oneofs_by_name["type"].fields:
        message = BackMsg()
        if name.message_type:
            getattr(message, name.name).SetInParent()
        else:
            setattr(message, name.name, True)
        heard[name.name] = door.Door(None)._fault(object(), message.SerializeToString()) is None
    assert {name for name, passes in heard.items() if passes} == set(door._HEARD)


def test_a_page_may_ask_for_its_files_and_tables_and_for_no_other_operation():
    heard = {}
    message_type = BackMsg.DESCRIPTOR.fields_by_name["backend_operation_request"].message_type
    for payload in message_type.oneofs_by_name["payload"].fields:
        message = BackMsg()
        asked = message.backend_operation_request
        if payload.message_type:
            getattr(asked, payload.name).SetInParent()
        else:
            setattr(asked, payload.name, True)
        heard[payload.name] = door.Door(None)._fault(object(), message.SerializeToString()) is None
    assert {name for name, passes in heard.items() if passes} == {
        "deferred_file",
        "dataframe_chunk",
    }


@pytest.mark.parametrize(("data", "code"), [(None, 1003), (b"\xff\xff", 1002), (b"", 0)])
def test_what_is_no_message_ends_the_line_or_is_passed_over(data, code):
    assert door.Door(None)._fault(object(), data) == code


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 6)), max_size=40))
def test_uploads_never_take_more_than_their_share_and_the_newest_is_kept(uploads):
    manager = MemoryUploadedFileManager("/upload")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(door, "get_instance", lambda: type("R", (), {"uploaded_file_mgr": manager}))
        patch.setattr(door, "MAX_UPLOAD_MB", 6 / 2**20)
        patch.setattr(door, "UPLOADS_MB", 20 / 2**20)
        for i, (page, size) in enumerate(uploads):
            door._make_room(page, size, size)
            manager.add_file(page, UploadedFileRec(str(i), "f", "", b"x" * size))
            files = manager.file_storage
            held = {page: [len(f.data) for f in own.values()] for page, own in files.items()}
            assert sum(map(sum, held.values())) <= 20
            assert all(sum(own) <= 12 and len(own) <= door.FILES for own in held.values())
            assert str(i) in files[page]


@pytest.mark.parametrize(
    ("length", "coming", "status", "said"),
    [
        (None, 0, 411, "Say how long the file is."),
        ("²", 0, 411, "Say how long the file is."),
        ("-1", 0, 411, "Say how long the file is."),
        ("999999999", 0, 413, "The file is too large."),
        ("1000", door.UPLOADS_MB * 2**20, 503, "Too many uploads are under way. Try again"),
    ],
)
def test_an_upload_without_room_is_refused_before_it_is_read(length, coming, status, said):
    at = door.Door(None)
    at._coming = coming
    headers = [(b"content-length", length.encode("latin-1"))] if length else []
    answer = asyncio.run(at._upload("page", {"type": "http", "headers": headers}, None, None))
    assert answer.status_code == status
    assert answer.body.decode().startswith(said)
    assert at._coming == coming


def test_what_is_sent_to_a_page_may_be_larger_than_what_comes_from_it(monkeypatch):
    monkeypatch.setattr(runtime_util, "_max_message_size_bytes", 6_000_000)
    monkeypatch.setattr(logging.getLogger("streamlit.error_util"), "disabled", False)
    monkeypatch.setattr(door, "_leave_in_time", lambda: None)

    async def start():
        async with door.life(None):
            return runtime_util.get_max_message_size_bytes()

    assert asyncio.run(start()) == door.SENT_MB * 10**6 > 160_000_000


def test_a_failure_in_a_callback_or_a_fragment_is_a_sentence_of_the_apps_own(caplog):
    def page():
        from explorer.ui import door

        door.failed(RuntimeError("a reader's text"))

    app = AppTest.from_function(page).run()
    assert app.text[0].value.startswith("Something went wrong inside the app; the log says what.")
    assert "RuntimeError" in caplog.text
    assert "a reader's text" not in caplog.text


def test_a_page_that_fails_is_a_sentence_and_the_next_click_works(caplog):
    def page():
        import streamlit as st

        from explorer.errors import ExplorerError
        from explorer.ui import messages

        with messages.caught():
            if st.button("refuse"):
                raise ExplorerError("There is no such thing.")
            if not st.button("work"):
                raise ValueError("a reader{}".format("'s text"))
            st.text("It works.")

    app = AppTest.from_function(page).run()
    assert not app.exception
    assert app.text[0].value.startswith("Something went wrong inside the app")
    assert app.button[1].click().run().text[0].value == "It works."
    assert app.button[0].click().run().text[0].value == "There is no such thing."
    assert "a reader's text" not in caplog.text
