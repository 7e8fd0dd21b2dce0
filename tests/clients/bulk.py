"""PyPI smart-fetch exports a group in bulk, and what it downloads is what the store holds."""

import base64
import gzip
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import requests

E = os.environ
BASE = f"{E['SANDBOX']}/datastore/{E['STORE']}/r4"
GROUP = "bulk-group"
FHIR = {"Content-Type": "application/fhir+json"}


def check(holds, what):
    """Not `assert`, which Python leaves out with -O."""
    if not holds:
        sys.exit(f"not so: {what}")


def machine_token():
    basic = base64.b64encode(f"{E['MACHINE_ID']}:{E['MACHINE_SECRET']}".encode()).decode()
    form = {"grant_type": "client_credentials", "scope": "system/*.*"}
    answer = requests.post(f"{E['SANDBOX']}/oauth2/token", data=form, headers={"Authorization": f"Basic {basic}"})
    check(answer.ok, f"the machine client gets a token: {answer.text}")
    return answer.json()["access_token"]


token = machine_token()
session = requests.Session()
session.headers["Authorization"] = f"Bearer {token}"


def found(kind, **parameters):
    """All resources that a search gives, by id."""
    resources, url = {}, f"{BASE}/{kind}"
    while url:
        page = session.get(url, params=parameters).json()
        resources |= {entry["resource"]["id"]: entry["resource"] for entry in page.get("entry", [])}
        url = next((link["url"] for link in page["link"] if link["relation"] == "next"), None)
        parameters = {}
    return resources


members = list(found("Patient"))[:5]
entities = [{"entity": {"reference": f"Patient/{member}"}} for member in members]
group = {"resourceType": "Group", "id": GROUP, "type": "person", "actual": True, "member": entities}
check(session.put(f"{BASE}/Group/{GROUP}", json=group, headers=FHIR).ok, "the group is stored")

with tempfile.TemporaryDirectory() as folder:
    token_file = pathlib.Path(folder, "token")
    token_file.write_text(token)
    out = pathlib.Path(folder, "out")
    program = pathlib.Path(sys.executable).with_name("smart-fetch")
    kinds = ["Patient", "Observation", "Condition"]
    command = [program, "bulk", out, "--fhir-url", BASE, "--bearer-token", token_file, "--group", GROUP]
    done = subprocess.run(
        [*command, "--type", ",".join(kinds), "--no-default-filters"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    check(done.returncode == 0 and "Failed to clean up" not in done.stdout, f"smart-fetch is content: {done.stdout}")
    downloaded = {kind: {} for kind in kinds}
    for path in out.glob("*.ndjson.gz"):
        if path.name.startswith("log."):
            continue
        for line in gzip.open(path, "rt", encoding="utf-8"):
            resource = json.loads(line)
            downloaded[resource["resourceType"]][resource["id"]] = resource

for kind in kinds:
    stored = found(kind)
    if kind == "Patient":
        stored = {id: stored[id] for id in members}
    else:
        subjects = {f"Patient/{member}" for member in members}
        stored = {id: resource for id, resource in stored.items() if resource["subject"]["reference"] in subjects}
    check(stored and downloaded[kind] == stored, f"the {kind} resources are those of the store")
print("smart-fetch:", {kind: len(resources) for kind, resources in downloaded.items()})
