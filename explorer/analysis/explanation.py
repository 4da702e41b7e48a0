"""One output, explained by every method side by side, and each held against measured removal."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

import numpy as np

from explorer.activations import MOST_MAPS, Activations
from explorer.analysis.agreement import RankAgreement, rank_agreement
from explorer.analysis.alti import MOST_PRODUCTS, alti, alti_rollout
from explorer.analysis.flow import MOST_PIPES, attention_flow
from explorer.analysis.gradients import head_importance, relevance
from explorer.analysis.norms import layer_norms
from explorer.analysis.pointing import Pointing, pointing
from explorer.analysis.profiles import Doubles
from explorer.analysis.removal import Curves, curve_steps
from explorer.analysis.rollout import MOST_WHOLE, attention_rollout
from explorer.errors import ExplorerError
from explorer.language import Said, one_behind_the_other, sentences, t, tn
from explorer.once import once
from explorer.target import How
from explorer.trace import Token, Weights

Report = Callable[[str, float | None], None]
MOST_FLOWS = 1600  # maximum flows that are computed unasked, some seconds


class Asked(Protocol):
    """A model before a text, as `explorer.sources.intervention.Intervention` is."""

    model: str
    tokens: tuple[Token, ...]
    name: str
    value: float
    plain: float
    rows: list[int]
    at: int | None
    removable: list[int]
    replacement: str | None
    numbers: tuple[int, ...]
    deciding: tuple[int, ...]
    decided: str

    @property
    def ways(self) -> tuple[How, ...]: ...

    @property
    def baselines(self) -> Mapping[Literal["pad", "mask"], str]: ...

    def notes(self, how: How) -> tuple[str, ...]: ...

    def without(
        self, removed: Sequence[Collection[int]], how: How, report: Callable[[float], None] = ...
    ) -> Doubles: ...

    def heads_off(
        self,
        switched: Sequence[Collection[tuple[int, int]]],
        report: Callable[[float], None] = ...,
    ) -> Doubles: ...

    def weights(self) -> Weights: ...

    def slopes(self) -> Any: ...

    def activations(self) -> Activations: ...

    def integrated_gradients(
        self, baseline: Literal["pad", "mask"], report: Callable[[float], None] = ...
    ) -> Any: ...


@dataclass(frozen=True)
class Method:
    """A way to score tokens.

    Attributes:
        key: Its short name.
        name: Its name in the papers.
        paper: Authors and year.
        caveat: What it assumes and what it leaves out, in two sentences.
        signed: Whether a score below 0 means that the token works against the target.
        limit: Up to which length it goes, in a sentence, where it ends before the model does.
    """

    key: str
    name: Said
    paper: str
    caveat: Said
    signed: bool = False
    limit: str = ""


_UP_TO = t("Goes as far as {sizes} × tokens² is at most {most}.")
_LAYERS = t("layers")
_MAPS = _UP_TO.format(sizes=t("layers × heads"), most=f"{MOST_MAPS:,}")
_PRODUCTS = _UP_TO.format(sizes=t("layers × heads × width of the model"), most=f"{MOST_PRODUCTS:,}")

METHODS = (
    Method(
        "attention",
        t("attention, last layer"),
        "Jain & Wallace 2019; Wiegreffe & Pinter 2019",
        t(
            "Takes the weight for the contribution, and the vector at a position for the token "
            "that stood there. Leaves out the values, the residual connection and all layers "
            "below; special tokens soak up most of it."
        ),
    ),
    Method(
        "attention_all",
        t("attention, mean of all layers"),
        "Clark et al. 2019",
        t(
            "Takes every layer’s weights for equally telling. Leaves out the values, the residual "
            "connection and how layers build on one another."
        ),
    ),
    Method(
        "rollout",
        t("attention rollout"),
        "Abnar & Zuidema 2020",
        t(
            "Assumes that half of each vector is its own residual and that what is moved is as "
            "long as its weight. Leaves out the values, the feed-forward network and which head"
            " it was."
        ),
        limit=_UP_TO.format(sizes=_LAYERS, most=f"{MOST_WHOLE:,}"),
    ),
    Method(
        "flow",
        t("attention flow"),
        "Abnar & Zuidema 2020",
        t(
            "Takes weights for the width of pipes and asks for the most that could run through."
            " With several layers it is mostly the first layer’s pipes that decide, so rows "
            "look alike."
        ),
        limit=_UP_TO.format(sizes=_LAYERS, most=f"{MOST_PIPES:,}"),
    ),
    Method(
        "norms",
        t("norm-weighted attention, last layer (Attn-N)"),
        "Kobayashi et al. 2020",
        t(
            "Weighs the attention by the length of the values that it really moves. Leaves out the "
            "residual connection, which carries most of a vector, and all layers below."
        ),
        limit=_MAPS,
    ),
    Method(
        "norms_residual",
        t("the same with residual (AttnRes-N)"),
        "Kobayashi et al. 2021",
        t(
            "Adds what each position keeps of itself. Leaves out a LayerNorm behind it, in which "
            "direction a part points, and all layers below."
        ),
        limit=_MAPS,
    ),
    Method(
        "norms_layer_norm",
        t("the same with residual and LayerNorm (AttnResLn-N)"),
        "Kobayashi et al. 2021",
        t(
            "Weighs what is moved and what is kept as the LayerNorm lets it through. Leaves out in "
            "which direction a part points and all layers below."
        ),
        limit=_MAPS,
    ),
    Method(
        "alti",
        t("ALTI"),
        "Ferrando et al. 2022",
        t(
            "Asks how near each token’s part comes to the attention block’s output, layer after"
            " layer. Describes the vector and not the prediction; leaves out the feed-forward "
            "network."
        ),
        limit=_PRODUCTS,
    ),
    Method(
        "relevance",
        t("gradient × attention relevance"),
        "Chefer et al. 2021",
        t(
            "Follows the positive part of attention times its gradient through the layers. "
            "Leaves out what works against the target, and what gradients do not see: larger "
            "changes."
        ),
    ),
    Method(
        "gradient",
        t("gradient norm"),
        "Simonyan et al. 2014",
        t(
            "How fast the target changes with the token’s embedding, in any direction. True for "
            "infinitely small changes only, and blind to whether they help or hinder."
        ),
    ),
    Method(
        "gradient_input",
        t("gradient × input"),
        "Shrikumar et al. 2017",
        t(
            "How the target would change, were the embedding to shrink, if it went on in a "
            "straight line. The model is no straight line."
        ),
        signed=True,
    ),
    Method(
        "integrated_pad",
        t("integrated gradients, baseline {pad}", pad="[PAD]"),
        "Sundararajan et al. 2017",
        t(
            "Adds gradients up along the way from a text of {pad} to this one; the scores sum "
            "to the change of the target. The way leads through texts that the model never saw,"
            " and another baseline gives other scores.",
            pad="[PAD]",
        ),
        signed=True,
    ),
    Method(
        "integrated_mask",
        t("integrated gradients, baseline {mask}", mask="[MASK]"),
        "Sundararajan et al. 2017",
        t(
            "The same along the way from a text of {mask}. Offered beside the other, because "
            "the two differ.",
            mask="[MASK]",
        ),
        signed=True,
    ),
)


def _named(*keys: str) -> list[Method]:
    return [method for key in keys for method in METHODS if method.key == key]


# In the order in which they are computed: first what needs one run of the model, or one and its
# gradients. Then, each with the share of the work at which it begins and ends, what needs vectors
# or many runs, and what may take longest.
AT_ONCE = _named("attention", "attention_all", "rollout")
BY_GRADIENTS = _named("relevance", "gradient", "gradient_input")
MODERATE = [
    (method, 0.02 + 0.02 * i, 0.04 + 0.02 * i)
    for i, method in enumerate(_named("norms", "norms_residual", "norms_layer_norm", "alti"))
]
SLOW = [
    (method, 0.1 + 0.1 * i, 0.2 + 0.1 * i)
    for i, method in enumerate(_named("integrated_pad", "integrated_mask", "flow"))
]


@dataclass(frozen=True, eq=False)
class Score:
    """What a method gives to every unit of the text.

    Attributes:
        method: The method.
        values: ``[unit]``; None where the model or the text does not allow it, or not yet.
        reason: Why there are none, or what must be said of them; empty while they are not there.
        agreement: With measured removal: with its size alone where the method knows no sign.
        curves: The target while units go and come in the score's order.
        pointing: How far it points at the units that are known to decide, if any are.
    """

    method: Method
    values: Doubles | None = None
    reason: str = ""
    agreement: RankAgreement | None = None
    curves: Curves | None = None
    pointing: Pointing | None = None

    @property
    def awaited(self) -> bool:
        """Whether it is still to be computed."""
        return self.values is None and not self.reason


@dataclass(frozen=True, eq=False)
class Explanation:
    """A target, and what every method makes of it; while it is computed, as far as it is known.

    Attributes:
        model: The model's name.
        name: The target in words.
        value: The target as it is.
        tokens: The text's tokens.
        units: What is scored and taken away: words or tokens, each by its positions.
        instead: The token that stands where a unit was taken away; None where the gap is closed,
            or the unit stays and is not looked at.
        removal: F − F without the unit, ``[unit]``: above 0 where it supports the target; None
            while it is not measured.
        empty: The target with all units gone; None while it is not measured.
        scores: One for each of `METHODS`.
        head_effects: F with the head off − F, ``[layer, head]``; None where that cannot be.
        importance: Gradient importance of every head, ``[layer, head]``.
        heads_agree: How both rank the heads alike.
        heads_reason: Why no head can be switched off.
        numbers: The model's own numbers of the layers, one for each row of those maps.
        notes: What must be said of this model: how words go, where its head reads.
        stopped: Whether nothing more will come.
        at: The position of the token that the target is about; None if it is about no single one.
        how: How units are taken away.
        plain: The target of the model as it is, where something is changed in its attention.
        deciding: The units that are known to decide; empty where that is not known.
        decided: How that is known, in words.
        points: How far measured removal points at those.
    """

    model: str
    name: str
    value: float
    tokens: tuple[Token, ...]
    units: list[list[int]]
    instead: str | None
    removal: Doubles | None = None
    empty: float | None = None
    scores: list[Score] = field(default_factory=list)
    head_effects: Doubles | None = None
    importance: Doubles | None = None
    heads_agree: RankAgreement | None = None
    heads_reason: str = ""
    numbers: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    stopped: bool = False
    at: int | None = None
    how: How = "replace"
    plain: float | None = None
    deciding: tuple[int, ...] = ()
    decided: str = ""
    points: Pointing | None = None

    @property
    def whole(self) -> bool:
        """Whether all of it is known."""
        return self.removal is not None and all(
            s.curves or (s.values is None and s.reason) for s in self.scores
        )

    @once
    def agreements(self) -> list[list[RankAgreement]]:
        """How any two scores rank the words alike; found once, where it takes its turn."""
        return all_agreements(self)

    def left_off(self) -> "Explanation":
        """The same, with what is missing said to be missing for good."""
        reason = t("it was stopped before its turn came.")
        scores = [replace(s, reason=reason) if s.awaited else s for s in self.scores]
        return replace(self, scores=scores, stopped=True)


def explain(
    asked: Asked,
    *,
    how: How = "replace",
    by_word: bool = True,
    whole_flow: bool = False,
    report: Report = lambda doing, share: None,
    show: Callable[[Explanation], None] = lambda so_far: None,
) -> Explanation:
    """Score a text's words by every method, and measure what their removal does.

    What takes a moment comes first, and is shown at once; each further score as soon as it is
    there; the measured removal, which runs the model for every word, at the end.

    Args:
        asked: The model with its text and target.
        how: How words are taken away, where the model has this way; else the one that it has.
        by_word: Whether the pieces of a word count as one.
        whole_flow: Whether attention flow is computed however long it takes.
        report: Told what is being done; may raise to end it.
        show: Given what is known so far, again and again.
    """
    units = units_of(asked.tokens, asked.removable, by_word)
    how = how if how in asked.ways else asked.ways[0]
    say = _saying(report)
    known = _begun(asked, units, how)
    report(t("Reading the text"), 0)
    found = _Scores(asked, units, whole_flow)
    known = _with(known, *(_scored(found, method) for method in AT_ONCE))
    show(known)
    report(t("Following the gradients"), 0.01)
    known = _head_importance(found, known)
    known = _with(known, *(_scored(found, method) for method in BY_GRADIENTS))
    show(known)
    for method, start, end in (*MODERATE, *SLOW):
        found.report = say(t("Scoring by {name}", name=method.name), start, end)
        found.report(0)
        known = _with(known, _scored(found, method))
        show(known)
    known = _switched(asked, known, say(t("Switching heads off"), 0.4, 0.5))
    show(known)
    known = _measured(asked, known, how, say(t("Taking every word away"), 0.5, 0.7))
    show(known)
    for i, score in enumerate(known.scores):
        doing = t("Taking words away in the order of {name}", name=score.method.name)
        start = 0.7 + 0.3 * i / len(METHODS)
        told = say(doing, start, start + 0.3 / len(METHODS))
        known = _with(known, _curved(asked, score, units, how, told))
        show(known)
    _ = known.agreements  # found now, in turn with others; a page only reads it
    return known


def _begun(asked: Asked, units: list[list[int]], how: How) -> Explanation:
    """An explanation of which no score is known yet; baselines have the names of their tokens."""
    names = asked.baselines

    def spelled(text: Said) -> Said:
        return text.format(pad=names.get("pad", "[PAD]"), mask=names.get("mask", "[MASK]"))

    scores = [Score(replace(m, name=spelled(m.name), caveat=spelled(m.caveat))) for m in METHODS]
    instead = asked.replacement if how == "replace" else None
    about = (asked.model, asked.name, asked.value, asked.tokens)
    return Explanation(
        *about,
        units,
        instead,
        scores=scores,
        notes=asked.notes(how),
        at=asked.at,
        how=how,
        plain=asked.plain if asked.plain != asked.value else None,
        deciding=deciding_units(units, asked.deciding),
        decided=asked.decided,
    )


def deciding_units(units: Sequence[Sequence[int]], deciding: Collection[int]) -> tuple[int, ...]:
    """The units that hold one of some positions."""
    return tuple(u for u, unit in enumerate(units) if not set(deciding).isdisjoint(unit))


def _head_importance(found: "_Scores", known: Explanation) -> Explanation:
    """The same with the gradient importance of each head, or why there is none."""
    try:
        weights, gradients = found.sloping()
    except ExplorerError as error:
        return replace(known, heads_reason=str(error))
    numbers = found.asked.numbers or tuple(range(len(weights)))
    return replace(known, importance=head_importance(weights, gradients), numbers=numbers)


def _switched(asked: Asked, known: Explanation, report: Callable[[float], None]) -> Explanation:
    """The same with what each head does to the target."""
    if known.importance is None:
        return known
    effects, reason = _head_effects(asked, known.numbers, known.importance.shape, report)
    if effects is None:
        return replace(known, heads_reason=reason)
    agree = rank_agreement(known.importance.ravel(), np.abs(effects).ravel())
    return replace(known, head_effects=effects, heads_agree=agree)


def _with(known: Explanation, *more: Score) -> Explanation:
    """The same with some scores more."""
    fresh = {score.method.key: _pointed(score, known.deciding) for score in more}
    scores = [replace(fresh.get(s.method.key, s), method=s.method) for s in known.scores]
    return replace(known, scores=scores)


def _pointed(score: Score, deciding: tuple[int, ...]) -> Score:
    """The score with how far it points at the units that are known to decide."""
    if score.values is None or not deciding:
        return score
    return replace(score, pointing=pointing(score.values, deciding))


def _measured(
    asked: Asked, known: Explanation, how: How, report: Callable[[float], None]
) -> Explanation:
    """The same with what removal does, and how each score agrees with it."""
    gone = asked.without([*known.units, asked.removable], how, report)
    removal = asked.value - gone[:-1]
    scores = [_agreeing(score, removal) for score in known.scores]
    points = pointing(removal, known.deciding) if known.deciding else None
    return replace(known, removal=removal, empty=float(gone[-1]), scores=scores, points=points)


def _agreeing(score: Score, removal: Doubles) -> Score:
    if score.values is None:
        return score
    # A method that knows no sign can only rank how much a word matters, for or against.
    truth = removal if score.method.signed else np.abs(removal)
    return replace(score, agreement=rank_agreement(score.values, truth))


def _curved(
    asked: Asked,
    score: Score,
    units: list[list[int]],
    how: How,
    report: Callable[[float], None],
) -> Score:
    """The score with its curves."""
    if score.values is None:
        return score
    shares, gone, missing = curve_steps(list(score.values))
    choices = [[p for u in chosen for p in units[u]] for chosen in (*gone, *missing)]
    values = asked.without(choices, how, report)
    return replace(score, curves=Curves(shares, values[: len(gone)], values[len(gone) :]))


def units_of(tokens: Sequence[Token], removable: Sequence[int], by_word: bool) -> list[list[int]]:
    """What is taken away at once: each token, or all removable pieces of a word."""
    if not by_word:
        return [[i] for i in removable]
    words: dict[object, list[int]] = {}
    for i in removable:
        token = tokens[i]
        word = ("token", i) if token.word is None else (token.segment, token.word)
        words.setdefault(word, []).append(i)
    return list(words.values())


class _Scores:
    """The scores of all positions, by the methods' short names."""

    def __init__(
        self,
        asked: Asked,
        units: list[list[int]],
        whole_flow: bool,
    ) -> None:
        self.asked, self.units = asked, units
        self.whole_flow = whole_flow
        self.report: Callable[[float], None] = lambda share: None

    @once
    def weights(self) -> Weights:
        return self.asked.weights()

    @once
    def slopes(self) -> Any:
        return self.asked.slopes()

    @once
    def inside(self) -> Activations | str:
        """What attention moves, or why that cannot be had: not tried again for every method."""
        try:
            return self.asked.activations()
        except ExplorerError as error:
            return str(error)

    @property
    def activations(self) -> Activations:
        if isinstance(self.inside, str):
            raise ExplorerError(self.inside)
        return self.inside

    def sloping(self) -> tuple[Weights, Weights]:
        """The weights and the target's gradients with respect to them."""
        slopes = self.slopes
        if slopes.weights is None:
            raise ExplorerError(slopes.reason)
        return slopes.weights, slopes.attention

    def rows(self) -> list[int]:
        """The positions that the target is made of."""
        if not self.asked.rows:
            raise ExplorerError(
                t("it is not known at which tokens the head reads, so not where to read attention.")
            )
        return self.asked.rows

    def read(self, matrix: Doubles) -> Doubles:
        """The scores in a map ``[query, input]``: the mean of the rows of the target."""
        found: Doubles = matrix[self.rows()].mean(axis=0)
        return found

    def attention(self) -> Doubles:
        return self.read(self.weights[-1].mean(axis=0, dtype=np.float64))

    def attention_all(self) -> Doubles:
        return self.read(self.weights.mean(axis=(0, 1), dtype=np.float64))

    def rollout(self) -> Doubles:
        return self.read(attention_rollout(self.weights)[-1])

    def flow(self) -> Doubles:
        rows, weights = self.rows(), self.weights
        flows = len(rows) * len(self.asked.tokens)
        if len(rows) > 1 and flows > MOST_FLOWS and not self.whole_flow:
            raise ExplorerError(
                t(
                    "Not computed yet: for a mean over {n} positions it takes {flows} "
                    "maximum flows. Ask for it under “How words go”.",
                    n=len(rows),
                    flows=f"{flows:,}",
                )
            )
        return attention_flow(weights, queries=rows, report=self.report).mean(axis=0)

    def norms(self) -> Doubles:
        return self.read(layer_norms(self.activations, -1))

    def norms_residual(self) -> Doubles:
        untouched = set(self.rows()).isdisjoint(self.asked.removable)
        if untouched and self.activations.added[-1] is None:
            raise ExplorerError(
                t(
                    "the target is read at a token that is not scored, and the residual "
                    "connection adds to that token alone: the numbers of the line above "
                    "would stand here again."
                )
            )
        return self.read(layer_norms(self.activations, -1, residual=True))

    def norms_layer_norm(self) -> Doubles:
        if self.activations.joined[-1] is None:
            raise ExplorerError(
                t(
                    "in this model the norm stands before the attention, and what is moved "
                    "has come through it; behind the residual connection there is none, so "
                    "what stands above counts all there is."
                )
            )
        return self.read(layer_norms(self.activations, -1, residual=True, layer_norm=True))

    def alti(self) -> Doubles:
        return self.read(alti_rollout(alti(self.activations, self.report))[-1])

    def relevance(self) -> Doubles:
        return self.read(relevance(*self.sloping()))

    def gradient(self) -> Doubles:
        return self.slopes.norm

    def gradient_input(self) -> Doubles:
        return self.slopes.times_input


def _scored(found: _Scores, method: Method) -> Score:
    """A method's score of every unit: the sum over its pieces."""
    note: str = ""
    try:
        if method.key.startswith("integrated_"):
            baseline: Literal["pad", "mask"] = "pad" if method.key.endswith("pad") else "mask"
            result = found.asked.integrated_gradients(baseline, found.report)
            each = result.scores
            note = t(
                "Completeness: the scores sum to {sum}, the target changes by {change}; off by "
                "{error}.",
                sum=f"{result.scores.sum():+.4f}",
                change=f"{result.change:+.4f}",
                error=f"{result.error:.1e}",
            )
        else:
            each = getattr(found, method.key)()
    except ExplorerError as error:
        return Score(method, reason=str(error))
    return Score(method, np.array([each[unit].sum() for unit in found.units]), note)


def _head_effects(
    asked: Asked,
    numbers: Sequence[int],
    shape: tuple[int, ...],
    report: Callable[[float], None],
) -> tuple[Doubles | None, str]:
    heads = [(layer, head) for layer in numbers for head in range(shape[1])]
    try:
        off = asked.heads_off([[head] for head in heads], report)
    except ExplorerError as error:
        return None, str(error)
    return (off - asked.value).reshape(shape), ""


def _saying(report: Report) -> Callable[[str, float, float], Callable[[float], None]]:
    """Reports of parts of the work, each from a share to another."""

    def part(doing: str, start: float, end: float) -> Callable[[float], None]:
        return lambda share: report(doing, start + (end - start) * share)

    return part


def held_against(method: Method) -> str:
    """To which measure of removal a method's agreement belongs, in a sentence."""
    if method.signed:
        return t("It knows a sign: its agreement is with the effect of removal and its sign.")
    return t("It knows no sign: its agreement is with the size of removal’s effect, up or down.")


def truth_line(found: Explanation) -> list[str]:
    """How far the methods, and raw attention first of all, agree with removal, in words."""
    return [*known_line(found), *_removal_line(found)]


def known_line(found: Explanation) -> list[str]:
    """Where the words that are known to decide stand, by each method, in words."""
    if not found.deciding:
        return []
    words = " ".join(f"“{_word(found, unit)}”" for unit in found.deciding)
    where = t("{decided}: {words}.", decided=found.decided, words=words)
    known = [s for s in found.scores if s.pointing]
    if not known or len(found.units) == len(found.deciding):
        return [where]
    return [sentences(where, _pointing(found, known))]


def _pointing(found: Explanation, known: list[Score]) -> Said:
    """How many methods give what is known to decide the highest score."""
    first = [s.method.name for s in known if s.pointing and s.pointing.first]
    values = {
        "n": len(first),
        "of": len(known),
        "deciding": len(found.deciding),
        "units": len(found.units),
        "methods": one_behind_the_other(first),
    }
    one = len(found.deciding) == 1
    if not first and one:
        return t(
            "None of {of} methods gives it the highest score (by chance it would be {deciding} in "
            "{units}).",
            **values,
        )
    if not first:
        return t(
            "None of {of} methods gives one of them the highest score (by chance it would be "
            "{deciding} in {units}).",
            **values,
        )
    if one:
        return tn(
            "{n} of {of} methods gives it the highest score (by chance it would be {deciding} in "
            "{units}): {methods}.",
            "{n} of {of} methods give it the highest score (by chance it would be {deciding} in "
            "{units}): {methods}.",
            len(first),
            **values,
        )
    return tn(
        "{n} of {of} methods gives one of them the highest score (by chance it would be {deciding} "
        "in {units}): {methods}.",
        "{n} of {of} methods give one of them the highest score (by chance it would be {deciding} "
        "in {units}): {methods}.",
        len(first),
        **values,
    )


def _word(found: Explanation, unit: int) -> str:
    return "".join(found.tokens[i].text.removeprefix("##") for i in found.units[unit])


def _removal_line(found: Explanation) -> list[str]:
    if found.removal is None and found.stopped:
        return [t("It was stopped before it was measured what really happens when words go.")]
    if found.removal is None:
        return [
            t(
                "How far each method agrees with what really happens when words go will stand "
                "here: that is measured last."
            )
        ]
    known = [s for s in found.scores if s.agreement and s.agreement.rho is not None]
    if not known:
        return [
            t(
                "There are only {n} words to take away: too few, or too alike, to say whether any "
                "method ranks them as removal does. Use a longer text.",
                n=len(found.units),
            )
        ]
    lines: list[str] = [_judged(known[0], found)]
    if len(known) > 1:
        lines.append(
            t(
                "{ends} One text does not say which method is best; that they differ says that "
                "none of them is the one importance.",
                ends=_ends(known),
            )
        )
    return [*lines, _unlike(found)]


def _ends(known: list[Score]) -> Said:
    """The nearest and the farthest of each kind: numbers of two measures cannot be compared."""

    def rho(score: Score) -> float:
        return (score.agreement and score.agreement.rho) or 0.0

    said = []
    for signed, kind in (
        (False, t("Of the methods that know no sign, held against the size of the effect")),
        (True, t("Of those that know one, held against the effect with its sign")),
    ):
        of = [score for score in known if score.method.signed == signed]
        if not of:
            continue
        best, worst = (pick(of, key=rho) for pick in (max, min))
        near = {"kind": kind, "best": best.method.name, "rho": _number(best)}
        said.append(
            t(
                "{kind}, nearest to removal here: {best}, {rho}; farthest: {worst}, {rho2}.",
                **near,
                worst=worst.method.name,
                rho2=_number(worst),
            )
            if len(of) > 1
            else t("{kind}, nearest to removal here: {best}, {rho}.", **near)
        )
    return sentences(*said)


def _unlike(found: Explanation) -> Said:
    """What a word's removal makes of the text that the model did not learn from."""
    if found.how == "cut":
        return t(
            "Removal is measured, but no truth of its own: the words stay where they are, and the "
            "model was never trained with a word that no later one may look at."
        )
    if found.instead:
        return t(
            "Removal is measured, but no truth of its own: a text with {instead} in a word’s place "
            "is one that the model has seldom seen.",
            instead=found.instead,
        )
    return t(
        "Removal is measured, but no truth of its own: a text with a gap is one that the model has "
        "seldom seen."
    )


_WITHIN = {
    "attention": t("attention of the last layer"),
    "attention_all": t("attention of the mean of all layers"),
    "norms": t("norm-weighted attention of the last layer (Attn-N)"),
    "integrated_pad": t("integrated gradients of the baseline [PAD]"),
    "integrated_mask": t("integrated gradients of the baseline [MASK]"),
}
"""Methods whose names have a comma, as they are called within a sentence."""


def _judged(score: Score, found: Explanation) -> Said:
    a = score.agreement
    assert a is not None
    assert a.rho is not None
    values = {
        "name": _WITHIN.get(score.method.key, score.method.name),
        "does": _really(score.method, found),
        "rho": _signed(a.rho),
        "low": _signed(a.low),
        "high": _signed(a.high),
        "n": a.n,
    }
    if a.low <= 0 <= a.high:
        return t(
            "Whether the {name} ranks the words like {does}, this text cannot tell: {rho} "
            "(Spearman; 95 % interval {low} to {high}, {n} words), which holds 0, no likeness at "
            "all. Use a longer text.",
            **values,
        )
    return t(
        "Here the {name} ranks the words {word} {does}: {rho} (Spearman; 95 % interval {low} to "
        "{high}, {n} words).",
        word=likeness_word(a.rho),
        **values,
    )


def _really(method: Method, found: Explanation) -> Said:
    """What happens when words go, as a method's scores are held against it."""
    away: str = t("dropping them")
    if found.instead:
        away = t("putting {instead} in their place", instead=found.instead)
    if found.how == "cut":
        away = t("letting no later token look at them")
    if method.signed:
        return t("what {away} really does to the target, for or against", away=away)
    return t("how far {away} really moves the target, up or down", away=away)


def all_agreements(found: Explanation) -> list[list[RankAgreement]]:
    """How any two scores rank the words alike: removal first, then each that there is.

    Where one of the two knows no sign, the other's is left out as well. Empty while not all scores
    are there.
    """
    if found.removal is None or not found.whole:
        return []
    scores = [(found.removal, True)]
    scores += [(s.values, s.method.signed) for s in found.scores if s.values is not None]
    return [
        [
            rank_agreement(one, other)
            if signed == also
            else rank_agreement(np.abs(one), np.abs(other))
            for other, also in scores
        ]
        for one, signed in scores
    ]


_LIKENESS = (
    (0.2, t("almost unlike")),
    (0.5, t("only a little like")),
    (0.8, t("partly like")),
)


def likeness_word(rho: float) -> str:
    """A rank correlation in words."""
    if rho < -0.2:
        return t("rather the other way round than")
    for limit, words in _LIKENESS:
        if rho < limit:
            return words
    return t("much like")


def _number(score: Score) -> str:
    assert score.agreement is not None
    assert score.agreement.rho is not None
    return _signed(score.agreement.rho)


def _signed(x: float) -> str:
    return f"{x:.2f}".replace("-", "−")
