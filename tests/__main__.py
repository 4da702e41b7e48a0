"""Every check, fastest first, stopping at the first that fails: ``python -m tests``."""

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYTHON = [sys.executable, "-m"]
NPX = ["npx", "--no-install"]
JS_TESTS = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "tests/js").glob("*.test.js"))

# Half of the tests each, in order, so that what a file's tests share is made once; who is done
# first takes over from the end of the other's half.
TWO = ["--numprocesses=2", "--dist=worksteal"]

STEPS: list[tuple[str, list[str]]] = [
    ("format (Python)", [*PYTHON, "ruff", "format", "--check", "--quiet", "."]),
    ("lint (Python)", [*PYTHON, "ruff", "check", "--quiet", "."]),
    ("format and lint (JavaScript, CSS)", [*NPX, "biome", "ci", "--colors=off"]),
    ("types (JavaScript)", [*NPX, "tsc", "--project", "jsconfig.json"]),
    ("types (Python)", [*PYTHON, "mypy"]),
    ("JavaScript tests", ["node", "--test", "--test-reporter=dot", *JS_TESTS]),
    ("Python tests", [*PYTHON, "pytest", "-q", *TWO, "tests/unit", "tests/models"]),
    # A browser on a busy machine can miss a click: two more tries, and the summary names the test.
    ("browser tests", [*PYTHON, "pytest", "-q", "-rR", "--reruns=2", *TWO, "tests/browser"]),
]


def main() -> int:
    """Run the steps; the first failure ends them."""
    for name, command in STEPS:
        print(f"--- {name}", flush=True)
        started = time.monotonic()
        if subprocess.run(command, cwd=ROOT).returncode:
            print(f"\nFAILED: {name}.\nAgain, alone: {' '.join(command)}", flush=True)
            return 1
        print(f"    {time.monotonic() - started:.0f} s", flush=True)
    print("\nEvery check passed.", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
