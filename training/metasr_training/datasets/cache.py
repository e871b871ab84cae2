"""Decoded slices in one file, so that the next start reads no pictures and volumes."""

from __future__ import annotations

import hashlib
import json
import logging
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from metasr_training.datasets.image_slice import Slice
from metasr_training.datasets.readers import Decoded
from napari_metasr.files import cache_folder, replacing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

log = logging.getLogger(__name__)

FORM = 3
"""Raised whenever slices are decoded or stored in another way."""

_DAMAGED = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error)


def default_folder() -> Path:
    """Return where decoded slices are kept, in the package's `cache_folder`."""
    return cache_folder() / "slices"


def fingerprint(files: Iterable[Path | None], *choices: object) -> str:
    """Compute a digest of files (names, sizes, modification times) and of how they are read.

    A file that is missing counts as such.
    """
    digest = hashlib.sha256(repr((FORM, choices)).encode())
    for path in files:
        if path is None:
            digest.update(b"\0none")
            continue
        try:
            state = path.stat()
            found = f"{state.st_size} {state.st_mtime_ns}"
        except OSError:
            found = "missing"
        digest.update(f"\0{path} {found}".encode())
    return digest.hexdigest()


def _pack(slices: list[Slice]) -> tuple[list[dict[str, Any]], NDArray[np.uint8]]:
    """Pack slices into an index and the bytes of all images and masks (eight pixels a byte)."""
    index: list[dict[str, Any]] = []
    parts: list[NDArray[np.uint8]] = []
    for one in slices:
        parts.append(np.ascontiguousarray(one.image).reshape(-1).view(np.uint8))
        if one.mask is not None:
            parts.append(np.packbits(one.mask))
        index.append(
            {
                "shape": one.image.shape,
                "dtype": one.image.dtype.str,
                "limits": one.intensity_range,
                "source": one.source,
                "patient": one.patient,
                "name": one.name,
                "mask": one.mask is not None,
                "band": one.band,
                "contrast": one.contrast,
            }
        )
    return index, np.concatenate(parts) if parts else np.zeros(0, np.uint8)


def _unpack(index: list[dict[str, Any]], pixels: NDArray[np.uint8]) -> list[Slice]:
    slices, start = [], 0
    for entry in index:
        shape = tuple(int(size) for size in entry["shape"])
        count, dtype = int(np.prod(shape)), np.dtype(entry["dtype"])
        stored = pixels[start : start + count * dtype.itemsize].view(dtype).reshape(shape)
        image = np.require(stored, requirements="A")  # after an odd number of bytes, a copy
        start += count * dtype.itemsize
        mask = None
        if entry["mask"]:
            packed = pixels[start : start + -(-count // 8)]
            mask = np.unpackbits(packed, count=count).astype(bool).reshape(shape)
            start += len(packed)
        low, high = entry["limits"]
        names = (entry["source"], entry["patient"], entry["name"])
        rows, columns = entry["band"]
        told = ((float(rows), float(columns)), str(entry["contrast"]))
        slices.append(Slice(image, (float(low), float(high)), *names, mask, *told))
    if start != len(pixels):
        raise ValueError(f"expected {start} bytes of pixels, found {len(pixels)}")
    return slices


def write_cache(path: Path, decoded: Decoded, key: str) -> None:
    """Write decoded slices, whole or not at all; an older file is replaced."""
    index, pixels = _pack(decoded.slices)
    text = json.dumps({"key": key, "slices": index, "unreadable": decoded.unreadable})
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, overwrite=True) as temporary, temporary.open("wb") as file:
        np.savez(file, index=np.frombuffer(text.encode(), np.uint8), pixels=pixels)


def read_cache(path: Path, key: str) -> Decoded | None:
    """Read decoded slices; None where the files they came from have changed since.

    Raises
    ------
    OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error
        If the file is damaged; every byte is checked.
    """
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        index = json.loads(stored["index"].tobytes())
        if index["key"] != key:
            return None
        return Decoded(_unpack(index["slices"], stored["pixels"]), list(index["unreadable"]))


def cached(folder: Path, name: str, key: str, decode: Callable[[], Decoded]) -> Decoded:
    """Read slices from the cache, or decode and keep them.

    A file that is damaged or out of date is replaced, and one that cannot be written is done
    without; both are said.

    Parameters
    ----------
    folder
        The cache folder; it is made if need be.
    name
        Of the request (data folder, split, domain, ...): one file each.
    key
        The `fingerprint` of the files and of how they are read.
    decode
        Reads them.
    """
    path = folder / f"{hashlib.sha256(name.encode()).hexdigest()[:24]}.npz"
    if path.exists():
        try:
            found = read_cache(path, key)
        except _DAMAGED as error:
            log.warning("%s: the cache is damaged (%s) and is made again", path, error)
        else:
            if found is not None:
                return found
            log.info("%s: the data have changed; the cache is made again", path)
    decoded = decode()
    try:
        write_cache(path, decoded, key)
    except OSError as error:
        log.warning("%s: the cache cannot be written (%s); going on without", path, error)
    return decoded
