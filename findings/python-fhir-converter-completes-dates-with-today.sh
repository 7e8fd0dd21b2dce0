#!/bin/sh
# python-fhir-converter 0.3.0 (PyPI), a port of Microsoft's FHIR-Converter, turns STU3 into R4, which is what HealthLake stores. A date
# that is known to the year or the month, as FHIR allows, gets the missing parts of the day on which the converter runs: a diagnosis of
# "2016" becomes one of 30 November 2016 today, and another one tomorrow. Nothing marks the invented part, and the result is valid R4.
#
# Seen, with the converter's own templates:
#   Condition.assertedDate "2016"        recordedDate "2016-MM-DD", month and day of today
#   Condition.assertedDate "2016-05"     recordedDate "2016-05-DD", day of today; in a shorter month its last day
#   Condition.assertedDate with a time   the time is left out
#   Immunization.date "2016"             occurrenceDateTime "2016-MM-DDT00:00:00.000": a time without an offset, which is not valid R4
#   Patient.birthDate "1950"             unchanged: no template has a date filter for it
# So data converted twice on two days differs, and a file of the first day cannot be checked against one of the second.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check python-fhir-converter==0.3.0 python-dateutil==2.9.0.post0 setuptools==80.9.0
cat >convert.py <<'PYTHON'
import calendar
import datetime
import json

from fhir_converter.renderers import Stu3FhirRenderer


def converted(kind, **elements):
    resource = {"resourceType": kind, "id": "a", **elements}
    return json.loads(Stu3FhirRenderer().render_fhir_string(kind, json.dumps(resource)))


def recorded(date):
    subject = {"reference": "Patient/p"}
    return converted("Condition", clinicalStatus="active", subject=subject, code={"text": "asthma"}, assertedDate=date)["recordedDate"]


def given(date):
    patient = {"reference": "Patient/p"}
    vaccine = {"text": "tetanus"}
    return converted("Immunization", status="completed", notGiven=False, primarySource=True, vaccineCode=vaccine, patient=patient, date=date)[
        "occurrenceDateTime"
    ]


def look():
    return {
        "year": recorded("2016"),
        "month": recorded("2016-05"),
        "time": recorded("2016-05-04T10:00:00+02:00"),
        "given": given("2016"),
        "born": converted("Patient", birthDate="1950")["birthDate"],
    }


def on(day):
    """What is seen on this day. 2016 was a leap year, so that it has every day."""
    in_may = min(day.day, calendar.monthrange(2016, 5)[1])
    return {
        "year": f"2016-{day:%m-%d}",
        "month": f"2016-05-{in_may:02}",
        "time": "2016-05-04",
        "given": f"2016-{day:%m-%d}T00:00:00.000",
        "born": "1950",
    }


# Midnight may come between the two looks at the calendar.
before = datetime.date.today()
seen = look()
after = datetime.date.today()
assert seen in (on(before), on(after)), seen
print(json.dumps(seen, indent=1))
PYTHON
venv/bin/python convert.py
