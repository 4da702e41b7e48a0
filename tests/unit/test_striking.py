"""What is worth a look: planted habits are found with their numbers, and noise is silent."""

import itertools

import numpy as np
import pytest

from explorer.analysis import striking as rules
from explorer.analysis.striking import FAR, MOST, moved_most, striking, tail_of
from explorer.layers import FromScores, ScoreRule, causal
from explorer.trace import AttentionTrace, ModelInfo, Token
from tests.striking_numbers import numbers_of

# float32 weights carry 6e-8 each, of their size; sums and means of some hundred stay below.
TOLERANCE = 1e-5

TEXT = (
    "the red door is shut so open the old red door with a long key or the blue key "
    "that Ada left under some stone beside our gate"
)
LAYERS, HEADS = 4, 6
PLACES = {"previous": (0, 1), "pair": (1, 2), "again": (2, 3), "own": (3, 0)}


def tokens_of(text, pieces=(), second=""):
    """[CLS], the words, [SEP], and a second text; words in ``pieces`` are two tokens."""
    found = [Token("[CLS]", None, None, 0, True)]
    word = 0
    for segment, words in enumerate(filter(None, (text, second))):
        at = 0
        for each in words.split():
            parts = [each[:2], f"##{each[2:]}"] if each in pieces else [each]
            for part in parts:
                end = at + len(part.removeprefix("##"))
                found.append(Token(part, (at, end), word, segment, False))
                at = end
            at, word = at + 1, word + 1
        found.append(Token("[SEP]", None, None, segment, True))
    return tuple(found)


def noise(tokens, seed=0, spread=1.5, layers=LAYERS, heads=HEADS):
    """Scores of random words: two tokens that are the same are nearly so to every head."""
    rng = np.random.default_rng(seed)
    vectors = {}
    for token in tokens:
        vectors.setdefault(token.text, rng.normal(size=16))
    x = np.array([vectors[t.text] for t in tokens]) + 0.3 * rng.normal(size=(len(tokens), 16))
    maps = rng.normal(size=(layers, heads, 16, 16)) * spread / 16
    return np.einsum("qi,lhij,kj->lhqk", x, maps, x)


def trace_of(scores, tokens):
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights = (weights / weights.sum(axis=-1, keepdims=True)).astype(np.float32)
    layers, heads, n, _ = weights.shape
    texts = tuple(TEXT for _ in range(1 + max(t.segment for t in tokens)))
    info = ModelInfo("test", None, layers, heads, 4, n)
    return AttentionTrace(info, texts, tokens, tokens, weights)


def at(tokens, *texts):
    """The first positions of some texts."""
    return [[t.text for t in tokens].index(text) for text in texts]


def alike(tokens):
    """Which tokens say the same as others elsewhere."""
    texts = np.array(["" if t.special else t.text for t in tokens])
    return (texts[:, None] == texts) & (texts != "") & ~np.eye(len(texts), dtype=bool)


def planted(tokens):
    """Scores of noise in which some heads have a habit, and most a sink."""
    scores = noise(tokens)
    n = len(tokens)
    scores[:, :, :, 0] += 5.0
    for name in PLACES:
        scores[PLACES[name]] = 0.3 * noise(tokens, seed=5)[0, 0]
    scores[PLACES["previous"]] += 7.0 * np.eye(n, k=-1)
    query, key = at(tokens, "key", "Ada")
    scores[PLACES["pair"]][query, key] += 6.0
    scores[PLACES["again"]][alike(tokens)] += 5.0
    segment = np.array([t.segment for t in tokens])
    scores[PLACES["own"]][segment[:, None] == segment] += 4.0
    return scores


SECOND = "my own hat hangs near this tall wall where nobody sees it"
PAIR = tokens_of(TEXT, pieces=("under", "stone"), second=SECOND)


@pytest.fixture(scope="module")
def found():
    return striking(trace_of(planted(PAIR), PAIR))


def the(found, kind):
    """The first finding of a kind."""
    return next(finding for finding in found.findings if finding.kind == kind)


def test_every_planted_habit_is_found_at_its_head(found):
    assert found.silence is None
    kinds = {"previous": "previous", "pair": "pair", "words again": "again", "own text": "own"}
    for kind, name in kinds.items():
        finding = the(found, kind)
        assert (finding.layer, finding.head) == PLACES[name], kind


def test_a_planted_pair_is_told_with_its_two_words(found):
    query, key = at(PAIR, "key", "Ada")
    assert (the(found, "pair").queries, the(found, "pair").keys) == ((query,), (key,))


def test_a_word_that_is_found_again_is_told_with_where_it_stands(found):
    finding = the(found, "words again")
    texts = {PAIR[i].text for i in (*finding.queries, *finding.keys)}
    assert len(texts) == 1
    assert not set(finding.queries) & set(finding.keys)


def test_a_sink_is_told_once_with_how_many_heads_give_most_to_it(found):
    (sink,) = [finding for finding in found.findings if finding.kind == "sink"]
    assert sink.keys == (0,)
    weights = trace_of(planted(PAIR), PAIR).weights
    most = (weights.argmax(axis=-1) == 0).sum(axis=-1)
    assert sink.n_heads == np.count_nonzero(2 * most > len(PAIR))


def test_every_number_and_baseline_is_that_of_plain_loops_over_all_weights(found):
    trace = trace_of(planted(PAIR), PAIR)
    for finding in found.findings:
        number, baselines = numbers_of(trace, finding)
        assert finding.number == pytest.approx(number, abs=TOLERANCE), finding
        assert finding.baselines == pytest.approx(baselines, abs=TOLERANCE), finding


def test_findings_are_few_far_above_their_baselines_and_the_strongest_first(found):
    strengths = [finding.strength for finding in found.findings]
    assert strengths == sorted(strengths, reverse=True)
    assert len(found.findings) <= MOST
    for finding in found.findings:
        if finding.kind != "own text":
            assert finding.number >= FAR * max(finding.baselines.values())


def test_no_special_token_and_no_piece_of_a_word_is_ever_one_of_a_pair(found):
    words = {}
    for i, token in enumerate(PAIR):
        words.setdefault(token.word, []).append(i)
    for finding in found.findings:
        if finding.kind == "pair":
            for side in (finding.queries, finding.keys):
                assert PAIR[side[0]].word is not None
                assert words[PAIR[side[0]].word] == [*side]


@pytest.mark.parametrize("habit", [-1, 1, 0, "again", "sink"])
def test_one_habit_alone_is_enough_to_be_told_from_noise(habit):
    tokens = tokens_of(TEXT)
    scores = noise(tokens)
    if habit == "sink":
        scores[:, :, :, 5] += 6.0
    elif habit == "again":
        scores[1, 1] = 0.3 * scores[1, 1] + 6.0 * alike(tokens)
    else:
        scores[1, 1] = 0.3 * scores[1, 1] + 7.0 * np.eye(len(tokens), k=habit)
    names = {-1: "previous", 1: "next", 0: "self", "again": "words again", "sink": "sink"}
    assert names[habit] in [finding.kind for finding in striking(trace_of(scores, tokens)).findings]


@pytest.mark.parametrize("spread", [0.02, 1.0, 4.0, 16.0])
@pytest.mark.parametrize("seed", range(5))
def test_heads_of_random_scores_are_silent_however_sharp_they_are(seed, spread):
    for tokens in (tokens_of(TEXT), PAIR, tokens_of("a b " * 12)):
        assert striking(trace_of(noise(tokens, seed, spread), tokens)) == rules.Striking(
            (), "noise"
        )


def test_one_pair_however_strong_does_not_make_noise_worth_a_look():
    tokens = tokens_of(TEXT)
    scores = noise(tokens)
    scores[1, 2, 15, 22] += 20.0
    assert striking(trace_of(scores, tokens)).silence == "noise"


@pytest.mark.parametrize("seed", range(5))
def test_heads_of_random_scores_have_strong_single_links_so_that_these_prove_nothing(seed):
    """What the sentence beside the silence says."""
    tokens = tokens_of(TEXT)
    weights = trace_of(forward(noise(tokens, seed, 4.0)), tokens).weights
    later = weights[:, :, len(tokens) // 2 :]  # rows with many keys to choose from
    assert (later.max(axis=-1) > 0.5).mean() > 0.27


def test_a_neighbour_is_counted_once_for_each_pair_of_words_so_that_repetition_proves_nothing():
    tokens = tokens_of("tick tock " * 20)
    n = len(tokens)
    scores = np.zeros((1, 1, n, n)) + 6.0 * np.eye(n, k=-1)
    assert striking(trace_of(scores, tokens)).silence == "few words"  # not short: 40 others tell
    other = tokens_of(" ".join(f"word{i}" for i in range(40)))
    assert striking(trace_of(scores, other)).silence is None


def test_what_a_causal_mask_allows_is_what_baselines_count():
    tokens = tokens_of(TEXT)
    n = len(tokens)
    rng = np.random.default_rng(3)
    rule = ScoreRule(scale=1.0, allowed=causal(n, n))
    q, k = np.eye(n, dtype=np.float32)[None] * 6, np.eye(n, k=1, dtype=np.float32)[None]
    q, k = (np.tile(side, (3, 1, 1)) for side in (q, k))
    q[1:], k[1:] = (rng.normal(size=(2, n, n)).astype(np.float32) / 3 for _ in range(2))
    k[1:, 0] += q[1:].mean(axis=1)
    key, ada = at(tokens, "Ada", "open")
    k[2, ada] += 0.15 * q[2, key]
    info = ModelInfo("test", None, 1, 3, 4, n)
    trace = AttentionTrace(info, (TEXT,), tokens, tokens, [FromScores(5, q, k, rule)])
    found = striking(trace).findings
    assert {finding.kind for finding in found} >= {"previous", "pair"}
    for finding in found:
        number, baselines = numbers_of(trace, finding, may=lambda i, j: j <= i)
        assert finding.layer == 5
        assert finding.number == pytest.approx(number, abs=TOLERANCE), finding
        assert finding.baselines == pytest.approx(baselines, abs=TOLERANCE), finding


# — what goes on as it did before —

ON = (
    "the red door is shut so open the old red key with a long door or the blue key that Ada left "
    "under some stone beside our gate so Ada is under the gate"
)


def forward(scores):
    """The same scores where nobody looks ahead."""
    n = scores.shape[-1]
    return np.where(np.tri(n, dtype=bool), scores, -1e9)


def after_the_same(tokens):
    """Where what came after the same word before stands, ``[query, key]``."""
    found = np.zeros((len(tokens), len(tokens)), dtype=bool)
    found[:, 1:] = np.tril(alike(tokens))[:, :-1]
    return np.tril(found, k=-2)


def going_on(tokens, push=6.0, place=(2, 3)):
    scores = noise(tokens)
    scores[place][after_the_same(tokens)] += push
    return trace_of(forward(scores), tokens)


def test_a_head_that_looks_at_what_came_after_the_same_word_is_found_with_its_baselines():
    for tokens in (tokens_of(ON), tokens_of(ON, pieces=("door", "blue"))):
        trace = going_on(tokens)
        finding = the(striking(trace), "goes on")
        assert (finding.layer, finding.head) == (2, 3)
        number, baselines = numbers_of(trace, finding, may=lambda i, j: j <= i)
        assert finding.number == pytest.approx(number, abs=TOLERANCE)
        assert finding.baselines == pytest.approx(baselines, abs=TOLERANCE)
        assert set(finding.baselines) == {"even", "others", "distance", "heads"}
        said = [t.text for t in tokens]
        words = [said[i] for i in finding.queries]
        earlier = [i for i in range(finding.queries[0]) if said[i] == words[0]]
        assert {finding.keys[0]} <= {i + len(words) for i in earlier}


def test_going_on_is_told_of_what_is_read_forwards_alone():
    scores = noise(tokens_of(ON))
    scores[2, 3][after_the_same(tokens_of(ON))] += 6.0
    kinds = [f.kind for f in striking(trace_of(scores, tokens_of(ON))).findings]
    assert "goes on" not in kinds


@pytest.mark.parametrize("habit", ["same word", "before", "as far back", "one word"])
def test_what_looks_so_for_another_reason_is_not_said_to_go_on(habit):
    phrase = "red door shut so open old gate with long key"
    twice = tokens_of(f"{phrase} {phrase}")
    n, scores = len(twice), noise(twice)
    pushed = {
        "same word": alike(twice),
        "before": np.eye(n, k=-1, dtype=bool),
        "as far back": np.eye(n, k=-(len(phrase.split()) - 1), dtype=bool),
        "one word": np.arange(n) == 3,
    }[habit]
    scores[1, 1] += 7.0 * pushed
    scores[0, 0] += 7.0 * np.eye(n, k=-1)  # so that something is told
    found = striking(trace_of(forward(scores), twice))
    assert found.silence is None
    assert "goes on" not in [f.kind for f in found.findings]


@pytest.mark.parametrize("spread", [0.02, 1.5, 6.0])
@pytest.mark.parametrize("seed", range(6))
def test_random_heads_that_read_forwards_are_silent_in_texts_that_repeat_themselves(seed, spread):
    phrase = "the red door and the blue key"
    for text in (TEXT, f"{phrase} or {phrase} or {phrase}", "a b c d " * 6):
        tokens = tokens_of(text)
        assert striking(trace_of(forward(noise(tokens, seed, spread)), tokens)).findings == ()


def test_a_head_that_only_looks_near_does_not_tell_two_texts_apart():
    scores = planted(PAIR)
    scores[PLACES["own"]] = noise(PAIR)[0, 0]
    kinds = [finding.kind for finding in striking(trace_of(scores, PAIR)).findings]
    assert "previous" in kinds
    assert "own text" not in kinds


def test_rows_read_some_at_a_time_give_the_same_findings(monkeypatch, found):
    monkeypatch.setattr("explorer.analysis.headreading._CELLS", 7 * HEADS * len(PAIR))
    again = striking(trace_of(planted(PAIR), PAIR)).findings
    assert [(f.kind, f.layer, f.head, f.queries, f.keys, f.n_heads) for f in again] == [
        (f.kind, f.layer, f.head, f.queries, f.keys, f.n_heads) for f in found.findings
    ]
    for one, other in zip(again, found.findings, strict=True):
        assert one.number == pytest.approx(other.number, abs=TOLERANCE)
        assert one.baselines == pytest.approx(other.baselines, abs=TOLERANCE)


def test_what_is_too_short_too_long_or_of_two_texts_is_said_to_be(monkeypatch):
    few = tokens_of("a b c")
    one = noise(few, layers=1, heads=1)
    assert striking(trace_of(one, few)).silence == "short"
    cross = AttentionTrace(
        ModelInfo("test", None, 1, 1, 4, 9), ("a",), few[:2], few, np.full((1, 1, 2, 5), 0.2, "f4")
    )
    assert striking(cross).silence == "two texts"
    monkeypatch.setattr(rules, "MOST_WEIGHTS", 10)
    assert striking(trace_of(one, few)).silence == "long"


def test_a_text_that_says_few_words_again_is_short_only_where_others_would_not_tell_either():
    for words, silence in (("a b " * 4, "short"), ("a b " * 12, "few words")):
        tokens = tokens_of(words)
        nothing = np.zeros((1, 1, len(tokens), len(tokens)))
        scores = nothing + 6.0 * np.eye(len(tokens), k=-1)
        assert striking(trace_of(scores, tokens)).silence == silence


def test_a_text_of_special_tokens_alone_is_too_short():
    tokens = tuple(Token("[SEP]", None, None, 0, True) for _ in range(4))
    assert striking(trace_of(np.zeros((1, 1, 4, 4)), tokens)).silence == "short"


def test_the_chance_of_so_many_at_least_is_that_of_all_outcomes_counted():
    chances = (0.5, 0.2, 0.1, 0.9)
    outcomes = list(itertools.product([0, 1], repeat=4))

    def chance(outcome):
        return np.prod([c if o else 1 - c for o, c in zip(outcome, chances, strict=True)])

    want = [sum(chance(o) for o in outcomes if sum(o) >= k) for k in range(5)]
    assert tail_of(chances) == pytest.approx(want, abs=1e-12)


def test_the_head_that_moves_an_answer_most_is_told_against_the_mean_of_all_others():
    effects = np.array([[0.1, -0.2], [-0.9, 0.0]])
    finding = moved_most((3, 7), effects)
    assert (finding.kind, finding.layer, finding.head, finding.number) == ("off", 7, 0, -0.9)
    assert finding.baselines == pytest.approx({"heads": 0.1})
    assert moved_most((0,), np.zeros((1, 4))) is None
