"""IPTC Media Topics: codes and names to sections."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from classifier.errors import ConfigError
from classifier.reading.topics import TOP_LEVEL, Subject, Topics, canonical, load_topics, sections_of

NONE = Topics()


def sections(*subjects: Subject, topics: Topics = NONE) -> list[str]:
    return sections_of(subjects, topics, "a.json")[0]


def test_the_top_level_has_seventeen_topics_numbered_through() -> None:
    assert list(TOP_LEVEL) == [f"medtop:{number:02d}000000" for number in range(1, 18)]
    assert len(set(TOP_LEVEL.values())) == 17


@pytest.mark.parametrize(
    "code",
    [
        "medtop:04000000",
        "04000000",
        "http://cv.iptc.org/newscodes/mediatopic/04000000",
        "subj:04000000",
        "http://cv.iptc.org/newscodes/subjectcode/04000000",
        "subj:04011000",
        "04011002",
    ],
)
def test_codes_of_the_top_level_however_written(code: str) -> None:
    assert sections(Subject(code)) == ["economy, business and finance"]


@pytest.mark.parametrize("name", ["Politics", "politics and government", " POLITICS  and government "])
def test_a_name_alone_is_known_as_well(name: str) -> None:
    assert sections(Subject(name=name)) == ["politics and government"]


def test_a_deeper_code_is_climbed_by_what_the_item_says() -> None:
    subject = Subject("medtop:20000538", "Freizeit", ("subj:99999999", "medtop:10000000"))
    assert sections(subject) == ["lifestyle and leisure"]
    assert sections(subject, Subject("medtop:15000000")) == ["lifestyle and leisure", "sport"]


def test_a_deeper_code_that_leads_nowhere_keeps_its_name_or_its_code_which_is_noted() -> None:
    named, bare = Subject("medtop:20000178", "earnings"), Subject("medtop:20000178")
    assert sections_of([named], NONE, "a.json") == (["earnings"], ["earnings"], [])
    labels, shown, notes = sections_of([bare], NONE, "a.json")
    assert labels == shown == ["medtop:20000178"]
    assert [(note.file, note.value) for note in notes] == [("a.json", "medtop:20000178")]
    assert sections(bare, Subject("medtop:04000000")) == ["economy, business and finance"]
    assert sections_of([bare, Subject("medtop:04000000")], NONE, "a")[2] != [], (
        "noted even if it is not needed"
    )


def test_other_vocabularies_are_labels_where_there_is_nothing_else() -> None:
    own = [Subject("desk:12", "City"), Subject("", "Harbour")]
    assert sections(*own) == ["City", "Harbour"]
    assert sections(*own, Subject("medtop:17000000")) == ["weather"]


@pytest.mark.parametrize("code", ["", "medtop:", "x", "1234567", "medtop:99000000x", "18000000"])
def test_other_codes_stay_as_they_are(code: str) -> None:
    assert canonical(code) in (code, f"medtop:{code}")


FILES = {
    "topics.csv": "code,name,broader\nmedtop:20000178,Earnings,\n20000170,,04000000\n20000344,,20000178\n",
    "semicolons.csv": "code;name;broader\nmedtop:20000178;Earnings;\n20000170;;04000000\n20000344;;20000178\n",
    "topics.json": json.dumps(
        [
            {"code": "20000178", "name": "Earnings"},
            {"code": "20000170", "broader": "04000000"},
            {"code": "20000344", "broader": ["20000178"]},
        ]
    ),
    "iptc.json": json.dumps(
        {
            "uri": "http://cv.iptc.org/newscodes/mediatopic/",
            "conceptSet": [
                {"qcode": "medtop:20000178", "prefLabel": {"de": "Ertrag", "en-GB": "Earnings"}},
                {
                    "uri": "http://cv.iptc.org/newscodes/mediatopic/20000170",
                    "broader": ["http://cv.iptc.org/newscodes/mediatopic/04000000"],
                },
                {"qcode": "medtop:20000344", "broader": ["http://cv.iptc.org/newscodes/mediatopic/20000178"]},
            ],
        }
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_topic_files(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(FILES[name], "utf-8")
    topics = load_topics(str(path))
    assert sections(Subject("medtop:20000178", "earnings"), topics=topics) == ["Earnings"]
    assert sections(Subject("20000344"), topics=topics) == ["Earnings"], "climbed"
    assert sections(Subject("20000170"), topics=topics) == ["economy, business and finance"]


def test_names_by_code_may_rename_the_top_level(tmp_path: Path) -> None:
    path = tmp_path / "names.json"
    path.write_text(json.dumps({"medtop:04000000": "Economy"}), "utf-8")
    assert sections(Subject("subj:04011000"), topics=load_topics(str(path))) == ["Economy"]
    path.write_text(json.dumps({"medtop:04000000": "Business", "x": "y"}), "utf-8")
    assert sections(Subject("subj:04011000"), topics=load_topics(str(path))) == ["Business"], "read again"


def test_circles_end(tmp_path: Path) -> None:
    path = tmp_path / "circle.csv"
    path.write_text("code,name,broader\n20000001,a,20000002\n20000002,b,20000001\n", "utf-8")
    assert sections(Subject("20000001"), topics=load_topics(str(path))) == ["a"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", 'has no columns "code" and "name"'),
        (b"a,b\n1,2\n", 'has no columns "code" and "name"'),
        (b"code,name\n", "names no topic"),
        (b"{", "is no JSON"),
        (b"[1]", "holds something else than topics"),
        (b"\xff", "cannot be read"),
        (None, "cannot be read: No such file"),
    ],
)
def test_a_file_of_something_else_is_an_error(content: bytes | None, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "topics.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_topics(str(path))
    assert str(path) in str(caught.value)
    assert problem in str(caught.value)
    assert 'the columns "code" and "name"' in str(caught.value)
