"""Make sure that there is a Chromium for the browser tests: ``python -m tests.chromium``.

The system's if there is one; through apt-get where that is possible; else playwright's own.
"""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find() -> str | None:
    """The system's Chromium, or the one that CHROMIUM names; None if playwright's must do."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def _apt_get() -> bool:
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    sudo = [] if root else ["sudo", "-n"]
    if not shutil.which("apt-get") or not (root or shutil.which("sudo")):
        return False
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update", "-qq"], ["install", "-y", "-qq", "chromium"]):
        if subprocess.run([*sudo, "apt-get", *words], env=env, stdin=subprocess.DEVNULL).returncode:
            return False
    return find() is not None


def _playwright() -> bool:
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    return subprocess.run(command).returncode == 0


def main() -> int:
    """Find or install; 1 if neither works."""
    if find() or _apt_get() or _playwright():
        return 0
    print("No Chromium for the browser tests: install one, or name it in CHROMIUM.")
    return 1


if __name__ == "__main__":
    sys.exit(main())
