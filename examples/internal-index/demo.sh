#!/bin/sh
# Makes an index of two bundles, serves it on 127.0.0.1, installs from it with pip and with uv. Usage: demo.sh BIN_FOLDER
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../common.sh"

mkdir "$work/online" "$work/far" "$work/empty-home"
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

say "online: a second bundle, for another Python"
bundle create --quiet --platform manylinux_2_28_x86_64 --python 3.13 \
    --output "$work/far/second.tar.zst"

say "air-gapped network: the host that serves"
XDG_CONFIG_HOME=$work/far-config
cd "$work/far"
bundle trust add --yes alice.pub
bundle unpack bundle.tar.zst --simple-index index
bundle unpack second.tar.zst --simple-index index
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
python3 -m http.server --bind 127.0.0.1 --directory index "$port" 2> "$work/served" &
server=$!
trap 'kill $server; rm -rf "$work"' EXIT
url=http://127.0.0.1:$port/simple/
until python3 -c "import urllib.request; urllib.request.urlopen('$url')" 2> /dev/null; do sleep 0.2; done

say "a host of the network"
python3 -m venv --without-pip with-pip
python3 -m venv --without-pip with-uv
HOME=$work/empty-home pip --python with-pip install --quiet --index-url "$url" httpx pydantic
HOME=$work/empty-home uv pip install --quiet --python with-uv --default-index "$url" httpx pydantic
for with in with-pip with-uv; do
    $with/bin/python -c 'import httpx, pydantic; print("pydantic", pydantic.VERSION)'
done
echo "asked for: $(grep -c '\.metadata' "$work/served") metadata files, $(grep -c '\.whl HTTP' "$work/served") wheels"
