"""IPTC Media Topics: from the subject codes of wire items to sections.

The 17 topics of the top level are known by code and by name. A deeper code is climbed: by the broader topics that the item
itself gives, by a topic file, or, of the older Subject Codes, by its first two digits. What leads nowhere keeps its name,
and without one its code, which is noted.

A topic file (`--topics`) is a CSV table with the columns `code`, `name` and, if wanted, `broader`; a JSON object of names
by code; or IPTC's own JSON file of a vocabulary. A code with something broader stands for that, one without is a section.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from classifier.errors import ConfigError
from classifier.reading.base import Note

TOP_LEVEL = {
    "medtop:01000000": "arts, culture, entertainment and media",
    "medtop:02000000": "crime, law and justice",
    "medtop:03000000": "disaster, accident and emergency incident",
    "medtop:04000000": "economy, business and finance",
    "medtop:05000000": "education",
    "medtop:06000000": "environment",
    "medtop:07000000": "health",
    "medtop:08000000": "human interest",
    "medtop:09000000": "labour",
    "medtop:10000000": "lifestyle and leisure",
    "medtop:11000000": "politics and government",
    "medtop:12000000": "religion",
    "medtop:13000000": "science and technology",
    "medtop:14000000": "society",
    "medtop:15000000": "sport",
    "medtop:16000000": "conflict, war and peace",
    "medtop:17000000": "weather",
}
# Earlier names of the same topics, and those of the Subject Codes.
_ALSO = {
    "arts, culture and entertainment": "medtop:01000000",
    "disaster and accident": "medtop:03000000",
    "environmental issue": "medtop:06000000",
    "politics": "medtop:11000000",
    "religion and belief": "medtop:12000000",
    "social issue": "medtop:14000000",
    "conflicts, war and peace": "medtop:16000000",
    "unrest, conflicts and war": "medtop:16000000",
}
_BY_NAME = {**{name: code for code, name in TOP_LEVEL.items()}, **_ALSO}
_CODE = re.compile(r"(?:.*[/:#])?(\d{8})")
_NO_NAME = "subject codes have no name and no known broader topic: kept as codes (--topics FILE names them)"
_MAX_FILE = 64 * 2**20
_LONGEST_CLIMB = 20


@dataclass(frozen=True, slots=True)
class Subject:
    """What an item says it is about: a code as it writes it, a name, the codes of broader topics; any may be missing."""

    code: str = ""
    name: str = ""
    broader: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Topics:
    """What a topic file says: names and broader topics by code."""

    names: Mapping[str, str] = field(default_factory=dict)
    broader: Mapping[str, str] = field(default_factory=dict)

    def section_of(self, subject: Subject) -> str | None:
        """The section that a subject belongs to; None where nothing leads to one."""
        codes = [code for code in map(canonical, (subject.code, *subject.broader)) if code]
        found = next((section for code in codes if (section := self._climbed(code))), None)
        if found is None and not subject.code:
            named = _BY_NAME.get(" ".join(subject.name.lower().split()))
            found = TOP_LEVEL[named] if named else None
        return found

    def _climbed(self, code: str) -> str | None:
        for _ in range(_LONGEST_CLIMB):
            if code in self.names and code not in self.broader:
                return self.names[code]
            if code in TOP_LEVEL:
                return TOP_LEVEL[code]
            further = self.broader.get(code) or _top_of_subject_code(code)
            if further is None:
                return None
            code = further
        return None


def sections_of(
    subjects: Iterable[Subject], topics: Topics, file: str
) -> tuple[list[str], list[str], list[Note]]:
    """The sections of an item, all its subjects by name (or code), and notes on codes without a name.

    Sections are what its subjects lead to; where none does, the subjects themselves.
    """
    sections: list[str] = []
    shown: list[str] = []
    notes: list[Note] = []
    for subject in subjects:
        section = topics.section_of(subject)
        code = canonical(subject.code)
        name = subject.name.strip() or topics.names.get(code, "") or TOP_LEVEL.get(code, "")
        if not name and section is None and code:
            notes.append(Note(file, _NO_NAME, code))
        shown.append(name or code)
        sections += [section] if section else []
    return list(dict.fromkeys(sections or shown)), list(dict.fromkeys(shown)), notes


def canonical(code: str) -> str:
    """A code as "medtop:04000000", whether it was an address, a qualified code or digits; others as they are."""
    code = code.strip()
    found = _CODE.fullmatch(code)
    if found is None:
        return code
    digits = found[1]
    other = "subjectcode" in code or code.startswith(("subj:", "iptcsc:"))
    if digits.endswith("000000") and digits[:2] != "20":
        return f"medtop:{digits}"
    if other or (digits[:2] != "20" and digits[:2] <= "17"):
        return f"subj:{digits}"
    return f"medtop:{digits}"


def _top_of_subject_code(code: str) -> str | None:
    return f"medtop:{code[5:7]}000000" if code.startswith("subj:") else None


def load_topics(path: str | None) -> Topics:
    """The topics of a file; without one, only those of the top level are known.

    Raises:
        ConfigError: the file cannot be read, or is none of topics.
    """
    if path is None:
        return Topics()
    try:
        changed = Path(path).stat().st_mtime_ns
    except OSError as error:
        raise _unusable(path, f"cannot be read: {error.strerror}") from error
    return _loaded(path, changed)


@lru_cache(maxsize=4)
def _loaded(path: str, changed: int) -> Topics:
    try:
        with open(path, "rb") as stream:
            data = stream.read(_MAX_FILE + 1)
        text = data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(path, f"cannot be read: {error}") from error
    if len(data) > _MAX_FILE:
        raise _unusable(path, f"is larger than {_MAX_FILE // 2**20} MiB")
    is_json = text.lstrip()[:1] in ("{", "[")
    rows = list(_json_rows(text, path) if is_json else _csv_rows(text, path))
    names = {code: name for code, name, _ in rows if name}
    broader = {code: above for code, _, above in rows if above}
    if not rows:
        raise _unusable(path, "names no topic")
    return Topics(names, broader)


def _csv_rows(text: str, path: str) -> Iterator[tuple[str, str, str]]:
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
        if not {"code", "name"} <= set(reader.fieldnames or ()):
            raise _unusable(path, 'has no columns "code" and "name"')
        for row in reader:
            if code := canonical(row["code"] or ""):
                yield code, (row["name"] or "").strip(), canonical(row.get("broader") or "")
    except csv.Error as error:
        raise _unusable(path, f"is no CSV table: {error}") from error


def _json_rows(text: str, path: str) -> Iterator[tuple[str, str, str]]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _unusable(path, f"is no JSON: {error}") from error
    concepts = data.get("conceptSet") if isinstance(data, Mapping) else data
    if concepts is None:
        concepts = [{"code": code, "name": name} for code, name in data.items()]
    for concept in concepts if isinstance(concepts, Sequence) else ():
        if not isinstance(concept, Mapping):
            raise _unusable(path, "holds something else than topics")
        code = canonical(str(concept.get("code") or concept.get("qcode") or concept.get("uri") or ""))
        if code:
            yield code, _name(concept), canonical(_one(concept.get("broader")))


def _name(concept: Mapping[str, Any]) -> str:
    """A concept's name; of several languages English, else the first."""
    name = concept.get("name") or concept.get("prefLabel") or ""
    if isinstance(name, Mapping):
        english = [name[key] for key in name if str(key).lower().startswith("en")]
        name = next(iter(english or name.values()), "")
    return str(name).strip()


def _one(value: Any) -> str:
    while isinstance(value, list):
        value = value[0] if value else ""
    return value if isinstance(value, str) else ""


def _unusable(path: str, problem: str) -> ConfigError:
    return ConfigError(
        f"the topic file {path} {problem}",
        remedy='give a CSV table with the columns "code" and "name", or a JSON object of names by code',
    )
