"""All that is known of families of models, each fact said once: every other file asks this one.

A family is what a config.json calls ``model_type``. One that is not in the table is taken to be of
the standard shape: a model of text, with its sizes where everybody has them and positions that
begin at 0. So a new decoder of standard shape needs no row, and a new fact needs a field here.
"""

from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Literal

from explorer.errors import ExplorerError

Form = Literal["text", "pair", "picture"]


@dataclass(frozen=True)
class PlainLayers:
    """Where the parts of a layer are whose attention is one plain ``softmax(QKᵀ/√d_k)V``.

    That is: four linear maps with biases, as wide as the model, and nothing added to the scores.
    The from-scratch layer computes the same, so such a layer can be walked through step by step,
    transplanted, and taken apart into what each token brings.

    Attributes:
        layers: The list of layers, below the head that a model may have.
        maps: In a layer: the linear maps to query, key and value, and that of the output.
        norm: In a layer: the LayerNorm behind the residual connection round its attention.
    """

    layers: str
    maps: tuple[str, str, str, str]
    norm: str


@dataclass(frozen=True)
class Family:
    """What is known of a family beyond the standard shape.

    Attributes:
        form: What it reads, if it is no encoder-decoder: a ``text`` or a ``picture``.
        marks: The tokens that a vision model puts before its patches.
        after_padding: Whether positions are counted from after the padding token, and by what is no
            padding: the first token of a text stands at ``pad_token_id + 1``.
        plain: Where its layers are, if their attention is the plain one.
    """

    form: Form = "text"
    marks: tuple[str, ...] = ()
    after_padding: bool = False
    plain: PlainLayers | None = None


_BERT = PlainLayers(
    "encoder.layer",
    (
        "attention.self.query",
        "attention.self.key",
        "attention.self.value",
        "attention.output.dense",
    ),
    "attention.output.LayerNorm",
)
_DISTILBERT = PlainLayers(
    "transformer.layer",
    ("attention.q_lin", "attention.k_lin", "attention.v_lin", "attention.out_lin"),
    "sa_layer_norm",
)
_STANDARD = Family()
_FAMILIES = {
    "bert": Family(plain=_BERT),
    "electra": Family(plain=_BERT),
    "distilbert": Family(plain=_DISTILBERT),
    "roberta": Family(plain=_BERT, after_padding=True),
    "xlm-roberta": Family(plain=_BERT, after_padding=True),
    "camembert": Family(plain=_BERT, after_padding=True),
    "mpnet": Family(after_padding=True),
    "longformer": Family(after_padding=True),
    # DeiT also comes as the classes of ViT; what else looks at pictures has no plain grid.
    "vit": Family(form="picture", marks=("[CLS]",)),
    "deit": Family(form="picture", marks=("[CLS]", "[DIST]")),
}


def family_of(config: Any) -> Family:
    """What is known of the family that a configuration, or the name of a model type, belongs to."""
    kind = config if isinstance(config, str) else config.model_type
    return _FAMILIES.get(kind, _STANDARD)


def form_of(config: Any) -> Form:
    """What a model reads: a text, a text and what is written of it, or a picture."""
    return "pair" if getattr(config, "is_encoder_decoder", False) else family_of(config).form


def first_position(config: Any) -> int:
    """The number that a model gives to the position of a text's first token."""
    return config.pad_token_id + 1 if family_of(config).after_padding else 0


def may_remember(config: Any) -> bool:
    """Whether an encoder-decoder may keep keys and values while it writes.

    Transformers counts the layers of T5's encoder when it makes room for its decoder's.
    """
    return bool(getattr(config, "num_decoder_layers", None) in (None, config.num_hidden_layers))


def plain_layers(network: Any) -> Any:
    """The layers of a model whose attention is plain, as a list of modules.

    Raises:
        ExplorerError: Its attention is built in another way than the from-scratch layer's.
    """
    body = getattr(network, network.base_model_prefix, network)  # below a head, if there is one
    return attrgetter(_plain(network).layers)(body)


def projections(network: Any, layer: int) -> tuple[Any, Any, Any, Any]:
    """The four linear maps of a layer's attention: query, key, value, output.

    Raises:
        ExplorerError: There is no such layer, or its attention is built in another way.
    """
    layers = plain_layers(network)
    if not 0 <= layer < len(layers):
        raise ExplorerError(
            f"There is no layer {layer}: this model has the layers 0 to {len(layers) - 1}."
        )
    found = attrgetter(*_plain(network).maps)(layers[layer])
    width = network.config.hidden_size
    if any(m.weight.shape != (width, width) or m.bias is None for m in found):
        raise ExplorerError(_other_kind(network))
    return found


def layer_norm(network: Any, layer: int) -> Any:
    """The LayerNorm behind the residual connection round a layer's attention.

    Raises:
        ExplorerError: Its attention is built in another way than the from-scratch layer's.
    """
    return attrgetter(_plain(network).norm)(plain_layers(network)[layer])


def _plain(network: Any) -> PlainLayers:
    plain = family_of(network.config).plain
    if plain is None:
        raise ExplorerError(_other_kind(network))
    return plain


def _other_kind(network: Any) -> str:
    return (
        f"The attention of a “{network.config.model_type}” model is built in another way than the "
        "from-scratch layer’s, so it cannot be walked through or transplanted step by step. "
        "BERT, RoBERTa, XLM-RoBERTa, CamemBERT, ELECTRA and DistilBERT can."
    )
