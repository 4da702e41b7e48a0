"""A corpus is read in one pass: every number is that of a plain loop over all weights."""

import json
import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

import explorer
from explorer.analysis.profiles import head_profiles
from explorer.corpus import reading, running, work
from explorer.corpus.census import census
from explorer.corpus.engines import Here, Pool
from explorer.corpus.folder import CorpusFolder
from explorer.corpus.measures import MEASURES, NAMES, place_of
from explorer.corpus.merging import merge, tokens_of_layer
from explorer.corpus.pairs import PAIRS, strongest
from explorer.corpus.rules import RULES
from explorer.corpus.running import Settings, run
from explorer.corpus.shards import part_of
from explorer.corpus.texts import Corpus, Text
from explorer.errors import ExplorerError
from explorer.source import Embedded, Folder, InMemory
from explorer.sources.loading import load_model
from explorer.sources.progress import silent
from tests.models.corpus_texts import by_hand, even_by_hand, over_texts, texts_of, trace_of
from tests.models.tiny import byte_level, tiny_model, tiny_of
from tests.models.writers import CHATML, save_talker

# Sums of float32 weights in another order, of up to 900 cells: measured 4e-7 of their size.
EXACT = {"rtol": 5e-6, "atol": 5e-6}
HALF = {"rtol": 0.02, "atol": 0.02}  # texts read together round otherwise than one by one


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return tiny_model("Model", tmp_path_factory.mktemp("bert"))


@pytest.fixture(scope="module")
def mistral(tmp_path_factory):
    """A decoder with grouped keys and a window of 5 tokens."""
    config = transformers.MistralConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=16,
        vocab_size=300,
        sliding_window=5,
        initializer_range=0.5,
        max_position_embeddings=40,
    )
    return tiny_of(config, tmp_path_factory.mktemp("mistral"), byte_level(), "ForCausalLM")


@pytest.fixture(scope="module")
def gpt_oss(tmp_path_factory):
    """A decoder whose heads have sinks, which take a part of every row."""
    config = transformers.GptOssConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        intermediate_size=16,
        num_local_experts=2,
        num_experts_per_tok=1,
        vocab_size=300,
        sliding_window=5,
        initializer_range=0.5,
        max_position_embeddings=40,
    )
    return tiny_of(config, tmp_path_factory.mktemp("gpt_oss"), byte_level(), "ForCausalLM")


def loaded_of(folder):
    return load_model(Folder(str(folder)), silent)


def reference(folder, texts):
    return np.stack([by_hand(trace_of(str(folder), text.parts)) for text in texts])


@pytest.mark.parametrize(
    ("model", "n", "most"), [("bert", 200, 30), ("mistral", 30, 6), ("gpt_oss", 15, 6)]
)
def test_every_mean_and_spread_is_that_of_a_plain_loop_over_all_weights(model, n, most, request):
    folder = request.getfixturevalue(model)
    texts = texts_of(n, most=most)
    sums = census(loaded_of(folder), texts, 512, "strongest").sums
    wanted = reference(folder, texts)
    merged = merge([part_of(sums)])
    assert (merged.count[place_of("no token")] > 0) == (model == "gpt_oss")
    check_rules(
        merged, wanted, np.stack([even_by_hand(trace_of(str(folder), t.parts)) for t in texts])
    )
    assert merged.count.tolist() == (~np.isnan(wanted[:, :, 0, 0])).sum(axis=0).tolist()
    np.testing.assert_allclose(merged.mean, over_texts(np.nanmean, wanted), **EXACT)
    np.testing.assert_allclose(merged.spread, over_texts(np.nanstd, wanted, ddof=1), **EXACT)
    lengths = np.array([trace_of(str(folder), t.parts).shape[2] for t in texts])
    known = ~np.isnan(wanted)
    by_tokens = np.nansum(wanted * lengths[:, None, None, None], axis=0)
    n_tokens = (known * lengths[:, None, None, None]).sum(axis=0)
    by_tokens = np.where(n_tokens > 0, by_tokens / np.maximum(n_tokens, 1), np.nan)
    far, variance = place_of("distance"), place_of("distance variance")
    square = wanted[:, variance] + wanted[:, far] ** 2  # of one text; then of all attention
    square = (square * lengths[:, None, None]).sum(axis=0) / lengths.sum()
    by_tokens[variance] = square - by_tokens[far] ** 2
    np.testing.assert_allclose(merged.mean_of_tokens, by_tokens, **EXACT)


def check_rules(merged, values, even):
    """How often each rule holds is counted text by text."""
    held, could = np.zeros_like(merged.held), np.zeros_like(merged.could)
    for text, share in zip(values, even, strict=True):
        for r, rule in enumerate(RULES):
            parts = [text[place_of(name)] for name in rule.measures]
            found = np.minimum(*parts) if len(parts) > 1 else parts[0]
            found = found - share[:, None] if rule.beyond else found
            could[r] += not np.isnan(found[0, 0])
            held[r] += np.nan_to_num(found, nan=-1) >= rule.least
    assert merged.could.tolist() == could.tolist()
    assert merged.held.tolist() == held.tolist()
    np.testing.assert_allclose(merged.even, np.nansum(even, axis=0), **EXACT)


def test_the_measures_are_those_of_the_heads_page(bert):
    texts = texts_of(12, seed=3)
    sums = census(loaded_of(bert), texts, 512, "strongest").sums
    for i, text in enumerate(texts):
        profile = head_profiles(trace_of(str(bert), text.parts))
        values = sums.sample_values[sums.sample.tolist().index(i)]
        shared = [name for name in NAMES if name in profile.measures]
        assert len(shared) >= 7
        for name in shared:
            np.testing.assert_allclose(values[place_of(name)], profile.measures[name], **EXACT)


def test_a_text_read_some_rows_at_a_time_gives_the_same(bert, monkeypatch):
    texts = texts_of(20, seed=5)
    whole = census(loaded_of(bert), texts, 512, "strongest").sums
    monkeypatch.setattr(reading, "_CELLS", 100)
    parts = census(loaded_of(bert), texts, 512, "strongest").sums
    np.testing.assert_allclose(parts.total, whole.total, **EXACT)
    np.testing.assert_allclose(parts.apart, whole.apart, **EXACT)
    np.testing.assert_allclose(parts.given, whole.given, **EXACT)


def test_distances_and_tokens_are_those_of_a_plain_loop(bert):
    texts = texts_of(25, seed=1)
    sums = census(loaded_of(bert), texts, 512, "strongest").sums
    apart, got, gave = np.zeros_like(sums.apart), {}, {}
    for text in texts:
        trace = trace_of(str(bert), text.parts)
        weights, tokens = trace.weights.astype(np.float64), trace.key_tokens
        for i in range(len(tokens)):
            for j in range(len(tokens)):
                far = abs(i - j)
                apart[:, :, 0 if far == 0 else int(np.log2(far)) + 1] += weights[:, :, i, j]
                got[tokens[j].text] = got.get(tokens[j].text, 0) + weights[:, :, i, j]
                if i != j and not tokens[j].special:
                    gave[tokens[i].text] = gave.get(tokens[i].text, 0) + weights[:, :, i, j]
    np.testing.assert_allclose(sums.apart, apart, **EXACT)
    for layer in range(2):
        found = tokens_of_layer([part_of(sums)], layer)
        np.testing.assert_allclose(found.received, [got[t][layer] for t in found.types], **EXACT)
        zero = np.zeros((2, 2))
        wanted = [gave.get(t, zero)[layer] for t in found.types]
        np.testing.assert_allclose(found.given, wanted, **EXACT)


def test_the_strongest_pairs_are_those_of_all_weights_with_the_first_token_and_without(bert):
    texts = texts_of(6, seed=2, most=12)
    for found in strongest(loaded_of(bert), texts, 512):
        weights = trace_of(str(bert), texts[found.number].parts).weights
        for layer in range(2):
            for head in range(2):
                own = weights[layer, head]
                inner = np.sort(own[1:, 1:].ravel())[::-1][:PAIRS]
                outer = np.sort(np.concatenate([own[0], own[1:, 0]]))[::-1][:PAIRS]
                wanted = np.sort(np.concatenate([inner, outer]))[::-1]
                at = found.query[layer, head], found.key[layer, head]
                assert len(set(zip(*at, strict=True))) == len(wanted)
                np.testing.assert_allclose(found.weight[layer, head], wanted, **EXACT)
                np.testing.assert_allclose(own[at], wanted, **EXACT)


def test_minilm_too_is_read_exactly(tmp_path):
    """The real model, on a few texts: pieces of words, unknown signs, another script."""
    said = ["The cat sat on the mat because it was tired.", "Naïve cafés, “quoted”: 猫 猫!", "It."]
    texts = [Text(i, (text,)) for i, text in enumerate(said)]
    sums = census(load_model(Embedded(), silent), texts, 512, "strongest").sums
    for i, text in enumerate(said):
        profile = head_profiles(explorer.trace(text))
        values = sums.sample_values[sums.sample.tolist().index(i)]
        for name in set(NAMES) & set(profile.measures):
            np.testing.assert_allclose(values[place_of(name)], profile.measures[name], **EXACT)


def test_a_model_in_half_precision_is_read_by_its_own_queries_and_keys(bert):
    """bfloat16 has three digits, and its weights here are made of its q and k in float32."""
    model = transformers.AutoModel.from_pretrained(bert, dtype=torch.bfloat16)
    tokenizer = transformers.AutoTokenizer.from_pretrained(bert)
    texts = texts_of(10, seed=4)
    sums = census(load_model(InMemory(model, tokenizer), silent), texts, 512, "strongest").sums
    traces = explorer.traces([t.parts[0] for t in texts], model=model, tokenizer=tokenizer)
    wanted = np.stack([by_hand(trace) for trace in traces])
    np.testing.assert_allclose(sums.total, np.nansum(wanted, axis=0), **HALF)


def test_where_there_is_a_gpu_a_copy_in_half_precision_reads_and_the_model_stays_as_it_was(
    bert, monkeypatch
):
    """With the processor in the GPU's place."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr(work, "_GPU", "cpu")
    reads = settings_of(bert).reads
    there = work.do(work.Describe(reads))
    counted = work.do(work.Census(reads, 0, tuple(texts_of(5)), "x"))
    monkeypatch.undo()
    here = work.do(work.Describe(reads))
    assert (there["precision"], here["precision"]) == ("float16", "float32")
    assert there["digest"] != here["digest"]
    assert counted.n_texts == 5
    assert next(loaded_of(bert).network.parameters()).dtype == torch.float32


def test_in_half_precision_frequencies_keep_their_digits_and_bfloat16_stays(mistral):
    """Of rotary positions the angle is the place times a frequency: three digits are too few."""
    network = loaded_of(mistral).private().whole
    before = {name: b.clone() for name, b in network.named_buffers() if "inv_freq" in name}
    exact = transformers.AutoModelForCausalLM.from_pretrained(mistral, dtype=torch.float16)
    found = work.halved(network)
    assert before
    for name, buffer in found.named_buffers():
        if name in before:
            torch.testing.assert_close(buffer, before[name], rtol=0, atol=0)
    own = dict(found.named_parameters())
    for name, parameter in exact.named_parameters():
        assert torch.equal(own[name], parameter)
    brain = transformers.AutoModelForCausalLM.from_pretrained(mistral, dtype=torch.bfloat16)
    assert next(work.halved(brain).parameters()).dtype == torch.bfloat16


# — the run —


def lines_of(tmp_path, texts):
    file = tmp_path / "texts.txt"
    file.write_text("\n".join(text.parts[0] for text in texts), "utf-8")
    return file


def settings_of(folder):
    return Settings(f"path:{folder}", shard_texts=10)


def files_of(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def done(bert, tmp_path_factory):
    """A run in this process, of 45 texts in five shards."""
    folder = tmp_path_factory.mktemp("done")
    file = lines_of(folder, texts_of(45))
    run(Corpus(file), folder / "heads", settings_of(bert), Here())
    return file, folder / "heads"


def test_two_workers_give_equal_bytes_also_where_one_is_killed(bert, done, tmp_path):
    file, one = done
    pool, killed = Pool(2), []

    def kill(progress):
        if progress.n_shards == 1 and not killed:
            killed.extend(pool._pool._processes)
            os.kill(killed[0], signal.SIGKILL)

    try:
        run(Corpus(file), tmp_path / "heads", settings_of(bert), pool, kill)
    finally:
        pool.close()
    assert killed
    assert files_of(tmp_path / "heads") == files_of(one)


class _StoppedError(Exception):
    pass


def test_a_run_that_was_stopped_goes_on_where_it_was_and_gives_equal_bytes(bert, done, tmp_path):
    file, one = done
    folder, read = tmp_path / "heads", []

    def stop(progress):
        if progress.n_shards == 2:
            raise _StoppedError

    with pytest.raises(_StoppedError):
        run(Corpus(file), folder, settings_of(bert), Here(), stop)
    assert len(list((folder / "shards").iterdir())) == 2
    run(Corpus(file), folder, settings_of(bert), Here(), read.append)
    assert max(p.new_tokens for p in read) < max(p.n_tokens for p in read)
    assert files_of(folder) == files_of(one)


def test_a_larger_limit_goes_on_with_what_is_there(bert, done, tmp_path):
    file, one = done
    folder = tmp_path / "heads"
    run(Corpus(file, limit=25), folder, settings_of(bert), Here())
    run(Corpus(file), folder, settings_of(bert), Here())
    assert files_of(folder) == files_of(one)
    with pytest.raises(ExplorerError, match="smaller --limit"):
        run(Corpus(file, limit=25), folder, settings_of(bert), Here())


def test_a_shard_that_was_cut_short_is_said_and_made_anew(bert, done, tmp_path):
    file, one = done
    folder, said = tmp_path / "heads", []
    shutil.copytree(one, folder)
    cut = running.sums_path(folder, 1)
    cut.write_bytes(cut.read_bytes()[:-40])
    texts = running.texts_path(folder, 3)
    texts.write_bytes(texts.read_bytes()[: texts.stat().st_size // 2])
    run(Corpus(file), folder, settings_of(bert), Here(), lambda p: said.append(p.doing))
    assert [s for s in said if "made anew" in s] == [
        f"Shard {i} was damaged or cut short, and is made anew" for i in (1, 3)
    ]
    assert files_of(folder) == files_of(one)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"length": 8}, "begun with another --length"),
        ({"seed": 1, "by": "entropy"}, "another --by and another --seed"),
    ],
)
def test_other_settings_are_refused_and_nothing_is_touched(bert, done, change, says):
    file, one = done
    before = files_of(one)
    other = Settings(f"path:{bert}", shard_texts=10, **change)
    with pytest.raises(ExplorerError, match=says):
        run(Corpus(file), one, other, Here())
    assert files_of(one) == before


def test_a_changed_model_is_refused(done, mistral):
    file, one = done
    with pytest.raises(ExplorerError, match="begun with another model"):
        run(Corpus(file), one, settings_of(mistral), Here())


def test_changed_texts_are_refused(bert, done, tmp_path):
    file, one = done
    lines = file.read_text("utf-8").splitlines()
    other = tmp_path / "texts.txt"
    other.write_text("\n".join([*lines[:12], "the cat was big", *lines[13:]]), "utf-8")
    with pytest.raises(ExplorerError, match="from number 10 on"):
        run(Corpus(other), one, settings_of(bert), Here())


def test_a_full_disk_is_said_and_what_is_done_is_kept(bert, done, tmp_path, monkeypatch):
    file, one = done
    folder, replace = tmp_path / "heads", os.replace

    def full(source, target):
        if Path(target) == running.sums_path(folder, 2):
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(ExplorerError, match="No space left on device"):
        run(Corpus(file), folder, settings_of(bert), Here())
    monkeypatch.undo()
    assert [p.name for p in sorted((folder / "shards").iterdir())] == [
        "000000.parquet",
        "000001.parquet",
    ]
    run(Corpus(file), folder, settings_of(bert), Here())
    assert files_of(folder) == files_of(one)


def test_a_folder_of_other_things_is_left_alone(bert, done, tmp_path):
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(ExplorerError, match="holds other things"):
        run(Corpus(done[0]), tmp_path, settings_of(bert), Here())


def test_it_says_what_its_numbers_are_of(done, bert):
    _, folder = done
    about = json.loads((folder / "run.json").read_text("utf-8"))
    assert about["complete"] is True
    assert about["model"]["passport"]["form"] == "scores"
    assert about["corpus"]["n_texts"] == 45
    assert about["layers"] == [0, 1]
    assert set(about["versions"]) >= {"torch", "transformers", "numpy"}


def test_texts_that_no_model_can_read_are_counted_and_said(bert, tmp_path):
    file = tmp_path / "texts.txt"
    file.write_text("the cat\n\u200b\nthe dog\n", "utf-8")
    found = run(Corpus(file), tmp_path / "heads", settings_of(bert), Here())
    assert found["corpus"]["n_texts"] + found["corpus"]["n_refused"] == 3


def test_how_texts_are_cut_into_shards_changes_no_number_that_is_counted(bert, tmp_path):
    texts = texts_of(40)
    whole = census(loaded_of(bert), texts, 512, "strongest").sums
    parts = [
        part_of(census(loaded_of(bert), texts[i : i + 7], 512, "strongest").sums)
        for i in range(0, 40, 7)
    ]
    merged, one = merge(parts), merge([part_of(whole)])
    assert merged.sample.tolist() == one.sample.tolist()
    np.testing.assert_allclose(merged.total, one.total, **EXACT)
    np.testing.assert_allclose(merged.sample_values, one.sample_values, **EXACT)
    assert merged.counts.sum() == one.counts.sum()
    # A value at a bin's edge may fall on its other side, as texts were read in other batches.
    assert abs(merged.counts - one.counts).sum() <= 4


def test_deciles_of_the_drawn_texts_are_those_of_all_texts(bert):
    """By the sketch, whose bins are 5 % wide for shares."""
    texts = texts_of(300)
    sums = census(loaded_of(bert), texts, 512, "strongest").sums
    bins = MEASURES["strongest"].bins
    values = reference(bert, texts)[:, place_of("strongest"), 1, 0]
    values = values[~np.isnan(values)]
    counts = sums.counts[place_of("strongest"), 1, 0].astype(np.int64)
    wanted = np.quantile(values, np.arange(1, 10) / 10)
    np.testing.assert_allclose(bins.quantiles(counts, np.arange(1, 10) / 10), wanted, rtol=0.06)


# — conversations —


@pytest.fixture(scope="module")
def talker(tmp_path_factory):
    """A tiny decoder with a chat template; its tokenizer."""
    folder = tmp_path_factory.mktemp("talker")
    return folder, save_talker(folder)[1]


def conversations(tmp_path):
    """Conversations as a file has them, and their turns; either speaker may be the last."""
    words = [text.parts[0] for text in texts_of(24, seed=5, most=4)]
    turns = [
        [
            {"role": ("user", "assistant")[i % 2], "content": said}
            for i, said in enumerate(words[at : at + 1 + at % 3])
        ]
        for at in range(20)
    ]
    file = tmp_path / "chats.jsonl"
    file.write_text("\n".join(json.dumps({"messages": t}) for t in turns), "utf-8")
    return Corpus(file, "messages", chat=True), turns


def as_transformers_writes(tokenizer, turns):
    """Up to where the assistant goes on: behind its mark, or behind what it has said."""
    asks = turns[-1]["role"] == "user"
    text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=asks)
    return text if asks else text.removesuffix("<|im_end|>\n")


def test_a_conversation_has_the_numbers_of_what_its_template_writes(talker, tmp_path):
    folder, tokenizer = talker
    corpus, turns = conversations(tmp_path)
    texts = list(corpus.texts(running.Troubles()))
    assert len(texts) == len(turns)
    loaded = loaded_of(folder)
    plain = [Text(i, (as_transformers_writes(tokenizer, t),)) for i, t in enumerate(turns)]
    said = census(loaded, texts, 512, "strongest").sums
    wanted = census(replace(loaded, adds_marks=False), plain, 512, "strongest").sums
    for name in ("count", "apart", "seen", "received", "held", "total", "square"):
        assert np.array_equal(getattr(said, name), getattr(wanted, name)), name
    order = [np.argsort(s.sample) for s in (said, wanted)]
    assert np.array_equal(said.sample_values[order[0]], wanted.sample_values[order[1]], True)
    assert said.types.tolist() == wanted.types.tolist()
    by_run = explorer.trace(texts[1].parts[0], source=f"path:{folder}", chat=True)
    values = said.sample_values[said.sample.tolist().index(1)]
    np.testing.assert_allclose(values, by_hand(by_run), **EXACT)


def test_a_run_of_conversations_keeps_its_turns_and_says_so(talker, bert, tmp_path):
    corpus, _ = conversations(tmp_path)
    settings = settings_of(talker[0])
    about = run(corpus, tmp_path / "heads", settings, Here())
    assert about["chat"] is True
    folder = CorpusFolder(tmp_path / "heads")
    assert list(folder.texts()) == list(corpus.texts(running.Troubles()))
    example = folder.examples(0, 0, "strongest")[0]
    seen = explorer.trace(example.parts[0], source=settings.source, chat=True)
    assert example.tokens == tuple(token.text for token in seen.key_tokens)
    query, key, weight = example.pairs[0]
    assert abs(float(seen.weights[0, 0][query, key]) - weight) < 1e-5  # read one by one
    before = files_of(tmp_path / "heads")
    with pytest.raises(ExplorerError, match="was begun with another model and another --chat"):
        run(Corpus(corpus.path, "messages"), tmp_path / "heads", settings, Here())
    assert files_of(tmp_path / "heads") == before
    with pytest.raises(ExplorerError, match=r"has no chat template.*leave out --chat"):
        run(corpus, tmp_path / "none", settings_of(bert), Here())
    assert not (tmp_path / "none").exists()


def test_turns_that_a_template_does_not_take_are_counted_with_why(tmp_path):
    folder = tmp_path / "picky"
    folder.mkdir()
    save_talker(
        folder, "{% if messages|length > 2 %}{{ raise_exception('two') }}{% endif %}" + CHATML
    )
    corpus, turns = conversations(tmp_path)
    about = run(corpus, tmp_path / "heads", settings_of(folder), Here())
    n = sum(len(t) > 2 for t in turns)
    assert about["corpus"]["n_refused"] == n > 0
    assert about["corpus"]["n_texts"] == len(turns) - n
    assert "does not take these turns: “two”" in about["corpus"]["refused"][0]
