"""The decoder that comes with the app: its files, and the same weights in the from-scratch stack.

Its files are those of a GPT-2, as its form is: so it is loaded, checked, tapped and measured like
any other model. `decoder_of` brings its weights back into the stack that has learned them.
"""

from pathlib import Path
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors
from torch import Tensor, nn
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from explorer.language import t
from explorer.scratch.decoder import Decoder, Sizes
from explorer.scratch.storyteller import START, TELLERS, UNKNOWN, Teller
from explorer.scratch.telling import END, Grammar

_KNOWS = {
    "en": t(
        "It has learned little stories and knows {n} words and marks, such as Mia, Anna, Tom, "
        "fox, frogs, ball, garden, happy, because; every other word is {unknown} to it. Begin as "
        "its stories do: Mia and Tom live near the garden."
    ),
    "zh": t(
        "It has learned little stories in Chinese and knows {n} words and marks, such as 小美, "
        "小明, 马, 猫, 帽子, 花园, 高兴, 因为; every other character is {unknown} to it. Begin as "
        "its stories do: 小美和小明住在花园附近。"
    ),
}


def note(language: str) -> str:
    """What a decoder knows, for somebody whose words it does not."""
    n = len(TELLERS[language].grammar.words) - 1
    return _KNOWS[language].format(n=n, unknown=UNKNOWN)


def save(decoder: Decoder, teller: Teller, folder: Path) -> None:
    """Write a decoder's files: its weights as a GPT-2's, and a tokenizer of whole words."""
    sizes = decoder.sizes
    config = GPT2Config(
        vocab_size=sizes.words,
        n_positions=sizes.length,
        n_embd=sizes.d_model,
        n_layer=sizes.n_layers,
        n_head=sizes.n_heads,
        bos_token_id=teller.vocabulary.index(START),
        eos_token_id=teller.vocabulary.index(END),
    )
    model = GPT2LMHeadModel(config)
    with torch.no_grad():
        for theirs, ours in _pairs(model, decoder):
            theirs.copy_(ours)
    model.save_pretrained(folder)
    _tokenizer(teller, sizes.length).save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)


def _tokenizer(teller: Teller, length: int) -> PreTrainedTokenizerFast:
    numbers = {word: i for i, word in enumerate(teller.vocabulary)}
    inner = Tokenizer(models.WordLevel(numbers, unk_token=UNKNOWN))
    cut_into_words(inner, teller.grammar)
    inner.post_processor = processors.TemplateProcessing(
        single=f"{START} $A",
        pair=f"{START} $A $B",
        special_tokens=[(START, numbers[START])],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=inner,
        unk_token=UNKNOWN,
        bos_token=START,
        eos_token=END,
        model_max_length=length,
        model_input_names=["input_ids"],
    )


def cut_into_words(inner: Any, grammar: Grammar) -> None:
    """Let a tokenizer cut texts as a grammar does, and write words as people do."""
    inner.pre_tokenizer = pre_tokenizers.Split(Regex(grammar.pieces), "removed", invert=True)
    spaced = [decoders.WordPiece(cleanup=False)] if grammar.between else []
    closed = [decoders.Replace(Regex(grammar.closed), "")] if grammar.closed else []
    inner.decoder = decoders.Sequence([*spaced, decoders.Fuse(), *closed])


def decoder_of(network: Any) -> Decoder:
    """The from-scratch stack with the weights of a GPT-2 of its form, with or without its head."""
    config = network.config
    sizes = (config.vocab_size, config.n_positions, config.n_embd, config.n_head, config.n_layer)
    decoder = Decoder(Sizes(*sizes), seed=0)
    with torch.no_grad():
        for theirs, ours in _pairs(network, decoder):
            ours.copy_(theirs)
    return decoder.eval()


def _pairs(network: Any, decoder: Decoder) -> list[tuple[Tensor, Tensor]]:
    """Each of a GPT-2's weights beside the from-scratch stack's own; GPT-2 keeps maps turned."""
    body = getattr(network, "transformer", network)
    d = decoder.sizes.d_model
    pairs = [
        (body.wte.weight, decoder.tokens.weight),
        (body.wpe.weight, decoder.positions.weight),
        *_norms(body.ln_f, decoder.norm),
    ]
    for theirs, ours in zip(body.h, decoder.blocks, strict=True):
        pairs += _norms(theirs.ln_1, ours.norm_1) + _norms(theirs.ln_2, ours.norm_2)
        attention = ours.attention
        maps = [
            (theirs.attn.c_proj, attention.o),
            (theirs.mlp.c_fc, ours.wide),
            (theirs.mlp.c_proj, ours.narrow),
        ]
        for theirs_map, ours_map in maps:
            pairs += [(theirs_map.weight.T, ours_map.weight), (theirs_map.bias, ours_map.bias)]
        for i, ours_map in enumerate((attention.W_Q, attention.W_K, attention.W_V)):
            one = slice(i * d, (i + 1) * d)
            joined = theirs.attn.c_attn
            pairs += [(joined.weight.T[one], ours_map.weight), (joined.bias[one], ours_map.bias)]
    return pairs


def _norms(theirs: nn.LayerNorm, ours: nn.LayerNorm) -> list[tuple[Tensor, Tensor]]:
    return [(theirs.weight, ours.weight), (theirs.bias, ours.bias)]
