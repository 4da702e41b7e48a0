"""Trained: the from-scratch layer after it has learned a small task. Hashable, seeded, a link."""

from dataclasses import dataclass

from explorer.errors import ExplorerError


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
    """

    title: str
    says: str
    length: int
    n_heads: int
    n_layers: int
    steps: int
    shortest: int = 3
    tries: tuple[tuple[str, str], ...] = ()


TASKS = {
    "copy": Task(
        "Copy the previous token",
        "At each place, name the token before it.",
        length=12,
        n_heads=2,
        n_layers=1,
        steps=300,
        tries=(
            ("abcd", "Only 4 tokens. Does it copy these, too?"),
            ("aaaaaaaaaaaa", "One letter only. Does it look at what a token is, or at its place?"),
        ),
    ),
    "reverse": Task(
        "Reverse",
        "At each place, name the token that stands there when the sequence is read backwards.",
        length=12,
        n_heads=2,
        n_layers=1,
        steps=300,
        tries=(
            ("abcd", "Only 4 tokens. Where is the other end now?"),
            ("aaaabbbbcccc", "Does it look at what a token is, or at its place?"),
        ),
    ),
    "duplicate": Task(
        "Find the duplicate",
        "At each place, say whether this token stands anywhere else as well.",
        length=10,
        n_heads=4,
        n_layers=1,
        steps=1500,
        tries=(
            ("aabc", "Only 4 tokens. Does it find the pair?"),
            ("aaaaaaaaaa", "It has seen no letter more than twice."),
        ),
    ),
    "sort": Task(
        "Sort",
        "At each place, name the digit that stands there when the digits are put in order.",
        length=8,
        n_heads=4,
        n_layers=1,
        steps=1200,
        tries=(
            ("312", "Only 3 digits. Where does the largest belong?"),
            ("76543210", "Backwards. How does the head look now?"),
        ),
    ),
    "count": Task(
        "Count",
        "At each place, say how often this token stands in the sequence.",
        length=10,
        n_heads=4,
        n_layers=1,
        steps=1500,
        tries=(
            ("aab", "Only 3 tokens. Does it count, or does it tell shares?"),
            ("aaaaaaaaaa", "Where does it look when all are the same?"),
        ),
    ),
    "brackets": Task(
        "Match brackets",
        "Each ? closes the bracket that was opened last and is still open: say which it is.",
        length=10,
        n_heads=4,
        n_layers=2,
        steps=800,
        shortest=4,
        tries=(
            ("([{<????", "Four deep. It has seen three at most."),
            ("([??", "Only 4 tokens. Which closes which?"),
        ),
    ),
    "induction": Task(
        "Induction: A B … A → B",
        "Where a token has stood before, name the token that came after it then.",
        length=16,
        n_heads=2,
        n_layers=2,
        steps=600,
        shortest=6,
        tries=(
            ("abbabb", "b stands twice in a row. What came after it?"),
            ("abcab", "Only 5 tokens. Does it find the earlier a?"),
        ),
    ),
}

LIMITS: dict[str, tuple[int, int]] = {
    "length": (3, 32),
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

    def __post_init__(self) -> None:
        task = TASKS.get(self.task)
        if task is None:
            raise ExplorerError(
                f"There is no task “{self.task}”. The layer can learn: {', '.join(TASKS)}."
            )
        for name in ("length", "n_heads", "n_layers", "steps"):
            if getattr(self, name) is None:
                object.__setattr__(self, name, getattr(task, name))
        for name, (low, high) in LIMITS.items():
            value, least = getattr(self, name), max(low, task.shortest if name == "length" else 0)
            if type(value) is not int or not least <= value <= high:
                raise ExplorerError(
                    f"{name} is {value!r}; for a training it must be a whole number from {least} "
                    f"to {high}."
                )
        rate = self.learning_rate
        if not isinstance(rate, float) or not LEARNING_RATES[0] <= rate <= LEARNING_RATES[1]:
            raise ExplorerError(
                f"learning_rate is {rate!r}; it must be a number from "
                f"{LEARNING_RATES[0]} to {LEARNING_RATES[1]:g}. Usual is 0.003."
            )
        check_heads(self.d_model, self.n_heads or 1)

    @property
    def spec(self) -> str:
        return "trained"

    def defaults(self) -> "Trained":
        """The same task with its own settings."""
        return Trained(self.task)


def check_heads(d_model: int, n_heads: int) -> None:
    """Refuse a width that cannot be divided among the heads, and say which could.

    Raises:
        ExplorerError: It cannot.
    """
    if d_model % n_heads:
        below = d_model // n_heads * n_heads
        near = f"{below} and {below + n_heads}" if below else str(n_heads)
        raise ExplorerError(
            f"d_model = {d_model} cannot be divided evenly among {n_heads} heads. "
            f"Nearest widths that can: {near}."
        )
