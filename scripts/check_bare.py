"""Score and serve with an installation that lacks the train extra, with a model that a full one trained.

python scripts/check_bare.py FULL/bin/newsdesk BARE/bin/newsdesk
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

ARTICLE = {"headline": "Assembly votes on the budget", "body": "The minister spoke before the vote."}


def main(full: str, bare: str) -> None:
    """Raise where anything goes wrong."""
    python = Path(bare).with_name("python")
    for module in ("sklearn", "scipy", "joblib"):
        if subprocess.run([python, "-c", f"import {module}"], capture_output=True).returncode == 0:
            raise SystemExit(f"the bare environment has {module}")
    with tempfile.TemporaryDirectory() as folder:
        model = f"{folder}/quickstart"
        subprocess.run([full, "quickstart", "--out", model], check=True, capture_output=True)
        scored = subprocess.run(
            [bare, "score", model, "-", "-o", "-"],
            input=json.dumps(ARTICLE),
            text=True,
            check=True,
            capture_output=True,
        )
        served = serve_and_ask(bare, model)
        if json.loads(scored.stdout) != served or served["section"] != "Politics":
            raise SystemExit(f"scored {scored.stdout!r}, served {served!r}")
        refused = subprocess.run(
            [bare, "train", folder, "--out", f"{folder}/x"], text=True, capture_output=True
        )
        if refused.returncode != 2 or '"train" extra' not in refused.stderr:
            raise SystemExit(f"training without its extra said {refused.stderr!r}")
    sys.stdout.write("scored and served without the train extra\n")


def serve_and_ask(bare: str, model: str) -> dict[str, object]:
    """The service's prediction for ARTICLE; the server is stopped before this returns."""
    server = subprocess.Popen([bare, "serve", model, "--port", "0"], stderr=subprocess.PIPE, text=True)
    try:
        lines = server.stderr or []
        address = next(word for line in lines for word in line.split() if word.startswith("http://"))
        request = urllib.request.Request(
            address.rstrip("/.,") + "/v1/predict",
            json.dumps(ARTICLE).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            found: dict[str, object] = json.load(answer)
        with urllib.request.urlopen(address.rstrip("/.,") + "/", timeout=30) as answer:
            if b"Newsdesk" not in answer.read():
                raise SystemExit("the editors' page is not served")
        return found
    finally:
        server.terminate()
        server.wait(30)


if __name__ == "__main__":
    main(*sys.argv[1:])
