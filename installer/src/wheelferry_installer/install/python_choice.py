"""Which Python an environment is made with: its former one, one of this host, or the bundle's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wheelferry_schemas.errors import UnfitError

if TYPE_CHECKING:
    from wheelferry_installer.host.former_python import FormerPython
    from wheelferry_installer.host.interpreter_search import InterpreterQuery
    from wheelferry_installer.plan.fitting import Fit
    from wheelferry_schemas.bundle.manifest import Manifest, PythonArchive


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A Python that was started, and is about to say what it is.

    `former` is the one that the environment was made with, if that may be kept.
    """

    query: InterpreterQuery
    former: FormerPython | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonChoice:
    """What fits, and the Python of the bundle, where that is what fits."""

    fit: Fit
    bundled: PythonArchive | None = None


@contextmanager
def ask_ahead(python: str | None, environment: Path | None) -> Iterator[Asked]:
    """Start the Python that is tried first; other work can be done until it answers.

    That is the one that `environment` was made with, where one is named and its Python may be kept.
    """
    from wheelferry_installer.host.former_python import former_python

    former = None if environment is None else former_python(environment)
    with _query(python, former) as query:
        yield Asked(query=query, former=former)


def _query(python: str | None, former: FormerPython | None) -> InterpreterQuery:
    from wheelferry_installer.host.interpreter_search import InterpreterQuery, first_choice

    if former is not None and former.usable:
        with suppress(UnfitError):
            return InterpreterQuery(former.path)
    return InterpreterQuery(first_choice(python))


def choose(
    manifest: Manifest, python: str | None, asked: Asked, environment: Path, *, bundled: bool
) -> PythonChoice:
    """Return what fits: with a Python of this host, else with the one that the bundle brings.

    The latter comes first where the environment was made with one that a bundle brought, and alone
    where it is asked for. Raises `UnfitError`.
    """
    if bundled:
        return _of_bundle(manifest, asked, environment)
    former = asked.former
    if former is not None and former.bundled and manifest.pythons:
        with suppress(UnfitError):
            return _of_bundle(manifest, asked, environment)
    try:
        return PythonChoice(fit=fit_host(manifest, python, asked))
    except UnfitError:
        if python is not None or not manifest.pythons:
            raise
    return _of_bundle(manifest, asked, environment)


def fit_host(manifest: Manifest, python: str | None, asked: Asked) -> Fit:
    """Return what fits with a Python of this host; raises `UnfitError`."""
    from wheelferry_installer.host import interpreter_search
    from wheelferry_installer.plan import fitting

    minors = sorted({target.python[1] for target in manifest.targets})
    return fitting.fit(manifest, interpreter_search.find(python, minors, asked.query))


def _of_bundle(manifest: Manifest, asked: Asked, environment: Path) -> PythonChoice:
    from wheelferry_installer.host import interpreter_search
    from wheelferry_installer.plan import carried_fit

    host = next(interpreter_search.find(None, (), asked.query))
    fit = carried_fit.fit_bundled(manifest, host, environment)
    return PythonChoice(fit=fit, bundled=manifest.python_for(fit.target.id))
