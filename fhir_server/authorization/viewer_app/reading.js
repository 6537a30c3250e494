// What a person reads of FHIR's datatypes.

import { meaning, say } from "./language.js";

const REPRESENTATION = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation";
const UNITS = [
  [/^\{ratio\}$/, ""],
  [/^\{([^}]+)\}$/, "$1"],
  [/10\*(\d)/, (_, power) => `×10${"⁰¹²³⁴⁵⁶⁷⁸⁹"[power]}`],
  [/\{1\.73_m2\}/, "1.73m²"],
  [/u\[IU\]/, "µIU"],
  [/\[IU\]/, "IU"],
  [/\bu(?=[gLm])/g, "µ"],
];

/** Give a name in the given writing: IDE is kanji, SYL kana, ABC Latin. */
export function name(resource, writing) {
  const found = (resource.name ?? []).find((each) => representation(each) === writing);
  return found ? written(found) : null;
}

/** Give the name by which somebody is called here: in kanji, otherwise as it comes. */
export function called(resource) {
  return name(resource, "IDE") ?? (resource.name?.[0] ? written(resource.name[0]) : null);
}

function representation(humanName) {
  return humanName.extension?.find((each) => each.url === REPRESENTATION)?.valueCode;
}

function written(humanName) {
  return humanName.text ?? [humanName.family, ...(humanName.given ?? [])].filter(Boolean).join(" ");
}

/** Say what a CodeableConcept means. */
export function concept(value) {
  const coding = value?.coding?.[0];
  return value?.text ?? value?.coding?.find((each) => each.display)?.display ?? coding?.code ?? "";
}

/** Give the code of a CodeableConcept. */
export function code(value) {
  return value?.coding?.[0]?.code ?? "";
}

/** Write a unit as it stands on a report: 10*3/uL is ×10³/µL. */
export function unit(quantity) {
  return UNITS.reduce((text, [pattern, instead]) => text.replace(pattern, instead), quantity?.unit ?? quantity?.code ?? "");
}

/** Write a quantity with its unit. */
export function quantity(value) {
  if (!value || value.value === undefined) return "";
  return `${value.comparator ?? ""}${value.written ?? value.value}${unit(value) ? ` ${unit(value)}` : ""}`;
}

/** Say what an observation found. */
export function result(observation) {
  if (observation.valueQuantity) return quantity(observation.valueQuantity);
  const other = observation.valueString ?? observation.valueInteger ?? observation.valueDateTime;
  return other !== undefined ? String(other) : concept(observation.valueCodeableConcept ?? observation.dataAbsentReason);
}

/** Say which results are expected. */
export function range(observation) {
  const known = observation.referenceRange?.[0];
  if (!known) return "";
  const [low, high] = [known.low?.written, known.high?.written];
  if (low && high) return `${low} – ${high}`;
  return low ? `≥ ${low}` : high ? `≤ ${high}` : (known.text ?? "");
}

/** Give the flag of a result: H, L, A and the like; "" where it is as expected. */
export function flag(observation) {
  const found = code(observation.interpretation?.[0]);
  return found === "N" ? "" : found;
}

/** Say what a flag means. */
export function flagged(observation) {
  const found = flag(observation);
  return found ? meaning("flag", found, concept(observation.interpretation[0])) : "";
}

/** Say a person's name that a reference brings along. */
export function display(reference) {
  return reference?.display ?? "";
}

/** Say that something is unknown where it is not there. */
export function orUnknown(text) {
  return text || say("unknown");
}
