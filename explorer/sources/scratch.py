"""The from-scratch layer as a source: text in, trace out."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from explorer.errors import ExplorerError
from explorer.language import t
from explorer.layers import FromScores, ScoreRule, causal
from explorer.limits import MAX_TOKENS
from explorer.run import Run
from explorer.scratch.encoder import Encoder, embed, sinusoidal_positions, tokenize
from explorer.source import Scratch
from explorer.sources.memory import take
from explorer.trace import AttentionTrace, ModelInfo, Token

POSITIONS = 64  # whose vectors are kept, at least: of a short text's own no pattern is seen


@dataclass(frozen=True)
class ScratchReading:
    """A text as the from-scratch layer gets it.

    Attributes:
        info: The layer's name and sizes.
        tokens: The tokens.
        n_cut: For each text, how many of its tokens did not fit.
        words: The tokens' vectors, ``[token, d_model]``.
        positions: The vectors of the positions, those of the tokens and perhaps more,
            ``[position, d_model]``; None if none are added.
        encoder: The layers.
    """

    info: ModelInfo
    tokens: tuple[Token, ...]
    n_cut: tuple[int, ...]
    words: torch.Tensor
    positions: torch.Tensor | None
    encoder: Encoder

    @property
    def x(self) -> torch.Tensor:
        """What the first layer reads, ``[token, d_model]``."""
        positions = self.positions
        return self.words if positions is None else self.words + positions[: len(self.words)]


def read_scratch(run: Run) -> ScratchReading:
    """A text, or two texts one after the other, and the layer that shall read them.

    Raises:
        ExplorerError: The text holds nothing that could be a token.
    """
    options = run.source
    assert isinstance(options, Scratch)
    tokens, n_cut = _tokens(run.texts)
    if not tokens:
        raise ExplorerError(t("There is no word, sign or symbol in this text to make a token of."))
    info = ModelInfo(
        name=t("from-scratch layer"),
        revision=None,
        n_layers=options.n_layers,
        n_heads=options.n_heads,
        d_model=options.d_model,
        max_tokens=MAX_TOKENS,
    )
    words = embed([t.text for t in tokens], options.d_model, options.seed)
    n = max(len(tokens), POSITIONS)
    positions = sinusoidal_positions(n, options.d_model) if options.positions else None
    return ScratchReading(info, tokens, n_cut, words, positions, _encoder(options))


def trace_scratch(run: Run) -> AttentionTrace:
    """Run a text, or two texts one after the other, through the from-scratch layer.

    Raises:
        ExplorerError: The text holds nothing that could be a token.
    """
    reading = read_scratch(run)
    tokens, info = reading.tokens, reading.info
    size = 4 * len(tokens) * (info.d_model * (2 * info.n_layers + 8) + 2 * len(tokens))
    take(size, t("The attention of this layer"), t("Choose a shorter text or fewer heads."))
    with torch.inference_mode():
        layers = tuple(_kept(reading.encoder, reading.x[None]))
    return AttentionTrace(info, run.texts, tokens, tokens, layers, reading.n_cut)


def _kept(encoder: Encoder, x: torch.Tensor) -> Iterator[FromScores]:
    """Every layer's q, k and rule, on a text ``[1, token, d_model]``."""
    n = x.shape[1]
    allowed = causal(n, n) if encoder.causal else None
    for i, layer in enumerate(encoder.layers):
        q, k = layer.queries_and_keys(x, x)
        rule = ScoreRule(scale=q.shape[-1] ** -0.5, allowed=allowed)
        yield FromScores(i, q[0].numpy(), k[0].numpy(), rule)
        x = encoder.output(i, x)


@functools.lru_cache(maxsize=4)
def _encoder(options: Scratch) -> Encoder:
    return Encoder(options).eval()


def _tokens(texts: tuple[str, ...]) -> tuple[tuple[Token, ...], tuple[int, ...]]:
    """Tokens of all texts and, for each text, how many were cut; the longer text is cut first."""
    spans = [tokenize(text) for text in texts]
    kept = [len(s) for s in spans]
    while sum(kept) > MAX_TOKENS:
        longest = kept.index(max(kept))
        rest = MAX_TOKENS - (sum(kept) - kept[longest])
        shorter = max((k for i, k in enumerate(kept) if i != longest), default=0)
        kept[longest] = max(rest, min(shorter, MAX_TOKENS // len(kept)))
    tokens: list[Token] = []
    for segment, text in enumerate(texts):
        for start, end in spans[segment][: kept[segment]]:
            tokens.append(Token(text[start:end], (start, end), len(tokens), segment, special=False))
    return tuple(tokens), tuple(len(s) - k for s, k in zip(spans, kept, strict=True))
