// A run in the background: starts it, polls its status, shows its progress and a button to cancel it.
import { ApiError } from "./apiError.js";
import { button, delay, element, isAriaDisabled, setAriaDisabled } from "./dom.js";

// Most runs take seconds, so polling starts fast and slows down.
const FIRST_DELAYS_MS = [1000, 2000, 4000];
const DELAY_MS = 10_000;
const SLOW_DELAY_MS = 30_000;
const SLOW_AFTER_MS = 120_000;
const STOP_AFTER_MS = 300_000; // the run goes on; the form offers a button to check again

export class BackgroundRun {
  constructor(context) {
    this.context = context;
    this.t = context.i18n.t;
    this.status = element("p", { role: "status" });
    this.bar = element("progress", { max: 1, ariaLabel: this.t("progress") });
    this.cancelButton = button(this.t("cancel"), () => this.#cancel());
    this.node = element("div", { className: "background-run", hidden: true }, this.status,
      element("div", { className: "row" }, this.bar, this.cancelButton));
  }

  // Start a run and wait for its end. Resolves to {status, response?, errorMessage?, isNeutral?}; the status "slow" means that
  // polling has stopped before the end.
  async start(input) {
    this.#show({ message: this.t("working") });
    try {
      return await this.#poll(await this.context.client.runAction("run_async", input));
    } catch (error) {
      if (this.context.signal.aborted) throw error;
      return this.#end({ status: "failed", error: error.message, code: error.code });
    }
  }

  // Wait for a run that was started before. Resolves to undefined if there is none and the last one did not fail.
  async resume() {
    const state = await this.context.client.runAction("get_run_status");
    if (state.status === "processing") return this.#poll(state);
    return state.error ? this.#report(state) : undefined;
  }

  async #poll(firstState) {
    const start = Date.now();
    let state = firstState;
    this.cancelledState = undefined;
    for (let polls = 0; state.status === "processing"; polls += 1) {
      this.#show(state);
      const elapsed = Date.now() - start;
      if (elapsed > STOP_AFTER_MS) return this.#end({ status: "slow" });
      await this.#wait(FIRST_DELAYS_MS[polls] ?? (elapsed < SLOW_AFTER_MS ? DELAY_MS : SLOW_DELAY_MS));
      state = this.cancelledState ?? await this.#fetchState(state);
    }
    return this.#end(state);
  }

  async #fetchState(previous) {
    try {
      return await this.context.client.runAction("get_run_status");
    } catch (error) {
      if (this.context.signal.aborted) throw error;
      // The run continues on the server, so poll again.
      if (error.isTransient) return { ...previous, message: this.t("tryingAgain") };
      return { status: "failed", error: error.message, code: error.code };
    }
  }

  // Resolves after `ms` milliseconds, or when the run is cancelled.
  #wait(ms) {
    return Promise.race([delay(ms, this.context.signal), new Promise((wake) => Object.assign(this, { wake }))]);
  }

  async #cancel() {
    if (isAriaDisabled(this.cancelButton)) return;
    setAriaDisabled(this.cancelButton, true);
    try {
      this.cancelledState = await this.context.client.runAction("cancel_run");
      this.wake?.();
    } catch (error) {
      this.status.textContent = error.message;
      setAriaDisabled(this.cancelButton, false);
    }
  }

  #show({ message, progress }) {
    this.node.hidden = false;
    // Setting the same text again would be announced again.
    if (this.status.textContent !== message) this.status.textContent = message;
    if (progress === undefined) this.bar.removeAttribute("value");
    else this.bar.value = progress;
  }

  #end(state) {
    this.hadFocus = this.node.contains(this.node.getRootNode().activeElement);
    this.node.hidden = true;
    this.status.textContent = "";
    setAriaDisabled(this.cancelButton, false);
    return this.#report(state);
  }

  // Emit the event for the page, and add the message for an error.
  #report(state) {
    const { status, code, error } = state;
    if (status === "completed") this.context.emit("completed", { action: "run_async" });
    if (!error) return state;
    this.context.emit("error", { action: "run_async", code: code ?? status });
    const { message, isNeutral } = new ApiError(this.context.i18n, { code: code ?? "processor_error", message: error });
    return { ...state, errorMessage: message, isNeutral };
  }
}
