#!/bin/sh
# Carries this example across an air gap that is made on the spot. Usage: demo.sh BIN_FOLDER
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../common.sh"

mkdir "$work/online" "$work/usb" "$work/far"
cp -r "$here/pyproject.toml" "$here/README.md" "$here/src" "$here/tests" "$work/online"
cd "$work/online"
# A signing key for this demo alone, so that no user's key is used.
XDG_CONFIG_HOME=$work/online-config
export XDG_CONFIG_HOME
bundle key new

say "online: uv lock"
uv lock --quiet
sha256sum pyproject.toml uv.lock > "$work/before"
grep -q "colorama.*sys_platform == 'win32'" uv.lock
echo "the lock mentions colorama for Windows"

say "online: bundle create"
bundle create --output "$work/usb/bundle.tar.zst"
cp "$XDG_CONFIG_HOME/wheelferry/signing_key.pub" "$work/usb/alice.pub"
bundle create --platform win_amd64 --python 3.12 --output "$work/windows.tar.zst" --quiet

say "what crosses"
bundle show "$work/usb/bundle.tar.zst"
tar --zstd -tf "$work/usb/bundle.tar.zst"
if bundle show "$work/usb/bundle.tar.zst" | grep -q colorama; then
    echo "the bundle for Linux holds colorama" >&2
    exit 1
fi
bundle show "$work/windows.tar.zst" | grep -q colorama
echo "colorama is in the bundle for Windows and not in the one for this host"

say "air-gapped host: without a network"
cat > "$work/far-side.sh" <<'FAR'
set -eu
if [ -n "$AIRGAP" ]; then
    ! python3 -c 'import socket; socket.create_connection(("192.0.2.1", 80), 2)' 2>/dev/null
    echo "no connection leaves this namespace"
fi
bundle trust add --yes alice.pub
bundle verify bundle.tar.zst
bundle install bundle.tar.zst --venv "$1/.venv"
"$1/.venv/bin/numpy-pytest"
"$1/.venv/bin/python" -m pytest -q -p no:cacheprovider "$2"
FAR
cd "$work/usb"
far_side sh "$work/far-side.sh" "$work/far" "$work/online/tests"

say "pyproject.toml and uv.lock"
cd "$work/online"
sha256sum --check "$work/before"
