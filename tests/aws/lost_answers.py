"""A SMART stack's whole life while three in ten answers are lost, failed, throttled or cut off.

    lost_answers.py HLCTL [SEED...]

The AWS is moto with HealthLake on hlctl's emulator, both behind faulty proxies; boto3 counts what is there behind their backs.
Every command must succeed in one run, make nothing twice and leave nothing. Prints a line for each seed and closes with
`N passed, N failed`.
"""

import json
import pathlib
import sys
import time
import traceback

import attributes
from faulty import Dice, proxy
from support import Stack, moto, sandbox

SEEDS = [1, 2]


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


def live(hlctl, dice):
    """One life; gives how many of each there were."""
    with moto() as aws, sandbox(hlctl) as healthlake, proxy(aws, dice) as faulty, proxy(healthlake, dice) as faulty_healthlake:
        stack = Stack(hlctl, aws, healthlake, "smart")
        through = {"AWS_ENDPOINT_URL": faulty, "AWS_ENDPOINT_URL_HEALTHLAKE": faulty_healthlake}
        stack.expect(0, "apply", "--auto-approve", **through)
        made = census(stack)
        attributes.Check(stack).all()
        stack.expect(0, "plan", "--detailed-exitcode")
        change(stack)
        stack.expect(0, "apply", "--auto-approve", **through)
        assert census(stack) == made, f"{census(stack)} instead of {made}"
        stack.expect(0, "plan", "--detailed-exitcode")
        stack.expect(0, "destroy", "--auto-approve", "--allow-destroy", stack.store_name, "--force-destroy", **through)
        attributes.nothing_left(stack)
        state = json.loads((stack.directory / "healthlake.state.json").read_text())
        assert state["state"]["resources"] == {}, state
        return made


def main():
    hlctl = str(pathlib.Path(sys.argv[1]).resolve())
    seeds = [int(seed) for seed in sys.argv[2:]] or SEEDS
    expected = live(hlctl, Dice(0, chance=0))
    passed = failed = 0
    for seed in seeds:
        begun, dice = time.monotonic(), Dice(seed)
        try:
            made = live(hlctl, dice)
            assert made == expected, f"{made} instead of {expected}"
            passed += 1
            verdict = "ok"
        except Exception:
            failed += 1
            verdict = "FAILED\n" + traceback.format_exc()
        faults = ", ".join(f"{count} {fault}" for fault, count in sorted(dice.counts.items()))
        print(f"seed {seed} ({time.monotonic() - begun:.1f} s; {faults}): {verdict}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
