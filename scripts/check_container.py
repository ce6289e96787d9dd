"""The steps of the Dockerfile without Docker: the files that .dockerignore lets through are installed into a fresh virtual
environment, the tree becomes read-only, and a user without rights serves a model from there with the image's variables.

python scripts/check_container.py MODEL
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parent.parent
USER = 10001
SECONDS = 60.0
ARTICLE = {"headline": "Assembly votes on the budget", "body": "The minister spoke before the vote."}


def main(model: str) -> None:
    """Raise where anything goes wrong."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        source, venv, models, state = (folder / part for part in ("src", "newsdesk", "models", "state"))
        copy_context(source)
        subprocess.run([ROOT / "scripts" / "make-venv", venv, sys.executable], check=True)
        pip = [venv / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "-c", "constraints/tested.txt", ".[service]"], cwd=source, check=True)
        shutil.copytree(model, models / "NAME")
        state.mkdir(mode=0o700)
        own = user_of(venv)
        if own:
            os.chown(state, USER, USER)
        before = frozen(venv, models)
        serve(venv, models / "NAME", state, own)
        if frozen(venv, models) != before:
            raise SystemExit("something was written outside the state folder")
    sys.stdout.write("installed, served and probed on a read-only tree\n")


def copy_context(target: Path) -> None:
    """What a build sees: everything is ignored but what .dockerignore names with an exclamation mark."""
    lines = (ROOT / ".dockerignore").read_text("utf-8").split()
    ignored = shutil.ignore_patterns(*(line.removeprefix("**/") for line in lines if line.startswith("**/")))
    target.mkdir()
    for name in (line[1:] for line in lines if line.startswith("!")):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=ignored)
        else:
            shutil.copy2(source, target / name)


def frozen(*trees: Path) -> dict[str, tuple[int, int]]:
    """Take away everybody's right to write; names, sizes and times of all that is there."""
    found = {}
    for path in (path for tree in trees for path in [tree, *tree.rglob("*")]):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o222)
        own = path.lstat()
        found[str(path)] = (own.st_size, own.st_mtime_ns)
    return found


def image_variables(venv: Path, state: Path) -> dict[str, str]:
    """Those of the Dockerfile's last stage, its folders being ours."""
    text = (ROOT / "Dockerfile").read_text("utf-8").rpartition("\nFROM ")[2].replace("\\\n", " ")
    found = dict(re.findall(r"(\w+)=(\S+)", re.search(r"^ENV (.*)$", text, re.M)[1]))  # type: ignore[index]
    ours = {"/opt/newsdesk": str(venv), "$PATH": os.environ["PATH"], "/state": str(state)}
    for theirs, own in ours.items():
        found = {name: value.replace(theirs, own) for name, value in found.items()}
    return found


def health_check() -> list[str]:
    """The command of HEALTHCHECK."""
    text = (ROOT / "Dockerfile").read_text("utf-8")
    command: list[str] = json.loads(text.partition("HEALTHCHECK")[2].partition("CMD ")[2].partition("\n")[0])
    return command


def user_of(venv: Path) -> dict[str, int]:
    """The user without rights, as subprocess takes it; nobody where this is not root, or where this Python lies in a folder
    that others may not enter."""
    own = {"user": USER, "group": USER}
    try:
        subprocess.run([venv / "bin" / "python", "-c", ""], check=True, capture_output=True, **own)  # type: ignore[call-overload]
    except (PermissionError, subprocess.CalledProcessError):
        sys.stdout.write("no other user can run this Python here: it is served by this one\n")
        return {}
    return own


def serve(venv: Path, model: Path, state: Path, own: dict[str, int]) -> None:
    """Without keys it refuses; with one it serves, is healthy, and ends with 0."""
    port = "18080"
    variables = {
        **image_variables(venv, state),
        "NEWSDESK_MODEL": str(model),
        "NEWSDESK_PORT": port,
        "HOME": "/nonexistent",
    }
    run = {"env": variables, "cwd": state, **own}
    newsdesk, python = venv / "bin" / "newsdesk", venv / "bin" / "python"
    refused = subprocess.run([newsdesk, "serve"], capture_output=True, text=True, **run)  # type: ignore[call-overload]
    if refused.returncode != 2 or "keys" not in refused.stderr:
        raise SystemExit(f"without keys it said {refused.stderr!r}")
    made = [newsdesk, "keys", "add", "desk", "--role", "predict", "--state", state]
    said = subprocess.run(made, capture_output=True, text=True, check=True, **run)  # type: ignore[call-overload]
    key = max(said.stdout.split(), key=len)
    server = subprocess.Popen([newsdesk, "serve"], **run)  # type: ignore[call-overload]
    try:
        end = time.monotonic() + SECONDS
        while subprocess.run([python, *health_check()[1:]], capture_output=True, **run).returncode:  # type: ignore[call-overload]
            if server.poll() is not None or time.monotonic() > end:
                raise SystemExit("it did not become healthy")
        if ask(port, key)["section"] is None:
            raise SystemExit("it answered without a section")
        try:
            ask(port, "none")
        except urllib.error.HTTPError as error:
            if error.code != 401:
                raise
        else:
            raise SystemExit("it answered without a key")
    finally:
        server.terminate()
    if server.wait(SECONDS):
        raise SystemExit(f"it ended with {server.returncode}")


def ask(port: str, key: str) -> dict[str, object]:
    """The prediction of ARTICLE."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/predict", json.dumps(ARTICLE).encode(), headers
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: dict[str, object] = json.load(answer)
        return found


if __name__ == "__main__":
    main(*sys.argv[1:])
