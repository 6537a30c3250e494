// Prescriptions, the newest first: what was written on one prescription stands together.

import { element, table } from "./elements.js";
import { sign } from "./graph.js";
import { meaning, say } from "./language.js";
import { code, concept, display, quantity } from "./reading.js";
import { day, time } from "./times.js";

const ORDER = /^urn:tsunagi:\d+:order-number$/;

/** Show the prescriptions. */
export async function medications({ server, facilities }) {
  const found = await server.ofPatient("MedicationRequest", { _sort: "-authoredon" });
  if (!found.resources.length) return element("p", { class: "none card" }, say("medications.none"));
  await facilities.meet(found.resources);
  const shown = prescriptions(found.resources, facilities).map((each) => prescription(each, facilities));
  return element("div", {}, found.more ? element("p", { class: "note" }, say("more")) : null, shown);
}

function prescriptions(requests, facilities) {
  const groups = new Map();
  for (const each of requests) {
    const order = each.identifier?.find((one) => ORDER.test(one.system ?? ""))?.value ?? each.groupIdentifier?.value ?? each.authoredOn;
    const key = `${facilities.of(each)} ${order}`;
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return [...groups.values()];
}

function prescription(requests, facilities) {
  const [first] = requests;
  const kinds = [...new Set((first.category ?? []).slice(1).map(concept))].filter(Boolean);
  const facility = facilities.of(first);
  const columns = ["drug", "dosage", "dose", "daily", "days", "quantity"].map((each) => say(`medications.${each}`));
  return element(
    "section",
    { class: "card prescription" },
    element(
      "h2",
      {},
      sign(facilities.colour(facility)),
      element("time", { datetime: first.authoredOn }, time(first.authoredOn)),
      " ",
      element("span", { class: "quiet" }, facilities.name(facility)),
      kinds.map((each) => element("span", { class: "tag" }, each)),
    ),
    display(first.requester) ? element("p", { class: "quiet" }, say("medications.by", display(first.requester))) : null,
    table(say("medications.of", day(first.authoredOn)), columns, requests.map(row), { class: "hidden-caption" }),
  );
}

function row(request) {
  const dosage = request.dosageInstruction?.[0] ?? {};
  const dose = dosage.doseAndRate?.[0] ?? {};
  const supply = request.dispenseRequest ?? {};
  return [
    drug(request),
    [dosage.text ?? concept(dosage.timing?.code), dosage.asNeededBoolean ? element("span", { class: "tag" }, say("medications.needed")) : null],
    quantity(dose.doseQuantity),
    quantity(dose.rateRatio?.numerator),
    quantity(supply.expectedSupplyDuration ?? dosage.timing?.repeat?.boundsDuration),
    quantity(supply.quantity),
  ].map((cell) => [cell].flat().filter(Boolean));
}

function drug(request) {
  const name = concept(request.medicationCodeableConcept) || display(request.medicationReference) || code(request.medicationCodeableConcept);
  const still = ["active", "completed"].includes(request.status);
  return [
    element(still ? "span" : "s", {}, name),
    still ? null : element("span", { class: "tag warning" }, meaning("request", request.status)),
  ];
}
