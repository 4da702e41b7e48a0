"""A run as the Python that gives the same trace."""

from dataclasses import MISSING, fields

from explorer.run import PARTS, Run
from explorer.source import Own, Scratch, Trained, kind_of


def python_of(run: Run) -> str:
    """Lines to paste into Python; a file is called by a name that stands for its own."""
    if isinstance(run.source, Own):
        return 'import explorer\n\ntrace = explorer.load("weights.npz")\n'
    given: dict[str, object] = {} if run.picture is None else {"picture": "picture.png"}
    if run.second is not None:
        given["second"] = run.second
    if kind_of(run.source) != "bert":
        given["source"] = run.source.spec
    if run.part != PARTS[0]:
        given["part"] = run.part
    names = ("source_language", "target_language")
    given |= {n: v for n, v in zip(names, run.languages, strict=True) if v is not None}
    given |= {"written": list(run.written)} if run.written else {}
    given |= {"edits": run.edits.in_link()} if run.edits else {}
    words = [] if run.picture else [repr(run.text)]
    words += [f"{name}={value!r}" for name, value in (given | _options(run)).items()]
    return f"import explorer\n\ntrace = explorer.trace({', '.join(words)})\n"


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
