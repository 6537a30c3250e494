"""Hospitals of any size as SS-MIX2 標準化ストレージ trees.

The first patients of a facility of the standard fixture are those of the fixture; all others are drawn. Each patient
has an own stream of chance that follows from seed, facility and position, so that the same question always gives the
same bytes and no patient depends on another. Nothing is kept: memory does not grow with the hospital.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from fhir_server.sandbox.addresses import address
from fhir_server.sandbox.facilities import Facility
from fhir_server.sandbox.network import attending
from fhir_server.sandbox.patients import Person, person
from fhir_server.sandbox.records import patient_files
from fhir_server.sandbox.visits import plan

FILES_PER_PATIENT = 17  # when no number of files is asked for
MOST_FILES_PER_PATIENT = 280  # on average; beyond it, more patients are made
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


def write_tree(
    directory: Path,
    facility: Facility,
    patients: int,
    seed: int,
    files: int | None = None,
    *,
    progress: Callable[[int], None] | None = None,
    revisions: bool = False,
) -> int:
    """Write a hospital below `directory/<facility code>` and return the number of files.

    The same arguments write the same bytes; what already lies there under other names is left alone. `progress` is
    told how many files are written, from time to time and at the end.
    """
    root = directory / facility.code
    written = 0
    for path, data in history(facility, patients, seed, files, revisions=revisions):
        _write(f"{root}/{path}", data)
        written += 1
        if progress and written % 250 == 0:
            progress(written)
    if progress:
        progress(written)
    return written


def history(
    facility: Facility,
    patients: int,
    seed: int,
    files: int | None = None,
    *,
    revisions: bool = False,
) -> Iterator[tuple[str, bytes]]:
    """Make the files of a hospital: path below the root folder, content.

    With `files`, exactly so many come: histories grow longer, and where they would grow too long, there are more
    patients. With `revisions`, some files are superseded (`_2`) or deleted (`_0`), as in a storage that has lived.
    """
    wanted = patients * FILES_PER_PATIENT if files is None else files
    count = min(wanted, max(patients, -(-wanted // MOST_FILES_PER_PATIENT)))
    fixture = attending(facility)
    for position, quota in enumerate(_quotas(facility, count, wanted, seed)):
        rng = Random(f"{seed}/{facility.code}/{position}")
        number, who = fixture[position] if position < len(fixture) else _drawn(rng, position)
        diagnoses = quota >= 2 and facility.type != "pharmacy"
        former = address(rng) if revisions and quota >= 4 and rng.random() < 0.2 else None
        stays = plan(rng, facility, who, quota - 1 - diagnoses - bool(former), revisions=revisions)
        yield from patient_files(rng, facility, number, who, stays, diagnoses=diagnoses, former=former)


def _drawn(rng: Random, position: int) -> tuple[str, Person]:
    return f"{10_000_000 + position:010d}", person(rng)


def _quotas(facility: Facility, patients: int, files: int, seed: int) -> Iterator[int]:
    """Share the files among the patients: some come often, some rarely, and all shares add up."""
    total = sum(_weights(facility, patients, seed))
    given, passed = 0, 0.0
    for weight in _weights(facility, patients, seed):
        passed += weight
        share = round((files - patients) * passed / total) if total else 0
        yield 1 + share - given
        given = share


def _weights(facility: Facility, patients: int, seed: int) -> Iterator[float]:
    rng = Random(f"{seed}/{facility.code}/weights")
    return (0.5 + 1.5 * rng.random() ** 1.5 for _ in range(patients))


def _write(path: str, data: bytes) -> None:
    """Write one file; plain strings, for a Path each takes as long as the writing."""
    try:
        descriptor = os.open(path, _WRITE, 0o644)
    except FileNotFoundError:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, _WRITE, 0o644)
    with open(descriptor, "wb", buffering=0) as file:  # noqa: PTH123
        file.write(data)
