"""The Marenne Courier: an invented newspaper of 30 days, and its invented readers. See README.md beside this file."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
PAGES = FOLDER / "pages"
PAGE_VIEWS = FOLDER / "page_views.csv"
DESK = FOLDER / "desk.csv"
CONFIG = FOLDER / "config.toml"
SITE = "MC"
