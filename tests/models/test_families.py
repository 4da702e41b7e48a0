"""Encoders of other families: tiny random models, each against Transformers' own attentions."""

import numpy as np
import pytest
import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

import explorer

TEXTS = ("the cats naïve 猫.", "the mat")
SIZES = {
    "vocab_size": 300,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 40,
}
IDS = {"bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2}
FAMILIES = {
    "Roberta": SIZES | IDS,
    "XLMRoberta": SIZES | IDS,
    "MPNet": SIZES | IDS,
    "Electra": SIZES | {"embedding_size": 16},
    "DistilBert": {
        "vocab_size": 300,
        "dim": 16,
        "n_layers": 2,
        "n_heads": 2,
        "hidden_dim": 16,
        "max_position_embeddings": 40,
    },
    "ModernBert": SIZES | IDS | {"cls_token_id": 0, "sep_token_id": 2},
}


@pytest.fixture(scope="module")
def tokenizer():
    """A byte-level BPE as RoBERTa has it: spaces and letters are spelled as other letters."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=290, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    bpe.train_from_iterator([" ".join(TEXTS)] * 5, trainer)
    bpe.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    names = {"bos": "<s>", "eos": "</s>", "sep": "</s>", "cls": "<s>", "unk": "<unk>"}
    names |= {"pad": "<pad>", "mask": "<mask>"}
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=bpe, **{f"{k}_token": v for k, v in names.items()}
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_a_familys_attention_is_what_transformers_gives(family, tokenizer, tmp_path):
    torch.manual_seed(0)
    config = getattr(transformers, f"{family}Config")(**FAMILIES[family])
    model = getattr(transformers, f"{family}Model")(config).eval()
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    trace = explorer.trace(*TEXTS, source=f"path:{tmp_path}")

    again = type(model).from_pretrained(tmp_path, attn_implementation="eager").eval()
    inputs = tokenizer(*TEXTS, return_tensors="pt", return_token_type_ids=False)
    with torch.inference_mode():
        want = again(**inputs, output_attentions=True).attentions
    assert np.abs(trace.weights - torch.cat(want).numpy()).max() <= 1e-6

    words = [t.text for t in trace.query_tokens if not t.special]
    assert words == ["the", "cats", "naïve", "猫", ".", "the", "mat"]
    assert [t.segment for t in trace.query_tokens if not t.special] == [0] * 5 + [1] * 2
    for token in trace.query_tokens:
        if token.span:
            assert TEXTS[token.segment][slice(*token.span)].strip() == token.text
