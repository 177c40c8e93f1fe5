from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from support.making.bundles import CREATED, make_manifest
from support.making.wheels import TinyWheel, make_wheel
from wheelferry_bundler.read.targets import make_target, parse_python
from wheelferry_bundler.select.platforms import parse_platform
from wheelferry_bundler.write.sbom import make_sbom
from wheelferry_schemas.bundle.manifest import Package, PythonArchive, Source

WHEELS = (make_wheel("demo"), make_wheel("helper", "2.0+local"), make_wheel("unused"))
LINUX = make_target(parse_platform("manylinux_2_28_x86_64"), parse_python("3.12"))
WINDOWS = make_target(parse_platform("win_amd64"), parse_python("3.12"))


RELEASE = PythonArchive(
    name="cpython-3.12.4+20240726-x86_64-unknown-linux-gnu-install_only.tar.gz",
    sha256="1" * 64,
    size=1,
    targets=(LINUX.id,),
)
UNNAMED = PythonArchive(
    name="python.tar.zst", sha256="2" * 64, size=1, targets=tuple(sorted((LINUX.id, WINDOWS.id)))
)


def packages_of(*wheels: TinyWheel, **edges: tuple[str, ...]) -> list[Package]:
    """Return the manifest's packages; `edges` are their dependencies by name."""
    manifest = make_manifest(wheels, (LINUX, WINDOWS))
    return [
        package.replaced(dependencies=edges.get(package.name, ())) for package in manifest.packages
    ]


def sbom_of(
    packages: list[Package],
    roots: tuple[str, ...] = ("demo",),
    pythons: Sequence[PythonArchive] = (),
) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(make_sbom("app", "1.0", CREATED, roots, packages, pythons))
    return data


def dependencies(bom: dict[str, Any], reference: str) -> list[str]:
    (entry,) = (entry for entry in bom["dependencies"] if entry["ref"] == reference)
    return list(entry.get("dependsOn", []))


def component(bom: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (component for component in bom["components"] if component["name"] == name)
    return dict(found)


def test_is_valid_by_the_schema() -> None:
    built = Source(
        kind="git",
        location="https://forge.example/demo",
        built=True,
        built_from=None,
        commit="0" * 40,
    )
    packages = packages_of(*WHEELS, demo=("helper",))
    packages[0] = packages[0].replaced(license="MIT OR Apache-2.0", source=built)
    packages[1] = packages[1].replaced(license="do as you like")
    packages[2] = packages[2].replaced(license="MIT")
    text = make_sbom("app", "1.0", CREATED, ["demo"], packages).decode()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


def test_is_valid_without_version_and_packages() -> None:
    text = make_sbom("app", None, CREATED, [], []).decode()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


def test_is_valid_with_pythons() -> None:
    text = make_sbom("app", None, CREATED, [], packages_of(*WHEELS), [RELEASE, UNNAMED]).decode()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


def test_has_the_same_bytes_for_the_same_bundle() -> None:
    sboms = [
        make_sbom("app", "1.0", CREATED, ["demo"], packages_of(*WHEELS, demo=("helper",)))
        for _ in range(2)
    ]
    assert sboms[0] == sboms[1]


def test_has_another_serial_number_for_another_wheel() -> None:
    changed = (make_wheel("demo", files={}), *WHEELS[1:])
    numbers = {sbom_of(packages_of(*wheels))["serialNumber"] for wheels in (WHEELS, changed)}
    assert len(numbers) == 2


def test_bears_the_time_of_the_bundle() -> None:
    assert sbom_of(packages_of())["metadata"]["timestamp"].startswith("2023-11-14T22:13:20")


def test_states_hash_and_package_url_of_each_wheel() -> None:
    found = component(sbom_of(packages_of(*WHEELS)), "helper")
    assert found["hashes"] == [{"alg": "SHA-256", "content": WHEELS[1].sha256}]
    url = PackageURL.from_string(found["purl"])
    assert (url.type, url.name, url.version) == ("pypi", "helper", "2.0+local")
    assert url.qualifiers == {"file_name": WHEELS[1].file_name}


def test_says_which_wheels_are_for_which_targets() -> None:
    wheel = make_wheel("colorama", tag="py3-none-win_amd64")
    properties = component(sbom_of(packages_of(wheel)), "colorama")["properties"]
    targets = [each["value"] for each in properties if each["name"] == "wheelferry:target"]
    assert targets == [WINDOWS.id]


def test_bundle_depends_on_its_roots() -> None:
    bom = sbom_of(packages_of(*WHEELS), roots=("demo", "unused"))
    assert dependencies(bom, "bundle:app") == [
        f"wheel:{WHEELS[0].file_name}",
        f"wheel:{WHEELS[2].file_name}",
    ]


def test_bundle_depends_on_what_nothing_else_asks_for_where_its_roots_stay_behind() -> None:
    bom = sbom_of(packages_of(*WHEELS, demo=("helper",)), roots=("project",))
    assert dependencies(bom, "bundle:app") == [
        f"wheel:{WHEELS[0].file_name}",
        f"wheel:{WHEELS[2].file_name}",
    ]


def test_bundle_depends_on_a_whole_cycle_where_its_roots_stay_behind() -> None:
    bom = sbom_of(packages_of(*WHEELS[:2], demo=("helper",), helper=("demo",)), roots=())
    assert len(dependencies(bom, "bundle:app")) == 2


def test_wheels_depend_on_each_other_as_the_lock_says() -> None:
    bom = sbom_of(packages_of(*WHEELS, demo=("helper",)))
    assert dependencies(bom, f"wheel:{WHEELS[0].file_name}") == [f"wheel:{WHEELS[1].file_name}"]


def test_wheel_depends_on_no_wheel_of_another_target() -> None:
    linux = make_wheel("helper", tag="cp312-cp312-manylinux_2_17_x86_64")
    windows = make_wheel("helper", tag="cp312-cp312-win_amd64")
    user = make_wheel("user", tag="py3-none-win_amd64")
    bom = sbom_of(packages_of(linux, windows, user, user=("helper",)))
    assert dependencies(bom, f"wheel:{user.file_name}") == [f"wheel:{windows.file_name}"]


def test_packages_of_a_cycle_depend_on_each_other() -> None:
    bom = sbom_of(packages_of(*WHEELS, demo=("helper",), helper=("demo",)))
    assert dependencies(bom, f"wheel:{WHEELS[1].file_name}") == [f"wheel:{WHEELS[0].file_name}"]


def test_python_is_a_platform_with_its_version_and_hash() -> None:
    found = component(sbom_of(packages_of(), pythons=[RELEASE]), "cpython")
    assert (found["type"], found["version"]) == ("platform", "3.12.4")
    assert found["hashes"] == [{"alg": "SHA-256", "content": RELEASE.sha256}]
    url = PackageURL.from_string(found["purl"])
    assert (url.type, url.name, url.version) == ("generic", "cpython", "3.12.4")
    assert url.qualifiers == {"file_name": RELEASE.name}


def test_python_can_be_looked_up_by_its_published_name() -> None:
    found = component(sbom_of(packages_of(), pythons=[RELEASE]), "cpython")
    assert found["cpe"] == "cpe:2.3:a:python:python:3.12.4:*:*:*:*:*:*:*"


def test_python_whose_file_name_does_not_tell_the_version_has_none() -> None:
    found = component(sbom_of(packages_of(), pythons=[UNNAMED]), "cpython")
    assert not {"version", "cpe"} & found.keys()
    assert "file_name=python.tar.zst" in found["purl"]


def test_says_which_pythons_are_for_which_targets() -> None:
    properties = component(sbom_of(packages_of(), pythons=[UNNAMED]), "cpython")["properties"]
    assert [each["value"] for each in properties] == list(UNNAMED.targets)


def test_bundle_depends_on_its_pythons() -> None:
    bom = sbom_of(packages_of(*WHEELS), pythons=[RELEASE])
    references = {f"python:{RELEASE.name}", f"wheel:{WHEELS[0].file_name}"}
    assert set(dependencies(bom, "bundle:app")) == references
    assert dependencies(bom, f"python:{RELEASE.name}") == []


def test_has_another_serial_number_for_another_python() -> None:
    changed = RELEASE.replaced(sha256="3" * 64)
    some: list[list[PythonArchive]] = [[], [RELEASE], [changed], [RELEASE, UNNAMED]]
    numbers = {sbom_of(packages_of(*WHEELS), pythons=each)["serialNumber"] for each in some}
    assert len(numbers) == len(some)


def test_python_changes_nothing_that_is_said_of_wheels() -> None:
    packages = packages_of(*WHEELS, demo=("helper",))
    without, bom = sbom_of(packages), sbom_of(packages, pythons=[RELEASE])
    wheels = [each for each in bom["components"] if each["type"] == "library"]
    assert wheels == without["components"]
    assert len(bom["components"]) == len(wheels) + 1
