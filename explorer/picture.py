"""A picture that a reader uploaded, as part of a Run."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture, known by what is in it.

    Attributes:
        digest: Names it; pictures with one digest are the same.
        png: The picture itself.
        made_from: Width and height of the file, in pixels, if the picture was made smaller.
    """

    digest: str
    png: bytes = field(compare=False, repr=False)
    made_from: tuple[int, int] | None = None
