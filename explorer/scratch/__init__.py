"""The from-scratch layer: the teaching code."""

from explorer.scratch.attention import SelfAttention

__all__ = ["SelfAttention"]
