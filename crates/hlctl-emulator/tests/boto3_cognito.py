"""Drives the emulator's Cognito with boto3, and its sign-in pages and OAuth endpoints as applications do.

    python boto3_cognito.py PATH_TO_hlctl-emulator

Prints every failure and at the end `N passed, N failed`; exits 1 if any failed.
"""

import base64
import contextlib
import hashlib
import hmac
import json
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import boto3
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError
from joserfc.jwk import KeySet

from boto3_browser import Browser, Pkce, basic
from boto3_support import Server, attempt_all, refused

ACCOUNT = "000000000000"
CALLBACK = "https://localhost"
PASSWORD = "Correct-Horse-7"
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


# What the stack asks for.
POOL = {
    "PoolName": "smart-on-fhir",
    "DeletionProtection": "INACTIVE",
    "MfaConfiguration": "OFF",
    "AliasAttributes": ["email"],
    "AutoVerifiedAttributes": ["email"],
    "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": True},
    "AccountRecoverySetting": {"RecoveryMechanisms": [{"Name": "verified_email", "Priority": 1}]},
    "EmailConfiguration": {"EmailSendingAccount": "COGNITO_DEFAULT"},
    "Policies": {
        "PasswordPolicy": {
            "MinimumLength": 8,
            "RequireLowercase": True,
            "RequireNumbers": True,
            "RequireSymbols": True,
            "RequireUppercase": True,
            "TemporaryPasswordValidityDays": 7,
        }
    },
    "Schema": [
        {
            "Name": "email",
            "AttributeDataType": "String",
            "DeveloperOnlyAttribute": False,
            "Mutable": True,
            "Required": True,
            "StringAttributeConstraints": {"MinLength": "0", "MaxLength": "2048"},
        }
    ],
    "UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": ["email"]},
    "UsernameConfiguration": {"CaseSensitive": False},
    "VerificationMessageTemplate": {"DefaultEmailOption": "CONFIRM_WITH_CODE"},
    "UserPoolTags": {"hlctl:stack": "test"},
}
SCOPES = ["openid", "profile", "email", "phone", "launch/patient", "system/*.*", "patient/*.read"]
CLIENT = {
    "ClientName": "smart-on-fhir-app",
    "GenerateSecret": True,
    "AllowedOAuthFlowsUserPoolClient": True,
    "AllowedOAuthFlows": ["code"],
    "AllowedOAuthScopes": SCOPES,
    "SupportedIdentityProviders": ["COGNITO"],
    "CallbackURLs": [CALLBACK],
    "LogoutURLs": [CALLBACK + "/out"],
    "AccessTokenValidity": 60,
    "IdTokenValidity": 60,
    "RefreshTokenValidity": 30,
    "TokenValidityUnits": {"AccessToken": "minutes", "IdToken": "minutes", "RefreshToken": "days"},
    "PreventUserExistenceErrors": "ENABLED",
}
MACHINE = {
    "ClientName": "machine",
    "GenerateSecret": True,
    "AllowedOAuthFlowsUserPoolClient": True,
    "AllowedOAuthFlows": ["client_credentials"],
    "AllowedOAuthScopes": ["system/*.*"],
}


class Stack:
    """A pool with everything that a SMART stack puts into it."""

    def __init__(self, server, prefix):
        self.url, self.cognito = server.url, server.client("cognito-idp")
        self.pool = self.cognito.create_user_pool(**POOL)["UserPool"]["Id"]
        self.cognito.create_user_pool_domain(UserPoolId=self.pool, Domain=prefix)
        for identifier, scope in (("launch", "patient"), ("system", "*.*"), ("patient", "*.read")):
            self.cognito.create_resource_server(
                UserPoolId=self.pool,
                Identifier=identifier,
                Name=identifier,
                Scopes=[{"ScopeName": scope, "ScopeDescription": scope}],
            )
        self.client = self.add_client()
        self.user("alice", PASSWORD)

    def add_client(self, **changes):
        settings = {**CLIENT, **changes}
        settings = {name: value for name, value in settings.items() if value is not None}
        return self.cognito.create_user_pool_client(UserPoolId=self.pool, **settings)["UserPoolClient"]

    def user(self, name, password, permanent=True, **attributes):
        attributes = {"email": f"{name}@example.com", "email_verified": "true", **attributes}
        self.cognito.admin_create_user(
            UserPoolId=self.pool,
            Username=name,
            MessageAction="SUPPRESS",
            UserAttributes=[{"Name": key, "Value": value} for key, value in attributes.items()],
        )
        self.cognito.admin_set_user_password(
            UserPoolId=self.pool, Username=name, Password=password, Permanent=permanent
        )

    def asking(self, client=None, **query):
        return {
            "response_type": "code",
            "client_id": (client or self.client)["ClientId"],
            "redirect_uri": CALLBACK,
            "state": "a state & more",
            "nonce": "n-0S6",
            **query,
        }

    def code(self, client=None, **query):
        """A code, by way of the page."""
        browser = Browser(self.url)
        page = browser.sign_in_page(**self.asking(client, **query))
        answer = browser.submit(page, username="alice", password=PASSWORD)
        params = answer.sent_back(CALLBACK)
        assert params["state"] == "a state & more", params
        return params["code"]

    def token(self, form, client=None, headers=None):
        client = client or self.client
        if headers is None and "ClientSecret" in client:
            headers = basic(client)
        elif "ClientSecret" not in client:
            form = {"client_id": client["ClientId"], **form}
        return Browser(self.url).open("/oauth2/token", form=form, headers=headers)

    def exchange(self, code, client=None, **form):
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, **form}
        return self.token(form, client)

    def claims(self, token):
        """The claims of a token whose signature the pool's key set confirms."""
        keys = Browser(self.url).open(f"/{self.pool}/.well-known/jwks.json").json
        return jwt.decode(token, KeySet.import_key_set(keys), algorithms=["RS256"]).claims


def is_error(answer, error, status=400):
    assert (answer.status, answer.json.get("error")) == (status, error), f"{answer.status}: {answer.text}"


def secret_hash(client, name):
    message = (name + client["ClientId"]).encode()
    digest = hmac.new(client["ClientSecret"].encode(), message, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


@check
def a_pool_shows_every_default(server):
    cognito = server.client("cognito-idp", "eu-west-2")
    id = cognito.create_user_pool(PoolName="plain")["UserPool"]["Id"]
    assert re.fullmatch(r"eu-west-2_[0-9a-zA-Z]{9}", id), id
    pool = cognito.describe_user_pool(UserPoolId=id)["UserPool"]
    assert pool["Arn"] == f"arn:aws:cognito-idp:eu-west-2:{ACCOUNT}:userpool/{id}"
    assert pool["Policies"]["PasswordPolicy"] == {
        "MinimumLength": 8,
        "RequireUppercase": True,
        "RequireLowercase": True,
        "RequireNumbers": True,
        "RequireSymbols": True,
        "TemporaryPasswordValidityDays": 7,
    }
    assert pool["Policies"]["SignInPolicy"] == {"AllowedFirstAuthFactors": ["PASSWORD"]}
    assert pool["AdminCreateUserConfig"] == {
        "AllowAdminCreateUserOnly": False,
        "UnusedAccountValidityDays": 7,
    }
    assert pool["DeletionProtection"] == "INACTIVE" and pool["MfaConfiguration"] == "OFF"
    assert pool["LambdaConfig"] == {} and pool["UserPoolTags"] == {}
    assert pool["EmailConfiguration"] == {"EmailSendingAccount": "COGNITO_DEFAULT"}
    assert pool["VerificationMessageTemplate"] == {"DefaultEmailOption": "CONFIRM_WITH_CODE"}
    assert pool["UserPoolTier"] == "ESSENTIALS" and pool["EstimatedNumberOfUsers"] == 0
    recovery = pool["AccountRecoverySetting"]["RecoveryMechanisms"]
    assert [(r["Priority"], r["Name"]) for r in recovery] == [
        (1, "verified_email"),
        (2, "verified_phone_number"),
    ]
    names = [attribute["Name"] for attribute in pool["SchemaAttributes"]]
    assert len(names) == 20 and names[0] == "sub" and "email_verified" in names
    assert "Domain" not in pool and "AutoVerifiedAttributes" not in pool
    assert [p["Id"] for p in cognito.list_user_pools(MaxResults=60)["UserPools"]] == [id]
    refused("ResourceNotFoundException", server.client("cognito-idp").describe_user_pool, UserPoolId=id)
    cognito.delete_user_pool(UserPoolId=id)
    refused("ResourceNotFoundException", cognito.describe_user_pool, UserPoolId=id)


@check
def a_pool_is_changed_whole_and_deleted_when_nothing_stands_in_the_way(server):
    cognito = server.client("cognito-idp")
    id = cognito.create_user_pool(**{**POOL, "DeletionProtection": "ACTIVE"})["UserPool"]["Id"]
    pool = cognito.describe_user_pool(UserPoolId=id)["UserPool"]
    for name in ("AliasAttributes", "AutoVerifiedAttributes", "AccountRecoverySetting", "UsernameConfiguration"):
        assert pool[name] == POOL[name], name
    assert pool["UserPoolTags"] == POOL["UserPoolTags"]
    error = refused("InvalidParameterException", cognito.delete_user_pool, UserPoolId=id)
    assert "deletion protection is activated" in str(error)
    cognito.update_user_pool(UserPoolId=id, AutoVerifiedAttributes=["email"])
    pool = cognito.describe_user_pool(UserPoolId=id)["UserPool"]
    assert pool["DeletionProtection"] == "INACTIVE", "what is omitted is reset"
    assert pool["UserPoolTags"] == {} and pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is False
    assert pool["AliasAttributes"] == ["email"] and pool["Name"] == "smart-on-fhir"
    cognito.tag_resource(ResourceArn=pool["Arn"], Tags={"a": "1", "b": "2"})
    cognito.untag_resource(ResourceArn=pool["Arn"], TagKeys=["a"])
    assert cognito.list_tags_for_resource(ResourceArn=pool["Arn"])["Tags"] == {"b": "2"}
    cognito.add_custom_attributes(
        UserPoolId=id, CustomAttributes=[{"Name": "fhir_id", "AttributeDataType": "String"}]
    )
    schema = cognito.describe_user_pool(UserPoolId=id)["UserPool"]["SchemaAttributes"]
    assert schema[-1]["Name"] == "custom:fhir_id" and schema[10]["Required"] is True
    refused(
        "InvalidParameterException",
        cognito.add_custom_attributes,
        UserPoolId=id,
        CustomAttributes=[{"Name": "fhir_id", "AttributeDataType": "String"}],
    )
    cognito.create_user_pool_domain(UserPoolId=id, Domain="changed-whole")
    assert cognito.describe_user_pool(UserPoolId=id)["UserPool"]["Domain"] == "changed-whole"
    error = refused("InvalidParameterException", cognito.delete_user_pool, UserPoolId=id)
    assert "It has a domain configured that should be deleted first" in str(error)
    cognito.delete_user_pool_domain(UserPoolId=id, Domain="changed-whole")
    cognito.delete_user_pool(UserPoolId=id)


@check
def second_factors_are_kept(server):
    cognito = server.client("cognito-idp")
    id = cognito.create_user_pool(PoolName="factors")["UserPool"]["Id"]
    assert cognito.get_user_pool_mfa_config(UserPoolId=id)["MfaConfiguration"] == "OFF"
    refused("InvalidParameterException", cognito.create_user_pool, PoolName="x", MfaConfiguration="ON")
    refused(
        "InvalidParameterException", cognito.set_user_pool_mfa_config, UserPoolId=id, MfaConfiguration="ON"
    )
    cognito.set_user_pool_mfa_config(
        UserPoolId=id, MfaConfiguration="ON", SoftwareTokenMfaConfiguration={"Enabled": True}
    )
    config = cognito.get_user_pool_mfa_config(UserPoolId=id)
    assert config["SoftwareTokenMfaConfiguration"] == {"Enabled": True} and config["MfaConfiguration"] == "ON"
    cognito.update_user_pool(UserPoolId=id, MfaConfiguration="ON")
    assert cognito.describe_user_pool(UserPoolId=id)["UserPool"]["MfaConfiguration"] == "ON"


@check
def prefixes_are_unique_in_a_region_over_all_accounts(server):
    cognito, other = server.client("cognito-idp"), server.client("cognito-idp", key="222222222222")
    pool = cognito.create_user_pool(PoolName="one")["UserPool"]["Id"]
    foreign = other.create_user_pool(PoolName="two")["UserPool"]["Id"]
    create = cognito.create_user_pool_domain
    assert cognito.describe_user_pool_domain(Domain="unique")["DomainDescription"] == {}
    create(UserPoolId=pool, Domain="unique")
    description = cognito.describe_user_pool_domain(Domain="unique")["DomainDescription"]
    assert description["UserPoolId"] == pool and description["Status"] == "ACTIVE"
    assert description["AWSAccountId"] == ACCOUNT
    assert other.describe_user_pool_domain(Domain="unique")["DomainDescription"] == {}
    refused("InvalidParameterException", other.create_user_pool_domain, UserPoolId=foreign, Domain="unique")
    refused("InvalidParameterException", create, UserPoolId=pool, Domain="second")
    refused("InvalidParameterException", create, UserPoolId=pool, Domain="my-cognito")
    refused("InvalidParameterException", create, UserPoolId=pool, Domain="Upper")
    west = server.client("cognito-idp", "us-west-2")
    western = west.create_user_pool(PoolName="three")["UserPool"]["Id"]
    west.create_user_pool_domain(UserPoolId=western, Domain="unique")
    refused("InvalidParameterException", other.delete_user_pool_domain, UserPoolId=foreign, Domain="unique")
    cognito.delete_user_pool_domain(UserPoolId=pool, Domain="unique")
    other.create_user_pool_domain(UserPoolId=foreign, Domain="unique")
    server.faults(propagation={"cognito_ms": 60_000})
    create(UserPoolId=pool, Domain="slow")
    assert cognito.describe_user_pool_domain(Domain="slow")["DomainDescription"]["Status"] == "CREATING"


@check
def resource_servers_replace_their_scopes(server):
    cognito = server.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="servers")["UserPool"]["Id"]
    scope = lambda *names: [{"ScopeName": name, "ScopeDescription": name} for name in names]
    create = cognito.create_resource_server
    create(UserPoolId=pool, Identifier="system", Name="system", Scopes=scope("*.*", "*.read"))
    refused("InvalidParameterException", create, UserPoolId=pool, Identifier="system", Name="s")
    refused(
        "InvalidParameterException",
        create,
        UserPoolId=pool,
        Identifier="x",
        Name="x",
        Scopes=scope("Observation.rs?a=b/c"),
    )
    named = {"UserPoolId": pool, "Identifier": "system"}
    cognito.update_resource_server(**named, Name="System", Scopes=scope("*.cruds"))
    got = cognito.describe_resource_server(**named)["ResourceServer"]
    assert got["Name"] == "System" and got["Scopes"] == scope("*.cruds")
    cognito.update_resource_server(**named, Name="System")
    assert cognito.describe_resource_server(**named)["ResourceServer"]["Scopes"] == []
    for number in range(3):
        create(UserPoolId=pool, Identifier=f"server-{number}", Name="s")
    pages = cognito.get_paginator("list_resource_servers").paginate(
        UserPoolId=pool, PaginationConfig={"PageSize": 3}
    )
    assert [len(page["ResourceServers"]) for page in pages] == [3, 1]
    cognito.delete_resource_server(**named)
    refused("ResourceNotFoundException", cognito.describe_resource_server, **named)


@check
def clients_are_checked_and_changed_whole(server):
    stack = Stack(server, "clients")
    cognito, pool = stack.cognito, stack.pool
    got = cognito.describe_user_pool_client(UserPoolId=pool, ClientId=stack.client["ClientId"])["UserPoolClient"]
    assert got["ClientSecret"] == stack.client["ClientSecret"] and len(got["ClientSecret"]) == 51
    assert re.fullmatch(r"[0-9a-z]{26}", got["ClientId"])
    for name in CLIENT.keys() - {"GenerateSecret"}:
        assert got[name] == CLIENT[name], name
    assert got["EnableTokenRevocation"] is True and got["AuthSessionValidity"] == 3
    for code, changes in (
        ("ScopeDoesNotExistException", {"AllowedOAuthScopes": ["system/*.write"]}),
        ("InvalidOAuthFlowException", {"AllowedOAuthFlows": ["client_credentials", "code"]}),
        ("InvalidOAuthFlowException", {**MACHINE, "GenerateSecret": None}),
        ("InvalidParameterException", {"AllowedOAuthFlowsUserPoolClient": False}),
        ("InvalidParameterException", {"CallbackURLs": None}),
        ("InvalidParameterException", {"CallbackURLs": ["http://example.com"]}),
        ("InvalidParameterException", {"AllowedOAuthScopes": None}),
        ("InvalidParameterException", {"AccessTokenValidity": 4}),
        ("InvalidParameterException", {"RefreshTokenValidity": 3651}),
        ("InvalidParameterException", {"SupportedIdentityProviders": ["Google"]}),
        ("InvalidParameterException", {"ReadAttributes": ["custom:none"]}),
        ("InvalidParameterException", {"WriteAttributes": ["email_verified"]}),
        ("InvalidParameterException", {"ExplicitAuthFlows": ["ALLOW_USER_SRP_AUTH", "ADMIN_NO_SRP_AUTH"]}),
    ):
        refused(code, stack.add_client, **changes)
    named = {"UserPoolId": pool, "ClientId": got["ClientId"]}
    updated = cognito.update_user_pool_client(**named, RefreshTokenValidity=10)["UserPoolClient"]
    assert updated["ClientName"] == CLIENT["ClientName"] and updated["RefreshTokenValidity"] == 10
    assert updated["AllowedOAuthFlowsUserPoolClient"] is False, "what is omitted is reset"
    assert "CallbackURLs" not in updated and "AccessTokenValidity" not in updated
    assert updated["ClientSecret"] == got["ClientSecret"]
    listed = cognito.list_user_pool_clients(UserPoolId=pool)["UserPoolClients"]
    assert listed == [{"ClientId": got["ClientId"], "UserPoolId": pool, "ClientName": CLIENT["ClientName"]}]
    cognito.delete_user_pool_client(**named)
    refused("ResourceNotFoundException", cognito.describe_user_pool_client, **named)


@check
def an_administrator_keeps_the_users(server):
    stack = Stack(server, "users")
    cognito, pool = stack.cognito, stack.pool
    alice = {"UserPoolId": pool, "Username": "alice"}
    user = cognito.admin_get_user(**alice)
    values = {a["Name"]: a["Value"] for a in user["UserAttributes"]}
    assert re.fullmatch(r"[0-9a-f-]{36}", values["sub"]) and values["email"] == "alice@example.com"
    assert user["UserStatus"] == "CONFIRMED" and user["Enabled"] is True
    for name in ("ALICE", "alice@example.com", values["sub"]):
        assert cognito.admin_get_user(UserPoolId=pool, Username=name)["Username"] == "alice", name
    create = cognito.admin_create_user
    refused("UsernameExistsException", create, UserPoolId=pool, Username="Alice")
    error = refused("InvalidParameterException", create, UserPoolId=pool, Username="bob@example.com")
    assert "email format" in str(error)
    for code, settings in (
        ("InvalidPasswordException", {"TemporaryPassword": "short"}),
        ("InvalidParameterException", {"UserAttributes": [{"Name": "custom:none", "Value": "x"}]}),
        ("InvalidParameterException", {"UserAttributes": [{"Name": "email", "Value": "nobody"}]}),
        ("InvalidParameterException", {"UserAttributes": [{"Name": "email_verified", "Value": "true"}]}),
    ):
        refused(code, create, UserPoolId=pool, Username="bob", **settings)
    taken = [{"Name": "email", "Value": "alice@example.com"}, {"Name": "email_verified", "Value": "true"}]
    refused("AliasExistsException", create, UserPoolId=pool, Username="bob", UserAttributes=taken)
    bob = create(UserPoolId=pool, Username="bob", TemporaryPassword=PASSWORD)["User"]
    assert bob["UserStatus"] == "FORCE_CHANGE_PASSWORD"
    set_password = cognito.admin_set_user_password
    for password in ("Short-1", "no-capital-1", "NO-SMALL-1", "No-digit", "NoSymbol1"):
        error = refused("InvalidPasswordException", set_password, **alice, Password=password, Permanent=True)
        assert password not in str(error)
    error = refused("InvalidParameterException", set_password, **alice, Password="with blank 1A!", Permanent=True)
    assert "blank" not in str(error)
    refused("UserNotFoundException", set_password, UserPoolId=pool, Username="eve", Password=PASSWORD)
    change = lambda **values: cognito.admin_update_user_attributes(
        **alice, UserAttributes=[{"Name": name, "Value": value} for name, value in values.items()]
    )
    email = lambda: {a["Name"]: a["Value"] for a in cognito.admin_get_user(**alice)["UserAttributes"]}.get("email")
    change(preferred_username="al", email="new@example.com")
    assert email() == "alice@example.com", "a new address waits for its verification"
    change(email="new@example.com", email_verified="true")
    assert email() == "new@example.com"
    cognito.admin_delete_user_attributes(**alice, UserAttributeNames=["preferred_username"])
    search = lambda filter: [u["Username"] for u in cognito.list_users(UserPoolId=pool, Filter=filter)["Users"]]
    assert search('email = "new@example.com"') == ["alice"] and search('username ^= "b"') == ["bob"]
    assert search('cognito:user_status = "confirmed"') == ["alice"]
    refused("InvalidParameterException", search, 'custom:x = "1"')
    pages = cognito.get_paginator("list_users").paginate(UserPoolId=pool, PaginationConfig={"PageSize": 1})
    assert sorted(page["Users"][0]["Username"] for page in pages) == ["alice", "bob"]
    cognito.admin_disable_user(**alice)
    assert cognito.admin_get_user(**alice)["Enabled"] is False
    cognito.admin_enable_user(**alice)
    cognito.admin_delete_user(**alice)
    refused("UserNotFoundException", cognito.admin_get_user, **alice)


@check
def a_user_signs_in_through_the_api(server):
    stack = Stack(server, "api-sign-in")
    cognito, pool = stack.cognito, stack.pool
    flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    client = stack.add_client(ExplicitAuthFlows=flows)
    # Users have no AWS credentials.
    unsigned = boto3.client(
        "cognito-idp", endpoint_url=server.url, region_name="eu-west-2", aws_access_key_id="", aws_secret_access_key=""
    )

    def parameters(name="alice", password=PASSWORD):
        return {"USERNAME": name, "PASSWORD": password, "SECRET_HASH": secret_hash(client, name)}

    def initiate(flow="USER_PASSWORD_AUTH", client=client, **parameters):
        return unsigned.initiate_auth(AuthFlow=flow, ClientId=client["ClientId"], AuthParameters=parameters)

    result = initiate(**parameters())["AuthenticationResult"]
    access = stack.claims(result["AccessToken"])
    assert access["token_use"] == "access" and access["scope"] == "aws.cognito.signin.user.admin"
    assert access["username"] == "alice" and "aud" not in access and "nbf" not in access and "version" not in access
    assert stack.claims(result["IdToken"])["aud"] == client["ClientId"]
    assert result["ExpiresIn"] == 3600 and result["TokenType"] == "Bearer"
    got = unsigned.get_user(AccessToken=result["AccessToken"])
    assert got["Username"] == "alice"
    assert {"Name": "email", "Value": "alice@example.com"} in got["UserAttributes"]
    for code, call in (
        ("NotAuthorizedException", lambda: initiate(**parameters(password="Wrong-Horse-7"))),
        ("NotAuthorizedException", lambda: initiate(**parameters("nobody"))),
        ("NotAuthorizedException", lambda: initiate(USERNAME="alice", PASSWORD=PASSWORD)),
        ("NotAuthorizedException", lambda: initiate(**{**parameters(), "SECRET_HASH": "AAAA"})),
        ("InvalidParameterException", lambda: initiate(USERNAME="alice")),
        ("InvalidParameterException", lambda: initiate(client=stack.client, **parameters())),
        ("InvalidParameterException", lambda: initiate("USER_SRP_AUTH", USERNAME="alice", SRP_A="1")),
        ("ResourceNotFoundException", lambda: initiate(client={"ClientId": "none"}, **parameters())),
        ("NotAuthorizedException", lambda: unsigned.get_user(AccessToken=result["IdToken"])),
        ("NotAuthorizedException", lambda: unsigned.get_user(AccessToken=result["AccessToken"][:-4] + "AAAA")),
    ):
        refused(code, call)
    admin = cognito.admin_initiate_auth(
        UserPoolId=pool,
        ClientId=client["ClientId"],
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters=parameters(),
    )
    refresh = {
        "REFRESH_TOKEN": admin["AuthenticationResult"]["RefreshToken"],
        "SECRET_HASH": secret_hash(client, "alice"),
    }
    renewed = initiate("REFRESH_TOKEN_AUTH", **refresh)["AuthenticationResult"]
    assert "RefreshToken" not in renewed
    origin = stack.claims(admin["AuthenticationResult"]["AccessToken"])["origin_jti"]
    assert stack.claims(renewed["AccessToken"])["origin_jti"] == origin
    pair = {"ClientId": client["ClientId"], "ClientSecret": client["ClientSecret"]}
    refused("UnauthorizedException", unsigned.revoke_token, Token="x.y", ClientId=client["ClientId"])
    unsigned.revoke_token(Token=refresh["REFRESH_TOKEN"], **pair)
    refused("NotAuthorizedException", lambda: initiate("REFRESH_TOKEN_AUTH", **refresh))
    refused("NotAuthorizedException", unsigned.get_user, AccessToken=renewed["AccessToken"])
    unsigned.get_user(AccessToken=result["AccessToken"])
    cognito.admin_disable_user(UserPoolId=pool, Username="alice")
    refused("NotAuthorizedException", lambda: initiate(**parameters()))
    refused("NotAuthorizedException", unsigned.get_user, AccessToken=result["AccessToken"])


@check
def a_temporary_password_is_changed_before_anything_else(server):
    stack = Stack(server, "temporary")
    client = stack.add_client(GenerateSecret=False, ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"])
    stack.user("bob", "Temporary-1", permanent=False)
    id = client["ClientId"]
    asked = stack.cognito.initiate_auth(
        AuthFlow="USER_PASSWORD_AUTH",
        ClientId=id,
        AuthParameters={"USERNAME": "bob", "PASSWORD": "Temporary-1"},
    )
    assert asked["ChallengeName"] == "NEW_PASSWORD_REQUIRED" and "AuthenticationResult" not in asked
    parameters = asked["ChallengeParameters"]
    assert parameters["requiredAttributes"] == "[]"
    assert json.loads(parameters["userAttributes"])["email"] == "bob@example.com"

    def respond(session=asked["Session"], **responses):
        return stack.cognito.respond_to_auth_challenge(
            ClientId=id,
            ChallengeName="NEW_PASSWORD_REQUIRED",
            Session=session,
            ChallengeResponses={"USERNAME": "bob", **responses},
        )

    refused("InvalidPasswordException", respond, NEW_PASSWORD="weak")
    refused("NotAuthorizedException", respond, session="x" * 32, NEW_PASSWORD=PASSWORD)
    refused("InvalidParameterException", respond)
    tokens = respond(NEW_PASSWORD=PASSWORD)["AuthenticationResult"]
    assert stack.claims(tokens["AccessToken"])["username"] == "bob"
    status = stack.cognito.admin_get_user(UserPoolId=stack.pool, Username="bob")["UserStatus"]
    assert status == "CONFIRMED"
    refused("NotAuthorizedException", respond, NEW_PASSWORD=PASSWORD)


@check
def the_whole_loop_with_a_code(server):
    stack = Stack(server, "whole-loop")
    pkce, browser = Pkce(), Browser(server.url)
    scope = "openid email launch/patient patient/*.read"
    page = browser.sign_in_page(**stack.asking(scope=scope, **pkce.query))
    assert page.status == 200 and "<label for=" in page.text and "<script" not in page.text
    assert page.headers["Content-Security-Policy"] and page.headers["X-Frame-Options"] == "DENY"
    for name, password in (("alice", "Wrong-Horse-7"), ("nobody", PASSWORD)):
        page = browser.submit(page, username=name, password=password)
        assert page.status == 400 and page.alert == "Incorrect username or password.", page.text
    answer = browser.submit(page, username="Alice@Example.com", password=PASSWORD)
    params = answer.sent_back(CALLBACK)
    assert params["state"] == "a state & more"
    answer = stack.exchange(params["code"], code_verifier=pkce.verifier)
    assert answer.status == 200 and answer.headers["Cache-Control"] == "no-store", answer.text
    tokens = answer.json
    assert tokens["token_type"] == "Bearer" and tokens["expires_in"] == 3600

    access, header = stack.claims(tokens["access_token"]), tokens["access_token"].split(".")[0]
    header = json.loads(base64.urlsafe_b64decode(header + "=="))
    assert header.keys() == {"kid", "alg"} and header["alg"] == "RS256", header
    assert access.keys() == {
        *("sub", "iss", "client_id", "origin_jti", "event_id", "token_use", "scope"),
        *("auth_time", "exp", "iat", "jti", "username", "version"),
    }, access
    assert access["iss"] == f"{server.url}/{stack.pool}"
    assert access["scope"] == scope and access["version"] == 2 and access["exp"] - access["iat"] == 3600
    id = stack.claims(tokens["id_token"])
    assert id["aud"] == stack.client["ClientId"] and id["nonce"] == "n-0S6" and id["token_use"] == "id"
    assert id["email"] == "alice@example.com" and id["email_verified"] is True
    assert id["cognito:username"] == "alice" and id["sub"] == access["sub"]

    bearer = {"Authorization": "Bearer " + tokens["access_token"]}
    info = browser.open("/oauth2/userInfo", headers=bearer).json
    assert info == {
        "sub": access["sub"],
        "username": "alice",
        "email": "alice@example.com",
        "email_verified": "true",
    }, info
    renewed = stack.token({"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]})
    assert renewed.status == 200 and "refresh_token" not in renewed.json, renewed.text
    again = stack.claims(renewed.json["access_token"])
    assert again["origin_jti"] == access["origin_jti"] and again["jti"] != access["jti"]
    assert again["scope"] == scope
    revoked = browser.open("/oauth2/revoke", form={"token": tokens["refresh_token"]}, headers=basic(stack.client))
    assert (revoked.status, revoked.body) == (200, b""), revoked.text
    is_error(
        stack.token({"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}), "invalid_grant"
    )
    is_error(browser.open("/oauth2/userInfo", headers=bearer), "invalid_token", 401)


@check
def the_kept_session_signs_in_until_it_is_ended(server):
    stack = Stack(server, "session")
    browser = Browser(server.url)
    page = browser.sign_in_page(**stack.asking())
    browser.submit(page, username="alice", password=PASSWORD).sent_back(CALLBACK)
    assert browser.open("/oauth2/authorize", **stack.asking()).sent_back(CALLBACK)["code"]
    browser.sign_in_page(**stack.asking(prompt="login"))
    id = stack.client["ClientId"]
    assert browser.open("/logout", client_id=id, logout_uri="https://evil.example").status == 400
    answer = browser.open("/logout", client_id=id, logout_uri=CALLBACK + "/out")
    assert answer.headers["Location"] == CALLBACK + "/out"
    browser.sign_in_page(**stack.asking())
    params = browser.open("/oauth2/authorize", **stack.asking(prompt="none")).sent_back(CALLBACK)
    assert params["error"] == "login_required"


@check
def the_page_asks_for_a_new_password(server):
    stack = Stack(server, "new-password")
    stack.user("carol", "Temporary-1", permanent=False)
    browser = Browser(server.url)
    first = browser.sign_in_page(**stack.asking())
    page = browser.submit(first, username="carol", password="Temporary-1")
    assert page.status == 200 and set(page.form[1]) == {"_csrf", "new_password", "confirm_password"}
    page = browser.submit(page, new_password=PASSWORD, confirm_password="other")
    assert page.alert == "The two passwords differ."
    page = browser.submit(page, new_password="weak", confirm_password="weak")
    assert "Password not long enough" in page.alert
    answer = browser.submit(page, new_password=PASSWORD, confirm_password=PASSWORD)
    assert stack.exchange(answer.sent_back(CALLBACK)["code"]).status == 200


@check
def forms_are_good_once_and_in_one_browser(server):
    stack = Stack(server, "forms")
    browser, other = Browser(server.url), Browser(server.url)
    page = browser.sign_in_page(**stack.asking())
    other.sign_in_page(**stack.asking())
    stolen = other.submit(page, username="alice", password=PASSWORD)
    assert stolen.status == 400 and "expired" in stolen.alert
    spent = browser.submit(page, username="alice", password=PASSWORD)
    assert spent.status == 400, "the other browser's attempt has spent it"
    two = browser.sign_in_page(**stack.asking())
    browser.submit(spent, username="alice", password=PASSWORD).sent_back(CALLBACK)
    browser.submit(two, username="alice", password=PASSWORD).sent_back(CALLBACK)


@check
def a_request_to_sign_in_is_held_to_its_client(server):
    stack = Stack(server, "authorize")
    browser = Browser(server.url)
    ask = lambda **query: browser.open("/oauth2/authorize", **stack.asking(**query))
    for query in (
        {"client_id": None},
        {"client_id": "nobody"},
        {"redirect_uri": None},
        {"redirect_uri": CALLBACK + "/"},
        {"redirect_uri": "https://evil.example"},
        {"redirect_uri": CALLBACK + ".evil.example"},
    ):
        answer = ask(**query)
        assert answer.status == 400 and "Location" not in answer.headers, query
    challenge = Pkce().query["code_challenge"]
    for error, query in (
        ("invalid_request", {"response_type": None}),
        ("invalid_request", {"response_type": "id_token"}),
        ("unauthorized_client", {"response_type": "token"}),
        ("invalid_scope", {"scope": "openid system/*.write"}),
        ("invalid_scope", {"scope": "aws.cognito.signin.user.admin"}),
        ("invalid_request", {"code_challenge": challenge}),
        ("invalid_request", {"code_challenge": challenge, "code_challenge_method": "plain"}),
        ("invalid_request", {"code_challenge": "short", "code_challenge_method": "S256"}),
        ("invalid_request", {"identity_provider": "Google"}),
    ):
        is_implicit = query.get("response_type") == "token"
        params = ask(**query).sent_back(CALLBACK, fragment=is_implicit)
        assert params["error"] == error and params["state"] == "a state & more", (query, params)
        page = browser.open("/login", **stack.asking(**query))
        assert page.status == 302, "the page holds requests to the same"
    evil = browser.open("/login", **stack.asking(login_hint='"><script>alert(1)</script>'))
    assert evil.status == 200 and "<script" not in evil.text


@check
def pages_need_an_identity_provider_and_the_classic_pages(server):
    stack = Stack(server, "pages")
    browser = Browser(server.url)
    without = stack.add_client(SupportedIdentityProviders=None)
    answer = browser.open("/oauth2/authorize", **stack.asking(without))
    assert answer.status == 400 and "Login pages unavailable" in answer.alert
    domain = {"UserPoolId": stack.pool, "Domain": "pages"}
    stack.cognito.update_user_pool_domain(**domain, ManagedLoginVersion=2)
    answer = browser.open("/login", **stack.asking())
    assert answer.status == 400 and "managed login" in answer.alert
    branding = stack.cognito.create_managed_login_branding(
        UserPoolId=stack.pool, ClientId=stack.client["ClientId"], UseCognitoProvidedValues=True
    )["ManagedLoginBranding"]
    answer = browser.open("/login", **stack.asking())
    assert answer.status == 200 and "<script>" in answer.text and "<form" not in answer.text
    stack.cognito.delete_managed_login_branding(
        UserPoolId=stack.pool, ManagedLoginBrandingId=branding["ManagedLoginBrandingId"]
    )
    assert browser.open("/login", **stack.asking()).status == 400
    stack.cognito.update_user_pool_domain(**domain, ManagedLoginVersion=1)
    assert stack.code()


@check
def codes_are_held_to_what_they_were_given_for(server):
    stack = Stack(server, "codes")
    public = stack.add_client(GenerateSecret=False, CallbackURLs=[CALLBACK, CALLBACK + "/two"])
    other = stack.add_client()
    code = stack.code()
    assert stack.exchange(code).status == 200
    is_error(stack.exchange(code), "invalid_grant")
    is_error(stack.exchange(stack.code(), other), "invalid_grant")
    is_error(stack.exchange("nonsense"), "invalid_grant")
    is_error(stack.exchange(stack.code(), redirect_uri=CALLBACK + "/none"), "unauthorized_client")
    is_error(stack.exchange(stack.code(public), public, redirect_uri=CALLBACK + "/two"), "invalid_grant")
    pkce = Pkce()
    for wrong in ({}, {"code_verifier": Pkce().verifier}, {"code_verifier": pkce.query["code_challenge"]}):
        is_error(stack.exchange(stack.code(public, **pkce.query), public, **wrong), "invalid_grant")
    is_error(stack.exchange(stack.code(public), public, code_verifier=pkce.verifier), "invalid_grant")
    tokens = stack.exchange(stack.code(public, **pkce.query), public, code_verifier=pkce.verifier)
    assert tokens.status == 200
    without = stack.exchange(stack.code(scope="launch/patient"))
    assert "id_token" not in without.json and "refresh_token" in without.json
    bearer = {"Authorization": "Bearer " + without.json["access_token"]}
    is_error(Browser(server.url).open("/oauth2/userInfo", headers=bearer), "invalid_token", 401)


@check
def applications_prove_who_they_are(server):
    stack = Stack(server, "proof")
    client, public = stack.client, stack.add_client(GenerateSecret=False)
    form = {"grant_type": "authorization_code", "code": "x", "redirect_uri": CALLBACK}
    ask = lambda headers=None, **more: Browser(server.url).open(
        "/oauth2/token", form={**form, **more}, headers=headers
    )
    id, secret = client["ClientId"], client["ClientSecret"]
    is_error(ask(), "invalid_request")
    is_error(ask(client_id=id), "invalid_client")
    is_error(ask(client_id=id, client_secret=secret + "x"), "invalid_client")
    is_error(ask(client_id="nobody"), "invalid_client")
    is_error(ask(headers={"Authorization": "Basic %%%"}), "invalid_client")
    is_error(ask(headers=basic({**client, "ClientSecret": "wrong"})), "invalid_client")
    is_error(ask(headers=basic(client), client_id=public["ClientId"]), "invalid_client")
    is_error(ask(client_id=public["ClientId"], client_secret="guessed"), "invalid_client")
    is_error(ask(client_id=id, client_secret=secret), "invalid_grant")
    is_error(ask(headers=basic(client), grant_type="password"), "unsupported_grant_type")
    is_error(ask(headers=basic(client), grant_type=""), "invalid_request")
    is_error(ask(headers=basic(client), code=""), "invalid_request")
    assert Browser(server.url).open("/oauth2/token", client_id=id).status == 405
    tokens = stack.exchange(stack.code()).json
    revoke = lambda token, headers: Browser(server.url).open("/oauth2/revoke", form={"token": token}, headers=headers)
    is_error(revoke(tokens["refresh_token"], basic({**client, "ClientSecret": "w"})), "invalid_client", 401)
    is_error(revoke(tokens["access_token"], basic(client)), "unsupported_token_type")
    is_error(revoke("", basic(client)), "invalid_request")


@check
def a_machine_gets_tokens_of_its_own(server):
    stack = Stack(server, "machine")
    machine = stack.cognito.create_user_pool_client(UserPoolId=stack.pool, **MACHINE)["UserPoolClient"]
    form = {"grant_type": "client_credentials"}
    answer = stack.token(form, machine)
    assert answer.json.keys() == {"access_token", "expires_in", "token_type"}, answer.text
    claims = stack.claims(answer.json["access_token"])
    assert claims["sub"] == claims["client_id"] == machine["ClientId"]
    assert claims["scope"] == "system/*.*" and claims["token_use"] == "access"
    assert not claims.keys() & {"username", "aud", "nbf", "origin_jti"}, claims
    assert stack.token({**form, "scope": "system/*.*"}, machine).status == 200
    for scope in ("openid", "patient/*.read", "system/*.* openid", "system/none"):
        is_error(stack.token({**form, "scope": scope}, machine), "invalid_scope")
    is_error(stack.token(form), "unauthorized_client")
    stack.cognito.update_resource_server(UserPoolId=stack.pool, Identifier="system", Name="system")
    is_error(stack.token(form, machine), "invalid_scope")


@check
def tokens_may_come_in_the_fragment_where_that_is_allowed(server):
    stack = Stack(server, "implicit")
    client = stack.add_client(AllowedOAuthFlows=["implicit"], GenerateSecret=False)
    browser = Browser(server.url)
    page = browser.sign_in_page(**stack.asking(client, response_type="token"))
    answer = browser.submit(page, username="alice", password=PASSWORD)
    params = answer.sent_back(CALLBACK, fragment=True)
    assert stack.claims(params["access_token"])["client_id"] == client["ClientId"]
    assert stack.claims(params["id_token"])["nonce"] == "n-0S6"
    assert "refresh_token" not in params and params["expires_in"] == "3600"
    is_error(stack.exchange("x", client), "unauthorized_client")


@check
def a_domain_serves_its_own_pool_only(server):
    stack, other = Stack(server, "own-pool"), Stack(server, "other-pool")
    at = lambda prefix: {"Host": f"{prefix}.auth.us-east-1.amazoncognito.com"}
    browser = Browser(server.url)
    asked = stack.asking()
    assert browser.open("/login", headers=at("own-pool"), **asked).status == 200
    assert browser.open("/login", headers=at("other-pool"), **asked).status == 400
    assert browser.open("/anything", headers=at("own-pool")).status == 404
    host = {"Host": "cognito-idp.us-east-1.amazonaws.com"}
    document = browser.open(f"/{stack.pool}/.well-known/openid-configuration", headers=host).json
    assert document["issuer"] == f"https://cognito-idp.us-east-1.amazonaws.com/{stack.pool}"
    base = "https://own-pool.auth.us-east-1.amazoncognito.com/"
    assert document["authorization_endpoint"] == base + "oauth2/authorize"
    here = browser.open(f"/{stack.pool}/.well-known/openid-configuration").json
    assert here["issuer"] == f"{server.url}/{stack.pool}"
    assert all("amazon" not in json.dumps(value) for value in here.values()), here
    stack.cognito.delete_user_pool_domain(UserPoolId=stack.pool, Domain="own-pool")
    assert browser.open("/login", **asked).status == 400
    assert browser.open("/us-east-1_nothing12/.well-known/jwks.json").status == 404
    assert other.code()


@check
def keys_rotate_on_demand(server):
    stack = Stack(server, "rotation")
    set = lambda: Browser(server.url).open(f"/{stack.pool}/.well-known/jwks.json").json["keys"]
    old = set()
    assert len(old) == 2 and set() == old
    for key in old:
        assert key.keys() == {"alg", "e", "kid", "kty", "n", "use"} and key["e"] == "AQAB"
        assert len(base64.b64decode(key["kid"])) == 32
        assert len(base64.urlsafe_b64decode(key["n"] + "==")) == 256
    tokens = stack.exchange(stack.code()).json
    stack.claims(tokens["access_token"])
    server.control(f"cognito/rotate?pool={stack.pool}", "POST")
    assert not {key["kid"] for key in old} & {key["kid"] for key in set()}
    try:
        stack.claims(tokens["access_token"])
        raise AssertionError("the old key is still there")
    except InvalidKeyIdError:
        pass
    bearer = {"Authorization": "Bearer " + tokens["access_token"]}
    is_error(Browser(server.url).open("/oauth2/userInfo", headers=bearer), "invalid_token", 401)
    renewed = stack.token({"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}).json
    stack.claims(renewed["access_token"])


@check
def buckets_keep_their_names(server):
    s3 = server.client("s3", signature_version="s3v4")
    for bucket in ("oauth2", "login", "logout"):
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key="token", Body=b"here")
        assert s3.get_object(Bucket=bucket, Key="token")["Body"].read() == b"here"
        assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 1
        address = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "token"})
        assert urllib.request.urlopen(address, timeout=5).read() == b"here"


@check
def faults_and_unknown_members_speak_cognitos_codes(server):
    cognito = server.client("cognito-idp")
    for action, code in (
        ("throttle", "TooManyRequestsException"),
        ("server_error", "InternalErrorException"),
        ("deny", "AccessDeniedException"),
        (
            {"error": {"code": "ConcurrentModificationException", "message": "m", "status": 400}},
            "ConcurrentModificationException",
        ),
    ):
        server.faults(rules=[{"service": "cognito-idp", "action": action}])
        refused(code, cognito.list_user_pools, MaxResults=1)
    server.faults(rules=[{"operation": "Token", "nth": 1, "action": "throttle"}])
    answer = Browser(server.url).open("/oauth2/token", form={"grant_type": "x"})
    is_error(answer, "server_error")
    server.faults()
    request = urllib.request.Request(
        server.url,
        data=json.dumps({"PoolName": "p", "Colour": "red", "MfaConfiguration": "MAYBE"}).encode(),
        headers={
            "X-Amz-Target": "AWSCognitoIdentityProviderService.CreateUserPool",
            "Authorization": "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/cognito-idp/aws4_request",
        },
    )
    try:
        urllib.request.urlopen(request, timeout=5)
        raise AssertionError("an unknown member was taken")
    except urllib.error.HTTPError as error:
        body = json.loads(error.read())
    assert body["__type"] == "InvalidParameterException", body
    assert "'colour'" in body["message"] and "'mfaConfiguration'" in body["message"], body


@check
def answers_have_what_motos_have(server):
    """moto is another reading of the same API; where both keep a setting they agree on it."""
    with moto() as url:
        theirs = boto3.client(
            "cognito-idp",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="AKIATEST",
            aws_secret_access_key="secret",
        )
        ours = server.client("cognito-idp")
        described = []
        for cognito in (ours, theirs):
            pool = cognito.create_user_pool(**POOL)["UserPool"]["Id"]
            cognito.create_resource_server(
                UserPoolId=pool,
                Identifier="system",
                Name="system",
                Scopes=[{"ScopeName": "*.*", "ScopeDescription": "all"}],
            )
            scopes = {"AllowedOAuthScopes": ["openid", "system/*.*"]}
            client = cognito.create_user_pool_client(UserPoolId=pool, **{**CLIENT, **scopes})["UserPoolClient"]
            user = cognito.admin_create_user(
                UserPoolId=pool,
                Username="alice",
                MessageAction="SUPPRESS",
                UserAttributes=[{"Name": "email", "Value": "a@example.com"}],
            )["User"]
            pool = cognito.describe_user_pool(UserPoolId=pool)["UserPool"]
            described.append((pool, client, user))
    for (one, other), skipped in zip(
        zip(*described),
        (
            # moto drops the standard attributes that it was not given, keeps no tier, and leaves the
            # policy as it was sent.
            {"Id", "Arn", "CreationDate", "LastModifiedDate", "SchemaAttributes", "Policies"},
            {"UserPoolId", "ClientId", "ClientSecret", "CreationDate", "LastModifiedDate"},
            {"UserCreateDate", "UserLastModifiedDate", "Attributes"},
        ),
    ):
        for name in (one.keys() & other.keys()) - skipped:
            ignored = {"UnusedAccountValidityDays"} if name == "AdminCreateUserConfig" else set()
            strip = lambda value: {k: v for k, v in value.items() if k not in ignored} if ignored else value
            assert strip(one[name]) == strip(other[name]), f"{name}: {one[name]} and {other[name]}"
        assert not {name for name in other.keys() - one.keys() if other[name] not in (None, "", [], {})}, (
            other.keys() - one.keys()
        )


@contextlib.contextmanager
def moto():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/", timeout=2).read()
                break
            except OSError:
                assert time.monotonic() < deadline, "moto does not start"
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def a_data_directory_keeps_everything_and_no_secret():
    with tempfile.TemporaryDirectory() as directory:
        with Server("--data-dir", directory) as server:
            stack = Stack(server, "kept")
            tokens = stack.exchange(stack.code()).json
            code = stack.code()
        with Server("--data-dir", directory) as server:
            stack.url, stack.cognito = server.url, server.client("cognito-idp")
            stack.claims(tokens["access_token"])
            assert stack.exchange(code).status == 200
            refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
            assert stack.token(refresh).status == 200
        text = open(f"{directory}/control.json").read()
        for secret in (PASSWORD, tokens["refresh_token"], tokens["access_token"], code):
            assert secret not in text


def main():
    def attempts():
        with Server() as server:
            for run in CHECKS:
                server.faults()
                yield run.__name__, lambda: run(server)
        run = a_data_directory_keeps_everything_and_no_secret
        yield run.__name__, run

    return attempt_all(attempts())


if __name__ == "__main__":
    sys.exit(main())
