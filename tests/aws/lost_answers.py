"""A SMART stack's whole life while three in ten answers are lost, failed, throttled or cut off.

    lost_answers.py HLCTL [--server NAME]... [SEED...]

The AWS is moto or MiniStack, with HealthLake on hlctl's emulator, both behind faulty proxies; boto3 counts what is there behind
their backs. Every command must succeed in one run, make nothing twice and leave nothing. Prints a line for each seed and closes
with `N passed, N failed`.
"""

import argparse
import json
import pathlib
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

import attributes
from compare import equal
from faulty import Dice, proxy
from servers import SERVERS, beside
from support import Stack

SEEDS = [1, 2]
# A life is mostly pauses before what is sent again.
LIVES_AT_ONCE = 4
# How many of each examples/smart.toml makes.
ALL = {
    "keys": 2,
    "buckets": 2,
    "stores": 1,
    "roles": 3,
    "attached": 3,
    "policies": 2,
    "pools": 1,
    "clients": 2,
    "users": 1,
    "servers": 3,
    "functions": 1,
    "aliases": 0,
    "groups": 1,
}


def census(stack):
    """How many of each live."""
    kms, iam, s3 = stack.client("kms"), stack.client("iam"), stack.client("s3")
    cognito, functions, logs = stack.client("cognito-idp"), stack.client("lambda"), stack.client("logs")
    described = [kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"] for key in kms.list_keys()["Keys"]]
    pools = [pool["Id"] for pool in cognito.list_user_pools(MaxResults=60)["UserPools"]]
    roles = [role["RoleName"] for role in iam.list_roles()["Roles"]]
    policies = [policy["Arn"] for policy in iam.list_policies(Scope="Local")["Policies"]]
    stores = stack.client("healthlake").list_fhir_datastores()["DatastorePropertiesList"]
    names = [function["FunctionName"] for function in functions.list_functions()["Functions"]]
    return {
        # moto's managed keys of services are not ours.
        "keys": sum(key["KeyState"] == "Enabled" and key["KeyManager"] == "CUSTOMER" for key in described),
        "buckets": len(s3.list_buckets()["Buckets"]),
        "stores": sum(store["DatastoreStatus"] not in ("DELETING", "DELETED") for store in stores),
        "roles": len(roles),
        "attached": sum(len(iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]) for role in roles),
        "policies": len(policies),
        "pools": len(pools),
        "clients": sum(len(cognito.list_user_pool_clients(UserPoolId=pool, MaxResults=60)["UserPoolClients"]) for pool in pools),
        "users": sum(len(cognito.list_users(UserPoolId=pool)["Users"]) for pool in pools),
        "servers": sum(len(cognito.list_resource_servers(UserPoolId=pool, MaxResults=50)["ResourceServers"]) for pool in pools),
        "functions": len(names),
        "aliases": sum(len(functions.list_aliases(FunctionName=name)["Aliases"]) for name in names),
        "groups": len(logs.describe_log_groups()["logGroups"]),
    }


def change(stack):
    stack.edit(r"^datastore_name\s*=.*$", 'datastore_name = "renamed"')
    stack.store_name = "renamed"
    stack.add("lambda_memory_size = 512\nlambda_log_retention_in_days = 30")
    # No tags: moto 5.2.5 has no TagResource of Cognito's, and answers with 500.


def live(hlctl, server, dice):
    """One life."""
    with beside(hlctl, server) as (aws, healthlake), proxy(aws, dice) as faulty, proxy(healthlake, dice) as faulty_healthlake:
        stack = Stack(hlctl, aws, healthlake, "smart")
        stack.server = server
        through = {"AWS_ENDPOINT_URL": faulty, "AWS_ENDPOINT_URL_HEALTHLAKE": faulty_healthlake}
        stack.expect(0, "apply", "--auto-approve", **through)
        equal("what is there", census(stack), ALL)
        attributes.Check(stack).all()
        stack.expect(0, "plan", "--detailed-exitcode")
        change(stack)
        stack.expect(0, "apply", "--auto-approve", **through)
        equal("what is there", census(stack), ALL)
        stack.expect(0, "plan", "--detailed-exitcode")
        stack.expect(0, "destroy", "--auto-approve", "--allow-destroy", stack.store_name, "--force-destroy", **through)
        attributes.nothing_left(stack)
        state = json.loads((stack.directory / "healthlake.state.json").read_text())
        equal("what is in the state", state["state"]["resources"], {})


def one(hlctl, server, seed):
    """Tells how it went; gives whether it went well."""
    begun, dice = time.monotonic(), Dice(seed)
    try:
        live(hlctl, server, dice)
        dice.was_as_hard_as_it_should_be()
        verdict = "ok"
    except Exception:
        verdict = "FAILED\n" + traceback.format_exc()
    print(f"{server.name}, seed {seed} ({time.monotonic() - begun:.1f} s; {dice}): {verdict}", flush=True)
    return verdict == "ok"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("hlctl", type=lambda path: str(pathlib.Path(path).resolve()))
    parser.add_argument("seeds", type=int, nargs="*", default=SEEDS)
    parser.add_argument("--server", choices=SERVERS, action="append", help="not given: each")
    asked = parser.parse_args()
    servers = [SERVERS[name] for name in asked.server or SERVERS]
    with ThreadPoolExecutor(LIVES_AT_ONCE) as pool:
        lives = [pool.submit(one, asked.hlctl, server, seed) for seed in asked.seeds for server in servers]
        verdicts = [life.result() for life in lives]
    print(f"{sum(verdicts)} passed, {verdicts.count(False)} failed")
    return 0 if verdicts and all(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
