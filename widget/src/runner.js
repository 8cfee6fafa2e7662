// One request to a model as a form sees it: it can be stopped, and the same one can be sent again.
import { newId } from "./client.js";
import { Problem } from "./problem.js";
import { isJson, parted, read } from "./reading.js";

// One request. Another try has the same id, so that the server answers it once, whatever became of the first.
export function newTurn(text, more) {
  return { text, requestId: newId(), ...more };
}

export class Runner {
  constructor({ client, texts, emit }) {
    Object.assign(this, { client, texts, emit });
    // A browser may keep the page for its Back button: the answer must not go on unseen, nor look as if it did.
    addEventListener("pagehide", () => this.stop(), { signal: client.signal });
  }

  stop() {
    this.controller?.abort();
  }

  // Run a turn. `on` has what happens: text (all of it so far), status (words on what is going on),
  // whole (an answer that came as JSON), and cut (how it was cut off, if it was: {words, isLong}).
  // Returns what went wrong, as {words, canRetry}; undefined when nothing did, null when the widget is gone.
  async run(turn, on) {
    this.controller = new AbortController();
    const { signal } = this.controller;
    const { requestId } = turn;
    try {
      const response = await this.client.run("run", turn.text || null, { requestId, signal, isPatient: true });
      if (!await this.receive(response, on)) {
        turn.requestId = newId(); // the server would answer the old one with nothing again
        throw new Problem(this.texts, { message: this.texts.say("failed") });
      }
    } catch (error) {
      if (this.client.signal.aborted) return null;
      return this.fault(error, signal);
    }
    this.emit("completed", { action: "run" });
    return undefined;
  }

  // Returns whether there was an answer.
  async receive(response, on) {
    if (isJson(response)) {
      const { response: answer, finish_reason: reason } = await response.json();
      const { text, cut } = parted(answer, reason);
      on.whole(text);
      on.cut(cut);
      return text;
    }
    let said;
    const fault = await read(response, {
      ...on,
      text: (text) => on.text(said = text),
      tool: (tool) => on.status(this.toolWords(tool)),
    });
    if (fault) throw new Problem(this.texts, fault);
    return said;
  }

  // A tool's name comes from a model, so it may be anything.
  toolWords({ name, state }) {
    if (state === "failed") return this.texts.say("toolFailed");
    return this.texts.say(this.texts.has(`tool.${name}`) ? `tool.${name}` : "tool.other");
  }

  fault(error, { aborted }) {
    if (aborted) return { words: this.texts.say("stopped"), canRetry: true, isStop: true };
    // What a browser throws when the connection breaks in the middle.
    const problem = error instanceof Problem ? error : new Problem(this.texts, { code: "streaming_failed" });
    this.emit("error", { action: "run", code: problem.code });
    return { words: problem.message, canRetry: problem.canRetry };
  }
}
