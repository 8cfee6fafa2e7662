// The REST API as a widget sees it, and the little that all widgets share.
const API = "/openedx-ai-extensions/v1";
const csrfToken = document.querySelector("[name=csrfmiddlewaretoken]").value;

export const texts = JSON.parse(document.getElementById("widget-texts").textContent);

export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
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

  run(action, userInput, { signal, accept = "*/*", requestId = crypto.randomUUID() } = {}) {
    return fetch(`${API}/workflows/${this.query}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken, Accept: accept },
      body: JSON.stringify({ action, user_input: userInput, request_id: requestId }),
      signal,
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
