"""Names that look alike are named, different ones left in peace."""

from __future__ import annotations

import pytest

from training.hygiene import similar_names


@pytest.mark.parametrize(
    "names",
    [
        ("Politics", " politics", "ＰＯＬＩＴＩＣＳ", "poli\u200btics"),
        ("Top News", "topnews", "Top\u3000 News "),
        ("Économie", "E\u0301conomie"),
        ("경제", " \u1100\u1167\u11bc\u110c\u1166"),
        ("スポーツ", "ｽﾎﾟｰﾂ"),
        ("Straße", "STRASSE"),
    ],
)
def test_similar_names_are_named_with_a_remedy(names: tuple[str, ...]) -> None:
    counts = {name: 1 + i for i, name in enumerate(reversed(names))} | {"Others": 7}
    (group,) = similar_names(counts)
    assert group.names == names
    assert group.counts == tuple(counts[name] for name in names)
    assert f'write "{names[0]}"' in group.remedy
    assert all(str(counts[name]) in group.remedy for name in names)


def test_different_names_are_left_in_peace() -> None:
    assert similar_names({"Sport": 1, "Sports": 2, "政治": 3, "政經": 4, "": 5}) == []
    assert similar_names({}) == []


def test_the_largest_group_comes_first() -> None:
    found = similar_names({"a": 1, "A": 2, "b": 5, "B": 5})
    assert [group.names for group in found] == [("B", "b"), ("A", "a")]
