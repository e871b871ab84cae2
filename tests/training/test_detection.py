"""Batches of slices and boxes, and the loss that compares boxes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from fakes.training import config, slices

from metasr_training.datasets.detection import DetectionConfig, DetectionSampler
from metasr_training.datasets.familiar import familiar_brightness
from metasr_training.datasets.fields import mask_on_canvas, on_canvas
from metasr_training.datasets.regions import regions_of_interest
from metasr_training.datasets.skull import strip_skull
from metasr_training.datasets.slices import Slice
from metasr_training.losses import box_loss, cross_entropy_loss, dice_loss
from metasr_training.overlap import coverage_and_iou
from metasr_training.stage import Stage
from metasr_training.tasks.detection import Detection
from napari_metasr.geometry.windows import Window
from napari_metasr.lesions import Detection as Rectangle
from napari_metasr.lesions.brightness import brightness

STILL = DetectionConfig(
    batch=4, canvas=64, scales=(1,), stripped_share=0, turn=0, zoom=0, shift=0, gain=0
)
MAPS = {"network": "lesion-segmenter", "options": {"widths": (4, 8, 8), "field": 64}}


def test_the_loss_against_a_hand_computed_value():
    found = torch.tensor([[0.1, 0.2, 0.5, 0.6, 0.8], [0.0, 0.0, 1.0, 1.0, 0.4]])
    boxes = torch.tensor([[0.1, 0.1, 0.5, 0.8], [0.0, 0.0, 0.0, 0.0]])
    present = torch.tensor([1.0, 0.0])
    # box of the first alone: (0.01 + 0.04) / 2; scores: (0.04 + 0.16) / 2
    assert box_loss(found, boxes, present).item() == pytest.approx(0.025 + 0.1)


def test_the_losses_of_a_map_against_hand_computed_values():
    logits = torch.tensor([0.0, np.log(3)]).reshape(2, 1, 1, 1)  # probabilities 1/2 and 3/4
    mask = torch.tensor([0.0, 1.0]).reshape(2, 1, 1, 1)
    expected = (np.log(2) - np.log(3 / 4)) / 2
    assert cross_entropy_loss(logits, mask).item() == pytest.approx(expected)
    assert dice_loss(logits, mask).item() == pytest.approx(1 - (2 * 0.75 + 1) / (1.25 + 1 + 1))
    sure = torch.where(mask > 0, 50.0, -50.0)
    assert dice_loss(sure, mask).item() == pytest.approx(0, abs=1e-6)


def test_coverage_and_iou_of_known_boxes():
    truth = torch.tensor([[0.0, 0.0, 0.5, 0.5]] * 3)
    found = torch.tensor([[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.5, 0.25], [0.6, 0.6, 0.9, 0.9]])
    covered, iou = coverage_and_iou(found.numpy(), truth.numpy())
    assert covered.tolist() == pytest.approx([1.0, 0.5, 0.0])
    assert iou.tolist() == pytest.approx([0.25, 0.5, 0.0])


def test_boxes_are_where_the_lesion_is():
    sampler = DetectionSampler(slices(), STILL)
    for update in range(5):
        batch = sampler.draw(update)
        for image, box, present in zip(batch.images, batch.boxes, batch.present, strict=True):
            top, left, bottom, right = (box * 64).round().int().tolist()
            inside = image[0, top:bottom, left:right]
            assert present == 1
            assert (inside > 0.9).float().mean() > 0.5  # a bright disc fills most of its box
            assert (image > 0.98).sum() * 0.6 <= (inside > 0.98).sum() + 200


def test_the_augmented_box_still_holds_the_lesion():
    config = STILL.model_copy(update={"turn": 20.0, "zoom": 0.2, "shift": 0.1})
    sampler = DetectionSampler(slices(), config)
    shares = []
    for update in range(5):
        batch = sampler.draw(update)
        for image, box in zip(batch.images, batch.boxes, strict=True):
            top, left, bottom, right = (box * 64).round().int().tolist()
            bright = image[0] > 0.85 * image.max()
            shares.append((bright[top:bottom, left:right].sum() / bright.sum()).item())
    assert np.mean(shares) > 0.5


def test_masks_move_with_their_images_and_boxes():
    config = STILL.model_copy(update={"turn": 20.0, "zoom": 0.2, "shift": 0.1})
    batch = DetectionSampler(slices(), config).draw(1)
    for image, mask, box in zip(batch.images, batch.masks, batch.boxes, strict=True):
        rows, columns = torch.nonzero(mask[0], as_tuple=True)
        edges = torch.stack([rows.min(), columns.min(), rows.max() + 1, columns.max() + 1])
        assert torch.equal((box * 64).round().int(), edges.int())
        assert image[mask > 0].mean() > 1.2 * image[(mask == 0) & (image > 0.1)].mean()


def test_slices_are_mirrored_both_ways():
    config = STILL.model_copy(update={"batch": 16})
    masks = DetectionSampler(slices(1), config).draw(0).masks
    seen = {tuple(mask.flatten().tolist()) for mask in masks}
    first = masks[0, 0]
    expected = {
        tuple(turned.flatten().tolist())
        for turned in (first, first.flip(0), first.flip(1), first.flip(0, 1))
    }
    assert seen == expected


def test_intensities_change_within_what_is_configured():
    plain = DetectionSampler(slices(1), STILL).draw(0).images
    bent = STILL.model_copy(update={"gain": 0.1, "gamma": 0.3})
    changed = DetectionSampler(slices(1), bent).draw(0).images
    inside = (plain > 0.1) & (plain < 0.9)
    assert not torch.allclose(plain[inside], changed[inside])
    lowest, highest = 0.9 * plain ** np.exp(0.3), 1.1 * plain ** np.exp(-0.3)
    assert (changed[inside] >= lowest[inside] - 1e-3).all()
    assert (changed[inside] <= highest[inside] + 1e-3).all()


def test_reduced_slices_keep_the_shares():
    whole = DetectionSampler(slices(), STILL).draw(1)
    reduced = DetectionSampler(slices(), STILL.model_copy(update={"scales": (2,)})).draw(1)
    assert reduced.images.shape[-2:] == (32, 32)
    assert torch.equal(whole.boxes, reduced.boxes)


def test_slices_without_a_tumour_have_no_box():
    empty = [
        Slice(
            one.image,
            one.intensity_range,
            one.source,
            one.patient,
            f"e{one.name}",
            one.mask & False,
        )
        for one in slices()
    ]
    sampler = DetectionSampler([*slices(), *empty], STILL)
    drawn = [sampler.draw(update) for update in range(10)]
    present = torch.cat([one.present for one in drawn])
    boxes = torch.cat([one.boxes for one in drawn])
    assert 0.5 < present.mean() < 0.85  # two of three
    assert (boxes[present == 0] == 0).all()
    with pytest.raises(ValueError, match="expected slices with a tumour's mask, found none of 4"):
        DetectionSampler(empty, STILL)


def test_the_skull_is_taken_off():
    y, x = np.mgrid[-1:1:128j, -1:1:128j]
    radius = np.hypot(y, x)
    image = np.where(radius < 0.9, 0.5, 0.0).astype(np.float32)
    image[(radius > 0.82) & (radius < 0.9)] = 1.0  # bright scalp
    stripped = strip_skull(image)
    assert set(np.unique(stripped)) == {0, 1}  # the scalp gone, the brain is what is brightest
    assert (stripped > 0).sum() > 0.6 * (image == 0.5).sum()
    assert not stripped[radius > 0.82].any()
    assert (strip_skull(np.zeros((32, 32), np.float32)) == 0).all()


def test_a_canvas_centres_or_reduces():
    image = np.arange(1, 31, dtype=np.float32).reshape(5, 6)
    wide = on_canvas(image, 10)
    np.testing.assert_array_equal(wide[2:7, 2:8], image)
    assert (wide != 0).sum() == 30
    quarters = np.arange(1, 9, dtype=np.float32).reshape(2, 4)
    large = np.kron(quarters, np.ones((4, 4), np.float32))  # 8 x 16
    np.testing.assert_allclose(on_canvas(large, 4, "box")[1:3], quarters, rtol=1e-6)
    assert not on_canvas(large, 4)[[0, 3]].any()


def test_a_small_tumour_of_a_large_slice_is_kept():
    mask = np.zeros((512, 300), bool)
    mask[100:103, 30] = True  # at a half: rows 50 to 52, column 15 after 53 columns of zeros
    found = np.argwhere(mask_on_canvas(mask, 256))
    assert {tuple(one) for one in found} == {(50, 68), (51, 68)}
    mask = np.zeros((20, 30), bool)
    mask[0, 0] = True
    assert mask_on_canvas(mask, 32).sum() == 1


class Finder:
    """A detector that finds something in the slice named 1 alone, the surest first."""

    def detect(self, image, intensity_range=None):
        boxes = {0.9: (1.0, 2.0, 3.0, 4.0), 0.6: (7.0, 7.0, 9.0, 9.0)}
        found = [Rectangle(Window(*box), score) for score, box in boxes.items()]
        return tuple(found) if image is self.known else ()


def test_regions_come_from_masks_the_detector_or_the_brain():
    found = slices(3)
    bare = Slice(found[2].image, found[2].intensity_range, "disc", "2", "2", None)
    finder = Finder()
    finder.known = found[1].image

    def never():
        raise AssertionError("the detector was asked")

    masks = regions_of_interest([*found[:2], bare], "mask", never)
    rows = np.flatnonzero(found[0].mask.any(1))
    assert (masks[found[0].key][0], masks[found[0].key][2]) == (rows[0], rows[-1] + 1)
    brain = regions_of_interest([bare], "box", never)[bare.key]
    assert masks[bare.key] == brain
    assert brain[2] - brain[0] > 40
    seen = regions_of_interest(found, "detector", lambda: finder)
    assert seen == {found[1].key: (1.0, 2.0, 3.0, 4.0)}


def test_slices_of_the_same_name_keep_their_own_masks():
    masks = np.zeros((2, 40, 40), bool)
    masks[0, 2:8, 2:8] = masks[1, 20:30, 20:30] = True
    pair = [
        Slice(np.ones((40, 40)), (0.0, 1.0), source, "1", "1", mask)
        for source, mask in zip(("cheng", "brats20"), masks, strict=True)
    ]
    found = regions_of_interest(pair, "mask", lambda: pytest.fail("the detector was asked"))
    assert [found[one.key] for one in pair] == [(2, 2, 8, 8), (20, 20, 30, 30)]


def test_a_detection_run_says_what_its_slices_are_of():
    other = [replace(one, source="other") for one in slices(2)]
    stage = Stage(name="boxes", updates=4, losses={"box": 1.0})
    run = config(pairs=None, detection=STILL, network="lesion-detector", stages=(stage,))
    task = Detection(run, {"mri": [*slices(3), *other]}, slices(2))
    assert task.about()["images"] == {"disc": 3, "other": 2}


def mapping_run():
    stage = Stage(name="maps", updates=4, losses={"cross-entropy": 1.0, "dice": 2.0})
    run = config(pairs=None, detection=STILL, stages=(stage,), **MAPS)
    return stage, Detection(run, {"mri": slices(3)}, slices(2))


class Oracle(torch.nn.Module):
    """Gives the maps it was told to."""

    def __init__(self, maps):
        super().__init__()
        self.maps = iter(maps)

    def forward(self, image):
        return next(self.maps)


def test_a_perfect_map_is_judged_so_and_an_empty_one_too():
    _, task = mapping_run()
    truths = [torch.nn.functional.max_pool2d(one.masks, 2) for one in task.judged]
    perfect = Oracle(torch.where(one > 0, 30.0, -30.0) for one in truths)
    found = task.validate(perfect, torch.device("cpu"))
    assert found.values["val/iou"] == found.values["val/acceptable"] == 1
    assert found.values["val/told"] == 1
    assert found.score == pytest.approx(0, abs=1e-3)
    empty = task.validate(Oracle(one * 0 - 30 for one in truths), torch.device("cpu"))
    assert empty.values["val/iou"] == empty.values["val/told"] == 0
    assert empty.score < -2


def test_a_stage_is_given_the_losses_that_it_names():
    stage, task = mapping_run()
    batch = task.draw(0, "mri", 0, 1)
    maps = torch.zeros(4, 1, 32, 32)
    outcome = task.evaluate(Oracle([maps]), batch, stage, torch.device("cpu"))
    truth = torch.nn.functional.max_pool2d(batch.masks, 2)
    assert outcome.losses.keys() == {"cross-entropy", "dice"}
    assert outcome.losses["cross-entropy"].item() == pytest.approx(np.log(2))
    assert outcome.losses["dice"].item() == pytest.approx(dice_loss(maps, truth).item())


def test_what_a_detector_has_seen_is_with_and_without_skull():
    found = slices(4)
    whole, bare, both = (familiar_brightness(found, share) for share in (0, 1, 0.5))
    upper = [brightness(one.normalised)["0.75"] for one in found]
    assert whole["0.75"] == pytest.approx((np.mean(upper), np.std(upper)))
    assert whole != bare
    assert min(whole["0.75"][0], bare["0.75"][0]) < both["0.75"][0]
    assert familiar_brightness(found[:1], 0) == {}  # one slice has no spread
