"""Run -> Prediction: what a model takes for the next token, at any position of a text."""

import inspect
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.edits import Edits
from explorer.errors import ExplorerError
from explorer.language import t
from explorer.lesson import TASKS
from explorer.prediction import Logits, Prediction, likeliest
from explorer.run import Run
from explorer.source import InMemory, Trained, Transplanted, model_of
from explorer.sources.changing import change_for
from explorer.sources.forward import failing
from explorer.sources.loading import LoadedModel, load_model
from explorer.sources.memory import take
from explorer.sources.progress import Progress, silent
from explorer.sources.tap import Tap
from explorer.sources.written import read_run, text_of
from explorer.trace import Token

COUNT = 10  # next tokens that are shown where nobody says how many


def predict(
    run: Run,
    at: int | None = None,
    *,
    count: int = COUNT,
    temperature: float = 1.0,
    top_k: int | None = None,
    progress: Progress = silent,
) -> Prediction:
    """What a run's model takes for the next token.

    Args:
        run: The text, with what is written behind it.
        at: The position after which the next token is asked for; None for the end of the text.
        count: How many of the likeliest tokens are named.
        temperature: What logits are divided by before they become probabilities.
        top_k: How many of the likeliest share all the probability; None for all.
        progress: Told what is being done.

    Raises:
        ExplorerError: The model predicts no next word, or fails, or there is no such position.
    """
    loaded = predicting_model(run, progress)
    with as_found(run):
        text = Before(loaded, run)
        position = text.position(at)
        (logits,) = text.logits([position], run.edits)
        ids = text.ids[: position + 1]
    return predicted(loaded, text.tokens, position, ids, logits, count, temperature, top_k)


def as_found(run: Run) -> AbstractContextManager[None]:
    """A block after which a tokenizer in memory is as it was found."""
    if not isinstance(run.source, InMemory):
        return nullcontext()
    from explorer.sources.in_memory import as_found as left

    return left(run.source)


class Before:
    """A text before a model that predicts: its tokens, and the logits at any of its positions.

    Attributes:
        tokens: The tokens that it reads; of an encoder-decoder those of its decoder.
        ids: Their numbers.
        inputs: What the model is called with.
        last: The position after which the text goes on: closing marks are not counted.
    """

    ids: list[int]

    def __init__(self, loaded: LoadedModel, run: Run, progress: Progress = silent) -> None:
        self._loaded = loaded
        if loaded.form == "pair":
            from explorer.sources.seq2seq import read_pair

            target, self.inputs = read_pair(loaded, run, progress)
            self.tokens, self.ids, self.last = target.tokens, target.ids, len(target.ids) - 1
            return
        reading, _ = read_run(loaded, run)
        self.tokens, self.inputs = reading.tokens, reading.inputs
        self.ids = self.inputs["input_ids"][0].tolist()
        self.last = len(self.ids) - 1
        if not run.written:
            closing = [not t.span and t.special for t in self.tokens]
            while self.last and closing[self.last]:
                self.last -= 1

    def end_here(self) -> None:
        """Leave out the closing marks, so that the text can go on."""
        n = self.last + 1
        self.tokens, self.ids = self.tokens[:n], self.ids[:n]
        if self._loaded.form != "pair":
            self.inputs = {name: values[:, :n] for name, values in self.inputs.items()}

    def position(self, at: int | None) -> int:
        """The position that is meant; the end of the text where none is named.

        Raises:
            ExplorerError: There is no such position.
        """
        n = len(self.ids)
        if at is not None and not -n <= at < n:
            raise ExplorerError(
                t(
                    "There is no token {at}: this text has the tokens 0 to {value}.",
                    at=at,
                    value=n - 1,
                )
            )
        return self.last if at is None else at % n

    def logits(self, positions: Sequence[int], edits: Edits | None = None) -> Logits:
        """The model's own logits, float32 ``[position, vocabulary]``.

        Raises:
            ExplorerError: It fails, or they are not numbers.
        """
        loaded = self._loaded
        asked = torch.tensor(list(positions))
        some = keeps_some(loaded.whole)
        rows = len(positions) if some else len(self.ids)
        check_logits(loaded, rows)
        options = {"logits_to_keep": asked} if some else {}
        tap = Tap(keep=False, change=change_for(loaded, edits, len(self.ids)))
        with torch.inference_mode(), failing(loaded.info.name), tap.open():
            found = loaded.whole(**self.inputs, **options).logits[0]
        return finite(found if some else found[asked.to(found.device)])


def keeps_some(whole: Any) -> bool:
    """Whether a model can be asked for the logits of some positions alone."""
    return "logits_to_keep" in inspect.signature(whole.forward).parameters


def check_logits(loaded: LoadedModel, rows: int) -> None:
    """Refuse the logits of so many positions if they would not fit in memory.

    Raises:
        ExplorerError: They would not.
    """
    whole: Any = loaded.whole
    size = 8 * rows * len(whole.get_output_embeddings().weight)
    take(
        size,
        t("The predictions at {rows} tokens", rows=f"{rows:,}"),
        t("Choose a shorter text or a smaller model."),
    )


def finite(logits: Tensor) -> Logits:
    """Logits as numpy has them.

    Raises:
        ExplorerError: They are not numbers.
    """
    found: Logits = logits.detach().float().cpu().numpy()
    # A model may rule tokens out by minus infinity (Marian its padding); anything else is damage.
    if np.isnan(found).any() or (found == np.inf).any() or not np.isfinite(found).any(-1).all():
        raise ExplorerError(
            t(
                "The model’s prediction is not a number (NaN or infinite) for this "
                "text. Its weights are probably damaged: try another model."
            )
        )
    return found


def predicted(
    loaded: LoadedModel,
    tokens: tuple[Token, ...],
    position: int,
    ids: Sequence[int],
    logits: Logits,
    count: int = COUNT,
    temperature: float = 1.0,
    top_k: int | None = None,
) -> Prediction:
    """A row of logits as a prediction, its likeliest tokens named as they would be written."""
    top = tuple(map(int, likeliest(logits, count if top_k is None else min(count, top_k))))
    texts = tuple(text_of(loaded.tokenizer, ids, token) for token in top)
    name = loaded.info.name
    return Prediction(name, tokens, position, logits, top, texts, temperature, top_k)


def predicting_model(run: Run, progress: Progress = silent) -> LoadedModel:
    """The model of a run, which predicts the next word.

    Raises:
        ExplorerError: Its source predicts none.
    """
    run.check_is_for_a_model()
    if isinstance(run.source, Trained) and TASKS[run.source.task].writes:
        from explorer.sources.trained_decoder import decoder_of  # which needs more

        return decoder_of(run, progress)
    model = model_of(run.source)
    if model is None or isinstance(run.source, Transplanted):
        raise ExplorerError(
            t(
                "The from-scratch layer predicts no next word. Choose a decoder under "
                "Model, such as openai-community/gpt2, then press Run."
            )
        )
    loaded = load_model(model, progress).part("text" if run.picture is None else "picture")
    check_predicts(loaded)
    return loaded


def check_predicts(loaded: LoadedModel) -> None:
    """Refuse a model that predicts no next word, and say what it has instead.

    Raises:
        ExplorerError: It predicts none.
    """
    name, whole = loaded.info.name, loaded.whole
    decoder = t("For a next word choose a decoder, such as openai-community/gpt2.")
    if loaded.form == "picture":
        raise ExplorerError(
            t(
                "{name} looks at pictures and predicts no words. {decoder}",
                name=name,
                decoder=decoder,
            )
        )
    if loaded.predicts == "word":
        raise ExplorerError(
            t(
                "{name} reads in both directions and fills in words that are masked: "
                "ask it for one on Explain. {decoder}",
                name=name,
                decoder=decoder,
            )
        )
    if loaded.predicts == "class":
        raise ExplorerError(
            t(
                "{name} chooses between classes and predicts no words. {decoder}",
                name=name,
                decoder=decoder,
            )
        )
    if not has_head(whole) or (loaded.form == "text" and loaded.predicts != "next"):
        raise ExplorerError(
            t(
                "The files of {name} hold no head that predicts words: they are those "
                "of a {name2}. {decoder}",
                name=name,
                name2=type(whole).__name__,
                decoder=decoder,
            )
        )


def has_head(whole: Any) -> bool:
    """Whether a network ends in the table from which words are predicted."""
    try:
        found = whole.get_output_embeddings()
    except (NotImplementedError, AttributeError):
        return False
    return found is not None and hasattr(found, "weight")


def token_of(loaded: LoadedModel, word: str) -> int:
    """The number of the token that writes a word, with a space before it or without.

    Raises:
        ExplorerError: No single token does.
    """
    known = loaded.tokenizer.get_vocab()
    bare = word.removeprefix("␣").strip(" ")
    spaced = [f"Ġ{bare}", f"▁{bare}"] if bare else []
    exact = [word] if not word.startswith((" ", "␣")) else []
    for spelled in (*exact, *spaced, bare):
        if spelled in known:
            return int(known[spelled])
    with loaded.reading, failing(loaded.info.name):
        pieces = loaded.tokenizer(word, add_special_tokens=False)["input_ids"]
    if len(pieces) == 1 and pieces[0] != loaded.tokenizer.unk_token_id:
        return int(pieces[0])
    if not pieces or loaded.tokenizer.unk_token_id in pieces:
        raise ExplorerError(
            t(
                "“{word}” is not a token of the vocabulary of {name}. Choose another "
                "word, one that the model knows.",
                word=word[:40],
                name=loaded.info.name,
            )
        )
    raise ExplorerError(
        t(
            "“{word}” is not one token of {name}, so it has no probability of its "
            "own. Choose a shorter or more common word.",
            word=word[:40],
            name=loaded.info.name,
        )
    )
