"""Data in bulk: the check, the upload, the memory of import, export and search, and the emptying of buckets."""

import contextlib
import http.client
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.parse

from stack import CONFIG, DATA
from support import ACCOUNT, REGION, emulator, environment, median, run

MAKER = pathlib.Path(__file__).parent.parent / "ndjson.py"
AWS = str(pathlib.Path(sys.executable).with_name("aws"))
SMALL_FILES, SMALL_BYTES = 10_000, 8_500
OTHER = "hlctl-bench-other"
# The emulator looks at who signs, not at the signature.
SIGNED = {
    "Authorization": f"AWS4-HMAC-SHA256 Credential={ACCOUNT}/20260101/{REGION}/s3/aws4_request, SignedHeaders=host, Signature=0",
    "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
}
# `--no-wait` ends with 6: begun and not finished.
BEGUN = (0, 6)


class Stack:
    """A stack in a sandbox of its own."""

    def __init__(self, hlctl, aws, directory):
        self.hlctl, self.aws, self.directory = hlctl, aws, directory

    def run(self, *arguments, accepted=(0,), **options):
        return run([self.hlctl, *arguments], accepted, cwd=self.directory, env=environment(self.aws.url), **options)

    def cli(self, *arguments):
        return run([sys.executable, AWS, *arguments, "--only-show-errors"], cwd=self.directory, env=environment(self.aws.url))


class Bench:
    """The measurements, which share the data that they make."""

    def __init__(self, table, hlctl, rounds, resources):
        self.table, self.hlctl, self.rounds, self.resources = table, hlctl, rounds, resources
        self.scratch = tempfile.TemporaryDirectory(prefix="hlctl-bench-")
        self.root = pathlib.Path(self.scratch.name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.scratch.cleanup()

    @contextlib.contextmanager
    def stack(self):
        with tempfile.TemporaryDirectory(dir=self.root) as directory, emulator(self.hlctl) as aws:
            pathlib.Path(directory, "healthlake.toml").write_text(CONFIG)
            stack = Stack(self.hlctl, aws, directory)
            stack.run("apply", "--auto-approve")
            yield stack

    def made(self, count):
        """Invented resources, a file for each type."""
        folder = self.root / f"made-{count}"
        if not folder.exists():
            command = [sys.executable, str(MAKER), "--resources", str(count), "--seed", "7", "--out", str(folder)]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return folder

    def small(self):
        """Many files of a few resources."""
        folder = self.root / "small"
        if not folder.exists():
            folder.mkdir()
            lines = (line for path in sorted(self.made(self.resources).glob("*.ndjson")) for line in path.open())
            for number in range(SMALL_FILES):
                with (folder / f"{number:05}.ndjson").open("w") as file:
                    while file.tell() < SMALL_BYTES and (line := next(lines, None)):
                        file.write(line)
        files = [path for path in folder.iterdir() if path.stat().st_size or path.unlink()]
        return folder, len(files)

    def long(self):
        """A file of lines of a megabyte."""
        folder = self.root / "long"
        if not folder.exists():
            folder.mkdir()
            entries = [{"resource": json.loads(line)} for line in next(self.made(self.resources).glob("Obs*")).open()][:1000]
            with (folder / "Bundle.ndjson").open("w") as file:
                for number in range(80):
                    bundle = {"resourceType": "Bundle", "id": f"b{number}", "type": "collection", "entry": entries}
                    file.write(json.dumps(bundle) + "\n")
        return folder

    def check(self):
        wc = shutil.which("wc")
        self.table.heading("hlctl data check: megabytes in a second of one processor's time")
        for name, folder in ((f"{self.resources:,} resources", self.made(self.resources)), ("long lines", self.long())):
            files = sorted(str(path) for path in folder.glob("*.ndjson"))
            size = size_of(folder) / 1e6
            pairs = []
            for _ in range(max(5, self.rounds)):
                pairs.append((run([self.hlctl, "data", "check", str(folder)], cwd=self.root), run([wc, "-l", *files])))
            own = size / median(pairs, lambda pair: pair[0].cpu)
            beside = size / max(median(pairs, lambda pair: pair[1].cpu), 1e-3)
            self.table.line(f"{name}, {size:.0f} MB", f"{own:.0f} MB/s", f"wc -l {beside:.0f} MB/s", own / beside, ">= 200 MB/s")
            clock = size / median(pairs, lambda pair: pair[0].seconds)
            memory = max(pair[0].memory for pair in pairs) / 1e6
            self.table.line("  by the clock, and its peak memory", f"{clock:.0f} MB/s", f"{memory:.0f} MB", demanded="< 64 MB")

    def upload(self):
        self.table.heading("Upload: hlctl data import --no-wait, with its check, beside aws s3 cp --recursive")
        whole = self.made(self.resources)
        self.compare_uploads(f"{len(list(whole.iterdir()))} files, {size_of(whole) / 1e6:.0f} MB", whole, self.rounds)
        folder, count = self.small()
        self.compare_uploads(f"{count:,} files of {size_of(folder) / count / 1000:.0f} kB", folder, 1)

    def compare_uploads(self, name, folder, rounds):
        pairs = []
        for _ in range(rounds):
            # The job that an import starts would compete with what is measured next.
            with self.stack() as stack:
                beside = stack.cli("s3", "cp", "--recursive", str(folder), f"s3://{DATA}/beside/")
                pairs.append((stack.run("data", "import", str(folder), "--no-wait", accepted=BEGUN), beside))
        own, beside = (median(pairs, lambda pair, at=at: pair[at].seconds) for at in (0, 1))
        ratio = median(pairs, lambda pair: pair[1].seconds / pair[0].seconds)
        self.table.line(f"{name}: speed", f"{own:.2f} s", f"aws {beside:.2f} s", ratio, ">= 0.9")
        self.table.line("  peak memory", f"{max(pair[0].memory for pair in pairs) / 1e6:.0f} MB", demanded="< 64 MB")

    def memory(self):
        self.table.heading("Peak memory from upload to export")
        for count in (self.resources // 10, self.resources):
            with self.stack() as stack:
                folder = self.made(count)
                size = f"{count:,} resources, {size_of(folder) / 1e6:.0f} MB"
                figures = stack.run("data", "import", str(folder))
                self.table.line(f"import of {size}", f"{figures.memory / 1e6:.0f} MB", f"{figures.seconds:.1f} s", demanded="< 64 MB")
                figures = stack.run("data", "export", "out")
                self.table.line(f"export of {size}", f"{figures.memory / 1e6:.0f} MB", f"{figures.seconds:.1f} s", demanded="< 64 MB")

    def search(self):
        self.table.heading("hlctl fhir search Observation --all")
        peaks = []
        for count in (self.resources // 10, self.resources):
            folder = self.root / f"observations-{count}"
            folder.mkdir()
            with (folder / "Observation.ndjson").open("w") as file:
                file.writelines(observation(number) for number in range(count))
            with self.stack() as stack, (self.root / "found.ndjson").open("w+b") as found:
                stack.run("data", "import", str(folder))
                figures = stack.run("fhir", "search", "Observation", "_count=100", "--all", stdout=found, stderr=subprocess.DEVNULL)
                found.seek(0)
                lines = sum(1 for _ in found)
            peaks.append(figures.memory)
            self.table.line(f"{lines:,} found", f"{figures.memory / 1e6:.1f} MB", f"{figures.seconds:.1f} s")
        self.table.line("ten times as many: memory", "", ratio=peaks[1] / peaks[0], demanded="constant")

    def empty(self):
        self.table.heading("Emptying a bucket: hlctl destroy --force-destroy, with the rest of the stack, beside aws s3 rm --recursive")
        for count in (self.resources // 10, self.resources):
            with self.stack() as stack:
                put(stack.aws.url, DATA, count // 10, 10)
                request(stack.aws.url, "PUT", [f"/{OTHER}"])
                put(stack.aws.url, OTHER, count, 1)
                beside = stack.cli("s3", "rm", "--recursive", f"s3://{OTHER}")
                own = stack.run("destroy", "--auto-approve", "--force-destroy")
            ratio = beside.seconds / own.seconds
            self.table.line(f"{count:,} versions: speed", f"{own.seconds:.2f} s", f"aws {beside.seconds:.1f} s", ratio, ">= 5")
            self.table.line("  peak memory", f"{own.memory / 1e6:.0f} MB")


def size_of(folder):
    return sum(path.stat().st_size for path in folder.iterdir())


def observation(number):
    return json.dumps({
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7", "display": "Body weight"}]},
        "valueQuantity": {"value": number % 100, "unit": "kg"},
        "note": [{"text": "An invented record. " * 35}],
    }) + "\n"


def request(url, method, paths, body=b""):
    """Sends one request after another on one connection."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=60)
    for path in paths:
        connection.request(method, path, body=body, headers=SIGNED)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path} was answered {answer.status}: {text[:500]}")
    connection.close()


def put(url, bucket, keys, versions, threads=4):
    """Fills a bucket with small objects of so many versions each."""
    paths = [f"/{bucket}/folder-{key % 100}/object-{key}" for key in range(keys)]
    for _ in range(versions):
        shares = [threading.Thread(target=request, args=(url, "PUT", paths[at::threads], b"x" * 100)) for at in range(threads)]
        for share in shares:
            share.start()
        for share in shares:
            share.join()
