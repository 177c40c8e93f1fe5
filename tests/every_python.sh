#!/bin/sh
# Runs the suite on the interpreters from 3.10 on that this machine has: all of them, with all that is
# marked as exhaustive on the newest; or with --ends the oldest and the newest, and there the journeys,
# the oracle and wheels from PyPI on the newest alone.
# Each gets an environment of its own, .venv-3.N. With --list it prints the interpreters, and does no
# more. PYTHONS names them, where they are not to be looked for.
set -eu
cd "$(dirname "$0")/.."

find_python() {
    for candidate in ${PYTHONS:-$(command -v "python3.$1" || true) \
        "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3."$1".*/bin/python}; do
        # Launchers of version managers are on PATH even where they start nothing.
        if "$candidate" -c "import sys, venv
sys.exit(1) if sys.version_info[:2] != (3, $1) else print(sys.executable)" 2>/dev/null; then
            return
        fi
    done
}

found=
for minor in 10 11 12 13 14; do
    if [ -n "$(find_python $minor)" ]; then
        found="$found $minor"
    fi
done
if [ "${1:-}" = --list ]; then
    for minor in $found; do find_python "$minor"; done
    exit
fi
mode=${1:-}
set -- $found
oldest=$1
while [ $# -gt 1 ]; do shift; done
newest=$1
chosen=$found
if [ "$mode" = --ends ]; then
    chosen=$oldest
    if [ "$oldest" != "$newest" ]; then chosen="$oldest $newest"; fi
fi
for minor in $chosen; do
    python=$(find_python "$minor")
    echo "== Python 3.$minor: $python"
    if [ "$minor" = "$newest" ]; then
        tests=--take=all
        if [ "$mode" = --ends ]; then tests=--take=ends; fi
    elif [ "$mode" = --ends ]; then
        tests="--ignore=tests/journeys --ignore=tests/oracle"
    else
        tests=
    fi
    make --no-print-directory test PYTHON="$python" VENV=".venv-3.$minor" TESTS="$tests"
done
