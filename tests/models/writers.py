"""Tiny random models that write: decoders of the zoo with their head for words."""

import torch
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING

from explorer.run import Run
from explorer.source import Folder
from tests.models.tiny import byte_level
from tests.models.zoo import DECODERS, config_of

TEXT = "a cat sat on the mat."


def save_writer(name, folder, seed=0, **own):
    """Save a decoder of the zoo with its head, random numbers of a size that makes heads differ.

    Nothing that it writes ends its text.
    """
    config = config_of(name, DECODERS[name] | own)
    config._attn_implementation = "eager"
    config.eos_token_id = None
    model = MODEL_FOR_CAUSAL_LM_MAPPING[type(config)](config)
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in model.parameters():
            if p.is_floating_point():
                noise = torch.randn(p.shape, generator=draw)
                p.copy_(0.12 * noise if p.ndim > 1 else p + 0.1 * noise)
    model = model.eval()
    model.save_pretrained(folder)
    tokenizer = byte_level()
    tokenizer.eos_token = None
    tokenizer.save_pretrained(folder)
    return model


def run_of(folder, text=TEXT, **more):
    return Run(text, source=Folder(str(folder)), **more)


def ids_of(run):
    """The numbers of a run's tokens: without what closes the text."""
    return [*byte_level()(run.text)["input_ids"][:-1], *run.written]


def plain(model, run):
    """The logits of a model's own eager run, ``[token, vocabulary]``."""
    with torch.inference_mode():
        return model(input_ids=torch.tensor([ids_of(run)])).logits[0].numpy()


CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' "
    "+ message['content'] | trim + '<|im_end|>' + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def save_talker(folder, template=CHATML, name="llama"):
    """Save a decoder whose tokenizer has a chat template, and the marks that it writes."""
    model = save_writer(name, folder)
    tokenizer = byte_level()
    tokenizer.eos_token = None
    marks = ["<|im_start|>", "<|im_end|>"]
    tokenizer.add_special_tokens({"additional_special_tokens": marks})
    tokenizer.chat_template = template
    tokenizer.save_pretrained(folder)
    return model, tokenizer
