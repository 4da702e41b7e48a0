"""What the page says of a long text is exact: rows, columns, sums, shares, maps between sentences,
tiles, profiles and the strongest pairs, which it makes of q and k of single heads and of what the
server adds up, are held against all weights in float64, and these against the model itself.

Long is a text from 775 tokens on; nothing here gets truer with more of them.
"""

import json
import subprocess
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

import explorer
from explorer.analysis.detectors import same_words
from explorer.instrument.wire.longtext import is_long, levels
from explorer.instrument.wire.request import Request
from explorer.instrument.wire.trace import answers_to, pack
from explorer.layers import GivenWeights
from tests.models import zoo
from tests.models.long_text import long_bert, story
from tests.models.tiny import AGAINST_EAGER

JS = Path(__file__).parents[1] / "js" / "long_answers.js"
MODELS = ("bert", "modernbert", "llama", "gpt_oss", "gemma2", "bloom", "t5 encoder", "t5 cross")
HEADS = (1, 2)  # of a model with shared keys, of two of them
ROOM = {"max_position_embeddings": 2048}
LAYERS = {"modernbert": (0, 1), "gpt_oss": (0,), "gemma2": (0,)}  # with a window, and without
PART = (100, 180, 90, 170)  # of the picture: four tiles

# Of numbers between 0 and 1; entropies are shares of the possible ones. Weights end as float32,
# whose rounding is 6e-8 of 1. Columns and tiles are divided by log-sum-exps that the server adds up
# of float32 scores: of scores up to 18, as here, these are off by 1.7e-6, and weights by as much of
# theirs, which are below 0.3. Measured at most: 2.8e-7.
LARGEST = 6e-7


@pytest.fixture(scope="module", params=MODELS)
def read(request, tmp_path_factory):
    """A model's name, its trace of a long text, and its own eager weights of it by layer."""
    name, part = f"{request.param} text".split()[:2]
    folder = tmp_path_factory.mktemp(name)
    if name == "bert":
        texts = (story(500), story(401, seed=1))
        long_bert(folder)
    else:
        texts = (story(230).lower(), story(260, seed=1).lower())[: 1 if part == "text" else 2]
        zoo.save(zoo.build(name, ROOM if part == "text" else {}), "text", folder)
    trace = explorer.trace(*texts, source=f"path:{folder}", part=part if name == "t5" else "cross")
    assert is_long(trace)
    assert not any(trace.n_cut)
    return name, trace, [weights[0].double().numpy() for weights in eager_of(folder, texts, part)]


def eager_of(folder, texts, part):
    """The weights that a model returns itself, by layer."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    network = transformers.AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    with torch.inference_mode():
        if part == "text":
            inputs = tokenizer(*texts, return_tensors="pt", return_token_type_ids=len(texts) > 1)
            return network(**inputs, output_attentions=True).attentions
        inputs = tokenizer(texts[0], return_tensors="pt", return_token_type_ids=False)
        ids = [network.config.decoder_start_token_id, *tokenizer(texts[1])["input_ids"][:-1]]
        inputs |= {"decoder_input_ids": torch.tensor([ids]), "use_cache": False}
        found = network(**inputs, output_attentions=True)
    return found.cross_attentions if part == "cross" else found.encoder_attentions


def by_float64(layer, head, eager):
    """All weights of a head, each step in double precision, ``[query, key]``.

    Which keys a query may look at is taken from the model's own weights, not from ours.
    """
    if isinstance(layer, GivenWeights):
        return layer.rows(head).astype(np.float64)
    rule, q = layer.rule, layer.q[head].astype(np.float64)
    k = layer.k[head * len(layer.k) // layer.n_heads].astype(np.float64)
    scores = rule.scale * q @ k.T
    if rule.cap is not None:
        scores = rule.cap * np.tanh(scores / rule.cap)
    if rule.offsets is not None:
        n, keys = scores.shape
        scores += rule.offsets[head][np.arange(keys) - np.arange(n)[:, None] + n - 1]
    scores[eager == 0] = -np.inf
    sink = -np.inf if rule.sinks is None else float(rule.sinks[head])
    most = np.maximum(scores.max(axis=-1, keepdims=True), sink)
    powers = np.exp(scores - most)
    return powers / (powers.sum(axis=-1, keepdims=True) + np.exp(sink - most))


def test_the_numbers_are_the_models_own(read):
    name, trace, eager = read
    off = 0.0
    for number in LAYERS.get(name, (1,)):
        for head in HEADS:
            own = eager[number][head]
            off = max(off, np.abs(by_float64(trace.layer(number), head, own) - own).max())
    print(f"\n{name}: {off:.1e} from the model's own weights")
    assert off < AGAINST_EAGER


# --- what the page is asked, and what the definitions say -----------------------------------------


def questions(trace, number):
    """Every way of looking at one head, and at two as their mean and as their maximum."""
    found = []
    switches = product((False, True), ("shown", "hidden", "renormalised"), range(3))
    for i, (words, specials, how) in enumerate(switches):
        view = {"words": words, "specials": specials, "combine": "max" if how == 2 else "mean"}
        # Each level and each way of pooling meets every other switch.
        view |= {"map": ("sentence", "paragraph")[i % 2], "pool": ("sum", "max")[(i // 2) % 2]}
        heads = HEADS if how else HEADS[:1]
        some = {"rows": [3, 120, 171], "columns": [0, 97, 150], "many": list(range(60, 100))}
        # Maps of paragraphs come from the server, and are made of those of sentences.
        file = i % 2 if i % 3 else 0
        found.append(
            {"view": view, "file": file, "layer": number, "heads": heads, "part": PART, **some}
        )
    return found


def on_the_page(trace, number, asked, tmp_path):
    """The page's answers, from a payload with its maps for each of the two levels."""
    places = tuple((number, head) for head in HEADS)
    command = ["node", str(JS), str(tmp_path / "asked.json")]
    (tmp_path / "asked.json").write_text(json.dumps(asked), "utf-8")
    for level in ("sentence", "paragraph"):
        request = Request("x", number, heads=places, summaries=places, map=level)
        answers = answers_to(trace, request, lambda page: "")
        command.append(str(tmp_path / level))
        Path(command[-1]).write_bytes(pack(trace, trace_id="x", answers=answers))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def starts_of(tokens, words):
    """Where each unit of the reading view begins."""
    goes_on = [words and b.word is not None and a.word == b.word for a, b in pairwise(tokens)]
    return [0, *(i for i, same in enumerate(goes_on, 1) if not same)]


class Units:
    """What stands on a side of a picture: runs of tokens, of which some may be hidden."""

    def __init__(self, tokens, starts, specials):
        self.starts = starts
        ends = [*starts[1:], len(tokens)]
        shown = [specials == "shown" or not tokens[start].special for start in starts]
        self.kept = np.flatnonzero(shown)
        self.tokens = [list(range(starts[i], ends[i])) for i in self.kept]

    def __iter__(self):
        return iter(self.tokens)


def between(weights, rows, columns, rescaled):
    """Attention between units: keys add, queries average, then rows are rescaled."""
    cells = reduced(np.add, weights, rows, columns)
    sums = cells.sum(axis=-1) if rescaled else np.array([len(unit) for unit in rows])
    return cells / sums[:, None]


def reduced(how, weights, rows, columns):
    """The sums, or the maxima, of single weights between units."""
    cells = how.reduceat(how.reduceat(weights, columns.starts, axis=1), rows.starts, axis=0)
    return cells[np.ix_(rows.kept, columns.kept)]


def profile_of(trace, weights, allowed):
    queries, keys = trace.query_tokens, trace.key_tokens
    one, other = (same_words(tokens, trace.model.unknown_token) for tokens in (queries, keys))
    alike = (one[:, None] == other) & (other >= 0) & ~np.eye(*weights.shape, dtype=bool)
    near = queries == keys  # else no key stands before, after or at a query
    special = [token.special for token in keys]
    rows = weights / weights.sum(axis=-1, keepdims=True)
    logs = np.log2(rows, where=rows > 0, out=np.zeros_like(rows))
    possible = np.log2(allowed.sum(axis=-1)).mean()
    n = len(queries)
    return {
        "self": near * np.trace(weights) / n,
        "previous": near * np.trace(weights, -1) / n,
        "next": near * np.trace(weights, 1) / n,
        "repeat": near * weights[alike].sum() / n,
        "special": weights[:, special].sum() / n,
        "sink": 1 - weights.sum() / n,
        "entropy": -(rows * logs).sum(axis=-1).mean() / possible,
        "possible": possible,
    }


class Head:
    """All weights of a head, and what they say of it as a whole."""

    def __init__(self, trace, layer, head, eager):
        self.weights = by_float64(layer, head, eager)
        self.profile = profile_of(trace, self.weights, eager > 0)
        self.received = self.weights.mean(axis=0)
        self.lost = 1 - self.weights.sum(axis=-1)
        self.strongest = {every: self._strongest(trace, every) for every in (True, False)}

    def _strongest(self, trace, every):
        """The 50 largest weights: of all tokens, or of ordinary ones."""
        sides = trace.query_tokens, trace.key_tokens
        kept = [[every or not token.special for token in side] for side in sides]
        cells = self.weights[np.ix_(*kept)]
        return np.sort(cells[cells > 0])[-50:]


class Wanted:
    """What the definitions say of some heads under a view."""

    def __init__(self, trace, heads, question):
        self.trace, self.heads, self.question = trace, heads, question
        view = question["view"]
        specials = view["specials"]
        self.rescaled, self.most = specials == "renormalised", view["combine"] == "max"
        sides = trace.query_tokens, trace.key_tokens
        own, other, _ = levels(trace)
        starts = own[view["map"]], (other or own)[view["map"]]
        self.units = [Units(side, starts_of(side, view["words"]), specials) for side in sides]
        self.groups = [Units(*side, specials) for side in zip(sides, starts, strict=True)]
        self.each = [between(head.weights, *self.units, self.rescaled) for head in heads]
        self.sums = [between(head.weights, *self.groups, self.rescaled) for head in heads]
        self.received = np.mean([head.received for head in heads], axis=0)
        self.lost = np.mean([head.lost for head in heads], axis=0)

    def together(self, found):
        return np.max(found, axis=0) if self.most else np.mean(found, axis=0)

    def number(self, rows, columns):
        return self.together([each[np.ix_(rows, columns)].sum(-1).mean() for each in self.each])

    def nowhere(self, of):
        return 0.0 if self.rescaled else np.mean([self.lost[unit].mean() for unit in of])

    def map(self):
        if self.question["view"]["pool"] == "sum" or self.rescaled:
            return self.together(self.sums)
        return self.together(
            [reduced(np.maximum, head.weights, *self.groups) for head in self.heads]
        )

    def numbers(self):
        """By its name in `long_answers.js`, each number or array of numbers."""
        rows, columns, many = (self.question[name] for name in ("rows", "columns", "many"))
        top, bottom, left, right = PART
        picture = self.together(self.each)
        total = [sums[:4, 1:3].sum(axis=-1).mean() for sums in self.sums]
        everything = [range(len(self.trace.query_tokens))]
        shares = [self.received[unit].sum() for unit in self.units[1]]
        marks = any(token.special for token in self.trace.key_tokens)
        lost_by_row = [self.nowhere([self.units[0].tokens[row]]) for row in rows]
        pairs = [*zip(([row] for row in rows), ([column] for column in columns), strict=True)]
        pairs += [(rows, columns), (many, columns), (rows, many)]
        return {
            "given": picture[rows],
            "givenTogether": self.together([each[rows].mean(axis=0) for each in self.each]),
            "got": picture[:, columns].T,
            "gotTogether": self.together([each[:, columns].sum(axis=-1) for each in self.each]),
            "numbers": [self.number(*pair) for pair in pairs],
            "nowhere": [*lost_by_row, np.mean(lost_by_row), self.nowhere(everything)],
            "shares": shares,
            "hidden": np.mean([head.profile["special"] for head in self.heads]) if marks else None,
            "sink": self.lost.mean(),
            "map": self.map().ravel(),
            "mapShares": [self.received[group].sum() for group in self.groups[1]],
            "mapNowhere": [self.nowhere([group]) for group in self.groups[0]],
            "total": self.together(total),
            "part": picture[top:bottom, left:right].ravel(),
        }


def held(shown, wanted):
    """How far each number on the page is from what it should be, by its name."""
    off = {}
    for name, right in wanted.numbers().items():
        if right is None:
            assert shown[name] is None, name
            continue
        got = np.array(shown[name], dtype=np.float64)
        assert got.shape == np.shape(right), name
        off[name] = np.abs(got - right).max()
    possible = shown["profile"]["possible"]
    names = ["self", "previous", "next", "repeat", "special", "sink"]
    first = wanted.heads[0].profile
    if len(wanted.heads) == 1:
        off["entropy"] = abs(shown["profile"]["entropy"] / possible - first["entropy"])
    else:
        assert shown["profile"]["entropy"] is None
        names.remove("sink")  # said by `sink`, for all heads
    for name in names:
        right = np.mean([head.profile[name] for head in wanted.heads])
        off[f"profile, {name}"] = abs(shown["profile"][name] - right)
    assert abs(possible - first["possible"]) < 2e-6  # sent with six decimals
    return off


def pairs_off(shown, wanted):
    """How far the strongest single weights are from what they should be: heaviest first, theirs."""
    specials = wanted.question["view"]["specials"]
    of_head = dict(zip(wanted.question["heads"], wanted.heads, strict=True))
    strongest = np.concatenate([head.strongest[specials == "shown"] for head in wanted.heads])
    found = [pair["weight"] for pair in shown]
    assert found == sorted(found, reverse=True)
    off = np.abs(found - np.sort(strongest)[::-1]).max()
    for pair in shown:
        rows = wanted.units[0].tokens[pair["row"]]
        columns = wanted.units[1].tokens[pair["column"]]
        own = of_head[pair["head"]].weights[np.ix_(rows, columns)]
        off = max(off, np.abs(own - pair["weight"]).min())
    return off


def test_every_number_of_a_long_text_agrees_with_float64(read, tmp_path):
    name, trace, eager = read
    off = {}
    for number in LAYERS.get(name, (1,)):
        asked, layer = questions(trace, number), trace.layer(number)
        heads = [Head(trace, layer, head, eager[number][head]) for head in HEADS]
        for question, shown in zip(asked, on_the_page(trace, number, asked, tmp_path), strict=True):
            wanted = Wanted(trace, heads[: len(question["heads"])], question)
            assert shown["units"] == [side.tokens for side in wanted.units]
            assert shown["groups"] == [side.tokens for side in wanted.groups]
            found = held(shown, wanted) | {"pairs": pairs_off(shown["pairs"], wanted)}
            off |= {what: max(most, off.get(what, 0)) for what, most in found.items()}
    told = ", ".join(f"{what} {most:.1e}" for what, most in off.items())
    print(f"{name}, {len(trace.key_tokens)} tokens: {told}")
    assert max(off.values()) < LARGEST, off
