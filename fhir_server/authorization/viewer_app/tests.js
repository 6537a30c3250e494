// Sorts results into tests: what different laboratories measured of the same thing stands in one line.

import { meaning } from "./language.js";
import { concept, flag, range, result, unit } from "./reading.js";
import { moment } from "./times.js";

const JLAC10 = "http://medis.or.jp/CodeSystem/master-JLAC10-17digits";
const INVALID = ["entered-in-error", "cancelled"];

/** Give the tests that observations belong to, in the order of a report: group, then code. */
export function tests(observations, facilities) {
  const found = new Map();
  for (const observation of observations) {
    if (INVALID.includes(observation.status) || !result(observation)) continue;
    const key = same(observation);
    if (!found.has(key)) found.set(key, { key, name: concept(observation.code), group: group(observation), results: [], methods: new Set() });
    found.get(key).results.push(entry(observation, facilities));
    found.get(key).methods.add(jlac10(observation)?.slice(12, 15) ?? "");
  }
  for (const each of found.values()) each.results.sort((one, other) => one.at - other.at);
  return [...found.values()].sort((one, other) => one.key.localeCompare(other.key));
}

/** Tell whether there is something to draw. */
export function numeric(results) {
  return results.filter((each) => Number.isFinite(each.value) && Number.isFinite(each.at));
}

function entry(observation, facilities) {
  const facility = facilities.of(observation);
  const date = observation.effectiveDateTime ?? observation.effectivePeriod?.start ?? observation.issued;
  return {
    at: moment(date),
    date,
    value: observation.valueQuantity?.value ?? NaN,
    text: result(observation),
    flag: flag(observation),
    range: range(observation),
    bounds: { low: observation.referenceRange?.[0]?.low?.value, high: observation.referenceRange?.[0]?.high?.value },
    facility,
    name: facilities.name(facility),
    colour: facilities.colour(facility),
    observation,
  };
}

// JLAC10 is analyte (5), identification (4), material (3), method (3), result (2). The method differs between laboratories.
function same(observation) {
  const known = jlac10(observation);
  const what = known ? `${known.slice(0, 12)}${known.slice(15)}` : `z${observation.code?.coding?.[0]?.system ?? ""}|${observation.code?.coding?.[0]?.code ?? concept(observation.code)}`;
  return `${what} ${unit(observation.valueQuantity)}`;
}

function jlac10(observation) {
  return observation.code?.coding?.find((each) => each.system === JLAC10 && each.code?.length === 17)?.code ?? null;
}

function group(observation) {
  return meaning("group", jlac10(observation)?.[0] ?? "other");
}
