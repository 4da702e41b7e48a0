"""A text too long for a page is said to be, with what the page takes; Explore takes it whole."""

from tests.browser.test_explore import link

LONG = "The cat saw a dog. It ran. " * 120  # 1,080 tokens


def test_explore_takes_a_text_that_step_by_step_and_compare_refuse_in_words(reader):
    query = link(text=LONG, source="scratch", layer=1, heads=1)
    reader.open(query).painted("1.1")
    reader.head(0, 1).click()
    reader.painted("0.1")
    assert not reader.errors
    reader.open(query, "step")
    reader.told("Step by step takes texts of at most 512 tokens, and this one has 1,080")
    reader.open(query, "compare")
    reader.told("Compare takes texts of at most 768 tokens, and this one has 1,080")
