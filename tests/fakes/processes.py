"""Programs of the project, in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys

QUIETLY = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "COLUMNS": "200"}
"""One thread each, for other tests run beside it; lines of help that are not wrapped early."""


def run_python(*arguments, cwd=None, timeout=300):
    """Run Python with arguments to its end, whatever that is; what it printed is text."""
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
        env=os.environ | QUIETLY,
        cwd=cwd,
    )
