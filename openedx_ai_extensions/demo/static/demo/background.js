// A run in the background, as the person who waits sees it: how far it is, and a button to cancel it.
import { button, element, texts } from "./api.js";

const OFTEN = 1000; // ms between two looks
const SELDOM = 5000; // after LONG
const LONG = 60_000;

export class Background {
  constructor(place) {
    this.place = place;
    this.words = element("p", { role: "status" });
    this.bar = element("progress", { max: 1, ariaLabel: texts.progress });
    this.cancelButton = button(texts.cancel, () => this.cancel(), "plain");
    this.box = element("div", { className: "ai-background", hidden: true }, this.words,
      element("div", { className: "ai-row" }, this.bar, this.cancelButton));
  }

  // Begin, and wait for the end. Resolves to how it ended, in the server's words: {status, response?, error?}.
  async start(input) {
    this.show({ message: texts.working });
    try {
      return await this.follow(await this.place.ask("run_async", input));
    } catch (problem) {
      return this.end({ status: "failed", error: problem.message });
    }
  }

  // Wait for a run that is under way. Resolves to undefined when there is nothing to say of the last one.
  async resume() {
    const state = await this.place.ask("get_run_status");
    if (state.status === "processing") return this.follow(state);
    return state.error ? state : undefined;
  }

  async follow(begun) {
    const since = Date.now();
    let state = begun;
    this.outcome = undefined;
    while (state.status === "processing") {
      this.show(state);
      await this.pause(Date.now() - since < LONG ? OFTEN : SELDOM);
      state = this.outcome ?? await this.look(state);
    }
    return this.end(state);
  }

  async look(before) {
    try {
      return await this.place.ask("get_run_status");
    } catch (problem) {
      // The run goes on whether or not we can see it.
      if (problem.isPassing) return { ...before, message: texts.tryingAgain };
      return { status: "failed", error: problem.message };
    }
  }

  pause(time) {
    return new Promise((resolve) => {
      this.wake = resolve;
      setTimeout(resolve, time);
    });
  }

  async cancel() {
    if (this.cancelButton.ariaDisabled === "true") return;
    this.cancelButton.ariaDisabled = "true";
    try {
      this.outcome = await this.place.ask("cancel_run");
      this.wake?.();
    } catch (problem) {
      this.words.textContent = problem.message;
      this.cancelButton.ariaDisabled = "false";
    }
  }

  show({ message, progress }) {
    this.box.hidden = false;
    if (this.words.textContent !== message) this.words.textContent = message;
    if (progress === undefined) this.bar.removeAttribute("value");
    else this.bar.value = progress;
  }

  end(state) {
    this.hadFocus = this.box.contains(document.activeElement);
    this.box.hidden = true;
    this.words.textContent = "";
    this.cancelButton.ariaDisabled = "false";
    return state;
  }
}
