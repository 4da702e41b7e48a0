"""The command line: ``python -m explorer``."""

import sys

from explorer.corpus.command import main

if __name__ == "__main__":
    sys.exit(main())
