// Begins a launch: from an EHR, which names `iss` and `launch` in the address, or by the reader's own choice.
// https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html

import { element } from "./elements.js";
import { language, say, speak } from "./language.js";
import { ended } from "./session.js";

const CLIENT = "viewer";
const DATA = "openid fhirUser online_access user/*.rs";
const STANDALONE = `launch/patient ${DATA}`;
const FROM_EHR = `launch ${DATA}`;

const root = document.getElementById("launch");
const asked = new URLSearchParams(location.search);
const own = new URL("../fhir", location.href).href;
let why = ended();

async function start() {
  if (!asked.get("iss") || !(asked.get("launch") || asked.get("go"))) {
    form();
    return;
  }
  root.replaceChildren(element("p", { class: "loading", role: "status" }, say("launch.wait")));
  try {
    await go();
  } catch {
    why = "failed";
    form();
  }
}

async function go() {
  if (new URL(asked.get("iss")).origin !== location.origin) {
    why = "elsewhere";
    form();
    return;
  }
  const home = await issuer(asked.get("iss"));
  if (home && new URL(home).origin !== location.origin) {
    location.replace(`${home}/viewer/launch.html`); // 127.0.0.1 and localhost are two places to a browser
    return;
  }
  const scope = asked.get("launch") ? FROM_EHR : (asked.get("scope") ?? STANDALONE);
  await window.FHIR.oauth2.authorize({ clientId: CLIENT, scope, redirectUri: new URL(".", location.href).href, pkceMode: "required", completeInTarget: true });
}

async function issuer(base) {
  const told = await fetch(`${base.replace(/\/+$/, "")}/.well-known/smart-configuration`, { credentials: "omit" });
  return told.ok ? (await told.json()).issuer : null;
}

/** Ask which server and which scopes. Sending the form comes back here, with what was chosen in the address. */
function form() {
  document.title = say("launch.title");
  const field = (name, label, value, hint) =>
    element(
      "p",
      {},
      element("label", { for: name }, label),
      element("input", { id: name, name, value, required: true, spellcheck: "false", autocomplete: "off", "aria-describedby": hint ? `${name}-hint` : null }),
      hint ? element("small", { id: `${name}-hint` }, hint) : null,
    );
  root.replaceChildren(
    element("header", { class: "top" }, element("span", { class: "product" }, say("product")), other()),
    element(
      "main",
      { class: "launch" },
      element("h1", {}, say("launch.title")),
      notice(),
      element("p", {}, say("launch.about")),
      element(
        "form",
        { method: "get", action: "launch.html" },
        element("p", {}, element("button", { class: "button", name: "go", value: "1" }, say("launch.go"))),
        element(
          "details",
          { open: why === "failed" || why === "elsewhere" },
          element("summary", {}, say("launch.more")),
          field("iss", say("launch.iss"), asked.get("iss") ?? own, say("launch.iss.hint")),
          field("scope", say("launch.scope"), asked.get("scope") ?? STANDALONE),
        ),
      ),
    ),
  );
}

function notice() {
  if (why === "ended") return element("p", { class: "note", role: "status" }, say("stopped.ended"), " ", element("a", { href: "../auth/logout" }, say("stopped.logout")));
  const words = { idle: say("stopped.idle"), expired: say("refused.ended"), failed: say("launch.failed"), elsewhere: say("launch.elsewhere", own) };
  return words[why] ? element("p", { class: "refusal", role: "alert" }, words[why]) : null;
}

function other() {
  const next = language() === "ja" ? "en" : "ja";
  const turn = () => {
    speak(next);
    form();
  };
  return element("button", { type: "button", lang: next, click: turn }, say("language.other"));
}

start();
