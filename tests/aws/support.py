"""Runs of hlctl, and boto3 clients that look at what they have made."""

import json
import os
import pathlib
import re
import subprocess
import tempfile

import boto3
from botocore.config import Config

ROOT = pathlib.Path(__file__).resolve().parents[2]
REGION = "us-east-1"
CALL = re.compile(r"call (\w+):(\w+) ")
READS = ("Get", "Head", "List", "Describe", "AdminGet")
# Ends a run that hangs; nothing is said about how long a run takes on a busy machine.
PATIENCE_IN_SECONDS = 900
# The test user of examples/smart.toml.
PASSWORD = "Corr3ct-Horse-Battery"


class Finished:
    def __init__(self, process):
        self.code, self.out, self.err = process.returncode, process.stdout, process.stderr

    def calls(self):
        return [match.groups() for match in CALL.finditer(self.err)]

    def mutations(self):
        return [call for call in self.calls() if not call[1].startswith(READS)]

    def __str__(self):
        return f"exit {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


class Stack:
    """A directory with one configuration, and the AWS that hlctl and boto3 see."""

    def __init__(self, hlctl, aws, healthlake, example, key_id="testing"):
        self.hlctl, self.key_id = hlctl, key_id
        # One for each stack: boto3's own session is not to be shared by threads (boto3 guide, Session reference).
        self.session = boto3.session.Session()
        self.endpoints = {"healthlake": healthlake or aws}
        self.aws = aws
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="hlctl-judge-"))
        self.config = self.directory / "healthlake.toml"
        text = (ROOT / "examples" / f"{example}.toml").read_text()
        text = re.sub(r"(?m)^(allowed_account_ids|profile|region)\s*=.*$", "", text)
        self.config.write_text(text)
        self.store_name = re.search(r'(?m)^datastore_name\s*=\s*"([^"]*)"', text)[1]

    def environment(self, **extra):
        home = self.directory / "home"
        home.mkdir(exist_ok=True)
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "AWS_ACCESS_KEY_ID": self.key_id,
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self.aws,
            "AWS_ENDPOINT_URL_HEALTHLAKE": self.endpoints["healthlake"],
            "HLCTL_POLL_INTERVAL": "0.1",
            "HLCTL_LOG": "calls",
            "ALICE_PASSWORD": PASSWORD,
        }
        environment.update(extra)
        return {name: value for name, value in environment.items() if value is not None}

    def run(self, *arguments, **environment):
        process = subprocess.run(
            [self.hlctl, *arguments],
            cwd=self.directory,
            env=self.environment(**environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_IN_SECONDS,
        )
        return Finished(process)

    def start(self, *arguments):
        return subprocess.Popen(
            [self.hlctl, *arguments],
            cwd=self.directory,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def expect(self, code, *arguments, **environment):
        finished = self.run(*arguments, **environment)
        assert finished.code == code, f"{arguments}: wanted exit {code}, got {finished}"
        assert "panicked" not in finished.err, str(finished)
        assert PASSWORD not in finished.err + finished.out, "a password was told"
        return finished

    def outputs(self):
        return json.loads(self.expect(0, "outputs", "--json").out)

    def destroy(self, *more):
        return self.expect(0, "destroy", "--auto-approve", "--allow-destroy", self.store_name, *more)

    def edit(self, pattern, replacement):
        text, count = re.subn(pattern, replacement, self.config.read_text(), flags=re.M)
        assert count == 1, f"{pattern} is {count} times in the configuration"
        self.config.write_text(text)

    def add(self, line):
        self.config.write_text(f"{line}\n{self.config.read_text()}")

    def client(self, service):
        return self.session.client(
            service,
            endpoint_url=self.endpoints.get(service, self.aws),
            region_name=REGION,
            aws_access_key_id=self.key_id,
            aws_secret_access_key="testing",
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
        )
