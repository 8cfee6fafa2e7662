// The base class of forms that open in place (a disclosure) and start a run in the background.
import { BackgroundRun } from "./backgroundRun.js";
import { element } from "./dom.js";
import { icon } from "./icons.js";
import { StatusLines } from "./statusLines.js";

// A subclass sets `fields`, the inputs, and `startButton`, which is one of them. It implements showSession(session), which
// gets the stored session when the form is first opened, and showRunResult(response), which returns the element to focus.
export class Disclosure {
  // `restoresSession`: whether to show what is stored from earlier visits. The default is true.
  constructor(context, { title, iconName, intro, restoresSession }) {
    Object.assign(this, { context, restoresSession: restoresSession ?? true });
    this.t = context.i18n.t;
    this.lines = new StatusLines();
    this.run = new BackgroundRun(context);
    this.summaryCount = element("span", { className: "count small" });
    this.intro = element("p", { className: "small", textContent: intro });
    this.body = element("div", { className: "disclosure-body" }, this.intro);
    const summary = element("summary", { part: "summary" }, icon(iconName), element("h2", { textContent: title }),
      this.summaryCount);
    const details = element("details", {}, summary, this.body);
    // No request is sent before the form is opened.
    details.addEventListener("toggle", () => this.#load(), { once: true });
    this.node = element("section", { className: "card disclosure", part: "box", ariaLabel: title }, details);
  }

  async #load() {
    try {
      if (this.restoresSession) this.showSession(await this.context.client.runAction("get_current_session_response"));
      this.context.limits.refresh();
      const outcome = await this.run.resume();
      if (outcome) this.#finish(outcome);
    } catch (error) {
      if (this.context.signal.aborted) return;
      this.lines.showError(error.message, this.t("retry"), () => this.#load());
    }
    this.fields.hidden = false;
  }

  async start(input) {
    this.lines.clear();
    this.fields.hidden = true;
    const run = this.run.start(input);
    this.run.cancelButton.focus();
    const outcome = await run.catch(() => null); // rejects only when the widget is removed
    if (outcome) this.#finish(outcome);
  }

  #finish({ status, response, errorMessage, isNeutral }) {
    this.fields.hidden = false;
    let focus = this.startButton;
    if (status === "completed") focus = this.showRunResult(response);
    else if (isNeutral) this.lines.showStatus(errorMessage);
    else if (errorMessage) this.lines.showError(errorMessage);
    else if (status === "slow") this.lines.showError(this.t("takesLong"), this.t("checkAgain"), () => this.#load());
    else this.lines.showStatus(this.t("cancelled"));
    if (this.run.hadFocus) focus.focus();
    this.context.limits.refresh();
  }
}
