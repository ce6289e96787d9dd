"""Every finding as a line of JSON, for an editor's tools."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from training.hygiene.conflicts import Conflict
from training.hygiene.names import SimilarNames
from training.hygiene.pairs import Confusable
from training.hygiene.suspects import Suspect

FILE_NAME = "hygiene.jsonl"  # beside the report, which refers to it


def write_jsonl(
    suspects: Iterable[Suspect] = (),
    conflicts: Iterable[Conflict] = (),
    confused: Iterable[Confusable] = (),
    similar: Iterable[SimilarNames] = (),
) -> bytes:
    """Every finding as one line of UTF-8 JSON. `finding` says what it is:

    "suspected label" (the fields of `Suspect`), "conflicting duplicates" (`id`, `headline` of the first; `ids`,
    `headlines`, `labels`), "confusable sections" (`label`, `predicted`, `probability`: the worse direction and its share;
    `forth`, `back`), "similar names" (`labels`, `counts`, `remedy`).
    """
    lines: list[dict[str, Any]] = []
    lines += [{"finding": "suspected label", **asdict(suspect)} for suspect in suspects]
    for conflict in conflicts:
        first = {"id": conflict.ids[0], "headline": conflict.headlines[0]}
        lines.append({"finding": "conflicting duplicates", **first, **asdict(conflict)})
    for pair in confused:
        names = (pair.first, pair.second) if pair.worse is pair.forth else (pair.second, pair.first)
        facts = {"label": names[0], "predicted": names[1], "probability": pair.worse.rate}
        lines.append({"finding": "confusable sections", **facts, **asdict(pair)})
    for group in similar:
        facts = {"labels": group.names, "counts": group.counts, "remedy": group.remedy}
        lines.append({"finding": "similar names", **facts})
    return b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines)
