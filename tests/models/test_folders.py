"""Folders as people have them: saved anew, adapters, checkpoints, caches, and packed numbers."""

import json
import os
import re
import shutil

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

import explorer
from explorer.errors import ExplorerError
from explorer.run import Run
from explorer.source import Folder
from explorer.sources import loading, silent, trace_run
from explorer.sources.folders import stamp_of
from explorer.sources.loading import load_model
from explorer.ui.scheduler import Scheduler
from tests.models.tiny import byte_level, tiny_model


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    return tiny_model("Model", tmp_path_factory.mktemp("saved"))


@pytest.fixture
def model(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "model")


def save_anew(folder):
    """Other weights of the same shapes, saved into the same folder."""
    network = transformers.BertModel.from_pretrained(folder)
    torch.manual_seed(9)
    for values in network.parameters():
        torch.nn.init.normal_(values, std=0.5)
    network.save_pretrained(folder)
    return network


def trace(folder):
    return explorer.trace("the cat sat.", source=f"path:{folder}")


# --- saved anew ----------------------------------------------------------------------------------


def test_a_folder_that_is_saved_anew_is_read_anew(model):
    before = trace(model)
    assert load_model(Folder(str(model)), silent) is load_model(Folder(str(model)), silent)
    save_anew(model)
    run = Run("the cat sat.", source=Folder(str(model)))
    found = trace_run(run)
    tokenizer = transformers.AutoTokenizer.from_pretrained(model)
    again = transformers.BertModel.from_pretrained(model, attn_implementation="eager").eval()
    with torch.inference_mode():
        out = again(**tokenizer("the cat sat.", return_tensors="pt"), output_attentions=True)
    want = torch.cat(out.attentions).numpy()
    assert abs(found.weights - want).max() <= 1e-6
    assert abs(found.weights - before.weights).max() > 0.1


def test_what_was_computed_from_a_folder_is_computed_anew_when_it_is_saved_anew(model):
    run = Run("the cat sat.", source=Folder(str(model)))
    scheduler = Scheduler()
    try:
        first = scheduler.wait(run, "one")
        assert scheduler.wait(run, "one") is first
        save_anew(model)
        second = scheduler.wait(run, "one")
        assert abs(first.weights - second.weights).max() > 0.1
        assert scheduler.wait(run, "one") is second
    finally:
        scheduler.close()


def test_every_file_that_a_model_is_read_from_is_in_its_stamp(model):
    asked = Run("the cat", source=Folder(str(model)))
    for file in ("config.json", "vocab.txt", "model.safetensors", "tokenizer_config.json"):
        before = stamp_of(asked)
        os.utime(model / file, ns=(0, 0))
        assert stamp_of(asked) != before, file
    before = stamp_of(asked)
    (model / "notes.md").write_text("nothing that is read")
    assert stamp_of(asked) == before
    assert stamp_of(Run("the cat")) == ()


def test_a_folder_that_is_saved_while_it_is_loaded_is_a_sentence(model, monkeypatch):
    load = loading._load

    def slow(folder, *about):
        found = load(folder, *about)
        os.utime(folder / "config.json", ns=(1, 1))
        return found

    monkeypatch.setattr(loading, "_load", slow)
    with pytest.raises(ExplorerError, match="were changed while they were being loaded"):
        trace(model)
    monkeypatch.undo()
    assert trace(model).weights.size


# --- where in a folder the model lies ------------------------------------------------------------


def test_an_adapter_is_told_from_a_model_and_how_they_are_joined(tmp_path, model):
    said = {"peft_type": "LORA", "base_model_name_or_path": "google-bert/bert-base-uncased"}
    for folder in (tmp_path / "adapter", model):  # the second has a config.json beside it
        folder.mkdir(exist_ok=True)
        (folder / "model.safetensors").unlink(missing_ok=True)
        (folder / "adapter_config.json").write_text(json.dumps(said))
        (folder / "adapter_model.safetensors").write_bytes(b"")
        with pytest.raises(ExplorerError, match="holds an adapter") as refusal:
            trace(folder)
        assert "it changes “google-bert/bert-base-uncased”" in str(refusal.value)
        assert "merge_and_unload()" in str(refusal.value)


def test_what_an_adapter_calls_its_model_is_no_name_of_a_file(tmp_path):
    (tmp_path / "adapter_config.json").write_text('{"base_model_name_or_path": "/etc/passwd"}')
    with pytest.raises(ExplorerError, match="it changes the model that it was trained on"):
        trace(tmp_path)


def test_the_last_checkpoint_of_a_training_is_named(tmp_path, saved):
    for step in (500, 1000, 90):
        shutil.copytree(saved, tmp_path / f"checkpoint-{step}")
    with pytest.raises(ExplorerError, match=r"folder checkpoint-1000 does, the last of 3 checkp"):
        trace(tmp_path)
    assert trace(tmp_path / "checkpoint-1000").weights.size


def test_one_checkpoint_alone_is_not_counted(tmp_path, saved):
    shutil.copytree(saved, tmp_path / "checkpoint-5")
    with pytest.raises(ExplorerError, match=r"Its folder checkpoint-5 does: open that one\.$"):
        trace(tmp_path)
    shutil.copy(saved / "config.json", tmp_path)
    with pytest.raises(ExplorerError, match=r"Its folder checkpoint-5 does: open that one\.$"):
        trace(tmp_path)


def test_a_training_that_has_saved_no_weights_but_its_checkpoints_names_the_last(tmp_path, saved):
    shutil.copytree(saved, tmp_path / "checkpoint-9")
    shutil.copytree(saved, tmp_path / "checkpoint-10")
    shutil.copy(saved / "config.json", tmp_path)
    with pytest.raises(ExplorerError, match=r"holds no weights yet. Its folder checkpoint-10 does"):
        trace(tmp_path)


def test_the_hubs_whole_cache_is_no_model_and_one_of_its_folders_is_named(tmp_path, saved):
    shutil.copytree(saved, tmp_path / "models--owner--tiny" / "snapshots" / "abc")
    with pytest.raises(ExplorerError, match="Its folder models--owner--tiny holds a model of the"):
        trace(tmp_path)


def test_a_folder_within_that_holds_a_model_is_named(tmp_path, saved):
    shutil.copytree(saved, tmp_path / "best")
    with pytest.raises(ExplorerError, match=r"has no config.json. Its folder best does: open that"):
        trace(tmp_path)


def test_an_older_model_of_sentence_transformers_is_opened_where_its_network_lies(tmp_path, model):
    old = tmp_path / "sbert"
    old.mkdir()
    modules = [{"idx": 0, "name": "0", "path": "0_Transformer", "type": "x"}]
    (old / "modules.json").write_text(json.dumps(modules))
    shutil.copytree(model, old / "0_Transformer")
    found = trace(old)
    assert found.model.name == "sbert"
    assert abs(found.weights - trace(model).weights).max() == 0
    save_anew(old / "0_Transformer")
    assert abs(trace(old).weights - found.weights).max() > 0.1


def test_a_folder_of_the_hubs_cache_is_opened_at_its_main_revision(tmp_path, model):
    cache = tmp_path / "models--owner--tiny"
    (cache / "refs").mkdir(parents=True)
    shutil.copytree(model, cache / "snapshots" / "abc1")
    shutil.copytree(model, cache / "snapshots" / "abc2")
    save_anew(cache / "snapshots" / "abc2")
    (cache / "refs" / "main").write_text("abc2")
    found = trace(cache)
    assert found.model.name == "owner/tiny"
    assert abs(found.weights - trace(cache / "snapshots" / "abc2").weights).max() == 0
    assert trace(cache / "snapshots" / "abc1").model.name == "owner/tiny"
    (cache / "refs" / "main").unlink()  # which of the two nobody knows then
    with pytest.raises(ExplorerError, match=r"has no config.json"):
        trace(cache)


@pytest.mark.parametrize("inner", ["0_Transformer", "snapshots"])
def test_a_folder_within_that_is_a_link_out_of_it_is_not_followed(inner, tmp_path, model):
    folder = tmp_path / "models--a--b"
    folder.mkdir()
    (folder / "modules.json").write_text("[]")
    if inner == "snapshots":
        (tmp_path / "away").mkdir()
        model.rename(tmp_path / "away" / "abc")
        (folder / inner).symlink_to(tmp_path / "away")
    else:
        (folder / inner).symlink_to(model)
    with pytest.raises(ExplorerError, match="is a link that leads out of the model’s folder"):
        trace(folder)


def test_a_file_in_place_of_a_folder_is_told_as_one(model):
    with pytest.raises(ExplorerError, match=r"model.safetensors” is a file. Name the folder"):
        trace(model / "model.safetensors")


# --- numbers that are packed ---------------------------------------------------------------------

QUANTISED = {
    "gptq": ({"quant_method": "gptq", "bits": 4}, r"\(gptq, 4 bits\)"),
    "awq": ({"quant_method": "awq", "bits": 4}, r"\(awq, 4 bits\)"),
    "bitsandbytes": ({"load_in_8bit": True}, r"\(bitsandbytes, 8 bits\)"),
    "fp8": ({"quant_method": "fp8", "weight_block_size": [128, 128]}, r"\(fp8\)"),
    "compressed-tensors": ({"quant_method": "compressed-tensors"}, r"\(compressed-tensors\)"),
    "nonsense": ({"quant_method": "<b>/etc"}, ": packed by"),
}


@pytest.mark.parametrize("kind", QUANTISED)
def test_quantised_weights_are_called_that_with_the_way_on(kind, model):
    said, words = QUANTISED[kind]
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps(config | {"quantization_config": said}))
    with pytest.raises(ExplorerError, match=f"its weights are quantised.*{words}") as refusal:
        trace(model)
    assert "Choose the model that it was made from" in str(refusal.value)
    assert "Correct the file" not in str(refusal.value)


def test_packed_numbers_are_told_though_the_configuration_says_nothing(model):
    weights = load_file(model / "model.safetensors")
    name = next(n for n in weights if n.endswith("query.weight"))
    made = {"F8_E4M3": weights | {name: weights[name].to(torch.float8_e4m3fn)}}
    for more in ("qweight", "weight_scale", "weight_zero_point", "weight_scale_inv"):
        extra = torch.zeros(2, 16, dtype=torch.int32 if more == "qweight" else torch.float32)
        made[more] = weights | {name.replace("weight", more): extra}
    for kind, packed in made.items():
        save_file(packed, model / "model.safetensors", {"format": "pt"})
        with pytest.raises(ExplorerError, match=f"numbers of the kind {kind}, which are quantised"):
            trace(model)


WHOLE = {"I8": torch.int8, "U8": torch.uint8, "I16": torch.int16, "I32": torch.int32}
WHOLE |= {"I64": torch.int64, "BOOL": torch.bool}


@pytest.mark.parametrize("kind", WHOLE)
def test_matrices_of_whole_numbers_are_quantised_and_never_drawn_as_if_they_were_weights(
    kind, model
):
    weights = load_file(model / "model.safetensors")
    name = next(n for n in weights if n.endswith("key.weight"))
    packed = (weights[name] * 100).to(WHOLE[kind])
    save_file(weights | {name: packed}, model / "model.safetensors", {"format": "pt"})
    with pytest.raises(ExplorerError, match=f"numbers of the kind {kind}, which are quantised"):
        trace(model)


def test_tables_of_whole_numbers_beside_the_weights_are_no_quantised_weights(model):
    weights = load_file(model / "model.safetensors")
    before = trace(model).weights
    tables = {
        "embeddings.position_ids": torch.arange(40)[None],
        "encoder.layer.0.attention.bias": torch.ones(1, 1, 9, 9, dtype=torch.bool),
        "encoder.layer.0.attention.self.relative_position_index": torch.ones(4, 4).long(),
        "encoder.layer.0.attention.self.k_scale": torch.ones(1),
        "encoder.layer.0.num_batches_tracked": torch.tensor(3),
    }
    save_file(weights | tables, model / "model.safetensors", {"format": "pt"})
    assert (trace(model).weights == before).all()


@pytest.fixture
def parts(saved, tmp_path):
    """The same model in several files of weights, and their list."""
    folder = shutil.copytree(saved, tmp_path / "parts")
    weights = list(load_file(folder / "model.safetensors").items())
    (folder / "model.safetensors").unlink()
    index = {}
    for i in range(3):
        file = f"model-0000{i + 1}-of-00003.safetensors"
        save_file(dict(weights[i::3]), folder / file, {"format": "pt"})
        index |= {key: file for key, _ in weights[i::3]}
    said = {"metadata": {}, "weight_map": index}
    (folder / "model.safetensors.index.json").write_text(json.dumps(said))
    return folder


def test_a_missing_part_of_the_weights_is_named(parts):
    assert trace(parts).weights.size
    first = min(parts.glob("model-*.safetensors"))
    first.unlink()
    with pytest.raises(ExplorerError, match=f"lacks 1 of the files.*such as {first.name}"):
        trace(parts)


def test_parts_without_their_list_are_told_as_such(parts):
    (parts / "model.safetensors.index.json").unlink()
    with pytest.raises(ExplorerError, match=r"and no model.safetensors.index.json"):
        trace(parts)


@pytest.mark.parametrize(
    ("file", "way"),
    [("model.fp16.safetensors", "Rename"), ("consolidated.safetensors", "with save_pretrained")],
)
def test_safetensors_of_another_name_are_told_with_the_way_on(file, way, model):
    (model / "model.safetensors").rename(model / file)
    with pytest.raises(ExplorerError, match=f"no model.safetensors, but {file}.*{way}") as refusal:
        trace(model)
    assert "hidden code" not in str(refusal.value)


@pytest.mark.parametrize("maker", ["BertModel", "BertForMaskedLM", "LlamaForCausalLM"])
@pytest.mark.parametrize(
    "prefix", ["module.", "_orig_mod.", "base_model.model.", "_orig_mod.module."]
)
def test_weights_that_were_saved_inside_a_wrapper_name_what_to_take_out(prefix, maker, tmp_path):
    sizes = {"vocab_size": 300, "hidden_size": 16, "num_hidden_layers": 2, "intermediate_size": 16}
    config = {"Bert": transformers.BertConfig, "Llam": transformers.LlamaConfig}[maker[:4]]
    network = getattr(transformers, maker)(config(**sizes, num_attention_heads=2))
    network.save_pretrained(tmp_path)
    byte_level().save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    wrapped = {prefix + key: values for key, values in weights.items()}
    save_file(wrapped, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(ExplorerError, match=f"where “{re.escape(prefix)}” stands for a wrapper"):
        trace(tmp_path)
    inner = {key.replace(".0.", ".0._orig_mod.", 1): values for key, values in weights.items()}
    save_file(inner, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(ExplorerError, match=r"where “_orig_mod\.” stands for a wrapper"):
        trace(tmp_path)


def test_gguf_files_are_told_as_such(model):
    (model / "model.safetensors").unlink()
    (model / "model-q4.gguf").write_bytes(b"GGUF")
    with pytest.raises(ExplorerError, match="no safetensors weights, but GGUF files"):
        trace(model)
    (model / "config.json").unlink()
    with pytest.raises(ExplorerError, match="it holds GGUF files"):
        trace(model)


@pytest.mark.parametrize("file", ["model.safetensors", "vocab.txt", "tokenizer.json"])
def test_what_git_lfs_leaves_in_place_of_a_file_is_told_with_the_way_to_the_file(file, model):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
    (model / file).write_text(pointer)
    with pytest.raises(ExplorerError, match=f"its {file} is a pointer of git-lfs") as refusal:
        trace(model)
    assert "git lfs pull" in str(refusal.value)
