"""Damaged files are read or refused in one line, never a traceback, and leave no half output."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "scripts" / "fuzz.py"


def test_a_few_mutants_of_each_kind():
    command = [sys.executable, SCRIPT, "--mutants", "8", "--seed", "7"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split() for line in done.stdout.splitlines()[1:]]
    assert {row[0] for row in rows} >= {
        *(".nii", ".mgh", ".nrrd", ".mha", "MR_small.dcm", "regions", "card", "weights"),
        *("sidecar", "journal", "unfinished", "study", "key", "ratings"),
    }
    assert all(row[1] == "8" and row[-1] == "0" for row in rows)
    assert sum(int(row[2]) for row in rows) > 15  # some are read all the same
