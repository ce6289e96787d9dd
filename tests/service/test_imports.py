"""What stays out until it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"flask", "granian", "pydantic", "orjson", "numpy", "pyarrow", "classifier.model"}


def imported(statement: str) -> set[str]:
    """The modules that a fresh interpreter holds after `statement`."""
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


@pytest.mark.parametrize(
    "statement", ["import service", "import service.cli", "from service.cli import serve"]
)
def test_importing_the_package_or_its_commands_is_light(statement: str) -> None:
    assert not imported(statement) & HEAVY


def test_the_server_that_starts_the_workers_does_without_the_framework() -> None:
    modules = imported("import service.server")
    assert "granian" in modules
    assert not modules & {"flask", "werkzeug", "pydantic"}


def test_a_worker_is_ready_without_what_only_unusual_requests_need() -> None:
    modules = imported("import service.server, service.app, service.gateway")
    assert "flask" in modules
    assert not modules & {"pydantic", "pyarrow", "service.schemas", "service.page.uploads"}


def test_the_service_needs_nothing_of_training() -> None:
    modules = imported(
        "import service.server, service.app, service.inputs, classifier.model, classifier.ranking"
    )
    assert "flask" in modules
    assert not {m.partition(".")[0] for m in modules} & {"training", "sklearn", "scipy", "pandas", "joblib"}


def test_the_public_names() -> None:
    import service

    assert service.__all__ == ["create_app"]
    assert callable(service.create_app)
    with pytest.raises(AttributeError, match="nothing"):
        _ = service.nothing
