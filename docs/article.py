"""What the Article's experiments give: `make article` writes it for the pages.

The time is measured here and now, so run it where nothing else is being done.
"""

import json
import re
from pathlib import Path
from typing import Any

from explorer.scratch.articlefacts import KEPT, cost_facts, found_facts

STORIES = Path(__file__).parent / "explained_stories.md"  # written by `make explained`
SHOWN = (
    "measured: the word is cut out of attention",
    "integrated gradients, baseline [UNK]",
    "attention, mean of all layers",
    "attention rollout",
    "gradient × attention relevance",
    "gradient norm",
    "attention, last layer",
    "by chance",
)
_ROW = re.compile(r"^\| (.+?) \| ([\d.]+) % \| ([\d.]+) ± ([\d.]+) \| ([\d.–]+) \|", re.MULTILINE)


def agreement() -> list[dict[str, Any]]:
    """What the methods found in little stories, as docs/explained_stories.md has it."""
    rows = {
        name: {
            **{"name": name, "first": round(float(first) / 100, 4), "area": float(area)},
            **{"off": float(off), "rho": None if rho == "–" else float(rho)},
        }
        for name, first, area, off, rho in _ROW.findall(STORIES.read_text("utf-8"))
    }
    return [rows[name] for name in SHOWN]


def main() -> None:
    cost = cost_facts(lambda doing, share: print(doing))
    facts = {"cost": cost, **found_facts(), "agree": agreement()}
    KEPT.write_text(json.dumps(facts, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
