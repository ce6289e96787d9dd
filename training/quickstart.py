"""`newsdesk quickstart`: the whole job on the bundled newspaper, as a newcomer first sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from classifier.articles import Article
from classifier.display import explanation_text
from classifier.model import Model, load_version
from classifier.ranking import build_rankings
from classifier.reading import Reading, read_all
from classifier.reading.base import ReadOptions
from classifier.reading.pages import parse_page
from classifier.reading.rows import to_articles
from classifier.store import ModelFolder
from training.config import load_config
from training.display import data_text, metrics_text
from training.fit import TrainResult, train
from training.metrics import evaluate_popularity
from training.sample import CONFIG, PAGE_VIEWS, PAGES, SITE

Say = Callable[[str], None]
SHOWN_PAGE = "2031-04-21/03.txt"  # the first Politics page of the test part
LIST_DAYS = 7


def run(out: Path, say: Say) -> TrainResult:
    """Train into `out`, then print the evaluation, a scored page and the ranking lists through `say`."""
    config = load_config(CONFIG)
    say(f"Training on the bundled newspaper, {PAGES}")
    say("(The Marenne Courier and its readers are invented; docs/BENCHMARKS.md has figures on real news.)\n")
    reading = read_all([str(PAGES), str(PAGE_VIEWS)], ReadOptions(taken_at=config.boxes.taken_at))
    result = train(reading, out, config)
    ModelFolder(out).promote(result.folder.version)  # what is printed below is what the next command will use
    model = load_version(result.folder)
    say(data_text(result.data))
    say(metrics_text(result.evaluation))
    say(_best_possible())
    say(f"A PAGE THAT TRAINING NEVER SAW ({SHOWN_PAGE})")
    say(_scored_page(model))
    say("WHAT READERS WILL WANT: the last seven days' articles, ranked from their text alone\n")
    say(_lists(model, reading))
    say(f"Wrote {result.folder.path} in {result.seconds:.1f} s. Next, try it on articles of your own:\n")
    say("  . .venv/bin/activate")
    say(f"  newsdesk score {out} YOUR_ARTICLES.csv -o scored.jsonl")
    say(f"  newsdesk serve {out}")
    return result


def _best_possible() -> str:
    """How well the simulated readers could be foreseen by someone who knows their rule but not the chance in it."""
    from training.sample.readers import held_out_days, interest, load_stories, page_views

    stories = load_stories()
    views = page_views(stories)
    days = held_out_days(stories)
    part = [story for story in stories if story.day in days]
    best = evaluate_popularity(
        np.array([float(views[story.file]) for story in part]),
        np.array([interest(story) for story in part]),
        np.array([story.day.isoformat() for story in part]),
        flags=False,
    )
    return f"  best possible (the invented readers' own rule, without their chance): nDCG@10 {best.ndcg_at_10:.4f}\n"


def _scored_page(model: Model) -> str:
    text = (PAGES / SHOWN_PAGE).read_text(encoding="utf-8")
    article = parse_page(text, name=SHOWN_PAGE).article
    return explanation_text(article, model.predict(article), model.explain(article), 6)


def _lists(model: Model, reading: Reading) -> str:
    articles = [article for batch in reading.articles.to_batches() for article in to_articles(batch)]
    recent = list(_recent(articles))
    return build_rankings(recent, model.predict(recent)).to_text(SITE)


def _recent(articles: list[Article]) -> Iterator[Article]:
    times: list[datetime] = [a.published_at for a in articles if a.published_at is not None]
    first = max(times) - timedelta(days=LIST_DAYS)
    for article in articles:
        if article.published_at is not None and article.published_at > first:
            yield article
