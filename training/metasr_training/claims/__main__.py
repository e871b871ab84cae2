"""``python -m metasr_training.claims REPORT``: judge the claims by the tables of a report."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from metasr_training.claims.claim import claims
from metasr_training.claims.evidence import Evidence
from metasr_training.claims.table import claims_text
from metasr_training.claims.verdict import judge


def main(arguments: Sequence[str]) -> int:
    """Print the verdicts on the evaluations in a report's folder as Markdown."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print("usage: python -m metasr_training.claims REPORT_FOLDER", file=sys.stderr)
        return 2
    folders = [path for path in Path(arguments[0]).iterdir() if path.is_dir()]
    print(claims_text(judge(claims(), {path.name: Evidence.read(path) for path in folders})))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
