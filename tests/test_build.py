"""How the C kernel is compiled and shipped: what a build asks for, what gets into the wheel, what it says when it fails."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest

import classifier

ROOT = Path(__file__).parent.parent
NATIVE = Path("classifier", "text", "native")
LIBRARY = {"darwin": "_kernel.dylib", "win32": "_kernel.dll"}.get(sys.platform, "_kernel.so")
INSTALLED = bool(os.environ.get("NEWSDESK_INSTALLED"))


def python(*arguments: str | Path, cwd: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
    """A Python process in ``cwd``, with ``variables`` in its environment, and CC only if it is among them."""
    environment = {name: value for name, value in os.environ.items() if name != "CC"} | variables
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, timeout=120
    )


def project(folder: Path, code: str) -> Path:
    """A project in ``folder`` whose kernel is ``code``."""
    (folder / NATIVE).mkdir(parents=True)
    (folder / NATIVE / "kernel.c").write_text(code, encoding="ascii")
    shutil.copy(ROOT / "hatch_build.py", folder)
    return folder


@pytest.fixture
def _can_compile() -> None:
    if python("hatch_build.py", "--requirements").stdout and not importlib.util.find_spec("ziglang"):
        pytest.skip("neither a C compiler nor ziglang is installed")


def test_the_installed_package_has_the_library() -> None:
    native = Path(str(classifier.__file__)).parent / "text" / "native"
    assert (native / LIBRARY).is_file()
    assert not INSTALLED or not [path.name for path in native.iterdir() if path.suffix in {".c", ".h"}]


@pytest.mark.skipif(not INSTALLED, reason="only `make test` installs the wheel")
def test_the_wheel_is_for_this_system_and_any_python() -> None:
    said = distribution("newsdesk").read_text("WHEEL") or ""
    assert "Root-Is-Purelib: false" in said
    tags = re.findall(r"^Tag: (\S+)$", said, re.M)
    assert tags
    assert all(re.fullmatch(r"py3-none-(?!any)\S+", tag) for tag in tags)


def test_a_compiler_as_a_package_is_asked_for_where_there_is_none(tmp_path: Path) -> None:
    asked = python("hatch_build.py", "--requirements", PATH=str(tmp_path))
    assert asked.stdout.startswith("ziglang"), asked.stderr
    assert python("hatch_build.py", "--requirements", CC="ziglang").stdout == asked.stdout


@pytest.mark.skipif(not shutil.which("cc"), reason="there is no C compiler")
def test_no_package_is_asked_for_where_a_compiler_works() -> None:
    assert python("hatch_build.py", "--requirements", CC="cc").stdout == ""


@pytest.mark.skipif(sys.platform == "win32", reason="shell scripts stand for compilers")
def test_a_compiler_that_compiles_nothing_counts_as_none(tmp_path: Path) -> None:
    for name in ("cc", "gcc", "clang"):  # as where the headers of the C library are missing
        (tmp_path / name).write_text("#!/bin/sh\nexit 1\n", encoding="ascii")
        (tmp_path / name).chmod(0o755)
    assert python("hatch_build.py", "--requirements", PATH=str(tmp_path)).stdout.startswith("ziglang")


@pytest.mark.parametrize("what", ["wheel", "editable", "sdist"])
def test_hatchling_hears_what_a_build_needs(what: str) -> None:
    pytest.importorskip("hatchling")
    code = f"from hatchling.build import *; print(*get_requires_for_build_{what}())"
    asked = python("-c", code, CC="ziglang")
    assert asked.returncode == 0, asked.stderr
    assert ("ziglang" in asked.stdout) == (what != "sdist")


@pytest.mark.usefixtures("_can_compile")
def test_a_library_holds_nothing_of_where_it_was_compiled(tmp_path: Path) -> None:
    code = '__attribute__((visibility("default"))) const char *place(void) { return __FILE__; }\n'
    libraries = []
    for folder in (tmp_path / "first", tmp_path / "a" / "longer" / "path"):
        done = python("hatch_build.py", cwd=project(folder, code))
        assert done.returncode == 0, done.stderr
        libraries.append((folder / NATIVE / LIBRARY).read_bytes())
    assert libraries[0] == libraries[1]
    assert b"kernel.c" in libraries[0]  # else the place of the code would be nowhere in it anyway


@pytest.mark.usefixtures("_can_compile")
def test_code_that_does_not_compile_leaves_the_old_library(tmp_path: Path) -> None:
    folder = project(tmp_path, "int kernel(void) { return nowhere; }\n")
    (folder / NATIVE / LIBRARY).write_bytes(b"old")
    done = python("hatch_build.py", cwd=folder)
    assert done.returncode == 1
    assert re.search(r"kernel\.c:1:.*error", done.stderr)
    assert "CC=clang" in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in (folder / NATIVE).iterdir()) == sorted(["kernel.c", LIBRARY])
    assert (folder / NATIVE / LIBRARY).read_bytes() == b"old"


def test_a_compiler_that_was_named_wrongly_is_named_in_the_error() -> None:
    for arguments in (["hatch_build.py"], ["hatch_build.py", "--requirements"]):
        done = python(*arguments, CC="no-such-compiler -m64")
        assert done.returncode == 1
        assert "CC is 'no-such-compiler -m64'" in done.stderr
        assert "Traceback" not in done.stderr
