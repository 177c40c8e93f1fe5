#!/bin/sh
# Carries these packages across with tar, and installs them with pip and with uv. Usage: demo.sh BIN_FOLDER
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

say "air-gapped host: without a network, with empty caches"
cat > "$work/far-side.sh" <<'FAR'
set -eu
tar --zstd -xf bundle.tar.zst
for way in one two three four; do python3 -m venv --without-pip $way; done
pip --python one install --quiet --no-index --find-links wheels --require-hashes -r requirements.txt
pip --python two install --quiet -r pylock.toml
uv pip sync --quiet --offline --python three pylock.toml
uv pip install --quiet --offline --no-index --find-links wheels --python four -r requirements.txt
for way in one two three four; do
    $way/bin/python -c 'import httpx, pydantic, yaml; print("pydantic", pydantic.VERSION)'
done
FAR
cd "$work/far"
far_side sh "$work/far-side.sh"
    $airgap sh "$work/far-side.sh"
