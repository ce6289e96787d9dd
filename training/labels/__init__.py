"""Popularity labels: counts, flags, ranking boxes and clicks per shown list, all brought to one form, judgements.

A judgement says: in this group, this article has this value. Counts and flags give one judgement an article, in its own
group; a ranking box gives a group, and so does a shown list. Counts decide where there are any, clicks fill in where those
know nothing, boxes where neither does (`training.dataset.judgements_of`).
"""

from training.labels.boxes import (
    Box,
    BoxReport,
    add_box_articles,
    group_boxes,
    rank_values,
)
from training.labels.clicks import MAX_LISTS, click_judgements, click_targets, expected_clicks, position_rates
from training.labels.joining import box_judgements
from training.labels.judgements import (
    NO_JUDGEMENTS,
    Judgements,
    count_judgements,
    standardised_targets,
    training_targets,
)
from training.labels.notes import label_notes
from training.labels.shown import UNKNOWN, ClickReport, Clicks, join_clicks

__all__ = [
    "MAX_LISTS",
    "NO_JUDGEMENTS",
    "UNKNOWN",
    "Box",
    "BoxReport",
    "ClickReport",
    "Clicks",
    "Judgements",
    "add_box_articles",
    "box_judgements",
    "click_judgements",
    "click_targets",
    "count_judgements",
    "expected_clicks",
    "group_boxes",
    "join_clicks",
    "label_notes",
    "position_rates",
    "rank_values",
    "standardised_targets",
    "training_targets",
]
