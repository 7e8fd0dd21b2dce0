"""Drives the emulator's program with boto3, waiters and paginators included.

    python boto3_client.py PATH_TO_hlctl-emulator

Prints every failure and at the end `N passed, N failed`; exits 1 if any failed.
"""

import io
import json
import os
import sys
import tempfile
import time
import urllib.error
import urllib.request

import boto3
from botocore.exceptions import ClientError, WaiterError

from boto3_support import Server, attempt_all, refused

ACCOUNT = "000000000000"
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def trust(service="healthlake.amazonaws.com"):
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": service},
                    "Action": "sts:AssumeRole",
                    "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
                }
            ],
        }
    )


def allow(action="s3:GetObject", resource="arn:aws:s3:::data/*"):
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": {"Effect": "Allow", "Action": action, "Resource": resource},
        }
    )


@check
def sts_knows_the_caller(server):
    identity = server.client("sts").get_caller_identity()
    assert identity["Account"] == ACCOUNT
    assert identity["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/sandbox"
    other = server.client("sts", key="123456789012").get_caller_identity()
    assert other["Account"] == "123456789012"
    refused("ExpiredToken", server.client("sts", key="EXPIRED1").get_caller_identity)
    refused("InvalidClientTokenId", server.client("sts", key="INVALID1").get_caller_identity)


@check
def an_assumed_role_is_the_caller_afterwards(server):
    iam, sts = server.client("iam"), server.client("sts")
    document = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                "Action": "sts:AssumeRole",
            },
        }
    )
    role = iam.create_role(RoleName="deployer", AssumeRolePolicyDocument=document)["Role"]
    session = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="ci")["Credentials"]
    inside = boto3.client(
        "sts",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    ).get_caller_identity()
    assert inside["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/ci", inside
    iam.create_role(RoleName="closed", AssumeRolePolicyDocument=trust())
    refused(
        "AccessDenied",
        sts.assume_role,
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/closed",
        RoleSessionName="ci",
    )


@check
def kms_key_lives_and_is_scheduled_for_deletion(server):
    kms = server.client("kms")
    key = kms.create_key(
        Description="for tests", Tags=[{"TagKey": "team", "TagValue": "health"}]
    )["KeyMetadata"]
    assert key["KeyState"] == "Enabled" and key["KeySpec"] == "SYMMETRIC_DEFAULT"
    assert key["Arn"] == f"arn:aws:kms:us-east-1:{ACCOUNT}:key/{key['KeyId']}"
    id = key["KeyId"]
    assert kms.get_key_rotation_status(KeyId=id)["KeyRotationEnabled"] is False
    kms.enable_key_rotation(KeyId=id)
    status = kms.get_key_rotation_status(KeyId=id)
    assert status["KeyRotationEnabled"] and status["RotationPeriodInDays"] == 365
    kms.disable_key_rotation(KeyId=id)
    kms.update_key_description(KeyId=id, Description="new")
    kms.tag_resource(KeyId=id, Tags=[{"TagKey": "a", "TagValue": ""}])
    kms.untag_resource(KeyId=id, TagKeys=["team"])
    assert kms.list_resource_tags(KeyId=id)["Tags"] == [{"TagKey": "a", "TagValue": ""}]
    kms.disable_key(KeyId=id)
    refused("DisabledException", kms.enable_key_rotation, KeyId=id)
    kms.enable_key(KeyId=key["Arn"])
    refused("ValidationException", kms.schedule_key_deletion, KeyId=id, PendingWindowInDays=5)
    answer = kms.schedule_key_deletion(KeyId=id, PendingWindowInDays=7)
    assert answer["KeyState"] == "PendingDeletion"
    for call in (kms.enable_key, kms.enable_key_rotation, kms.schedule_key_deletion):
        refused("KMSInvalidStateException", call, KeyId=id)
    described = kms.describe_key(KeyId=id)["KeyMetadata"]
    assert described["KeyState"] == "PendingDeletion" and described["Description"] == "new"
    kms.cancel_key_deletion(KeyId=id)
    assert kms.describe_key(KeyId=id)["KeyMetadata"]["KeyState"] == "Disabled"
    refused("NotFoundException", kms.describe_key, KeyId="nothing")
    refused("NotFoundException", server.client("kms", "eu-west-2").describe_key, KeyId=id)


@check
def kms_policies_are_checked(server):
    kms = server.client("kms")
    id = kms.create_key()["KeyMetadata"]["KeyId"]
    policy = json.loads(kms.get_key_policy(KeyId=id, PolicyName="default")["Policy"])
    kms.put_key_policy(KeyId=id, PolicyName="default", Policy=json.dumps(policy))
    policy["Statement"][0]["Principal"]["AWS"] = ""
    refused("MalformedPolicyDocumentException", kms.create_key, Policy=json.dumps(policy))
    policy["Statement"][0]["Principal"]["AWS"] = f"arn:aws:iam::{ACCOUNT}:role/other"
    error = refused(
        "MalformedPolicyDocumentException", kms.put_key_policy, KeyId=id, Policy=json.dumps(policy)
    )
    assert "will not allow you to update" in str(error)
    kms.create_key(Policy=json.dumps(policy), BypassPolicyLockoutSafetyCheck=True)


@check
def kms_pages_and_aliases(server):
    kms = server.client("kms", "ap-south-1")
    ids = {kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(5)}
    pages = list(kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 2}))
    assert len(pages) == 3
    assert {key["KeyId"] for page in pages for key in page["Keys"]} == ids
    id = sorted(ids)[0]
    kms.create_alias(AliasName="alias/one", TargetKeyId=id)
    refused("AlreadyExistsException", kms.create_alias, AliasName="alias/one", TargetKeyId=id)
    assert kms.describe_key(KeyId="alias/one")["KeyMetadata"]["KeyId"] == id
    assert [a["AliasName"] for a in kms.list_aliases(KeyId=id)["Aliases"]] == ["alias/one"]
    kms.delete_alias(AliasName="alias/one")
    refused("NotFoundException", kms.describe_key, KeyId="alias/one")
    refused("TagException", kms.create_key, Tags=[{"TagKey": "aws:x", "TagValue": "y"}])


@check
def iam_role_and_its_policies(server):
    iam = server.client("iam")
    role = iam.create_role(
        RoleName="Import",
        AssumeRolePolicyDocument=trust(),
        Description="imports & exports",
        Tags=[{"Key": "team", "Value": "health"}],
    )["Role"]
    iam.get_waiter("role_exists").wait(RoleName="Import", WaiterConfig={"Delay": 0.1})
    got = iam.get_role(RoleName="Import")["Role"]
    assert got["Arn"] == role["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/Import"
    assert got["AssumeRolePolicyDocument"] == json.loads(trust())
    assert got["Description"] == "imports & exports" and got["MaxSessionDuration"] == 3600
    refused(
        "EntityAlreadyExists", iam.create_role, RoleName="IMPORT", AssumeRolePolicyDocument=trust()
    )
    refused("MalformedPolicyDocument", iam.create_role, RoleName="x", AssumeRolePolicyDocument="{}")
    iam.update_role(RoleName="Import", Description="new", MaxSessionDuration=7200)
    iam.update_assume_role_policy(RoleName="Import", PolicyDocument=trust("lambda.amazonaws.com"))
    iam.tag_role(RoleName="Import", Tags=[{"Key": "TEAM", "Value": "b"}])
    assert iam.list_role_tags(RoleName="Import")["Tags"] == [{"Key": "TEAM", "Value": "b"}]
    iam.untag_role(RoleName="Import", TagKeys=["TEAM"])

    policy = iam.create_policy(PolicyName="Data", PolicyDocument=allow())["Policy"]
    iam.get_waiter("policy_exists").wait(PolicyArn=policy["Arn"], WaiterConfig={"Delay": 0.1})
    iam.attach_role_policy(RoleName="Import", PolicyArn=policy["Arn"])
    basic = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    iam.attach_role_policy(RoleName="Import", PolicyArn=basic)
    attached = iam.list_attached_role_policies(RoleName="Import")["AttachedPolicies"]
    assert {p["PolicyArn"] for p in attached} == {policy["Arn"], basic}
    assert iam.get_policy(PolicyArn=policy["Arn"])["Policy"]["AttachmentCount"] == 1
    entities = iam.list_entities_for_policy(PolicyArn=policy["Arn"])["PolicyRoles"]
    assert [role["RoleName"] for role in entities] == ["Import"]
    iam.put_role_policy(RoleName="Import", PolicyName="inline", PolicyDocument=allow("kms:*", "*"))
    inline = iam.get_role_policy(RoleName="Import", PolicyName="inline")["PolicyDocument"]
    assert inline == json.loads(allow("kms:*", "*"))
    refused("DeleteConflict", iam.delete_role, RoleName="Import")
    refused("DeleteConflict", iam.delete_policy, PolicyArn=policy["Arn"])
    iam.detach_role_policy(RoleName="Import", PolicyArn=policy["Arn"])
    iam.detach_role_policy(RoleName="Import", PolicyArn=basic)
    refused("NoSuchEntity", iam.detach_role_policy, RoleName="Import", PolicyArn=basic)
    iam.delete_role_policy(RoleName="Import", PolicyName="inline")
    assert iam.list_instance_profiles_for_role(RoleName="Import")["InstanceProfiles"] == []
    iam.delete_role(RoleName="Import")
    iam.delete_policy(PolicyArn=policy["Arn"])
    refused("NoSuchEntity", iam.get_role, RoleName="Import")
    refused("NoSuchEntity", iam.get_policy, PolicyArn=policy["Arn"])


@check
def iam_policy_versions_are_at_most_five(server):
    iam = server.client("iam")
    arn = iam.create_policy(PolicyName="Versions", PolicyDocument=allow())["Policy"]["Arn"]
    for number in range(2, 6):
        answer = iam.create_policy_version(
            PolicyArn=arn, PolicyDocument=allow("s3:PutObject"), SetAsDefault=number == 5
        )
        assert answer["PolicyVersion"]["VersionId"] == f"v{number}"
    refused("LimitExceeded", iam.create_policy_version, PolicyArn=arn, PolicyDocument=allow())
    assert iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"] == "v5"
    document = iam.get_policy_version(PolicyArn=arn, VersionId="v5")["PolicyVersion"]["Document"]
    assert document == json.loads(allow("s3:PutObject"))
    refused("DeleteConflict", iam.delete_policy_version, PolicyArn=arn, VersionId="v5")
    refused("DeleteConflict", iam.delete_policy, PolicyArn=arn)
    for number in range(1, 5):
        iam.delete_policy_version(PolicyArn=arn, VersionId=f"v{number}")
    refused("NoSuchEntity", iam.get_policy_version, PolicyArn=arn, VersionId="v1")
    iam.delete_policy(PolicyArn=arn)
    refused("MalformedPolicyDocument", iam.create_policy, PolicyName="x", PolicyDocument="[]")


@check
def iam_pages(server):
    iam = server.client("iam", key="111111111111")
    for number in range(7):
        iam.create_role(RoleName=f"role-{number}", Path="/a/", AssumeRolePolicyDocument=trust())
        iam.create_policy(PolicyName=f"policy-{number}", PolicyDocument=allow())
    for operation, name in (("list_roles", "Roles"), ("list_policies", "Policies")):
        pages = list(iam.get_paginator(operation).paginate(PaginationConfig={"PageSize": 3}))
        assert [len(page[name]) for page in pages] == [3, 3, 1], operation
    assert iam.list_roles(PathPrefix="/b/")["Roles"] == []


@check
def buckets_of_an_accounts_own_namespace_need_the_header_and_the_right_name(server):
    s3 = server.client("s3")
    own = f"fhir-{ACCOUNT}-us-east-1-an"
    refused("MissingNamespaceHeader", s3.create_bucket, Bucket=own)
    refused("MissingNamespaceHeader", s3.create_bucket, Bucket="fhir-999988887777-us-east-1-an")
    for foreign in ("fhir-999988887777-us-east-1-an", f"fhir-{ACCOUNT}-eu-west-2-an", "fhir"):
        refused("InvalidNamespaceHeader", s3.create_bucket, Bucket=foreign, BucketNamespace="account-regional")
    refused("InvalidNamespaceHeader", s3.create_bucket, Bucket=own, BucketNamespace="global")
    s3.create_bucket(Bucket=own, BucketNamespace="account-regional")
    s3.head_bucket(Bucket=own)


@check
def tags_come_with_a_bucket_and_with_abac_are_changed_by_s3_control_alone(server):
    s3 = server.client("s3")
    control = server.client("s3control")

    # Its endpoint rules put the account before the host, also before 127.0.0.1, where no name resolves.
    def at_own_host(request, **_):
        request.url = request.url.replace("//000000000000.", "//", 1)

    control.meta.events.register("before-sign.s3-control", at_own_host)
    tags = [{"Key": "a", "Value": "b & c"}, {"Key": "d", "Value": "é"}]
    s3.create_bucket(Bucket="tagged", CreateBucketConfiguration={"Tags": tags})
    assert s3.get_bucket_tagging(Bucket="tagged")["TagSet"] == tags
    refused(
        "InvalidTag",
        s3.create_bucket,
        Bucket="twice",
        CreateBucketConfiguration={"Tags": [{"Key": "a", "Value": "b"}, {"Key": "a", "Value": "c"}]},
    )
    resource = {"AccountId": ACCOUNT, "ResourceArn": "arn:aws:s3:::tagged"}
    assert control.list_tags_for_resource(**resource)["Tags"] == tags
    assert s3.get_bucket_abac(Bucket="tagged")["AbacStatus"] == {"Status": "Disabled"}
    s3.put_bucket_abac(Bucket="tagged", AbacStatus={"Status": "Enabled"})
    assert s3.get_bucket_abac(Bucket="tagged")["AbacStatus"] == {"Status": "Enabled"}
    refused("InvalidRequest", s3.put_bucket_tagging, Bucket="tagged", Tagging={"TagSet": tags})
    refused("InvalidRequest", s3.delete_bucket_tagging, Bucket="tagged")
    control.tag_resource(**resource, Tags=[{"Key": "a", "Value": "z"}, {"Key": "n", "Value": "1"}])
    control.untag_resource(**resource, TagKeys=["d"])
    assert s3.get_bucket_tagging(Bucket="tagged")["TagSet"] == [{"Key": "a", "Value": "z"}, {"Key": "n", "Value": "1"}]
    refused("NoSuchBucket", control.list_tags_for_resource, AccountId=ACCOUNT, ResourceArn="arn:aws:s3:::absent")


@check
def keys_of_customers_are_blocked_until_somebody_says_otherwise(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="blocking")

    def rule():
        return s3.get_bucket_encryption(Bucket="blocking")["ServerSideEncryptionConfiguration"]["Rules"][0]

    def put(**rule):
        s3.put_bucket_encryption(Bucket="blocking", ServerSideEncryptionConfiguration={"Rules": [rule]})

    key = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
    default = {"SSEAlgorithm": "AES256"}
    assert rule()["BlockedEncryptionTypes"] == {"EncryptionType": ["SSE-C"]}
    refused("AccessDenied", s3.put_object, Bucket="blocking", Key="a", Body=b"x", **key)
    put(ApplyServerSideEncryptionByDefault=default, BlockedEncryptionTypes={"EncryptionType": ["NONE"]})
    assert rule()["BlockedEncryptionTypes"] == {"EncryptionType": ["NONE"]}
    put(BlockedEncryptionTypes={"EncryptionType": ["SSE-C"]})
    assert "ApplyServerSideEncryptionByDefault" not in rule()
    assert rule()["BlockedEncryptionTypes"] == {"EncryptionType": ["SSE-C"]}


@check
def acls_are_not_turned_off_while_one_lets_others_in(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="owned", ObjectOwnership="ObjectWriter")
    controls = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    s3.put_bucket_acl(Bucket="owned", ACL="public-read")
    enforce = {"Bucket": "owned", "OwnershipControls": controls}
    refused("InvalidBucketAclWithObjectOwnership", s3.put_bucket_ownership_controls, **enforce)
    s3.put_bucket_acl(Bucket="owned", ACL="private")
    s3.put_bucket_ownership_controls(**enforce)


@check
def s3_bucket_settings_round_trip(server):
    s3 = server.client("s3", "eu-west-2")
    kms = server.client("kms", "eu-west-2")
    refused("IllegalLocationConstraintException", s3.create_bucket, Bucket="settings")
    place = {"LocationConstraint": "eu-west-2"}
    s3.create_bucket(Bucket="settings", CreateBucketConfiguration=place)
    s3.create_bucket(Bucket="settings-logs", CreateBucketConfiguration=place)
    refused(
        "BucketAlreadyOwnedByYou",
        s3.create_bucket,
        Bucket="settings",
        CreateBucketConfiguration=place,
    )
    s3.get_waiter("bucket_exists").wait(Bucket="settings", WaiterConfig={"Delay": 0.1})
    assert s3.head_bucket(Bucket="settings")["BucketRegion"] == "eu-west-2"
    assert s3.get_bucket_location(Bucket="settings")["LocationConstraint"] == "eu-west-2"
    # What a new bucket has.
    block = s3.get_public_access_block(Bucket="settings")["PublicAccessBlockConfiguration"]
    assert all(block.values()) and len(block) == 4
    encryption = s3.get_bucket_encryption(Bucket="settings")["ServerSideEncryptionConfiguration"]
    default = encryption["Rules"][0]["ApplyServerSideEncryptionByDefault"]
    assert default == {"SSEAlgorithm": "AES256"}
    assert "Status" not in s3.get_bucket_versioning(Bucket="settings")
    refused("NoSuchTagSet", s3.get_bucket_tagging, Bucket="settings")
    refused("NoSuchBucketPolicy", s3.get_bucket_policy, Bucket="settings")
    refused(
        "NoSuchLifecycleConfiguration",
        s3.get_bucket_lifecycle_configuration,
        Bucket="settings",
    )
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket="settings")
    # What it is given.
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "ü & <x>"}]
    s3.put_bucket_tagging(Bucket="settings", Tagging={"TagSet": tags})
    assert s3.get_bucket_tagging(Bucket="settings")["TagSet"] == tags
    s3.put_bucket_versioning(Bucket="settings", VersioningConfiguration={"Status": "Enabled"})
    assert s3.get_bucket_versioning(Bucket="settings")["Status"] == "Enabled"
    key = kms.create_key()["KeyMetadata"]["Arn"]
    rule = {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key},
        "BucketKeyEnabled": True,
    }
    s3.put_bucket_encryption(
        Bucket="settings", ServerSideEncryptionConfiguration={"Rules": [rule]}
    )
    got = s3.get_bucket_encryption(Bucket="settings")["ServerSideEncryptionConfiguration"]
    # A rule that says nothing of it is stored with the block of SSE-C.
    assert got["Rules"] == [{**rule, "BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]}}], got
    put = s3.put_object(Bucket="settings", Key="k", Body=b"data")
    assert put["ServerSideEncryption"] == "aws:kms" and put["SSEKMSKeyId"] == key
    lost = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key[:-4] + "0000"}
    refused(
        "KMS.NotFoundException",
        s3.put_bucket_encryption,
        Bucket="settings",
        ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": lost}]},
    )
    rules = [
        {
            "ID": "transition",
            "Status": "Enabled",
            "Filter": {"Prefix": "log/"},
            "Transitions": [
                {"Days": 30, "StorageClass": "STANDARD_IA"},
                {"Days": 365, "StorageClass": "GLACIER"},
            ],
            "Expiration": {"Days": 1825},
        },
        {
            "ID": "failed-uploads",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        },
    ]
    s3.put_bucket_lifecycle_configuration(
        Bucket="settings", LifecycleConfiguration={"Rules": rules}
    )
    got = s3.get_bucket_lifecycle_configuration(Bucket="settings")["Rules"]
    assert got == rules, got
    early = [dict(rules[0], Transitions=[{"Days": 3, "StorageClass": "STANDARD_IA"}])]
    refused(
        "InvalidArgument",
        s3.put_bucket_lifecycle_configuration,
        Bucket="settings",
        LifecycleConfiguration={"Rules": early},
    )
    logging = {"TargetBucket": "settings-logs", "TargetPrefix": "log/settings/"}
    s3.put_bucket_logging(Bucket="settings", BucketLoggingStatus={"LoggingEnabled": logging})
    assert s3.get_bucket_logging(Bucket="settings")["LoggingEnabled"] == logging
    s3.put_bucket_logging(Bucket="settings", BucketLoggingStatus={})
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket="settings")
    refused(
        "InvalidTargetBucketForLogging",
        s3.put_bucket_logging,
        Bucket="settings",
        BucketLoggingStatus={"LoggingEnabled": dict(logging, TargetBucket="nowhere")},
    )
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "https only",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": ["arn:aws:s3:::settings", "arn:aws:s3:::settings/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }
    s3.put_bucket_policy(Bucket="settings", Policy=json.dumps(policy))
    assert json.loads(s3.get_bucket_policy(Bucket="settings")["Policy"]) == policy
    public = json.loads(json.dumps(policy))
    public["Statement"][0]["Effect"] = "Allow"
    del public["Statement"][0]["Condition"]
    refused(
        "AccessDenied", s3.put_bucket_policy, Bucket="settings", Policy=json.dumps(public)
    )
    public["Statement"][0]["Resource"] = "arn:aws:s3:::other/*"
    refused(
        "MalformedPolicy", s3.put_bucket_policy, Bucket="settings", Policy=json.dumps(public)
    )
    s3.delete_bucket_policy(Bucket="settings")
    controls = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert s3.get_bucket_ownership_controls(Bucket="settings")["OwnershipControls"] == controls
    s3.delete_public_access_block(Bucket="settings")
    refused(
        "NoSuchPublicAccessBlockConfiguration", s3.get_public_access_block, Bucket="settings"
    )
    s3.put_public_access_block(
        Bucket="settings", PublicAccessBlockConfiguration={"BlockPublicAcls": True}
    )
    names = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    assert {"settings", "settings-logs"} <= set(names)
    refused("BucketNotEmpty", s3.delete_bucket, Bucket="settings")


@check
def s3_names_are_taken_worldwide(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="taken")
    s3.create_bucket(Bucket="taken")
    foreign = server.client("s3", key="999999999999")
    refused("BucketAlreadyExists", foreign.create_bucket, Bucket="taken")
    refused("403", foreign.head_bucket, Bucket="taken")
    refused("AccessDenied", foreign.get_bucket_tagging, Bucket="taken")
    refused("404", foreign.head_bucket, Bucket="missing-bucket")
    refused("NoSuchBucket", s3.get_bucket_tagging, Bucket="missing-bucket")
    elsewhere = server.client("s3", "eu-west-1")
    # boto3 takes the region from the redirect and asks again.
    assert elsewhere.head_bucket(Bucket="taken")["BucketRegion"] == "us-east-1"
    redirects = [r for r in server.control("requests") if r["status"] == 301]
    assert redirects and redirects[-1]["operation"] == "HeadBucket"
    refused("AccessDenied", s3.get_bucket_tagging, Bucket="taken", ExpectedBucketOwner="1" * 12)
    assert s3.get_bucket_location(Bucket="taken").get("LocationConstraint") is None
    s3.delete_bucket(Bucket="taken")
    s3.get_waiter("bucket_not_exists").wait(Bucket="taken", WaiterConfig={"Delay": 0.1})


@check
def s3_objects_with_and_without_versions(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="objects")
    put = s3.put_object(
        Bucket="objects", Key="dir/ä b+c", Body=b"one", Metadata={"who": "me"}, ContentType="text/x"
    )
    assert "VersionId" not in put and put["ETag"] == '"f97c5d29941bfb1b2fdab0874906ab82"'
    got = s3.get_object(Bucket="objects", Key="dir/ä b+c", ChecksumMode="ENABLED")
    assert got["Body"].read() == b"one" and got["Metadata"] == {"who": "me"}
    assert got["ContentType"] == "text/x" and got["ServerSideEncryption"] == "AES256"
    part = s3.get_object(Bucket="objects", Key="dir/ä b+c", Range="bytes=1-")
    assert part["Body"].read() == b"ne" and part["ContentRange"] == "bytes 1-2/3"
    assert s3.head_object(Bucket="objects", Key="dir/ä b+c")["ContentLength"] == 3
    refused("NoSuchKey", s3.get_object, Bucket="objects", Key="none")
    refused("404", s3.head_object, Bucket="objects", Key="none")
    listed = s3.list_objects_v2(Bucket="objects")
    assert [entry["Key"] for entry in listed["Contents"]] == ["dir/ä b+c"]
    s3.delete_object(Bucket="objects", Key="dir/ä b+c")
    assert "Versions" not in s3.list_object_versions(Bucket="objects")

    s3.put_bucket_versioning(Bucket="objects", VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket="objects", Key="k", Body=b"1")["VersionId"]
    second = s3.put_object(Bucket="objects", Key="k", Body=b"2")["VersionId"]
    marker = s3.delete_object(Bucket="objects", Key="k")
    assert marker["DeleteMarker"] is True
    refused("NoSuchKey", s3.get_object, Bucket="objects", Key="k")
    refused(
        "MethodNotAllowed",
        s3.get_object,
        Bucket="objects",
        Key="k",
        VersionId=marker["VersionId"],
    )
    got = s3.get_object(Bucket="objects", Key="k", VersionId=first)
    assert got["Body"].read() == b"1" and got["VersionId"] == first
    listed = s3.list_object_versions(Bucket="objects")
    assert [v["VersionId"] for v in listed["Versions"]] == [second, first]
    assert listed["DeleteMarkers"][0]["IsLatest"] is True
    refused("BucketNotEmpty", s3.delete_bucket, Bucket="objects")
    every = [
        {"Key": v["Key"], "VersionId": v["VersionId"]}
        for v in listed["Versions"] + listed["DeleteMarkers"]
    ]
    answer = s3.delete_objects(Bucket="objects", Delete={"Objects": every})
    assert len(answer["Deleted"]) == 3 and "Errors" not in answer
    s3.delete_bucket(Bucket="objects")


@check
def s3_conditional_writes(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="conditional")
    etag = s3.put_object(Bucket="conditional", Key="lock", Body=b"1", IfNoneMatch="*")["ETag"]
    put = dict(Bucket="conditional", Key="lock", Body=b"2")
    refused("PreconditionFailed", s3.put_object, **put, IfNoneMatch="*")
    refused("PreconditionFailed", s3.put_object, **put, IfMatch='"0"')
    refused(
        "PreconditionFailed", s3.delete_object, Bucket="conditional", Key="lock", IfMatch='"0"'
    )
    refused(
        "NoSuchKey", s3.put_object, Bucket="conditional", Key="other", Body=b"", IfMatch=etag
    )
    etag = s3.put_object(**put, IfMatch=etag)["ETag"]
    refused("304", s3.get_object, Bucket="conditional", Key="lock", IfNoneMatch=etag)
    s3.delete_object(Bucket="conditional", Key="lock", IfMatch=etag)


@check
def s3_lists_in_pages(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="paged")
    s3.put_bucket_versioning(Bucket="paged", VersioningConfiguration={"Status": "Enabled"})
    keys = [f"{letter}/{number}" for letter in "abc" for number in range(5)]
    for key in keys:
        s3.put_object(Bucket="paged", Key=key, Body=b"")
        s3.put_object(Bucket="paged", Key=key, Body=b"x")
    size = {"PageSize": 4}
    pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket="paged", PaginationConfig=size))
    assert [o["Key"] for page in pages for o in page["Contents"]] == keys and len(pages) == 4
    pages = list(
        s3.get_paginator("list_object_versions").paginate(Bucket="paged", PaginationConfig=size)
    )
    versions = [v for page in pages for v in page.get("Versions", [])]
    assert [v["Key"] for v in versions] == [key for key in keys for _ in range(2)]
    assert [v["IsLatest"] for v in versions] == [True, False] * len(keys)
    assert len({v["VersionId"] for v in versions}) == len(versions)
    rolled = s3.list_objects_v2(Bucket="paged", Delimiter="/", MaxKeys=2)
    assert [p["Prefix"] for p in rolled["CommonPrefixes"]] == ["a/", "b/"]
    rest = s3.list_objects_v2(
        Bucket="paged", Delimiter="/", ContinuationToken=rolled["NextContinuationToken"]
    )
    assert [p["Prefix"] for p in rest["CommonPrefixes"]] == ["c/"] and not rest["IsTruncated"]
    resource = boto3.resource(
        "s3",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id="AKIATEST",
        aws_secret_access_key="secret",
    ).Bucket("paged")
    assert [o.key for o in resource.objects.all()] == keys
    resource.object_versions.delete()
    resource.delete()


@check
def s3_copies_and_multipart_uploads(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="parts")
    s3.put_object(Bucket="parts", Key="a", Body=b"data", Metadata={"x": "1"})
    s3.copy_object(Bucket="parts", Key="b", CopySource={"Bucket": "parts", "Key": "a"})
    got = s3.get_object(Bucket="parts", Key="b")
    assert got["Body"].read() == b"data" and got["Metadata"] == {"x": "1"}
    id = s3.create_multipart_upload(Bucket="parts", Key="big")["UploadId"]
    name = dict(Bucket="parts", Key="big", UploadId=id)
    large = b"x" * (5 * 1024 * 1024)
    etags = [
        s3.upload_part(**name, PartNumber=number, Body=body)["ETag"]
        for number, body in ((1, large), (2, b"end"))
    ]
    assert [part["PartNumber"] for part in s3.list_parts(**name)["Parts"]] == [1, 2]
    assert s3.list_multipart_uploads(Bucket="parts")["Uploads"][0]["UploadId"] == id
    parts = [{"PartNumber": n + 1, "ETag": etag} for n, etag in enumerate(etags)]
    refused(
        "InvalidPartOrder",
        s3.complete_multipart_upload,
        **name,
        MultipartUpload={"Parts": parts[::-1]},
    )
    done = s3.complete_multipart_upload(**name, MultipartUpload={"Parts": parts})
    assert done["ETag"].endswith('-2"')
    assert s3.get_object(Bucket="parts", Key="big")["Body"].read() == large + b"end"
    refused("NoSuchUpload", s3.abort_multipart_upload, **name)
    id = s3.create_multipart_upload(Bucket="parts", Key="never")["UploadId"]
    s3.abort_multipart_upload(Bucket="parts", Key="never", UploadId=id)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="parts")


@check
def s3_large_files_go_and_are_copied_in_parts(server):
    s3 = server.client("s3", read_timeout=30)
    s3.create_bucket(Bucket="large")
    content = bytes(range(256)) * 4096 * 9
    s3.upload_fileobj(io.BytesIO(content), "large", "sent")
    head = s3.head_object(Bucket="large", Key="sent", ChecksumMode="ENABLED")
    assert head["ETag"].endswith('-2"') and head["ChecksumCRC32"].endswith("-2"), head
    assert head["ChecksumType"] == "COMPOSITE", head
    s3.copy({"Bucket": "large", "Key": "sent"}, "large", "copied")
    assert s3.get_object(Bucket="large", Key="copied")["Body"].read() == content


@check
def what_is_not_modelled_is_named_in_the_services_own_way(server):
    for service, operation in (("ec2", "describe_vpcs"), ("sns", "list_topics"), ("route53", "list_hosted_zones")):
        try:
            getattr(server.client(service), operation)()
        except ClientError as error:
            told = error.response["Error"]
            assert told["Code"] == "UnknownOperationException", told
            assert f"does not model {service}:" in told["Message"], told
        else:
            raise AssertionError(service)


@check
def the_older_signature_is_named(server):
    signer = server.client("s3", signature_version="s3")
    address = signer.generate_presigned_url("get_object", Params={"Bucket": "hosted", "Key": "a"})
    assert "AWSAccessKeyId=" in address, address
    try:
        urllib.request.urlopen(address, timeout=5)
    except urllib.error.HTTPError as error:
        assert error.code == 400 and b"AWS4-HMAC-SHA256" in error.read()
    else:
        raise AssertionError("it was let in")


@check
def a_session_cannot_be_simulated(server):
    iam = server.client("iam")
    session = "arn:aws:sts::000000000000:assumed-role/role/session"
    refused("InvalidInput", iam.simulate_principal_policy, PolicySourceArn=session, ActionNames=["s3:GetObject"])


@check
def s3_virtual_hosts_and_presigned_addresses(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="hosted")
    s3.put_object(Bucket="hosted", Key="a b", Body=b"here")
    signer = server.client("s3", signature_version="s3v4")
    address = signer.generate_presigned_url("get_object", Params={"Bucket": "hosted", "Key": "a b"})
    assert urllib.request.urlopen(address, timeout=5).read() == b"here"
    port = server.url.rsplit(":", 1)[1]
    virtual = urllib.request.Request(
        address.replace("/hosted", "", 1), headers={"Host": f"hosted.s3.localhost:{port}"}
    )
    assert urllib.request.urlopen(virtual, timeout=5).read() == b"here"


@check
def healthlake_store_from_creation_to_deletion(server):
    hl = server.client("healthlake")
    kms = server.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    request = dict(
        DatastoreName="main",
        DatastoreTypeVersion="R4",
        ClientToken="token-1",
        SseConfiguration={
            "KmsEncryptionConfig": {"CmkType": "CUSTOMER_MANAGED_KMS_KEY", "KmsKeyId": key}
        },
        PreloadDataConfig={"PreloadDataType": "SYNTHEA"},
        Tags=[{"Key": "team", "Value": "health"}],
    )
    made = hl.create_fhir_datastore(**request)
    id = made["DatastoreId"]
    assert len(id) == 32 and made["DatastoreStatus"] == "CREATING"
    assert made["DatastoreArn"] == f"arn:aws:healthlake:us-east-1:{ACCOUNT}:datastore/fhir/{id}"
    assert made["DatastoreEndpoint"].endswith(f"/datastore/{id}/r4/")
    assert hl.create_fhir_datastore(**request)["DatastoreId"] == id
    refused("ValidationException", hl.create_fhir_datastore, **dict(request, DatastoreName="x"))
    refused("ConflictException", hl.delete_fhir_datastore, DatastoreId=id)
    hl.get_waiter("fhir_datastore_active").wait(DatastoreId=id, WaiterConfig={"Delay": 0.2, "MaxAttempts": 20})
    seen = hl.describe_fhir_datastore(DatastoreId=id)["DatastoreProperties"]
    assert seen["DatastoreStatus"] == "ACTIVE" and seen["DatastoreName"] == "main"
    assert seen["SseConfiguration"] == request["SseConfiguration"]
    assert seen["PreloadDataConfig"] == request["PreloadDataConfig"]
    assert seen["IdentityProviderConfiguration"]["AuthorizationStrategy"] == "AWS_AUTH"
    assert abs(seen["CreatedAt"].timestamp() - time.time()) < 60

    renamed = hl.update_fhir_datastore(DatastoreId=id, DatastoreName="renamed")
    assert renamed["DatastoreProperties"]["DatastoreStatus"] == "ACTIVE"
    changing = hl.update_fhir_datastore(DatastoreId=id, NlpConfiguration={"Status": "ENABLED"})
    assert changing["DatastoreProperties"]["DatastoreStatus"] == "UPDATING"
    assert changing["DatastoreProperties"]["NlpConfiguration"] == {"Status": "ENABLING"}
    refused("ConflictException", hl.update_fhir_datastore, DatastoreId=id, DatastoreName="no")
    hl.get_waiter("fhir_datastore_active").wait(DatastoreId=id, WaiterConfig={"Delay": 0.2, "MaxAttempts": 20})
    seen = hl.describe_fhir_datastore(DatastoreId=id)["DatastoreProperties"]
    assert seen["NlpConfiguration"] == {"Status": "ENABLED"} and seen["DatastoreName"] == "renamed"

    arn = made["DatastoreArn"]
    hl.tag_resource(ResourceARN=arn, Tags=[{"Key": "a", "Value": "b"}])
    hl.untag_resource(ResourceARN=arn, TagKeys=["team"])
    assert hl.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    assert hl.delete_fhir_datastore(DatastoreId=id)["DatastoreStatus"] == "DELETING"
    hl.get_waiter("fhir_datastore_deleted").wait(DatastoreId=id, WaiterConfig={"Delay": 0.2, "MaxAttempts": 20})
    seen = hl.describe_fhir_datastore(DatastoreId=id)["DatastoreProperties"]
    assert seen["DatastoreStatus"] == "DELETED"
    refused("ResourceNotFoundException", hl.describe_fhir_datastore, DatastoreId="0" * 32)


@check
def healthlake_is_strict(server):
    hl = server.client("healthlake", parameter_validation=False)
    create = hl.create_fhir_datastore
    refused("ValidationException", create)
    refused("ValidationException", create, DatastoreTypeVersion="STU3")
    refused("ValidationException", create, DatastoreTypeVersion="R4", DatastoreName="a*b")
    for encryption in (
        {"CmkType": "CUSTOMER_MANAGED_KMS_KEY", "KmsKeyId": "alias/none"},
        {"CmkType": "CUSTOMER_MANAGED_KMS_KEY"},
        {"CmkType": "OTHER"},
    ):
        refused(
            "ValidationException",
            create,
            DatastoreTypeVersion="R4",
            SseConfiguration={"KmsEncryptionConfig": encryption},
        )
    refused("ValidationException", hl.update_fhir_datastore, DatastoreId="0" * 32)
    refused(
        "ResourceNotFoundException",
        hl.update_fhir_datastore,
        DatastoreId="0" * 32,
        DatastoreName="a",
    )
    error = refused("ValidationException", hl.list_fhir_datastores, MaxResults=501)
    assert "maxResults" in str(error)


@check
def healthlake_lists_with_filters_in_pages(server):
    hl = server.client("healthlake", "eu-west-2")
    for number in range(5):
        hl.create_fhir_datastore(DatastoreTypeVersion="R4", DatastoreName=f"store-{number}")
    names, token = [], None
    while True:
        page = hl.list_fhir_datastores(MaxResults=2, **({"NextToken": token} if token else {}))
        names += [store["DatastoreName"] for store in page["DatastorePropertiesList"]]
        token = page.get("NextToken")
        if not token:
            break
    assert sorted(names) == [f"store-{number}" for number in range(5)]
    one = hl.list_fhir_datastores(Filter={"DatastoreName": "store-3"})
    assert len(one["DatastorePropertiesList"]) == 1
    assert hl.list_fhir_datastores(Filter={"DatastoreStatus": "DELETED"})[
        "DatastorePropertiesList"
    ] == []


@check
def a_creation_can_be_made_to_fail(server):
    server.faults(healthlake={"create_ends_as": "CREATE_FAILED", "error_message": "no Lake Formation"})
    hl = server.client("healthlake")
    id = hl.create_fhir_datastore(DatastoreTypeVersion="R4")["DatastoreId"]
    try:
        hl.get_waiter("fhir_datastore_active").wait(DatastoreId=id, WaiterConfig={"Delay": 0.2, "MaxAttempts": 20})
        raise AssertionError("the waiter was content")
    except WaiterError:
        pass
    seen = hl.describe_fhir_datastore(DatastoreId=id)["DatastoreProperties"]
    assert seen["DatastoreStatus"] == "CREATE_FAILED"
    assert seen["ErrorCause"]["ErrorMessage"] == "no Lake Formation"


@check
def what_is_left_out_is_named(server):
    error = refused("NotImplemented", server.client("iam").list_users)
    assert "hlctl-emulator does not model iam:ListUsers" in str(error)
    error = refused("UnknownOperationException", server.client("kms").generate_random, NumberOfBytes=1)
    assert "kms:GenerateRandom" in str(error)
    server.client("s3").create_bucket(Bucket="left-out")
    error = refused("NotImplemented", server.client("s3").list_bucket_metrics_configurations, Bucket="left-out")
    assert "s3:ListBucketMetricsConfigurations" in str(error)
    error = refused("UnknownOperationException", server.client("sqs").list_queues)
    assert "sqs" in str(error)


@check
def faults_throttle_deny_and_drop(server):
    server.faults(deny=["kms:CreateKey", "s3:ListBuckets", "iam:*"])
    error = refused("AccessDeniedException", server.client("kms").create_key)
    assert "not authorized to perform: kms:CreateKey" in str(error)
    refused("AccessDenied", server.client("s3").list_buckets)
    refused("AccessDenied", server.client("iam").list_roles)
    throttle = [{"nth": 1, "action": "throttle"}]
    for service, code, call in (
        ("kms", "ThrottlingException", lambda client: client.list_keys()),
        ("iam", "Throttling", lambda client: client.list_roles()),
        ("s3", "SlowDown", lambda client: client.list_buckets()),
        ("healthlake", "ThrottlingException", lambda client: client.list_fhir_datastores()),
    ):
        server.faults(rules=throttle)
        refused(code, call, server.client(service))
        server.faults(rules=throttle)
        call(server.client(service, retries=3))
    server.faults(rules=[{"operation": "CreateKey", "nth": 1, "action": "drop_after"}])
    kms = server.client("kms", "ap-southeast-2", retries=2)
    kms.create_key()
    assert len(kms.list_keys()["Keys"]) == 2, "the lost answer's key is there as well"
    server.faults(rules=[{"nth": 1, "action": "drop_before"}])
    kms.create_key()
    assert len(kms.list_keys()["Keys"]) == 3
    server.faults(rules=[{"nth": 1, "action": "html"}])
    # botocore takes a page of HTML for an answer without members.
    answer = server.client("healthlake").list_fhir_datastores()
    assert "DatastorePropertiesList" not in answer
    server.faults(rules=[{"action": {"error": {"code": "OperationAborted", "message": "m", "status": 409}}}])
    refused("OperationAborted", server.client("s3").create_bucket, Bucket="aborted-bucket")


@check
def requests_are_counted(server):
    server.control("requests", "DELETE")
    server.client("kms").list_keys()
    server.client("sts").get_caller_identity()
    records = server.control("requests")
    assert [(r["service"], r["operation"], r["status"]) for r in records] == [
        ("kms", "ListKeys", 200),
        ("sts", "GetCallerIdentity", 200),
    ]
    assert server.control("health") == {"status": "ok"}


def in_a_data_directory():
    """State is seen by another process and outlives a kill."""
    with tempfile.TemporaryDirectory() as directory:
        first = Server("--data-dir", directory, "--create-delay", "1")
        second = Server("--data-dir", directory)
        s3, other = first.client("s3"), second.client("s3")
        s3.create_bucket(Bucket="shared")
        other.put_bucket_versioning(
            Bucket="shared", VersioningConfiguration={"Status": "Enabled"}
        )
        s3.put_object(Bucket="shared", Key="a", Body=b"from the first")
        assert other.get_object(Bucket="shared", Key="a")["Body"].read() == b"from the first"
        other.delete_object(Bucket="shared", Key="a")
        assert len(s3.list_object_versions(Bucket="shared")["DeleteMarkers"]) == 1
        store = first.client("healthlake").create_fhir_datastore(DatastoreTypeVersion="R4")
        id = store["DatastoreId"]
        first.kill()
        second.kill()
        index = next(
            os.path.join(parent, name)
            for parent, _, names in os.walk(directory)
            for name in names
            if name == "index.jsonl"
        )
        with open(index, "ab") as file:
            file.write(b'{"put":{"key":"half')
        with Server("--data-dir", directory) as third:
            s3 = third.client("s3")
            s3.put_object(Bucket="shared", Key="b", Body=b"after the kill")
            assert s3.get_object(Bucket="shared", Key="b")["Body"].read() == b"after the kill"
            assert len(s3.list_object_versions(Bucket="shared")["Versions"]) == 2
            hl = third.client("healthlake")
            hl.get_waiter("fhir_datastore_active").wait(
                DatastoreId=id, WaiterConfig={"Delay": 0.3, "MaxAttempts": 20}
            )


def access_logs_keep_the_logs_bucket_from_being_empty():
    with Server("--access-logs") as server:
        s3 = server.client("s3")
        for bucket in ("seen", "seen-logs"):
            s3.create_bucket(Bucket=bucket)
        policy = {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Principal": {"Service": "logging.s3.amazonaws.com"},
                "Action": "s3:PutObject",
                "Resource": "arn:aws:s3:::seen-logs/*",
                "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
            },
        }
        logging = {"TargetBucket": "seen-logs", "TargetPrefix": "log/seen/"}
        s3.put_bucket_logging(Bucket="seen", BucketLoggingStatus={"LoggingEnabled": logging})
        s3.put_object(Bucket="seen", Key="k", Body=b"")
        assert s3.list_objects_v2(Bucket="seen-logs")["KeyCount"] == 0
        s3.put_bucket_policy(Bucket="seen-logs", Policy=json.dumps(policy))
        s3.put_object(Bucket="seen", Key="k", Body=b"")
        listed = s3.list_objects_v2(Bucket="seen-logs")
        assert listed["KeyCount"] == 1 and listed["Contents"][0]["Key"].startswith("log/seen/")
        refused("BucketNotEmpty", s3.delete_bucket, Bucket="seen-logs")


def rate_limits_allow_one_creation_a_minute():
    with Server("--rate-limits") as server:
        hl = server.client("healthlake")
        hl.create_fhir_datastore(DatastoreTypeVersion="R4")
        refused("ThrottlingException", hl.create_fhir_datastore, DatastoreTypeVersion="R4")


def new_things_are_unseen_for_a_while():
    with Server("--faults", '{"propagation":{"iam_ms":400,"kms_ms":400,"s3_ms":400}}') as server:
        iam, kms, s3 = (server.client(name) for name in ("iam", "kms", "s3"))
        role = iam.create_role(RoleName="young", AssumeRolePolicyDocument=trust())["Role"]
        refused("NoSuchEntity", iam.get_role, RoleName="young")
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": [f"arn:aws:iam::{ACCOUNT}:root", role["Arn"]]},
                    "Action": "kms:*",
                    "Resource": "*",
                }
            ],
        }
        refused("MalformedPolicyDocumentException", kms.create_key, Policy=json.dumps(policy))
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        refused("NotFoundException", kms.describe_key, KeyId=key)
        s3.create_bucket(Bucket="young")
        refused("404", s3.head_bucket, Bucket="young")
        time.sleep(0.45)
        iam.get_role(RoleName="young")
        kms.create_key(Policy=json.dumps(policy))
        kms.describe_key(KeyId=key)
        s3.head_bucket(Bucket="young")


def main():
    delays = ["--create-delay", "0.5", "--update-delay", "0.5", "--delete-delay", "0.5"]

    def attempts():
        with Server(*delays) as server:
            for run in CHECKS:
                server.faults()
                yield run.__name__, lambda: run(server)
        for run in (
            in_a_data_directory,
            access_logs_keep_the_logs_bucket_from_being_empty,
            rate_limits_allow_one_creation_a_minute,
            new_things_are_unseen_for_a_while,
        ):
            yield run.__name__, run

    return attempt_all(attempts())


if __name__ == "__main__":
    sys.exit(main())
