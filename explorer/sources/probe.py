"""A model with a text before it, to be asked what its output would be if something were missing."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.run import Run
from explorer.source import Transplanted, model_of
from explorer.sources.families import family_of, first_position, plain_layers, projections
from explorer.sources.forward import check_room, complete
from explorer.sources.huggingface import read
from explorer.sources.loading import LoadedModel, load_model
from explorer.sources.progress import Progress, away, silent, tick
from explorer.sources.tap import Tap
from explorer.target import ClassScore, Likeness, MaskedWord, OutputVector, Target
from explorer.trace import Token

Doubles = npt.NDArray[np.float64]
Report = Callable[[float], None]
How = Literal["mask", "drop"]
HeadName = tuple[int, int]
# Measured: larger batches leave the processor's caches (benchmarks/analysis.py, removal).
_BATCH_TOKENS = 1024
_MOST_IN_BATCH = 32
_IG_STEPS = 50


@dataclass(frozen=True, eq=False)
class Slopes:
    """The gradients of a target, with the weights that they belong to.

    Attributes:
        weights: Attention weights, ``[layer, head, query, key]``.
        attention: ∂F/∂A, of the same shape.
        norm: Length of ∂F/∂(word embedding) of every token.
        times_input: Its product with the embedding, summed over the vector.
    """

    weights: npt.NDArray[np.float32]
    attention: npt.NDArray[np.float32]
    norm: Doubles
    times_input: Doubles


@dataclass(frozen=True, eq=False)
class IntegratedGradients:
    """Integrated gradients (Sundararajan, Taly, Yan 2017) on the word embeddings.

    Attributes:
        scores: ``[token]``, summed over the vector.
        error: How far their sum is from F(text) − F(baseline), which it should be.
        change: F(text) − F(baseline).
    """

    scores: Doubles
    error: float
    change: float


class Probe:
    """A text before a model, and a target of which every question is answered by a number.

    Attributes:
        model: The model's name.
        tokens: The tokens.
        name: What the target is, in words.
        value: The target as it is.
        pooled: Whether the target is made of the mean over all positions; else `row` says of which.
        row: The position whose vector the target is made of.
        removable: Positions that may be taken away: no special tokens, not the masked one.

    Raises:
        ExplorerError: The model cannot have this target on this text.
    """

    def __init__(self, loaded: LoadedModel, run: Run, target: Target) -> None:
        self._loaded = loaded = loaded.private()
        self._reading = reading = read(loaded, run.texts)
        self.model = loaded.info.name
        self.tokens: tuple[Token, ...] = reading.tokens
        self._check(target)
        self._target = target
        self._inputs = dict(reading.inputs)
        self._inputs.setdefault("attention_mask", torch.ones_like(reading.inputs["input_ids"]))
        config = loaded.network.config
        if family_of(config).after_padding:
            # Else a [PAD] as baseline would move all later tokens to other positions.
            start = first_position(config)
            self._inputs["position_ids"] = torch.arange(start, start + len(self.tokens))[None]
        if isinstance(target, MaskedWord):
            self._mask_at(target.at)
        self._reference = self._reference_of(target)
        self.pooled = isinstance(target, Likeness) and not target.first
        self.row = getattr(target, "at", 0)
        masked = target.at if isinstance(target, MaskedWord) else -1
        kept = target.at if isinstance(target, OutputVector) else -1
        self.removable = [
            i for i, t in enumerate(self.tokens) if not t.special and i not in (masked, kept)
        ]
        if not self.removable:
            raise ExplorerError(
                "There is no other word in this text that could be taken away. Use a longer text."
            )
        self.value = float(self._values([{}])[0])
        self.name = self._name_of(target)

    # — what is asked —

    def without(
        self, removed: Sequence[Collection[int]], how: How, report: Report = lambda share: None
    ) -> Doubles:
        """The target with some positions gone, for each choice of positions.

        Args:
            removed: For each question the positions that go.
            how: ``mask`` puts [MASK] in their places, ``drop`` closes the gap.
            report: Told how much is done; may raise to end it.

        Raises:
            ExplorerError: The model has no [MASK].
        """
        if how == "mask" and self._loaded.tokenizer.mask_token_id is None:
            raise ExplorerError(f"{self._loaded.info.name} has no [MASK] token.")
        return self._values([{"removed": set(r), "how": how} for r in removed], report)

    def heads_off(
        self, switched: Sequence[Collection[HeadName]], report: Report = lambda share: None
    ) -> Doubles:
        """The target with some heads off, for each choice of (layer, head).

        A head is off when its part of the joined outputs is zero, which is what zero attention
        weights would give (Michel, Levy, Neubig 2019).

        Raises:
            ExplorerError: The model's attention is built in another way.
        """
        plain_layers(self._loaded.network)
        return self._values([{"off": frozenset(off)} for off in switched], report)

    def weights(self) -> npt.NDArray[np.float32]:
        """The attention weights alone, ``[layer, head, query, key]``: had sooner than gradients.

        Raises:
            ExplorerError: The model returns no attention of every token on every token.
        """
        n = len(self.tokens)
        check_room(self._loaded, n)
        with torch.inference_mode():
            _, weights = self._attended()
        found: npt.NDArray[np.float32] = torch.cat(weights).numpy()
        return found

    def _attended(self) -> tuple[Any, list[Tensor]]:
        """The model's answer, and the weights of all layers, ``[1, head, query, key]`` each.

        Raises:
            ExplorerError: It returns no attention of every token on every token.
        """
        by_scores, n = self._loaded.by_scores, len(self.tokens)
        tap = Tap(weights=True)
        with tap.open():
            out = self._call(self._inputs, output_attentions=not by_scores)
        found = [call.weights for call in tap.calls] if by_scores else out.attentions
        return out, complete(found, n, n, self._loaded.info)

    def slopes(self) -> Slopes:
        """The target's gradients, by torch's autograd."""
        check_room(self._loaded, len(self.tokens), 6)  # weights and gradients, with what they need
        embedded: list[Tensor] = []

        def keep(_module: object, _inputs: object, output: Tensor) -> Tensor:
            embedded.append(output.detach().requires_grad_())
            return embedded[-1]

        hook = self._word_embeddings().register_forward_hook(keep)
        try:
            out, attentions = self._attended()
        finally:
            hook.remove()
        value = self._number(out, [self.row], self._inputs["attention_mask"]).sum()
        for attention in attentions:  # on the way back others may go on too
            attention.register_hook(lambda _gradient: tick())
        gradients = torch.autograd.grad(value, [embedded[0], *attentions], allow_unused=True)
        slope, *of_attention = (
            torch.zeros_like(x) if g is None else g
            for g, x in zip(gradients, [embedded[0], *attentions], strict=True)
        )
        return Slopes(
            torch.cat(attentions).detach().numpy(),
            torch.cat(of_attention).numpy(),
            slope[0].double().norm(dim=-1).numpy(),
            (slope[0].double() * embedded[0][0].detach().double()).sum(-1).numpy(),
        )

    def integrated_gradients(
        self, baseline: Literal["pad", "mask"], report: Report = lambda share: None
    ) -> IntegratedGradients:
        """Integrated gradients through captum, along 50 Gauss–Legendre steps.

        Args:
            baseline: The token that stands everywhere but at special tokens.
            report: Told how much is done; may raise to end it.

        Raises:
            ExplorerError: The model has no such token.
        """
        with away():  # takes a second the first time
            from captum.attr import LayerIntegratedGradients

        other = getattr(self._loaded.tokenizer, f"{baseline}_token_id")
        if other is None:
            raise ExplorerError(f"{self._loaded.info.name} has no [{baseline.upper()}] token.")
        ids = self._inputs["input_ids"]
        blank = ids.clone()
        blank[0, self.removable] = other

        batch, done = self._batch(len(self.tokens)), 0
        check_room(self._loaded, len(self.tokens), 4 * batch)

        def forward(some_ids: Tensor) -> Tensor:
            nonlocal done
            report(min(done / _IG_STEPS, 1.0))
            done += len(some_ids)
            many = {k: v.expand(len(some_ids), -1) for k, v in self._inputs.items()}
            out = self._call(many | {"input_ids": some_ids})
            return self._number(out, [self.row] * len(some_ids), many["attention_mask"])

        method = LayerIntegratedGradients(forward, self._word_embeddings())
        parts, error = method.attribute(
            ids,
            blank,
            n_steps=_IG_STEPS,
            internal_batch_size=batch,
            return_convergence_delta=True,
        )
        with torch.inference_mode():
            change = self.value - float(forward(blank)[0])
        scores = parts[0].detach().double().sum(-1).numpy()
        return IntegratedGradients(scores, abs(float(error[0])), change)

    def changed(
        self, off: Collection[HeadName] = (), removed: Collection[int] = (), how: How = "mask"
    ) -> float:
        """The target with some heads off and some positions gone, both at once."""
        if off:
            plain_layers(self._loaded.network)
        question = {"off": frozenset(off), "removed": self._may_go(removed), "how": how}
        return float(self._values([question])[0])

    def predictions(
        self,
        off: Collection[HeadName] = (),
        removed: Collection[int] = (),
        how: How = "mask",
        count: int = 10,
    ) -> list[tuple[str, float]]:
        """The likeliest tokens at the masked position, or classes, with their probabilities.

        Raises:
            ExplorerError: The target is no prediction, or the model cannot switch heads off.
        """
        if off:
            plain_layers(self._loaded.network)
        if not isinstance(self._target, MaskedWord | ClassScore):
            raise ExplorerError("This target is no prediction.")
        question = {"removed": self._may_go(removed), "how": how}
        inputs, rows = self._batch_of([question])
        with torch.inference_mode(), self._switched(_mask_of([frozenset(off)], self._loaded)):
            logits = self._call(inputs).logits[0].double()
        if isinstance(self._target, MaskedWord):
            logits = logits[rows[0]]
        top = logits.softmax(-1).topk(min(count, logits.shape[-1]))
        names = self._names_of(top.indices.tolist())
        return list(zip(names, top.values.tolist(), strict=True))

    # — how it is answered —

    def _may_go(self, removed: Collection[int]) -> set[int]:
        """Positions that a page asks to take away, as far as they may be."""
        return set(removed) & set(self.removable)

    def _values(
        self, questions: Sequence[dict[str, Any]], report: Report = lambda share: None
    ) -> Doubles:
        found: list[float] = []
        size = self._batch(len(self.tokens))
        check_room(self._loaded, len(self.tokens), 1)
        with torch.inference_mode():
            for start in range(0, len(questions), size):
                report(start / len(questions))
                some = questions[start : start + size]
                inputs, rows = self._batch_of(some)
                mask = _mask_of([q.get("off", frozenset()) for q in some], self._loaded)
                with self._switched(mask):
                    out = self._call(inputs)
                found += self._number(out, rows, inputs["attention_mask"]).tolist()
        values = np.array(found)
        if not np.isfinite(values).all():
            raise ExplorerError(
                "The model’s output is not a number (NaN or infinite) for this text. Its weights "
                "are probably damaged: try another model."
            )
        return values

    def _batch(self, n: int) -> int:
        return max(1, min(_MOST_IN_BATCH, _BATCH_TOKENS // n))

    def _batch_of(self, questions: Sequence[dict[str, Any]]) -> tuple[dict[str, Tensor], list[int]]:
        """The inputs of several questions as one batch, and where each one's target stands."""
        variants, rows = [], []
        for question in questions:
            removed = question.get("removed", set())
            row, variant = self.row, {k: v[0] for k, v in self._inputs.items()}
            if removed and question["how"] == "mask":
                ids = variant["input_ids"].clone()
                ids[list(removed)] = self._loaded.tokenizer.mask_token_id
                variant["input_ids"] = ids
            elif removed:
                kept = [i for i in range(len(self.tokens)) if i not in removed]
                variant = {k: v[kept] for k, v in variant.items() if k != "position_ids"}
                if "position_ids" in self._inputs:
                    variant["position_ids"] = self._inputs["position_ids"][0, : len(kept)]
                row = kept.index(self.row)
            variants.append(variant)
            rows.append(row)
        pad = {"input_ids": self._loaded.tokenizer.pad_token_id or 0}
        together = {
            k: torch.nn.utils.rnn.pad_sequence(
                [v[k] for v in variants], batch_first=True, padding_value=pad.get(k, 0)
            )
            for k in self._inputs
        }
        return together, rows

    def _call(self, inputs: dict[str, Tensor], **options: bool) -> Any:
        predicts = isinstance(self._target, MaskedWord | ClassScore)
        return (self._loaded.whole if predicts else self._loaded.network)(**inputs, **options)

    def _number(self, out: Any, rows: list[int], mask: Tensor) -> Tensor:
        """The target of each text in a batch, ``[text]``, float64."""
        target, many = self._target, range(len(rows))
        if isinstance(target, MaskedWord):
            logits = out.logits[many, rows].double()
            return logits.softmax(-1)[:, self._reference]
        if isinstance(target, ClassScore):
            return out.logits.double()[:, self._reference]
        vectors = out.last_hidden_state.double()
        if self.pooled:
            share = mask[..., None].double()
            chosen = (vectors * share).sum(1) / share.sum(1)
        else:
            chosen = vectors[many, rows]
        if isinstance(target, Likeness):
            return torch.nn.functional.cosine_similarity(chosen, self._reference[None], dim=-1)
        return chosen @ self._reference

    def _reference_of(self, target: Target) -> Any:
        """What the output is held against: a vector, or the number of a word or class."""
        with torch.no_grad():  # inference_mode's tensors could not take part in a gradient
            if isinstance(target, Likeness):
                other = read(self._loaded, (target.other,))
                vectors = self._loaded.network(**other.inputs).last_hidden_state[0].double()
                return vectors[0] if target.first else vectors.mean(0)
            if isinstance(target, OutputVector):
                vectors = self._loaded.network(**self._inputs).last_hidden_state[0].double()
                return vectors[target.at] / vectors[target.at].norm()
            if isinstance(target, MaskedWord):
                return self._guess(target)
            if target.label is not None:
                return target.label
            return int(self._loaded.whole(**self._inputs).logits[0].argmax())

    def _guess(self, target: MaskedWord) -> int:
        if target.guess is None:
            return int(self._reading.inputs["input_ids"][0, target.at])
        tokenizer = self._loaded.tokenizer
        known = tokenizer.get_vocab()
        for spelled in (target.guess, f"Ġ{target.guess}", f"▁{target.guess}"):
            if spelled in known:
                return int(known[spelled])
        with self._loaded.reading:
            pieces = tokenizer(target.guess, add_special_tokens=False)["input_ids"]
        if len(pieces) == 1 and pieces[0] != tokenizer.unk_token_id:
            return int(pieces[0])
        raise ExplorerError(
            f"“{target.guess[:40]}” is not one token of {self._loaded.info.name}, so it has no "
            "probability of its own. Choose a shorter or more common word."
        )

    def _mask_at(self, at: int) -> None:
        ids = self._inputs["input_ids"].clone()
        ids[0, at] = self._loaded.tokenizer.mask_token_id
        self._inputs["input_ids"] = ids

    def _check(self, target: Target) -> None:
        """Refuse a target that this model does not have."""
        name, predicts = self._loaded.info.name, self._loaded.predicts
        if isinstance(target, MaskedWord) and predicts != "word":
            raise ExplorerError(
                f"{name} has no head that predicts words, so no word can be masked and guessed. "
                "A model such as google-bert/bert-base-uncased has one."
            )
        if isinstance(target, MaskedWord) and self._loaded.tokenizer.mask_token_id is None:
            raise ExplorerError(f"{name} has no [MASK] token.")
        if isinstance(target, ClassScore):
            if predicts != "class":
                raise ExplorerError(f"{name} has no head that chooses between classes.")
            n_classes = self._loaded.whole.config.num_labels
            if target.label is not None and target.label >= n_classes:
                raise ExplorerError(f"{name} has the classes 0 to {n_classes - 1}.")
        at = getattr(target, "at", None)
        if at is not None and at >= len(self.tokens):
            raise ExplorerError(
                f"There is no token {at}: this text has the tokens 0 to {len(self.tokens) - 1}."
            )
        if isinstance(target, MaskedWord) and self.tokens[target.at].special:
            raise ExplorerError("Choose a word to mask; special tokens stay.")

    def _name_of(self, target: Target) -> str:
        if isinstance(target, Likeness):
            of = "first token’s" if target.first else "mean"
            other = target.other if len(target.other) <= 60 else target.other[:59] + "…"
            return f"cosine of the text’s {of} vector and that of “{other}”"
        if isinstance(target, OutputVector):
            token = self.tokens[target.at].text
            return f"length of the output vector of “{token}” (token {target.at})"
        guessed = self._names_of([self._reference])[0]
        if isinstance(target, MaskedWord):
            return f"probability of “{guessed}” at the masked token {target.at}"
        return f"logit of the class “{guessed}”"

    def _names_of(self, ids: Sequence[int]) -> list[str]:
        if isinstance(self._target, ClassScore):
            labels = self._loaded.whole.config.id2label
            return [str(labels.get(i, i)) for i in ids]
        tokenizer = self._loaded.tokenizer
        return [tokenizer.convert_ids_to_tokens(i).lstrip("Ġ▁") or "␣" for i in ids]

    def _word_embeddings(self) -> torch.nn.Module:
        return self._loaded.network.get_input_embeddings()

    @contextmanager
    def _switched(self, mask: Tensor | None) -> Iterator[None]:
        """Zero the parts of heads that are off, text by text, while the block runs."""
        hooks = []
        if mask is not None:
            for layer in range(mask.shape[1]):
                if not mask[:, layer].all():
                    output = projections(self._loaded.network, layer)[3]
                    hooks.append(output.register_forward_pre_hook(_zeroing(mask[:, layer])))
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()


def _mask_of(switched: Sequence[frozenset[HeadName]], loaded: LoadedModel) -> Tensor | None:
    """1 for a head that is on, ``[text, layer, head]``; None if all are."""
    if not any(switched):
        return None
    info = loaded.info
    mask = torch.ones(len(switched), info.n_layers, info.n_heads)
    for text, off in enumerate(switched):
        for layer, head in off:
            if not (0 <= layer < info.n_layers and 0 <= head < info.n_heads):
                raise ExplorerError(f"{info.name} has no head {layer}-{head}.")
            mask[text, layer, head] = 0
    return mask


def _zeroing(mask: Tensor) -> Callable[..., tuple[Tensor]]:
    def zero(_module: object, inputs: tuple[Tensor, ...]) -> tuple[Tensor]:
        parts = inputs[0].unflatten(-1, (mask.shape[1], -1))
        return ((parts * mask[:, None, :, None]).flatten(-2),)

    return zero


def probe(run: Run, target: Target, progress: Progress = silent) -> Probe:
    """A run's model and text, ready to be asked about a target.

    Raises:
        ExplorerError: The run's source is no model with an output, or has no such target.
    """
    run.check_is_for_a_model()
    model = model_of(run.source)
    if model is None or isinstance(run.source, Transplanted):
        raise ExplorerError(
            "The from-scratch layer predicts nothing, so there is no output to explain. Choose "
            "BERT or another model under Model, then press Run."
        )
    return Probe(load_model(model, progress), run, target)
