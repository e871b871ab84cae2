"""Rating studies: blinding, the seal, what is refused."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from fakes.rating import METHODS
from PIL import Image

from napari_metasr.quality.rating import (
    FLAGS,
    GRADES,
    OPENED_FILE,
    RatingSheet,
    first_opening,
    open_key,
    prepare,
    read_study,
)


def test_the_key_tells_what_every_image_is(images, study):
    key = open_key(study)
    assert key.methods == METHODS
    assert len(study.names) == 9
    assert {(one.slice, one.method) for one in key.images.values()} == {
        (name, label) for name in images for label in METHODS
    }
    for name, origin in key.images.items():
        truth = images[origin.slice][origin.method]
        shown = study.image(name).astype(float) / 255 * 200
        assert np.abs(shown - truth).max() <= 0.5 / 255 * 200 + 1e-4


def test_the_seed_decides_the_order(images, tmp_path, study):
    again = prepare(images, tmp_path / "again", seed=7, limits=dict.fromkeys(images, (0.0, 200.0)))
    other = prepare(images, tmp_path / "other", seed=8, limits=dict.fromkeys(images, (0.0, 200.0)))
    assert again.card == study.card
    assert other.card.id != study.card.id
    assert open_key(other).images != open_key(study).images


def test_images_are_shuffled_over_slices_and_methods(rng, tmp_path):
    flat = {f"{n:02d}": {label: np.full((4, 4), n) for label in METHODS} for n in range(20)}
    key = open_key(prepare(flat, tmp_path / "s", seed=1, limits=dict.fromkeys(flat, (0, 20))))
    origins = list(key.images.values())
    for order in ([one.slice for one in origins], [one.method for one in origins]):
        assert order != sorted(order)
    assert any(a.slice > b.slice for a, b in pairwise(origins))


def test_files_do_not_tell_the_method(study):
    """No size, time or metadata of a file depends on more than the slice's shape."""
    by_shape = {}
    for name in study.names:
        path = study.folder / "images" / name
        with Image.open(path) as picture:
            assert picture.info == {}
            assert picture.mode == "L"
            stat = path.stat()
            by_shape.setdefault(picture.size, set()).add((stat.st_size, stat.st_mtime))
    assert [len(found) for found in by_shape.values()] == [1, 1]
    assert len({moment for found in by_shape.values() for _, moment in found}) == 1


def test_the_public_file_names_no_method_and_no_slice(study):
    public = (study.folder / "study.json").read_text()
    sealed = (study.folder / "key.json").read_text()
    for word in ("bicubic", "network", "truth", '"a"'):
        assert word not in public
        assert word not in sealed
    card = json.loads(public)
    assert (tuple(card["grades"]), card["flags"]) == (GRADES, FLAGS)


def test_all_versions_of_a_slice_share_the_window_of_the_truth(tmp_path):
    truth = np.arange(100.0).reshape(10, 10)
    study = prepare({"a": {"truth": truth, "half": truth / 2}}, tmp_path / "s", seed=0)
    key = open_key(study)
    shown = {key.images[name].method: study.image(name).astype(float) for name in study.names}
    middle = (slice(4, 6), slice(0, 10))
    low, high = np.percentile(truth, (1.0, 99.8))
    for label, scale in (("truth", 1), ("half", 0.5)):
        expected = 255 * (scale * truth[middle] - low) / (high - low)
        np.testing.assert_allclose(shown[label][middle], expected, atol=0.51)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda images: images.clear(), "at least one slice"),
        (lambda images: images["b"].pop("network"), "slice b: its methods differ .* network"),
        (lambda images: [one.pop("truth") for one in images.values()], "expected 'truth' among"),
        (
            lambda images: [(one.pop("network"), one.pop("bicubic")) for one in images.values()],
            "the truth and a method",
        ),
        (
            lambda images: images["b"].update(network=np.zeros((16, 15))),
            "slice b: .* truth of 16 x 16 and network of 16 x 15",
        ),
        (lambda images: images["c"].update(truth=np.zeros((2, 3, 4))), "slice c, truth: .* rows"),
    ],
)
def test_unfit_images_are_refused_and_nothing_is_left(images, tmp_path, spoil, message):
    spoil(images)
    with pytest.raises(ValueError, match=message):
        prepare(images, tmp_path / "study", seed=0)
    assert list(tmp_path.iterdir()) == []


def test_a_window_must_be_one(images, tmp_path):
    with pytest.raises(ValueError, match="slice b: expected a display window"):
        prepare(images, tmp_path / "study", seed=0, limits={"b": (3.0, 3.0)})


def test_an_output_is_replaced_only_on_request_and_never_with_ratings(images, study):
    with pytest.raises(FileExistsError, match="unless overwriting is asked for"):
        prepare(images, study.folder, seed=9)
    new = prepare(images, study.folder, seed=9, overwrite=True)
    assert new.card.id != study.card.id
    assert read_study(study.folder).card == new.card
    with RatingSheet(new, "Ann") as sheet:
        sheet.write("0001.png", 2)
    with pytest.raises(FileExistsError, match="rated by ann"):
        prepare(images, study.folder, seed=1, overwrite=True)
    assert read_study(study.folder).card == new.card
    assert [path.name for path in study.folder.parent.iterdir()] == ["study"]


def test_other_folders_and_files_are_not_replaced(images, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="something else than a study"):
        prepare(images, tmp_path, seed=0, overwrite=True)
    with pytest.raises(NotADirectoryError):
        prepare(images, tmp_path / "mine.txt", seed=0, overwrite=True)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        prepare(images, tmp_path / "no" / "study", seed=0)
    (tmp_path / "empty").mkdir()
    prepare(images, tmp_path / "empty", seed=0)


def test_a_study_is_read_as_it_was_written(study):
    assert read_study(study.folder) == study


def test_what_is_no_study_is_said(tmp_path, study):
    with pytest.raises(FileNotFoundError, match="no such folder"):
        read_study(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"found no study\.json"):
        read_study(tmp_path)
    with pytest.raises(NotADirectoryError):
        read_study(study.folder / "study.json")
    (study.folder / "study.json").write_text("{")
    with pytest.raises(ValueError, match="expected JSON"):
        read_study(study.folder)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("question", "Is it nice?", "changed since"),
        ("version", 2, "version"),
        ("grades", ["bad", "good"], "expected the grades"),
        ("flags", {}, "expected the flags"),
        ("images", {"../../secret.png": "0"}, "names of PNG files"),
    ],
)
def test_a_changed_study_is_noticed(study, field, value, message):
    path = study.folder / "study.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {field: value}))
    with pytest.raises(ValueError, match=message):
        read_study(study.folder)


def test_another_order_of_the_images_is_noticed(study):
    path = study.folder / "study.json"
    card = json.loads(path.read_text())
    card["images"] = dict(reversed(card["images"].items()))
    path.write_text(json.dumps(card))
    with pytest.raises(ValueError, match="changed since"):
        read_study(study.folder)


def test_missing_and_changed_images_are_noticed(study):
    (study.folder / "images" / "0004.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"1 of 9 images are missing.* 0004\.png"):
        read_study(study.folder)
    Image.new("L", (20, 20)).save(study.folder / "images" / "0004.png")
    with pytest.raises(ValueError, match=r"0004\.png: changed"):
        read_study(study.folder).image("0004.png")


def test_opening_the_key_leaves_a_trace(study):
    assert first_opening(study) is None
    open_key(study)
    first = first_opening(study)
    open_key(study)
    assert first_opening(study) == first
    assert len((study.folder / OPENED_FILE).read_text().splitlines()) == 2


def test_another_key_is_refused(images, study, tmp_path):
    other = prepare(images, tmp_path / "other", seed=3)
    (study.folder / "key.json").write_bytes((other.folder / "key.json").read_bytes())
    with pytest.raises(ValueError, match="not the key that"):
        open_key(study)
    for text in ("[]", '{"sealed": "#"}', '{"sealed": "AAAA"}'):
        (study.folder / "key.json").write_text(text)
        with pytest.raises(ValueError, match="expected a sealed key"):
            open_key(study)
    (study.folder / "key.json").unlink()
    with pytest.raises(FileNotFoundError, match="missing"):
        open_key(study)


def test_a_spoilt_record_of_openings_is_said(study):
    (study.folder / OPENED_FILE).write_text("never\n")
    with pytest.raises(ValueError, match="times when the key was opened"):
        first_opening(study)
