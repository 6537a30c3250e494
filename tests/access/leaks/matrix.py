"""Two servers that differ in nothing but what is hidden: whoever does not see it must get the same answers from both.

What is compared is the whole answer: status, headers, body; only what is random by nature (new ids, sealed page links) is left out.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from fhir_server.app import Application
from fhir_server.auth.requester import Local, Requester
from fhir_server.exchange import FhirRequest
from tests.access.leaks.gates import GATES, Gate, State
from tests.access.leaks.records import DOCTOR, golden_patient, hidden_patient, hidden_record, linked, of_network, own, own_patient
from tests.access.leaks.world import Served
from tests.access.secured import store
from tests.access.sharing import NETWORK, ROLES, SECRETARY, facility, organization, physician, settle, write

_RANDOM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?<=_after=)[\w.~%-]+")
_HEADERS = ("etag", "last-modified", "location", "content-type", "content-range", "accept-ranges", "www-authenticate", "allow")


@dataclass(frozen=True)
class Way:
    """A request that might tell of what is hidden; `{n}` is the patient's number in all of it.

    Her own facility's physician must get different answers, or nothing would have been asked; or the secretariat, where only the network
    itself keeps such a thing; for "nobody" there is no such thing.
    """

    address: str
    method: str = "GET"
    body: Any = None
    headers: Mapping[str, str] | None = None
    told: str = "facility"

    def sent(self, n: int) -> tuple[str, str, dict[str, Any]]:
        """The request about patient n: method, address, and what is sent."""
        sent: dict[str, Any] = (
            {"headers": {name: each.replace("{n}", str(n)) for name, each in self.headers.items()}} if self.headers else {}
        )
        if isinstance(self.body, str):
            sent["content"] = self.body.replace("{n}", str(n))
        elif self.body is not None:
            sent["json"] = json.loads(json.dumps(self.body).replace("{n}", str(n)))
        return self.method, self.address.replace("{n}", str(n)), sent


@dataclass
class Matrix:
    """The server that has what is hidden, and the one that never had it."""

    having: Served
    lacking: Served
    known: dict[tuple[Requester, tuple[str, str]], tuple[str, str]] = field(default_factory=dict)

    async def founded(self) -> "Matrix":
        """Fill both."""
        for server, hidden in ((self.having, True), (self.lacking, False)):
            await _fill(server.app, hidden=hidden)
        return self

    async def nothing_told(self, ways: Mapping[str, Way], gates: Iterable[str] = GATES) -> None:
        """See that no way tells anything to whoever stands before a gate,"""
        told = []
        for name, way in ways.items():
            told += [(gate, name, *both) for gate in gates if len(set(both := await self._both(way, GATES[gate], GATES[gate].reader))) > 1]
        assert not told, "\n".join(_difference(*each) for each in told)

    async def told_to_whom_it_concerns(self, ways: Mapping[str, Way]) -> None:
        """See that each way tells something to whoever may know, or nothing would have been asked."""
        gate, silent = GATES["compartment"], []
        for name, way in ways.items():
            if way.told != "nobody":
                first, second = await self._both(way, gate, SECRETARY if way.told == "secretariat" else physician("A"))
                silent += [f"{name}: {first}"] if first == second else []
        assert not silent, "\n\n".join(silent)

    async def _both(self, way: Way, gate: Gate, who: Requester) -> tuple[str, str]:
        """What both answer; readers who stand before several gates ask what names no patient once."""
        key = who, (way.method, way.address)
        if way.method == "GET" and "{n}" not in way.address and way.headers is None:
            if key not in self.known:
                self.known[key] = await answer(self.having, way, gate, who), await answer(self.lacking, way, gate, who)
            return self.known[key]
        return await answer(self.having, way, gate, who), await answer(self.lacking, way, gate, who)


def _difference(gate: str, way: str, first: str, second: str) -> str:
    at = next((n for n, (one, other) in enumerate(zip(first, second, strict=False)) if one != other), min(len(first), len(second)))
    start = max(0, at - 40)
    return f"{gate}: {way}: {first[start : at + 120]!r} instead of {second[start : at + 120]!r}"


async def answer(server: Served, way: Way, gate: Gate, who: Requester) -> str:
    """What a server answers, without what is random."""
    method, address, sent = way.sent(gate.n)
    return plainly(await server.ask(who, method, address, **sent))


def plainly(response: httpx.Response) -> str:
    """A response as text: its status, the headers that tell anything, its body."""
    assert response.status_code < 500, response.text
    headers = [f"{name}: {response.headers[name]}" for name in _HEADERS if name in response.headers]
    return _RANDOM.sub("-", "\n".join([str(response.status_code), *headers, response.content.decode(errors="replace")]))


async def _fill(app: Application, *, hidden: bool) -> None:
    await store(app, *(organization(letter) for letter in ROLES), _doctor(), custodian=NETWORK)
    shown = [gate for gate in GATES.values() if hidden or not gate.whole]
    for custodian in sorted({gate.owner for gate in GATES.values()}):
        await store(app, *(each for gate in GATES.values() if gate.owner == custodian for each in own(gate.n)), custodian=custodian)
    for custodian in sorted({gate.custodian for gate in shown}):
        of = [gate for gate in shown if gate.custodian == custodian]
        await store(app, *(hidden_patient(gate.n) for gate in of), custodian=custodian)
        await _records(app, custodian, of, hidden=hidden)
    await write(app, *(golden_patient(gate.n) for gate in shown))
    await write(app, *(hidden_patient(gate.n, **linked(gate.n)) for gate in shown))
    await write(app, *(own_patient(gate.n, **linked(gate.n)) for gate in GATES.values() if gate.linked))
    if hidden:
        await write(app, *(each for gate in shown for each in of_network(gate.n, facility("A"))))
    await _consents(app, shown)


def _doctor() -> dict[str, Any]:
    return {"resourceType": "Practitioner", "id": DOCTOR.partition("/")[2], "name": [{"text": "医師 共有"}]}


async def _records(app: Application, custodian: str, gates: list[Gate], *, hidden: bool) -> None:
    """Everything of them, in two versions where it is a result, and one that was deleted."""
    records = [each for gate in gates for each in hidden_record(gate.n) if hidden or each["resourceType"] in gate.shown]
    results = [each for each in records if each["id"].startswith("lab-")]
    gone = [{**each, "id": each["id"].replace("lab", "gone")} for each in results]
    if records:
        await store(app, *records, *gone, custodian=custodian)
    if results:
        await store(app, *({**each, "status": "amended"} for each in results), custodian=custodian)
        await _delete(app, gone, custodian)


async def _delete(app: Application, resources: list[dict[str, Any]], custodian: str) -> None:
    assert app.registry is not None
    entries = [{"request": {"method": "DELETE", "url": f"{each['resourceType']}/{each['id']}"}} for each in resources]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    await app.registry.service.perform(FhirRequest("transaction", body=bundle), Local("local", organization=custodian))


async def _consents(app: Application, gates: list[Gate]) -> None:
    for gate in gates:
        if gate.before is not None:
            await write(app, gate.before(gate.n))
    assert app.registry is not None
    await write(app, *(gate.consent(gate.n) for gate in gates if gate.consent is not None and gate.state is State.SETTLED))
    settler = app.registry.network.settler
    after = settler._after
    await settle(app)
    settler._after = after  # what changes from now on waits
    await write(app, *(gate.consent(gate.n) for gate in gates if gate.consent is not None and gate.state is not State.SETTLED))
