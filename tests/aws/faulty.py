"""A proxy before a server of AWS's: it does to three in ten requests what networks and services do to them.

Only the standard library. The seed decides which of each ten requests to a service are hit, and by what; which requests these are
depends on the order in which they come.
"""

import contextlib
import http.client
import http.server
import json
import random
import re
import threading
import urllib.parse
from collections import Counter

SERVICE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")
# Of so many requests to a service, so many are hit.
ROUND, HITS = 10, 3
# What happens to a request, and whether it reaches the server.
BEFORE = ("dropped", "failed", "throttled")
AFTER = ("lost", "failed after it was done", "cut off")


class Dice:
    """Decides what happens to each request. One for all proxies of a trial.

    Chance decides which of each ten requests to a service are hit, not whether any is: every service is hit as often as it should
    be, and every fault is met, whatever the seed and the order of the requests.
    """

    def __init__(self, seed):
        self.random, self.lock = random.Random(seed), threading.Lock()
        self.faults, self.requests = Counter(), Counter()
        self.rounds, self.kinds = {}, []

    def throw(self, service):
        with self.lock:
            self.requests[service] += 1
            left = self.rounds.get(service)
            if not left:
                left = self.rounds[service] = [True] * HITS + [False] * (ROUND - HITS)
                self.random.shuffle(left)
            if not left.pop():
                return None
            if not self.kinds:
                self.kinds = [*BEFORE, *AFTER]
                self.random.shuffle(self.kinds)
            fault = self.kinds.pop()
            self.faults[service, fault] += 1
            return fault

    def hits(self, service):
        return sum(count for (hit, _), count in self.faults.items() if hit == service)

    def was_as_hard_as_it_should_be(self):
        """A trial shows nothing if what it sent through the proxies was too little to be hit."""
        assert self.requests["healthlake"] >= ROUND, f"too few requests to HealthLake: {self}"
        assert self.faults.total() >= len(BEFORE + AFTER), f"too few requests: {self}"
        # The proxies themselves: each full round of a service has had its hits, and each fault its turn.
        short = [service for service, count in self.requests.items() if self.hits(service) < count // ROUND * HITS]
        assert not short, f"{short} hit too seldom: {self}"
        assert {fault for _, fault in self.faults} == {*BEFORE, *AFTER}, str(self)

    def __str__(self):
        kinds = Counter()
        for (_, fault), count in self.faults.items():
            kinds[fault] += count
        told = [f"{count} {fault}" for fault, count in sorted(kinds.items())]
        told += [f"{service} {self.hits(service)}/{count}" for service, count in sorted(self.requests.items())]
        return f"{self.faults.total()} of {self.requests.total()}: " + ", ".join(told)


def throttled(service):
    """Status, content type and body of the service's own answer."""
    if service in ("iam", "sts"):
        body = "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>"
        return 400, "text/xml", body
    if service == "s3":
        return 503, "application/xml", "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
    if service == "lambda":
        return 429, "application/json", json.dumps({"__type": "TooManyRequestsException", "message": "Rate Exceeded."})
    code = "TooManyRequestsException" if service == "cognito-idp" else "ThrottlingException"
    return 400, "application/x-amz-json-1.1", json.dumps({"__type": code, "message": "Rate exceeded"})


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True

    def body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            chunks = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return b"".join(chunks)
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def forward(self, body):
        connection = http.client.HTTPConnection(self.server.upstream.hostname, self.server.upstream.port, timeout=60)
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in ("content-length", "transfer-encoding", "connection", "expect"):
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in ("content-length", "transfer-encoding", "connection")]
            length = answer.getheader("Content-Length")
            return answer.status, kept, answer.read(), length
        finally:
            connection.close()

    def answer(self, status, headers, body, length=None, cut=False):
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        if status not in (204, 304):
            # An answer to HEAD tells of a body that it does not have.
            self.send_header("Content-Length", length if self.command == "HEAD" and length else str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            self.close()

    def close(self):
        """Ends the connection, which says nothing more."""
        self.wfile.flush()
        self.close_connection = True

    def serve(self):
        body = self.body()
        found = SERVICE.search(self.headers.get("Authorization", ""))
        service = found[1] if found else "unsigned"
        fault = self.server.dice.throw(service)
        if fault == "dropped":
            return self.close()
        if fault == "failed":
            return self.answer(500, [], b"")
        if fault == "throttled":
            status, kind, text = throttled(service)
            return self.answer(status, [("Content-Type", kind)], text.encode())
        status, headers, answer, length = self.forward(body)
        if fault == "lost":
            return self.close()
        if fault == "failed after it was done":
            return self.answer(503, [], b"")
        # Without a body there is nothing to cut off but the answer itself.
        if fault == "cut off" and (len(answer) < 2 or self.command == "HEAD"):
            return self.close()
        return self.answer(status, headers, answer, length, cut=fault == "cut off")

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_PATCH = serve


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A client that goes away is no error of the proxy's."""


@contextlib.contextmanager
def proxy(upstream, dice):
    """The URL of a proxy before `upstream`."""
    server = Server(("127.0.0.1", 0), Handler)
    server.upstream, server.dice = urllib.parse.urlsplit(upstream), dice
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
