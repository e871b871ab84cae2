"""The interactive page: what a browser draws is what the engine renders."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace

import numpy as np
import pytest
from fakes.browser import Browser, found_browser

from napari_metasr.cli import main
from napari_metasr.figures.page.contents import LARGEST_PIXELS, PageError
from napari_metasr.figures.page.writing import save_page
from napari_metasr.figures.panel import View
from napari_metasr.figures.rendition import Slice
from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.geometry.windows import Window
from napari_metasr.io import write_volume
from napari_metasr.normalisation import MissingPixelsWarning
from napari_metasr.samples.phantom import glioma_phantom
from napari_metasr.volume import Plane
from napari_metasr.zoom.baselines import interpolate_pixels
from napari_metasr.zoom.loading import load_model

BASELINES = {"acquired": "nearest", "bicubic": "bicubic"}
RENDERERS = {"": "WebGL", "#javascript": "JavaScript"}
SLACK = 1.5
"""Times the largest error that was measured at a few places that one elsewhere may be."""


@pytest.fixture(scope="module")
def model():
    return load_model("meta-srgan", device="cpu")


@pytest.fixture(scope="module")
def head():
    """A phantom's slice cut out on its own grid, with a gap and a voxel far too bright."""
    volume, _ = glioma_phantom((12, 120, 110))
    data = volume.data.astype(np.float32)
    index = data.shape[0] // 2
    slice_ = data[index]
    rows, columns = np.indices(slice_.shape)
    middle = np.array(slice_.shape) / 2
    away = ((rows - middle[0]) / 50) ** 2 + ((columns - middle[1]) / 42) ** 2
    slice_[away > 1] = 0
    slice_[70:73, 60:62] = np.nan
    slice_[90, 80] = 40 * np.nanmax(slice_)
    return replace(volume, data=data), index


def cut_of(head):
    volume, index = head
    return Slice(volume.slice(Plane.AXIAL, index), volume, Plane.AXIAL, index)


def saved(path, model, cut, window):
    volume = cut.volume
    view = View(Plane.AXIAL, (0.0, float(np.nanpercentile(volume.data, 99))))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MissingPixelsWarning)
        return save_page(
            path,
            model,
            cut,
            window,
            scale=3.0,
            view=view,
            intensity_range=volume.intensity_range,
            value_range=volume.value_range,
        )


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if found_browser() is None:
        pytest.skip("no Chromium or Chrome on the path")
    browser = Browser(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def page(tmp_path_factory, model, head):
    """A page of a region, and what it holds."""
    path = tmp_path_factory.mktemp("page") / "page.html"
    window = Window(50.0, 40.0, 100.0, 104.0)
    return path, saved(path, model, cut_of(head), window)


@pytest.fixture
def desktop(browser, page):
    """The page in a window of a desktop."""
    browser.resize(1280, 800)
    browser.prefer("dark")
    browser.open(page[0])
    return browser


def engine_values(model, image, volume, grid, pixels, method):
    ranges = {"intensity_range": volume.intensity_range, "value_range": volume.value_range}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MissingPixelsWarning)
        if method == "superResolved":
            return model.render_pixels(model.encode(image, **ranges), grid, pixels)
    return interpolate_pixels(image, grid, pixels, BASELINES[method], ranges["value_range"])


def compare(browser, made, model, cut, hundredths, *, most=240):
    """Compare all methods at a magnification, from a corner of the region on."""
    told = browser.evaluate(f"gridAt(metasr.header, {hundredths})")
    grid = OutputGrid.at_scale(cut.image.shape, tuple(scale / 100 for scale in told["scales"]))
    assert tuple(told["output"]) == grid.output_shape
    pixels = grid.pixel_range(Window(*made.header["region"]))
    assert tuple(told["pixels"]) == pixels
    i0, j0, i1, j1 = pixels
    pixels = i0, j0, min(i1, i0 + most), min(j1, j0 + most)
    low, high = made.header["limits"]
    rounding = 1e-6 * (high - low)
    for method, allowed in (("acquired", 0), ("bicubic", 0), ("superResolved", made.error[1])):
        call = f"metasr.values('{method}', {hundredths}, {list(pixels)})"
        found = browser.array(call).reshape(pixels[2] - i0, pixels[3] - j0)
        expected = engine_values(model, cut.image, cut.volume, grid, pixels, method)
        np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
        assert np.nanmax(np.abs(found - expected)) <= SLACK * allowed + rounding


@pytest.mark.parametrize("renderer", RENDERERS)
@pytest.mark.parametrize("hundredths", [100, 137, 370, 800])
def test_every_value_is_the_engine_s_within_the_stated_error(
    browser, page, model, head, renderer, hundredths
):
    path, made = page
    browser.open(path, renderer)
    assert browser.evaluate("metasr.renderer.name") == RENDERERS[renderer]
    compare(browser, made, model, cut_of(head), hundredths)


@pytest.mark.parametrize("renderer", RENDERERS)
def test_pixels_that_are_not_square_and_the_border_of_the_slice(
    browser, tmp_path, model, phantom_volume, renderer
):
    cut = Slice(phantom_volume.slice(Plane.AXIAL, 9), phantom_volume, Plane.AXIAL, 9)
    made = saved(tmp_path / "page.html", model, cut, Window.whole(cut.image.shape))
    browser.open(tmp_path / "page.html", renderer)
    assert browser.evaluate("gridAt(metasr.header, 400).scales") == [500, 400]
    for hundredths in (100, 333):
        compare(browser, made, model, cut, hundredths)


def test_the_stated_error_is_small_and_true(page):
    _, made = page
    usual, largest = made.error
    assert 0 < 3 * usual < largest < 2e-3 * made.header["width"]


def test_the_error_is_told_as_a_share_of_the_range_that_no_bright_voxel_widens(page, head):
    """The slice holds a voxel forty times as bright as the head."""
    path, made = page
    told = re.search(r"off by ([\d.]+)% .*?the largest measured is ([\d.]+)%", path.read_text())
    low, high = head[0].intensity_range
    assert [float(one) for one in told.groups()] == pytest.approx(
        [100 * one / (high - low) for one in made.error], rel=0.05
    )


def test_gray_levels_are_those_of_a_screen(desktop, page, model, head):
    made, cut = page[1], cut_of(head)
    low, high = made.header["contrast"]
    shown = desktop.evaluate(
        "(() => { const { canvas } = metasr.renderer; const flat = new OffscreenCanvas("
        "canvas.width, canvas.height).getContext('2d'); flat.drawImage(canvas, 0, 0);"
        "const frame = metasr.frame(); return { rows: [...frame.rows], columns: [...frame.columns],"
        "hundredths: frame.hundredths, split: frame.split,"
        "data: [...flat.getImageData(0, 0, canvas.width, canvas.height).data] }; })()"
    )
    rows, columns = np.array(shown["rows"]), np.array(shown["columns"])
    levels = np.array(shown["data"]).reshape(len(rows), len(columns), 4)
    grid = OutputGrid.at_scale(cut.image.shape, shown["hundredths"] / 100)
    pixels = i0, j0, i1, j1 = grid.pixel_range(Window(*made.header["region"]))
    inside = np.ix_((rows >= i0) & (rows < i1), (columns >= j0) & (columns < j1))
    left = (np.arange(len(columns)) < shown["split"])[inside[1][0]]
    own, bicubic = (
        engine_values(model, cut.image, cut.volume, grid, pixels, method)
        for method in ("superResolved", "bicubic")
    )
    expected = np.where(left, bicubic[::-1, ::-1], own[::-1, ::-1])
    expected = np.nan_to_num(255 * np.clip((expected - low) / (high - low), 0, 1))
    assert np.abs(levels[inside][..., 0] - expected).max() <= 1.5
    assert (levels[inside][..., 3] == 255).all()
    assert levels[..., 3].mean() < 255


def test_nothing_in_the_page_tells_whose_scan_it_is(tmp_path, model, head, desktop):
    volume, index = head
    told = ["DOE^JANE", "DOE_JANE", "19701231", "secret"]
    source = replace(
        volume.source,
        name="DOE^JANE 19701231",
        path=tmp_path / "secret" / "DOE_JANE_19701231.nii.gz",
    )
    path = tmp_path / "page.html"
    saved(path, model, cut_of((replace(volume, source=source), index)), Window(50, 40, 60, 60))
    text = path.read_text(encoding="utf-8")
    assert not [word for word in told if word.lower() in text.lower()]
    assert "For research use, not for diagnosis." in text
    assert not re.search(r"https?://|src=|@import|url\(", text)
    desktop.events.clear()
    desktop.open(path)
    asked = [
        event["params"]["request"]["url"]
        for event in desktop.events
        if event.get("method") == "Network.requestWillBeSent"
    ]
    assert [url for url in asked if not url.startswith(("about:", "blob:"))] == [path.as_uri()]
    wrong = ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled")
    assert [event for event in desktop.events if event.get("method") in wrong] == []


def test_the_first_magnification_and_the_readings(desktop, page):
    made = page[1]
    assert desktop.evaluate("metasr.hundredths") == 300
    assert desktop.text("scaleText") == "×3.00"
    assert desktop.text("spacing") == "0.333 × 0.333 mm a pixel; acquired 1 × 1 mm"
    assert [desktop.text(side) for side in ("top", "bottom", "left", "right")] == list("APRL")
    assert desktop.text("message") == ""
    step = desktop.evaluate("document.getElementById('bar').getBoundingClientRect().width")
    length = float(desktop.text("bar").split()[0])
    across = 0.333 * step / desktop.evaluate("metasr.size")
    assert abs(across - length) < 0.02 * length
    assert made.header["trained"][1] == 4
    desktop.set_value("scale", 6)
    assert desktop.text("scaleText") == "×6.00"
    assert "beyond the ×4 that Meta-SRGAN was trained on" in desktop.text("spacing")


def test_keys(desktop):
    desktop.evaluate("document.getElementById('stage').focus()")
    start = desktop.evaluate("metasr.centre")
    desktop.key("ArrowRight")
    moved = desktop.evaluate("metasr.centre")
    assert moved[0] == start[0]
    assert moved[1] < start[1]  # columns run to the left in the radiological view
    desktop.key("+")
    assert desktop.evaluate("metasr.hundredths") == 315
    desktop.key(".")
    assert desktop.evaluate("metasr.split") == pytest.approx(0.55)
    desktop.key("b")
    assert desktop.text("nameBefore") == "← Acquired pixels"
    desktop.key("0")
    assert desktop.evaluate("metasr.hundredths") == 300
    assert desktop.evaluate("metasr.centre") == start


def test_every_control_is_reached_by_the_keyboard(desktop):
    reached = []
    desktop.evaluate("document.activeElement.blur()")
    for _ in range(12):
        desktop.key("Tab")
        reached.append(desktop.evaluate("document.activeElement.id"))
    ids = ["theme", "stage", "scale", "swipe", "before", "size", "level", "window", "fit", "reset"]
    assert reached[: len(ids)] == ids


def test_the_mouse_moves_the_slice_swipes_and_magnifies_about_its_place(desktop):
    box = desktop.evaluate("document.getElementById('stage').getBoundingClientRect().toJSON()")
    middle = box["left"] + box["width"] / 2, box["top"] + box["height"] / 2
    start = desktop.evaluate("metasr.centre")
    desktop.drag((middle[0] + 100, middle[1]), (middle[0] + 160, middle[1]))
    scale = 3 * desktop.evaluate("metasr.size")
    assert desktop.evaluate("metasr.centre[1]") == pytest.approx(start[1] + 60 / scale, rel=0.01)
    desktop.drag(middle, (middle[0] + 80, middle[1]))
    assert desktop.evaluate("metasr.split") == pytest.approx(0.5 + 80 / box["width"], abs=0.003)
    place = [box["height"] / 2 + 30, box["width"] / 2 - 50]
    before = desktop.evaluate(f"metasr.pointAt({place})")
    desktop.wheel((box["left"] + place[1], box["top"] + place[0]), -100)
    assert desktop.evaluate("metasr.hundredths") == pytest.approx(300 * np.exp(0.2), abs=1)
    assert desktop.evaluate(f"metasr.pointAt({place})") == pytest.approx(before, abs=0.1)


def test_window_and_level(desktop, page):
    low, high = page[1].header["contrast"]
    desktop.set_value("window", high / 2)
    contrast = desktop.evaluate("metasr.contrast")
    assert contrast[1] - contrast[0] == pytest.approx(high / 2, rel=0.01)
    assert sum(contrast) / 2 == pytest.approx((low + high) / 2, rel=0.01)
    desktop.evaluate("document.getElementById('reset').click()")
    assert desktop.evaluate("metasr.contrast") == [low, high]


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_no_part_reaches_out_of_a_screen(browser, page, width):
    browser.resize(width, 740, density=2, mobile=width < 700)
    browser.open(page[0])
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    stage = browser.evaluate("document.getElementById('stage').getBoundingClientRect().toJSON()")
    assert stage["bottom"] < 740
    assert stage["width"] > 300
    size = browser.evaluate("parseFloat(getComputedStyle(document.body).fontSize)")
    assert size >= 16


def test_dark_and_light(browser, page):
    seen = {}
    for scheme in ("dark", "light"):
        browser.prefer(scheme)
        browser.open(page[0])
        background = "getComputedStyle(document.body).backgroundColor"
        seen[scheme] = browser.evaluate(background)
        browser.evaluate("document.getElementById('theme').click()")
        assert browser.evaluate(background) != seen[scheme]
    assert seen == {"dark": "rgb(15, 17, 19)", "light": "rgb(246, 247, 248)"}


def test_without_webgl_the_page_is_drawn_by_javascript(browser, page):
    script = "HTMLCanvasElement.prototype.getContext = (old => function (kind, ...rest) {"
    script += "return kind === 'webgl2' ? null : old.call(this, kind, ...rest); })"
    script += "(HTMLCanvasElement.prototype.getContext)"
    added = browser.call("Page.addScriptToEvaluateOnNewDocument", source=script)
    browser.open(page[0])
    browser.call("Page.removeScriptToEvaluateOnNewDocument", **added)
    assert browser.text("drawn") == "Drawn by JavaScript."


def test_models_of_fixed_scales_are_refused_with_the_reason(tmp_path, head):
    model = load_model("srresnet-x4", device="cpu")
    with pytest.raises(PageError, match=r"gives every scale; .* gives ×4 only"):
        saved(tmp_path / "page.html", model, cut_of(head), Window(0, 0, 20, 20))
    assert list(tmp_path.iterdir()) == []


def test_a_region_that_is_too_large_is_refused_before_anything_is_encoded(tmp_path, model, head):
    volume, _ = head
    side = 400
    large = Slice(np.ones((side, side), np.float32), volume, Plane.AXIAL, 0)
    with pytest.raises(PageError, match=r"400 x 400 pixels is too large .* \(320 x 320\)"):
        saved(tmp_path / "page.html", model, large, Window.whole((side, side)))
    assert side**2 > LARGEST_PIXELS
    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_a_page(tmp_path, phantom_volume, capsys):
    scan = write_volume(
        tmp_path / "scan.nii.gz", phantom_volume.data, phantom_volume.affine, phantom_volume.source
    )
    output = tmp_path / "page.html"
    region = ["--region", "4,3,16,12", "--scale", "2.5"]
    assert main(["zoom", str(scan), *region, "--output", str(output)]) == 0
    said = capsys.readouterr().out
    assert "an interactive page of 16 x 12 pixels" in said
    assert "research use" in said
    assert '"scale": 2.5' in output.read_text(encoding="utf-8")
    assert main(["zoom", str(scan), *region, "--output", str(output)]) == 2
    assert "overwrite" in capsys.readouterr().err


def test_a_region_of_one_value_is_refused(tmp_path, phantom_volume, model):
    cut = Slice(np.zeros((26, 22), np.int16), phantom_volume, Plane.AXIAL, 0)
    with pytest.raises(ValueError, match="single value"):
        saved(tmp_path / "page.html", model, cut, Window(0, 0, 20, 20))


def test_hostile_titles_stay_text(tmp_path, model, phantom_volume):
    cut = Slice(phantom_volume.slice(Plane.AXIAL, 9), phantom_volume, Plane.AXIAL, 9)
    card = model.card.model_copy(update={"title": "</script><b>{{style}}"})
    named = load_model("meta-srgan", device="cpu")
    named.card = card
    saved(tmp_path / "page.html", named, cut, Window(0, 0, 20, 20))
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "</script><b>" not in text
    assert "&lt;/script&gt;&lt;b&gt;{{style}}" in text
