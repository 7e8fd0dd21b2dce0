"""What boto3 must read back after an apply: every attribute of the module's table, its faults mended."""

import json
import tomllib

import smart_attributes
from compare import as_lists, by_sid, equal, listed, tags_of

OUTPUTS = {
    "cognito_domain",
    "cognito_oauth_endpoints",
    "cognito_scopes",
    "datastore_arn",
    "datastore_endpoint",
    "datastore_kms_key_arn",
    "export_role_arn",
    "s3_bucket",
    "s3_kms_key_arn",
}


class Check:
    def __init__(self, stack):
        self.stack = stack
        self.config = tomllib.loads(stack.config.read_text())
        self.outputs = stack.outputs()
        self.account = stack.client("sts").get_caller_identity()["Account"]

    def all(self):
        added = smart_attributes.OUTPUTS if self.config.get("smart_on_fhir") else set()
        equal("the outputs' names", set(self.outputs), OUTPUTS | added)
        self.keys()
        self.data_bucket()
        self.logs_bucket()
        self.store()
        self.role_and_policy()
        if self.config.get("smart_on_fhir"):
            smart_attributes.SmartCheck(self).all()

    def tags(self, what, seen, address):
        seen = dict(seen)
        stack = seen.pop("hlctl:stack")
        assert stack, f"{what} names no stack"
        equal(f"the tags of {what}", seen, {"hlctl:address": address, **self.config.get("tags", {})})
        return stack

    def keys(self):
        self.key(self.outputs["s3_kms_key_arn"], "kms_key.s3")
        if self.config.get("create_kms_key"):
            self.key(self.outputs["datastore_kms_key_arn"], "kms_key.datastore")
        else:
            equal("datastore_kms_key_arn", self.outputs["datastore_kms_key_arn"], None)

    def key(self, arn, address):
        kms = self.stack.client("kms")
        metadata = kms.describe_key(KeyId=arn)["KeyMetadata"]
        equal(f"the state of {address}", metadata["KeyState"], "Enabled")
        equal(f"the spec of {address}", metadata["KeySpec"], "SYMMETRIC_DEFAULT")
        equal(f"the rotation of {address}", kms.get_key_rotation_status(KeyId=arn)["KeyRotationEnabled"], True)
        self.tags(address, tags_of(kms.list_resource_tags(KeyId=arn)["Tags"], "TagKey", "TagValue"), address)
        statements = by_sid(kms.get_key_policy(KeyId=arn, PolicyName="default")["Policy"])
        root = statements.pop("AccountAccess")
        equal("the account's access", root["Principal"], {"AWS": [f"arn:aws:iam::{self.account}:root"]})
        equal("the account's actions", root["Action"], ["kms:*"])
        admin = self.config.get("kms_admin_iam_arn")
        if admin:
            statement = statements.pop("KeyAdministration")
            equal("the administrator", statement["Principal"], {"AWS": [admin]})
            assert {"kms:TagResource", "kms:ScheduleKeyDeletion", "kms:Put*"} <= set(statement["Action"])
            assert not {"kms:*", "kms:Decrypt", "kms:Encrypt"} & set(statement["Action"])
        equal("other statements of the key", statements, {})

    def bucket(self, name, address):
        s3 = self.stack.client("s3")
        self.tags(address, tags_of(s3.get_bucket_tagging(Bucket=name)["TagSet"]), address)
        equal("versioning", s3.get_bucket_versioning(Bucket=name)["Status"], "Enabled")
        block = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
        flags = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        equal("public access", block, dict.fromkeys(flags, True))
        statements = by_sid(s3.get_bucket_policy(Bucket=name)["Policy"])
        refuse = statements["RefusePlainHttp"]
        equal("plain HTTP", (refuse["Effect"], refuse["Principal"]), ("Deny", {"AWS": ["*"]}))
        equal("its condition", refuse["Condition"], {"Bool": {"aws:SecureTransport": ["false"]}})
        equal("its resources", set(refuse["Resource"]), {f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"})
        old = statements.get("RefuseOldTls", {}).get("Condition")
        equal("old TLS", old, {"NumericLessThan": {"s3:TlsVersion": ["1.2"]}})
        return s3, statements

    def encryption(self, s3, name):
        rules = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
        equal("encryption rules", len(rules), 1)
        return rules[0]

    def rules(self, s3, name):
        rules = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
        assert all(rule["Status"] == "Enabled" for rule in rules)
        return {rule["ID"]: rule for rule in rules}

    def data_bucket(self):
        name = self.config["data_bucket_name"]
        equal("s3_bucket", self.outputs["s3_bucket"], name)
        s3, _ = self.bucket(name, "s3_bucket.data")
        rule = self.encryption(s3, name)
        default = rule["ApplyServerSideEncryptionByDefault"]
        equal("encryption", default, {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": self.outputs["s3_kms_key_arn"]})
        equal("the bucket key", rule["BucketKeyEnabled"], True)
        rules = self.rules(s3, name)
        days = self.config.get("transfer_retention_in_days")
        equal("lifecycle rules", set(rules), {"log", "import", "export"} if days else {"log"})
        for folder in ("import", "export") if days else ():
            rule = rules[folder]
            prefix = rule.get("Filter", {}).get("Prefix", rule.get("Prefix"))
            equal(f"{folder}: prefix", prefix, f"{folder}/")
            equal(f"{folder}: days", rule["Expiration"]["Days"], days)
            equal(f"{folder}: days of old versions", rule["NoncurrentVersionExpiration"]["NoncurrentDays"], 1)
        equal("unfinished uploads", rules["log"]["AbortIncompleteMultipartUpload"], {"DaysAfterInitiation": 7})
        logging = s3.get_bucket_logging(Bucket=name)["LoggingEnabled"]
        equal("the logs' target", logging["TargetBucket"], self.config["logs_bucket_name"])
        equal("the logs' prefix", logging["TargetPrefix"], f"log/{name}/")

    def logs_bucket(self):
        name, data = self.config["logs_bucket_name"], self.config["data_bucket_name"]
        s3, statements = self.bucket(name, "s3_bucket.access_logs")
        default = self.encryption(s3, name)["ApplyServerSideEncryptionByDefault"]
        equal("encryption", default["SSEAlgorithm"], "AES256")
        rules = self.rules(s3, name)
        equal("lifecycle rules", set(rules), {"failed-uploads", "transition"})
        equal("unfinished uploads", rules["failed-uploads"]["AbortIncompleteMultipartUpload"], {"DaysAfterInitiation": 7})
        ageing = rules["transition"]
        prefix = ageing["Filter"].get("Prefix", ageing.get("Prefix"))
        equal("the ageing logs", prefix, "log/")
        moves = {move["StorageClass"]: move["Days"] for move in ageing["Transitions"]}
        equal("transitions", moves, {"STANDARD_IA": 30, "GLACIER": 365})
        equal("expiry", ageing["Expiration"]["Days"], 1825)
        own = self.config.get("logs_bucket_self_logging", True)
        delivery = statements["AccessLogDelivery"]
        equal("who delivers logs", delivery["Principal"], {"Service": ["logging.s3.amazonaws.com"]})
        equal("what may be delivered", (delivery["Action"], delivery["Resource"]), (["s3:PutObject"], [f"arn:aws:s3:::{name}/*"]))
        equal("for whom", delivery["Condition"]["StringEquals"], {"aws:SourceAccount": [self.account]})
        sources = {f"arn:aws:s3:::{data}"} | ({f"arn:aws:s3:::{name}"} if own else set())
        equal("from where", set(delivery["Condition"]["ArnLike"]["aws:SourceArn"]), sources)
        logging = s3.get_bucket_logging(Bucket=name).get("LoggingEnabled")
        if own:
            equal("its own logs", (logging["TargetBucket"], logging["TargetPrefix"]), (name, "log/"))
        else:
            equal("its own logs", logging, None)

    def store(self):
        healthlake = self.stack.client("healthlake")
        arn = self.outputs["datastore_arn"]
        store = healthlake.describe_fhir_datastore(DatastoreId=arn.rsplit("/", 1)[1])["DatastoreProperties"]
        equal("the store's ARN", store["DatastoreArn"], arn)
        equal("the store's endpoint", store["DatastoreEndpoint"], self.outputs["datastore_endpoint"])
        equal("the store's name", store["DatastoreName"], self.config["datastore_name"])
        equal("the store's status", store["DatastoreStatus"], "ACTIVE")
        equal("the FHIR version", store["DatastoreTypeVersion"], "R4")
        encryption = store["SseConfiguration"]["KmsEncryptionConfig"]
        wanted = {"CmkType": "AWS_OWNED_KMS_KEY"}
        if self.config.get("create_kms_key"):
            wanted = {"CmkType": "CUSTOMER_MANAGED_KMS_KEY", "KmsKeyId": self.outputs["datastore_kms_key_arn"]}
        equal("the store's encryption", encryption, wanted)
        preload = {"PreloadDataType": "SYNTHEA"} if self.config.get("preload_data") else None
        equal("preloaded data", store.get("PreloadDataConfig"), preload)
        tags = healthlake.list_tags_for_resource(ResourceARN=arn)["Tags"]
        self.tags("the store", tags_of(tags), "healthlake_fhir_datastore.this")

    def role_and_policy(self):
        iam = self.stack.client("iam")
        name = self.config.get("healthlake_role_name", "HealthLakeImportExportRole")
        role = iam.get_role(RoleName=name)["Role"]
        equal("export_role_arn", role["Arn"], self.outputs["export_role_arn"])
        self.tags("the role", tags_of(iam.list_role_tags(RoleName=name)["Tags"]), "iam_role.healthlake")
        (trust,) = by_sid(role["AssumeRolePolicyDocument"]).values()
        equal("the trusted service", trust["Principal"], {"Service": ["healthlake.amazonaws.com"]})
        equal("trust", trust["Action"], ["sts:AssumeRole"])
        conditions = {
            "StringEquals": {"aws:SourceAccount": [self.account]},
            "ArnEquals": {"aws:SourceArn": [self.outputs["datastore_arn"]]},
        }
        equal("its conditions", trust["Condition"], conditions)
        attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
        policy_name = self.config.get("healthlake_policy_name", "HealthLakeImportExportPolicy")
        equal("attached policies", [policy["PolicyName"] for policy in attached], [policy_name])
        arn = attached[0]["PolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        self.tags("the policy", tags_of(iam.list_policy_tags(PolicyArn=arn)["Tags"]), "iam_policy.healthlake")
        data = f"arn:aws:s3:::{self.config['data_bucket_name']}"
        allowed = {(action, resource) for one in by_sid(document).values() for action in one["Action"] for resource in one["Resource"]}
        wanted = {(f"s3:{action}", data) for action in ("ListBucket", "GetBucketPublicAccessBlock", "GetEncryptionConfiguration")}
        wanted |= {(f"s3:{action}", f"{data}/*") for action in ("GetObject", "PutObject")}
        wanted |= {(f"kms:{action}", self.outputs["s3_kms_key_arn"]) for action in ("DescribeKey", "GenerateDataKey*", "Decrypt")}
        equal("what the role may do", allowed, wanted)


def nothing_left(stack):
    """After a destroy: no buckets, roles or policies of ours, no living store, and keys that are ending."""
    config = tomllib.loads(stack.config.read_text())
    buckets = {bucket["Name"] for bucket in stack.client("s3").list_buckets()["Buckets"]}
    assert not buckets & {config["data_bucket_name"], config["logs_bucket_name"]}, buckets
    iam = stack.client("iam")
    equal("roles", [role["RoleName"] for role in iam.list_roles()["Roles"] if "HealthLake" in role["RoleName"]], [])
    equal("policies", iam.list_policies(Scope="Local")["Policies"], [])
    smart_attributes.nothing_left(stack)
    stores = stack.client("healthlake").list_fhir_datastores()["DatastorePropertiesList"]
    equal("stores", [store for store in stores if store["DatastoreStatus"] != "DELETED"], [])
    kms = stack.client("kms")
    days = config.get("kms_deletion_window_in_days", 30)
    for key in kms.list_keys()["Keys"]:
        metadata = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
        if metadata["KeyManager"] == "CUSTOMER":
            equal("a key", metadata["KeyState"], "PendingDeletion")
            left = metadata["DeletionDate"] - metadata["CreationDate"]
            assert abs(left.total_seconds() / 86400 - days) < 1.1, f"{left} instead of {days} days"
