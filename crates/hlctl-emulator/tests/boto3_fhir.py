"""Drives the emulator's FHIR interface over HTTP: requests signed by botocore, and bearer tokens that a real Python
function judges.

    python boto3_fhir.py PATH_TO_hlctl-emulator

Prints every failure and at the end `N passed, N failed`; exits 1 if any failed.
"""

import io
import json
import os
import sys
import tempfile
import time
import traceback
import urllib.error
import urllib.parse
import urllib.request
import uuid
import zipfile

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from boto3_client import ACCOUNT, Server

CHECKS = []
FHIR = "application/fhir+json"


def check(function):
    CHECKS.append(function)
    return function


class Answer:
    def __init__(self, status, headers, text):
        self.status, self.headers = status, headers
        self.body = json.loads(text) if text else None

    @property
    def entries(self):
        return [entry["resource"] for entry in self.body.get("entry", []) if "resource" in entry]

    @property
    def ids(self):
        return [resource["id"] for resource in self.entries]

    @property
    def next(self):
        return next((link["url"] for link in self.body.get("link", []) if link["relation"] == "next"), None)

    @property
    def diagnostics(self):
        assert self.body["resourceType"] == "OperationOutcome", self.body
        return self.body["issue"][0]["diagnostics"]


class Store:
    """A datastore and how to ask it."""

    def __init__(self, server, id, region="us-east-1", key="AKIATEST", service="healthlake"):
        self.server, self.id, self.region, self.key, self.service = server, id, region, key, service
        self.base = f"{server.url}/datastore/{id}/r4/"

    @classmethod
    def create(cls, server, **members):
        hl = server.client("healthlake")
        id = hl.create_fhir_datastore(DatastoreTypeVersion="R4", **members)["DatastoreId"]
        hl.get_waiter("fhir_datastore_active").wait(
            DatastoreId=id, WaiterConfig={"Delay": 0.1, "MaxAttempts": 100}
        )
        return cls(server, id)

    def ask(self, method, path, body=None, token=None, **headers):
        """Sends a request, signed unless there is a token."""
        url = path if path.startswith("http") else self.base + path
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", FHIR)
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        else:
            request = AWSRequest(method=method, url=url, data=body, headers=headers)
            SigV4Auth(Credentials(self.key, "secret"), self.service, self.region).add_auth(request)
            headers = dict(request.headers)
        data = body.encode() if isinstance(body, str) else body
        return send(urllib.request.Request(url, data=data, headers=headers, method=method))

    def get(self, path, **named):
        return self.ask("GET", path, **named)

    def all(self, path):
        """All resources of a search, from page to page."""
        found = []
        while path:
            answer = self.get(path)
            assert answer.status == 200, answer.body
            found += answer.entries
            path = answer.next
        return found


def send(request):
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers, error.read())


def patient(family="Silva", **members):
    return {"resourceType": "Patient", "name": [{"family": family, "given": ["Ana"]}], **members}


@check
def a_resource_is_created_read_updated_and_deleted(server):
    store = Store.create(server)
    made = store.ask("POST", "Patient", patient(birthDate="1992-02-10"))
    assert made.status == 201 and made.headers["ETag"] == 'W/"1"', (made.status, made.body)
    id = made.body["id"]
    uuid.UUID(id)
    assert made.headers["Location"] == f"{store.base}Patient/{id}/_history/1", made.headers["Location"]
    assert store.get(f"Patient/{id}").body == made.body
    changed = store.ask("PUT", f"Patient/{id}", {**made.body, "active": True}, If_Match='W/"1"')
    assert changed.status == 200 and changed.body["meta"]["versionId"] == "2", changed.body
    assert store.ask("PUT", f"Patient/{id}", made.body, If_Match='W/"1"').status == 412
    assert store.get(f"Patient/{id}/_history/1").body == made.body
    assert store.ask("DELETE", f"Patient/{id}").status == 204
    assert store.ask("DELETE", f"Patient/{id}").status == 204
    assert store.get(f"Patient/{id}").status == 410
    assert store.get("Patient/unknown").status == 404
    assert store.get(f"Patient/{id}/_history").body["total"] == 3


@check
def names_with_every_character_are_found_however_they_are_sent(server):
    store = Store.create(server)
    for family in ["O'Neill", "van der Berg", "Müller", "李", "a|b", "c,d", "e$f", "g&h=i", "j+k", "l%20m", 'n"o', "p\\q"]:
        id = store.ask("POST", "Patient", patient(family)).body["id"]
        value = "".join("\\" + c if c in ",|$\\" else c for c in family)
        query = urllib.parse.urlencode({"family:exact": value})
        assert store.get(f"Patient?{query}").ids == [id], family
        posted = store.ask("POST", "Patient/_search", query, Content_Type="application/x-www-form-urlencoded")
        assert posted.ids == [id], (family, posted.body)


@check
def pages_lead_through_all_of_a_stores_patients(server):
    store = Store.create(server, PreloadDataConfig={"PreloadDataType": "SYNTHEA"})
    patients = store.all("Patient?_count=7")
    assert len({p["id"] for p in patients}) == len(patients) == 36, len(patients)
    families = {p["name"][0]["family"] for p in patients}
    assert len(families) > 10, families
    observations = store.all("Observation?_count=100")
    assert len(observations) > 500, len(observations)
    known = {f"Patient/{p['id']}" for p in patients}
    assert {o["subject"]["reference"] for o in observations} <= known
    first = patients[0]["id"]
    own = store.all(f"Observation?patient={first}&_count=10")
    assert own and all(o["subject"]["reference"] == f"Patient/{first}" for o in own)
    everything = store.get(f"Patient/{first}/$everything")
    assert everything.body["total"] > len(own), everything.body["total"]
    pressure = store.get("Observation?code=http://loinc.org|85354-9&_total=accurate&_count=1")
    assert pressure.body["total"] > 36 and len(pressure.body["entry"]) == 1, pressure.body["total"]


@check
def a_transaction_happens_whole_or_not_at_all(server):
    store = Store.create(server)
    name = f"urn:uuid:{uuid.uuid4()}"
    observation = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": {"reference": name},
        "valueQuantity": {"value": 72, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"},
    }
    entries = [
        {"fullUrl": name, "resource": patient(), "request": {"method": "POST", "url": "Patient"}},
        {"resource": observation, "request": {"method": "POST", "url": "Observation"}},
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    done = store.ask("POST", "", bundle)
    assert [entry["response"]["status"] for entry in done.body["entry"]] == ["201", "201"], done.body
    found = store.get("Observation?_include=Observation:subject&value-quantity=gt70")
    assert found.entries[0]["subject"]["reference"] == f"Patient/{found.entries[1]['id']}", found.body
    entries.append({"request": {"method": "DELETE", "url": "Patient/unknown"}})
    assert store.ask("POST", "", bundle).status == 404
    assert len(store.all("Patient")) == 1 and len(store.all("Observation")) == 1


@check
def a_retried_create_creates_once(server):
    store = Store.create(server)
    key = str(uuid.uuid4())
    server.faults(rules=[{"operation": "CreateResource", "nth": 1, "action": "drop_after"}])
    try:
        store.ask("POST", "Patient", patient(), x_amz_fhir_idempotency_key=key)
        raise AssertionError("an answer came")
    except (urllib.error.URLError, ConnectionError):
        pass
    again = store.ask("POST", "Patient", patient(), x_amz_fhir_idempotency_key=key)
    assert again.status == 409 and again.body["resourceType"] == "Patient", again.body
    assert store.get("Patient").ids == [again.body["id"]]
    assert store.ask("POST", "Patient", patient(), x_amz_fhir_idempotency_key="no").status == 400
    server.faults(deny=["healthlake:SearchWithGet"])
    assert store.get("Patient").status == 403
    server.faults()
    records = server.control("requests")
    assert ("healthlake", "CreateResource", 409) in [(r["service"], r["operation"], r["status"]) for r in records]


@check
def a_request_that_is_not_for_this_store_is_refused(server):
    store = Store.create(server)
    for other, status in [
        (Store(server, store.id, service="s3"), 403),
        (Store(server, store.id, service="execute-api"), 403),
        (Store(server, store.id, region="eu-west-2"), 404),
        (Store(server, store.id, key="111122223333"), 404),
        (Store(server, "0" * 32), 404),
        (Store(server, store.id, key="EXPIREDKEY"), 403),
    ]:
        answer = other.get("Patient")
        assert answer.status == status, (answer.status, answer.body)
        assert answer.headers["x-amzn-requestid"] and answer.diagnostics, answer.body
    assert send(urllib.request.Request(store.base + "Patient")).status == 403
    assert send(urllib.request.Request(store.base + "metadata")).body["resourceType"] == "CapabilityStatement"
    unknown = store.get("Patient?colour=red")
    assert unknown.status == 400 and '"colour"' in unknown.diagnostics, unknown.body


VALIDATOR = """
import json, os, time
def handler(event, context):
    token = json.loads(event["bearerToken"])
    time.sleep(token.get("sleep", 0))
    if "raise" in token:
        raise ValueError(token["raise"])
    now = int(time.time())
    payload = {
        "iss": "https://issuer", "aud": event["datastoreEndpoint"], "iat": now, "nbf": now, "exp": now + 300,
        "isAuthorized": True, "uid": "ann", "scope": "openid system/*.read", "operation": event["operationName"],
    }
    payload.update(token.get("payload", {}))
    return {"authPayload": payload, "iamRoleARN": os.environ["ROLE"]}
"""

METADATA = {
    "authorization_endpoint": "https://a.example/oauth2/authorize",
    "token_endpoint": "https://a.example/oauth2/token",
    "grant_types_supported": ["authorization_code"],
    "capabilities": ["launch-standalone", "client-confidential-symmetric"],
    "code_challenge_methods_supported": ["S256"],
}


def trusting(service, **condition):
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    if condition:
        statement["Condition"] = condition
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def smart_store(server, name, actions):
    """A datastore with a validator of its own, all made as hlctl would."""
    iam, lam = server.client("iam"), server.client("lambda")
    iam.create_role(RoleName=f"{name}-fn", AssumeRolePolicyDocument=trusting("lambda.amazonaws.com"))
    source = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    role = iam.create_role(
        RoleName=f"{name}-fhir", AssumeRolePolicyDocument=trusting("healthlake.amazonaws.com", **source)
    )["Role"]["Arn"]
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("validator.py", VALIDATOR)
    function = lam.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Handler="validator.handler",
        Role=f"arn:aws:iam::{ACCOUNT}:role/{name}-fn",
        Code={"ZipFile": package.getvalue()},
        Timeout=10,
        Environment={"Variables": {"ROLE": role}},
    )["FunctionArn"]
    lam.get_waiter("function_active_v2").wait(FunctionName=name)
    store = Store.create(
        server,
        SseConfiguration={"KmsEncryptionConfig": {"CmkType": "AWS_OWNED_KMS_KEY"}},
        IdentityProviderConfiguration={
            "AuthorizationStrategy": "SMART_ON_FHIR_V1",
            "FineGrainedAuthorizationEnabled": True,
            "IdpLambdaArn": function,
            "Metadata": json.dumps(METADATA),
        },
    )
    arn = f"arn:aws:healthlake:us-east-1:{ACCOUNT}:datastore/fhir/{store.id}"
    iam.update_assume_role_policy(
        RoleName=f"{name}-fhir",
        PolicyDocument=trusting("healthlake.amazonaws.com", **source, ArnEquals={"aws:SourceArn": arn}),
    )
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": arn}]}
    arn = iam.create_policy(PolicyName=f"{name}-fhir", PolicyDocument=json.dumps(policy))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=f"{name}-fhir", PolicyArn=arn)
    return store


def let_in(server, name):
    server.client("lambda").add_permission(
        FunctionName=name,
        StatementId="healthlake",
        Action="lambda:InvokeFunction",
        Principal="healthlake.amazonaws.com",
        SourceAccount=ACCOUNT,
    )


def token(**members):
    return json.dumps(members)


@check
def a_real_validator_opens_the_store_to_a_token(server):
    store = smart_store(server, "opens", ["healthlake:ReadResource", "healthlake:SearchWithGet", "healthlake:CreateResource"])
    id = store.ask("POST", "Patient", patient()).body["id"]
    closed = store.get("Patient", token=token())
    assert closed.status == 401 and "resource policy" in closed.diagnostics, closed.body
    let_in(server, "opens")
    # The first answer may come too late, as on AWS: the function has to start.
    for _ in range(20):
        answer = store.get(f"Patient/{id}", token=token())
        if answer.status != 401:
            break
        assert answer.diagnostics == "Timeout during custom Idp execution.", answer.body
    assert answer.status == 200 and answer.body["id"] == id, answer.body
    assert store.get("Patient?name=Silva", token=token()).ids == [id]
    for made, status, text in [
        (token(payload={"isAuthorized": False}), 401, "not authorized"),
        (token(payload={"exp": 1}), 401, "expired"),
        (token(payload={"aud": "https://elsewhere/"}), 401, "aud"),
        (token(payload={"scope": "openid profile"}), 403, "scope"),
        (token(payload={"scope": "system/Observation.read"}), 403, "Patient"),
        (token(payload={"scope": "patient/*.read", "patient": "other"}), 403, "reach"),
        (token(**{"raise": "no such thing"}), 401, "no such thing"),
        (token(sleep=2), 401, "Timeout during custom Idp execution."),
    ]:
        refused = store.get(f"Patient/{id}", token=made)
        assert refused.status == status and text in refused.diagnostics, (made, refused.status, refused.body)
    write = token(payload={"scope": "system/*.*"})
    assert store.ask("POST", "Patient", patient(), token=write).status == 201
    denied = store.ask("DELETE", f"Patient/{id}", token=write)
    assert denied.status == 403 and "healthlake:DeleteResource" in denied.diagnostics, denied.body
    assert store.ask("POST", "Patient", patient(), token=token()).status == 403
    for signed in (False, True):
        path = store.base + ".well-known/smart-configuration"
        answer = store.get(path) if signed else send(urllib.request.Request(path))
        assert answer.body == METADATA, answer.body


@check
def a_change_of_the_provider_holds_at_once(server):
    store = smart_store(server, "changes", ["healthlake:*"])
    let_in(server, "changes")
    hl = server.client("healthlake")
    bearer = token(payload={"scope": "system/Patient.s system/Patient.r"})

    def ask():
        answer = store.get("Patient", token=bearer)
        while answer.status == 401 and answer.diagnostics.startswith("Timeout"):
            answer = store.get("Patient", token=bearer)
        return answer.status

    assert ask() == 403
    block = hl.describe_fhir_datastore(DatastoreId=store.id)["DatastoreProperties"]["IdentityProviderConfiguration"]
    block["AuthorizationStrategy"] = "SMART_ON_FHIR"
    hl.update_fhir_datastore(DatastoreId=store.id, IdentityProviderConfiguration=block)
    assert ask() == 200
    hl.update_fhir_datastore(
        DatastoreId=store.id, IdentityProviderConfiguration={"AuthorizationStrategy": "AWS_AUTH"}
    )
    assert ask() == 403
    assert store.get(".well-known/smart-configuration").status == 404


def resources_are_shared_and_outlive_a_kill():
    with tempfile.TemporaryDirectory() as directory:
        first, second = Server("--data-dir", directory), Server("--data-dir", directory)
        one = Store.create(first)
        two = Store(second, one.id)
        for number in range(20):
            store = (one, two)[number % 2]
            assert store.ask("PUT", f"Patient/p{number}", patient(id=f"p{number}")).status == 201
        assert one.ask("PUT", "Patient/p1", patient("Souza", id="p1")).body["meta"]["versionId"] == "2"
        assert len(one.all("Patient?_count=3")) == len(two.all("Patient")) == 20
        first.kill()
        second.kill()
        files = os.path.join(directory, "stores", one.id)
        for name, rest in [("resources.ndjson", b'{"half'), ("index.jsonl", b'[{"type":"Pat')]:
            with open(os.path.join(files, name), "ab") as file:
                file.write(rest)
        with Server("--data-dir", directory) as third:
            store = Store(third, one.id)
            assert store.ask("PUT", "Patient/p20", patient(id="p20")).status == 201
            assert len(store.all("Patient")) == 21
            assert store.get("Patient/p1").body["name"][0]["family"] == "Souza"
            with open(os.path.join(files, "resources.ndjson")) as file:
                assert len([json.loads(line) for line in file]) == 22
            third.client("healthlake").delete_fhir_datastore(DatastoreId=one.id)
            assert not os.path.exists(files)
            assert store.get("Patient").status == 404


def a_store_serves_when_it_is_active():
    with Server("--create-delay", "0.5") as server:
        hl = server.client("healthlake")
        store = Store(server, hl.create_fhir_datastore(DatastoreTypeVersion="R4")["DatastoreId"])
        early = store.get("Patient")
        assert early.status == 409 and "CREATING" in early.diagnostics, early.body
        deadline = time.monotonic() + 10
        while store.get("Patient").status == 409 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert store.get("Patient").status == 200


def signatures_are_verified_where_the_secret_is_known():
    with Server("--verify", "AKIATEST=secret") as server:
        store = Store.create(server)
        paths = ["Patient", "Patient?name=a%20b&_count=5", "Patient?identifier=http%3A%2F%2Fa%7C1&identifier=b", "Patient?name=%C3%A9%2B"]
        for path in paths:
            assert store.get(path).status == 200, path
        made = store.ask("POST", "Patient", patient("M\u00fcller"))
        assert made.status == 201, made.body
        assert store.get(f"Patient/{made.body['id']}/$everything").status == 200
        other = Store(server, store.id)
        other.key = "AKIAOTHER"
        assert other.get("Patient").status == 200, "of other keys any signature is taken"

        def sent(path, signed=None, body=None, secret="secret", **headers):
            request = AWSRequest(method="GET", url=store.base + (path if signed is None else signed), data=body)
            SigV4Auth(Credentials("AKIATEST", secret), "healthlake", "us-east-1").add_auth(request)
            return send(urllib.request.Request(store.base + path, headers={**dict(request.headers), **headers}))

        for refused in [
            sent("Patient", signed=""),
            sent("Patient", signed="Patient/"),
            sent("Patient?name=a", signed="Patient"),
            sent("Patient", body=b"{}"),
            sent("Patient", secret="another"),
            sent("Patient", **{"X-Amz-Unsigned": "x"}),
        ]:
            assert refused.status == 403, refused.body
            assert refused.headers["x-amzn-errortype"] == "InvalidSignatureException", refused.body
        told = sent("Patient", signed="").diagnostics
        assert f"should have been\n'GET\n/datastore/{store.id}/r4/Patient\n" in told, told


def main():
    passed, failed = 0, 0

    def attempt(name, run):
        nonlocal passed, failed
        try:
            run()
            passed += 1
        except Exception:
            failed += 1
            print(f"FAILED {name}")
            traceback.print_exc(file=sys.stdout)

    with Server() as server:
        for run in CHECKS:
            server.faults()
            attempt(run.__name__, lambda: run(server))
    for run in (
        resources_are_shared_and_outlive_a_kill,
        a_store_serves_when_it_is_active,
        signatures_are_verified_where_the_secret_is_known,
    ):
        attempt(run.__name__, run)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
