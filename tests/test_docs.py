"""The documentation tells the truth: tables are the benchmarks' figures, the quickstart block is what quickstart prints,
its Python runs, its links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_tables_are_made_from_the_kept_figures() -> None:
    check = subprocess.run(
        [sys.executable, "-m", "benchmarks.tables", "--check"], cwd=ROOT, capture_output=True, text=True
    )
    assert check.returncode == 0, check.stdout + check.stderr


@pytest.mark.newest
def test_the_quickstart_block_is_what_quickstart_prints(quickstart: tuple[Path, str]) -> None:
    printed = quickstart[1].splitlines()
    block = re.search(
        r"<!-- quickstart -->\n```text\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S
    )
    assert block is not None
    at = 0
    for line in filter(None, block[1].splitlines()):
        assert line in printed[at:], (
            f"README's quickstart block holds a line that is not printed (there): {line}"
        )
        at = printed.index(line, at) + 1


def test_the_python_example_runs(quickstart: tuple[Path, str], tmp_path: Path) -> None:
    code = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S)
    assert code is not None
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "artifacts" / "quickstart").symlink_to(quickstart[0])
    ran = subprocess.run([sys.executable, "-c", code[1]], cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("Politics 0.")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#][^)]*)\)", page.read_text("utf-8")):
        assert (page.parent / target.partition("#")[0]).exists(), target


def test_every_service_setting_is_documented_with_its_default() -> None:
    from service.settings import SETTINGS

    table = "\n".join(
        f"| `{s.variable}` | {f'{s.default} ' if s.default else ''}| {s.help} |" for s in SETTINGS
    )
    assert table in (ROOT / "docs/SERVICE.md").read_text("utf-8")


def test_the_help_of_serve_names_every_setting(newsdesk_help: str) -> None:
    from service.settings import SETTINGS

    for setting in SETTINGS:
        if setting.name != "model":
            assert f"{setting.option} VALUE" in newsdesk_help
            assert f"({setting.variable}" in newsdesk_help
            assert not setting.default or f"default {setting.default})" in newsdesk_help


@pytest.fixture
def newsdesk_help(here: Callable[..., Any]) -> str:
    """What `newsdesk serve --help` prints, on one line."""
    return " ".join(here("serve", "--help").out.split())


def test_every_endpoint_is_documented(quickstart: tuple[Path, str]) -> None:
    from service import create_app
    from service.settings import Settings

    api, page = ((ROOT / "docs" / name).read_text("utf-8") for name in ("API.md", "PAGE.md"))
    rules = [*create_app(Settings(model=quickstart[0], open="always")).url_map.iter_rules()]
    assert len(rules) >= 20
    for rule in rules:
        assert f"`{rule.rule}`" in page if rule.endpoint.startswith("page_") else rule.rule in api
