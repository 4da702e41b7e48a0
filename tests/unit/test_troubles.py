"""docs/troubles.md says what the code says, and every row has its test."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("| \n").split(" | ")]
    for line in (ROOT / "docs/troubles.md").read_text("utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| fault")
]
GAP = "\0"


def text_of(node):
    """A text in the code, with a gap where it is filled in; None for what is no text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"\{\w+(:[^}]*)?\}", GAP, node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(v) or GAP for v in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mult):
        left, right = text_of(node.left), text_of(node.right)
        return left if isinstance(node.op, ast.Mult) else (left or GAP) + (right or GAP)
    return None


def sentences():
    for path in ROOT.glob("explorer/**/*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            text = text_of(node)
            if text and " " in text:
                yield text


SAID = list(dict.fromkeys(sentences()))
TESTS = "\n".join(p.read_text("utf-8") for p in ROOT.glob("tests/**/test_*.py"))


def alike(sentence):
    """A pattern of what the code has: "…" and gaps may stand for anything."""
    return re.sub(r"(\\?…|\0)+", ".*", re.escape(sentence).replace("\\\0", "\0"))


@pytest.mark.parametrize(("fault", "said", "test"), ROWS, ids=[row[0][:60] for row in ROWS])
def test_every_fault_has_the_sentence_that_is_said_and_a_test(fault, said, test):
    assert f"def {test.strip('`')}(" in TESTS, f"{fault}: there is no {test}"
    if said.startswith("nothing:"):
        return
    wanted = re.compile(alike(said).removesuffix(".*"))
    assert any(wanted.match(text.replace(GAP, "…")) for text in SAID), said
