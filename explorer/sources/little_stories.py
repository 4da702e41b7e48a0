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

from explorer.scratch.decoder import Decoder, Sizes
from explorer.scratch.grammar import CLOSED, END, GIRLS, SPLIT, WORDS
from explorer.scratch.storyteller import START, UNKNOWN, VOCABULARY


def note() -> str:
    """What the decoder knows, for somebody whose words it does not."""
    some = ", ".join([*GIRLS[:2], "Tom", "fox", "frogs", "ball", "garden", "happy", "because"])
    return (
        f"It has learned little stories and knows {len(WORDS) - 1} words and marks, such as "
        f"{some}; every other word is {UNKNOWN} to it. Begin as its stories do: Mia and Tom "
        "live near the garden."
    )


def save(decoder: Decoder, folder: Path) -> None:
    """Write a decoder's files: its weights as a GPT-2's, and a tokenizer of whole words."""
    sizes = decoder.sizes
    config = GPT2Config(
        vocab_size=sizes.words,
        n_positions=sizes.length,
        n_embd=sizes.d_model,
        n_layer=sizes.n_layers,
        n_head=sizes.n_heads,
        bos_token_id=VOCABULARY.index(START),
        eos_token_id=VOCABULARY.index(END),
    )
    model = GPT2LMHeadModel(config)
    with torch.no_grad():
        for theirs, ours in _pairs(model, decoder):
            theirs.copy_(ours)
    model.save_pretrained(folder)
    _tokenizer(sizes.length).save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)


def _tokenizer(length: int) -> PreTrainedTokenizerFast:
    numbers = {word: i for i, word in enumerate(VOCABULARY)}
    inner = Tokenizer(models.WordLevel(numbers, unk_token=UNKNOWN))
    inner.pre_tokenizer = pre_tokenizers.Split(Regex(SPLIT), "removed", invert=True)
    inner.post_processor = processors.TemplateProcessing(
        single=f"{START} $A",
        pair=f"{START} $A $B",
        special_tokens=[(START, numbers[START])],
    )
    inner.decoder = decoders.Sequence(
        [decoders.WordPiece(cleanup=False), decoders.Fuse(), decoders.Replace(Regex(CLOSED), "")]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=inner,
        unk_token=UNKNOWN,
        bos_token=START,
        eos_token=END,
        model_max_length=length,
        model_input_names=["input_ids"],
    )


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
