"""Trained: the from-scratch layer after it has learned a small task. Hashable, seeded, a link."""

from dataclasses import dataclass

from explorer.errors import ExplorerError
from explorer.language import t


@dataclass(frozen=True, slots=True)
class Task:
    """What can be learned, and settings with which it is.

    Attributes:
        title: Its name, for people.
        says: What the layer must do, in a sentence.
        length: Tokens of a training sequence.
        n_heads: Heads in each layer.
        n_layers: Layers.
        steps: Training steps.
        shortest: The shortest sequence in which the task means something.
        tries: Sequences that show what was learned, and what was not, each with a sentence.
        longest: The longest training sequence.
        of_text: Whether it is learned from a text of the reader's.
        writes: Where what comes next is learned: tokens by which a sequence is gone on with.
    """

    title: str
    says: str
    length: int
    n_heads: int
    n_layers: int
    steps: int
    shortest: int = 3
    tries: tuple[tuple[str, str], ...] = ()
    longest: int = 32
    of_text: bool = False
    writes: int = 0


# An old rhyme, by nobody whose name is known; learned from where a reader pastes no text.
RHYME = (
    "This is the house that Jack built. This is the malt that lay in the house that Jack built. "
    "This is the rat that ate the malt that lay in the house that Jack built. This is the cat that "
    "killed the rat that ate the malt that lay in the house that Jack built. This is the dog that "
    "worried the cat that killed the rat that ate the malt that lay in the house that Jack built. "
    "This is the cow with the crumpled horn that tossed the dog that worried the cat that killed "
    "the rat that ate the malt that lay in the house that Jack built. This is the maiden all "
    "forlorn that milked the cow with the crumpled horn that tossed the dog that worried the cat "
    "that killed the rat that ate the malt that lay in the house that Jack built."
)
LETTERS = (300, 20_000)  # characters of a text that is learned from
KINDS_OF_LETTERS = 1000  # a Chinese text of some pages

TASKS = {
    "copy": Task(
        t("Copy the previous token"),
        t("At each place, name the token before it."),
        length=12,
        n_heads=2,
        n_layers=1,
        steps=300,
        tries=(
            ("abcd", t("Only 4 tokens. Does it copy these, too?")),
            (
                "aaaaaaaaaaaa",
                t("One letter only. Does it look at what a token is, or at its place?"),
            ),
        ),
    ),
    "reverse": Task(
        t("Reverse"),
        t("At each place, name the token that stands there when the sequence is read backwards."),
        length=12,
        n_heads=2,
        n_layers=1,
        steps=300,
        tries=(
            ("abcd", t("Only 4 tokens. Where is the other end now?")),
            ("aaaabbbbcccc", t("Does it look at what a token is, or at its place?")),
        ),
    ),
    "duplicate": Task(
        t("Find the duplicate"),
        t("At each place, say whether this token stands anywhere else as well."),
        length=10,
        n_heads=4,
        n_layers=1,
        steps=1500,
        tries=(
            ("aabc", t("Only 4 tokens. Does it find the pair?")),
            ("aaaaaaaaaa", t("It has seen no letter more than twice.")),
        ),
    ),
    "sort": Task(
        t("Sort"),
        t("At each place, name the digit that stands there when the digits are put in order."),
        length=8,
        n_heads=4,
        n_layers=1,
        steps=1200,
        tries=(
            ("312", t("Only 3 digits. Where does the largest belong?")),
            ("76543210", t("Backwards. How does the head look now?")),
        ),
    ),
    "count": Task(
        t("Count"),
        t("At each place, say how often this token stands in the sequence."),
        length=10,
        n_heads=4,
        n_layers=1,
        steps=1500,
        tries=(
            ("aab", t("Only 3 tokens. Does it count, or does it tell shares?")),
            ("aaaaaaaaaa", t("Where does it look when all are the same?")),
        ),
    ),
    "brackets": Task(
        t("Match brackets"),
        t("Each ? closes the bracket that was opened last and is still open: say which it is."),
        length=10,
        n_heads=4,
        n_layers=2,
        steps=800,
        shortest=4,
        tries=(
            ("([{<????", t("Four deep. It has seen three at most.")),
            ("([??", t("Only 4 tokens. Which closes which?")),
        ),
    ),
    "induction": Task(
        "Induction: A B … A → B",
        t("Where a token has stood before, name the token that came after it then."),
        length=16,
        n_heads=2,
        n_layers=2,
        steps=600,
        shortest=6,
        tries=(
            ("abbabb", t("b stands twice in a row. What came after it?")),
            ("abcab", t("Only 5 tokens. Does it find the earlier a?")),
        ),
    ),
    "letters": Task(
        t("Next letter of a text"),
        t(
            "At each place, name the letter that comes next; spaces count. Paste a text of "
            "your own."
        ),
        length=24,
        n_heads=4,
        n_layers=2,
        steps=500,
        longest=48,
        of_text=True,
        writes=12,
    ),
    "stories": Task(
        t("Little stories: the next word"),
        t(
            "At each place, name the next word of a story whose grammar is known: so is "
            "the best that anybody could do."
        ),
        length=48,
        n_heads=4,
        n_layers=2,
        steps=600,
        longest=64,
        writes=8,
        tries=(
            (
                "Mia and Tom live near the park. Mia has a red ball, and Tom has two red hats. "
                "They see a fox and two dogs in the barn. Tom loves his red",
                t("Whose red things? It must find out who “his” means."),
            ),
            (
                "Ida and Ben live near the farm. Ben has a blue key, and Ida has a pink coat. "
                "They see two geese and a cat in the field. The geese near the cat",
                t("One cat, two geese: which of them does the verb go with?"),
            ),
        ),
    ),
    "stories-zh": Task(
        t("Little stories in Chinese: the next word"),
        t(
            "At each place, name the next word of a Chinese story whose grammar is known: so is "
            "the best that anybody could do."
        ),
        length=48,
        n_heads=4,
        n_layers=2,
        steps=600,
        longest=64,
        writes=8,
        tries=(
            (
                "小美和小明住在公园附近。小美有一顶红色的帽子，小明有两本红色的书。他们在花园里看见"
                "一匹马和三只猫。小明最爱他那两本红色的",
                t("Whose red things? It must find out who 他 is."),
            ),
            (
                "小兰和大伟住在学校附近。大伟有一把蓝色的伞，小兰有一件粉色的毛衣。他们在森林里看见"
                "一匹马和三只猫。那匹那三只猫看见的",
                t("匹 and 只: which noun is asked for now?"),
            ),
        ),
    ),
}

LIMITS: dict[str, tuple[int, int]] = {
    "length": (3, 64),
    "d_model": (8, 128),
    "n_heads": (1, 8),
    "n_layers": (1, 3),
    "steps": (1, 10_000),
    "seed": (0, 2**31 - 1),
}
LEARNING_RATES = (1e-5, 10.0)


@dataclass(frozen=True, slots=True)
class Trained:
    """The from-scratch layer after some steps of training on a task.

    Equal settings give equal weights: data and first weights come from the seed, and the first
    steps of a longer training are the steps of a shorter one.

    Attributes:
        task: One of `TASKS`.
        length: Tokens of a training sequence; None for the task's own.
        d_model: Width of a token's vector, a multiple of ``n_heads``.
        n_heads: Heads in each layer; None for the task's own.
        n_layers: Layers; None for the task's own.
        learning_rate: The largest that Adam (Kingma, Ba 2015) gets, after a warm-up.
        steps: Training steps; None for the task's own.
        seed: Seed of the data and of every weight.
        corpus: The text that is learned from, for a task that has one; empty for the `RHYME`.

    Raises:
        ExplorerError: A setting is out of its range, or there is no such task.
    """

    task: str = "copy"
    length: int | None = None
    d_model: int = 64
    n_heads: int | None = None
    n_layers: int | None = None
    learning_rate: float = 0.003
    steps: int | None = None
    seed: int = 0
    corpus: str = ""

    def __post_init__(self) -> None:
        task = TASKS.get(self.task)
        if task is None:
            raise ExplorerError(
                t(
                    "There is no task “{task}”. The layer can learn: {tasks}.",
                    task=self.task,
                    tasks=", ".join(TASKS),
                )
            )
        for name in ("length", "n_heads", "n_layers", "steps"):
            if getattr(self, name) is None:
                object.__setattr__(self, name, getattr(task, name))
        for name, (low, high) in LIMITS.items():
            value, least, high = getattr(self, name), low, high
            if name == "length":
                least, high = max(low, task.shortest), min(high, task.longest)
            if type(value) is not int or not least <= value <= high:
                raise ExplorerError(
                    t(
                        "{name} is {value}; for a training it must be a whole number from {least} "
                        "to {high}.",
                        name=name,
                        value=f"{value!r}",
                        least=least,
                        high=high,
                    )
                )
        rate = self.learning_rate
        if not isinstance(rate, float) or not LEARNING_RATES[0] <= rate <= LEARNING_RATES[1]:
            raise ExplorerError(
                t(
                    "learning_rate is {rate}; it must be a number from {learning_rates} to "
                    "{learning_rates_2}. Usual is 0.003.",
                    rate=f"{rate!r}",
                    learning_rates=LEARNING_RATES[0],
                    learning_rates_2=f"{LEARNING_RATES[1]:g}",
                )
            )
        check_heads(self.d_model, self.n_heads or 1)
        corpus = " ".join(self.corpus.split()) if task.of_text else ""
        object.__setattr__(self, "corpus", "" if corpus == RHYME else corpus)
        if corpus:
            _check_corpus(corpus, self.length or 0)

    @property
    def spec(self) -> str:
        return "trained"

    @property
    def text(self) -> str:
        """The text that is learned from, for a task that has one."""
        return self.corpus or RHYME

    def defaults(self) -> "Trained":
        """The same task with its own settings."""
        return Trained(self.task)


def _check_corpus(corpus: str, length: int) -> None:
    """Refuse a text from which no next letter can be learned.

    Raises:
        ExplorerError: It is too short or too long, or has too few letters or too many.
    """
    least, most = max(LETTERS[0], 9 * (length + 1)), LETTERS[1]
    if len(set(corpus)) == 1:
        raise ExplorerError(
            t(
                "This text has one letter only, “{corpus}”: there is nothing to learn of what "
                "comes next. Paste another one.",
                corpus=corpus[0],
            )
        )
    if len(corpus) < least:
        raise ExplorerError(
            t(
                "This text has {corpus} characters, spaces counted once; to learn from "
                "sequences of {length} letters, and to be tested on others, {least} are "
                "needed. Paste a longer one, or empty the box for the rhyme that comes with "
                "the app.",
                corpus=f"{len(corpus):,}",
                length=length,
                least=f"{least:,}",
            )
        )
    if len(corpus) > most:
        raise ExplorerError(
            t(
                "This text has {corpus} characters; at most {most} can be learned from here. "
                "Shorten it.",
                corpus=f"{len(corpus):,}",
                most=f"{most:,}",
            )
        )
    kinds = len(set(corpus))
    if kinds > KINDS_OF_LETTERS:
        raise ExplorerError(
            t(
                "This text has {kinds} different letters and signs; at most {kinds_of_letters} "
                "can be told apart here. Paste a shorter one, or one in a script of fewer signs.",
                kinds=f"{kinds:,}",
                kinds_of_letters=f"{KINDS_OF_LETTERS:,}",
            )
        )


def check_heads(d_model: int, n_heads: int) -> None:
    """Refuse a width that cannot be divided among the heads, and say which could.

    Raises:
        ExplorerError: It cannot.
    """
    if d_model % n_heads:
        below = d_model // n_heads * n_heads
        near = f"{below} and {below + n_heads}" if below else str(n_heads)
        raise ExplorerError(
            t(
                "d_model = {d_model} cannot be divided evenly among {n_heads} heads. Nearest "
                "widths that can: {near}.",
                d_model=d_model,
                n_heads=n_heads,
                near=near,
            )
        )
