"""A token validator as the Terraform module's users have one: python-jose, and the key set by urllib for each request.

It stands beside the authorizer in bench_authorizer.py: the same environment, the same events, the same form of answer. The
loop at the end is the least that Lambda's Runtime API needs; the one of Lambda's own Python runtime is heavier.
"""

import http.client
import json
import logging
import os
import time
import urllib.request

from jose import jwt

log = logging.getLogger()
log.setLevel(logging.INFO)

CLIENT_ID = os.environ["CLIENT_ID"]
CLIENT_SECRET = os.environ["CLIENT_SECRET"]
JWKS_URI = os.environ["JWKS_URI"]
USER_ROLE_ARN = os.environ["USER_ROLE_ARN"]
USER_POOL_ID = os.environ["USER_POOL_ID"]

FHIR_PREFIXES = ("patient/", "user/", "system/", "launch/")


class Refused(Exception):
    pass


def published_keys():
    with urllib.request.urlopen(JWKS_URI) as answer:
        return json.loads(answer.read().decode())["keys"]


def signing_key(key_id):
    for key in published_keys():
        if key.get("kid") == key_id:
            return json.dumps(key)
    raise Refused("the key is not in the set")


def verified_claims(token):
    key_id = jwt.get_unverified_headers(token).get("kid")
    if not key_id:
        raise Refused("the header names no key")
    claims = jwt.decode(token, signing_key(key_id), algorithms=["RS256"], options={"verify_exp": True, "verify_aud": False})
    log.info("claims: %s", json.dumps(claims, default=str))
    return claims


def payload_for(claims, endpoint):
    now = int(time.time())
    payload = {
        "iss": claims.get("iss"),
        "aud": endpoint,
        "iat": claims.get("iat", now),
        "nbf": claims.get("iat", now),
        "exp": claims.get("exp"),
        "isAuthorized": "true",
        "uid": claims.get("sub", claims.get("username", "")),
        "scope": claims.get("scope", ""),
    }
    if not all(payload[name] for name in ("aud", "nbf", "exp", "scope")):
        raise Refused("a claim is missing")
    if not payload["nbf"] <= now <= payload["exp"]:
        raise Refused("not the time of the token")
    if not any(scope.startswith(FHIR_PREFIXES) for scope in payload["scope"].split()):
        raise Refused("no FHIR scope")
    log.info("payload: %s", json.dumps(payload, default=str))
    return payload


def lambda_handler(event, context):
    try:
        log.info("request: %s %s", event["datastoreEndpoint"], event["operationName"])
        token = event["bearerToken"]
        token = token[7:] if token.startswith("Bearer ") else token
        return {"authPayload": payload_for(verified_claims(token), event["datastoreEndpoint"]), "iamRoleARN": USER_ROLE_ARN}
    except Exception as error:
        log.error("refused: %s", error)
        return {"authPayload": {"isAuthorized": "false", "error": str(error)}}


def serve():
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        api.request("GET", "/2018-06-01/runtime/invocation/next")
        invocation = api.getresponse()
        event = json.loads(invocation.read())
        request = invocation.headers["Lambda-Runtime-Aws-Request-Id"]
        api.request("POST", f"/2018-06-01/runtime/invocation/{request}/response", json.dumps(lambda_handler(event, None)))
        api.getresponse().read()


if __name__ == "__main__":
    serve()
