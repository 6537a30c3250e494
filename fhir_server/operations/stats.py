"""The operation Observation-stats: statistics of the quantities measured under a code.

https://hl7.org/fhir/R4/observation-operation-stats.html

Values in different units are never mixed: each unit has statistics of its own. Values with a comparator (`<5`) and those
of observations that were cancelled or entered in error do not count.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from fhir_server.exchange import FhirRequest, FhirResponse, Resource, Version
from fhir_server.interactions.bundle import instant
from fhir_server.interactions.serving import Serving
from fhir_server.operations.arguments import Arguments
from fhir_server.operations.statistics import STATISTICS, SYSTEM, UNITLESS
from fhir_server.outcome import FhirError, Issue, invalid
from fhir_server.search.query import Pair, parse
from fhir_server.search.types.escapes import escape
from fhir_server.store.repository import Repository
from profiles import json

MOST = 10_000
_NO_RESULT = frozenset({"cancelled", "entered-in-error", "registered"})


@dataclass(slots=True)
class _Sample:
    """The values of one code in one unit, and where they come from."""

    quantity: dict[str, Any]
    values: list[Decimal] = field(default_factory=list)


async def stats(request: FhirRequest, arguments: Arguments, repository: Repository, serving: Serving) -> FhirResponse:
    """Answer with Parameters: for each code and unit an Observation whose components are the statistics.

    Raises FhirError: 400 for an unknown statistic and where no code is given, too-costly beyond MOST observations.
    """
    wanted = tuple(dict.fromkeys(code for value in arguments.all("statistic") for code in value.split(",")))
    for code in wanted:
        if code not in STATISTICS:
            raise _wrong("statistic", f"The statistics computed are {', '.join(STATISTICS)}")
    codings = _codings(arguments)
    subject = arguments.one("subject").removeprefix(f"{request.base}/")
    now = datetime.now(UTC)
    found = await _found(request, [("subject", subject), _code_pair(codings), *_period(arguments, now)], repository, serving, now)
    resources = [json.decode(version.body) for version in found if version.body is not None]
    parameters: list[dict[str, Any]] = []
    for coding in codings:
        statistics = [_statistics(coding, subject, sample, wanted, now) for sample in _samples(coding, resources)]
        parameters += [{"name": "statistics", "resource": resource} for resource in statistics]
    if arguments.one("include"):
        parameters += [{"name": "source", "resource": resource} for resource in resources[: arguments.one("limit") or len(resources)]]
    answer: Resource = {"resourceType": "Parameters", **({"parameter": parameters} if parameters else {})}
    return FhirResponse(200, json.encode(answer))


async def _found(request: FhirRequest, pairs: Sequence[Pair], repository: Repository, serving: Serving, now: datetime) -> list[Version]:
    query = parse(
        "Observation",
        [*pairs, ("_count", str(serving.limits.most))],
        serving.parameters,
        strict=True,
        zone=serving.zone,
        limits=serving.limits,
        now=now,
        base=request.base,
    )
    page = await repository.find(query)
    found = list(page.versions)
    while page.after is not None:
        if len(found) > MOST:
            raise FhirError(Issue("too-costly", f"The statistics would be over more than {MOST} observations; name a shorter period"))
        page = await repository.find(replace(query, after=page.after))
        found += page.versions
    return found


def _codings(arguments: Arguments) -> list[dict[str, str]]:
    system = arguments.one("system")
    found = [{**({"system": system} if system else {}), "code": code} for code in arguments.all("code")]
    for coding in arguments.all("coding"):
        if not isinstance(coding.get("code"), str) or not coding["code"]:
            raise _wrong("coding", "A coding has a code")
        found.append({name: coding[name] for name in ("system", "code", "display") if isinstance(coding.get(name), str)})
    if not found:
        raise _wrong("code", "$stats needs code with system, or coding", code="required")
    return found


def _code_pair(codings: Sequence[dict[str, str]]) -> Pair:
    asked = ["|".join(escape(coding[name]) for name in ("system", "code") if name in coding) for coding in codings]
    return ("combo-code", ",".join(asked))


def _period(arguments: Arguments, now: datetime) -> list[Pair]:
    duration, period = arguments.one("duration"), arguments.one("period")
    if duration is not None:
        if not 0 < duration < 10_000_000:
            raise _wrong("duration", "duration is a number of hours above 0")
        return [("date", f"ge{instant(now - timedelta(hours=float(duration)))}"), ("date", f"le{instant(now)}")]
    if period is None:
        return []
    ends = [(prefix, period.get(name)) for prefix, name in (("ge", "start"), ("le", "end"))]
    return [("date", f"{prefix}{end}") for prefix, end in ends if isinstance(end, str)]


def _samples(coding: dict[str, str], resources: Sequence[Resource]) -> list[_Sample]:
    found: dict[tuple[str, ...], _Sample] = {}
    for resource in resources:
        if resource.get("status") not in _NO_RESULT:
            for quantity in _quantities(coding, resource):
                unit = tuple(str(quantity.get(name, "")) for name in (("system", "code") if "code" in quantity else ("unit",)))
                sample = found.setdefault(unit, _Sample({name: quantity[name] for name in ("unit", "system", "code") if name in quantity}))
                sample.values.append(Decimal(quantity["value"]))
    return list(found.values())


def _quantities(coding: dict[str, str], resource: Resource) -> Iterator[dict[str, Any]]:
    for element in (resource, *resource.get("component", ())):
        quantity = element.get("valueQuantity")
        if quantity is not None and "value" in quantity and "comparator" not in quantity:
            for each in element["code"].get("coding", ()):
                if all(each.get(name) == coding[name] for name in ("system", "code") if name in coding):
                    yield quantity
                    break


def _statistics(coding: dict[str, str], subject: str, sample: _Sample, wanted: Sequence[str], now: datetime) -> Resource:
    components: list[dict[str, Any]] = []
    for code in wanted:
        value = STATISTICS[code](sample.values)
        if value is not None:
            quantity = {"value": value, **({} if code in UNITLESS else sample.quantity)}
            components.append({"code": {"coding": [{"system": SYSTEM, "code": code}]}, "valueQuantity": quantity})
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [coding]},
        "subject": {"reference": subject},
        "issued": instant(now.replace(microsecond=0)),
        **({"component": components} if components else {}),
    }


def _wrong(name: str, diagnostics: str, code: str = "value") -> FhirError:
    return invalid(diagnostics, f"Parameters.parameter.where(name='{name}')", code=code)
