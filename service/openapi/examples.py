"""What the API's description shows: one article on its way through every operation."""

from __future__ import annotations

from typing import Any

ARTICLE: dict[str, Any] = {
    "id": "a1",
    "headline": "Assembly votes on the budget",
    "summary": "A narrow majority is expected.",
    "body": "The minister spoke before the vote.",
    "source": "The Courier",
    "published_at": "2031-05-02T07:30:00+09:00",
}
OTHER: dict[str, Any] = {"id": "a2", "headline": "Harbour wall to be raised by two metres"}
PAGE = {"page": "Bank Shares Rise\n11:36 JST, April 2, 2031\nProfit and exports grew on the market.\n"}
VERSION = "20310501T120000Z-190ad7b72be7"
PREDICTION: dict[str, Any] = {
    "id": "a1",
    "section": "Politics",
    "section_probability": 0.998,
    "decision": "file",
    "section_scores": [
        {"name": "Politics", "probability": 0.998, "assigned": True},
        {"name": "World", "probability": 0.002, "assigned": False},
    ],
    "popularity_score": -0.026,
    "popularity_percentile": 29.0,
    "top5_probability": 0.31,
    "model": "courier",
    "version": VERSION,
}
PROBLEM = {
    "type": "/problems/invalid-field",
    "title": "A field is not valid",
    "status": 422,
    "detail": "headline: headline, summary and body are all empty; give at least one of them",
    "field": "headline",
    "instance": "/requests/9f2c61d0",
}
EXPLAINED = {
    **PREDICTION,
    "explanation": [
        {
            "head": "section",
            "feature": "text: minister",
            "contribution": 0.104,
            "against": 0.131,
            "spans": [["body", 4, 12]],
        }
    ],
}
_ENTRY = {
    "rank": 1,
    "id": "a1",
    "headline": "Assembly votes on the budget",
    "section": "Politics",
    "popularity_score": 1.42,
    "popularity_percentile": 93.5,
    "top5_probability": 0.44,
    "ranking_score": 1.31,
    "duplicates": 0,
}
RANK = {"articles": [ARTICLE, OTHER], "top": 5, "half_life": 12}
RANKED = {"site": [_ENTRY], "by_section": {"Politics": [_ENTRY]}}
HEADLINES = {
    "headlines": ["Assembly passes the budget by one vote", "Assembly votes on the budget"],
    "body": "The minister spoke before the vote.",
}
_HEADLINE = {
    "rank": 1,
    "headline": "Assembly passes the budget by one vote",
    "positions": [0],
    "popularity_score": 0.198,
    "popularity_percentile": 57.1,
    "top5_probability": 0.47,
    "behind": 0.0,
    "standard_error": 0.0,
    "better_chance": None,
    "told_apart": False,
    "words": [],
    "rest": 0.0,
}
RANKED_HEADLINES = {"headlines": [_HEADLINE], "model": "courier", "version": VERSION}
BATCH = {"articles": [ARTICLE, OTHER]}
BATCH_OUT = {"predictions": [PREDICTION, {"error": PROBLEM}]}
MODELS = {"model": "courier", "current": VERSION, "versions": [{"version": VERSION, "current": True}]}
PROMOTED = {"model": "courier", "version": VERSION, "before": "20310424T120000Z-0b1c8e6f2a3d"}
METRICS = (
    "# HELP newsdesk_articles_total Articles that were scored.\n"
    "# TYPE newsdesk_articles_total counter\n"
    "newsdesk_articles_total 1204\n"
)
