"""PyPI fhirclient logs in by the store's metadata; PyJWT verifies both tokens by the discovery document of the pool."""

import os
import re
import sys

import jwt
import requests
from fhirclient import client
from fhirclient.models.patient import Patient

E = os.environ
BASE = f"{E['SANDBOX']}/datastore/{E['STORE']}/r4"


def check(holds, what):
    """Not `assert`, which Python leaves out with -O."""
    if not holds:
        sys.exit(f"not so: {what}")


def by_browser(address):
    """Logs in as a browser would, and gives the address that it is sent back to."""
    session = requests.Session()
    page = session.get(address)
    csrf = re.search(r'name="_csrf" value="([^"]*)"', page.text).group(1)
    form = {"_csrf": csrf, "username": E["LOGIN"], "password": E["PASSWORD"]}
    return session.post(page.url, data=form, allow_redirects=False).headers["location"]


smart = client.FHIRClient(
    settings={
        "app_id": E["CLIENT_ID"],
        "app_secret": E["CLIENT_SECRET"],
        "api_base": BASE,
        "redirect_uri": E["CALLBACK"],
        "scope": "openid patient/*.read",
    }
)
smart.prepare()
check(smart.authorize_url.startswith(E["SANDBOX"] + "/"), f"the log-in page is the sandbox's: {smart.authorize_url}")
# fhirclient drops the ID token, so the token endpoint's answer is kept here.
answers = []
post = smart.server.post_as_form
smart.server.post_as_form = lambda *given, **named: answers.append(post(*given, **named)) or answers[-1]
smart.handle_callback(by_browser(smart.authorize_url))
tokens = answers[-1].json()
# Some versions follow the links to further pages, others give the first alone.
patients = Patient.where({"_count": "5"}).perform_resources(smart.server)
check(len(patients) >= 5 and all(patient.id for patient in patients), f"there are {len(patients)} patients, each with an id")
print("fhirclient:", len(patients), "patients")

issuer = f"{E['SANDBOX']}/{E['POOL']}"
config = requests.get(f"{issuer}/.well-known/openid-configuration").json()
check(config["issuer"] == issuer, f"the discovery document is the pool's: {config}")
keys = jwt.PyJWKClient(config["jwks_uri"])


def verified(token, **claims):
    """The claims of a token whose signature, issuer, expiry and use are right."""
    required = {"require": ["exp", "iat", "iss", "sub", "token_use"], "verify_aud": "audience" in claims}
    key = keys.get_signing_key_from_jwt(token)
    return jwt.decode(token, key, algorithms=["RS256"], issuer=issuer, options=required, **claims)


# Cognito's access tokens name the client in `client_id`; its ID tokens have `aud`.
check(tokens["access_token"] == smart.server.auth.access_token, "fhirclient uses the token that it was given")
access = verified(tokens["access_token"])
check((access["token_use"], access["client_id"]) == ("access", E["CLIENT_ID"]), f"it is an access token for this client: {access}")
identity = verified(tokens["id_token"], audience=E["CLIENT_ID"])
check((identity["token_use"], identity["sub"]) == ("id", access["sub"]), f"it is an ID token of the same user: {identity}")
print("PyJWT: access and ID token of", access["iss"])
