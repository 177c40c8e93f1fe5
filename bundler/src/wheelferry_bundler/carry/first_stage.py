"""The first stage of a self-contained file: standard library only, no configuration.

It checks that this Python can run the installer and that every file of it has the hash listed
below, unpacks those for this host into a private folder, runs them, and removes the folder. The
syntax is that of Python 2.7, so that a Python that is too old reports an error of ours.
"""

import os
import sys

OLDEST = (3, 10)
UNFIT, TAMPERED, INPUT_OUTPUT = 5, 4, 7
PREFIX, SUFFIX, SECONDS = "wheelferry-", ".run", 60
FILES = {}  # type: dict[str, str]
SETS = []  # type: list[tuple[str, str, list[str]]]


def main(path):  # type: (str) -> None
    """Run the installer in the file at `path`."""
    names = fitting_set()  # Before importing anything that old Pythons lack.
    import concurrent.futures
    import importlib
    import io
    import shutil
    import signal
    import tempfile
    import zipfile

    files = sorted(checked(path, names), key=len, reverse=True)
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, stop)
    owner, folder = os.getpid(), tempfile.mkdtemp(SUFFIX, PREFIX)
    hold(folder)
    try:
        archives = [zipfile.ZipFile(io.BytesIO(data)) for data in files]
        for name in (name for archive in archives for name in archive.namelist()):
            os.makedirs(os.path.join(folder, os.path.dirname(name)), exist_ok=True)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda archive: archive.extractall(folder), archives))
        # Nobody has checked the packages installed on this host.
        sys.path[:] = [folder] + [entry for entry in sys.path[1:] if "-packages" not in entry]
        sys.dont_write_bytecode = True
        # A small one, to test whether compiled modules load from this folder.
        importlib.import_module("_cffi_backend")
        installer = importlib.import_module("wheelferry_installer.carried")
        if signal.getsignal(signal.SIGTERM) is stop:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)  # The installer handles it from here on.
        installer.main(path)
    except (ImportError, OSError) as error:
        hint = "where %s forbids programs, set TMPDIR to another folder" % os.path.dirname(folder)
        fail(INPUT_OUTPUT, "the installer cannot be started: %s" % error, hint)
    finally:
        if os.getpid() == owner:
            shutil.rmtree(folder, ignore_errors=True)
            remove_left(os.path.dirname(folder))


def hold(folder, until=float("inf")):  # type: (str, float) -> bool
    """Lock a folder until this process and its forks end; False if it is locked, or newer."""
    try:
        import fcntl

        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        found = os.fstat(descriptor)
        if found.st_uid != os.getuid() or found.st_mtime > until:
            return False
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):
        return False
    return True


def remove_left(place):  # type: (str) -> None
    """Remove folders of this user that interrupted runs left behind."""
    import shutil
    import time

    # The newest may not be locked yet.
    for name in os.listdir(place) if os.access(place, os.R_OK) else ():
        path, until = os.path.join(place, name), time.time() - SECONDS
        if name.startswith(PREFIX) and name.endswith(SUFFIX) and hold(path, until):
            shutil.rmtree(path, ignore_errors=True)


def fitting_set():  # type: () -> list[str]
    """Return the names of the files for this Python on this host, or exit with an error."""
    if sys.version_info < OLDEST:
        here = ".".join(map(str, sys.version_info[:3]))
        hint = "run it with a newer one; the Python to install for may be another: pass --python"
        fail(UNFIT, "this needs Python 3.10 or newer to run, and was started with %s" % here, hint)
    for version, platform, names in SETS:
        if version == python() and runs_here(platform):
            return names
    inside = ["Python %s on %s" % (version, platform) for version, platform, _ in SETS]
    here = "Python %s on %s" % (python(), "_".join(map(str, host())))
    hint = "run it with one of those; the Python to install for may be another: pass --python"
    fail(UNFIT, "this runs with %s; here is %s" % (", ".join(inside), here), hint)
    return []


def python():  # type: () -> str
    """Return the version and kind of this Python, as written in `SETS`."""
    import sysconfig

    if sys.implementation.name != "cpython":
        return sys.implementation.name
    free_threaded = sysconfig.get_config_var("Py_GIL_DISABLED")
    return "%d.%d%s" % (sys.version_info[0], sys.version_info[1], "t" if free_threaded else "")


def host():  # type: () -> tuple[object, ...]
    """Return the platform of this Python as the parts of a platform tag."""
    import platform
    import sysconfig

    if sys.platform == "win32":
        return tuple(sysconfig.get_platform().replace("-", "_").split("_"))
    machine = platform.machine()
    if sys.platform == "darwin":
        return ("macosx",) + numbers(platform.mac_ver()[0]) + (machine,)
    if sys.maxsize < 2**32:
        machine = {"x86_64": "i686", "aarch64": "armv7l"}.get(machine, machine)
    try:
        glibc = (os.confstr("CS_GNU_LIBC_VERSION") or "").split()[1]
    except (ValueError, OSError, IndexError):
        # musl does not report its version; 1.2 is from 2020.
        return ("musllinux", 1, 2, machine)
    return ("manylinux",) + numbers(glibc) + (machine,)


def numbers(version):  # type: (str) -> tuple[int, ...]
    """Return the first two parts of a version."""
    return tuple(int(part) for part in (version + ".0").split(".")[:2])


def runs_here(tag):  # type: (str) -> bool
    """Return whether code compiled for a platform tag runs on this host."""
    here, parts = host(), tag.split("_", 3)
    if tag == "_".join(map(str, here)):
        return True
    if len(parts) < 4 or len(here) < 4 or parts[0] != here[0]:
        return False
    oldest = (int(parts[1]), int(parts[2]))
    return oldest <= here[1:3] and parts[3] in (here[3], "universal2")


def checked(path, names):  # type: (str, list[str]) -> list[bytes]
    """Return files of the archive at `path`, or exit with an error if any file has another hash."""
    import hashlib
    import zipfile

    wanted = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for name in sorted(FILES):
                data = archive.read(name)
                if hashlib.sha256(data).hexdigest() != FILES[name]:
                    raise ValueError(name)
                wanted[name] = data if name in names else b""
    except Exception as error:  # noqa: BLE001 - a damaged archive may raise anything
        fail(TAMPERED, "this file was damaged or tampered with, do not use it: %s" % error)
    return [wanted[name] for name in names]


def stop(number, _frame):  # type: (int, object) -> None
    """Exit as a signal demands."""
    raise SystemExit(128 + number)


def fail(code, message, hint=""):  # type: (int, str, str) -> None
    """Print an error and exit."""
    sys.stderr.write("error: %s\n%s" % (message, "hint: %s\n" % hint if hint else ""))
    raise SystemExit(code)


if __name__ == "__main__":
    try:
        main(os.path.dirname(os.path.abspath(__file__)))
    except KeyboardInterrupt:
        fail(130, "stopped; nothing was changed", "to go on, run the same command again")
