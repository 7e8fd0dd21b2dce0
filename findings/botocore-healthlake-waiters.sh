#!/bin/sh
# The waiters for HealthLake in botocore 1.44.8 (PyPI) give up long before HealthLake is done, and take a job that lost data for a
# success. A script that waits with `get_waiter("fhir_datastore_active")` fails on every ordinary creation and leaves a store that is
# billed; one that waits for an import continues with a part of the patients.
#
# Seen, without AWS: the answers are botocore's own stubs, and the pauses are counted and not slept.
#   fhir_datastore_active         gives up after 5 looks and 240 s of pauses. The events of a creation in the developer guide
#                                 (EventBridge) are 18.7 minutes apart; users of the awscc provider report 20 to 30.
#   fhir_datastore_active         sees DELETING and looks again until it gives up; only DELETED is a failure.
#   fhir_import_job_completed     COMPLETED_WITH_ERRORS, with 900 of 1,000 resources refused, is a success. So it is for
#                                 transformations.
#   data_transformation_job_completed  gives up after 5 looks and 120 s; a C-CDA job takes up to 1,000 files.
# The numbers can be changed for each call: `waiter.wait(..., WaiterConfig={"Delay": 60, "MaxAttempts": 60})`. What counts as a
# success cannot.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check boto3==1.44.8 botocore==1.44.8
cat >wait.py <<'PYTHON'
import datetime
import time

import boto3
from botocore.exceptions import WaiterError
from botocore.stub import Stubber

STORE, JOB = "0" * 32, "1" * 32
ROLE = "arn:aws:iam::123456789012:role/import"
pauses = []
time.sleep = pauses.append


def waited(waiter, operation, answers, **arguments):
    """What became of the waiter, its looks, and the seconds of its pauses."""
    client = boto3.client("healthlake", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    pauses.clear()
    with Stubber(client) as stub:
        for answer in answers:
            stub.add_response(operation, answer, arguments)
        try:
            client.get_waiter(waiter).wait(**arguments)
            outcome = "success"
        except WaiterError as error:
            outcome = error.kwargs["reason"]
        left = len(stub._queue)
    return outcome, len(answers) - left, sum(pauses)


def store(status):
    return {"DatastoreProperties": {
        "DatastoreId": STORE, "DatastoreArn": f"arn:aws:healthlake:us-east-1:123456789012:datastore/fhir/{STORE}",
        "DatastoreStatus": status, "DatastoreTypeVersion": "R4", "DatastoreEndpoint": "https://example.invalid/"}}


def imported(status):
    return {"ImportJobProperties": {
        "JobId": JOB, "JobStatus": status, "SubmitTime": datetime.datetime(2026, 11, 1), "DatastoreId": STORE,
        "InputDataConfig": {"S3Uri": "s3://bucket/in/"}, "DataAccessRoleArn": ROLE,
        "JobProgressReport": {"TotalNumberOfResourcesScanned": 1000, "TotalNumberOfResourcesImported": 100,
                              "TotalNumberOfResourcesWithCustomerError": 900}}}


def transformed(status):
    return {"TransformationJobProperties": {
        "JobId": JOB, "JobStatus": status, "SubmitTime": datetime.datetime(2026, 11, 1), "DataAccessRoleArn": ROLE,
        "InputDataConfig": {"S3Uri": "s3://bucket/in/"},
        "OutputDataConfig": {"S3Configuration": {
            "S3Uri": "s3://bucket/out/", "KmsKeyId": "arn:aws:kms:us-east-1:123456789012:key/1"}}}}


active = ("fhir_datastore_active", "describe_fhir_datastore")
creating = waited(*active, [store("CREATING")] * 9, DatastoreId=STORE)
deleting = waited(*active, [store("DELETING")] * 9, DatastoreId=STORE)
of_import = waited("fhir_import_job_completed", "describe_fhir_import_job", [imported("COMPLETED_WITH_ERRORS")],
                   DatastoreId=STORE, JobId=JOB)
job = ("data_transformation_job_completed", "describe_data_transformation_job")
transforming = waited(*job, [transformed("IN_PROGRESS")] * 9, JobId=JOB)
of_transformation = waited(*job, [transformed("COMPLETED_WITH_ERRORS")], JobId=JOB)
for seen in (creating, deleting, of_import, transforming, of_transformation):
    print(seen)
assert creating == ("Max attempts exceeded", 5, 240), creating
assert deleting == ("Max attempts exceeded", 5, 240), deleting
assert of_import == ("success", 1, 0), of_import
assert transforming == ("Max attempts exceeded", 5, 120), transforming
assert of_transformation == ("success", 1, 0), of_transformation
PYTHON
venv/bin/python wait.py
