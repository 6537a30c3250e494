// Reads from the FHIR server with the token of the launch. The token goes to addresses below the FHIR base, and nowhere else.

const MOST_PAGES = 20;

/** The server did not give what was asked for; `scope` is the scope that would allow it, where that is what is missing. */
export class Refused extends Error {
  constructor(status, path, scope, reason) {
    super(reason || `${status}`);
    this.status = status;
    this.path = path;
    this.scope = scope;
  }
}

/** The FHIR server, as seen by this launch. */
export class Server {
  /** `ended` is called when the server takes the token no more: the data have to leave the screen (NETWORK.md F060). */
  constructor(client, ended) {
    this.client = client;
    this.ended = ended;
    this.base = client.state.serverUrl.replace(/\/+$/, "");
    this.patients = client.patient.id ? [client.patient.id] : [];
  }

  /** Give the scopes that were granted. */
  get granted() {
    return (this.client.state.tokenResponse?.scope ?? this.client.state.scope ?? "").split(/\s+/).filter(Boolean);
  }

  /** Read a resource, or what another address below the base answers. */
  async read(path) {
    const response = await this.#fetched(path, "application/fhir+json");
    return exact(await response.text());
  }

  /** Read the content of an attachment as bytes. */
  async bytes(path, type) {
    return (await this.#fetched(path, type)).arrayBuffer();
  }

  /** Search; gives all that is found, at most 20 pages of it, and whether there is `more`. */
  async search(type, parameters) {
    const resources = [];
    let path = `${type}?${new URLSearchParams({ _count: "200", ...parameters })}`;
    for (let page = 0; path && page < MOST_PAGES; page += 1) {
      const bundle = await this.read(path);
      resources.push(...(bundle.entry ?? []).map((entry) => entry.resource).filter((each) => each?.resourceType === type));
      path = bundle.link?.find((link) => link.relation === "next")?.url;
    }
    return { resources, more: Boolean(path) };
  }

  /** Search what belongs to the patient, the newest first where there is a date to sort by. */
  ofPatient(type, parameters = {}) {
    return this.search(type, { patient: this.patients.join(","), ...parameters });
  }

  async #fetched(path, accept) {
    const address = this.#below(path);
    await this.renew();
    const authorization = this.client.getAuthorizationHeader();
    const response = await fetch(address, {
      headers: { accept, ...(authorization ? { authorization } : {}) },
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
    });
    if (response.status === 401) this.ended();
    if (!response.ok) throw await this.#refused(response, address);
    return response;
  }

  /** Renew the token where it is about to end: it lives for a minute, and the login as long as somebody is here. */
  async renew() {
    try {
      await this.client.refreshIfNeeded();
    } catch {
      this.ended();
      throw new Refused(401, "", null, "");
    }
  }

  #below(path) {
    const base = new URL(`${this.base}/`);
    const address = new URL(path, base);
    if (address.origin !== base.origin || !address.pathname.startsWith(base.pathname)) throw new Refused(0, path, null, "not of this server");
    return address;
  }

  async #refused(response, address) {
    const challenge = response.headers.get("www-authenticate") ?? "";
    const outcome = await response.json().catch(() => ({}));
    const reason = (outcome.issue ?? []).map((issue) => issue.diagnostics ?? issue.details?.text).filter(Boolean).join("\n");
    const path = address.href.slice(this.base.length + 1);
    const scope = /\bscope="([^"]+)"/.exec(challenge)?.[1] ?? (response.status === 403 ? this.#missing(path) : null);
    return new Refused(response.status, path, scope, reason);
  }

  /** Tell which scope a read or search of that path would need, null where it was granted and something else forbids it. */
  #missing(path) {
    const [, type, single] = /^([A-Za-z]+)(\/[^?]*)?/.exec(path) ?? [null, "*", ""];
    const needed = single ? "r" : "s";
    const allowed = this.granted.some((scope) => {
      const parts = /^(?:patient|user)\/([A-Za-z*]+)\.([a-z*]+)/.exec(scope);
      return parts && [type, "*"].includes(parts[1]) && (["read", "*"].includes(parts[2]) || (parts[2] !== "write" && parts[2].includes(needed)));
    });
    return allowed ? null : `user/${type}.${needed}`;
  }
}

/** Read JSON and keep beside each number `value` how it is `written`: 7.0 is not the result 7. */
function exact(text) {
  return JSON.parse(text, function kept(name, value, context) {
    if (name === "value" && typeof value === "number") this.written = context?.source ?? String(value);
    return value;
  });
}
