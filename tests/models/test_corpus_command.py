"""The command line: what it writes, what it says, and what it says of what cannot be."""

import json

import pytest

from explorer.corpus.command import main
from tests.models.corpus_texts import texts_of
from tests.models.tiny import tiny_model


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return f"path:{tiny_model('Model', tmp_path_factory.mktemp('bert'))}"


def do(*words):
    return main(["corpus", *map(str, words)])


def test_from_a_file_to_a_folder_to_one_head_a_comparison_and_a_tree(model, tmp_path, capsys):
    file = tmp_path / "texts.jsonl"
    rows = [json.dumps({"body": t.parts[0]}) for t in texts_of(40)]
    file.write_text("\n".join([*rows, "{broken", rows[3]]), "utf-8")
    run = ("run", file, "--model", model, "--column", "body", "--workers", 1)
    assert do(*run, "--out", tmp_path / "heads") == 0
    said = capsys.readouterr()
    assert "1 line broken, skipped (first: line 41)." in said.out
    assert "1 line the same as an earlier one, skipped (first: line 42)." in said.out
    assert f"40 texts, {_tokens(tmp_path / 'heads'):,} tokens, 2 layers of 2 heads" in said.out
    assert "tokens a second" in said.err

    assert do("show", tmp_path / "heads", 1, 0) == 0
    said = capsys.readouterr().out
    assert said.startswith("L1·H0: mean and spread")
    assert "(n = 40)" in said
    assert "is most like" in said

    assert do("search", tmp_path / "heads", "the cat sat", 1, 0, 2, 1, "--most", 3) == 0
    said = capsys.readouterr().out.strip().splitlines()
    assert len(said) == 3
    assert all(" → " in line for line in said)
    assert do("search", tmp_path / "heads", "the cat sat", 1, 0, 2, 99) == 1
    assert "There is no key 99" in capsys.readouterr().err

    assert do("compare", tmp_path / "heads", tmp_path / "heads") == 0
    assert "the same texts, one by one: 0 of" in capsys.readouterr().out

    assert do("export", tmp_path / "heads", "--headvis", tmp_path / "tree") == 0
    assert len(list((tmp_path / "tree" / "heads").iterdir())) == 4
    capsys.readouterr()


def _tokens(folder):
    return json.loads((folder / "run.json").read_text("utf-8"))["corpus"]["n_tokens"]


def test_our_own_sentences_are_all_different_and_the_same_for_everybody(tmp_path, capsys):
    for name in ("a.txt", "b.txt"):
        assert do("texts", tmp_path / name, "--limit", 500) == 0
    lines = (tmp_path / "a.txt").read_text("utf-8").splitlines()
    assert len(set(lines)) == 500
    assert (tmp_path / "b.txt").read_text("utf-8").splitlines() == lines
    assert do("texts", tmp_path / "a.txt") == 1
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["run", "{file}", "--column", "body"], "There is no column “body” in this file"),
        (["run", "{file}", "--by", "beauty"], "“beauty” is no measure. There are: entropy"),
        (["run", "{file}", "--model", "nobody"], "There is no source “nobody”"),
        (["run", "{file}", "--model", "scratch"], "reads no corpus: choose a pretrained model"),
        (["run", "{file}", "--length", "1"], "leave no room for words. Ask for a larger --length"),
        (["run", "{file}", "--out", "/proc/no/where"], "“run.json” cannot be written"),
        (["run", "{empty}"], "No text of this corpus could be read. 2 lines empty, skipped"),
        (["run", "nothing.txt"], "There is no file “nothing.txt”"),
        (["show", "{folder}", "0", "0"], "is no folder of a corpus run"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_no_traceback(model, tmp_path, capsys, words, says):
    file, empty = tmp_path / "a.csv", tmp_path / "b.txt"
    file.write_text("text\nthe cat\n")
    empty.write_text("\n  \n")
    given = {"file": file, "empty": empty, "folder": tmp_path}
    words = [word.format(**given) for word in words]
    if words[0] == "run":
        more = [] if "--model" in words else ["--model", model]
        words += [*more, "--workers", "1"]
        words += [] if "--out" in words else ["--out", str(tmp_path / "heads")]
    assert do(*words) == 1
    assert says in capsys.readouterr().err
