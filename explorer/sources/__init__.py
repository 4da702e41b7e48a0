"""Run -> AttentionTrace. Importing this room is light; torch comes with the first model."""

import os
import sys
from typing import TYPE_CHECKING

from explorer.errors import ExplorerError
from explorer.language import t
from explorer.lesson import TASKS, Trained
from explorer.run import Run
from explorer.source import (
    Embedded,
    Folder,
    Hub,
    InMemory,
    Model,
    Own,
    Scratch,
    Source,
    Transplanted,
    model_of,
)
from explorer.sources.catalogue import EXAMPLES, Example, notice_of
from explorer.sources.languages import check_languages, languages_of
from explorer.sources.progress import Progress, silent, working_for
from explorer.sources.stored import stored_trace
from explorer.trace import AttentionTrace

if TYPE_CHECKING:
    from explorer.sources.loading import LoadedModel

# The hub's client reads these when it is imported, which the rooms below put off. No conversion
# service is asked for weights that a repository lacks, the operator's token does not go out with a
# reader's request, and nothing is reported anywhere.
os.environ.setdefault("DISABLE_SAFETENSORS_CONVERSION", "1")
os.environ.setdefault("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
# PyTorch reads this one. Its threads would wait for each other by running in circles, and keep
# the processor from whoever has something to do: beside others a training took 18 times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__all__ = [
    "EXAMPLES",
    "Example",
    "Progress",
    "absent_model",
    "has_template",
    "known_languages",
    "notice_of",
    "silent",
    "starting",
    "stored_trace",
    "trace_run",
    "warm_up",
    "working_for",
]


def starting(then: str) -> str:
    """What is being done first: PyTorch is started once, which takes seconds; later `then`."""
    return then if "torch" in sys.modules else t("Starting PyTorch")


def trace_run(run: Run, progress: Progress = silent) -> AttentionTrace:
    """Compute every attention weight of a run.

    Args:
        run: What was asked for.
        progress: Told what is being done.

    Raises:
        ExplorerError: The source cannot be loaded, or cannot read the text, or be changed.
    """
    if run.edits and not isinstance(run.source, Model | InMemory | Trained):
        raise ExplorerError(
            t("Only the attention of a pretrained model can be changed: choose one under Model.")
        )
    if isinstance(run.source, Own):
        return run.source.trace
    run.check_is_for_a_model()
    progress(starting(t("Reading the text")), None)
    if isinstance(run.source, Scratch):
        from explorer.sources.scratch import trace_scratch

        return trace_scratch(run)
    if isinstance(run.source, Trained):
        from explorer.sources.trained import trace_trained

        if TASKS[run.source.task].writes:
            from explorer.sources.trained_decoder import decoder_of

            return _read(decoder_of(run, progress), run, progress)
        return trace_trained(run, progress)
    from explorer.sources.loading import load_model

    if isinstance(run.source, Transplanted):
        from explorer.sources.transplanted import trace_transplanted

        return trace_transplanted(load_model(run.source.donor, progress), run)
    if isinstance(run.source, InMemory):
        from explorer.sources.in_memory import as_found

        with as_found(run.source):
            return _read(load_model(run.source, progress), run, progress)
    return _read(load_model(run.source, progress), run, progress)


def _read(loaded: "LoadedModel", run: Run, progress: Progress) -> AttentionTrace:
    """What a run's text or picture is to a loaded model."""
    loaded = loaded.part("text" if run.picture is None else "picture")
    if run.edits and loaded.form != "text":
        from explorer.sources.changing import heads_of

        heads_of(loaded)  # which says that it cannot be changed
    check_languages(loaded.tokenizer, run.languages, loaded.info.name)
    if run.chat and loaded.form != "text":
        from explorer.sources.chats import as_read

        as_read(loaded, run)  # which says that it has no template
    if loaded.form == "pair":
        from explorer.sources.seq2seq import trace_pair

        return trace_pair(loaded, run, progress)
    if loaded.form == "picture":
        from explorer.sources.vision import trace_picture

        return trace_picture(loaded, run)
    from explorer.sources.huggingface import trace_text

    return trace_text(loaded, run)


def known_languages(source: Source) -> tuple[str, ...]:
    """The languages that can be chosen for a model that was just used; none for most."""
    from explorer.sources.loading import loaded_model

    loaded = loaded_model(source)
    return tuple(sorted(languages_of(loaded.tokenizer))) if loaded else ()


def has_template(source: Source) -> bool:
    """Whether a model that was just used says how it reads the turns of a conversation."""
    if not isinstance(source, Hub | Folder):
        return False  # and PyTorch need not be there
    from explorer.sources.loading import loaded_model

    loaded = loaded_model(source)
    return loaded is not None and loaded.template is not None


def absent_model(source: Source) -> Hub | None:
    """The model of the hub that a source needs and this machine does not have yet."""
    model = model_of(source)
    if not isinstance(model, Hub):
        return None
    from explorer.sources.download import is_downloaded

    return None if is_downloaded(model) else model


def warm_up() -> None:
    """Load the embedded model, so that the first Run does not wait for it."""
    from explorer.sources.loading import load_model

    load_model(Embedded(), silent)
