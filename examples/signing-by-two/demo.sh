#!/bin/sh
# Carries these packages across only when two people have signed. Usage: demo.sh BIN_FOLDER
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../common.sh"
# Each person and the air-gapped host have settings of their own, so that no user's real ones are used.
as() { XDG_CONFIG_HOME=$work/$1; export XDG_CONFIG_HOME; }
# Runs a command that has to end with exit code 3.
refused() { code=0; "$@" || code=$?; [ "$code" -eq 3 ] && echo "refused, as it should be"; }

mkdir -p "$work/project" "$work/far/wheelferry" "$work/usb"
cp "$here/pyproject.toml" "$work/project"
cd "$work/project"

say "a key each"
bundle key new "$work/alice"
bundle key new "$work/bob"

say "air-gapped host: both keys are accepted, and two have to sign"
as far
for person in alice bob; do
    bundle trust add --name $person --yes "$work/$person.pub"
done
printf '[policy]\nrequire-signatures = 2\n' > "$work/far/wheelferry/policy.ini"
chmod 644 "$work/far/wheelferry/policy.ini"

say "Alice makes the bundle"
as alice-config
uv lock --quiet
bundle create --key "$work/alice" --output "$work/usb/bundle.tar.zst"

say "air-gapped host: one signature is not enough"
as far
cd "$work/usb"
refused bundle install bundle.tar.zst --venv "$work/app"

say "Bob verifies, looks and signs"
as bob-config
bundle trust add --name alice --yes "$work/alice.pub"
bundle verify bundle.tar.zst
bundle show bundle.tar.zst
bundle sign bundle.tar.zst --key "$work/bob"

say "air-gapped host: two signatures are enough"
as far
bundle install bundle.tar.zst --venv "$work/app"

say "Alice's key is lost"
cat "$work/alice.pub" >> "$work/far/wheelferry/revoked_keys"
chmod 644 "$work/far/wheelferry/revoked_keys"
refused bundle verify bundle.tar.zst

say "Alice signs with a new key, which the air-gapped host accepts"
bundle key new "$work/alice-2"
as alice-config
bundle sign bundle.tar.zst --key "$work/alice-2"
as far
bundle trust remove alice
bundle trust add --name alice --yes "$work/alice-2.pub"
bundle verify bundle.tar.zst
