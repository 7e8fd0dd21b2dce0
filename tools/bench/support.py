"""What all measurements share: the sandbox, children and their figures, and the table."""

import contextlib
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import urllib.request

ACCOUNT = "123456789012"
REGION = "us-east-1"
POLL_SECONDS = 0.1
# Linux counts the peak in kilobytes, macOS in bytes.
RSS_UNIT = 1 if platform.system() == "Darwin" else 1024


class Emulator:
    """The sandbox on a port, and its log of requests."""

    def __init__(self, url):
        self.url = url

    def control(self, method="GET"):
        request = urllib.request.Request(f"{self.url}/_emulator/requests", method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


@contextlib.contextmanager
def emulator(hlctl, latency=0, store_seconds=0.1, more=()):
    command = [hlctl, "sandbox", "--port", "0", "--format", "url", "--latency", str(latency)]
    command += ["--create-delay", str(store_seconds), "--delete-delay", str(store_seconds), *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield Emulator(process.stdout.readline().strip())
    finally:
        process.terminate()
        process.wait()


def environment(url):
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
    return kept | {
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": url,
        "HLCTL_POLL_INTERVAL": str(POLL_SECONDS),
        "NO_COLOR": "1",
    }


# A child's peak begins with that of the process it was forked from, so a Python with next to nothing in it does the forking.
LAUNCHER = """
import posix, sys, time
begun = time.perf_counter()
child = posix.posix_spawn(sys.argv[2], sys.argv[2:], posix.environ)
_, status, usage = posix.wait4(child, 0)
seconds = time.perf_counter() - begun
with open(sys.argv[1], "w") as file:
    cpu = usage.ru_utime + usage.ru_stime
    file.write(f"{seconds} {cpu} {usage.ru_maxrss} {posix.waitstatus_to_exitcode(status)}")
"""


class Figures:
    """Seconds, seconds of processor time, and peak memory in bytes of a child."""

    def __init__(self, seconds, cpu, memory):
        self.seconds, self.cpu, self.memory = seconds, cpu, memory


def run(command, accepted=(0,), **options):
    """Runs a child; one that fails ends the bench."""
    with tempfile.TemporaryFile() as output, tempfile.NamedTemporaryFile("r") as figures:
        launch = [sys.executable, "-I", "-S", "-c", LAUNCHER, figures.name, *command]
        options = {"stdout": output, "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL} | options
        subprocess.run(launch, check=True, **options)
        seconds, cpu, memory, code = figures.read().split()
        if int(code) not in accepted:
            output.seek(0)
            text = output.read().decode(errors="replace")
            sys.exit(f"{' '.join(command)} ended with {code}:\n{text[-4000:]}")
    return Figures(float(seconds), float(cpu), int(memory) * RSS_UNIT)


def in_words(memory):
    """A peak; one that is no more than the launcher's own is only known to be below it."""
    floor = run(["/bin/sh", "-c", ":"]).memory
    return f"{memory / 1e6:.1f} MB" if memory > 1.1 * floor else f"< {1.1 * floor / 1e6:.0f} MB"


def moment(text):
    """A point in time to the microsecond; older Pythons read no more digits than that."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    microseconds = int(fraction[:6].ljust(6, "0")) if fraction else 0
    return datetime.datetime.fromisoformat(whole) + datetime.timedelta(microseconds=microseconds)


def in_sequence(records):
    """How many requests followed one another: the most that do not overlap."""
    spans = sorted((moment(record["ended"]), moment(record["started"])) for record in records)
    count, free = 0, None
    for ended, started in spans:
        if free is None or started >= free:
            count, free = count + 1, ended
    return count


def median(samples, key):
    return statistics.median(key(sample) for sample in samples)


class Table:
    """Each figure, what it is measured beside, and what is demanded of it."""

    WIDTHS = (54, 20, 32, 10, 18)

    def heading(self, title):
        print(f"\n{title}", flush=True)
        self.line("", "hlctl", "beside", "ratio", "demanded")

    def line(self, what, figure, beside="", ratio="", demanded=""):
        cells = (what, figure, beside, f"{ratio:.2f}" if isinstance(ratio, float) else ratio, demanded)
        shown = "".join(f"{cell:<{width}}" for cell, width in zip(cells, self.WIDTHS))
        print(f"  {shown}".rstrip(), flush=True)
