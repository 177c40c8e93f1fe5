"""Which bundles the command line and the settings of a source call for together.

The command line wins over the settings, these over the defaults. An option that takes several
values replaces what is stated below it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from wheelferry_bundler.create.requesting import CreateOptions
from wheelferry_bundler.model.expiry import expires_at
from wheelferry_bundler.model.option_rules import EXCLUSIVE
from wheelferry_bundler.model.output_names import asks_for, check_output_name, date_of, filled
from wheelferry_bundler.read import targets as read_targets
from wheelferry_bundler.read.settings import Settings
from wheelferry_bundler.read.settings_keys import KEYS, Value
from wheelferry_schemas.errors import UsageError
from wheelferry_schemas.target import Target

if TYPE_CHECKING:
    from wheelferry_bundler.create.bundle_plan import BundlePlan

_LISTS = {
    **{
        option: f"{option.replace('-', '_')}s"
        for option in (
            *("extra", "no-extra", "group", "no-group", "only-group", "package"),
            *("no-install-package", "python-archive", "index-url", "no-build-package"),
            "config-setting",
        )
    },
    "find-links": "find_links",
}
_FLAGS = (
    *("all-extras", "all-groups", "no-default-groups", "all-packages", "no-install-project"),
    *("no-install-workspace", "no-install-local", "no-build", "with-build-deps"),
    *("allow-missing-hash", "allow-outside-paths"),
)
_TYPED = ("target", "allow-missing-hash", "allow-outside-paths")
"""Options of the command line that no settings hold."""
_OPPOSITES = {"group": "no-group", "extra": "no-extra", "no-group": "group", "no-extra": "extra"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedBundle:
    """A bundle that is asked for, before anything is planned.

    `names` are those of its targets in the settings. `output` may still have placeholders:
    `outputs_of` fills them in. `keys` are files of keys to sign with, none for
    the user's own.
    """

    names: tuple[str, ...]
    targets: tuple[Target, ...]
    options: CreateOptions
    output: Path
    keys: tuple[Path, ...]
    self_contained: bool


def wanted_bundles(
    settings: Settings | None, given: Mapping[str, Value], created: int
) -> tuple[WantedBundle, ...]:
    """Return the bundles that options and settings call for, at least one.

    `given` are the options of the command line, by their names without dashes; `created` is when
    the bundles are made. Raises `UsageError` for options that exclude each other, and for two
    targets that would make one file of different options.
    """
    unknown = given.keys() - {*KEYS, *_TYPED}
    if unknown:
        raise UsageError(
            f"no option of a bundle: {', '.join(sorted(unknown))}",
            hint="options are called as on the command line, without dashes: no-dev",
        )
    parts = [
        part
        for name, layers in _levels(settings, given)
        for part in _parts(name, _layered(layers), created)
    ]
    bundles: dict[Path, WantedBundle] = {}
    for part in parts:
        known = bundles.get(part.output)
        bundles[part.output] = part if known is None else _joined(known, part)
    return tuple(bundles.values())


def outputs_of(bundles: Sequence[WantedBundle], plans: Sequence[BundlePlan]) -> tuple[Path, ...]:
    """Return the file of each bundle, with name and version of its plan filled in.

    Raises `UsageError` where the source states no version, and where two would be one file.
    """
    seen: dict[Path, WantedBundle] = {}
    outputs = []
    for bundle, plan in zip(bundles, plans, strict=True):
        values = {"name": plan.name, "version": plan.version}
        output = Path(filled(str(bundle.output), values))
        other = seen.setdefault(output.resolve(), bundle)
        if other is not bundle:
            raise _one_file(_called(other), _called(bundle), output)
        outputs.append(output)
    return tuple(outputs)


def _levels(
    settings: Settings | None, given: Mapping[str, Value]
) -> Iterator[tuple[str | None, list[Mapping[str, Value]]]]:
    """Yield what is stated for each target, or for all without a name (None), the weakest first."""
    own = {} if settings is None else settings.targets
    names, files = _divided(given, own)
    if not (names or files or "platform" in given):
        names = list(own)
    outside = bool(given.get("allow-outside-paths"))
    typed = {option: value for option, value in given.items() if option != "target"}

    def located(values: Mapping[str, Value], target: str | None = None) -> dict[str, Value]:
        # What is replaced may lead wherever it wants.
        rest = {option: value for option, value in values.items() if option not in typed}
        return settings.located(rest, target, outside=outside) if settings else {}

    for name in names:
        target = own[name]
        if "describe" in target and ("platform" in typed or "python" in typed):
            raise UsageError(
                f"the target {name} is described by {target['describe']}: --platform and --python "
                "cannot change it",
                hint="leave them out, or name the targets that they are meant for with --target",
            )
        assert settings is not None
        hidden = {*target, *(("platform", "python") if "describe" in target else ())}
        above = {o: v for o, v in settings.values.items() if o not in hidden}
        yield name, [located(above), located(target, name), typed]
    if files or not names:
        above = dict(settings.values) if settings else {}
        if files:
            above = {o: v for o, v in above.items() if o not in ("platform", "python")}
            typed["describe"] = tuple(files)
        yield None, [located(above), typed]


def _divided(given: Mapping[str, Value], own: Mapping[str, object]) -> tuple[list[str], list[str]]:
    """Return the named targets that are asked for, and the files of others."""
    asked = given.get("target", ())
    assert isinstance(asked, tuple)
    names = [text for text in dict.fromkeys(asked) if text in own]
    files = [text for text in asked if text not in own]
    for text in files:
        if own and not Path(text).exists():
            raise UsageError(
                f"there is no target {text}, and no such file",
                hint=f"the settings name {', '.join(own)}; a file is what 'bundle target' wrote",
            )
    return names, files


def _layered(layers: Sequence[Mapping[str, Value]]) -> dict[str, Value]:
    """Return what holds of several layers; an option sets aside what it excludes below it."""
    result: dict[str, Value] = {}
    for layer in layers:
        for sides in EXCLUSIVE:
            for one, other in (sides, sides[::-1]):
                if any(layer.get(option) for option in one):
                    for option in other:
                        result.pop(option, None)
        for option, opposite in _OPPOSITES.items():
            taken = layer.get(option, ())
            below = result.get(opposite)
            if isinstance(below, tuple) and isinstance(taken, tuple):
                result[opposite] = tuple(name for name in below if name not in taken)
        if "dev" in _texts(layer.get("group", ())):
            result.pop("no-dev", None)
        result.update(layer)
    return result


def _parts(name: str | None, stated: Mapping[str, Value], created: int) -> Iterator[WantedBundle]:
    """Yield what is to be made for one target, or for all that have no name."""
    targets = read_targets.make_targets(
        _texts(stated.get("platform", ())),
        _texts(stated.get("python", ())),
        [Path(text) for text in _texts(stated.get("describe", ()))],
    )
    contained = bool(stated.get("self-contained"))
    default = "bundle.pyz" if contained else "bundle.tar.zst"
    output = str(stated.get("output", default))
    check_output_name(output)
    output = filled(output, {"date": date_of(created)})
    whole = WantedBundle(
        names=() if name is None else (name,),
        targets=targets,
        options=_options(stated, created),
        output=Path(output),
        keys=tuple(map(Path, _texts(stated.get("key", ())))),
        self_contained=contained,
    )
    if not asks_for(output, "target"):
        yield whole
    elif name is not None:
        yield replace(whole, output=Path(filled(output, {"target": name})))
    else:
        for target in targets:
            named = Path(filled(output, {"target": target.id}))
            yield replace(whole, targets=(target,), output=named)


def _options(stated: Mapping[str, Value], created: int) -> CreateOptions:
    lists = {field: _texts(stated.get(option, ())) for option, field in _LISTS.items()}
    if stated.get("no-dev"):
        lists["no_groups"] = (*lists["no_groups"], "dev")
    if stated.get("only-dev"):
        lists["only_groups"] = (*lists["only_groups"], "dev")
    flags = {option.replace("-", "_"): bool(stated.get(option)) for option in _FLAGS}
    expires, name = stated.get("expires"), stated.get("name")
    return CreateOptions(
        **{**lists, "find_links": tuple(map(Path, lists["find_links"]))},  # type: ignore[arg-type]
        **flags,  # type: ignore[arg-type]
        name=None if name is None else str(name),
        expires=None if expires is None else expires_at(str(expires), created),
    )


def _joined(one: WantedBundle, other: WantedBundle) -> WantedBundle:
    """Return one bundle for the targets of two; raises `UsageError` where anything else differs."""
    plain = replace(one, names=other.names, targets=other.targets)
    together = {target.id: target for target in one.targets}
    same = all(together.setdefault(target.id, target) == target for target in other.targets)
    if plain != other or not same:
        raise _one_file(_called(one), _called(other), one.output)
    return replace(
        one,
        names=(*one.names, *other.names),
        targets=tuple(together[target_id] for target_id in sorted(together)),
    )


def _called(bundle: WantedBundle) -> str:
    if bundle.names:
        return f"the target {' and '.join(bundle.names)}"
    return f"the target {', '.join(target.id for target in bundle.targets)}"


def _one_file(one: str, other: str, output: Path) -> UsageError:
    return UsageError(
        f"{one} and {other} would both be {output}, with different options",
        hint="give each an output of its own, or one output with {target} in it; or give both the "
        "same options",
    )


def _texts(value: Value) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (str(value),)
