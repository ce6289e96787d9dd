"""Counters: exact over threads and processes, also those that are killed; and the text that Prometheus reads."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from classifier.model import Model
from service.metrics import Metrics
from service.metrics.cells import Cells, collect, read_cells
from service.metrics.definitions import DECISIONS, METRICS, REQUEST_SECONDS
from service.metrics.exposition import exposition, key_of

posix = pytest.mark.skipif(sys.platform == "win32", reason="locks of ended processes are POSIX")
COUNT = """
import os, sys
from pathlib import Path
from service.metrics.cells import Cells
cells = Cells(Path(sys.argv[1]))
cells.put(b"gauge", 1.0)
print("ready", flush=True)
while True:
    cells.add([(b"a", 1.0), (b"b", 2.0)])
"""


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """As the original's parser reads it."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_threads_lose_nothing(tmp_path: Path) -> None:
    cells = Cells(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: cells.add([(b"a", 1.0), (b"b", 0.5)]), range(4000)))
    assert collect(tmp_path)[0] == {b"a": 4000.0, b"b": 2000.0}


def test_more_cells_than_a_file_first_holds(tmp_path: Path) -> None:
    cells = Cells(tmp_path)
    for number in range(3000):
        cells.add([(b"a key that takes some room %d" % number, float(number))])
    cells.add([(b"a key that takes some room 7", 1.0)])
    found = collect(tmp_path)[0]
    assert len(found) == 3000
    assert found[b"a key that takes some room 7"] == 8.0
    assert found[b"a key that takes some room 2999"] == 2999.0


@posix
def test_a_killed_process_counts_on_but_its_gauges_do_not(tmp_path: Path) -> None:
    before = {b"a": 0.0, b"b": 0.0}
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", COUNT, str(tmp_path)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        while collect(tmp_path)[0].get(b"b", 0.0) <= before[b"b"]:
            pass
        assert collect(tmp_path)[1][b"gauge"] == 1.0
        alive = collect(tmp_path)[0]
        process.kill()
        process.communicate()
        everything, living = collect(tmp_path)
        # Killed between the two, at most one addition is half done.
        assert 0.0 <= 2 * everything[b"a"] - everything[b"b"] <= 2.0 * 3
        assert everything[b"a"] >= alive[b"a"] >= before[b"a"]
        assert living == {}
        assert list(tmp_path.glob("*.cells")) == []
        assert collect(tmp_path)[0] == everything
        before = everything


@posix
def test_sums_are_not_taken_twice_where_the_one_who_summed_up_was_killed(tmp_path: Path) -> None:
    script = COUNT.replace("while True:", "for _ in range(5):")
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True, capture_output=True)
    [own] = tmp_path.glob("*.cells")
    left = own.read_bytes()
    once = collect(tmp_path)[0]
    assert once == {b"a": 5.0, b"b": 10.0, b"gauge": 1.0}
    own.write_bytes(left)  # as if it had been killed before it removed the file
    assert collect(tmp_path)[0] == once
    assert not own.exists()


@posix
def test_a_fork_counts_for_itself(tmp_path: Path) -> None:
    cells = Cells(tmp_path)
    cells.add([(b"a", 1.0)])
    child = os.fork()
    if not child:
        cells.add([(b"a", 10.0)])
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    cells.add([(b"a", 1.0)])
    assert collect(tmp_path)[0] == {b"a": 12.0}


def test_a_file_that_was_left_half_made_is_empty(tmp_path: Path) -> None:
    for data in (b"", b"NDC", bytes(65536)):
        (tmp_path / "x.cells").write_bytes(data)
        assert read_cells(tmp_path / "x.cells") == {}


NAMES = st.text(min_size=1, max_size=12)


@given(
    st.dictionaries(st.tuples(NAMES, st.sampled_from(["file", "review"])), st.integers(1, 2**53), max_size=5)
)
def test_any_label_comes_back(counts: dict[tuple[str, str], int]) -> None:
    cells = {key_of(DECISIONS, what): float(number) for what, number in counts.items()}
    found = samples(exposition(cells, {}))
    for (section, decision), number in counts.items():
        labels = frozenset({"section": section, "decision": decision}.items())
        assert found["newsdesk_decisions_total", labels] == number


def test_a_histogram_is_cumulative(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path)
    for seconds in (0.0001, 0.0005, 0.3, 1000.0):
        metrics.request("/v1/predict", 200, seconds)
    found = samples(metrics.text())
    where = {("route", "/v1/predict"), ("status", "200")}

    def bucket(bound: str) -> float:
        return found["newsdesk_request_seconds_bucket", frozenset({*where, ("le", bound)})]

    assert [bucket("0.0005"), bucket("0.25"), bucket("0.5"), bucket("60"), bucket("+Inf")] == [
        2,
        2,
        3,
        3,
        4,
    ]
    assert found["newsdesk_request_seconds_count", frozenset(where)] == 4
    assert found["newsdesk_request_seconds_sum", frozenset(where)] == pytest.approx(1000.3006)


def test_bounds_rise() -> None:
    assert list(REQUEST_SECONDS.bounds) == sorted(set(REQUEST_SECONDS.bounds))


def test_what_requests_count(app: Flask, model: Model) -> None:
    client = app.test_client()
    before = samples(client.get("/metrics").text)
    article = {"headline": "Assembly votes on the budget bill"}
    section, decision = (prediction := model.predict(article)).section, prediction.decision
    assert client.post("/v1/predict", json=article).status_code == 200
    assert client.post("/v1/predict", json={}).status_code == 422
    assert client.post("/v1/predict/batch", json={"articles": [article, {}, article]}).status_code == 200
    assert client.get("/quuxelby/../etc").status_code == 404
    answer = client.get("/metrics")
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    after = samples(answer.text)

    def more(name: str, **labels: object) -> float:
        key = (name, frozenset((label, str(value)) for label, value in labels.items()))
        return after[key] - before.get(key, 0.0)

    assert more("newsdesk_request_seconds_count", route="/v1/predict", status=200) == 1
    assert more("newsdesk_request_seconds_count", route="/v1/predict", status=422) == 1
    assert more("newsdesk_request_seconds_count", route="none", status=404) == 1
    assert more("newsdesk_articles_total") == 3
    assert more("newsdesk_rejected_articles_total") == 1
    assert more("newsdesk_decisions_total", section=section, decision=decision) == 3
    assert (
        after["newsdesk_model_version", frozenset({("model", model.name), ("version", model.version)})] == 1
    )
    assert "uuxelby" not in answer.text


def test_every_metric_is_documented() -> None:
    page = Path(__file__).parents[2] / "docs" / "SERVICE.md"
    text = page.read_text("utf-8").partition("## Metrics and logs")[2].partition("\n## ")[0]
    documented = {
        name: set(re.findall(r"`(\w+)`", row[1]))
        for row in (line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| `"))
        for name in re.findall(r"`(\w+)`", row[0])
    }
    assert documented == {metric.name: set(metric.labels) for metric in METRICS}
