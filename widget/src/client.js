// The REST API for one slot of a page. Every request carries the slot and its place in the course.
import { ApiError } from "./apiError.js";
import { delay } from "./dom.js";
import { isLanguage } from "./i18n.js";
import { fetchUnlessUnloading } from "./pageUnload.js";

const PATH = "/openedx-ai-extensions/v1";
const ACCEPT_STREAM = "text/event-stream, application/json, text/plain";
// While the server still answers the first try of a request, a retry waits for it: 20 s, longer than most answers take.
const DUPLICATE_DELAY_MS = 1000;
const MAX_DUPLICATE_TRIES = 20;
const READ_ONLY_ACTIONS = new Set(["get_run_status", "get_current_session_response", "lazy_load_chat_history"]);
const csrfTokens = new Map(); // by base address, shared by all widgets of a page

export class Client {
  // `language` is what the page says, or "". The server's texts are in it, unless the person has chosen another one on
  // the site. `signal` aborts the requests of the widget. `askConsent` shows a notice and resolves to whether it was
  // accepted.
  constructor({ apiBase, courseId, locationId, uiSlotSelectorId }, { i18n, language, signal, askConsent }) {
    this.base = apiBase.replace(/\/+$/, "");
    this.isRemote = new URL(this.base || "/", document.baseURI).origin !== location.origin;
    this.query = `?context=${encodeURIComponent(JSON.stringify({ courseId, locationId, uiSlotSelectorId }))}`;
    this.sharedHeaders = { Accept: "application/json", ...(isLanguage(language) && { "Accept-Language": language }) };
    Object.assign(this, { i18n, signal, askConsent });
  }

  get(endpoint) {
    return this.#json(this.#fetch(`${PATH}/${endpoint}/${this.query}`, { isReadOnly: true }));
  }

  // Run an action and return its JSON. Throws an ApiError.
  runAction(action, input = null, { accept = "application/json", ...options } = {}) {
    return this.#json(this.fetchAction(action, input, { accept, ...options }));
  }

  // Run an action and return the response, its body unread. Throws an ApiError. The server answers a request id once, so
  // a retry with the same id is safe even if the first response was lost. With `waitsForDuplicate`, a retry waits while
  // the server still works on the first try.
  async fetchAction(action, input, { requestId = newRequestId(), signal, keepalive = false, accept = ACCEPT_STREAM,
    waitsForDuplicate = false } = {}) {
    const body = { action, user_input: input, request_id: requestId };
    // A keepalive request must arrive even if the page is left, so nothing aborts it.
    const anySignal = keepalive ? undefined : AbortSignal.any([this.signal, ...(signal ? [signal] : [])]);
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#post("workflows", body,
          { accept, keepalive, signal: anySignal, isReadOnly: READ_ONLY_ACTIONS.has(action) });
      } catch (error) {
        if (error.code === "consent_required" && await this.askConsent(error.details.notice)) continue;
        if (error.code !== "duplicate_request" || !waitsForDuplicate || tries >= MAX_DUPLICATE_TRIES) throw error;
        await delay(DUPLICATE_DELAY_MS, anySignal);
      }
    }
  }

  post(endpoint, body) {
    return this.#json(this.#post(endpoint, body, { signal: this.signal }));
  }

  acceptNotice({ fingerprint }) {
    return this.post("consent", { accepted: true, fingerprint });
  }

  withdrawConsent() {
    return this.post("consent", { accepted: false });
  }

  async #post(endpoint, body, { accept = "application/json", ...options }) {
    const token = await this.#csrfToken();
    const headers = { "Content-Type": "application/json", Accept: accept, ...(token && { "X-CSRFToken": token }) };
    return this.#fetch(`${PATH}/${endpoint}/${this.query}`,
      { method: "POST", headers, body: JSON.stringify(body), ...options });
  }

  // Return a successful response; throw an ApiError for any other. `signal` is the widget's unless one is given.
  async #fetch(path, { headers = {}, signal = this.signal, keepalive = false, isReadOnly, ...rest } = {}) {
    const remoteHeaders = this.isRemote ? { "USE-JWT-COOKIE": "true" } : {};
    const options = { ...rest, keepalive, headers: { ...this.sharedHeaders, ...headers, ...remoteHeaders },
      // The API never redirects: a redirect comes from a login page in front of it.
      redirect: "manual", credentials: this.isRemote ? "include" : "same-origin" };
    let response;
    try {
      response = await (keepalive ? fetch(this.base + path, options)
        : fetchUnlessUnloading(this.base + path, { ...options, signal }, isReadOnly));
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new ApiError(this.i18n, { code: "offline" });
    }
    const status = response.type === "opaqueredirect" ? 401 : response.status;
    this.isSignedOut = status === 401;
    // A proxy or a login page may answer 200 with HTML; the API never does.
    if (response.ok && !response.headers.get("Content-Type")?.startsWith("text/html")) return response;
    const body = await response.json().catch(() => null);
    if (status === 401 || status === 403) csrfTokens.delete(this.base);
    const retryAfter = Number(response.headers.get("Retry-After")) || undefined;
    throw new ApiError(this.i18n,
      { ...(this.isSignedOut && { code: "not_authenticated" }), ...body?.error, status, retryAfter });
  }

  async #json(request) {
    const response = await request;
    return response.json().catch((error) => {
      if (error.name === "AbortError") throw error;
      throw new ApiError(this.i18n, { status: response.status });
    });
  }

  // The CSRF token: from the cookie, or from the platform if that is another origin or has set no cookie.
  async #csrfToken() {
    const [, cookie] = /(?:^|;\s*)csrftoken=([^;]+)/.exec(document.cookie) ?? [];
    if (cookie && !this.isRemote) return decodeURIComponent(cookie);
    if (!csrfTokens.has(this.base)) {
      try {
        csrfTokens.set(this.base, (await this.#json(this.#fetch("/csrf/api/v1/token", { isReadOnly: true }))).csrfToken);
      } catch (error) {
        // Without a token, the server answers 403 if it needs one.
        if (error.name === "AbortError" || error.code === "offline") throw error;
      }
    }
    return csrfTokens.get(this.base);
  }
}

// crypto.randomUUID() exists only on pages served over HTTPS.
export function newRequestId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
