"""Texts as tokenizers of every kind cut them: places, words, marks, and what is said of failures.

The tokenizers are trained or written on the spot, each of the class that its family uses; models
take part only where what a model knows matters.
"""

import json
import re
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import sentencepiece
import torch
import transformers
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

import explorer
from explorer.analysis.alignment import align
from explorer.errors import ExplorerError
from explorer.run import Run
from explorer.source import Folder
from explorer.sources import trace_run
from explorer.sources.hub_cache import is_wanted, needs_no_vocabulary
from explorer.sources.placing import spans_of, words_of
from explorer.sources.tokenizer import growth_of, load_tokenizer
from explorer.sources.tokens import pieces_of, read_texts
from explorer.trace import AttentionTrace, ModelInfo
from tests.models.tiny import byte_level, tiny_writer

LINES = ["The cat sat on the mat because it was tired.", "naïve cats don't sit: 猫坐在垫子上。"]
SIZES = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
SIZES |= {"intermediate_size": 16, "max_position_embeddings": 40}


def read(tokenizer, *texts, most=512):
    """The tokens that a tokenizer makes of texts, without any model."""
    about = SimpleNamespace(name="tiny", max_tokens=most, unknown_token=tokenizer.unk_token)
    about.truncation_side = tokenizer.truncation_side
    loaded = SimpleNamespace(tokenizer=tokenizer, growth=1.0, reading=threading.Lock(), info=about)
    loaded.form, loaded.network, loaded.adds_marks = "text", SimpleNamespace(), True
    return read_texts(loaded, texts).tokens


def words(tokens, text, segment=0):
    """The words of a text as its tokens have them: what the pieces of each cover together."""
    found = {}
    for token in tokens:
        if token.word is not None and token.span and token.segment == segment:
            start, end = found.get(token.word, token.span)
            found[token.word] = (min(start, token.span[0]), max(end, token.span[1]))
    return [text[slice(*span)].strip() for span in found.values()]


def check_places(tokens, text):
    """Every piece of a text in its place, in order, and no letter without a piece."""
    spans = [t.span for t in tokens if t.span]
    assert spans == sorted(spans)
    covered = {i for start, end in spans for i in range(start, end)}
    assert covered >= {i for i, letter in enumerate(text) if not letter.isspace()}


# --- tokenizers without words -------------------------------------------------------------------


def llama(before):
    """A BPE that cuts a text in one go, as Llama, Mistral, Phi-3 (``normalizer``) or Gemma have."""
    bpe = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    steps = {
        "normalizer": [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")],
        "gemma": [normalizers.Replace(" ", "▁")],
    }
    if before in steps:
        bpe.normalizer = normalizers.Sequence(steps[before])
    else:
        bpe.pre_tokenizer = pre_tokenizers.Metaspace("▁", prepend_scheme="first", split=False)
    special = ["<unk>", "<s>", "</s>", *(f"<0x{i:02X}>" for i in range(256))]
    trainer = trainers.BpeTrainer(vocab_size=330, special_tokens=special, show_progress=False)
    bpe.train_from_iterator((f"▁{word}" for line in LINES * 5 for word in line.split()), trainer)
    bpe.decoder = decoders.ByteFallback()
    bpe.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)]
    )
    names = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=bpe, **names)


@pytest.mark.parametrize("before", ["normalizer", "metaspace", "gemma"])
def test_where_a_tokenizer_has_no_words_they_stand_between_spaces(before):
    text, other = "the cat sat on  the mat.\nIt was", "the mat"
    tokens = read(llama(before), text, other)
    check_places([t for t in tokens if t.segment == 0], text)
    assert words(tokens, text) == ["the", "cat", "sat", "on", "the", "mat.", "It", "was"]
    assert words(tokens, other, segment=1) == ["the", "mat"]
    assert [t.text for t in tokens if t.text in ("⏎", "⇥")] == ["⏎"]


@pytest.mark.parametrize("before", ["normalizer", "metaspace", "gemma"])
def test_a_text_without_spaces_has_its_characters_as_words(before):
    text = "猫坐在垫子上，因为它累了。"
    tokens = read(llama(before), text)
    check_places(tokens, text)
    assert len(words(tokens, text)) >= 10  # pieces of several characters are words of their own
    assert "".join(words(tokens, text)) == text
    for token in tokens:
        if token.span:
            assert token.text == text[slice(*token.span)]


@pytest.mark.parametrize(
    ("text", "parted"),
    [
        ("コンピューター", ["コンピューター"]),
        ("猫がコンピュータを", ["猫", "が", "コンピュータ", "を"]),
        ("ab猫cd", ["ab", "猫", "cd"]),
        ("ดีที่นี่", ["ดี", "ที่", "นี่"]),
        ("हिन्दी", ["हिन्दी"]),
        ("고양이가 앉아", ["고양이가", "앉아"]),
        ("e\u0301a 👨‍👩‍👧", ["e\u0301a", "👨‍👩‍👧"]),
    ],
)
def test_what_is_a_word_depends_on_the_script(text, parted):
    spans = [(i, i + 1) for i in range(len(text))]
    nothing = [False] * len(text)
    found = words_of(text, spans, [0] * len(text), nothing, nothing)
    pieces = {}
    for word, (start, end) in zip(found, spans, strict=True):
        if word is not None:
            pieces[word] = pieces.get(word, "") + text[start:end]
    assert list(pieces.values()) == parted


def test_a_whole_run_of_such_a_model_is_compared_and_taken_apart_by_words(tmp_path):
    torch.manual_seed(0)
    tokenizer = llama("normalizer")
    sizes = SIZES | {"vocab_size": len(tokenizer), "num_key_value_heads": 2}
    transformers.LlamaModel(transformers.LlamaConfig(**sizes)).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    text = "the cat sat on the mat"
    trace = explorer.trace(text, source=f"path:{tmp_path}")
    assert words(trace.tokens, text) == text.split()

    units = align(trace, explorer.trace(text, source="scratch")).units
    assert [u.text.strip() for u in units if not u.special] == text.split()


# --- spaces -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pieces_file(tmp_path_factory):
    """A SentencePiece model that knows few pieces: most spaces are pieces of their own."""
    folder = tmp_path_factory.mktemp("pieces")
    (folder / "lines.txt").write_text("\n".join(LINES * 50))
    sentencepiece.SentencePieceTrainer.train(
        input=str(folder / "lines.txt"),
        model_prefix=str(folder / "small"),
        vocab_size=90,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    return folder / "small.model"


def from_pieces(family, pieces_file, folder):
    maker = getattr(transformers, f"{family}Tokenizer")
    (name,) = [f for f in maker.vocab_files_names.values() if f.endswith(".model")]
    (folder / name).write_bytes(pieces_file.read_bytes())
    return maker.from_pretrained(folder)


@pytest.mark.parametrize("kind", ["XLMRoberta", "T5", "gemma", "bytes"])
def test_a_chinese_sentence_has_each_character_in_the_pieces_that_it_comes_from(
    kind, pieces_file, tmp_path
):
    """Pieces of a byte stand at their whole character, and are one word with it."""
    text = "猫坐在垫子上，“因为”它累了。𠮷"
    if kind == "bytes":
        tokenizer = byte_level()
    elif kind == "gemma":
        tokenizer = llama("gemma")
    else:  # which knows these alone
        text, tokenizer = "垫子上坐猫。", from_pieces(kind, pieces_file, tmp_path)
    tokens = [t for t in read(tokenizer, text) if not t.special and t.span]
    check_places(tokens, text)
    for token in tokens:
        assert token.text in (text[slice(*token.span)], tokenizer.unk_token)
        same = [other for other in tokens if other.word == token.word]
        assert {other.span for other in same} == {token.span}  # nothing is torn, nothing joined
    assert "".join(words(tokens, text)) == text
    if kind in ("bytes", "gemma"):
        assert sum(text[slice(*t.span)] == "𠮷" for t in tokens) == 4  # of four bytes


@pytest.mark.parametrize("family", ["XLMRoberta", "T5", "DebertaV2", "XLNet", "BertGeneration"])
def test_a_piece_that_is_only_a_space_is_shown_as_one_where_it_stands(
    family, pieces_file, tmp_path
):
    text = "猫 坐 on"
    tokens = read(from_pieces(family, pieces_file, tmp_path), text)
    shown = [(t.text, t.span) for t in tokens if not t.special]
    assert shown == [
        *[("␣", None), ("猫", (0, 1)), ("␣", (1, 2)), ("坐", (2, 3)), ("␣", (3, 4))],
        ("on", (4, 6)),
    ]
    assert words(tokens, text) == ["猫", "坐", "on"]
    of_words = [t.word for t in tokens if not t.special]
    assert of_words == [0, 0, 1, 1, 2, 2]  # the space in front of a word is a piece of it


def test_line_breaks_and_tabs_are_told_from_spaces():
    text = "the cats\n\tnaïve  the"
    tokens = [t for t in read(byte_level(), text) if not t.special]
    shown = [(t.text, t.span) for t in tokens if t.text in "⏎⇥␣"]
    assert shown == [("⏎", (8, 9)), ("⇥", (9, 10)), ("␣", (15, 16))]
    assert words(tokens, text) == ["the", "cats", "naïve", "the"]


def test_every_piece_of_a_character_stands_at_that_character():
    text = "a猫é😀e\u0301"
    tokens = [t for t in read(byte_level(), text) if not t.special]
    check_places(tokens, text)
    by_place = [text[slice(*t.span)] for t in tokens]
    assert by_place.count("😀") == 4  # one byte each
    assert [t.text for t in tokens] == by_place


def test_a_word_is_compared_without_the_space_that_is_a_piece_of_it(pieces_file, tmp_path):
    tokenizer = from_pieces("XLMRoberta", pieces_file, tmp_path)

    def traced(text):
        tokens = read(tokenizer, text)
        n = len(tokens)
        about = ModelInfo("tiny", None, 1, 1, 8, 512)
        weights = np.full((1, 1, n, n), 1 / n, dtype=np.float32)
        return AttentionTrace(about, (text,), tokens, tokens, weights)

    units = align(traced("猫 坐 on"), traced("on 猫 坐")).units
    assert [(u.text, u.other) for u in units if not u.special] == [("猫", "猫"), ("坐", "坐")]


# --- spellings ----------------------------------------------------------------------------------

LETTERS = sorted({c for line in LINES for c in line if c != " "})


def bpe_files(folder, end, codes=False):
    """The vocabulary and merges of a BPE that marks the end of words, or that they go on."""
    merges = ["T h", "c a", f"a t{end}"]
    names = ["<s>", "</s>", "<pad>", "<unk>", *LETTERS, *(c + end for c in LETTERS)]
    names += ["Th", "ca", f"at{end}"]
    if codes:  # PhoBERT's files
        names = [*LETTERS, *(f"{c}@@" for c in LETTERS), "Th@@", "ca@@", "at"]
        (folder / "vocab.txt").write_text("\n".join(f"{n} 1" for n in names))
        lines = "\n".join(f"{m} 1" for m in ["T h", "c a", "a t</w>"])
        (folder / "bpe.codes").write_text(f"{lines}\n")
        return folder / "vocab.txt", folder / "bpe.codes"
    (folder / "vocab.json").write_text(json.dumps({n: i for i, n in enumerate(names)}))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    return folder / "vocab.json", folder / "merges.txt"


@pytest.mark.parametrize(
    ("family", "codes"),
    [("Flaubert", False), ("XLM", False), ("BioGpt", False), ("Phobert", True), ("Bertweet", True)],
)
def test_pieces_that_spell_the_ends_of_words_are_placed_in_the_text(family, codes, tmp_path):
    files = bpe_files(tmp_path, "</w>", codes)
    tokenizer = getattr(transformers, f"{family}Tokenizer")(*map(str, files))
    text = "The naïve  cats sit on 猫"
    tokens = read(tokenizer, text)
    check_places(tokens, text)
    assert words(tokens, text) == text.split()
    for token in tokens:
        if token.span:  # XLM takes case and accents away
            said = text[slice(*token.span)]
            assert token.text in (said, said.lower(), "i")


@pytest.mark.parametrize("family", ["Phobert", "Bertweet"])
def test_an_unknown_piece_within_a_word_does_not_break_it(family, tmp_path):
    files = bpe_files(tmp_path, "</w>", codes=True)
    tokenizer = getattr(transformers, f"{family}Tokenizer")(*map(str, files))
    text = "The caжжs sit, жжжж on жon"
    assert tokenizer(text)["input_ids"].count(tokenizer.unk_token_id) > 4
    tokens = read(tokenizer, text)
    check_places(tokens, text)
    assert [w for w in words(tokens, text) if "ж" in w] == ["caжжs", "жжжж", "жon"]


def test_unknown_text_stands_where_its_neighbours_leave_room():
    assert spans_of(["the", None, "on", None], "the 猫咪 on 狗") == [
        (0, 3),
        (4, 6),
        (7, 9),
        (10, 11),
    ]
    assert spans_of([None, None, "."], "猫狗.") == [(0, 1), (1, 2), (2, 3)]
    assert spans_of(["cat", "&apos;", "s"], "cat's") == [(0, 3), (3, 4), (4, 5)]


def test_no_letter_far_away_is_taken_for_a_piece_that_is_not_there():
    spans = spans_of([None, "x", "and", " so", " on"], "猫 and so on, until an x comes")
    assert spans[2:] == [(2, 5), (6, 8), (9, 11)]


@pytest.mark.parametrize("maker", ["ByT5Tokenizer", "PerceiverTokenizer"])
def test_a_tokenizer_without_a_vocabulary_reads_byte_by_byte(maker, tmp_path):
    getattr(transformers, maker)().save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "t5"}))
    text = "é 猫\n😀e\u0301"
    tokens = read(load_tokenizer(tmp_path, "tiny"), text)
    check_places(tokens, text)
    for token in tokens:
        if not token.special:
            said = text[slice(*token.span)]
            assert token.text == {" ": "␣", "\n": "⏎"}.get(said, said)


def test_canine_has_no_vocabulary_and_its_pieces_are_characters(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "canine"}))
    assert needs_no_vocabulary(tmp_path)  # its own tokenizer takes seconds to be made
    (tmp_path / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "BertTokenizer"})
    )
    assert not needs_no_vocabulary(tmp_path)
    text = "é 猫\n😀e\u0301"
    assert spans_of(["", *text, ""], text) == [None, *((i, i + 1) for i in range(7)), None]


@pytest.mark.parametrize(
    ("family", "file"),
    [("DebertaV2", "spm.model"), ("RemBert", "sentencepiece.model"), ("T5", "spiece.model")],
)
def test_a_model_as_its_authors_publish_it_is_read_from_its_pieces_alone(
    family, file, pieces_file, tmp_path
):
    torch.manual_seed(0)
    maker = getattr(transformers, f"{family}Model")
    sizes = SIZES | {"vocab_size": 120}
    if family == "T5":
        sizes = {"vocab_size": 120, "d_model": 16, "num_layers": 1, "num_heads": 2, "d_kv": 8}
        sizes |= {"d_ff": 16, "decoder_start_token_id": 0}
    maker(maker.config_class(**sizes)).save_pretrained(tmp_path)
    (tmp_path / file).write_bytes(pieces_file.read_bytes())
    trace = explorer.trace("the cat sat", source=f"path:{tmp_path}", part="encoder")
    assert words(trace.tokens, "the cat sat") == ["the", "cat", "sat"]


def test_every_file_that_a_tokenizer_of_transformers_has_is_fetched():
    home = Path(transformers.__file__).parent / "models"
    named = set()
    for source in home.glob("*/tokenization_*.py"):
        tables = re.findall(r"VOCAB_FILES_NAMES = \{.*?\}", source.read_text("utf-8"), re.DOTALL)
        named |= {f for table in tables for f in re.findall(r": \"([\w.-]+)\"", table)}
    assert len(named) > 20
    # LUKE's table of entities, which texts do not need, and Whisper's spellings.
    assert {f for f in named if not is_wanted(f)} <= {"entity_vocab.json", "normalizer.json"}


# --- marks --------------------------------------------------------------------------------------


def test_one_token_for_unknown_text_and_for_the_ends_is_a_mark_where_it_ends_a_text():
    single = {"unk_token": "</s>", "bos_token": "</s>", "eos_token": "</s>"}  # as OPT has it
    like_opt = transformers.PreTrainedTokenizerFast(
        tokenizer_object=byte_level().backend_tokenizer, **single
    )
    tokens = read(like_opt, "the </s> cats")
    assert [t.special for t in tokens if t.text == "</s>"] == [True, True]
    words_only = Tokenizer(models.WordLevel({"the": 0, "cat": 1, "</s>": 2}, unk_token="</s>"))
    words_only.pre_tokenizer = pre_tokenizers.Whitespace()
    words_only.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 2)]
    )
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=words_only, **single)
    tokens = read(tokenizer, "the dog cat")
    assert [(t.special, t.span) for t in tokens if t.text == "</s>"] == [
        (False, (4, 7)),
        (True, None),
    ]


def test_clips_end_is_a_mark_and_its_pieces_are_shown_without_their_spelling(tmp_path):
    names, merges = bpe_files(tmp_path, "</w>")
    vocabulary = json.loads(names.read_text())
    vocabulary |= {
        n: len(vocabulary) + i for i, n in enumerate(("<|startoftext|>", "<|endoftext|>"))
    }
    pairs = [tuple(line.split()) for line in merges.read_text().splitlines()[1:]]
    tokens = read(transformers.CLIPTokenizer(vocab=vocabulary, merges=pairs), "the cat sat")
    assert [t.text for t in tokens if t.special] == ["<|startoftext|>", "<|endoftext|>"]
    assert not any("</w>" in t.text for t in tokens)


# --- numbers beyond a vocabulary, and beyond a model --------------------------------------------


def test_a_number_without_a_piece_is_shown_as_one():
    tokenizer = byte_level()
    assert pieces_of(tokenizer, [5, 32_105]) == [tokenizer.convert_ids_to_tokens(5), "⟨32105⟩"]


def test_a_model_that_writes_beyond_its_tokenizer_is_shown(tmp_path):
    tokenizer = tiny_writer("T5", tmp_path)
    beyond = len(tokenizer) + 3  # its embeddings are more, as T5's own are
    settings = transformers.GenerationConfig.from_pretrained(tmp_path)
    settings.forced_bos_token_id = beyond
    settings.save_pretrained(tmp_path)
    trace = trace_run(Run("the cat", source=Folder(str(tmp_path))))
    assert trace.query_tokens[1].text == f"⟨{beyond}⟩"
    assert (trace.query_tokens[1].span, trace.query_tokens[1].special) == (None, False)


def test_tokens_that_were_added_to_the_tokenizer_alone_are_named_with_the_way(tmp_path):
    tokenizer = byte_level()
    tokenizer.add_tokens(["newcat"])
    sizes = SIZES | {"vocab_size": len(tokenizer) - 1, "pad_token_id": 1}
    transformers.BertModel(transformers.BertConfig(**sizes)).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    explorer.trace("the cats", source=f"path:{tmp_path}")
    with pytest.raises(ExplorerError, match=r"“newcat” .*resize_token_embeddings\(len\(tokenizer"):
        explorer.trace("the newcat", source=f"path:{tmp_path}")


# --- what does not fit --------------------------------------------------------------------------


@pytest.mark.parametrize(("side", "kept", "place"), [("left", "mat", 8), ("right", "the", 3)])
def test_a_text_is_cut_at_the_side_that_its_tokenizer_says(side, kept, place, tmp_path):
    tokenizer = byte_level()
    tokenizer.save_pretrained(tmp_path)
    settings = json.loads((tmp_path / "tokenizer_config.json").read_text())
    (tmp_path / "tokenizer_config.json").write_text(
        json.dumps(settings | {"truncation_side": side})
    )
    sizes = SIZES | {"vocab_size": 300, "pad_token_id": 1, "max_position_embeddings": 3}
    transformers.BertModel(transformers.BertConfig(**sizes)).save_pretrained(tmp_path)
    text = "the cat mat" if side == "left" else "the cats mat"
    trace = explorer.trace(text, source=f"path:{tmp_path}")
    assert [t.text for t in trace.tokens if not t.special][-1 if side == "left" else 0] in text
    assert trace.model.truncation_side == side
    (cut,) = trace.n_cut
    spans = [t.span for t in trace.tokens if t.span]
    assert cut > 0
    assert trace.cut_at(0) == (spans[0][0] if side == "left" else spans[-1][1])
    assert (trace.cut_at(0) > 3) == (side == "left")


# --- failures -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("maker", "package"),
    [("BertJapaneseTokenizer", "fugashi"), ("RoFormerTokenizer", "rjieba")],
)
def test_a_package_that_a_tokenizer_needs_is_named(maker, package, tmp_path):
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n猫")
    settings = {"tokenizer_class": maker, "word_tokenizer_type": "mecab"}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    said = f"needs the Python package {package}, .* pip install {package}$"
    with pytest.raises(ExplorerError, match=said):
        load_tokenizer(tmp_path, "tiny")


def test_rules_in_python_of_transformers_own_make_no_tokenizer_unreadable():
    class Halves:
        def pre_tokenize(self, text):
            text.split(lambda _, part: [part[:3], part[3:]])

    tokenizer = byte_level()
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.PreTokenizer.custom(Halves())
    assert growth_of(tokenizer, "tiny") == 1


def test_a_vocabulary_that_is_none_is_refused_in_the_tokenizers_own_words(tmp_path):
    (tmp_path / "tokenizer.json").write_text('{"model": {"type": "Cat"}}')
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(ExplorerError, match=r"tokenizer of “tiny” cannot be loaded: “.+”"):
        load_tokenizer(tmp_path, "tiny")


def test_a_tokenizer_that_fails_says_so_in_its_own_words():
    class Failing:
        is_fast, unk_token, truncation_side = True, None, "right"

        def __call__(self, *texts, **options):
            raise RuntimeError("no such thing as a cat")

    with pytest.raises(ExplorerError, match="failed on this text: “no such thing as a cat”"):
        read(Failing(), "the cat")


@pytest.mark.parametrize("family", ["Wav2Vec2", "Whisper"])
def test_a_model_of_speech_asks_for_a_recording(family, tmp_path):
    sizes = {"vocab_size": 300, "hidden_size": 16, "num_hidden_layers": 1}
    sizes |= {"num_attention_heads": 2, "intermediate_size": 16}
    if family == "Whisper":
        sizes = {"vocab_size": 300, "d_model": 16, "encoder_layers": 1, "decoder_layers": 1}
        sizes |= {"encoder_attention_heads": 2, "decoder_attention_heads": 2, "pad_token_id": 1}
        sizes |= {"encoder_ffn_dim": 16, "decoder_ffn_dim": 16, "num_mel_bins": 8}
        sizes |= {"max_source_positions": 20, "max_target_positions": 20}
    maker = getattr(transformers, f"{family}Model")
    maker(maker.config_class(**sizes)).save_pretrained(tmp_path)
    byte_level().save_pretrained(tmp_path)
    with pytest.raises(ExplorerError, match="reads sound: it needs a recording"):
        explorer.trace("the cat", "a dog", source=f"path:{tmp_path}")


# --- languages ----------------------------------------------------------------------------------


def translator(family, folder, pieces_file):
    """A tiny model that translates, with the tokenizer of its family."""
    torch.manual_seed(4)
    if family == "M2M100":
        pieces = sentencepiece.SentencePieceProcessor(model_file=str(pieces_file))
        names = ["<s>", "<pad>", "</s>", "<unk>"]
        names += [pieces.id_to_piece(i) for i in range(3, pieces.get_piece_size())]
        (folder / "names.json").write_text(json.dumps({n: i for i, n in enumerate(names)}))
        tokenizer = transformers.M2M100Tokenizer(str(folder / "names.json"), str(pieces_file))
    elif family == "Nllb":
        base = byte_level()
        vocabulary = base.get_vocab()
        tokenizer = transformers.NllbTokenizer(vocab=vocabulary, merges=[])
    else:
        tokenizer = from_pieces(family, pieces_file, folder)
    tokenizer.save_pretrained(folder)
    sizes = {"d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "encoder_ffn_dim": 16}
    sizes |= {"decoder_ffn_dim": 16, "encoder_attention_heads": 2, "decoder_attention_heads": 2}
    sizes |= {"vocab_size": 600, "max_position_embeddings": 60, "init_std": 0.5}
    sizes |= {"decoder_start_token_id": tokenizer.eos_token_id}
    kind = "MBart" if "MBart" in family else "M2M100"
    maker = getattr(transformers, f"{kind}ForConditionalGeneration")
    maker(maker.config_class(**sizes)).eval().save_pretrained(folder)
    return tokenizer


LANGUAGES = {"M2M100": ("de", "fr"), "MBart50": ("de_DE", "fr_XX"), "MBart": ("de_DE", "fr_XX")}
LANGUAGES |= {"Nllb": ("deu_Latn", "fra_Latn")}


@pytest.mark.parametrize("family", LANGUAGES)
def test_a_translating_model_reads_and_writes_the_languages_that_are_chosen(
    family, pieces_file, tmp_path
):
    tokenizer = translator(family, tmp_path, pieces_file)
    source, target = LANGUAGES[family]
    chosen = {"source_language": source, "target_language": target}
    text, given = "the cat sat", "the mat"
    trace = explorer.trace(text, given, source=f"path:{tmp_path}", **chosen)

    tokenizer.src_lang, tokenizer.tgt_lang = source, target
    assert marks(trace.key_tokens) == marks_in(tokenizer, tokenizer(text)["input_ids"])
    labels = tokenizer(text_target=given)["input_ids"]
    # As Transformers shifts labels: M2M100, NLLB and mBART-50 start with the end of a text, mBART
    # with what stands last, its language; the end itself is left out there.
    start = labels[-1] if family == "MBart" else tokenizer.eos_token_id
    shifted = [start, *labels[:-1]]
    shifted = shifted[:-1] if family == "MBart" else shifted
    assert marks(trace.query_tokens) == marks_in(tokenizer, shifted)

    written = explorer.trace(text, source=f"path:{tmp_path}", **chosen)
    assert marks(written.query_tokens[:2])[-1].strip("_") == target
    assert not written.model.notes
    unsaid = explorer.trace(text, given, source=f"path:{tmp_path}")
    assert any("A language that nobody has chosen" in note for note in unsaid.model.notes)


def marks(tokens):
    return [t.text for t in tokens if t.special]


def marks_in(tokenizer, ids):
    """The marks among what a tokenizer itself gives."""
    pieces = tokenizer.convert_ids_to_tokens(ids)
    known = {*tokenizer.all_special_tokens, "__de__", "__fr__"} - {"<unk>"}
    return [piece for piece in pieces if piece in known]


def test_a_language_that_a_model_does_not_have_is_answered_with_some_that_it_has(
    pieces_file, tmp_path
):
    translator("M2M100", tmp_path, pieces_file)
    with pytest.raises(ExplorerError, match=r"“xx” is no language of .* It has af, am, ar.* more"):
        explorer.trace("the cat", source=f"path:{tmp_path}", target_language="xx")
    with pytest.raises(ExplorerError, match="has no languages to choose between"):
        explorer.trace("the cat", source_language="en")
    with pytest.raises(ExplorerError, match="from-scratch layer has no languages"):
        explorer.trace("the cat", source="scratch", source_language="en")


def test_languages_travel_in_the_link():
    run = Run("a", "b", source_language="en", target_language="fr_XX")
    assert Run.from_query(run.to_query()) == run
    with pytest.raises(ExplorerError, match="no name of a language"):
        Run("a", source_language="../etc")
