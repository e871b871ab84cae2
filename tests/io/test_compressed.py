"""Compression on many cores: how much of a file is held in memory meanwhile."""

from __future__ import annotations

from napari_metasr.io import compressed
from napari_metasr.io.compressed import compress


def test_compression_on_many_cores_reads_no_further_ahead_than_memory_has_room(
    tmp_path, monkeypatch
):
    begun = []
    deflate = compressed._deflate
    monkeypatch.setattr(compressed, "CHUNK", 10)
    monkeypatch.setattr(compressed, "_deflate", lambda *args: begun.append(0) or deflate(*args))
    (tmp_path / "a").write_bytes(bytes(2000))
    shares = compress(tmp_path / "a", tmp_path / "a.gz", 64)
    next(shares)
    shares.close()
    assert 0 < len(begun) <= 2 * compressed.MOST_THREADS
