"""Train, as people see it: a training begins, is stopped, goes on, is played and used elsewhere."""

import re
from urllib.parse import urlencode

import pytest

import explorer


def status(reader):
    return reader.page.locator(".ax-training-says").inner_text()


def step_of(reader):
    painted = reader.page.locator(".ax").get_attribute("data-painted")
    return int(re.search(r" step (\d+)", painted)[1])


def open_training(reader, **lesson):
    query = urlencode({"source": "trained"} | lesson)
    return reader.open(f"?{query}", "train")


def choose_task(reader, title):
    reader.page.get_by_role("combobox").first.click()
    reader.page.get_by_role("option", name=title).click()


def button(reader, name):
    return reader.page.get_by_role("button", name=name, exact=True)


def test_the_first_visit_shows_a_layer_that_learns_and_has_learned(reader):
    reader.open("", "train").painted("step 300")
    words = status(reader)
    assert "After 300 steps: 100 % of the answers" in words
    assert "chance 11 %" in words
    assert reader.page.locator(".ax-answers .ax-wrong").count() == 0
    assert reader.page.locator(".ax-answers .ax-right").count() == 11
    assert "the previous token" in reader.page.locator(".ax-training .ax-matrix").inner_text()


def test_a_training_is_started_stopped_and_goes_on(reader):
    reader.open("", "train").painted("step 300")
    choose_task(reader, "Match brackets")
    reader.page.get_by_text("Each ? closes the bracket").wait_for()
    button(reader, "Start").click()
    progress = reader.page.locator("[class*=st-key-note_progress]", has_text="of 800")
    progress.wait_for()
    button(reader, "Stop").click()
    progress.wait_for(state="detached", timeout=5_000)
    reader.painted(" step ")
    reader.page.wait_for_function(
        "() => !document.querySelector('[class*=st-key-note_progress]')", timeout=5_000
    )
    button(reader, "Continue").wait_for()
    stopped = step_of(reader)
    assert 0 <= stopped < 800
    button(reader, "Continue").click()
    moved = reader.page.locator(".ax-training-says").filter(has_not_text=f"After {stopped} steps")
    moved.wait_for()
    assert step_of(reader) > stopped
    button(reader, "Stop").click()
    reader.page.wait_for_url("**task=brackets**")


def test_the_slider_and_the_curve_turn_the_attention_back_to_noise(reader):
    reader.open("", "train").painted("step 300")
    last = reader.says()
    slider = reader.page.get_by_label("Step of the training")
    slider.press("Home")
    reader.painted("step 0")
    assert "After 0 steps" in status(reader)
    assert reader.page.locator(".ax-answers .ax-wrong").count() > 3
    reader.page.wait_for_url("**step=0**")
    slider.press("End")
    reader.painted("step 300")
    assert reader.says() == last
    canvas = reader.page.locator(".ax-training-stage canvas")
    box = canvas.bounding_box()
    canvas.click(position={"x": 41, "y": box["height"] / 2})
    reader.painted("step 0")
    button(reader, "▶ Play").click()
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
    note = reader.page.locator("[class*=st-key-note_trouble]")
    note.wait_for()
    assert "knows only the tokens a b c" in note.inner_text()
    assert box.input_value() == "a b ß"
    box.fill("")
    box.press("Enter")
    note.wait_for(state="detached")
    reader.painted("step 300")


def test_an_impossible_width_is_refused_and_what_was_learned_stays(reader):
    reader.open("", "train").painted("step 300")
    button(reader, "Settings").click()
    width = reader.page.get_by_label("d_model (width)")
    width.fill("63")
    width.press("Enter")
    button(reader, "Settings").click()
    button(reader, "Start").click()
    note = reader.page.locator("[class*=st-key-note_trouble]")
    note.wait_for()
    assert "Nearest widths that can: 62 and 64" in note.inner_text()
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
    assert sentence in note.inner_text()


def test_what_was_learned_is_used_on_other_pages(reader):
    reader.open("", "train").painted("step 300")
    sequence = reader.page.locator(".ax-answers tr").first.locator("td").all_inner_texts()
    button(reader, "Explore it").click()
    reader.page.wait_for_url("**source=trained**")
    reader.painted()
    shown = [reader.token(i).inner_text() for i in range(12)]
    assert shown == sequence
    assert reader.box("Text").input_value() == " ".join(sequence)


def test_the_way_of_a_trained_head_is_one_click_away(reader):
    reader.open("", "train").painted("step 300")
    reader.page.get_by_text("Use this layer").wait_for()
    reader.head(0, 1).click()
    reader.painted("0.1 step 300")
    reader.page.get_by_role("button", name="Why this weight?").click()
    reader.painted("0.1 input")
    assert "/step" in reader.address()


def test_a_training_ends_when_its_page_is_closed(app, browser):
    context = browser.new_context()
    page = context.new_page()
    query = urlencode({"source": "trained", "task": "duplicate", "steps": 10000, "d_model": 128})
    page.goto(f"{app.url}train?{query}")
    page.locator("[class*=st-key-note_progress]", has_text="of 10,000").wait_for(timeout=60_000)
    context.close()

    # Another reader's training waits for the same place, and gets it when the first one ends.
    other = browser.new_context()
    page = other.new_page()
    page.goto(
        f"{app.url}train?{urlencode({'source': 'trained', 'task': 'copy', 'seed': 3, 'steps': 5})}"
    )
    page.locator(".ax[data-painted*='step 5']").wait_for(timeout=60_000)
    other.close()


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
