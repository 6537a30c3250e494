// The viewer: completes the launch, shows who the patient is, and the page that the address names.

import { documents } from "./documents.js";
import { element } from "./elements.js";
import { Facilities, issuer } from "./facilities.js";
import { watch } from "./idle.js";
import { laboratory } from "./laboratory.js";
import { language, meaning, say, speak } from "./language.js";
import { medications } from "./medications.js";
import { called, name } from "./reading.js";
import { refusal } from "./refusal.js";
import { Server } from "./server.js";
import { end, stop } from "./session.js";
import { summary } from "./summary.js";
import { age, birthday, day } from "./times.js";

const PAGES = { summary, laboratory, medications, documents };
const root = document.getElementById("viewer");

async function start() {
  root.replaceChildren(element("p", { class: "loading" }, say("loading")));
  Object.assign(window.FHIR.oauth2.settings, { refreshTokenWithClientId: true, refreshTokenWithCredentials: "omit" });
  let client;
  try {
    client = await window.FHIR.oauth2.ready();
  } catch (error) {
    stop(root, error);
    return;
  }
  history.replaceState({}, "", location.pathname + location.hash); // without what the login said beside the code
  const server = new Server(client, () => end(client, "expired"));
  watch(() => end(client, "idle"), () => server.renew().catch(() => null));
  const context = { server, facilities: new Facilities(server), chosen: {}, patient: null, records: [], user: null, client };
  await open(context);
}

async function open(context) {
  const { server, client } = context;
  if (!server.patients.length) {
    root.replaceChildren(top(context), element("main", {}, element("p", { class: "card" }, say("patient.none")), again()));
    return;
  }
  try {
    [context.patient, context.user] = await Promise.all([server.read(`Patient/${server.patients[0]}`), person(server, client.getFhirUser())]);
  } catch (error) {
    root.replaceChildren(top(context), element("main", {}, refusal(error), again()));
    return;
  }
  context.records = [context.patient, ...(await others(server, context.patient))];
  await context.facilities.meet(context.records, context.records.flatMap((each) => (each.identifier ?? []).map(issuer)));
  const render = () => shell(context);
  window.addEventListener("hashchange", () => show(context));
  window.addEventListener("language", render);
  render();
}

async function person(server, reference) {
  return /^(Practitioner|Patient)\/[\w.-]+$/.test(reference ?? "") ? server.read(reference).catch(() => null) : null;
}

/** The same person's records at other facilities (名寄せ), as far as the reader may see them: all of them point to one golden Patient. */
async function others(server, patient) {
  const places = [`Patient/${patient.id}`, ...(patient.link ?? []).map((each) => each.other?.reference ?? "")];
  const golden = places.map((each) => /^Patient\/(golden-[\w.-]+)$/.exec(each)?.[1]).find(Boolean);
  if (!golden) return [];
  server.patients = [...new Set([patient.id, golden])]; // a search that names the golden one covers all who point to it
  const found = await server.search("Patient", { link: `Patient/${golden}` }).catch(() => ({ resources: [] }));
  return found.resources.filter((each) => each.id !== patient.id);
}

function again() {
  return element("p", {}, element("a", { class: "button", href: "launch.html" }, say("stopped.again")));
}

function shell(context) {
  root.replaceChildren(
    element("a", { class: "skip", href: "#content", click: skip }, say("skip")),
    top(context),
    banner(context.patient),
    tabs(),
    element("main", { id: "content", tabindex: "-1" }),
  );
  show(context);
}

function skip(event) {
  event.preventDefault(); // the address names the page
  document.getElementById("content").focus();
}

function top({ client, user }) {
  const other = language() === "ja" ? "en" : "ja";
  const turn = () => {
    speak(other);
    window.dispatchEvent(new Event("language"));
  };
  const who = user ? called(user) : client.getFhirUser();
  return element(
    "header",
    { class: "top" },
    element("span", { class: "product" }, say("product")),
    who ? element("span", { class: "user" }, say("user", who)) : null,
    element("button", { type: "button", lang: other, click: turn }, say("language.other")),
    element("button", { type: "button", click: () => end(client, "ended") }, say("end")),
  );
}

function banner(patient) {
  const years = age(patient.birthDate, patient.deceasedDateTime?.slice(0, 10));
  const kana = [name(patient, "SYL"), language() === "en" ? name(patient, "ABC") : null].filter(Boolean).join(" / ");
  const dead = patient.deceasedDateTime ? say("died", day(patient.deceasedDateTime)) : patient.deceasedBoolean ? say("dead") : null;
  const facts = [
    [say("born"), birthday(patient.birthDate)],
    [say("age"), years === null ? say("unknown") : say("age.years", years)],
    [say("gender"), meaning("gender", patient.gender ?? "unknown")],
  ];
  return element(
    "section",
    { class: "patient" },
    element("div", { class: "who" }, kana ? element("p", { class: "kana" }, kana) : null, element("h1", {}, called(patient) ?? say("patient.without"))),
    element("dl", {}, facts.map(([fact, value]) => element("div", {}, element("dt", {}, fact), element("dd", {}, value)))),
    dead ? element("span", { class: "tag warning" }, dead) : null,
  );
}

function tabs() {
  const links = Object.keys(PAGES).map((page) => element("a", { href: `#${page}`, "aria-current": page === current() ? "page" : null }, say(`page.${page}`)));
  return element("nav", { class: "tabs", "aria-label": say("pages") }, links);
}

function current() {
  const page = location.hash.slice(1);
  return page in PAGES ? page : "summary";
}

async function show(context) {
  const page = current();
  document.title = `${say(`page.${page}`)} — ${say("product")}`;
  root.querySelector(".tabs").replaceWith(tabs());
  const place = document.getElementById("content");
  place.setAttribute("aria-busy", "true");
  place.replaceChildren(element("p", { class: "loading", role: "status" }, say("loading")));
  const content = await PAGES[page](context).catch(refusal);
  if (page !== current() || !place.isConnected) return; // the reader has gone on
  place.replaceChildren(element("h2", { class: "page" }, say(`page.${page}`)), content);
  place.dataset.page = page;
  place.removeAttribute("aria-busy");
}

start();
