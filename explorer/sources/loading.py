"""Hugging Face models, loaded once, and only if that is safe: safetensors, no code, fair sizes."""

import copy
import json
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
)
from transformers.utils import logging as transformers_logging

from explorer.errors import ExplorerError
from explorer.run import MAX_TOKENS
from explorer.source import Embedded, Folder, Hub
from explorer.sources.catalogue import EMBEDDED_NAME, check_weights, embedded_folder
from explorer.sources.download import hub_folder
from explorer.sources.progress import Progress
from explorer.trace import ModelInfo

transformers_logging.set_verbosity_error()
transformers_logging.disable_progress_bar()

MAX_WEIGHT_BYTES = 4 * 2**30  # of a model's files
MAX_LAYERS, MAX_HEADS, MAX_WIDTH = 48, 64, 8192
KEPT_MODELS = 2


@dataclass(frozen=True)
class LoadedModel:
    """A model ready to read, with its tokenizer.

    Attributes:
        info: Its name and sizes.
        tokenizer: Its tokenizer.
        network: The encoder.
        whole: The encoder with the head on top that its checkpoint has, or the encoder alone.
        predicts: What that head predicts: a masked word, a class, or nothing.
    """

    info: ModelInfo
    tokenizer: Any
    network: torch.nn.Module
    whole: torch.nn.Module
    predicts: Literal["word", "class"] | None = None

    def private(self) -> "LoadedModel":
        """The same weights in modules of their own: hooks on them are felt by nobody else."""
        weights = [*self.whole.parameters(), *self.whole.buffers()]
        whole = copy.deepcopy(self.whole, {id(w): w for w in weights})
        return replace(self, whole=whole, network=whole.base_model if self.predicts else whole)


_loaded: OrderedDict[Embedded | Hub | Folder, LoadedModel] = OrderedDict()
_loading = threading.Lock()


def load_model(source: Embedded | Hub | Folder, progress: Progress) -> LoadedModel:
    """The model of a source, loaded once for all who ask; the last few used stay in memory.

    Raises:
        ExplorerError: The model is not there, is not safe to load, or has no attention to show.
    """
    found = _loaded.get(source)
    if found is None:
        folder, name = _find(source, progress)
        with _loading:
            found = _loaded.get(source)
            if found is None:
                progress(f"Loading {name}", None)
                revision = source.revision if isinstance(source, Hub) else None
                found = _loaded[source] = _load(folder, name, revision)
                while len(_loaded) > KEPT_MODELS:
                    _loaded.popitem(last=False)
    return found


def _find(source: Embedded | Hub | Folder, progress: Progress) -> tuple[Path, str]:
    """The folder that holds a source's files, downloaded first if need be, and its shown name."""
    if isinstance(source, Folder):
        folder = Path(source.path).expanduser()
        if not folder.is_dir():
            raise ExplorerError(f"There is no folder “{source.path}” on this machine.")
        return folder, folder.name
    if isinstance(source, Embedded):
        progress("Checking the embedded model's files", None)
        local = embedded_folder()
        if local is None:
            local = hub_folder(Hub(EMBEDDED_NAME), progress)
            check_weights(local / "model.safetensors")
        return local, EMBEDDED_NAME.rpartition("/")[2]
    return hub_folder(source, progress), source.name


def _load(folder: Path, name: str, revision: str | None) -> LoadedModel:
    _check_files(folder, name)
    config = _load_config(folder, name)
    tokenizer = _load_tokenizer(folder, name)
    whole, predicts = _load_network(folder, name, config)
    info = ModelInfo(
        name=name,
        revision=revision,
        n_layers=config.num_hidden_layers,
        n_heads=config.num_attention_heads,
        d_model=config.hidden_size,
        max_tokens=_max_tokens(config, tokenizer),
        unknown_token=tokenizer.unk_token,
    )
    return LoadedModel(info, tokenizer, whole.base_model if predicts else whole, whole, predicts)


def _check_files(folder: Path, name: str) -> None:
    """Refuse a folder without a configuration or without safe weights of a bearable size."""
    if not (folder / "config.json").is_file():
        raise ExplorerError(f"“{name}” is no model: it has no config.json.")
    shards = [folder / "model.safetensors"]
    index = folder / "model.safetensors.index.json"
    if not shards[0].is_file() and index.is_file():
        # An index may name any file, a pickle or one outside the folder included.
        try:
            names = set(json.loads(index.read_text("utf-8"))["weight_map"].values())
            shards = [folder / str(n) for n in names]
            safe = all(Path(n).name == n and n.endswith(".safetensors") for n in names)
        except (ValueError, KeyError, AttributeError, TypeError):
            safe = False
        if not safe:
            raise ExplorerError(
                f"“{name}” has a damaged or unsafe list of weight files; it was not loaded."
            )
    if not all(s.is_file() for s in shards):
        raise ExplorerError(
            f"“{name}” has no safetensors weights. Older formats can run hidden code when they "
            "are opened, so only safetensors files are loaded: choose a model that has them."
        )
    size = sum(s.stat().st_size for s in shards)
    if size > MAX_WEIGHT_BYTES:
        raise ExplorerError(
            f"“{name}” has {size / 2**30:.1f} GB of weights; "
            f"at most {MAX_WEIGHT_BYTES / 2**30:.0f} GB can be loaded here."
        )


def _load_config(folder: Path, name: str) -> Any:
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:
        raise ExplorerError(
            f"“{name}” is of a kind that Transformers does not know, or its config.json is damaged."
        ) from error
    if getattr(config, "is_encoder_decoder", False):
        raise ExplorerError(
            f"“{name}” is an encoder-decoder. Choose an encoder such as bert-base-uncased."
        )
    limits = {
        "num_hidden_layers": MAX_LAYERS,
        "num_attention_heads": MAX_HEADS,
        "hidden_size": MAX_WIDTH,
    }
    for key, limit in limits.items():
        value = getattr(config, key, None)
        if type(value) is not int or value < 1:
            raise ExplorerError(
                f"“{name}” does not say its {key}: it is no encoder of text with attention."
            )
        if value > limit:
            raise ExplorerError(f"“{name}” has {key} = {value:,}; at most {limit:,} can be shown.")
    return config


def _load_tokenizer(folder: Path, name: str) -> Any:
    # Without a vocabulary file Transformers makes up five words, and every word is unknown.
    known = ("tokenizer.json", "vocab.txt", "vocab.json", "spiece.model", "sentencepiece.bpe.model")
    if not any((folder / file).is_file() for file in known):
        raise ExplorerError(f"“{name}” has no tokenizer files, so it cannot read text.")
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
    except Exception as error:
        raise ExplorerError(f"The tokenizer of “{name}” cannot be loaded.") from error
    if not tokenizer.is_fast:
        raise ExplorerError(
            f"The tokenizer of “{name}” does not tell which characters a token stands for."
        )
    return tokenizer


def _load_network(
    folder: Path, name: str, config: Any
) -> tuple[Any, Literal["word", "class"] | None]:
    """The encoder, with its head for words or classes if the checkpoint has a whole one."""
    kind = (getattr(config, "architectures", None) or [""])[0]
    if kind.endswith(("ForMaskedLM", "ForPreTraining")):
        network, incomplete = _from_folder(AutoModelForMaskedLM, folder, name, config)
        if not incomplete:
            return network, "word"
    elif kind.endswith("ForSequenceClassification"):
        network, incomplete = _from_folder(AutoModelForSequenceClassification, folder, name, config)
        if not incomplete:
            return network, "class"
    network, incomplete = _from_folder(AutoModel, folder, name, config)
    # A pooler is not part of any attention; everything else that is missing would be random.
    missing = [key for key in incomplete if "pooler" not in key]
    if missing:
        raise ExplorerError(
            f"“{name}” lacks {len(missing)} of its weights (such as {missing[0]}): its attention "
            "would be random."
        )
    return network, None


def _from_folder(maker: Any, folder: Path, name: str, config: Any) -> tuple[Any, list[str]]:
    """A network, and the names of the weights that the files lack or have in another shape."""
    try:
        network, loading = maker.from_pretrained(
            folder,
            config=config,
            # The faster kernels never form the weights that we are here to see.
            attn_implementation="eager",
            dtype=torch.float32,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    except Exception as error:
        raise ExplorerError(
            f"The weights of “{name}” cannot be loaded: the files are damaged or do not fit "
            "the model's config.json."
        ) from error
    other = [str(key[0] if isinstance(key, tuple) else key) for key in loading["mismatched_keys"]]
    return network.eval(), [*loading["missing_keys"], *other]


def _max_tokens(config: Any, tokenizer: Any) -> int:
    limits = [MAX_TOKENS, int(min(tokenizer.model_max_length, 1e9))]
    positions = getattr(config, "max_position_embeddings", None)
    if isinstance(positions, int) and positions > 0:
        # RoBERTa and its kin count positions from after the padding token.
        kin = config.model_type in ("roberta", "xlm-roberta", "camembert", "mpnet", "longformer")
        limits.append(positions - (config.pad_token_id + 1 if kin else 0))
    return max(min(limits), 1)
