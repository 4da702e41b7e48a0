"""Texts as conversations: the model's own template, bounded, against Transformers' rendering."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

import explorer
from explorer.conversation import Turn, turns_of
from explorer.errors import ExplorerError
from explorer.run import Run
from explorer.source import Folder, Scratch
from explorer.sources import has_template, trace_run
from explorer.sources.predicting import predict
from explorer.sources.templates import RefusedError, rendered
from explorer.sources.writing import Writing
from tests.models.tiny import byte_level
from tests.models.writers import CHATML, save_talker, save_writer

TEXT = "user: the cat sat.\nassistant: a mat.\nuser: naïve?"
SAID = [("user", "the cat sat."), ("assistant", "a mat."), ("user", "naïve?")]
SAID = [{"role": role, "content": content} for role, content in SAID]
GEMMA = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}"
    "{{ raise_exception('System role not supported') }}{% endif %}{% for message in messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}"
    "{% endif %}{% set role = 'model' if message['role'] == 'assistant' else message['role'] %}"
    "{{ '<start_of_turn>' + role + '\\n' + message['content'] | trim + '<end_of_turn>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}"
)
LLAMA = """{{- bos_token }}
{%- if not tools is defined %}{%- set tools = none %}{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}{%- set messages = messages[1:] %}
{%- else %}{%- set system_message = "" %}{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" ~ system_message ~ "<|eot_id|>" }}
{%- set ns = namespace(count=0) %}
{%- for message in messages %}{%- set ns.count = ns.count + 1 %}
    {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' }}
    {%- generation %}{{- message['content'] | trim + '<|eot_id|>' }}{%- endgeneration %}
    {%- if loop.last and not message.content.startswith('x') %}{{- ns.count }}{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}"""
MACROS = """{% macro turn(m) %}[{{ m.role | upper }}] {{ m.content | tojson }}
{% endmacro %}{% for m in messages if m.role != 'system' %}{{ turn(m) }}{% else %}-{% endfor %}
{{ messages | map(attribute='role') | join(', ') }}{{ messages | selectattr('role', 'equalto',
'user') | list | length }}{% for k, v in messages[0].items() %}{{ k }}={{ v }};{% endfor %}"""


@pytest.fixture(scope="module")
def talker(tmp_path_factory):
    folder = tmp_path_factory.mktemp("talker")
    model, tokenizer = save_talker(folder)
    return model, tokenizer, folder


def run_of(folder, text=TEXT, **more):
    return Run(text, source=Folder(str(folder)), chat=True, **more)


def own(tokenizer, said=SAID, **options):
    return tokenizer.apply_chat_template(said, tokenize=False, **options)


@pytest.mark.parametrize(
    ("text", "turns"),
    [
        ("hello", [("user", "hello")]),
        ("user: a\n\nb\nASSISTANT :  c ", [("user", "a\n\nb"), ("assistant", "c")]),
        ("first\n system: no", [("user", "first"), ("system", "no")]),
        ("a user: b", [("user", "a user: b")]),
        ("user: a\nassistant:", [("user", "a"), ("assistant", "")]),
    ],
)
def test_turns_are_lines_that_begin_with_who_speaks(text, turns):
    assert turns_of(text) == tuple(Turn(*turn) for turn in turns)


@pytest.mark.parametrize("template", [CHATML, GEMMA, LLAMA, MACROS])
@pytest.mark.parametrize("answer", [True, False])
def test_a_template_is_rendered_as_transformers_renders_it(template, answer):
    tokenizer = byte_level()
    tokenizer.chat_template = template
    wanted = own(tokenizer, add_generation_prompt=answer)
    marks = {"bos_token": tokenizer.bos_token}
    assert rendered(template, SAID, marks, answer=answer) == wanted


def test_a_conversation_is_read_as_transformers_would_read_it(talker):
    model, tokenizer, folder = talker
    trace = trace_run(run_of(folder))
    wanted = own(tokenizer, add_generation_prompt=True)
    ids = tokenizer(wanted, add_special_tokens=False, return_tensors="pt").input_ids
    assert trace.texts == (wanted,)
    assert len(trace.tokens) == ids.shape[1]
    with torch.inference_mode():
        logits = model(input_ids=ids).logits[0, -1].numpy()
        weights = model(input_ids=ids, output_attentions=True).attentions
    found = predict(run_of(folder))
    assert np.abs(found.logits - logits).max() <= 1e-5  # as in test_writing
    for layer, want in zip(trace.layers, weights, strict=True):
        assert np.abs(layer.weights() - want[0].numpy()).max() <= 1e-6
    assert has_template(Folder(str(folder)))


def test_marks_are_told_apart_from_words_and_begin_turns(talker):
    from explorer.analysis.levels import levels_of

    trace = trace_run(run_of(talker[2]))
    marks = [t.text for t in trace.tokens if t.special]
    assert marks == ["<|im_start|>", "<|im_end|>"] * 3 + ["<|im_start|>"]
    turns = levels_of(trace.tokens, trace.texts)["turn"]
    assert {i for i, t in enumerate(trace.tokens) if t.text == "<|im_start|>"} <= set(turns)


def test_the_assistant_answers_and_what_it_writes_stands_behind_the_turns(talker):
    _, tokenizer, folder = talker
    writing = Writing(run_of(folder))
    list(writing.write(3))
    trace, whole = writing.trace(), trace_run(writing.run)
    assert trace.tokens == whole.tokens
    assert trace.texts == whole.texts
    assert trace.n_written == 3
    assert trace.texts[0].startswith(own(tokenizer, add_generation_prompt=True))
    assert Run.from_query(writing.run.to_query()) == writing.run
    assert writing.run.text == TEXT  # the turns stay as they were typed


@pytest.mark.parametrize(
    ("said", "end"), [("assistant:", "assistant\n"), ("assistant: a big", "assistant\na big")]
)
def test_an_assistant_that_has_begun_goes_on(talker, said, end):
    trace = trace_run(run_of(talker[2], f"user: the cat\n{said}"))
    assert trace.texts[0].endswith(f"<|im_start|>{end}")


def test_python_reads_the_same_conversation_from_a_folder_and_from_memory(talker):
    model, tokenizer, folder = talker
    by_folder = explorer.trace(TEXT, source=f"path:{folder}", chat=True)
    in_memory = explorer.trace(TEXT, model=model, tokenizer=tokenizer, chat=True)
    assert by_folder.tokens == in_memory.tokens
    from explorer.code import python_of

    found = {}
    exec(python_of(run_of(folder)), found)
    assert found["trace"].texts == by_folder.texts


def refuses(run, *words):
    with pytest.raises(ExplorerError) as refused:
        trace_run(run)
    for word in words:
        assert word in str(refused.value)


def test_a_template_that_refuses_is_told_in_its_own_words(tmp_path):
    save_talker(tmp_path, GEMMA)
    twice = run_of(tmp_path, "user: a\nuser: b")
    refuses(twice, "does not take these turns", "must alternate", "Nothing was changed")
    refuses(run_of(tmp_path, "system: be brief\nuser: a"), "System role not supported")
    refuses(run_of(tmp_path, "assistant:"), "nobody has said anything yet")
    assert trace_run(replace(twice, chat=False)).texts == ("user: a\nuser: b",)


def test_a_model_without_a_template_says_so(tmp_path):
    save_writer("gpt2", tmp_path)
    refuses(run_of(tmp_path), "has no chat template", "Turn off")
    assert not has_template(Folder(str(tmp_path)))
    refuses(Run(TEXT, chat=True), "has no chat template")
    refuses(Run(TEXT, source=Scratch(), chat=True), "has no chat template")
    with pytest.raises(ExplorerError, match="one text"):
        Run(TEXT, "b", chat=True)


@pytest.mark.parametrize("where", ["file", "settings", "list"])
def test_a_template_is_found_where_checkpoints_have_it(where, tmp_path):
    _, tokenizer = save_talker(tmp_path)
    (tmp_path / "chat_template.jinja").unlink(missing_ok=True)
    settings = json.loads((tmp_path / "tokenizer_config.json").read_text())
    settings.pop("chat_template", None)
    if where == "file":
        (tmp_path / "chat_template.jinja").write_text(CHATML)
    else:
        several = [{"name": "tools", "template": "no"}, {"name": "default", "template": CHATML}]
        settings["chat_template"] = CHATML if where == "settings" else several
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    assert trace_run(run_of(tmp_path)).texts == (own(tokenizer, add_generation_prompt=True),)


HOSTILE = [
    "{{ 'a' * 10 ** 9 }}",
    "{{ 'a' * 1000000000 }}",
    "{{ [0] * 1000000000 }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ 'a'.ljust(1000000000) }}",
    "{{ '{:>1000000000}'.format(1) }}",
    "{{ 'a' | center(1000000000) }}",
    "{{ ('a' ~ range(99999) | join('a')) | replace('a', 'b' ~ range(99999) | join) }}",
    "{{ ('a' ~ range(99999) | join('a')).replace('a', 'b' ~ range(99999) | join) }}",
    "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "{% set r = range(99999) | list %}{% for a in r %}{% for b in r %}{% endfor %}{% endfor %}",
    "{% set n = namespace(s='aa') %}{% for i in range(99) %}{% set n.s = n.s + n.s %}{% endfor %}",
    "{% set n = namespace(s='aa') %}{% for i in range(99) %}{% set n.s = n.s ~ n.s %}{% endfor %}",
    "{% set n = namespace(s=[1]) %}{% for i in range(99) %}{% set n.s = n.s + n.s %}{% endfor %}",
    "{% set n = namespace(s='a') %}{% for i in range(99) %}{% set x %}{{ n.s }}{{ n.s }}"
    "{% endset %}{% set n.s = x %}{% endfor %}",
    "{% set n = namespace(s=3) %}{% for i in range(99) %}{% set n.s = n.s * n.s %}{% endfor %}",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
    "{{ ''.__class__.__mro__ }}",
    "{{ messages.__init__.__globals__ }}",
    "{{ cycler.__init__.__globals__.os }}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}",
    "{{ messages.append(1) }}",
    "{{ lipsum(100) }}",
    "{% for x in messages %}",
    "{{ missing.part }}",
    "x" * 200_000,
]


@pytest.mark.parametrize("template", HOSTILE, ids=range(len(HOSTILE)))
def test_a_template_that_wants_more_than_any_needs_is_refused(template):
    with pytest.raises(RefusedError):
        rendered(template, SAID, {}, answer=True)


@pytest.mark.parametrize("template", ["{{ strftime_now.__self__ }}", "{{ self.__init__ }}"])
def test_what_lies_behind_what_a_template_is_given_is_nothing_to_it(template):
    assert rendered(template, SAID, {}, answer=True) == ""


def test_today_is_the_same_day_in_every_run():
    said = rendered("{{ strftime_now('%d %b %Y') }}", SAID, {}, answer=True)
    assert said == "26 Jul 2024"
