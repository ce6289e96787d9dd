"""Where in a pipeline something stands, and how what cannot be compiled is refused there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from classifier.errors import PipelineError


@dataclass(frozen=True, slots=True)
class Place:
    """A step of the pipeline in `file`: the names of the steps that lead to it, and its class."""

    file: str
    steps: tuple[str, ...] = ()
    kind: str = ""

    def __str__(self) -> str:
        if not self.kind:
            return self.file
        name = " › ".join(self.steps)
        return f"{self.file}, {name} ({self.kind})" if name else f"{self.file}, {self.kind}"

    def at(self, estimator: object) -> Place:
        """The same place, of an estimator that stands there."""
        return replace(self, kind=type(estimator).__name__)

    def inside(self, name: object, estimator: object) -> Place:
        """A step by its name."""
        return replace(self, steps=(*self.steps, str(name))).at(estimator)

    def refuse(self, problem: str, remedy: str) -> PipelineError:
        """The error to raise."""
        return PipelineError(problem, where=str(self), remedy=remedy)

    def take(self, estimator: object, attribute: str) -> Any:
        """What fitting left in an attribute.

        Raises:
            PipelineError: nothing; it is not fitted.
        """
        try:
            return getattr(estimator, attribute)
        except Exception as error:  # some are properties, which fail in ways of their own
            raise self.refuse(
                f"is not fitted: it has no {attribute}",
                "call fit before joblib.dump; if it was fitted, compile with the scikit-learn that wrote the file",
            ) from error


def is_sklearn(estimator: object, name: str) -> bool:
    """Whether it is scikit-learn's own class of that name: a subclass may compute anything."""
    kind = type(estimator)
    return kind.__name__ == name and kind.__module__.partition(".")[0] == "sklearn"


def class_name(estimator: object) -> str:
    """The class as in an import: scikit-learn's by name alone."""
    kind = type(estimator)
    return (
        kind.__name__
        if kind.__module__.partition(".")[0] == "sklearn"
        else f"{kind.__module__}.{kind.__name__}"
    )
