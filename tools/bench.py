"""Measures hlctl against its own emulator, beside a boto3 script that makes the same stack one call after another.

    bench.py HLCTL [--rounds N]

The emulator is a process of its own. Its stores take two seconds to be made and to be deleted, and each request takes
0 and then 50 ms longer than it needs. Nothing is asserted: figures depend on the machine.

The bound of a run is what no client could go below: the requests of the longest chain in which each needs the answer of
the one before, and the store's own time. The ratio is the time taken over that. For an idle plan, which waits for no
store, the time is given in round trips as well.
"""

import argparse
import contextlib
import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

STORE_SECONDS = 2.0
POLL_SECONDS = 0.1
LATENCIES_MS = (0, 50)
ACCOUNT = "123456789012"
REGION = "us-east-1"
STORE, DATA, LOGS = "bench", "hlctl-bench-data", "hlctl-bench-logs"
# The longest chain that waits for its own answers, by run.
CHAINS = {
    "apply": ("GetCallerIdentity", "CreateKey", "CreateFHIRDatastore"),
    "idle plan": ("GetCallerIdentity", "GetPolicy", "GetPolicyVersion"),
    "destroy": ("GetCallerIdentity", "DeleteFHIRDatastore", "ScheduleKeyDeletion"),
}
CONFIG = f"""\
datastore_name = "{STORE}"
data_bucket_name = "{DATA}"
logs_bucket_name = "{LOGS}"
region = "{REGION}"
create_kms_key = true
protect = false
"""
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
def emulator(hlctl, latency):
    command = [hlctl, "sandbox", "--port", "0", "--format", "url", "--latency", str(latency)]
    command += ["--create-delay", str(STORE_SECONDS), "--delete-delay", str(STORE_SECONDS)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
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
    file.write(f"{seconds} {usage.ru_maxrss} {posix.waitstatus_to_exitcode(status)}")
"""


def run(command, **options):
    """Seconds and peak memory in bytes of a child; a child that fails ends the bench."""
    with tempfile.TemporaryFile() as output, tempfile.NamedTemporaryFile("r") as figures:
        launch = [sys.executable, "-I", "-S", "-c", LAUNCHER, figures.name, *command]
        subprocess.run(launch, check=True, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, **options)
        seconds, memory, code = figures.read().split()
        if code != "0":
            output.seek(0)
            text = output.read().decode(errors="replace")
            sys.exit(f"{' '.join(command)} ended with {code}:\n{text}")
    return float(seconds), int(memory) * RSS_UNIT


def in_words(memory):
    """A peak; one that is no more than the launcher's own is only known to be below it."""
    floor = run(["/bin/sh", "-c", ":"])[1]
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


def measure(emulator, command, **options):
    emulator.control("DELETE")
    seconds, memory = run(command, env=environment(emulator.url), **options)
    records = emulator.control()
    return {"seconds": seconds, "memory": memory, "requests": len(records), "depth": in_sequence(records)}


def stack_round(hlctl, emulator):
    """One stack from nothing to nothing, in hlctl."""
    with tempfile.TemporaryDirectory(prefix="hlctl-bench-") as directory:
        config = pathlib.Path(directory, "healthlake.toml")
        config.write_text(CONFIG)
        steps = {
            "apply": ["apply", "--auto-approve"],
            "idle plan": ["plan"],
            "destroy": ["destroy", "--auto-approve"],
        }
        return {
            name: measure(emulator, [hlctl, "-c", str(config), *arguments], cwd=directory)
            for name, arguments in steps.items()
        }


def boto3_round(emulator):
    """The same stack by boto3; hlctl is not concerned, so the names are the script's own."""
    return measure(emulator, [sys.executable, __file__, "--boto3"])


def median(samples, key):
    return statistics.median(sample[key] for sample in samples)


def row(*cells):
    widths = (18, 9, 10, 9, 9, 11, 12)
    print("  " + "".join(f"{cell:<{width}}" if i == 0 else f"{cell:>{width}}" for i, (cell, width) in enumerate(zip(cells, widths))))


def report(latency, name, samples):
    seconds, requests = median(samples, "seconds"), median(samples, "requests")
    trips = len(CHAINS.get(name, CHAINS["apply"]))
    bound = trips * latency / 1000 + (0 if name == "idle plan" else STORE_SECONDS)
    # Without latency nothing bounds an idle plan but the machine.
    bound_text, ratio = (f"{bound:.2f} s", f"{seconds / bound:.2f}") if bound else ("-", "-")
    in_trips = f"{seconds * 1000 / latency:.1f}" if latency and name == "idle plan" else "-"
    memory = in_words(max(sample["memory"] for sample in samples))
    row(name, f"{seconds:.3f} s", f"{requests:.0f}", bound_text, ratio, in_trips, memory)


def bench_stack(hlctl, latency, rounds):
    print(f"\n{latency} ms added to each request, a store of {STORE_SECONDS:g} s, a look at it each {POLL_SECONDS:g} s")
    row("", "time", "requests", "bound", "ratio", "in trips", "peak memory")
    with emulator(hlctl, latency) as aws:
        samples = [stack_round(hlctl, aws) for _ in range(rounds)]
        for name in ("apply", "idle plan", "destroy"):
            report(latency, name, [sample[name] for sample in samples])
        sequential = boto3_round(aws)
        report(latency, "boto3, as apply", [sequential])
    if latency:
        # Without latency the requests are too short to tell which waited for which.
        depth = max(sample["idle plan"]["depth"] for sample in samples)
        print(f"  Of an idle plan's requests at most {depth} followed one another.")
    apply_seconds = median([sample["apply"] for sample in samples], "seconds")
    print(f"  boto3 takes {sequential['seconds'] / apply_seconds:.2f} times as long as apply.")


def bench_start(hlctl, times=101):
    samples = [run([hlctl, "--version"]) for _ in range(times)]
    milliseconds = statistics.median(seconds for seconds, _ in samples) * 1000
    memory = in_words(max(memory for _, memory in samples))
    size = pathlib.Path(hlctl).stat().st_size / 1e6
    print(f"hlctl --version: {milliseconds:.1f} ms (median of {times}), {memory} at its peak")
    print(f"size of the binary: {size:.1f} MB")


def make_with_boto3():
    """What a script without a graph does: one call, its answer, the next call."""
    import boto3
    from botocore.config import Config

    one_try = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    sts, kms, s3, iam, healthlake = (
        boto3.client(service, config=one_try) for service in ("sts", "kms", "s3", "iam", "healthlake")
    )

    def document(*statements):
        return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})

    account = sts.get_caller_identity()["Account"]
    root = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "kms:*", "Resource": "*"}
    keys = []
    for _ in range(2):
        key = kms.create_key(Policy=document(root), Tags=[{"TagKey": "by", "TagValue": "boto3"}])["KeyMetadata"]["Arn"]
        kms.enable_key_rotation(KeyId=key)
        keys.append(key)
    data, logs = f"{DATA}-boto3", f"{LOGS}-boto3"
    uploads = {"Status": "Enabled", "Filter": {"Prefix": ""}, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}}
    ageing = {
        "ID": "transition",
        "Status": "Enabled",
        "Filter": {"Prefix": "log/"},
        "Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}, {"Days": 365, "StorageClass": "GLACIER"}],
        "Expiration": {"Days": 1825},
    }
    settings = [
        (data, {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": keys[0]}, [uploads | {"ID": "log"}]),
        (logs, {"SSEAlgorithm": "AES256"}, [uploads | {"ID": "failed-uploads"}, ageing]),
    ]
    for bucket, encryption, rules in settings:
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "by", "Value": "boto3"}]})
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        flags = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=dict.fromkeys(flags, True))
        rule = {"ApplyServerSideEncryptionByDefault": encryption, "BucketKeyEnabled": "KMSMasterKeyID" in encryption}
        s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
        s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
        resources = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
        plain_http = {"Bool": {"aws:SecureTransport": "false"}}
        refuse = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": resources, "Condition": plain_http}
        deliver = {
            "Effect": "Allow",
            "Principal": {"Service": "logging.s3.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": f"arn:aws:s3:::{logs}/*",
            "Condition": {"StringEquals": {"aws:SourceAccount": account}},
        }
        s3.put_bucket_policy(Bucket=bucket, Policy=document(refuse, *([deliver] if bucket == logs else [])))
    for bucket, prefix in ((data, f"log/{data}/"), (logs, "log/")):
        target = {"LoggingEnabled": {"TargetBucket": logs, "TargetPrefix": prefix}}
        s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus=target)
    customer_key = {"CmkType": "CUSTOMER_MANAGED_KMS_KEY", "KmsKeyId": keys[1]}
    store = healthlake.create_fhir_datastore(
        DatastoreName=f"{STORE}-boto3",
        DatastoreTypeVersion="R4",
        SseConfiguration={"KmsEncryptionConfig": customer_key},
        Tags=[{"Key": "by", "Value": "boto3"}],
    )
    while healthlake.describe_fhir_datastore(DatastoreId=store["DatastoreId"])["DatastoreProperties"][
        "DatastoreStatus"
    ] != "ACTIVE":
        time.sleep(POLL_SECONDS)
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "healthlake.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": account},
            "ArnEquals": {"aws:SourceArn": store["DatastoreArn"]},
        },
    }
    iam.create_role(RoleName="Boto3Role", AssumeRolePolicyDocument=document(trust))
    use = [
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"arn:aws:s3:::{data}/*"},
        {"Effect": "Allow", "Action": ["kms:DescribeKey", "kms:GenerateDataKey*", "kms:Decrypt"], "Resource": keys[0]},
    ]
    policy = iam.create_policy(PolicyName="Boto3Policy", PolicyDocument=document(*use))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="Boto3Role", PolicyArn=policy)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("hlctl", nargs="?")
    parser.add_argument("--rounds", type=int, default=3, help="stacks to make for each latency; the median counts")
    parser.add_argument("--boto3", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.boto3:
        make_with_boto3()
        return
    if arguments.hlctl is None:
        parser.error("the path to hlctl is missing")
    hlctl = str(pathlib.Path(arguments.hlctl).resolve())
    bench_start(hlctl)
    for latency in LATENCIES_MS:
        bench_stack(hlctl, latency, max(1, arguments.rounds))


if __name__ == "__main__":
    main()
