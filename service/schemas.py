"""What requests and answers hold: the one source for validation and for the API's description.

The envelope and the types are checked here; the rules for an article's fields stand in `classifier.articles`
alone. Messages never quote what was sent.

Importing it takes as long as loading a model: who needs it imports it when it is used.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SkipValidation,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from classifier.articles import TEXT_FIELDS, parse_time
from classifier.errors import FieldError, InputError
from classifier.headlines.checks import MAX_HEADLINES, MAX_LENGTH, MIN_HEADLINES
from service.paths import join_path


def _check_time(value: str) -> str:
    try:
        parse_time(value)
    except FieldError:
        raise PydanticCustomError(
            "time", "must be an ISO 8601 time with its zone, like 2022-02-02T11:36:00+09:00"
        ) from None
    return value


def _check_moment(value: str) -> str:
    # The rules for an article let "" stand for no time.
    return _check_time(value or "none")


def _flag_as_number(value: Any) -> Any:
    return float(value) if isinstance(value, bool) else value


Time = Annotated[str, AfterValidator(_check_time), Field(json_schema_extra={"format": "date-time"})]
# Refused in `classifier.articles`; said here.
Text = Annotated[str, Field(json_schema_extra={"pattern": "^[^\\u0000]*$"})]
Span = Annotated[list[str | int], Field(min_length=3, max_length=3)]
Moment = Annotated[str, AfterValidator(_check_moment), Field(json_schema_extra={"format": "date-time"})]
Count = Annotated[
    float, BeforeValidator(_flag_as_number), Field(json_schema_extra={"type": ["number", "boolean"]})
]


class _Strict(BaseModel):
    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True
    )


def _has_text(name: str) -> dict[str, Any]:
    return {"required": [name], "properties": {name: {"type": "string", "pattern": r"\S"}}}


class _Fields(_Strict):
    """The fields of an article but for its headline."""

    model_config = ConfigDict(extra="allow")

    id: Text | None = Field(
        default=None, description="Comes back in the prediction; made from url or text if absent."
    )
    summary: Text | None = Field(default=None, description="Lede or deck.")
    body: Text | None = None
    section: Text | None = Field(
        default=None, description="The article's own section; rankings list it there."
    )
    sections: list[Text] | None = Field(
        default=None, description="In place of section, where there are several."
    )
    published_at: Time | None = Field(default=None, description="ISO 8601 with its zone.")
    source: Text | None = Field(default=None, description="Outlet or agency.")
    url: Text | None = None
    language: Text | None = Field(default=None, description="BCP 47.")
    popularity: Count | None = Field(default=None, description="Never used for scoring.")
    popularity_group: Text | None = Field(default=None, description="Never used for scoring.")
    split: Literal["train", "test"] | None = Field(default=None, description="Never used for scoring.")


class ArticleIn(_Fields):
    """One article. At least one of headline, summary and body has text; other names are columns of their own."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [_has_text(name) for name in TEXT_FIELDS]})

    headline: Text | None = None


class PageIn(_Strict):
    """One crawled page as raw text or HTML. Its ranking boxes are not looked at."""

    page: str


PredictIn = PageIn | ArticleIn


class BatchIn(_Strict):
    """Articles to score, each for itself: one that is not valid gets an error in its place."""

    # Each article is checked on its own, so that one bad article does not refuse the others.
    articles: list[SkipValidation[ArticleIn]]


class RankIn(_Strict):
    """Articles to rank against each other."""

    articles: list[SkipValidation[ArticleIn]]
    top: int = Field(default=5, ge=1, le=100, description="Length of each list.")
    half_life: float | None = Field(
        default=None,
        gt=0,
        description="An article's expected readers halve every so many hours since its published_at.",
    )
    now: Moment | None = Field(
        default=None,
        description="What ages are counted to, ISO 8601 with its zone; the newest published_at if absent. "
        "Only with half_life.",
    )
    per_source: int | None = Field(
        default=None, ge=1, description="Most articles of one source in each list."
    )
    keep_duplicates: bool = Field(
        default=False, description="List near-duplicates, too, not only the best of them."
    )


class HeadlinesIn(_Fields):
    """Headlines for one story, and what else is known of it; `headline` itself does not belong here."""

    headlines: list[Text] = Field(
        description=f"{MIN_HEADLINES} to {MAX_HEADLINES}, each of at most {MAX_LENGTH} characters.",
        json_schema_extra={"minItems": MIN_HEADLINES, "maxItems": MAX_HEADLINES},
    )


class Problem(_Strict):
    """Every error (RFC 9457). `type` is a stable name of the kind of error."""

    type: str
    title: str
    status: int
    detail: str
    field: str | None = Field(
        default=None, description="The field at fault, as a path: articles[3].headline."
    )
    line: int | None = Field(default=None, description="The line at fault, from 1.")
    instance: str | None = Field(
        default=None, description="/requests/ and the request's id, as the log and X-Request-ID have it."
    )


class SectionScoreOut(_Strict):
    """One section; `assigned` says whether the article gets the label."""

    name: str
    probability: float
    assigned: bool


class ContributionOut(_Strict):
    """What one feature adds to a head's score, and `against` to the best section's lead over the runner-up (null for
    popularity); spans are [field, start, end] in code points."""

    head: Literal["section", "popularity"]
    feature: str
    contribution: float
    against: float | None
    spans: list[Span]


class PredictionOut(_Strict):
    """A scored article. Fields of a head that the model lacks are null."""

    id: str
    section: str | None
    section_probability: float | None
    decision: Literal["file", "review"] | None
    section_scores: list[SectionScoreOut] | None
    popularity_score: float | None
    popularity_percentile: float | None
    top5_probability: float | None
    model: str
    version: str


class ExplainedOut(PredictionOut):
    """A scored article with what decided, largest effect first."""

    explanation: list[ContributionOut]


class RejectedOut(_Strict):
    """In place of a prediction: why there is none."""

    error: Problem


class BatchOut(_Strict):
    """In the order of the articles."""

    predictions: list[PredictionOut | RejectedOut]


class EntryOut(_Strict):
    """One line of a list. `duplicates` articles of the list are left out as near-duplicates of this one."""

    rank: int
    id: str
    headline: str
    section: str | None
    popularity_score: float
    popularity_percentile: float
    top5_probability: float
    ranking_score: float = Field(
        description="What decided the place: popularity_score less what age costs at the half-life."
    )
    duplicates: int


class RankOut(_Strict):
    """The site-wide list, and one list a section."""

    site: list[EntryOut]
    by_section: dict[str, list[EntryOut]]


class WordOut(_Strict):
    """A word, or a feature that stands nowhere, and what it adds to this headline's score more than to the first one's;
    its places in this headline and in the first are [field, start, end] in code points."""

    feature: str
    difference: float
    spans: list[Span]
    first_spans: list[Span]


class RankedHeadlineOut(_Strict):
    """One headline beside the first, which is the best."""

    rank: int
    headline: str = Field(description="White space squeezed, Unicode composed (NFC).")
    positions: list[int] = Field(description="Where it stood in the request, from 0; several if repeated.")
    popularity_score: float
    popularity_percentile: float
    top5_probability: float
    behind: float = Field(description="Difference in score to the first.")
    standard_error: float | None = Field(
        description="Of that difference; null where the version does not know it."
    )
    better_chance: float | None = Field(
        description="Of two articles of a day so far apart, how often the first is read more; null for the first."
    )
    told_apart: bool = Field(description="The difference is beyond the model's noise.")
    words: list[WordOut] = Field(description="At most ten; with rest they sum to minus behind.")
    rest: float


class HeadlinesOut(_Strict):
    """The headlines, best first."""

    headlines: list[RankedHeadlineOut]
    model: str
    version: str


class HealthOut(_Strict):
    """The process is alive."""

    status: Literal["ok"]


class ReadyOut(_Strict):
    """A model is loaded."""

    status: Literal["ready"]
    model: str
    version: str


class VersionOut(_Strict):
    """One version of the model."""

    version: str
    current: bool


class ModelsOut(_Strict):
    """The versions, oldest first."""

    model: str
    current: str = Field(description="The version that answers.")
    versions: list[VersionOut]


class PromotedOut(_Strict):
    """Another version is the current one."""

    model: str
    version: str
    before: str = Field(description="The one that was current until now.")


class SignInIn(_Strict):
    """What signs in to the editors' page."""

    key: str


class PrintIn(_Strict):
    """What is asked of a printed ranking beside the ranking itself."""

    prefix: str = Field(default="", max_length=40)


class DocumentOut(BaseModel):
    """An OpenAPI document."""

    openapi: str
    info: dict[str, Any]
    paths: dict[str, Any]


S = TypeVar("S", bound=BaseModel)

_SAID = {
    "string_type": "must be a string",
    "list_type": "must be a list",
    "model_type": "must be an object",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "missing": "is missing",
    "extra_forbidden": "is not known here",
}


def validate(schema: type[S], data: Any, *, at: str = "") -> S:
    """`data` as `schema`; `at` is the path of `data` in the request, for errors.

    Raises:
        FieldError: naming the first field at fault.
        InputError: the data as a whole is no object.
    """
    try:
        return schema.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    path = join_path(at, *first["loc"])
    said = _SAID.get(first["type"], first["msg"])
    said = said.replace("Input should", "must", 1)
    if not path:
        raise InputError(f"the body {said}")
    raise FieldError(path, said)
