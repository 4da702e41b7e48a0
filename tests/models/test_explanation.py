"""A whole explanation: every method, its agreement with removal, and what it says in words."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.stats

from explorer.analysis.agreement import RankAgreement
from explorer.analysis.explanation import (
    METHODS,
    all_agreements,
    explain,
    likeness_word,
    truth_line,
    units_of,
)
from explorer.analysis.flow import attention_flow
from explorer.analysis.norms import layer_norms
from explorer.analysis.rollout import attention_rollout
from explorer.analysis.survey import survey
from explorer.errors import ExplorerError
from explorer.limits import MAX_LINES
from explorer.run import Run
from explorer.source import Folder
from explorer.sources import trace_run
from explorer.sources.intervention import intervention
from explorer.target import ClassScore, Likeness, MaskedWord, OutputVector
from tests.models.tiny import WORDS, tiny_model

CAT = Run("The cat sat on the mat because it was tired.")
OTHER = "A tired cat rests."
TOLERANCE = 1e-6


def explained(run, target, **options):
    return explain(intervention(run, target), **options)


def score(found, key):
    return next(s for s in found.scores if s.method.key == key)


@pytest.fixture(scope="module")
def likeness():
    return explained(CAT, Likeness(OTHER))


def test_scores_of_a_pooled_target_are_the_means_over_all_positions(likeness):
    weights = trace_run(CAT).weights
    words = slice(1, -1)  # every word is one token here
    rollout = attention_rollout(weights)[-1].mean(axis=0)[words]
    assert score(likeness, "rollout").values == pytest.approx(rollout, abs=TOLERANCE)
    flow = attention_flow(weights).mean(axis=0)[words]
    assert score(likeness, "flow").values == pytest.approx(flow, abs=4e-6)  # whole 2^-22ths
    last = weights[-1].mean(axis=0).mean(axis=0)[words]
    assert score(likeness, "attention").values == pytest.approx(last, abs=TOLERANCE)


def test_scores_of_one_position_are_its_row():
    found = explained(CAT, OutputVector(8))
    weights = trace_run(CAT).weights
    others = [i for i in range(1, 12) if i != 8]
    row = weights[-1].mean(axis=0)[8]
    assert score(found, "attention").values == pytest.approx(row[others], abs=TOLERANCE)
    assert [u for unit in found.units for u in unit] == others


def test_agreement_is_spearmans_with_what_removal_measured(likeness):
    asked = intervention(CAT, Likeness(OTHER))
    gone = asked.without([[i] for i in asked.removable], "replace")
    assert likeness.removal == pytest.approx(asked.value - gone, abs=TOLERANCE)
    for each in likeness.scores:
        truth = likeness.removal if each.method.signed else np.abs(likeness.removal)
        rho = scipy.stats.spearmanr(each.values, truth).statistic
        assert each.agreement.rho == pytest.approx(rho, abs=1e-9)


def test_any_two_scores_are_held_against_one_another(likeness):
    table = all_agreements(likeness)
    assert len(table) == len(METHODS) + 1
    for i in range(len(table)):
        assert table[i][i].rho == pytest.approx(1)
        for j in range(i):
            assert table[i][j].rho == pytest.approx(table[j][i].rho)
    pad, mask = (score(likeness, f"integrated_{b}").values for b in ("pad", "mask"))
    assert table[-1][-2].rho == pytest.approx(scipy.stats.spearmanr(pad, mask).statistic)
    attention = score(likeness, "attention").values
    want = scipy.stats.spearmanr(attention, np.abs(pad)).statistic
    assert table[1][-2].rho == pytest.approx(want)


def test_removal_itself_would_have_the_lowest_deletion_at_the_first_step(likeness):
    asked = intervention(CAT, Likeness(OTHER))
    best = int(likeness.removal.argmax())
    lowest = asked.without([likeness.units[best]], "replace")[0]
    for each in likeness.scores:
        assert each.curves.deletion[0] == pytest.approx(likeness.value, abs=TOLERANCE)
        assert each.curves.deletion[1] >= lowest - TOLERANCE
        assert each.curves.deletion[-1] == pytest.approx(likeness.empty, abs=TOLERANCE)
        assert each.curves.insertion[0] == pytest.approx(likeness.empty, abs=TOLERANCE)
        assert each.curves.insertion[-1] == pytest.approx(likeness.value, abs=TOLERANCE)


def test_the_truth_line_begins_with_raw_attention_and_quotes_its_number(likeness):
    first, _, third = truth_line(likeness)
    assert "no truth of its own" in third
    a = score(likeness, "attention").agreement
    if a.low <= 0 <= a.high:
        assert first.startswith("Whether the attention of the last layer ranks the words like ")
        assert "this text cannot tell" in first
    else:
        assert first.startswith("Here the attention of the last layer ranks the words ")
        assert likeness_word(a.rho) in first
    assert f": {a.rho:.2f} (Spearman; 95 % interval" in first
    assert "how far putting [MASK] in their place really moves the target, up or down" in first
    signed = replace(likeness, scores=[s for s in likeness.scores if s.method.signed])
    assert "really does to the target, for or against" in truth_line(signed)[0]


def test_nearest_and_farthest_are_named_among_methods_held_against_one_measure(likeness):
    size, sign = truth_line(likeness)[1].split(" Of those that know one, ")
    for said, signed, measure in (
        (size, False, "held against the size of the effect"),
        (sign, True, "held against the effect with its sign"),
    ):
        of = [s for s in likeness.scores if s.method.signed == signed]
        best, worst = (pick(of, key=lambda s: s.agreement.rho) for pick in (max, min))
        assert f"{measure}, nearest to removal here: {number(best)}; farthest: " in said
        assert f"farthest: {number(worst)}." in said


def number(score):
    return f"{score.method.name}, {score.agreement.rho:.2f}".replace(", -", ", −")


@pytest.mark.parametrize(
    ("how", "instead", "says"),
    [
        ("replace", "[MASK]", "a text with [MASK] in a word’s place is one that the model has"),
        ("drop", None, "a text with a gap is one that the model has seldom seen."),
        ("cut", None, "never trained with a word that no later one may look at."),
    ],
)
def test_what_removal_is_not_is_said_of_the_way_that_words_went(likeness, how, instead, says):
    assert says in truth_line(replace(likeness, how=how, instead=instead))[-1]


@pytest.mark.parametrize(("low", "tells"), [(-0.2, False), (0.0, False), (0.1, True)])
def test_where_the_interval_holds_0_the_line_says_that_this_text_cannot_tell(likeness, low, tells):
    first = likeness.scores[0]
    told = replace(first, agreement=RankAgreement(0.38, low, 0.81, 11))
    line = truth_line(replace(likeness, scores=(told, *likeness.scores[1:])))[0]
    assert ("only a little like" in line) == tells
    assert ("this text cannot tell: 0.38" in line) != tells


@pytest.mark.parametrize(
    ("rho", "words"),
    [
        (-0.5, "other way round"),
        (-0.1, "almost unlike"),
        (0.1, "almost unlike"),
        (0.9, "much like"),
    ],
)
def test_a_correlation_in_words_does_not_flatter(rho, words):
    assert words in likeness_word(rho)


def test_a_random_model_gets_no_flattering_story(tmp_path):
    """What agrees at nearly nought is said to be nearly nought, in words and in its number.

    Random weights move something too, so an agreement is nought on some texts only.
    """
    folder = tiny_model("Model", tmp_path)
    words = [w for w in WORDS if w.isalpha()]
    near_nought = 0
    for seed in range(12):
        text = " ".join(np.random.default_rng(seed).choice(words, 24))
        found = explained(Run(text, source=Folder(str(folder))), OutputVector(0), by_word=False)
        agreement, line = score(found, "attention").agreement, truth_line(found)[0]
        assert f": {agreement.rho:.2f} (Spearman".replace("-", "−") in line
        if abs(agreement.rho) < 0.2:
            near_nought += 1
            assert "this text cannot tell" in line
            assert agreement.low < 0 < agreement.high  # and the interval says: perhaps nothing
    assert near_nought >= 3


def test_pieces_of_a_word_count_as_one_or_each_for_itself():
    run = Run("tokenization helps")
    asked = intervention(run, Likeness("x"))
    pieces = [t.text for t in asked.tokens if not t.special]
    assert pieces == ["token", "##ization", "helps"]
    assert units_of(asked.tokens, asked.removable, by_word=True) == [[1, 2], [3]]
    assert units_of(asked.tokens, asked.removable, by_word=False) == [[1], [2], [3]]


def test_too_few_words_are_no_ground_for_a_verdict():
    found = explained(Run("cats sleep"), Likeness(OTHER))
    assert all(s.agreement.rho is None for s in found.scores if s.agreement)
    assert "too few" in truth_line(found)[0]


def test_what_a_model_lacks_is_named_and_never_replaced_by_another_number(tmp_path):
    folder = tiny_model("MPNetModel", tmp_path)
    run = Run("the cat sat on the mat", source=Folder(str(folder)))
    found = explained(run, Likeness("the dog"))
    for key in ("norms", "norms_residual", "norms_layer_norm", "alti"):
        assert score(found, key).values is None
        assert "is built in another way" in score(found, key).reason
    assert found.head_effects is None
    assert "does not go through the interface of Transformers" in found.heads_reason
    assert score(found, "attention").agreement.rho is not None


@pytest.mark.parametrize("target", [Likeness(OTHER), OutputVector(8)])
def test_norms_with_the_residual_are_a_line_of_their_own_where_they_are_other_numbers(target):
    asked = intervention(CAT, target)
    plain, kept = (
        layer_norms(asked.activations(), -1, residual=r)[asked.rows][:, asked.removable].mean(0)
        for r in (False, True)
    )
    found = score(explained(CAT, target), "norms_residual")
    assert (found.values is None) == (plain == kept).all()


def test_flow_over_all_positions_of_a_long_text_waits_to_be_asked_for():
    run = Run("one two three four five " * 9)
    found = explained(run, Likeness(OTHER))
    assert score(found, "flow").values is None
    assert "maximum flows" in score(found, "flow").reason


def test_a_masked_word_and_a_class_are_explained_too(tmp_path):
    (tmp_path / "words").mkdir()
    (tmp_path / "classes").mkdir()
    words = Folder(str(tiny_model("MaskedLM", tmp_path / "words")))
    classes = Folder(str(tiny_model("SequenceClassification", tmp_path / "classes")))
    text = "the cat sat on the big mat"
    for run, target in (
        (Run(text, source=words), MaskedWord(2)),
        (Run(text, source=classes), ClassScore()),
    ):
        found = explained(run, target, how="drop")
        assert len(found.scores) == len(METHODS)
        (same,) = [s for s in found.scores if s.values is None]
        assert same.method.key == "norms_residual"  # as what is read is not scored
        assert "the numbers of the line above would stand here again" in same.reason
        assert found.head_effects.shape == (2, 2)


def test_an_explanation_can_be_stopped():
    def stop(doing, share):
        if share and share > 0.3:
            raise ExplorerError("Stopped.")

    with pytest.raises(ExplorerError, match="Stopped"):
        explained(CAT, Likeness(OTHER), report=stop)


# — The survey —

TEXTS = (
    "The cat sat on the mat because it was tired.",
    "Every head has its own habit, and this one simply looks at the word before.",
    "Nobody knew why the lighthouse had not been lit for thirty years.",
)


def test_the_previous_token_head_of_minilm_is_found_first_and_called_so():
    found = survey([trace_run(Run(t)) for t in TEXTS], len(TEXTS))
    previous = found.counted.measures["previous"].mean
    assert np.unravel_index(previous.argmax(), previous.shape) == (0, 2)
    assert previous[0, 2] > 0.9
    kinds = found.counted.kinds
    assert kinds[0][2].name == "previous token"
    assert kinds[1][8].name == "next token"
    assert kinds[1][11].name == "vertical"
    assert found.n_placed == found.n_texts == 3
    assert found.places.shape == (72, 2)


def test_a_survey_of_one_text_is_that_texts_profile():
    trace = trace_run(Run(TEXTS[0]))
    found = survey([trace], 1)
    want = trace.weights[:, :, range(1, 13), range(12)].sum(-1) / 13  # each on the one before
    assert found.counted.measures["previous"].mean == pytest.approx(want, abs=1e-6)
    assert (found.counted.measures["previous"].spread == 0).all()


def test_every_line_is_a_run_and_too_many_are_refused():
    run = Run("one\n\n two \nthree")
    assert [r.text for r in run.by_line()] == ["one", " two ", "three"]
    with pytest.raises(ExplorerError, match=f"at most {MAX_LINES}"):
        Run("x\n" * (MAX_LINES + 1)).by_line()


def test_an_explanation_comes_piece_by_piece_and_what_really_happens_last():
    shown = []
    whole = explained(CAT, Likeness(OTHER), show=shown.append)
    scores = [sum(s.values is not None for s in known.scores) for known in shown]
    assert scores[0] >= 3, "the first picture has something to look at"
    assert scores == sorted(scores)
    assert scores[-1] == len(METHODS)
    before = [known for known in shown if known.removal is None]
    assert sum(s.values is not None for s in before[-1].scores) == len(METHODS)
    assert not any(known.whole or known.agreements for known in shown[:-1])
    assert shown[-1].whole
    assert whole.agreements
    for known in shown:  # nothing that was shown is taken back
        for early, late in zip(known.scores, whole.scores, strict=True):
            assert early.values is None or (early.values == late.values).all()


def test_what_was_stopped_says_so_of_each_score_that_is_missing():
    shown = []
    explained(CAT, Likeness(OTHER), show=shown.append)
    left = shown[0].left_off()
    assert all(s.values is not None or "stopped before its turn" in s.reason for s in left.scores)
