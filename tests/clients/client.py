"""PyPI fhirclient logs in by the store's metadata; PyJWT verifies both tokens by the discovery document of the pool."""

import os
import re

import jwt
import requests
from fhirclient import client
from fhirclient.models.patient import Patient

E = os.environ
BASE = f"{E['SANDBOX']}/datastore/{E['STORE']}/r4"


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
assert smart.authorize_url.startswith(E["SANDBOX"] + "/"), smart.authorize_url
smart.handle_callback(by_browser(smart.authorize_url))
# Its own search calls for `iterator`s in some versions; `perform_resources` gives the first page in all.
patients = Patient.where({"_count": "5"}).perform_resources(smart.server)
print("fhirclient:", len(patients), "patients")

config = requests.get(f"{E['SANDBOX']}/{E['POOL']}/.well-known/openid-configuration").json()
assert config["issuer"] == f"{E['SANDBOX']}/{E['POOL']}", config
keys = jwt.PyJWKClient(config["jwks_uri"])
access = smart.server.auth.access_token
claims = jwt.decode(access, keys.get_signing_key_from_jwt(access), algorithms=["RS256"], issuer=config["issuer"])
print("PyJWT: access token of", claims["iss"])
