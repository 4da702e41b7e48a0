"""One head over a corpus: what the page asks for it, and where it leads."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import streamlit as st

from explorer.corpus.folder import CorpusFolder, Like
from explorer.corpus.running import read_about
from explorer.corpus.shelf import SHIPPED, OnShelf, Opened, Shelf
from explorer.errors import ExplorerError
from explorer.headname import head_name
from explorer.instrument.wire.corpushead import Beside, pack_head, pack_search
from explorer.language import t
from explorer.run import Run
from explorer.source import parse_source
from explorer.ui import background, messages, place, state
from explorer.ui.answers import made
from explorer.ui.work import Searching

SEARCH = "search"  # of an address: the layer and head that a search from the pinned pair is of
SAME_MODEL = ".model"  # in place of a folder's name: one that the same model has read
_KEY = "corpus_search"
_MOST = 2**31

Sought = tuple[Run, tuple[int, int, int, int]]
Others = list[tuple[OnShelf, str]]
"""Other folders, each with what it is called."""
Open = Any


@dataclass
class OverHead:
    """What a reader has asked beside a head's own numbers.

    Attributes:
        like: The name of the folder whose heads are most like it; empty for none.
        sought: What is searched for: a run, and the place in it; None for nothing.
        seen: What an address asked for last: the same again is not asked for.
        trouble: Why what was wanted last cannot be.
    """

    like: str = ""
    sought: Sought | None = None
    seen: Sought | None = None
    trouble: str = ""


def _now() -> OverHead:
    found: OverHead = st.session_state.setdefault("over_head", OverHead())
    return found


def of_same_model(shelf: Shelf) -> str:
    """The folder whose heads are those of the model that is looked at; else our own sentences."""
    run: Run | None = st.session_state.wanted or st.session_state.shown
    for one in shelf.listed():
        if run and one.complete and one.kind != "tree":
            with suppress(ExplorerError):
                if read_about(one.path)["model"].get("source") == run.source.spec:
                    return one.name
    return SHIPPED


def say_lost(model: str) -> None:
    """A search is asked for from a head that the folder has not."""
    _hear_address()
    if sought := _now().sought:
        name = head_name(*sought[1][:2])
        why = t(
            "{model}, which has read this corpus, has no head {head}: the pair is pinned in "
            "another model. Open a corpus that this one has read, or start one from a file.",
            model=model,
            head=name,
        )
        messages.trouble(why, "_of_search")


def pins() -> dict[str, str]:
    """The pinned tokens, and whether a search from them is asked for, as an address has them."""
    _hear_address()
    told, sought = place.here().to_query(), _now().sought
    searches = {SEARCH: "{}.{}".format(*sought[1][:2])} if sought else {}
    return {name: told[name] for name in ("query", "key") if name in told} | searches


def told(
    one: OnShelf,
    of: Opened,
    layer: int,
    head: int,
    measure: str,
    what: tuple[object, ...],
    others: Others,
    open_: Open,
) -> dict[str, Any]:
    """What is sent of a head: its own numbers, and whatever was asked for beside them.

    Args:
        one: Where the folder stands.
        of: The folder.
        layer: The layer's own number.
        head: The head.
        measure: By which its examples stand in order.
        what: Names all this: what is made of it is made once.
        others: The folders whose heads may be like it.
        open_: Opens one of these.

    Raises:
        ExplorerError: There is no such head or measure, or the folder is damaged.
    """
    if why := _now().trouble:
        messages.trouble(why, "_of_text")
    other = next((o for o in others if o[0].name == _now().like), None)
    own: dict[str, Any] = made("corpus head", lambda _: pack_head(of, layer, head, measure), *what)
    if not isinstance(of, CorpusFolder):
        return own
    return own | {
        "others": [[o.name, title] for o, title in others],
        "beside": other and _like(of, (layer, head), other, open_, what),
        "search": _search(one, of, (layer, head), what),
    }


def _like(
    of: CorpusFolder,
    at: tuple[int, int],
    other: tuple[OnShelf, str],
    open_: Open,
    what: tuple[object, ...],
) -> dict[str, Any]:
    """The heads of another folder that are most like one of this."""
    one, title = other

    def find(_: object) -> list[Like]:
        there = open_(one)
        assert isinstance(there, CorpusFolder)
        return of.like(*at, there)

    try:
        found = made("corpus like", find, *what, one.name)
        return Beside(one.name, title, found).said()
    except ExplorerError as error:
        return Beside(one.name, title, (), str(error)).said()


# --- search -------------------------------------------------------------------------------------


def _search(
    one: OnShelf, of: CorpusFolder, at: tuple[int, int], what: tuple[object, ...]
) -> dict[str, Any] | None:
    """Where else the head does what it does at the pinned pair; None where nothing is pinned."""
    sought, pinned = _now().sought, _pinned()
    if sought and sought[1][:2] == at:
        return _found(one, of, *sought, what)
    if pinned is None:
        return None
    words = place.here().words
    pair = words if all(words) else ("", "")
    return pack_search(pair, (), 0, 0, "offered")


def _pinned() -> tuple[Run, int, int] | None:
    """The pair that is pinned on all pages: its run, and its two positions."""
    session, here = st.session_state, place.here()
    run: Run | None = session.wanted or session.shown
    if run is None or run.picture or not here.queries or not here.keys:
        return None
    return run, here.queries[0], here.keys[0]


def _hear_address() -> None:
    """A search that the address asks for is begun; the same again is not."""
    now, pinned = _now(), _pinned()
    wanted = re.fullmatch(r"(\d{1,4})\.(\d{1,4})", st.query_params.get(SEARCH, ""), re.ASCII)
    if pinned is None or wanted is None:
        return
    run, query, key = pinned
    asked = run, (int(wanted[1]), int(wanted[2]), query, key)
    if asked != now.seen:
        now.seen = now.sought = asked


def _found(
    one: OnShelf,
    of: CorpusFolder,
    run: Run,
    at: tuple[int, int, int, int],
    what: tuple[object, ...],
) -> dict[str, Any]:
    def find(progress: Any, show: Any) -> Any:
        import explorer.sources.loading  # noqa: F401  # first: two imports of transformers fail
        from explorer.corpus.search import search_from

        return search_from(run, at, of, progress, show)

    found, trouble = background.beside(_KEY, Searching(run, at, (one.name, what[-1]), find))
    partly = background.so_far(_KEY) if found is None else found
    state_ = "failed" if trouble else "told" if found else "busy"
    if partly is None:
        return pack_search(("", ""), (), 0, 0, state_, trouble)
    return pack_search(partly.pair, partly.hits, partly.n_texts, partly.of, state_, trouble)


def asked(one: OnShelf, of: Opened, sent: object) -> None:
    """What the panel of a head wants, as `corpushead.js` sends it by ``acts.ask``.

    ``like``: the name of another folder; ``search``: a layer and a head, for the pinned pair.
    """
    if not isinstance(sent, Mapping):
        return
    now, like, at = _now(), sent.get("like"), sent.get(SEARCH)
    if isinstance(like, str):
        now.like = like[:200]
    pinned = _pinned()
    if pinned and isinstance(at, list) and len(at) == 2 and all(map(_is_whole, at)):
        run, query, key = pinned
        now.sought = run, (at[0], at[1], query, key)
        background.ask_again(_KEY)


def explore(one: OnShelf, of: Opened, sent: object) -> None:
    """An example shall be seen in Explore, at a pair, as it is sent by ``acts.explore``."""
    names = ("text", "layer", "head", "query", "key")
    if not isinstance(sent, Mapping) or not isinstance(of, CorpusFolder):
        return
    at = [sent.get(name) for name in names]
    if not all(map(_is_whole, at)):
        return
    number, layer, head, query, key = (int(value) for value in at)  # type: ignore[arg-type]
    _now().trouble = ""
    try:
        run = made("corpus text", lambda _: _run_of(of, number), one.name, number)
    except ExplorerError as error:
        _now().trouble = str(error)
        return
    place.look(run=run, layer=layer, heads=(head,), queries=(query,), keys=(key,), words=("", ""))
    st.session_state.next_run = run if run != st.session_state.shown else None
    place.go("explore")


def _run_of(of: CorpusFolder, number: int) -> Run:
    """A text of a corpus, read by the model that has read them all.

    Raises:
        ExplorerError: The model is none that a page may open, or the text is not there.
    """
    source = str(of.about["model"].get("source", ""))
    try:
        model = state.permitted(parse_source(source))
    except ExplorerError as error:
        raise ExplorerError(
            t("This text cannot be opened in Explore. {why}", why=str(error))
        ) from error
    text = of.text(number)
    first, *second = text.parts
    return Run(first, second[0] if second else None, source=model, chat=text.chat)


def _is_whole(value: object) -> bool:
    return type(value) is int and 0 <= value < _MOST
