"""Hugging Face models, loaded once, and only if that is safe: safetensors, no code, fair sizes."""

import copy
import json
import os
import threading
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import torch
from PIL import Image
from transformers import (
    MODEL_FOR_MASKED_LM_MAPPING,
    AutoConfig,
    AutoImageProcessor,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    AutoModelForMaskedLM,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    AutoModelForTextEncoding,
)
from transformers.utils import logging as transformers_logging

from explorer.errors import ExplorerError, own_words
from explorer.language import t
from explorer.limits import MAX_TOKENS, MODELS_MB
from explorer.source import Embedded, Folder, Hub, InMemory, Model, Source, Stories
from explorer.sources.building import check_need, counting_steps
from explorer.sources.catalogue import (
    EMBEDDED_NAME,
    STORIES_FOLDERS,
    STORIES_NAMES,
    check_weights,
    embedded_folder,
)
from explorer.sources.checking import (
    check_config,
    check_files,
    check_layers,
    check_matrices,
    check_sizes,
    check_unread,
    check_wrapped,
)
from explorer.sources.download import doubt, hub_folder
from explorer.sources.families import (
    Family,
    Form,
    family_of,
    look_at_all,
    part_in,
    parts_in,
    set_sight,
    sizes_of,
    why_unseen,
)
from explorer.sources.folders import Stamp, opened, stamp_of
from explorer.sources.hub_cache import discard_damaged
from explorer.sources.passport import passport_of, sample
from explorer.sources.patches import DINOv3Processor, prepare
from explorer.sources.progress import Progress, away, tick
from explorer.sources.staging import staged
from explorer.sources.templates import template_in
from explorer.sources.tokenizer import growth_of, load_tokenizer, own_tokens
from explorer.trace import ModelInfo, Passport

transformers_logging.set_verbosity_error()
transformers_logging.disable_progress_bar()

Predicts = Literal["word", "class", "next"]

# How classes end whose head predicts the next word.
NEXT_WORD = ("ForCausalLM", "LMHeadModel", "BertGenerationDecoder")
_DAMAGED = t(
    "A file of “{name}” on this machine was damaged, and was thrown away. "
    "Press Run to fetch it again."
)


@dataclass(frozen=True)
class LoadedModel:
    """A model ready to read, with its tokenizer.

    Attributes:
        info: Its name and sizes.
        tokenizer: Its tokenizer, or what prepares pictures for it.
        network: The encoder, the decoder, or both.
        whole: The network with the head on top that its checkpoint has, or the network alone.
        predicts: What that head predicts: a masked word, a class, the next word of a text that
            is read forwards; or nothing. An encoder-decoder writes, and has None all the same.
        form: What it reads: a ``text``; a text and what is written of it (``pair``: an
            encoder-decoder); or a ``picture``.
        nbytes: Memory that its numbers take.
        growth: How many times as long a text may become in its tokenizer, at most.
        others: What of the same files reads another form, or why nothing can: a model of texts and
            pictures has a part for each.
        stamp: Of its files when it was loaded from a folder: one that is saved anew is read anew.
        template: How its makers write turns as a text; None where its files do not say it.
        adds_marks: Whether its tokenizer puts its marks round a text; none round one that has them.
        reading: Held while the tokenizer reads.
    """

    info: ModelInfo
    tokenizer: Any
    network: torch.nn.Module
    whole: torch.nn.Module
    predicts: Predicts | None = None
    form: Form = "text"
    nbytes: int = 0
    growth: float = 1.0
    others: Mapping[Form, "LoadedModel | str"] = field(default_factory=dict)
    stamp: Stamp = ()
    template: str | None = None
    adds_marks: bool = True
    reading: threading.Lock = field(default_factory=threading.Lock, compare=False)

    def part(self, form: Form) -> "LoadedModel":
        """What of this model reads a form; the model itself if nothing else does.

        Raises:
            ExplorerError: Its files lack what that part needs.
        """
        found = self.others.get(form, self)
        if isinstance(found, str):
            raise ExplorerError(found)
        return found

    @property
    def by_scores(self) -> bool:
        """Whether its attention is kept as q, k and a score rule."""
        return self.info.passport is not None and self.info.passport.form == "scores"

    def private(self) -> "LoadedModel":
        """The same weights in modules of their own: hooks on them are felt by nobody else."""
        whole = same_weights(self.whole)
        return replace(self, whole=whole, network=whole.base_model if self.predicts else whole)


def same_weights(network: Any) -> Any:
    """A network's weights in modules of their own; tensors and hooks in them are the same ones."""
    shared: dict[int, Any] = {}
    for module in network.modules():
        for name, held in vars(module).items():
            for part in held.values() if isinstance(held, dict) else (held,):
                if isinstance(part, torch.Tensor) or name.endswith("hooks"):
                    shared[id(part)] = part
    return copy.deepcopy(network, shared)


def configs_of(network: Any) -> list[Any]:
    """The configurations of a network and of its parts, each once."""
    found = {id(c): c for m in network.modules() if (c := getattr(m, "config", None)) is not None}
    return list(found.values())


def call_plainly(network: Any) -> None:
    """Let a network return what it has by name, and keep no keys and values for a next call.

    Those are of use to who writes, and asks for them; where a decoder stands alone, or one layer
    serves twice, Transformers makes too little room for them.
    """
    for config in configs_of(network):
        if hasattr(config, "return_dict"):
            config.return_dict = True
        if hasattr(config, "use_cache"):
            config.use_cache = False


_loaded: OrderedDict[Source, LoadedModel] = OrderedDict()
_under_way: dict[tuple[Source, Stamp], "Future[LoadedModel]"] = {}
_loading = threading.Lock()  # one is loaded at a time
_LOOK = 0.25  # seconds between two looks whether anybody still waits
_table = threading.Lock()  # held for a moment: who wants a loaded model must not wait for another


def load_model(source: Model | InMemory, progress: Progress) -> LoadedModel:
    """The model of a source, loaded once for all who ask; the last ones used stay in memory.

    Raises:
        ExplorerError: The model is not there, is not safe to load, or has no attention to show.
    """
    if isinstance(source, InMemory):
        from explorer.sources.in_memory import loaded_from  # which needs this file

        return loaded_from(source)
    stamp = stamp_of(source)
    found = loaded_model(source, stamp)
    if found is not None:
        return found
    folder, name = _find(source, progress)
    with _table:
        loading = _under_way.get((source, stamp))
        if loading is None:
            loading = _under_way[source, stamp] = Future()
            threading.Thread(
                target=_load_beside, args=(source, stamp, folder, name, loading), daemon=True
            ).start()
    # The libraries load a model in one go. In a thread of its own it keeps nobody waiting but those
    # who want it, and they may stop waiting.
    with away():
        while True:
            progress(t("Loading {name}", name=name), None)
            try:
                return loading.result(_LOOK)
            except TimeoutError:
                if loading.done():
                    raise


def _load_beside(
    source: Model,
    stamp: Stamp,
    folder: Path,
    name: str,
    loading: "Future[LoadedModel]",
) -> None:
    try:
        with _loading:
            found = loaded_model(source, stamp)
            if found is None:
                found = replace(_load_source(source, folder, name), stamp=stamp)
                if stamp_of(source) != stamp:
                    raise ExplorerError(
                        t(
                            "The files of “{name}” were changed while they were being loaded. Press"
                            " Run when they are saved.",
                            name=name,
                        )
                    )
                _keep(source, found)
        with _table:
            del _under_way[source, stamp]
        loading.set_result(found)
    except BaseException as error:  # noqa: BLE001  # whoever waits is told, whatever it is
        with _table:
            _under_way.pop((source, stamp), None)
        loading.set_exception(error)


def loaded_model(source: Source, stamp: Stamp | None = None) -> LoadedModel | None:
    """The model of a source, if it is in memory as its files are now.

    Args:
        source: The source.
        stamp: Of its files, if it is known already.
    """
    stamp = stamp_of(source) if stamp is None else stamp
    with _table:
        found = _loaded.get(source)
        if found is None or found.stamp != stamp:
            return None
        _loaded.move_to_end(source)
        return found


def _keep(source: Model, loaded: LoadedModel) -> None:
    for read in (loaded, *loaded.others.values()):
        for part in read.whole.modules() if isinstance(read, LoadedModel) else ():
            if isinstance(part, torch.nn.ModuleList):  # its layers
                for layer in part:
                    layer.register_forward_pre_hook(lambda _module, _inputs: tick())
    with _table:
        _loaded[source] = loaded
        _loaded.move_to_end(source)
        while len(_loaded) > 1 and sum(m.nbytes for m in _loaded.values()) > MODELS_MB * 2**20:
            _loaded.popitem(last=False)


def _find(source: Model, progress: Progress) -> tuple[Path, str]:
    """The folder that holds a source's files, downloaded first if need be, and its shown name."""
    if isinstance(source, Folder):
        folder = source.place()
        if os.path.isfile(folder):
            raise ExplorerError(
                t(
                    "“{path}” is a file. Name the folder that it lies in, which also holds "
                    "the model’s config.json.",
                    path=source.path,
                )
            )
        if not os.path.isdir(folder):  # where Path.is_dir fails on too long a name
            raise ExplorerError(t("There is no folder “{path}” on this machine.", path=source.path))
        return opened(folder, folder.name)
    if isinstance(source, Embedded):
        progress(t("Checking the embedded model's files"), None)
        local = embedded_folder()
        if local is None:
            local = hub_folder(Hub(EMBEDDED_NAME), progress)
            check_weights(local / "model.safetensors")
        return local, EMBEDDED_NAME.rpartition("/")[2]
    if isinstance(source, Stories):
        return STORIES_FOLDERS[source.language], STORIES_NAMES[source.language]
    return hub_folder(source, progress), source.name


def _load_source(source: Model, folder: Path, name: str) -> LoadedModel:
    if isinstance(source, Folder):
        return _load(folder, name, None)  # whoever it belongs to, its files are not ours to remove
    if isinstance(source, Stories):
        from explorer.sources.little_stories import note  # which needs this file

        loaded = _load(folder, name, None)
        return replace(loaded, info=replace(loaded.info, notes=(note(source.language),)))
    # A vocabulary that was cut short can be loaded, and most words are unknown: look before.
    if discard_damaged(folder, weights=False):
        raise ExplorerError(_DAMAGED.format(name=name))
    try:
        return _load(folder, name, source.revision if isinstance(source, Hub) else None)
    except ExplorerError as error:
        if discard_damaged(folder):
            raise ExplorerError(_DAMAGED.format(name=name)) from error
        if isinstance(source, Hub) and doubt(folder):
            raise ExplorerError(
                t(
                    "{error} Or some of its files are not on this machine: press Run to ask"
                    " the hub.",
                    error=error,
                )
            ) from error
        raise


def _load(folder: Path, name: str, revision: str | None) -> LoadedModel:
    held = check_files(folder, name)
    with staged(folder, name) as checked:
        loaded = _load_checked(checked, name, revision, held)
    writes = loaded.form == "text" and loaded.predicts == "next"
    return replace(loaded, template=template_in(folder, name)) if writes else loaded


def _load_checked(folder: Path, name: str, revision: str | None, held: int) -> LoadedModel:
    """A model, from a folder in which everything has been checked."""
    config = _load_config(folder, name)
    look_at_all(config)
    whole, predicts = _load_network(folder, name, config, held)
    call_plainly(whole)
    found: dict[Form, LoadedModel | str] = {}
    for form, part in parts_in(whole).items():
        try:
            found[form] = _load_part(folder, name, revision, form, part, whole, predicts)
        except ExplorerError as error:
            found[form] = str(error)
    loaded = together(found, config, name)
    return replace(loaded, nbytes=sum(p.nbytes for p in whole.parameters()))


def together(found: dict[Form, LoadedModel | str], config: Any, name: str) -> LoadedModel:
    """The parts of a model as one: the first that can be shown, with the others beside it.

    Args:
        found: For what it reads, the part, or why it cannot be shown.
        config: The model's configuration.
        name: Its name.

    Raises:
        ExplorerError: None of its parts can be shown.
    """
    unseen = why_unseen(config, name)
    if unseen is not None:
        found = found | {"picture": unseen}
    first = next((part for part in found.values() if isinstance(part, LoadedModel)), None)
    if first is None:
        raise ExplorerError(str(next(iter(found.values()))))
    return replace(first, others={f: part for f, part in found.items() if part is not first})


def _load_part(
    folder: Path,
    name: str,
    revision: str | None,
    form: Form,
    config: Any,
    whole: Any,
    predicts: Predicts | None,
) -> LoadedModel:
    """What of a model reads texts, or pictures, with what prepares them for it."""
    of_family = family_of(config if form == "picture" else whole.config)
    if config is not whole.config:
        check_sizes(config, name)
        whole, predicts = part_in(whole, config), None
    tokenizer = (_load_processor if form == "picture" else load_tokenizer)(folder, name)
    set_sight(whole, config)
    info = described(name, config, of_family, form, tokenizer, MAX_TOKENS)
    info = replace(info, revision=revision)
    network = whole.base_model if predicts else whole
    grown = growth_of(tokenizer, name)
    loaded = LoadedModel(info, tokenizer, network, whole, predicts, form, growth=grown)
    return replace(loaded, info=replace(info, passport=measured(loaded)))


def described(
    name: str, config: Any, family: Family, form: Form, reader: Any, most: int
) -> ModelInfo:
    """A part of a model in words and sizes, as far as its files say them.

    Args:
        name: The model's name.
        config: The configuration of the part.
        family: What is known of it.
        form: What it reads.
        reader: Its tokenizer, or what prepares pictures for it.
        most: Tokens that are read here at most.
    """
    own = None if form == "picture" else own_tokens(config, reader)
    sizes = {key: n if type(n) is int else 0 for key, n in sizes_of(config).items()}
    return ModelInfo(
        name=name,
        revision=None,
        n_layers=sizes["num_hidden_layers"] or 1,
        n_heads=sizes["num_attention_heads"] or 1,
        d_model=sizes["hidden_size"],
        max_tokens=min(most, own or most),
        unknown_token=getattr(reader, "unk_token", None),
        notes=_notes(config, name, family.note),
        own_tokens=own,
        truncation_side=getattr(reader, "truncation_side", "right"),
    )


def measured(loaded: LoadedModel) -> Passport:
    """How exact a model's numbers are here, measured on a short text or a small picture."""
    tokenizer: Any = loaded.tokenizer
    if loaded.form == "picture":
        noise = torch.randint(256, (64, 64, 3), generator=torch.Generator().manual_seed(0))
        image = Image.fromarray(noise.numpy().astype("uint8"))
        found = prepare(tokenizer, loaded.network, loaded.info.name, image)
        return passport_of(loaded.network, found.inputs, found.n_tokens)
    pair = loaded.form == "pair"
    most = loaded.info.max_tokens
    inputs = sample(loaded.network, tokenizer.all_special_ids, most, pair=pair)
    return passport_of(loaded.network, inputs, inputs["input_ids"].shape[1])


def _notes(config: Any, name: str, of_family: str | None) -> tuple[str, ...]:
    """What a reader should know of a model that does not look as its family is known to."""
    notes = (of_family,) if of_family else ()
    both_ways = type(config) in MODEL_FOR_MASKED_LM_MAPPING
    if both_ways and getattr(config, "is_decoder", False):
        return (
            *notes,
            t(
                "The config.json of {name} says is_decoder: each token looks only at "
                "itself and at those before it, as in a decoder, though its family "
                "reads in both directions.",
                name=name,
            ),
        )
    if not both_ways and getattr(config, "is_causal", True) is False:
        return (
            *notes,
            t(
                "The config.json of {name} says that it is not causal: each token looks"
                " at all others, though its family looks only at those before it.",
                name=name,
            ),
        )
    return notes


def _load_config(folder: Path, name: str) -> Any:
    try:
        with counting_steps(name, t("a configuration")):
            config = AutoConfig.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
    except ExplorerError:
        raise
    except Exception as error:
        raise ExplorerError(
            t(
                "“{name}” is of a kind that Transformers does not know, or its "
                "config.json is damaged.",
                name=name,
            )
        ) from error
    check_config(config, name)
    return config


def _load_processor(folder: Path, name: str) -> Any:
    """What scales and crops pictures as the model was trained with."""
    file = folder / "preprocessor_config.json"
    if not file.is_file():
        raise ExplorerError(
            t(
                "“{name}” has no preprocessor_config.json, so how it wants pictures is "
                "not known. Put that of the model that it was made from into its "
                "folder.",
                name=name,
            )
        )
    try:
        said = json.loads(file.read_text("utf-8"))
        if str(said.get("image_processor_type")).startswith("DINOv3ViT"):
            return DINOv3Processor(**said)
        return AutoImageProcessor.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False, backend="pil"
        )
    except Exception as error:
        raise ExplorerError(
            t(
                "The preprocessor_config.json of “{name}” cannot be used: “{error}”.",
                name=name,
                error=own_words(error),
            )
        ) from error


def _load_network(folder: Path, name: str, config: Any, held: int) -> tuple[Any, Predicts | None]:
    """The network, with its head for words or classes if the checkpoint has a whole one."""
    said = getattr(config, "architectures", None)
    kind = str(said[0]) if isinstance(said, list) and said else ""
    heads: dict[tuple[str, ...], tuple[Any, Predicts | None]] = {
        ("ForMaskedLM", "ForPreTraining"): (AutoModelForMaskedLM, "word"),
        ("ForSequenceClassification",): (AutoModelForSequenceClassification, "class"),
        NEXT_WORD: (AutoModelForCausalLM, "next"),
        ("ForConditionalGeneration", "MTModel", "EncoderDecoderModel"): (
            AutoModelForSeq2SeqLM,
            None,
        ),
        ("VisionEncoderDecoderModel",): (AutoModelForImageTextToText, None),
        ("EncoderModel",): (AutoModelForTextEncoding, None),
    }
    for endings, (maker, predicts) in heads.items():
        if kind.endswith(endings) and _has_class(maker, config):
            if predicts == "next" and not predicts_next(config):
                continue
            network, incomplete = _from_folder(maker, folder, name, config, held)
            if not incomplete:
                return network, predicts
    if not _has_class(AutoModel, config):
        raise ExplorerError(
            t(
                "“{name}” is a “{model_type}” model, of which Transformers has no plain"
                " network that reads a text or a picture. Choose another model.",
                name=name,
                model_type=config.model_type,
            )
        )
    network, incomplete = _from_folder(AutoModel, folder, name, config, held)
    # A pooler is not part of any attention; everything else that is missing would be random.
    missing = [key for key in incomplete if "pooler" not in key]
    encoder_only = all(key.startswith("decoder.") for key in missing)
    if missing and encoder_only and _has_class(AutoModelForTextEncoding, config):
        network, missing = _from_folder(AutoModelForTextEncoding, folder, name, config, held)
    if missing:
        raise ExplorerError(
            t(
                "“{name}” lacks {n} of its weights (such as {missing}): its attention "
                "would be random.",
                name=name,
                n=len(missing),
                missing=missing[0],
            )
        )
    return network, None


def predicts_next(config: Any) -> bool:
    """Whether a head for words that a model of one part has predicts the next one."""
    return not (config.is_encoder_decoder or family_of(config).no_next)


def _has_class(maker: Any, config: Any) -> bool:
    return type(config) in maker._model_mapping


def _check_need(maker: Any, folder: Path, name: str, config: Any, held: int) -> None:
    """Refuse a network that is more than its files can hold, or than fits in memory, or packed."""

    def build() -> torch.nn.Module:
        return maker.from_config(copy.deepcopy(config), trust_remote_code=False)

    check_matrices(folder, check_need(name, build, held).named_parameters(), name)


def _from_folder(
    maker: Any, folder: Path, name: str, config: Any, held: int
) -> tuple[Any, list[str]]:
    """A network, and the names of the weights that the files lack or have in another shape."""
    _check_need(maker, folder, name, config, held)
    try:
        network, loading = maker.from_pretrained(
            folder,
            config=config,
            attn_implementation="eager",  # until it is known that the tap is as exact
            dtype=torch.float32,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    except Exception as error:
        raise ExplorerError(
            t(
                "The weights of “{name}” cannot be loaded: the files are damaged or do "
                "not fit the model's config.json.",
                name=name,
            )
        ) from error
    check_wrapped(loading["unexpected_keys"], loading["missing_keys"], name)
    check_layers(loading["unexpected_keys"], network.state_dict(), name)
    check_unread(loading["unexpected_keys"], dict(network.named_modules()), name)
    other = [str(key[0] if isinstance(key, tuple) else key) for key in loading["mismatched_keys"]]
    return network.eval(), [*loading["missing_keys"], *other]
