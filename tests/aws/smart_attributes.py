"""What boto3 must read back of the SMART half of a stack."""

import json

from compare import by_sid, equal

OUTPUTS = {"cognito_client_id", "cognito_domain_prefix", "cognito_machine_client_id", "cognito_user_pool_id"}
PASSWORD_POLICY = {
    "MinimumLength": 8,
    "RequireUppercase": True,
    "RequireLowercase": True,
    "RequireNumbers": True,
    "RequireSymbols": True,
    "TemporaryPasswordValidityDays": 7,
}
STANDARD = {
    "address", "birthdate", "email", "email_verified", "family_name", "gender", "given_name", "locale", "middle_name", "name", "nickname",
    "phone_number", "phone_number_verified", "picture", "preferred_username", "profile", "updated_at", "website", "zoneinfo",
}


class SmartCheck:
    def __init__(self, check):
        self.check, self.stack, self.config, self.outputs = check, check.stack, check.config, check.outputs
        self.account = check.account
        self.pool = self.outputs["cognito_user_pool_id"]
        self.cognito = self.stack.client("cognito-idp")
        self.name = self.config.get("lambda_function_name", "healthlake_token_validator")
        self.hardened = self.config.get("hardened", False)
        self.system = sorted(self.config.get("cognito_system_scopes", ["*.*"]))
        self.patient = sorted(self.config.get("cognito_patient_scopes", ["*.read"]))
        self.service_role = self.config.get("healthlake_service_role_name", "healthlake-service-role")

    def all(self):
        self.endpoints()
        self.user_pool()
        self.servers()
        self.clients()
        self.users()
        self.function()
        self.lambda_role()
        self.service()
        self.identity_provider()

    def endpoints(self):
        domain = self.config["cognito_domain"]
        base = f"https://{domain}.auth.us-east-1.amazoncognito.com/oauth2"
        jwks = f"https://cognito-idp.us-east-1.amazonaws.com/{self.pool}/.well-known/jwks.json"
        wanted = {"authorization": f"{base}/authorize", "token": f"{base}/token", "userinfo": f"{base}/userInfo", "jwks": jwks}
        equal("cognito_oauth_endpoints", self.outputs["cognito_oauth_endpoints"], wanted)
        equal("cognito_domain", self.outputs["cognito_domain"], base.removesuffix("/oauth2"))
        equal("cognito_domain_prefix", self.outputs["cognito_domain_prefix"], domain)
        scopes = {"launch": ["launch/patient"], "system": self.scopes("system"), "patient": self.scopes("patient")}
        equal("cognito_scopes", self.outputs["cognito_scopes"], scopes)

    def scopes(self, server):
        return [f"{server}/{scope}" for scope in getattr(self, server)]

    def user_pool(self):
        pool = self.cognito.describe_user_pool(UserPoolId=self.pool)["UserPool"]
        equal("the pool's name", pool["Name"], self.config.get("cognito_user_pool_name", "smart-on-fhir-healthlake-cognito"))
        policy = pool["Policies"]["PasswordPolicy"]
        wanted = {**PASSWORD_POLICY, "MinimumLength": 14 if self.hardened else 8}
        equal("the password policy", {key: policy.get(key) for key in PASSWORD_POLICY}, wanted)
        equal("the alias", pool["AliasAttributes"], ["email"])
        equal("what is verified", pool["AutoVerifiedAttributes"], ["email"])
        equal("who makes users", pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"], True)
        recovery = [way["Name"] for way in pool["AccountRecoverySetting"]["RecoveryMechanisms"]]
        equal("recovery", recovery, ["verified_email"])
        equal("case", pool["UsernameConfiguration"]["CaseSensitive"], False)
        # moto's description of a pool does not follow what was set apart from it.
        mfa = self.cognito.get_user_pool_mfa_config(UserPoolId=pool["Id"])["MfaConfiguration"]
        equal("MFA", mfa, self.config.get("cognito_mfa_configuration", "ON" if self.hardened else "OFF"))
        wanted = self.config.get("cognito_deletion_protection", "ACTIVE" if self.hardened else "INACTIVE")
        equal("protection", pool.get("DeletionProtection", "INACTIVE"), wanted)
        equal("verification", pool["VerificationMessageTemplate"]["DefaultEmailOption"], "CONFIRM_WITH_CODE")
        settings = pool["UserAttributeUpdateSettings"]["AttributesRequireVerificationBeforeUpdate"]
        equal("verified before update", settings, ["email"])
        email = next(attribute for attribute in pool["SchemaAttributes"] if attribute["Name"] == "email")
        equal("the email attribute", (email["AttributeDataType"], email["Mutable"], email["Required"]), ("String", True, True))
        equal("its length", email["StringAttributeConstraints"], {"MinLength": "0", "MaxLength": "2048"})
        self.check.tags("the pool", pool["UserPoolTags"], "cognito_user_pool.main")
        domain = self.cognito.describe_user_pool_domain(Domain=self.config["cognito_domain"])["DomainDescription"]
        equal("the domain's pool", domain["UserPoolId"], self.pool)

    def servers(self):
        for identifier, scopes in (("launch", ["patient"]), ("system", self.system), ("patient", self.patient)):
            server = self.cognito.describe_resource_server(UserPoolId=self.pool, Identifier=identifier)["ResourceServer"]
            equal(f"the scopes of {identifier}", sorted(scope["ScopeName"] for scope in server["Scopes"]), scopes)

    def clients(self):
        app = self.client("cognito_client_id")
        equal("its flow", app["AllowedOAuthFlows"], ["code"])
        scopes = {"openid", "profile", "email", "phone", "launch/patient", *self.scopes("system"), *self.scopes("patient")}
        equal("its scopes", set(app["AllowedOAuthScopes"]), scopes)
        equal("its callbacks", set(app["CallbackURLs"]), set(self.config["cognito_callback_urls"]))
        equal("what it reads", set(app["ReadAttributes"]), STANDARD)
        equal("what it writes", set(app["WriteAttributes"]), STANDARD - {"email_verified", "phone_number_verified"})
        machine = self.client("cognito_machine_client_id")
        equal("the machine's flow", machine["AllowedOAuthFlows"], ["client_credentials"])
        equal("the machine's scopes", sorted(machine["AllowedOAuthScopes"]), self.scopes("system"))

    def client(self, output):
        described = self.cognito.describe_user_pool_client(UserPoolId=self.pool, ClientId=self.outputs[output])
        client = described["UserPoolClient"]
        assert client["ClientSecret"], f"{output} has no secret"
        equal("its providers", client["SupportedIdentityProviders"], ["COGNITO"])
        equal("hides users", client["PreventUserExistenceErrors"], "ENABLED")
        validity = [client[f"{token}TokenValidity"] for token in ("Access", "Id", "Refresh")]
        equal("its tokens", validity, [60, 60, 30])
        equal("their units", client["TokenValidityUnits"], {"AccessToken": "minutes", "IdToken": "minutes", "RefreshToken": "days"})
        return client

    def users(self):
        for user in self.config.get("cognito_test_users", []):
            found = self.cognito.admin_get_user(UserPoolId=self.pool, Username=user["username"])
            equal("the user's status", found["UserStatus"], "CONFIRMED")
            attributes = {attribute["Name"]: attribute["Value"] for attribute in found["UserAttributes"]}
            for name in ("email", "preferred_username"):
                equal(f"the user's {name}", attributes[name], user[name])
            equal("the user's verification", attributes["email_verified"], str(user["email_verified"]).lower())

    def function(self):
        functions = self.stack.client("lambda")
        found = functions.get_function(FunctionName=self.name)
        function = found["Configuration"]
        equal("the runtime", (function["Runtime"], function["Handler"]), ("provided.al2023", "bootstrap"))
        timeout = 5 if self.hardened else 30
        equal("the size", (function["MemorySize"], function["Timeout"]), (self.config.get("lambda_memory_size", 256), timeout))
        self.hardening(found)
        equal("the processor", function["Architectures"], ["x86_64"])
        role = self.config.get("lambda_role_name", "healthlake_token_validator_role")
        equal("the function's role", function["Role"], f"arn:aws:iam::{self.account}:role/{role}")
        wanted = {
            "CLIENT_ID": self.outputs["cognito_client_id"],
            "MACHINE_CLIENT_ID": self.outputs["cognito_machine_client_id"],
            "JWKS_URI": self.outputs["cognito_oauth_endpoints"]["jwks"],
            "USER_POOL_ID": self.pool,
            "USER_ROLE_ARN": f"arn:aws:iam::{self.account}:role/{self.service_role}",
            "IS_AUTHORIZED_FORMAT": "boolean",
        }
        equal("the variables", function["Environment"]["Variables"], wanted)
        self.check.tags("the function", found["Tags"], "lambda_function.token_validator")
        (statement,) = json.loads(functions.get_policy(FunctionName=self.name)["Policy"])["Statement"]
        seen = (statement["Sid"], statement["Action"], statement["Principal"], statement.get("Condition"))
        equal("who may call it", seen, ("healthlake", "lambda:InvokeFunction", {"Service": "healthlake.amazonaws.com"}, None))
        logs = self.stack.client("logs")
        (group,) = logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{self.name}")["logGroups"]
        equal("the retention", group["retentionInDays"], self.config.get("lambda_log_retention_in_days", 365))
        tags = logs.list_tags_for_resource(resourceArn=group["arn"].removesuffix(":*"))["tags"]
        self.check.tags("the log group", tags, "cloudwatch_log_group.token_validator")

    def hardening(self, found):
        function = found["Configuration"]
        equal("tracing", function.get("TracingConfig", {}).get("Mode"), "Active" if self.hardened else "PassThrough")
        equal("concurrency", found.get("Concurrency", {}).get("ReservedConcurrentExecutions"), 50 if self.hardened else None)
        key = function.get("KMSKeyArn") or None
        equal("whether it has a key", key is not None, self.hardened)
        if key:
            self.check.key(key, "kms_key.lambda")

    def lambda_role(self):
        iam = self.stack.client("iam")
        name = self.config.get("lambda_role_name", "healthlake_token_validator_role")
        (trust,) = by_sid(iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]).values()
        on_behalf = {"StringEquals": {"aws:SourceAccount": [self.account]}}
        equal("whom the function's role trusts", (trust["Principal"], trust["Condition"]), ({"Service": ["lambda.amazonaws.com"]}, on_behalf))
        attached = [policy["PolicyArn"] for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]]
        equal("what is attached", attached, ["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"])
        inline = self.config.get("lambda_cognito_access_role", "fhir_cognito_access")
        statements = by_sid(iam.get_role_policy(RoleName=name, PolicyName=inline)["PolicyDocument"])
        equal("its own policy", set(statements), {"CognitoUser", "NoLogGroups", *(("Tracing", "EnvironmentKey") if self.hardened else ())})
        statement = statements["NoLogGroups"]
        equal("what it may not", (statement["Effect"], statement["Action"]), ("Deny", ["logs:CreateLogGroup"]))
        statement = statements["CognitoUser"]
        equal("what it may ask Cognito", (statement["Action"], statement["Resource"]), (["cognito-idp:GetUser"], ["*"]))

    def service(self):
        iam = self.stack.client("iam")
        (trust,) = by_sid(iam.get_role(RoleName=self.service_role)["Role"]["AssumeRolePolicyDocument"]).values()
        arn = self.outputs["datastore_arn"]
        wanted = {"StringEquals": {"aws:SourceAccount": [self.account]}, "ArnEquals": {"aws:SourceArn": [arn]}}
        equal("the service role's trust", (trust["Principal"], trust["Condition"]), ({"Service": ["healthlake.amazonaws.com"]}, wanted))
        (attached,) = iam.list_attached_role_policies(RoleName=self.service_role)["AttachedPolicies"]
        version = iam.get_policy(PolicyArn=attached["PolicyArn"])["Policy"]["DefaultVersionId"]
        document = iam.get_policy_version(PolicyArn=attached["PolicyArn"], VersionId=version)["PolicyVersion"]["Document"]
        data = by_sid(document)["FhirData"]
        equal("on what", data["Resource"], [arn])
        assert {"healthlake:ReadResource", "healthlake:SearchWithGet", "healthlake:CreateResource"} <= set(data["Action"])
        assert not [action for action in data["Action"] if "*" in action or "Datastore" in action], data["Action"]

    def identity_provider(self):
        arn = self.outputs["datastore_arn"]
        healthlake = self.stack.client("healthlake")
        store = healthlake.describe_fhir_datastore(DatastoreId=arn.rsplit("/", 1)[1])["DatastoreProperties"]
        provider = store["IdentityProviderConfiguration"]
        equal("the strategy", provider["AuthorizationStrategy"], "SMART_ON_FHIR_V1")
        equal("fine-grained", provider["FineGrainedAuthorizationEnabled"], True)
        equal("the validator", provider["IdpLambdaArn"], f"arn:aws:lambda:us-east-1:{self.account}:function:{self.name}")
        metadata = json.loads(provider["Metadata"])
        equal("the token endpoint", metadata["token_endpoint"], self.outputs["cognito_oauth_endpoints"]["token"])
        equal("the keys", metadata["jwks_uri"], self.outputs["cognito_oauth_endpoints"]["jwks"])
        equal("the issuer", metadata["issuer"], metadata["jwks_uri"].removesuffix("/.well-known/jwks.json"))
        equal("the grants", metadata["grant_types_supported"], ["authorization_code", "client_credentials"])
        for false in ("registration_endpoint", "introspection_endpoint"):
            assert false not in metadata, f"the metadata advertises a {false}"


def nothing_left(stack):
    equal("pools", stack.client("cognito-idp").list_user_pools(MaxResults=60)["UserPools"], [])
    equal("functions", stack.client("lambda").list_functions()["Functions"], [])
    equal("log groups", stack.client("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/")["logGroups"], [])
    roles = [role["RoleName"] for role in stack.client("iam").list_roles()["Roles"]]
    equal("SMART roles", [name for name in roles if name.startswith("healthlake")], [])
