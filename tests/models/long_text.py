"""A long text of sentences and paragraphs, of a known number of tokens, and a small BERT for it."""

import random

import torch
import transformers

NOUNS = ("lamp", "door", "keeper", "boat", "stone", "letter", "gull", "key", "window", "sea")
VERBS = ("saw", "found", "left", "heard", "lost", "opened", "knew", "followed")
SMALL = ("the", "a", "old", "red", "under", "behind", "and", "because", "it", "was", "nobody")
RARE = "dragon"
EACH = 97  # sentences from one with the rare word to the next
SENTENCES = 9  # in a paragraph
SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 32,
    "max_position_embeddings": 8192,
    "initializer_range": 0.35,  # so that heads differ
}


def story(n_tokens, seed=0):
    """A text of which `long_bert` makes so many tokens, with [CLS] and [SEP].

    Nouns of several things are two tokens: their own and ``##s``. Every `EACH` sentences a dragon
    comes.
    """
    draw = random.Random(seed)
    left, sentences = n_tokens - 2, []
    while left:
        size = min(draw.randrange(14, 32), left)
        size = left if left - size < 4 else size
        sentences.append(_sentence(draw, size, rare=len(sentences) % EACH == 3))
        left -= size
    paragraphs = range(0, len(sentences), SENTENCES)
    return "\n\n".join(" ".join(sentences[at : at + SENTENCES]) for at in paragraphs)


def _sentence(draw, size, rare):
    """A sentence of so many tokens, its end among them."""
    words = [RARE] if rare else []
    left = size - 1 - len(words)
    while left:
        word = draw.choice(draw.choice((NOUNS, VERBS, SMALL)))
        if word in NOUNS and left > 1 and draw.random() < 0.3:
            word += "s"
        words.append(word)
        left -= 2 if word[:-1] in NOUNS else 1
    return f"{' '.join(words).capitalize()}."


def long_bert(folder):
    """Save a BERT of 2 layers and 4 heads that reads 8,192 tokens."""
    torch.manual_seed(7)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "##s", ".", RARE]
    words += [*NOUNS, *VERBS, *SMALL]
    (folder / "vocab.txt").write_text("\n".join(words))
    tokenizer = transformers.BertTokenizerFast(vocab=str(folder / "vocab.txt"))
    tokenizer.save_pretrained(folder)
    config = transformers.BertConfig(vocab_size=len(words), pad_token_id=0, **SIZES)
    transformers.BertModel(config).eval().save_pretrained(folder)
    return folder
