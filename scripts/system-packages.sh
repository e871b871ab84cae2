#!/usr/bin/env bash
# Install the Debian packages that a napari window needs on a machine without a screen, and a browser
# for the interactive page.
set -euo pipefail

packages=(
    fonts-dejavu-core libdbus-1-3 libegl1 libfontconfig1 libgl1 libgl1-mesa-dri libopengl0
    libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0
    libxcb-shape0 libxcb-xfixes0 libxcb-xinerama0 libxkbcommon-x11-0 xauth xvfb
)

# Ubuntu's is a snap; its own machines have Chrome
grep -qs '^ID=debian' /etc/os-release && packages+=(chromium)
python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || packages+=(python3-venv)

command -v dpkg-query >/dev/null && command -v apt-get >/dev/null || exit 0

missing=()
for package in "${packages[@]}"; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
    as_root=(env)
elif sudo -n true 2>/dev/null; then
    as_root=(sudo -n env)
else
    echo "For a virtual screen, please install: sudo apt-get install ${missing[*]}" >&2
    exit 0
fi
echo "Installing system packages: ${missing[*]}"
"${as_root[@]}" apt-get -qq update </dev/null
"${as_root[@]}" DEBIAN_FRONTEND=noninteractive \
    apt-get -qq install -y --no-install-recommends "${missing[@]}" </dev/null >/dev/null
