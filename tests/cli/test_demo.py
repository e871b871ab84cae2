"""``napari-metasr demo``: where it looks, what it leaves, and the window on a virtual screen."""

from __future__ import annotations

import csv
import shutil
from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from napari_metasr.cli import main
from napari_metasr.cli.demo import has_display
from napari_metasr.cli.demo_scene import choose_scene
from napari_metasr.geometry.windows import Window
from napari_metasr.samples.phantom import glioma_phantom

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_metasr.volume import Volume


@pytest.fixture(scope="module")
def phantom() -> tuple[Volume, NDArray[np.uint8]]:
    return glioma_phantom((39, 60, 60), 4.0)


@pytest.fixture
def scan(tmp_path: Path, phantom: tuple[Volume, NDArray[np.uint8]]) -> Path:
    volume, _ = phantom
    path = tmp_path / "phantom.nii.gz"
    nib.save(nib.Nifti1Image(volume.data.transpose(2, 1, 0), volume.affine), path)
    return path


def lesion_share(mask: NDArray[np.uint8], index: int, region: Window) -> float:
    """How much of the slice's lesion lies in the region; 0 if the slice has none."""
    lesion = mask[index] > 0
    top, left, bottom, right = (int(edge) for edge in region)
    return lesion[top:bottom, left:right].sum() / max(lesion.sum(), 1)


def test_it_aims_at_the_lesion(scan: Path, phantom: tuple[Volume, NDArray[np.uint8]]) -> None:
    scene = choose_scene(scan, None, None, "meta-srgan", "cpu")
    assert lesion_share(phantom[1], scene.index, scene.region) > 0.5
    assert scene.region.height == scene.region.width == 24


def test_it_aims_at_a_real_lesion(shared_data: Path) -> None:
    volumes = shared_data / "volumes"
    scene = choose_scene(volumes / "BraTS-GLI-00000-000-t1c.nii.gz", None, None, "m", "cpu")
    segmentation = nib.as_closest_canonical(nib.load(volumes / "BraTS-GLI-00000-000-seg.nii.gz"))
    enhancing = np.asarray(segmentation.dataobj).transpose(2, 1, 0) == 3
    assert lesion_share(enhancing, scene.index, scene.region) > 0.9


def test_it_aims_at_the_lesion_of_the_sample(shared_data: Path) -> None:
    """A necrotic tumour at the brain's rim, darker on the whole than the other side."""
    path = shared_data / "volumes" / "BraTS-GLI-00001-000-t1c.nii.gz"
    scene = choose_scene(path, None, None, "m", "cpu")
    top, left, bottom, right = scene.region
    assert 60 <= scene.index <= 84
    assert top < 125
    assert bottom > 155
    assert left < 75
    assert right > 95


def test_slice_and_region_can_be_given(scan: Path) -> None:
    scene = choose_scene(scan, 11, Window.at(1, 2, 30, 20), "meta-srgan", "cpu")
    assert (scene.index, scene.region) == (11, Window.at(1, 2, 30, 20))
    with pytest.raises(ValueError, match="slice 39 is outside"):
        choose_scene(scan, 39, None, "meta-srgan", "cpu")
    with pytest.raises(ValueError, match="reaches outside"):
        choose_scene(scan, 11, Window.at(50, 2, 30, 20), "meta-srgan", "cpu")


@pytest.mark.parametrize("value", [0, 700])
def test_a_volume_without_any_lesion_is_shown_in_the_middle(tmp_path: Path, value: int) -> None:
    path = tmp_path / "flat.nii"
    nib.save(nib.Nifti1Image(np.full((40, 44, 8), value, np.int16), np.diag([4, 4, 4, 1])), path)
    scene = choose_scene(path, None, None, "meta-srgan", "cpu")
    assert scene.region == Window.at(10, 8, 24, 24)


def test_offline_it_says_so_and_takes_the_phantom(
    monkeypatch: pytest.MonkeyPatch, capsys, phantom: tuple[Volume, NDArray[np.uint8]]
) -> None:
    def offline() -> Path:
        raise ConnectionError("could not be fetched")

    monkeypatch.setattr("napari_metasr.samples.samples.brats_case", offline)
    monkeypatch.setattr("napari_metasr.samples.samples.phantom", lambda: phantom)
    scene = choose_scene(None, None, None, "meta-srgan", "cpu")
    assert "could not be fetched" in capsys.readouterr().out
    assert scene.path is None
    assert lesion_share(phantom[1], scene.index, scene.region) > 0.9


@pytest.mark.parametrize(
    ("environment", "expected"),
    [({}, False), ({"DISPLAY": ":0"}, True), ({"WAYLAND_DISPLAY": "wayland-0"}, True)],
)
def test_a_display_is_noticed(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], expected: bool
) -> None:
    monkeypatch.setattr("platform.system", lambda: "Linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert has_display() is expected


def test_without_a_screen_it_leaves_pictures_and_a_table(
    scan: Path, tmp_path: Path, capsys
) -> None:
    """The whole demonstration, window and slider on a virtual screen included."""
    if shutil.which("xvfb-run") is None:
        pytest.skip("needs xvfb-run, which is not here")
    output = tmp_path / "demo"
    arguments = ["demo", "--input", str(scan), "--output", str(output), "--device", "cpu"]
    assert main([*arguments, "--screen", "virtual"]) == 0, capsys.readouterr().err
    pictures = {"screenshot.png", "sequence.png", "comparison.png", "zoom.gif"}
    assert {path.name for path in output.iterdir()} == pictures | {"figures.csv", "figures.md"}
    for name in pictures:
        with Image.open(output / name) as picture:
            assert min(picture.size) > 300
            assert np.asarray(picture.convert("L")).std() > 5
    with (output / "figures.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["scale"]) for row in rows] == [1.5, 2, 2.5, 3, 3.7, 4]
    assert all(10 < float(row["psnr_bicubic"]) < 60 for row in rows)
    psnr = [float(row["psnr_bicubic"]) for row in rows]
    assert psnr[0] > psnr[-1]
    printed = capsys.readouterr().out
    assert str(output.resolve()) in printed
    assert (output / "figures.md").read_text(encoding="utf-8").splitlines()[-1] in printed


def test_without_a_virtual_screen_it_names_what_is_missing(
    scan: Path, tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_metasr.cli.demo_pictures.write_pictures", lambda *_: [])
    monkeypatch.setattr("shutil.which", lambda _: None)
    arguments = ["demo", "--input", str(scan), "--output", str(tmp_path / "demo")]
    assert main([*arguments, "--screen", "virtual"]) == 2
    assert "xvfb-run" in capsys.readouterr().err
