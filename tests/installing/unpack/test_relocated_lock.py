from typing import Any

import pytest

from support.making.bundles import make_manifest
from support.making.locks import edge, package, project, uv_lock
from support.making.wheels import TinyWheel, make_wheel
from wheelferry_installer.unpack.project_lock import read_uv_lock
from wheelferry_installer.unpack.relocated_lock import Relocated, relocate
from wheelferry_schemas.bundle.manifest import Manifest

FOLDER = "wheels"


def listed(*wheels: TinyWheel) -> str:
    """Return the wheels of a package as a lock lists them."""
    return (
        "wheels = ["
        + ", ".join(
            f'{{ url = "https://index.example/{w.file_name}", hash = "sha256:{w.sha256}" }}'
            for w in wheels
        )
        + "]"
    )


def locked(*wheels: TinyWheel, **details: Any) -> str:
    name, version = wheels[0].file_name.split("-")[:2]
    return package(name, version, wheels=(), more=listed(*wheels), **details)


def built(manifest: Manifest, kind: str = "directory") -> Manifest:
    """Return a manifest that says of all wheels that they were built."""
    packages = tuple(
        p.replaced(source=p.source.replaced(built=True, kind=kind)) for p in manifest.packages
    )
    return manifest.replaced(packages=packages)


def relocated(
    *packages: str,
    manifest: Manifest,
    editable: dict[str, str] | None = None,
    trusted: bool = False,
) -> Relocated:
    lock = read_uv_lock(uv_lock(*packages))
    return relocate(lock, manifest, FOLDER, editable=editable or {}, trusted=trusted)


def entry(result: Relocated, name: str) -> dict[str, Any]:
    (found,) = (p for p in result.lock["package"] if p["name"] == name)
    return dict(found)


def test_package_points_at_the_folder_with_its_hash_unchanged() -> None:
    pure = make_wheel("pure")
    found = entry(relocated(locked(pure, sdist=True), manifest=make_manifest([pure])), "pure")
    assert found["source"] == {"registry": "wheels"}
    assert found["wheels"] == [
        {"path": pure.file_name, "hash": f"sha256:{pure.sha256}", "size": pure.size}
    ]
    assert "sdist" not in found


def test_wheels_that_are_not_in_the_bundle_are_dropped() -> None:
    here, elsewhere = make_wheel("pure"), make_wheel("pure", files={"elsewhere.py": b""}, build="1")
    found = entry(relocated(locked(here, elsewhere), manifest=make_manifest([here])), "pure")
    assert [wheel["path"] for wheel in found["wheels"]] == [here.file_name]


def test_package_that_is_not_in_the_bundle_has_no_files() -> None:
    found = entry(relocated(locked(make_wheel("windows")), manifest=make_manifest([])), "windows")
    assert found["source"] == {"registry": "wheels"}
    assert "wheels" not in found


def test_wheel_of_that_name_with_another_hash_is_not_taken() -> None:
    theirs, ours = make_wheel("pure"), make_wheel("pure", files={"other.py": b""})
    result = relocated(locked(theirs), manifest=make_manifest([ours]))
    assert not result.found
    assert "wheels" not in entry(result, "pure")


def test_lock_that_the_bundle_was_made_from_may_call_for_prebuilt_wheels() -> None:
    prebuilt = make_wheel("pure")
    lock = package("pure", wheels=(), sdist=True)
    result = relocated(lock, manifest=make_manifest([prebuilt]), trusted=True)
    assert entry(result, "pure")["wheels"][0]["path"] == prebuilt.file_name


def test_project_comes_from_the_wheel_that_was_built_of_it() -> None:
    demo = make_wheel("demo")
    result = relocated(project("demo"), manifest=built(make_manifest([demo])))
    assert entry(result, "demo")["source"] == {"registry": "wheels"}
    assert entry(result, "demo")["wheels"][0]["hash"] == f"sha256:{demo.sha256}"


def test_git_source_comes_from_the_wheel_that_was_built_of_it() -> None:
    lib = make_wheel("lib")
    lock = package(
        "lib", source='git = "https://git.example/lib?rev=1#' + "0" * 40 + '"', wheels=()
    )
    result = relocated(lock, manifest=built(make_manifest([lib]), "git"))
    assert entry(result, "lib")["source"] == {"registry": "wheels"}


@pytest.mark.parametrize(
    "source", ['url = "https://files.example/pure-1.0-py3-none-any.whl"', 'path = "pure.whl"']
)
def test_wheel_by_url_or_path_comes_from_the_folder(source: str) -> None:
    pure = make_wheel("pure")
    result = relocated(locked(pure, source=source), manifest=make_manifest([pure]))
    assert entry(result, "pure")["source"] == {"registry": "wheels"}
    assert entry(result, "pure")["wheels"][0]["path"] == pure.file_name


def test_wheel_that_was_built_of_another_kind_of_source_is_not_taken() -> None:
    lib = make_wheel("lib")
    lock = package(
        "lib", source='git = "https://git.example/lib?rev=1#' + "0" * 40 + '"', wheels=()
    )
    assert not relocated(lock, manifest=built(make_manifest([lib]), "directory")).found


def test_project_whose_version_is_dynamic_gets_that_of_its_wheel() -> None:
    demo = make_wheel("demo", "2.0")
    lock = package("demo", None, source='editable = "."', wheels=())
    result = relocated(lock, manifest=built(make_manifest([demo])))
    assert entry(result, "demo")["version"] == "2.0"


def test_virtual_project_stays_as_it_is() -> None:
    lock = package("demo", source='virtual = "."', wheels=())
    result = relocated(lock, manifest=make_manifest([]))
    assert entry(result, "demo")["source"] == {"virtual": "."}


def test_editable_project_points_at_its_folder() -> None:
    manifest = built(make_manifest([make_wheel("demo")]))
    result = relocated(project("demo"), manifest=manifest, editable={"demo": "../project"})
    found = entry(result, "demo")
    assert found["source"] == {"editable": "../project"}
    assert "wheels" not in found


def test_edges_that_name_a_source_follow_it() -> None:
    pure = make_wheel("pure")
    lock = locked(pure)
    need = (
        '{ name = "pure", version = "1.0", source = { registry = "https://index.example/simple" } }'
    )
    demo = project("demo", need, extras={"more": [need]}, groups={"dev": [need]})
    found = entry(relocated(lock, demo, manifest=make_manifest([pure])), "demo")
    edges = [
        *found["dependencies"],
        *found["optional-dependencies"]["more"],
        *found["dev-dependencies"]["dev"],
    ]
    assert [e["source"] for e in edges] == [{"registry": "wheels"}] * 3


def test_one_version_from_two_indexes_stays_two_packages() -> None:
    linux = make_wheel("torch", tag="py3-none-manylinux_2_17_x86_64")
    windows = make_wheel("torch", tag="py3-none-win_amd64")
    result = relocated(
        locked(linux),
        locked(windows, source='registry = "https://other.example/simple"'),
        project(
            "demo",
            '{ name = "torch", version = "1.0", source = { registry = "https://other.example/simple" } }',
        ),
        manifest=make_manifest([linux]),
    )
    first, second, demo = result.lock["package"]
    assert (first["source"], second["source"]) == ({"registry": "wheels"}, {"registry": "./wheels"})
    assert demo["dependencies"][0]["source"] == {"registry": "./wheels"}


def test_the_old_lock_is_not_changed() -> None:
    pure = make_wheel("pure")
    data = uv_lock(locked(pure))
    lock = read_uv_lock(data)
    relocate(lock, make_manifest([pure]), FOLDER, editable={}, trusted=True)
    assert lock == read_uv_lock(data)


def test_one_edge_without_a_source_stays_without() -> None:
    pure = make_wheel("pure")
    result = relocated(locked(pure), project("demo", edge("pure")), manifest=make_manifest([pure]))
    assert entry(result, "demo")["dependencies"] == [{"name": "pure"}]
