"""Run -> Predictions: what a model expects at many positions of a text, found in one pass."""

import numpy as np
import numpy.typing as npt

from explorer.language import t
from explorer.prediction import Logits, Predictions, likeliest, log_chances
from explorer.run import Run
from explorer.sampling import Sampling
from explorer.sources.predicting import Before, as_found, predicting_model
from explorer.sources.progress import Progress, silent, tick
from explorer.sources.writing import ends_of
from explorer.sources.written import text_of

AT_ONCE = 512  # positions
COUNT = 10  # tokens that are named at each


def expect(
    run: Run, at: int = 0, sampling: Sampling | None = None, progress: Progress = silent
) -> Predictions:
    """What a run's model takes for the next token, at all positions of the part around one.

    Args:
        run: The text, with what is written behind it.
        at: A position; a long text is told of in parts of `AT_ONCE` positions.
        sampling: How a token is drawn. Where always the likeliest is, this is said as if one was
            drawn of all: else nothing could be seen of the others.
        progress: Told what is being done.

    Raises:
        ExplorerError: The model predicts no next word, or fails.
    """
    drawn = sampling or Sampling(1.0)
    temperature, top_k = (drawn.temperature, drawn.top_k) if drawn.temperature else (1.0, None)
    loaded = predicting_model(run, progress)
    progress(t("Asking what comes next"), None)
    with as_found(run):
        text = Before(loaded, run)
        text.end_here()
        ids = text.ids
        first = min(max(at, 0), len(ids) - 1) // AT_ONCE * AT_ONCE
        positions = range(first, min(first + AT_ONCE, len(ids)))
        logits = text.logits(positions, run.edits)
        plain = text.logits(positions) if run.edits else None
    rows = [_row(logits[i], _behind(ids, p), temperature, top_k) for i, p in enumerate(positions)]
    found, logs, real, ranks = (np.array(column) for column in zip(*rows, strict=True))
    near = {int(i): p for p, row in zip(positions, found, strict=True) for i in row}
    texts = {i: text_of(loaded.tokenizer, ids[: p + 1], i) for i, p in near.items()}
    return Predictions(
        first,
        len(ids) - 1,
        found.astype(np.int32),
        logs.astype(np.float32),
        real.astype(np.float32),
        ranks.astype(np.int32),
        None if plain is None else _chances_of(plain, found, temperature, top_k),
        texts,
        logits.shape[1],
        tuple(sorted(ends_of(loaded))),
        loaded.info.max_tokens - len(ids),
    )


def _chances_of(
    logits: Logits, ids: npt.NDArray[np.intp], temperature: float, top_k: int | None
) -> npt.NDArray[np.float32]:
    """The logarithms of the chances of some tokens at each position, ``[position, k]``."""
    rows = zip(logits, ids, strict=True)
    found = [log_chances(row, temperature, top_k)[some] for row, some in rows]
    return np.array(found, np.float32)


def _behind(ids: list[int], position: int) -> int | None:
    """The token that stands behind a position; None at the end of the text."""
    return ids[position + 1] if position + 1 < len(ids) else None


def _row(
    logits: Logits, real: int | None, temperature: float, top_k: int | None
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64], float, int]:
    """The likeliest tokens, the logarithms of their chances, that of the real one, and its rank."""
    tick()
    chances = log_chances(logits, temperature, top_k)
    ids = likeliest(logits, COUNT)
    if real is None:
        return ids, chances[ids], np.nan, -1
    return ids, chances[ids], float(chances[real]), int((logits > logits[real]).sum())
