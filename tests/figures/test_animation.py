"""The animated zoom: its path, its files, their size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from fakes.figures import Interpolating, view
from PIL import ExifTags, Image
from scipy import ndimage

from napari_metasr.figures import animation
from napari_metasr.figures import frames as frame_files
from napari_metasr.figures.animation import save_animation, zoom_path

if TYPE_CHECKING:
    from pathlib import Path


def test_zoom_path_grows_steadily_about_one_point() -> None:
    views = zoom_path((240, 240), (1.0, 1.0), (100.0, 40.0, 180.0, 120.0), 30)
    scales = np.array([zoom.scale[0] for zoom in views])
    assert scales[0] == pytest.approx(1.5)
    assert scales[-1] == pytest.approx(4.5)
    assert (np.diff(scales) > 0).all()
    assert views[0].centre == (120.0, 120.0)
    assert views[-1].centre == pytest.approx((140.0, 80.0))
    # a zoom has a fixed point: scale x (fixed point - centre) is the same in all frames
    slope = np.polyfit(1 / scales, [zoom.centre[0] for zoom in views], 1)
    np.testing.assert_allclose(
        np.polyval(slope, 1 / scales), [zoom.centre[0] for zoom in views], atol=1e-6
    )


def test_zoom_path_never_shrinks_pixels_and_makes_them_square() -> None:
    views = zoom_path((700, 100), (1.0, 5.0), (0.0, 0.0, 50.0, 10.0), 5)
    assert min(min(zoom.scale) for zoom in views) >= 1
    for zoom in views:
        assert zoom.scale[1] == pytest.approx(5 * zoom.scale[0])


def test_animation_does_not_tremble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A spot is where the zoom says, in every frame, to a fraction of a pixel."""
    monkeypatch.setattr(frame_files, "GREY_LEVELS", (256,))
    monkeypatch.setattr(animation, "draw_letters", lambda *_: None)
    monkeypatch.setattr(animation, "draw_scale_bar", lambda *_: None)
    y, x = np.mgrid[:120, :120]
    spot = (70.3, 41.7)
    image = 1000 * np.exp(-((y + 0.5 - spot[0]) ** 2 + (x + 0.5 - spot[1]) ** 2) / 18)
    window = (50.0, 20.0, 90.0, 60.0)
    path = save_animation(
        tmp_path / "z.gif", image, Interpolating(), title="M", trained_scales=(1.1, 4.0),
        view=view((0, 1000)), spacing=(1.0, 1.0), window=window,
        intensity_range=(0.0, 1000.0), frames=9,
    )  # fmt: skip
    views = zoom_path((120, 120), (1.0, 1.0), window, 9)
    panel = animation.PANEL
    with Image.open(path) as frames:
        assert frames.n_frames == 9
        for number, zoom in enumerate(views):
            frames.seek(number)
            page = np.asarray(frames.convert("L"), float)[animation.HEADER :][:panel]
            for left in (animation.GAP, 2 * animation.GAP + panel):
                found = ndimage.center_of_mass(page[:, left : left + panel] ** 2)
                expected = [
                    panel / 2 - (spot[axis] - zoom.centre[axis]) * zoom.scale[axis] - 0.5
                    for axis in (0, 1)
                ]
                assert found == pytest.approx(expected, abs=0.25)


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_animation_files(tmp_path: Path, head: np.ndarray, suffix: str) -> None:
    path = save_animation(
        tmp_path / f"z{suffix}", head, Interpolating(), title="M", trained_scales=(1.1, 2.0),
        view=view((0, 1000)), spacing=(1.0, 1.0), window=(20.0, 20.0, 60.0, 60.0),
        intensity_range=(0.0, 1000.0), frames=4,
    )  # fmt: skip
    with Image.open(path) as frames:
        assert frames.n_frames == 4
        told = (
            frames.info.get("comment") or frames.getexif()[ExifTags.Base.ImageDescription].encode()
        )
        assert told.decode() == "Super-resolved by M; for research use, not for diagnosis."
        assert set(frames.getexif()) <= {ExifTags.Base.ImageDescription}
    with pytest.raises(FileExistsError):
        save_animation(
            path, head, Interpolating(), title="M", trained_scales=(1.1, 2.0), view=view((0, 1)),
            spacing=(1.0, 1.0), window=(20.0, 20.0, 60.0, 60.0), intensity_range=(0.0, 1.0),
        )  # fmt: skip


def test_animation_gives_up_grey_levels_to_stay_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = np.random.default_rng(0).uniform(0, 1, (200, 200))

    def size(largest: int) -> int:
        monkeypatch.setattr(frame_files, "LARGEST_BYTES", largest)
        path = save_animation(
            tmp_path / "z.gif", noise, Interpolating(), title="M", trained_scales=(1.1, 4.0),
            view=view(), spacing=(1.0, 1.0), window=(50.0, 50.0, 150.0, 150.0),
            intensity_range=(0.0, 1.0), frames=3, overwrite=True,
        )  # fmt: skip
        return path.stat().st_size

    free = size(10**9)
    assert size(free // 2) <= free // 2


def test_animation_refuses_other_formats(tmp_path: Path, head: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"\.gif, \.webp, \.mp4, found '\.avi'"):
        save_animation(
            tmp_path / "z.avi", head, Interpolating(), title="M", trained_scales=(1, 4),
            view=view(), spacing=(1.0, 1.0), window=(0.0, 0.0, 9.0, 9.0),
            intensity_range=(0.0, 1.0),
        )  # fmt: skip
    with pytest.raises(ValueError, match="at least 2 frames"):
        zoom_path((9, 9), (1.0, 1.0), (0.0, 0.0, 9.0, 9.0), 1)
