"""Applies a SMART stack to a sandbox of its own and runs the clients in this folder against it."""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PASSWORD = "Corr3ct-Horse-Battery"
CONFIG = """
datastore_name = "clients"
data_bucket_name = "clients-data"
logs_bucket_name = "clients-logs"
region = "us-east-1"
preload_data = true
smart_on_fhir = true
cognito_domain = "real-clients"
cognito_callback_urls = ["{callback}"]
cognito_machine_client = true

[[cognito_test_users]]
username = "alice"
preferred_username = "alice"
email = "alice@example.org"
email_verified = true
password_env = "ALICE_PASSWORD"
"""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("hlctl", type=Path)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    arguments = parser.parse_args()
    hlctl = arguments.hlctl.resolve()
    callback = f"http://localhost:{free_port()}/"
    server = subprocess.Popen(
        [hlctl, "sandbox", "--port", "0", "--format", "url", "--create-delay", "0", "--cors", callback.rstrip("/")],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        sandbox = server.stdout.readline().strip()
        return run(hlctl, sandbox, callback, arguments)
    finally:
        server.terminate()
        server.wait()


def run(hlctl, sandbox, callback, arguments):
    environment = os.environ | {
        "AWS_ENDPOINT_URL": sandbox,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "ALICE_PASSWORD": PASSWORD,
    }
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "healthlake.toml").write_text(CONFIG.format(callback=callback))
        call = lambda *words: subprocess.run(
            [hlctl, *words], cwd=folder, env=environment, check=True, stdout=subprocess.PIPE, text=True
        ).stdout.strip()
        call("apply", "--auto-approve", "--quiet")
        output = lambda name: call("outputs", name, "--raw", "--show-secrets")
        known = {
            "SANDBOX": sandbox,
            "STORE": output("datastore_endpoint").split("/datastore/")[1].split("/")[0],
            "POOL": output("cognito_user_pool_id"),
            "CLIENT_ID": output("cognito_client_id"),
            "CLIENT_SECRET": output("cognito_client_secret"),
            "MACHINE_ID": output("cognito_machine_client_id"),
            "MACHINE_SECRET": output("cognito_machine_client_secret"),
            "LOGIN": "alice",
            "PASSWORD": PASSWORD,
            "CALLBACK": callback,
            "CHROMIUM": arguments.chromium,
        }
        failed = []
        for command in (["node", "browser.mjs"], ["node", "node.mjs"], [sys.executable, "client.py"], [sys.executable, "mcp.py"], [sys.executable, "bulk.py"]):
            print(f"# {command[-1]}", flush=True)
            if subprocess.run(command, cwd=HERE, env=environment | known).returncode != 0:
                failed.append(command[-1])
    print("failed: " + ", ".join(failed) if failed else "all passed")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
