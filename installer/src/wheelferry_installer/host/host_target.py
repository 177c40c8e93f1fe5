"""Describes an interpreter of this host as a target for `bundle create`."""

from __future__ import annotations

from wheelferry_installer.host import interpreter_search
from wheelferry_installer.plan.interpreter import Interpreter
from wheelferry_schemas.errors import UnfitError
from wheelferry_schemas.target import MarkerEnvironment, Target


def describe_host(python: str | None) -> Target:
    """Return the target that a Python of this host is, by default this one; raises `UnfitError`."""
    return describe(next(interpreter_search.find(python, ()))).checked()


def describe(interpreter: Interpreter) -> Target:
    """Return the target that describes an interpreter; raises `UnfitError` if it is not CPython."""
    markers = interpreter.markers
    if markers["implementation_name"] != "cpython":
        raise UnfitError(
            f"bundles are for CPython, this is {interpreter.description}",
            hint="pass --python with the path of a CPython",
        )
    short = "cp" + markers["python_version"].replace(".", "")
    tags = [tag.split("-") for tag in interpreter.tags]
    # The stable ABIs and 'none' follow from the others.
    abis = dict.fromkeys(
        abi for python, abi, _ in tags if python == short and abi not in ("abi3", "abi3t", "none")
    )
    # A plain linux_* says nothing about the libc, so it comes last, as in selection.
    platforms = sorted(
        dict.fromkeys(platform for _, _, platform in tags if platform != "any"),
        key=lambda platform: platform.startswith("linux_"),
    )
    patch = markers["python_full_version"].removeprefix(f"{markers['python_version']}.")
    threads = "t" if any(abi.endswith("t") for abi in abis) else ""
    return Target(
        id=f"{short}_{patch.rstrip('+')}{threads}-{platforms[0]}",
        implementation="cpython",
        requires_python=f"=={markers['python_version']}.*",
        abis=tuple(abis),
        platforms=tuple(platforms),
        markers=MarkerEnvironment(
            implementation_name=markers["implementation_name"],
            implementation_version=markers["implementation_version"],
            os_name=markers["os_name"],
            platform_machine=markers["platform_machine"],
            platform_python_implementation=markers["platform_python_implementation"],
            platform_release=markers["platform_release"],
            platform_system=markers["platform_system"],
            platform_version=markers["platform_version"],
            python_full_version=markers["python_full_version"],
            python_version=markers["python_version"],
            sys_platform=markers["sys_platform"],
        ),
        assumed=(),
    )
