"""What Newsdesk's service stands beside: a view that only echoes, and a plain scikit-learn pipeline, both in Flask."""

from __future__ import annotations

import os
from pathlib import Path

from flask import Flask, request

from benchmarks.speed.models import load_pipeline

PIPELINE = "BENCH_PIPELINE"  # the variable that names the file


def create_echo() -> Flask:
    """Parses the same JSON and answers a number: what Flask and the server cost alone."""
    app = Flask("echo")

    @app.post("/v1/predict")
    def echo() -> dict[str, int]:
        return {"length": len(request.get_json()["body"])}

    return app


def create_sklearn() -> Flask:
    """One article in, its label out, as it is written in most tutorials."""
    app = Flask("sklearn")
    pipeline = load_pipeline(Path(os.environ[PIPELINE]))

    @app.post("/v1/predict")
    def predict() -> dict[str, str]:
        return {"section": str(pipeline.predict([request.get_json()["body"]])[0])}

    return app
