#!/bin/sh
# Brings an update across, goes back and forth, and brings the old one again. Usage: demo.sh BIN_FOLDER
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../common.sh"

mkdir "$work/online" "$work/far"
cp "$here/pyproject.toml" "$work/online"
# A signing key for this demo alone, so that no user's key is used.
XDG_CONFIG_HOME=$work/config
export XDG_CONFIG_HOME
bundle key new

say "online, in May: an older packaging"
cd "$work/online"
uv lock --quiet --upgrade-package packaging==24.0
# May's bundle was not made today, and would have expired.
SOURCE_DATE_EPOCH=1714521600 bundle create --no-settings --output "$work/far/may.tar.zst"
cp "$XDG_CONFIG_HOME/wheelferry/signing_key.pub" "$work/far/alice.pub"

say "online, in June: a new lock, a new bundle"
uv lock --quiet --upgrade
bundle create --output "$work/far/june.tar.zst"
bundle diff "$work/far/may.tar.zst" "$work/far/june.tar.zst"

say "air-gapped host: without a network"
cat > "$work/far-side.sh" <<'FAR'
set -eu
runs() { .venv/bin/python -c 'import packaging; print("packaging", packaging.__version__)'; }
bundle trust add --yes alice.pub
bundle install may.tar.zst
runs
bundle verify june.tar.zst
bundle install june.tar.zst --dry-run
bundle install june.tar.zst --keep 3
runs
bundle rollback
runs
bundle rollback
runs
code=0
bundle install may.tar.zst || code=$?
test "$code" -eq 6
echo "May's bundle is refused"
bundle status
FAR
cd "$work/far"
far_side sh "$work/far-side.sh"
