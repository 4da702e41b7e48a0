"""What a worker does, here or anywhere: a task comes, its result goes; the model stays loaded.

Nothing but values goes in and out, so that any engine can carry them. A worker computes with one
thread: that is the quickest where each has a core, and it makes the sums the same everywhere.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from explorer.corpus.texts import Text
from explorer.errors import ExplorerError
from explorer.language import t
from explorer.source import InMemory, Model, parse_source
from explorer.sources.progress import silent
from explorer.visible import visible

if TYPE_CHECKING:
    from explorer.corpus.pairs import Pairs
    from explorer.sources.loading import LoadedModel


@dataclass(frozen=True, slots=True)
class Reads:
    """Which model reads, and how.

    Attributes:
        source: The model's short name, or one that is in memory, which only this process has.
        length: Tokens of a text that are read.
        by: The measure whose largest values are kept with their texts.
        seed: Of the lot by which texts are drawn.
        chat: Whether the texts are conversations.
    """

    source: str | InMemory
    length: int
    by: str
    seed: int
    chat: bool = False


@dataclass(frozen=True, slots=True)
class Census:
    """A shard to be read.

    Attributes:
        shard: Its number.
        texts: Its texts.
        made_of: What is noted in the file of its sums.
    """

    reads: Reads
    shard: int
    texts: tuple[Text, ...]
    made_of: str


@dataclass(frozen=True, slots=True)
class Strongest:
    """Texts whose strongest weights are wanted."""

    reads: Reads
    texts: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Describe:
    """A model to be described; and its chat template too, where it reads conversations."""

    reads: Reads


Task = Census | Strongest | Describe


@dataclass(frozen=True, slots=True)
class Counted:
    """A shard that was read.

    Attributes:
        shard: Its number.
        sums, texts: Its two files.
        n_texts, n_tokens: How many were read.
        n_refused: How many could not be.
        why: Why the first could not.
    """

    shard: int
    sums: bytes
    texts: bytes
    n_texts: int
    n_tokens: int
    n_refused: int
    why: str | None


Result = Any  # of `Census` a `Counted`, of `Strongest` a list of `Pairs`, of `Describe` a dict


def do(task: Task) -> Result:
    """Do a task.

    Raises:
        ExplorerError: The model cannot be loaded, or cannot do it.
    """
    loaded = model_of(task.reads.source)
    with _one_thread():
        if isinstance(task, Census):
            return _count(loaded, task)
        if isinstance(task, Strongest):
            return _strongest(loaded, task)
        return _describe(loaded) | (_template(loaded) if task.reads.chat else {})


def model_of(source: str | InMemory) -> "LoadedModel":
    """The model that reads texts, where it computes fastest.

    Raises:
        ExplorerError: It cannot be loaded, or is none that reads a corpus.
    """
    from explorer.sources.loading import load_model

    named = parse_source(source) if isinstance(source, str) else source
    if not isinstance(named, Model | InMemory):
        raise ExplorerError(
            t(
                "“{spec}” reads no corpus: choose a pretrained model, such as bert, "
                "stories, hf:NAME or path:FOLDER.",
                spec=visible(named.spec),
            )
        )
    return placed(load_model(named, silent).part("text"))


_GPU = "cuda"
_on_device: dict[int, "LoadedModel"] = {}


def placed(loaded: "LoadedModel") -> "LoadedModel":
    """A model where it computes fastest: in half precision on a GPU, if there is one."""
    import torch

    if not torch.cuda.is_available():
        return loaded
    found = _on_device.get(id(loaded.whole))
    if found is None:
        _on_device.clear()
        whole: Any = halved(deepcopy(loaded.whole)).to(_GPU)  # others read with the first one
        network = whole.base_model if loaded.predicts else whole
        found = _on_device[id(loaded.whole)] = replace(loaded, whole=whole, network=network)
    return found


def halved(network: Any) -> Any:
    """A network in half precision, in place; in bfloat16, if it is of that, as it is.

    What a model computes when it is made, such as the frequencies of rotary positions, keeps its
    digits, and so does what the model itself names as needing them.
    """
    import torch

    if next(network.parameters()).dtype != torch.float32:
        return network
    exact = tuple(getattr(network, "_keep_in_fp32_modules", None) or ())
    kept = network.state_dict()
    parts = [*network.named_parameters(), *network.named_buffers()]
    for name, tensor in parts:
        if name in kept and tensor.is_floating_point():
            needs = any(part in name.split(".") for part in exact)
            tensor.data = tensor.data if needs else tensor.data.half()
    return network


@contextmanager
def _one_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _count(loaded: "LoadedModel", task: Census) -> Counted:
    from explorer.corpus.census import census
    from explorer.corpus.shards import as_files

    reads = task.reads
    shard = census(loaded, task.texts, reads.length, reads.by, reads.seed)
    sums, texts = as_files(shard, task.made_of)
    n_tokens = sum(len(read.tokens) for read in shard.read)
    refused = len(task.texts) - len(shard.texts)
    return Counted(task.shard, sums, texts, len(shard.texts), n_tokens, refused, shard.why)


def _strongest(loaded: "LoadedModel", task: Strongest) -> list["Pairs"]:
    from explorer.corpus.pairs import strongest

    return strongest(loaded, task.texts, task.reads.length)


def _describe(loaded: "LoadedModel") -> dict[str, Any]:
    """A model's name, sizes and passport, and what its numbers are."""
    info = loaded.info
    passport = asdict(info.passport) if info.passport else None
    weights = next(loaded.network.parameters())
    return {
        "name": info.name,
        "revision": info.revision,
        "digest": digest_of(loaded),
        "d_model": info.d_model,
        "max_tokens": info.max_tokens,
        "passport": passport,
        "precision": str(weights.dtype).removeprefix("torch."),
        "device": weights.device.type,
    }


def _template(loaded: "LoadedModel") -> dict[str, str]:
    """A name for how a model's makers write turns."""
    check_template(loaded)
    return {"template": blake2b(str(loaded.template).encode(), digest_size=16).hexdigest()}


def check_template(loaded: "LoadedModel") -> None:
    """Refuse a model that does not say how it reads turns.

    Raises:
        ExplorerError: It does not.
    """
    if loaded.template is None:
        raise ExplorerError(
            t(
                "{name} has no chat template: its files do not say how it reads turns. Choose a "
                "model that was trained on conversations, or leave out --chat (on the page “As "
                "conversations”), and texts are read as they are.",
                name=loaded.info.name,
            )
        )


def digest_of(loaded: "LoadedModel", precision: str | None = None) -> str:
    """A name for all numbers of a model and for its vocabulary.

    Args:
        loaded: The model.
        precision: Of what type its numbers are taken, such as ``float16``; None for their own.
    """
    import torch

    found = blake2b(digest_size=16)
    for name, tensor in sorted(loaded.network.state_dict().items()):
        found.update(name.encode())
        if precision and tensor.is_floating_point():
            tensor = tensor.to(getattr(torch, precision))
        found.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    vocabulary: dict[str, int] = getattr(loaded.tokenizer, "get_vocab", dict)()
    for piece, number in sorted(vocabulary.items(), key=lambda both: (both[1], both[0])):
        found.update(f"{number} {piece}\n".encode("utf-8", "surrogatepass"))
    return found.hexdigest()
