// Says in words why the server did not give something.

import { element } from "./elements.js";
import { say } from "./language.js";
import { Refused } from "./server.js";

/** Show why something cannot be shown. */
export function refusal(error) {
  return element(
    "div",
    { class: "refusal", role: "alert" },
    element("p", {}, element("strong", {}, say("refused")), " ", reason(error)),
    error instanceof Refused && error.message && error.status
      ? element("details", {}, element("summary", {}, say("refused.details")), element("p", {}, `${error.status} ${error.message}`))
      : null,
  );
}

function reason(error) {
  if (!(error instanceof Refused)) return say(error instanceof TypeError ? "refused.network" : "refused.other", error.name);
  if (error.scope) return say("refused.scope", error.scope);
  const words = { 0: "documents.elsewhere", 401: "refused.ended", 403: "refused.role", 404: "refused.gone", 410: "refused.gone", 429: "refused.busy", 503: "refused.busy" };
  return say(words[error.status] ?? "refused.other", error.status);
}
