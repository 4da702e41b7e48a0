"""The image holds the app and no secret, from a base of one version, and runs as nobody special."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINES = (ROOT / "Containerfile").read_text("utf-8").splitlines()
TAKEN = (ROOT / ".dockerignore").read_text("utf-8").splitlines()


def said(word):
    return [line.split()[1:] for line in LINES if line.startswith(f"{word} ")]


def test_the_base_is_one_version_by_tag_or_by_digest():
    [[base]] = said("FROM")
    assert re.search(r":[0-9]+\.[0-9]+\.[0-9]+-|@sha256:[0-9a-f]{64}$", base)


def test_nothing_is_copied_but_the_app_and_never_the_secrets():
    copied = [source for *sources, _ in said("COPY") for source in sources]
    assert set(copied) == {
        "requirements.txt",
        "app.py",
        "pages",
        "explorer",
        ".streamlit/config.toml",
    }
    assert "*" in TAKEN
    assert {line[1:] for line in TAKEN if line.startswith("!")} == set(copied)
    assert "/.streamlit/secrets.toml" in (ROOT / ".gitignore").read_text("utf-8").splitlines()


def test_it_runs_as_a_user_of_its_own_who_may_not_change_the_app():
    assert LINES.index("USER app") > max(i for i, line in enumerate(LINES) if "COPY" in line[:4])
    assert not [line for line in LINES if "--chown" in line or "--chmod" in line]
