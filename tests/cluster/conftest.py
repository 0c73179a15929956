"""One cluster for all tests of this folder, which run in the order in which they stand."""

import subprocess
from collections.abc import Iterator

import pytest

from cluster.network import Network, running_network
from cluster.node import Node
from cluster.ports import PORTS
from cluster.ray_cluster import Cluster
from cluster.store import running_store


@pytest.fixture(scope="session")
def network() -> Iterator[Network]:
    try:
        manager = running_network("head", "one", "two", "stranger", "store")
        with manager as network:
            yield network
    except subprocess.CalledProcessError as error:
        # Never skipped: a check that did not run must not look like one that passed.
        pytest.fail(f"no network namespaces here, {error.cmd} said: {error.stderr}")


@pytest.fixture(scope="session")
def cluster(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A head with its store, and the workers `one` and `two`."""
    folder = tmp_path_factory.mktemp("cluster")
    with running_store(network.hosts["store"], PORTS["PORT_VALKEY"], folder / "store") as store:
        cluster = Cluster(network, folder, store)
        try:
            cluster.bring_up("head", "one", "two")
            yield cluster
        finally:
            cluster.close()


@pytest.fixture(scope="session")
def impostor(cluster: Cluster) -> Node:
    """A worker with a wrong token. It takes Ray a minute to give up: other tests run meanwhile."""
    return cluster.start("stranger", RAY_AUTH_TOKEN="f" * 32)
