"""Models that somebody has in Python already: read as they are, and left as they were found."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

import torch
from transformers import BaseImageProcessor, PreTrainedModel, PreTrainedTokenizerBase

from explorer.errors import ExplorerError
from explorer.language import t
from explorer.source import InMemory
from explorer.sources.checking import check_kind
from explorer.sources.families import (
    Form,
    family_of,
    look_at_all,
    part_in,
    parts_in,
    set_sight,
)
from explorer.sources.loading import (
    NEXT_WORD,
    LoadedModel,
    Predicts,
    call_plainly,
    configs_of,
    described,
    measured,
    predicts_next,
    same_weights,
    together,
)
from explorer.sources.tap import NAME
from explorer.sources.templates import template_of
from explorer.trace import Passport

_ENDLESS = 2**31 - 1  # tokens, of a model that says no limit
_measured: "WeakKeyDictionary[torch.nn.Module, dict[str, Passport]]" = WeakKeyDictionary()
_loaded: "WeakKeyDictionary[InMemory, LoadedModel]" = WeakKeyDictionary()


def loaded_from(source: InMemory) -> LoadedModel:
    """A model in memory, ready to read: its weights in modules of our own.

    Whatever is set on those (evaluation mode, the attention function, hooks) nobody else sees, and
    no weight is copied.

    Raises:
        ExplorerError: It is no model of Transformers, or lacks what reads for it.
    """
    found = _loaded.get(source)
    if found is None:
        found = _loaded[source] = _made(source)
    return found


def _made(source: InMemory) -> LoadedModel:
    model = _model(source.model)
    said = model.config.name_or_path.replace("\\", "/").rstrip("/")
    name = said.rpartition("/")[2] or type(model).__name__
    check_kind(model.config, name)
    whole = same_weights(model).eval()
    call_plainly(whole)
    _look_at_all(whole)
    found: dict[Form, LoadedModel | str] = {}
    for form, config in parts_in(whole).items():
        try:
            reader = (_processor if form == "picture" else _tokenizer)(source, name)
            loaded = _part(whole, config, form, reader, name)
        except ExplorerError as error:
            found[form] = str(error)
        else:
            passport = _passport(model, loaded)
            found[form] = replace(loaded, info=replace(loaded.info, passport=passport))
    return together(found, whole.config, name)


def _part(whole: Any, config: Any, form: Form, reader: Any, name: str) -> LoadedModel:
    """What of a model reads texts, or pictures."""
    of_family = family_of(config if form == "picture" else whole.config)
    predicts = _predicts(whole)
    if config is not whole.config:
        check_kind(config, name)
        whole, predicts = part_in(whole, config), None
    if form != "pair" and predicts is None:
        whole = whole.base_model
    network = whole.base_model if predicts else whole
    for module in (network, network.get_encoder() if form == "pair" else network):
        module.register_forward_pre_hook(_to_its_place, with_kwargs=True)
    set_sight(whole, config)
    info = described(name, config, of_family, form, reader, _ENDLESS)
    chat = template_of(reader) if form == "text" and predicts == "next" else None
    return LoadedModel(info, reader, network, whole, predicts, form, template=chat)


def _look_at_all(whole: Any) -> None:
    """Let a model that was built to look at blocks of tokens look at each.

    What of BigBird and BigBirdPegasus looks at blocks says so itself, from the outside in.
    """
    for config in configs_of(whole):
        look_at_all(config)
    for module in whole.modules():
        if getattr(module, "attention_type", None) == "block_sparse":
            module.set_attention_type("original_full")


def _passport(model: PreTrainedModel, loaded: LoadedModel) -> Passport:
    """How exact the numbers of a model are; measured once for the model as it is."""
    known = _measured.setdefault(model, {})
    kind = f"{loaded.form} {model.dtype} {model.device}"
    if kind not in known:
        known[kind] = measured(loaded)
    elif known[kind].form == "scores":
        loaded.network.set_attn_implementation(NAME)
    elif loaded.network._can_set_attn_implementation():
        loaded.network.set_attn_implementation("eager")
    return known[kind]


def _to_its_place(
    network: PreTrainedModel, given: tuple[Any, ...], named: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Inputs on the device of a model's weights, and in their precision."""

    def placed(value: Any) -> Any:
        if not isinstance(value, torch.Tensor):
            return value
        return value.to(network.device, network.dtype if value.is_floating_point() else None)

    return tuple(map(placed, given)), {name: placed(value) for name, value in named.items()}


def _model(given: Any) -> PreTrainedModel:
    """The model itself, out of what was wrapped round it.

    Raises:
        ExplorerError: It is none of Transformers, or its weights are not there.
    """
    model = getattr(given, "_orig_mod", given)  # torch.compile
    if isinstance(model, torch.nn.DataParallel | torch.nn.parallel.DistributedDataParallel):
        model = model.module
    if not isinstance(model, PreTrainedModel) and hasattr(model, "get_base_model"):
        model = model.get_base_model()  # an adapter of PEFT, which stays in it
    if not isinstance(model, PreTrainedModel):
        raise ExplorerError(_no_model(model))
    if any(p.device.type == "meta" for p in model.parameters()):
        raise ExplorerError(
            t(
                "Some weights of this model are on the device “meta”: there are no "
                "numbers in them. Load it whole, without device_map or from an empty "
                "configuration."
            )
        )
    return model


def _no_model(given: Any) -> str:
    kind = type(given).__name__
    if isinstance(given, str):
        return t(
            "model= is the text “{given}”; it must be a model in memory. A model of"
            " the hub is source=“hf:NAME”, one in a folder source=“path:FOLDER”.",
            given=given[:80],
        )
    hint = ""
    if hasattr(given, "model") and hasattr(given, "tokenizer"):
        hint = t(" If this is a pipeline, give model=pipe.model and tokenizer=pipe.tokenizer.")
    elif isinstance(given, torch.nn.Sequential):
        hint = t(
            " Of a SentenceTransformer give model=model[0].auto_model, tokenizer=model.tokenizer."
        )
    return t(
        "model= is of the type {kind}; it must be a model of Transformers, such"
        " as AutoModel.from_pretrained(…) returns.{hint} For the attention of "
        "any other give its weights to explorer.show(weights, tokens).",
        kind=kind,
        hint=hint,
    )


def _tokenizer_of(source: InMemory) -> Any:
    """What a source has as its tokenizer, out of what may have been wrapped round it."""
    given: Any = source.tokenizer
    if given is None:  # what prepares texts and pictures has a tokenizer among others
        return getattr(source.processor, "tokenizer", None)
    if not isinstance(given, PreTrainedTokenizerBase):
        return getattr(given, "tokenizer", given)
    return given


def _tokenizer(source: InMemory, name: str) -> PreTrainedTokenizerBase:
    given = _tokenizer_of(source)
    if isinstance(given, PreTrainedTokenizerBase):
        return given
    if given is None:
        raise ExplorerError(
            t(
                "{name} reads text, and there is no tokenizer: give tokenizer= beside "
                "model=, such as AutoTokenizer.from_pretrained(…) returns.",
                name=name,
            )
        )
    raise ExplorerError(
        t(
            "tokenizer= is of the type {name}; it must be a tokenizer of "
            "Transformers. One of the package tokenizers becomes one by "
            "PreTrainedTokenizerFast(tokenizer_object=tokenizer).",
            name=type(given).__name__,
        )
    )


def _processor(source: InMemory, name: str) -> BaseImageProcessor:
    given: Any = source.tokenizer if source.processor is None else source.processor
    given = getattr(given, "image_processor", given)
    if isinstance(given, BaseImageProcessor):
        return given
    raise ExplorerError(
        t(
            "{name} looks at pictures: give picture= and, beside model=, "
            "processor=, such as AutoImageProcessor.from_pretrained(…) returns.",
            name=name,
        )
    )


def _predicts(model: PreTrainedModel) -> Predicts | None:
    """What the head of a model predicts, as far as a target can be made of it."""
    kind = type(model).__name__
    if kind.endswith(("ForMaskedLM", "ForPreTraining")):
        return "word"
    if kind.endswith(NEXT_WORD) and predicts_next(model.config):
        return "next"
    return "class" if kind.endswith("ForSequenceClassification") else None


@contextmanager
def as_found(source: InMemory) -> Iterator[None]:
    """Leave a fast tokenizer as it was, and torch's random numbers.

    Such a tokenizer notes in itself how it was last asked to cut and pad; and some models draw
    random numbers while they are changed, or while they read.
    """
    where = getattr(source.model, "device", None)
    devices = [where] if isinstance(where, torch.device) and where.type == "cuda" else []
    backend = getattr(_tokenizer_of(source), "backend_tokenizer", None)
    if backend is None or not hasattr(backend, "enable_truncation"):
        with torch.random.fork_rng(devices):
            yield
        return
    cut, pad = backend.truncation, backend.padding
    try:
        with torch.random.fork_rng(devices):
            yield
    finally:
        backend.enable_truncation(**cut) if cut else backend.no_truncation()
        backend.enable_padding(**pad) if pad else backend.no_padding()
