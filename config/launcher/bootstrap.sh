#!/bin/sh
# Makes .venv as uv.lock says. Assumes a shell and Python 3.11 or newer with venv, and nothing else, not even uv.
set -eu
cd "$(dirname "$0")/../.."

UV_VERSION=0.13.8
PYTHON_TEST='import sys; sys.exit(sys.version_info < (3, 11))'

find_python() {
    without_venv=
    for name in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.14}; do
        command -v "$name" >/dev/null 2>&1 || continue
        "$name" -c "$PYTHON_TEST" >/dev/null 2>&1 || continue
        if "$name" -c 'import venv, ensurepip' >/dev/null 2>&1; then
            command -v "$name"
            return 0
        fi
        without_venv=$name
    done
    if [ -n "$without_venv" ]; then
        echo "Python ($without_venv) is here, but without its venv module. On Debian and Ubuntu: apt-get install $without_venv-venv" >&2
    else
        echo "Heliograph needs Python 3.11 or newer. Install it, or name one: make PYTHON=/path/to/python3.12 run" >&2
    fi
    return 1
}

if ! .venv/bin/python -c "$PYTHON_TEST" >/dev/null 2>&1; then
    python=$(find_python)
    echo "Making the Python environment .venv with $python …"
    rm -rf .venv
    "$python" -m venv .venv
elif ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    .venv/bin/python -m ensurepip --upgrade >/dev/null
fi

case "$(.venv/bin/uv --version 2>/dev/null || true)" in
"uv $UV_VERSION" | "uv $UV_VERSION "*) ;;
*)
    echo "Installing uv $UV_VERSION …"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check "uv==$UV_VERSION"
    ;;
esac

echo "Installing what uv.lock names …"
# Inexact: pip and uv themselves stay. No download of another Python: the one found is used.
sync() {
    UV_PYTHON_DOWNLOADS=never UV_PROJECT_ENVIRONMENT=.venv .venv/bin/uv sync --quiet --frozen --inexact --python .venv/bin/python
}
# uv trusts the certificates it brings; behind a company's proxy only the machine's own will do.
if ! sync; then
    echo "That failed; trying again with the certificates of this machine …"
    UV_SYSTEM_CERTS=1 && export UV_SYSTEM_CERTS
    sync
fi
touch .venv/.installed
