"""A model's files are data: none of them names what is read, run or built beyond bounds.

A canary is a file with a random line; the kernel tells (inotify) whether anybody opened it, in
whatever language the opening was written.
"""

import ctypes
import json
import os
import secrets
import struct
import sys
from pathlib import Path

import pytest
import sentencepiece
import torch
import transformers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest
from tokenizers import Tokenizer, normalizers
from tokenizers import models as tokenizer_models

import explorer
from explorer.errors import ExplorerError
from explorer.run import Run
from explorer.source import Folder
from explorer.sources import building, loading, silent, trace_run
from explorer.sources.intervention import intervention
from explorer.sources.loading import load_model
from explorer.sources.pictures import picture_of
from explorer.sources.staging import staged
from explorer.target import MaskedWord
from tests.models.tiny import byte_level, drawing, png_of, tiny_model, tiny_vision, tiny_writer

APP = str(Path(__file__).parents[2] / "app.py")
IN_OPEN = 0x20
_opened = []  # every path that Python opened while a canary lived


def _hear(event, args):
    if event == "open" and _listening and isinstance(args[0], str | bytes):
        _opened.append(os.fsdecode(args[0]))


_listening = []
sys.addaudithook(_hear)


class Watch:
    """Tells which of some files were opened, by anything in this process or beside it."""

    def __init__(self, *paths):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.handle = self.libc.inotify_init1(os.O_NONBLOCK)
        assert self.handle >= 0
        self.names = {
            self.libc.inotify_add_watch(self.handle, os.fsencode(p), IN_OPEN): Path(p).name
            for p in paths
        }
        assert -1 not in self.names

    def opened(self):
        try:
            data = os.read(self.handle, 65536)
        except BlockingIOError:
            return []
        found, at = [], 0
        while at < len(data):
            number, _, _, size = struct.unpack_from("iIII", data, at)
            found.append(self.names[number])
            at += 16 + size
        return found

    def close(self):
        os.close(self.handle)


class Canary:
    """A file that nobody may open; a vocabulary too, so that it would be taken for one."""

    def __init__(self, folder):
        self.folder, self.line = folder, f"canary{secrets.token_hex(8)}"
        self.path = folder / "canary.txt"
        words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", self.line, "the", "cat", "."]
        self.path.write_text("\n".join(words))
        self.watch = Watch(self.path)

    def forms(self, model):
        """Every way to name it from a model's folder."""
        away = os.path.relpath(self.path, model)
        for name in (str(self.path), away, "~/canary.txt", self.path.as_uri(), "canary.txt"):
            yield from (name, [name, name], {"file": name, "vocab_file": name}, [{"x": [name]}])


@pytest.fixture
def canary(tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    bird = Canary(home)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("HF_TOKEN", f"hf_{bird.line}")
    monkeypatch.chdir(home)  # a name alone is looked for here
    _opened.clear()
    _listening.append(1)
    yield bird
    _listening.clear()
    assert bird.watch.opened() == []
    assert not [p for p in _opened if "environ" in p or "canary" in p]
    bird.watch.close()


@pytest.fixture
def model(tmp_path):
    """A tiny BERT with a head for words, and its tokenizer in a vocab.txt alone."""
    folder = tmp_path / "model"
    folder.mkdir()
    tiny_model("MaskedLM", folder)
    (folder / "tokenizer.json").unlink()
    return folder


def change(folder, file, /, **values):
    """Write keys into a JSON file; a name with dots leads inwards."""
    path = folder / file
    said = json.loads(path.read_text()) if path.is_file() else {}
    for name, value in values.items():
        *outer, last = name.split("__")
        at = said
        for part in outer:
            at = at.setdefault(part, {})
        at[last] = value
    path.write_text(json.dumps(said))


def trace(folder, text="the cat sat."):
    loading._loaded.pop(Folder(str(folder)), None)
    return explorer.trace(text, source=f"path:{folder}")


# --- names of files ------------------------------------------------------------------------------

KEYS = ["vocab", "merges", "vocab_file", "merges_file", "tokenizer_file", "tokenizer_object"]
KEYS += ["added_tokens_file", "special_tokens_map_file", "tokenizer_config_file", "chat_template"]
KEYS += ["chat_template_file", "name_or_path", "_name_or_path", "fast_tokenizer_files"]
KEYS += ["files_loaded", "init_inputs", "sp_model_kwargs", "mecab_kwargs", "sudachi_config_path"]
KEYS += ["source_spm", "target_spm", "spm_file", "src_vocab_file", "tgt_vocab_file"]
KEYS += ["target_vocab_file", "entity_vocab", "entity_vocab_file", "emoji_file"]
KEYS += ["normalizer_file", "word_shape_file", "monolingual_vocab_file", "gguf_file", "auto_map"]
KEYS += ["custom_pipelines", "transformers_weights", "extra_files", "extra_config_files"]
KEYS += ["adapter_path", "base_model", "peft_config", "_attn_implementation"]
KEYS += ["attn_implementation", "_attn_implementation_internal", "experts_implementation"]
KEYS += ["quantization_config", "fusion_config", "kernel_config", "backbone", "backbone_config"]
KEYS += ["backbone_kwargs", "use_pretrained_backbone", "timm_model"]
KEYS += ["pretrained_model_name_or_path", "cache_dir", "subfolder", "revision", "token"]
KEYS += ["index_path", "passages_path", "dataset", "post_processor", "tokenizer_padding"]
KEYS += ["normalizer", "pre_tokenizer", "decoder", "model", "files", "path", "file", "url"]
KEYS += ["template", "prompt", "stop_strings", "custom_generate", "assistant_model"]
KEYS += ["compile_config", "cache_config", "watermarking_config", "image_processor", "tokenizer"]
KEYS += ["feature_extractor", "processor_class", "langs", "src_lang", "tgt_lang", "source_lang"]
KEYS += ["target_lang", "language", "lang2id", "unk_token", "mask_token"]
KEYS += ["additional_special_tokens", "extra_special_tokens", "errors", "tokenizer_class"]
KEYS += ["image_processor_type", "feature_extractor_type", "model_type", "architectures", "dtype"]
KEYS += ["hidden_act", "weight_map", "response_template", "tool_use_template"]
FILES = ["config.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"]
FILES += ["generation_config.json", "preprocessor_config.json", "model.safetensors.index.json"]
MARKS = ("unk_token", "mask_token", "additional_special_tokens", "extra_special_tokens")


def handed_on(folder):
    """What libraries would see of a folder, or None where it is refused."""
    try:
        with staged(folder, "x") as place:
            return {p.name: p.read_text("utf-8") for p in place.glob("*.json")}
    except ExplorerError:
        return None


def test_the_canary_sings_when_transformers_reads_the_folder_itself(tmp_path, model):
    bird = Canary(tmp_path)
    change(model, "tokenizer_config.json", vocab=str(bird.path))
    tokenizer = transformers.AutoTokenizer.from_pretrained(model, local_files_only=True)
    assert bird.line in tokenizer.get_vocab()
    assert "canary.txt" in bird.watch.opened()
    bird.watch.close()


@pytest.mark.parametrize("file", FILES)
def test_no_key_of_any_configuration_hands_on_the_name_of_a_file(file, canary, model):
    if file == "preprocessor_config.json":
        tiny_vision("ViT", model)
    whole = (model / file).read_text() if (model / file).is_file() else "{}"
    forms = list(canary.forms(model))
    # A token is a text of the vocabulary, whatever it spells; a table of tokens holds their names.
    keys = [k for k in KEYS if k not in MARKS] if file != "added_tokens.json" else ["a", "vocab"]
    for i, key in enumerate(keys):
        for name in (key, f"text_config__{key}", f"rope_parameters__{key}"):
            form = forms[(7 * i + len(name)) % len(forms)]
            (model / file).write_text(whole)
            change(model, file, **{name: form})
            seen = handed_on(model)
            assert seen is None or "canary.txt" not in "".join(seen.values()), (name, form)


def tiny_text(family, folder):
    torch.manual_seed(0)
    ids = {"bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2}
    config = getattr(transformers, f"{family}Config")(
        vocab_size=300, n_embd=16, n_layer=2, n_head=2, n_positions=40, **ids
    )
    getattr(transformers, f"{family}Model")(config).eval().save_pretrained(folder)
    byte_level().save_pretrained(folder)


LOADERS = {
    "BERT": lambda folder: tiny_model("MaskedLM", folder),
    "GPT-2": lambda folder: tiny_text("GPT2", folder),
    "T5": lambda folder: tiny_writer("T5", folder),
    "Marian": lambda folder: tiny_writer("Marian", folder),
    "ViT": lambda folder: tiny_vision("ViT", folder),
    "DeiT": lambda folder: tiny_vision("DeiT", folder),
}


def shown(folder, family):
    """All that a reader gets of a model."""
    source = Folder(str(folder))
    loading._loaded.pop(source, None)
    if family in ("ViT", "DeiT"):
        return trace_run(Run(picture=picture_of(png_of(drawing())), source=source))
    second = "the mat." if family in ("T5", "Marian") else None  # writing one itself takes longer
    found = trace_run(Run("the cat sat on it.", second, source=source))
    words = (
        intervention(Run("the cat sat", source=source), MaskedWord(1)).predictions(count=99)
        if (family == "BERT")
        else []
    )
    return found, found.tokens, found.texts, words, load_model(source, silent).tokenizer.get_vocab()


@pytest.mark.parametrize("family", LOADERS)
def test_whatever_loads_it_a_file_that_a_configuration_names_is_never_read(
    family, canary, tmp_path
):
    folder = tmp_path / "model"
    folder.mkdir()
    LOADERS[family](folder)
    form = str(canary.path)
    loaded = []
    for file in FILES[:6]:
        if file == "added_tokens.json" or not (folder / file).is_file():
            continue
        whole = (folder / file).read_text()
        for key in KEYS:  # all that is not refused, together
            before = (folder / file).read_text()
            if key in json.loads(whole) or key in MARKS:
                continue
            change(folder, file, **{key: form})
            if handed_on(folder) is None:
                (folder / file).write_text(before)
        loaded.append(shown(folder, family))
    assert loaded
    assert canary.line not in repr(loaded)


FOREIGN = ["chat_template.json", "additional_chat_templates/a.jinja"]
FOREIGN += ["adapter_config.json", "processor_config.json", "custom_generate/generate.py"]
FOREIGN += ["modeling_evil.py", "tekken.json", "tokenizer.v2.json", "spk_dict.pt", "README.md"]
FOREIGN += ["pytorch_model.bin", "head.safetensors", "video_preprocessor_config.json"]


@pytest.mark.parametrize("family", LOADERS)
def test_files_that_no_model_needs_are_not_even_opened(family, tmp_path):
    LOADERS[family](tmp_path)
    for file in FOREIGN:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text("{}")
    change(tmp_path, "adapter_config.json", base_model_name_or_path=str(tmp_path))
    watch = Watch(*(tmp_path / file for file in FOREIGN))
    shown(tmp_path, family)
    assert watch.opened() == []
    watch.close()


LINKED = ["config.json", "vocab.txt", "tokenizer.json", "tokenizer_config.json", "vocab.json"]
LINKED += ["special_tokens_map.json", "added_tokens.json", "generation_config.json", "merges.txt"]
LINKED += ["preprocessor_config.json", "spiece.model", "source.spm", "model.safetensors"]


@pytest.mark.parametrize("file", LINKED)
@pytest.mark.parametrize("absolute", [True, False], ids=["absolute", "relative"])
def test_a_link_that_leads_out_of_the_folder_is_refused_and_not_followed(
    file, absolute, canary, model
):
    if file == "preprocessor_config.json":
        tiny_vision("ViT", model)
    (model / file).unlink(missing_ok=True)
    target = canary.path if absolute else os.path.relpath(canary.path, model)
    (model / file).symlink_to(target)
    with pytest.raises(ExplorerError, match=f"its {file} is a link that leads out") as refusal:
        trace(model)
    assert canary.line not in str(refusal.value)


def test_a_link_to_a_folder_that_leads_out_is_refused_too(canary, model):
    (model / "inner").symlink_to(canary.folder)
    (model / "vocab.txt").unlink()
    (model / "vocab.txt").symlink_to(model / "inner" / "canary.txt")
    with pytest.raises(ExplorerError, match=r"vocab.txt is a link that leads out"):
        trace(model)


def test_links_within_a_folder_and_within_the_hubs_cache_are_followed(model, tmp_path):
    (model / "words").write_bytes((model / "vocab.txt").read_bytes())
    (model / "vocab.txt").unlink()
    (model / "vocab.txt").symlink_to("words")
    assert trace(model).weights.size
    cache = tmp_path / "models--a--b"
    (cache / "snapshots").mkdir(parents=True)
    (cache / "blobs").mkdir()
    snapshot = cache / "snapshots" / "1234"
    model.rename(snapshot)
    for path in snapshot.glob("*.*"):
        real = path.resolve().rename(cache / "blobs" / path.name)
        path.unlink(missing_ok=True)
        path.symlink_to(real)
    assert trace(snapshot).weights.size


@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_what_is_no_file_is_not_waited_for(kind, model):
    (model / "tokenizer_config.json").unlink()
    path = model / "tokenizer_config.json"
    os.mkfifo(path) if kind == "pipe" else path.mkdir()
    assert trace(model).weights.size


def test_the_page_tells_of_a_hostile_tokenizer_and_does_not_show_what_it_names(
    canary, model, monkeypatch
):
    monkeypatch.setenv("EXPLORER_MODEL_DIRS", str(model.parent))
    for target in (str(canary.path), "/proc/self/environ"):
        change(model, "tokenizer_config.json", vocab=target)
        app = AppTest.from_file(APP, default_timeout=60)
        asked = {"text": "the cat sat", "source": f"path:{model}", "target": "word", "at": "1"}
        for name, value in asked.items():
            app.query_params[name] = value
        app.switch_page("pages/explain.py")
        for _ in range(50):  # it is computed beside the page
            app.run()
            page = " ".join(element.value for element in app.text)
            if "was not loaded" in page:
                break
        assert "“vocab” in its tokenizer_config.json names what is read" in page
        assert canary.line not in page


# --- what is refused, and how --------------------------------------------------------------------

REFUSED = {
    "tokenizer_config.json": {
        "vocab": ("/etc/passwd", "in place of"),
        "merges": ("m", "in place of"),
        "tokenizer_object": ("x", "in place of"),
        "init_inputs": (["/etc/passwd"], "in place of"),
        "tokenizer_class": ("os.system", "none of the tokenizers"),
        "extra_ids": (10**9, "from -1,000 to 1,000"),
        "model_max_length": ("long", "must be a number"),
        "model_input_names": (["x"], "has input_ids"),
        "src_lang": ("../../etc/passwd", "short name"),
        "source_lang": ("/etc/passwd", "short name"),
        "do_lower_case": ("/etc/passwd", "true or false"),
        "unk_token": ("x" * 2000, "at most 1,024"),
        "added_tokens_decoder": ({"1000000000": {"content": "x"}}, "number is not within"),
        "additional_special_tokens": (["x"] * 200_000, "at most 100,000"),
        "max_input_chars_per_word": (10**6, "from 1 to 512"),
    },
    "special_tokens_map.json": {
        "vocab": ("/etc/passwd", "in place of"),
        "pad_token": (["x"], None),
        "cls_token": ({"content": 5}, "must be a token"),
    },
    "config.json": {
        "transformers_weights": ("../x.safetensors", "other files"),
        "extra_files": (["../x.safetensors"], "other files"),
        "quantization_config": ({"quant_method": "gptq"}, "quantised"),
        "backbone": ("owner/model", "another model"),
        "use_timm_backbone": (True, "another model"),
        "fusion_config": ({"x": 1}, "code that would be run"),
        "hidden_act": ("/etc/passwd", "names a file"),
        "tokenizer_class": ("AutoModel", "none of the tokenizers"),
        "id2label": ({"0": ["x"]}, "no list"),
    },
    "generation_config.json": {
        "suppress_tokens": (list(range(20_000)), "number of a token"),
        "bad_words_ids": ("/etc/passwd", "number of a token"),
        "no_repeat_ngram_size": (10**9, "from -1,000 to 1,000"),
    },
    "preprocessor_config.json": {
        "image_processor_type": ("subprocess.Popen", "must be one of ViTImageProcessor"),
        "size": ({"height": 20_000, "width": 20_000}, "from 1 to 2,048"),
        "crop_size": (10**9, "from 1 to 2,048"),
        "do_resize": ("/etc/passwd", "true or false"),
        "rescale_factor": ("x", "must be a number"),
    },
}
CASES = [(f, k, v, why) for f, keys in REFUSED.items() for k, (v, why) in keys.items() if why]


@pytest.mark.parametrize(
    ("file", "key", "value", "why"), CASES, ids=[f"{c[0]}-{c[1]}" for c in CASES]
)
def test_what_is_refused_is_refused_by_the_keys_name(file, key, value, why, model, tmp_path):
    if file == "preprocessor_config.json":
        tiny_vision("ViT", tmp_path)
        model = tmp_path
    change(model, file, **{key: value})
    with pytest.raises(ExplorerError, match=f"“{key}.*” in its {file} .*{why}"):
        trace(model)


def test_what_real_checkpoints_carry_is_left_out_and_the_model_is_the_same(model):
    want = trace(model)
    leftovers = {"name_or_path": "/home/x/model", "special_tokens_map_file": "/root/x.json"}
    leftovers |= {"tokenizer_file": "/root/.cache/x/tokenizer.json", "vocab_file": None}
    leftovers |= {"chat_template": "{{ messages }}", "auto_map": {"AutoTokenizer": ["a.B", None]}}
    leftovers |= {"sp_model_kwargs": {"model_file": "/x"}, "init_inputs": [], "never_split": None}
    change(model, "tokenizer_config.json", **leftovers, tokenizer_class="BertTokenizerFast")
    change(
        model,
        "config.json",
        _name_or_path="owner/model",
        auto_map={"AutoModel": "evil.Model"},
        _attn_implementation="kernels-community/flash-attn",
        task_specific_params={"x": {"prefix": "a/b"}},
        torch_dtype="float16",
        custom_pipelines={"x": {"impl": "evil.X"}},
        return_dict=False,
        output_hidden_states=True,
        num_return_sequences=10**6,
    )
    found = trace(model)
    assert (found.weights == want.weights).all()
    assert found.tokens == want.tokens
    assert load_model(Folder(str(model)), silent).predicts == "word"


def test_a_checkpoint_cannot_ask_for_many_texts_or_for_code_that_writes(tmp_path):
    tiny_writer("Bart", tmp_path)
    want = explorer.trace("the cat sat.", source=f"path:{tmp_path}")
    change(
        tmp_path,
        "generation_config.json",
        num_return_sequences=1000,
        num_beams=1000,
        penalty_alpha=0.5,
        top_k=4,
        dola_layers="high",
        num_beam_groups=5,
        stop_strings=["x"],
        return_dict_in_generate=True,
        cache_implementation="static",
        custom_generate="owner/code",
    )
    found = trace(tmp_path)
    assert found.texts == want.texts
    assert (found.weights == want.weights).all()


# --- JSON ----------------------------------------------------------------------------------------

BAD_JSON = {
    "deep": "[" * 5000 + "]" * 5000,
    "deep within bounds of the parser": '{"a":' * 100 + "1" + "}" * 100,
    "a key twice": '{"vocab_size": 25, "hidden_size": "a", "hidden_size": 16}',
    "NaN": '{"x": NaN}',
    "infinite": '{"x": 1e999}',
    "a million digits": '{"x": ' + "9" * 10**6 + "}",
    "half": '{"x": ',
    "no UTF-8": b'{"x": "\xff\xfe"}',
    "many parts": "[" + "[]," * 3 * 10**6 + "[]]",
    "not a table": "[1, 2]",
    "a number": "5",
    "nothing": "",
}


@pytest.mark.parametrize("bad", BAD_JSON.values(), ids=BAD_JSON)
@pytest.mark.parametrize("file", [f for f in FILES if "index" not in f] + ["tokenizer.json"])
def test_json_that_is_none_or_far_too_much_is_a_sentence(bad, file, model):
    if file == "preprocessor_config.json":
        tiny_vision("ViT", model)
    (model / file).write_bytes(bad if isinstance(bad, bytes) else bad.encode())
    with pytest.raises(ExplorerError, match=rf"{file}|gives no one number"):
        trace(model)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.sampled_from(["/etc/passwd", "~", "../x", "BertTokenizer", "gelu", "right", "[UNK]"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=5,
)
ALLOWED = ["vocab_size", "hidden_size", "num_attention_heads", "num_hidden_layers", "hidden_act"]
ALLOWED += ["intermediate_size", "max_position_embeddings", "pad_token_id", "layer_norm_eps"]
ALLOWED += ["is_decoder", "id2label", "num_labels", "position_embedding_type", "architectures"]
ALLOWED += ["do_lower_case", "model_max_length", "strip_accents", "never_split", "size", "resample"]


@pytest.mark.parametrize("file", [f for f in FILES if "index" not in f])
def test_any_value_of_any_key_gives_a_model_or_a_sentence(file, tmp_path):
    pictures = file == "preprocessor_config.json"
    if pictures:
        tiny_vision("ViT", tmp_path)
    else:
        tiny_model("MaskedLM", tmp_path)
        (tmp_path / "tokenizer.json").unlink()
    source, picture = Folder(str(tmp_path)), picture_of(png_of(drawing())) if pictures else None
    path = tmp_path / file
    whole = json.loads(path.read_text()) if path.is_file() else {}

    @settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
    @given(st.dictionaries(st.sampled_from([*ALLOWED, *KEYS]) | st.text(max_size=8), JSON))
    def holds(said):
        path.write_text(json.dumps(whole | said))
        try:
            loading._loaded.pop(source, None)
            text = "" if pictures else "the cat sat."
            assert trace_run(Run(text, source=source, picture=picture)).weights.ndim == 4
        except ExplorerError as error:
            assert str(error)  # noqa: PT017

    holds()


# --- sizes that are counted first ----------------------------------------------------------------


def hostile(**parts):
    """A tokenizer.json of few words, with parts of one's own."""
    plain = Tokenizer(tokenizer_models.WordLevel({"[UNK]": 0, "a": 1}, unk_token="[UNK]"))
    return json.dumps(json.loads(plain.to_str()) | parts)


def replace(content, **pattern):
    return {"type": "Replace", "pattern": pattern or {"String": "a"}, "content": content}


def sequence(kind, *steps):
    return {"type": "Sequence", kind: list(steps)}


TEMPLATE = {"type": "TemplateProcessing", "special_tokens": {}, "pair": []}
TWICE = [{"Sequence": {"id": "A", "type_id": 0}}] * 30
BPE = {"type": "BPE", "vocab": {"a": 0}, "merges": []}
BOMBS = {
    "a letter becomes a megabyte": ({"normalizer": replace("b" * 10**6)}, "normalizer"),
    "twice many": (
        {"normalizer": sequence("normalizers", replace("a" * 100), replace("a" * 100))},
        "normalizer.content.* more than 1,024 times",
    ),
    "within each other": (
        {"normalizer": sequence("normalizers", sequence("normalizers", *[replace("aa")] * 20))},
        "normalizer.content.* more than 1,024 times",
    ),
    "nothing becomes much": (
        {"normalizer": sequence("normalizers", *[replace("b" * 200, Regex="x*")] * 2)},
        "normalizer.content",
    ),
    "a long beginning": (
        {"normalizer": sequence("normalizers", *[{"type": "Prepend", "prepend": "a" * 200}] * 2)},
        "normalizer.prepend",
    ),
    "bytes of bytes": (
        {
            "pre_tokenizer": sequence(
                "pretokenizers",
                *[{"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}] * 10,
            )
        },
        "pre_tokenizer.ByteLevel",
    ),
    "a text thirty times": ({"post_processor": TEMPLATE | {"single": TWICE}}, "single.*twice"),
    "a token of many": (
        {
            "post_processor": TEMPLATE
            | {"single": [], "special_tokens": {"x": {"id": "x", "ids": [0] * 999, "tokens": []}}}
        },
        "special_tokens",
    ),
    "filled up": (
        {"padding": {"strategy": {"Fixed": 10**9}, "direction": "Right"}},
        "padding.strategy.Fixed",
    ),
    "filled up to a multiple": (
        {"padding": {"strategy": "BatchLongest", "pad_to_multiple_of": 10**9}},
        "pad_to_multiple_of",
    ),
    "long words": (
        {"model": {"type": "WordPiece", "vocab": {"a": 0}, "max_input_chars_per_word": 10**6}},
        "max_input_chars_per_word",
    ),
    "a long piece": ({"model": BPE | {"vocab": {"a" * 5000: 0}}}, "1,024 characters"),
    "a far number": ({"model": BPE | {"vocab": {"a": 10**9}}}, "number from 0"),
    "a long affix": ({"model": BPE | {"continuing_subword_prefix": "#" * 999}}, "subword_prefix"),
    "a far token": ({"added_tokens": [{"id": 10**9, "content": "x"}]}, "added_tokens.id"),
    "written out long": ({"decoder": replace("b" * 200)}, "decoder.content"),
    "a pattern that tries for ever": (
        {
            "pre_tokenizer": {
                "type": "Split",
                "pattern": {"Regex": "(a+)+b"},
                "behavior": "Isolated",
            }
        },
        "pre_tokenizer.pattern.* repeats what repeats itself",
    ),
    "a pattern that looks back": (
        {"normalizer": replace("", Regex=r"(a)\1")},
        "normalizer.pattern.* what matched before",
    ),
    "a damaged table": (
        {"normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA"}},
        "precompiled_charsmap.* damaged",
    ),
    "more steps than any": (
        {"normalizer": sequence("normalizers", *[{"type": "NFC"}] * 40)},
        "more than 32 steps",
    ),
    "steps within steps": (
        {
            "normalizer": sequence(
                "normalizers", *[sequence("normalizers", *[{"type": "NFC"}] * 8)] * 8
            )
        },
        "normalizer” in its tokenizer.json has more than 32 steps",
    ),
    "long added tokens": (
        {"added_tokens": [{"id": i, "content": f"{i}" * 200} for i in range(900)]},
        "added_tokens” in its tokenizer.json has more than 500,000 letters",
    ),
    "pieces that are tried from each letter on": (
        {"model": {"type": "Unigram", "unk_id": 0, "vocab": [["a" * n, -1.0] for n in (1, 300)]}},
        "pieces of more than 256 letters",
    ),
    "a pattern that tries every length": (
        {
            "pre_tokenizer": {
                "type": "Split",
                "pattern": {"Regex": "a*a*b"},
                "behavior": "Isolated",
            }
        },
        "may fail behind several repeats",
    ),
}


@pytest.mark.parametrize(("parts", "words"), BOMBS.values(), ids=BOMBS)
def test_a_tokenizer_that_would_make_too_much_of_a_text_is_refused(parts, words, model):
    (model / "tokenizer.json").write_text(hostile(**parts))
    with pytest.raises(ExplorerError, match=words):
        trace(model, "a" * 200)


def spm(folder, rules=None):
    """A SentencePiece model with rules of its own: characters, a tab, what becomes of them."""
    (folder / "lines.txt").write_text("the cat sat on the mat.\n" * 50)
    named = {} if rules is None else {"normalization_rule_tsv": str(folder / "rules.tsv")}
    if rules is not None:
        (folder / "rules.tsv").write_text(rules)
    sentencepiece.SentencePieceTrainer.train(
        input=str(folder / "lines.txt"),
        model_prefix=str(folder / "made"),
        vocab_size=40,
        hard_vocab_limit=False,
        minloglevel=2,
        num_threads=1,
        **named,
    )
    return (folder / "made.model").read_bytes()


def test_sentencepiece_files_are_bounded_too(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    tiny_writer("Marian", folder)
    good = spm(tmp_path)
    assert trace(folder).weights.size
    long = spm(tmp_path, "61\t" + " ".join(["62"] * 500) + "\n")
    (folder / "source.spm").write_bytes(long)
    with pytest.raises(ExplorerError, match=r"“precompiled_charsmap” in its source.spm puts more"):
        trace(folder)
    short = spm(tmp_path, "61\t62 62\n")
    at = short.index(b"\0\0", short.index(b"bb\0") - 900)
    astray = bytearray(short)
    astray[at : at + 4] = b"\xff\xff\xff\x7f"  # a cell that leads far out of the table
    (folder / "source.spm").write_bytes(bytes(astray))
    with pytest.raises(ExplorerError, match=r"source.spm|cannot be loaded"):
        trace(folder)
    for cut in (1, 10, len(good) // 2):
        (folder / "source.spm").write_bytes(good[:cut])
        with pytest.raises(ExplorerError):
            trace(folder)


def test_a_text_that_a_tokenizers_own_rules_make_far_longer_is_counted_first(model):
    inner = Tokenizer(tokenizer_models.WordLevel({"[UNK]": 0, "a": 1}, unk_token="[UNK]"))
    inner.normalizer = normalizers.NFKC()
    (model / "tokenizer.json").write_text(inner.to_str())
    change(model, "tokenizer_config.json", tokenizer_class="TokenizersBackend")
    assert trace(model, "a ﷺ" * 100).weights.size
    with pytest.raises(
        ExplorerError, match="makes 3,599,983 characters of this text; at most 800,"
    ):
        trace(model, "ﷺ" * 199_999 + "a")


NETWORKS = {
    "a table of positions": (
        "DistilBert",
        {"sinusoidal_pos_embds": True, "max_position_embeddings": 1_900_000, "dim": 8192},
        "do not fit|seconds of work|more than",
    ),
    "experts": (
        "Mixtral",
        {"num_local_experts": 4_000_000},
        "do not fit",
    ),
    "an unknown loop": ("Bert", {"num_whatever": 10**13}, "at most"),
    "a number that no class needs": ("Bert", {"chunk_size_feed_forward": 10**9}, "at most"),
    "labels": ("Bert", {"num_labels": 10**9}, "at most 100,000"),
    "buckets": (
        "T5",
        {"relative_attention_num_buckets": 4_000_000, "num_layers": 1},
        "do not fit|damaged",
    ),
}


@pytest.mark.parametrize(("family", "asks", "words"), NETWORKS.values(), ids=NETWORKS)
def test_a_network_is_counted_while_it_is_built_of_nothing(family, asks, words, model):
    import psutil

    before = psutil.Process().memory_info().rss
    small = {"vocab_size": 30, "hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 2}
    small |= {"intermediate_size": 16}
    kind = {"DistilBert": "distilbert", "Mixtral": "mixtral", "Bert": "bert", "T5": "t5"}[family]
    (model / "config.json").write_text(json.dumps({"model_type": kind} | small | asks))
    (model / "tokenizer.json").write_text(hostile())
    change(model, "tokenizer_config.json", tokenizer_class="TokenizersBackend")
    with pytest.raises(ExplorerError, match=words):
        trace(model)
    assert psutil.Process().memory_info().rss - before < 300e6


def test_what_another_thread_builds_is_not_counted():
    from threading import Event, Thread

    begun, done = Event(), Event()

    def other():
        begun.wait(10)
        torch.nn.Linear(4000, 4000, device="meta")
        done.set()

    def build():
        begun.set()
        assert done.wait(10)
        return torch.nn.Linear(4, 4)

    beside = Thread(target=other)
    beside.start()
    building.check_need("x", build, 100)
    beside.join()


def test_too_many_parts_and_too_large_tables_are_stopped(monkeypatch):
    def parts():
        return torch.nn.ModuleList(torch.nn.Identity() for _ in range(100_000))

    with pytest.raises(ExplorerError, match="more than 30,000 parts"):
        building.check_need("x", parts, 10**9)

    class Table(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("mask", torch.ones(2_000_000, 2_000_000))

    with pytest.raises(ExplorerError, match="bytes of tables"):
        building.check_need("x", Table, 10**9)

    monkeypatch.setattr(building, "_CALLS", 1000)

    def steps():
        sum(len([i]) for i in range(10**8))

    with pytest.raises(ExplorerError, match=r"more than 2,000 steps|seconds of work"):
        building.check_need("x", steps, 10**9)


def test_a_model_that_grows_beyond_its_room_when_it_is_loaded_is_refused(model, monkeypatch):
    small = transformers.BertForMaskedLM.from_pretrained(model).half()
    small.save_pretrained(model)
    assert trace(model).weights.size
    monkeypatch.setattr(building, "MODELS_MB", 0)
    with pytest.raises(ExplorerError, match=r"takes 0 MB once it is loaded.*EXPLORER_MODELS_MB"):
        trace(model)


def test_a_picture_that_a_processor_would_make_too_large_is_refused_before_it_is_made(tmp_path):
    from PIL import Image

    tiny_vision("ViT", tmp_path)
    change(tmp_path, "preprocessor_config.json", size={"shortest_edge": 224})
    line = picture_of(png_of(Image.new("RGB", (1, 50_000))))
    with pytest.raises(ExplorerError, match="would make this picture of 1 × 768 pixels one of 38,"):
        trace_run(Run(picture=line, source=Folder(str(tmp_path))))


def test_a_processor_that_does_not_fit_its_model_is_a_sentence(tmp_path):
    tiny_vision("ViT", tmp_path)
    run = Run(picture=picture_of(png_of(drawing())), source=Folder(str(tmp_path)))
    for asks in ({"size": {"height": 7, "width": 7}}, {"image_mean": [0.5]}, {"do_rescale": False}):
        change(tmp_path, "preprocessor_config.json", **asks)
        loading._loaded.pop(run.source, None)
        with pytest.raises(ExplorerError, match="do not fit each other"):
            trace_run(run)


def test_lists_of_weight_files_are_bounded(model):
    (model / "model.safetensors").rename(model / "model-00001-of-00001.safetensors")
    index = {f"w{i}": "model-00001-of-00001.safetensors" for i in range(10)}
    for bad in ({}, [], {"w": 5}, {"w": "a/b.safetensors"}, {"w": "..safetensors"}, {"w": "x.bin"}):
        (model / "model.safetensors.index.json").write_text(json.dumps({"weight_map": bad}))
        with pytest.raises(ExplorerError, match="damaged or unsafe list"):
            trace(model)
    (model / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    assert trace(model).weights.size


# --- what is not as the files say ----------------------------------------------------------------


def test_an_encoder_that_reads_like_a_decoder_is_said_to(model):
    assert trace(model).model.notes == ()
    change(model, "config.json", is_decoder=True)
    found = trace(model)
    assert "says is_decoder" in found.model.notes[0]
    assert found.weights[..., 0, 1:].max() == 0


def test_a_decoder_that_looks_at_everything_is_said_to(tmp_path):
    tiny_text("GPT2", tmp_path)
    change(tmp_path, "config.json", is_causal=False)
    found = trace(tmp_path)
    assert "not causal" in found.model.notes[0]


def test_layers_that_the_configuration_leaves_out_are_told_with_both_numbers(model):
    change(model, "config.json", num_hidden_layers=1)
    with pytest.raises(ExplorerError, match=r"weights of 2 layers .*says 1"):
        trace(model)
