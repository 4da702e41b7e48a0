"""A run as a conversation: its turns as the model's own chat template writes them."""

from dataclasses import replace

from explorer.conversation import Turn, turns_of
from explorer.errors import ExplorerError, own_words
from explorer.language import t
from explorer.run import Run
from explorer.sources.loading import LoadedModel
from explorer.sources.templates import RefusedError, rendered
from explorer.visible import visible

_MARKS = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token")


def as_read(loaded: LoadedModel, run: Run) -> tuple[LoadedModel, tuple[str, ...]]:
    """What reads a run, and the texts that it reads.

    Of a conversation that is one text: the turns as the model's template writes them, with the
    mark behind them at which the assistant begins; where it has begun already, it goes on with
    what it says. The template writes all marks, so the tokenizer adds none.

    Raises:
        ExplorerError: The model has no template, or it does not take these turns.
    """
    return written(loaded, run.text) if run.chat else (loaded, run.texts)


def written(loaded: LoadedModel, said: str) -> tuple[LoadedModel, tuple[str, ...]]:
    """The same of a conversation alone."""
    name = loaded.info.name
    if loaded.template is None:
        raise ExplorerError(
            t(
                "{name} has no chat template: its files do not say how it reads turns. "
                "Turn off “As a conversation”, and it reads the text as it is.",
                name=name,
            )
        )
    marks = {m: str(getattr(loaded.tokenizer, m, None) or "") for m in _MARKS}
    turns = turns_of(said)
    try:
        text = _written(loaded.template, turns, marks)
    except RefusedError as error:
        raise ExplorerError(
            t(
                "The chat template of {name} does not take these turns: “{visible}”. "
                "Nothing was changed: write the turns in another way, or turn off “As a"
                " conversation”.",
                name=name,
                visible=visible(own_words(error)),
            )
        ) from error
    return replace(loaded, adds_marks=False), (text,)


def _written(template: str, turns: tuple[Turn, ...], marks: dict[str, str]) -> str:
    """The turns as a template writes them, up to where the assistant goes on."""
    said = [{"role": turn.role, "content": turn.content} for turn in turns]
    last = turns[-1]
    if last.role == "assistant" and not last.content:  # it is to begin, which has its own mark
        said, last = said[:-1], turns[-2] if len(turns) > 1 else last
        if not said:
            raise RefusedError(t("nobody has said anything yet"))
    if last.role != "assistant":
        return rendered(template, said, marks, answer=True)
    text = rendered(template, said, marks, answer=False)
    at = text.rfind(last.content)
    if at < 0:
        raise RefusedError(t("it does not write the assistant’s last words as they are"))
    return text[: at + len(last.content)]
