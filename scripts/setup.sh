#!/usr/bin/env bash
# Make the environment .venv of this checkout and install the project into it, editable.
set -euo pipefail
cd "$(dirname "$0")/.."

find_python() {
    local candidate
    for candidate in python3.11 python3.12 python3.13 python3 python; do
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
            >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
    echo "Python 3.11 or newer with its venv module is needed; none was found" \
        "(on Debian: apt-get install python3 python3-venv)" >&2
    return 1
}

export PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1
if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    python=$(find_python)
    echo "Creating .venv with $("$python" --version)"
    "$python" -m venv --clear .venv
fi
echo "Installing napari-metasr and what it needs into .venv"
.venv/bin/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]' </dev/null
