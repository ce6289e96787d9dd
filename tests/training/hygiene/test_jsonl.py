"""Every finding as a line, whatever its texts hold."""

from __future__ import annotations

import json

from training.hygiene import Conflict, Confusable, Direction, SimilarNames, Suspect, write_jsonl

SUSPECT = Suspect("wrong", "1", "見出し\n2", "Politics", "Economy", 0.9, 0.1, 0.8)
CONFLICT = Conflict(("2", "3"), ("h", "h 2"), (("x",), ("y", "z")))
FEW, MANY = Direction(50, 3, 0.06, 0.02, 0.16), Direction(40, 12, 0.3, 0.18, 0.45)
FORTH, BACK = Confusable("a", "b", MANY, FEW), Confusable("a", "b", FEW, MANY)
SIMILAR = SimilarNames(("X", "x"), (2, 1), "write X")


def test_jsonl_holds_every_finding() -> None:
    data = write_jsonl([SUSPECT, SUSPECT], [CONFLICT], [FORTH, BACK], [SIMILAR])
    assert "見出し" in data.decode()
    assert data == write_jsonl([SUSPECT, SUSPECT], [CONFLICT], [FORTH, BACK], [SIMILAR])
    suspect, again, conflict, forth, back, similar = map(json.loads, data.decode().splitlines())
    assert suspect == again
    assert suspect == {
        "finding": "suspected label",
        "kind": "wrong",
        "id": "1",
        "headline": "見出し\n2",
        "label": "Politics",
        "predicted": "Economy",
        "probability": 0.9,
        "label_probability": 0.1,
        "margin": 0.8,
    }
    assert conflict == {
        "finding": "conflicting duplicates",
        "id": "2",
        "headline": "h",
        "ids": ["2", "3"],
        "headlines": ["h", "h 2"],
        "labels": [["x"], ["y", "z"]],
    }
    for pair, label, predicted in ((forth, "a", "b"), (back, "b", "a")):
        assert pair["finding"] == "confusable sections"
        assert (pair["label"], pair["predicted"], pair["probability"]) == (label, predicted, 0.3)
    assert back["forth"] == {"articles": 50, "mistaken": 3, "rate": 0.06, "low": 0.02, "high": 0.16}
    assert similar == {
        "finding": "similar names",
        "labels": ["X", "x"],
        "counts": [2, 1],
        "remedy": "write X",
    }


def test_nothing_found_is_nothing() -> None:
    assert write_jsonl() == b""
