// Runs one request to a model at a time, streams its answer, and can stop it.
import { ApiError } from "./apiError.js";
import { newRequestId } from "./client.js";
import { isJson, readStream, responseText, splitTruncationNotice } from "./streamReader.js";

// An input for the model. A retry runs the same turn: its request id has the server answer it only once.
export function newTurn(input, extra) {
  return { input, requestId: newRequestId(), ...extra };
}

export class Runner {
  constructor({ client, i18n, emit }) {
    Object.assign(this, { client, i18n, emit });
    // The browser may freeze the page for its Back button. A stopped request can be retried when it comes back; a frozen
    // one would look as if it went on.
    addEventListener("pagehide", () => this.stop(), { signal: client.signal });
  }

  stop() {
    this.abortController?.abort();
  }

  // Run a turn, whose `runId` is set if the server names the run. `handlers`: onText (the text so far), onStatus (what the model is doing), onCitation (a citation in
  // the text), onResponse (the answer of a request that is not streamed), onTruncated (how the answer was cut off, or
  // undefined: {message, canContinue}).
  // Returns undefined on success, {message, canRetry, isNeutral} on failure, and null if the widget was removed.
  // `isNeutral`: not an error, such as when the person stopped the answer.
  async run(turn, handlers) {
    this.abortController = new AbortController();
    const { signal } = this.abortController;
    const { requestId } = turn;
    turn.runId = undefined;
    try {
      const response = await this.client.fetchAction("run", turn.input || null,
        { requestId, signal, waitsForDuplicate: true });
      if (!await this.#receive(response, turn, handlers)) {
        turn.requestId = newRequestId(); // the server would answer the old id with the empty answer again
        throw new ApiError(this.i18n, { message: this.i18n.t("failed") });
      }
    } catch (error) {
      if (this.client.signal.aborted) return null;
      return this.#failure(error, signal);
    }
    this.emit("completed", { action: "run" });
    return undefined;
  }

  // Sets the id of the run in the turn, if the answer has one. Returns the answer, which may be empty.
  async #receive(response, turn, handlers) {
    if (isJson(response)) {
      const { response: answer, finish_reason: reason, citations = [], run_id: runId,
        follow_ups: followUps } = await response.json();
      turn.runId = runId;
      citations.forEach(handlers.onCitation);
      handlers.onFollowUps?.(followUps);
      const { text, truncation } = splitTruncationNotice(answer, reason);
      handlers.onResponse(text);
      handlers.onTruncated(truncation);
      return responseText(text).trim();
    }
    let received;
    const error = await readStream(response, {
      ...handlers,
      onStart: ({ run_id: runId }) => Object.assign(turn, { runId }),
      onText: (text) => handlers.onText(received = text),
      onTool: (tool) => handlers.onStatus(this.#toolStatus(tool)),
    });
    if (error) throw new ApiError(this.i18n, error);
    return received?.trim();
  }

  // A model may make up the name of a tool.
  #toolStatus({ name, state }) {
    const { i18n } = this;
    if (state === "failed") return i18n.t("toolFailed");
    return i18n.t(i18n.has(`tool.${name}`) ? `tool.${name}` : "tool.other");
  }

  #failure(error, { aborted }) {
    // Any other exception is the browser's: the connection broke in the middle of the answer.
    const { code, message, canRetry, isNeutral } = !aborted && error instanceof ApiError ? error
      : new ApiError(this.i18n, { code: aborted ? "cancelled" : "streaming_failed" });
    if (!aborted) this.emit("error", { action: "run", code });
    return { message, canRetry, isNeutral };
  }
}
