// An answer as it comes: as server-sent events, as text with a marker where it broke, or whole as JSON.
import { EventParser } from "./sse.js";

const MARKER = '||{"error_in_stream"';

// Read an answer that is text. `on` has what happens: text (all of it so far), and status (words on what is going on).
// Returns what went wrong, as {code, message}; undefined when nothing did.
export async function read(response, on) {
  const type = response.headers.get("Content-Type") ?? "";
  if (type.startsWith("text/event-stream")) return readEvents(response.body, on);
  return readText(response.body, on);
}

export function isJson(response) {
  return (response.headers.get("Content-Type") ?? "").startsWith("application/json");
}

async function readEvents(body, on) {
  const parser = new EventParser();
  let text = "";
  for await (const chunk of chunks(body)) {
    for (const { name, data } of parser.push(chunk)) {
      const value = parsed(data);
      if (name === "delta") on.text(text += value.text ?? "");
      if (name === "status") on.status({ message: value.message });
      if (name === "tool") on.status({ tool: value });
      if (name === "error") return { code: value.code, message: value.message };
      if (name === "done") return undefined;
    }
  }
  return { code: "streaming_failed" };
}

async function readText(body, on) {
  let text = "";
  for await (const chunk of chunks(body)) on.text(beforeMarker(text += chunk));
  const found = text.lastIndexOf(MARKER);
  if (found < 0 || !text.endsWith("||")) return void on.text(text);
  const { code, message } = parsed(text.slice(found + 2, -2));
  return { code: code ?? "streaming_failed", message };
}

// What may be shown for now: not the marker, nor what may become one.
export function beforeMarker(text) {
  const found = text.lastIndexOf(MARKER);
  if (found >= 0) return text.slice(0, found);
  for (let length = Math.min(MARKER.length - 1, text.length); length > 0; length -= 1) {
    if (MARKER.startsWith(text.slice(-length))) return text.slice(0, -length);
  }
  return text;
}

async function* chunks(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function parsed(data) {
  try {
    return JSON.parse(data) ?? {};
  } catch {
    return {};
  }
}
