# What the demos share. They read it with: . "$here/../common.sh"
PATH=$1:$PATH
export PATH
# The authorities that this host accepts, such as that of a company's proxy, count for uv too.
UV_SYSTEM_CERTS=${UV_SYSTEM_CERTS:-1}
export UV_SYSTEM_CERTS

examples=$(cd "$here/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What root would remember under /var/lib is none of the host's business here.
XDG_STATE_HOME=$work/state
export XDG_STATE_HOME

say() { printf '\n== %s\n' "$*"; }

# Runs a command as on another host: with an empty home, no variable of this one, and no network.
far_side() {
    mkdir -p "$work/empty-home"
    if sh "$examples/airgap.sh"; then
        airgap="sh $examples/airgap.sh"
    else
        airgap=
        echo "this host allows no network namespace: that NO network is needed is NOT PROVEN here"
    fi
    env -i PATH="$PATH" HOME="$work/empty-home" XDG_STATE_HOME="$work/state" LANG="${LANG:-C.UTF-8}" AIRGAP="$airgap" $airgap "$@"
}
