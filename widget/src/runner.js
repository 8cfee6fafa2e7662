// One request to a model as a form sees it: it can be stopped, and the same one can be sent again.
import { Problem } from "./problem.js";
import { isJson, read } from "./reading.js";

export class Runner {
  constructor({ client, texts, emit }) {
    Object.assign(this, { client, texts, emit });
  }

  stop() {
    this.controller?.abort();
  }

  // Run an action. `on` has what happens: text (all of it so far), status, and whole (an answer that came as JSON).
  // Returns what went wrong, as {words, canRetry}; undefined when nothing did, null when nobody waits any more.
  async run(action, input, requestId, on) {
    this.controller = new AbortController();
    const { signal } = this.controller;
    try {
      const response = await this.client.run(action, input, { requestId, signal, isPatient: true });
      if (isJson(response)) on.whole((await response.json()).response);
      else {
        const fault = await read(response, on);
        if (fault) throw new Problem(this.texts, fault);
      }
    } catch (error) {
      if (this.client.signal.aborted) return null;
      return this.fault(error, action, signal);
    }
    this.emit("completed", { action });
    return undefined;
  }

  fault(error, action, { aborted }) {
    if (aborted) return { words: this.texts.say("stopped"), canRetry: true, isStop: true };
    // What a browser throws when the connection breaks in the middle.
    const problem = error instanceof Problem ? error : new Problem(this.texts, { code: "streaming_failed" });
    this.emit("error", { action, code: problem.code });
    return { words: problem.message, canRetry: problem.canRetry };
  }
}
