#!/bin/sh
# Carries this project across, and has uv make its environment there. Usage: demo.sh BIN_FOLDER
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../common.sh"

mkdir "$work/online" "$work/far"
cp "$here/pyproject.toml" "$work/online"
# A signing key for this demo alone, so that no user's key is used.
XDG_CONFIG_HOME=$work/config
export XDG_CONFIG_HOME
bundle key new

say "online: uv lock, bundle create"
cd "$work/online"
uv lock --quiet
bundle create --output "$work/far/bundle.tar.zst"
cp "$XDG_CONFIG_HOME/wheelferry/signing_key.pub" "$work/far/alice.pub"

say "air-gapped host: without a network, with an empty cache"
cp pyproject.toml uv.lock "$work"
mkdir "$work/far/project"
cp pyproject.toml uv.lock "$work/far/project"
cat > "$work/far-side.sh" <<'FAR'
set -eu
bundle trust add --yes alice.pub
bundle unpack bundle.tar.zst ready --uv-lock project
cd ready
uv sync --frozen --offline --python "$(command -v python3)"
.venv/bin/python -c 'import numpy, pytest; print("numpy", numpy.__version__, "and pytest", pytest.__version__)'
FAR
cd "$work/far"
far_side sh "$work/far-side.sh"

say "the project's own files"
cmp "$work/uv.lock" project/uv.lock
cmp "$work/pyproject.toml" project/pyproject.toml
echo "uv.lock and pyproject.toml have not changed"
