"""What is on a page as the Python that gives the same numbers."""

from collections.abc import Sequence
from dataclasses import MISSING, fields

from explorer.cheaper import Cheap
from explorer.run import PARTS, Run
from explorer.source import Own, Scratch, Trained, kind_of
from explorer.target import How, Target


def python_of(run: Run) -> str:
    """Lines to paste into Python; a file is called by a name that stands for its own."""
    return f"import explorer\n\ntrace = {_traced(run)}\n"


def python_of_survey(
    runs: Sequence[Run], pairs: Sequence[tuple[int, int, int]] = (), *, repeats: bool = False
) -> str:
    """Lines that give the numbers of all heads on some texts of one source.

    Args:
        runs: The texts.
        pairs: Of words that were pointed at, each a text and two positions.
        repeats: Whether what heads do on random tokens that are repeated is wanted, too.
    """
    if len(runs) > 1:
        texts = [run.texts if run.second else run.text for run in runs]
        traces = f"explorer.traces({_called([repr(texts)], _how_read(runs[0]))})"
    else:
        traces = f"[{_traced(runs[0])}]"
    lines = [
        "import explorer",
        *(["from explorer.analysis.finder import find_pairs"] if pairs else []),
        *(["from explorer.analysis.groups import word_of"] if pairs else []),
        *(["from explorer.analysis.induction import repeat_scores, repeats_in"] if repeats else []),
        "from explorer.analysis.survey import survey",
        *(_imports(runs[0]) if repeats else []),
        *(["from explorer.sources.repeats import repetitions"] if repeats else []),
        "",
        f"traces = {traces}",
        "found = survey(traces, len(traces))",
        "for name, measure in found.counted.measures.items():",
        "    print(name, measure.mean.round(3))  # [layer, head]",
    ]
    if pairs:
        lines += [
            f"pairs = {list(pairs)}  # a text, and the positions of two of its tokens",
            "def read(text, *at):",
            "    return traces[text].layers, *(word_of(traces[text].key_tokens, i) for i in at)",
            "pointed = find_pairs([read(*pair) for pair in pairs])",
            "print(pointed.weight.round(3))  # [layer, head]",
        ]
    if repeats:
        lines += [
            f"repeats = repeat_scores(repetitions({_made(runs[0])}))",
            "own = repeats_in(traces[0])  # the same in the text",
            "for name in repeats.scores:",
            "    print(name, repeats.mean(name).round(3), own.shares.get(name))  # [layer, head]",
        ]
    return "\n".join([*lines, ""])


def python_of_corpus(
    kind: str, name: str, head: tuple[int, int] | None, measure: str, beside: str = ""
) -> str:
    """Lines that give all heads over a corpus, and what one of them does.

    Args:
        kind: As `corpus.shelf.OnShelf` has it.
        name: The folder's name; where it is on the reader's machine nobody knows here.
        head: A layer's number and a head; None for none.
        measure: By which its examples stand in order.
        beside: Another folder that it is compared with; empty for none.
    """
    if kind == "tree":
        lines = ["from pathlib import Path", "from explorer.corpus.headvis import HeadVisTree", ""]
        lines += [f"tree = HeadVisTree(Path({name!r}))", "print(tree.places, tree.metrics)"]
        lines += [f"print(tree.head({head[0]}, {head[1]}))"] if head else []
        return "\n".join([*lines, ""])
    ours = kind == "sentences"
    needs_path = not ours or beside
    lines = ["from pathlib import Path"] if needs_path else []
    lines += ["from explorer.corpus.comparing import compare"] if beside else []
    lines += ["from explorer.corpus.folder import CorpusFolder"] if needs_path else []
    lines += ["from explorer.corpus.measures import NAMES"]
    lines += ["from explorer.corpus.shelf import Sentences"] if ours else []
    made = "Sentences()" if ours else f"CorpusFolder(Path({name!r}))"
    lines += ["", f"folder = {made}", "for name, mean in zip(NAMES, folder.heads.mean):"]
    lines += ["    print(name, mean.round(3))  # [layer, head]"]
    if head:
        lines += [f"for example in folder.examples({head[0]}, {head[1]}, {measure!r}):"]
        lines += ["    print(example.decile, round(example.value, 3), *example.parts)"]
    if beside:
        lines += [f"print(compare(folder, CorpusFolder(Path({beside!r}))).strongest())"]
    return "\n".join([*lines, ""])


def python_of_survival(
    run: Run, cheap: Cheap, head: tuple[int, int], tried: Sequence[tuple[Cheap, object]] = ()
) -> str:
    """Lines that give what survives of all heads, a head made cheaper, and what its model does.

    Args:
        run: The text.
        cheap: The way that is looked at.
        head: A layer's number and a head.
        tried: What was really put in place, each a way, and the heads; None for all.
    """
    layer, own = head
    lines = ["import explorer", "from explorer.analysis.survival import survival"]
    lines += ["from explorer.cheaper import Cheap, estimate"]
    lines += ["from explorer.sources.replacing import replace_heads"] if tried else []
    lines += _imports(run) if tried else []
    lines += [
        "",
        f"trace = {_traced(run)}",
        "found = survival(trace)",
        f'curve = found.curves["{cheap.kind}"]',
        f"print(curve.at({cheap.budget}).round(4))  # [layer, head]",
        f"cheap = {cheap!r}",
        f"weights = estimate(trace.layer({layer}), {own}, cheap, found.everywhere)",
    ]
    lines += [f"run = {_made(run)}"] if tried else []
    for way, heads in tried:
        made = f"replace_heads(run, {way!r}, {heads!r}, found.everywhere)"
        lines += [f"put = {made}", "print(put.pooled, put.cosine)"]
    return "\n".join([*lines, ""])


def python_of_layers(layers: Sequence[tuple[Run, int, bool, bool]]) -> str:
    """Lines that give every number of a layer, and of the same with something changed.

    Args:
        layers: Of each its run, its number, whether its tokens are told their positions, and
            whether its words are read backwards.
    """
    lines = ["import explorer", *_imports(layers[0][0])]
    lines += ["from explorer.sources.layertraces import Twist, trace_layer", ""]
    for name, (run, number, positions, backwards) in zip(
        ("layer", "changed"), layers, strict=False
    ):
        twist = f"Twist(positions={positions}, backwards={backwards})"
        lines += [f"{name} = trace_layer({_made(run)}, {number}, {twist})"]
    return "\n".join([*lines, ""])


def python_of_explanation(
    run: Run,
    target: Target,
    how: How,
    *,
    by_word: bool,
    whole_flow: bool,
    neutral: str = "",
) -> str:
    """Lines that give an explanation; the arguments are those of `analysis.explanation`.

    ``neutral`` is the token that stands in for a word, where the reader chose it.
    """
    chosen = f", neutral={neutral!r}" if neutral else ""
    lines = ["import explorer", "from explorer.analysis.explanation import explain"]
    lines += _imports(run)
    lines += ["from explorer.sources.intervention import intervention"]
    lines += [
        f"from explorer.target import {type(target).__name__}",
        "",
        f"run = {_made(run)}",
        f"asked = intervention(run, {target!r}{chosen})",
        f"found = explain(asked, how={how!r}, by_word={by_word}, whole_flow={whole_flow})",
        "print(found.value, found.removal)  # the target, and what each word does to it",
        "for score in found.scores:",
        "    print(score.method.name, score.values)",
    ]
    return "\n".join([*lines, ""])


def _traced(run: Run) -> str:
    """The call that gives a run's trace."""
    if isinstance(run.source, Own):
        return 'explorer.load("weights.npz")'
    given = {"picture": "picture.png"} if run.picture else {}
    given |= {"second": run.second} if run.second is not None else {}
    return f"explorer.trace({_called(_words(run), given | _how_read(run))})"


def _called(words: Sequence[str], given: dict[str, object]) -> str:
    return ", ".join([*words, *(f"{name}={value!r}" for name, value in given.items())])


def _words(run: Run) -> list[str]:
    return [] if run.picture else [repr(run.text)]


def _how_read(run: Run) -> dict[str, object]:
    """What reads a text, and which attention of it is wanted, as far as it is not as usual."""
    usual = kind_of(run.source) == "bert"
    return ({} if usual else {"source": run.source.spec}) | _wanted(run) | _options(run)


def _wanted(run: Run) -> dict[str, object]:
    found: dict[str, object] = {} if run.part == PARTS[0] else {"part": run.part}
    names = ("source_language", "target_language")
    found |= {n: v for n, v in zip(names, run.languages, strict=True) if v is not None}
    found |= {"written": run.written} if run.written else {}
    found |= {"chat": True} if run.chat else {}
    return found | ({"edits": run.edits.in_link()} if run.edits else {})


def _imports(run: Run) -> list[str]:
    """What `_made` needs."""
    edits = ["from explorer.edits import Edits"] if run.edits else []
    if kind_of(run.source) == "bert":
        return edits
    return [*edits, "from explorer.source import parse_source"]


def _made(run: Run) -> str:
    """The call that makes a run itself, for what takes one."""
    given = _words(run) + ([f"second={run.second!r}"] if run.second is not None else [])
    if kind_of(run.source) != "bert":
        given += [f"source=parse_source({_called([repr(run.source.spec)], _options(run))})"]
    wanted = _wanted(run)
    if "edits" in wanted:
        given.append(f"edits=Edits.of_link({wanted.pop('edits')!r})")
    return f"explorer.Run({_called(given, wanted)})"


def _options(run: Run) -> dict[str, object]:
    """What is not as usual in a from-scratch layer."""
    source = run.source
    if not isinstance(source, Scratch | Trained):
        return {}
    return {
        f.name: getattr(source, f.name)
        for f in fields(source)
        if f.default is MISSING or getattr(source, f.name) != f.default
    }
