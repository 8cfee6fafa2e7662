// Reads answers in the three forms in which the server sends them: server-sent events, plain text with an error marker
// where it broke off, and JSON.
import { EventParser } from "./sse.js";

const ERROR_MARKER = '||{"error_in_stream"';

// Read a streamed answer. `handlers`: onStart (the run: {run_id}), onText (the text so far), onStatus (what the model is
// doing), onTool (the tool that it uses: {name, state}), onCitation (a citation in the text), onFollowUps (questions to
// ask next; not needed), onTruncated (how the answer was cut off: {message, canContinue}).
// Returns undefined on success, {code, message} on failure.
export async function readStream(response, handlers) {
  const type = response.headers.get("Content-Type") ?? "";
  if (type.startsWith("text/event-stream")) return readEvents(response.body, handlers);
  return readText(response.body, handlers);
}

// To an answer that was cut off and is not streamed, the server appends its notice in brackets.
export function splitTruncationNotice(answer, reason) {
  const [, text, notice] = (reason && /^([^]*)\n\n\[(.*)\]$/.exec(answer)) || [0, answer];
  return { text, truncation: truncationOf(notice, reason) };
}

// The stored conversation in a response, which is JSON in a string; null for any other response.
export function parseConversation(response) {
  const conversation = parseJson(response);
  return conversation.messages ? conversation : null;
}

// A response as text: the last answer of a stored conversation, or the value, of any type, that an extension returns.
export function responseText(response) {
  const lastAnswer = parseConversation(response)?.messages.findLast(({ role }) => role === "assistant");
  if (lastAnswer) return lastAnswer.content;
  return typeof response === "string" ? response : response ? `\`\`\`\n${JSON.stringify(response, null, 2)}\n\`\`\`` : "";
}

// Undefined for a complete answer. Only an answer that reached its length limit can be continued.
function truncationOf(message, reason) {
  return message && { message, canContinue: reason === "length" };
}

export function isJson(response) {
  return (response.headers.get("Content-Type") ?? "").startsWith("application/json");
}

async function readEvents(body, handlers) {
  const parser = new EventParser();
  let text = "";
  for await (const chunk of chunksOf(body)) {
    for (const { name, data } of parser.push(chunk)) {
      const value = parseJson(data);
      if (name === "start") handlers.onStart(value);
      if (name === "delta") handlers.onText(text += value.text ?? "");
      if (name === "status") handlers.onStatus(value.message);
      if (name === "tool") handlers.onTool(value);
      if (name === "citation") handlers.onCitation(value);
      if (name === "follow_ups") handlers.onFollowUps?.(value.questions);
      if (name === "error") return { code: value.code, message: value.message };
      if (name === "done") return void handlers.onTruncated(truncationOf(value.message, value.finish_reason));
    }
  }
  return { code: "streaming_failed" };
}

async function readText(body, handlers) {
  let text = "";
  for await (const chunk of chunksOf(body)) handlers.onText(beforeErrorMarker(text += chunk));
  const index = text.lastIndexOf(ERROR_MARKER);
  if (index < 0 || !text.endsWith("||")) return void handlers.onText(text);
  const { code, message } = parseJson(text.slice(index + 2, -2));
  return { code: code ?? "streaming_failed", message };
}

// The part of an incomplete text that can be shown: without the error marker, and without an end that may become one.
export function beforeErrorMarker(text) {
  const index = text.lastIndexOf(ERROR_MARKER);
  if (index >= 0) return text.slice(0, index);
  for (let length = Math.min(ERROR_MARKER.length - 1, text.length); length > 0; length -= 1) {
    if (ERROR_MARKER.startsWith(text.slice(-length))) return text.slice(0, -length);
  }
  return text;
}

async function* chunksOf(body) {
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

function parseJson(data) {
  try {
    return JSON.parse(data) ?? {};
  } catch {
    return {};
  }
}
