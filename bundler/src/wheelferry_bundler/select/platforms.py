"""Maps the name of a platform to its platform tags and marker values.

Names are platform tags (`manylinux_2_28_x86_64`, `win_amd64`, `macosx_11_0_arm64`) or those of uv's
`--python-platform`. References: PEP 600 (manylinux), PEP 656 (musllinux).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from packaging.tags import mac_platforms

from wheelferry_schemas.errors import UsageError

_LEGACY_MANYLINUX = {"manylinux1": 5, "manylinux2010": 12, "manylinux2014": 17}
_ALIASES = {
    "linux": "manylinux_2_28_x86_64",
    "windows": "win_amd64",
    "macos": "macosx_13_0_arm64",
    "x86_64-pc-windows-msvc": "win_amd64",
    "aarch64-pc-windows-msvc": "win_arm64",
    "i686-pc-windows-msvc": "win32",
    "x86_64-unknown-linux-gnu": "manylinux_2_28_x86_64",
    "aarch64-unknown-linux-gnu": "manylinux_2_28_aarch64",
    "x86_64-unknown-linux-musl": "musllinux_1_2_x86_64",
    "aarch64-unknown-linux-musl": "musllinux_1_2_aarch64",
    "riscv64-unknown-linux": "manylinux_2_39_riscv64",
    "aarch64-apple-darwin": "macosx_13_0_arm64",
    "x86_64-apple-darwin": "macosx_13_0_x86_64",
}
_MACHINE_NAMES = {
    **dict.fromkeys(("x86_64", "amd64", "x64", "64"), "x86_64"),
    **dict.fromkeys(("aarch64", "arm64", "armv8"), "aarch64"),
    **dict.fromkeys(("i686", "i386", "i586", "x86", "32"), "i686"),
    **dict.fromkeys(("armv7l", "armv7", "armhf"), "armv7l"),
    **dict.fromkeys(("ppc64le", "ppc64el", "powerpc64le"), "ppc64le"),
}
"""Other names of machines: in Debian, in containers, on Windows."""
_LINUX_MACHINES = ("x86_64", "aarch64", "i686", "armv7l", "ppc64le", "s390x", "riscv64")
_WINDOWS_MACHINES = {"win_amd64": "AMD64", "win_arm64": "ARM64", "win32": "x86"}
_DEFAULT_GLIBC = 28
"""The glibc minor version of `linux_*`, as of uv's platform `linux`."""
_MAX_MINOR = 99
_MACHINE = "|".join(_LINUX_MACHINES)
_MANYLINUX = re.compile(rf"manylinux_2_(\d+)_({_MACHINE})")
_LEGACY = re.compile(rf"(manylinux1|manylinux2010|manylinux2014)_({_MACHINE})")
_MUSLLINUX = re.compile(rf"musllinux_1_(\d+)_({_MACHINE})")
_LINUX = re.compile(rf"linux_({_MACHINE})")
_UV_MANYLINUX = re.compile(r"(x86_64|aarch64)-(manylinux2014|manylinux_2_\d+)")
_MACOS = re.compile(r"macosx_(\d+)_(\d+)_(x86_64|arm64)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """A platform: its canonical name, its tags (best first) and its marker values."""

    name: str
    tags: tuple[str, ...]
    os_name: str
    sys_platform: str
    platform_system: str
    platform_machine: str


def parse_platform(text: str) -> Platform:
    """Return the platform of that name; raises `UsageError` with similar names."""
    platform = _parse(text.strip())
    if platform is None:
        raise _unknown_platform(text)
    return platform


def _parse(name: str) -> Platform | None:
    name = _ALIASES.get(name, name)
    if match := _UV_MANYLINUX.fullmatch(name):
        name = f"{match[2]}_{match[1]}"
    if match := _LINUX.fullmatch(name):
        name = f"manylinux_2_{_DEFAULT_GLIBC}_{match[1]}"
    if match := _LEGACY.fullmatch(name):
        return _linux(name, match[2], _manylinux_tags(_LEGACY_MANYLINUX[match[1]], match[2]))
    if (match := _MANYLINUX.fullmatch(name)) and int(match[1]) <= _MAX_MINOR:
        return _linux(name, match[2], _manylinux_tags(int(match[1]), match[2]))
    if (match := _MUSLLINUX.fullmatch(name)) and int(match[1]) <= _MAX_MINOR:
        tags = (f"musllinux_1_{minor}_{match[2]}" for minor in range(int(match[1]), -1, -1))
        return _linux(name, match[2], tags)
    if match := _MACOS.fullmatch(name):
        return _macos(name, (int(match[1]), int(match[2])), match[3])
    if name in _WINDOWS_MACHINES:
        return Platform(
            name=name,
            tags=(name,),
            os_name="nt",
            sys_platform="win32",
            platform_system="Windows",
            platform_machine=_WINDOWS_MACHINES[name],
        )
    return None


def glibc_minor(platform_tag: str) -> int | None:
    """Return N of a manylinux tag that asks for glibc 2.N, None for any other tag."""
    if match := re.match(r"manylinux_2_(\d+)_", platform_tag):
        return int(match[1])
    legacy, _, _ = platform_tag.partition("_")
    return _LEGACY_MANYLINUX.get(legacy)


def uv_platform(platform: Platform) -> str:
    """Return uv's nearest `--python-platform`; never one that asks for a newer libc."""
    machine = platform.platform_machine
    if platform.sys_platform == "win32":
        return {"AMD64": "x86_64", "ARM64": "aarch64", "x86": "i686"}[machine] + "-pc-windows-msvc"
    if platform.sys_platform == "darwin":
        return ("aarch64" if machine == "arm64" else "x86_64") + "-apple-darwin"
    if machine == "riscv64":
        return "riscv64-unknown-linux"
    if machine not in ("x86_64", "aarch64"):
        raise UsageError(
            f"uv cannot resolve requirements for {platform.name}",
            hint="lock the project with uv (uv.lock) or pip (pylock.toml) and bundle from that",
        )
    minor = glibc_minor(platform.name)
    if minor is None:
        return f"{machine}-unknown-linux-musl"
    known = [known for known in (17, 28, *range(31, 41)) if known <= minor]
    return f"{machine}-manylinux_2_{known[-1] if known else 17}"


def _linux(name: str, machine: str, tags: Iterator[str]) -> Platform:
    return Platform(
        name=name,
        tags=(*tags, f"linux_{machine}"),
        os_name="posix",
        sys_platform="linux",
        platform_system="Linux",
        platform_machine=machine,
    )


def _manylinux_tags(newest: int, machine: str) -> Iterator[str]:
    # manylinux1 and manylinux2010 were only ever defined for these two machines (PEP 513, 571).
    oldest = 5 if machine in ("x86_64", "i686") else 17
    legacy = {minor: alias for alias, minor in _LEGACY_MANYLINUX.items()}
    for minor in range(newest, oldest - 1, -1):
        yield f"manylinux_2_{minor}_{machine}"
        if minor in legacy:
            yield f"{legacy[minor]}_{machine}"


def _macos(name: str, version: tuple[int, int], machine: str) -> Platform:
    return Platform(
        name=name,
        tags=tuple(mac_platforms(version, machine)),
        os_name="posix",
        sys_platform="darwin",
        platform_system="Darwin",
        platform_machine=machine,
    )


def _unknown_platform(text: str) -> UsageError:
    known = [
        *(f"manylinux_2_28_{machine}" for machine in _LINUX_MACHINES),
        *(f"manylinux2014_{machine}" for machine in _LINUX_MACHINES),
        *(f"musllinux_1_2_{machine}" for machine in _LINUX_MACHINES),
        *_WINDOWS_MACHINES,
        "macosx_11_0_arm64",
        "macosx_10_9_x86_64",
        *_ALIASES,
    ]
    spelled = _spelled(text)
    near = [spelled] if _parse(spelled) else difflib.get_close_matches(spelled, known, n=3)
    return UsageError(
        f"unknown platform {text!r}",
        hint=f"did you mean {' or '.join(near)}?"
        if near
        else "examples: manylinux_2_28_x86_64, manylinux2014_aarch64, musllinux_1_2_x86_64, "
        "win_amd64, macosx_11_0_arm64",
    )


def _spelled(text: str) -> str:
    """Return a name with the machine spelled as platform tags of its system spell it."""
    name = re.sub(r"[^a-z0-9]+", "_", text.strip().lower())
    match = re.fullmatch(rf"(.*?)_?({'|'.join(sorted(_MACHINE_NAMES, key=len)[::-1])})", name)
    if match is None or not match[1]:
        return name
    system, machine = match[1], _MACHINE_NAMES[match[2]]
    if system.startswith("win"):
        return {"x86_64": "win_amd64", "aarch64": "win_arm64"}.get(machine, "win32")
    if system.startswith("mac"):
        version = system.strip("macosx_") or "11"
        machine = "arm64" if machine == "aarch64" else machine
        return f"macosx_{version if '_' in version else f'{version}_0'}_{machine}"
    return f"{system}_{machine}"
