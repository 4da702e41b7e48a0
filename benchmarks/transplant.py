"""The from-scratch layer with a BERT's weights beside that BERT: largest differences, by layer."""

import torch
from transformers import BertConfig, BertModel

from explorer.source import Embedded
from explorer.sources.loading import LoadedModel, load_model
from explorer.sources.progress import silent
from explorer.sources.transplanted import check_transplant
from explorer.trace import ModelInfo

TEXTS = {
    "13 tokens": ("The cat sat on the mat because it was tired.",),
    "pair": ("Who wrote the first program?", "Ada Lovelace wrote it in 1843."),
    "512 tokens": ("The old lighthouse had not been lit for thirty years. " * 50,),
}


def base_shaped(tokenizer: object) -> LoadedModel:
    """A random model of the shape of bert-base, reading with a given tokenizer."""
    torch.manual_seed(0)
    network = BertModel(BertConfig(attn_implementation="eager")).eval()
    info = ModelInfo("random, bert-base-shaped", None, 12, 12, 768, 512)
    return LoadedModel(info, tokenizer, network, network)


def main() -> None:
    minilm = load_model(Embedded(), silent)
    print("Transplant, largest differences: weights / output (largest number in the output)")
    for loaded in (minilm, base_shaped(minilm.tokenizer)):
        for name, texts in TEXTS.items():
            rows = check_transplant(loaded, texts)
            cells = [f"{r.weights:.1e} / {r.output:.1e} ({r.size:.2f})" for r in rows]
            print(f"{loaded.info.name} | {name} | " + " | ".join(cells))


if __name__ == "__main__":
    main()
