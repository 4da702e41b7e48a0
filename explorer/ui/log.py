"""What the server's log is told: where the app failed, and nothing that a reader typed."""

import logging
import traceback

_log = logging.getLogger("explorer")


def failure(error: BaseException) -> None:
    """Note a failure by its kind and its place; an error's own message may quote a text."""
    places = "".join(traceback.format_tb(error.__traceback__))
    _log.error("%s\n%s", type(error).__name__, places)
