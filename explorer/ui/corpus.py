"""The other half of “Heads”: what heads do over a corpus, which is opened, or read here."""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import streamlit as st

from explorer import export
from explorer.code import python_of_corpus
from explorer.corpus.comparing import compare
from explorer.corpus.folder import CorpusFolder
from explorer.corpus.overview import Overview, overview, overview_so_far
from explorer.corpus.shelf import SHIPPED, OnShelf, Opened, Shelf, opened
from explorer.errors import ExplorerError
from explorer.instrument import component
from explorer.instrument.component import heard
from explorer.instrument.wire.about import About, file_name
from explorer.instrument.wire.corpus import Beside, Wish, pack_corpus, pack_none, wish_of
from explorer.instrument.wire.notes import Note
from explorer.instrument.wire.request import survey_file_of
from explorer.language import Said, sentences, t, tn
from explorer.run import Run
from explorer.source import parse_source
from explorer.ui import corpushead, log, messages, place, speaking, state
from explorer.ui.answers import file, made, offer_npz
from explorer.ui.scheduler import Job, owner_of, scheduler
from explorer.ui.show import LOOK_AGAIN
from explorer.ui.work import Censusing
from explorer.visible import visible

PARAM = "corpus"  # of an address: the name of what is shown
_DIR = "EXPLORER_CORPUS_DIR"
_AT_ONCE = 8  # folders that are kept open


@dataclass
class OverCorpus:
    """What a reader does on this half of the page.

    Attributes:
        asked: How often something was opened or begun: with it the inputs fold.
        job: What is being read; None while nothing is.
        reading: Its name.
        drawn: What was known of it when the page was drawn last.
        trouble: What went wrong.
        wishes: By the name of a folder what was asked of it last.
        file: The view that a file was asked for with.
    """

    asked: int = 0
    job: Job | None = None
    reading: str = ""
    drawn: Any = None
    trouble: str = ""
    wishes: dict[str, Wish] = field(default_factory=dict)
    file: Mapping[str, str] | None = None


@dataclass(frozen=True, eq=False)
class Shown:
    """What is on the page.

    Attributes:
        one: The folder.
        over: All its heads; None while nothing is read.
        of: The folder as it can be asked; None while it is being read.
    """

    one: OnShelf
    over: Overview | None
    of: Opened | None


def now() -> OverCorpus:
    """What a reader does here."""
    found: OverCorpus = st.session_state.setdefault("over_corpus", OverCorpus())
    return found


def is_wanted() -> bool:
    """Whether the address asks for this half of the page."""
    return PARAM in st.query_params


def name_wanted() -> str:
    """The folder that the address names."""
    name = st.query_params.get(PARAM) or SHIPPED
    return corpushead.of_same_model(shelf()) if name == corpushead.SAME_MODEL else name


def shelf() -> Shelf:
    """The folders that this reader may open."""
    usual = Path.home() / ".cache" / "attention-explorer"
    kept = Path(os.environ.get(_DIR) or usual).expanduser() / "corpora"
    places = [d for d in os.environ.get("EXPLORER_MODEL_DIRS", "").split(os.pathsep) if d]
    return Shelf(kept, _owner(), places)


def _owner() -> str:
    """Who keeps corpora: who sits at this machine, or a reader as the scheduler knows him."""
    address, url = st.context.ip_address, str(st.context.url or "")
    here = address is None and url.split("://")[-1].startswith(("localhost", "127.0.0.1"))
    return "local" if here else owner_of(st.session_state.reader)


def go(name: str) -> None:
    """To a folder, as a step of the browser's history."""
    now().asked += 1
    now().trouble = ""
    place.go("heads", {PARAM: name})


def result() -> None:
    """Draw what the address names, under what must be said of it."""
    name, over, slot = name_wanted(), now(), st.container(key="messages")
    _settle()
    shown, why = _shown(name)
    with slot:
        for place_of, said in (("_of_corpus", over.trouble), ("_of_folder", why)):
            if said:
                messages.trouble(said, place_of)
        if over.job is not None:
            _progress()
        elif shown and shown.of is None:
            _offer_to_go_on(shown.one, some=shown.over is not None)
    if shown and shown.over:
        _corpus(shown, shown.over)
    else:
        component.show("corpus", pack_none(_nothing(), _link(name)), key="corpus_view")
    scheduler().warm_up()


def _shown(name: str) -> tuple[Shown | None, str]:
    """What the address names; or why that cannot be shown."""
    over = now()
    try:
        found = shelf().find(name)
        if over.job and over.reading == name and over.job.partial is not None:
            return Shown(found, over.job.partial, None), ""
        told, of = made("corpus", lambda report: _looked_into(found), name, _stamp(found))
    except ExplorerError as error:
        return None, str(error)
    except Exception as error:  # noqa: BLE001  # a strange file is in it; the page must go on
        log.failure(error)
        return None, t("This corpus cannot be shown; the log of the server says why.")
    return Shown(found, told, of), ""


def _settle() -> None:
    """What was being read has ended."""
    over = now()
    job = over.job
    if job is None or not job.future.done():
        return
    over.job = None
    try:
        job.future.result()
    except ExplorerError as error:
        over.trouble = str(error)
    except Exception as error:  # noqa: BLE001  # whatever it is, the page must go on
        log.failure(error)
        over.trouble = t("Something went wrong inside the app; the log says what.")


def _looked_into(one: OnShelf) -> tuple[Overview | None, Opened | None]:
    """All heads of a folder, and the folder; of one that is not whole what is there so far."""
    if one.complete or one.kind != "own":
        return _open(one, _stamp(one))  # of another's that is not whole, it is said
    if not one.path.is_dir():
        return None, None
    return overview_so_far(one.path), None


@lru_cache(maxsize=_AT_ONCE)
def _open(one: OnShelf, stamp: tuple[int, ...]) -> tuple[Overview, Opened]:
    of = opened(one)
    return overview(of), of


def _stamp(one: OnShelf) -> tuple[int, ...]:
    """Of a folder that was written anew another; while it is read, of how much there is."""
    found = []
    for name in ("run.json", "scatter_data.json", "heads.parquet", "shards"):
        try:
            found.append((one.path / name).stat().st_mtime_ns)
        except OSError:
            found.append(0)
    return tuple(found)


# --- reading ------------------------------------------------------------------------------------


def read(name: str) -> None:
    """Have a corpus of the reader's own read, or gone on with.

    Raises:
        ExplorerError: Its file is gone, or its model may not be opened here.
    """
    over = now()
    over.trouble, over.reading, over.drawn = "", name, None
    over.job = scheduler().ask(_work_of(shelf(), name), _reader())


def _work_of(shelf: Shelf, name: str) -> Censusing:
    """The piece of work that reads a corpus of the reader's own.

    Raises:
        ExplorerError: Its file is gone, or its model may not be opened here any more.
    """
    found = shelf.asked(name)
    if found is None:
        raise ExplorerError(
            t("The texts of this corpus are not here any more. Delete it, and start it anew.")
        )
    asked, file, folder = found
    source = parse_source(asked.model)
    state.permitted(source)

    def read(progress: Any, show: Any) -> None:
        import explorer.sources.loading  # noqa: F401  # first: two imports of transformers fail
        from explorer.corpus.paged import read_corpus

        read_corpus(asked, file, folder, progress, show, partial(shelf.check_room, 0))

    return Censusing(name, source, read)


def _reader() -> str:
    return f"{st.session_state.reader} corpus run"


@st.fragment(run_every=LOOK_AGAIN)
def _progress() -> None:
    if messages.was_stopped():
        st.rerun()
    over = now()
    if over.job is None:
        return
    scheduler().look(over.job)
    if over.job.future.done():
        st.rerun()
    if over.job.partial is not over.drawn:
        over.drawn = over.job.partial
        st.rerun()
    messages.stoppable(over.job.doing, over.job.share, "corpus_stop", stop)


def stop() -> None:
    """Nothing more is read; what is read is kept."""
    scheduler().leave(_reader())
    now().job = None


def _offer_to_go_on(one: OnShelf, some: bool) -> None:
    """What is known of a corpus that is not whole, if something is, and the way to go on."""
    told = (
        speaking.t(
            "“{file}” is not read to its end. What is read is kept, and shown below.",
            file=one.corpus,
        )
        if some
        else speaking.t("Nothing of “{file}” is read yet.", file=one.corpus)
    )
    with st.container(
        key="corpus_stopped", border=True, horizontal=True, vertical_alignment="center"
    ):
        st.text(told)
        st.button(speaking.t("Go on"), key="corpus_go_on", on_click=_go_on, args=(one.name,))
        st.button(speaking.t("Delete"), key="corpus_delete", on_click=delete, args=(one.name,))


def _go_on(name: str) -> None:
    try:
        read(name)
    except ExplorerError as error:
        now().trouble = str(error)


def delete(name: str) -> None:
    """Delete one of the reader's own."""
    shelf().delete(name)
    go(SHIPPED)


# --- the picture ----------------------------------------------------------------------------------


@st.fragment
def _corpus(shown: Shown, heads: Overview) -> None:
    if st.session_state.go_to:
        st.rerun()  # another page is wanted, which another part of this one opens
    over, name = now(), shown.one.name
    view, over.file = over.file, None  # a file is handed out once
    told = _told(shown, heads, _wish(shown, heads))
    payload = pack_corpus(heads, **told, page=_page(heads, told, view))

    def on_request(wish: Wish) -> None:
        over.wishes[name] = wish

    def on_page(wanted: Mapping[str, str]) -> None:
        over.file = wanted

    def of_head(tell: Callable[[OnShelf, Opened, object], None]) -> Callable[[object], None]:
        return lambda sent: tell(shown.one, shown.of, sent) if shown.of else None

    component.show(
        "corpus",
        payload,
        key="corpus_view",
        request=heard(wish_of, on_request),
        of_head=of_head(corpushead.asked),
        explore=of_head(corpushead.explore),
        page=heard(survey_file_of, on_page),
    )
    called = "" if shown.one.kind == "tree" else str(shown.one.corpus)
    make = partial(export.corpus_to_npz, heads, called)
    offer_npz(file_name(told["about"], "npz", f"heads {name}"), make, 2**24, id(heads))


def _told(shown: Shown, heads: Overview, wish: Wish) -> dict[str, Any]:
    """What is sent with all heads: the arguments of `pack_corpus`."""
    one, here = shown.one, place.here()
    others = _others(one) if isinstance(shown.of, CorpusFolder) else []
    beside = _beside(shown, wish.beside, others)
    return {
        "corpus_id": _id(shown.one, heads),
        "name": one.name,
        "kind": one.kind,
        "link": _link(one.name),
        "about": _about(shown, heads, wish),
        "place": (here.layer, here.head),
        "pins": corpushead.pins(),
        "head": _head(shown, heads, wish),
        "others": [(other.name, _titled(other)) for other in others],
        "beside": beside,
        "growing": shown.of is None,
    }


def _wish(shown: Shown, heads: Overview) -> Wish:
    """What is asked of the folder: at first the head that is looked at on all pages."""
    known = now().wishes.get(shown.one.name)
    if known:
        return known
    here, measures = place.here(), heads.names
    return Wish(here.layer, here.head, measures[0] if measures else "")


def _head(shown: Shown, over: Overview, wish: Wish) -> dict[str, Any] | None:
    """What is known of the head that is looked at; None where there is none."""
    of = shown.of
    if of is None or not over.names:
        return None
    layer, head = wish.layer, wish.head or 0
    if layer not in over.layers or head >= over.n_heads:
        corpushead.say_lost(visible(over.model))
        return None
    measure = wish.measure if wish.measure in over.names else over.names[0]
    what = (shown.one.name, layer, head, measure, _stamp(shown.one))
    try:
        others = [(o, _titled(o)) for o in _others(shown.one)]
        return corpushead.told(
            shown.one, of, layer, head, measure, what, others, lambda o: _open(o, _stamp(o))[1]
        )
    except ExplorerError as error:
        messages.trouble(str(error), "_of_head")
        return None


def _others(one: OnShelf) -> list[OnShelf]:
    """Folders that another can be compared with."""
    return [o for o in shelf().listed() if o.complete and o.kind != "tree" and o.name != one.name]


def _beside(shown: Shown, name: str, others: list[OnShelf]) -> Beside | None:
    """What differs from another folder; None where none is asked for."""
    other = next((o for o in others if o.name == name), None)
    if other is None or not isinstance(shown.of, CorpusFolder):
        return None
    first: CorpusFolder = shown.of

    def compared(_: object) -> Any:
        second = _open(other, _stamp(other))[1]
        assert isinstance(second, CorpusFolder)
        return compare(first, second)

    what = (shown.one.name, name, _stamp(shown.one), _stamp(other))
    try:
        return Beside(name, _titled(other), made("corpus beside", compared, *what))
    except ExplorerError as error:
        return Beside(name, _titled(other), None, str(error))


def _titled(one: OnShelf) -> str:
    if one.kind == "sentences":
        return t("our own sentences")
    return visible(one.name) if one.kind == "run" else one.corpus


def _id(one: OnShelf, heads: Overview) -> str:
    """Names what is shown, for the browser: another one for another model or other texts."""
    said = (one.kind, one.name, heads.layers, heads.n_heads)
    return hashlib.blake2b(repr(said).encode(), digest_size=8).hexdigest()


def _page(heads: Overview, told: dict[str, Any], view: Mapping[str, str] | None) -> str:
    """All this as a file, if one is wanted."""
    if view is None:
        return ""
    beside = told["beside"]  # the one that is compared on screen goes along
    others = [(beside.name, beside.title)] if beside else []
    alone = told | {"corpus_id": "file", "link": None, "opening": view, "others": others}
    return file(view, lambda report: export.corpus_to_html(heads, **alone))


def _link(name: str) -> dict[str, str]:
    """The address of this page: the run that all pages show goes along."""
    run: Run | None = st.session_state.wanted or st.session_state.shown
    return (run.to_query() if run and run.fits_link() else {}) | {PARAM: name}


def _about(shown: Shown, over: Overview, wish: Wish) -> About:
    """Whose heads these are."""
    one = shown.one
    n_layers, n_heads = len(over.layers), over.n_heads
    facts: list[str] = [
        t("our own sentences") if one.kind == "sentences" else one.corpus,
        *([over.corpus] if one.kind == "tree" and over.corpus else []),
        t("{layers} layers × {heads} heads", layers=n_layers, heads=n_heads),
    ]
    if over.n_texts:
        said = f"{over.n_texts:,}"
        if shown.of is None:
            facts.append(tn("one text so far", "{said} texts so far", over.n_texts, said=said))
        else:
            facts.append(tn("one text", "{said} texts", over.n_texts, said=said))
    if over.n_tokens:
        facts.append(tn("one token", "{said} tokens", over.n_tokens, said=f"{over.n_tokens:,}"))
    at = None if wish.layer is None or wish.head is None else (wish.layer, wish.head)
    measure = wish.measure or (over.names[0] if over.names else "")
    code = python_of_corpus(one.kind, one.name, at, measure, wish.beside)
    return About(
        visible(over.model) or one.name,
        passport="",
        checked=None,
        text=one.corpus,
        n_layers=n_layers,
        n_heads=n_heads,
        n_tokens=over.n_tokens,
        asked=now().asked,
        code=code,
        facts=tuple(facts),
        notes=_notes(over),
    )


def _notes(over: Overview) -> tuple[Note, ...]:
    """What was left out of the corpus, where one points."""
    label: Said = t("left out")
    return (Note(label, sentences(*over.troubles)),) if over.troubles else ()


def _nothing() -> About:
    """In place of heads, while there are none."""
    facts = (t("nothing is read yet") if now().job else t("nothing to show"),)
    return About(str(t("Over a corpus")), "", None, "", 0, 0, 0, asked=now().asked, facts=facts)
