"""Models from the hub: a loopback hub that works, and one for each way in which a hub fails."""

import errno
import os
import re
import shutil
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from huggingface_hub import _tree_cache
from huggingface_hub.utils import WeakFileLock

from explorer.errors import ExplorerError
from explorer.source import Folder, Hub
from explorer.sources import download, hub_cache, hub_line, loading
from explorer.sources import hub as other_process
from tests.hub import COMMIT, STRANGE, LoopbackHub, git_hash

TINY = Hub("me/tiny")


def quiet(what, share):
    pass


def whole_tokenizer():
    """The tokenizer.json of six words."""
    from tokenizers import Tokenizer, models

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat"]
    model = models.WordPiece({word: i for i, word in enumerate(words)}, unk_token="[UNK]")
    return Tokenizer(model).to_str().encode()


def test_a_hub_model_is_downloaded_reported_loaded_and_then_found_without_the_hub(hub):
    told = []
    loaded = loading.load_model(TINY, lambda what, share: told.append(what))
    assert loaded.info.name == "me/tiny"
    assert loaded.info.n_heads == 2
    assert told[0] == "Asking the Hugging Face hub for me/tiny"
    steps = [what for what in told if what.startswith("Downloading me/tiny: ")]
    assert re.fullmatch(r"Downloading me/tiny: [\d,.]+ (kB|bytes) of [\d.]+ kB", steps[0])
    assert len(steps) >= 3, "each file is reported"
    assert download.is_downloaded(TINY)
    assert download.downloaded() == ["me/tiny"]
    hub.faults["me/tiny"] = 500
    assert download.hub_folder(TINY, quiet).is_dir()


def test_the_size_is_known_before_anything_is_fetched(inside, files):
    size = download.hub_size(TINY, quiet)
    assert size.bytes == sum(
        len(files[n]) for n in ("config.json", "model.safetensors", "vocab.txt")
    )
    assert size.here == 0
    assert not inside.ranges
    assert not download.is_downloaded(TINY)


def test_only_what_is_safe_is_fetched_and_no_token_goes_out(hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "a-secret-of-the-operator")
    folder = download.hub_folder(TINY, quiet)
    assert {p.name for p in folder.iterdir()} == {"config.json", "model.safetensors", "vocab.txt"}
    assert {token for _, _, token in hub.asked} == {None}


def test_every_kind_of_vocabulary_is_fetched_and_nothing_of_other_folders(inside, files):
    known = ("spm.model", "sentencepiece.model", "spiece.model", "source.spm", "target.spm")
    strange = ("onnx/config.json", "config.json.bak", "tokenizer.py", "model.safetensors.bin")
    inside.models["me/tiny"] = files | dict.fromkeys((*known, *strange), b"x")
    folder = download.hub_folder(TINY, quiet)
    assert {p.name for p in folder.iterdir()} == {
        *known,
        "config.json",
        "model.safetensors",
        "vocab.txt",
    }


def test_a_gated_model_is_fetched_with_the_token_of_the_environment(inside, monkeypatch):
    inside.faults["me/tiny"] = "token"
    with pytest.raises(ExplorerError, match="your own token in HF_TOKEN"):
        download.hub_folder(TINY, quiet)
    monkeypatch.setenv("HF_TOKEN", "a-secret-of-the-operator")
    assert download.hub_folder(TINY, quiet).is_dir()
    assert inside.asked[-1][2] == "Bearer a-secret-of-the-operator"


def test_a_stopped_download_goes_on_where_it_stopped(hub, files):
    class StoppedError(Exception):
        """Nobody waits any more."""

    hub.faults["me/tiny"] = "stalls"
    half = len(files["model.safetensors"]) // 2

    def stop(what, share):
        if share:
            raise StoppedError

    with pytest.raises(StoppedError):
        download.hub_folder(TINY, stop)
    assert not download.is_downloaded(TINY)
    del hub.faults["me/tiny"]
    assert download.hub_size(TINY, quiet).here >= half
    folder = download.hub_folder(TINY, quiet)
    assert (folder / "model.safetensors").read_bytes() == files["model.safetensors"]
    assert hub.ranges == ["bytes=0-", f"bytes={half}-"]


def test_a_download_that_is_cut_short_says_so_and_goes_on(inside, files):
    inside.faults["me/tiny"] = "cut"
    with pytest.raises(ExplorerError, match=r"cut short\. What was downloaded is kept"):
        download.hub_folder(TINY, quiet)
    del inside.faults["me/tiny"]
    folder = download.hub_folder(TINY, quiet)
    assert (folder / "model.safetensors").read_bytes() == files["model.safetensors"]
    assert inside.ranges[-1] != "bytes=0-"


def test_weights_that_arrive_altered_are_thrown_away(inside, files):
    inside.faults["me/tiny"] = "damaged"
    with pytest.raises(ExplorerError, match="did not arrive as the hub has it"):
        download.hub_folder(TINY, quiet)
    assert not download.is_downloaded(TINY)
    del inside.faults["me/tiny"]
    folder = download.hub_folder(TINY, quiet)
    assert (folder / "model.safetensors").read_bytes() == files["model.safetensors"]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (404, "no public model “me/tiny”"),
        (401, "no public model"),
        (410, "has no revision “v9”"),
        (403, "only for people whom its owner"),
        (500, "in trouble or too busy"),
        (429, "in trouble or too busy"),
    ],
)
@pytest.mark.parametrize("ask", [download.hub_folder, download.hub_size])
def test_every_trouble_of_a_hub_becomes_a_sentence(inside, fault, words, ask):
    inside.faults["me/tiny"] = fault
    with pytest.raises(ExplorerError, match=words):
        ask(Hub("me/tiny", "v9"), quiet)
    assert not download.is_downloaded(Hub("me/tiny", "v9"))


@pytest.mark.parametrize("ask", [download.hub_folder, download.hub_size])
def test_a_hub_that_never_answers_is_given_up(hub, monkeypatch, ask):
    hub.faults["me/tiny"] = "silent"
    monkeypatch.setattr(download, "SILENCE_SECONDS", 0.5)
    with pytest.raises(ExplorerError, match="did not answer for"):
        ask(TINY, quiet)


def test_no_network_is_said_with_what_works_without_it(hub, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ExplorerError, match=r"cannot be reached.*embedded BERT"):
        download.hub_folder(TINY, quiet)


@pytest.mark.parametrize(
    "address", ["http://hf-mirror.com", "ftp://127.0.0.1", "hf-mirror.com", "https://", "http://[x"]
)
def test_a_mirror_is_asked_only_by_https_or_on_this_machine(inside, monkeypatch, address):
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
    monkeypatch.setenv("HF_ENDPOINT", address)
    for ask in (download.hub_size, download.hub_folder):
        with pytest.raises(ExplorerError, match="it must be an address that begins with https://"):
            ask(TINY, quiet)


def test_the_mirror_that_the_environment_names_is_the_one_that_is_asked(hub, files, monkeypatch):
    mirror = LoopbackHub(files)
    monkeypatch.setenv("HF_ENDPOINT", f"{mirror.url}/")
    folder = download.hub_folder(TINY, quiet)
    mirror.close()
    assert (folder / "model.safetensors").read_bytes() == files["model.safetensors"]
    assert {path.partition("me/tiny")[1] for _, path, _ in mirror.asked} == {"me/tiny"}
    assert not hub.asked


def test_a_mirror_that_cannot_be_reached_is_named_without_its_password(monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "https://me:secret@mirror.example")
    said = str(download._trouble("offline", TINY))
    assert "that HF_ENDPOINT names, mirror.example, cannot be reached" in said
    assert "secret" not in said
    monkeypatch.delenv("HF_ENDPOINT")
    assert "the address of a mirror of the hub in HF_ENDPOINT" in str(
        download._trouble("offline", TINY)
    )


def test_a_server_that_is_told_to_stay_offline_asks_nobody(hub, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ExplorerError, match="cannot be reached"):
        download.hub_size(TINY, quiet)
    assert not hub.asked


def test_a_model_without_safe_weights_is_refused_before_anything_is_fetched(inside, files):
    inside.models["me/tiny"] = {n: d for n, d in files.items() if n != "model.safetensors"}
    with pytest.raises(ExplorerError, match="no safetensors weights"):
        download.hub_folder(TINY, quiet)
    assert not any("/resolve/" in path for _, path, _ in inside.asked)


def test_a_model_that_is_too_large_for_this_server_is_refused_before_it_is_fetched(
    hub, monkeypatch
):
    hub.models["me/tiny"] = dict(hub.files, **{"model.safetensors": b"x" * 2**21})
    monkeypatch.setenv("EXPLORER_MAX_MODEL_MB", "1")
    with pytest.raises(ExplorerError, match="the most that this server fetches"):
        download.hub_folder(TINY, quiet)
    assert not hub.ranges


def test_a_full_disk_is_said_before_anything_is_fetched(hub, monkeypatch):
    class Full:
        free = 100

    monkeypatch.setattr(other_process.shutil, "disk_usage", lambda path: Full)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.url)
    for what in ("size", "fetch"):
        assert other_process._main(what, "me/tiny", None) == {"error": "disk"}
    assert not hub.ranges
    assert "disk of this machine is full" in str(download._trouble("disk", TINY))


def test_a_disk_that_fills_up_on_the_way_is_told_as_such():
    assert other_process._kind_of(OSError(28, "No space left on device")) == "disk"


# --- lines that are slow, and hubs that hold us ---------------------------------------------------


def test_a_small_file_that_takes_longer_than_a_silent_hub_is_waited_for_arrives(hub, monkeypatch):
    hub.faults["me/tiny"], hub.seconds = "slow", 0.3  # seven pieces of 100 bytes
    monkeypatch.setattr(download, "SILENCE_SECONDS", 1.5)
    told = []
    folder = download.hub_folder(TINY, lambda what, share: told.append(what))
    assert (folder / "config.json").read_bytes() == hub.files["config.json"]
    assert len({what for what in told if what.startswith("Downloading me/tiny: ")}) > 5


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("drips heads", r"did not answer for \d+ seconds"),
        ("drips list", r"sent only \d+ bytes? in \d+ seconds"),
        ("drips files", r"sent only \d+ bytes? in \d+ seconds.*press Run to go on"),
    ],
)
def test_a_hub_that_sends_a_byte_now_and_then_is_given_up_like_a_silent_one(
    hub, monkeypatch, fault, words
):
    hub.faults["me/tiny"] = fault
    monkeypatch.setattr(download, "SILENCE_SECONDS", 1.0)
    with pytest.raises(ExplorerError, match=words):
        download.hub_folder(TINY, quiet)


def test_patience_is_won_by_bytes_and_answers_and_lost_by_time(monkeypatch):
    now = 0.0
    monkeypatch.setattr(hub_line.time, "monotonic", lambda: now)
    honest, slow, trickling, answering = (hub_line.Patience(30) for _ in range(4))
    for now in range(1, 600):
        honest.got(1000)
        slow.got(150)
        if now % 6 == 0:
            answering.answered()
        if now == 45:
            trickling.got(5)
    assert honest.left() > 28
    assert slow.left() > 28
    assert trickling.left() < 0
    assert answering.left() > 0


def test_what_the_hub_is_not_to_blame_for_costs_no_patience(monkeypatch):
    now = 0.0
    monkeypatch.setattr(hub_line.time, "monotonic", lambda: now)
    patience = hub_line.Patience(30)
    with patience.aside():
        now = 1000.0  # hashing, or waiting for another download
    assert patience.left() == 30


# --- going on, and clearing up --------------------------------------------------------------------


def test_a_small_file_that_is_cut_short_is_gone_on_with(inside):
    inside.faults["me/tiny"] = "cut small"
    with pytest.raises(ExplorerError, match=r"cut short\. What was downloaded is kept"):
        download.hub_folder(TINY, quiet)
    del inside.faults["me/tiny"]
    half = len(inside.files["config.json"]) // 2
    folder = download.hub_folder(TINY, quiet)
    assert (folder / "config.json").read_bytes() == inside.files["config.json"]
    assert ("config.json", f"bytes={half}-") in inside.starts
    assert not list(Path(folder.parents[1]).glob("blobs/*.incomplete"))


def test_what_was_kept_and_is_no_good_is_fetched_anew_at_once(inside, tmp_path):
    config = git_hash(inside.files["config.json"])
    old(tmp_path / "models--me--tiny/blobs" / f"{config}.incomplete", 100)
    folder = download.hub_folder(TINY, quiet)
    assert (folder / "config.json").read_bytes() == inside.files["config.json"]
    assert inside.starts[-3:-1] == [("config.json", "bytes=100-"), ("config.json", "bytes=0-")]


def test_a_small_file_that_arrives_altered_is_thrown_away(inside, tmp_path):
    inside.faults["me/tiny"] = "damaged small"
    with pytest.raises(ExplorerError, match="did not arrive as the hub has it"):
        download.hub_folder(TINY, quiet)
    assert not list(tmp_path.rglob("*.incomplete"))
    del inside.faults["me/tiny"]
    folder = download.hub_folder(TINY, quiet)
    assert (folder / "config.json").read_bytes() == inside.files["config.json"]


def old(path, size=10, days=0.0):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    then = time.time() - days * 86400
    os.utime(path, (then, then))
    return path


def test_what_no_download_will_go_on_with_is_cleared_up_by_the_next_one(inside, tmp_path):
    own, other = tmp_path / "models--me--tiny/blobs", tmp_path / "models--me--other/blobs"
    config = git_hash(inside.files["config.json"])
    gone = [
        old(own / f"{'a' * 64}.incomplete"),  # of another revision
        old(own / f"{config}.incomplete", 99_999),  # more than the file has
        old(own / f"{config}.12345678.incomplete"),  # the hub's client's own
        old(own / f"{'b' * 64}.lock"),
        old(other / f"{'c' * 64}.incomplete", days=4),
        old(other / f"{'d' * 64}.87654321.incomplete"),
        old(other / f"{'e' * 64}.incomplete", 0),
    ]
    kept = old(other / f"{'f' * 64}.incomplete", days=1)
    download.hub_folder(TINY, quiet)
    assert not [path.name for path in gone if path.exists()]
    assert kept.exists()


def test_what_somebody_is_writing_is_not_cleared_up(inside, tmp_path):
    busy = old(tmp_path / "models--me--tiny/blobs" / f"{'a' * 64}.12345678.incomplete")
    lock = tmp_path / ".locks/models--me--tiny" / f"{'a' * 64}.lock"
    lock.parent.mkdir(parents=True)
    with WeakFileLock(lock):
        download.hub_folder(TINY, quiet)
    assert busy.exists()


def test_stopped_downloads_have_a_bound_in_all_and_the_oldest_go_first(
    inside, tmp_path, monkeypatch
):
    monkeypatch.setattr("explorer.sources.hub_cache.MAX_MODEL_MB", 1)
    parts = [
        old(tmp_path / f"models--me--m{i}/blobs" / f"{'a' * 64}.incomplete", 400_000, days=i / 9)
        for i in range(4)
    ]
    hub_cache.sweep("me/tiny", {})
    assert [path.exists() for path in parts] == [True, True, False, False]


def test_a_file_that_another_download_is_fetching_is_waited_for(hub, tmp_path):
    lock = tmp_path / ".locks/models--me--tiny" / f"{git_hash(hub.files['config.json'])}.lock"
    lock.parent.mkdir(parents=True)
    held = ExitStack()
    held.enter_context(WeakFileLock(lock))
    told = []

    def hear(what, share):
        told.append(what)
        if told.count("Waiting for another download of me/tiny") > 1:
            held.close()

    assert download.hub_folder(TINY, hear).is_dir()


# --- hubs that tell little, or what is not so -----------------------------------------------------


def test_sizes_that_the_list_lacks_are_asked_for_one_by_one(inside, files):
    inside.faults["me/tiny"] = "no sizes"
    size = download.hub_size(TINY, quiet)
    assert size.bytes == sum(
        len(files[n]) for n in ("config.json", "model.safetensors", "vocab.txt")
    )
    assert not inside.starts, "only heads were asked for"


def test_a_hub_that_tells_no_sizes_at_all_is_said_and_its_model_still_comes(hub, files):
    hub.faults["me/tiny"] = "no sizes at all"
    assert download.hub_size(TINY, quiet).bytes is None
    told = []
    folder = download.hub_folder(TINY, lambda what, share: told.append((what, share)))
    assert (folder / "model.safetensors").read_bytes() == files["model.safetensors"]
    assert not any(share for _, share in told)
    assert not any("0 MB" in what or "0 kB" in what for what, _ in told)


def test_without_sizes_the_bounds_hold_while_a_file_comes(hub, tmp_path, monkeypatch):
    hub.faults["me/tiny"] = "endless"
    monkeypatch.setenv("EXPLORER_MAX_MODEL_MB", "3")
    with pytest.raises(ExplorerError, match="the most that this server fetches"):
        download.hub_folder(TINY, quiet)
    assert not list(tmp_path.rglob("*.incomplete"))


def test_a_hub_that_sends_more_than_it_announced_is_cut_off(inside, tmp_path):
    inside.faults["me/tiny"] = "says less"
    with pytest.raises(ExplorerError, match="sent more of a file of “me/tiny” than it had announ"):
        download.hub_folder(TINY, quiet)
    assert not list(tmp_path.rglob("*.incomplete"))


def test_a_size_that_is_not_so_does_no_harm_where_the_hash_is_right(inside):
    inside.faults["me/tiny"] = "says more"
    folder = download.hub_folder(TINY, quiet)
    assert (folder / "config.json").read_bytes() == inside.files["config.json"]


def test_a_list_without_hashes_is_completed_by_the_heads_of_the_files(inside, files):
    inside.faults["me/tiny"] = "no hashes"
    folder = download.hub_folder(TINY, quiet)
    assert (folder / "config.json").resolve().name == git_hash(files["config.json"])
    assert download.is_downloaded(TINY)


@pytest.mark.parametrize("fault", STRANGE)
def test_an_answer_that_is_no_list_of_files_is_a_sentence(inside, tmp_path, fault):
    inside.faults["me/tiny"] = fault
    with pytest.raises(ExplorerError, match="cannot be understood"):
        download.hub_size(TINY, quiet)


def test_a_list_without_end_is_a_sentence(inside, monkeypatch):
    monkeypatch.setattr(other_process, "_LISTING_BYTES", 100)
    with pytest.raises(ExplorerError, match="has more files than can be listed here"):
        download.hub_size(TINY, quiet)


def test_a_listed_file_that_is_not_there_is_said_without_denying_the_model(inside):
    inside.faults["me/tiny"] = "lost"
    with pytest.raises(ExplorerError, match="lists a file of “me/tiny” that it does not give out"):
        download.hub_folder(TINY, quiet)


@pytest.mark.parametrize("fault", ["closed", "token"])
def test_a_model_whose_list_alone_is_open_is_told_as_one_for_some_people(inside, fault):
    inside.faults["me/tiny"] = fault
    with pytest.raises(ExplorerError, match="only for people whom its owner has let in"):
        download.hub_folder(TINY, quiet)


def test_without_sizes_a_disk_that_fills_up_ends_the_download(inside, tmp_path, monkeypatch):
    class Full:
        free = 100

    inside.faults["me/tiny"] = "no sizes at all"
    monkeypatch.setattr(other_process.shutil, "disk_usage", lambda path: Full)
    with pytest.raises(ExplorerError, match="disk of this machine is full"):
        download.hub_folder(TINY, quiet)
    assert not list(tmp_path.rglob("*.incomplete"))


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS])
def test_a_cache_that_cannot_be_written_is_told_as_such(code):
    assert other_process._kind_of(OSError(code, "no")) == "locked"
    assert "may not write to its cache" in str(download._trouble("locked", TINY))


def test_no_name_of_a_file_leads_out_of_its_folder(inside, files, tmp_path):
    evil = ["model-/../../../../x.safetensors", "model-..\\x.safetensors", "../config.json"]
    inside.models["me/tiny"] = files | dict.fromkeys(evil, b"evil")
    folder = download.hub_folder(TINY, quiet)
    assert {p.name for p in folder.iterdir()} == {"config.json", "model.safetensors", "vocab.txt"}
    assert not list(tmp_path.rglob("x.safetensors"))


# --- where a hub leads ----------------------------------------------------------------------------


def test_files_on_another_host_are_fetched_and_the_token_does_not_go_there(
    inside, files, monkeypatch
):
    away = LoopbackHub(files)
    inside.leads["me/tiny"] = f"{away.url}/me/tiny/resolve/main/{{}}"
    inside.faults["me/tiny"] = "token"
    monkeypatch.setenv("HF_TOKEN", "a-secret-of-the-operator")
    folder = download.hub_folder(TINY, quiet)
    away.close()
    assert (folder / "model.safetensors").read_bytes() == files["model.safetensors"]
    assert {token for _, _, token in away.asked} == {None}
    assert inside.asked[-1][2] == "Bearer a-secret-of-the-operator"


def test_another_host_that_refuses_is_not_taken_for_the_hub(inside, files):
    away = LoopbackHub(files)
    away.faults["me/tiny"] = 403  # as an address does that was good for a minute
    inside.leads["me/tiny"] = f"{away.url}/me/tiny/resolve/main/{{}}"
    with pytest.raises(ExplorerError, match="lists a file of “me/tiny” that it does not give out"):
        download.hub_folder(TINY, quiet)
    away.close()


@pytest.mark.parametrize(
    "target",
    [
        "file:///etc/hostname",
        "ftp://127.0.0.1/{}",
        "http://mirror.example/{}",
        "/me/tiny/resolve/main/{}",
    ],
)
def test_a_hub_that_leads_out_of_the_web_or_in_a_circle_is_not_followed(inside, target):
    inside.leads["me/tiny"] = target
    with pytest.raises(ExplorerError, match="leads to an address from which"):
        download.hub_folder(TINY, quiet)
    assert len(inside.asked) < 10


# --- revisions ------------------------------------------------------------------------------------


def test_a_model_without_a_main_revision_is_told_by_its_name(inside):
    inside.faults["me/tiny"] = 410
    with pytest.raises(ExplorerError, match="“me/tiny” has no revision “main”"):
        download.hub_size(TINY, quiet)


def test_a_revision_is_fetched_and_found_again_by_its_name_and_by_its_commit(inside):
    folder = download.hub_folder(Hub("me/tiny", "v1"), quiet)
    assert folder.name == COMMIT
    for revision in ("v1", COMMIT):
        assert download.is_downloaded(Hub("me/tiny", revision))
    assert not download.is_downloaded(TINY)


# --- what went bad in the cache -------------------------------------------------------------------


def forget_list(folder):
    """As an older client leaves a snapshot."""
    shutil.rmtree(folder.parents[1] / "trees")
    _tree_cache._IN_MEMORY_TREE_CACHE.clear()


@pytest.fixture
def cached(inside, monkeypatch):
    """A model that was downloaded and is not loaded yet."""
    monkeypatch.setattr(loading, "_loaded", type(loading._loaded)())
    return download.hub_folder(TINY, quiet)


@pytest.mark.parametrize(
    "file", ["model.safetensors", "config.json", "tokenizer.json", "vocab.txt"]
)
def test_a_file_that_went_bad_in_the_cache_is_thrown_away_and_fetched_again(
    hub, files, monkeypatch, file
):
    hub.models["me/tiny"] = files | {"tokenizer.json": whole_tokenizer()}
    monkeypatch.setattr(loading, "_loaded", type(loading._loaded)())
    blob = (download.hub_folder(TINY, quiet) / file).resolve()
    blob.write_bytes(blob.read_bytes()[:-9])
    with pytest.raises(ExplorerError, match="was damaged, and was thrown away"):
        loading.load_model(TINY, quiet)
    assert not download.is_downloaded(TINY)
    assert loading.load_model(TINY, quiet).info.n_heads == 2


@pytest.mark.parametrize("file", ["model.safetensors", "config.json", "vocab.txt"])
@pytest.mark.parametrize("how", ["no pointer", "pointer to nothing"])
def test_a_snapshot_that_lacks_a_file_is_completed(inside, cached, file, how):
    pointer = cached / file
    (pointer if how == "no pointer" else pointer.resolve()).unlink()
    assert not download.is_downloaded(TINY)
    assert download.downloaded() == []
    assert loading.load_model(TINY, quiet).info.n_heads == 2


def test_a_damaged_file_that_is_no_pointer_is_fetched_anew(inside, cached):
    """As it is on a system without symbolic links."""
    config = cached / "config.json"
    config.unlink()
    config.write_bytes(b"{")
    with pytest.raises(ExplorerError, match="was damaged, and was thrown away"):
        loading.load_model(TINY, quiet)
    assert loading.load_model(TINY, quiet).info.n_heads == 2


def test_a_damaged_file_of_somebodys_own_folder_is_refused_and_stays(inside, cached):
    """Though it lies where the hub's client put it."""
    config = cached / "config.json"
    config.resolve().write_bytes(b"{")
    with pytest.raises(ExplorerError):
        loading.load_model(Folder(str(cached)), quiet)
    assert config.is_file()


@pytest.mark.parametrize("file", ["model.safetensors", "config.json", "vocab.txt"])
def test_half_a_snapshot_of_another_program_is_completed(inside, cached, file):
    (cached / file).unlink()
    forget_list(cached)
    assert not download.is_downloaded(TINY)
    assert loading.load_model(TINY, quiet).info.n_heads == 2


def test_a_snapshot_without_a_list_that_cannot_be_loaded_is_compared_with_the_hub(
    inside, files, monkeypatch
):
    inside.models["me/tiny"] = files | {"tokenizer.json": b"{}"}  # that cannot be loaded
    monkeypatch.setattr(loading, "_loaded", type(loading._loaded)())
    folder = download.hub_folder(TINY, quiet)
    forget_list(folder)
    monkeypatch.setattr(download, "_fetched", {})
    with pytest.raises(ExplorerError, match="press Run to ask the hub"):
        loading.load_model(TINY, quiet)
    assert not download.is_downloaded(TINY)
    for _ in range(2):  # all is here, and no good: from now on that alone is said
        with pytest.raises(
            ExplorerError, match=r"“model” in its tokenizer.json is missing\. Correct.*model\.$"
        ):
            loading.load_model(TINY, quiet)


def test_a_damaged_file_under_its_name_is_not_taken_for_the_file(inside, cached):
    blob = (cached / "config.json").resolve()
    blob.write_bytes(b"x" * blob.stat().st_size)
    (cached / "vocab.txt").unlink()
    folder = download.hub_folder(TINY, quiet)
    assert (folder / "config.json").read_bytes() == inside.files["config.json"]


def test_the_hubs_own_client_finds_what_was_fetched(inside, cached):
    from huggingface_hub import snapshot_download

    assert snapshot_download("me/tiny", local_files_only=True, allow_patterns=["*.json"]) == str(
        cached
    )


# --- words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (123_456, "123 kB"),
        (4_400_000, "4.4 MB"),
        (4_294_967_296, "4.3 GB"),
    ],
)
def test_sizes_are_said_as_people_say_them(size, words):
    assert download.size_in_words(size) == words
