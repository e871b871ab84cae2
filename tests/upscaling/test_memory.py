"""Memory that a volume takes while it is upscaled: that of its slabs, whatever its size."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
from pathlib import Path
import nibabel as nib, numpy as np
sys.path.insert(0, sys.argv[2])
from fakes.upscaling import small_models
from napari_metasr.upscaling import parts
from napari_metasr.upscaling.job import Job
from napari_metasr.upscaling.options import UpscaleOptions

folder, parts.SLAB_BYTES, parts.LEAST_PARTS = Path(sys.argv[1]), int(sys.argv[3]), 1
models = small_models(folder)

def memory(name):
    return int(Path("/proc/self/status").read_text().split(name + ":")[1].split()[0])

def upscale(side, slices):
    data = np.zeros((side, side, slices), np.int16)
    data[8:24, 8:24] = np.random.default_rng(0).integers(100, 2000, (16, 16, slices))
    nib.save(nib.Nifti1Image(data, np.eye(4)), folder / "in.nii")
    output = folder / f"{side}.nii"
    options = UpscaleOptions(scale=(2, 2, 1), **models)
    job = Job(input=folder / "in.nii", output=output, options=options, device="cpu")
    for _ in job.prepare().steps():
        pass

upscale(32, 4)
Path("/proc/self/clear_refs").write_text("5")
before = memory("VmRSS")
upscale(256, 96)
print(memory("VmHWM") - before)
"""
WHOLE = 512 * 512 * 96 * 4 >> 10
"""KiB of the output as it is computed."""


def peak(folder: Path, slab: int) -> int:
    """KiB that it takes in a process of its own."""
    arguments = [str(folder), str(Path(__file__).parents[1]), str(slab)]
    command = [sys.executable, "-c", PROGRAM, *arguments]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read as Linux counts it")
def test_a_volume_takes_less_memory_than_its_voxels(tmp_path):
    assert peak(tmp_path, slab=1 << 20) < WHOLE
