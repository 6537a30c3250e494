// The first page: who the patient is, allergies, problems, last visits.

import { card, element, table } from "./elements.js";
import { issuer } from "./facilities.js";
import { sign } from "./graph.js";
import { meaning, say } from "./language.js";
import { code, concept, display } from "./reading.js";
import { refusal } from "./refusal.js";
import { day } from "./times.js";

const VISITS = 12;
const NOW = ["active", "recurrence", "relapse", ""];

/** Show the summary. Each part comes by itself: one that is refused does not hide the others. */
export async function summary({ server, facilities, records }) {
  const parts = await Promise.all([
    shown(say("patient.number"), async () => numbers(records, facilities)),
    shown(say("allergies"), async () => allergies(await server.ofPatient("AllergyIntolerance"), facilities)),
    shown(say("problems"), async () => problems(await server.ofPatient("Condition"), facilities)),
    shown(say("visits"), async () => visits(await server.ofPatient("Encounter", { _sort: "-date" }), facilities)),
  ]);
  return element("div", { class: "cards" }, parts);
}

async function shown(heading, content) {
  try {
    return card(heading, ...(await content()));
  } catch (error) {
    return card(heading, refusal(error));
  }
}

function numbers(records, facilities) {
  const known = records.flatMap((each) => each.identifier ?? []).filter((each) => each.value);
  const one = (each) => element("div", {}, element("dt", {}, named(issuer(each), facilities)), element("dd", {}, each.value));
  return [element("dl", { class: "numbers" }, known.map(one))];
}

async function allergies({ resources }, facilities) {
  await facilities.meet(resources);
  const current = resources.filter((each) => NOW.includes(code(each.clinicalStatus)) && code(each.verificationStatus) !== "entered-in-error");
  if (!current.length) return [element("p", { class: "none" }, say("allergies.none"))];
  return [element("ul", { class: "allergies" }, current.map((each) => allergy(each, facilities)))];
}

function allergy(resource, facilities) {
  const kinds = (resource.category ?? []).map((each) => meaning("allergy", each));
  const reactions = (resource.reaction ?? []).flatMap((each) => (each.manifestation ?? []).map(concept));
  return element(
    "li",
    {},
    element("strong", {}, concept(resource.code)),
    kinds.map((each) => element("span", { class: "tag" }, each)),
    resource.criticality ? element("span", { class: "tag warning" }, meaning("criticality", resource.criticality)) : null,
    reactions.length ? element("span", { class: "quiet" }, `${say("reactions")}: ${reactions.join("、")}`) : null,
    element("span", { class: "quiet" }, named(facilities.of(resource), facilities)),
  );
}

async function problems({ resources }, facilities) {
  await facilities.meet(resources);
  const valid = resources.filter((each) => code(each.verificationStatus) !== "entered-in-error");
  const since = (one, other) => (other.onsetDateTime ?? other.recordedDate ?? "").localeCompare(one.onsetDateTime ?? one.recordedDate ?? "");
  const [current, past] = [true, false].map((now) => valid.filter((each) => NOW.includes(code(each.clinicalStatus)) === now).sort(since));
  return [
    current.length ? listed(say("problems"), current, false, facilities) : element("p", { class: "none" }, say("problems.none")),
    past.length ? element("details", {}, element("summary", {}, say("problems.past", past.length)), listed(say("problems.past", past.length), past, true, facilities)) : null,
  ].filter(Boolean);
}

function listed(caption, conditions, ended, facilities) {
  const columns = [say("problem"), say("problem.onset"), ended ? say("problem.end") : say("status"), say("facility")];
  const rows = conditions.map((each) => [
    concept(each.code),
    day(each.onsetDateTime ?? each.recordedDate),
    ended ? day(each.abatementDateTime) : certainty(each),
    named(facilities.of(each), facilities),
  ]);
  return table(caption, columns, rows, { class: "hidden-caption" });
}

function certainty(condition) {
  const doubt = code(condition.verificationStatus);
  const clinical = meaning("clinical", code(condition.clinicalStatus), concept(condition.clinicalStatus));
  return doubt && doubt !== "confirmed" ? meaning("verification", doubt, concept(condition.verificationStatus)) : clinical;
}

function named(facility, facilities) {
  return facility ? [sign(facilities.colour(facility)), facilities.name(facility)] : facilities.name(null);
}

async function visits({ resources }, facilities) {
  if (!resources.length) return [element("p", { class: "none" }, say("visits.none"))];
  const last = resources.slice(0, VISITS);
  await facilities.meet(last);
  const columns = [say("date"), say("visit.kind"), say("facility"), say("visit.department"), say("visit.doctor")];
  const rows = last.map((each) => [
    period(each.period),
    meaning("class", each.class?.code, each.class?.display),
    named(facilities.of(each), facilities),
    meaning("department", code(each.serviceType), concept(each.serviceType)),
    [...new Set((each.participant ?? []).map((one) => display(one.individual)))].filter(Boolean).join("、"),
  ]);
  return [table(say("visits"), columns, rows, { class: "hidden-caption" })];
}

function period({ start, end } = {}) {
  const [from, to] = [day(start), day(end)];
  return !to || from === to ? from : `${from} – ${to}`;
}
