"""Disks without room, and disks that cannot be written to."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def contents(folder: Path) -> dict[str, bytes | None]:
    """Every file and folder, and what is in it."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


@contextmanager
def little_room(size: int) -> Iterator[None]:
    """No file may have more than this many bytes, as on a disk that is full."""
    resource = pytest.importorskip("resource")  # Windows has no limits of files
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Nothing can be written in a folder; for the superuser that takes a mount of its own."""
    if os.geteuid():
        folder.chmod(0o555)
        yield
        folder.chmod(0o755)
        return
    for options in ("bind", "remount,ro,bind"):
        mount = ["mount", "-o", options, str(folder), str(folder)]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("the superuser writes everywhere, and may mount no folder here")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)
