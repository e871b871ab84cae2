"""Which images belong together, which of them are time points, and which series is meant."""

from __future__ import annotations

import re

import numpy as np
import pytest
from fakes.dicom import STUDY, TELLTALE, enhanced, image, save, series, voxels
from pydicom.dataset import Dataset

from napari_metasr.io import read
from napari_metasr.io.dicom.finding import find_series
from napari_metasr.io.opening import open_stored
from napari_metasr.io.orientation import from_canonical

CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)


def stored_order(volume):
    values, _ = from_canonical(volume.data, volume.affine, volume.source.affine)
    return values.T


def with_elements(images, **elements):
    for one in images:
        for keyword, value in elements.items():
            setattr(one, keyword, value)
    return images


def test_what_is_told_of_a_series(tmp_path):
    [found] = find_series(save(tmp_path, series(voxels(), SliceThickness=2))).series
    assert (found.number, found.modality, found.description) == ("3", "MR", "t1 mprage")
    assert (found.matrix, found.slices, found.time_points, found.images) == ((6, 7), 5, 1, 5)
    assert found.spacing == pytest.approx((0.6, 0.8, 2.5))
    assert found.orientation == "LPS"
    assert found.remarks == ("slices 2 mm thick, 2.5 mm apart",)
    assert found.concerns == ()
    assert found.name == "MR_t1-mprage"


def test_localizers_are_split_by_orientation(tmp_path):
    kind = {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}
    images = [
        *series(voxels((5, 7, 6)), **kind),
        *series(voxels((4, 7, 6)), orientation=CORONAL, **kind),
        *series(voxels((3, 7, 6)), orientation=SAGITTAL, **kind),
    ]
    found = find_series(save(tmp_path, images))
    told = [(one.number, one.slices, one.orientation, one.remarks) for one in found.series]
    assert told == [
        ("3.1", 5, "LPS", ("localizer",)),
        ("3.2", 4, "LIP", ("localizer",)),
        ("3.3", 3, "PIR", ("localizer",)),
    ]
    with pytest.raises(ValueError, match=r"expected one series, found 3: 3\.1 \(MR t1 mprage, 6 x"):
        open_stored(tmp_path)
    assert open_stored(tmp_path, series="3.2").file_shape == (6, 7, 4)


def test_other_matrices_and_frames_of_reference_are_apart(tmp_path):
    images = [
        *series(voxels((5, 7, 6))),
        *series(voxels((4, 9, 6))),
        *series(voxels((3, 7, 6)), FrameOfReferenceUID=STUDY + ".6"),
    ]
    found = find_series(save(tmp_path, images))
    assert [(one.number, one.images) for one in found.readable] == [
        ("3.1", 5), ("3.2", 4), ("3.3", 3),
    ]  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*numbers are phases")
@pytest.mark.parametrize(
    ("keyword", "values"),
    [
        ("EchoTime", (10, 90)),
        ("InversionTime", (400, 2500)),
        ("ImageType", (["ORIGINAL", "PRIMARY", "M"], ["ORIGINAL", "PRIMARY", "P"])),
        ("ComplexImageComponent", ("MAGNITUDE", "PHASE")),
    ],
)
def test_kinds_of_images_at_one_place_are_apart(tmp_path, keyword, values):
    datas = [voxels(seed=seed) for seed in (0, 1)]
    images = [
        one
        for data, value in zip(datas, values, strict=True)
        for one in series(data, **{keyword: value})
    ]
    found = find_series(save(tmp_path, images))
    assert [one.slices for one in found.readable] == [5, 5]
    pixels = {read(tmp_path, series=one.number).data.tobytes() for one in found.readable}
    assert len(pixels) == 2


@pytest.mark.parametrize(
    "elements",
    [{"ImageType": ["ORIGINAL", "PRIMARY", "P", "ND"]}, {"ComplexImageComponent": "PHASE"}],
)
def test_phases_are_a_concern(tmp_path, elements):
    (found,) = find_series(save(tmp_path, series(voxels(), **elements))).series
    assert ["numbers are phases" in one for one in found.concerns] == [True]
    with pytest.warns(UserWarning, match="numbers are phases"):
        read(tmp_path)


def pairs(values, keyword="EchoTime", **elements):
    """Two stacks that are told apart by an element, one after the other."""
    images = [
        one
        for seed, value in enumerate(values)
        for one in series(voxels(seed=seed), **{keyword: value}, **elements)
    ]
    for number, one in enumerate(images, start=1):
        one.InstanceNumber = number
    return images


@pytest.mark.filterwarnings("ignore:.*numbers are phases")
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("keyword", "values", "told"),
    [
        ("EchoTime", (90, 10), ["echo time 90 ms", "echo time 10 ms"]),
        ("InversionTime", (400, 2500.5), ["inversion time 400 ms", "inversion time 2500.5 ms"]),
        ("ComplexImageComponent", ("PHASE", "MAGNITUDE"), ["phase", "magnitude"]),
        (
            "ImageType",
            (["DERIVED", "PRIMARY", "W", "DIXON"], ["DERIVED", "PRIMARY", "F", "DIXON"]),
            ["image type W", "image type F"],
        ),
    ],
)
def test_parts_of_a_series_are_told_apart_in_their_order(tmp_path, seed, keyword, values, told):
    found = find_series(save(tmp_path, pairs(values, keyword), seed=seed)).series
    assert [(one.number, one.part) for one in found] == [("3.1", told[0]), ("3.2", told[1])]
    for number, one in enumerate(found):
        data = read(tmp_path, series=one.number)
        np.testing.assert_array_equal(stored_order(data), voxels(seed=number))
    with pytest.raises(ValueError, match=rf"3\.1 \(MR t1 mprage, {told[0]}, 6 x 7, 5 images\)"):
        open_stored(tmp_path)


@pytest.mark.parametrize("rounded", [30.0005, 30.00149, 30.0021])
def test_echoes_whose_places_are_rounded_differently_are_apart(tmp_path, rounded):
    images = [
        *series(voxels(), EchoTime=10, origin=(-10, 20, 30.00049)),
        *series(voxels(seed=1), EchoTime=90, origin=(-10, 20, rounded)),
    ]
    found = find_series(save(tmp_path, images)).series
    assert [(one.part, one.slices) for one in found] == [
        ("echo time 10 ms", 5), ("echo time 90 ms", 5),
    ]  # fmt: skip


def test_a_pixel_spacing_that_is_rounded_differently_splits_nothing(tmp_path):
    data = voxels((6, 7, 6))
    images = series(data)
    for number, one in enumerate(images):
        one.PixelSpacing = [0.46875, 0.46875 if number % 2 else 0.4687499]
    (found,) = find_series(save(tmp_path, images)).series
    assert found.slices == 6
    np.testing.assert_array_equal(stored_order(read(tmp_path)), data)


def test_one_volume_is_no_part(tmp_path):
    (found,) = find_series(save(tmp_path, series(voxels(), EchoTime=10))).series
    assert (found.part, found.title) == ("", "series 3: MR t1 mprage")


def with_raw_data_type(images, number, creator="GEMS_PARM_01"):
    for one in images:
        one.private_block(0x43, creator, create=True).add_new(0x2F, "SS", number)
    return images


@pytest.mark.filterwarnings("ignore:.*numbers are phases")
def test_parts_of_complex_numbers_are_apart_as_ge_tells_them(tmp_path):
    kinds = ["magnitude", "phase", "real", "imaginary"]
    images = [
        one
        for number in range(4)
        for one in with_raw_data_type(series(voxels(seed=number)), number)
    ]
    for number, one in enumerate(images, start=1):
        one.InstanceNumber = number
    found = find_series(save(tmp_path, images)).series
    assert [(one.part, one.slices, one.time_points) for one in found] == [
        (kind, 5, 1) for kind in kinds
    ]
    assert [any("phases" in told for told in one.concerns) for one in found] == [
        kind == "phase" for kind in kinds
    ]
    for number, one in enumerate(found):
        np.testing.assert_array_equal(
            stored_order(read(tmp_path, series=one.number)), voxels(seed=number)
        )


@pytest.mark.parametrize(
    ("number", "creator"), [(-1, "GEMS_PARM_01"), (9, "GEMS_PARM_01"), (1, "X")]
)
def test_what_is_no_raw_data_type_of_ge_tells_nothing(tmp_path, number, creator):
    (found,) = find_series(
        save(tmp_path, with_raw_data_type(series(voxels()), number, creator))
    ).series
    assert (found.slices, found.concerns) == (5, ())


def test_inversion_times_of_a_multi_frame_image_are_apart(tmp_path):
    data = voxels((10, 7, 6))
    one = enhanced(data, times=2)
    for number, frame in enumerate(one.PerFrameFunctionalGroupsSequence):
        del frame.FrameContentSequence[0].TemporalPositionIndex
        frame.MRModifierSequence = [Dataset()]
        frame.MRModifierSequence[0].InversionTimes = 700.0 if number < 5 else 2500.0
    found = find_series(save(tmp_path, [one])).series
    assert [(part.part, part.time_points) for part in found] == [
        ("inversion time 700 ms", 1),
        ("inversion time 2500 ms", 1),
    ]
    np.testing.assert_array_equal(stored_order(read(tmp_path, series="3.2")), data[5:])


def test_two_inversions_are_no_fault(tmp_path):
    one = enhanced(voxels())
    for frame in one.PerFrameFunctionalGroupsSequence:
        frame.MRModifierSequence = [Dataset()]
        frame.MRModifierSequence[0].InversionTimes = [450.0, 3400.0]
    (found,) = find_series(save(tmp_path, [one])).series
    assert (found.slices, found.concerns) == (5, ())


def test_frames_of_reference_that_each_image_has_for_itself_tell_nothing(tmp_path):
    data = voxels()
    images = series(data)
    for number, one in enumerate(images):
        one.FrameOfReferenceUID = f"{STUDY}.5.{number}"
    (found,) = find_series(save(tmp_path, images)).series
    told = "each image has a frame of reference of its own, though all are taken to lie in one"
    assert (found.slices, found.concerns) == (5, (told,))
    with pytest.warns(UserWarning, match="frame of reference of its own"):
        np.testing.assert_array_equal(stored_order(read(tmp_path)), data)


@pytest.mark.parametrize("seed", range(2))
def test_studies_in_one_folder_are_counted_by_their_dates(tmp_path, seed):
    studies = (("1.2.9", "20210105", 0), ("1.2.5", "20230317", 1), ("1.2.7", "", 2))
    images = [
        one
        for uid, date, number in studies
        for one in series(
            voxels(seed=number), uid=f"{uid}.{number}", StudyInstanceUID=uid, StudyDate=date
        )
    ]
    found = find_series(save(tmp_path, images, seed=seed))
    assert [(one.number, one.part) for one in found.series] == [
        ("3.1", "study 1 of 3"), ("3.2", "study 2 of 3"), ("3.3", "study 3 of 3"),
    ]  # fmt: skip
    for number, wanted in (("3.1", 2), ("3.2", 0), ("3.3", 1)):  # no date is before all others
        np.testing.assert_array_equal(
            stored_order(read(tmp_path, series=number)), voxels(seed=wanted)
        )


def test_an_echo_time_of_each_slice_splits_nothing(tmp_path):
    images = series(voxels())
    for number, one in enumerate(images):
        one.EchoTime = 10 + number
    assert find_series(save(tmp_path, images)).series[0].slices == 5


@pytest.mark.parametrize(
    ("keyword", "values", "name"),
    [
        ("TemporalPositionIdentifier", (1, 2, 10), "temporal position"),
        ("TriggerTime", (0.5, 40.0, 200.0), "trigger time"),
        ("DiffusionBValue", (0.0, 500.0, 1000.0), "diffusion weighting"),
        ("AcquisitionNumber", (1, 2, 10), "acquisition number"),
    ],
)
def test_time_points_make_a_fourth_dimension(tmp_path, keyword, values, name):
    datas = [voxels(seed=seed) for seed in range(3)]
    images = [
        one
        for data, value in zip(datas, values, strict=True)
        for one in series(data, TemporalResolution=1500, RepetitionTime=4, **{keyword: value})
    ]
    volume = read(save(tmp_path, images))
    np.testing.assert_array_equal(
        stored_order(volume), np.stack(datas), err_msg="(t, slices, rows, columns)"
    )
    assert find_series(tmp_path).series[0].remarks == (f"time points told apart by their {name}",)
    assert open_stored(tmp_path).file_shape == (6, 7, 5, 3)
    assert volume.source.header.get_zooms()[3] == 1.5
    assert volume.source.header.get_xyzt_units() == ("mm", "sec")


def test_time_points_of_a_multi_frame_image(tmp_path):
    data = voxels((15, 7, 6))
    volume = read(save(tmp_path, [enhanced(data, times=3)]))
    np.testing.assert_array_equal(stored_order(volume), data.reshape(3, 5, 7, 6))


def test_time_points_by_instance_numbers_alone(tmp_path):
    datas = [voxels(seed=seed) for seed in range(2)]
    images = [one for data in datas for one in series(data)]
    for number, one in enumerate(images, start=1):
        one.InstanceNumber = number
    volume = read(save(tmp_path, images))
    np.testing.assert_array_equal(stored_order(volume), np.stack(datas))


def test_time_points_that_are_counted_slice_by_slice(tmp_path):
    datas = [voxels(seed=seed) for seed in range(3)]
    slices = zip(*map(series, datas), strict=True)
    images = [one for of_a_slice in slices for one in of_a_slice]
    for number, one in enumerate(images, start=1):
        one.InstanceNumber = number
    volume = read(save(tmp_path, images))
    np.testing.assert_array_equal(stored_order(volume), np.stack(datas))


def test_time_points_with_equal_instance_numbers_are_refused(tmp_path):
    images = [one for seed in range(2) for one in series(voxels(seed=seed), InstanceNumber=1)]
    [found] = find_series(save(tmp_path, images)).series
    assert "2 different ones at slice" in found.refusal


@pytest.mark.filterwarnings("ignore:Invalid value for VR TM")
@pytest.mark.parametrize("form", ["{:06d}.25", "{:06d}", "10:11:{:02d}"])
def test_time_points_with_equal_instance_numbers_are_told_apart_by_the_clock(tmp_path, form):
    seconds = (4, 57, 30)
    images = [
        one
        for seed, second in enumerate(seconds)
        for one in series(voxels(seed=seed), AcquisitionTime=form.format(second))
    ]
    (found,) = find_series(save(tmp_path, images)).series
    assert (found.slices, found.time_points) == (5, 3)
    assert found.remarks == ("time points told apart by their acquisition time",)
    volume = read(tmp_path)
    for time, seed in enumerate(np.argsort(seconds)):
        values, _ = from_canonical(volume.data[time], volume.affine, volume.source.affine)
        np.testing.assert_array_equal(values.T, voxels(seed=seed))


@pytest.mark.filterwarnings("ignore:Invalid value for VR TM")
def test_an_acquisition_time_that_is_none_is_no_concern(tmp_path):
    images = with_elements(series(voxels()), AcquisitionTime="noon")
    (found,) = find_series(save(tmp_path, images)).series
    assert (found.slices, found.concerns) == (5, ())


def test_elements_of_several_values_tell_nothing_apart(tmp_path):
    datas = [voxels(seed=seed) for seed in range(2)]
    images = [
        one
        for number, data in enumerate(datas, start=1)
        for one in series(data, AcquisitionNumber=[number, 2], TemporalPositionIdentifier=number)
    ]
    with pytest.warns(UserWarning, match="AcquisitionNumber"):
        volume = read(save(tmp_path, images))
    np.testing.assert_array_equal(stored_order(volume), np.stack(datas))
    assert find_series(tmp_path).series[0].concerns == (
        "elements that cannot be read count as missing: AcquisitionNumber",
    )


def test_a_weighting_without_a_direction_spoils_nothing(tmp_path):
    data = voxels((10, 7, 6))
    image = enhanced(data, times=2)
    for number, frame in enumerate(image.PerFrameFunctionalGroupsSequence):
        del frame.FrameContentSequence[0].TemporalPositionIndex
        diffusion = Dataset()
        diffusion.DiffusionBValue = 1000.0 * (number // 5)
        diffusion.DiffusionGradientDirectionSequence = []
        frame.MRDiffusionSequence = [diffusion]
    volume = read(save(tmp_path, [image]))
    np.testing.assert_array_equal(stored_order(volume), data.reshape(2, 5, 7, 6))


def test_the_time_step_of_a_multi_frame_echo_planar_image(tmp_path):
    image = enhanced(voxels((10, 7, 6)), times=2)
    timing = Dataset()
    timing.RepetitionTime = 2200.0
    image.SharedFunctionalGroupsSequence[0].MRTimingAndRelatedParametersSequence = [timing]
    image.EchoPlanarPulseSequence = "YES"
    header = read(save(tmp_path, [image])).source.header
    assert header.get_zooms()[3] == pytest.approx(2.2)
    assert header.get_xyzt_units() == ("mm", "sec")


def test_a_time_point_that_lacks_a_slice_is_refused(tmp_path):
    images = [
        one
        for number in (1, 2, 3)
        for one in series(voxels(seed=number), TemporalPositionIdentifier=number)
    ]
    del images[7]
    [found] = find_series(save(tmp_path, images)).series
    assert found.refusal == (
        "expected 5 slices at each of 3 time points, found 1 missing at time point 2 (by their "
        "temporal position)"
    )


def test_copies_are_left_out_and_told(tmp_path):
    images = series(voxels())
    copies = series(voxels())[1:3]
    save(tmp_path, [*images, *copies])
    stored = open_stored(tmp_path)
    assert stored.source.concerns == ("2 images are there twice and were left out once",)
    assert stored.file_shape == (6, 7, 5)
    with pytest.warns(UserWarning, match="twice"):
        np.testing.assert_array_equal(stored_order(read(tmp_path)), voxels())


def test_copies_with_other_numbers_are_left_out_too(tmp_path):
    copy = with_elements(series(voxels())[2:3], InstanceNumber=17)
    [found] = find_series(save(tmp_path, [*series(voxels()), *copy])).series
    assert (found.slices, found.time_points, found.images) == (5, 1, 6)


@pytest.mark.parametrize("number", [3, 17])
def test_different_images_at_one_position_are_refused(tmp_path, number):
    other = with_elements(series(voxels(seed=9))[2:3], InstanceNumber=number)
    [found] = find_series(save(tmp_path, [*series(voxels()), *other])).series
    assert found.refusal == (
        "expected one image at each position, found 2 different ones at slice 3 and nothing that "
        "tells them apart"
    )


def several(folder):
    first = series(voxels())
    second = series(voxels(seed=1), uid=STUDY + ".2", SeriesNumber=12, SeriesDescription="t2 tse")
    third = series(voxels(seed=2), uid=STUDY + ".3", SeriesNumber=12, SeriesDescription="flair")
    return save(folder, [*first, *second, *third])


def test_series_are_chosen_by_number_or_uid(tmp_path):
    several(tmp_path)
    numbers = [(one.number, one.description) for one in find_series(tmp_path).series]
    assert numbers == [("3", "t1 mprage"), ("12.1", "t2 tse"), ("12.2", "flair")]
    assert open_stored(tmp_path, series="3").source.name == "MR_t1-mprage"
    assert open_stored(tmp_path, series="12.2").source.name == "MR_flair-2"
    assert open_stored(tmp_path, series=STUDY + ".2").source.name == "MR_t2-tse-1"


@pytest.mark.parametrize("wanted", ["flair", "FLAIR", "fl*", "?lair"])
def test_series_are_chosen_by_description(tmp_path, wanted):
    several(tmp_path)
    np.testing.assert_array_equal(stored_order(read(tmp_path, series=wanted)), voxels(seed=2))


def test_a_description_of_several_series_or_none_is_not_clear(tmp_path):
    several(tmp_path)
    with pytest.raises(ValueError, match=r"expected one series, found 2: .* number or description"):
        read(tmp_path, series="t*")
    with pytest.raises(ValueError, match="found no such one"):
        read(tmp_path, series="mprage")


def test_a_number_is_no_description(tmp_path):
    odd = series(voxels(seed=3), uid=STUDY + ".4", SeriesNumber=7, SeriesDescription="12")
    save(several(tmp_path), odd, prefix="other")
    with pytest.raises(ValueError, match="expected one series, found 2"):
        read(tmp_path, series="12")


def test_series_that_are_not_clear_are_listed(tmp_path):
    several(tmp_path)
    everything = r"3 \(MR t1 mprage, 6 x 7, 5 images\), 12\.1 .*, 12\.2 .*"
    with pytest.raises(ValueError, match=f"expected one series, found 3: {everything}; choose"):
        open_stored(tmp_path)
    with pytest.raises(ValueError, match=r"expected one series, found 2: 12\.1 .*, 12\.2"):
        open_stored(tmp_path, series="12")
    unknown = STUDY + ".99"
    with pytest.raises(ValueError, match=f"expected one of {everything}") as raised:
        open_stored(tmp_path, series=unknown)
    assert not any(secret in str(raised.value).lower() for secret in TELLTALE)


def test_the_only_volume_is_taken_and_the_rest_is_told(tmp_path):
    screenshot = image(
        np.zeros((9, 9), np.uint8), uid=STUDY + ".4", SeriesNumber=99, SeriesDescription="report"
    )
    save(tmp_path, [*series(voxels()), screenshot])
    stored = open_stored(tmp_path)
    assert stored.file_shape == (6, 7, 5)
    assert re.match(
        r"left out: series 99: MR report: .* place in the pat", stored.source.concerns[0]
    )
    with pytest.raises(ValueError, match="series 99: MR report: expected a place in the patient"):
        open_stored(tmp_path, series="99")


@pytest.mark.parametrize("slices", [1, 3])
def test_nothing_is_taken_in_place_of_a_larger_refused_series(tmp_path, slices):
    broken = series(voxels())
    del broken[2]
    scout = series(
        voxels((slices, 9, 9)), uid=STUDY + ".7", SeriesNumber=1, SeriesDescription="scout"
    )
    save(tmp_path, [*broken, *scout])
    told = r"found that it is none \(series 3: .*missing.*\); besides there is 1 \(MR scout"
    with pytest.raises(ValueError, match=told):
        open_stored(tmp_path)
    assert open_stored(tmp_path, series="1").file_shape == (9, 9, slices)


def test_regularly_missing_slices_are_told(tmp_path):
    save(tmp_path, series(voxels((9, 7, 6)), SpacingBetweenSlices=2.5)[::2])
    assert open_stored(tmp_path).source.concerns == (
        "slices may be missing: 5 mm apart, 2.5 mm by the header",
    )


@pytest.mark.parametrize(
    ("sequence", "step"), [(["GR"], (1.0, "unknown")), (["EP", "GR"], (2.5, "sec"))]
)
def test_a_repetition_time_is_a_time_step_where_it_takes_all_slices(tmp_path, sequence, step):
    images = [
        one
        for time in (1, 2)
        for one in series(
            voxels(seed=time),
            RepetitionTime=2500,
            ScanningSequence=sequence,
            TemporalPositionIdentifier=time,
        )
    ]
    header = open_stored(save(tmp_path, images)).source.header
    assert (header.get_zooms()[3], header.get_xyzt_units()[1]) == step


@pytest.mark.parametrize("away", [0, 40])
def test_stacks_of_a_multi_frame_image_are_apart(tmp_path, away):
    data = voxels((10, 7, 6))
    one = enhanced(data)
    for number, frame in enumerate(one.PerFrameFunctionalGroupsSequence):
        second = number >= 5
        frame.FrameContentSequence[0].StackID = "2" if second else "1"
        height = 30 + 2.5 * (number % 5) + away * second
        frame.PlanePositionSequence[0].ImagePositionPatient = [-10, 20, height]
    found = find_series(save(tmp_path, [one]))
    assert [(part.number, part.slices, part.time_points) for part in found.readable] == [
        ("3.1", 5, 1), ("3.2", 5, 1),
    ]  # fmt: skip
    np.testing.assert_array_equal(stored_order(read(tmp_path, series="3.2")), data[5:])


def test_screenshots_do_not_spoil_their_series(tmp_path):
    colour = image(
        np.zeros((9, 9, 3), np.uint8), Rows=9, Columns=9, SamplesPerPixel=3,
        PhotometricInterpretation="RGB", PlanarConfiguration=0,
    )  # fmt: skip
    found = find_series(save(tmp_path, [*series(voxels()), colour]))
    assert [(one.number, one.part, one.refusal) for one in found.series] == [
        ("3.1", "", None),
        ("3.2", "", "expected gray images, found colour (RGB)"),
    ]


def test_other_modalities_are_told(tmp_path):
    save(tmp_path, series(voxels(), Modality="CT"))
    assert "trained on brain MRI, this is CT" in open_stored(tmp_path).source.concerns[0]
    with pytest.warns(UserWarning, match="trained on brain MRI, this is CT"):
        read(tmp_path)


def test_series_without_number_and_description(tmp_path):
    save(tmp_path, series(voxels(), SeriesNumber=None, SeriesDescription=None, Modality=None))
    stored = open_stored(tmp_path)
    assert "this is unknown" in stored.source.concerns[0]
    assert stored.series.number == "0"
    assert stored.source.name == "image_series-0"


def test_a_nifti_file_has_no_series(tmp_path):
    with pytest.raises(ValueError, match="expected DICOM to choose a series of"):
        open_stored(tmp_path / "scan.nii.gz", series="3")
    with pytest.raises(ValueError, match="expected DICOM"):
        read(tmp_path / "scan.nii.gz", series="3")
