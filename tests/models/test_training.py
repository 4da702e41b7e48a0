"""The layer learns every task; stopping, going on and looking on change nothing."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import explorer
from explorer.errors import ExplorerError
from explorer.lesson import RHYME, TASKS, Trained
from explorer.run import Run
from explorer.scratch.grammar import split
from explorer.scratch.nextword import course_of
from explorer.scratch.tasks import BLANK, COURSES, START, is_held_out, nearness
from explorer.scratch.telling import END
from explorer.scratch.training import Training, learner_at, schedule
from explorer.sources import trained
from explorer.sources.progress import silent

LEARNED = {"sort": 0.95, "count": 0.95}  # all others 0.98


def ids_of(task, text):
    return torch.tensor([COURSES[task].vocabulary.index(c) for c in text.replace(" ", "")])


def answers_of(task, text):
    course = COURSES[task]
    solved = course.solve(ids_of(task, text)[None])[0].tolist()
    return ["-" if i == BLANK else course.answers[i] for i in solved]


@pytest.mark.parametrize(
    ("task", "text", "answers"),
    [
        ("copy", "a b c a", "- a b c"),
        ("reverse", "a b c d", "d c b a"),
        ("duplicate", "a b a c", "twice once twice once"),
        ("sort", "3 1 2 1", "1 1 2 3"),
        ("count", "a a b a", "3 3 1 3"),
        ("brackets", "( [ ? ? { ?", "- - ] ) - }"),
        ("brackets", "? ( ?", "- - )"),
        ("induction", "a b c a b", "- - - b c"),
        ("induction", "a b a c a", "- - b - c"),
    ],
)
def test_a_task_has_the_answers_that_a_person_would_give(task, text, answers):
    assert answers_of(task, text) == answers.split(" ")


def test_more_than_five_of_a_kind_are_five_or_more():
    assert set(answers_of("count", "aaaaaaa")) == {"5 or more"}


@pytest.mark.parametrize(
    ("task", "text", "name", "looks"),
    [
        ("copy", "a b c", "the previous token", {1: [0], 2: [1]}),
        ("reverse", "a b c", "the place as far from the other end", {0: [2], 1: [1], 2: [0]}),
        ("duplicate", "a b a", "the same token elsewhere", {0: [2], 2: [0]}),
        ("sort", "3 1 2", "the digit that belongs here", {0: [1], 1: [2], 2: [0]}),
        ("count", "a b a", "the same token, here and elsewhere", {0: [0, 2], 1: [1], 2: [0, 2]}),
        ("brackets", "( [ ? ?", "the bracket that it closes", {2: [1], 3: [0]}),
        ("induction", "a b c a", "the token after the earlier one", {3: [1]}),
    ],
)
def test_the_ideal_is_to_look_where_the_answer_stands(task, text, name, looks):
    patterns = {p.name: p.wanted for p in COURSES[task].ideal(ids_of(task, text))}
    wanted = torch.zeros_like(patterns[name])
    for query, keys in looks.items():
        wanted[query, keys] = 1
    assert torch.equal(patterns[name], wanted)


def test_a_start_token_shifts_the_ideal_and_is_asked_nothing():
    course = COURSES["count"]
    batch = course.batch(3, 5, torch.Generator().manual_seed(0))
    assert batch.ids.shape == (3, 6)
    assert (batch.ids[:, 0] == course.vocabulary.index(START)).all()
    assert (batch.answers[:, 0] == BLANK).all()
    (pattern,) = course.patterns(batch.ids[0])
    assert not pattern.wanted[0].any()
    assert torch.equal(pattern.wanted[1:, 1:], course.ideal(batch.ids[0, 1:])[0].wanted)


def test_nearness_is_the_share_of_attention_that_goes_where_it_should():
    weights = torch.tensor([[0.75, 0.25], [0.5, 0.5]])
    assert nearness(weights, torch.tensor([[1.0, 0], [0, 0]])) == 0.75  # only row 0 matters
    assert nearness(weights, torch.tensor([[1.0, 0], [0, 1]])) == 0.625
    assert nearness(weights, torch.zeros(2, 2)).isnan()


def whole(ids):
    """A story up to its end: what stands behind it is no part of it."""
    end = course_of(Trained("stories")).numbers[END]
    return ids[: ids.index(end)] if len(set(ids[-2:])) == 1 and ids[-1] == end else ids


@pytest.mark.parametrize("task", TASKS)
def test_drawn_sequences_can_be_read_by_the_layer_that_learned_them(task):
    lesson = Trained(task)
    batch = course_of(lesson).batch(10, lesson.length, torch.Generator().manual_seed(3))
    for ids in map(whole, batch.ids.tolist()):
        text = trained.text_of(lesson, ids)
        tokens, n_cut = trained.read_tokens(lesson, (text,))
        assert trained._ids(lesson, tokens) == ids
        assert n_cut == 0
    assert (batch.answers != BLANK).any()


def test_no_sequence_is_both_learned_from_and_tested_on():
    training = Training(Trained("brackets"))
    assert is_held_out(training.held_out.ids).all()
    batch = training._next_batch()
    left_out = is_held_out(batch.ids)
    assert left_out.any()
    assert (batch.answers[left_out] == BLANK).all()


@pytest.mark.parametrize("task", COURSES)
def test_every_task_is_learned_with_its_own_settings(task):
    training, last = trained.learned(Trained(task), silent)  # the next test needs it again
    assert last.step == TASKS[task].steps
    assert last.accuracy >= LEARNED.get(task, 0.98)
    assert training.frames[0].accuracy < training.chance + 0.15  # and it was not known before

    # Measured once more, on sequences that neither training nor its own test has seen.
    learner = learner_at(training.lesson, last)
    fresh = COURSES[task].batch(400, TASKS[task].length, torch.Generator().manual_seed(77))
    with torch.inference_mode():
        said = learner(fresh.ids)[0].argmax(-1)
    asked = (fresh.answers != BLANK) & is_held_out(fresh.ids)[:, None]
    assert (said == fresh.answers)[asked].float().mean() >= LEARNED.get(task, 0.98) - 0.02


# Of the sequences that are offered to be tried, those that show what was not learned: how many
# answers are right, with the task's own settings.
FAILS = {"abcd": 0, "aabc": 2, "312": 1, "aab": 1, "([{<????": 3, "abbabb": 3}


@pytest.mark.parametrize("task", COURSES)
def test_what_is_offered_to_be_tried_shows_what_was_learned_and_what_was_not(task):
    lesson = Trained(task)
    trained.learned(lesson, silent)
    for text, _ in TASKS[task].tries:
        history = trained.history(lesson, text)
        right = [r == a for r, a in zip(history.right, history.answers[-1], strict=True) if r]
        fails = text in FAILS and task != "copy"
        assert sum(right) == (FAILS[text] if fails else len(right)), text


def test_copying_is_done_by_looking_at_the_token_before():
    training, last = trained.learned(Trained("copy", steps=300), silent)
    near = last.near["the previous token"]
    assert near.shape == (1, 2)
    assert near.min() > 0.6
    assert training.frames[0].near["the previous token"].max() < 0.2


class EnoughError(Exception):
    pass


def test_a_training_that_was_stopped_goes_on_as_if_it_had_not_been():
    def stop_at_17(step):
        if step == 17:
            raise EnoughError

    straight, stopped = Training(Trained("reverse")), Training(Trained("reverse"))
    straight.train(40, lambda step: None)
    with pytest.raises(EnoughError):
        stopped.train(40, stop_at_17)
    assert stopped.step == 17
    assert stopped.frames[-1].step == 17  # what it was then can be looked at
    stopped.train(40, lambda step: None)
    one, other = straight.frames[-1], stopped.frames[-1]
    assert (one.step, one.accuracy) == (other.step, other.accuracy)
    for name, tensor in one.state.items():
        assert torch.equal(tensor, other.state[name])


def test_the_same_lesson_gives_the_same_weights_whatever_else_draws_numbers():
    one = Training(Trained("copy"))
    one.train(5, lambda step: None)
    torch.manual_seed(99)
    other = Training(Trained("copy"))
    other.train(5, lambda step: torch.rand(3))
    for name, tensor in one.frames[-1].state.items():
        assert torch.equal(tensor, other.frames[-1].state[name])
    third = Training(Trained("copy", seed=1))
    assert not torch.equal(
        third.frames[0].state["tokens.weight"], one.frames[0].state["tokens.weight"]
    )


def test_a_training_that_runs_away_says_so_and_keeps_its_curves():
    lesson = Trained("copy", learning_rate=10.0, steps=200)
    training = Training(lesson)
    training.train(200, lambda step: None)
    assert training.diverged is not None
    assert training.step == training.diverged < 200
    assert len(training.frames) > 10
    with pytest.raises(ExplorerError, match=r"ran away at step .* smaller learning rate"):
        trained.learned(lesson, silent)
    history = trained.history(lesson, "a b c")
    assert len(history.steps) > 10
    assert np.isfinite(history.weights).all()


def test_the_learning_rate_rises_stays_and_falls():
    assert [schedule(s) for s in (1, 25, 50, 400)] == [0.02, 0.5, 1, 1]
    assert schedule(1600) == 0.5


def test_a_trained_layer_is_a_source_like_any_other():
    trace = explorer.trace("a b c d e f", source="trained", task="copy")
    assert trace.weights.shape == (1, 2, 6, 6)
    previous = np.diagonal(trace.weights, -1, -2, -1)
    assert previous.mean() > 0.6
    run = Run("a b", source=Trained("copy", steps=77, learning_rate=0.001))
    assert Run.from_query(run.to_query()) == run
    assert run.to_query()["steps"] == "77"


def test_a_shorter_training_is_a_step_of_a_longer_one():
    long = explorer.trace("a b c", source="trained", task="reverse", steps=120)
    short = explorer.trace("a b c", source="trained", task="reverse", steps=33)
    again = Training(Trained("reverse"))
    again.train(33, lambda step: None)
    with torch.inference_mode():
        _, weights = learner_at(again.lesson, again.frames[-1])(ids_of("reverse", "abc")[None])
    assert np.array_equal(short.weights, weights[:, 0].numpy())
    assert not np.array_equal(short.weights, long.weights)


def test_the_next_letter_is_asked_of_every_letter_but_the_last():
    course = course_of(Trained("letters"))
    spans = course.read("the  rat")
    words = [course.spelled("the  rat"[start:end]) for start, end in spans]
    assert words == ["t", "h", "e", "␣", "r", "a", "t"]
    ids = torch.tensor([course.numbers[word] for word in words])
    assert [course.answers[i] for i in course.right(ids)[:-1]] == words[1:]
    assert course.right(ids)[-1] == BLANK
    patterns = {p.name: p.wanted for p in course.patterns(ids)}
    assert patterns["the token after the earlier one"].nonzero().tolist() == [[6, 1]]


def test_of_a_text_the_last_eighth_is_held_out():
    text = "ab" * 500 + "cd" * 500
    lesson = Trained("letters", corpus=text)
    course, numbers = course_of(lesson), torch.Generator().manual_seed(0)
    held, learned = course.held_out(24, numbers), course.learned(2_000, 24, numbers)
    assert set("".join(course.vocabulary)) == set("abcd")
    assert {course.vocabulary[i] for i in held.ids.unique()} == {"c", "d"}
    assert (learned.ids[:, :1] != held.ids[:1, :1]).any()
    for batch in (held, learned):  # what is answered is what comes next
        assert torch.equal(batch.ids[:, 1:], batch.answers[:, :-1])
        assert (batch.answers != BLANK).all()


def test_a_layer_learns_the_next_letter_of_a_readers_text():
    training = Training(Trained("letters", corpus="the red fox sees a green frog. " * 30))
    training.train(120, lambda step: None)
    assert training.frames[-1].accuracy > 0.9 > 3 * training.frames[0].accuracy
    assert training.best is None  # nobody knows it


def test_the_next_word_of_a_story_has_a_best_that_nobody_can_beat():
    training = Training(Trained("stories"))
    training.train(60, lambda step: None)
    best, last = training.best, training.frames[-1]
    assert 0.55 < best.accuracy < 0.7
    assert training.chance + 0.1 < last.accuracy < best.accuracy
    assert best.loss < last.loss < training.frames[0].loss / 2
    history = trained.history(replace(training.lesson, steps=60), "Mia and Tom live near the park.")
    assert history.best == (best.accuracy, best.loss)
    assert history.right[:3] == ("Mia", "and", "Tom")
    assert history.right[-1] is None


@pytest.mark.parametrize("task", ["letters", "stories"])
def test_a_layer_that_learns_what_comes_next_writes_on_in_every_frame(task):
    training = trained.training_of(Trained(task))
    training.train(30, lambda step: None)
    lesson = replace(training.lesson, steps=30)
    course = course_of(lesson)
    history = trained.history(lesson, trained.example_text(lesson))
    assert len(history.written) == len(history.steps) > 3
    assert history.trace.texts[0].startswith(history.begun)
    for frame, written in zip(training.frames, history.written, strict=False):
        learner = learner_at(lesson, frame)
        words = [history.begun[a:b] for a, b in course.read(history.begun)]
        ids = [course.numbers[course.spelled(word)] for word in words]
        ids = [course.numbers[START], *ids] if course.starts else ids
        for _ in range(TASKS[task].writes):
            if ids[-1] == course.numbers.get(END):
                break
            with torch.inference_mode():
                said = course.answers[int(learner(torch.tensor([ids]))[0][0, -1].argmax())]
            ids.append(course.numbers[said])
        whole = course.write([course.vocabulary[i] for i in ids[course.starts :]])
        assert history.begun + written == whole
    copying = replace(Trained("copy"), steps=1)
    assert trained.history(copying, "a b c").written == ()


def test_before_a_word_that_is_decided_the_ideal_is_to_look_at_what_decides_it():
    course = course_of(Trained("stories"))
    words = split("Mia and Tom live near the park. Tom has a red ball, and Mia has")
    ids = torch.tensor([course.numbers[START], *(course.numbers[word] for word in words)])
    patterns = {p.name: p.wanted for p in course.patterns(ids)}
    assert [p.shape for p in patterns.values()] == [(len(ids), len(ids))] * 3
    verbs = patterns["what the next verb goes with"].nonzero().tolist()
    assert verbs == [[3, 1], [3, 3], [9, 9], [16, 16]]  # behind the start all stand one on
    again = patterns["what is said again next"].nonzero().tolist()
    assert again == [[8, 3], [15, 1]]


@pytest.mark.parametrize(
    ("corpus", "sentence"),
    [
        ("a" * 1_000, "one letter only, “a”"),
        ("to be or not to be", r"has 18 characters, .* 300 are needed. Paste a longer one"),
        ("ab " * 7_000, "has 20,999 characters; at most 20,000"),
        ("".join(map(chr, range(0x4E00, 0x4E00 + 1200))), "1,200 different letters"),
    ],
)
def test_a_text_from_which_nothing_can_be_learned_is_refused_with_what_to_do(corpus, sentence):
    with pytest.raises(ExplorerError, match=sentence):
        Trained("letters", corpus=corpus)


def test_a_text_is_kept_only_where_it_is_learned_from_and_travels_in_the_link():
    assert Trained("copy", corpus="anything") == Trained("copy")
    assert Trained("letters", corpus=f"  {RHYME}\n") == Trained("letters")
    lesson = Trained("letters", corpus="<b>bold & brave</b> " * 20)
    run = Run("bold", source=lesson)
    assert Run.from_query(run.to_query()) == run
    assert not Run("x", source=Trained("letters", corpus="é1 " * 6_000)).fits_link()


@pytest.mark.parametrize(
    ("task", "text", "sentence"),
    [
        ("letters", "the zoo", "knows only what stands in its text: .*“z” is none of them"),
        ("stories", "Mia has a zebra.", "knows only the 186 words and marks .*“zebra” is none"),
        ("stories", "^", "“\\^” is none of them"),
        ("copy", "a b ß", "knows only the tokens a b c .*“ß” is none of them. Try: "),
        ("sort", "12 -3", "“-” is none of them"),
        ("count", "<b>", "“<” is none of them"),
    ],
)
def test_a_text_that_is_no_sequence_of_the_task_is_refused(task, text, sentence):
    with pytest.raises(ExplorerError, match=sentence):
        explorer.trace(text, source="trained", task=task, steps=1)


def test_two_texts_are_refused_and_a_long_one_is_cut():
    with pytest.raises(ExplorerError, match="one sequence"):
        explorer.trace("a", "b", source="trained", task="copy", steps=1)
    trace = explorer.trace("a" * 15, source="trained", task="copy", steps=1)
    assert len(trace.query_tokens) == 12
    assert trace.n_cut == (3,)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"task": "fly"}, "no task “fly”"),
        ({"d_model": 30, "n_heads": 4}, "Nearest widths that can: 28 and 32"),
        ({"n_heads": 0}, "n_heads is 0; .* from 1 to 8"),
        ({"d_model": 100_000}, "d_model is 100000; .* from 8 to 128"),
        ({"length": 10**9}, "length is 1000000000; .* from 3 to 32"),
        ({"task": "brackets", "length": 3}, "from 4 to 32"),
        ({"steps": 0}, "steps is 0; .* from 1 to 10000"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
    ],
)
def test_impossible_settings_are_refused_before_any_work(options, sentence):
    with pytest.raises(ExplorerError, match=sentence):
        Trained(**options)


def test_a_history_grows_with_its_training_and_runs_only_what_is_new():
    lesson = Trained("copy", seed=5, steps=20)
    training = trained.training_of(lesson)
    training.train(10, lambda step: None)
    first = trained.history(lesson, "a b c d")
    training.train(20, lambda step: None)
    second = trained.history(lesson, "a b c d")
    assert first.steps == second.steps[: len(first.steps)]
    assert np.array_equal(second.weights[: len(first.steps)], first.weights)
    assert second.right == (None, "a", "b", "c")
    frame = training.frames[3]
    with torch.inference_mode():
        scores, weights = learner_at(lesson, frame)(ids_of("copy", "abcd")[None])
    assert np.abs(second.weights[3] - weights[:, 0].numpy()).max() == 0
    assert second.answers[3] == tuple("abcdefghij"[i] for i in scores[0].argmax(-1))
    assert second.accuracy[3] == frame.accuracy


def test_a_history_ends_where_its_lesson_ends():
    long, short = Trained("copy", seed=6, steps=60), Trained("copy", seed=6, steps=23)
    trained.learned(long, silent)
    assert trained.history(long, "a b c").steps[-1] == 60
    trained.learned(short, silent)  # it has come farther already: learned once more up to here
    assert trained.history(short, "a b c").steps[-1] == 23
    both = trained.history(long, "a b c")
    assert both.steps == tuple(sorted(both.steps))
    assert 23 in both.steps
    assert both.steps[-1] == 60


def test_an_empty_sequence_is_refused_with_a_sentence():
    with pytest.raises(ExplorerError, match="no token of this task"):
        trained.history(Trained("count", steps=1), "  ")
