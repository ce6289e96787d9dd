"""What each package offers to others, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import classifier
import service
import training
from classifier.artifact import FORMAT


def loaded_by(statement: str) -> set[str]:
    """Top-level names of the modules that a fresh interpreter has loaded after `statement`."""
    script = f"{statement}\nimport sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr == ""
    return set(done.stdout.split())


def test_exports() -> None:
    assert sorted(classifier.__all__) == ["Article", "Model", "NewsdeskError", "Prediction", "load"]
    assert service.__all__ == ["create_app"]
    for package in (classifier, service):
        for name in package.__all__:
            assert getattr(package, name).__name__ == name
            assert getattr(package, name).__module__.startswith(f"{package.__name__}.")
            assert getattr(package, name).__doc__


@pytest.mark.parametrize("package", [classifier, service])
def test_an_unknown_name_is_an_attribute_error(package: object) -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        getattr(package, "nonsense")  # noqa: B009


@pytest.mark.parametrize("package", [classifier, service, training])
def test_every_package_says_what_it_is_for(package: object) -> None:
    assert package.__doc__


@pytest.mark.parametrize(
    "statement",
    [
        "import classifier",
        "import service",
        "import training",
        "import classifier.errors, classifier.articles, classifier.results, classifier.cli",
        "from classifier import Article, NewsdeskError, Prediction",
    ],
)
def test_importing_is_light(statement: str) -> None:
    heavy = {
        "numpy",
        "pyarrow",
        "flask",
        "sklearn",
        "scipy",
        "joblib",
        "pydantic",
        "pandas",
        "granian",
        "orjson",
    }
    assert not heavy & loaded_by(statement)


def test_scoring_one_article_needs_neither_training_nor_the_service() -> None:
    loaded = loaded_by("from classifier import load, Model\nimport classifier.ranking, classifier.display")
    assert not {"flask", "sklearn", "scipy", "joblib", "pandas", "training", "service", "pyarrow"} & loaded
    assert "numpy" in loaded  # else this test looks at nothing


def test_scoring_one_article_does_not_load_arrow() -> None:
    """Whatever its features: the golden version has a block of every kind."""
    (version,) = (Path(__file__).parent / "data" / "golden" / str(FORMAT)).glob("2*")
    article = {"headline": "Minister and vote", "url": "/politics/vote", "source": "Courier", "word_count": 7}
    loaded = loaded_by(f"import classifier\nclassifier.load({str(version)!r}).predict({article!r})")
    assert "numpy" in loaded
    assert "pyarrow" not in loaded
