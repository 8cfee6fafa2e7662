// A run in the background, as the person who waits sees it: how far it is, and a button to cancel it.
import { button, element, inert, isInert, pause } from "./dom.js";
import { Problem } from "./problem.js";

const FIRST = [1000, 2000, 4000]; // ms between the first looks: much is done within seconds
const OFTEN = 10_000;
const SELDOM = 30_000; // after LONG
const LONG = 120_000;
const ENOUGH = 300_000;

export class Background {
  constructor(page) {
    this.page = page;
    this.t = (id, values) => page.texts.say(id, values);
    this.words = element("p", { role: "status" });
    this.bar = element("progress", { max: 1, ariaLabel: this.t("progress") });
    this.cancelButton = button(this.t("cancel"), () => this.cancel());
    this.node = element("div", { className: "background", hidden: true }, this.words,
      element("div", { className: "row" }, this.bar, this.cancelButton));
  }

  // Begin, and wait for the end. Resolves to how it ended: {status, response?, words?}.
  async start(input) {
    this.show({ message: this.t("working") });
    try {
      return await this.follow(await this.page.client.ask("run_async", input));
    } catch (problem) {
      if (this.page.signal.aborted) throw problem;
      return this.end({ status: "failed", error: problem.message, code: problem.code });
    }
  }

  // Wait for a run that is under way. Resolves to undefined when there is nothing to say of the last one.
  async resume() {
    const state = await this.page.client.ask("get_run_status");
    if (state.status === "processing") return this.follow(state);
    return state.error ? this.said(state) : undefined;
  }

  async follow(begun) {
    const since = Date.now();
    let state = begun;
    this.outcome = undefined;
    for (let looks = 0; state.status === "processing"; looks += 1) {
      this.show(state);
      const waited = Date.now() - since;
      if (waited > ENOUGH) return this.end({ status: "long" });
      await this.rest(FIRST[looks] ?? (waited < LONG ? OFTEN : SELDOM));
      state = this.outcome ?? await this.look(state);
    }
    return this.end(state);
  }

  async look(before) {
    try {
      return await this.page.client.ask("get_run_status");
    } catch (problem) {
      if (this.page.signal.aborted) throw problem;
      // The run goes on whether or not we can see it.
      if (problem.isPassing) return { ...before, message: this.t("tryingAgain") };
      return { status: "failed", error: problem.message, code: problem.code };
    }
  }

  rest(time) {
    return Promise.race([pause(time, this.page.signal), new Promise((wake) => Object.assign(this, { wake }))]);
  }

  async cancel() {
    if (isInert(this.cancelButton)) return;
    inert(this.cancelButton, true);
    try {
      this.outcome = await this.page.client.ask("cancel_run");
      this.wake?.();
    } catch (problem) {
      this.words.textContent = problem.message;
      inert(this.cancelButton, false);
    }
  }

  show({ message, progress }) {
    this.node.hidden = false;
    if (this.words.textContent !== message) this.words.textContent = message;
    if (progress === undefined) this.bar.removeAttribute("value");
    else this.bar.value = progress;
  }

  end(state) {
    this.hadFocus = this.node.contains(this.node.getRootNode().activeElement);
    this.node.hidden = true;
    this.words.textContent = "";
    inert(this.cancelButton, false);
    return this.said(state);
  }

  // With words for people, and the page told.
  said(state) {
    const { status, code, error } = state;
    if (status === "completed") this.page.emit("completed", { action: "run_async" });
    if (!error) return state;
    this.page.emit("error", { action: "run_async", code: code ?? status });
    return { ...state, words: new Problem(this.page.texts, { code: code ?? "processor_error", message: error }).message };
  }
}
