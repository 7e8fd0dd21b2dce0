"""Makes hlctl's stack with boto3, one call after another. boto3_stack.py STORE DATA_BUCKET LOGS_BUCKET SECONDS"""

import json
import sys
import time

import boto3
from botocore.config import Config


def make(name, data, logs, poll_seconds):
    """What a script without a graph does: one call, its answer, the next call."""
    one_try = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    sts, kms, s3, iam, healthlake = (
        boto3.client(service, config=one_try) for service in ("sts", "kms", "s3", "iam", "healthlake")
    )

    def document(*statements):
        return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})

    account = sts.get_caller_identity()["Account"]
    root = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "kms:*", "Resource": "*"}
    keys = []
    for _ in range(2):
        key = kms.create_key(Policy=document(root), Tags=[{"TagKey": "by", "TagValue": "boto3"}])["KeyMetadata"]["Arn"]
        kms.enable_key_rotation(KeyId=key)
        keys.append(key)
    uploads = {"Status": "Enabled", "Filter": {"Prefix": ""}, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}}
    ageing = {
        "ID": "transition",
        "Status": "Enabled",
        "Filter": {"Prefix": "log/"},
        "Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}, {"Days": 365, "StorageClass": "GLACIER"}],
        "Expiration": {"Days": 1825},
    }
    settings = [
        (data, {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": keys[0]}, [uploads | {"ID": "log"}]),
        (logs, {"SSEAlgorithm": "AES256"}, [uploads | {"ID": "failed-uploads"}, ageing]),
    ]
    for bucket, encryption, rules in settings:
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "by", "Value": "boto3"}]})
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        flags = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=dict.fromkeys(flags, True))
        rule = {"ApplyServerSideEncryptionByDefault": encryption, "BucketKeyEnabled": "KMSMasterKeyID" in encryption}
        s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
        s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
        resources = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
        plain_http = {"Bool": {"aws:SecureTransport": "false"}}
        refuse = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": resources, "Condition": plain_http}
        deliver = {
            "Effect": "Allow",
            "Principal": {"Service": "logging.s3.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": f"arn:aws:s3:::{logs}/*",
            "Condition": {"StringEquals": {"aws:SourceAccount": account}},
        }
        s3.put_bucket_policy(Bucket=bucket, Policy=document(refuse, *([deliver] if bucket == logs else [])))
    for bucket, prefix in ((data, f"log/{data}/"), (logs, "log/")):
        target = {"LoggingEnabled": {"TargetBucket": logs, "TargetPrefix": prefix}}
        s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus=target)
    customer_key = {"CmkType": "CUSTOMER_MANAGED_KMS_KEY", "KmsKeyId": keys[1]}
    store = healthlake.create_fhir_datastore(
        DatastoreName=name,
        DatastoreTypeVersion="R4",
        SseConfiguration={"KmsEncryptionConfig": customer_key},
        Tags=[{"Key": "by", "Value": "boto3"}],
    )
    while healthlake.describe_fhir_datastore(DatastoreId=store["DatastoreId"])["DatastoreProperties"][
        "DatastoreStatus"
    ] != "ACTIVE":
        time.sleep(float(poll_seconds))
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "healthlake.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": account},
            "ArnEquals": {"aws:SourceArn": store["DatastoreArn"]},
        },
    }
    iam.create_role(RoleName="Boto3Role", AssumeRolePolicyDocument=document(trust))
    use = [
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"arn:aws:s3:::{data}/*"},
        {"Effect": "Allow", "Action": ["kms:DescribeKey", "kms:GenerateDataKey*", "kms:Decrypt"], "Resource": keys[0]},
    ]
    policy = iam.create_policy(PolicyName="Boto3Policy", PolicyDocument=document(*use))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="Boto3Role", PolicyArn=policy)


if __name__ == "__main__":
    make(*sys.argv[1:])
