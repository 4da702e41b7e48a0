"""Sampling: how the next token is chosen out of what a model predicts. Hashable."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from explorer.errors import ExplorerError
from explorer.language import t

MOST_SEED = 2**31 - 1
MOST_TOP = 1000
_TEMPERATURE = re.compile(r"\d{1,3}(\.\d{1,6})?")


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a token is chosen: always the likeliest, or drawn.

    Attributes:
        temperature: What logits are divided by before they become probabilities; at 0 the
            likeliest token is taken.
        top_k: How many of the likeliest tokens are drawn from; None for all.
        seed: Of the draws. The same seed draws the same token at the same place of a text, so
            writing that was stopped goes on as if it had not been.

    Raises:
        ExplorerError: A value is out of range.
    """

    temperature: float = 0.0
    top_k: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        temperature = self.temperature
        if isinstance(temperature, bool) or not isinstance(temperature, int | float):
            raise ExplorerError(
                t(
                    "temperature is {temperature}; it must be a number.",
                    temperature=f"{temperature!r}",
                )
            )
        if not 0 <= temperature <= 100:  # so also where it is no number
            raise ExplorerError(
                t(
                    "temperature is {temperature}; it must be from 0 to 100.",
                    temperature=temperature,
                )
            )
        object.__setattr__(self, "temperature", float(temperature))
        for name, value, low, high in (
            ("top_k", self.top_k, 1, MOST_TOP),
            ("seed", self.seed, 0, MOST_SEED),
        ):
            if value is None and name == "top_k":
                continue
            if type(value) is not int or not low <= value <= high:
                raise ExplorerError(
                    t(
                        "{name} is {value}; it must be a whole number from {low} to {high}.",
                        name=name,
                        value=f"{value!r}",
                        low=low,
                        high=f"{high:,}",
                    )
                )

    def to_query(self) -> dict[str, str]:
        """The choice as URL parameters; `from_query` gives it back."""
        query = {"temperature": f"{self.temperature:.6f}".rstrip("0").rstrip(".")}
        if self.top_k is not None:
            query["top_k"] = str(self.top_k)
        if self.seed:
            query["draw"] = str(self.seed)  # “seed” is that of a from-scratch layer
        return query if query != {"temperature": "0"} else {}

    @staticmethod
    def from_query(query: Mapping[str, str]) -> "Sampling":
        """The choice that a link asks for; what it does not name is as usual.

        Raises:
            ExplorerError: It names something that cannot be.
        """
        said = query.get("temperature", "0")
        if not _TEMPERATURE.fullmatch(said):
            raise ExplorerError(
                t("The link says temperature = {said}; it must be a number.", said=f"{said[:20]!r}")
            )
        numbers: dict[str, int | None] = {}
        for name in ("top_k", "draw"):
            value = query.get(name)
            if value is not None and not re.fullmatch(r"[0-9]{1,10}", value):
                raise ExplorerError(
                    t(
                        "The link says {name} = {value}; it must be a whole number.",
                        name=name,
                        value=f"{value[:20]!r}",
                    )
                )
            numbers[name] = None if value is None else int(value)
        return Sampling(float(said), numbers["top_k"], numbers["draw"] or 0)
