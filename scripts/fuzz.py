"""Damage files of every kind that is read, at random, and count what comes of it.

Each mutant is a valid file with some bytes changed, cut, repeated or put in from elsewhere. It is
read as the program reads it; sidecars are replayed, journals of unfinished work are resumed, and
studies are scored. A mutant is *read*, or *refused* by an error that the program shows in one
line. Anything else counts among *others*, and the exit code is 1: another exception (a traceback),
an error in several lines, an output that is not whole, or one that differs from what undamaged
work gives.

    python scripts/fuzz.py --mutants 200 --seed 1 --kinds .nii card journal
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from fuzzed_kinds import KINDS, PartialOutputError

if TYPE_CHECKING:
    from collections.abc import Callable

INTERESTING = (0, 1, 2, 7, 0x7F, 0x80, 0xFF)
HEAD = 600
"""Most changes are made in so many bytes at the beginning, where headers are."""


def mutated(content: bytes, rng: random.Random) -> bytes:
    """Return a damaged copy."""
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        if not changed:
            break
        limit = min(len(changed), HEAD) if rng.random() < 0.8 else len(changed)
        place = rng.randrange(limit)
        how = rng.randrange(6)
        if how == 0:
            changed[place] ^= 1 << rng.randrange(8)
        elif how == 1:
            changed[place] = rng.choice(INTERESTING)
        elif how == 2:
            changed[place : place + 4] = rng.choice((b"\xff" * 4, b"\x7f\xc0\0\0", b"\0" * 4))
        elif how == 3:
            del changed[place : place + rng.choice((1, 4, 100))]
        elif how == 4:
            end = place + rng.choice((1, 8, 64))
            changed[place:place] = changed[place:end]
        else:
            del changed[place:]
    return bytes(changed)


def mutated_text(content: bytes, rng: random.Random) -> bytes:
    """Return a copy of a JSON file that is damaged, half the time so that it is JSON still."""
    if rng.random() < 0.5:
        return mutated(content, rng)
    changed = bytearray(content)
    digits = [place for place, byte in enumerate(changed) if chr(byte).isdigit()]
    for place in rng.sample(digits, min(rng.choice((1, 2, 8)), len(digits))):
        changed[place] = rng.choice(b"0123456789")
    return bytes(changed)


def outcome(act: Callable[[], object]) -> str:
    """Return what comes of reading a mutant."""
    try:
        act()
    except PartialOutputError as error:
        return f"partial output: {error}"
    except (ValueError, OSError) as error:
        return "refused" if len(str(error).splitlines()) <= 1 else "several lines"
    except Exception as error:
        return f"traceback: {type(error).__name__}: {error}"
    return "read"


def main() -> None:
    """Print a line for each kind: tried, read, refused, others; exit with 1 if there are others."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutants", type=int, default=200, help="of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", nargs="*", choices=KINDS, default=tuple(KINDS), metavar="KIND")
    parser.add_argument("--output", type=Path, help="folder for mutants that are among others")
    options = parser.parse_args()
    rng, failed = random.Random(options.seed), 0
    print(f"{'kind':14}{'tried':>8}{'read':>8}{'refused':>9}{'others':>8}")
    for kind in options.kinds:
        with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            path, act = KINDS[kind](Path(scratch))
            valid, counts = path.read_bytes(), Counter[str]()
            if (found := outcome(act)) != "read":
                raise RuntimeError(f"{kind}: the undamaged file is not read: {found}")
            damaged = mutated_text if path.suffix in {".json", ".jsonl"} else mutated
            for number in range(options.mutants):
                mutant = damaged(valid, rng)
                path.write_bytes(mutant)
                found = outcome(act)
                counts[found] += 1
                if found not in {"read", "refused"}:
                    print(f"{kind}, mutant {number}: {found}", file=sys.stderr)
                    if options.output is not None:
                        options.output.mkdir(parents=True, exist_ok=True)
                        (options.output / f"{number}-{path.name}").write_bytes(mutant)
        others = counts.total() - counts["read"] - counts["refused"]
        failed += others
        print(
            f"{kind:14}{counts.total():8}{counts['read']:8}{counts['refused']:9}{others:8}",
            flush=True,
        )
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
