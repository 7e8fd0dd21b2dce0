#!/bin/sh
# sqlonfhir 0.0.2 (PyPI), with fhirpathpy 2.1.0 below it, makes tables of exported resources by SQL on FHIR's ViewDefinitions. Below a
# `forEach` it hands the parts of a resource on without saying what they are parts of. So `value`, which stands for valueQuantity,
# valueString and so on, finds nothing there, and the column is null without an error. A view of blood pressures, whose values are in
# Observation.component, has all its rows and not one value.
#
# Seen, for an Observation with the components 120 and 80 mm[Hg]:
#   forEach "component", path "value.ofType(Quantity).value"            None, None
#   forEachOrNull, the same                                             None, None
#   no forEach, path "component.value.ofType(Quantity).value"           120, 80
#   no forEach, path "value.ofType(Quantity).value" of the resource     found
#   forEach "component", path "valueQuantity.value"                     120, 80; but the element's name in FHIRPath is `value`
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check sqlonfhir==0.0.2 fhirpathpy==2.1.0
cat >view.py <<'PYTHON'
import json

from sqlonfhir import sqlonfhir


def component(code, value):
    coding = {"system": "http://loinc.org", "code": code}
    quantity = {"value": value, "unit": "mm[Hg]", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"}
    return {"code": {"coding": [coding]}, "valueQuantity": quantity}


PRESSURE = {
    "resourceType": "Observation",
    "id": "bp",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]},
    "subject": {"reference": "Patient/p"},
    "component": [component("8480-6", 120), component("8462-4", 80)],
}
WEIGHT = {
    "resourceType": "Observation",
    "id": "weight",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
    "valueQuantity": {"value": 70, "unit": "kg"},
}
CODE = {"name": "code", "path": "code.coding.code.first()"}


def rows(resource, select):
    return sqlonfhir.eval([resource], {"resourceType": "ViewDefinition", "resource": "Observation", "select": [select]})


def values(select, resource=PRESSURE):
    return [row["value"] for row in rows(resource, select)]


def column(path, **more):
    return {"column": [CODE, {"name": "value", "path": path, **more}]}


QUANTITY = "value.ofType(Quantity).value"
seen = {
    "forEach": values({"forEach": "component", **column(QUANTITY)}),
    "forEachOrNull": values({"forEachOrNull": "component", **column(QUANTITY)}),
    "from the resource": values(column("component." + QUANTITY, collection=True)),
    "of the resource": values(column(QUANTITY), WEIGHT),
    "by the name in JSON": values({"forEach": "component", **column("valueQuantity.value")}),
}
wanted = {
    "forEach": [None, None],
    "forEachOrNull": [None, None],
    "from the resource": [[120, 80]],
    "of the resource": [70],
    "by the name in JSON": [120, 80],
}
assert seen == wanted, seen
# The rows themselves are there, with their codes.
assert [row["code"] for row in rows(PRESSURE, {"forEach": "component", **column(QUANTITY)})] == ["8480-6", "8462-4"]
print(json.dumps(seen, indent=1))
PYTHON
venv/bin/python view.py
