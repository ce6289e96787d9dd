"""What a report shows about a popularity head, from what an evaluation measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from classifier.popularity import PopularityHead
from training.answers import PopularityAnswers
from training.corpus import Corpus
from training.evaluation import Evaluation
from training.metrics import evaluable_groups
from training.popularity_evaluation import PopularityBasis
from training.report.popularity.compute import (
    chances,
    common_day,
    hit_share,
    over_time,
    rank_table,
    score_slices,
)
from training.report.popularity.content import LabelFacts, LabelKind, OverTime, PopularityContent, Surprise
from training.report.popularity.surprises import surprises
from training.report.popularity.words import word_panels, words_apart

Rows = NDArray[np.intp]


def popularity_content(evaluation: Evaluation) -> PopularityContent | None:
    """What there is to show of the popularity side, and in sentences what is missing; None where no version answered."""
    basis = evaluation.basis
    if basis is None or basis.answers.popularity is None:
        return None
    answers, measured, corpus = basis.answers.popularity, basis.popularity, basis.corpus
    head = None if basis.model is None else basis.model.popularity
    panels, looked_at = (
        word_panels(head.linear, corpus, np.flatnonzero(np.isfinite(answers.scores))) if head else ((), 0)
    )
    if measured is None or evaluation.popularity is None:
        said = ("No held-out article has a popularity and a group, so nothing could be measured.",)
        return PopularityContent(
            words=panels, looked_at=looked_at, missing=(*said, *_without_head(head, len(panels)))
        )
    judgements = measured.judgements
    truth, scores = judgements.values, answers.scores[judgements.rows]
    groups = evaluable_groups(truth, judgements.groups, flags=judgements.flags)
    members = list(groups.values())
    told = bool(members) and any(len(np.unique(truth[rows])) > 1 for rows in members)
    time = _over_time(measured, corpus, groups) if told else None
    missed, promised = _surprises(answers, measured, corpus, head, groups) if told else ((), ())
    slices = {
        "source": score_slices(evaluation.popularity["by_source"]),
        "section": score_slices(evaluation.popularity["by_section"]),
    }
    return PopularityContent(
        labels=_labels(measured, corpus, members),
        ranks=rank_table(truth, scores, members) if told and not judgements.flags else None,
        hits=hit_share(truth, scores, members) if told and judgements.flags else None,
        over_time=time,
        chances=chances(truth, answers.chances[judgements.rows], members) if told else None,
        words=panels,
        looked_at=looked_at,
        missed=missed,
        promised=promised,
        slices=slices,
        missing=(*_unmeasured(measured, members, told, time), *_without_head(head, len(panels))),
    )


def _labels(measured: PopularityBasis, corpus: Corpus, members: Sequence[Rows]) -> LabelFacts:
    judgements = measured.judgements
    counted = bool(np.isfinite(corpus.popularity[judgements.rows]).any())
    kinds: dict[tuple[bool, bool], LabelKind] = {
        (True, False): "counts",
        (True, True): "flags",
        (False, True): "clicks",
        (False, False): "ranking boxes",
    }
    days = sorted(
        day for i in np.unique(judgements.rows).tolist() if (day := corpus.days[i]) is not None
    )  # ISO days sort as they follow each other
    return LabelFacts(
        kinds[counted, judgements.flags],
        len(np.unique(judgements.rows)),
        len(np.unique(judgements.groups)),
        measured.own.n,
        measured.own.groups,
        float(np.median([len(rows) for rows in members])) if members else 0.0,
        days[0] if days else None,
        days[-1] if days else None,
    )


def _over_time(measured: PopularityBasis, corpus: Corpus, groups: dict[str, Rows]) -> OverTime | None:
    at = measured.judgements.rows
    days = [common_day([corpus.days[i] for i in at[rows].tolist()]) for rows in groups.values()]
    per_group = {"model": measured.own.per_group["ndcg_at_10"]}
    per_group |= {name: own.per_group["ndcg_at_10"] for name, own in measured.baselines.items()}
    return over_time(per_group, days)


def _surprises(
    answers: PopularityAnswers,
    measured: PopularityBasis,
    corpus: Corpus,
    head: PopularityHead | None,
    groups: dict[str, Rows],
) -> tuple[tuple[Surprise, ...], tuple[Surprise, ...]]:
    judgements = measured.judgements

    def words(article: int, members: NDArray[np.int64]) -> list[tuple[str, float]]:
        return [] if head is None else words_apart(head, corpus, article, members)

    return surprises(
        judgements.rows,
        judgements.values,
        answers.scores[judgements.rows],
        groups,
        corpus.rows.texts("headline"),
        words,
        flags=judgements.flags,
    )


def _unmeasured(
    measured: PopularityBasis, members: Sequence[Rows], told: bool, time: OverTime | None
) -> Iterator[str]:
    if not members:
        rule = "ten articles" + (" and one that is popular" if measured.judgements.flags else "")
        yield f"No group has {rule}, which the metrics need: there are no figures and no pictures of them."
    elif not told:
        yield "In every group all articles are equally popular: no order is better than another, and none is shown."
    elif time is None:
        yield "nDCG over time: no article of a group has a publication time."
    if len(members) == 1:
        yield "Everything is measured on one group: its figures may be luck, and there are no intervals."
    if measured.judgements.flags and told:
        yield "The labels say only popular or not: real ranks, and with them the heat map, are not known."


def _without_head(head: PopularityHead | None, panels: int) -> Iterator[str]:
    if head is None:
        yield "Several fits answered, each about other articles: there is no one list of words."
    elif not panels:
        yield "The head has learned no word and no other feature: there are none to show."
