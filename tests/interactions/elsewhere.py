"""Another process of the same server: it stores one patient, unless somebody has, again and again.

    python -m tests.interactions.elsewhere URI DATABASE FIRST COUNT

For each number from FIRST on, it creates the patient with that number eight times at once, if none exists.
"""

import asyncio
import sys

import uvloop

from fhir_server.app import open_service
from fhir_server.exchange import FhirRequest
from fhir_server.service import LOCAL, Service
from fhir_server.settings import Settings

SYSTEM = "http://example.org/number"


async def create(service: Service, number: int, **elements: object) -> int:
    """Create the patient with this number, if none exists; give the HTTP status."""
    patient = {"resourceType": "Patient", "identifier": [{"system": SYSTEM, "value": str(number)}], **elements}
    request = FhirRequest("create", "Patient", body=patient, headers={"if-none-exist": f"identifier={SYSTEM}|{number}"})
    return (await service.perform(request, LOCAL)).status


async def main(uri: str, database: str, first: int, count: int) -> None:
    """Create, and print how many were new."""
    async with open_service(Settings(database=database), uri) as service:
        print("ready", flush=True)
        sys.stdin.readline()  # the other processes are ready too
        created = 0
        for number in range(first, first + count):
            created += (await asyncio.gather(*(create(service, number) for _ in range(8)))).count(201)
        print(created, flush=True)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
