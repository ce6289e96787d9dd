"""From the parsed JSON of a request to ranking lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from classifier.articles import parse_time
from classifier.errors import FieldError
from classifier.ranking import Rankings, build_rankings
from service.inputs import check_count, read_article
from service.paths import join_path
from service.settings import Settings

if TYPE_CHECKING:
    from classifier.model import Model


def read_rankings(data: Any, settings: Settings, model: Model) -> Rankings:
    """The lists of the articles in `data`, which is as `RankIn` has it.

    Raises:
        InputError: it is no object.
        FieldError: a field holds what it must not.
        TooLarge: there are too many articles, or the text of one is over the limit.
        UsageError: the model has no popularity head.
    """
    from service.schemas import RankIn, validate

    asked = validate(RankIn, data)
    if asked.now is not None and asked.half_life is None:
        raise FieldError("now", "has no effect without half_life", remedy="send both, or neither")
    check_count(data["articles"], settings)
    articles = [
        read_article(row, settings, at=join_path("articles", index))
        for index, row in enumerate(data["articles"])
    ]
    return build_rankings(
        articles,
        model.predict(articles),
        top=asked.top,
        half_life=asked.half_life,
        now=parse_time(asked.now),
        spread=model.popularity.spread if model.popularity else 1.0,
        per_source=asked.per_source,
        keep_duplicates=asked.keep_duplicates,
    )
