"""Many volumes: which they are, and what their outputs are called."""

from __future__ import annotations

import json
import os
import zipfile
from typing import TYPE_CHECKING

import pytest
from fakes.cohort import dataset

from napari_metasr.cohort.bids import (
    Place,
    check_dataset,
    derivative_name,
    describe_dataset,
    located,
    resolution_label,
    uri_of,
)
from napari_metasr.cohort.inputs import find_inputs
from napari_metasr.cohort.items import items_of, output_folders
from napari_metasr.cohort.work_item import carry_out
from napari_metasr.upscaling.job import Job
from napari_metasr.upscaling.options import UpscaleOptions

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("options", "label"),
    [
        ({"spacing": (0.7,)}, "0p7mm"),
        ({"spacing": (0.5, 0.5, 1)}, "0p5x0p5x1mm"),
        ({"spacing": (0.00001,)}, "0p00001mm"),
        ({"scale": (2,)}, "2x"),
        ({"scale": (2.7,)}, "2p7x"),
        ({"scale": (2, 1.5, 1)}, "2x1p5x1x"),
    ],
)
def test_the_grid_is_told_in_letters_and_digits(options, label):
    assert resolution_label(UpscaleOptions(**options)) == label
    assert label.isalnum()


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("sub-01_T1w", "sub-01_res-2x_desc-metasr_T1w.nii.gz"),
        (
            "sub-01_ses-1_acq-x_run-02_T1w",
            "sub-01_ses-1_acq-x_run-02_res-2x_desc-metasr_T1w.nii.gz",
        ),
        (
            "sub-01_space-MNI_res-1_den-3k_label-GM_desc-preproc_T2w",
            "sub-01_space-MNI_res-2x_den-3k_label-GM_desc-preprocmetasr_T2w.nii.gz",
        ),
    ],
)
def test_entities_keep_their_order_and_gain_two(name, made):
    assert derivative_name(name, "2x") == made


@pytest.mark.parametrize(
    "name",
    [
        "head",
        "T1w_sub-01",
        "ses-1_T1w",
        "sub-01_my scan_T1w",
        "sub-01_acq-a_acq-b_T1w",
        "sub-01_acq-_T1w",
        "sub-01",
    ],
)
def test_names_that_bids_does_not_know_are_refused(name):
    with pytest.raises(ValueError, match="BIDS"):
        derivative_name(name, "2x")


def test_a_dataset_s_t1_weighted_volumes_are_found(tmp_path):
    wanted = ["sub-01/anat/sub-01_T1w.nii.gz", "sub-02/ses-1/anat/sub-02_ses-1_T1w.nii"]
    aside = [
        "derivatives/other/sub-01/anat/sub-01_desc-preproc_T1w.nii.gz",
        "sourcedata/sub-03/anat/sub-03_T1w.nii.gz",
        "sub-01/anat/sub-01_res-2x_desc-metasr_T1w.nii.gz",
        "out/sub-01_T1w.nii.gz",
    ]
    passed = [
        "sub-01/anat/.sub-01_T1w.nii.gz.unfinished/output_T1w.nii",
        "sub-01/anat/sub-01_T1w.json",
        "sub-01/anat/sub-01_T2w.nii.gz",
        "sub-01/anat/sub-01_T1w.nii.json",
    ]
    root = dataset(tmp_path, [*wanted, *aside, *passed])
    found = find_inputs(root, output=root / "out")
    assert found.is_bids
    assert [str(name) for name in found.names] == wanted
    assert sorted(map(str, found.left_out)) == sorted(aside)
    named = find_inputs(root, ["derivatives/*/sub-*/anat/*.nii.gz"])
    assert [str(name) for name in named.names] == aside[:1]


def test_several_patterns_find_all_that_match_one(tmp_path):
    for name in ("a.nii", "b.nii", "sub/c.nii", "sub/d.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = find_inputs(tmp_path, ["a.nii", "sub/*"])
    assert [str(name) for name in found.names] == ["a.nii", "sub/c.nii"]


def test_a_pattern_opens_a_folder_of_derivatives_for_itself_alone(tmp_path):
    for name in ("a_T1w.nii", "derivatives/x/b_T1w.nii", "derivatives/y/c_T1w.nii"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = find_inputs(tmp_path, ["**/*_T1w.nii", "derivatives/y/*.nii"])
    assert [str(name) for name in found.names] == ["a_T1w.nii", "derivatives/y/c_T1w.nii"]


def test_a_folder_s_images_are_found_and_segmentations_are_not(tmp_path):
    images = ["a.nii", "b/c.nii.gz", "b/masked.nii.gz"]
    others = ["a_mask.nii", "b/BraTS-1-seg.nii.gz", "sub-1_desc-x_dseg.nii", "x.label.nii"]
    images += ["mri/T1.mgz", "mri/T1_filled.nii.gz", "mri/brainmask.mgz"]
    others += ["mri/aparc+aseg.mgz", "mri/aseg.auto.mgz", "mri/wmparc.mgz", "mri/filled.mgz"]
    for name in images + others:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = find_inputs(tmp_path)
    assert not found.is_bids
    assert [str(name) for name in found.names] == images
    assert len(found.left_out) == len(others)


def test_folders_of_dicom_files_are_one_volume_each(tmp_path):
    for name in ("p1/t1/IM0", "p1/t1/more/IM1", "p1/t2.a/x.dcm", "p2/IM0", ".h/IM0", "out/a/IM0"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(128) + b"DICM")
    (tmp_path / "p3.nii").touch()
    (tmp_path / "p1" / "notes.txt").write_text("none of it")
    found = find_inputs(tmp_path, output=tmp_path / "out")
    assert [str(name) for name in found.names] == ["p1/t1", "p1/t2.a", "p2", "p3.nii"]
    items, _ = items_of(found, tmp_path / "out", "2x", job_of)
    assert [item.job.output.relative_to(tmp_path / "out").as_posix() for item in items] == [
        "p1/t1_res-2x_desc-metasr.nii.gz",
        "p1/t2.a_res-2x_desc-metasr.nii.gz",
        "p2_res-2x_desc-metasr.nii.gz",
        "p3_res-2x_desc-metasr.nii.gz",
    ]
    one = find_inputs(tmp_path / "p2")
    (item,), _ = items_of(one, tmp_path / "out", "2x", job_of)
    assert item.job.output == tmp_path / "out" / "p2_res-2x_desc-metasr.nii.gz"
    named = find_inputs(tmp_path, ["p1/*"])
    assert [str(name) for name in named.names] == ["p1/t1", "p1/t2.a"]


def test_volumes_are_found_in_every_spelling_in_pairs_and_in_archives(tmp_path):
    pairs = ["p.hdr", "p.img", "q.HDR", "q.img.gz"]
    images = ["A.NII.GZ", "b.Nii", "c.MGZ", *pairs]
    for name in (*images, "envi.hdr", "disk.img"):
        (tmp_path / name).touch()
    (tmp_path / "unpacked").mkdir()
    (tmp_path / "unpacked" / "IM0").write_bytes(bytes(128) + b"DICM")
    for name, content in (
        ("patient.zip", bytes(128) + b"DICM"),
        ("papers.zip", b"none"),
        ("unpacked.zip", bytes(128) + b"DICM"),
        ("unpacked/copy.zip", bytes(128) + b"DICM"),
    ):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("IM0", content)
    found = [str(name) for name in find_inputs(tmp_path).names]
    assert found == ["A.NII.GZ", "b.Nii", "c.MGZ", "p.hdr", "patient.zip", "q.HDR", "unpacked"]


def test_a_link_whose_file_is_not_here_is_a_volume_that_will_fail(tmp_path):
    (tmp_path / "sub-01_T1w.nii.gz").symlink_to(tmp_path / "annex" / "nowhere")
    assert [str(name) for name in find_inputs(tmp_path).names] == ["sub-01_T1w.nii.gz"]
    job = Job(
        input=tmp_path / "sub-01_T1w.nii.gz",
        output=tmp_path / "out.nii.gz",
        options=UpscaleOptions(scale=(2,)),
    )
    outcome = carry_out(job, lambda share: None)
    assert (outcome.state, "a link to a file that is not there" in outcome.reason) == (
        "failed",
        True,
    )


def test_where_nothing_can_be_found_is_told(tmp_path):
    (tmp_path / "a_mask.nii").touch()
    with pytest.raises(ValueError, match=r"files of volumes, .*found 1 that are segmentations"):
        find_inputs(tmp_path)
    for pattern in ("", "/**/*.nii", "../*.nii"):
        with pytest.raises(ValueError, match="expected a pattern of names within"):
            find_inputs(tmp_path, ["*.nii", pattern])
    with pytest.raises(NotADirectoryError, match="found a file"):
        find_inputs(tmp_path / "a_mask.nii")
    with pytest.raises(FileNotFoundError, match="no such folder"):
        find_inputs(tmp_path / "missing")


def job_of(path: Path, output: Path) -> Job:
    return Job(input=path, output=output, options=UpscaleOptions(scale=(2,)))


def test_every_input_has_an_output_of_its_own(tmp_path):
    for name in ("a.nii", "b/a.nii.gz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    output = tmp_path / "out"
    items, refused = items_of(find_inputs(tmp_path), output, "2x", job_of)
    assert refused == {}
    assert [item.job.output for item in items] == [
        output / "a_res-2x_desc-metasr.nii.gz",
        output / "b" / "a_res-2x_desc-metasr.nii.gz",
    ]
    (tmp_path / "A.nii.gz").touch()
    with pytest.raises(ValueError, match=r"found A\.nii\.gz and a\.nii with the same output"):
        items_of(find_inputs(tmp_path), output, "2x", job_of)


def test_a_name_that_bids_does_not_know_stops_no_other(tmp_path):
    root = dataset(tmp_path, ["sub-01/anat/sub-01_T1w.nii.gz", "sub-02/anat/second_T1w.nii.gz"])
    (root / "sub-01/anat/sub-01_T1w.json").write_text('{"SkullStripped": true}')
    items, refused = items_of(find_inputs(root), tmp_path / "out", "2x", job_of)
    assert [(item.name, item.place) for item in items] == [
        ("sub-01/anat/sub-01_T1w.nii.gz", Place("sub-01/anat", skull_stripped=True))
    ]
    assert "expected a BIDS name" in refused["sub-02/anat/second_T1w.nii.gz"]


def test_a_name_that_is_no_text_stops_no_other(tmp_path):
    for folder in (tmp_path, dataset(tmp_path / "bids", ["sub-01/sub-01_T1w.nii.gz"])):
        for name in (b"Sch\xe4del_T1w.nii.gz", b"sub-02_T1w.nii.gz"):
            try:
                (folder / os.fsdecode(name)).touch()
            except OSError:
                pytest.skip("needs a disk that takes names of any bytes")
        items, refused = items_of(find_inputs(folder), tmp_path / "out", "2x", job_of)
        assert "sub-02_T1w.nii.gz" in {item.name for item in items}
        ((name, reason),) = refused.items()
        assert name == "Sch\ufffddel_T1w.nii.gz"
        assert "expected a" in reason
        json.dumps([name, reason], ensure_ascii=False).encode()


def test_folders_without_outputs_go_again(tmp_path):
    root = tmp_path / "in"
    for name in ("a/1.nii", "b/c/2.nii"):
        (root / name).parent.mkdir(parents=True)
        (root / name).touch()
    output = tmp_path / "out"
    items, _ = items_of(find_inputs(root), output, "2x", job_of)
    with output_folders(items):
        items[0].job.output.touch()
        assert (output / "b" / "c").is_dir()
    assert sorted(path.name for path in output.iterdir()) == ["a"]


def test_a_derivative_tells_where_it_comes_from(tmp_path):
    source = dataset(tmp_path / "raw data", License="CC0", DatasetDOI="doi:10.1/x")
    output = source / "derivatives" / "metasr"
    output.mkdir(parents=True)
    (output / "README.md").write_text("mine")
    describe_dataset(output, source)
    told = json.loads((output / "dataset_description.json").read_text())
    assert told["DatasetType"] == "derivative"
    assert (told["License"], told["GeneratedBy"][0]["Name"]) == ("CC0", "napari-metasr")
    assert told["SourceDatasets"] == [{"DOI": "doi:10.1/x", "URL": "../.."}]
    assert told["DatasetLinks"] == {"source": "../.."}
    assert (output / "README.md").read_text() == "mine"
    check_dataset(output)
    other = tmp_path / "other"
    other.mkdir()
    describe_dataset(other, source)
    told = json.loads((other / "dataset_description.json").read_text())
    assert told["SourceDatasets"][0]["URL"] == "../raw%20data"
    readme = (other / "README.md").read_text()
    assert "desc-metasr" in readme
    assert "`SkullStripped`" in readme


@pytest.mark.parametrize("link", ["relative", "absolute"])
def test_a_uri_leads_to_the_source(tmp_path, link):
    source = dataset(tmp_path / "raw data", ["sub-01/anat/sub-01_T1w.nii.gz"])
    output = tmp_path / "out"
    sidecar = output / "sub-01" / "anat" / "out.json"
    sidecar.parent.mkdir(parents=True)
    describe_dataset(output, source)
    if link == "absolute":
        dataset(output, DatasetLinks={"source": source.as_uri()})
    uri = uri_of("sub-01_T1w.nii.gz", "sub-01/anat")
    assert uri == "bids:source:sub-01/anat/sub-01_T1w.nii.gz"
    assert uri_of(uri, "sub-01/anat") == uri
    assert located(uri, sidecar).samefile(source / "sub-01" / "anat" / "sub-01_T1w.nii.gz")
    assert located("head.nii", sidecar) == sidecar.with_name("head.nii")


@pytest.mark.parametrize("links", [None, [], {"source": 3}, {"other": ".."}])
def test_a_uri_of_no_dataset_leads_to_no_file(tmp_path, links):
    output = dataset(tmp_path / "out", DatasetLinks=links)
    assert not located("bids:source:sub-01/T1w.nii", output / "out.json").exists()


def test_another_program_s_dataset_is_not_written_into(tmp_path):
    with pytest.raises(ValueError, match="found the dataset 'Heads'"):
        check_dataset(dataset(tmp_path / "raw"))
    folder = dataset(tmp_path / "fmriprep", GeneratedBy=[{"Name": "fMRIPrep"}])
    with pytest.raises(ValueError, match="a folder of its own"):
        check_dataset(folder)
