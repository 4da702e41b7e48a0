"""The Guide: contents that lead, pictures in both schemes, links to the place they speak of."""

import pytest
from playwright.sync_api import expect

from explorer.instrument.assets import terms
from explorer.ui import guide
from tests.browser.conftest import IDLE, stands_at

IN_SIGHT = """anchor => {
  const { top } = document.getElementById(anchor).getBoundingClientRect();
  return top >= 0 && top < innerHeight / 2;
}"""
LAST = "numbers"
PATIENCE = 60_000  # milliseconds until a page of its own has painted, as `Reader.painted` has it
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


@pytest.fixture
def opened(reader):
    reader.open(path="guide")
    reader.page.get_by_role("heading", name="The words").wait_for()
    reader.page.wait_for_function(IDLE)
    return reader


def entry(reader, anchor):
    (title,) = [section.title for section in guide.sections() if section.anchor == anchor]
    return reader.page.locator(".st-key-contents").get_by_role("link", name=title)


def test_the_contents_lead_to_every_section_and_back_leads_back(opened):
    contents = opened.page.locator(".st-key-contents a")
    anchors = [link.get_attribute("href") for link in contents.all()]
    assert anchors == [f"#{section.anchor}" for section in guide.sections()] + ["#words"]
    entry(opened, LAST).click()
    opened.page.wait_for_function(IN_SIGHT, arg=LAST)
    entry(opened, "choosing").click()
    opened.page.wait_for_function(IN_SIGHT, arg="choosing")
    opened.page.go_back()
    opened.page.wait_for_function(IN_SIGHT, arg=LAST)
    expect(opened.page.get_by_role("heading", name="Where the numbers come from")).to_be_visible()


@pytest.mark.parametrize("anchor", ["pictures", LAST, "words"])
def test_an_address_with_an_anchor_opens_at_its_section(reader, anchor):
    reader.open(f"#{anchor}", "guide").page.locator(f"#{anchor}").wait_for()
    for image in reader.page.locator(".st-key-guide img").all():
        image.evaluate("e => e.decode()")
    reader.page.wait_for_function(IDLE)
    reader.page.wait_for_function(IN_SIGHT, arg=anchor)


def test_the_contents_are_walked_with_the_keyboard(opened):
    entry(opened, "formula").focus()
    opened.page.keyboard.press("Tab")
    opened.page.keyboard.press("Enter")
    opened.page.wait_for_function(IN_SIGHT, arg="rollout")


@pytest.mark.parametrize("reader", [PHONE], indirect=True)
def test_on_a_phone_the_contents_stand_above_the_words_and_lead_by_tap(opened):
    page = opened.page
    contents, words = (page.locator(f".st-key-{key}") for key in ("contents", "guide"))
    box = contents.bounding_box()
    assert box["y"] + box["height"] <= words.bounding_box()["y"]
    assert box["height"] <= 844 * 0.6
    entry(opened, LAST).tap()
    page.wait_for_function(IN_SIGHT, arg=LAST)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_on_a_laptop_the_contents_stay_in_sight(opened):
    entry(opened, LAST).click()
    opened.page.wait_for_function(IN_SIGHT, arg=LAST)
    assert 0 <= opened.page.locator(".st-key-contents").bounding_box()["y"] < 200


@pytest.mark.parametrize(
    ("reader", "scheme"), [({"color_scheme": s}, s) for s in ("light", "dark")], indirect=["reader"]
)
def test_every_picture_is_there_in_the_colours_of_the_page_and_says_what_is_seen(opened, scheme):
    for section in guide.sections():
        if section.picture is None:
            continue
        name, seen = section.picture
        shown = opened.page.locator(f".st-key-picture_{name} img")
        shown.scroll_into_view_if_needed()
        expect(shown).to_have_attribute("alt", seen)
        shape = shown.evaluate("async e => { await e.decode(); return [e.naturalWidth, e.src]; }")
        assert shape[0] == guide.size_of(guide.picture(name, scheme))[0]
        sent = opened.page.request.get(shape[1]).body()
        assert sent == guide.picture(name, scheme).read_bytes()


def test_a_link_opens_the_place_it_speaks_of_and_the_guide_stays(opened):
    with opened.page.context.expect_page() as new:
        opened.page.get_by_role("link", name="A pinned pair").click()
    place = new.value
    place.locator(".ax-says", has_text="it looks at cat with weight 0.492").wait_for(
        timeout=PATIENCE
    )
    place.close()
    with opened.page.context.expect_page() as new:
        opened.page.get_by_role("link", name="Without the division").click()
    place = new.value
    stands_at(place, "**/step?**scale=0**")
    place.locator(".ax[data-painted]").wait_for(timeout=PATIENCE)
    place.close()
    expect(opened.page.get_by_role("heading", name="The words")).to_be_visible()


def test_the_glossary_shows_the_terms_as_they_are_written(opened):
    shown = opened.page.locator(".st-key-glossary").inner_text()
    for name, term in terms().items():
        assert f"{name}: {term['says']}" in shown
