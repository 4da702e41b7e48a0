"""Run -> Stream: what every layer of a decoder reads, adds and hands on, found by hooks.

Families build their layers in many ways: with norms before a part or behind it, parts one after
the other or side by side, a factor here and there. None of that is looked up. A layer's output is
fitted as a sum of what its parts gave out, and is taken for that sum only where it is it, to the
last digits; a norm and the way from the stream to the logits are found likewise. What does not fit
is refused with the reason.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, TypeGuard

import numpy as np
import torch
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.language import t
from explorer.prediction import Logits
from explorer.residual import AtPosition, Doubles, Norm, Part
from explorer.run import Run
from explorer.sources.forward import check_room, failing
from explorer.sources.loading import LoadedModel
from explorer.sources.memory import take
from explorer.sources.predicting import (
    Before,
    as_found,
    check_logits,
    finite,
    keeps_some,
    predicting_model,
)
from explorer.sources.progress import Progress, silent, tick
from explorer.sources.tap import Tap
from explorer.sources.written import text_of

_FIT = 2e-5  # of the largest number: float32 sums, in another order
_CLOSE = 1e-4  # of the largest logit
_ROWS = 16  # positions that a fit is made on; it is then held against all
_KEPT = 64  # positions whose logits are kept
_PER_LAYER = 16  # vectors of each token that are kept of a layer, about


@dataclass(frozen=True, eq=False)
class _Piece:
    """Something that a stage adds: a module's output, times a factor.

    Attributes:
        name: The module's name inside the stage.
        source: The module whose work it is: the same, or what a norm behind it has read.
        factor: What it is multiplied with.
        output: What the source gave out, ``[token, d]``.
        norm: The norm behind the source; None if there is none.
    """

    name: str
    source: str
    factor: float
    output: Tensor
    norm: Norm | None


@dataclass(frozen=True, eq=False)
class _Stage:
    """A piece of a decoder that adds to the stream: a layer, or in a T5 a part of one.

    Attributes:
        layer: The number of the layer.
        kept: What the stream is multiplied with as it goes on: 1 nearly everywhere.
        pieces: What is added.
        heads: The map behind the heads and what it read; None where heads cannot be told apart.
    """

    layer: int
    kept: float
    pieces: list[_Piece]
    heads: "dict[str, _Heads]" = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class _Heads:
    """The map behind a layer's heads: its weight ``[d, heads · d_v]``, bias, and what it read."""

    weight: Tensor
    bias: Tensor | None
    inputs: Tensor
    n_heads: int


class Stream:
    """A text before a decoder, with all that its layers add to the stream.

    Attributes:
        numbers: The model's own numbers of the layers.
        n_tokens: Tokens.
        tokens: The tokens of the text.
        last: The position after which the text goes on.
    """

    def __init__(self, run: Run, progress: Progress = silent) -> None:
        run.check_is_unchanged()
        loaded = predicting_model(run, progress).private()
        self._loaded = loaded
        with as_found(run):
            text = Before(loaded, run, progress)
        self.tokens, self.last, self._ids = text.tokens, text.last, text.ids
        self.n_tokens = len(text.ids)
        progress(t("Reading the text"), None)
        check_room(loaded, self.n_tokens, None)
        self._inputs = text.inputs
        self._recorded = recorded = _record(loaded, text.inputs)
        self.numbers = tuple(range(len(recorded.layers)))
        self._tail = _Tail(loaded, recorded, text.inputs)
        self._added: list[_Stage] | None = None
        self._before: list[tuple[Part, Tensor]] = []

    def layer_logits(self, positions: Sequence[int]) -> Logits:
        """Logits as if the model ended after each layer, ``[layer, position, vocabulary]``.

        The first are of what stands before the layers, the last the model's own.
        """
        tick()
        places = list(positions)
        layers = [x[places] for x in self._recorded.streams[:-1]]
        found = self._tail.logits(torch.cat(layers)).reshape(len(layers), len(places), -1)
        logits: Logits = np.concatenate([found, self._tail.own(places)[None]])
        return logits

    # — who wrote a word —

    def at(self, at: int | None, tokens: Sequence[int]) -> AtPosition:
        """All that was added to the stream at a position, with the way to some tokens' logits.

        Raises:
            ExplorerError: The model's layers do not add to the stream, or its way from there to
                the logits is another.
        """
        at = self.position(at)
        parts, vectors = self.parts(at)
        read = self._tail.linear(list(tokens))
        own = self._tail.own([at])[0]
        logits = own[list(tokens)].astype(np.float64)
        raw = self._tail.raw(at)[list(tokens)] * read.factor
        return AtPosition(
            at,
            tuple(parts),
            np.stack(vectors),
            _doubles(self._recorded.streams[-1][at]),
            read.norm,
            tuple(tokens),
            read.directions,
            read.biases,
            raw,
            logits,
        )

    def parts(self, at: int, before: int | None = None) -> tuple[list[Part], list[Doubles]]:
        """What each part has added at a position, in the order of the model.

        Args:
            at: The position.
            before: The layer before which it is asked; None for all layers.

        Raises:
            ExplorerError: The model's layers do not add to the stream.
        """
        if self._added is None:
            self._added = [_fitted(stage, self._loaded) for stage in self._recorded.stages]
            self._before = _embeddings(self._recorded)
            self._recorded.stages.clear()  # with all that their modules gave out
        parts: list[Part] = []
        vectors: list[Doubles] = []
        for part, added in self._before:
            parts.append(part)
            vectors.append(_doubles(added[at]))
        for stage in self._added:
            if before is not None and stage.layer >= before:
                break
            vectors = [v * stage.kept for v in vectors] if stage.kept != 1 else vectors
            for piece in stage.pieces:
                for part, vector in _parts_of(stage, piece, at):
                    if part in parts:  # a layer may have two MLPs side by side
                        vectors[parts.index(part)] += vector
                        continue
                    parts.append(part)
                    vectors.append(vector)
        return parts, vectors

    def before(self, layer: int, at: int) -> Tensor:
        """The stream before a layer at a position, ``[d]``."""
        return self._recorded.streams[layer][at]

    def layer(self, number: int) -> torch.nn.Module:
        """The module of a layer."""
        return self._recorded.layers[number]

    @property
    def loaded(self) -> LoadedModel:
        """The model, in modules of its own."""
        return self._loaded

    @property
    def inputs(self) -> dict[str, Any]:
        """What the model is called with."""
        return self._inputs

    def position(self, at: int | None) -> int:
        """The position that is meant; the end of the text where none is named."""
        n = self.n_tokens
        if at is not None and not -n <= at < n:
            raise ExplorerError(
                t(
                    "There is no token {at}: this text has the tokens 0 to {value}.",
                    at=at,
                    value=n - 1,
                )
            )
        return self.last if at is None else at % n

    def text(self, at: int, token: int) -> str:
        """What a token writes behind a position, as it can be seen."""
        return text_of(self._loaded.tokenizer, self._ids[: at + 1], token)


def _parts_of(stage: _Stage, piece: _Piece, at: int) -> Iterator[tuple[Part, Doubles]]:
    """What a piece adds at a position, head by head where it is made of heads."""
    heads = stage.heads.get(piece.source)

    def through(vectors: Doubles) -> Doubles:
        return piece.factor * (vectors if piece.norm is None else piece.norm.of(vectors, at))

    shift = np.zeros(piece.output.shape[-1]) if piece.norm is None else piece.norm.shift
    if heads is None:
        kind = _kind(piece.source)
        yield Part(kind, stage.layer), through(_doubles(piece.output[at])) + piece.factor * shift
        return
    wide = _doubles(heads.inputs[at]).reshape(heads.n_heads, -1)
    weight = _doubles(heads.weight).reshape(len(heads.weight), heads.n_heads, -1)
    for head, vector in enumerate(through(np.einsum("hv,dhv->hd", wide, weight))):
        yield Part("head", stage.layer, head), vector
    bias = np.zeros(len(shift)) if heads.bias is None else _doubles(heads.bias)
    rest = through(bias) + piece.factor * shift
    if rest.any():
        yield Part("bias", stage.layer), rest


def _kind(name: str) -> Any:
    lowered = name.lower()
    if "attn" in lowered or "attention" in lowered:
        return "attention"
    mlp = ("mlp", "ffn", "ff", "feed", "fc", "moe", "dense", "expert")
    return "mlp" if any(word in lowered for word in mlp) else "other"


def _doubles(tensor: Tensor) -> Doubles:
    found: Doubles = tensor.detach().double().cpu().numpy()
    return found


# --- what the model does, recorded --------------------------------------------------------------


@dataclass(eq=False)
class _RecordedStage:
    """One stage as it ran: the stream before and behind it, and what its modules gave out."""

    module: torch.nn.Module
    layer: int
    before: Tensor
    after: Tensor
    inputs: dict[str, Tensor] = field(default_factory=dict)
    outputs: dict[str, Tensor] = field(default_factory=dict)


@dataclass(eq=False)
class _Recorded:
    """A decoder as it ran.

    Attributes:
        layers: The list of its layers.
        home: The module that holds the list, and the name by which it does.
        streams: The stream before the first layer and behind each, ``[token, d]``.
        stages: What adds to the stream.
        embedded: What tables of embeddings gave out before the layers, by name, ``[token, d]``.
        entry: The first module that reads the stream behind the last layer, what it read, and
            what it gave out.
        head: The table of words, and what it read, ``[token, d]``, of the last tokens alone.
        logits: What the model gave out for the last token.
    """

    layers: torch.nn.ModuleList
    home: tuple[torch.nn.Module, str]
    streams: list[Tensor]
    stages: list[_RecordedStage]
    embedded: dict[str, Tensor]
    entry: torch.nn.Module
    entered: Tensor
    left: Tensor
    head: torch.nn.Module
    read: Tensor | None
    logits: Any


def _record(loaded: LoadedModel, inputs: dict[str, Any]) -> _Recorded:
    """Run a decoder and note what its layers and their parts read and gave out.

    Raises:
        ExplorerError: It has no layers that hand one stream on.
    """
    whole: Any = loaded.whole
    decoder: Any = whole.get_decoder() if loaded.form == "pair" else loaded.network
    width = whole.config.get_text_config(decoder=True).hidden_size
    _check_memory(loaded, inputs, width)
    recorder = _Recorder(width, whole.get_output_embeddings())
    hooks = [
        hook
        for name, module in whole.named_modules()
        if module is not whole
        for hook in recorder.hooks(name, module)
    ]
    options = {"logits_to_keep": 1} if keeps_some(whole) else {}
    try:
        with torch.inference_mode(), failing(loaded.info.name), Tap(keep=False).open():
            out = whole(**inputs, **options, use_cache=False)
    finally:
        for hook in hooks:
            hook.remove()
    return _arranged(loaded, decoder, recorder, finite(out.logits[0, -1:])[0])


def _check_memory(loaded: LoadedModel, inputs: dict[str, Any], width: int) -> None:
    n = inputs["decoder_input_ids" if loaded.form == "pair" else "input_ids"].shape[1]
    what = t("The stream of {n} tokens through all layers", n=f"{n:,}")
    take(
        _PER_LAYER * 4 * n * width * loaded.info.n_layers,
        what,
        t("Choose a shorter text or a smaller model."),
    )


class _Recorder:
    """What modules read and gave out, as far as it is as wide as the stream.

    Copies of it: some models add in place to what a part gave out (Falcon).
    """

    def __init__(self, width: int, head: torch.nn.Module | None) -> None:
        self._width, self._head = width, head
        self.order: list[torch.nn.Module] = []
        self.read: dict[int, Tensor] = {}
        self.gave: dict[int, Tensor] = {}

    def hooks(self, name: str, module: torch.nn.Module) -> list[Any]:
        """Hooks on a module that note what it reads and gives out."""
        maps_heads = _kind(name) == "attention" and linear_of(module) is not None

        def before(_module: Any, given: tuple[Any, ...], named: dict[str, Any]) -> None:
            found = next((x for x in (*given, *named.values()) if _is_stream(x)), None)
            if found is not None and (maps_heads or found.shape[-1] == self._width):
                self.read[id(module)] = found.clone()

        def behind(_module: Any, _given: Any, out: Any) -> None:
            self.order.append(module)
            found = out if isinstance(out, Tensor) else next(filter(_is_stream, _flat(out)), None)
            if _is_stream(found) and found.shape[-1] == self._width and module is not self._head:
                self.gave[id(module)] = found.clone()

        return [
            module.register_forward_pre_hook(before, with_kwargs=True),
            module.register_forward_hook(behind),
        ]


def _flat(out: Any) -> Sequence[Any]:
    if isinstance(out, tuple | list):
        return out
    return list(out.values()) if hasattr(out, "values") else []


def _is_stream(x: Any) -> TypeGuard[Tensor]:
    return isinstance(x, Tensor) and x.is_floating_point() and x.dim() in (2, 3)


def _arranged(loaded: LoadedModel, decoder: Any, recorder: _Recorder, logits: Any) -> _Recorded:
    whole: Any = loaded.whole
    read, gave = recorder.read, recorder.gave
    home, layers = _layers_in(decoder, recorder, loaded.info.name)
    streams = [_rows(read[id(layers[0])]), *(_rows(gave[id(m)]) for m in layers)]
    stages = [s for i, layer in enumerate(layers) for s in _stages_in(layer, i, recorder)]
    head = whole.get_output_embeddings()
    entry = _entry(recorder, layers, head, streams[-1])
    inside = {id(m) for layer in layers for m in layer.modules()}
    embedded = {
        name: _rows(gave[id(m)])
        for name, m in decoder.named_modules()
        if id(m) in gave and id(m) not in inside and _is_table(m)
    }
    n = len(streams[0])
    embedded = {name: x.expand(n, -1) for name, x in embedded.items() if len(x) in (1, n)}
    left = gave.get(id(entry), read[id(entry)])
    return _Recorded(
        *(layers, home, streams, stages, embedded, entry, _rows(read[id(entry)])),
        *(_rows(left), head, _rows(read[id(head)]) if id(head) in read else None, logits),
    )


def _is_table(module: torch.nn.Module) -> bool:
    return "Embedding" in type(module).__name__ and hasattr(module, "weight")


def _rows(tensor: Tensor) -> Tensor:
    """``[token, d]``: of the one text."""
    return tensor[0] if tensor.dim() == 3 else tensor


def _layers_in(
    decoder: Any, recorder: _Recorder, name: str
) -> tuple[tuple[torch.nn.Module, str], torch.nn.ModuleList]:
    """The list of layers that hand one stream on, each what it gave out to the next."""
    for owner in decoder.modules():
        for key, module in owner.named_children():
            if isinstance(module, torch.nn.ModuleList) and _is_chain(module, recorder):
                return (owner, key), module
    raise ExplorerError(
        t(
            "The layers of {name} do not hand one stream of vectors on from each to"
            " the next, so it cannot be read layer by layer. Choose another "
            "decoder, such as openai-community/gpt2.",
            name=name,
        )
    )


def _is_chain(modules: torch.nn.ModuleList, recorder: _Recorder) -> bool:
    """Whether each of some modules has read what the one before it gave out."""
    read, gave = recorder.read, recorder.gave
    if not len(modules) or any(id(m) not in read or id(m) not in gave for m in modules):
        return False
    if any(read[id(m)].shape != gave[id(m)].shape for m in modules):
        return False
    return all(torch.equal(gave[id(a)], read[id(b)]) for a, b in pairwise(modules))


def _stages_in(layer: Any, number: int, recorder: _Recorder) -> Iterator[_RecordedStage]:
    """What of a layer adds to the stream: itself, or the parts that a T5's layer has in a list."""
    for module in layer.children():
        if isinstance(module, torch.nn.ModuleList) and _is_chain(module, recorder):
            for part in module:
                yield _stage(part, number, recorder)
            return
    yield _stage(layer, number, recorder)


def _stage(module: Any, number: int, recorder: _Recorder) -> _RecordedStage:
    before, after = _rows(recorder.read[id(module)]), _rows(recorder.gave[id(module)])
    stage = _RecordedStage(module, number, before, after)
    names = {id(part): name for name, part in module.named_modules() if name}
    ran = Counter(part for part in recorder.order if id(part) in names)
    for part in (part for part, times in ran.items() if times == 1):  # as they ran
        name, gave, read = names.get(id(part)), recorder.gave.get(id(part)), recorder.read
        if name and gave is not None and gave.numel() == before.numel():
            stage.outputs[name] = gave.reshape(before.shape)
            if id(part) in read:
                stage.inputs[name] = read[id(part)].reshape(len(before), -1)
    return stage


def _entry(
    recorder: _Recorder, layers: Any, head: torch.nn.Module, stream: Tensor
) -> torch.nn.Module:
    """The first module that read the stream behind the last layer: the last norm, or the table."""
    last = max(i for i, module in enumerate(recorder.order) if module is layers[-1])
    for module in recorder.order[last + 1 :]:
        read = recorder.read.get(id(module))
        if read is not None and _rows(read).shape == stream.shape and _same(_rows(read), stream):
            return module
    return head  # with some of its positions alone


@dataclass(frozen=True, eq=False)
class TakenApart:
    """A layer as it ran, by what its attention added to the stream.

    Attributes:
        module: The layer.
        before: What it read, ``[token, d]``.
        kept: What that is multiplied with as the stream goes on: 1 nearly everywhere.
        factor: What attention adds is multiplied with this.
        gave: What the map behind the heads gave out, ``[token, d]``.
        norm: The norm between that and the sum; None if there is none.
        weight: The map behind the heads, ``[d, heads · d_v]``.
        read: What that map read: what the heads gave out, side by side, ``[token, heads · d_v]``.
    """

    module: torch.nn.Module
    before: Tensor
    kept: float
    factor: float
    gave: Tensor
    norm: Norm | None
    weight: Tensor
    read: Tensor


def take_apart(loaded: LoadedModel, run: Any) -> list[TakenApart]:
    """The layers of a network as they run, each by what its attention adds to the stream.

    Args:
        loaded: The model.
        run: Called to run its network.

    Raises:
        ExplorerError: Its layers do not hand one stream on, or do not add to it; or the heads of
            one cannot be told apart.
    """
    network: Any = loaded.network
    recorder = _Recorder(loaded.info.d_model, None)
    hooks = [hook for name, m in network.named_modules() for hook in recorder.hooks(name, m)]
    try:
        run()
    finally:
        for hook in hooks:
            hook.remove()
    _, layers = _layers_in(network, recorder, loaded.info.name)
    return [_taken(_stage(layer, i, recorder), loaded) for i, layer in enumerate(layers)]


def _taken(recorded: _RecordedStage, loaded: LoadedModel) -> TakenApart:
    stage = _fitted(recorded, loaded)
    found = [(p, stage.heads[p.source]) for p in stage.pieces if p.source in stage.heads]
    if len(found) != 1:
        raise ExplorerError(
            t(
                "The heads of layer {layer} of {name} cannot be told apart in what they add.",
                layer=stage.layer,
                name=loaded.info.name,
            )
        )
    ((piece, heads),) = found
    return TakenApart(
        *(recorded.module, recorded.before, stage.kept, piece.factor),
        *(piece.output, piece.norm, heads.weight, heads.inputs),
    )


# --- from what ran to what was added ------------------------------------------------------------


def _fitted(stage: _RecordedStage, loaded: LoadedModel) -> _Stage:
    """A stage's output as a sum of what its modules gave out.

    Raises:
        ExplorerError: It is none.
    """
    shallow = {n: y for n, y in stage.outputs.items() if "." not in n}
    maps = {n: y for n, y in stage.outputs.items() if _gives_anew(stage.module.get_submodule(n))}
    for some in (shallow, maps):
        found = _sum_of(stage, some)
        if found is not None:
            kept, factors = found
            pieces = [_piece(stage, name, factor) for name, factor in factors.items()]
            heads = {p.source: h for p in pieces if (h := _heads(stage, p.source, loaded))}
            heads = heads if len(heads) == 1 else {}  # two would have the same names
            return _Stage(stage.layer, kept, pieces, heads)
    raise ExplorerError(
        t(
            "Layer {layer} of {name} does not add to what it reads: it has a norm "
            "over both, or another build. So what each part wrote towards a word "
            "cannot be told apart. GPT-2, Llama, Qwen, Gemma and their like can.",
            layer=stage.layer,
            name=loaded.info.name,
        )
    )


def _sum_of(
    stage: _RecordedStage, outputs: dict[str, Tensor]
) -> tuple[float, dict[str, float]] | None:
    """What the stream, and each of some outputs, is multiplied with in a sum; None if none fits."""
    names = _distinct({n: y for n, y in outputs.items() if not _same(y, stage.after)})
    columns = [stage.before, *(outputs[name] for name in names)]
    some = slice(None, _ROWS)
    a = torch.stack([x[some].reshape(-1) for x in columns], dim=1).double()
    b = stage.after[some].reshape(-1).double()
    factors = torch.linalg.lstsq(a, b[:, None], driver="gelsd").solution[:, 0]
    used = factors.abs() > 1e-3
    used[0] = True
    if not used.all():  # again, with what takes part alone
        again = torch.linalg.lstsq(a[:, used], b[:, None], driver="gelsd").solution[:, 0]
        factors = torch.zeros_like(factors).masked_scatter(used, again)
    factors = torch.where((factors - 1).abs() < 1e-3, 1.0, factors)
    if stage.before.any() and factors[0].abs() < 1e-3:
        return None  # something has taken the stream's place
    made = sum(float(f) * x.double() for f, x in zip(factors, columns, strict=True) if f)
    off = (made - stage.after).abs().max()
    if not off <= _FIT * stage.after.abs().max():
        return None
    kept, *rest = factors.tolist()
    return kept, {name: f for name, f in zip(names, rest, strict=True) if f}


def _gives_anew(module: torch.nn.Module) -> bool:
    """Whether what a module gives out holds nothing of the stream that it may have been given."""
    return linear_of(module) is not None or _may_be_norm(module)


def _distinct(outputs: dict[str, Tensor]) -> list[str]:
    """The names of outputs that are no copies of one before, as dropout's are."""
    kept: list[str] = []
    for name, output in outputs.items():
        if not any(_same(outputs[one], output) for one in kept):
            kept.append(name)
    return kept


def _piece(stage: _RecordedStage, name: str, factor: float) -> _Piece:
    """What a module adds; where it is a norm, what the module before it has worked out."""
    output = stage.outputs[name]
    read = stage.inputs.get(name)
    module = stage.module.get_submodule(name)
    if read is not None and read.shape == output.shape and _may_be_norm(module):
        norm = fitted_norm(module, read, output)
        source = next((n for n, y in stage.outputs.items() if y is read or _same(y, read)), None)
        if norm is not None and source is not None:
            return _Piece(name, source, factor, read, norm)
    return _Piece(name, name, factor, output, None)


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.equal(one, other)


def _may_be_norm(module: torch.nn.Module) -> bool:
    return "norm" in type(module).__name__.lower()


def fitted_norm(module: Any, read: Tensor, gave: Tensor) -> Norm | None:
    """A norm with what it divides by kept as it is; None if it is no LayerNorm or RMSNorm.

    Whether it takes the mean off, and whether its gain is its weight or 1 more (Gemma), is tried.
    """
    x = _doubles(read)
    d = x.shape[-1]
    weight = getattr(module, "weight", None)
    bias = getattr(module, "bias", None)
    own = np.ones(d) if weight is None else _doubles(weight)
    shift = np.zeros(d) if bias is None else _doubles(bias)
    want = _doubles(gave)
    best, found = _FIT * max(float(np.abs(want).max()), 1e-30), None
    for centred in (False, True):
        from_mean = x - x.mean(-1, keepdims=True) if centred else x
        for eps in _eps_of(module):
            scale = np.sqrt((from_mean**2).mean(-1) + eps)
            for gain in (own, own + 1):
                off = np.abs(from_mean / scale[:, None] * gain + shift - want).max()
                if off <= best:
                    best, found = off, Norm(gain, shift, centred, scale)
    return found


def _eps_of(module: Any) -> list[float]:
    """What a norm may add to the variance: what it says, else what is usual."""
    said = [getattr(module, name, None) for name in ("eps", "variance_epsilon", "epsilon")]
    found = [float(e) for e in said if isinstance(e, float | int)]
    return found or [1e-5, 1e-6, 1e-8, 1e-12, 0.0]


def _heads(stage: _RecordedStage, source: str, loaded: LoadedModel) -> _Heads | None:
    """The map behind the heads of an attention module: the linear map that gave its output."""
    if _kind(source) != "attention":
        return None
    whole = stage.outputs[source]
    n_heads = loaded.info.n_heads
    for name, output in stage.outputs.items():
        inside = name == source or name.startswith(f"{source}.")
        if not inside or output.shape != whole.shape or not _same(output, whole):
            continue
        module: Any = stage.module.get_submodule(name)
        read = stage.inputs.get(name)
        found = linear_of(module)
        if found is None or read is None or read.shape[-1] % n_heads:
            continue
        return _Heads(*found, read, n_heads)
    return None


def linear_of(module: Any) -> tuple[Tensor, Tensor | None] | None:
    """The weight ``[out, in]`` and bias of a linear map; None for anything else."""
    weight = getattr(module, "weight", None)
    if type(module).__name__ == "Conv1D":  # GPT-2's
        return module.weight.T, module.bias
    if isinstance(module, torch.nn.Linear) and weight is not None:
        return weight, module.bias
    return None


def _embeddings(recorded: _Recorded) -> list[tuple[Part, Tensor]]:
    """What stands in the stream before the first layer, by what it comes of."""
    stream = recorded.streams[0]
    stage = _RecordedStage(torch.nn.Identity(), -1, torch.zeros_like(stream), stream)
    if any(_same(x, stream) for x in recorded.embedded.values()):
        return [(Part("token"), stream)]
    found = _sum_of(stage, recorded.embedded) if recorded.embedded else None
    if found is None:
        return [(Part("embedding"), stream)]
    kinds: list[tuple[Part, Tensor]] = []
    for name, factor in found[1].items():
        positional = "pos" in name.lower() or name.endswith("wpe")
        kind: Any = "position" if positional else "token"
        kinds.append((Part(kind), factor * recorded.embedded[name]))
    return kinds


# --- from the stream to the logits --------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Linear:
    """The way from the stream to some tokens' logits, with the norm kept as it is."""

    norm: Norm | None
    directions: Doubles
    biases: Doubles
    factor: float


class _Tail:
    """What a decoder does behind its last layer: the norm, the table of words, what follows.

    The model itself does it: with its layers left out, and with the stream that is asked about in
    the place of what would come out of them.
    """

    def __init__(self, loaded: LoadedModel, recorded: _Recorded, inputs: dict[str, Any]) -> None:
        self._loaded, self._recorded = loaded, recorded
        self._pair = loaded.form == "pair"
        self._inputs = inputs
        self._kept: dict[int, tuple[Any, Any]] = {}
        own = self.own([len(recorded.streams[-1]) - 1])[0]
        off = np.abs(own - recorded.logits).max()
        if not off <= _CLOSE * np.abs(recorded.logits).max():
            raise ExplorerError(
                t(
                    "What {name} predicts is not made of the stream behind its last layer "
                    "alone, so it cannot be read layer by layer. Choose another decoder, "
                    "such as openai-community/gpt2.",
                    name=loaded.info.name,
                )
            )

    def logits(self, rows: Tensor) -> Any:
        """The logits of vectors as if they stood behind the last layer, ``[row, vocabulary]``."""
        return finite(self._through(rows)[0])

    def own(self, positions: Sequence[int]) -> Any:
        """The model's own logits at some positions, ``[position, vocabulary]``."""
        missing = [p for p in positions if p not in self._kept]
        if missing:
            rows = self._recorded.streams[-1][missing]
            logits, raw = self._through(rows)
            for p, one, other in zip(missing, finite(logits), finite(raw), strict=True):
                self._kept[p] = (one, other)
        found = np.stack([self._kept[p][0] for p in positions])
        if len(self._kept) > _KEPT:
            self._kept.clear()
        return found

    def raw(self, at: int) -> Doubles:
        """What the table of words gives out at a position, before anything is done to it."""
        self.own([at])
        found: Doubles = self._kept[at][1].astype(np.float64)
        return found

    def _through(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        loaded, recorded = self._loaded, self._recorded
        whole: Any = loaded.whole
        check_logits(loaded, 2 * len(rows))
        raw: list[Tensor] = []
        entry, head = recorded.entry, recorded.head
        with _left_out(recorded), _in_place(entry, rows), torch.inference_mode():
            hook = head.register_forward_hook(lambda _m, _x, out: raw.append(out))
            try:
                with failing(loaded.info.name), Tap(keep=False).open():
                    out = whole(**self._short(len(rows)), use_cache=False)
            finally:
                hook.remove()
        return out.logits[0], raw[-1].reshape(-1, raw[-1].shape[-1])

    def _short(self, n: int) -> dict[str, Any]:
        """Inputs of so many tokens; which they are makes no difference."""
        ids = torch.zeros((1, n), dtype=torch.long)
        if self._pair:
            return {**self._inputs, "decoder_input_ids": ids}
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}

    def linear(self, tokens: list[int]) -> _Linear:
        """The way to some tokens' logits as a linear map.

        Raises:
            ExplorerError: It is none, even with the norm kept as it is.
        """
        recorded, head = self._recorded, self._recorded.head
        found = linear_of(head)
        norm = None
        if recorded.entry is not head:
            norm = fitted_norm(recorded.entry, recorded.entered, recorded.left)
        if found is None or (norm is None and recorded.entry is not head):
            raise ExplorerError(self._other())
        # What the table reads is what the norm gave out, or that times one number (T5).
        given = recorded.streams[-1] if norm is None else recorded.left
        read = recorded.read
        factor = None if read is None else _factor(given[-len(read) :], read)
        if factor is None:
            raise ExplorerError(self._other())
        weight, bias = found
        biases = np.zeros(len(tokens)) if bias is None else _doubles(bias[tokens])
        outer = self._outer()
        return _Linear(norm, _doubles(weight[tokens]) * factor * outer, biases * outer, outer)

    def _outer(self) -> float:
        """What logits are multiplied with behind the table (Cohere, Granite); 1 for a cap."""
        at = len(self._recorded.streams[-1]) - 1
        self.own([at])
        logits, raw = self._kept[at]
        factor = _factor(torch.from_numpy(raw[None]), torch.from_numpy(logits[None]))
        return 1.0 if factor is None else factor

    def _other(self) -> str:
        return t(
            "Between the last layer of {name} and its table of words stands more "
            "than a norm, so what each part wrote towards a word cannot be told "
            "apart. GPT-2, Llama, Qwen, Gemma and their like can.",
            name=self._loaded.info.name,
        )


def _factor(one: Tensor, other: Tensor) -> float | None:
    """The number that one times which is the other; None if there is none."""
    if one.shape != other.shape:
        return None
    a, b = one.double().reshape(-1), other.double().reshape(-1)
    factor = float((a @ b) / (a @ a).clamp_min(1e-300))
    factor = 1.0 if abs(factor - 1) < 1e-4 else factor
    fits = (factor * a - b).abs().max() <= _FIT * b.abs().max()
    return factor if bool(fits) else None


@contextmanager
def _left_out(recorded: _Recorded) -> Iterator[None]:
    """A block in which a decoder has no layers."""
    owner, name = recorded.home
    setattr(owner, name, torch.nn.ModuleList())
    try:
        yield
    finally:
        setattr(owner, name, recorded.layers)


@contextmanager
def _in_place(entry: Any, rows: Tensor) -> Iterator[None]:
    """A block in which a module reads other vectors than it is given."""

    def put(_module: Any, given: tuple[Any, ...], named: dict[str, Any]) -> Any:
        if given:
            return (rows[None].to(given[0]), *given[1:]), named
        name = next(iter(named))
        return given, {**named, name: rows[None].to(named[name])}

    hook = entry.register_forward_pre_hook(put, with_kwargs=True)
    try:
        yield
    finally:
        hook.remove()
