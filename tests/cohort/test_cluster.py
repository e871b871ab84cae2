"""Worker processes: who may use them, which are refused, and how their ends are told."""

from __future__ import annotations

import signal
from types import SimpleNamespace

import pytest
from fakes.cohort import cluster

from napari_metasr.cohort import workers
from napari_metasr.cohort.cluster import check_workers, interrupts_noticed, local_workers

pytest.importorskip("distributed")


@pytest.fixture
def client():
    with cluster(1) as client:
        yield client


def test_an_interrupt_is_noticed_wherever_it_comes_and_a_second_one_raised():
    before = signal.getsignal(signal.SIGINT)
    with interrupts_noticed() as interrupted:
        assert not interrupted()
        signal.raise_signal(signal.SIGINT)
        assert interrupted()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_only_this_run_may_use_its_workers():
    from distributed import Client

    with local_workers(1) as client:
        address = client.scheduler.address
        assert address.startswith("tls://127.0.0.1:")
        assert client.cluster.scheduler.http_server.address == "127.0.0.1"
        with pytest.raises((OSError, TypeError), match="TLS expects"):
            Client(address, timeout=2, set_as_default=False)
        with pytest.raises(OSError, match=r"Timed out|ConnectionReset"):
            Client(address.replace("tls", "tcp"), timeout=2, set_as_default=False)
        assert client.submit(sum, (1, 2)).result(timeout=60) == 3


def test_workers_must_see_the_folders_and_run_this_version(tmp_path, client, monkeypatch):
    check_workers(client, tmp_path)
    with pytest.raises(ValueError, match=r"tcp://.*: expected a worker that sees the folder"):
        check_workers(client, tmp_path, tmp_path / "missing")
    monkeypatch.setattr("napari_metasr.cohort.cluster.__version__", "9.9")
    with pytest.raises(ValueError, match=r"with napari-metasr 9\.9, found 0"):
        check_workers(client, tmp_path)


def test_a_cluster_without_workers_is_waited_for_aloud(tmp_path):
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=0, processes=False, dashboard_address=":0") as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        with pytest.warns(UserWarning, match="has no workers yet"):
            check_workers(client, tmp_path)
        cluster.scale(1)
        client.wait_for_workers(1)
        threads = next(iter(client.nthreads().values()))
        if threads > 1:
            with pytest.warns(UserWarning, match=f"has {threads} threads but works on one"):
                check_workers(client, tmp_path)
        assert workers._tasks_at_a_time(client).popitem()[1] == 1


def test_a_volume_that_kills_every_worker_fails():
    from distributed import KilledWorker

    def future(status, error=None):
        return SimpleNamespace(status=status, exception=lambda: error, result=lambda: None)

    death = KilledWorker("a", "tcp://host:1", 3)
    told = workers._outcome_of(future("error", death))
    assert (told.state, told.reason) == ("failed", "4 workers died while they worked on it")
    error = ModuleNotFoundError("No module named 'napari_metasr'")
    assert "ModuleNotFoundError: No module" in workers._outcome_of(future("error", error)).reason
    assert workers._outcome_of(future("cancelled")).reason == "the scheduler was lost"
    assert workers._outcome_of(future("finished")).reason == "it was stopped"
