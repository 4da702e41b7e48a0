"""Train, as people see it: a training begins, is stopped, goes on, is played and used elsewhere."""

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

import explorer
from explorer.lesson import Trained
from explorer.sources import silent, trained
from tests.browser.conftest import stands_at


def status(reader):
    return reader.page.locator(".ax-training-says").inner_text()


def step_of(reader):
    painted = reader.page.locator(".ax[data-painted]").get_attribute("data-painted")
    return int(re.search(r" step (\d+)", painted)[1])


def open_training(reader, **lesson):
    query = urlencode({"source": "trained"} | lesson)
    return reader.open(f"?{query}", "train")


def use(reader, title):
    reader.page.get_by_text("Use this layer").click()
    button(reader, title).click()


def edit(reader):
    """Unfold the inputs."""
    if not button(reader, "Start").is_visible():
        button(reader, "Edit").click()


def choose_task(reader, title):
    edit(reader)
    reader.page.get_by_role("combobox", name="Task").click()
    reader.page.get_by_role("option", name=title).click()


def button(reader, name):
    return reader.page.get_by_role("button", name=name, exact=True)


def pictures(reader):
    return reader.page.locator(".ax-head-picture figcaption").all_inner_texts()


def learning(reader, words):
    """What the training says that it is doing."""
    return reader.page.locator(".ax-about", has_text=words)


def test_the_first_visit_shows_a_layer_that_learns_and_has_learned(reader):
    reader.open("", "train").painted("step 300")
    words = status(reader)
    assert "After 300 steps: 100 % of the answers" in words
    assert "chance 11 %" in words
    assert words.endswith("In this sequence 11 of 11 are right.")
    about = reader.page.locator(".ax-about .ax-fact").all_inner_texts()
    assert about[:2] == ["Copy the previous token", "1 layer, 2 heads"]
    assert about[2:] == ["300 of 300 steps trained", "100 % right in the end", "just now"]
    expect(reader.page.locator(".ax-answers .ax-wrong")).to_have_count(0)
    expect(reader.page.locator(".ax-answers .ax-right")).to_have_count(11)
    assert pictures(reader) == ["L0·H0 after 300 steps", "Ideal: the previous token"]
    # The inputs are folded, and what the task is can still be read, with what is learned.
    expect(reader.page.locator(".ax-panel-training > p").first).to_contain_text(
        "name the token before it. What is learned: each step changes WQ"
    )


def test_a_training_is_started_stopped_and_goes_on(reader):
    reader.open("", "train").painted("step 300")
    choose_task(reader, "Match brackets")
    reader.page.get_by_text("Each ? closes the bracket").wait_for()
    button(reader, "Start").click()
    learning(reader, "Learning: step").wait_for()
    button(reader, "Stop").click()
    button(reader, "Continue").wait_for(timeout=5_000)
    learning(reader, "Learning: step").wait_for(state="detached")
    reader.painted(" step ")
    stopped = step_of(reader)
    assert 0 <= stopped < 800
    button(reader, "Continue").click()
    moved = reader.page.locator(".ax-training-says").filter(has_not_text=f"After {stopped} step")
    moved.wait_for()
    assert step_of(reader) > stopped
    button(reader, "Stop").click()
    stands_at(reader.page, "**task=brackets**")


def test_the_picture_follows_a_training_that_goes_on_wherever_the_slider_was(reader):
    open_training(reader, task="copy", seed="4", steps="20").painted("step 20")
    reader.page.get_by_label("Step of the training").press("Home")
    reader.painted("step 0")
    button(reader, "Continue").click()
    reader.painted("step 40")


def test_the_next_letter_is_learned_from_a_text_that_the_reader_pastes(reader):
    open_training(reader, task="letters", steps="30").painted("step 30")
    reader.edit()
    text = reader.page.get_by_role("textbox", name="Text to learn from")
    text.fill("too short")
    button(reader, "Start").click()
    reader.page.get_by_text("This text has 9 characters").wait_for()
    reader.painted("step 30")  # what was shown stays
    reader.edit()
    text.fill("<b>the red fox</b> sees a frog. " * 12)
    button(reader, "Start").click()
    stands_at(reader.page, "**corpus=**")
    reader.painted("step 30")
    answers = reader.page.locator(".ax-answers tr").first
    expect(answers).to_contain_text(re.compile("^sequence[<>/a-z.␣]{24}$"))
    choose_task(reader, "Copy the previous token")
    choose_task(reader, "Next letter of a text")
    expect(text).to_have_value(re.compile("^<b>the red fox"))


def test_beside_the_next_word_of_a_story_stands_the_best_that_anybody_could_do(reader):
    open_training(reader, task="stories", steps="12").painted("step 12")
    legend = reader.page.locator(".ax-training-legend")
    expect(legend).to_contain_text("best possible 62 %")
    expect(legend).to_contain_text("least loss 0.96")
    expect(reader.page.locator(".ax-head-picture:visible")).to_have_count(2)
    reader.page.get_by_role("button", name="…barn. Tom loves his red").click()
    answers = reader.page.locator(".ax-answers tr").first
    expect(answers).to_contain_text("Tomloveshisred")
    reader.page.get_by_label("Try your own sequence").fill("Mia has a zebra.")
    reader.page.get_by_label("Try your own sequence").press("Enter")
    reader.page.get_by_text("“zebra” is none of them. Try: ").wait_for()
    expect(answers).to_contain_text("Tomloveshisred")  # what was shown stays


def test_a_layer_that_learns_what_comes_next_writes_there_and_on_explore(reader):
    open_training(reader, task="stories", steps="12").painted("step 12")
    page = reader.page
    written = page.locator(".ax-training-writes ins")
    expect(page.locator(".ax-training-writes")).to_contain_text("It goes on:")
    page.get_by_role("slider").fill("0")  # what noise would write
    lesson = Trained("stories", steps=12)
    trained.learned(lesson, silent)
    history = trained.history(lesson, trained.example_text(lesson))
    assert history.written[0] != history.written[-1]
    expect(written).to_have_text(history.written[0].strip())
    use(reader, "Let it write")
    page.locator(".ax-candidate").first.wait_for()
    expect(page.locator(".ax-text")).to_contain_text(history.begun.split()[-2])
    page.locator(".ax-candidate:enabled").first.click()
    expect(page.locator(".ax-text .ax-written")).to_have_count(1)


def test_what_is_shown_says_so_when_the_inputs_ask_for_another_training(reader):
    reader.open("", "train").painted("step 300")
    still = reader.page.locator(".ax-training-stale")
    expect(still).to_be_hidden()
    choose_task(reader, "Sort")
    reader.page.get_by_text("This is still: Copy the previous token. Press Start.").wait_for()
    picture = reader.page.locator(".ax-head-picture canvas").first
    expect(picture).to_have_css("opacity", "0.4")
    reader.painted("step 300")
    choose_task(reader, "Copy the previous token")
    still.wait_for(state="hidden")
    expect(picture).to_have_css("opacity", "1")


def test_the_head_stands_beside_the_ideal_and_moves_with_the_training(reader):
    open_training(reader, task="reverse").painted("step 300")
    actual, ideal = reader.page.locator(".ax-head-picture canvas").all()
    sizes = [picture.bounding_box() for picture in (actual, ideal)]
    assert [sizes[0][side] for side in ("y", "width", "height")] == [
        sizes[1][side] for side in ("y", "width", "height")
    ]
    row = actual.bounding_box()["height"] / 12.8
    actual.hover(position={"x": 25, "y": 19 + row / 2})  # the first of twelve rows and columns
    cell = reader.page.locator(".ax-training-cell", has_text="(place 1) → ")
    cell.wait_for()
    text = reader.page.locator(".ax-answers tr").first.locator("td").all_inner_texts()
    trace = explorer.trace(" ".join(text), source="trained", task="reverse")
    expect(cell).to_contain_text(f"{trace.weights[0, 0, 0, 0]:.3f}; ideal 0.", use_inner_text=True)
    reader.page.mouse.move(0, 0)
    share = trace.weights[0, 0][:, ::-1].diagonal()
    whole = reader.page.locator(".ax-training-cell", has_text="In this picture")
    expect(whole).to_contain_text(
        f"{100 * share.mean():.0f} % lies on the place", use_inner_text=True
    )
    reader.page.get_by_label("Step of the training").press("Home")
    reader.painted("step 0")
    assert pictures(reader)[0] == "L0·H0 after 0 steps"
    assert "random weights, nothing but noise" in status(reader)


def test_a_head_is_chosen_where_its_nearness_to_the_ideal_stands(reader):
    open_training(reader, task="induction", steps="30").painted("step 30")
    chips = reader.page.locator(".ax-near button")
    expect(chips).to_have_count(8)  # two layers of two heads, two ideals
    other = chips.filter(has_text="L1·H1")
    other.last.click()
    reader.painted("1.1 step 30")
    expect(other.first).to_have_attribute("aria-pressed", "true")
    assert pictures(reader)[0] == "L1·H1 after 30 steps"
    assert len(pictures(reader)) == 3


def test_the_slider_and_the_curve_turn_the_attention_back_to_noise(reader):
    reader.open("", "train").painted("step 300")
    last = reader.says()
    slider = reader.page.get_by_label("Step of the training")
    slider.press("Home")
    reader.painted("step 0")
    assert "After 0 steps" in status(reader)
    reader.page.locator(".ax-answers .ax-wrong").nth(3).wait_for()
    stands_at(reader.page, "**step=0**")
    slider.press("End")
    reader.painted("step 300")
    expect(reader.sentence).to_have_text(last, use_inner_text=True)
    canvas = reader.page.locator(".ax-training-stage canvas")
    box = canvas.bounding_box()
    canvas.click(position={"x": 41, "y": box["height"] / 2})
    reader.painted("step 0")
    button(reader, "Play").click()
    reader.painted("step 300")


def test_the_shown_weights_are_those_of_the_layer_at_that_step(reader):
    open_training(reader, task="copy", steps="75", sequence="a b c d").painted("step 75")
    trace = explorer.trace("a b c d", source="trained", task="copy", steps=75)
    reader.head(0, 1).click()
    reader.painted("0.1 step 75")
    reader.token(2).click()
    w = trace.weights[0, 1, 2]
    best = int(w.argmax())
    reader.wait_says(f"({w[best]:.3f})")


def test_ones_own_sequence_is_run_on_the_trained_layer(reader):
    reader.open("", "train").painted("step 300")
    box = reader.page.get_by_label("Try your own sequence")
    box.fill("j j a b")
    box.press("Enter")
    said = reader.page.locator(".ax-answers tr").nth(1).locator("td", has_text="j")
    said.nth(1).wait_for()
    cells = reader.page.locator(".ax-answers tr").nth(1).locator("td").all_inner_texts()
    assert cells == ["·", "j", "j", "a"]
    box.fill("a" * 15)
    box.press("Enter")
    reader.page.get_by_text("reads as many: the last 3 were cut").wait_for()
    box.fill("a b ß")
    box.press("Enter")
    note = reader.page.locator("[class*=st-key-note_sequence]")
    note.wait_for()
    expect(note).to_contain_text("knows only the tokens a b c", use_inner_text=True)
    expect(box).to_have_value("a b ß")
    still = reader.page.locator(".ax-training-stale", has_text="This is still the sequence aaa")
    still.wait_for()
    expect(reader.page.locator(".ax-answers .ax-right")).to_have_count(11)  # the last film stays
    box.fill("")
    box.press("Enter")
    note.wait_for(state="detached")
    reader.painted("step 300")


def test_a_sequence_of_another_length_is_told_what_lengths_were_learned_from(reader):
    open_training(reader, task="reverse").painted("step 300")
    button(reader, "abcd").click()
    words = "In this sequence 0 of 4 are right; it has only seen sequences of 12 tokens"
    reader.page.locator(".ax-training-says", has_text=words).wait_for()
    assert "100 % of the answers on held-out sequences of 12 tokens" in status(reader)
    stands_at(reader.page, "**sequence=abcd**")
    reader.page.reload()
    reader.painted("step 300")
    reader.page.locator(".ax-training-says", has_text=words).wait_for()
    expect(reader.page.get_by_label("Try your own sequence")).to_have_value("abcd")


def test_an_impossible_width_is_refused_and_what_was_learned_stays(reader):
    reader.open("", "train").painted("step 300")
    edit(reader)
    button(reader, "Settings").click()
    width = reader.page.get_by_label("d_model (width)")
    width.fill("63")
    width.press("Enter")
    button(reader, "Settings").click()
    button(reader, "Start").click()
    note = reader.page.locator("[class*=st-key-note_trouble]")
    note.wait_for()
    expect(note).to_contain_text("Nearest widths that can: 62 and 64", use_inner_text=True)
    reader.painted("step 300")


def test_a_training_that_runs_away_says_so_and_keeps_its_curves(reader):
    open_training(reader, task="copy", learning_rate="10.0")
    note = reader.page.locator("[class*=st-key-note_trouble]")
    note.wait_for()
    assert re.search(r"ran away at step \d+.*smaller learning rate", note.inner_text())
    reader.painted(" step ")
    assert "After" in status(reader)


@pytest.mark.parametrize(
    ("lesson", "sentence"),
    [
        ({"task": "fly"}, "There is no task “fly”"),
        ({"task": "copy", "d_model": "100000"}, "from 8 to 128"),
        ({"task": "copy", "learning_rate": "much"}, "must be a number"),
    ],
)
def test_a_link_to_an_impossible_training_says_what_is_wrong(reader, lesson, sentence):
    open_training(reader, **lesson)
    note = reader.page.locator("[class*=st-key-note_trouble]")
    note.wait_for()
    expect(note).to_contain_text(sentence, use_inner_text=True)


def test_what_was_learned_is_used_on_other_pages(reader):
    reader.open("", "train").painted("step 300")
    sequence = reader.page.locator(".ax-answers tr").first.locator("td").all_inner_texts()
    use(reader, "Explore it")
    stands_at(reader.page, "**source=trained**")
    reader.painted()
    shown = [reader.token(i).inner_text() for i in range(12)]
    assert shown == sequence
    expect(reader.box("Text")).to_have_value(" ".join(sequence))


def test_the_way_of_a_trained_head_is_one_click_away(reader):
    reader.open("", "train").painted("step 300")
    reader.head(0, 1).click()
    reader.painted("0.1 step 300")
    reader.token(3).click()
    stands_at(reader.page, "**query=3**")
    reader.page.get_by_role("button", name="Why this weight?").click()
    reader.painted("0.1 softmax 3")
    assert "/step" in reader.address()


def test_a_training_takes_nobody_from_his_place_and_keeps_its_own(reader):
    reader.open("?layer=3&heads=1&query=8").painted("3.1")
    reader.page.get_by_role("link", name="Train").click()
    reader.painted("step 300")
    reader.head(0, 1).click()
    reader.painted("0.1 step 300")
    reader.page.get_by_role("link", name="Explore").click()
    reader.painted("3.1")
    expect(reader.page.locator(".ax-picked .ax-chip")).to_have_count(1)  # what was pinned
    reader.page.get_by_role("link", name="Train").click()
    reader.painted("0.1 step 300")


def test_a_training_ends_when_its_page_is_closed(app, screens, reader):
    query = urlencode({"source": "trained", "task": "duplicate", "steps": 10000, "d_model": 128})
    with screens(who="another") as page:
        page.goto(f"{app.url}train?{query}")
        page.locator(".ax-about", has_text="Learning: step").wait_for(timeout=60_000)
        page.close()

    # Another reader's training waits for the same place, and gets it when the first one ends.
    open_training(reader, task="copy", seed=3, steps=5).painted("step 5")


def test_the_saved_page_plays_the_training_without_any_network(page_from_disk):
    from explorer.lesson import Trained
    from explorer.sources import trained

    lesson = Trained("copy", steps=50)
    trained.learned(lesson, lambda doing, share: None)
    history = trained.history(lesson, "a b c d")
    someone = page_from_disk(history.trace, history=history)
    last = history.steps[-1]
    someone.page.locator(f".ax[data-painted*='step {last}']").wait_for()
    someone.page.get_by_label("Step of the training").press("Home")
    someone.page.locator(".ax[data-painted*='step 0']").wait_for()
    assert not someone.errors
