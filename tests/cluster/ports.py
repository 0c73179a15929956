"""The ports of cluster/ports.env."""

from paths import ROOT


def read_ports() -> dict[str, int]:
    """Number by name."""
    lines = (ROOT / "cluster" / "ports.env").read_text().splitlines()
    return {name: int(port) for name, _, port in (line.partition("=") for line in lines) if port.isdigit()}


PORTS = read_ports()
