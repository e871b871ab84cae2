"""Films: what a decoder finds in them is what was put in."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest
from fakes.processes import run_python
from PIL import Image

from napari_metasr.cli import main
from napari_metasr.figures.film import save_film
from napari_metasr.io import write_volume

ffmpeg = pytest.importorskip("imageio_ffmpeg")


def decoded(film, shape):
    """What ffmpeg tells of a film, and its frames."""
    arguments = ["-i", str(film), "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray"]
    done = subprocess.run(
        [ffmpeg.get_ffmpeg_exe(), *arguments, "-"], capture_output=True, check=True
    )
    return done.stderr.decode(), np.frombuffer(done.stdout, np.uint8).reshape(-1, *shape)


def test_pictures_times_and_the_comment(tmp_path):
    ramp = np.tile(np.linspace(20, 220, 65).astype(np.uint8), (48, 1))
    pictures = [Image.fromarray(ramp), Image.fromarray(255 - ramp)]
    save_film(tmp_path / "film.mp4", pictures, [350, 700], "for research use")
    told, found = decoded(tmp_path / "film.mp4", (48, 66))
    assert " 66x48" in told  # odd sides are made even
    assert "Duration: 00:00:01.05" in told
    assert len(found) == 30
    found = found[..., :65]
    assert np.abs(found[4] - ramp.astype(float)).mean() < 4
    assert np.abs(found[20] - (255.0 - ramp)).mean() < 4
    assert b"for research use" in (tmp_path / "film.mp4").read_bytes()


@pytest.mark.parametrize("ending", ["gif", "mp4"])
def test_the_command_writes_an_animated_zoom(tmp_path, phantom_volume, capsys, ending):
    scan = write_volume(
        tmp_path / "scan.nii.gz", phantom_volume.data, phantom_volume.affine, phantom_volume.source
    )
    output = tmp_path / f"zoom.{ending}"
    assert main(["zoom", str(scan), "--scale", "4", "--output", str(output)]) == 0
    said = capsys.readouterr().out
    assert "a zoom in 48 frames" in said
    assert "research use" in said
    assert output.stat().st_size > 10_000


def test_without_the_package_the_one_line_says_how_to_install_it(tmp_path, phantom_volume):
    scan = write_volume(
        tmp_path / "scan.nii.gz", phantom_volume.data, phantom_volume.affine, phantom_volume.source
    )
    words = ["zoom", str(scan), "--scale", "4", "--output", str(tmp_path / "zoom.mp4")]
    code = (
        "import sys; sys.modules['imageio_ffmpeg'] = None; from napari_metasr.cli import main;"
        f"sys.exit(main({words!r}))"
    )
    done = run_python("-c", code)
    assert done.returncode == 2
    assert "MP4 needs imageio-ffmpeg: pip install 'napari-metasr[video]'" in done.stderr
    assert not (tmp_path / "zoom.mp4").exists()
