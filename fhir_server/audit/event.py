"""One audit event: an interaction as it is recorded, before it is told as an AuditEvent.

NETWORK.md L09 (who, when, what, of whom), F081, F114; https://profiles.ihe.net/ITI/BALP/
"""

import msgspec


class Seen(msgspec.Struct, frozen=True, omit_defaults=True, array_like=True):
    """What an interaction gave out or wrote of one patient's data in one custody: how many resources of which type.

    `patient` is "Patient/1", empty for what tells of nobody; `custodian` "Organization/1", empty where there is none.
    """

    patient: str
    custodian: str
    type: str
    count: int


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """What happened. `at` is milliseconds since 1970; `status` the HTTP status answered, `action` C R U D or E.

    `subject`, `client`, `person`, `organization`, `role`, `purpose` are the requester's; `request` is the request's id, `interaction`, `type`,
    `id`, `operation`, `query` (undecoded) what was asked. `seen` is what was given out, `written` the references written, `what` those
    read, few at most. `consents` are the Consents relied on, `emergency` the record of an emergency or disaster relied on, with its `reason`.
    """

    at: int
    action: str
    interaction: str
    status: int
    subject: str = ""
    client: str = ""
    person: str = ""
    organization: str = ""
    role: str = ""
    purpose: str = ""
    request: str = ""
    type: str = ""
    id: str = ""
    operation: str = ""
    query: str = ""
    seen: tuple[Seen, ...] = ()
    what: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    consents: tuple[str, ...] = ()
    emergency: str = ""
    reason: str = ""
