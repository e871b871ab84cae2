"""A window of napari that is closed while docks work takes nothing else along."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import closed_windows
from fakes.processes import run_python

TESTS = Path(closed_windows.__file__).parents[1]


@pytest.fixture
def display(qapp):
    """The tests' own virtual screen, which programs that they start share."""


def test_the_process_goes_on(display):
    done = run_python("-W", "ignore", "-m", "fakes.closed_windows", cwd=TESTS)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"closed {way}" for way in closed_windows.WAYS]
