"""The command ``python -m explorer corpus``: run, export, compare."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from explorer.corpus.engines import engine_of
from explorer.corpus.measures import NAMES
from explorer.corpus.running import Progress, Settings, run
from explorer.corpus.sentences import MANY
from explorer.corpus.shards import put
from explorer.corpus.texts import COLUMN, Corpus
from explorer.errors import ExplorerError
from explorer.headname import head_name
from explorer.language import t
from explorer.limits import MAX_TOKENS
from explorer.visible import visible

_STOPPED = "\nStopped. What is done is kept: the same command goes on where it was."


def main(said: Sequence[str] | None = None) -> int:
    """Do what a command line asks for.

    Args:
        said: Its words; those of this process if left out.

    Returns:
        0; 1 for a refusal, 130 if it was stopped.
    """
    asked = _parser().parse_args(said)
    try:
        return int(asked.do(asked))
    except ExplorerError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(_STOPPED, file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m explorer", description="Attention Explorer.")
    rooms = parser.add_subparsers(required=True, metavar="corpus")
    corpus = rooms.add_parser("corpus", help="what a model's heads do over many texts")
    does = corpus.add_subparsers(required=True, metavar="run")
    _add_run(does.add_parser("run", help="read a file of texts into a folder"))
    _add_texts(does.add_parser("texts", help="write a small corpus of our own sentences"))
    _add_show(does.add_parser("show", help="what one head does, by a folder"))
    _add_search(does.add_parser("search", help="where else a head does what it does in a text"))
    _add_export(does.add_parser("export", help="write a folder in a form that others read"))
    _add_compare(does.add_parser("compare", help="which heads of two folders differ"))
    return parser


def _add_run(to: argparse.ArgumentParser) -> None:
    to.set_defaults(do=_run)
    to.add_argument("texts", type=Path, help=".txt, .jsonl, .csv or .parquet")
    to.add_argument("--out", type=Path, required=True, help="the folder that is written")
    to.add_argument("--column", default=COLUMN, help="which column holds the texts (%(default)s)")
    to.add_argument("--second", help="which column holds second texts, read as pairs with them")
    to.add_argument(
        "--chat", action="store_true", help="they are conversations: lists of turns, or written"
    )
    to.add_argument("--model", default="bert", help="bert, stories, hf:NAME or path:FOLDER")
    to.add_argument("--limit", type=_count, help="how many texts at most")
    to.add_argument(
        "--length", type=_count, default=MAX_TOKENS, help="tokens of a text at most (%(default)s)"
    )
    to.add_argument(
        "--workers", type=_count, default=os.cpu_count() or 1, help="processes (%(default)s)"
    )
    to.add_argument("--ray", metavar="ADDRESS", help="a Ray cluster in their place: auto, or where")
    to.add_argument("--by", default="strongest", metavar="MEASURE", help=_by())
    to.add_argument("--seed", type=int, default=0, help="of the lot by which examples are drawn")


def _add_texts(to: argparse.ArgumentParser) -> None:
    to.set_defaults(do=_texts)
    to.add_argument("file", type=Path, help="the .txt file that is written")
    to.add_argument("--limit", type=_count, default=MANY, help="how many (%(default)s)")
    to.add_argument("--seed", type=int, default=0, help="other sentences by another number")


def _add_show(to: argparse.ArgumentParser) -> None:
    to.set_defaults(do=_show)
    to.add_argument("folder", type=Path, help="the folder of a run")
    to.add_argument("layer", type=int, help="the layer's own number, from 0")
    to.add_argument("head", type=int, help="the head, from 0")


def _add_search(to: argparse.ArgumentParser) -> None:
    to.set_defaults(do=_search)
    to.add_argument("folder", type=Path, help="the folder of a run")
    to.add_argument("text", help="the text in which the head does it")
    to.add_argument("layer", type=int, help="the layer's own number, from 0")
    to.add_argument("head", type=int, help="the head, from 0")
    to.add_argument("query", type=int, help="the number of the token that looks, from 0")
    to.add_argument("key", type=int, help="the number of the token that it looks at")
    to.add_argument("--most", type=_count, default=10, help="how many texts (%(default)s)")


def _add_export(to: argparse.ArgumentParser) -> None:
    to.set_defaults(do=_export)
    to.add_argument("folder", type=Path, help="the folder of a run")
    to.add_argument("--headvis", type=Path, required=True, help="the new folder of a HeadVis tree")


def _add_compare(to: argparse.ArgumentParser) -> None:
    to.set_defaults(do=_compare)
    to.add_argument("first", type=Path, help="the folder of a run")
    to.add_argument("second", type=Path, help="that of another")
    to.add_argument("--most", type=_count, default=20, help="how many rows (%(default)s)")
    to.add_argument(
        "--correction",
        choices=["holm", "benjamini-hochberg"],
        default="holm",
        help="for looking at all heads: all of it right (holm), or most of it",
    )


def _by() -> str:
    return f"whose largest values are kept with their texts (%(default)s): {', '.join(NAMES)}"


def _count(said: str) -> int:
    if not said.isascii() or not said.isdigit() or not 1 <= int(said) < 2**31:
        raise argparse.ArgumentTypeError(f"{said!r} is no whole number from 1 on")
    return int(said)


def _run(asked: argparse.Namespace) -> int:
    corpus = Corpus(asked.texts, asked.column, asked.second, asked.limit, chat=asked.chat)
    settings = Settings(asked.model, asked.length, asked.by, asked.seed)
    engine = engine_of(asked.workers, asked.ray)
    try:
        found = run(corpus, asked.out, settings, engine, _Line(corpus.about_how_many()))
    finally:
        engine.close()
    about = found["corpus"]
    print()
    for sentence in about["troubles"]:
        print(sentence)
    if about["n_refused"]:
        print(f"{about['n_refused']:,} could not be read: {' '.join(about['refused'])}")
    if about["n_cut"]:
        what = "text was" if about["n_cut"] == 1 else "texts were"
        print(f"{about['n_cut']:,} {what} longer than what is read of a text, and cut.")
    print(
        f"{about['n_texts']:,} texts, {about['n_tokens']:,} tokens, "
        f"{len(found['layers'])} layers of {found['n_heads']} heads: {asked.out}"
    )
    return 0


def _texts(asked: argparse.Namespace) -> int:
    from explorer.corpus.sentences import sentences

    if asked.file.exists():
        raise ExplorerError(
            t("“{visible}” is there already: name a new file.", visible=visible(str(asked.file)))
        )
    put(asked.file, "\n".join(sentences(asked.limit, asked.seed)).encode("utf-8") + b"\n")
    print(f"{asked.limit:,} texts: {asked.file}")
    return 0


def _show(asked: argparse.Namespace) -> int:
    from explorer.corpus.folder import CorpusFolder

    folder = CorpusFolder(asked.folder)
    folder.check(asked.layer, asked.head)
    heads, at = folder.heads, (folder.layers.index(asked.layer), asked.head)
    print(f"{head_name(asked.layer, asked.head)}: mean and spread, and the tenths of the texts")
    for m, name in enumerate(NAMES):
        tenths = " ".join(f"{value:.3g}" for value in heads.deciles[(m, *at)])
        mean, spread = heads.mean[(m, *at)], heads.spread[(m, *at)]
        print(f"{name:<20} {mean:>9.4g} ± {spread:<9.3g} {tenths}  (n = {heads.n[m]:,})")
    for side, said in (("key", "looks at"), ("query", "looks from")):
        found = folder.tokens(asked.layer, asked.head, side)[:12]
        print(f"{said:<20} {', '.join(t.token for t in found)}")
    like = ", ".join(head_name(h.layer, h.head) for h in folder.like(asked.layer, asked.head))
    print(f"{'is most like':<20} {like}")
    return 0


def _search(asked: argparse.Namespace) -> int:
    from explorer.corpus.folder import CorpusFolder
    from explorer.corpus.search import Hit, pair_of, search
    from explorer.corpus.work import model_of
    from explorer.run import Run
    from explorer.source import parse_source
    from explorer.sources import trace_run

    folder = CorpusFolder(asked.folder)
    source = folder.about["model"]["source"]
    trace = trace_run(Run(asked.text, source=parse_source(source), chat=folder.chat))
    pair = pair_of(trace, asked.layer, asked.head, asked.query, asked.key)

    def told(n: int, hits: list[Hit]) -> None:
        print(f"\r\x1b[K{n:,} texts", end="", file=sys.stderr, flush=True)

    length = folder.about["length"]
    hits = search(model_of(source), folder.texts(), pair, length, asked.most, told)
    print()
    for hit in hits:
        where = f"{hit.tokens[hit.query]} → {hit.tokens[hit.key]}"
        text = visible(hit.text.parts[0])
        print(f"{hit.likeness:.3f}  {where:<24} {hit.weight:.3f}  {text[:80]}")
    return 0


def _export(asked: argparse.Namespace) -> int:
    from explorer.corpus.folder import CorpusFolder
    from explorer.corpus.headvis import export

    folder = CorpusFolder(asked.folder)
    export(folder, asked.headvis)
    print(f"{len(folder.layers) * folder.n_heads:,} heads: {asked.headvis}")
    return 0


def _compare(asked: argparse.Namespace) -> int:
    from explorer.corpus.comparing import compare
    from explorer.corpus.folder import CorpusFolder

    found = compare(CorpusFolder(asked.first), CorpusFolder(asked.second), asked.correction)
    rows = found.strongest(asked.most)
    differs, of = int(found.found.differs.sum()), int((~np.isnan(found.found.p)).sum())
    how = "the same texts, one by one" if found.same_texts else "different texts, by their means"
    print(f"{how}: {differs:,} of {of:,} measures of heads differ ({asked.correction}).")
    for name, layer, head, difference, low, high, p in rows:
        print(
            f"{head_name(layer, head):>8}  {name:<20} {difference:+.4f}  "
            f"({low:+.4f} to {high:+.4f})  p = {p:.1g}"
        )
    return 0


class _Line:
    """One line that says how far a run is.

    Args:
        n_texts: About how many texts there are; None where nobody knows.
    """

    def __init__(self, n_texts: int | None) -> None:
        self._n_texts = n_texts

    def __call__(self, progress: Progress) -> None:
        parts = [progress.doing]
        if progress.n_texts:
            of = f" of about {self._n_texts:,}" if self._n_texts else ""
            parts.append(f"{progress.n_texts:,}{of} texts")
        if progress.new_tokens and progress.seconds:
            parts.append(f"{progress.new_tokens / progress.seconds:,.0f} tokens a second")
            parts.append(self._left(progress))
        print(f"\r\x1b[K{' · '.join(filter(None, parts))}", end="", file=sys.stderr, flush=True)

    def _left(self, progress: Progress) -> str:
        """The time that is left, by the tokens that texts had so far."""
        left = max((self._n_texts or 0) - progress.n_texts, 0)
        if not left:
            return ""
        tokens = left * progress.n_tokens / progress.n_texts
        seconds = round(tokens * progress.seconds / progress.new_tokens)
        return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d} left"
