#!/bin/sh
# Makes bundles for two kinds of hosts, as the project's settings say. Usage: demo.sh BIN_FOLDER
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../common.sh"

mkdir "$work/online"
cp "$here/pyproject.toml" "$work/online"
cd "$work/online"
# A signing key for this demo alone, so that no user's key is used.
XDG_CONFIG_HOME=$work/config
export XDG_CONFIG_HOME
bundle key new

say "what the project decides"
bundle settings

say "online: uv lock, bundle create"
uv lock --quiet
bundle create
ls -- *.tar.zst

say "one of them, with the options typed out: the same bytes"
SOURCE_DATE_EPOCH=1714521600
export SOURCE_DATE_EPOCH
bundle create --quiet --force --target office
bundle create --quiet --no-settings --platform win_amd64 --python 3.12 --python 3.13 --no-dev \
    --group reports --expires 45d --output typed.tar.zst
cmp typed.tar.zst named-targets-1.0.0-office.tar.zst
echo "not a byte differs"
