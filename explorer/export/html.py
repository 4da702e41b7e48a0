"""What is on a page as one HTML file: opens from disk, offline, with every interaction in it."""

import base64
import gzip
import html
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from explorer.analysis.comparison import Comparison
from explorer.analysis.explanation import Explanation
from explorer.analysis.finder import Found
from explorer.analysis.levels import MOST_GROUPS
from explorer.analysis.survey import Survey
from explorer.analysis.survival import Survival
from explorer.cheaper import Cheap
from explorer.errors import ExplorerError
from explorer.history import TrainingHistory
from explorer.instrument.assets import Host, bundle, css
from explorer.instrument.wire.about import About, passport_words
from explorer.instrument.wire.article import Chapter, Facts, Whose, pack_article
from explorer.instrument.wire.compare import pack_compare
from explorer.instrument.wire.container import in_planes
from explorer.instrument.wire.corpus import pack_corpus
from explorer.instrument.wire.efficiency import Tried, pack_efficiency
from explorer.instrument.wire.explain import (
    Changed,
    Predictions,
    Wish,
    bar_of,
    explained_of,
    pack_explain,
)
from explorer.instrument.wire.heads import Pair, pack_heads
from explorer.instrument.wire.layertrace import pack_layer_traces
from explorer.instrument.wire.longtext import head_bytes, is_long, places_in
from explorer.instrument.wire.repeats import Retold
from explorer.instrument.wire.request import Head, Page, Places
from explorer.instrument.wire.trace import Report, bytes_sent, first_head, pack
from explorer.language import say, spoken, t
from explorer.layertrace import LayerTrace
from explorer.trace import AttentionTrace, ModelInfo

if TYPE_CHECKING:
    from explorer.corpus.overview import Overview

_EFFORT = 6  # of gzip: more takes longer, and a file of q and k gets no shorter
SUMMARY_BYTES = 9 * MOST_GROUPS**2  # of two maps and what stands beside them, at most
MOST = 2**28  # bytes of a page's numbers; as text they are a third more, and browsers hold 2^29

_PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline';
  worker-src blob:">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --st-primary-color: light-dark(#3355c4, #8aa6ff); }}
body {{ margin: 0 auto; max-width: 1400px; padding: 16px 24px 40px;
  background: light-dark(#fff, #12151c); color: light-dark(#191d26, #e8eaf0);
  font: 15px system-ui, "PingFang SC", "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; }}
h1 {{ font-size: 18px; }}
@page {{ margin: 12mm; }}
@media print {{
  :root {{ color-scheme: light; }}
  body {{ max-width: none; padding: 0; }}
  body > :not(.ax) {{ display: none; }}
}}
{css}
</style>
</head>
<body>
<h1>{title}</h1>
{about}<div class="ax"></div>
<script type="application/octet-stream" id="payload">{payload}</script>
<script type="module">
{code}
</script>
</body>
</html>
"""


def to_html(
    trace: AttentionTrace,
    *,
    opening: Mapping[str, object] | None = None,
    layers: Sequence[int] | None = None,
    heads: Sequence[Sequence[int]] | None = None,
    history: TrainingHistory | None = None,
    about: About | None = None,
    report: Report = lambda doing, share: None,
) -> str:
    """The instrument with its numbers inside one page.

    Args:
        trace: What to show.
        opening: The view to open with, by the names that a link uses.
        layers: The layers to put in, by the model's own numbers; None for all. Of the others the
            small pictures are there. Of a long text all heads of them; None for the head that the
            page opens with.
        heads: Of a long text the heads to put in, (layer, head) each, in place of `layers`.
        history: The training that the trace is the last frame of.
        about: Whose picture it is, where more is known than the trace alone says.
        report: Told what is being done; may raise to end it.

    Returns:
        The page's text. It holds no address and asks nobody for anything.

    Raises:
        ExplorerError: It would be more than browsers open.
    """
    check_page(trace, layers, heads, opening)
    chosen = kept_heads(trace, layers, heads, opening) if is_long(trace) else ()
    payload = pack(
        trace,
        trace_id="file",
        layers=() if chosen else _kept(trace, layers),
        heads=chosen,
        opening=opening,
        about=about,
        history=history,
        striking=history is None,
        report=report,
    )
    title = t("Attention of {model}", model=trace.model.name)
    return _page(title, "explorefile", in_planes(payload), trace.model, holds=_named(trace, chosen))


def check_page(
    trace: AttentionTrace,
    layers: Sequence[int] | None = None,
    heads: Sequence[Sequence[int]] | None = None,
    opening: Mapping[str, object] | None = None,
) -> None:
    """Refuse a page that holds more than browsers open; the arguments are `to_html`'s.

    Raises:
        ExplorerError: It would.
    """
    if is_long(trace):
        _check_heads(trace, kept_heads(trace, layers, heads, opening))
        return
    kept = [trace.layer(number) for number in _kept(trace, layers)]
    size = sum(map(bytes_sent, kept))
    if size <= MOST:
        return
    most = MOST // max(map(bytes_sent, kept))
    some = list(trace.numbers[:most])
    instead = t("Put in fewer layers: layers={layers}, for example.", layers=some)
    raise ExplorerError(
        t(
            "A page with {kept} layers of {n_keys} tokens would hold about {size} MB; "
            "browsers open {most} MB. {instead} Everything fits into a file for programs: "
            "explorer.save(trace, “attention.npz”).",
            kept=len(kept),
            n_keys=f"{kept[0].n_keys:,}",
            size=f"{size / 2**20:,.0f}",
            most=MOST // 2**20,
            instead=instead if most else t("Choose a shorter text."),
        )
    )


def _check_heads(trace: AttentionTrace, heads: Places) -> None:
    size = _bytes_of(trace, heads)
    if size <= MOST:
        return
    most = MOST // (size // len(heads))
    some = [list(head) for head in heads[:2]]
    instead = t("Put in {most} heads at most, such as heads={heads}.", most=most, heads=some)
    raise ExplorerError(
        t(
            "A page with {heads} heads of {key_tokens} tokens would hold about {size} MB; "
            "browsers open {most} MB. {instead} Everything fits into a file for "
            "programs: explorer.save(trace, “attention.npz”).",
            heads=len(heads),
            key_tokens=f"{len(trace.key_tokens):,}",
            size=f"{size / 2**20:,.0f}",
            most=MOST // 2**20,
            instead=instead if most > 1 else t("Choose fewer heads or a shorter text."),
        )
    )


def page_memory(trace: AttentionTrace, page: Page) -> int:
    """Bytes of memory that a page takes while it is made: its numbers, packed, zipped, as text."""
    if is_long(trace):
        return 5 * _bytes_of(trace, kept_heads(trace, page.layers, page.heads, page.view))
    return 4 * trace.nbytes


def _bytes_of(trace: AttentionTrace, heads: Places) -> int:
    """Bytes that some heads of a long text take with their summaries, at most."""
    own = {number: head_bytes(trace.layer(number)) for number, _ in heads}
    return sum(own[number] + SUMMARY_BYTES + 4 * len(trace.key_tokens) for number, _ in heads)


def kept_heads(
    trace: AttentionTrace,
    layers: Sequence[int] | None,
    heads: Sequence[Sequence[int]] | None,
    opening: Mapping[str, object] | None,
) -> Places:
    """The heads of a long text that are put in, (layer, head) each; one of them at least."""
    if heads is not None:
        chosen = places_in(trace, heads)
    elif layers is not None:
        n_heads = trace.model.n_heads
        chosen = places_in(trace, [(n, head) for n in layers for head in range(n_heads)])
    else:
        chosen = []
    return tuple(chosen) or first_head(trace, Head.of(opening or {}))


def _named(trace: AttentionTrace, heads: Places) -> str:
    """Which heads of a long text a page holds, in words; empty of a short one, which says it."""
    if not heads:
        return ""
    names = ", ".join(f"L{number}·H{head}" for number, head in heads[:12])
    counts = {"n": len(heads), "all": trace.model.n_layers * trace.model.n_heads}
    if len(heads) <= 12:
        return t("This file holds {n} of {all} heads in full: {names}.", names=names, **counts)
    return t(
        "This file holds {n} of {all} heads in full: {names} and {more} more.",
        names=names,
        more=len(heads) - 12,
        **counts,
    )


def _kept(trace: AttentionTrace, layers: Sequence[int] | None) -> list[int]:
    """The numbers of the layers that are put in; one of them at least."""
    return [n for n in trace.numbers if layers is None or n in layers] or [trace.numbers[0]]


def layer_traces_to_html(
    layer_traces: Sequence[tuple[LayerTrace, int]],
    *,
    note: str,
    opening: Mapping[str, object],
    about: About | None = None,
) -> str:
    """One head's way, step by step, inside one page; the arguments are `pack_layer_traces`'s."""
    layer_trace, head = layer_traces[0]
    title = t(
        "Step by step: {model}, layer {layer}, head {head}",
        model=layer_trace.model.name,
        layer=layer_trace.layer,
        head=head,
    )
    payload = pack_layer_traces(
        layer_traces, trace_id="file", note=note, opening=opening, about=about
    )
    return _page(title, "stepsfile", in_planes(payload), layer_trace.model)


def comparison_to_html(
    comparison: Comparison,
    *,
    opening: Mapping[str, str],
    abouts: tuple[About | None, About | None] = (None, None),
    report: Report = lambda doing, share: None,
) -> str:
    """Two traces side by side inside one page.

    Args:
        comparison: What to show, all layers of it.
        opening: The view to open with, by the names that a link uses.
        abouts: Whose pictures they are, where more is known than the traces alone say.
        report: Told what is being done; may raise to end it.
    """
    sides = zip("ab", (comparison.a, comparison.b), abouts, strict=True)
    payloads = [
        in_planes(
            pack(trace, trace_id=f"file {side}", layers=trace.numbers, about=about, report=report)
        )
        for side, trace, about in sides
    ]
    payload = pack_compare(
        comparison, (payloads[0], payloads[1]), compare_id="file", opening=opening
    )
    title = t("{a} and {b}", a=comparison.a.model.name, b=comparison.b.model.name)
    return _page(title, "comparefile", payload, comparison.a.model, comparison.b.model)


def survey_to_html(
    survey: Survey,
    *,
    about: About,
    opening: Mapping[str, str],
    pairs: Sequence[Pair] = (),
    found: Found | None = None,
    repeats: Retold | None = None,
) -> str:
    """All heads over some texts inside one page; the arguments are `pack_heads`'s."""
    model = survey.example.model
    payload = pack_heads(
        survey,
        survey_id="file",
        about=about,
        opening=opening,
        pairs=pairs,
        found=found,
        repeats=repeats,
    )
    return _page(
        t("The heads of {model}", model=model.name), "headsfile", in_planes(payload), model
    )


def corpus_to_html(over: "Overview", **told: Any) -> str:
    """All heads over a corpus inside one page; the arguments are `pack_corpus`'s."""
    payload = pack_corpus(over, **told)
    title = t("The heads of {model} over a corpus", model=over.model)
    return _page(title, "corpusfile", in_planes(payload))


def survival_to_html(
    trace: AttentionTrace,
    found: Survival,
    *,
    about: About,
    opening: Mapping[str, str],
    shown: tuple[int, int, Cheap] | None = None,
    tried: Sequence[Tried] = (),
) -> str:
    """What survives of all heads inside one page; the arguments are `pack_efficiency`'s."""
    payload = pack_efficiency(
        trace,
        found,
        efficiency_id="file",
        about=about,
        opening=opening,
        shown=shown,
        tried=tried,
    )
    title = t("{model}: cheaper attention", model=trace.model.name)
    return _page(title, "efficiencyfile", in_planes(payload), trace.model)


def article_to_html(
    trace: AttentionTrace,
    chapters: Sequence[Chapter],
    facts: Facts,
    *,
    about: About,
    opening: Mapping[str, str],
    whose: Whose,
) -> str:
    """The lesson with its figures inside one page; the arguments are `pack_article`'s."""
    payload = pack_article(
        trace,
        chapters,
        facts,
        article_id="file",
        about=about,
        opening=opening,
        whose=whose,
    )
    return _page(t("Self-attention, seen"), "articlefile", in_planes(payload), trace.model)


def explanation_to_html(
    explanation: Explanation,
    model: ModelInfo,
    *,
    about: About,
    opening: Mapping[str, str],
    predictions: Predictions = (),
    before: Predictions = (),
    changed: Changed | None = None,
) -> str:
    """One output explained inside one page; the arguments are `explained_of`'s."""
    explained = explained_of(
        explanation if explanation.whole else explanation.left_off(),
        explain_id="file",
        about=about,
        opening=opening,
        predictions=predictions,
        before=before,
        changed=changed,
    )
    payload = pack_explain(bar_of(Wish(), None, stale=False), explained)
    title = t("{model}: {what}", model=explanation.model, what=explanation.name)
    return _page(title, "explainfile", in_planes(payload), model)


def _page(title: str, host: Host, payload: bytes, *models: ModelInfo, holds: str = "") -> str:
    said = {model.name: passport_words(model) for model in models}
    lines = [
        *(t("{model}: {words}.", model=name, words=words) for name, words in said.items() if words),
        *filter(None, [holds]),
    ]
    return _PAGE.format(
        title=html.escape(say(title)),
        about="".join(f"<p>{html.escape(say(line))}</p>\n" for line in lines),
        language=spoken(),
        css=css(host),
        payload=base64.b64encode(gzip.compress(payload, _EFFORT, mtime=0)).decode(),
        code=bundle(host, spoken()).replace("</", "<\\/"),
    )
