"""Every error that Newsdesk raises on purpose.

NewsdeskError
├── UsageError               arguments that cannot be used together, or at all
│   ├── ConfigError          a configuration file or one of its settings
│   ├── NotResumable         an interrupted run that cannot be gone on with
│   └── MissingExtra         a command whose optional packages are not installed
├── InputError               something that was given to read
│   ├── FieldError           one field of one article
│   ├── PageError            one line of one crawled page
│   ├── FormatError          a file that is not what its name says, or of no known format
│   │   └── NoArticles       a table without a column of text
│   ├── PipelineError        a scikit-learn pipeline that cannot be compiled
│   └── RowsRejected         some rows were rejected, the others were processed (exit code 1)
├── LabelError               labelled articles that cannot be trained from or evaluated on
├── ArtifactError            a model or version folder
│   ├── ArtifactMissing      there is none, or a file of it is gone
│   ├── ArtifactDamaged      a file is not the one that was written
│   └── ArtifactFromFuture   written by a newer Newsdesk
├── OutputError              a target that cannot be written
└── InstallationError        Newsdesk itself is not whole

Each carries its facts as attributes; its text says what is wrong, where, and how to mend it.
"""

from __future__ import annotations

from typing import Any


class NewsdeskError(Exception):
    """Base class: ``problem`` (what), ``where`` (file, line, field), ``remedy`` (what to do)."""

    exit_code = 2

    def __init__(self, problem: str, *, where: str | None = None, remedy: str | None = None) -> None:
        self.problem = problem
        self.where = where
        self.remedy = remedy
        super().__init__(problem, where, remedy)

    def __reduce__(self) -> tuple[Any, ...]:
        return _made_again, (type(self), self.args, self.__dict__)  # as workers of a cluster send it

    def __str__(self) -> str:
        text = f"{self.where}: {self.problem}" if self.where else self.problem
        return f"{text}; {self.remedy}" if self.remedy else text


def _made_again(
    kind: type[NewsdeskError], arguments: tuple[Any, ...], facts: dict[str, Any]
) -> NewsdeskError:
    error = kind.__new__(kind)
    error.args = arguments
    error.__dict__.update(facts)
    return error


class UsageError(NewsdeskError):
    """Arguments that cannot be used together, or at all."""


class ConfigError(UsageError):
    """A configuration file, or one setting in it."""


class NotResumable(UsageError):
    """An interrupted run cannot be gone on with."""

    def __init__(self, problem: str, *, where: str) -> None:
        super().__init__(
            f"the interrupted run cannot be gone on with: {problem}",
            where=where,
            remedy="give what was given then, or --force to begin again",
        )


class MissingExtra(UsageError):
    """A command needs an optional set of packages (``extra``) that is not installed."""

    def __init__(self, extra: str, *, module: str) -> None:
        self.extra = extra
        self.module = module
        super().__init__(
            f"this needs the package {module}, which is not installed",
            remedy=f'install Newsdesk with its "{extra}" extra',
        )


class InputError(NewsdeskError):
    """Something that was given to read."""


class FieldError(InputError):
    """One ``field`` of one article holds what it must not."""

    def __init__(
        self, field: str, problem: str, *, where: str | None = None, remedy: str | None = None
    ) -> None:
        self.field = field
        super().__init__(problem, where=where, remedy=remedy)

    def __str__(self) -> str:
        text = f"{self.field}: {self.problem}"
        if self.where:
            text = f"{self.where}: {text}"
        return f"{text}; {self.remedy}" if self.remedy else text


class PageError(InputError):
    """A crawled page cannot be read at ``line`` (1-based) of ``file``; ``expected`` says what belongs there."""

    def __init__(
        self,
        problem: str,
        *,
        file: str,
        line: int,
        expected: str,
    ) -> None:
        self.file = file
        self.line = line
        self.expected = expected
        super().__init__(problem, where=f"{file}, line {line}", remedy=f"expected {expected}")


class FormatError(InputError):
    """A file is not what its name says, or of no known format."""


class NoArticles(FormatError):
    """A table has neither a column of text nor one that could complete articles."""


class PipelineError(InputError):
    """A scikit-learn pipeline, or one step of it, that cannot be compiled exactly."""


class RowsRejected(InputError):
    """Some rows were rejected; the others were processed."""

    exit_code = 1

    def __init__(self, rejected: int, total: int, *, named: str = "") -> None:
        self.rejected = rejected
        self.total = total
        remedy = f"they are named {named}" if named else "see above, and newsdesk read --report --json"
        super().__init__(f"{rejected} of {total} rows were rejected", remedy=remedy)


class LabelError(NewsdeskError):
    """Labelled articles that cannot be trained from or evaluated on."""


class ArtifactError(NewsdeskError):
    """A model folder or version folder."""


class ArtifactMissing(ArtifactError):
    """There is no such model, version, or file of it."""


class ArtifactDamaged(ArtifactError):
    """A file of a version is not the one that was written."""


class ArtifactFromFuture(ArtifactError):
    """The version was written in a newer format than this Newsdesk reads."""


class OutputError(NewsdeskError):
    """A target that cannot be written."""


class InstallationError(NewsdeskError):
    """A part of Newsdesk that should have been installed with it is missing or cannot be used here."""
