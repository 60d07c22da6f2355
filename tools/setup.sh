#!/usr/bin/env bash
# Makes .venv and installs what is missing: system packages (Debian, Ubuntu), Python packages, node packages, the C core.
# Quick when nothing changed.  Usage: tools/setup.sh run | test
set -eu
cd "$(dirname "$0")/.."
want=${1:-test}
say() { printf 'setup: %s\n' "$*" >&2; }

# -- system packages, looked for by what they give ----------------------------------------------------------------------------
python_ok() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
python=
for name in python3 python3.13 python3.12 python3.11; do
    if python_ok "$name"; then python=$name; break; fi
done

missing() { # the packages that would give what is not there
    if [ -z "$python" ]; then echo python3 python3-venv python3-dev; else
        "$python" -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
        "$python" -c 'import os, sysconfig; raise SystemExit(not os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h")))' \
            2>/dev/null || echo python3-dev
    fi
    { command -v cc && printf '#include <stdint.h>\nint main(void){return 0;}' | cc -x c - -o /dev/null; } >/dev/null 2>&1 || echo gcc libc6-dev
    [ "$want" = test ] || return 0
    command -v ipptool >/dev/null || echo cups-ipp-utils
    command -v ip >/dev/null || echo iproute2
    { command -v avahi-daemon && command -v avahi-browse && command -v dbus-daemon; } >/dev/null || echo avahi-daemon avahi-utils dbus
    command -v clang >/dev/null || echo clang
    # golden digests of 32-bit x86; elsewhere that test is skipped
    [ "$(uname -m)" != x86_64 ] || { printf '#include <stdio.h>\nint main(void){return 0;}' | cc -m32 -x c - -o /dev/null; } >/dev/null 2>&1 || echo gcc-multilib
    command -v wasm-ld >/dev/null || echo lld
    command -v arm-none-eabi-gcc >/dev/null || echo gcc-arm-none-eabi
    command -v qemu-system-arm >/dev/null || echo qemu-system-arm
    { command -v clang && printf 'int main(void){return 0;}' | clang -fsanitize=address -x c - -o /dev/null; } >/dev/null 2>&1 || echo libclang-rt-dev
}
packages=$(missing | tr '\n' ' ')
if [ -n "${packages// /}" ]; then
    root=
    if [ "$(id -u)" != 0 ]; then root=sudo; fi
    if ! command -v apt-get >/dev/null || { [ -n "$root" ] && ! sudo -n true 2>/dev/null && [ ! -t 0 ]; }; then
        say "install these first: apt-get install --no-install-recommends $packages"
        exit 1
    fi
    say "installing $packages"
    apt="$root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300"
    $apt update >&2
    # shellcheck disable=SC2086
    $apt install -y --no-install-recommends $packages >&2
    if [ -z "$python" ]; then python=python3; fi
    python_ok "$python" || { say "Python 3.11 or newer is needed, this system's is older"; exit 1; }
fi

# -- Python and node packages ---------------------------------------------------------------------------------------------------
stamp=.venv/.printwright-$want
key=$(cat pyproject.toml setup.py package.json package-lock.json tools/setup.sh | cksum)" $PWD"
if [ ! -x .venv/bin/python ] || ! python_ok .venv/bin/python; then
    say "making .venv"
    rm -rf .venv
    "$python" -m venv .venv
fi
if [ "$(cat "$stamp" 2>/dev/null)" != "$key" ]; then
    say "installing Python packages"
    .venv/bin/python -m pip install -q --disable-pip-version-check "setuptools>=77" wheel "cffi>=1.16" >&2
    extra=
    if [ "$want" = test ]; then extra='[dev]'; fi
    .venv/bin/python -m pip install -q --disable-pip-version-check --no-build-isolation --config-settings editable_mode=compat -e ".$extra" >&2
    if [ "$want" = test ]; then
        say "installing node packages"
        PATH="$PWD/.venv/bin:$PATH" npm ci --silent --no-audit --no-fund >&2
    fi
    printf '%s' "$key" >"$stamp"
fi

# -- the C core, when a source is newer than the module ----------------------------------------------------------------------
module=$(ls native/_printwright*.so 2>/dev/null | head -n 1)
if [ -z "$module" ] || [ -n "$(find native/src native/port/common native/port/host native/include native/cffi -name '*.[chp]*' -newer "$module" -type f | head -n 1)" ]; then
    say "building the C core"
    .venv/bin/python native/cffi/build.py >&2
fi
