// The facilities that a patient's data come from: their names and their colours.

import { language, say } from "./language.js";

const SOURCE = /^http:\/\/jpfhir\.jp\/ssmix2std\/[^/]+\/1(\d{10})(?:\/|$)/;
const NUMBER = "http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no";
const PATIENT_NUMBER = /^urn:oid:1\.2\.392\.100495\.20\.3\.51\.1(\d{10})$/;
const COLOURS = 8;

/** Give the 10-digit code of the facility whose patient number this identifier is. */
export function issuer(identifier) {
  return PATIENT_NUMBER.exec(identifier.system ?? "")?.[1] ?? null;
}

/** Knows facilities by a key: the 10-digit code where there is one, otherwise "Organization/1". */
export class Facilities {
  #server;
  #organizations = new Map();
  #keys = new Map();
  #asked = new Set();
  #order = [];

  constructor(server) {
    this.#server = server;
  }

  /** Get to know the facilities of these resources; what is refused leaves them with their codes. */
  async meet(resources, codes = []) {
    const references = resources.map(reference).filter(Boolean);
    const known = [...codes, ...resources.map(code)].filter(Boolean);
    await Promise.all([
      this.#ask("_id", [...new Set(references.map((each) => each.slice("Organization/".length)))]),
      this.#ask("identifier", [...new Set(known)].map((each) => `${NUMBER}|${each}`)),
    ]);
    const keys = new Set([...known, ...resources.map((each) => this.of(each))].filter(Boolean));
    this.#order.push(...[...keys].filter((key) => !this.#order.includes(key)).sort()); // who has a colour keeps it
  }

  async #ask(parameter, values) {
    const wanted = values.filter((value) => !this.#asked.has(value));
    wanted.forEach((value) => this.#asked.add(value));
    if (!wanted.length) return;
    const found = await this.#server.search("Organization", { [parameter]: wanted.join(",") }).catch(() => ({ resources: [] }));
    for (const organization of found.resources) {
      const place = `Organization/${organization.id}`;
      const number = organization.identifier?.find((each) => each.system === NUMBER)?.value;
      this.#keys.set(place, number ?? place);
      const before = this.#organizations.get(number ?? place);
      if (!before?.name) this.#organizations.set(number ?? place, organization);
    }
  }

  /** Give the key of the facility that a resource comes from, null where it does not say. */
  of(resource) {
    const place = reference(resource);
    return code(resource) ?? (place ? (this.#keys.get(place) ?? place) : null);
  }

  /** Name a facility. */
  name(key) {
    if (!key) return say("facility.unknown");
    const organization = this.#organizations.get(key);
    const english = language() === "en" ? organization?.alias?.find((each) => /^[\x20-\x7e]+$/.test(each)) : null;
    return english ?? organization?.name ?? say("facility.of", key.replace("Organization/", ""));
  }

  /** Give the number of a facility's colour, the same on every page. */
  colour(key) {
    return Math.max(this.#order.indexOf(key), 0) % COLOURS;
  }
}

function reference(resource) {
  const places = [...(resource.performer ?? []), resource.custodian, resource.serviceProvider, resource.managingOrganization, ...(resource.author ?? [])];
  return places.map((each) => each?.reference ?? each?.actor?.reference).find((each) => each?.startsWith("Organization/")) ?? null;
}

function code(resource) {
  return SOURCE.exec(resource.meta?.source ?? "")?.[1] ?? null;
}
