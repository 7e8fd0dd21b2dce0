"""AWS Labs' MCP server for HealthLake searches, pages and writes; its endpoint alone is led to the sandbox."""

import asyncio
import os
import sys
from urllib.parse import urlsplit

E = os.environ
E.setdefault("AWS_DEFAULT_REGION", E["AWS_REGION"])

from awslabs.healthlake_mcp_server.fhir_operations import HealthLakeClient  # noqa: E402

STORE = E["STORE"]


class Client(HealthLakeClient):
    def _get_fhir_endpoint(self, datastore_id):
        return f"{E['SANDBOX']}/datastore/{datastore_id}/r4/"

    def _healthlake_host(self):
        return urlsplit(E["SANDBOX"]).hostname


def check(holds, what):
    """Not `assert`, which Python leaves out with -O."""
    if not holds:
        sys.exit(f"not so: {what}")


async def main():
    client = Client(E["AWS_REGION"])
    stores = await client.list_datastores()
    check(STORE in str(stores), "the store is listed")
    made = await client.create_resource(
        STORE, "Patient", {"resourceType": "Patient", "gender": "female", "name": [{"family": "Silva", "given": ["Ana"]}]}
    )
    patient = made["id"]
    await client.update_resource(STORE, "Patient", patient, {"resourceType": "Patient", "name": [{"family": "Silva"}]})
    observation = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "urn:example", "code": "mcp"}]},
        "subject": {"reference": f"Patient/{patient}"},
    }
    await client.create_resource(STORE, "Observation", observation)

    async def found(kind, **asked):
        bundle = await client.search_resources(STORE, kind, **asked)
        entries = bundle.get("entry", []) + bundle.get("included", [])
        return [entry["resource"]["resourceType"] for entry in entries]

    for wanted, asked in [
        (["Patient"], {"search_params": {"name": "Silva"}}),
        (["Patient"], {"search_params": {"family:exact": "Silva"}}),
        (["Patient"], {"search_params": {"_has:Observation:patient:code": "mcp"}}),
        (["Patient"], {"search_params": {"name": "Silva", "_summary": "true"}}),
        (["Patient"], {"search_params": {"name": "Silva", "_elements": "name"}}),
    ]:
        check(await found("Patient", **asked) == wanted, f"{asked} finds {wanted}")
    for asked in [
        {"search_params": {"code": "mcp"}},
        {"chained_params": {"subject:Patient.name": "Silva"}},
        {"chained_params": {"patient.name": "Silva"}},
    ]:
        check(await found("Observation", **asked) == ["Observation"], f"{asked} finds the observation")
    both = await client.search_resources(
        STORE, "Observation", search_params={"code": "mcp"}, include_params=["Observation:subject", "Observation:encounter"]
    )
    check("Silva" in str(both), f"the patient is included: {both}")

    first = await client.search_resources(STORE, "Patient", count=2)
    token = first["pagination"]["next_token"]
    second = await client.search_resources(STORE, "Patient", next_token=token)
    check(first["entry"] != second["entry"] and second["entry"], "there is a second page")
    everything = await client.patient_everything(STORE, patient, count=1)
    rest = await client.patient_everything(STORE, patient, next_token=everything["pagination"]["next_token"])
    check(len(rest["entry"]) == 1, "$everything goes on")
    await client.delete_resource(STORE, "Patient", patient)
    print("healthlake-mcp-server: searches, pages and writes")


asyncio.run(main())
