"""Sample data: the simulated phantom, and a real case that is fetched once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pooch

from napari_metasr.files import cache_folder
from napari_metasr.io.layers import layer_data
from napari_metasr.io.loading import read_volume
from napari_metasr.samples.phantom import glioma_contrasts, glioma_phantom

if TYPE_CHECKING:
    import os

    import numpy as np
    from numpy.typing import NDArray

    from napari_metasr.io.layers import LayerData
    from napari_metasr.volume import Volume

__all__ = ["BRATS_NAME", "BRATS_SHA256", "BRATS_URL", "brats_case", "brats_layers"]
__all__ += ["phantom", "phantom_layers"]

BRATS_NAME = "BraTS-GLI-00001-000-t1c.nii.gz"
BRATS_URL = (
    "https://raw.githubusercontent.com/BrainLesion/tutorials/"
    "a2d3fffe821e0dfd3bb62520985239324eaeda9a/BraTS/data/segmentation/BraTS-GLI-00001-000/"
    + BRATS_NAME
)
"""T1 with contrast agent of a BraTS glioma patient, CC BY 4.0."""

BRATS_SHA256 = "4399faadcc45c8a4541313cdf88aced7d835ed59ac3078d950e0eac293d603f5"
TIMEOUT_SECONDS = 60


def phantom() -> tuple[Volume, NDArray[np.uint8]]:
    """Return the simulated glioma phantom, T1 with contrast agent, and its truth.

    Returns
    -------
    volume, mask
        As `glioma_phantom`.
    """
    return glioma_phantom()


def phantom_layers() -> list[LayerData]:
    """Return the phantom as napari's sample: T1c and, hidden, T2, FLAIR and the true labels."""
    volumes, mask = glioma_contrasts()
    truth = replace(volumes["t1c"], data=mask)
    layers = [layer_data(volume) for volume in volumes.values()]
    layers.append(layer_data(truth, name="glioma-phantom-truth", labels=True))
    return [
        (data, keywords | {"visible": position == 0}, kind)
        for position, (data, keywords, kind) in enumerate(layers)
    ]


def brats_layers() -> list[LayerData]:
    """Return the BraTS case as napari's sample, fetched when it is first asked for."""
    return [layer_data(read_volume(brats_case()))]


def brats_case(
    cache_dir: str | os.PathLike[str] | None = None,
    url: str = BRATS_URL,
    sha256: str = BRATS_SHA256,
) -> Path:
    """Fetch the BraTS case once and return where it lies.

    A file that is already in the cache and has the right hash is used without any network.

    Parameters
    ----------
    cache_dir : path, optional
        Folder to keep it in; by default `cache_folder`.
    url, sha256 : str
        Where it comes from, and the hash of what must arrive.

    Returns
    -------
    Path
        The NIfTI file.

    Raises
    ------
    ConnectionError
        It could not be fetched; the message says where to put it by hand.
    ValueError
        What arrived has another hash. Nothing of it is kept.
    """
    folder = Path(cache_dir) if cache_dir else cache_folder()
    path = folder / url.rsplit("/", 1)[-1]
    if path.is_file() and pooch.file_hash(path) == sha256:
        return path
    by_hand = f"put the file by hand at {path} (sha256 {sha256})"
    downloader = pooch.HTTPDownloader(timeout=TIMEOUT_SECONDS)
    try:
        pooch.retrieve(
            url, known_hash=f"sha256:{sha256}", path=folder, fname=path.name, downloader=downloader
        )
    except ValueError as error:
        raise ValueError(
            f"{url}: expected the file with sha256 {sha256}, found another one; {by_hand}"
        ) from error
    except OSError as error:
        reason = type(error).__name__
        raise ConnectionError(
            f"{url}: could not be fetched ({reason}); go online and try again, or {by_hand}"
        ) from error
    return path
