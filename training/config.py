"""The training configuration: one table of settings, read from TOML, with defaults that need no file.

Every setting is a field of one of the dataclasses below; its metadata says what it does (docs/CONFIGURATION.md is held
against this table by a test). An unknown name or a wrong type stops the run with the name.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from classifier.articles import ARTICLE_FIELDS, parse_timezone
from classifier.errors import ConfigError
from classifier.reading.base import own_columns
from classifier.reading.sections import check_sections
from classifier.text.rows import START, TEXT_COLUMNS, URL
from training.popularity.recipes import LEARNERS, Feature, check_recipe
from training.recipes import BlockRecipe

T = TypeVar("T")
MAX_WINDOW_DAYS = 3660
MAX_SEED = 2**32 - 1
# Of the article table's own columns these may be features; the others are labels, ids, texts, or not there when scoring.
CATEGORICAL = ("source", "language")
# What the popularity head has anyway; naming it does no harm.
ALWAYS = ("section", "hour", "weekday")
_KIND_NAMES = {
    "str": "a string",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    str(tuple[str, ...]): "a list of strings",
    str(tuple[float, ...]): "a list of numbers",
    str(dict[str, str]): "a table of strings",
    str(dict[str, float]): "a table of numbers",
}


def _setting(default: Any, help_: str) -> Any:
    return field(default=default, metadata={"help": help_})


@dataclass(frozen=True, slots=True)
class DataConfig:
    """[data]"""

    timezone: str = _setting("", "zone of local days and hours, and of times without a zone (IANA name)")
    test_share: float = _setting(0.2, "share of articles held out where no split is given")
    ignore: tuple[str, ...] = _setting((), "columns to leave out")
    dates: str = _setting(
        "", "day-first or month-first: what 03/04/2031 is; empty: as other dates of the file show"
    )
    strict: bool = _setting(False, "reject rows whose times are in doubt instead of noting them")
    topics: str = _setting("", "file that names the subject codes of wire copy (CSV or JSON)")


@dataclass(frozen=True, slots=True)
class BoxConfig:
    """[boxes]"""

    taken_at: str = _setting(
        "", "when boxes were printed: a time, or a strptime pattern looked for in file names"
    )
    headings: tuple[str, ...] = _setting(
        (), "further words that head ranking boxes of HTML pages; * stands for a section's name"
    )
    window_days: int = _setting(7, "how far back before a box was printed its unlisted articles may lie")


@dataclass(frozen=True, slots=True)
class FeatureConfig:
    """[features]"""

    categorical: tuple[str, ...] = _setting((), "further columns to use as categories in both heads")
    numeric: tuple[str, ...] = _setting(
        (), "columns of numbers for the popularity head, known before publication"
    )
    nuisance: tuple[str, ...] = _setting(
        (),
        "columns that explain popularity but are nobody's merit (placement, push): held at their average when scoring",
    )

    @property
    def of_sections(self) -> tuple[str, ...]:
        """The categories that the section head may see: not the section itself, nor what the popularity head alone has."""
        return tuple(name for name in self.categorical if name not in (*ALWAYS, *self.nuisance))


@dataclass(frozen=True, slots=True)
class FitConfig:
    """[fit]"""

    seed: int = _setting(0, "seed of folds and solvers")
    folds: int = _setting(5, "folds for out-of-fold scores")
    section_blocks: tuple[str, ...] = _setting(
        (), "feature blocks of the section head; none: validation chooses inside the training part"
    )
    section_c: float = _setting(
        0.0,
        "inverse regularisation of the section head (LinearSVC's C for articles of length 1); 0: validation chooses",
    )
    section_balance: float = _setting(
        -1.0, "exponent of the section head's class weights, 0–1; below 0: validation chooses"
    )
    section_half_life: float = _setting(
        -1.0, "days by which an older article counts half as much; 0: all alike; below 0: validation chooses"
    )
    search: int = _setting(0, "recipes that Optuna tries for the section head, besides the usual choice")
    popularity_features: tuple[str, ...] = _setting(
        (), "features of the popularity head; none: chosen by walking forward inside the training part"
    )
    popularity_learner: str = _setting(
        "", "squares, logistic (flags), pairwise or listwise; empty: chosen likewise"
    )
    popularity_alpha: float = _setting(
        0.0,
        "regularisation of the popularity head, for articles whose texts have length 1; 0: chosen likewise",
    )
    popularity_half_life: float = _setting(
        -1.0,
        "days by which an older article counts half as much for popularity; 0: all alike; below 0: chosen",
    )
    min_label_articles: int = _setting(2, "a label with fewer training articles is dropped and reported")


@dataclass(frozen=True, slots=True)
class DecisionConfig:
    """[decisions]"""

    target: float = _setting(0.95, "precision that `file` must hold")
    targets: tuple[float, ...] = _setting((0.95, 0.98, 0.99), "precisions for which thresholds are stored")
    confidence: float = _setting(0.9, "confidence with which a threshold holds its precision")
    sections: dict[str, float] = field(
        default_factory=dict,
        metadata={"help": "sections with a target precision of their own: Politics = 0.99"},
    )
    coverages: tuple[float, ...] = _setting(
        (0.9, 0.95, 0.99), "coverages for which prediction sets are stored"
    )


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that decides what a version will be, besides the data."""

    data: DataConfig = field(default_factory=DataConfig)
    columns: dict[str, str] = field(
        default_factory=dict,
        metadata={"help": 'our column names to the names in the data: headline = "title"'},
    )
    sections: dict[str, str] = field(
        default_factory=dict,
        metadata={"help": 'section names in the data to ours: "Business" = "Economy"; "" drops one'},
    )
    boxes: BoxConfig = field(default_factory=BoxConfig)
    features: FeatureConfig = field(default_factory=FeatureConfig)
    fit: FitConfig = field(default_factory=FitConfig)
    decisions: DecisionConfig = field(default_factory=DecisionConfig)

    def to_dict(self) -> dict[str, Any]:
        """As it is stored in the manifest."""
        return dataclasses.asdict(self)


def load_config(path: Path) -> Config:
    """Read a TOML file.

    Raises:
        ConfigError: it cannot be read, or names the setting that is wrong.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            "there is no such configuration file", where=str(path), remedy="check the path"
        ) from None
    except OSError as error:
        raise ConfigError(f"cannot be read ({error.strerror})", where=str(path), remedy="check it") from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"is no UTF-8 (byte {error.start})", where=str(path), remedy="save it as UTF-8"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"is no valid TOML ({error})", where=str(path), remedy="write settings like target = 0.95"
        ) from error
    return parse_config(data, where=str(path))


def parse_config(data: Mapping[str, Any], *, where: str = "configuration") -> Config:
    """Check every name and value.

    Raises:
        ConfigError: naming the setting.
    """
    config = _build(Config, data, where, "")
    if config.data.timezone:
        try:
            parse_timezone(config.data.timezone)
        except ConfigError as error:
            raise ConfigError(f"data.timezone: {error.problem}", where=where, remedy=error.remedy) from None
    try:
        check_sections(config.sections)
    except ConfigError as error:
        raise ConfigError(error.problem, where=where, remedy=error.remedy) from None
    for ours, theirs in config.columns.items():
        _known(ours, (*ARTICLE_FIELDS, *sorted(own_columns())), where, "columns.")
        if not theirs:
            raise ConfigError(
                f"columns.{ours} is empty", where=where, remedy='name a column of the data: "title"'
            )
    for setting in ("categorical", "numeric", "nuisance"):
        for name in getattr(config.features, setting):
            if setting != "categorical" or name not in ALWAYS:
                _feature(name, f"features.{setting}", where)
    _check_popularity_features(config, where)
    columns = []
    for block in config.fit.section_blocks:
        try:
            column = BlockRecipe.parse(block).column
            columns.append(column)
        except ConfigError as error:
            raise ConfigError(
                f"fit.section_blocks: {error.problem}", where=where, remedy=error.remedy
            ) from None
        if column == START:
            raise ConfigError(
                f'fit.section_blocks: "{column}" is a feature of the popularity head',
                where=where,
                remedy="name headline",
            )
        if column not in TEXT_COLUMNS or column == URL:
            _feature(column, "fit.section_blocks", where)
    if columns and not set(columns) & set(TEXT_COLUMNS):
        raise ConfigError(
            "fit.section_blocks holds no block of text", where=where, remedy="add one, such as text word(1,2)"
        )
    for name, (holds, range_) in _ranges(config).items():
        if not holds:
            raise ConfigError(
                f"{name} is out of range: {_get(config, name)!r}",
                where=where,
                remedy=f"{range_} ({_help(name)})",
            )
    return config


def _feature(name: str, setting: str, where: str) -> None:
    if name in {*ARTICLE_FIELDS, "file"}.difference(CATEGORICAL):
        raise ConfigError(
            f'{setting}: "{name}" is no feature',
            where=where,
            remedy=f"name {' or '.join(CATEGORICAL)}, or a column of your own, such as desk",
        )


def _check_popularity_features(config: Config, where: str) -> None:
    setting = "fit.popularity_features"
    try:
        features = tuple(map(Feature.parse, config.fit.popularity_features))
        check_recipe(features)
    except ConfigError as error:
        raise ConfigError(f"{setting}: {error.problem}", where=where, remedy=error.remedy) from None
    for name in dict.fromkeys(name for feature in features for name in feature.columns):
        if name != "section":
            _feature(name, setting, where)
        if name in config.features.nuisance:
            raise ConfigError(
                f'{setting}: "{name}" is a nuisance column', where=where, remedy="name it in one of the two"
            )


def _ranges(config: Config) -> dict[str, tuple[bool, str]]:
    """Whether each setting lies in its range, and the range in words."""
    share = "give a number between 0 and 1"
    fit, decisions = config.fit, config.decisions
    return {
        "data.test_share": (0 < config.data.test_share < 1, share),
        "data.dates": (
            config.data.dates in ("", "day-first", "month-first"),
            "give day-first or month-first, or nothing",
        ),
        "boxes.window_days": (
            1 <= config.boxes.window_days <= MAX_WINDOW_DAYS,
            f"give 1 to {MAX_WINDOW_DAYS} days",
        ),
        "fit.seed": (0 <= fit.seed <= MAX_SEED, f"give a whole number from 0 to {MAX_SEED}"),
        "fit.folds": (2 <= fit.folds <= 1000, "give 2 to 1000 folds"),
        "fit.section_c": (0 <= fit.section_c < math.inf, "give 0 or a number above it"),
        "fit.section_balance": (-1 <= fit.section_balance <= 1, "give 0 to 1, or −1 to have it chosen"),
        "fit.section_half_life": (
            -1 <= fit.section_half_life <= 0 or 1 <= fit.section_half_life < math.inf,
            "give 1 day or more, 0, or −1 to have it chosen",
        ),
        "fit.search": (0 <= fit.search <= 10_000, "give 0 to 10000 trials"),
        "fit.popularity_alpha": (0 <= fit.popularity_alpha < math.inf, "give 0 or a number above it"),
        "fit.popularity_half_life": (
            -1 <= fit.popularity_half_life <= 0 or 1 <= fit.popularity_half_life < math.inf,
            "give 1 day or more, 0, or −1 to have it chosen",
        ),
        "fit.popularity_learner": (
            fit.popularity_learner in ("", *LEARNERS),
            f"give one of {', '.join(LEARNERS)}, or nothing",
        ),
        "fit.min_label_articles": (fit.min_label_articles >= 1, "give 1 or more"),
        "decisions.targets": (all(0 < t < 1 for t in decisions.targets), "give numbers between 0 and 1"),
        "decisions.target": (
            decisions.target in decisions.targets,
            "give one of decisions.targets, or add it there",
        ),
        "decisions.confidence": (0 < decisions.confidence < 1, share),
        "decisions.sections": (
            all(0 < t < 1 for t in decisions.sections.values()),
            "give numbers between 0 and 1",
        ),
        "decisions.coverages": (all(0 < c < 1 for c in decisions.coverages), "give numbers between 0 and 1"),
    }


def _build(kind: type[T], data: Any, where: str, prefix: str) -> T:
    if not isinstance(data, Mapping):
        raise ConfigError(f"[{prefix.rstrip('.')}] must be a table", where=where)
    hints = get_type_hints(kind)
    values = {}
    for name, value in data.items():
        _known(name, tuple(hints), where, prefix)
        hint = hints[name]
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            values[name] = _build(hint, value, where, f"{prefix}{name}.")
        else:
            values[name] = _value(hint, value, where, f"{prefix}{name}")
    return kind(**values)


def _value(hint: Any, value: Any, where: str, name: str) -> Any:
    try:
        return _converted(hint, value)
    except (TypeError, OverflowError):
        kind = _KIND_NAMES[hint.__name__ if hint in (str, int, float, bool) else str(hint)]
        raise ConfigError(
            f"{name} must be {kind}, not {value!r:.60}", where=where, remedy=f"it is: {_help(name)}"
        ) from None


def _converted(hint: Any, value: Any) -> Any:
    if hint in (dict[str, str], dict[str, float]):
        if isinstance(value, Mapping):
            return {key: _converted(get_args(hint)[1], item) for key, item in value.items()}
    elif hint in (tuple[str, ...], tuple[float, ...]):
        if isinstance(value, list | tuple):
            return tuple(_converted(get_args(hint)[0], item) for item in value)
    elif type(value) is hint:
        return value
    elif hint is float and type(value) is int:
        return float(value)
    raise TypeError


def _known(name: str, names: tuple[str, ...], where: str, prefix: str) -> None:
    if name not in names:
        close = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {prefix}{close[0]}?" if close else f"known here: {', '.join(names)}"
        raise ConfigError(f"there is no setting {prefix}{name}", where=where, remedy=hint)


def _get(config: Config, name: str) -> Any:
    table, setting = name.split(".")
    return getattr(getattr(config, table), setting)


def _help(name: str) -> str:
    table, _, setting = name.partition(".")
    section = next(f for f in dataclasses.fields(Config) if f.name == table)
    if "help" in section.metadata:
        return str(section.metadata["help"])
    kind = get_type_hints(Config)[section.name]
    return str(next(f for f in dataclasses.fields(kind) if f.name == setting).metadata["help"])
