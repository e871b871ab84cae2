"""Measurements in processes of their own, whose memory is nobody else's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def measured_apart(script: str, *arguments: object) -> Any:
    """Run a script with the arguments; return the JSON in the last line that it prints.

    What it says of errors is shown.

    Raises
    ------
    SystemExit
        If it fails.
    """
    command = [sys.executable, script, *map(str, arguments)]
    answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if answer.returncode:
        raise SystemExit(
            f"{Path(script).name}: expected a measurement in a process of its own, found that it "
            f"ended with {answer.returncode}"
        )
    return json.loads(answer.stdout.splitlines()[-1])
