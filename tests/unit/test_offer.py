"""What is said of a model that is not on this machine: no more than the hub tells."""

import pytest

from explorer.sources.download import HubSize
from explorer.ui.offer import sentence


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (
            HubSize(4_400_000, 0, 1_000_000),
            "“me/x” is not on this machine yet: 4.4 MB to download. Loaded it takes about 4.0 MB",
        ),
        (HubSize(4_400_000, 400, None), "4.4 MB to download (400 bytes of them are here already)"),
        (
            HubSize(900, 0, None),
            "900 bytes to download. Loaded it takes about 900 bytes of memory;",
        ),
        (
            HubSize(None, 0, None),
            "the hub does not tell its size: at most 4,096 MB are downloaded. ",
        ),
        (HubSize(900, 900, None), "Every known file of “me/x” is here; a download looks whether"),
    ],
)
def test_an_offer_says_what_the_hub_tells_and_no_more(size, words):
    said = sentence("me/x", size)
    assert words in said
    assert "0 kB" not in said.replace("00 kB", "")
    assert said.endswith(" are free.")
