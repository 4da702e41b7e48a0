"""The table of every architecture that is checked, made anew in docs/models.md: ``make models``.

Each is a tiny random model (`tests/models/zoo.py`), saved, loaded as a reader's own would be, and
held against the eager attention that Transformers computes for the same input.
"""

import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

from explorer.errors import ExplorerError
from tests.models.zoo import GROUPS, REFUSED, Checked, build, check

PAGE = Path(__file__).with_name("models.md")
BEGIN, END = "<!-- made by make models: begin -->", "<!-- made by make models: end -->"
_HEAD = (
    "| architecture | kept as | layers | tokens | window | a weight | the last hidden state |",
    "|---|---|---|---:|---:|---:|---:|",
)
_READS = {"text": "a text", "pair": "a text and its target", "picture": "a picture"}


def main() -> None:
    """Check every architecture, and write the tables between their marks."""
    warnings.filterwarnings("ignore")
    before, rest = PAGE.read_text("utf-8").split(BEGIN)
    after = rest.split(END)[1]
    made = "\n".join(_tables())
    PAGE.write_text(f"{before}{BEGIN}\n{made}\n{END}{after}", "utf-8")


def _tables() -> Iterator[str]:
    for group, (reads, names) in GROUPS.items():
        yield f"\n### {group[0].upper()}{group[1:]}\n"
        yield from _HEAD
        for name, own in names.items():
            print(name, file=sys.stderr)
            with tempfile.TemporaryDirectory() as folder:
                yield _row(name, check(name, own, reads, folder))
    yield "\n### Refused\n"
    yield from ("| architecture | given | what is said |", "|---|---|---|")
    for name, (reads, own, _) in REFUSED.items():
        print(name, file=sys.stderr)
        yield f"| {_named(name, type(build(name, own)).__name__)} | {_READS[reads]} | " + (
            f"{_refusal(name, own, reads)} |"
        )


def _row(name: str, found: Checked) -> str:
    shown = (
        _named(name, found.cls),
        "q, k and rule" if found.form == "scores" else "given weights",
        _layers(found.layers),
        str(found.tokens),
        "" if found.window is None else str(found.window),
        f"{found.weights:.1e}" if found.weights else "0",
        f"{found.output:.1e}" if found.output else "0",
    )
    return f"| {' | '.join(shown)} |"


def _named(name: str, cls: str) -> str:
    """An architecture as the page has it: its class, its model type, and what is set otherwise."""
    kind, _, set_to = name.partition(" ")
    return f"{cls} (`{kind}`{', ' if set_to else ''}{set_to})"


def _layers(numbers: dict[str, tuple[int, ...]]) -> str:
    """Numbers of layers, by part where parts differ: ``0–3``, or ``1, 3``."""
    said = {part: _ranges(of_part) for part, of_part in numbers.items()}
    if len(set(said.values())) == 1:
        return f"{next(iter(said.values()))}{', each part' if len(said) > 1 else ''}"
    return "; ".join(f"{part} {which}" for part, which in said.items())


def _ranges(numbers: tuple[int, ...]) -> str:
    if len(numbers) > 1 and numbers == tuple(range(numbers[0], numbers[-1] + 1)):
        return f"{numbers[0]}–{numbers[-1]}"
    return ", ".join(map(str, numbers))


def _refusal(name: str, own: dict[str, object], reads: str) -> str:
    """What the app says of a model that it does not show.

    Raises:
        RuntimeError: It shows it.
    """
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "tiny"
        try:
            check(name, own, reads, place)
        except ExplorerError as error:
            return str(error)
    raise RuntimeError(f"{name} is shown: it belongs into another table of tests/models/zoo.py.")


if __name__ == "__main__":
    main()
