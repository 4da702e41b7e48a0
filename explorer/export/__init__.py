"""What is shown as files: an HTML page that opens anywhere, and NPZ for programs."""

from explorer.export.arrays import (
    comparison_to_npz,
    corpus_to_npz,
    explanation_to_npz,
    history_to_npz,
    layer_traces_to_npz,
    survey_to_npz,
    survival_to_npz,
    to_npz,
)
from explorer.export.html import (
    article_to_html,
    comparison_to_html,
    corpus_to_html,
    explanation_to_html,
    layer_traces_to_html,
    survey_to_html,
    survival_to_html,
    to_html,
)

__all__ = [
    "article_to_html",
    "comparison_to_html",
    "comparison_to_npz",
    "corpus_to_html",
    "corpus_to_npz",
    "explanation_to_html",
    "explanation_to_npz",
    "history_to_npz",
    "layer_traces_to_html",
    "layer_traces_to_npz",
    "survey_to_html",
    "survey_to_npz",
    "survival_to_html",
    "survival_to_npz",
    "to_html",
    "to_npz",
]
