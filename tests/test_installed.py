"""The tests must be about the wheel that was built, not about the checkout."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path

import pytest

import classifier
import service
import training


@pytest.mark.skipif(not os.environ.get("NEWSDESK_INSTALLED"), reason="only `make test` installs the wheel")
def test_the_wheel_is_what_is_tested() -> None:
    installed = Path(sysconfig.get_path("purelib"))
    for package in (classifier, service, training):
        assert Path(str(package.__file__)).is_relative_to(installed)
