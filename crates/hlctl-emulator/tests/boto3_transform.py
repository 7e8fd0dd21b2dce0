"""Drives the emulator's Data Transformation Agent with boto3: profiles, versions and a job.

    python boto3_transform.py PATH_TO_hlctl-emulator

Prints every failure and at the end `N passed, N failed`; exits 1 if any failed.
"""

import json
import sys

from boto3_jobs import ACCOUNT, Place, policy
from boto3_support import Server, attempt_all, refused

CHECKS = []
MAPPING = """
sourceSystemId: boto3
tables:
  - tableName: PATIENTS
    primaryKeyColumn: ID
    resourceMappings:
      - targetResourceType: Patient
        fieldMappings:
          - {fhirPath: "name[0].family", sourceColumn: NAME, transform: {type: direct}}
"""


def check(function):
    CHECKS.append(function)
    return function


def client(server):
    # boto3 puts `datatransformation.` before any host, also before an address.
    return server.client("healthlake", inject_host_prefix=False)


def create(hl, **changes):
    request = {
        "SourceFormat": "CSV",
        "ProfileName": "visits",
        "Source": {"ProfileMapping": {"ProfileMapping": {"mapping.yaml": MAPPING}}},
        **changes,
    }
    return hl.create_data_transformation_profile(**request)


@check
def a_profile_has_a_draft_and_versions():
    with Server() as server:
        hl = client(server)
        made = create(hl, ProfileDescription="of the tests", Tags={"team": "data"})
        assert made["Version"] == 0 and made["TargetFormat"] == "FHIR_R4", made
        id = made["ProfileId"]
        refused("ResourceNotFoundException", hl.get_data_transformation_profile, ProfileId=id)
        assert hl.publish_data_transformation_profile(ProfileId=id, SourceFormat="CSV")["Version"] == 1
        got = hl.get_data_transformation_profile(ProfileId=id)
        assert got["ProfileMapping"] == {"mapping.yaml": MAPPING}, got
        assert got["ProfileDescription"] == "of the tests" and "KmsKeyId" not in got, got
        hl.update_data_transformation_profile(ProfileId=id, ProfileMapping={"mapping.yaml": "x"}, ChangeDescription="why")
        hl.publish_data_transformation_profile(ProfileId=id, SourceFormat="CSV")
        pages = hl.get_paginator("list_data_transformation_profile_versions").paginate(
            ProfileId=id, PaginationConfig={"PageSize": 1}
        )
        versions = [(item["Version"], item.get("ChangeDescription")) for page in pages for item in page["Items"]]
        assert versions == [(2, "why"), (1, None)], versions
        refused("ValidationException", create, hl, Source={"StarterProfile": {"StarterProfileName": "ccda-starter-kit-v1"}})
        arn = f"arn:aws:healthlake:us-east-1:{ACCOUNT}:dataTransformationProfile/{id}"
        assert hl.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "team", "Value": "data"}]
        assert hl.delete_data_transformation_profile(ProfileId=id)["DeletionTime"]


@check
def a_job_converts_what_is_in_the_bucket():
    with Server() as server:
        place = Place(server)
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": "healthlake.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        }
        place.iam.update_assume_role_policy(RoleName=place.role_name, PolicyDocument=policy(trust))
        place.hl = client(server)
        id = create(place.hl)["ProfileId"]
        place.hl.publish_data_transformation_profile(ProfileId=id, SourceFormat="CSV")
        place.s3.put_object(Bucket=place.bucket, Key="csv/PATIENTS.csv", Body=b"ID,NAME\n1,Silva\n2,Ngo\n")
        job = place.hl.start_data_transformation_job(
            InputDataConfig={"S3Uri": f"s3://{place.bucket}/csv/"},
            OutputDataConfig=place.output(),
            DataAccessRoleArn=place.role,
            ClientToken="once",
            ProfileId=id,
        )
        place.hl.get_waiter("data_transformation_job_completed").wait(
            JobId=job["JobId"], WaiterConfig={"Delay": 0.05, "MaxAttempts": 600}
        )
        described = place.hl.describe_data_transformation_job(JobId=job["JobId"])["TransformationJobProperties"]
        assert described["JobStatus"] == "COMPLETED", described
        assert described["JobProgressReport"]["TotalResourcesGenerated"] == 2, described
        folder = f"s3://{place.bucket}/out/{job['JobId']}/"
        names = [line["name"][0]["family"] for line in place.lines(folder + "converted/PATIENTS.ndjson")]
        assert names == ["Silva", "Ngo"], names
        drift = json.load(place.read(folder + "jobLevelDriftResult.json")["Body"])
        assert drift["summary"]["overallCoverageRate"] == 1.0, drift


@check
def an_import_converts_what_is_in_the_bucket_first():
    with Server() as server:
        place = Place(server)
        id = create(client(server))["ProfileId"]
        place.put("csv/PATIENTS.csv", b"ID,NAME", b"1,Silva", b"2,Ngo")
        named = {"path": "csv/", "ProfileId": id, "InputFormat": "CSV"}
        refused("ValidationException", place.start_import, **named)
        client(server).publish_data_transformation_profile(ProfileId=id, SourceFormat="CSV")
        for wrong in ({"InputFormat": "CCDA"}, {"InputFormat": "XML"}, {"InputFormat": "FHIR"}):
            refused("ValidationException", place.start_import, **{**named, **wrong})
        refused("ValidationException", place.start_import, path="csv/", InputFormat="CSV")
        refused("ResourceNotFoundException", place.start_import, **{**named, "ProfileId": "0" * 32})
        job = place.start_import(**named, DriftDetectionEnabled=True, ProvenanceEnabled=False)
        described = place.finish(place.imported, job)
        assert described["JobStatus"] == "COMPLETED", described
        report = described["JobProgressReport"]
        assert (report["TotalFilesConverted"], report["TotalResourcesGenerated"]) == (1, 2), report
        assert report["TotalNumberOfResourcesImported"] == 2, report
        # AWS describes none of what made it a conversion.
        assert not {"ProfileId", "InputFormat", "DriftDetectionEnabled", "ProvenanceEnabled"} & set(described), described
        assert described["InputDataConfig"]["S3Uri"].endswith("/csv/"), described
        names = place.names("out/")
        for name in ("converted/PATIENTS.ndjson", "jobLevelDriftResult.json"):
            assert f"{job['JobId']}/{name}" in names, names
        folder = f"{place.id}-FHIR_IMPORT-{job['JobId']}/"
        assert {f"{folder}manifest.json", f"{folder}SUCCESS/PATIENTS.ndjson"} <= set(names), names
        # A row that cannot be converted makes the job one with errors; nothing that can be makes it fail.
        place.put("csv/PATIENTS.csv", b"ID,NAME", b"1,Silva", b'"unclosed')
        assert place.finish(place.imported, place.start_import(**named))["JobStatus"] == "COMPLETED_WITH_ERRORS"
        place.put("csv/PATIENTS.csv", b"NUMBER", b"1")
        failed = place.finish(place.imported, place.start_import(**named))
        assert failed["JobStatus"] == "FAILED" and "converted" in failed["Message"], failed


if __name__ == "__main__":
    sys.exit(attempt_all([(run.__name__, run) for run in CHECKS]))
