"""The one error that a reader sees."""


class ExplorerError(Exception):
    """A refusal; its message is the sentence that the page shows."""
