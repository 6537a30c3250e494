// The end of a launch: the token is revoked and forgotten, and no data stay on the screen.

import { element } from "./elements.js";
import { say } from "./language.js";

const WHY = "tsunagi.ended";

/** End the launch: hide everything, forget the token and tell the server to (RFC 7009). */
export async function end(client, why) {
  document.getElementById("viewer").replaceChildren();
  const { access_token: access, refresh_token: refresh } = client.state.tokenResponse ?? {};
  const token = refresh ?? access; // with a refresh token, all that came of the launch ends
  const { serverUrl, clientId } = client.state;
  sessionStorage.clear();
  sessionStorage.setItem(WHY, why);
  if (token) await revoke(serverUrl, clientId, token).catch(() => null); // it dies by itself soon
  location.replace("launch.html");
}

async function revoke(base, id, token) {
  const told = await (await fetch(`${base.replace(/\/+$/, "")}/.well-known/smart-configuration`)).json();
  if (!told.revocation_endpoint) return;
  const body = new URLSearchParams({ token, client_id: id });
  await fetch(told.revocation_endpoint, { method: "POST", body, credentials: "omit", keepalive: true });
}

/** Say once why the last launch ended, null where none did. */
export function ended() {
  const why = sessionStorage.getItem(WHY);
  sessionStorage.removeItem(WHY);
  return why;
}

/** Say why there is nothing to show, and how to begin. */
export function stop(root, error) {
  const text = String(error?.message ?? error);
  const words = text.startsWith("access_denied") ? "stopped.denied" : /state/.test(text) ? "stopped.start" : "stopped.failed";
  root.replaceChildren(
    element(
      "main",
      { class: "stopped" },
      element("h1", {}, say("stopped")),
      element("p", {}, say(words)),
      words === "stopped.start" ? null : element("details", {}, element("summary", {}, say("refused.details")), element("p", {}, text)),
      element("p", {}, element("a", { class: "button", href: "launch.html" }, say("stopped.again"))),
    ),
  );
}
