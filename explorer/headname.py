"""How a head is written, on every page, in every sentence and file."""


def head_name(layer: int, head: int) -> str:
    """A head by the model's own number of its layer: ``L3·H1``."""
    return f"L{layer}·H{head}"
