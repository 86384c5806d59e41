
# Copyright (C) ngx_realtime contributors

# Sourced by the scripts in tools/.  They run with the top of the checkout as
# the current directory.

set -eu

cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD

nginx_src=/usr/share/nginx/src          # Debian's nginx-dev


say() {
    printf '%s\n' "$*"
}


die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}


as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        command -v sudo >/dev/null || die "needs root or sudo for: $*"
        sudo "$@"
    fi
}


# Debian packages.  A word "command=package" is met by any such command, so
# that a Node.js from elsewhere is left alone.

need_packages() {
    local word missing=()

    for word in "$@"; do
        case $word in
            *=*) command -v "${word%%=*}" >/dev/null || missing+=("${word#*=}")
                 ;;
            *)   dpkg-query -W -f '${db:Status-Status}' "$word" 2>/dev/null \
                     | grep -qx installed || missing+=("$word")
                 ;;
        esac
    done

    [ ${#missing[@]} -eq 0 ] && return

    say "installing ${missing[*]}"
    mkdir -p build

    {
        as_root apt-get -q update
        as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get -qy install --no-install-recommends "${missing[@]}"
    } >build/apt.log 2>&1 </dev/null || {
        tail -n 20 build/apt.log >&2
        die "apt-get could not install ${missing[*]}"
    }
}


# npm packages of a folder, by default those of the tests; again only when
# their lock file has changed

need_npm() {
    local dir=${1:-t}

    need_packages node=nodejs npm=npm

    cmp -s "$dir/package-lock.json" "$dir/node_modules/.installed" && return

    say "installing npm packages of $dir/"
    mkdir -p build

    (cd "$dir" && npm ci --no-audit --no-fund) >build/npm.log 2>&1 </dev/null \
        || {
            tail -n 20 build/npm.log >&2
            die "npm ci failed in $dir/"
        }

    cp "$dir/package-lock.json" "$dir/node_modules/.installed"
}


# runs a command with its output in a log that is shown only if it fails

quietly() {
    local log=$1
    shift

    "$@" >"$log" 2>&1 </dev/null || {
        grep -E -m 40 '(error|warning): |undefined reference|\*\*\*' "$log" >&2 \
            || tail -n 20 "$log" >&2
        die "failed: see $log"
    }
}


# The page of the demo is made by programs that want a newer Node.js than
# Debian 12 has: then one from npm is used, in build/node

need_node() {
    local arch dir=$root/build/node version=22.23.3

    need_packages node=nodejs npm=npm

    node -e 'const [a, b] = process.versions.node.split(".");
             process.exit(a > 20 || a == 20 && b >= 19 ? 0 : 1)' && return

    case $(uname -m) in
        x86_64)  arch=x64 ;;
        aarch64) arch=arm64 ;;
        *)       die "needs Node.js 20.19 or newer" ;;
    esac

    if [ ! -x "$dir/node_modules/node-linux-$arch/bin/node" ]; then
        say "installing Node.js $version in build/node/"
        mkdir -p "$dir"
        quietly build/npm-node.log npm install --prefix "$dir" --no-save \
            --no-audit --no-fund "node-linux-$arch@$version"
    fi

    PATH=$dir/node_modules/node-linux-$arch/bin:$PATH
    export PATH
}


jobs() {
    nproc 2>/dev/null || echo 2
}


# what an nginx build directory was configured from; a change in it asks for
# a new configure

build_stamp() {
    printf '%s\n' "$root" "$@" \
        "$(dpkg-query -W -f '${Version}' nginx-dev 2>/dev/null)"
    cat config
    find src -mindepth 2 -maxdepth 2 -name '*.[ch]' | LC_ALL=C sort
}
