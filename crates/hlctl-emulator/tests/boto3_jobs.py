"""Drives the emulator's import and export jobs, `$export`, restores and loading with boto3.

    python boto3_jobs.py PATH_TO_hlctl-emulator

Prints every failure and at the end `N passed, N failed`; exits 1 if any failed.
"""

import datetime
import json
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[3] / "tools"))

import ndjson  # noqa: E402
from boto3_fhir import Store  # noqa: E402
from boto3_support import Server, attempt_all, refused  # noqa: E402

ACCOUNT = "000000000000"
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


class Place:
    """A datastore with a bucket, a key and a role for jobs."""

    bucket, role_name = "job-data", "jobs"

    def __init__(self, server, **store):
        self.server = server
        self.hl, self.s3, self.kms, self.iam = (server.client(name) for name in ("healthlake", "s3", "kms", "iam"))
        self.store = Store.create(server, **store)
        self.id = self.store.id
        self.arn = self.hl.describe_fhir_datastore(DatastoreId=self.id)["DatastoreProperties"]["DatastoreArn"]
        self.s3.create_bucket(Bucket=self.bucket)
        self.key = self.kms.create_key()["KeyMetadata"]["Arn"]
        self.role = self.make_role(self.role_name, self.arn)

    def make_role(self, name, trusted, statements=None):
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": "healthlake.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}, "ArnEquals": {"aws:SourceArn": trusted}},
        }
        arn = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
        self.iam.put_role_policy(
            RoleName=name, PolicyName="jobs", PolicyDocument=policy(*(statements or self.statements()))
        )
        return arn

    def statements(self):
        bucket = f"arn:aws:s3:::{self.bucket}"
        on_bucket = ["s3:ListBucket", "s3:GetBucketPublicAccessBlock", "s3:GetEncryptionConfiguration"]
        return [
            {"Effect": "Allow", "Action": on_bucket, "Resource": bucket},
            {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"{bucket}/*"},
            {
                "Effect": "Allow",
                "Action": ["kms:DescribeKey", "kms:GenerateDataKey*", "kms:Decrypt"],
                "Resource": self.key,
            },
        ]

    def put(self, key, *lines, **named):
        body = b"".join((item if isinstance(item, bytes) else ndjson.line(item)) + b"\n" for item in lines)
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, **named)

    def output(self, **changes):
        config = {"S3Uri": f"s3://{self.bucket}/out/", "KmsKeyId": self.key, **changes}
        return {"S3Configuration": config}

    def start_import(self, path="in/", **named):
        request = {
            "InputDataConfig": {"S3Uri": f"s3://{self.bucket}/{path}"},
            "JobOutputDataConfig": self.output(),
            "DatastoreId": self.id,
            "DataAccessRoleArn": self.role,
            **named,
        }
        return self.hl.start_fhir_import_job(**request)

    def start_export(self, **named):
        request = {
            "OutputDataConfig": self.output(),
            "DatastoreId": self.id,
            "DataAccessRoleArn": self.role,
            **named,
        }
        return self.hl.start_fhir_export_job(**request)

    def imported(self, job):
        found = self.hl.describe_fhir_import_job(DatastoreId=self.id, JobId=job["JobId"])
        return found["ImportJobProperties"]

    def exported(self, job):
        found = self.hl.describe_fhir_export_job(DatastoreId=self.id, JobId=job["JobId"])
        return found["ExportJobProperties"]

    def finish(self, describe, job):
        """Describes a job until it has ended."""
        for _ in range(600):
            properties = describe(job)
            if properties["JobStatus"] not in ("SUBMITTED", "QUEUED", "IN_PROGRESS"):
                return properties
            time.sleep(0.05)
        raise AssertionError(properties)

    def run_import(self, *lines, **named):
        self.put("in/a.ndjson", *lines)
        return self.finish(self.imported, self.start_import(**named))

    def names(self, prefix):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [entry["Key"].removeprefix(prefix) for page in pages for entry in page.get("Contents", [])]

    def read(self, uri):
        bucket, key = uri.removeprefix("s3://").split("/", 1)
        return self.s3.get_object(Bucket=bucket, Key=key)

    def lines(self, uri):
        return [json.loads(text) for text in self.read(uri)["Body"].read().splitlines()]


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def patient(id, **members):
    return {"resourceType": "Patient", "id": id, "name": [{"family": "Silva"}], **members}


@check
def an_import_reads_the_bucket_and_leaves_its_report_there():
    with Server() as server:
        place = Place(server)
        place.put("in/one.ndjson", patient("a"), b"", patient("b"), {"resourceType": "Patient"}, patient("a"))
        place.put("in/more/two.ndjson", {"resourceType": "Group", "id": "g", "type": "person", "actual": True})
        place.put("input/other.ndjson", patient("z"))
        started = place.start_import(JobName="first", ValidationLevel="structure-only")
        assert started["JobStatus"] == "SUBMITTED" and started["DatastoreId"] == place.id, started
        job = place.finish(place.imported, started)
        assert job["JobStatus"] == "COMPLETED_WITH_ERRORS", job
        folder = f"s3://{place.bucket}/out/{place.id}-FHIR_IMPORT-{started['JobId']}/"
        assert job["JobOutputDataConfig"]["S3Configuration"] == {"S3Uri": folder, "KmsKeyId": place.key}, job
        assert job["ValidationLevel"] == "structure-only" and job["JobName"] == "first" and "Message" not in job, job
        report = job["JobProgressReport"]
        assert report["TotalNumberOfScannedFiles"] == report["TotalNumberOfImportedFiles"] == 2, report
        assert report["TotalNumberOfResourcesScanned"] == 5, report
        assert report["TotalNumberOfResourcesImported"] == 4, report
        assert report["TotalNumberOfResourcesWithCustomerError"] == 1, report
        [failure] = place.lines(folder + "FAILURE/one.ndjson")
        assert failure["lineId"] == 4 and failure["UpdateResourceResponse"]["statusCode"] == 400, failure
        outcome = failure["UpdateResourceResponse"]["jsonBlob"]
        assert outcome["issue"][0]["diagnostics"] == "Missing required id field", outcome
        told = [(line["lineId"], line["UpdateResourceResponse"]["statusCode"]) for line in place.lines(folder + "SUCCESS/one.ndjson")]
        assert told == [(1, 201), (3, 201), (5, 200)], told
        assert len(place.lines(folder + "SUCCESS/more/two.ndjson")) == 1
        found = place.read(folder + "manifest.json")
        assert found["ServerSideEncryption"] == "aws:kms" and found["SSEKMSKeyId"] == place.key, found
        manifest = json.load(found["Body"])
        assert manifest["numberOfResourcesImportedSuccessfully"] == 4, manifest
        assert manifest["failureOutput"]["failureOutputS3Uri"] == folder + "FAILURE/", manifest
        assert manifest["outputDataConfig"] == {"s3Uri": folder, "encryptionKeyID": place.key}, manifest
        assert place.store.get("Patient/a").body["meta"]["versionId"] == "2"
        assert place.store.get("Patient/a/_history").body["total"] == 2
        assert place.store.get("Group/g").status == 200 and place.store.get("Patient/z").status == 404


@check
def a_clean_import_has_no_failure_folder_and_one_of_nothing_fails():
    with Server() as server:
        place = Place(server)
        good = place.run_import(patient("a"))
        assert good["JobStatus"] == "COMPLETED", good
        names = place.names(good["JobOutputDataConfig"]["S3Configuration"]["S3Uri"].split("/", 3)[3])
        assert names == ["SUCCESS/a.ndjson", "manifest.json"], names
        assert "out/.healthlake_write_access_check_file.temp" in place.names("")
        bad = place.run_import({"resourceType": "Patient"})
        assert bad["JobStatus"] == "FAILED" and "Message" not in bad, bad
        none = place.finish(place.imported, place.start_import("nothing/"))
        assert none["JobStatus"] == "FAILED" and "no file" in none["Message"], none
        place.s3.put_object(Bucket=place.bucket, Key="odd/a.json", Body=b"{}")
        odd = place.finish(place.imported, place.start_import("odd/"))
        assert odd["JobStatus"] == "FAILED", odd
        assert odd["JobProgressReport"]["TotalNumberOfFilesReadWithCustomerError"] == 1, odd


@check
def each_breakage_is_told_with_its_line():
    with Server() as server:
        place = Place(server)
        kinds = list(ndjson.BREAKAGES)
        lines = [text for _, text in ndjson.broken(kinds, 3)]
        job = place.run_import(patient("good"), *lines)
        folder = job["JobOutputDataConfig"]["S3Configuration"]["S3Uri"]
        assert job["JobStatus"] == "COMPLETED_WITH_ERRORS", job
        failures = {line["lineId"]: line for line in place.lines(folder + "FAILURE/a.ndjson")}
        missing = [kind for number, kind in enumerate(kinds) if number + 2 not in failures]
        assert missing == [] and len(kinds) >= 20, missing
        lenient = place.run_import(patient("good"), *lines, ValidationLevel="minimal")
        folder = lenient["JobOutputDataConfig"]["S3Configuration"]["S3Uri"]
        flawed = place.lines(folder + "SUCCESS_WITH_SEARCH_VALIDATION_FAILURES/a.ndjson")
        assert 3 <= len(flawed) < len(kinds), len(flawed)


@check
def validation_levels_differ():
    with Server() as server:
        place = Place(server)
        mine = patient("a", meta={"profile": ["https://example.com/mine"]})
        for level, status in [("strict", "FAILED"), ("structure-only", "COMPLETED"), ("minimal", "COMPLETED")]:
            job = place.run_import(mine, ValidationLevel=level)
            assert job["JobStatus"] == status, (level, job)
        assert place.run_import(mine)["ValidationLevel"] == "strict"


@check
def an_export_holds_what_the_store_holds():
    with Server() as server:
        place = Place(server)
        made = list(ndjson.resources(300, 5))
        assert place.run_import(*made)["JobStatus"] == "COMPLETED"
        place.store.ask("DELETE", f"Patient/{made[0]['id']}")
        job = place.finish(place.exported, place.start_export(JobName="all"))
        assert job["JobStatus"] == "COMPLETED" and job["JobName"] == "all", job
        folder = job["OutputDataConfig"]["S3Configuration"]["S3Uri"]
        assert folder == f"s3://{place.bucket}/out/{place.id}-FHIR_EXPORT-{job['JobId']}/", folder
        names = place.names(folder.split("/", 3)[3])
        assert "Patient/Patient-0.ndjson" in names and len(names) == 6, names
        found = [resource for name in names for resource in place.lines(folder + name)]
        assert {resource["id"] for resource in found} == {resource["id"] for resource in made[1:]}
        assert place.read(folder + names[0])["SSEKMSKeyId"] == place.key


@check
def jobs_take_their_time_and_wait_for_each_other():
    with Server("--job-delay", "3") as server:
        place = Place(server)
        place.put("in/a.ndjson", *[patient(f"p{number}") for number in range(500)])
        first, second = place.start_import(), place.start_import()
        seen = []
        while (job := place.imported(first))["JobStatus"] == "IN_PROGRESS":
            seen.append(job["JobProgressReport"]["TotalNumberOfResourcesImported"])
            waiting = place.imported(second)["JobStatus"] == "QUEUED"
            # The first may have ended between the two looks.
            assert waiting or place.imported(first)["JobStatus"] != "IN_PROGRESS"
            time.sleep(0.05)
        # A look may come between the last line and the end of the job; a busy machine may look only once or twice.
        assert seen == sorted(seen), seen
        assert len(seen) < 10 or (len(set(seen)) > 3 and seen[0] < 500), seen
        job = place.imported(first)
        assert job["JobStatus"] == "COMPLETED", job
        assert datetime.timedelta(seconds=3) == job["EndTime"] - job["SubmitTime"], job
        assert place.imported(second)["JobStatus"] in ("IN_PROGRESS", "COMPLETED")


@check
def jobs_are_listed_by_name_status_time_and_page():
    with Server() as server:
        place = Place(server)
        place.put("in/a.ndjson", patient("a"))
        jobs = []
        for number in range(5):
            jobs.append(place.start_import(JobName=f"job {number % 2}"))
            place.finish(place.imported, jobs[-1])
            time.sleep(0.01)
        ids = [job["JobId"] for job in jobs]

        def listed(**filters):
            found, token = [], None
            while True:
                page = place.hl.list_fhir_import_jobs(
                    DatastoreId=place.id, MaxResults=2, **filters, **({"NextToken": token} if token else {})
                )
                found += [entry["JobId"] for entry in page["ImportJobPropertiesList"]]
                token = page.get("NextToken")
                if token is None:
                    return found

        assert listed() == ids, listed()
        assert listed(JobName="job 1") == [ids[1], ids[3]]
        assert listed(JobStatus="COMPLETED") == ids and listed(JobStatus="FAILED") == []
        middle = place.imported(jobs[2])["SubmitTime"]
        assert listed(SubmittedBefore=middle) == ids[:2], listed(SubmittedBefore=middle)
        assert listed(SubmittedAfter=middle) == ids[3:]
        assert place.hl.list_fhir_export_jobs(DatastoreId=place.id)["ExportJobPropertiesList"] == []
        refused("ValidationException", place.hl.list_fhir_import_jobs, DatastoreId=place.id, NextToken="?")
        refused("ResourceNotFoundException", place.hl.list_fhir_import_jobs, DatastoreId="0" * 32)
        refused(
            "ResourceNotFoundException", place.hl.describe_fhir_export_job, DatastoreId=place.id, JobId=ids[0]
        )


@check
def a_client_token_starts_one_job():
    with Server() as server:
        place = Place(server)
        place.put("in/a.ndjson", patient("a"))
        one = place.start_import(ClientToken="t")
        assert place.start_import(ClientToken="t")["JobId"] == one["JobId"]
        refused("ValidationException", place.start_import, ClientToken="t", JobName="other")
        assert place.start_export(ClientToken="t")["JobId"] != one["JobId"]


@check
def what_a_job_lacks_is_said_by_name():
    with Server() as server:
        place = Place(server)
        place.put("in/a.ndjson", patient("a"))

        def no(code, text, **named):
            error = refused(code, place.start_import, **named)
            assert text in error.response["Error"]["Message"], error

        no("AccessDeniedException", "does not exist", DataAccessRoleArn=f"arn:aws:iam::{ACCOUNT}:role/nobody")
        other = place.make_role("other", place.arn[:-1] + "x")
        no("AccessDeniedException", "does not trust", DataAccessRoleArn=other)
        for number, (action, index) in enumerate([("s3:GetObject", 1), ("s3:ListBucket", 0), ("kms:GenerateDataKey", 2)]):
            statements = place.statements()
            statements[index]["Action"] = [name for name in statements[index]["Action"] if not name.startswith(action)]
            role = place.make_role(f"lacks{number}", place.arn, statements)
            no("AccessDeniedException", action, DataAccessRoleArn=role)
        no("ValidationException", "bucket does not exist", InputDataConfig={"S3Uri": "s3://no-such-bucket/in/"})
        no("ValidationException", "does not exist", JobOutputDataConfig=place.output(KmsKeyId="alias/nothing"))
        place.kms.disable_key(KeyId=place.key)
        no("ValidationException", "is disabled")
        place.kms.enable_key(KeyId=place.key)
        place.s3.delete_public_access_block(Bucket=place.bucket)
        no("ValidationException", "block public access")
        no("ResourceNotFoundException", "not found", DatastoreId="0" * 32)
        server.faults(deny=["iam:PassRole"])
        no("AccessDeniedException", "iam:PassRole")


@check
def an_object_under_a_key_that_the_role_cannot_use_is_not_read():
    with Server() as server:
        place = Place(server)
        foreign = place.kms.create_key()["KeyMetadata"]["Arn"]
        place.put("in/a.ndjson", patient("a"))
        place.put("in/b.ndjson", patient("b"), ServerSideEncryption="aws:kms", SSEKMSKeyId=foreign)
        job = place.finish(place.imported, place.start_import())
        assert job["JobStatus"] == "COMPLETED_WITH_ERRORS", job
        assert job["JobProgressReport"]["TotalNumberOfFilesReadWithCustomerError"] == 1, job
        folder = job["JobOutputDataConfig"]["S3Configuration"]["S3Uri"]
        assert "kms:Decrypt" in json.dumps(place.lines(folder + "FAILURE/b.ndjson"))


@check
def the_queue_has_an_end():
    with Server("--job-delay", "600") as server:
        place = Place(server)
        place.put("in/a.ndjson", patient("a"))
        for _ in range(26):
            place.start_import()
        refused("ThrottlingException", place.start_import)
        assert place.start_export()["JobStatus"] == "SUBMITTED"


@check
def jobs_can_be_made_to_fail_midway_and_to_hang():
    with Server() as server:
        place = Place(server)
        place.put("in/a.ndjson", *[patient(f"p{number}") for number in range(10)])
        server.faults(jobs={"after_resources": 4, "ends_as": "FAILED", "message": "out of capacity"})
        job = place.finish(place.imported, place.start_import())
        assert job["JobStatus"] == "FAILED" and job["Message"] == "out of capacity", job
        assert job["JobProgressReport"]["TotalNumberOfResourcesImported"] == 4, job
        server.faults(jobs={"server_error_every": 5, "manifest": "Manifest.json"})
        job = place.finish(place.imported, place.start_import())
        assert job["JobStatus"] == "COMPLETED_WITH_ERRORS", job
        manifest = json.load(place.read(job["JobOutputDataConfig"]["S3Configuration"]["S3Uri"] + "Manifest.json")["Body"])
        assert manifest["numberOfResourcesWithServerError"] == 2, manifest
        server.faults(jobs={"after_resources": 3, "hang": True})
        stuck = place.start_import()
        server.faults()
        after = place.start_import()
        for _ in range(3):
            assert place.imported(stuck)["JobStatus"] == "IN_PROGRESS"
            assert place.imported(stuck)["JobProgressReport"]["TotalNumberOfResourcesScanned"] == 3
        assert place.imported(after)["JobStatus"] == "QUEUED"
        server.faults(rules=[{"operation": "StartFHIRExportJob", "nth": 1, "action": "throttle"}])
        refused("ThrottlingException", place.start_export)


EXPORT = {"Prefer": "respond-async", "Content_Type": "application/fhir+json"}


@check
def an_export_can_be_asked_for_over_fhir():
    with Server() as server:
        place = Place(server)
        old = [patient("a"), patient("b", meta={"tag": [{"system": "urn:s", "code": "x"}]})]
        old.append({"resourceType": "Organization", "id": "o", "name": "O"})
        members = [{"entity": {"reference": "Patient/b"}}]
        old.append({"resourceType": "Group", "id": "g", "type": "person", "actual": True, "member": members})
        assert place.run_import(*old)["JobStatus"] == "COMPLETED"
        body = {"DataAccessRoleArn": place.role, "JobName": "fhir", "OutputDataConfig": place.output()}

        def export(path):
            started = place.store.ask("POST", path, body, **EXPORT)
            assert started.status == 202 and started.body["jobStatus"] == "SUBMITTED", (started.status, started.body)
            where = started.headers["Content-Location"]
            assert where == f"{place.store.base}export/{started.body['jobId']}", where
            for _ in range(100):
                answer = place.store.get(where)
                if answer.status == 200:
                    break
                assert answer.status == 202, answer.body
            ids = [resource["id"] for entry in answer.body["output"] for resource in place.lines(entry["url"])]
            return answer.body, sorted(ids)

        told, ids = export("$export?_type=Patient,Organization")
        assert ids == ["a", "b", "o"], ids
        assert told["exportJobProperties"]["jobStatus"] == "COMPLETED" and told["error"] == [], told
        assert told["request"].endswith("$export?_type=Patient,Organization"), told
        datetime.datetime.strptime(told["exportJobProperties"]["submitTime"], "%b %d, %Y %I:%M:%S %p")
        assert export("$export")[1] == ["a", "b", "g", "o"]
        assert export("Patient/$export")[1] == ["a", "b", "g"]
        assert export("Group/g/$export?_type=Patient")[1] == ["b"]
        assert export("$export?_tag=urn:s%7Cx")[1] == ["b"]
        assert export("$export?_since=2100-01-01T00:00:00Z")[1] == []
        assert place.store.ask("POST", "$export", body, Content_Type="application/fhir+json").status == 400
        for path in ["$export?_type=Patients", "$export?_outputFormat=csv", "$export?_since=x", "$export?_what=1"]:
            assert place.store.ask("POST", path, body, **EXPORT).status == 400, path
        wrong = {**body, "DataAccessRoleArn": f"arn:aws:iam::{ACCOUNT}:role/nobody"}
        assert place.store.ask("POST", "$export", wrong, **EXPORT).status == 403
        assert place.store.get("export/unknown").status == 404
        assert place.store.get("$export").status == 405


@check
def an_export_can_be_called_off():
    with Server("--job-delay", "600") as server:
        place = Place(server)
        body = {"DataAccessRoleArn": place.role, "OutputDataConfig": place.output()}
        started = place.store.ask("POST", "$export", body, **EXPORT).body
        path = f"export/{started['jobId']}"
        assert place.store.get(path).status == 202
        gone = place.store.ask("DELETE", path)
        assert gone.status == 202 and gone.body["exportJobProperties"]["jobStatus"] == "CANCEL_SUBMITTED", gone.body
        job = place.exported({"JobId": started["jobId"]})
        assert job["JobStatus"] == "CANCEL_COMPLETED", job
        assert place.store.ask("DELETE", path).diagnostics == "Interaction not supported."


@check
def a_store_is_restored_to_a_point_in_time():
    with Server() as server:
        backup = {"Status": "ENABLED", "RetentionPeriodInDays": 3, "BackupTagsEnabled": True}
        place = Place(server, BackupConfiguration=backup, Tags=[{"Key": "team", "Value": "health"}])
        place.run_import(patient("a"), patient("b"), patient("a", active=True))
        time.sleep(0.01)
        point = datetime.datetime.now(datetime.timezone.utc)
        time.sleep(0.01)
        place.store.ask("DELETE", "Patient/b")
        place.run_import(patient("c"))

        def restore(when=None, **named):
            at = {} if when is None else {"RestorePointTime": when}
            made = place.hl.restore_fhir_datastore(
                SourceDatastoreId=place.id,
                RestoreConfiguration={"ContinuousBackupRestoreConfiguration": at},
                **named,
            )
            assert made["DatastoreStatus"] == "CREATING" and made["DatastoreId"] != place.id, made
            return Store(server, made["DatastoreId"])

        then = restore(point, DatastoreName="then")
        shown = place.hl.describe_fhir_datastore(DatastoreId=then.id)["DatastoreProperties"]
        assert shown["DatastoreStatus"] == "ACTIVE" and shown["DatastoreName"] == "then", shown
        assert shown["SseConfiguration"]["KmsEncryptionConfig"]["CmkType"] == "AWS_OWNED_KMS_KEY", shown
        assert "BackupStatusInfo" not in shown, shown
        assert sorted(then.get("Patient").ids) == ["a", "b"], then.get("Patient").ids
        assert then.get("Patient/a").body["active"] is True
        assert then.get("Patient/a/_history").body["total"] == 1
        tags = place.hl.list_tags_for_resource(ResourceARN=shown["DatastoreArn"])["Tags"]
        assert tags == [{"Key": "team", "Value": "health"}], tags
        assert sorted(restore().get("Patient").ids) == ["a", "c"]
        early = point - datetime.timedelta(days=1)
        refused("ValidationException", restore, early)
        refused("ValidationException", restore, point + datetime.timedelta(days=1))
        place.hl.delete_fhir_datastore(DatastoreId=place.id)
        gone = place.hl.describe_fhir_datastore(DatastoreId=place.id)["DatastoreProperties"]
        assert gone["DatastoreStatus"] == "DELETED", gone
        assert gone["BackupStatusInfo"]["ScheduledPermanentDeletionTime"], gone
        assert sorted(restore(point).get("Patient").ids) == ["a", "b"]
        plain = Store.create(server)
        call = place.hl.restore_fhir_datastore
        config = {"ContinuousBackupRestoreConfiguration": {}}
        refused("ValidationException", call, SourceDatastoreId=plain.id, RestoreConfiguration=config)
        refused("ResourceNotFoundException", call, SourceDatastoreId="0" * 32, RestoreConfiguration=config)


@check
def one_restore_of_a_store_runs_at_a_time():
    with Server("--create-delay", "1") as server:
        hl = server.client("healthlake")
        id = hl.create_fhir_datastore(DatastoreTypeVersion="R4", BackupConfiguration={"Status": "ENABLED"})["DatastoreId"]
        config = {"ContinuousBackupRestoreConfiguration": {}}
        refused("ConflictException", hl.restore_fhir_datastore, SourceDatastoreId=id, RestoreConfiguration=config)
        hl.get_waiter("fhir_datastore_active").wait(DatastoreId=id, WaiterConfig={"Delay": 0.1, "MaxAttempts": 100})
        hl.restore_fhir_datastore(SourceDatastoreId=id, RestoreConfiguration=config)
        refused("ConflictException", hl.restore_fhir_datastore, SourceDatastoreId=id, RestoreConfiguration=config)


@check
def a_sandbox_begins_with_files_and_takes_more():
    with tempfile.TemporaryDirectory() as directory:
        folder = pathlib.Path(directory)
        made = list(ndjson.resources(60, 9))
        (folder / "deep").mkdir()
        (folder / "a.ndjson").write_bytes(b"\n".join(map(ndjson.line, made[:30])))
        (folder / "deep/b.ndjson").write_bytes(b"\n".join(map(ndjson.line, made[30:])) + b"\n{}\n")
        with Server("--load", directory) as server:
            hl = server.client("healthlake")
            [only] = hl.list_fhir_datastores()["DatastorePropertiesList"]
            store = Store(server, only["DatastoreId"])
            assert store.get(f"Patient/{made[0]['id']}").status == 200
            loaded = load(server, "", ndjson.line(patient("later")) + b"\n[]\n")
            assert loaded["resources"] == 1 and loaded["refused"] == 1 and loaded["reasons"][0]["line"] == 2, loaded
            assert store.get("Patient/later").status == 200
            other = Store.create(server)
            loaded = load(server, f"?store={other.id}", ndjson.line(patient("elsewhere")))
            assert loaded["store"] == other.id and other.get("Patient/elsewhere").status == 200


def load(server, query, text):
    import urllib.request

    request = urllib.request.Request(f"{server.url}/_emulator/load{query}", method="POST", data=text)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


@check
def a_job_goes_on_in_another_process():
    with tempfile.TemporaryDirectory() as directory:
        with Server("--data-dir", directory, "--job-delay", "2") as server:
            place = Place(server)
            place.put("in/a.ndjson", *[patient(f"p{number}") for number in range(400)])
            job = place.start_import()
            while place.imported(job).get("JobProgressReport", {}).get("TotalNumberOfResourcesImported", 0) == 0:
                time.sleep(0.05)
        with Server("--data-dir", directory) as server:
            place.hl, place.s3 = server.client("healthlake"), server.client("s3")
            done = place.finish(place.imported, job)
            assert done["JobStatus"] == "COMPLETED", done
            assert done["JobProgressReport"]["TotalNumberOfResourcesImported"] >= 400, done
            folder = done["JobOutputDataConfig"]["S3Configuration"]["S3Uri"]
            assert len(place.lines(folder + "SUCCESS/a.ndjson")) >= 400


if __name__ == "__main__":
    sys.exit(attempt_all([(run.__name__, run) for run in CHECKS]))
