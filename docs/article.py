"""What the Article's experiments give: `make article` writes it for the pages.

The time is measured here and now, so run it where nothing else is being done.
"""

import json

from explorer.scratch.articlefacts import KEPT, cost_facts, found_facts


def main() -> None:
    facts = {"cost": cost_facts(lambda doing, share: print(doing)), **found_facts()}
    KEPT.write_text(json.dumps(facts, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
