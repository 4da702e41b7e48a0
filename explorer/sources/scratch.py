"""The from-scratch layer as a source: text in, trace out."""

import functools

import torch

from explorer.errors import ExplorerError
from explorer.run import MAX_TOKENS, Run, Scratch
from explorer.scratch.encoder import Encoder, embed, sinusoidal_positions, tokenize
from explorer.trace import AttentionTrace, ModelInfo, Token


def trace_scratch(run: Run) -> AttentionTrace:
    """Run a text, or two texts one after the other, through the from-scratch layer.

    Raises:
        ExplorerError: The text holds nothing that could be a token.
    """
    options = run.source
    assert isinstance(options, Scratch)
    tokens, n_cut = _tokens(run.texts)
    if not tokens:
        raise ExplorerError("There is no word, sign or symbol in this text to make a token of.")
    with torch.inference_mode():
        x = embed([t.text for t in tokens], options.d_model, options.seed)
        if options.positions:
            x = x + sinusoidal_positions(len(tokens), options.d_model)
        _, weights = _encoder(options)(x[None])
    info = ModelInfo(
        name="from-scratch layer",
        revision=None,
        n_layers=options.n_layers,
        n_heads=options.n_heads,
        d_model=options.d_model,
        max_tokens=MAX_TOKENS,
    )
    return AttentionTrace(info, run.texts, tokens, tokens, weights[:, 0].numpy(), n_cut)


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
