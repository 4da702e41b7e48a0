"""What pages hand out: arrays by the names that the documents say, and Python that gives them."""

import io
import json
import re
from pathlib import Path

import numpy as np
import pytest

import explorer
from explorer import export
from explorer.code import python_of_explanation, python_of_layers, python_of_survey
from explorer.instrument.wire.about import About, file_name
from explorer.instrument.wire.container import read
from explorer.instrument.wire.repeats import Retold, may_repeat
from explorer.lesson import Trained
from explorer.run import Run
from explorer.source import Scratch, Stories
from explorer.target import Likeness, NextWord, OutputVector
from explorer.ui.work import (
    Comparing,
    Explaining,
    Finding,
    LayerTracing,
    Recording,
    Recurring,
    Repeating,
    Surveying,
    do,
)
from tests.unit.test_export import bytes_of

CAT = Run("The cat sat on the mat because it was tired.")
LINES = Run("The cat sat.\nA dog ran on.\nIt was “tired”.")
SMALL = Run("a b c", source=Scratch(d_model=8, n_heads=2, n_layers=1, causal=True))
PAGES = re.split(r"^\*\*(\w[\w ]*)\*\*", Path("docs/arrays.md").read_text("utf-8"), flags=re.M)
NAMES = {
    page: re.findall(r"`([a-z_…]+)`", "".join(re.findall(r"^\| (`.*?) \|", table, flags=re.M)))
    for page, table in zip(PAGES[1::2], PAGES[2::2], strict=True)
}


def silent(doing, share):
    pass


def found_by(work):
    return do(work, silent)


def arrays_of(data):
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        return dict(file)


def pasted(code):
    names = {}
    exec(code, names)  # our own lines: what a reader would paste
    return names


def are_as_documented(arrays, page, also=(), none=()):
    """Every array is named in the documents, and every name in them is one of this file's."""
    known = [name.replace("…", "") for name in (*NAMES[page], *also) if name not in none]
    sides = [
        name.replace(*swap) for name in known for swap in (("a_", "b_"), ("counted", "left_out"))
    ]
    for name in set(arrays) - {"about"}:
        own = name.removeprefix("changed_")
        assert own in known + sides or re.match(r"(part|near|ideal)_", own), name
    assert [name for name in known if not any(own.startswith(name) for own in arrays)] == []


def same(one, other):
    assert set(one) == set(other)
    for name in set(one) - {"about"}:
        if one[name].dtype.kind == "f":
            # The same sums of the same numbers: they differ in nothing.
            assert np.array_equal(one[name], other[name], equal_nan=True), name
        else:
            assert one[name].tolist() == other[name].tolist(), name


def test_step_by_step_hands_out_every_number_of_the_layer_and_the_python_that_gives_them(capsys):
    works = [LayerTracing(CAT, 0), LayerTracing(CAT, 0, positions=False)]
    layers = [found_by(work) for work in works]
    arrays = arrays_of(export.layer_traces_to_npz(layers, CAT.texts))
    are_as_documented(arrays, "Step by step")
    # float32 scores whose sums were taken in another order
    assert arrays["weights"] == pytest.approx(explorer.trace(CAT.text).weights[0], abs=1e-6)
    rebuilt = arrays["x"] @ arrays["w_q"].T + arrays["b_q"]
    heads = rebuilt.reshape(13, 12, 32).transpose(1, 0, 2)
    # float32 sums of 384 products, in another order
    assert np.abs(heads - arrays["q"]).max() < 1e-4
    names = pasted(python_of_layers([(w.run, w.layer, w.positions, w.backwards) for w in works]))
    again = [names["layer"], names["changed"]]
    same(arrays, arrays_of(export.layer_traces_to_npz(again, CAT.texts)))


@pytest.mark.parametrize(
    ("run", "lines", "pairs"),
    [(CAT, False, ((0, 8, 2),)), (LINES, True, ((0, 1, 2), (1, 1, 2))), (SMALL, False, ())],
    ids=["a text and a pair", "lines", "from scratch"],
)
def test_heads_hands_out_all_measures_and_the_python_that_gives_them(run, lines, pairs, capsys):
    surveying = Surveying(run, lines)
    survey = found_by(surveying)
    found = found_by(Finding(surveying, pairs)) if pairs else None
    arrays = arrays_of(export.survey_to_npz(survey, pairs, found))
    if pairs:
        are_as_documented(arrays, "Heads")
    measure = arrays["counted_measures"].tolist().index("self")
    traces = [explorer.sources.trace_run(one) for one in surveying.runs]
    own = [np.einsum("lhii->lh", t.weights.astype(float)) / t.shape[2] for t in traces]
    assert arrays["counted_mean"][measure] == pytest.approx(np.mean(own, axis=0), abs=1e-6)
    names = pasted(python_of_survey(surveying.runs, pairs))
    again = export.survey_to_npz(names["found"], pairs, names.get("pointed"))
    same(arrays, arrays_of(again))


def test_what_heads_do_on_random_tokens_is_handed_out_with_the_python_that_gives_it(capsys):
    run = Run("Mia has a ball. Tom has a cat.", source=Stories())
    surveying, pairs = Surveying(run, by_line=False), ((0, 8, 2),)
    survey, pointed = found_by(surveying), found_by(Finding(surveying, pairs))
    assert may_repeat(survey.example)
    told = Retold("told", "", found_by(Repeating(run.source)), found_by(Recurring(run)))
    arrays = arrays_of(export.survey_to_npz(survey, pairs, pointed, told))
    are_as_documented(arrays, "Heads", NAMES["Random tokens"])
    names = pasted(python_of_survey(surveying.runs, pairs, repeats=True))
    again = Retold("told", "", names["repeats"], names["own"])
    same(arrays, arrays_of(export.survey_to_npz(names["found"], pairs, names["pointed"], again)))
    about = About.of(survey.example, run)
    page = export.survey_to_html(survey, about=about, opening={}, repeats=told)
    (induction, *_) = read(bytes_of(page))[0]["repeats"]["measures"]
    mean = told.found.mean("induction").ravel()
    assert induction["mean"] == pytest.approx(mean, abs=1e-6)  # six decimals travel
    assert induction["own"]["mean"] == pytest.approx(arrays["own_induction"].ravel(), abs=1e-6)


@pytest.mark.parametrize(
    ("run", "target"),
    [
        (Run("The cat sat."), Likeness("A “tired” cat.")),
        (Run("The cat sat."), OutputVector(2)),
        (Run("Mia and Tom live near the park.", source=Stories()), NextWord()),
    ],
    ids=["likeness", "vector", "next word"],
)
def test_explain_hands_out_every_score_and_the_python_that_gives_them(run, target, capsys):
    work = Explaining(run, target, "drop", by_word=False)
    found, *_ = found_by(work)
    arrays = arrays_of(export.explanation_to_npz(found))
    are_as_documented(arrays, "Explain", none=() if found.deciding else ("deciding", "area"))
    assert arrays["removal"].tolist() == found.removal.tolist()
    about = json.loads(str(arrays["about"]))
    assert (about["value"], about["instead"]) == (found.value, None)
    code = python_of_explanation(
        work.run, target, "drop", by_word=work.by_word, whole_flow=work.whole_flow
    )
    same(arrays, arrays_of(export.explanation_to_npz(pasted(code)["found"])))


def test_compare_hands_out_both_traces_and_how_far_heads_are_apart():
    comparison = found_by(Comparing(CAT, Run("My cat was tired.")))
    arrays = arrays_of(export.comparison_to_npz(comparison))
    are_as_documented(arrays, "Compare")
    assert np.array_equal(arrays["b_weights"], explorer.trace("My cat was tired.").weights)
    assert np.array_equal(arrays["distance"], comparison.distance)
    for number, unit in enumerate(comparison.alignment.units):
        for side, text in (("a", unit.text), ("b", unit.other)):
            pieces = arrays[f"{side}_tokens"][arrays[f"{side}_common"] == number]
            assert "".join(pieces).replace("##", "").lower() == text.lower()
    assert {"cat", "tired"} <= {unit.text for unit in comparison.alignment.units}


@pytest.mark.parametrize("task", ["reverse", "stories"])
def test_train_hands_out_all_frames_in_a_file_that_opens_as_a_trace(task, tmp_path):
    history = found_by(Recording(Trained(task=task, steps=1), None))
    (tmp_path / "film.npz").write_bytes(export.history_to_npz(history))
    arrays = arrays_of((tmp_path / "film.npz").read_bytes())
    none = () if history.written else ("history_written",)
    are_as_documented(arrays, "Train", NAMES["Explore"], none)
    assert np.array_equal(arrays["history_weights"], history.weights)
    assert np.array_equal(arrays["weights"], history.weights[-1])
    assert np.array_equal(explorer.load(tmp_path / "film.npz").weights, history.trace.weights)


def test_the_pages_of_heads_and_of_an_explanation_hold_them_the_view_and_no_text_that_acts():
    hostile = "</script><script>alert(1)</script>"
    run = Run(f"cat {hostile} sat")
    survey, (found, *_) = (
        found_by(Surveying(run, False)),
        found_by(Explaining(run, Likeness(hostile))),
    )
    about, view = About.of(survey.example, run), {"measure": "[SEP]", "layer": "2"}
    pages = [
        export.survey_to_html(survey, about=about, opening=view),
        export.explanation_to_html(found, survey.example.model, about=about, opening=view),
    ]
    for page in pages:
        assert "<script>alert(1)" not in page
        assert page.count("</script>") == 2
    heads, explained = (read(bytes_of(page))[0] for page in pages)
    assert heads["opening"] == explained["explained"]["opening"] == view
    assert heads["about"]["code"] == explained["explained"]["about"]["code"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("The cat sat on the mat because it was tired.", "all-minilm-l6-v2-the-cat-sat-on-the-mat"),
        ("Short.", "all-minilm-l6-v2-short"),
        ("猫坐在垫子上", "all-minilm-l6-v2"),
        ("😀" * 11 + "abcdef", "all-minilm-l6-v2-ab"),
    ],
)
def test_a_file_is_called_after_its_model_and_text_as_the_browser_calls_it(text, name):
    about = About.of(explorer.trace(text))
    assert file_name(about, "npz") == f"{name}.npz"
    assert file_name(about, "npz", "L3 ../x") == f"{name}-l3-x.npz"
