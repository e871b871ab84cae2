"""Damage files of every kind that is read, at random, and count what comes of it.

Each mutant is a valid file with some bytes changed, cut, repeated or put in from elsewhere. It is
read as the program reads it. A mutant is *read*, or *refused* by an error that the program shows in
one line; any other exception is a *traceback*, and the exit code is 1.

    python scripts/fuzz.py --mutants 200 --seed 1
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom

from napari_metasr import weights
from napari_metasr.io import read, write_volume
from napari_metasr.io.names import WRITTEN_SUFFIXES
from napari_metasr.lesions.document import Finder
from napari_metasr.lesions.files import read_rois, write_rois
from napari_metasr.volume import Source
from napari_metasr.weights import load_network, model_card
from napari_metasr.weights.store import shipped_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


def kinds(folder: Path) -> Iterator[tuple[str, Path, Callable[[Path], Any]]]:
    """Write a valid file of each kind, and yield its name, itself, and what reads it."""
    data = np.random.default_rng(0).integers(0, 999, (5, 6, 7)).astype(np.int16)
    source = Source("scan", affine=np.diag([-1.0, -1.1, 2.5, 1.0]), orientation="LPS")
    for suffix in WRITTEN_SUFFIXES:
        path = folder / f"scan{suffix}"
        write_volume(path, data, np.diag([1.0, 1.1, 2.5, 1.0]), source)
        yield suffix, path, read
    slices = Path(pydicom.__file__).parent / "data" / "test_files"
    for name in ("MR_small.dcm", "MR_small_RLE.dcm"):
        yield "DICOM", Path(shutil.copy(slices / name, folder / name)), read
    volume = read(folder / "scan.nii")
    rois = folder / "rois.json"
    write_rois(rois, volume, (), Finder(kind="person", name="reader"))
    yield "regions", rois, lambda path: read_rois(path, volume)
    shipped = Path(weights.__file__).parent
    name = min(shipped_names(), key=lambda one: (shipped / f"{one}.safetensors").stat().st_size)
    for ending in (".safetensors", ".json"):
        shutil.copy(shipped / f"{name}{ending}", folder / f"model{ending}")
    model = folder / "model.safetensors"
    yield "card", folder / "model.json", lambda _: model_card(model)
    yield "weights", model, lambda _: load_network(model)


def outcome(act: Callable[[], Any]) -> str:
    """Return what comes of reading a mutant."""
    try:
        act()
    except (ValueError, OSError) as error:
        return "refused" if len(str(error).splitlines()) <= 1 else "several lines"
    except Exception as error:
        return f"traceback: {type(error).__name__}: {error}"
    return "read"


def main() -> None:
    """Print a line for each kind: tried, read, refused, tracebacks; exit with 1 if there is one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutants", type=int, default=200, help="of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, help="folder for mutants that end in a traceback")
    options = parser.parse_args()
    rng, failed = random.Random(options.seed), 0
    print(f"{'kind':12}{'tried':>8}{'read':>8}{'refused':>9}{'others':>8}")
    with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for kind, path, reading in kinds(Path(scratch)):
            valid, counts = path.read_bytes(), Counter[str]()
            for number in range(options.mutants):
                path.write_bytes(mutated(valid, rng))
                found = outcome(lambda path=path, reading=reading: reading(path))  # type: ignore[misc]
                counts[found] += 1
                if found not in {"read", "refused"}:
                    print(f"{kind}, mutant {number}: {found}", file=sys.stderr)
                    if options.output is not None:
                        options.output.mkdir(parents=True, exist_ok=True)
                        shutil.copy(path, options.output / f"{number}-{path.name}")
            path.write_bytes(valid)
            others = counts.total() - counts["read"] - counts["refused"]
            failed += others
            print(
                f"{kind:12}{counts.total():8}{counts['read']:8}{counts['refused']:9}{others:8}",
                flush=True,
            )
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
