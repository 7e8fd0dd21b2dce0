"""Runs hlctl against other people's AWS, with HealthLake on hlctl's emulator, and lets boto3 say what is there.

    run.py HLCTL [NAME...]

Each test runs on each server; a NAME is a part of a test's or a server's name. Prints a line for each run and closes with
`N passed, N failed`. Nothing is ever skipped.
"""

import argparse
import json
import pathlib
import socket
import sys
import threading
import time
import tomllib
import traceback
from concurrent.futures import ThreadPoolExecutor

import attributes
from servers import SERVERS, beside
from support import PATIENCE_IN_SECONDS, ROOT, Stack

# A test is mostly pauses: hlctl waits for a server, a server for a process that begins.
TESTS_AT_ONCE = 4
EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("*.toml"))


def run(hlctl, server, test):
    """Runs a test on fresh servers, so that nothing leaks from one to the next."""
    with beside(hlctl, server) as (aws, healthlake):

        def stack_of(example="minimal"):
            stack = Stack(hlctl, aws, healthlake, example)
            stack.server = server
            return stack

        test(stack_of)


def made_as_asked(example):
    def test(stack_of):
        stack = stack_of(example)
        if example == "hardened" and stack.server.differs("pools-tell-nothing-of-mfa"):
            stack.add('cognito_mfa_configuration = "OFF"')
        stack.expect(2, "plan", "--detailed-exitcode")
        stack.expect(0, "apply", "--auto-approve")
        attributes.Check(stack).all()
        stack.expect(0, "plan", "--detailed-exitcode")
        again = stack.expect(0, "apply", "--auto-approve")
        assert not [call for call in again.mutations() if call[0] != "sts"], again.mutations()
        attributes.Check(stack).all()
        stack.destroy("--force-destroy")
        attributes.nothing_left(stack)
        stack.expect(0, "destroy", "--auto-approve")

    test.__name__ = f"{example}_is_made_as_asked_and_destroyed_without_a_trace"
    return test


def edits_are_made_in_place(stack_of):
    stack = stack_of()
    stack.expect(0, "apply", "--auto-approve")
    arn = stack.outputs()["datastore_arn"]
    stack.edit(r'^datastore_name\s*=.*$', 'datastore_name = "renamed"')
    stack.store_name = "renamed"
    stack.config.write_text(stack.config.read_text() + '\n[tags]\nteam = "data platform"\n')
    stack.expect(2, "plan", "--detailed-exitcode")
    stack.expect(0, "apply", "--auto-approve")
    attributes.Check(stack).all()
    assert stack.outputs()["datastore_arn"] == arn
    stack.add('healthlake_role_name = "HealthLakeOther"\nkms_deletion_window_in_days = 7')
    stack.expect(0, "apply", "--auto-approve")
    attributes.Check(stack).all()
    roles = [role["RoleName"] for role in stack.client("iam").list_roles()["Roles"]]
    assert roles == ["HealthLakeOther"], roles
    stack.expect(0, "plan", "--detailed-exitcode")
    stack.destroy("--force-destroy")
    attributes.nothing_left(stack)


def drift(stack):
    """Each change that somebody makes by hand, by the address where it must show."""
    outputs = stack.outputs()
    s3, kms, iam = (stack.client(service) for service in ("s3", "kms", "iam"))
    healthlake = stack.client("healthlake")
    data = outputs["s3_bucket"]
    key = outputs["s3_kms_key_arn"]
    role = outputs["export_role_arn"].rsplit("/", 1)[1]
    policy = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"][0]["PolicyArn"]
    opened = json.dumps({"Version": "2012-10-17", "Statement": [{"Sid": "Open", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
    trust = opened.replace("s3:*", "sts:AssumeRole").replace('"Resource": "*"', '"Principal": {"AWS": "*"}')
    key_policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    key_policy["Statement"].append({"Sid": "Open", "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:Decrypt", "Resource": "*"})
    suspended = {"Status": "Suspended"}
    sse = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
    rule = {"Rules": [{"ID": "log", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}]}
    return [
        ("s3_bucket_versioning.data", lambda: s3.put_bucket_versioning(Bucket=data, VersioningConfiguration=suspended)),
        ("s3_bucket_public_access_block.data", lambda: s3.delete_public_access_block(Bucket=data)),
        ("s3_bucket_server_side_encryption_configuration.data", lambda: s3.put_bucket_encryption(Bucket=data, ServerSideEncryptionConfiguration=sse)),
        ("s3_bucket_lifecycle_configuration.data", lambda: s3.put_bucket_lifecycle_configuration(Bucket=data, LifecycleConfiguration=rule)),
        ("s3_bucket_logging.data", lambda: s3.put_bucket_logging(Bucket=data, BucketLoggingStatus={})),
        ("s3_bucket_policy.data", lambda: s3.delete_bucket_policy(Bucket=data)),
        ("s3_bucket.data", lambda: s3.put_bucket_tagging(Bucket=data, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})),
        ("kms_key.s3", lambda: kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(key_policy))),
        ("kms_key.s3", lambda: kms.disable_key_rotation(KeyId=key)),
        ("kms_key.s3", lambda: kms.disable_key(KeyId=key.rsplit("/", 1)[1])),
        ("kms_key.s3", lambda: kms.untag_resource(KeyId=key, TagKeys=["hlctl:address"])),
        ("iam_role.healthlake", lambda: iam.update_assume_role_policy(RoleName=role, PolicyDocument=trust)),
        ("iam_role.healthlake", lambda: iam.tag_role(RoleName=role, Tags=[{"Key": "hand", "Value": "made"}])),
        ("iam_policy.healthlake", lambda: iam.create_policy_version(PolicyArn=policy, PolicyDocument=opened, SetAsDefault=True)),
        ("iam_role_policy_attachment.this", lambda: iam.detach_role_policy(RoleName=role, PolicyArn=policy)),
        ("healthlake_fhir_datastore.this", lambda: healthlake.tag_resource(ResourceARN=outputs["datastore_arn"], Tags=[{"Key": "x", "Value": "y"}])),
        ("healthlake_fhir_datastore.this", lambda: healthlake.update_fhir_datastore(DatastoreId=outputs["datastore_arn"].rsplit("/", 1)[1], DatastoreName="other")),
    ]


def drift_is_seen_and_repaired(stack_of):
    stack = stack_of()
    stack.expect(0, "apply", "--auto-approve")
    for address, change in drift(stack):
        change()
        plan = json.loads(stack.expect(2, "plan", "--json", "--detailed-exitcode").out)
        changed = {one["address"] for one in plan["changes"] if one["action"] != "no_op"}
        assert changed == {address}, f"{changed} instead of {address}"
        assert drifted(stack) == {address}, f"{drifted(stack)} instead of {address}"
        stack.expect(0, "apply", "--auto-approve")
        attributes.Check(stack).all()
        stack.expect(0, "plan", "--detailed-exitcode")
    assert drifted(stack, 0) == set()
    stack.destroy("--force-destroy")
    attributes.nothing_left(stack)


def drifted(stack, code=2):
    report = json.loads(stack.expect(code, "drift", "--json", "--no-trail").out)
    return {one["address"] for one in report["resources"] if one["verdict"] not in ("clean", "partly_checked", "pending")}


def smart_drift(stack):
    """As drift, for what a SMART stack has more and moto can change."""
    recorded = {one["address"]: one["recorded"] for one in json.loads(stack.expect(0, "state", "list", "--json").out)["resources"]}
    cognito, functions, logs = (stack.client(service) for service in ("cognito-idp", "lambda", "logs"))
    pool = recorded["cognito_user_pool.main"]["id"]
    client = recorded["cognito_user_pool_client.client"]["id"]
    function = recorded["lambda_function.token_validator"]["name"]
    group = recorded["cloudwatch_log_group.token_validator"]["name"]
    return [
        ("cognito_user_pool_client.client", lambda: cognito.update_user_pool_client(UserPoolId=pool, ClientId=client, ClientName="renamed")),
        ('cognito_user.test_users["alice"]', lambda: cognito.admin_disable_user(UserPoolId=pool, Username="alice")),
        ("lambda_function.token_validator", lambda: functions.update_function_configuration(FunctionName=function, Timeout=9)),
        ("lambda_permission.healthlake", lambda: functions.remove_permission(FunctionName=function, StatementId="healthlake")),
        ("cloudwatch_log_group.token_validator", lambda: logs.put_retention_policy(logGroupName=group, retentionInDays=1)),
        ("cloudwatch_log_group.token_validator", lambda: logs.delete_log_group(logGroupName=group)),
    ]


def smart_drift_is_seen_and_repaired(stack_of):
    stack = stack_of("smart")
    stack.expect(0, "apply", "--auto-approve")
    assert drifted(stack, 0) == set()
    for address, change in smart_drift(stack):
        change()
        assert drifted(stack) == {address}, f"{drifted(stack)} instead of {address}"
        stack.expect(0, "drift", "--fix", "--auto-approve", "--no-trail")
        attributes.Check(stack).all()
        stack.expect(0, "plan", "--detailed-exitcode")


def what_others_attach_is_named_and_left_alone(stack_of):
    stack = stack_of()
    stack.expect(0, "apply", "--auto-approve")
    iam = stack.client("iam")
    role = stack.outputs()["export_role_arn"].rsplit("/", 1)[1]
    policy = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"][0]["PolicyArn"]
    open_to_all = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
    iam.attach_role_policy(RoleName=role, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    assert drifted(stack) == {"iam_role.healthlake"}
    iam.detach_role_policy(RoleName=role, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    iam.put_role_policy(RoleName=role, PolicyName="by-hand", PolicyDocument=open_to_all)
    assert drifted(stack) == {"iam_role.healthlake"}
    iam.delete_role_policy(RoleName=role, PolicyName="by-hand")
    iam.create_user(UserName="somebody")
    iam.attach_user_policy(UserName="somebody", PolicyArn=policy)
    assert drifted(stack) == {"iam_policy.healthlake"}
    applied = stack.expect(0, "apply", "--auto-approve")
    assert not [call for call in applied.mutations() if call[0] != "sts"], applied.mutations()
    assert drifted(stack) == {"iam_policy.healthlake"}


def what_takes_the_place_of_what_is_gone_is_not_overwritten(stack_of):
    stack = stack_of()
    stack.expect(0, "apply", "--auto-approve")
    iam, kms = stack.client("iam"), stack.client("kms")
    role = stack.outputs()["export_role_arn"].rsplit("/", 1)[1]
    policy = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"][0]["PolicyArn"]
    iam.detach_role_policy(RoleName=role, PolicyArn=policy)
    iam.delete_role(RoleName=role)
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust))
    assert drifted(stack) == {"iam_role.healthlake", "iam_role_policy_attachment.this"}
    refused = stack.expect(1, "apply", "--auto-approve")
    assert not refused.mutations(), refused.mutations()
    iam.delete_role(RoleName=role)
    stack.expect(0, "drift", "--fix", "--auto-approve", "--no-trail")
    kms.schedule_key_deletion(KeyId=stack.outputs()["s3_kms_key_arn"].rsplit("/", 1)[1], PendingWindowInDays=7)
    assert drifted(stack) == {"kms_key.s3"}
    stack.expect(5, "apply", "--auto-approve")


def the_trail_says_who_made_the_last_change_and_without_one_there_is_a_note(stack_of):
    stack = stack_of()
    stack.expect(0, "apply", "--auto-approve")
    stack.client("kms").disable_key(KeyId=stack.outputs()["s3_kms_key_arn"].rsplit("/", 1)[1])
    report = json.loads(stack.expect(2, "drift", "--json").out)
    (key,) = [one for one in report["resources"] if one["verdict"] == "drifted"]
    if stack.server.differs("has-no-trail"):
        assert key["last_change"] is None, key
        assert any("who made the last change is not known" in note for note in report["notes"]), report["notes"]
    else:
        assert key["last_change"]["event"] == "DisableKey" and "testing" in key["last_change"]["user"], key
        # A server may lack a read that is made only to watch, and that is said.
        others = [note for note in report["notes"] if ": not looked at: " not in note]
        assert not others, others


def full_buckets_are_kept_unless_force_destroy_says_otherwise(stack_of):
    stack = stack_of()
    stack.expect(0, "apply", "--auto-approve")
    s3 = stack.client("s3")
    data = stack.outputs()["s3_bucket"]
    # moto carries out a Deny whatever its conditions say, and would not let anyone touch an object.
    policy = s3.get_bucket_policy(Bucket=data)["Policy"]
    s3.delete_bucket_policy(Bucket=data)
    for name in ("one", "two"):
        for body in (b"first", b"second"):
            s3.put_object(Bucket=data, Key=name, Body=body)
    s3.delete_object(Bucket=data, Key="two")
    # moto delivers access logs at once, so the logs bucket is full too.
    refused = stack.expect(5, "destroy", "--auto-approve", "--allow-destroy", stack.store_name)
    assert "1 object, 3 older versions and 1 delete marker" in refused.err, str(refused)
    assert not refused.mutations(), refused.mutations()
    s3.put_bucket_policy(Bucket=data, Policy=policy)
    attributes.Check(stack).all()
    s3.delete_bucket_policy(Bucket=data)
    stack.destroy("--force-destroy")
    attributes.nothing_left(stack)


def what_is_imported_arrives_as_it_is(stack_of):
    stack = stack_of()
    stack.expect(0, "apply", "--auto-approve")
    s3 = stack.client("s3")
    data = stack.outputs()["s3_bucket"]
    # moto carries out a Deny whatever its conditions say.
    s3.delete_bucket_policy(Bucket=data)
    # Over 5 MiB a file is sent in parts.
    lines = 500 if stack.server.differs("has-no-checksums-of-whole-objects") else 12000
    patient = '{"resourceType":"Patient","id":"%s-%d","text":{"status":"empty","div":"<div>%s</div>"}}\n'
    files = {
        "small.ndjson": "".join(patient % ("s", number, "x") for number in range(9)),
        "a b/large+1.ndjson": "".join(patient % ("l", number, "y" * 1000) for number in range(lines)),
    }
    for name, text in files.items():
        path = pathlib.Path(stack.directory) / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    # The emulator has no bucket of moto's to read from.
    uploaded = stack.expect(6, "data", "import", "in")
    assert "Uploaded 2 files" in uploaded.err, str(uploaded)
    listed = s3.list_objects_v2(Bucket=data, Prefix="import/")["Contents"]
    bodies = {one["Key"].split("/input/")[1]: s3.get_object(Bucket=data, Key=one["Key"])["Body"].read() for one in listed}
    assert bodies == {name: text.encode() for name, text in files.items()}, sorted(bodies)
    stack.destroy("--force-destroy")
    attributes.nothing_left(stack)


def protection_needs_a_name(stack_of):
    stack = stack_of()
    stack.expect(0, "apply", "--auto-approve")
    for arguments in ((), ("--allow-destroy", "another")):
        refused = stack.expect(5, "destroy", "--auto-approve", *arguments)
        assert not refused.mutations(), refused.mutations()
        assert f"--allow-destroy '{stack.store_name}'" in refused.err, str(refused)
    stack.destroy("--force-destroy")


def taken_names_are_reported_before_anything_is_made(stack_of):
    stack = stack_of()
    stack.client("s3").create_bucket(Bucket=bucket_of(stack))
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    stack.client("iam").create_role(RoleName="HealthLakeImportExportRole", AssumeRolePolicyDocument=json.dumps(trust))
    refused = stack.expect(1, "apply", "--auto-approve")
    assert not refused.mutations(), refused.mutations()
    assert bucket_of(stack) in refused.err and "HealthLakeImportExportRole" in refused.err, str(refused)


def bucket_of(stack):
    return tomllib.loads(stack.config.read_text())["data_bucket_name"]


def a_state_of_another_account_is_refused(stack_of):
    stack = stack_of()
    stack.expect(0, "apply", "--auto-approve")
    healthlake = stack.endpoints["healthlake"]
    refused = stack.expect(1, "plan", AWS_ENDPOINT_URL=healthlake, AWS_ACCESS_KEY_ID="222222222222")
    assert "222222222222" in refused.err and stack.server.account in refused.err, str(refused)
    refused = stack.expect(1, "plan", AWS_REGION="eu-west-1")
    assert "eu-west-1" in refused.err and "us-east-1" in refused.err, str(refused)


def serve(answer):
    """A server that is not AWS: it answers with these bytes, or never if there are none."""
    listener = socket.create_server(("127.0.0.1", 0))

    def loop():
        connections = []
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connections.append(connection)
            if answer:
                connection.recv(65536)
                connection.sendall(answer)
                connection.close()

    threading.Thread(target=loop, daemon=True).start()
    return listener, f"http://127.0.0.1:{listener.getsockname()[1]}"


def what_is_not_aws_gets_a_clear_error(stack_of):
    stack = stack_of()
    page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>"
    for answer, words in ((page, "AWS_ENDPOINT_URL"), (None, "no answer in time")):
        listener, url = serve(answer)
        failed = stack.expect(1, "plan", AWS_ENDPOINT_URL=url)
        assert words in failed.err and "sts:GetCallerIdentity" in failed.err, str(failed)
        listener.close()
    refused = stack.expect(1, "plan", AWS_ENDPOINT_URL="http://127.0.0.1:9")
    assert "refused" in refused.err, str(refused)


def no_credentials_is_exit_4(stack_of):
    stack = stack_of()
    missing = stack.expect(4, "plan", AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)
    assert "no credentials were found" in missing.err, str(missing)


def a_state_in_s3_is_locked_by_conditional_writes(stack_of):
    stack = stack_of()
    s3 = stack.client("s3")
    s3.create_bucket(Bucket="states")
    stack.config.write_text(stack.config.read_text() + '\n[backend]\nbucket = "states"\nkey = "fhir.state.json"\n')
    stack.expect(0, "apply", "--auto-approve")
    attributes.Check(stack).all()
    stack.expect(0, "plan", "--detailed-exitcode")
    head = s3.head_object(Bucket="states", Key="fhir.state.json")
    assert head["ServerSideEncryption"] == "AES256", head
    kept = [entry["Key"] for entry in s3.list_objects_v2(Bucket="states")["Contents"]]
    assert kept == ["fhir.state.json"], kept
    assert not list(stack.directory.glob("*.state.json*")), "a state was left on the machine"
    # Somebody else, as S3 sees it, holds the lock.
    lock = {"id": "ours", "host": "elsewhere", "pid": 1, "user": "bob", "since": "today", "command": "hlctl apply"}
    s3.put_object(Bucket="states", Key="fhir.state.json.lock", Body=json.dumps(lock))
    refused = stack.expect(3, "apply", "--auto-approve")
    assert "bob" in refused.err and "elsewhere" in refused.err and "hlctl force-unlock ours" in refused.err, str(refused)
    stack.expect(0, "force-unlock", "ours", "--yes")
    # Many at once: one works, the others wait.
    running = [stack.start("apply", "--auto-approve", "--lock-timeout", f"{PATIENCE_IN_SECONDS}s") for _ in range(5)]
    for process in running:
        _, err = process.communicate(timeout=PATIENCE_IN_SECONDS)
        assert process.returncode == 0, err
    stack.destroy("--force-destroy")
    state = json.loads(s3.get_object(Bucket="states", Key="fhir.state.json")["Body"].read())
    assert state["state"]["resources"] == {}, state
    for entry in s3.list_objects_v2(Bucket="states")["Contents"]:
        s3.delete_object(Bucket="states", Key=entry["Key"])
    s3.delete_bucket(Bucket="states")
    attributes.nothing_left(stack)


# The longest first, so that none is left for the end.
TESTS = [
    smart_drift_is_seen_and_repaired,
    drift_is_seen_and_repaired,
    *(made_as_asked(example) for example in EXAMPLES),
    edits_are_made_in_place,
    what_others_attach_is_named_and_left_alone,
    what_takes_the_place_of_what_is_gone_is_not_overwritten,
    the_trail_says_who_made_the_last_change_and_without_one_there_is_a_note,
    full_buckets_are_kept_unless_force_destroy_says_otherwise,
    what_is_imported_arrives_as_it_is,
    protection_needs_a_name,
    taken_names_are_reported_before_anything_is_made,
    a_state_of_another_account_is_refused,
    a_state_in_s3_is_locked_by_conditional_writes,
    what_is_not_aws_gets_a_clear_error,
    no_credentials_is_exit_4,
]


def passes(hlctl, server, test):
    """Prints how it went; returns whether it went well."""
    begun = time.monotonic()
    try:
        run(hlctl, server, test)
        verdict = "ok"
    except Exception:
        verdict = "FAILED\n" + traceback.format_exc()
    print(f"{name_of(server, test)} ({time.monotonic() - begun:.1f} s): {verdict}", flush=True)
    return verdict == "ok"


def name_of(server, test):
    return f"{server.name}: {test.__name__}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("hlctl", type=pathlib.Path)
    parser.add_argument("names", nargs="*", default=[""])
    arguments = parser.parse_args()
    hlctl = str(arguments.hlctl.resolve())
    asked = [
        (server, test)
        for test in TESTS
        for server in SERVERS.values()
        if any(word in name_of(server, test) for word in arguments.names)
    ]
    with ThreadPoolExecutor(TESTS_AT_ONCE) as pool:
        verdicts = list(pool.map(lambda one: passes(hlctl, *one), asked))
    print(f"{sum(verdicts)} passed, {verdicts.count(False)} failed")
    return 0 if verdicts and all(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
