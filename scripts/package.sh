#!/usr/bin/env bash
# Build wheel and sdist, install each into a clean environment, and see that the plugin is there.
set -euo pipefail
cd "$(dirname "$0")/.."
project=$PWD
export PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1

rm -rf dist
.venv/bin/python -m build --outdir dist </dev/null

clean=$(mktemp -d)
trap 'rm -rf "$clean"' EXIT
.venv/bin/python -m venv "$clean/venv"

check() {
    (
        cd "$clean"
        venv/bin/python -I "$project/scripts/check_installed.py"
        venv/bin/npe2 validate napari-metasr
        venv/bin/napari-metasr models
    )
}

echo "Installing the wheel into a clean environment"
wheel=$(echo dist/*.whl)
"$clean/venv/bin/python" -m pip install --quiet --no-compile --constraint constraints.txt "$wheel[training]" </dev/null
check
echo "Installing the sdist over it"
"$clean/venv/bin/python" -m pip install --quiet --force-reinstall --no-deps dist/*.tar.gz </dev/null
check
