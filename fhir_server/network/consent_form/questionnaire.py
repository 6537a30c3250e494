"""様式6 (患者同意書) as a Questionnaire, and its answers read and checked against it.

https://hl7.org/fhir/R4/questionnaire.html, https://hl7.org/fhir/R4/questionnaireresponse.html; NETWORK.md F066-F072

Only what a form of ours needs is understood: groups, `repeats` of groups, `required`, `maxLength`, options, `enableWhen` about earlier answers.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from fhir_server.exchange import Resource
from fhir_server.outcome import Issue
from profiles.definitions import r4
from profiles.primitives import valid

URL: Final = "urn:tsunagi:Questionnaire:consent-form"
FORM_SYSTEM: Final = "urn:tsunagi:consent-form"
"""System of the form's own answers: agree, dissent, listed, all, patient, proxy, paper, electronic, oral-recorded, ..."""

_VALUES: Final = {
    "attachment": "Attachment",
    "boolean": "Boolean",
    "choice": "Coding",
    "date": "Date",
    "open-choice": "Coding",
    "reference": "Reference",
    "string": "String",
    "text": "String",
}
_LONGEST: Final = 100
_SPACE: Final = str.maketrans("\u3000", " ")
_BLANKS: Final = str.maketrans("\u3000\n\r\t", "    ")


@cache
def questionnaire() -> Resource:
    """Give the Questionnaire as it is in the network's definitions."""
    return next(each for each in r4().networks if each.get("url") == URL)


@dataclass(frozen=True, slots=True)
class Group:
    """The answers of one group by the last part of their linkId; `place` is its FHIRPath, `places` those of its items."""

    place: str
    link: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    groups: dict[str, tuple["Group", ...]] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        """Give a text without blanks around it."""
        value = self.values.get(name)
        return value.strip() if isinstance(value, str) else None

    def code(self, name: str) -> str | None:
        """Give the code of what was chosen; None where it was written freely, too."""
        value = self.values.get(name)
        return value.get("code") if isinstance(value, dict) else None

    def where(self, name: str) -> str:
        """Give the FHIRPath of an answer, or of where it is missing."""
        return self.places.get(name, f"{self.place}.item.where(linkId='{self.link}{name}')")


class Reading:
    """Reads a response; what is wrong with it is in `issues` afterwards."""

    def __init__(self, form: Resource) -> None:
        self._form = form
        self._given: dict[str, Any] = {}
        self.issues: list[Issue] = []

    def read(self, response: Resource) -> Group:
        """Give the answers of a valid QuestionnaireResponse as a group of groups."""
        named = str(response.get("questionnaire", "")).partition("|")[0]
        if named != self._form["url"]:
            self._wrong("value", f"The form is not {self._form['url']}", "QuestionnaireResponse.questionnaire")
        if response.get("status") not in ("completed", "amended"):
            self._wrong("business-rule", "Only a completed form is taken / 記入済みの様式のみ受け付けます", "QuestionnaireResponse.status")
        return self._group(self._form["item"], response.get("item", ()), "QuestionnaireResponse")

    def _group(self, definitions: Sequence[Resource], items: Sequence[Resource], place: str, link: str = "") -> Group:
        known = {each["linkId"]: each for each in definitions}
        found = Group(place, link)
        for number, item in enumerate(items):
            where = f"{place}.item[{number}]"
            definition = known.get(item.get("linkId", ""))
            if definition is None or definition["type"] == "display":
                self._wrong("value", "The form has no such item here", f"{where}.linkId")
            elif definition["type"] == "group":
                self._add_group(found, definition, item, where)
            else:
                self._add_value(found, definition, item, where)
        for definition in definitions:
            self._check_present(found, definition)
        return found

    def _add_group(self, found: Group, definition: Resource, item: Resource, where: str) -> None:
        id = definition["linkId"]
        if id in found.groups and not definition.get("repeats"):
            self._wrong("value", "This group is given more than once", f"{where}.linkId")
        read = self._group(definition["item"], item.get("item", ()), where, f"{id}.")
        found.groups[id] = (*found.groups.get(id, ()), read)

    def _add_value(self, found: Group, definition: Resource, item: Resource, where: str) -> None:
        name = _name(definition)
        answers = item.get("answer", ())
        if name in found.places or len(answers) > 1:
            self._wrong("value", "This item has one answer", f"{where}.answer")
            return
        found.places[name] = f"{where}.answer[0].value"
        for answer in answers:
            value = self._value(definition, answer, found.places[name])
            if value is not None:
                found.values[name] = value
                self._given[definition["linkId"]] = value

    def _value(self, definition: Resource, answer: Resource, place: str) -> Any:
        kind: str = definition["type"]
        if kind == "open-choice" and "valueString" in answer:
            return self._checked_text(answer["valueString"], definition, place)
        value = answer.get(f"value{_VALUES[kind]}")
        if value is None:
            return self._wrong("value", f"The answer is a {_VALUES[kind]}", place)
        if kind in ("string", "text"):
            return self._checked_text(value, definition, place)
        if kind == "date" and not (valid("date", value) and len(value) == len("2026-04-01")):
            return self._wrong("value", "Write the whole date, as 2026-04-01 / 年月日をすべて記入してください", place)
        if kind in ("choice", "open-choice") and _coding(value) not in {
            _coding(each["valueCoding"]) for each in definition["answerOption"]
        }:
            return self._wrong("code-invalid", "The answer is none of the options / 選択肢にない回答です", place)
        return value

    def _checked_text(self, value: Any, definition: Resource, place: str) -> str | None:
        allowed = _BLANKS if definition["type"] == "text" else _SPACE
        most = definition.get("maxLength", _LONGEST)
        if not isinstance(value, str) or not value.strip() or not value.translate(allowed).isprintable():
            text = "The answer is blank or has characters that cannot be printed / 回答が空欄か、使えない文字があります"
            self._wrong("value", text, place)
        elif len(value) > most:
            self._wrong("value", f"The answer is longer than {most} characters / 長すぎます", place)
        else:
            return value
        return None

    def _check_present(self, found: Group, definition: Resource) -> None:
        given = found.groups.get(definition["linkId"]) or found.values.get(_name(definition)) is not None
        asked = self._is_asked(definition)
        where = found.where(_name(definition))
        if definition.get("required") and asked and not given and _name(definition) not in found.places:
            self._wrong("required", f"{definition['text']} ({definition['linkId']}) is missing / 記入がありません", where)
        elif given and not asked:
            self._wrong("value", "This is not asked after the answers before / 前の回答と矛盾します", where)

    def _is_asked(self, definition: Resource) -> bool:
        return all(_agrees(self._given.get(each["question"]), each) for each in definition.get("enableWhen", ()))

    def _wrong(self, code: str, text: str, place: str) -> Any:
        """Note what is wrong; gives None in place of the answer."""
        self.issues.append(Issue(code, text, (place,)))


def _agrees(given: Any, condition: Mapping[str, Any]) -> bool:
    asked = condition.get("answerCoding", condition.get("answerBoolean"))
    same = _coding(given) == _coding(asked) if isinstance(asked, dict) else given == asked
    return same if condition["operator"] == "=" else not same


def _coding(value: Any) -> tuple[Any, Any] | None:
    return (value.get("system"), value.get("code")) if isinstance(value, dict) else None


def _name(definition: Resource) -> str:
    return str(definition["linkId"]).rpartition(".")[2]


def texts(form: Resource) -> Iterator[str]:
    """Give every text that the form shows, in its order."""
    for item in form.get("item", ()):
        yield item["text"]
        yield from texts(item)
