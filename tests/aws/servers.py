"""Servers for the scripts in this folder, all on 127.0.0.1: AWS as others have understood it, and hlctl's emulator beside them.

    with beside(hlctl, MOTO) as (aws, healthlake):
        stack = Stack(hlctl, aws, healthlake, "smart")
"""

import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass

from support import ROOT, free_port

# An environment of its own, for its botocore is not the one that the scripts use.
MINISTACK_PYTHON = ROOT / ".venv-ministack" / "bin" / "python"


# Where a server is not as AWS is and a test has to do something else on it, by server: what is different, and why it cannot be
# asked of it. Everything else is the same test on each.
DIFFERENCES = {
    "moto": {
        "pools-tell-nothing-of-mfa": "DescribeUserPool never has the MfaConfiguration that SetUserPoolMfaConfig made",
        "has-no-trail": "there is no cloudtrail:LookupEvents",
    },
    "ministack": {
        "has-no-checksums-of-whole-objects": "CompleteMultipartUpload takes every checksum for one of the parts' checksums and answers "
        "BadDigest; on S3 those by CRC-64/NVME are of the whole object (S3 user guide, Checking object integrity)",
    },
}


@dataclass(frozen=True)
class Server:
    """A server that plays AWS without HealthLake."""

    name: str
    # Whose keys, roles and buckets it keeps.
    account: str
    # What its `python -m` is given, and its variables, by port and by a directory of its own.
    command: Callable[[int], list]
    variables: Callable[[int, str], dict]
    # What answers as soon as it is up.
    health: str

    def differs(self, what):
        """Whether the server is not as AWS is in this."""
        assert any(what in known for known in DIFFERENCES.values()), what
        return what in DIFFERENCES[self.name]


MOTO = Server(
    name="moto",
    account="123456789012",
    command=lambda port: [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
    # Without it moto knows none of the policies that AWS keeps.
    variables=lambda port, home: {"MOTO_IAM_LOAD_MANAGED_POLICIES": "true"},
    health="/moto-api/",
)

MINISTACK = Server(
    name="ministack",
    account="000000000000",
    command=lambda port: [str(MINISTACK_PYTHON), "-m", "ministack"],
    variables=lambda port, home: {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        # Ports of their own that nobody here needs.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # Without it LookupEvents answers that there were none.
        "CLOUDTRAIL_RECORDING": "1",
        "HOME": home,
        "TMPDIR": home,
    },
    health="/_ministack/ready",
)

SERVERS = {server.name: server for server in (MOTO, MINISTACK)}


def wait_for(process, url, seconds=120):
    """Waits until the URL answers. A process that ends instead is an error."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return urllib.request.urlopen(url, timeout=5).read()
        except OSError:
            if process.poll() is not None:
                raise RuntimeError(f"{process.args} ended with {process.returncode}") from None
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


@contextlib.contextmanager
def running(command, **options):
    process = subprocess.Popen(command, **options)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def serve(server):
    """Starts a server that remembers nothing, and gives its URL."""
    with tempfile.TemporaryDirectory(prefix=f"{server.name}-", ignore_cleanup_errors=True) as home:
        port = free_port()
        environment = {**os.environ, **server.variables(port, home)}
        log = pathlib.Path(home, "server.log")
        with log.open("w") as output, running(
            server.command(port), cwd=home, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        ) as process:
            url = f"http://127.0.0.1:{port}"
            try:
                wait_for(process, url + server.health)
            except Exception as error:
                error.add_note(log.read_text())
                raise
            yield url


@contextlib.contextmanager
def sandbox(hlctl, *arguments):
    """Starts hlctl's own emulator, and gives its URL."""
    command = [hlctl, "sandbox", "--port", "0", "--format", "url", "--create-delay", "0.3", "--delete-delay", "0.3", *arguments]
    with running(command, stdout=subprocess.PIPE, text=True) as process:
        yield process.stdout.readline().strip()


@contextlib.contextmanager
def beside(hlctl, server, *arguments):
    """Starts a server and HealthLake beside it, and gives both URLs."""
    external = ("--account", server.account, "--external", "kms,iam,lambda")
    with serve(server) as aws, sandbox(hlctl, *external, *arguments) as healthlake:
        yield aws, healthlake
