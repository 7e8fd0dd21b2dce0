"""Signatures of botocore for requests with awkward paths and queries, to hold hlctl's own against.

    signatures.py --write    writes tests/signatures/botocore.json, which a Rust test reads
    signatures.py            checks that the file still is what botocore says

The time, the credentials and the cases are always the same ones.
"""

import datetime
import itertools
import json
import pathlib
import sys
import urllib.parse
from unittest import mock

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

FILE = pathlib.Path(__file__).parents[1] / "signatures" / "botocore.json"
WHEN = datetime.datetime(2026, 1, 2, 3, 4, 5)
BASE = "https://healthlake.us-east-1.amazonaws.com/datastore/0123456789abcdef0123456789abcdef/r4/"
LOCAL = "http://127.0.0.1:4566/datastore/0123456789abcdef0123456789abcdef/r4/"

PATHS = [
    "", "metadata", ".well-known/smart-configuration", "Patient", "Patient/", "Patient/123", "Patient/a-b.c", "Patient/1/_history",
    "Patient/1/_history/2", "Patient/1/$everything", "Patient/1/%24everything", "$export", "%24export", "Patient/$export", "Group/g/$export",
    "Patient/_search", "export/0123", "Patient/a:b", "Patient/a%3Ab", "Patient/a%7Cb", "Patient/a%257Cb", "Patient/a%2Fb", "Patient/a%20b",
    "Patient/a+b", "Patient/a,b;c=d", "Patient/a@b!c", "Patient/a'b(c)*", "Patient/a&b", "Patient/~a_b", "Patient/%C3%A9%E2%82%AC", "Patient//1",
    "/Patient", "//Patient//1//", "./Patient", "Patient/../Observation", "Patient/1/../2/", "Patient/%2e%2e", "Patient/%7e1", "Patient/1%00",
    "Patient/1/", "Patient/1//_history//2", "Patient/a%25b", "Patient/a%2525b", "Patient/a%2fb", "Patient/$match", "Patient/%24match", "$bulk-delete",
    "Patient/a=b", "Patient/a%22b%5Ec%60d%7Be%7D", "Patient/%F0%9F%98%80", "Patient/" + "a%20" * 400, "Patient/%E2%80%AE1", "Patient/a%0Ab",
]
QUERIES = [
    [], [("name", "Smith")], [("name", "Smith"), ("_count", "5")], [("b", "1"), ("a", "2"), ("a", "1"), ("B", "3")], [("name:exact", "Ünal Çelik")],
    [("identifier", "http://sys.example/mrn|1-2_3~4")], [("code", "http://loinc.org|8867-4,http://loinc.org|718-7")], [("name", "a+b c&d=e")],
    [("name", "O'Neill (Jr.) *!")], [("name", "100%"), ("name", "100%25")], [("name", "日本語"), ("名", "x")], [("name", "")], [("", "x")],
    [("_lastUpdated", "ge2026-01-02T03:04:05.678+01:00"), ("_lastUpdated", "lt2026-02-01")], [("_has:Observation:patient:code", "1234-5")],
    [("_include", "Observation:subject"), ("_revinclude", "Provenance:target")], [("page", "eyJhIjoiYi8rPT0ifQ==")], [("x", "$,/?:@;#[]")],
    [("q", "\"<>\\^`{|}")], [("q", "\t\r\n")], [("a-b", "1"), ("a_b", "2"), ("a.b", "3"), ("a~b", "4"), ("aB", "5"), ("a1", "6")], [("q", "😀" * 3)], [("given", "Jr."), ("family", "-._~")],
    [("q", "+"), ("q", "a+b"), ("q", "%2B"), ("q", "a b")], [("q", "/"), ("q", "%2F"), ("q", "%252F")], [("_count", ""), ("_sort", "-date,_id"), ("_count", "")],
    [("q", "x" * 6000)], [("code", f"http://loinc.org|{number}") for number in range(60, 0, -1)], [("a", "1"), ("A", "1"), ("a", "1"), ("a ", "2"), ("a!", "3"), ("a%", "4")],
    [("$a", "1"), ("%24a", "2"), ("|b", "3"), (":c", "4")], [("name", "\u00e9"), ("name", "e\u0301"), ("name", "\u202e\u200b")], [("code", "a|,b\\,c\\$d\\|e")], [("a=b", "c=d"), ("a&b", "c&d")],
]
BODIES = [b"", b"{}", b'{"resourceType":"Patient","name":[{"family":"M\xc3\xbcller"}]}\n', b"name=Smith&birthdate=1980-01-01", bytes(range(256))]
FHIR = "application/fhir+json"


def quote(text):
    return urllib.parse.quote(text, safe="-._~")


def address(base, path, query):
    pairs = "&".join(f"{quote(name)}={quote(value)}" for name, value in query)
    return base + path + ("?" + pairs if pairs else "")


def requests():
    """At least 200 of them: method, address, headers, body, and the parameters in the address."""
    for path in PATHS:
        yield "GET", BASE, path, [], {"accept": FHIR}, b""
    for path, query in itertools.product(["Patient", "Patient/", "Patient/1/$everything", "Patient/a%7Cb:c"], QUERIES):
        yield "GET", BASE, path, query, {}, b""
    for query in QUERIES:
        yield "POST", LOCAL, "Patient/_search", query, {"content-type": "application/x-www-form-urlencoded"}, b""
    for method, path, body in itertools.product(["POST", "PUT", "DELETE"], ["", "Patient", "Patient/1/$everything"], BODIES):
        headers = {"content-type": FHIR, "prefer": "return=minimal", "if-match": 'W/"3"'}
        yield method, LOCAL, path, [], headers, body
    for value in ["a  b", " a ", "identifier=http://sys|1", "W/\"1\", W/\"2\"", "x   y  z", "identifier=urn%3Ax%7C1%2B2"]:
        yield "POST", BASE, "Patient", [], {"if-none-exist": value, "X-Amz-Fhir-Idempotency-Key": "0f1e"}, b"{}"


def signed(number, case):
    method, base, path, query, headers, body = case
    token = "SESSION/TOKEN+with=signs" if number % 3 == 0 else None
    region = ["us-east-1", "eu-west-2", "ap-southeast-2"][number % 3]
    request = AWSRequest(method=method, url=address(base, path, query), headers=headers, data=body)
    signer = botocore.auth.SigV4Auth(Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token), "healthlake", region)
    with mock.patch.object(botocore.auth, "get_current_datetime", lambda: WHEN):
        signer.add_auth(request)
    canonical = signer.canonical_request(unsigned(request))
    return {
        "method": method,
        "base": base,
        "path": path,
        "query": query,
        "url": request.url,
        "headers": headers,
        "body": body.hex(),
        "session_token": token,
        "region": region,
        "canonical_request": canonical,
        "string_to_sign": signer.string_to_sign(request, canonical),
        "authorization": request.headers["Authorization"],
    }


def unsigned(request):
    """The request as the signer saw it."""
    copy = AWSRequest(method=request.method, url=request.url, headers=dict(request.headers), data=request.data)
    del copy.headers["Authorization"]
    copy.context.update(request.context)
    return copy


def main():
    cases = [signed(number, case) for number, case in enumerate(requests())]
    assert len(cases) >= 200, len(cases)
    text = "[\n" + ",\n".join(json.dumps(case, ensure_ascii=True) for case in cases) + "\n]\n"
    if sys.argv[1:] == ["--write"]:
        FILE.write_text(text)
    elif FILE.read_text() != text:
        sys.exit(f"botocore signs otherwise than {FILE.name} says: run {sys.argv[0]} --write and the Rust tests")
    print(f"{len(cases)} signatures of botocore")


if __name__ == "__main__":
    main()
