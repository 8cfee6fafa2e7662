// An answer as it comes: as server-sent events, as text with a marker where it broke, or whole as JSON.
import { EventParser } from "./sse.js";

const MARKER = '||{"error_in_stream"';

// Read an answer that is text. `on` has what happens: text (all of it so far), status (words on what is going on), tool
// (one that is being used: {name, state}), and cut (the answer ended before its end: {words, isLong}).
// Returns what went wrong, as {code, message}; undefined when nothing did.
export async function read(response, on) {
  const type = response.headers.get("Content-Type") ?? "";
  if (type.startsWith("text/event-stream")) return readEvents(response.body, on);
  return readText(response.body, on);
}

// An answer that came whole, or was stored: where it was cut off, the server says so in brackets below it.
export function parted(answer, reason) {
  const [, text, words] = (reason && /^([^]*)\n\n\[(.*)\]$/.exec(answer)) || [0, answer];
  return { text, cut: cutBy(words, reason) };
}

// The page of an earlier conversation that an answer holds, as JSON in a text; null for any other answer.
export function conversationIn(response) {
  const page = parsed(response);
  return page.messages ? page : null;
}

// How an answer was cut off; undefined for one that is whole. One that was too long can go on.
function cutBy(words, reason) {
  return words && { words, isLong: reason === "length" };
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
      if (name === "status") on.status(value.message);
      if (name === "tool") on.tool(value);
      if (name === "error") return { code: value.code, message: value.message };
      if (name === "done") return void on.cut(cutBy(value.message, value.finish_reason));
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
