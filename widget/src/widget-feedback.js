// Buttons to rate and report an answer, a form to say why, and the notes that the staff write back.
import { button, element, iconButton, uniqueId } from "./dom.js";
import { enFeedback } from "./enFeedback.js";
import rules from "./feedback.css";
import { icon } from "./icons.js";

const MAX_CHARS = 2000; // as on the server
const REASONS = ["wrong", "not_helpful", "unclear", "offensive", "other"];
const THUMB = "M7 11v9H3.500v-9ZM7 11l4-7.500c1.500 0 2.500 1 2.200 2.500L12.500 10H19a2 2 0 0 1 2 2.300l-1.200 6A2 2 0 0 1 17.800 20H7";
const FLAG = "M5.500 21V4M5.500 4.500h12.500l-3 4.250 3 4.250H5.500";
const NOTHING = { rating: "", reason: "", text: "", reported: false, note: "" };
const styles = new CSSStyleSheet();
styles.replaceSync(rules);

function prepare({ i18n, host: { shadowRoot } }) {
  i18n.addEnglish(enFeedback);
  if (!shadowRoot.adoptedStyleSheets.includes(styles)) shadowRoot.adoptedStyleSheets.push(styles);
}

export class Feedback {
  // `row` contains the buttons for an answer. `given`: what the person has said about it before.
  constructor(context, row, runId, given) {
    prepare(context);
    Object.assign(this, { context, runId, said: { ...NOTHING, ...given } });
    this.t = (id) => context.i18n.t(`feedback.${id}`);
    this.formId = uniqueId();
    this.up = this.#iconButton("up", THUMB, () => this.#rate("up"));
    this.down = this.#iconButton("down", THUMB, () => this.#rate("down"));
    this.down.classList.add("upside-down");
    this.report = this.#iconButton("report", FLAG, () => this.#open(true));
    for (const opener of [this.down, this.report]) opener.setAttribute("aria-controls", this.formId);
    this.status = element("p", { className: "small", role: "status" });
    this.error = element("p", { className: "error", role: "alert" });
    this.below = element("div", { className: "feedback below" }, this.status, this.error,
      ...(this.said.note ? [new Note(context, this.said).quote()] : []));
    // Before the button to copy the answer, which is the last one of the row.
    row.lastElementChild.before(element("span", { className: "feedback", role: "group", ariaLabel: this.t("title") },
      this.up, this.down, this.report));
    row.append(this.below);
    this.#showSaid();
  }

  #iconButton(id, path, onClick) {
    return iconButton(this.t(id), onClick, icon(id, path), "tertiary");
  }

  #createForm() {
    const { i18n } = this.context;
    this.legend = element("legend");
    this.reason = element("select", {}, element("option", { value: "", textContent: this.t("noReason") }),
      ...REASONS.map((value) => element("option", { value, textContent: i18n.t(`feedback.reasons.${value}`) })));
    this.text = element("textarea", { rows: 2, maxLength: MAX_CHARS, dir: "auto" });
    this.sendButton = element("button", { className: "primary", part: "button" });
    this.form = element("form", { id: this.formId },
      element("fieldset", {}, this.legend,
        element("label", { className: "block" }, this.t("reason"), this.reason),
        element("label", { className: "block" }, this.t("text"), this.text),
        element("p", { className: "small", textContent: this.t("readers") }),
        element("div", { className: "row" }, this.sendButton, button(i18n.t("cancel"), () => this.#close()))));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    // Or the key would close the chat's drawer, too.
    this.form.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      event.preventDefault();
      this.#close();
    });
    this.error.after(this.form);
  }

  // To press a pressed button withdraws the rating.
  async #rate(rating) {
    const isWithdrawn = this.said.rating === rating;
    // What was wrong with an answer does not say what was good about it.
    const isSaved = await this.#save({ rating: isWithdrawn ? "" : rating, reason: "", text: "" });
    if (!isSaved) return;
    if (rating === "down" && !isWithdrawn) this.#open(false);
    else this.#hide();
    this.#say(this.t(isWithdrawn ? "withdrawn" : "thanks"));
  }

  #open(isReport) {
    if (!this.form) this.#createForm();
    this.opener = isReport ? this.report : this.down;
    this.isReport = isReport;
    this.legend.textContent = this.t(isReport ? "report" : "why");
    this.sendButton.textContent = isReport ? this.t("report") : this.context.i18n.t("send");
    this.reason.value = this.said.reason;
    this.text.value = this.said.text;
    this.form.hidden = false;
    this.#showSaid();
    this.reason.focus();
  }

  #hide() {
    if (this.form) this.form.hidden = true;
    this.#showSaid();
  }

  #close() {
    this.#hide();
    this.opener.focus();
  }

  async #send() {
    const said = { reason: this.reason.value, text: this.text.value, ...(this.isReport && { reported: true }) };
    if (!await this.#save(said)) return;
    this.#close();
    this.#say(this.t(this.isReport ? "reported" : "thanks"));
  }

  // Returns whether it was possible.
  async #save(changes) {
    if (this.isBusy) return false;
    this.isBusy = true;
    this.error.textContent = "";
    this.status.textContent = "";
    const { rating, reason, text, reported } = { ...this.said, ...changes };
    try {
      Object.assign(this.said,
        await this.context.client.post("feedback", { run_id: this.runId, rating, reason, text, report: reported }));
      this.#showSaid();
      return true;
    } catch (error) {
      if (!this.context.signal.aborted) this.error.textContent = error.message;
      return false;
    } finally {
      this.isBusy = false;
    }
  }

  #say(message) {
    this.status.textContent = message;
  }

  #showSaid() {
    const { rating, reported } = this.said;
    this.up.ariaPressed = String(rating === "up");
    this.down.ariaPressed = String(rating === "down");
    this.report.ariaPressed = String(reported);
    this.report.ariaExpanded = String(this.form?.hidden === false);
    this.down.ariaExpanded = this.report.ariaExpanded;
  }
}

// A note of the staff on feedback, until it is closed.
export class Note {
  constructor(context, feedback) {
    prepare(context);
    Object.assign(this, { context, feedback });
    this.t = context.i18n.t;
    this.error = element("p", { className: "error", role: "alert" });
  }

  get node() {
    const { text: words } = this.feedback;
    const wrote = words && element("p", { className: "small", dir: "auto",
      textContent: this.t("saidBy", { who: this.t("you"), words }) });
    this.section = element("section", { className: "feedback-note", ariaLabel: this.t("feedback.reply") },
      element("h3", { textContent: this.t("feedback.reply") }), ...(wrote ? [wrote] : []), this.#text(),
      this.error, button(this.t("close"), () => this.#close()));
    return this.section;
  }

  // Only the note, below the answer that it is about.
  quote() {
    return element("div", { className: "feedback-note" }, element("h4", { textContent: this.t("feedback.reply") }),
      this.#text());
  }

  #text() {
    return element("p", { className: "pre-line", dir: "auto", textContent: this.feedback.note });
  }

  async #close() {
    try {
      await this.context.client.post("feedback", { run_id: this.feedback.run_id, note_read: true });
    } catch (error) {
      if (!this.context.signal.aborted) this.error.textContent = error.message;
      return;
    }
    const { parentNode } = this.section;
    this.section.remove();
    (parentNode.querySelector(".feedback-note button") ?? parentNode.querySelector("button:not([hidden])"))?.focus();
  }
}
