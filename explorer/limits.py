"""What one server gives to its readers: every limit, its setting, and what it is for."""

import os
from dataclasses import dataclass

from explorer.errors import ExplorerError
from explorer.language import t


@dataclass(frozen=True, slots=True)
class Setting:
    """A limit that whoever runs the server may change by an environment variable.

    Attributes:
        name: The variable.
        usual: What it is when nobody says.
        what: What it bounds, in words.
    """

    name: str
    usual: int
    what: str

    def read(self) -> int:
        """Its value.

        Raises:
            SystemExit: The variable holds no whole number from 1 on.
        """
        said = os.environ.get(self.name, str(self.usual)).strip()
        if not said.isascii() or not said.isdigit() or len(said) > 9 or int(said) < 1:
            raise SystemExit(f"{self.name} is {said!r}; it must be a whole number from 1 on.")
        return int(said)


SETTINGS: dict[str, Setting] = {}


def _limit(name: str, usual: int, what: str) -> int:
    setting = SETTINGS[name] = Setting(f"EXPLORER_{name}", usual, what)
    return setting.read()


# A tokenizer reads 200,000 characters in about half a second; a model takes far fewer.
MAX_CHARACTERS = _limit("MAX_CHARACTERS", 200_000, "characters of a text and its second text")
# What models of today's encoders take. Time grows with the square of the length, memory does not.
MAX_TOKENS = _limit("MAX_TOKENS", 8192, "tokens of a text that are read; what is beyond is cut")
# Pages that need all weights of a layer, or run a model once for every word, take fewer.
STEPS_TOKENS = _limit("STEPS_TOKENS", 512, "tokens of a text on Step by step")
EXPLAIN_TOKENS = _limit("EXPLAIN_TOKENS", 512, "tokens of a text on Explain")
COMPARE_TOKENS = 768  # of each text on Compare: its page draws whole heads of both
EFFICIENCY_TOKENS = 768  # on Efficiency: the rank of a map takes time with the cube of the length
MAX_LINES = _limit("MAX_LINES", 200, "texts of a batch, one a line")
MAX_MODEL_MB = _limit("MAX_MODEL_MB", 4096, "size of a model’s weight files")
MODELS_MB = _limit("MODELS_MB", 4096, "memory for loaded models, shared by all readers")
# One text of 8,192 tokens in a model of 22 layers and 12 heads takes 1,057 MB: it has room, and so
# have all shorter ones beside it.
CACHE_MB = _limit("CACHE_MB", 1536, "memory for computed attention, shared by all readers")
WORK_MB = _limit("WORK_MB", 3072, "memory for all work that is under way")
# To read such a text that model takes 2,200 MB besides its own weights.
READER_MB = _limit("READER_MB", 2560, "memory for the work of one reader that is under way")
FILES_MB = _limit(
    "FILES_MB", 512, "memory for uploaded weights that pages show, shared by all readers"
)
MAX_UPLOAD_MB = _limit("MAX_UPLOAD_MB", 64, "size of an uploaded picture or file of weights")
SESSION_JOBS = _limit("SESSION_JOBS", 8, "pieces of work that one open page may have under way")
READER_JOBS = _limit("READER_JOBS", 24, "pieces of work that one reader’s pages may have under way")
ALONE_SECONDS = _limit("ALONE_SECONDS", 20, "how long work goes on after its page was closed")
HUB_SILENCE_SECONDS = _limit("HUB_SILENCE_SECONDS", 30, "how long a silent hub is waited for")
MAX_PAGES = _limit("MAX_PAGES", 100, "pages that may be open at once")
TYPED_MB = _limit("TYPED_MB", 256, "memory for what pages have sent, shared by all readers")
UPLOADS_MB = _limit(
    "UPLOADS_MB", 256, "memory for uploaded files as they came, shared by all readers"
)


# Of corpora that pages read: what is beyond is not read, and the command reads it.
CORPUS_TEXTS = _limit("CORPUS_TEXTS", 20_000, "texts of a corpus that a page reads")
CORPUS_TOKENS = _limit("CORPUS_TOKENS", 512, "tokens of each of its texts that are read")
CORPUS_RUNS = _limit("CORPUS_RUNS", 20, "corpora that one reader keeps")
CORPORA_MB = _limit("CORPORA_MB", 4096, "disk for corpora that pages have read, of all readers")


def check_tokens(page: str, n: int, most: int) -> None:
    """Refuse a text that is longer than a page takes.

    Args:
        page: The page's name.
        n: Tokens of the text.
        most: Tokens that it takes.

    Raises:
        ExplorerError: It is.
    """
    if n > most:
        raise ExplorerError(
            t(
                "{page} takes texts of at most {most} tokens, and this one has {n}: it needs "
                "what grows with the square of the length. Choose a shorter text here, or look "
                "at this one on Explore, which takes it whole.",
                page=page,
                most=f"{most:,}",
                n=f"{n:,}",
            )
        )
