// A form that opens in place, and has a model write something in the background.
import { Background } from "./background.js";
import { element } from "./dom.js";
import { icon } from "./icons.js";
import { Lines } from "./lines.js";

// A form of this kind has `fields` to fill in and a `startButton` among them, and says what becomes of answers: `show`
// takes what the session holds when the form is first opened, `take` what a run has written; it returns what gets the
// focus then.
export class Fold {
  // `preloads`: does it show what the session holds already? It does unless the profile says no.
  constructor(page, { title, picture, intro, preloads }) {
    Object.assign(this, { page, preloads: preloads ?? true });
    this.t = (id, values) => page.texts.say(id, values);
    this.lines = new Lines();
    this.background = new Background(page);
    this.total = element("span", { className: "count small" });
    this.intro = element("p", { className: "small", textContent: intro });
    this.body = element("div", { className: "inside" }, this.intro);
    const summary = element("summary", { part: "summary" }, icon(picture), element("h2", { textContent: title }), this.total);
    const details = element("details", {}, summary, this.body);
    // Before it is opened nothing is asked of the server.
    details.addEventListener("toggle", () => this.load(), { once: true });
    this.node = element("section", { className: "card fold", part: "box", ariaLabel: title }, details);
  }

  async load() {
    try {
      if (this.preloads) this.show(await this.page.client.ask("get_current_session_response"));
      this.page.limits.refresh();
      const outcome = await this.background.resume();
      if (outcome) this.finish(outcome);
    } catch (problem) {
      if (this.page.signal.aborted) return;
      this.lines.fail(problem.message, this.t("retry"), () => this.load());
    }
    this.fields.hidden = false;
  }

  async start(input) {
    this.lines.quiet();
    this.fields.hidden = true;
    const outcome = this.background.start(input);
    this.background.cancelButton.focus();
    this.finish(await outcome.catch(() => ({ status: "gone" })));
  }

  // However it ended, that is said.
  finish({ status, response, words }) {
    if (status === "gone") return;
    this.fields.hidden = false;
    let focus = this.startButton;
    if (status === "completed") focus = this.take(response);
    else if (words) this.lines.fail(words);
    else if (status === "long") this.lines.fail(this.t("takesLong"), this.t("checkAgain"), () => this.load());
    else this.lines.tell(this.t("cancelled"));
    if (this.background.hadFocus) focus.focus();
    this.page.limits.refresh();
  }
}
