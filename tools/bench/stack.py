"""Start-up, and stacks from nothing to nothing, compared with an earlier build and a boto3 script that makes the same stack one call after another.

Stores take two seconds to be made and to be deleted, and each request takes 0 and then 50 ms longer than it needs.

The bound of a run is what no client could go below: the requests of the longest chain in which each needs the answer of
the one before, and the store's own time. The ratio is the time taken over that. For an idle plan, which waits for no
store, the time is given in round trips as well. Requests are counted without the looks at what AWS is making.
"""

import contextlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from support import POLL_SECONDS, REGION, Emulator, emulator, environment, in_sequence, in_words, median, run

STORE_SECONDS = 2.0
LATENCIES_MS = (0, 50)
ROOT = pathlib.Path(__file__).resolve().parents[2]
STORE, DATA, LOGS = "bench", "hlctl-bench-data", "hlctl-bench-logs"
STATES = "hlctl-bench-states"
# The longest chain that waits for its own answers, by run.
CHAINS = {
    "apply": ("GetCallerIdentity", "CreateKey", "CreateFHIRDatastore"),
    "SMART apply": (
        "GetCallerIdentity",
        "CreateUserPool",
        "CreateResourceServer",
        "CreateUserPoolClient",
        "CreateFunction",
        "AddPermission",
        "CreateFHIRDatastore",
    ),
    "idle plan": ("GetCallerIdentity", "GetPolicy", "GetPolicyVersion"),
    "idle SMART plan": ("GetCallerIdentity", "GetPolicy", "GetPolicyVersion"),
    "destroy": ("GetCallerIdentity", "DeleteFHIRDatastore", "ScheduleKeyDeletion"),
    "SMART destroy": ("GetCallerIdentity", "DeleteFHIRDatastore", "ScheduleKeyDeletion"),
}
# The fewest requests that make the stack: the caller's identity, and one for each thing and each setting.
FEWEST = {"apply": 25, "SMART apply": 40}
DEMANDED = {"apply": "<= 1.15", "SMART apply": "<= 1.15", "idle plan": "<= 6 trips", "idle SMART plan": "<= 6 trips"}
# The operations that only look whether something is done, as the emulator and the proxy name them.
POLLS = re.compile(r"DescribeFHIRDatastore|DescribeUserPoolDomain|GetFunction|GET /2015-03-31/functions/[^/?]+/?")
CONFIG = f"""\
datastore_name = "{STORE}"
data_bucket_name = "{DATA}"
logs_bucket_name = "{LOGS}"
region = "{REGION}"
create_kms_key = true
protect = false
"""
SMART = """\
smart_on_fhir = true
cognito_domain = "hlctl-bench"
cognito_callback_urls = ["https://localhost"]
"""
BACKEND = f"""
[backend]
bucket = "{STATES}"
key = "bench.state.json"
"""


class Sample:
    """The figures of a run and what it asked for."""

    def __init__(self, aws, command, env=None, **options):
        for server in aws:
            server.control("DELETE")
        figures = run(command, env=env or environment(aws[0].url), **options)
        records = [record for server in aws for record in server.control()]
        self.seconds, self.memory = figures.seconds, figures.memory
        self.polls = sum(POLLS.fullmatch(record["operation"]) is not None for record in records)
        self.requests, self.depth = len(records) - self.polls, in_sequence(records)


def with_function(hlctl):
    """The configuration of a SMART stack; its function is next to hlctl or was built for Lambda."""
    beside, built = pathlib.Path(hlctl).with_name("hlctl-authorizer"), ROOT / "target" / "lambda" / "bootstrap"
    return CONFIG + SMART + ("" if beside.exists() else f'lambda_package = "{built}"\n')


def one_round(hlctl, aws, config, env=None, smart=""):
    """One stack from nothing to nothing, in hlctl."""
    with tempfile.TemporaryDirectory(prefix="hlctl-bench-") as directory:
        pathlib.Path(directory, "healthlake.toml").write_text(config)
        steps = {
            f"{smart}apply": ["apply", "--auto-approve"],
            f"idle {smart}plan": ["plan"],
            f"{smart}destroy": ["destroy", "--auto-approve"],
        }
        return {name: Sample(aws, [hlctl, *arguments], env, cwd=directory) for name, arguments in steps.items()}


def make_with_boto3(aws):
    """The same stack by boto3; hlctl is not concerned, so the names are the script's own."""
    script = str(pathlib.Path(__file__).with_name("boto3_stack.py"))
    names = (f"{name}-boto3" for name in (STORE, DATA, LOGS))
    return Sample(aws, [sys.executable, script, *names, str(POLL_SECONDS)])


def report(table, latency, name, samples, before=None):
    seconds, requests = median(samples, lambda sample: sample.seconds), median(samples, lambda sample: sample.requests)
    polls = median(samples, lambda sample: sample.polls)
    is_idle = name.startswith("idle")
    bound = len(CHAINS[name]) * latency / 1000 + (0 if is_idle else STORE_SECONDS)
    memory = in_words(max(sample.memory for sample in samples))
    trips = f", {seconds * 1000 / latency:.1f} round trips" if latency and is_idle else ""
    # Without latency nothing bounds an idle plan but the machine.
    beside, ratio = (f"bound {bound:.2f} s{trips}", seconds / bound) if bound else ("", "")
    demanded = DEMANDED.get(name, "") if latency else ""
    table.line(f"{name}: {requests:.0f} requests, {polls:.0f} looks, {memory}", f"{seconds:.3f} s", beside, ratio, demanded)
    if fewest := FEWEST.get(name):
        table.line(f"requests of {name}", f"{requests:.0f}", f"fewest {fewest}", requests / fewest, "<= 1.6")
    if before:
        compare(table, name, samples, before)


def compare(table, name, samples, before):
    """The same run by the earlier build, in turn."""
    for what, unit, key in (
        ("", " s", lambda sample: sample.seconds),
        (", requests", "", lambda sample: sample.requests),
        (", peak memory", " MB", lambda sample: sample.memory / 1e6),
    ):
        now, then = median(samples, key), median(before, key)
        table.line(f"  {name}{what}", f"{now:.3g}{unit}", f"earlier build {then:.3g}{unit}", now / then)


def bench_start(table, hlctl, before=None, times=101):
    table.heading("Start-up and size")
    pairs = [tuple(run([build, "--version"]) for build in (hlctl, before) if build) for _ in range(times)]
    now, *earlier = ([pair[index] for pair in pairs] for index in range(len(pairs[0])))
    milliseconds = median(now, lambda sample: sample.seconds) * 1000
    table.line(f"hlctl --version (median of {times})", f"{milliseconds:.1f} ms", demanded="< 10 ms")
    memory = max(sample.memory for sample in now)
    table.line("its peak memory", in_words(memory), demanded="< 20 MB")
    table.line("size of the binary", f"{pathlib.Path(hlctl).stat().st_size / 1e6:.1f} MB", demanded="< 25 MB")
    for samples in earlier:
        then = median(samples, lambda sample: sample.seconds) * 1000
        table.line("  hlctl --version", f"{milliseconds:.1f} ms", f"earlier build {then:.1f} ms", milliseconds / then)


def bench_stack(table, hlctl, latency, rounds, before=None):
    table.heading(f"{latency} ms added to each request, a store of {STORE_SECONDS:g} s, a look at it each {POLL_SECONDS:g} s at most")
    with emulator(hlctl, latency, STORE_SECONDS) as server:
        aws, samples, earlier = [server], {}, {}
        for _ in range(rounds):
            for build, into in ((hlctl, samples), (before, earlier)):
                if build:
                    for name, sample in (
                        one_round(build, aws, CONFIG) | one_round(build, aws, with_function(build), smart="SMART ")
                    ).items():
                        into.setdefault(name, []).append(sample)
        for name, all_of_it in samples.items():
            report(table, latency, name, all_of_it, earlier.get(name))
        sequential = make_with_boto3(aws)
        if latency:
            # Without latency the requests are too short to tell which waited for which.
            depth = max(sample.depth for sample in samples["idle plan"])
            table.line("requests of an idle plan that followed one another", f"{depth}", demanded="<= 6")
            compare_states(table, hlctl, aws, rounds)
    seconds = median(samples["apply"], lambda sample: sample.seconds)
    table.line("apply", f"{seconds:.3f} s", f"boto3 {sequential.seconds:.3f} s", seconds / sequential.seconds)


def compare_states(table, hlctl, aws, rounds):
    """An apply with its state in S3 and one with a local state, in turn."""
    env = environment(aws[0].url)
    run([sys.executable, "-c", f"import boto3; boto3.client('s3').create_bucket(Bucket='{STATES}')"], env=env)
    pairs = [(one_round(hlctl, aws, CONFIG)["apply"], one_round(hlctl, aws, CONFIG + BACKEND)["apply"]) for _ in range(rounds)]
    local = median(pairs, lambda pair: pair[0].seconds)
    remote = median(pairs, lambda pair: pair[1].seconds)
    ratio = median(pairs, lambda pair: pair[1].seconds / pair[0].seconds)
    table.line("apply with the state in S3", f"{remote:.3f} s", f"local state {local:.3f} s", ratio, "<= 1.3")


@contextlib.contextmanager
def running(command, pattern, **options):
    """Starts a server, and gives the URL that it prints."""
    with tempfile.TemporaryDirectory(prefix="hlctl-bench-", ignore_cleanup_errors=True) as home:
        log = pathlib.Path(home, "log")
        env = {**os.environ, "HOME": home, "TMPDIR": home, "PYTHONUNBUFFERED": "1"} | options
        with log.open("w") as output:
            process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            while not (url := re.search(pattern, log.read_text())):
                if process.poll() is not None:
                    sys.exit(f"{command} ended:\n{log.read_text()[-4000:]}")
                time.sleep(0.1)
            yield url[0]
        finally:
            process.terminate()
            process.wait()


def bench_ministack(table, hlctl, python, rounds, before=None, latency=50):
    """SMART on MiniStack, behind a proxy that adds the latency, with HealthLake of hlctl's own emulator."""
    table.heading(f"SMART on MiniStack, {latency} ms added to each request by a proxy, a store of {STORE_SECONDS:g} s")
    # What listens on all addresses says so.
    listens = r"http://127\.0\.0\.1:[1-9]\d*"
    variables = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": "0", "IOT_MTLS_ENABLED": "0", "SFTP_ENABLED": "0"}
    proxy = str(pathlib.Path(__file__).with_name("proxy.py"))
    external = ("--account", "000000000000", "--external", "kms,iam,lambda")
    samples, earlier = {}, {}
    for _ in range(rounds):
        for build, into in ((hlctl, samples), (before, earlier)):
            if not build:
                continue
            with running([python, "-m", "ministack"], listens, **variables) as upstream:
                with (
                    running([sys.executable, proxy, upstream, str(latency)], listens) as url,
                    emulator(hlctl, latency, STORE_SECONDS, external) as healthlake,
                ):
                    aws = [Emulator(url), healthlake]
                    env = environment(url) | {"AWS_ENDPOINT_URL_HEALTHLAKE": healthlake.url}
                    # The earlier build looks twice a minute by itself; this one as the store's age suggests.
                    if build == hlctl:
                        del env["HLCTL_POLL_INTERVAL"]
                    for name, sample in one_round(build, aws, with_function(build), env, smart="SMART ").items():
                        into.setdefault(name, []).append(sample)
    for name, all_of_it in samples.items():
        report(table, latency, name, all_of_it, earlier.get(name))
