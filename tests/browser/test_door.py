"""What is asked of the server by clients that are no browser of ours, or that mean no good."""

import http.client
import socket
import subprocess

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.serve import serving

LESSON = "source=trained&text=d+c+b+a&task=reverse&steps=2000&n_layers=3&d_model=128"


class Client:
    """A page of the app that is no browser.

    Attributes:
        session: The server's name for it.
        text_box: The server's name for its box for a text; None where there is none.
    """

    def __init__(self, app, host="127.0.0.1", query="", origin=None):
        line = socket.create_connection(("127.0.0.1", app.port))
        url = f"ws://{host}:{app.port}/_stcore/stream"
        how = {"max_size": None, "compression": None, "legacy": True}
        self.line = connect(url, sock=line, origin=origin, **how)
        told = self.rerun(query)
        new = [m.new_session.initialize for m in told if m.WhichOneof("type") == "new_session"]
        self.session = new[0].session_id
        drawn = [m.delta.new_element for m in told]
        boxes = [e.text_area.id for e in drawn if e.HasField("text_area")]
        self.text_box = boxes[0] if boxes else None

    def rerun(self, query="", text=None):
        """Let the page run; all that it is told until that is done."""
        message = BackMsg()
        message.rerun_script.query_string = query
        if text is not None:
            message.rerun_script.widget_states.widgets.add(id=self.text_box, string_value=text)
        self.line.send(message.SerializeToString())
        return self.told()

    def told(self):
        """All that the page is told until its run is done."""
        told = []
        while not told or told[-1].WhichOneof("type") != "script_finished":
            told.append(ForwardMsg.FromString(self.line.recv(timeout=60)))
        return told

    def is_sent_away(self, text):
        """Whether the server ends the line on such a text."""
        try:
            self.rerun(text=text)
        except (ConnectionClosed, OSError):
            return True
        return False


def words_of(told):
    """The sentences on a page."""
    return [m.delta.new_element.text.body for m in told]


@pytest.fixture
def clients():
    open_now = []

    def come(*args, **more):
        open_now.append(Client(*args, **more))
        return open_now[-1]

    yield come
    for one in open_now:
        one.line.close()


def ask(app, path, method="GET", body=None, **headers):
    """An answer: its status, its headers by small names, its body."""
    line = http.client.HTTPConnection("127.0.0.1", app.port, timeout=30)
    line.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
    answer = line.getresponse()
    return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()


def put(app, session, name, data):
    """Upload a file as a page does."""
    token = ask(app, "/_stcore/health")[1]["set-cookie"].partition("=")[2].partition(";")[0]
    head = b'--B\r\nContent-Disposition: form-data; name="file"; filename="f.png"\r\n\r\n'
    headers = {"X_Xsrftoken": token, "Cookie": f"_streamlit_xsrf={token}"}
    path, kind = f"/_stcore/upload_file/{session}/{name}", "multipart/form-data; boundary=B"
    body = head + data + b"\r\n--B--\r\n"
    return ask(app, path, "PUT", body, Content_Type=kind, **headers)[0]


@pytest.fixture(scope="module")
def small():
    """A server of few means, under a name of its own."""
    limits = {"MAX_PAGES": 3, "TYPED_MB": 40, "MAX_UPLOAD_MB": 1, "UPLOADS_MB": 2}
    extra = {f"EXPLORER_{name}": str(value) for name, value in limits.items()}
    hosts = "localhost 127.0.0.1 lab.example"
    with serving(STREAMLIT_SERVER_ALLOWED_HOSTS=hosts, **extra) as running:
        yield running


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil", ""])
def test_under_a_name_that_is_not_its_own_the_server_answers_nobody(app, clients, host):
    assert ask(app, "/", Host=host)[0] == 403
    assert ask(app, "/_stcore/health", Host=host)[0] == 403
    if host and "@" not in host:
        with pytest.raises(InvalidStatus, match="403"):
            clients(app, host)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_this_machine_has_three_names(app, clients, host):
    assert ask(app, "/", Host=f"{host}:{app.port}")[0] == 200
    assert clients(app, host).text_box


def test_other_names_are_a_setting(small, clients):
    assert ask(small, "/", Host="lab.example")[0] == 200
    assert ask(small, "/", Host="other.example")[0] == 403
    assert clients(small, "lab.example").text_box


@pytest.mark.parametrize("host", ["evil.example", "localhost:1", "127.0.0.1:1", "lab.example"])
def test_no_page_of_another_place_or_port_may_speak_with_the_server(app, clients, host):
    with pytest.raises(InvalidStatus, match="403"):
        clients(app, origin=f"http://{host}")
    assert clients(app, origin=f"http://127.0.0.1:{app.port}").text_box


def test_a_server_for_all_addresses_asks_nobody_outside_for_its_own():
    with serving(STREAMLIT_SERVER_ADDRESS="0.0.0.0") as running:
        said = running.log.read_text()
    assert f"http://127.0.0.1:{running.port}" in said
    assert "xternal" not in said  # Streamlit names the answer, or complains that none came


@pytest.mark.parametrize(
    "path", ["/", "/step", "/_stcore/health", "/_stcore/metrics", "/_stcore/nothing", "/media/no"]
)
def test_every_answer_says_what_may_run_and_that_no_page_may_frame_it(app, path):
    said = ask(app, path)[1]
    rules = dict(rule.split(" ", 1) for rule in said["content-security-policy"].split("; "))
    assert rules["default-src"] == "'self'"
    assert "unsafe-inline" not in rules["script-src"]
    assert rules["frame-ancestors"] == rules["object-src"] == "'none'"
    assert said["x-content-type-options"] == "nosniff"
    assert said["x-frame-options"] == "DENY"
    assert said["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("path", ["metrics", "agent/openapi.json", "agent/mcp", "agent/interact"])
def test_what_nobody_here_needs_is_closed(app, path):
    assert ask(app, f"/_stcore/{path}")[0] == 404
    assert ask(app, f"/_stcore/{path}", "POST", b"{}")[0] == 404


def test_a_text_beyond_what_a_box_may_hold_ends_the_line_and_others_read_on(app, clients):
    reader, greedy = clients(app), clients(app)
    assert greedy.is_sent_away("é" * 12_000_000)
    assert not reader.is_sent_away("A text like any other.")


def test_pages_share_what_may_be_typed_and_small_texts_always_pass(small, clients):
    first, second = clients(small), clients(small)
    assert not first.is_sent_away("x" * 3_000_000)
    assert not second.is_sent_away("y" * 90_000)
    assert second.is_sent_away("y" * 3_000_000)
    assert not first.is_sent_away("z" * 3_000_000)


def test_a_page_too_many_is_refused_until_another_is_closed(small, clients):
    held = [clients(small) for _ in range(3)]
    with pytest.raises(InvalidStatus, match="403"):
        clients(small)
    held[0].line.close()
    assert clients(small).text_box


def test_what_no_page_of_ours_sends_is_passed_over(app, clients):
    reader = clients(app)
    names = BackMsg()
    names.file_urls_request.file_names.extend(["a"] * 100_000)
    for message in (BackMsg(clear_cache=True), BackMsg(debug_shutdown_runtime=True), names):
        reader.line.send(message.SerializeToString())
    told = reader.rerun()
    assert {m.WhichOneof("type") for m in told}.isdisjoint({"file_urls_response"})


def test_what_no_browser_sends_fails_in_the_apps_own_words(app, clients):
    reader = clients(app)
    told = reader.rerun()
    mounted = [m.delta.new_element.bidi_component.id for m in told]
    message = BackMsg()
    message.rerun_script.widget_states.widgets.add(id=max(mounted), json_value="{{{")
    reader.line.send(message.SerializeToString())
    told = reader.told()
    assert not [m for m in told if m.delta.new_element.HasField("exception")]
    assert [s for s in words_of(told) if s.startswith("Something went wrong inside the app")]
    assert clients(app).text_box


def test_no_upload_is_too_large_or_of_unknown_length(small, clients):
    session = clients(small).session
    assert put(small, session, "a", b"x" * 10**6) == 204
    assert put(small, session, "b", b"x" * 3 * 10**6) == 413
    path = f"/_stcore/upload_file/{session}/c"
    assert ask(small, path, "PUT", iter([b"x"] * 9))[0] == 411


def test_the_server_stops_when_told_to_though_it_trains_and_a_file_is_on_its_way(clients):
    with serving() as app:
        reader = clients(app, query=LESSON)
        while not any(words.startswith("Learning: step") for words in words_of(reader.rerun())):
            pass
        half = http.client.HTTPConnection("127.0.0.1", app.port)
        half.putrequest("PUT", f"/_stcore/upload_file/{reader.session}/f")
        half.putheader("Content-Length", "100000")
        half.endheaders(b"only the beginning")
        app.process.terminate()
        try:
            app.process.wait(10)
        except subprocess.TimeoutExpired:
            app.process.kill()
            pytest.fail("It did not stop.")
