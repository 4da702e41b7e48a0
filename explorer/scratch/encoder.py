"""From text to attention without anything pretrained: tokens, embeddings, positions, layers."""

import hashlib
import math

import numpy as np
import regex
import torch
from torch import Tensor, nn

from explorer.scratch.attention import SelfAttention
from explorer.source import Scratch
from explorer.visible import is_blank

# In this order: one CJK character; a word (letters, marks and digits of any other script, with
# the apostrophes and joiners inside it); else one character as a reader sees it, so that a flag
# or a family of emoji stays whole. Flags of two letters are taken by hand: \X counts back through
# all of them at each.
_CJK = r"\p{Han}\p{Hiragana}\p{Katakana}"
_TOKEN = regex.compile(
    rf"""(?xV1)
    [{_CJK}] \p{{M}}*
  | [[\p{{L}}\p{{N}}_]--[{_CJK}]] [[\p{{L}}\p{{M}}\p{{N}}_'’\u200c\u200d]--[{_CJK}]]*
        (?<!['’\u200c\u200d])
  | \p{{Regional_Indicator}}{{1,2}}+ [\p{{GCB=Extend}}\p{{GCB=ZWJ}}\p{{GCB=SpacingMark}}]*+
  | \X
    """
)


def tokenize(text: str) -> list[tuple[int, int]]:
    """Cut a text into words, punctuation marks and CJK characters.

    A word is a run of letters, marks and digits; each Chinese character or Japanese kana is a
    token of its own; anything else is one token per character as a reader sees it. Spaces and
    invisible characters are no tokens. Nothing is lowercased, nothing is unknown.

    Returns:
        For each token its first and one-past-last character in the text.
    """
    return [m.span() for m in _TOKEN.finditer(text) if not is_blank(m.group())]


def embed(words: list[str], d_model: int, seed: int) -> Tensor:
    """A fixed random vector for each word: the same word has the same vector in every text.

    Returns:
        ``[token, d_model]``, standard normal, as `nn.Embedding` starts out.
    """
    rows = [_rng(word, seed).standard_normal(d_model, dtype=np.float32) for word in words]
    return torch.from_numpy(np.stack(rows))


def _rng(word: str, seed: int) -> np.random.Generator:
    digest = hashlib.blake2b(word.encode(), digest_size=8).digest()
    return np.random.default_rng([seed, int.from_bytes(digest, "big")])


def sinusoidal_positions(n: int, d_model: int) -> Tensor:
    """Position encodings: sines and cosines of geometrically growing wavelengths.

    Vaswani et al. (2017), section 3.5.

    Returns:
        ``[position, d_model]``: sin in the even columns, cos in the odd ones.
    """
    position = torch.arange(n, dtype=torch.float32)[:, None]
    rate = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10_000.0) / d_model))
    table = torch.zeros(n, d_model)
    table[:, 0::2] = torch.sin(position * rate)
    table[:, 1::2] = torch.cos(position * rate[: d_model // 2])
    return table


class Encoder(nn.Module):
    """Layers of `SelfAttention`; two or more are joined by residual connections and LayerNorm.

    One layer is the article's module and nothing else, unless ``stacked`` says otherwise. There is
    no feed-forward part: what is seen is attention alone.
    """

    def __init__(self, options: Scratch, stacked: bool = False) -> None:
        super().__init__()
        self.causal = options.causal
        self.stacked = stacked or options.n_layers > 1
        self.layers = nn.ModuleList(
            SelfAttention(options.d_model, options.n_heads) for _ in range(options.n_layers)
        )
        self.norms = nn.ModuleList(
            nn.LayerNorm(options.d_model) for _ in range(options.n_layers * self.stacked)
        )
        _initialise(self, options.seed)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Run every layer.

        Args:
            x: ``[batch, token, d_model]``.

        Returns:
            The last layer's output, ``[batch, token, d_model]``, and the weights of all layers,
            ``[layer, batch, head, query, key]``.
        """
        all_weights = []
        for i in range(len(self.layers)):
            x, weights = self.step(i, x)
            all_weights.append(weights)
        return x, torch.stack(all_weights)

    def step(self, i: int, x: Tensor) -> tuple[Tensor, Tensor]:
        """Run one layer: what the next one reads, and this one's weights."""
        out, weights = self.layers[i](x, x, x, causal=self.causal, return_weights=True)
        return self._joined(i, x, out), weights

    def output(self, i: int, x: Tensor) -> Tensor:
        """Run one layer, without forming its weights: what the next one reads."""
        return self._joined(i, x, self.layers[i](x, x, x, causal=self.causal))

    def _joined(self, i: int, x: Tensor, out: Tensor) -> Tensor:
        found: Tensor = self.norms[i](x + out) if self.stacked else out
        return found


def _initialise(module: nn.Module, seed: int) -> None:
    """Torch's own default initialisation, from a generator of ours.

    The global generator is shared by all threads, so seeding it would let two readers disturb
    each other's numbers.
    """
    generator = torch.Generator().manual_seed(seed)
    for linear in (m for m in module.modules() if isinstance(m, nn.Linear)):
        bound = 1 / math.sqrt(linear.in_features)
        nn.init.uniform_(linear.weight, -bound, bound, generator=generator)
        nn.init.uniform_(linear.bias, -bound, bound, generator=generator)
