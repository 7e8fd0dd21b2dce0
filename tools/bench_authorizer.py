"""Measures the authorizer beside a Python function that does the same work as the Terraform module's.

    bench_authorizer.py AUTHORIZER [--rounds N]

One Runtime API on loopback plays Lambda for both, and one key server on loopback has their key set over TLS. The authorizer
is measured twice: as it fetches its keys, and as it is given them in its environment. The Python function fetches them for
each request. Cold figures are from the start of the process to its first answer, and the programs take turns in each round, so
that whatever else the machine does falls on all of them. Nothing is asserted: figures depend on the machine.

What favours the Python function: it runs in a loop of a dozen lines rather than in Lambda's Python runtime, from a warm page
cache, with its packages compiled to bytecode, which a deployment package usually lacks.
"""

import argparse
import base64
import contextlib
import datetime
import http.server
import importlib.metadata
import ipaddress
import json
import math
import os
import pathlib
import shutil
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zipfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jose import jwt

POOL = "us-east-1_BenchPool"
ISSUER = f"https://cognito-idp.us-east-1.amazonaws.com/{POOL}"
CLIENT = "benchclient"
ENDPOINT = "https://healthlake.us-east-1.amazonaws.com/datastore/0123456789abcdef0123456789abcdef/r4/"
PYTHON_VALIDATOR = pathlib.Path(__file__).with_name("bench_python_validator.py")
# What the module's function has as its package, beside its own file.
PYTHON_PACKAGES = ("python-jose", "cryptography", "cffi", "ecdsa", "pyasn1", "rsa", "six")


class RuntimeApi:
    """As much of Lambda's Runtime API as one function needs, one request at a time."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.connection = self.stream = None

    @property
    def address(self):
        return "127.0.0.1:%d" % self.listener.getsockname()[1]

    def read(self):
        """One request's path and body; from a new connection if the last one is closed."""
        while True:
            first = self.stream.readline() if self.stream else b""
            if first:
                break
            self.connection, _ = self.listener.accept()
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.stream = self.connection.makefile("rb")
        length = 0
        while (line := self.stream.readline().strip()) != b"":
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return first.split()[1].decode(), self.stream.read(length)

    def write(self, status, body, headers=""):
        self.connection.sendall(f"HTTP/1.1 {status} OK\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body)

    def await_next(self):
        path, _ = self.read()
        if not path.endswith("/invocation/next"):
            sys.exit(f"instead of asking for an event the function told {path}")

    def invoke(self, event):
        """Gives the event to a function that waits for one, and returns its answer and the seconds it took."""
        begun = time.perf_counter()
        self.write(
            200,
            event,
            "Lambda-Runtime-Aws-Request-Id: bench\r\n"
            "Lambda-Runtime-Deadline-Ms: 4102444800000\r\n"
            "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:123456789012:function:bench\r\n",
        )
        path, body = self.read()
        seconds = time.perf_counter() - begun
        if not path.endswith("/response"):
            sys.exit(f"instead of an answer the function told {path}: {body.decode()}")
        return json.loads(body), seconds

    def acknowledge(self):
        self.write(202, b"{}")

    def forget(self):
        if self.stream:
            self.stream.close()
            self.connection.close()
        self.connection = self.stream = None


class Keys:
    """The pool's key, and a server that has it over TLS, with a private authority's certificate."""

    def __init__(self, directory):
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        numbers = self.private.public_key().public_numbers()
        key = {"kid": "bench", "kty": "RSA", "alg": "RS256", "use": "sig", "n": number(numbers.n), "e": number(numbers.e)}
        self.set = json.dumps({"keys": [key]})
        self.authorities, certificate = certificates(directory)
        self.url = serve_keys(self.set.encode(), certificate)

    def token(self):
        now = int(time.time())
        claims = {"iss": ISSUER, "sub": "user", "username": "user", "token_use": "access", "client_id": CLIENT}
        claims |= {"scope": "openid patient/*.read launch/patient", "iat": now, "exp": now + 3600, "version": 2}
        pem = self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return jwt.encode(claims, pem.decode(), algorithm="RS256", headers={"kid": "bench"})


def number(value):
    octets = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def certificates(directory):
    """Files of an authority's certificate, and of a key and certificate that it gave to this machine."""
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bench authority")])
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bench")])
    today = datetime.datetime.now(datetime.timezone.utc)

    def certificate(subject, public_key, extension):
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(authority_name).public_key(public_key)
        builder = builder.serial_number(x509.random_serial_number()).add_extension(extension, critical=False)
        builder = builder.not_valid_before(today - datetime.timedelta(days=1))
        builder = builder.not_valid_after(today + datetime.timedelta(days=7))
        return builder.sign(authority_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    is_authority = x509.BasicConstraints(ca=True, path_length=None)
    loopback = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    authorities, server = directory / "authorities.pem", directory / "server.pem"
    authorities.write_bytes(certificate(authority_name, authority_key.public_key(), is_authority))
    server.write_bytes(private + certificate(name, key.public_key(), loopback))
    return authorities, server


def serve_keys(document, certificate):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(document)))
            self.end_headers()
            self.wfile.write(document)

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"https://127.0.0.1:{server.server_port}/jwks.json"


class Function:
    """One way to have a validator, and what was measured of it."""

    def __init__(self, name, command, environment, package, warm_requests):
        self.name, self.command, self.environment = name, command, environment
        self.package, self.warm_requests = package, warm_requests
        self.cpu, self.wall, self.warm, self.memory = [], [], [], []

    @contextlib.contextmanager
    def running(self, api):
        process = subprocess.Popen(
            self.command,
            env=self.environment | {"AWS_LAMBDA_RUNTIME_API": api.address},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            api.forget()

    def measure_cold(self, api, event):
        begun = time.perf_counter()
        with self.running(api) as process:
            api.await_next()
            check(api.invoke(event)[0])
            self.wall.append(time.perf_counter() - begun)
            process.kill()
            # Asked of the ended process, its time is exact, and includes that of threads which ended before it.
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            self.cpu.append(usage.ru_utime + usage.ru_stime)

    def measure_warm(self, api, event):
        with self.running(api) as process:
            api.await_next()
            for _ in range(self.warm_requests):
                answer, seconds = api.invoke(event)
                check(answer)
                self.warm.append(seconds)
                api.acknowledge()
                api.await_next()
            self.memory.append(resident(process.pid))
        # The first of them is a cold one.
        del self.warm[0]


def check(answer):
    if answer["authPayload"]["isAuthorized"] not in (True, "true"):
        sys.exit(f"a good token was refused: {answer}")


def resident(process):
    """Bytes of memory that a process has now."""
    status = pathlib.Path(f"/proc/{process}/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024
    return int(subprocess.check_output(["ps", "-o", "rss=", "-p", str(process)])) * 1024


def zipped(files):
    """Size of a zip of these files, by their names in it."""
    with tempfile.TemporaryFile() as target:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for name, file in files:
                archive.write(file, name)
        return target.seek(0, os.SEEK_END)


def python_package(function):
    files = [("lambda_function.py", function)]
    for package in PYTHON_PACKAGES:
        for file in importlib.metadata.files(package):
            path = file.locate()
            if ".." not in file.parts and file.suffix != ".pyc" and path.is_file():
                files.append((str(file), path))
    return zipped(files)


def functions(authorizer, keys, directory):
    validator = directory / "lambda_function.py"
    shutil.copy(PYTHON_VALIDATOR, validator)
    shared = {
        "AWS_LAMBDA_FUNCTION_NAME": "bench",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "CLIENT_ID": CLIENT,
        "CLIENT_SECRET": "unused",
        "JWKS_URI": keys.url,
        "JWKS_CA_FILE": str(keys.authorities),
        "SSL_CERT_FILE": str(keys.authorities),
        "USER_ROLE_ARN": "arn:aws:iam::123456789012:role/bench",
        "USER_POOL_ID": POOL,
    }
    size = zipped([("bootstrap", authorizer)])
    return [
        Function("authorizer", [authorizer], shared, size, 5000),
        Function("authorizer, JWKS set", [authorizer], shared | {"JWKS": keys.set}, size, 5000),
        Function("Python function", [sys.executable, str(validator)], shared, python_package(validator), 300),
    ]


def row(*cells):
    widths = (22, 12, 12, 12, 12, 10, 10)
    print("".join(f"{cell:<{width}}" if i == 0 else f"{cell:>{width}}" for i, (cell, width) in enumerate(zip(cells, widths))))


def milliseconds(seconds):
    return f"{seconds * 1000:.2f} ms" if seconds < 0.1 else f"{seconds * 1000:.0f} ms"


def percentile(samples, percent):
    """The smallest sample that this share of them does not exceed."""
    return sorted(samples)[math.ceil(len(samples) * percent / 100) - 1]


def figures(function):
    return {
        "cold CPU": statistics.median(function.cpu),
        "cold wall": statistics.median(function.wall),
        "warm p50": percentile(function.warm, 50),
        "warm p99": percentile(function.warm, 99),
        "memory": max(function.memory),
        "zip": function.package,
    }


def report(measured):
    table = {function.name: figures(function) for function in measured}
    row("", *next(iter(table.values())))
    for name, values in table.items():
        *times, memory, size = values.values()
        row(name, *map(milliseconds, times), f"{memory / 1e6:.1f} MB", f"{size / 1e6:.2f} MB")
    *others, python = measured
    for function in others:
        mine, its = table[function.name], table[python.name]
        row(f"{function.name}:", *(f"1/{its[figure] / mine[figure]:.1f}" for figure in mine))
        by_round = [its_cpu / my_cpu for my_cpu, its_cpu in zip(function.cpu, python.cpu)]
        print(f"  Its cold CPU by rounds is 1/{min(by_round):.0f} to 1/{max(by_round):.0f} of Python's.")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("authorizer")
    parser.add_argument("--rounds", type=int, default=15, help="cold starts of each; the median counts")
    arguments = parser.parse_args()
    authorizer = str(pathlib.Path(arguments.authorizer).resolve())
    with tempfile.TemporaryDirectory(prefix="hlctl-bench-") as directory:
        keys, api = Keys(pathlib.Path(directory)), RuntimeApi()
        measured = functions(authorizer, keys, pathlib.Path(directory))
        event = {"datastoreEndpoint": ENDPOINT, "operationName": "SearchWithGet", "bearerToken": keys.token()}
        event = json.dumps(event).encode()
        for _ in range(max(1, arguments.rounds)):
            for function in measured:
                function.measure_cold(api, event)
        for function in measured:
            function.measure_warm(api, event)
        report(measured)


if __name__ == "__main__":
    main()
