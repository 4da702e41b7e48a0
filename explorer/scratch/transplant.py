"""A BERT layer's own attention weights, moved into the from-scratch layer.

Given the same hidden states the two must give the same attention: one formula, two programs.
"""

import torch
from torch import nn

from explorer.errors import ExplorerError
from explorer.scratch.attention import SelfAttention


def transplant(model: nn.Module, layer: int) -> SelfAttention:
    """A `SelfAttention` with the query, key, value and output weights of a model's layer.

    Args:
        model: A BERT-shaped or DistilBERT-shaped model, with or without a head on top.
        layer: The layer, from 0.

    Returns:
        The from-scratch layer, in evaluation mode and in the model's own precision. The weights
        are copies: training one does not touch the other.

    Raises:
        ExplorerError: There is no such layer, or its attention is built in another way.
    """
    query, key, value, output = projections(model, layer)
    config = model.config
    ours = SelfAttention(config.hidden_size, config.num_attention_heads)
    ours = ours.to(device=query.weight.device, dtype=query.weight.dtype)
    with torch.no_grad():
        pairs = ((ours.W_Q, query), (ours.W_K, key), (ours.W_V, value), (ours.o, output))
        for mine, theirs in pairs:
            mine.weight.copy_(theirs.weight)
            mine.bias.copy_(theirs.bias)
    return ours.eval()


def projections(model: nn.Module, layer: int) -> tuple[nn.Linear, nn.Linear, nn.Linear, nn.Linear]:
    """The four linear maps of a layer's attention: query, key, value, output.

    Raises:
        ExplorerError: There is no such layer, or its attention is built in another way.
    """
    blocks = layers_of(model)
    if not 0 <= layer < len(blocks):
        raise ExplorerError(
            f"There is no layer {layer}: this model has the layers 0 to {len(blocks) - 1}."
        )
    block = blocks[layer].attention
    if hasattr(block, "self"):
        found = (block.self.query, block.self.key, block.self.value, block.output.dense)
    else:
        found = (block.q_lin, block.k_lin, block.v_lin, block.out_lin)
    width = model.config.hidden_size
    if any(m.weight.shape != (width, width) or m.bias is None for m in found):
        raise ExplorerError(_other_kind(model))
    return found


def layers_of(model: nn.Module) -> nn.ModuleList:
    """The layers of a BERT-shaped or DistilBERT-shaped model.

    Raises:
        ExplorerError: Its attention is built in another way than the from-scratch layer's.
    """
    kind = model.config.model_type
    body = getattr(model, model.base_model_prefix, model)  # below a head on top, if there is one
    if kind in _BERT_SHAPED:
        return body.encoder.layer
    if kind == "distilbert":
        return body.transformer.layer
    raise ExplorerError(_other_kind(model))


# One plain softmax(QKᵀ/√d_k)V per layer, with biases, and nothing added to the scores.
_BERT_SHAPED = ("bert", "roberta", "xlm-roberta", "camembert", "electra")


def _other_kind(model: nn.Module) -> str:
    return (
        f"The attention of a “{model.config.model_type}” model is built in another way than the "
        "from-scratch layer’s, so it cannot be walked through or transplanted step by step. "
        "BERT, RoBERTa, XLM-RoBERTa, CamemBERT, ELECTRA and DistilBERT can."
    )
