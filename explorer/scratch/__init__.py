"""The from-scratch layer: the teaching code."""

from explorer.scratch.attention import SelfAttention
from explorer.scratch.transplant import transplant

__all__ = ["SelfAttention", "transplant"]
