// The REST API, as one slot on one page sees it: who asks from here, asks from this place in the course.
import { pause } from "./dom.js";
import { send } from "./leaving.js";
import { Problem } from "./problem.js";

const PATH = "/openedx-ai-extensions/v1";
const STREAM = "text/event-stream, application/json, text/plain";
const WAIT = 1000; // ms between two tries while the server is still at work on the same request
const TRIES = 20;
const READS = new Set(["get_run_status", "get_current_session_response", "lazy_load_chat_history"]);
const tokens = new Map();

export class Client {
  // `signal` says that nobody waits any more; `consent` shows a notice, and resolves to whether it was accepted.
  constructor({ apiBase, courseId, locationId, uiSlotSelectorId }, { texts, signal, consent }) {
    this.base = apiBase.replace(/\/+$/, "");
    this.isRemote = new URL(this.base || "/", document.baseURI).origin !== location.origin;
    this.query = `?context=${encodeURIComponent(JSON.stringify({ courseId, locationId, uiSlotSelectorId }))}`;
    Object.assign(this, { texts, signal, consent });
  }

  get(name) {
    return this.whole(this.fetch(`${PATH}/${name}/${this.query}`, { isRead: true }));
  }

  // Run a short action. Returns its answer whole, or throws a Problem.
  ask(action, input = null, { accept = "application/json", ...options } = {}) {
    return this.whole(this.run(action, input, { accept, ...options }));
  }

  // Run an action. Returns the answer unread, or throws a Problem. Another try with the same request id is the same
  // request: the server answers it once, whatever became of the first.
  async run(action, input, { requestId = newId(), signal, keepalive = false, accept = STREAM, isPatient = false } = {}) {
    const body = { action, user_input: input, request_id: requestId };
    // What must arrive even when the page is left isn't given up with the widget.
    const signals = keepalive ? undefined : AbortSignal.any([this.signal, ...(signal ? [signal] : [])]);
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.post("workflows", body, { accept, keepalive, signal: signals, isRead: READS.has(action) });
      } catch (problem) {
        if (problem.code === "consent_required" && await this.consent(problem.details.notice)) continue;
        if (problem.code !== "duplicate_request" || !isPatient || tries >= TRIES) throw problem;
        await pause(WAIT, signals);
      }
    }
  }

  acceptNotice({ fingerprint }) {
    return this.whole(this.post("consent", { accepted: true, fingerprint }, { signal: this.signal }));
  }

  async post(name, body, { accept = "application/json", ...options }) {
    const token = await this.token();
    const headers = { "Content-Type": "application/json", Accept: accept, ...(token && { "X-CSRFToken": token }) };
    return this.fetch(`${PATH}/${name}/${this.query}`,
      { method: "POST", headers, body: JSON.stringify(body), ...options });
  }

  // An answer that is not an error. `signal` belongs to the widget unless the caller has another.
  async fetch(path, { headers = {}, signal = this.signal, keepalive = false, isRead, ...options } = {}) {
    const remote = this.isRemote ? { "USE-JWT-COOKIE": "true" } : {};
    const sent = { ...options, keepalive, headers: { Accept: "application/json", ...headers, ...remote },
      // The API redirects nobody: what does so is a login in front of it.
      redirect: "manual", credentials: this.isRemote ? "include" : "same-origin" };
    let response;
    try {
      response = await (keepalive ? fetch(this.base + path, sent) : send(this.base + path, { ...sent, signal }, isRead));
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Problem(this.texts, { code: "offline" });
    }
    const status = response.type === "opaqueredirect" ? 401 : response.status;
    this.isSignedOut = status === 401;
    // A page in place of an answer is nobody's answer.
    if (response.ok && !response.headers.get("Content-Type")?.startsWith("text/html")) return response;
    const body = await response.json().catch(() => null);
    if (status === 401 || status === 403) tokens.delete(this.base);
    const wait = Number(response.headers.get("Retry-After")) || undefined;
    throw new Problem(this.texts, { ...(this.isSignedOut && { code: "not_authenticated" }), ...body?.error, status, wait });
  }

  async whole(asked) {
    const response = await asked;
    return response.json().catch((error) => {
      if (error.name === "AbortError") throw error;
      throw new Problem(this.texts, { status: response.status });
    });
  }

  // The token against forged requests: from the cookie, or, on another site or without one, from the platform.
  async token() {
    const [, cookie] = /(?:^|;\s*)csrftoken=([^;]+)/.exec(document.cookie) ?? [];
    if (cookie && !this.isRemote) return decodeURIComponent(cookie);
    if (!tokens.has(this.base)) {
      try {
        tokens.set(this.base, (await this.whole(this.fetch("/csrf/api/v1/token", { isRead: true }))).csrfToken);
      } catch (problem) {
        if (problem.name === "AbortError" || problem.code === "offline") throw problem;
      }
    }
    return tokens.get(this.base);
  }
}

// crypto.randomUUID() is missing where the page did not come over HTTPS.
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
