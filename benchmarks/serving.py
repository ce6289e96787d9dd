"""The service beside what its parts cost alone, and beside other ways to serve a model.

    NEWSDESK_DATA=/path/to/data python -m benchmarks.serving    twelve minutes on two cores that do nothing else
    python -m benchmarks.serving --quick                        does it run? The bundled newspaper; nothing is kept

Needs the `bench` extra. MLflow wants other versions of its libraries than ours: it runs in an environment of its own,
whose Python `--mlflow` names, and is left out without. wrk loads, where it is installed (a system package), else a client
of ours. Server and client share the machine; every contender runs in turn, in several rounds, and the medians are kept.
Newsdesk serves both heads with keys, metrics and logs on; the peers' pipeline is the section head alone. The figures are
kept in benchmarks/results/serving.json, from which `python -m benchmarks.tables` makes the tables. Texts are those of the
test part of headlines_in: log runs without --quick in docs/TEST_RUNS.md.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from benchmarks.speed.command import parser_of, run
from benchmarks.speed.models import WORDS, fit_pipeline
from benchmarks.speed.rows import Asked, machine, row, say, written
from benchmarks.speed.texts import Articles, data_folder, load, load_sample, long_articles
from benchmarks.web import servers
from benchmarks.web.load import Load, tool
from benchmarks.web.load import load as run_load
from benchmarks.web.peers import PIPELINE
from benchmarks.web.streams import stream_rate
from classifier.reading import read_all
from service.keys import KeyFile
from service.state import StateFolder
from training.config import Config
from training.fit import train
from training.sample import PAGES

NAME = "serving"
WORKERS = 2
_STREAMS = 8  # the system spreads connections over the workers by chance
_WORDS, _BODIES = 250, 100
_MB = 1e6
_OURS, _ECHO = "Newsdesk", "an echo on the same Granian"
# What MLflow's own environment does; it reads no file of ours but the pipeline. Articles with a signature, as its manual
# wants them: it gets what the others get, and joins the fields as they do. Or texts, joined beforehand, without one.
_SAVE = """
import sys, joblib, mlflow.sklearn, pandas
from mlflow.models import infer_signature
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
source, target, of_texts = sys.argv[1], sys.argv[2], sys.argv[3:]
pipeline = joblib.load(source)
signature = None
if not of_texts:
    pipeline = make_pipeline(FunctionTransformer(lambda rows: rows["headline"] + chr(10) + rows["body"]), pipeline)
    example = pandas.DataFrame({"headline": ["One"], "body": ["Two"]})
    signature = infer_signature(example, pipeline.predict(example))
options = {"signature": signature, "pip_requirements": [], "serialization_format": "cloudpickle"}
mlflow.sklearn.save_model(pipeline, target, **options)
"""
_SKLEARN = "scikit-learn in Flask under gunicorn"
_JOINED = "MLflow's scoring server, given joined texts"
# Its command starts one worker unless told otherwise.
_MLFLOW = {
    "MLflow's scoring server, as it starts": 1,
    "MLflow's scoring server, two workers": WORKERS,
    _JOINED: 1,
}


@dataclass(frozen=True, slots=True)
class Size:
    """Seconds of one load, rounds, connections at once, articles of one stream, starts that are timed."""

    seconds: float = 10.0
    rounds: int = 5
    connections: int = 16
    streamed: int = 50_000
    starts: int = 7


QUICK = Size(1.0, 1, 8, 1000, 1)


@dataclass(slots=True)
class Bench:
    """A folder, the texts, and what was found."""

    folder: Path
    size: Size
    articles: Articles
    inputs: list[str]
    rows: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    token: str = ""
    mlflow: str = ""  # the Python of its environment

    @property
    def model(self) -> Path:
        return self.folder / "model"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def pipeline(self) -> Path:
        return self.folder / "pipeline.joblib"

    @property
    def key(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def found(self, *figures: Any, **options: Any) -> None:
        """One more row."""
        self.rows.append(row(*figures, **options))
        say(written(self.rows[-1]))

    def bodies(self, name: str) -> list[bytes]:
        """Articles of 250 words, as a server takes them."""
        texts = long_articles(self.articles.test, _WORDS, _BODIES)
        articles: list[Any] = [{"headline": text[:60], "body": text} for text in texts]
        if name == _JOINED:
            articles = [{"inputs": [text]} for text in texts]
        elif name in _MLFLOW:
            articles = [{"dataframe_records": [article]} for article in articles]
        return [orjson.dumps(article) for article in articles]

    def line(self) -> bytes:
        """One short article, for streams."""
        text = min(self.articles.test, key=lambda text: abs(len(text) - 200))
        return orjson.dumps({"headline": text[:70], "summary": text[70:]}) + b"\n"

    def prepare(self) -> None:
        """Train both models and make a key."""
        say("training the models that are served")
        train(read_all(self.inputs), self.model, Config())
        fit_pipeline(WORDS, self.articles, self.pipeline)
        state = StateFolder(self.state)
        state.prepare()
        _, self.token = KeyFile(state.keys).add("bench", "predict")


@contextmanager
def newsdesk(bench: Bench) -> Iterator[servers.Server]:
    """The service as an operator starts it."""
    port = servers.free_port()
    command = servers.newsdesk(bench.model, bench.state, port, "--workers", str(WORKERS), "--rate-limit", "0")
    with servers.started(command, bench.folder / "newsdesk.log", port=port, probe="/readyz") as server:
        yield server


def _peer(bench: Bench, stack: ExitStack, name: str) -> servers.Server:
    port = servers.free_port()
    if name == _ECHO:
        command = servers.granian("benchmarks.web.peers:create_echo", port, WORKERS)
    elif name == _SKLEARN:
        command = servers.gunicorn("benchmarks.web.peers:create_sklearn()", port, WORKERS)
    else:
        saved = str(bench.folder / f"mlflow_{list(_MLFLOW).index(name)}")
        texts = ["texts"] if name == _JOINED else []
        subprocess.run([bench.mlflow, "-c", _SAVE, str(bench.pipeline), saved, *texts], check=True)
        command = [bench.mlflow, "-m", "mlflow", "models", "serve", "-m", saved, "-p", str(port)]
        command += ["--env-manager", "local", "--workers", str(_MLFLOW[name])]
    log = bench.folder / f"{name.replace(' ', '_')}.log"
    environ = {PIPELINE: str(bench.pipeline)}
    if name in _MLFLOW:  # it calls others of its environment by name
        environ["PATH"] = f"{Path(bench.mlflow).parent}{os.pathsep}{os.environ['PATH']}"
    return stack.enter_context(servers.started(command, log, port=port, environ=environ))


def predicting(bench: Bench) -> None:
    """/v1/predict beside the echo and the peers: requests a second, and the slowest hundredth."""
    with ExitStack() as stack:
        running = {_OURS: stack.enter_context(newsdesk(bench))}
        for name in (_ECHO, _SKLEARN, *_MLFLOW):
            if name in _MLFLOW and not bench.mlflow:
                bench.notes.append(f"{name}: left out; --mlflow names no Python that has it")
                say(bench.notes[-1])
                continue
            running[name] = _peer(bench, stack, name)
        loads: dict[str, list[Load]] = {name: [] for name in running}
        for _ in range(bench.size.rounds):
            for name, server in running.items():
                loads[name].append(_load(bench, name, server))
    for name, found in loads.items():
        if errors := sum(one.errors for one in found):
            raise SystemExit(f"{name} answered {errors} requests with an error")
    rates = {name: statistics.median(one.rate for one in found) for name, found in loads.items()}
    slowest = {name: statistics.median(one.p99 for one in found) * 1000 for name, found in loads.items()}
    what = f"/v1/predict, {_WORDS} words"
    wanted = {_ECHO: Asked(0.5, 0.65), _SKLEARN: Asked(4), **dict.fromkeys(_MLFLOW, Asked(30)), _JOINED: None}
    for name, asked in wanted.items():
        if name in rates:
            bench.found(what, rates[_OURS], name, rates[name], "requests/s", asked=asked)
    asked = Asked(3, at_most=True)
    bench.found(f"{what}, 99 %", slowest[_OURS], _ECHO, slowest[_ECHO], "ms", asked=asked)


def _load(bench: Bench, name: str, server: servers.Server) -> Load:
    path = "/invocations" if name in _MLFLOW else "/v1/predict"
    headers = {"Content-Type": "application/json", **bench.key}
    size = bench.size
    run_load(server.port, path, bench.bodies(name), headers, seconds=1, connections=size.connections)
    return run_load(
        server.port,
        path,
        bench.bodies(name),
        headers,
        seconds=size.seconds,
        connections=size.connections,
    )


def streaming(bench: Bench) -> None:
    """Short articles as NDJSON, over several streams at once; then what the workers hold in memory."""
    with newsdesk(bench) as server:
        stream_rate(server.port, bench.line(), 1000, bench.key, _STREAMS)
        rates = [
            stream_rate(server.port, bench.line(), bench.size.streamed, bench.key, _STREAMS)
            for _ in range(bench.size.rounds)
        ]
        held = [servers.memory(pid) for pid in server.workers()]
    bench.found(
        f"NDJSON, short articles, {_STREAMS} streams",
        statistics.median(rates),
        "asked",
        30_000,
        "articles/s",
        asked=Asked(1),
    )
    private = max(one.private for one in held) / _MB
    bench.found("a worker's private memory", private, "asked", 120, "MB", asked=Asked(1, at_most=True))


def starting(bench: Bench) -> None:
    """From the command to the first answer."""
    ready = []
    for _ in range(bench.size.starts):
        with newsdesk(bench) as server:
            ready.append(server.ready)
    asked = Asked(1, at_most=True)
    bench.found("ready after", statistics.median(ready), "asked", 1.5, "s", asked=asked)


def measure(size: Size, *, quick: bool, mlflow: str = "") -> dict[str, Any]:
    """Everything, as it is kept."""
    with tempfile.TemporaryDirectory() as folder:
        if quick:
            bench = Bench(Path(folder), size, load_sample(), [str(PAGES)])
        else:
            # Both heads at their real size: sections of one table, popularity of the other.
            inputs = [
                str(data_folder() / f"{name}.parquet") for name in ("headlines_in", "outlets_reactions")
            ]
            bench = Bench(Path(folder), size, load("headlines_in"), inputs)
        bench.mlflow = mlflow
        bench.prepare()
        for part in (predicting, streaming, starting):
            part(bench)
        return {"machine": {**machine(), "client": tool()}, "rows": bench.rows, "notes": bench.notes}


def main(arguments: Sequence[str]) -> None:
    """Run, say what is found, keep it."""
    parser = parser_of(NAME)
    parser.add_argument("--mlflow", default="", metavar="PYTHON", help="of an environment that has MLflow")

    def asked_for(asked: Namespace) -> dict[str, Any]:
        return measure(QUICK if asked.quick else Size(), quick=asked.quick, mlflow=asked.mlflow)

    run(NAME, arguments, asked_for, parser)


if __name__ == "__main__":
    main(sys.argv[1:])
