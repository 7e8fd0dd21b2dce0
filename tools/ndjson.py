"""Writes invented FHIR resources as NDJSON, the same ones for the same seed, and breaks some of them if asked.

    python tools/ndjson.py --resources 100000 --seed 7 --out DIR      one file for each type, as Synthea's bulk export has
    python tools/ndjson.py --resources 1000 --broken all --out FILE   one file, with a line of each kind of breakage

Nothing in them is about anybody. A resource has about a kilobyte.
"""

import argparse
import json
import pathlib
import random
import uuid

GIVEN = ["Ana", "Ben", "Chloé", "Dmitri", "Eun-ji", "Fatima", "Günther", "Hana", "Ivo", "José"]
FAMILY = ["Silva", "Müller", "O'Neill", "Nakamura", "Smith", "Okafor", "Dvořák", "Lindqvist", "García", "Ng"]
SHARE = {"Patient": 5, "Encounter": 20, "Condition": 15, "Observation": 45, "Procedure": 8, "MedicationRequest": 7}
FINDINGS = {"29463-7": "Body weight", "8867-4": "Heart rate", "8310-5": "Body temperature", "718-7": "Hemoglobin"}
ILLNESSES = {"44054006": "Diabetes mellitus type 2", "38341003": "Hypertension", "195967001": "Asthma"}


class Maker:
    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.patients, self.encounters = [], []

    def id(self):
        return str(uuid.UUID(int=self.dice.getrandbits(128), version=4))

    def day(self):
        return f"{self.dice.randint(1990, 2025)}-{self.dice.randint(1, 12):02}-{self.dice.randint(1, 28):02}"

    def moment(self):
        return f"{self.day()}T{self.dice.randint(0, 23):02}:{self.dice.randint(0, 59):02}:00Z"

    def code(self, system, codes):
        code = self.dice.choice(sorted(codes))
        return {"coding": [{"system": system, "code": code, "display": codes[code]}], "text": codes[code]}

    def subject(self):
        return {"reference": f"Patient/{self.dice.choice(self.patients)}"}

    def encounter(self):
        return {"reference": f"Encounter/{self.dice.choice(self.encounters)}"}

    def make(self, kind):
        made = {"resourceType": kind, "id": self.id(), "meta": {"tag": [{"system": "urn:hlctl:made", "code": "ndjson"}]}}
        made["text"] = {
            "status": "generated",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{"An invented record. " * self.dice.randint(12, 24)}</p></div>',
        }
        made.update(getattr(self, kind)())
        if kind == "Patient":
            self.patients.append(made["id"])
        if kind == "Encounter":
            self.encounters.append(made["id"])
        return made

    def Patient(self):
        return {
            "identifier": [{"system": "urn:hlctl:mrn", "value": f"MRN-{self.dice.randint(0, 999999):06}"}],
            "active": True,
            "name": [{"family": self.dice.choice(FAMILY), "given": [self.dice.choice(GIVEN)]}],
            "gender": self.dice.choice(["male", "female", "other"]),
            "birthDate": self.day(),
        }

    def Encounter(self):
        start = self.moment()
        return {
            "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
            "subject": self.subject(),
            "period": {"start": start, "end": start},
        }

    def Condition(self):
        return {
            "code": self.code("http://snomed.info/sct", ILLNESSES),
            "subject": self.subject(),
            "encounter": self.encounter(),
            "onsetDateTime": self.moment(),
        }

    def Observation(self):
        return {
            "status": "final",
            "code": self.code("http://loinc.org", FINDINGS),
            "subject": self.subject(),
            "encounter": self.encounter(),
            "effectiveDateTime": self.moment(),
            "valueQuantity": {"value": round(self.dice.uniform(1, 200), 1), "unit": "1"},
        }

    def Procedure(self):
        return {
            "status": "completed",
            "code": self.code("http://snomed.info/sct", {"430193006": "Medication reconciliation"}),
            "subject": self.subject(),
            "performedDateTime": self.moment(),
        }

    def MedicationRequest(self):
        return {
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": self.code("http://www.nlm.nih.gov/research/umls/rxnorm", {"860975": "Metformin"}),
            "subject": self.subject(),
            "authoredOn": self.moment(),
        }


def without(resource, *names):
    return {name: value for name, value in resource.items() if name not in names}


# What can be wrong with a line; each takes a good resource and gives the line's bytes.
def line(resource):
    return json.dumps(resource, ensure_ascii=False, separators=(",", ":")).encode()


BREAKAGES = {
    "no id": lambda r: line(without(r, "id")),
    "empty id": lambda r: line({**r, "id": ""}),
    "id with forbidden characters": lambda r: line({**r, "id": "a_b c"}),
    "id too long": lambda r: line({**r, "id": "x" * 65}),
    "id that is a number": lambda r: line({**r, "id": 7}),
    "no resourceType": lambda r: line(without(r, "resourceType")),
    "unknown resourceType": lambda r: line({**r, "resourceType": "Patients"}),
    "resourceType in small letters": lambda r: line({**r, "resourceType": r["resourceType"].lower()}),
    "cut off": lambda r: line(r)[:-20],
    "two resources on a line": lambda r: line(r) + line(r),
    "single quotation marks": lambda r: line(r).replace(b'"', b"'"),
    "trailing comma": lambda r: line(r)[:-1] + b",}",
    "array instead of object": lambda r: line([r]),
    "text instead of object": lambda r: line("Patient"),
    "not UTF-8": lambda r: line({**r, "implicitRules": "@"}).replace(b"@", b"\xff\xfe"),
    "byte order mark": lambda r: b"\xef\xbb\xbf" + line(r),
    "control character in a text": lambda r: line({**r, "implicitRules": "@"}).replace(b"@", b"\x01"),
    "null element": lambda r: line({**r, "language": None}),
    "empty array": lambda r: line({**r, "contained": []}),
    "empty string": lambda r: line({**r, "language": ""}),
    "meta that is a text": lambda r: line({**r, "meta": "1"}),
    "reference that leads nowhere": lambda r: line({**r, "extension": [{"url": "urn:x", "valueReference": {"reference": "nowhere"}}]}),
    "date that is none": lambda r: line({**r, "resourceType": "Patient", "birthDate": "31.12.1999"}),
    "unknown code": lambda r: line({**r, "resourceType": "Patient", "gender": "m"}),
}


def resources(count, seed):
    """`count` resources, so that what is referred to comes first."""
    maker = Maker(seed)
    whole = sum(SHARE.values())
    counts = {kind: count * share // whole for kind, share in SHARE.items()}
    counts["Patient"] = max(1, counts["Patient"])
    counts["Encounter"] = max(1, counts["Encounter"])
    counts["Observation"] += max(0, count - sum(counts.values()))
    for kind, number in counts.items():
        for _ in range(number):
            yield maker.make(kind)


def broken(kinds, seed):
    """A line for each kind of breakage, with the kind's name."""
    maker = Maker(seed + 1)
    for kind in kinds:
        yield kind, BREAKAGES[kind](maker.make("Patient"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resources", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--broken", action="append", default=[], help="a kind of breakage, or `all`")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="a file that ends in .ndjson, or a folder")
    arguments = parser.parse_args()
    kinds = list(BREAKAGES) if "all" in arguments.broken else arguments.broken
    one = arguments.out.suffix == ".ndjson"
    (arguments.out.parent if one else arguments.out).mkdir(parents=True, exist_ok=True)
    files = {}

    def write(kind, text):
        path = arguments.out if one else arguments.out / f"{kind}.ndjson"
        if path not in files:
            files[path] = path.open("wb")
        files[path].write(text + b"\n")

    for resource in resources(arguments.resources, arguments.seed):
        write(resource["resourceType"], line(resource))
    for _, text in broken(kinds, arguments.seed):
        write("broken", text)
    for file in files.values():
        file.close()


if __name__ == "__main__":
    main()
