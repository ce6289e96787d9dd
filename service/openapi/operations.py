"""Every operation of the API: one table, for its description and its page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from service import schemas
from service.openapi import examples
from service.streaming import MEDIA_TYPE as NDJSON

JSON = "application/json"
Method = Literal["get", "post"]

# What any request may get, what one that needs a key may, and what one with a body may.
_ALWAYS = (400, 404, 405, 500, 503)
_WITH_KEY = (401, 403, 421, 429)
_WITH_BODY = (413, 415, 422, 504)


@dataclass(frozen=True, slots=True)
class Content:
    """A body: its media type, the schemas that it may be of (none: plain text), and examples by name."""

    schemas: tuple[type[BaseModel], ...]
    examples: dict[str, Any]
    media_type: str = JSON


@dataclass(frozen=True, slots=True)
class Parameter:
    """Of a path or a query."""

    name: str
    place: Literal["path", "query"]
    description: str
    schema: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `role` is that of the key it needs, None where anybody may ask; `more` are statuses of its own."""

    method: Method
    path: str
    name: str
    summary: str
    description: str
    role: Literal["predict", "admin"] | None
    answers: tuple[Content, ...]
    takes: tuple[Content, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    more: tuple[int, ...] = ()

    @property
    def refusals(self) -> tuple[int, ...]:
        """The statuses of its problems, rising."""
        found = {*_ALWAYS, *self.more}
        if self.role is not None:
            found.update(_WITH_KEY)
        if self.takes:
            found.update(_WITH_BODY)
        return tuple(sorted(found))


_EXPLAIN = Parameter(
    "explain",
    "query",
    "Adds `explanation`: what decided, largest effect first.",
    {"type": "boolean", "default": False},
)
_VERSION = Parameter(
    "version",
    "path",
    "The name of a version, as GET /v1/models lists it; never a path.",
    {"type": "string", "pattern": r"^[\w.-]+$"},
)

OPERATIONS = (
    Operation(
        "post",
        "/v1/predict",
        "predict",
        "Score one article or page",
        "One article object, or one crawled page as raw text. With `explain` the answer says which features decided.",
        "predict",
        (
            Content(
                (schemas.ExplainedOut, schemas.PredictionOut),
                {"prediction": examples.PREDICTION, "explained": examples.EXPLAINED},
            ),
        ),
        (Content((schemas.PageIn, schemas.ArticleIn), {"article": examples.ARTICLE, "page": examples.PAGE}),),
        (_EXPLAIN,),
    ),
    Operation(
        "post",
        "/v1/predict/batch",
        "predictBatch",
        "Score many articles, each for itself",
        "As JSON: at most as many articles as the limit says, answered in order; one that is not valid gets an error in "
        "its place. As NDJSON: a line an article, any number of them, answered line by line while they come; once the "
        "answer has begun errors are lines, too, with the number of the line at fault.",
        "predict",
        (
            Content((schemas.BatchOut,), {"batch": examples.BATCH_OUT}),
            Content((schemas.PredictionOut, schemas.RejectedOut), {"line": examples.PREDICTION}, NDJSON),
        ),
        (
            Content((schemas.BatchIn,), {"batch": examples.BATCH}),
            Content((schemas.ArticleIn,), {"line": examples.ARTICLE}, NDJSON),
        ),
    ),
    Operation(
        "post",
        "/v1/rank",
        "rank",
        "Rank articles against each other",
        "The site-wide list and one list a section, as a newspaper prints them. An article that is not valid refuses "
        "the call.",
        "predict",
        (Content((schemas.RankOut,), {"ranking": examples.RANKED}),),
        (Content((schemas.RankIn,), {"articles": examples.RANK}),),
        more=(409,),
    ),
    Operation(
        "post",
        "/v1/headlines",
        "headlines",
        "Order headlines for one story",
        "Two to twenty headlines, best first, with the words that set each apart from the first.",
        "predict",
        (Content((schemas.HeadlinesOut,), {"headlines": examples.RANKED_HEADLINES}),),
        (Content((schemas.HeadlinesIn,), {"story": examples.HEADLINES}),),
        more=(409,),
    ),
    Operation(
        "get",
        "/v1/models",
        "listModels",
        "The versions of the model",
        "Oldest first; `current` is the one that answers.",
        "predict",
        (Content((schemas.ModelsOut,), {"models": examples.MODELS}),),
        more=(422,),
    ),
    Operation(
        "post",
        "/v1/models/{version}/promote",
        "promote",
        "Make a version the current one",
        "The worker that answers serves it at once, the others within two seconds. A version that does not verify "
        "changes nothing.",
        "admin",
        (Content((schemas.PromotedOut,), {"promoted": examples.PROMOTED}),),
        parameters=(_VERSION,),
        more=(409, 413, 422, 504),
    ),
    Operation(
        "get",
        "/healthz",
        "health",
        "Is the process alive",
        "For a container's or a load balancer's probe.",
        None,
        (Content((schemas.HealthOut,), {"health": {"status": "ok"}}),),
    ),
    Operation(
        "get",
        "/readyz",
        "ready",
        "Can it answer",
        "A model is loaded; it says which.",
        None,
        (
            Content(
                (schemas.ReadyOut,),
                {"ready": {"status": "ready", "model": "courier", "version": examples.VERSION}},
            ),
        ),
    ),
    Operation(
        "get",
        "/metrics",
        "metrics",
        "Counters for Prometheus",
        "Of all workers together, those that ended included.",
        "predict",
        (Content((), {"metrics": examples.METRICS}, "text/plain"),),
    ),
    Operation(
        "get",
        "/openapi.json",
        "openapi",
        "This description",
        "OpenAPI 3.1, made from the schemas that validate.",
        None,
        (Content((schemas.DocumentOut,), {}),),
    ),
    Operation(
        "get",
        "/docs",
        "docs",
        "This description for people",
        "Needs neither the internet nor a build step.",
        None,
        (Content((), {}, "text/html"),),
    ),
)
