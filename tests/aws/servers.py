"""Servers for the scripts in this folder, all on 127.0.0.1: AWS as others have understood it, and hlctl's emulator beside them.

    with beside(hlctl, MOTO) as (aws, healthlake):
        stack = Stack(hlctl, aws, healthlake, "smart")
"""

import contextlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass

from support import ROOT

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
    # What starts it on a port that the system chooses. Nobody else can choose a port for it: what is free now may be taken by
    # the time the server asks for it, and then another server would answer in its place.
    command: list
    # Its variables, by a directory of its own.
    variables: Callable[[str], dict]
    # What answers as soon as it is up.
    health: str

    def differs(self, what):
        """Whether the server is not as AWS is in this."""
        assert any(what in known for known in DIFFERENCES.values()), what
        return what in DIFFERENCES[self.name]


MOTO = Server(
    name="moto",
    account="123456789012",
    command=[sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
    # Without it moto knows none of the policies that AWS keeps.
    variables=lambda home: {"MOTO_IAM_LOAD_MANAGED_POLICIES": "true"},
    health="/moto-api/",
)

MINISTACK = Server(
    name="ministack",
    account="000000000000",
    command=[str(MINISTACK_PYTHON), "-m", "ministack"],
    variables=lambda home: {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": "0",
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


# A server that hangs fails the run in the end; one that is merely slow, on a busy machine, does not.
PATIENCE_IN_SECONDS = 900
# What both servers log once they listen (werkzeug's and hypercorn's).
LISTENS = re.compile(r"Running on (http://127\.0\.0\.1:[1-9]\d*)")


def wait_for(process, what, look):
    """Waits until `look` gives something. A process that ends instead is an error."""
    deadline = time.monotonic() + PATIENCE_IN_SECONDS
    while True:
        # In this order: what a process did before it ended counts.
        ended = process.poll()
        if found := look():
            return found
        if ended is not None:
            raise RuntimeError(f"{process.args} ended with {ended}: it never came so far that {what}")
        if time.monotonic() > deadline:
            raise TimeoutError(f"{process.args}: it never came so far that {what}, after {PATIENCE_IN_SECONDS} seconds")
        time.sleep(0.1)


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.status == 200
    except OSError:
        return False


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
        environment = {**os.environ, **server.variables(home), "PYTHONUNBUFFERED": "1"}
        log = pathlib.Path(home, "server.log")
        with log.open("w") as output, running(
            server.command, cwd=home, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        ) as process:
            try:
                url = wait_for(process, "its port is known", lambda: LISTENS.search(log.read_text()))[1]
                wait_for(process, "it answers", lambda: answers(url + server.health))
            except Exception as error:
                error.add_note(log.read_text())
                raise
            yield url


@contextlib.contextmanager
def sandbox(hlctl, *arguments):
    """Starts hlctl's own emulator, and gives its URL."""
    command = [hlctl, "sandbox", "--port", "0", "--format", "url", "--create-delay", "0.3", "--delete-delay", "0.3", *arguments]
    with running(command, stdout=subprocess.PIPE, text=True) as process:
        url = process.stdout.readline().strip()
        if not url:
            raise RuntimeError(f"{command} ended with {process.wait()} before it had a port")
        yield url


@contextlib.contextmanager
def beside(hlctl, server, *arguments):
    """Starts a server and HealthLake beside it, and gives both URLs."""
    external = ("--account", server.account, "--external", "kms,iam,lambda")
    with serve(server) as aws, sandbox(hlctl, *external, *arguments) as healthlake:
        yield aws, healthlake
