// The REST API as a widget sees it, and the little that all widgets share.
const API = "/openedx-ai-extensions/v1";
const csrfToken = document.querySelector("[name=csrfmiddlewaretoken]").value;

export const texts = JSON.parse(document.getElementById("widget-texts").textContent);

export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

export function button(textContent, action, className = "") {
  const made = element("button", { type: "button", textContent, className });
  made.addEventListener("click", () => action());
  return made;
}

// A text with values in place of {names}.
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

// What went wrong, in words for people. `status` is HTTP's, 0 when the site could not be reached.
export class Problem extends Error {
  constructor(words, status = 0, details = {}) {
    super(words);
    Object.assign(this, { status, details });
  }

  // Would the same, asked again a little later, perhaps work?
  get isPassing() {
    return this.status === 0 || this.status >= 500;
  }
}

// One slot on one page: who asks from here, asks from this place in the course.
export class Place {
  constructor({ uiSlotSelectorId, courseId, locationId }) {
    this.query = `?context=${encodeURIComponent(JSON.stringify({ courseId, locationId, uiSlotSelectorId }))}`;
  }

  // Which components the slot gets; undefined for none.
  async components() {
    const response = await fetch(`${API}/profile/${this.query}`);
    return response.ok ? (await response.json()).ui_components : undefined;
  }

  // Run a short action. Returns its answer whole, or throws a Problem.
  async ask(action, userInput = null, options = {}) {
    const response = await this.run(action, userInput, options).catch(() => undefined);
    if (!response) throw new Problem(texts.offline);
    const body = await response.json().catch(() => null);
    if (response.ok && body) return body;
    throw new Problem([body?.error?.message ?? texts.offline].flat().join(" "), response.status, body?.error);
  }

  run(action, userInput, { signal, keepalive, accept = "*/*", requestId = crypto.randomUUID() } = {}) {
    return fetch(`${API}/workflows/${this.query}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken, Accept: accept },
      body: JSON.stringify({ action, user_input: userInput, request_id: requestId }),
      signal,
      keepalive,
    });
  }
}

export function isJson(response) {
  return response.headers.get("Content-Type").startsWith("application/json");
}

// What a refusal says to people.
export async function refusal(response) {
  const body = await response.json().catch(() => null);
  return [body?.error?.message ?? texts.offline].flat().join(" ");
}

export async function* chunks(body) {
  for (const reader = body.pipeThrough(new TextDecoderStream()).getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

// Server-sent events, as {name, data}; comments are left out.
export async function* events(body) {
  let rest = "";
  for await (const chunk of chunks(body)) {
    const blocks = (rest + chunk).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const [, name, data] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? [];
      if (name) yield { name, data: JSON.parse(data) };
    }
  }
}
