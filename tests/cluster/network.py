"""Hosts of their own on one machine: network namespaces on a bridge, which the tests' process is on, too."""

import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Host:
    """A network namespace with one interface."""

    name: str
    namespace: str
    address: str
    # The bridge's end of its cable.
    port: str

    def plug(self, is_plugged: bool) -> None:
        """Put the cable in, or pull it out: what is under way is lost, and nobody is told."""
        run("ip", "link", "set", self.port, "up" if is_plugged else "down")


@dataclass(frozen=True)
class Network:
    """The hosts by name; ``address`` is that of the tests' own process."""

    address: str
    hosts: dict[str, Host]

    def names_file(self) -> str:
        """What stands for DNS: the text of /etc/hosts."""
        lines = [f"{host.address} {host.name}" for host in self.hosts.values()]
        return "\n".join(["127.0.0.1 localhost", *lines, ""])


@contextmanager
def running_network(*names: str) -> Iterator[Network]:
    """A network with these hosts, taken away at the end. Raises `CalledProcessError` where it may not be."""
    number = random.randrange(1, 255)
    bridge, prefix = f"ocr{number}", f"10.213.{number}"
    hosts = {
        name: Host(name, f"{bridge}-{name}", f"{prefix}.{place}", f"{bridge}p{place}")
        for place, name in enumerate(names, start=11)
    }
    try:
        run("ip", "link", "add", bridge, "type", "bridge")
        run("ip", "address", "add", f"{prefix}.1/24", "dev", bridge)
        run("ip", "link", "set", bridge, "up")
        for host in hosts.values():
            _add_host(bridge, host)
        yield Network(f"{prefix}.1", hosts)
    finally:
        for host in hosts.values():
            subprocess.run(["ip", "netns", "delete", host.namespace], check=False, stderr=subprocess.DEVNULL)
        subprocess.run(["ip", "link", "delete", bridge], check=False, stderr=subprocess.DEVNULL)


def _add_host(bridge: str, host: Host) -> None:
    run("ip", "netns", "add", host.namespace)
    run("ip", "link", "add", host.port, "type", "veth", "peer", "name", "eth0", "netns", host.namespace)
    run("ip", "link", "set", host.port, "master", bridge, "up")
    inside = ("ip", "-netns", host.namespace)
    run(*inside, "address", "add", f"{host.address}/24", "dev", "eth0")
    run(*inside, "link", "set", "lo", "up")
    run(*inside, "link", "set", "eth0", "up")


def run(*command: str) -> None:
    """Run a command that has to succeed."""
    subprocess.run(command, check=True, capture_output=True, text=True)
