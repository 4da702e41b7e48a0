"""Multi-head self-attention, from scratch.

    Attention(Q, K, V) = softmax(Q Kᵀ / √d_k) V

Vaswani, Shazeer, Parmar, Uszkoreit, Jones, Gomez, Kaiser, Polosukhin:
Attention Is All You Need (2017), https://arxiv.org/abs/1706.03762
"""

import math
from typing import Literal, overload

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explorer.errors import ExplorerError
from explorer.language import t


class SelfAttention(nn.Module):
    """Multi-head attention with four linear maps: W_Q, W_K, W_V and o.

    Args:
        d_model: Width of a token's vector.
        n_heads: Number of heads; each works on ``d_k = d_model / n_heads`` of the width.

    Raises:
        ExplorerError: d_model cannot be divided evenly among the heads.
    """

    def __init__(self, d_model: int, n_heads: int) -> None:
        super().__init__()
        if n_heads < 1 or d_model < 1 or d_model % n_heads:
            raise ExplorerError(
                t(
                    "d_model = {d_model} cannot be divided evenly among {n_heads} heads: "
                    "choose a width that is a multiple of the number of heads.",
                    d_model=d_model,
                    n_heads=n_heads,
                )
            )
        self.d_model, self.n_heads, self.d_k = d_model, n_heads, d_model // n_heads
        self.W_Q = nn.Linear(d_model, d_model)
        self.W_K = nn.Linear(d_model, d_model)
        self.W_V = nn.Linear(d_model, d_model)
        self.o = nn.Linear(d_model, d_model)

    @overload
    def forward(
        self,
        Q: Tensor,
        K: Tensor,
        V: Tensor,
        mask: Tensor | None = None,
        *,
        key_mask: Tensor | None = None,
        causal: bool = False,
        return_weights: Literal[False] = False,
    ) -> Tensor: ...

    @overload
    def forward(
        self,
        Q: Tensor,
        K: Tensor,
        V: Tensor,
        mask: Tensor | None = None,
        *,
        key_mask: Tensor | None = None,
        causal: bool = False,
        return_weights: Literal[True],
    ) -> tuple[Tensor, Tensor]: ...

    def forward(
        self,
        Q: Tensor,
        K: Tensor,
        V: Tensor,
        mask: Tensor | None = None,
        *,
        key_mask: Tensor | None = None,
        causal: bool = False,
        return_weights: bool = False,
    ) -> Tensor | tuple[Tensor, Tensor]:
        """Let every query look at every key it may see, and take the mean of what it sees.

        Args:
            Q: What the queries are made from, ``[batch, query, d_model]``.
            K: What the keys are made from, ``[batch, key, d_model]``.
            V: What the values are made from, ``[batch, key, d_model]``.
            mask: Boolean, True where a query may look at a key; ``[query, key]``,
                ``[batch, query, key]`` or ``[batch, head, query, key]``.
            key_mask: Boolean ``[batch, key]``, True for a real token, False for padding.
            causal: Each query sees only the keys up to its own position.
            return_weights: Also return the attention weights. Without them torch's fused kernel
                does the same sum in less memory.

        Returns:
            ``[batch, query, d_model]``; with ``return_weights`` also
            ``[batch, head, query, key]``, whose rows sum to 1. A query that may see no key at
            all has a row of zeros, and its output is the bias of ``o``.

        Raises:
            ExplorerError: The shapes do not fit together.
        """
        self._check(Q, K, V, mask, key_mask)
        q = self._split(self.W_Q(Q))  # [batch, head, query, d_k]
        k = self._split(self.W_K(K))  # [batch, head, key, d_k]
        v = self._split(self.W_V(V))  # [batch, head, key, d_k]
        allowed = _combine(mask, key_mask, causal, q.shape[-2], k.shape[-2], Q.device)

        weights = attention_weights(q, k, allowed) if return_weights else None
        heads = fused_attention(q, k, v, allowed) if weights is None else weights @ v
        joined = heads.transpose(1, 2).flatten(2)  # [batch, query, d_model]
        output: Tensor = self.o(joined)
        return output if weights is None else (output, weights)

    def queries_and_keys(self, Q: Tensor, K: Tensor) -> tuple[Tensor, Tensor]:
        """What the scores are made of: ``[batch, head, query, d_k]``, ``[batch, head, key, d_k]``.

        A score is their product over √d_k.
        """
        self._check(Q, K, K, None, None)
        return self._split(self.W_Q(Q)), self._split(self.W_K(K))

    def _split(self, x: Tensor) -> Tensor:
        """Cut the width into heads: ``[batch, n, d_model]`` -> ``[batch, head, n, d_k]``."""
        return x.unflatten(-1, (self.n_heads, self.d_k)).transpose(1, 2)

    def _check(
        self, Q: Tensor, K: Tensor, V: Tensor, mask: Tensor | None, key_mask: Tensor | None
    ) -> None:
        for name, x in (("Q", Q), ("K", K), ("V", V)):
            if x.dim() != 3 or x.shape[-1] != self.d_model:
                raise ExplorerError(
                    t(
                        "{name} has the shape {shape}; it must be [batch, tokens, {d_model}].",
                        name=name,
                        shape=list(x.shape),
                        d_model=self.d_model,
                    )
                )
        if K.shape != V.shape or Q.shape[0] != K.shape[0]:
            raise ExplorerError(
                t(
                    "Q {shape}, K {shape2} and V {shape3} do not fit together: K and V need"
                    " the same length, and all three the same batch.",
                    shape=list(Q.shape),
                    shape2=list(K.shape),
                    shape3=list(V.shape),
                )
            )
        for name, m in (("mask", mask), ("key_mask", key_mask)):
            if m is not None and m.dtype != torch.bool:
                raise ExplorerError(
                    t("{name} must be boolean (True: may be looked at).", name=name)
                )
        full = (Q.shape[0], self.n_heads, Q.shape[1], K.shape[1])
        if mask is not None and not _fits(_four(mask).shape, full):
            raise ExplorerError(
                t(
                    "mask has the shape {shape}; it must fit [query, key] = {list}, with "
                    "[batch] or [batch, head] before it if they differ.",
                    shape=list(mask.shape),
                    list=list(full[2:]),
                )
            )
        if key_mask is not None and key_mask.shape != (full[0], full[3]):
            raise ExplorerError(
                t(
                    "key_mask has the shape {shape}; [batch, key] is {value}.",
                    shape=list(key_mask.shape),
                    value=[full[0], full[3]],
                )
            )


def attention_weights(q: Tensor, k: Tensor, allowed: Tensor | None = None) -> Tensor:
    """softmax(q kᵀ / √d_k) over the allowed keys.

    Args:
        q: ``[..., query, d_k]``.
        k: ``[..., key, d_k]``.
        allowed: Boolean, broadcast to ``[..., query, key]``.

    Returns:
        ``[..., query, key]``; rows sum to 1, or to 0 where nothing is allowed.
    """
    scale = q.shape[-1] ** -0.5
    # Scaling q touches n·d_k numbers, scaling the scores n². A power of two rounds nothing, so
    # there both give the same bits; elsewhere we keep to the order that BERT's own code has.
    early = math.frexp(scale)[0] == 0.5
    scores = (q * scale if early else q) @ k.transpose(-2, -1)  # [..., query, key]
    # What nobody will differentiate is worked on in place: a second n² array costs more to fetch
    # from the system than softmax itself.
    free = not scores.requires_grad
    if not early:
        scores = scores.mul_(scale) if free else scores * scale
    if allowed is None:
        return torch.softmax(scores, dim=-1, out=scores) if free else scores.softmax(dim=-1)
    seen = scores.masked_fill(~allowed, torch.finfo(scores.dtype).min).softmax(dim=-1)
    return seen.masked_fill(~allowed, 0.0)  # a row with no key at all: zeros, not 1/n


def fused_attention(q: Tensor, k: Tensor, v: Tensor, allowed: Tensor | None = None) -> Tensor:
    """``attention_weights(q, k, allowed) @ v`` by torch's fused kernel, weights never stored."""
    if allowed is None:
        return F.scaled_dot_product_attention(q, k, v)
    # The kernel answers NaN for a row without a key: let such rows look anywhere, then blank them.
    none = ~allowed.any(dim=-1, keepdim=True)
    out = F.scaled_dot_product_attention(q, k, v, attn_mask=allowed | none)
    return out.masked_fill(none, 0.0)


def _combine(
    mask: Tensor | None,
    key_mask: Tensor | None,
    causal: bool,
    n_query: int,
    n_key: int,
    device: torch.device,
) -> Tensor | None:
    """All masks as one, to broadcast to ``[batch, head, query, key]``; None if none hides."""
    parts: list[Tensor] = []
    if mask is not None:
        parts.append(_four(mask))
    if key_mask is not None:
        parts.append(key_mask[:, None, None, :])
    if causal:
        parts.append(torch.ones(1, 1, n_query, n_key, dtype=torch.bool, device=device).tril())
    if not parts:
        return None
    allowed = parts[0]
    for part in parts[1:]:
        allowed = allowed & part
    return allowed


def _four(mask: Tensor) -> Tensor:
    """A mask with its missing leading dimensions: ``[batch, head, query, key]``."""
    return mask[:, None] if mask.dim() == 3 else mask.reshape((1,) * (4 - mask.dim()) + mask.shape)


def _fits(shape: torch.Size, full: tuple[int, ...]) -> bool:
    return len(shape) == 4 and all(s in (1, f) for s, f in zip(shape, full, strict=True))
