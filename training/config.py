"""The training configuration: one table of settings, read from TOML, with defaults that need no file.

Every setting is a field of one of the dataclasses below; its metadata says what it does (docs/CONFIGURATION.md is held
against this table by a test). An unknown name or a wrong type stops the run with the name.
"""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from classifier.articles import ARTICLE_FIELDS, parse_timezone
from classifier.errors import ConfigError

T = TypeVar("T")


def _setting(default: Any, help_: str) -> Any:
    if isinstance(default, dict):
        return field(default_factory=lambda: dict(default), metadata={"help": help_})
    return field(default=default, metadata={"help": help_})


@dataclass(frozen=True, slots=True)
class DataConfig:
    """[data]"""

    timezone: str = _setting("", "zone of local days and hours, and of times without a zone (IANA name)")
    test_share: float = _setting(0.2, "share of articles held out where no split is given")
    ignore: tuple[str, ...] = _setting((), "columns to leave out")


@dataclass(frozen=True, slots=True)
class BoxConfig:
    """[boxes]"""

    taken_at: str = _setting("", "when boxes were printed: a time, or a strptime pattern looked for in file names")
    window_days: int = _setting(7, "how far back before a box was printed its unlisted articles may lie")


@dataclass(frozen=True, slots=True)
class FeatureConfig:
    """[features]"""

    categorical: tuple[str, ...] = _setting((), "further columns to use as categories in both heads")


@dataclass(frozen=True, slots=True)
class FitConfig:
    """[fit]"""

    seed: int = _setting(0, "seed of folds and solvers")
    folds: int = _setting(5, "folds for out-of-fold scores")
    section_c: float = _setting(1.0, "inverse regularisation of the section head (LinearSVC's C)")
    popularity_alpha: float = _setting(2.0, "regularisation of the popularity head (Ridge's alpha)")
    min_label_articles: int = _setting(2, "a label with fewer training articles is dropped and reported")


@dataclass(frozen=True, slots=True)
class DecisionConfig:
    """[decisions]"""

    target: float = _setting(0.95, "precision that `file` must hold")
    targets: tuple[float, ...] = _setting((0.95, 0.98, 0.99), "precisions for which thresholds are stored")
    confidence: float = _setting(0.9, "confidence with which a threshold holds its precision")


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that decides what a version will be, besides the data."""

    data: DataConfig = field(default_factory=DataConfig)
    columns: dict[str, str] = _setting({}, "our column names to the names in the data: headline = \"title\"")
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
        raise ConfigError("there is no such configuration file", where=str(path)) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"is no valid TOML ({error})", where=str(path)) from error
    return parse_config(data, where=str(path))


def parse_config(data: Mapping[str, Any], *, where: str = "configuration") -> Config:
    """Check every name and value.

    Raises:
        ConfigError: naming the setting.
    """
    config = _build(Config, data, where, "")
    if config.data.timezone:
        parse_timezone(config.data.timezone)
    for name in config.columns:
        _known(name, (*ARTICLE_FIELDS, "list", "taken_at", "rank", "article_id"), where, "columns.")
    checks = {
        "data.test_share": 0 < config.data.test_share < 1,
        "boxes.window_days": config.boxes.window_days >= 1,
        "fit.folds": config.fit.folds >= 2,
        "fit.section_c": config.fit.section_c > 0,
        "fit.popularity_alpha": config.fit.popularity_alpha > 0,
        "fit.min_label_articles": config.fit.min_label_articles >= 1,
        "decisions.targets": all(0 < t < 1 for t in config.decisions.targets),
        "decisions.target": config.decisions.target in config.decisions.targets,
        "decisions.confidence": 0 < config.decisions.confidence < 1,
    }
    for name, holds in checks.items():
        if not holds:
            raise ConfigError(f"{name} is out of range", where=where, remedy=_help(name))
    return config


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
    if hint is float and type(value) is int:
        value = float(value)
    if hint == dict[str, str]:
        fits = isinstance(value, Mapping) and all(isinstance(item, str) for item in value.values())
        value = dict(value) if fits else value
    elif hint == tuple[str, ...] or hint == tuple[float, ...]:
        kind = str if hint == tuple[str, ...] else (int, float)
        fits = isinstance(value, list | tuple) and all(isinstance(item, kind) for item in value)
        value = tuple(value) if fits else value
    else:
        fits = type(value) is hint
    if not fits:
        kind_name = getattr(hint, "__name__", str(hint)) if isinstance(hint, type) else str(hint)
        raise ConfigError(f"{name} must be a {kind_name}, not {value!r}", where=where)
    return value


def _known(name: str, names: tuple[str, ...], where: str, prefix: str) -> None:
    if name not in names:
        close = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {prefix}{close[0]}?" if close else f"known here: {', '.join(names)}"
        raise ConfigError(f"there is no setting {prefix}{name}", where=where, remedy=hint)


def _help(name: str) -> str:
    table, setting = name.split(".")
    section = next(f for f in dataclasses.fields(Config) if f.name == table)
    kind = get_type_hints(Config)[section.name]
    return str(next(f for f in dataclasses.fields(kind) if f.name == setting).metadata["help"])
