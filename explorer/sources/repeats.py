"""Run -> Run: random tokens that are repeated once, for the model of a run.

They stand behind a short text as if they had been written, so that all that is known of a run is
known of them too: its trace, its stream, and its link.
"""

from dataclasses import replace

import torch

from explorer.errors import ExplorerError
from explorer.run import Run
from explorer.sources.predicting import predicting_model
from explorer.sources.progress import Progress, silent
from explorer.sources.tokens import marks_of, pieces_of
from explorer.sources.written import read_run

LENGTH = 48  # tokens of a sequence; less where a model reads few
_FEWEST = 8


def repeated(
    run: Run, length: int = LENGTH, seed: int = 0, progress: Progress = silent
) -> tuple[Run, int]:
    """Random tokens, twice, before the model of a run; and how many they are.

    Args:
        run: Its model reads them, behind the first word of its text.
        length: Tokens that are drawn; fewer where the model has no room for them twice.
        seed: Of the draw.
        progress: Told what is being done.

    Raises:
        ExplorerError: The model predicts no next word, or reads too few tokens.
    """
    loaded = predicting_model(run, progress)
    if loaded.form != "text":
        raise ExplorerError(
            f"{loaded.info.name} is an encoder-decoder: random tokens that are repeated are for "
            "models of one part, such as GPT-2."
        )
    first = replace(run, text=run.text.split()[0], second=None, written=())
    begun = len(read_run(loaded, first)[0].tokens)
    length = min(length, (loaded.info.max_tokens - begun) // 2)
    if length < _FEWEST:
        raise ExplorerError(
            f"{loaded.info.name} reads at most {loaded.info.max_tokens} tokens: too few for a "
            "sequence that is repeated."
        )
    marks, size = marks_of(loaded.tokenizer), len(loaded.tokenizer)
    draw = torch.Generator().manual_seed(seed)
    drawn = torch.randperm(size, generator=draw)[: 4 * length].tolist()
    pieces = pieces_of(loaded.tokenizer, drawn)
    plain = [i for i, p in zip(drawn, pieces, strict=True) if i not in marks and p[:1] != "⟨"]
    some = tuple(plain[:length])
    return replace(first, written=some + some), len(some)
