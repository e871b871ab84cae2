"""What was asked for or claimed, and cannot be, is refused in one line and in no time."""

from __future__ import annotations

import os
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from fakes.nifti import affine_with, stored

import napari_metasr
from napari_metasr.cli import main
from napari_metasr.cohort.bids import description_of
from napari_metasr.cohort.cluster import workers_of
from napari_metasr.io import read_picture


def huge_picture(path: Path, side: int) -> None:
    """Write the header of a gray PNG of this size, and hardly any pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        size, checksum = len(content), zlib.crc32(kind + content)
        return size.to_bytes(4, "big") + kind + content + checksum.to_bytes(4, "big")

    sizes = side.to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    pixels = zlib.compress(bytes(100))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", sizes) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [20_000, 60_000])
def test_a_picture_that_claims_far_too_many_pixels(tmp_path, side):
    huge_picture(tmp_path / "a.png", side)
    with pytest.raises(ValueError, match=r"a\.png: expected a picture"):
        read_picture(tmp_path / "a.png")


def test_a_spacing_of_nothing(tmp_path, capsys):
    data = np.arange(120).reshape(6, 5, 4).astype(np.int16)
    path = str(stored(tmp_path / "in.nii", data, affine_with("RAS")))
    output = str(tmp_path / "out.nii")
    assert main(["upscale", path, "--spacing", "1e-30", "--output", output]) == 2
    assert "expected a spacing of at least" in capsys.readouterr().err


@pytest.mark.parametrize("address", ["x", "tcp://", "host:port", "tcp://host", "a b:8786"])
def test_a_scheduler_that_is_no_address_is_not_waited_for(address):
    with pytest.raises(ValueError, match="expected an address like"), workers_of(address):
        pass


def test_a_description_that_is_nested_too_deeply_says_nothing(tmp_path):
    (tmp_path / "dataset_description.json").write_text("[" * 100_000)
    assert description_of(tmp_path) == {}


NO_PLACE = "import numba.core.caching as caching; caching.CacheImpl._locator_classes = []"
NO_ROOM = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))"


@pytest.mark.parametrize("lacking", [NO_PLACE, NO_ROOM], ids=["place", "room"])
def test_without_a_place_for_compiled_code_it_is_compiled_anew(tmp_path, lacking):
    if lacking == NO_ROOM:
        pytest.importorskip("resource")
    script = f"""
{lacking}
import numpy as np
from napari_metasr.zoom.kernels import compiled
first, second = compiled._row_pairs(np.array([0, 0, 1]))
print(first.tolist(), second.tolist())
"""
    package = str(Path(napari_metasr.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": package, "NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.strip() == "[0, 2] [1, 2]"
