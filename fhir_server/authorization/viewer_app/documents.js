// Documents and reports, the newest first; what is attached to them is fetched with the token and shown here.

import { element, table } from "./elements.js";
import { sign } from "./graph.js";
import { meaning, say } from "./language.js";
import { concept, flagged, range, result } from "./reading.js";
import { refusal } from "./refusal.js";
import { day, time } from "./times.js";

const IMAGES = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/** Show the list of documents and reports. */
export async function documents(context) {
  const { server, facilities } = context;
  const asked = await Promise.allSettled([
    server.ofPatient("DocumentReference", { _sort: "-date" }),
    server.ofPatient("DiagnosticReport", { _sort: "-date" }),
  ]);
  const found = asked.filter((each) => each.status === "fulfilled").map((each) => each.value);
  const refused = asked.filter((each) => each.status === "rejected").map((each) => refusal(each.reason));
  const all = found.flatMap((each) => each.resources).filter((each) => each.status !== "entered-in-error");
  all.sort((one, other) => (when(other) ?? "").localeCompare(when(one) ?? ""));
  await facilities.meet(all);
  const list = all.length ? filtered(all, context) : refused.length ? [] : element("p", { class: "none card" }, say("documents.none"));
  return element("div", {}, refused, found.some((each) => each.more) ? element("p", { class: "note" }, say("more")) : null, list);
}

/** The list, and buttons to see only one kind of it: a patient has hundreds of laboratory reports and few letters. */
function filtered(all, context) {
  const kinds = [null, "DocumentReference", "DiagnosticReport"];
  const place = element("div", {});
  const choose = (kind) => {
    context.chosen.kind = kind;
    place.replaceChildren(listing(all.filter((each) => kind === null || each.resourceType === kind), context));
    for (const [nth, button] of buttons.entries()) button.setAttribute("aria-pressed", String(kinds[nth] === kind));
  };
  const words = ["documents.all", "documents.document", "documents.report"];
  const buttons = kinds.map((kind, nth) => element("button", { type: "button", click: () => choose(kind) }, say(words[nth])));
  choose(context.chosen.kind ?? null);
  return [element("div", { class: "choice", role: "group", "aria-label": say("documents.kind") }, buttons), place];
}

function when(resource) {
  return resource.date ?? resource.effectiveDateTime ?? resource.effectivePeriod?.start ?? resource.issued;
}

function listing(resources, context) {
  const columns = [say("date"), say("documents.kind"), say("documents.title"), say("facility"), say("status"), ""];
  const { facilities } = context;
  const rows = resources.map((each) => [
    time(when(each)),
    say(each.resourceType === "DocumentReference" ? "documents.document" : "documents.report"),
    title(each),
    [sign(facilities.colour(facilities.of(each))), facilities.name(facilities.of(each))],
    meaning("report", each.status),
    openers(each, context),
  ]);
  return element("section", { class: "card" }, table(say("page.documents"), columns, rows, { class: "hidden-caption documents" }));
}

function title(resource) {
  return resource.description ?? (concept(resource.code ?? resource.type) || say("documents.document"));
}

function openers(resource, context) {
  const attachments = [...(resource.content ?? []).map((each) => each.attachment), ...(resource.presentedForm ?? [])].filter((each) => each?.url || each?.data);
  const buttons = attachments.map((each) => opener(each.title ?? kind(each), (place) => attachment(each, context, place)));
  const results = (resource.result ?? []).map((each) => /^Observation\/([\w.-]+)$/.exec(each.reference ?? "")?.[1]).filter(Boolean);
  if (results.length) buttons.push(opener(say("documents.results", results.length), (place) => observed(results, context, place)));
  return buttons;
}

function kind({ contentType = "" }) {
  return { "application/pdf": "PDF", "text/plain": "TXT" }[essence(contentType)] ?? say("documents.open");
}

function opener(label, fill) {
  const show = async (event) => {
    const button = event.currentTarget;
    const place = element("div", { class: "opened" }, element("p", { class: "loading" }, say("loading")));
    const shown = dialog(label, place, button);
    try {
      await fill(place);
    } catch (error) {
      place.replaceChildren(refusal(error));
    }
    shown.focus();
  };
  return element("button", { type: "button", click: show }, label);
}

/** Open a window over the page; it closes with its button or Escape, and the focus returns to where it was. */
function dialog(heading, place, origin) {
  const close = element("button", { type: "button", click: () => shown.close() }, say("documents.hide"));
  const shown = element("dialog", { "aria-label": heading }, element("div", { class: "heading" }, element("h2", {}, heading), close), place);
  shown.addEventListener("close", () => {
    for (const each of place.querySelectorAll("[data-kept]")) URL.revokeObjectURL(each.dataset.kept);
    shown.remove();
    origin.focus();
  });
  document.body.append(shown);
  shown.showModal();
  return close;
}

async function attachment(attached, { server }, place) {
  const type = essence(attached.contentType ?? "");
  const bytes = attached.data ? Uint8Array.from(atob(attached.data), (each) => each.charCodeAt(0)) : await server.bytes(attached.url, type || "*/*");
  place.replaceChildren(...content(type, bytes, attached));
}

function essence(type) {
  return type.split(";")[0].trim().toLowerCase();
}

// The type that a server names decides only among these: nothing it sends is ever run as a page of this origin.
function content(type, bytes, attached) {
  const kept = (as) => URL.createObjectURL(new Blob([bytes], { type: as }));
  const save = (as) => {
    const address = kept(as);
    return element("p", {}, element("a", { href: address, download: attached.title ?? say("documents.document"), "data-kept": address }, say("documents.save")));
  };
  if (type === "application/pdf") {
    const address = kept(type);
    return [element("iframe", { src: address, title: attached.title ?? "PDF", "data-kept": address }), save(type)];
  }
  if (IMAGES.includes(type)) {
    const address = kept(type);
    return [element("img", { src: address, alt: attached.title ?? say("documents.document"), "data-kept": address }), save(type)];
  }
  if (type.startsWith("text/") || type === "application/json" || type.endsWith("+xml") || type.endsWith("+json")) {
    return [element("pre", { tabindex: "0" }, new TextDecoder(charset(attached.contentType)).decode(bytes)), save("application/octet-stream")];
  }
  return [element("p", {}, say("documents.unreadable", type || say("unknown"))), save("application/octet-stream")];
}

function charset(contentType = "") {
  const named = /charset="?([\w-]+)/i.exec(contentType)?.[1] ?? "utf-8";
  try {
    return new TextDecoder(named).encoding;
  } catch {
    return "utf-8";
  }
}

async function observed(ids, { server }, place) {
  const { resources } = await server.search("Observation", { _id: ids.slice(0, 200).join(",") });
  const columns = [say("laboratory.tests"), say("laboratory.value"), say("laboratory.flag"), say("laboratory.range")];
  const rows = resources.map((each) => [concept(each.code), result(each), flagged(each), range(each)]);
  place.replaceChildren(table(`${say("laboratory.value")} ${day(resources[0]?.effectiveDateTime)}`, columns, rows));
}
