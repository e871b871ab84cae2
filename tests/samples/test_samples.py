"""Sample data: fetched once, checked by hash, and clear words when there is no network."""

from __future__ import annotations

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from napari_metasr.io import read_volume
from napari_metasr.io.layers import volume_of
from napari_metasr.samples import samples

REAL = Path(__file__).parents[2] / "../shared/data/volumes" / samples.BRATS_NAME


@pytest.fixture
def server():
    """A local web server: ``/files`` maps paths to bodies, ``.requests`` counts what was asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.requests.append(self.path)
            body = self.server.files.get(self.path)
            self.send_response(200 if body is not None else 404)
            claimed = len(body or b"") + self.server.missing_bytes
            self.send_header("Content-Length", str(claimed))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_):
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.files, http.requests, http.missing_bytes = {}, [], 0
    http.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    yield http
    http.shutdown()
    thread.join()
    http.server_close()


@pytest.fixture
def case(server):
    body = b"the case " * 1000
    server.files["/case.nii.gz"] = body
    return f"{server.url}/case.nii.gz", hashlib.sha256(body).hexdigest(), body


def test_fetched_once(tmp_path, server, case):
    url, sha256, body = case
    path = samples.brats_case(tmp_path / "new", url, sha256)
    assert path == tmp_path / "new" / "case.nii.gz"
    assert path.read_bytes() == body
    assert samples.brats_case(tmp_path / "new", url, sha256) == path
    assert server.requests == ["/case.nii.gz"]


def test_a_damaged_cache_is_fetched_again(tmp_path, server, case):
    url, sha256, body = case
    (tmp_path / "case.nii.gz").write_bytes(b"damaged")
    assert samples.brats_case(tmp_path, url, sha256).read_bytes() == body
    assert len(server.requests) == 1


def test_another_file_is_refused_and_not_kept(tmp_path, case):
    url, _, _ = case
    expected = "0" * 64
    with pytest.raises(ValueError, match="found another one; put the file by hand") as caught:
        samples.brats_case(tmp_path, url, expected)
    assert expected in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_an_interrupted_download_is_not_kept(tmp_path, server, case):
    url, sha256, _ = case
    server.missing_bytes = 10
    with pytest.raises((ConnectionError, ValueError), match="put the file by hand"):
        samples.brats_case(tmp_path, url, sha256)
    assert not list(tmp_path.iterdir())


def test_offline_says_what_to_do(tmp_path, server, case):
    url, sha256, body = case
    server.files.clear()
    unreachable = url.replace(str(server.server_port), "1")
    for address in (url, unreachable):
        with pytest.raises(ConnectionError) as caught:
            samples.brats_case(tmp_path, address, sha256)
        message = str(caught.value)
        assert "\n" not in message
        for part in (address, sha256, str(tmp_path / "case.nii.gz"), "by hand"):
            assert part in message
        assert not list(tmp_path.iterdir())
    (tmp_path / "case.nii.gz").write_bytes(body)
    assert samples.brats_case(tmp_path, unreachable, sha256).read_bytes() == body


@pytest.mark.skipif(not REAL.exists(), reason=f"needs the real volume {REAL.name} in shared/data")
def test_the_named_case_is_the_one_expected(tmp_path, server, monkeypatch):
    server.files[f"/{REAL.name}"] = REAL.read_bytes()
    monkeypatch.setenv("NAPARI_METASR_CACHE", str(tmp_path))
    path = samples.brats_case(url=f"{server.url}/{REAL.name}")
    assert path == tmp_path / samples.BRATS_NAME
    assert read_volume(path).data.shape == (155, 240, 240)

    [(data, keywords, kind)] = samples.brats_layers()
    assert (kind, data.shape, keywords["name"]) == ("image", (155, 240, 240), path.name[:-7])
    assert len(server.requests) == 1


def test_phantom_layers_open_in_a_viewer():
    from napari.components import ViewerModel
    from napari.layers import Layer

    viewer = ViewerModel()
    for layer_data in samples.phantom_layers():
        viewer.layers.append(Layer.create(*layer_data))
    image, *hidden, truth = viewer.layers
    assert image.visible
    assert not any(layer.visible for layer in [*hidden, truth])
    assert [layer.name[-5:] for layer in (image, *hidden)] == ["m-t1c", "om-t2", "flair"]
    assert type(truth).__name__ == "Labels"
    np.testing.assert_array_equal(image.scale, (1, 1, 1))
    np.testing.assert_array_equal(image.extent.world, truth.extent.world)
    assert volume_of(image.metadata).source.name == image.name
