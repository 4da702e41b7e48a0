"""What is shown is a message: words that pass by the catalogue are found in the code."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.jslexer import tokenize

ROOT = Path(__file__).parents[2]
PYTHON = sorted([*ROOT.glob("explorer/**/*.py"), *ROOT.glob("pages/*.py")])
SCRIPTS = sorted(ROOT.glob("explorer/**/*.js"))
SAYS = {"t", "tn", "tc"}
WORDS = re.compile(r"(?<![\w.<\[-])[a-z’]{2,}[,;:]? [a-z’]{2,}(?![\w.(=:\[-])")

# Calls whose words no reader sees: for programs, for logs, for whoever starts the server.
UNSEEN = {"ValueError", "TypeError", "RuntimeError", "AssertionError", "KeyError", "SystemExit"}
UNSEEN |= {"compile", "TypeVar", "error", "warning", "debug", "Error", "Broken", "TypeError"}
# What begins a text to look at, of the catalogue of examples.
BEGUN = "This is the house|Mia and|Ida and|The old|The cat|Every head|Who wrote|Ada L|The red|def"
EXAMPLE = re.compile(rf"^({BEGUN})")
UNSEEN |= {"querySelector", "querySelectorAll", "closest", "matches", "NotImplementedError"}
UNSEEN |= {"LookupError"}
# Files whose words are no sentences of the interface, with the reason.
APART = {
    "explorer/corpus/sentences.py": "texts of a corpus",
    "explorer/corpus/headvis.py": "names in the files of another program",
    "explorer/instrument/numbers/csv.js": "files for programs, and no words",
    "explorer/instrument/panels/figures/papers.js": "titles of papers",
    "explorer/ui/door.py": "answers to programs",
    "explorer/corpus/measures.py": "the command line",
    "explorer/instrument/numbers/nextcsv.js": "columns of a file for programs",
    "explorer/code.py": "Python that a reader copies",
    "explorer/corpus/command.py": "the command line",
    "explorer/__main__.py": "the command line",
    "explorer/scratch/grammar.py": "words of the stories",
    "explorer/scratch/storyteller.py": "words of the stories",
    "explorer/sources/templates.py": "names of a template's own language",
    "explorer/limits.py": "what settings are, for whoever starts the server",
}
# Literals that are keys of the code, names of work, texts of readers, or a browser's.
DATA = {
    *("same word", "same word before", "after the same word", "own sentence", "no token"),
    *("first to second text", "second to first text", "previous token", "next token"),
    *("words again", "goes on", "own text", "other text", "few words", "two texts"),
    *("repeated random tokens", "measured removal", "agreement with removal", "distance variance"),
    *("{} heads shown", "{} corpus run", "corpus beside", "corpus columns", "corpus head"),
    *("corpus like", "corpus text", "steps layer {}", "allocate memory", "tbody tr", "th button"),
    *("noopener noreferrer", "(pointer: coarse)", "our own sentences", "little stories"),
    "input:not([type=radio], [type=checkbox], [type=range]), textarea, select",
    "[{}{} for w in weights]",  # Python that is proposed
    "import explorer\\nfrom explorer.analysis.comparison import compare\\n",
    "{}print(layer.weights[{}, {}]) # head, query: what each key gets\\n",
    "{}print(layer.weights[{}, {}])  # head, query: what each key gets\\n",
    "Mia and Tom live near the garden with a red ball, two foxes",
    "A tired animal rests.",
    *("without the column", "no text", "pasted lines", "layer trained for {} steps on “{}”"),
    *("share of attention", "looked at", "{}, lowest tenth", "{}, highest tenth"),
    *("model's own weight", "measured: the word is cut out of attention", "attention rollout"),
    *("attention, last layer", "attention, mean of all layers", "gradient norm", "by chance"),
    *("gradient × attention relevance", "integrated gradients, baseline [UNK]"),
    *("{}, in the text", "{}, in the text, evenly", "{}, farthest text"),  # columns of a file
}
TEXTS = {"explorer/lesson.py", "explorer/sources/catalogue.py"}  # texts to look at stand there, too


def called(node: ast.AST) -> str:
    func = node.func if isinstance(node, ast.Call) else None
    return func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")


def python_words(text: str) -> Iterator[tuple[int, str]]:
    """The literals of some Python that hold words and are in no message, with their lines."""

    def visit(node: ast.AST, parent: ast.AST) -> Iterator[tuple[int, str]]:
        if called(node) in SAYS | UNSEEN:
            return
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == "__repr__":
            return
        if isinstance(node, ast.JoinedStr):
            parts = [v.value if isinstance(v, ast.Constant) else "{}" for v in node.values]
            yield node.lineno, "".join(parts)
        is_doc = isinstance(parent, ast.Expr)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and not is_doc:
            yield node.lineno, node.value
        for name, field in ast.iter_fields(node):
            if name in ("annotation", "returns") or isinstance(node, ast.JoinedStr):
                continue
            for child in field if isinstance(field, list) else [field]:
                if isinstance(child, ast.AST):
                    yield from visit(child, node)

    tree = ast.parse(text)
    for line, said in visit(tree, tree):
        if WORDS.search(said) and not said.startswith("<!doctype"):
            yield line, said


def script_words(text: str) -> Iterator[tuple[int, str]]:
    """The same of some JavaScript."""
    calls: list[str] = []
    before = ""
    for token in tokenize(text, jsx=False):
        if token.type == "operator" and token.value in "([{":
            calls.append(before if token.value == "(" else "")
        elif token.type == "operator" and token.value in ")]}" and calls:
            calls.pop()
        elif token.type in ("string", "template_string") and not (SAYS | UNSEEN) & {*calls}:
            said = re.sub(r"\$\{[^}]*\}", "{}", token.value.strip("\"'`"))
            if WORDS.search(said) and not re.search(r"\bax-|--|px|rem\b", said):
                yield token.lineno, said
        before = token.value


@pytest.mark.parametrize("path", [*PYTHON, *SCRIPTS], ids=lambda p: p.relative_to(ROOT).as_posix())
def test_words_that_are_shown_pass_through_the_catalogue(path):
    name = path.relative_to(ROOT).as_posix()
    if name in APART:
        return
    read = python_words if path.suffix == ".py" else script_words
    found = [(line, said) for line, said in read(path.read_text("utf-8")) if said not in DATA]
    if name in TEXTS:
        found = [(line, said) for line, said in found if not EXAMPLE.search(said)]
    assert not found, "write t(…), tn(…) or tc(…)"


def test_a_literal_of_words_that_passes_by_the_catalogue_is_found():
    assert list(python_words('st.text("Something went wrong here.")')) != []
    assert list(python_words('st.text(t("Something went wrong here."))')) == []
    assert list(python_words('note(f"{n} tokens were cut")')) != []
    assert list(script_words('h("p", {}, "Something went wrong here.");')) != []
    assert list(script_words('h("p", {}, t("Something went wrong here."));')) == []
    assert list(script_words("says(`${n} tokens were cut`);")) != []
