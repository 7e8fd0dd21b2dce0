"""Start-up, and stacks from nothing to nothing, beside a boto3 script that makes the same stack one call after another.

Stores take two seconds to be made and to be deleted, and each request takes 0 and then 50 ms longer than it needs.

The bound of a run is what no client could go below: the requests of the longest chain in which each needs the answer of
the one before, and the store's own time. The ratio is the time taken over that. For an idle plan, which waits for no
store, the time is given in round trips as well.
"""

import pathlib
import sys
import tempfile

from support import POLL_SECONDS, REGION, emulator, environment, in_sequence, in_words, median, run

STORE_SECONDS = 2.0
LATENCIES_MS = (0, 50)
STORE, DATA, LOGS = "bench", "hlctl-bench-data", "hlctl-bench-logs"
STATES = "hlctl-bench-states"
# The longest chain that waits for its own answers, by run.
CHAINS = {
    "apply": ("GetCallerIdentity", "CreateKey", "CreateFHIRDatastore"),
    "idle plan": ("GetCallerIdentity", "GetPolicy", "GetPolicyVersion"),
    "destroy": ("GetCallerIdentity", "DeleteFHIRDatastore", "ScheduleKeyDeletion"),
}
DEMANDED = {"apply": "<= 1.15", "idle plan": "<= 6 trips"}
CONFIG = f"""\
datastore_name = "{STORE}"
data_bucket_name = "{DATA}"
logs_bucket_name = "{LOGS}"
region = "{REGION}"
create_kms_key = true
protect = false
"""
BACKEND = f"""
[backend]
bucket = "{STATES}"
key = "bench.state.json"
"""


class Sample:
    """The figures of a run and what it asked for."""

    def __init__(self, aws, command, **options):
        aws.control("DELETE")
        figures = run(command, env=environment(aws.url), **options)
        records = aws.control()
        self.seconds, self.memory = figures.seconds, figures.memory
        self.requests, self.depth = len(records), in_sequence(records)


def one_round(hlctl, aws, config):
    """One stack from nothing to nothing, in hlctl."""
    with tempfile.TemporaryDirectory(prefix="hlctl-bench-") as directory:
        pathlib.Path(directory, "healthlake.toml").write_text(config)
        steps = {
            "apply": ["apply", "--auto-approve"],
            "idle plan": ["plan"],
            "destroy": ["destroy", "--auto-approve"],
        }
        return {name: Sample(aws, [hlctl, *arguments], cwd=directory) for name, arguments in steps.items()}


def make_with_boto3(aws):
    """The same stack by boto3; hlctl is not concerned, so the names are the script's own."""
    script = str(pathlib.Path(__file__).with_name("boto3_stack.py"))
    names = (f"{name}-boto3" for name in (STORE, DATA, LOGS))
    return Sample(aws, [sys.executable, script, *names, str(POLL_SECONDS)])


def report(table, latency, name, samples):
    seconds, requests = median(samples, lambda sample: sample.seconds), median(samples, lambda sample: sample.requests)
    is_idle = name == "idle plan"
    bound = len(CHAINS.get(name, CHAINS["apply"])) * latency / 1000 + (0 if is_idle else STORE_SECONDS)
    memory = in_words(max(sample.memory for sample in samples))
    trips = f", {seconds * 1000 / latency:.1f} round trips" if latency and is_idle else ""
    # Without latency nothing bounds an idle plan but the machine.
    beside, ratio = (f"bound {bound:.2f} s{trips}", seconds / bound) if bound else ("", "")
    demanded = DEMANDED.get(name, "") if latency else ""
    table.line(f"{name}: {requests:.0f} requests, {memory}", f"{seconds:.3f} s", beside, ratio, demanded)


def bench_start(table, hlctl, times=101):
    table.heading("Start-up and size")
    samples = [run([hlctl, "--version"]) for _ in range(times)]
    milliseconds = median(samples, lambda sample: sample.seconds) * 1000
    table.line(f"hlctl --version (median of {times})", f"{milliseconds:.1f} ms", demanded="< 10 ms")
    memory = max(sample.memory for sample in samples)
    table.line("its peak memory", in_words(memory), demanded="< 20 MB")
    table.line("size of the binary", f"{pathlib.Path(hlctl).stat().st_size / 1e6:.1f} MB", demanded="< 25 MB")


def bench_stack(table, hlctl, latency, rounds):
    table.heading(f"{latency} ms added to each request, a store of {STORE_SECONDS:g} s, a look at it each {POLL_SECONDS:g} s")
    with emulator(hlctl, latency, STORE_SECONDS) as aws:
        samples = [one_round(hlctl, aws, CONFIG) for _ in range(rounds)]
        for name in ("apply", "idle plan", "destroy"):
            report(table, latency, name, [sample[name] for sample in samples])
        sequential = make_with_boto3(aws)
        if latency:
            # Without latency the requests are too short to tell which waited for which.
            depth = max(sample["idle plan"].depth for sample in samples)
            table.line("requests of an idle plan that followed one another", f"{depth}", demanded="<= 6")
            compare_states(table, hlctl, aws, rounds)
    seconds = median([sample["apply"] for sample in samples], lambda sample: sample.seconds)
    table.line("apply", f"{seconds:.3f} s", f"boto3 {sequential.seconds:.3f} s", seconds / sequential.seconds)


def compare_states(table, hlctl, aws, rounds):
    """An apply with its state in S3 and one with a local state, in turn."""
    run([sys.executable, "-c", f"import boto3; boto3.client('s3').create_bucket(Bucket='{STATES}')"], env=environment(aws.url))
    pairs = [(one_round(hlctl, aws, CONFIG)["apply"], one_round(hlctl, aws, CONFIG + BACKEND)["apply"]) for _ in range(rounds)]
    local = median(pairs, lambda pair: pair[0].seconds)
    remote = median(pairs, lambda pair: pair[1].seconds)
    ratio = median(pairs, lambda pair: pair[1].seconds / pair[0].seconds)
    table.line("apply with the state in S3", f"{remote:.3f} s", f"local state {local:.3f} s", ratio, "<= 1.3")
