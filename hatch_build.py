"""Compiles the C kernel of classifier/text/native into one shared library.

Hatchling calls it for wheels and editable installations; from a shell:

python hatch_build.py                   compiles in place, for whoever edits the C files
python hatch_build.py --debug           beside it, with address and undefined-behaviour sanitizers
python hatch_build.py --requirements    what a build without isolation needs first: nothing where a C compiler works
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hatchling.builders.config import BuilderConfig
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = Path("classifier", "text", "native")
# A C compiler as a Python package, for whoever has none (or says CC=ziglang); both ends of the range were tried.
ZIG = "ziglang>=0.16,<0.18"
# The oldest glibc that wheels of PyArrow and NumPy run on, so that the kernel asks for no newer one.
ZIG_GLIBC = "2.28"

WINDOWS = sys.platform == "win32"
MACOS = sys.platform == "darwin"

# The same figures on every processor of a kind: nothing of this very machine (-march), no reordering (-ffast-math), no
# fused multiply-add. CFLAGS is not read, for the same reason; CC may carry options.
_FLAGS = ["-std=c11", "-Wall", "-Wextra", "-fvisibility=hidden", "-ffp-contract=off", "-shared"]
_FLAGS += [] if WINDOWS else ["-fPIC"]
_LINK = ["-lm"]
if MACOS:
    _LINK += ["-Wl,-install_name,@rpath/_kernel.dylib"]  # otherwise the path of the build
_RELEASE = ["-O3", "-g0"]
_DEBUG = ["-O1", "-g", "-fno-omit-frame-pointer", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]

_PROBE = (
    "#include <math.h>\n#include <stdlib.h>\n#include <string.h>\ndouble probe(double x) { return exp(x); }\n"
)


class BuildError(Exception):
    """The kernel cannot be compiled; the text says why and how to mend it."""


def library_name(*, debug: bool = False) -> str:
    """The file name of the library on this system."""
    suffix = ".dll" if WINDOWS else ".dylib" if MACOS else ".so"
    return f"_kernel_debug{suffix}" if debug else f"_kernel{suffix}"


@cache
def compiler() -> tuple[str, ...] | None:
    """The command of a C compiler that works: what CC says, or the first of cc, gcc and clang; None means ziglang.

    Raises:
        BuildError: CC names something that compiles nothing.
    """
    named = os.environ.get("CC", "").strip()
    if named == "ziglang":
        return None
    if named:
        command = tuple(shlex.split(named, posix=not WINDOWS))
        if problem := _problem(command):
            raise BuildError(
                f"CC is {named!r}, which cannot compile C: {problem}\nName another one, or unset CC."
            )
        return command
    found = (path for name in ("cc", "gcc", "clang") if (path := shutil.which(name)))
    return next(((path,) for path in found if not _problem((path,))), None)


def requirements() -> list[str]:
    """The packages that a build on this machine needs beside hatchling."""
    return [] if compiler() else [ZIG]


def compile_kernel(sources: Path, target: Path, *, debug: bool = False) -> None:
    """Compile every C file in ``sources`` into the shared library ``target``, in one step: no half of it is ever there.

    Raises:
        BuildError: there is no compiler, or it fails.
    """
    files = sorted(path.name for path in sources.glob("*.c"))
    if not files:
        raise BuildError(f"no C files in {sources}: this copy of the project is not whole")
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder, target.name)
        command = [
            *_command(debug),
            *_FLAGS,
            *(_DEBUG if debug else _RELEASE),
            "-o",
            str(built),
            *files,
            *_LINK,
        ]
        # From within the folder: then no path of this machine gets into the library.
        done = _run(command, cwd=sources, caches=folder)
        if done.returncode:
            raise BuildError(
                f"the C kernel does not compile:\n\n{shlex.join(command)}\n{done.stdout}\n"
                f"It ended with code {done.returncode}. If you have not changed the C files, name another compiler: "
                "CC=clang, for example, or CC=ziglang, which is a Python package that a build fetches by itself."
            )
        sys.stderr.write(done.stdout)
        # A running process may have the old library mapped: replaced, not written into.
        new = target.with_name(f"{target.stem}.{os.getpid()}{target.suffix}")
        try:
            shutil.copyfile(built, new)
            new.replace(target)
        except OSError as error:
            raise BuildError(
                f"the C kernel cannot be put to {target}: {error}; end what is using it"
            ) from error
        finally:
            new.unlink(missing_ok=True)


def _command(debug: bool) -> list[str]:
    command = compiler()
    if command:
        # Python is not linked with clang's sanitizers.
        return [*command, "-shared-libsan"] if debug and _is_clang(command) else [*command]
    if debug:
        raise BuildError("sanitizers need gcc or clang; install one or name one with CC")
    if not importlib.util.find_spec("ziglang"):
        raise BuildError(
            "no C compiler: cc, gcc and clang are not on PATH, or lack the headers of the C library, and the package "
            "ziglang is not installed. Install one (on Debian: apt-get install gcc libc6-dev; on any system: "
            f"pip install '{ZIG}') or name one with CC."
        )
    # Without a target and a processor, Zig compiles for this very machine.
    return [
        sys.executable,
        "-m",
        "ziglang",
        "cc",
        "-target",
        zig_target(),
        "-mcpu=baseline",
        "-fno-sanitize=all",
        "-s",
    ]


def zig_target() -> str:
    """What Zig calls the system that this Python runs on."""
    machine = (sysconfig.get_platform() if WINDOWS else platform.machine()).lower().removeprefix("win-")
    names = {"amd64": "x86_64", "arm64": "aarch64", "win32": "x86", "i386": "x86", "i686": "x86"}
    names |= {"armv7l": "arm", "armv8l": "arm", "ppc64le": "powerpc64le"}
    arch = names.get(machine, machine)
    if sys.maxsize < 2**32:  # a 32-bit Python on a 64-bit kernel
        arch = {"x86_64": "x86", "aarch64": "arm"}.get(arch, arch)
    if WINDOWS:
        return f"{arch}-windows-gnu"
    if MACOS:
        return f"{arch}-macos"
    hard = "eabihf" if arch == "arm" else ""
    glibc = platform.libc_ver()[0] == "glibc"
    return f"{arch}-linux-gnu{hard}.{ZIG_GLIBC}" if glibc else f"{arch}-linux-musl{hard}"


def _problem(command: tuple[str, ...]) -> str:
    """Why ``command`` cannot make a shared library, and nothing if it can: a compiler may lack the C library's headers."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "probe.c").write_text(_PROBE, encoding="ascii")
        options = [*_FLAGS, *_RELEASE, "-o", library_name(), "probe.c", *_LINK]
        try:
            done = _run([*command, *options], cwd=Path(folder), caches=folder)
        except OSError as error:
            return str(error)
        if done.returncode == 0 and Path(folder, library_name()).exists():
            return ""
        return done.stdout.strip() or f"it ended with code {done.returncode} and made nothing"


def _is_clang(command: tuple[str, ...]) -> bool:
    return "clang" in _run([*command, "--version"], cwd=Path.cwd(), caches="").stdout


def _sanitizer() -> str:
    """The libraries that have to be in a process before a sanitized one: the sanitizer, and what it wraps of C++ (for the
    other libraries that Python loads)."""
    command = compiler() or ()
    name = f"libclang_rt.asan-{platform.machine()}.so" if _is_clang(command) else "libasan.so"
    found = (
        _run([*command, f"-print-file-name={one}"], cwd=Path.cwd(), caches="")
        for one in (name, "libstdc++.so")
    )
    return " ".join(run.stdout.strip() for run in found)


def _run(command: list[str], *, cwd: Path, caches: str) -> subprocess.CompletedProcess[str]:
    environment = {"ZIG_GLOBAL_CACHE_DIR": caches, "ZIG_LOCAL_CACHE_DIR": caches} if caches else {}
    return subprocess.run(
        command,
        cwd=cwd,
        env={**environment, **os.environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


def _platform_tag() -> str:
    """What a wheel calls this system; on Linux with the C library's version, so that no older one is given the wheel."""
    from packaging.tags import platform_tags

    tags = list(platform_tags())
    return next((tag for tag in tags if not tag.startswith("linux_")), tags[0])


def get_build_hook() -> type[BuildHookInterface[BuilderConfig]]:
    """The class that hatchling asks this file for."""
    from hatchling.builders.config import BuilderConfig
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface

    class KernelHook(BuildHookInterface[BuilderConfig]):
        """Compiles into the checkout for an editable installation, and into the wheel alone otherwise."""

        def dependencies(self) -> list[str]:
            try:
                return requirements()
            except BuildError as error:
                self.app.abort(str(error))
                raise

        def initialize(self, version: str, build_data: dict[str, Any]) -> None:
            sources = Path(self.root) / SOURCES
            # The kernel knows nothing of Python: any version of it, but this system.
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{_platform_tag()}"
            try:
                if version == "editable":
                    compile_kernel(sources, sources / library_name())
                    return
                self._folder = tempfile.TemporaryDirectory()  # removed with this object
                built = Path(self._folder.name, library_name())
                compile_kernel(sources, built)
                build_data["force_include"][str(built)] = (SOURCES / library_name()).as_posix()
            except BuildError as error:
                self.app.abort(str(error))

    return KernelHook


def main() -> None:
    """What a shell asks for."""
    words = argparse.ArgumentParser(description="Compile the C kernel in place.")
    words.add_argument("--debug", action="store_true", help="with sanitizers, into a file of its own")
    words.add_argument("--requirements", action="store_true", help="only print what a build needs first")
    given = words.parse_args()
    sources = Path(__file__).resolve().parent / SOURCES
    target = sources / library_name(debug=given.debug)
    try:
        if given.requirements:
            sys.stdout.write("".join(f"{requirement}\n" for requirement in requirements()))
            return
        compile_kernel(sources, target, debug=given.debug)
    except BuildError as error:
        sys.exit(str(error))
    sys.stdout.write(f"{os.path.relpath(target)}: {target.stat().st_size:,} bytes\n")
    if given.debug:
        sys.stdout.write(
            f"Run Python with: LD_PRELOAD='{_sanitizer()}' ASAN_OPTIONS=detect_leaks=0 NEWSDESK_KERNEL={target}\n"
        )


if __name__ == "__main__":
    main()
