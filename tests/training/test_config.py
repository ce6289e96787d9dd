"""The table of settings: every one is parsed, checked, stored, read back and documented."""

from __future__ import annotations

import dataclasses
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.errors import ConfigError
from training.config import Config, load_config, parse_config

PAGE = Path(__file__).parents[2] / "docs" / "CONFIGURATION.md"
OTHERS = {
    "data.timezone": "Asia/Tokyo",
    "data.test_share": 0.3,
    "data.ignore": ["popularity"],
    "data.dates": "month-first",
    "data.strict": True,
    "data.topics": "topics.csv",
    "columns": {"headline": "title", "rank": "place"},
    "sections": {"Business": "Economy", "Partners": ""},
    "boxes.taken_at": "%Y-%m-%d",
    "boxes.headings": ["Reader favourites in *"],
    "boxes.window_days": 3,
    "features.categorical": ["desk", "source"],
    "features.numeric": ["word_count"],
    "features.nuisance": ["placement", "push"],
    "fit.seed": 7,
    "fit.folds": 3,
    "fit.section_blocks": ["text word(1,2)", "headline char_wb(2,4) * 0.5", "source * 1"],
    "fit.section_c": 2,
    "fit.section_balance": 0.5,
    "fit.section_half_life": 90,
    "fit.search": 20,
    "fit.popularity_features": [
        "text word(1,2)",
        "time * 0.1",
        "source * 0.5",
        "word_count numeric * 1",
        "source x text word(1,2)",
        "source * 1, recent 7",
    ],
    "fit.popularity_learner": "pairwise",
    "fit.popularity_alpha": 0.5,
    "fit.popularity_half_life": 30,
    "fit.min_label_articles": 4,
    "decisions.target": 0.99,
    "decisions.targets": [0.9, 0.95],
    "decisions.confidence": 0.8,
    "decisions.sections": {"Politics": 0.99, "経済 ": 0.8},
    "decisions.coverages": [0.8],
}
TABLES = {"columns": dict[str, str], "decisions.sections": dict[str, float]}  # names are the user's


def settings() -> Iterator[tuple[str, dataclasses.Field[Any]]]:
    hints = get_type_hints(Config)
    for field in dataclasses.fields(Config):
        kind = hints[field.name]
        if dataclasses.is_dataclass(kind):
            yield from ((f"{field.name}.{inner.name}", inner) for inner in dataclasses.fields(kind))
        else:
            yield field.name, field


def nested(name: str, value: object) -> dict[str, Any]:
    table, _, setting = name.partition(".")
    return {table: {setting: value}} if setting else {table: value}


def value_of(config: Config, name: str) -> Any:
    found: Any = config
    for part in name.split("."):
        found = getattr(found, part)
    return found


def test_every_setting_has_a_case_here() -> None:
    assert {name for name, _ in settings()} == set(OTHERS)


@pytest.mark.parametrize("name", OTHERS)
def test_a_setting_is_parsed_and_read_back_from_json(name: str) -> None:
    data = nested(name, OTHERS[name])
    if name == "decisions.targets":
        data["decisions"]["target"] = 0.9
    config = parse_config(data)
    found = value_of(config, name)
    assert (list(found) if isinstance(found, tuple) else found) == OTHERS[name]
    assert found != value_of(Config(), name)
    assert type(found) is type(value_of(Config(), name))
    assert parse_config(json.loads(json.dumps(config.to_dict()))) == config


def test_defaults_read_back() -> None:
    assert parse_config({}) == Config() == parse_config(json.loads(json.dumps(Config().to_dict())))


@pytest.mark.parametrize(
    ("data", "closest"),
    [
        ({"dat": {}}, "did you mean data?"),
        ({"data": {"test_shar": 0.1}}, "did you mean data.test_share?"),
        ({"columns": {"headlin": "title"}}, "did you mean columns.headline?"),
        ({"fit": {"zzz": 1}}, "known here: seed, folds"),
    ],
)
def test_an_unknown_name_is_answered_with_the_closest(data: dict[str, Any], closest: str) -> None:
    with pytest.raises(ConfigError, match="there is no setting") as caught:
        parse_config(data, where="c.toml")
    assert caught.value.where == "c.toml"
    assert closest in str(caught.value)


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("value", [None, True, {"headline": True}, {"a": [1]}, [["a"]], [True], object()])
def test_a_wrong_type_names_the_setting(name: str, value: object) -> None:
    if value is True and OTHERS[name] is True:
        value = 1
    with pytest.raises(ConfigError, match=f"{name} must be ") as caught:
        parse_config(nested(name, value), where="c.toml")
    assert caught.value.remedy


def test_sections_that_are_mapped_twice_and_an_order_that_is_none() -> None:
    with pytest.raises(ConfigError, match='sections: "SPORT" is mapped to "A" and "B"'):
        parse_config({"sections": {"Sport": "A", "SPORT": "B"}})
    with pytest.raises(ConfigError, match=r"data\.dates is out of range"):
        parse_config({"data": {"dates": "year-first"}})


def test_a_table_must_be_a_table() -> None:
    with pytest.raises(ConfigError, match=re.escape("[fit] must be a table")):
        parse_config({"fit": 3})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("data.test_share", 0.0),
        ("data.test_share", 1.0),
        ("data.test_share", float("nan")),
        ("boxes.window_days", 0),
        ("boxes.window_days", 10**9),  # would leave the calendar
        ("fit.seed", -1),  # no generator takes it
        ("fit.seed", 2**32),
        ("fit.folds", 1),
        ("fit.section_c", -1.0),
        ("fit.section_c", float("inf")),
        ("fit.section_c", float("nan")),
        ("fit.section_balance", 1.5),
        ("fit.section_balance", float("nan")),
        ("fit.section_half_life", float("inf")),
        ("fit.section_half_life", float("nan")),
        ("fit.search", -1),
        ("fit.search", 10_001),
        ("fit.popularity_alpha", -2.0),
        ("fit.popularity_alpha", float("inf")),
        ("fit.popularity_learner", "ridge"),
        ("fit.popularity_half_life", -2.0),
        ("fit.popularity_half_life", 0.5),
        ("fit.popularity_half_life", float("inf")),
        ("fit.popularity_half_life", float("nan")),
        ("fit.min_label_articles", 0),
        ("decisions.targets", [0.95, 1.5]),
        ("decisions.target", 0.5),  # none of the targets
        ("decisions.confidence", 1.0),
        ("decisions.sections", {"Politics": 0.99, "Economy": 1.0}),
        ("decisions.sections", {"Politics": 0}),
        ("decisions.sections", {"Politics": float("nan")}),
        ("decisions.coverages", [0.9, 0.0]),
        ("decisions.coverages", [1]),
    ],
)
def test_a_value_out_of_range_names_the_setting(name: str, value: object) -> None:
    with pytest.raises(ConfigError, match=f"{name} is out of range") as caught:
        parse_config(nested(name, value))
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        ("", '"" is no feature block'),
        ("text word(2,1)", "has n-grams from long to short"),
        ("a\nb", "is no feature block"),
        ("text char(1,2)", "is no feature block"),
        ("text word(0,1)", "is no feature block"),
        ("headline  word(1,1)", "is no text"),
        ("text word(1,1) * 0", "weighs nothing"),
        ("text * 1", "needs an analyzer"),
        ("source word(1,1)", "has an analyzer, and source is no text"),
    ],
)
def test_a_block_that_is_none_names_the_setting_and_how_blocks_are_written(block: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(problem)) as caught:
        parse_config({"fit": {"section_blocks": ["text word(1,1)", block]}}, where="c.toml")
    assert str(caught.value).startswith("c.toml: fit.section_blocks: ")
    remedy = caught.value.remedy or ""
    assert "write blocks like text word(1,2), " in remedy or remedy == "give a weight above 0, such as 0.5"


def test_the_address_is_a_text_of_the_popularity_head_alone() -> None:
    """Copy that arrives has none yet, and its folder is often the section."""
    named = ("url word(1,2)", "url char_wb(3,5) * 0.5")
    assert parse_config({"fit": {"popularity_features": [*named]}}).fit.popularity_features == named
    with pytest.raises(ConfigError, match=r'fit\.section_blocks: "url" is no feature'):
        parse_config({"fit": {"section_blocks": ["text word(1,1)", "url word(1,2)"]}})
    with pytest.raises(ConfigError, match=r'fit\.popularity_features: "url" needs an analyzer'):
        parse_config({"fit": {"popularity_features": ["text word(1,1)", "url"]}})
    with pytest.raises(ConfigError, match=r'features\.categorical: "url" is no feature'):
        parse_config({"features": {"categorical": ["url"]}})


def test_how_a_headline_starts_is_a_text_of_the_popularity_head_alone() -> None:
    """What stands beside the section head, a pipeline of scikit-learn, reads whole columns."""
    named = ("text word(1,1)", "headline start word(1,3) * 0.4")
    assert parse_config({"fit": {"popularity_features": [*named]}}).fit.popularity_features == named
    with pytest.raises(ConfigError, match=r'"headline start" is a feature of the popularity head') as caught:
        parse_config({"fit": {"section_blocks": ["headline start word(1,3)"]}}, where="c.toml")
    assert (caught.value.where, caught.value.remedy) == ("c.toml", "name headline")


def test_what_leaves_the_choice_to_validation_can_be_written_down() -> None:
    chosen = {"section_blocks": [], "section_c": 0, "section_balance": -1, "section_half_life": -1}
    assert parse_config({"fit": chosen}) == Config()


def test_section_names_are_not_checked_for_spelling() -> None:
    """They are the data's, whatever the script; one that no article has is a note of the training."""
    names = {"Sport": 0.9, "sport ": 0.8, "스포츠": 0.7, "": 0.6}
    assert parse_config({"decisions": {"sections": names}}).decisions.sections == names


def test_a_number_too_great_for_a_float_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"fit.section_c must be a number"):
        parse_config({"fit": {"section_c": 10**400}})


def test_an_unknown_zone_names_the_setting() -> None:
    with pytest.raises(ConfigError, match=r'c.toml: data.timezone: "Tokyo" is not a known time zone'):
        parse_config({"data": {"timezone": "Tokyo"}}, where="c.toml")


@pytest.mark.parametrize("column", ["id", "popularity", "split", "headline", "url", "file", "published_at"])
@pytest.mark.parametrize("setting", ["categorical", "numeric", "nuisance"])
def test_labels_ids_and_texts_are_no_features(column: str, setting: str) -> None:
    with pytest.raises(ConfigError, match=f'features.{setting}: "{column}" is no feature'):
        parse_config({"features": {setting: [column]}})


def test_the_section_is_a_feature_of_popularity_alone() -> None:
    named = ["section", "hour", "desk", "placement", "weekday", "source"]
    features = parse_config({"features": {"categorical": named, "nuisance": ["placement"]}}).features
    assert features.of_sections == ("desk", "source")
    for setting in ("numeric", "nuisance"):
        with pytest.raises(ConfigError, match=r'"section" is no feature'):
            parse_config({"features": {setting: ["section"]}})


@pytest.mark.parametrize(
    ("features", "problem"),
    [
        (["text word(1,1)", "nothing(1)"], "is no feature block"),
        (["text word(1,1)", "id * 1"], '"id" is no feature'),
        (["text word(1,1)", "popularity numeric"], '"popularity" is no feature'),
        (["text word(1,1)", "url x text word(1,1)"], '"url" is no feature'),
        (["text word(1,1)", "placement * 1"], '"placement" is a nuisance column'),
        (["text word(1,1)", "placement x text word(1,1)"], '"placement" is a nuisance column'),
        (["text word(1,1)", "source x text word(1,2)"], "crosses what is not there"),
        (["text word(1,1)", "source * 1, recent 7"], "is recent only"),
        (["text word(1,1)", "text word(1,1) * 0.5"], "is there twice"),
    ],
)
def test_popularity_features_that_cannot_be(features: list[str], problem: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(problem)) as caught:
        parse_config(
            {"fit": {"popularity_features": features}, "features": {"nuisance": ["placement"]}},
            where="c.toml",
        )
    assert str(caught.value).startswith("c.toml: fit.popularity_features: ")
    assert caught.value.remedy


def test_the_section_may_be_named_among_popularity_features() -> None:
    features = ("text word(1,1)", "section * 1", "source * 1", "section x source * 1")
    assert parse_config({"fit": {"popularity_features": features}}).fit.popularity_features == features


def test_an_empty_column_name_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"columns.headline is empty"):
        parse_config({"columns": {"headline": ""}})


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"[data\n", "is no valid TOML"),
        (b"[data]\ntimezone = '\xff'\n", "is no UTF-8 "),
        (b"[data]\ntest_share = 'much'\n", "data.test_share must be a number"),
        (b"[fit]\nseed = 1\nseed = 2\n", "is no valid TOML"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, content: bytes, problem: str) -> None:
    file = tmp_path / "c.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=problem) as caught:
        load_config(file)
    assert caught.value.where == str(file)
    assert caught.value.remedy


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such configuration file"):
        load_config(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from([*Config().to_dict(), "seed", "target", "x"]), inner, max_size=3
            )
        ),
        max_leaves=8,
    )
)
def test_whatever_is_given_is_parsed_or_refused(data: Any) -> None:
    try:
        config = parse_config(data)
    except ConfigError:
        return
    assert parse_config(json.loads(json.dumps(config.to_dict()))) == config


def test_the_page_lists_every_setting_with_its_default_and_help() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| `([^`]*)` \| (.*) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    expected = []
    for name, field in settings():
        default = value_of(Config(), name)
        shown = json.dumps(list(default) if isinstance(default, tuple) else default)
        expected.append((name, shown, field.metadata["help"]))
    assert rows == expected


def test_the_example_on_the_page_can_be_used() -> None:
    block = re.search(r"```toml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert block is not None
    assert parse_config(tomllib.loads(block[1])).features.categorical == ("desk",)


@pytest.mark.parametrize("name", ["section_balance", "section_half_life"])
def test_less_than_any_number_is_no_choice(name: str) -> None:
    with pytest.raises(ConfigError, match=f"fit.{name} is out of range"):
        parse_config({"fit": {name: float("-inf")}})


@pytest.mark.parametrize("weight", ["9" * 400, "0." + "0" * 200 + "1"])
def test_a_block_of_an_absurd_weight_is_refused(weight: str) -> None:
    with pytest.raises(ConfigError, match=r"fit.section_blocks: "):
        parse_config({"fit": {"section_blocks": [f"text word(1,1) * {weight}"]}})


@pytest.mark.parametrize("column", ["id", "section", "popularity", "split", "file"])
def test_labels_and_ids_are_no_blocks(column: str) -> None:
    with pytest.raises(ConfigError, match=f'"{column}" is no feature'):
        parse_config({"fit": {"section_blocks": ["text word(1,1)", f"{column} * 1"]}})


def test_blocks_without_a_text_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"fit.section_blocks"):
        parse_config({"fit": {"section_blocks": ["source * 1"]}})
