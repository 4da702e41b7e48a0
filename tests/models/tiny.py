"""Tiny random models with a real tokenizer, made on the spot."""

import torch
import transformers

WORDS = ["the", "a", "cat", "dog", "mat", "sat", "ran", "on", "under", "it", "was", "tired"]
WORDS += ["because", ".", ",", "big", "red"]
SIZES = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 40,
    "initializer_range": 0.5,  # so that heads differ
}
DISTIL = {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 16, "max_position_embeddings": 40}


def tiny_model(kind, folder):
    """Save a model: a BERT with a head (``MaskedLM``), or an encoder of a family by its class."""
    torch.manual_seed(1)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    (folder / "vocab.txt").write_text("\n".join(words))
    tokenizer = transformers.BertTokenizerFast(vocab=str(folder / "vocab.txt"))
    tokenizer.save_pretrained(folder)
    name = {"Model": "BertModel"}.get(kind) or (
        kind if kind.endswith("Model") else f"BertFor{kind}"
    )
    maker = getattr(transformers, name)
    sizes = DISTIL | {"initializer_range": 0.5} if name.startswith("Distil") else dict(SIZES)
    if name.startswith("Electra"):
        sizes["embedding_size"] = 16
    config = maker.config_class(vocab_size=len(words), pad_token_id=0, **sizes)
    maker(config).eval().save_pretrained(folder)
    return folder
