"""HTML pages read by several processes: the same as by one, in order, whatever happens to a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from classifier.errors import ConfigError
from classifier.reading import parallel, processes, read_all, read_source, sources
from classifier.reading.base import Chunk, ReadOptions
from classifier.reading.collecting import collect
from classifier.reading.html_tree import MAX_HTML_BYTES

pytest.importorskip("trafilatura")
PAGE = """<!DOCTYPE html><html><head><meta charset="utf-8"></head><body><main><h1>Headline {n}</h1>
<p>On day {n} of the strike the ferries stayed in port, and nobody could say when they would leave again.</p></main>
<aside><h2>Most read</h2><ol><li><a href="/{n}">Title {n}</a></li><li><a href="/x">Other</a></li></ol></aside></body>
</html>"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(24):
        (tmp_path / f"{number:02d}.html").write_text(PAGE.format(n=number), "utf-8")
    (tmp_path / "07.html").write_bytes(b"")
    (tmp_path / "21.html").write_bytes(b"<p>" + b"x" * MAX_HTML_BYTES)
    return tmp_path


def together(chunks: Sequence[Chunk]) -> tuple[object, ...]:
    found = collect([("a", chunks)])
    return found.articles.to_pylist(), found.boxes.to_pylist(), sorted(map(str, found.rejected)), found.notes


def test_the_same_as_one_by_one_and_in_order(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = ReadOptions(taken_at=datetime.fromisoformat("2031-04-01T00:00:00Z"), columns={"headline": "x"})
    found = sources([str(folder)])
    alone = together([chunk for source in found for chunk in read_source(source, options)])
    assert len(alone[0]) == 22  # type: ignore[arg-type]
    assert together(list(parallel.read_here(found, options))) == alone
    monkeypatch.setattr(parallel, "FEWEST_PAGES", 20)
    monkeypatch.setattr(parallel, "cores", lambda: 2)
    reading = read_all([str(folder)], options)
    assert (reading.articles.to_pylist(), reading.boxes.to_pylist()) == alone[:2]
    assert sorted(map(str, reading.rejected)) == alone[2]


def test_a_string_that_is_no_text_refuses_its_own_page_only(folder: Path) -> None:
    author = '<script type="application/ld+json">{"@type": "NewsArticle", "author": "\\ud800"}</script>'
    (folder / "03.html").write_text(PAGE.format(n=3).replace("</head>", f"{author}</head>"), "utf-8")
    articles, _, rejected, _ = together(list(parallel.read_here(sources([str(folder)]), ReadOptions())))
    assert len(articles) == 21  # type: ignore[arg-type]
    assert [text for text in rejected if "surrogate" in text and "author" in text]  # type: ignore[attr-defined]


def test_a_page_that_ends_its_process_is_rejected_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill = "import classifier.reading.worker as w; old = w.read_page; import os; w.read_page = "
    deadly = "(lambda data, name, options: os.kill(os.getpid(), 9) if name == '11.html' else old(data, name, options)); "
    start = processes._START.replace("module.main()", f"{kill}{deadly}module.main()")
    monkeypatch.setattr(processes, "_START", start)
    chunks = list(parallel.read_pages(sources([str(folder)]), ReadOptions(), 1))
    articles, _, rejected, _ = together(chunks)
    assert len(articles) == 21  # type: ignore[arg-type]
    assert any(
        "11.html: reading it ended its process, or took more than 60 seconds" in text for text in rejected
    )  # type: ignore[attr-defined]


def test_a_page_that_takes_too_long_is_rejected(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = "import classifier.reading.worker as w; import signal; w.read_page = lambda *_: signal.pause(); "
    start = processes._START.replace("module.main()", f"{stuck}module.main()")
    monkeypatch.setattr(processes, "_START", start)
    monkeypatch.setattr(parallel, "SECONDS_A_PAGE", 1.0)
    (chunk,) = parallel.read_pages(sources([str(folder / "00.html")]), ReadOptions(), 1)
    assert "took more than 1 seconds" in str(chunk.rejected[0])


def test_a_setting_that_cannot_be_used_is_the_callers_error(folder: Path) -> None:
    options = ReadOptions(taken_at=datetime.fromisoformat("2031-04-01T00:00:00"))
    with pytest.raises(ConfigError, match="the time of the ranking boxes has no zone") as caught:
        list(parallel.read_pages(sources([str(folder)]), options, 1))
    assert "--timezone" in str(caught.value)
    with pytest.raises(ConfigError, match="not a file-name pattern"):
        list(parallel.read_pages(sources([str(folder)]), replace(options, taken_at="%Q"), 2))


def test_no_process_stays_when_the_reader_stops(folder: Path) -> None:
    """Neither when it has enough, nor when it is killed."""
    script = """
        import os, sys
        from classifier.reading import parallel, sources
        from classifier.reading.base import ReadOptions
        chunks = parallel.read_pages(sources([sys.argv[1]]), ReadOptions(), 1)
        next(chunks)
        children = open(f"/proc/self/task/{os.getpid()}/children").read().split()
        print(*children, flush=True)
        if sys.argv[2] == "enough":
            chunks.close()
        else:
            os.kill(os.getpid(), 9)
    """
    if not Path("/proc/self/task").exists():
        pytest.skip("processes are counted through /proc")
    for how in ("enough", "killed"):
        ran = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(script), str(folder), how], capture_output=True, text=True
        )
        assert ran.returncode == (0 if how == "enough" else -signal.SIGKILL), ran.stderr
        for child in map(int, ran.stdout.split()):
            _ended(child)


def _ended(process: int) -> None:
    """Wait until a process is no more, or a zombie of somebody else."""
    while True:
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return
        if state == "Z":
            return
        os.sched_yield()


def test_reading_does_not_import_the_callers_main_module_again(folder: Path, tmp_path: Path) -> None:
    script = tmp_path / "careless.py"
    script.write_text(
        "from classifier.reading import parallel, sources\nfrom classifier.reading.base import ReadOptions\n"
        f"print(len(list(parallel.read_pages(sources([{str(folder)!r}]), ReadOptions(), 1))))\n",
        "utf-8",
    )
    ran = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert len(ran.stdout.splitlines()) == 1


def test_a_process_that_reads_pages_imports_no_pandas() -> None:
    code = (
        "import sys; from classifier.reading import worker; worker.main(); import pyarrow; pyarrow.array(['a'])\n"
        "print('pandas' in sys.modules, file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], input=b"", capture_output=True, check=True)
    assert ran.stderr.split() == [b"False"]
