"""The emulator's program under test, and what its checks with boto3 share."""

import json
import signal
import subprocess
import sys
import traceback
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

PROGRAM = sys.argv[1]


class Server:
    """The program under test, with clients that talk to it."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [PROGRAM, *arguments], stdout=subprocess.PIPE, text=True
        )
        self.url = self.process.stdout.readline().strip()
        assert self.url.startswith("http://127.0.0.1:"), self.url

    def client(self, service, region="us-east-1", key="AKIATEST", retries=1, **config):
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=region,
            aws_access_key_id=key,
            aws_secret_access_key="secret",
            config=Config(
                retries={"total_max_attempts": retries, "mode": "standard"},
                **{"read_timeout": 5, **config},
            ),
        )

    def control(self, page, method="GET", body=None):
        request = urllib.request.Request(
            f"{self.url}/_emulator/{page}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
        )
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)

    def faults(self, **faults):
        self.control("faults", "PUT", faults)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()


def refused(code, call, *arguments, **named):
    """Asserts that a call fails with an error code, and gives the error."""
    try:
        call(*arguments, **named)
    except ClientError as error:
        actual = error.response["Error"]["Code"]
        assert actual == code, f"{actual} instead of {code}: {error}"
        assert error.response["ResponseMetadata"]["RequestId"], "no request id"
        return error
    raise AssertionError(f"{code} did not come")


def attempt_all(attempts):
    """Runs named checks, prints every failure and how many passed, and gives the exit code."""
    passed, failed = 0, 0
    for name, run in attempts:
        try:
            run()
            passed += 1
        except Exception:
            failed += 1
            print(f"FAILED {name}")
            traceback.print_exc(file=sys.stdout)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0
