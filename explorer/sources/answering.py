"""The layer trained on a task, before a sequence, to be asked what its answer depends on.

What `Intervention` is to models of Transformers. Here the truth is known: the task says at which
tokens an answer is to be found.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.activations import Activations
from explorer.errors import ExplorerError
from explorer.headname import head_name
from explorer.language import t
from explorer.lesson import Trained
from explorer.residual import Norm
from explorer.run import Run
from explorer.scratch.nextword import LittleStories, course_of
from explorer.scratch.tasks import BLANK, START
from explorer.scratch.training import Learner, learner_at
from explorer.sources.intervention import (
    Baseline,
    Doubles,
    HeadName,
    IntegratedGradients,
    Report,
    Slopes,
    along_the_way,
)
from explorer.sources.progress import Progress
from explorer.sources.trained import learned, read_tokens
from explorer.sources.truths import of_story
from explorer.target import How, NextWord
from explorer.trace import ModelInfo, Token

_BATCH = 32  # sequences that go through the layer at once


class Answering:
    """A sequence before a trained layer, and the answer at one of its tokens.

    The attributes are those of `Intervention`.

    Raises:
        ExplorerError: The text is no sequence of the task, or nothing is asked there.
    """

    def __init__(self, run: Run, target: NextWord, progress: Progress, neutral: str | None) -> None:
        assert isinstance(run.source, Trained)
        self._lesson = lesson = run.source
        self._course = course = course_of(lesson)
        self.tokens: tuple[Token, ...] = read_tokens(lesson, run.texts)[0]
        self._learner: Learner = learner_at(lesson, learned(lesson, progress)[1])
        self.model: str = t("the layer trained on “{task}”", task=lesson.task)
        self._ids = torch.tensor([course.numbers[token.text] for token in self.tokens])
        self._right = course.right(self._ids).tolist()
        self.at: int | None = self._placed(target.at)
        self._target = target
        self.rows = [self.at]
        self.replacement: str | None = None
        if neutral is not None:
            self.replacement = self._symbol(neutral)
        self.numbers = tuple(range(lesson.n_layers or 1))
        last = self.at if course.causal else len(self.tokens) - 1
        self.removable = [
            i for i, t in enumerate(self.tokens[: last + 1]) if not t.special and i != self.at
        ]
        if not self.removable:
            raise ExplorerError(t("There is no other token that could be taken away: type more."))
        logits = self._through([self._ids])[0][0, self.at].detach()
        self._guess = self._number(target.guess, logits)
        self._other = None if target.other is None else self._number(target.other, logits)
        self.value = self.plain = float(self._of(logits[None])[0])
        self.name: str = self._named()
        self.deciding, self.decided = self._known(run)

    @property
    def ways(self) -> tuple[How, ...]:
        """The ways in which tokens can be taken away, the usual one first."""
        return ("cut", "drop", *(("replace",) if self.replacement else ()))

    @property
    def baselines(self) -> Mapping[Baseline, str]:
        """The token that integrated gradients can start from: the reader's own."""
        return {"mask": self.replacement} if self.replacement else {}

    def notes(self, how: How) -> tuple[str, ...]:
        """What a reader must know of how tokens go."""
        found = []
        if how == "cut":
            who = t("no later token") if self._course.causal else t("no other token")
            found.append(
                t(
                    "A token that is taken away stays where it is, and {who} may look at "
                    "it, in any head of any layer.",
                    who=who,
                )
            )
        if how == "drop":
            found.append(t("Where a token is dropped, those behind it move one place to the left."))
        if not self.replacement:
            found.append(
                t(
                    "The layer knows no token that means nothing. Under “How words go” one "
                    "of its own can be chosen, which then stands in the place of another."
                )
            )
        return tuple(found)

    # — what is asked —

    def without(
        self, removed: Sequence[Collection[int]], how: How, report: Report = lambda share: None
    ) -> Doubles:
        """The target with some positions gone, as `Intervention.without`."""
        found = []
        for done, gone in enumerate(removed):
            report(done / len(removed))
            found.append(self._value(frozenset(gone), how))
        return np.array(found)

    def heads_off(
        self, switched: Sequence[Collection[HeadName]], report: Report = lambda share: None
    ) -> Doubles:
        """The target with some heads off, as `Intervention.heads_off`."""
        found = []
        for done, off in enumerate(switched):
            report(done / len(switched))
            found.append(self._value(off=off))
        return np.array(found)

    def weights(self) -> Any:
        """The attention weights, ``[layer, head, query, key]``."""
        with torch.inference_mode():
            return torch.cat(self._through([self._ids])[1]).numpy()

    def slopes(self) -> Slopes:
        """The target's gradients, by torch's autograd."""
        vectors = self._looked_up(self._ids).requires_grad_()
        logits, weights = self._through([self._ids], vectors=vectors[None])
        value = self._of(logits[:, self._row]).sum()
        slope, *of_attention = (
            torch.zeros_like(x) if g is None else g
            for g, x in zip(
                torch.autograd.grad(value, [vectors, *weights], allow_unused=True),
                [vectors, *weights],
                strict=True,
            )
        )
        return Slopes(
            torch.cat(weights).detach().numpy(),
            torch.cat(of_attention).numpy(),
            "",
            slope.double().norm(dim=-1).numpy(),
            (slope.double() * vectors.detach().double()).sum(-1).numpy(),
        )

    def activations(self) -> Activations:
        """What attention moves from each token to each."""
        read: list[Tensor] = []
        with torch.inference_mode():
            _, weights = self._through([self._ids], read=read)
            encoder = self._learner.encoder
            layers: list[Any] = list(encoder.layers)
            values = [layer.W_V(x)[0] for layer, x in zip(layers, read[::2], strict=True)]
            sums = [x[0].double().numpy() for x in read[1::2]]
            outputs = [norm(x)[0] for norm, x in zip(encoder.norms, read[1::2], strict=True)]
        heads = layers[0].n_heads
        return Activations(
            model=self._info(),
            tokens=self.tokens,
            weights=torch.cat(weights).numpy(),
            inputs=torch.cat(read[::2]).numpy(),
            values=torch.stack(
                [v.unflatten(-1, (heads, -1)).transpose(0, 1) for v in values]
            ).numpy(),
            w_o=torch.stack([layer.o.weight.detach() for layer in layers]).numpy(),
            added=(None,) * len(layers),
            joined=tuple(_norm(n, x) for n, x in zip(encoder.norms, sums, strict=True)),
            outputs=torch.stack(outputs).numpy(),
        )

    def integrated_gradients(
        self, baseline: Baseline, report: Report = lambda share: None
    ) -> IntegratedGradients:
        """Integrated gradients, as `Intervention.integrated_gradients`."""
        if baseline not in self.baselines:
            raise ExplorerError(
                t(
                    "the layer knows no token that means nothing, so there is no text to "
                    "start from; choose one under “How words go”."
                )
                if baseline == "mask"
                else t("the layer knows no padding.")
            )
        blank = self._ids.clone()
        blank[self.removable] = self._course.numbers[self.replacement or ""]
        start, end = self._looked_up(blank)[None], self._looked_up(self._ids)[None]

        def with_vectors(vectors: Tensor) -> Tensor:
            logits, _ = self._through([self._ids] * len(vectors), vectors=vectors)
            return self._of(logits[:, self._row])

        return along_the_way(start, end, self.value, with_vectors, _BATCH, report)

    def changed(
        self, off: Collection[HeadName] = (), removed: Collection[int] = (), how: How = "cut"
    ) -> float:
        """The target with some heads off and some positions gone, both at once."""
        return self._value(frozenset(removed) & frozenset(self.removable), how, off)

    def predictions(
        self,
        off: Collection[HeadName] = (),
        removed: Collection[int] = (),
        how: How = "cut",
        count: int = 10,
        *,
        edited: bool = True,
    ) -> list[tuple[str, float]]:
        """The likeliest answers with their probabilities; nothing is ever edited here."""
        gone = frozenset(removed) & frozenset(self.removable)
        chances = self._logits(gone, how, off).softmax(-1)
        top = chances.topk(min(count, len(chances)))
        names = [self._course.answers[i] for i in top.indices.tolist()]
        return list(zip(names, top.values.tolist(), strict=True))

    # — how it is answered —

    @property
    def _row(self) -> int:
        assert self.at is not None
        return self.at

    def _value(
        self,
        removed: frozenset[int] = frozenset(),
        how: How = "cut",
        off: Collection[HeadName] = (),
    ) -> float:
        return float(self._of(self._logits(removed, how, off)[None])[0])

    def _logits(self, removed: frozenset[int], how: How, off: Collection[HeadName]) -> Tensor:
        """The scores of all answers at the row, ``[answer]``, float64."""
        ids, row, cut = self._ids, self._row, None
        if removed and how == "replace":
            if not self.replacement:
                raise ExplorerError(t("No token was chosen to stand in the place of another."))
            ids = ids.clone()
            ids[list(removed)] = self._course.numbers[self.replacement]
        if removed and how == "drop":
            kept = [i for i in range(len(ids)) if i not in removed]
            ids, row = ids[kept], kept.index(row)
        if removed and how == "cut":
            cut = torch.zeros(len(ids), len(ids), dtype=torch.bool)
            cut[:, list(removed)] = True
            cut.fill_diagonal_(fill_value=False)
        self._check(off)
        with torch.inference_mode():
            logits, _ = self._through([ids], cut=cut, off=off)
        return logits[0, row].double()

    def _through(
        self,
        ids: Sequence[Tensor],
        *,
        vectors: Tensor | None = None,
        cut: Tensor | None = None,
        off: Collection[HeadName] = (),
        read: list[Tensor] | None = None,
    ) -> tuple[Tensor, list[Tensor]]:
        """Run the layers on sequences of one length.

        Args:
            ids: Their token numbers.
            vectors: What stands in the place of the words' vectors, ``[sequence, token, d]``.
            cut: Edges that no head may use, ``[query, key]``.
            off: Heads that are off.
            read: Given what each layer reads, and what its LayerNorm does.

        Returns:
            Scores ``[sequence, token, answer]``, and of each layer its weights
            ``[sequence, head, query, key]``.
        """
        learner = self._learner
        x = learner.tokens(torch.stack(list(ids))) if vectors is None else vectors
        x = x + learner.positions.weight[: x.shape[1]]
        mask = None if cut is None else ~cut
        found = []
        for i, (layer, norm) in enumerate(
            zip(learner.encoder.layers, learner.encoder.norms, strict=True)
        ):
            hook = _switched_off(layer, [head for at, head in off if at == i])
            try:
                out, weights = layer(
                    *(x, x, x, mask), causal=self._course.causal, return_weights=True
                )
            finally:
                hook.remove()
            if read is not None:
                read += [x, x + out]
            x = norm(x + out)
            found.append(weights)
        return learner.readout(x), found

    def _looked_up(self, ids: Tensor) -> Tensor:
        with torch.no_grad():
            found: Tensor = self._learner.tokens(ids)
        return found.clone()

    def _of(self, logits: Tensor) -> Tensor:
        """The target, from the scores of all answers ``[…, answer]``."""
        logits = logits.double()
        if self._other is not None:
            return logits[..., self._guess] - logits[..., self._other]
        if self._target.logit:
            return logits[..., self._guess]
        return logits.softmax(-1)[..., self._guess]

    def _check(self, off: Collection[HeadName]) -> None:
        for layer, head in off:
            if layer not in self.numbers or not 0 <= head < (self._lesson.n_heads or 1):
                raise ExplorerError(
                    t(
                        "{model} has no head {layer}.",
                        model=self.model,
                        layer=head_name(layer, head),
                    )
                )

    def _placed(self, at: int | None) -> int:
        """The token at which the answer is asked for: where none is named, the last with one."""
        if at is not None and at >= len(self.tokens):
            raise ExplorerError(
                t(
                    "There is no token {at}: this sequence has the tokens 0 to {value}.",
                    at=at,
                    value=len(self.tokens) - 1,
                )
            )
        asked = [i for i, answer in enumerate(self._right) if answer != BLANK]
        return at if at is not None else asked[-1] if asked else len(self.tokens) - 1

    def _number(self, guess: str | None, logits: Tensor) -> int:
        """The answer that is meant: the right one, where none is named and one is known."""
        if guess is None:
            right = self._right[self._row]
            return int(logits.argmax()) if right == BLANK else int(right)
        found = self._course.spelled(guess.strip() or guess)
        if found not in self._course.answers:
            some = ", ".join(self._course.answers[:12])
            raise ExplorerError(
                t(
                    "“{guess}” is no answer of this task; there are {some}.",
                    guess=guess[:40],
                    some=some,
                )
            )
        return self._course.answers.index(found)

    def _symbol(self, neutral: str) -> str:
        found = self._course.spelled(neutral)
        if found not in self._course.vocabulary or found == START:
            raise ExplorerError(
                t(
                    "“{neutral}” is no token of this task. It knows {known}.",
                    neutral=neutral[:40],
                    known=self._course.known(),
                )
            )
        return found

    def _named(self) -> str:
        right = self._right[self._row]
        answer = self._course.answers[self._guess]
        told = t(", which is right,") if right == self._guess else ""
        where = t("at “{text}” (token {at})", text=self.tokens[self._row].text, at=self.at)
        if self._other is not None:
            other = self._course.answers[self._other]
            return t(
                "logit of the answer “{answer}”{told} less that of “{other}” {where}",
                answer=answer,
                told=told,
                other=other,
                where=where,
            )
        kind = "logit" if self._target.logit else "probability"
        return t(
            "{kind} of the answer “{answer}”{told} {where}",
            kind=kind,
            answer=answer,
            told=told,
            where=where,
        )

    def _known(self, run: Run) -> tuple[tuple[int, ...], str]:
        """The tokens at which the task says that the answer is to be found."""
        answer = self._course.answers[self._guess]
        if isinstance(self._course, LittleStories):
            words = [token.text for token in self.tokens[1 : self._row + 1]]
            return of_story(self._course.grammar, words, answer)
        if self._guess != self._right[self._row]:
            return (), ""
        for pattern in reversed(self._course.patterns(self._ids)):
            places = tuple(i for i in pattern.wanted[self._row].nonzero()[:, 0].tolist())
            if set(places) & set(self.removable):
                says = t("The task finds “{answer}” at {name}", answer=answer, name=pattern.name)
                return tuple(i for i in places if i in self.removable), says
        return (), ""

    def _info(self) -> ModelInfo:
        lesson = self._lesson
        sizes = (lesson.n_layers or 1, lesson.n_heads or 1, lesson.d_model)
        return ModelInfo(self.model, None, *sizes, len(self._learner.positions.weight))


def _norm(module: Any, read: Doubles) -> Norm:
    """A LayerNorm with what it divides by kept as it is."""
    gain, shift = (p.detach().double().numpy() for p in (module.weight, module.bias))
    return Norm(gain, shift, True, np.sqrt(read.var(-1) + module.eps))


def _switched_off(layer: Any, heads: Sequence[int]) -> Any:
    """A hook that makes the part of some heads in their joined outputs zero."""

    def switch(_module: object, given: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
        if not heads:
            return None
        wide = given[0].unflatten(-1, (layer.n_heads, -1)).clone()
        wide[..., list(heads), :] = 0
        return (wide.flatten(-2),)

    return layer.o.register_forward_pre_hook(switch)
