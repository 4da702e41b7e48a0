"""The layer that has learned what comes next, as a decoder of Transformers: one that can write.

The same weights in the same order, so that whatever asks a decoder (what comes next, writing, the
lens, changes of its attention) can ask it too. There is no other file of it than the training.
"""

from collections import OrderedDict
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerFast
from transformers.modeling_outputs import BaseModelOutputWithPast, CausalLMOutputWithPast
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from explorer.lesson import TASKS, Trained
from explorer.run import Run
from explorer.scratch.attention import SelfAttention, attention_weights
from explorer.scratch.nextword import SPACE, LittleStories, course_of
from explorer.scratch.tasks import START, Course
from explorer.scratch.telling import END
from explorer.scratch.training import Learner, learner_at
from explorer.source import InMemory
from explorer.sources.little_stories import cut_into_words
from explorer.sources.loading import LoadedModel, load_model
from explorer.sources.progress import Progress
from explorer.sources.trained import learned, read_tokens

_KEPT = 4
_known: OrderedDict[Trained, InMemory] = OrderedDict()


def decoder_of(run: Run, progress: Progress) -> LoadedModel:
    """The layer of a run, trained as far as its lesson says, as a decoder.

    Raises:
        ExplorerError: The training ran away, or the text is no sequence of the task.
    """
    lesson = run.source
    assert isinstance(lesson, Trained)
    read_tokens(lesson, run.texts)  # which says what it knows, and what of the text is none of it
    found = _known.get(lesson)
    if found is None:
        _, frame = learned(lesson, progress)
        model = TrainedForCausalLM(_config_of(lesson), learner_at(lesson, frame))
        found = InMemory(model.eval(), _tokenizer_of(lesson))
        _known[lesson] = found
        while len(_known) > _KEPT:
            _known.popitem(last=False)
    return load_model(found, progress)


class TrainedConfig(PreTrainedConfig):
    """The sizes of a layer that was trained."""

    model_type = "trained"


def _config_of(lesson: Trained) -> TrainedConfig:
    course = course_of(lesson)
    end = {"eos_token_id": course.numbers[END]} if END in course.numbers else {}
    config = TrainedConfig(
        hidden_size=lesson.d_model,
        num_attention_heads=lesson.n_heads,
        num_hidden_layers=lesson.n_layers,
        max_position_embeddings=(lesson.length or 0) + course.starts,
        vocab_size=len(course.answers),
        tie_word_embeddings=False,
        **end,
    )
    config.name_or_path = (
        f"layer trained for {lesson.steps:,} steps on “{TASKS[lesson.task].title}”"
    )
    return config


class _Attention(nn.Module):
    """`SelfAttention` whose weights are formed where Transformers wants them formed."""

    is_causal = True

    def __init__(self, config: Any, maps: SelfAttention) -> None:
        super().__init__()
        self.config, self.maps = config, maps
        self.scaling = maps.d_k**-0.5

    def forward(self, x: Tensor, attention_mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        q, k, v = (self.maps._split(m(x)) for m in (self.maps.W_Q, self.maps.W_K, self.maps.W_V))
        name = self.config._attn_implementation
        attend = ALL_ATTENTION_FUNCTIONS.get_interface(name, _eager)
        heads, weights = attend(self, q, k, v, attention_mask, scaling=self.scaling)
        return self.maps.o(heads.flatten(2)), weights


def _eager(
    module: nn.Module, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, **_: Any
) -> tuple[Tensor, Tensor]:
    n = q.shape[2]
    weights = attention_weights(q, k, torch.ones(n, n, dtype=torch.bool, device=q.device).tril())
    return (weights @ v).transpose(1, 2), weights


class _Layer(nn.Module):
    """Attention that is added to what it reads, and a norm over both."""

    def __init__(self, config: Any, maps: SelfAttention, norm: nn.LayerNorm) -> None:
        super().__init__()
        self.attention, self.norm = _Attention(config, maps), norm

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        out, weights = self.attention(x, None)
        return self.norm(x + out), weights


class _Trained(PreTrainedModel):
    """What Transformers asks of a model, whatever it gives out."""

    config_class = TrainedConfig
    base_model_prefix = "model"
    _supports_sdpa = True
    _supports_attention_backend = True


class TrainedModel(_Trained):
    """Tokens, positions and layers, as a `Learner` has them."""

    def __init__(self, config: TrainedConfig, learner: Learner) -> None:
        super().__init__(config)
        self.tokens, self.positions = learner.tokens, learner.positions
        encoder = learner.encoder
        pairs = zip(encoder.layers, encoder.norms, strict=True)
        self.layers = nn.ModuleList(_Layer(config, maps, norm) for maps, norm in pairs)

    def get_input_embeddings(self) -> nn.Module:
        return self.tokens

    def forward(self, input_ids: Tensor, **asked: Any) -> BaseModelOutputWithPast:
        x = self.tokens(input_ids) + self.positions.weight[: input_ids.shape[1]]
        states, weights = [x], []
        for layer in self.layers:
            x, seen = layer(x)
            states.append(x)
            weights.append(seen)
        return BaseModelOutputWithPast(
            last_hidden_state=x,
            hidden_states=tuple(states) if asked.get("output_hidden_states") else None,
            attentions=tuple(weights) if asked.get("output_attentions") else None,
        )


class TrainedForCausalLM(_Trained):
    """The same with what reads the next token off."""

    def __init__(self, config: TrainedConfig, learner: Learner) -> None:
        super().__init__(config)
        self.model = TrainedModel(config, learner)
        self.lm_head = learner.readout

    def get_input_embeddings(self) -> nn.Module:
        return self.model.tokens

    def get_output_embeddings(self) -> nn.Module:
        return self.lm_head

    def forward(
        self, input_ids: Tensor, logits_to_keep: Any = 0, **asked: Any
    ) -> CausalLMOutputWithPast:
        found = self.model(input_ids, **asked)
        last = found.last_hidden_state
        some = slice(-logits_to_keep, None) if isinstance(logits_to_keep, int) else logits_to_keep
        logits = self.lm_head(last[:, some])
        return CausalLMOutputWithPast(
            logits=logits, hidden_states=found.hidden_states, attentions=found.attentions
        )


def _tokenizer_of(lesson: Trained) -> PreTrainedTokenizerFast:
    """A tokenizer of whole tokens, as the course cuts and spells them."""
    course = course_of(lesson)
    first = course.answers[0]  # never used: whatever is unknown was refused before
    inner = Tokenizer(models.WordLevel(dict(course.numbers), unk_token=first))
    _cut_as(inner, course)
    marks = {"bos_token": START} if course.starts else {}
    marks |= {"eos_token": END} if END in course.numbers else {}
    return PreTrainedTokenizerFast(
        tokenizer_object=inner,
        model_max_length=(lesson.length or 0) + course.starts,
        model_input_names=["input_ids"],
        **marks,
    )


def _cut_as(inner: Any, course: Course) -> None:
    if not isinstance(course, LittleStories):  # letters
        inner.normalizer = normalizers.Replace(Regex(r"\s+"), SPACE)
        inner.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
        inner.decoder = decoders.Sequence([decoders.Fuse(), decoders.Replace(SPACE, " ")])
        return
    cut_into_words(inner, course.grammar)
    inner.post_processor = processors.TemplateProcessing(
        single=f"{START} $A", special_tokens=[(START, course.numbers[START])]
    )
