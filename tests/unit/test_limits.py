"""Every limit is a setting, told in the README, and a wrong one stops the server in words."""

from pathlib import Path

import pytest

from explorer.errors import ExplorerError
from explorer.limits import SETTINGS, check_tokens

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_the_readme_names_every_setting_with_what_it_bounds_and_its_usual_value(setting):
    assert f"| `{setting.name}` | {setting.what} | {setting.usual:,} |" in README


@pytest.mark.parametrize("said", ["0", "-5", "many", "1.5", "9999999999", "²"])
def test_a_setting_that_is_no_number_is_named(monkeypatch, said):
    setting = SETTINGS["CACHE_MB"]
    monkeypatch.setenv("EXPLORER_CACHE_MB", said)
    with pytest.raises(SystemExit, match="EXPLORER_CACHE_MB is"):
        setting.read()
    monkeypatch.setenv("EXPLORER_CACHE_MB", " 64 ")
    assert setting.read() == 64


def test_a_text_too_long_for_a_page_is_refused_with_both_numbers_and_what_to_do():
    check_tokens("Explain", 512, 512)
    with pytest.raises(ExplorerError, match=r"Explain takes texts of at most 512 tokens.* 8,192"):
        check_tokens("Explain", 8192, 512)
