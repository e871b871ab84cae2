"""Two processes that write one file at the same time: it is whole, and one of them is told."""

from __future__ import annotations

import subprocess
import sys
import time

import nibabel as nib
import numpy as np
import pytest
from fakes.nifti import affine_with, stored

ROUNDS = 40
SIZE = 200_000

WRITER = f"""
import sys, time
from pathlib import Path
from napari_metasr.files import replacing
folder, name, overwrite = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "overwrite"
(folder / name).touch()
while not (folder / "go").exists():
    pass
refused = 0
for number in range({ROUNDS}):
    while time.time() < float((folder / "go").read_text()) + 0.02 * number:
        pass
    try:
        with replacing(folder / f"{{number}}.out", overwrite=overwrite) as temporary:
            temporary.write_bytes(name.encode() * {SIZE})
    except FileExistsError:
        refused += 1
print(refused)
"""


@pytest.mark.parametrize("how", ["overwrite", "new"])
def test_a_file_is_of_one_writer(tmp_path, how):
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), name, how],
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in "ab"
    ]
    while not all((tmp_path / name).exists() for name in "ab"):
        time.sleep(0.01)
    (tmp_path / "going").write_text(str(time.time() + 0.1))
    (tmp_path / "going").rename(tmp_path / "go")
    refused = [int(writer.communicate(timeout=120)[0]) for writer in writers]
    contents = [(tmp_path / f"{number}.out").read_bytes() for number in range(ROUNDS)]
    assert set(contents) <= {b"a" * SIZE, b"b" * SIZE}
    assert sum(refused) == (0 if how == "overwrite" else ROUNDS)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name[0] == ".") == []


def test_one_of_two_upscalings_is_refused(tmp_path):
    rng = np.random.default_rng(0)
    data = rng.integers(1, 900, (40, 36, 12)).astype(np.int16)
    scan = stored(tmp_path / "in.nii", data, affine_with("RAS"))
    code = "import sys; from napari_metasr.cli import main; sys.exit(main())"
    program = (sys.executable, "-c", code, "upscale", str(scan), "--scale", "2,2,1")
    output = tmp_path / "out.nii"
    both = [
        subprocess.Popen([*program, "--output", str(output)], stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    errors = [one.communicate(timeout=300)[1].splitlines()[-1] for one in both]
    codes = [one.returncode for one in both]
    assert sorted(codes) == [0, 2], errors
    (error,) = (text for text, code in zip(errors, codes, strict=True) if code)
    assert "another process is working on this output" in error or "the file exists" in error
    assert nib.load(output).shape == (80, 72, 12)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.nii", "out.json", "out.nii"]
