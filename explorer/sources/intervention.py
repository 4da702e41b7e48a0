"""A model with a text before it, to be asked what its output would be if something were missing."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from explorer.activations import Activations
from explorer.errors import ExplorerError
from explorer.headname import head_name
from explorer.language import t
from explorer.limits import EXPLAIN_TOKENS, check_tokens
from explorer.run import Run
from explorer.source import InMemory, Model, Trained, Transplanted, model_of
from explorer.sources.activations import activations_of
from explorer.sources.changing import change_for, knocked_out
from explorer.sources.forward import check_room, complete, failing
from explorer.sources.loading import LoadedModel, load_model
from explorer.sources.nextword import Predicted, asked_for, name_of
from explorer.sources.predicting import check_predicts, keeps_some, token_of
from explorer.sources.progress import Progress, silent, tick
from explorer.sources.tap import Change, Tap, numbers_of
from explorer.sources.tokens import pieces_of, read
from explorer.sources.truths import deciding_words
from explorer.sources.two_texts import in_two, of_two, read_for
from explorer.sources.vectors import word_vectors
from explorer.sources.written import text_of
from explorer.target import (
    ClassScore,
    How,
    Likeness,
    MaskedWord,
    NextWord,
    OutputVector,
    Target,
    WrittenSpan,
)
from explorer.trace import Token

if TYPE_CHECKING:
    from explorer.sources.answering import Answering

Doubles = npt.NDArray[np.float64]
Report = Callable[[float], None]
Baseline = Literal["pad", "mask"]
HeadName = tuple[int, int]
# Measured: larger batches leave the processor's caches (benchmarks/analysis.py, removal).
_BATCH_TOKENS = 1024
_MOST_IN_BATCH = 32
_IG_STEPS = 50


@dataclass(frozen=True, eq=False)
class Slopes:
    """The gradients of a target, with the weights that they belong to.

    Attributes:
        weights: Attention weights, ``[layer, head, query, key]``; None where they cannot be had.
        attention: ∂F/∂A, of the same shape.
        reason: Why there are no weights.
        norm: Length of ∂F/∂(word embedding) of every token.
        times_input: Its product with the embedding, summed over the vector.
    """

    weights: npt.NDArray[np.float32] | None
    attention: npt.NDArray[np.float32] | None
    reason: str
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


class Intervention:
    """A text before a model, and a target of which every question is answered by a number.

    Attributes:
        model: The model's name.
        tokens: The tokens.
        name: What the target is, in words.
        value: The target, with what is changed in the model's attention.
        plain: The target of the model as it is: the same where nothing is changed.
        at: The position of the token that the target is about; None if it is about no single one.
        rows: The positions whose vectors the target is made of: all of them for a mean, those that
            the head reads for a class. Empty where that cannot be said.
        removable: Positions that may be taken away: no special tokens, not the masked one.
        replacement: The token that stands in for a word that is taken away: [MASK], or in a model
            without one its token for unknown words, or its mark at the end or the beginning of a
            text. None where the tokenizer has none of these.
        numbers: The model's own numbers of its layers with attention; empty where it is not known
            before its weights are.
        deciding: The positions of words that are known to decide; empty where that is not known.
        decided: How that is known, in words.

    Raises:
        ExplorerError: The model cannot have this target on this text.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        run: Run,
        target: Target,
        neutral: str | None = None,
        progress: Progress = silent,
    ) -> None:
        self._loaded = loaded = loaded.private()
        check_kind(loaded, target)
        self.model = loaded.info.name
        self.tokens, self._inputs, self._offset = read_for(loaded, run, progress)
        check_tokens("Explain", len(self.tokens), EXPLAIN_TOKENS)
        self._target = target = _placed(target, self.tokens)
        self.at: int | None = getattr(target, "at", None)
        self._check(target)
        self._own_ids = self._inputs["input_ids"]
        self.replacement, self._stand_in = _stand_in(loaded.tokenizer)
        if neutral is not None:
            self.replacement, self._stand_in = neutral, token_of(loaded, neutral)
        if isinstance(target, MaskedWord):
            self._mask()
        self._other_read = self._other_cut = 0
        self._reference = self._reference_of(target)
        first = getattr(target, "first", False)
        self._kept: tuple[int, ...] = (0,) if first else () if self.at is None else (self.at,)
        if isinstance(self._reference, Predicted):
            self._kept = tuple(self._offset + row for row in self._reference.rows)
            self.at = self._kept[0] if isinstance(target, NextWord) else None
        self.removable = self._may_be_removed()
        self._together: Literal["padded", "equal", "alone"] | None = None
        self.numbers: tuple[int, ...] = ()
        self._n_heads = 0
        self._change: Change | None = None
        self.value = self.plain = self._value()
        self.rows = self._rows_of(target)
        self.name: str = self._name_of(target)
        if run.edits:  # what is asked for is settled by the model as it is
            self._change = change_for(loaded, run.edits, len(self.tokens))
            self.value = float(self._values([_Question()])[0])
        self.deciding, self.decided = self._known(run)

    def _known(self, run: Run) -> tuple[tuple[int, ...], str]:
        """The positions of words that are known to decide, and how."""
        asked = self._reference
        if not isinstance(asked, Predicted) or len(asked.rows) != 1:
            return (), ""
        return deciding_words(run, self.tokens, asked.rows[0], self._names_of(asked.tokens)[0])

    def _may_be_removed(self) -> list[int]:
        """The positions that may be taken away, so that something is left where no mark stands in.

        Raises:
            ExplorerError: There are none.
        """
        stays, n = set(self._kept), len(self.tokens)
        if isinstance(self._reference, Predicted):
            stays = {self._offset + at for at in self._reference.stays}
            n = self._offset + self._reference.last + 1
        found = [i for i, t in enumerate(self.tokens[:n]) if not t.special and i not in stays]
        if self._stand_in is None and len(found) == len(self.tokens):
            found = found[1:]  # else nothing would be left to read
        if not found:
            raise ExplorerError(
                t(
                    "There is no other word in this text that could be taken away. Use a "
                    "longer text."
                )
            )
        return found

    @property
    def ways(self) -> tuple[How, ...]:
        """The ways in which words can be taken away before this model, the usual one first."""
        found: list[How] = ["drop"] if self._stand_in is None else ["replace", "drop"]
        if self._loaded.predicts == "next" and self.numbers:
            found.append("cut")
        return tuple(found)

    @property
    def baselines(self) -> Mapping[Baseline, str]:
        """The tokens that integrated gradients can start from, as the tokenizer spells them."""
        pad = self._loaded.tokenizer.pad_token
        found: dict[Baseline, str | None] = {"pad": pad, "mask": self.replacement}
        return {name: token for name, token in found.items() if token is not None}

    def notes(self, how: How) -> tuple[str, ...]:
        """What a reader must know: how words go before this model, and where its head reads."""
        found: list[str] = []
        if self.replacement is None:
            found.append(
                t(
                    "{model} has no [MASK] and no other token that could stand in the place"
                    " of a word, so words are dropped.",
                    model=self.model,
                )
            )
        elif how == "replace" and self._loaded.tokenizer.mask_token is None:
            found.append(
                t(
                    "{model} has no [MASK] token: “{replacement}” stands in the place of a "
                    "word that is taken away. Under “How words go” they can be dropped "
                    "instead.",
                    model=self.model,
                    replacement=self.replacement,
                )
            )
        if self._other_cut:
            found.append(
                t(
                    "The text to compare with is too long to be read whole: its first "
                    "{other_read} tokens were read, {other_cut} were cut. The cosine is "
                    "that with its beginning.",
                    other_read=f"{self._other_read:,}",
                    other_cut=f"{self._other_cut:,}",
                )
            )
        if how == "cut":
            found.append(
                t(
                    "Words that are taken away stay where they are, and no later token may "
                    "look at them, in any head of any layer."
                )
            )
        if isinstance(self._reference, Predicted):
            found.append(
                t(
                    "“{text}” (token {value}), after which the word is predicted, stays; "
                    "what stands behind it cannot count, so it is not scored.",
                    text=self.tokens[self._kept[-1]].text,
                    value=self._kept[-1],
                )
            )
            if self._offset:
                found.append(
                    t(
                        "The tokens 0 to {value} are those of the text that is read; behind "
                        "them stands what is written.",
                        value=self._offset - 1,
                    )
                )
        if isinstance(self._target, ClassScore) and self._loaded.form == "text":
            found.append(_where(self.model, self.rows, self.tokens))
        return tuple(found)

    # — what is asked —

    def without(
        self, removed: Sequence[Collection[int]], how: How, report: Report = lambda share: None
    ) -> Doubles:
        """The target with some positions gone, for each choice of positions.

        Args:
            removed: For each question the positions that go.
            how: ``replace`` puts `replacement` in their places, ``drop`` closes the gap, ``cut``
                lets no later token look at them.
            report: Told how much is done; may raise to end it.

        Raises:
            ExplorerError: The model has no token to put in their places, or fails.
        """
        return self._values([_Question(frozenset(r), how) for r in removed], report)

    def heads_off(
        self, switched: Sequence[Collection[HeadName]], report: Report = lambda share: None
    ) -> Doubles:
        """The target with some heads off, for each choice of (layer, head).

        A head is off when its part of the joined outputs is zero, which is what zero attention
        weights would give (Michel, Levy, Neubig 2019). Layers have the model's own numbers.

        Raises:
            ExplorerError: No head of this model can be switched off, or one is not there.
        """
        return self._values([_Question(off=frozenset(off)) for off in switched], report)

    def weights(self) -> npt.NDArray[np.float32]:
        """The attention weights alone, ``[layer, head, query, key]``: had sooner than gradients.

        Raises:
            ExplorerError: The model returns no attention of every token on every token.
        """
        check_room(self._loaded, len(self.tokens))
        with torch.inference_mode():
            _, weights, reason = self._attended()
        if not weights:
            raise ExplorerError(reason)
        return self._without_off(torch.cat(weights))

    def activations(self) -> Activations:
        """What attention moves from each token to each.

        Raises:
            ExplorerError: The model's layers are of another build, or the text is too long.
        """
        return activations_of(self._loaded, self._inputs, self.tokens, self._change or Change())

    def slopes(self) -> Slopes:
        """The target's gradients, by torch's autograd.

        Raises:
            ExplorerError: The model fails, or its words' vectors cannot be had.
        """
        check_room(self._loaded, len(self.tokens), 6)  # weights and gradients, with what they need
        given = self._looked_up(self._inputs["input_ids"])[None] if self._offset else None
        with self._vectors(self._inputs["input_ids"], given) as found:
            out, attentions, reason = self._attended()
        vectors = self._only(found)
        for attention in attentions:  # on the way back others may go on too
            attention.register_hook(lambda _gradient: tick())
        with failing(self.model):
            value = self._number(out, [self._rows_asked], self._inputs["attention_mask"]).sum()
            gradients = torch.autograd.grad(value, [vectors, *attentions], allow_unused=True)
        slope, *of_attention = (
            torch.zeros_like(x) if g is None else g
            for g, x in zip(gradients, [vectors, *attentions], strict=True)
        )
        return Slopes(
            self._without_off(torch.cat(attentions).detach()) if attentions else None,
            torch.cat(of_attention).numpy() if attentions else None,
            reason,
            slope[0].double().norm(dim=-1).numpy(),
            (slope[0].double() * vectors[0].detach().double()).sum(-1).numpy(),
        )

    def integrated_gradients(
        self, baseline: Baseline, report: Report = lambda share: None
    ) -> IntegratedGradients:
        """Integrated gradients, along 50 Gauss–Legendre steps.

        The vectors of the words are moved, and their numbers stay: whatever a model finds by those
        (its positions, what is padding, where a text ends) is the same all along the way.

        Args:
            baseline: The token whose vector stands everywhere but at special tokens at the start:
                ``pad`` is [PAD], ``mask`` what stands in for words that are taken away.
            report: Told how much is done; may raise to end it.

        Raises:
            ExplorerError: The model has no such token, or fails.
        """
        blank = self._inputs["input_ids"].clone()
        blank[0, self.removable] = self._baseline_id(baseline)
        batch = self._most(len(self.tokens))
        check_room(self._loaded, len(self.tokens), 4 * batch)
        start, end = (self._looked_up(ids)[None] for ids in (blank, self._inputs["input_ids"]))
        with failing(self.model):
            return along_the_way(start, end, self.value, self._with_vectors, batch, report)

    def changed(
        self, off: Collection[HeadName] = (), removed: Collection[int] = (), how: How = "replace"
    ) -> float:
        """The target with some heads off and some positions gone, both at once."""
        question = _Question(self._may_go(removed), how, frozenset(off))
        return float(self._values([question])[0])

    def predictions(
        self,
        off: Collection[HeadName] = (),
        removed: Collection[int] = (),
        how: How = "replace",
        count: int = 10,
        *,
        edited: bool = True,
    ) -> list[tuple[str, float]]:
        """The likeliest tokens at the masked position, or classes, with their probabilities.

        Of a head that gives one number alone, as those for regression do, there are none. Where
        not ``edited`` they are those of the model as it is, whatever the run changes in it.

        Raises:
            ExplorerError: The target is no prediction, or the model cannot switch heads off.
        """
        if not isinstance(self._target, MaskedWord | ClassScore | NextWord):
            raise ExplorerError(t("This target is no prediction."))
        variant = self._variant(_Question(self._may_go(removed), how, frozenset(off)))
        tapped = self._tapped([variant]) if edited else nullcontext()
        with torch.inference_mode(), failing(self.model), tapped:
            out, (rows,) = self._ask(_stacked([variant], 0), [variant.rows])
        logits = out.logits[0].double()
        if not isinstance(self._target, ClassScore):
            logits = logits[rows[0]]
        elif len(logits) == 1:
            return []
        kind = getattr(self._loaded.whole.config, "problem_type", None)
        several = isinstance(self._target, ClassScore) and kind == "multi_label_classification"
        chances = logits.sigmoid() if several else logits.softmax(-1)
        top = chances.topk(min(count, logits.shape[-1]))
        names = self._names_of(top.indices.tolist())
        return list(zip(names, top.values.tolist(), strict=True))

    # — how it is answered —

    def _may_go(self, removed: Collection[int]) -> frozenset[int]:
        """Positions that a page asks to take away, as far as they may be."""
        return frozenset(removed) & frozenset(self.removable)

    def _value(self) -> float:
        """The target as it is; on the way, which layers have attention that goes by the tap."""
        check_room(self._loaded, len(self.tokens), 1)
        tap = Tap()
        with failing(self.model), tap.open():
            value = self._answered([self._variant(_Question())])
        heads = {call.query.shape[1] for call in tap.calls}
        if self._loaded.by_scores and self._loaded.form == "text" and len(heads) == 1:
            self.numbers = numbers_of(self._loaded.network, tap.calls)
            (self._n_heads,) = heads
        return float(_finite(value)[0])

    def _values(
        self, questions: "Sequence[_Question]", report: Report = lambda share: None
    ) -> Doubles:
        variants = [self._variant(question) for question in questions]
        check_room(self._loaded, len(self.tokens), 1)
        found, done = np.empty(len(variants)), 0
        for some in self._batches([len(v.inputs["input_ids"]) for v in variants]):
            report(done / len(variants))
            batch = [variants[i] for i in some]
            with failing(self.model):
                found[some] = self._answered(batch)
            done += len(some)
        return _finite(found)

    def _batches(self, lengths: Sequence[int]) -> list[list[int]]:
        """Which texts go through the model together, by how it takes them."""
        together = self._how_together() if len(lengths) > 1 else "alone"
        if together == "padded":
            groups = [list(range(len(lengths)))]
        else:
            groups = [[i for i, n in enumerate(lengths) if n == one] for one in sorted({*lengths})]
        size = 1 if together == "alone" else self._most(len(self.tokens))
        return [group[i : i + size] for group in groups for i in range(0, len(group), size)]

    def _most(self, n: int) -> int:
        """How many texts of a length go through the model at once."""
        if self._how_together() == "alone":
            return 1
        return max(1, min(_MOST_IN_BATCH, _BATCH_TOKENS // n))

    def _how_together(self) -> Literal["padded", "equal", "alone"]:
        """Whether texts side by side give what each gives alone: tried, once, on this text.

        Some models find positions or the end of a text by their padding in ways of their own, and
        heads of decoders without a padding token take one text at a time.
        """
        if self._together is None:
            whole, shorter = (
                self._variant(_Question()),
                self._variant(_Question(frozenset(self.removable[:1]), "drop")),
            )
            self._together = "alone"
            with failing(self.model):
                alone = [self.value, *self._answered([shorter])]
            if self._agree([whole, shorter], alone):
                self._together = "padded"
            elif self._agree([whole, whole], alone[:1] * 2):
                self._together = "equal"
        return self._together

    def _agree(self, some: "Sequence[_Variant]", wanted: Sequence[float]) -> bool:
        try:
            found = self._answered(some)
        except ExplorerError:
            raise
        except Exception:  # noqa: BLE001  # each model refuses a batch in its own way
            return False
        return np.allclose(found, wanted, rtol=1e-4, atol=1e-6)

    def _answered(self, variants: "Sequence[_Variant]") -> Doubles:
        """The target of some texts that go through the model together; fails as the model does."""
        inputs = _stacked(variants, self._loaded.tokenizer.pad_token_id or 0)
        with torch.inference_mode(), self._tapped(variants):
            out, rows = self._ask(inputs, [variant.rows for variant in variants])
            found: Doubles = self._number(out, rows, inputs["attention_mask"]).numpy()
        return found

    def _ask(
        self, inputs: dict[str, Tensor], rows: Sequence[tuple[int, ...]]
    ) -> tuple[Any, list[tuple[int, ...]]]:
        """The model's answer, and where some rows of each text stand in it."""
        if self._offset:
            inputs, rows = in_two(inputs, rows, self._loaded.tokenizer.pad_token_id or 0)
        options, asked = self._asking(rows)
        return self._model(**inputs, **options), asked

    def _asking(
        self, rows: Sequence[tuple[int, ...]]
    ) -> tuple[dict[str, Any], list[tuple[int, ...]]]:
        """What a model is asked for beside its inputs, and where the rows then stand.

        A decoder gives its predictions at some positions alone, where it can: they are as long as
        its vocabulary.
        """
        if not isinstance(self._reference, Predicted) or not keeps_some(self._model):
            return {}, list(rows)
        some = sorted({row for one in rows for row in one})
        asked = [tuple(map(some.index, one)) for one in rows]
        return {"logits_to_keep": torch.tensor(some)}, asked

    @property
    def _rows_asked(self) -> tuple[int, ...]:
        """Where the rows of the text as it is stand in what the model is asked for."""
        return self._asking([tuple(row - self._offset for row in self._kept)])[1][0]

    def _variant(self, question: "_Question") -> "_Variant":
        """The text as a question changes it.

        Raises:
            ExplorerError: It cannot be changed in this way.
        """
        inputs, rows = {k: v[0] for k, v in self._inputs.items()}, self._kept
        n, gone = len(self.tokens), sorted(question.removed)
        kept = [i for i in range(n) if i not in question.removed]
        if gone and (question.how == "replace" or not kept):
            if self._stand_in is None:
                raise ExplorerError(
                    t(
                        "{model} has no [MASK] and no other token that could stand in the place"
                        " of a word: drop words instead.",
                        model=self.model,
                    )
                )
            ids = inputs["input_ids"].clone()
            ids[gone] = self._stand_in
            inputs["input_ids"] = ids
        drops = bool(gone) and question.how == "drop"
        if drops:
            kept = kept or [0]  # of a text without marks the stand-in alone is left
            inputs = {name: values[kept] for name, values in inputs.items()}
            rows = tuple(map(kept.index, rows))
        cut = knocked_out(gone, n) if gone and question.how == "cut" else None
        if cut is not None and "cut" not in self.ways:
            raise ExplorerError(
                t("No word can be cut out of the attention of {model}.", model=self.model)
            )
        return _Variant(inputs, rows, self._off(question.off), cut, kept if drops else None)

    def _off(self, off: Collection[HeadName]) -> Tensor | None:
        """The heads that are off, bool ``[layer, head]``; None if none is.

        Raises:
            ExplorerError: They cannot be switched off, or are not there.
        """
        if not off:
            return None
        if not self.numbers:
            passport = self._loaded.info.passport
            reason: str = t("it has several parts, and this page changes models of one")
            if passport and passport.reason:
                reason = passport.reason
            raise ExplorerError(
                t(
                    "No head of {model} can be switched off: {reason}.",
                    model=self.model,
                    reason=reason,
                )
            )
        found = torch.zeros(len(self.numbers), self._n_heads, dtype=torch.bool)
        for layer, head in off:
            if layer not in self.numbers or not 0 <= head < self._n_heads:
                raise ExplorerError(
                    t(
                        "{model} has no head {layer}.",
                        model=self.model,
                        layer=head_name(layer, head),
                    )
                )
            found[self.numbers.index(layer), head] = True
        return found

    def _tapped(self, variants: "Sequence[_Variant]") -> Any:
        """A block in which attention is changed as the run says, and text by text as asked."""
        change = self._change or Change()
        off = [variant.off for variant in variants]
        cut = [variant.cut for variant in variants]
        if self._change is None and all(one is None for one in (*off, *cut)):
            return nullcontext()
        if any(one is not None for one in off):
            on = torch.zeros(len(self.numbers), self._n_heads, dtype=torch.bool)
            stacked = torch.stack([on if one is None else one for one in off])
            change = replace(change, off=stacked if change.off is None else stacked | change.off)
        layers = change.cut if all(one is None for one in cut) else range(len(self.numbers))
        n = max(len(variant.inputs["input_ids"]) for variant in variants)
        cuts = {layer: _stacked_cuts(variants, change.cut.get(layer), n) for layer in layers}
        return Tap(change=replace(change, cut=cuts), keep=False).open()

    def _without_off(self, weights: Tensor) -> npt.NDArray[np.float32]:
        """Weights ``[layer, head, query, key]``; of heads that are off they are zero.

        That is what being off means, and what torch's own gradients say of such a head.
        """
        found: npt.NDArray[np.float32] = weights.numpy()
        off = None if self._change is None else self._change.off
        return found if off is None else found * ~off[0].numpy()[:, :, None, None]

    @property
    def _model(self) -> Any:
        """The network with its head where the target is made by that, or the network alone."""
        predicts = isinstance(self._target, MaskedWord | ClassScore | NextWord | WrittenSpan)
        return self._loaded.whole if predicts else self._loaded.network

    def _call(self, inputs: dict[str, Tensor], **options: Any) -> Any:
        with failing(self.model):
            return self._model(**inputs, **options)

    def _attended(self) -> tuple[Any, list[Tensor], str]:
        """The model's answer, its weights ``[1, head, query, key]``, or why there are none."""
        loaded, n = self._loaded, len(self.tokens)
        options, _ = self._asking([self._kept])
        if loaded.form == "pair":
            with failing(self.model):
                out, _ = self._ask(self._inputs, [self._kept])
            return (
                out,
                [],
                t(
                    "{model} is an encoder-decoder: what its head reads has come through "
                    "two stacks of layers and the attention between them, and this method "
                    "follows one.",
                    model=self.model,
                ),
            )
        tap = Tap(weights=True, change=self._change)
        with tap.open():
            out = self._call(self._inputs, **options, **({} if loaded.by_scores else _WEIGHTS))
        found = [call.weights for call in tap.calls] if loaded.by_scores else out.attentions
        try:
            weights = complete(found, n, n, loaded.info)
        except ExplorerError as error:
            return out, [], str(error)
        if len({w.shape[1] for w in weights}) > 1:
            return (
                out,
                [],
                t("The layers of {model} have different numbers of heads.", model=self.model),
            )
        if torch.is_grad_enabled() and not all(w.requires_grad for w in weights):
            return (
                out,
                [],
                t(
                    "{model} keeps its attention weights apart from its gradients.",
                    model=self.model,
                ),
            )
        return out, weights, ""

    def _only(self, found: list[Tensor]) -> Tensor:
        """The words' vectors that a run of the model has left.

        Raises:
            ExplorerError: It has left none.
        """
        if not found:
            raise ExplorerError(
                t(
                    "{model} does not look its words up in one table, so there are no "
                    "vectors of words that a gradient could be taken to.",
                    model=self.model,
                )
            )
        return found[0]

    def _looked_up(self, ids: Tensor) -> Tensor:
        """The vectors of a text's words, ``[token, d]``."""
        with torch.no_grad(), failing(self.model), self._vectors(ids) as found:
            self._ask(self._inputs | {"input_ids": ids}, [self._kept])
        self._only(found)
        return torch.cat([part[0].detach() for part in found])

    def _vectors(self, ids: Tensor, given: Tensor | None = None) -> Any:
        """`word_vectors` of a text; of an encoder–decoder those of both of its texts, in turn.

        Where vectors are given for both, they are the one leaf that is kept.
        """
        network = self._loaded.network
        if not self._offset:
            return word_vectors(network, ids, given)
        return of_two(network, ids, self._offset, given)

    def _with_vectors(self, vectors: Tensor) -> Tensor:
        """The target of texts with other vectors in the place of the words', ``[text]``."""
        many = {k: v.expand(len(vectors), -1) for k, v in self._inputs.items()}
        tapped = Tap(change=self._change, keep=False).open()
        with failing(self.model), tapped, self._vectors(many["input_ids"], vectors):
            out, rows = self._ask(many, [self._kept] * len(vectors))
        return self._number(out, rows, many["attention_mask"])

    def _baseline_id(self, baseline: Baseline) -> int:
        tokenizer, names = self._loaded.tokenizer, self.baselines
        if baseline not in names:
            raise ExplorerError(
                t("{model} has no [{upper}] token.", model=self.model, upper=baseline.upper())
            )
        if baseline == "mask" and names.get("pad") == names["mask"]:
            raise ExplorerError(
                t(
                    "{model} has one token for both, “{names}”: see the line above.",
                    model=self.model,
                    names=names["mask"],
                )
            )
        found = tokenizer.pad_token_id if baseline == "pad" else self._stand_in
        assert found is not None
        return int(found)

    def _number(self, out: Any, rows: Sequence[tuple[int, ...]], mask: Tensor) -> Tensor:
        """The target of each text in a batch, ``[text]``, float64."""
        target, many = self._target, range(len(rows))
        single = [one[0] for one in rows if one]
        if isinstance(self._reference, Predicted):
            logits = [out.logits[i, list(one)] for i, one in enumerate(rows)]
            return self._reference.of(torch.stack(logits).double())
        if isinstance(target, MaskedWord):
            logits = out.logits[many, single].double()
            return logits.softmax(-1)[:, self._reference]
        if isinstance(target, ClassScore):
            return out.logits.double()[:, self._reference]
        vectors = out.last_hidden_state.double()
        if isinstance(target, Likeness) and not target.first:
            share = mask[..., None].double()
            chosen = (vectors * share).sum(1) / share.sum(1)
        else:
            chosen = vectors[many, single]
        if isinstance(target, Likeness):
            return torch.nn.functional.cosine_similarity(chosen, self._reference[None], dim=-1)
        return chosen @ self._reference

    def _reference_of(self, target: Target) -> Any:
        """What the output is held against: a vector, or the number of a word or class."""
        with torch.no_grad():  # inference_mode's tensors could not take part in a gradient
            if isinstance(target, Likeness):
                other = read(self._loaded, (target.other,))
                self._other_read, (self._other_cut,) = len(other.tokens), other.n_cut
                vectors = self._call(other.inputs).last_hidden_state[0].double()
                return vectors[0] if target.first else vectors.mean(0)
            if isinstance(target, OutputVector):
                vectors = self._call(self._inputs).last_hidden_state[0].double()
                return vectors[self.at] / vectors[self.at].norm()
            if isinstance(target, MaskedWord):
                return self._guess(target)
            if isinstance(target, NextWord | WrittenSpan):
                asked = _counted_from(target, self._offset)
                tokens = self.tokens[self._offset :]
                return asked_for(self._loaded, asked, self._written_ids, tokens, self._likeliest)
            if target.label is not None:
                return target.label
            return int(self._call(self._inputs).logits[0].argmax())

    def _rows_of(self, target: Target) -> list[int]:
        """The positions whose vectors the target is made of."""
        if isinstance(target, ClassScore):
            return self._rows_read() if self._loaded.form == "text" else []
        return list(self._kept) if self._kept else list(range(len(self.tokens)))

    def _rows_read(self) -> list[int]:
        """The positions that the head reads: those whose last vector the class changes with.

        Measured, so that it holds for every head: the first token of BERT, the last of a decoder,
        the mean of a ModernBERT that is made so.
        """
        kept: list[Any] = []
        network = self._loaded.network
        hook = network.register_forward_hook(lambda _m, _inputs, out: kept.append(out))
        try:
            with word_vectors(network, self._inputs["input_ids"]):  # so that gradients are kept
                value = self._number(self._call(self._inputs), [()], _NO_MASK).sum()
        finally:
            hook.remove()
        vectors = kept[-1][0]
        if vectors.dim() != 3 or vectors.shape[1] != len(self.tokens) or not vectors.requires_grad:
            return []
        with failing(self.model):
            (slope,) = torch.autograd.grad(value, vectors, allow_unused=True)
        return [] if slope is None else slope[0].abs().sum(-1).nonzero()[:, 0].tolist()

    def _guess(self, target: MaskedWord) -> int:
        if target.guess is None:
            return int(self._own_ids[0, self.at])
        return token_of(self._loaded, target.guess)

    def _likeliest(self, at: int) -> int:
        """The likeliest token after a position."""
        inputs = self._inputs
        if self._offset:
            inputs, _ = in_two(inputs, [()], 0)
        options = {"logits_to_keep": torch.tensor([at])} if keeps_some(self._model) else {}
        logits = self._call(inputs, **options).logits[0]
        return int(logits[0 if options else at].argmax())

    @property
    def _written_ids(self) -> list[int]:
        """The numbers of the tokens that are predicted one after the other."""
        found: list[int] = self._inputs["input_ids"][0, self._offset :].tolist()
        return found

    def _mask(self) -> None:
        ids = self._inputs["input_ids"].clone()
        ids[0, self.at] = self._loaded.tokenizer.mask_token_id
        self._inputs["input_ids"] = ids

    def _check(self, target: Target) -> None:
        """Refuse a target that this text does not have."""
        name = self.model
        if isinstance(target, ClassScore):
            n_classes = self._loaded.whole.config.num_labels
            if target.label is not None and target.label >= n_classes:
                raise ExplorerError(
                    t("{name} has the classes 0 to {value}.", name=name, value=n_classes - 1)
                )
        at = self.at
        if at is not None and at >= len(self.tokens):
            raise ExplorerError(
                t(
                    "There is no token {at}: this text has the tokens 0 to {value}.",
                    at=at,
                    value=len(self.tokens) - 1,
                )
            )
        if isinstance(target, MaskedWord) and at is not None and self.tokens[at].special:
            raise ExplorerError(t("Choose a word to mask; special tokens stay."))

    def _name_of(self, target: Target) -> str:
        if isinstance(target, Likeness):
            other = target.other if len(target.other) <= 60 else target.other[:59] + "…"
            if target.first:
                return t(
                    "cosine of the text’s first token’s vector and that of “{other}”", other=other
                )
            return t("cosine of the text’s mean vector and that of “{other}”", other=other)
        if isinstance(target, OutputVector):
            token = self.tokens[self.at or 0].text
            return t(
                "length of the output vector of “{token}” (token {at})", token=token, at=self.at
            )
        if isinstance(self._reference, Predicted):
            tokens = self.tokens[self._offset :]
            return name_of(self._loaded, self._reference, self._written_ids, tokens, self._offset)
        guessed = self._names_of([self._reference])[0]
        if isinstance(target, MaskedWord):
            return t(
                "probability of “{guessed}” at the masked token {at}", guessed=guessed, at=self.at
            )
        return t("logit of the class “{guessed}”", guessed=guessed)

    def _names_of(self, ids: Sequence[int]) -> list[str]:
        if isinstance(self._target, ClassScore):
            labels = self._loaded.whole.config.id2label
            return [str(labels.get(i, i)) for i in ids]
        if isinstance(self._reference, Predicted):
            before = self._written_ids[: self._reference.rows[0] + 1]
            return [text_of(self._loaded.tokenizer, before, i).removeprefix("␣") for i in ids]
        pieces = pieces_of(self._loaded.tokenizer, ids)
        return [piece.lstrip("Ġ▁") or "␣" for piece in pieces]


def along_the_way(
    start: Tensor,
    end: Tensor,
    value: float,
    with_vectors: Callable[[Tensor], Tensor],
    batch: int,
    report: Report,
) -> IntegratedGradients:
    """Integrated gradients between two texts, along 50 Gauss–Legendre steps.

    Args:
        start: The vectors of the words at the start, ``[1, token, d]``.
        end: Those at the end.
        value: The target there.
        with_vectors: The target of texts with such vectors, ``[text]``.
        batch: How many texts are read at once.
        report: Told how much is done; may raise to end it.
    """
    places, shares = np.polynomial.legendre.leggauss(_IG_STEPS)
    steps = torch.tensor((places + 1) / 2, dtype=start.dtype)[:, None, None]
    shares = torch.tensor(shares / 2)[:, None, None]
    total = torch.zeros(start.shape[1:], dtype=torch.float64)
    for first in range(0, _IG_STEPS, batch):
        report(first / _IG_STEPS)
        some = slice(first, first + batch)
        vectors = (start + steps[some] * (end - start)).requires_grad_()
        (slope,) = torch.autograd.grad(with_vectors(vectors).sum(), vectors)
        total += (shares[some] * slope.double()).sum(0)
    with torch.no_grad():
        change = value - float(with_vectors(start)[0])
    scores = (total * (end - start)[0].double()).sum(-1).numpy()
    return IntegratedGradients(scores, abs(float(scores.sum()) - change), change)


ANSWERS = t(
    "The trained layer answers the questions of its own task, and its "
    "answer at a token is all that can be explained of it. Ask for “an "
    "answer”, or choose BERT or another model under Model, then press Run."
)
_WEIGHTS = {"output_attentions": True}
_NO_MASK = torch.ones(1, 1)  # a class is made of no mean that we would take


@dataclass(frozen=True)
class _Question:
    """What is missing: positions that are taken away in some way, and heads that are off."""

    removed: frozenset[int] = frozenset()
    how: How = "replace"
    off: frozenset[HeadName] = frozenset()


@dataclass(frozen=True, eq=False)
class _Variant:
    """A text as a question changes it.

    Attributes:
        inputs: What the model is called with, ``[token]`` each.
        rows: Where the positions now stand whose vectors the target is made of; none if it is made
            of no single ones.
        off: The heads that are off, bool ``[layer, head]``; None if none is.
        cut: The edges that are cut in every layer, bool ``[query, key]``; None if none is.
        kept: The positions that are left where some were dropped; None where none was.
    """

    inputs: dict[str, Tensor]
    rows: tuple[int, ...]
    off: Tensor | None
    cut: Tensor | None
    kept: list[int] | None


def _stacked_cuts(variants: Sequence[_Variant], edited: Tensor | None, n: int) -> Tensor:
    """The edges of one layer that are cut in each text, bool ``[text, head or 1, query, key]``.

    Args:
        variants: The texts; where tokens were dropped, the edges of the others move with them.
        edited: What is cut in any case in the text as it is, ``[head or 1, query, key]``.
        n: The length of the longest.
    """
    heads = 1 if edited is None else len(edited)
    found = torch.zeros((len(variants), heads, n, n), dtype=torch.bool)
    for into, variant in zip(found, variants, strict=True):
        if edited is not None:
            left = variant.kept
            part = edited if left is None else edited[:, left][:, :, left]
            into[:, : part.shape[1], : part.shape[2]] = part
        if variant.cut is not None:
            into |= variant.cut
    return found


def _stacked(variants: Sequence[_Variant], pad: int) -> dict[str, Tensor]:
    """Some texts as one batch, shorter ones padded at the end."""
    return {
        name: torch.nn.utils.rnn.pad_sequence(
            [variant.inputs[name] for variant in variants],
            batch_first=True,
            padding_value=pad if name == "input_ids" else 0,
        )
        for name in variants[0].inputs
    }


def _finite(values: Doubles) -> Doubles:
    """The values, if they are numbers.

    Raises:
        ExplorerError: They are not.
    """
    if not np.isfinite(values).all():
        raise ExplorerError(
            t(
                "The model’s output is not a number (NaN or infinite) for this text. "
                "Its weights are probably damaged: try another model."
            )
        )
    return values


def _stand_in(tokenizer: Any) -> tuple[str | None, int | None]:
    """The token that stands in the place of a word that is taken away, and its number."""
    for kind in ("mask", "unk", "eos", "bos", "pad"):
        number = getattr(tokenizer, f"{kind}_token_id", None)
        if type(number) is int:
            return str(getattr(tokenizer, f"{kind}_token")), number
    return None, None


def _where(name: str, rows: Sequence[int], tokens: Sequence[Token]) -> str:
    """Where the head reads, and so where attention is read."""
    if not rows:
        return t(
            "It cannot be said at which tokens the head of {name} reads: this class"
            " does not change with the last vector of any. So no attention is read.",
            name=name,
        )
    if len(rows) == 1:
        return t(
            "The head reads the vector of “{text}” (token {rows}): attention is read there.",
            text=tokens[rows[0]].text,
            rows=rows[0],
        )
    if len(rows) == len(tokens):
        return t("The head reads the vectors of all tokens: attention is read as a mean over them.")
    return t(
        "The head reads the vectors of {n} of the tokens: attention is read as a mean over them.",
        n=len(rows),
    )


def _counted_from(target: NextWord | WrittenSpan, offset: int) -> NextWord | WrittenSpan:
    """A target whose positions are counted from the start of what is written.

    Raises:
        ExplorerError: It stands in the text that is read, where nothing is written.
    """
    first = target.start if isinstance(target, WrittenSpan) else target.at
    if first is not None and first < offset:
        raise ExplorerError(
            t(
                "The tokens 0 to {value} are those of the text that is read, and what "
                "is written stands behind them: choose one of the second text.",
                value=offset - 1,
            )
        )
    if isinstance(target, WrittenSpan):
        return replace(target, start=target.start - offset, end=target.end - offset)
    return target if target.at is None else replace(target, at=target.at - offset)


def _placed(target: Target, tokens: Sequence[Token]) -> Target:
    """The target at a token: where it names none, at the first of the longest words."""
    if not isinstance(target, MaskedWord | OutputVector) or target.at is not None:
        return target
    ordinary = [i for i, token in enumerate(tokens) if not token.special]
    longest = max(ordinary, key=lambda i: sum(map(str.isalpha, tokens[i].text)), default=0)
    return replace(target, at=longest)


def check_kind(loaded: LoadedModel, target: Target) -> None:
    """Refuse a target that a model does not have, whatever the text.

    Raises:
        ExplorerError: It does not have it.
    """
    name, predicts = loaded.info.name, loaded.predicts
    if loaded.form == "pair" and predicts == "class" and not isinstance(target, ClassScore):
        raise ExplorerError(
            t(
                "{name} is an encoder-decoder that chooses between classes: on this "
                "page its class can be explained, and nothing else of it. Choose “a "
                "class” under Explain.",
                name=name,
            )
        )
    if isinstance(target, MaskedWord):
        if predicts != "word":
            raise ExplorerError(_no_words(loaded))
        if loaded.tokenizer.mask_token_id is None:
            raise ExplorerError(
                t("The tokenizer of {name} has no [MASK], so no word can be masked.", name=name)
            )
    if isinstance(target, NextWord | WrittenSpan):
        check_predicts(loaded)
    elif loaded.form == "pair" and predicts != "class":
        raise ExplorerError(
            t(
                "{name} is an encoder-decoder: on this page the next word that it "
                "writes can be explained, and nothing else of it. Choose “the next "
                "word” under Explain.",
                name=name,
            )
        )
    if isinstance(target, ClassScore) and predicts != "class":
        raise ExplorerError(t("{name} has no head that chooses between classes.", name=name))


def _no_words(loaded: LoadedModel) -> str:
    """Why no masked word can be guessed."""
    # Not above: two threads that import it at once by different ways break each other's import.
    from transformers import MODEL_FOR_CAUSAL_LM_MAPPING, MODEL_FOR_MASKED_LM_MAPPING

    name, kind = loaded.info.name, type(loaded.network.config)
    instead = t("Choose another target, or a model such as google-bert/bert-base-uncased.")
    if loaded.predicts == "class":
        return t(
            "{name} chooses between classes, so it guesses no masked word. {instead}",
            name=name,
            instead=instead,
        )
    decodes = kind in MODEL_FOR_CAUSAL_LM_MAPPING and kind not in MODEL_FOR_MASKED_LM_MAPPING
    if decodes and loaded.tokenizer.mask_token_id is None:
        return t(
            "{name} is of a family that predicts the next word from those before "
            "it, so it guesses no word in the middle that is masked. {instead}",
            name=name,
            instead=instead,
        )
    return t(
        "{name} has no head that predicts masked words, so none can be guessed. {instead}",
        name=name,
        instead=instead,
    )


def intervention(
    run: Run, target: Target, progress: Progress = silent, neutral: str | None = None
) -> "Intervention | Answering":
    """A run's model and text, ready to be asked about a target.

    Args:
        run: The run.
        target: The target.
        progress: Told what is being done.
        neutral: The token that stands in for a word that is taken away, where the reader chose it.

    Raises:
        ExplorerError: The run's source is no model with an output, or has no such target.
    """
    if isinstance(run.source, Trained) and isinstance(target, NextWord):
        from explorer.sources.answering import Answering

        return Answering(run, target, progress, neutral)
    loaded = load_model(model_with_output(run), progress)
    return Intervention(loaded, run, target, neutral, progress)


def model_with_output(run: Run) -> Model | InMemory:
    """The model of a run, which has an output to explain.

    Raises:
        ExplorerError: Its source has none.
    """
    run.check_is_for_a_model()
    if isinstance(run.source, Trained):
        raise ExplorerError(ANSWERS)
    model = model_of(run.source)
    if model is None or isinstance(run.source, Transplanted):
        raise ExplorerError(
            t(
                "The from-scratch layer predicts nothing, so there is no output to "
                "explain. Choose BERT or another model under Model, then press Run."
            )
        )
    return model
