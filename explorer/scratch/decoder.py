"""A small decoder round the from-scratch layer: it reads words and says which may come next.

It is built as GPT-2 is (Radford et al. 2019), so whatever reads GPT-2's weights reads its own.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explorer.scratch.attention import SelfAttention


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large a decoder is.

    Attributes:
        words: Words that it knows.
        length: Tokens that it reads at most.
        d_model: Width of a token's vector.
        n_heads: Heads in each layer.
        n_layers: Layers.
    """

    words: int
    length: int
    d_model: int
    n_heads: int
    n_layers: int


class Block(nn.Module):
    """Attention, then a small network for each token by itself; each adds to what it reads."""

    def __init__(self, d_model: int, n_heads: int) -> None:
        super().__init__()
        self.norm_1 = nn.LayerNorm(d_model)
        self.attention = SelfAttention(d_model, n_heads)
        self.norm_2 = nn.LayerNorm(d_model)
        self.wide = nn.Linear(d_model, 4 * d_model)
        self.narrow = nn.Linear(4 * d_model, d_model)

    def forward(self, x: Tensor) -> Tensor:
        """What the next block reads, ``[batch, token, d_model]``."""
        read = self.norm_1(x)
        x = x + self.attention(read, read, read, causal=True)
        inner = F.gelu(self.wide(self.norm_2(x)), approximate="tanh")
        return x + self.narrow(inner)


class Decoder(nn.Module):
    """Token and position vectors, blocks, and scores of the words that may come next.

    The scores are the likeness of what the blocks have made to the words' own vectors.
    """

    def __init__(self, sizes: Sizes, seed: int) -> None:
        super().__init__()
        self.sizes = sizes
        self.tokens = nn.Embedding(sizes.words, sizes.d_model)
        self.positions = nn.Embedding(sizes.length, sizes.d_model)
        self.blocks = nn.ModuleList(
            Block(sizes.d_model, sizes.n_heads) for _ in range(sizes.n_layers)
        )
        self.norm = nn.LayerNorm(sizes.d_model)
        _initialise(self, seed)

    def forward(self, ids: Tensor) -> Tensor:
        """Scores of the word after each, ``[batch, token, word]``."""
        x = self.tokens(ids) + self.positions.weight[: ids.shape[1]]
        for block in self.blocks:
            x = block(x)
        return F.linear(self.norm(x), self.tokens.weight)


def _initialise(decoder: Decoder, seed: int) -> None:
    """First weights as GPT-2's: narrow, and narrower where a block adds to what it reads."""
    generator = torch.Generator().manual_seed(seed)
    for name, weight in decoder.named_parameters():
        if name.endswith("bias"):
            nn.init.zeros_(weight)
        elif "norm" not in name:
            adds = name.endswith(("attention.o.weight", "narrow.weight"))
            std = 0.02 / math.sqrt(2 * decoder.sizes.n_layers) if adds else 0.02
            nn.init.normal_(weight, std=std, generator=generator)
