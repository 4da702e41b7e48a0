"""A text that a model goes on with, token by token, and its attention as it grows.

The keys and values of what was read stay with the model (its cache), so that a token costs one row
and not the whole text again. Whether a model gives the same so is measured once, on a few tokens;
one that does not reads the whole text for each token.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from explorer.edits import Edits
from explorer.errors import ExplorerError
from explorer.language import t
from explorer.layers import AttentionLayer
from explorer.prediction import Logits, NewRow, Prediction, WrittenToken, log_chances
from explorer.run import PARTS, Run
from explorer.sampling import Sampling
from explorer.sources.changing import change_for
from explorer.sources.families import may_remember
from explorer.sources.forward import check_room, failing, of_part
from explorer.sources.growing import Growing, GrowingWeights
from explorer.sources.loading import LoadedModel
from explorer.sources.passport import sample
from explorer.sources.predicting import (
    Before,
    as_found,
    check_logits,
    finite,
    keeps_some,
    predicted,
    predicting_model,
)
from explorer.sources.progress import Progress, silent, tick
from explorer.sources.seq2seq import trace_read as trace_target
from explorer.sources.tap import Call, Tap, layers_from, numbers_of, weights_of
from explorer.sources.written import check_room_for, no_room, text_of, trace_read
from explorer.trace import AttentionTrace

_CLOSE = 1e-3  # of the largest logit: float32 sums in another order
_SEED = 1_000_003
_remembers: "WeakKeyDictionary[torch.nn.Module, bool]" = WeakKeyDictionary()


class Writing:
    """A text before a model, and what is written behind it, token by token.

    Stopping is to ask for no more: what was written stays.

    Attributes:
        run: What was asked for, with what is written so far: its link and its trace hold that.
        ended: Why no more can be written, as a sentence; empty while more can.

    Raises:
        ExplorerError: The model predicts no next word, or there is no room for one.
    """

    def __init__(
        self,
        run: Run,
        sampling: Sampling | None = None,
        progress: Progress = silent,
    ) -> None:
        self.run, self.ended = run, ""
        self._sampling = sampling or Sampling()
        self._loaded = loaded = predicting_model(run, progress)
        with as_found(run):
            text = Before(loaded, run, progress)
        text.end_here()
        self._ids, self._tokens = text.ids, text.tokens
        check_room_for(loaded, len(self._ids) + 1)
        self._reader = _reader(loaded, text, run.edits)
        progress(t("Reading the text"), None)
        self._logits, _ = self._reader.read(self._ids)

    def prediction(self, count: int = 10) -> Prediction:
        """What the model takes for the next token, as the sampling has it."""
        chosen = self._sampling
        temperature = chosen.temperature or 1.0
        top_k = chosen.top_k if chosen.temperature else None
        about = (self._loaded, self._tokens, len(self._ids) - 1, self._ids, self._logits.copy())
        return predicted(*about, count, temperature, top_k)

    def write(self, most: int = 64) -> Iterator[WrittenToken]:
        """Let the model write, until it ends the text, the text is full, or it is stopped.

        Args:
            most: Tokens that are written at most.
        """
        for _ in range(most):
            if self.ended:
                return
            token, chance = self._choice()
            if token in ends_of(self._loaded):
                name = text_of(self._loaded.tokenizer, self._ids, token)
                self.ended = t(
                    "{name} ended the text here, with {name2}.",
                    name=self._loaded.info.name,
                    name2=name,
                )
                return
            yield self._append(token, chance)
            tick()

    def append(self, token: int) -> WrittenToken:
        """Put a token behind the text that a reader has chosen.

        Raises:
            ExplorerError: There is no such token, or no room for it.
        """
        if not 0 <= token < len(self._logits):
            raise ExplorerError(
                t(
                    "{name} has no token {token}: it has the numbers 0 to {value}.",
                    name=self._loaded.info.name,
                    token=f"{token:,}",
                    value=f"{len(self._logits) - 1:,}",
                )
            )
        check_room_for(self._loaded, len(self._ids) + 1)
        self.ended = ""
        return self._append(token, None)

    def trace(self) -> AttentionTrace:
        """The attention of the text with what is written, of the part that the run asks for."""
        layers = self._reader.layers(self.run.part)
        read = trace_target if self._loaded.form == "pair" else trace_read
        with as_found(self.run):
            return read(self._loaded, self.run, layers)

    def _choice(self) -> tuple[int, float]:
        """The next token, and the probability with which it was drawn."""
        chosen = self._sampling
        chances = log_chances(self._logits, chosen.temperature, chosen.top_k)
        if not chosen.temperature:
            return int(chances.argmax()), 1.0
        # By its place, so that what was stopped goes on as if it had not been.
        draw = torch.Generator().manual_seed(chosen.seed * _SEED + len(self._ids))
        shares = torch.from_numpy(chances).exp()
        token = int(torch.multinomial(shares, 1, generator=draw))
        return token, float(shares[token])

    def _append(self, token: int, chance: float | None) -> WrittenToken:
        given = self._logits
        text = text_of(self._loaded.tokenizer, self._ids, token)
        logits, rows = self._reader.read([token])
        self._ids.append(token)
        self._logits = logits
        self.run = replace(self.run, written=(*self.run.written, token))
        if len(self._ids) >= self._loaded.info.max_tokens:
            self.ended = no_room(self._loaded)
        return WrittenToken(
            token,
            text,
            len(self._ids) - 1,
            float(torch.from_numpy(given).double().softmax(-1)[token]),
            chance,
            int((given > given[token]).sum()),
            rows,
        )


def ends_of(loaded: LoadedModel) -> set[int]:
    """The tokens with which a model ends a text."""
    whole: Any = loaded.whole
    settings = getattr(whole, "generation_config", None)
    said = [getattr(settings, "eos_token_id", None), getattr(whole.config, "eos_token_id", None)]
    said.append(getattr(loaded.tokenizer, "eos_token_id", None))
    flat = [i for one in said for i in (one if isinstance(one, list) else [one])]
    return {i for i in flat if type(i) is int}


# --- how the text is read -----------------------------------------------------------------------


def _reader(loaded: LoadedModel, text: Before, edits: Edits | None) -> "_Reader":
    kind = _Remembering if remembers(loaded) else _Anew
    return kind(loaded, text, edits)


class _Reader:
    """A model with a text before it, which is given further tokens."""

    def __init__(self, loaded: LoadedModel, text: Before, edits: Edits | None) -> None:
        self._loaded, self._text, self._edits = loaded, text, edits
        whole: Any = loaded.whole
        self._options = {"logits_to_keep": 1} if keeps_some(whole) else {}
        self._pair = loaded.form == "pair"
        self._name = "decoder_input_ids" if self._pair else "input_ids"

    def read(self, ids: Sequence[int]) -> tuple[Logits, tuple[NewRow, ...]]:
        """Read further tokens: the logits behind them, and the rows of the last."""
        raise NotImplementedError

    def layers(self, part: str) -> tuple[AttentionLayer, ...]:
        """The layers of a part, of all that was read."""
        raise NotImplementedError

    def _call(self, inputs: dict[str, Any], n: int) -> tuple[Any, list[Call]]:
        """Run the model on further tokens of a text that then has so many."""
        loaded = self._loaded
        new = inputs[self._name].shape[1]
        options = {} if loaded.by_scores else {"output_attentions": True}
        change = change_for(loaded, self._edits, n, new)
        tap = Tap(keep=loaded.by_scores, change=change)
        with torch.inference_mode(), failing(loaded.info.name), tap.open():
            out = loaded.whole(**inputs, **self._options, **options)
        return out, tap.calls


@dataclass(frozen=True)
class _Part:
    """The calls of one part of a model, with the layers that they belong to."""

    name: str
    calls: list[Call]
    numbers: tuple[int, ...]


class _Remembering(_Reader):
    """One that keeps keys and values: each further token costs one row."""

    def __init__(self, loaded: LoadedModel, text: Before, edits: Edits | None) -> None:
        super().__init__(loaded, text, edits)
        self._past: Any = None
        self._encoded: Any = None
        self._n = 0
        self._grown: dict[str, list[Any]] = {}

    def read(self, ids: Sequence[int]) -> tuple[Logits, tuple[NewRow, ...]]:
        first = self._past is None
        self._n += len(ids)
        if first:
            check_room(self._loaded, self._n, None)
            check_logits(self._loaded, 1 if self._options else self._n)
        out, calls = self._call(self._inputs(ids), self._n)
        self._past = out.past_key_values
        self._encoded = getattr(out, "encoder_last_hidden_state", None)
        rows = self._take(out, calls, first)
        return finite(out.logits[0, -1:])[0], rows

    def layers(self, part: str) -> tuple[AttentionLayer, ...]:
        return tuple(grown.layer() for grown in self._grown[part if self._pair else ""])

    def _inputs(self, ids: Sequence[int]) -> dict[str, Any]:
        known = {"past_key_values": self._past, "use_cache": True}
        new = {self._name: torch.tensor([list(ids)])}
        if self._pair:
            inputs = dict(self._text.inputs)
            if self._encoded is not None:
                inputs.pop("input_ids")
                inputs["encoder_outputs"] = (self._encoded,)
            return inputs | new | known
        if self._past is None:
            return self._text.inputs | new | known
        return {"attention_mask": torch.ones(1, self._n, dtype=torch.long)} | new | known

    def _take(self, out: Any, calls: list[Call], first: bool) -> tuple[NewRow, ...]:
        """Let the layers grow by what a call has; the rows of its last token."""
        if not self._loaded.by_scores:
            return self._take_weights(out)
        rows: list[NewRow] = []
        for part in PARTS if self._pair else ("",):
            if part == "encoder" and not first:
                continue
            some = of_part(self._loaded.whole, calls, part or None)
            numbers = numbers_of(self._loaded.whole, some)
            found = layers_from(some, numbers)
            grown = self._grown.setdefault(
                part, [Growing(n, part == "cross", part) for n in numbers]
            )
            for layer, one in zip(found, grown, strict=True):
                one.add(layer)
            if not first:  # of the text that is given nobody asks for the last row alone
                rows += (_row(c, n, part, self._n) for c, n in zip(some, numbers, strict=True))
        return tuple(rows)

    def _take_weights(self, out: Any) -> tuple[NewRow, ...]:
        names = {"": "attentions"}
        if self._pair:
            names = {part: f"{part}_attentions" for part in PARTS}
        rows: list[NewRow] = []
        for part, name in names.items():
            if part == "encoder" and part in self._grown:
                continue
            found = getattr(out, name, None) or ()
            for i, weights in enumerate(found):
                if weights is None:
                    continue
                grown = self._grown.setdefault(part, [])
                if all(one.number != i for one in grown):
                    grown.append(GrowingWeights(i, part))
                array = weights[0].detach().float().cpu().numpy()
                next(one for one in grown if one.number == i).add(array)
                if part != "encoder":
                    rows.append(NewRow(i, part, array[:, -1]))
        return tuple(rows)


def _row(call: Call, number: int, part: str, n: int) -> NewRow:
    """The row of the last token of a call."""
    last = replace(call, query=call.query[:, :, -1:], mask=_last(call.mask), weights=None)
    bias = call.options.get("position_bias")
    if bias is not None:
        last = replace(last, options={**call.options, "position_bias": bias[:, :, -1:]})
    with torch.inference_mode():
        weights = weights_of(last)[0, :, 0].float().nan_to_num(nan=0.0).cpu()  # all may be cut
    if part != "cross" and weights.shape[1] < n:  # a window has forgotten the first keys
        weights = torch.nn.functional.pad(weights, (n - weights.shape[1], 0))
    query, key = (x[0, :, -1].float().cpu().numpy().copy() for x in (call.query, call.key))
    return NewRow(number, part, weights.numpy(), query, None if part == "cross" else key)


def _last(mask: Tensor | None) -> Tensor | None:
    return None if mask is None else mask[:, :, -1:]


class _Anew(_Reader):
    """One that reads the whole text for each token: for models that keep nothing rightly."""

    def __init__(self, loaded: LoadedModel, text: Before, edits: Edits | None) -> None:
        super().__init__(loaded, text, edits)
        self._ids: list[int] = []
        self._out: Any = None
        self._calls: list[Call] = []

    def read(self, ids: Sequence[int]) -> tuple[Logits, tuple[NewRow, ...]]:
        self._ids += ids
        check_room(self._loaded, len(self._ids), None)
        new = {self._name: torch.tensor([self._ids])}
        inputs = self._text.inputs | new | {"use_cache": False}
        if not self._pair and "attention_mask" in inputs:
            inputs["attention_mask"] = torch.ones_like(new[self._name])
        self._out, self._calls = self._call(inputs, len(self._ids))
        return finite(self._out.logits[0, -1:])[0], self._rows()

    def layers(self, part: str) -> tuple[AttentionLayer, ...]:
        if not self._loaded.by_scores:
            return self._given(part if self._pair else "")
        some = of_part(self._loaded.whole, self._calls, part if self._pair else None)
        return layers_from(some, numbers_of(self._loaded.whole, some))

    def _rows(self) -> tuple[NewRow, ...]:
        if not self._loaded.by_scores:
            return ()
        rows: list[NewRow] = []
        for part in PARTS if self._pair else ("",):
            if part == "encoder":
                continue
            some = of_part(self._loaded.whole, self._calls, part or None)
            numbers = numbers_of(self._loaded.whole, some)
            rows += (_row(c, n, part, len(self._ids)) for c, n in zip(some, numbers, strict=True))
        return tuple(rows)

    def _given(self, part: str) -> tuple[AttentionLayer, ...]:
        found = getattr(self._out, f"{part}_attentions" if part else "attentions", None) or ()
        grown = []
        for i, weights in enumerate(found):
            if weights is not None:
                grown.append(GrowingWeights(i, part))
                grown[-1].add(weights[0].detach().float().cpu().numpy())
        return tuple(one.layer() for one in grown)


def remembers(loaded: LoadedModel) -> bool:
    """Whether a model gives the same token by token as at once: measured once for each."""
    whole: Any = loaded.whole
    if not may_remember(whole.config):
        return False
    if whole not in _remembers:
        try:
            _remembers[whole] = _measured(loaded)
        except Exception:  # noqa: BLE001  # each model refuses to remember in its own way
            _remembers[whole] = False
    return _remembers[whole]


def _measured(loaded: LoadedModel) -> bool:
    whole: Any = loaded.whole
    pair = loaded.form == "pair"
    most = loaded.info.max_tokens
    inputs = sample(loaded.network, loaded.tokenizer.all_special_ids, most, pair=pair)
    name = "decoder_input_ids" if pair else "input_ids"
    ids = inputs[name]
    with torch.inference_mode():
        wanted = whole(**inputs, use_cache=False).logits[0]
        found: list[Tensor] = []
        past = None
        for new in (ids[:, :-3], *ids[:, -3:].split(1, dim=1)):
            n = sum(len(rows) for rows in found) + new.shape[1]
            more = {} if pair else {"attention_mask": torch.ones(1, n, dtype=torch.long)}
            out = whole(**inputs | more | {name: new}, past_key_values=past, use_cache=True)
            past = out.past_key_values
            found.append(out.logits[0])
    if past is None:
        return False
    off = (torch.cat(found) - wanted).abs().max()
    return bool(off <= _CLOSE * wanted.abs().max())
