"""Newsdesk's scorer: which section an article belongs to and how popular it will be.

import classifier
model = classifier.load("artifacts/quickstart")
print(model.predict({"headline": "Assembly votes on the budget"}).section)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from classifier.articles import Article as Article
    from classifier.errors import NewsdeskError as NewsdeskError
    from classifier.model import Model as Model
    from classifier.model import load as load
    from classifier.results import Prediction as Prediction

_EXPORTS = {
    "Article": "classifier.articles",
    "Model": "classifier.model",
    "NewsdeskError": "classifier.errors",
    "Prediction": "classifier.results",
    "load": "classifier.model",
}
__all__ = ["Article", "Model", "NewsdeskError", "Prediction", "load"]


def __getattr__(name: str) -> Any:
    # Lazy, so that `newsdesk --help` and error handling do not import NumPy.
    if name in _EXPORTS:
        return getattr(import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
