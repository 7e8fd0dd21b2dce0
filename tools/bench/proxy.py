"""A proxy that adds latency to each request and keeps a log of them. proxy.py UPSTREAM MILLISECONDS

Prints its URL. GET /_emulator/requests is the log, DELETE empties it, as at hlctl's own emulator.
"""

import asyncio
import datetime
import json
import sys
import urllib.parse

LOG = "/_emulator/requests"


def now():
    return datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None).isoformat() + "Z"


async def head_of(reader):
    """The first line and the headers of a message, as they came and by name."""
    raw = await reader.readuntil(b"\r\n\r\n")
    lines = raw.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) if ": " in line else (line.lower(), "") for line in lines[1:] if line)
    return raw, lines[0], headers


async def body_of(reader, headers):
    """A body as it came."""
    if "chunked" in headers.get("transfer-encoding", ""):
        body = b""
        while True:
            size = await reader.readline()
            # The data of a chunk and its line end; after the last chunk, trailers to an empty line.
            length = int(size.split(b";")[0], 16)
            body += size + (await reader.readexactly(length + 2) if length else b"")
            if not length:
                while (line := await reader.readline()) not in (b"\r\n", b""):
                    body += line
                return body + b"\r\n"
    return await reader.readexactly(int(headers.get("content-length", 0)))


def operation(line, headers, body):
    """What is asked, as far as a look at the request tells."""
    if target := headers.get("x-amz-target"):
        return target.rsplit(".", 1)[-1]
    if "x-www-form-urlencoded" in headers.get("content-type", ""):
        return urllib.parse.parse_qs(body.decode("latin-1")).get("Action", ["Unknown"])[0]
    method, path = line.split(" ")[:2]
    return f"{method} {path}"


class Proxy:
    def __init__(self, upstream, seconds):
        self.upstream, self.seconds, self.log = urllib.parse.urlsplit(upstream), seconds, []

    async def serve(self, reader, writer):
        upstream = None
        try:
            while True:
                raw, line, headers = await head_of(reader)
                body = await body_of(reader, headers)
                method, path = line.split(" ")[:2]
                if path == LOG:
                    self.answer(writer, method)
                    continue
                record = {"operation": operation(line, headers, body), "started": now()}
                await asyncio.sleep(self.seconds)
                upstream = upstream or await asyncio.open_connection(self.upstream.hostname, self.upstream.port)
                upstream[1].write(raw + body)
                await self.relay(upstream[0], writer, method)
                self.log.append(record | {"ended": now()})
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            for side in (writer, *(upstream or ())[1:]):
                side.close()

    async def relay(self, reader, writer, method):
        raw, line, headers = await head_of(reader)
        has_body = method != "HEAD" and line.split(" ")[1] not in ("204", "304")
        writer.write(raw + (await body_of(reader, headers) if has_body else b""))
        await writer.drain()

    def answer(self, writer, method):
        text = json.dumps(self.log).encode()
        if method == "DELETE":
            self.log.clear()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(text) + text)


async def main(upstream, milliseconds):
    proxy = Proxy(upstream, float(milliseconds) / 1000)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, limit=2**26)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
