// One quiz question in review: its content, its versions, a form to rewrite it, and the result of saving it.
import { button, element, setAriaDisabled, uniqueId } from "./dom.js";
import { markFormulas } from "./formulaNodes.js";
import { icon } from "./icons.js";
import { sanitize } from "./sanitize.js";
import { typeset } from "./typeset.js";

export class QuizQuestion {
  // `onRewrite` takes the question's index and the author's instructions, and resolves to {history, selected}: all
  // versions, and the index of the new one.
  constructor(context, { versions, selected }, index, { onRewrite, onChange }) {
    const { i18n } = context;
    Object.assign(this, { context, i18n, index, onRewrite, onChange });
    this.t = i18n.t;
    this.title = element("h3", { dir: "auto" });
    this.checkbox = element("input", { type: "checkbox", checked: true });
    this.checkbox.addEventListener("change", onChange);
    this.versionSelect = element("select");
    this.versionSelect.addEventListener("change", () => this.#showVersion(this.versionSelect.selectedIndex));
    this.versionLabel = element("label", {}, this.t("version"), this.versionSelect);
    this.body = element("div", { className: "question-content", dir: "auto" });
    this.error = element("p", { className: "error", role: "alert" });
    this.saved = element("p", { className: "saved" });
    this.checkboxLabel = element("label", { className: "checkbox" }, this.checkbox, this.t("keepQuestion"));
    this.item = element("li", { className: "question-card", part: "question" }, this.title,
      element("div", { className: "row" }, this.checkboxLabel, this.versionLabel), this.body, this.saved, this.error,
      this.#createForm());
    this.#setVersions(versions, selected);
  }

  #createForm() {
    this.instructions = element("textarea", { rows: 2, dir: "auto" });
    this.rewriteButton = button(this.t("rewrite"), () => this.#rewrite(), "", icon("again"));
    this.status = element("p", { className: "status", role: "status" });
    return element("details", {}, element("summary", { textContent: this.t("rewriteTitle") }),
      element("label", { className: "block" }, this.t("rewriteWords"), this.instructions), this.rewriteButton,
      this.status);
  }

  #setVersions(versions, selected) {
    this.versions = versions;
    this.versionSelect.replaceChildren(...versions.map((_version, index) =>
      element("option", { textContent: this.t("versionOf", { number: index + 1, all: versions.length }) })));
    this.versionLabel.hidden = versions.length < 2;
    this.#showVersion(selected);
  }

  #showVersion(index) {
    this.versionSelect.selectedIndex = index;
    this.question = this.versions[index];
    this.title.textContent = `${this.i18n.formatValue(this.index + 1)}. ${this.question.display_name}`;
    this.body.replaceChildren(...this.#createContent(this.question));
    typeset(markFormulas(this.body), this.context, uniqueId());
    this.error.textContent = "";
    this.item.ariaLabel = this.title.textContent;
  }

  // Whether it is to be saved.
  get isSelected() {
    return this.checkbox.checked && !this.saved.textContent;
  }

  async #rewrite() {
    if (this.isBusy) return;
    this.#setBusy(true);
    this.error.textContent = "";
    this.status.textContent = this.t("rewriting");
    try {
      const { history, selected } = await this.onRewrite(this.index, this.instructions.value.trim());
      this.#setVersions(history, selected);
      this.status.textContent = this.t("rewritten", { number: selected + 1 });
      this.instructions.value = "";
      this.setSaved(false);
    } catch (error) {
      this.status.textContent = "";
      this.error.textContent = error.message;
    }
    this.#setBusy(false);
  }

  #setBusy(isBusy) {
    this.isBusy = isBusy;
    setAriaDisabled(this.rewriteButton, isBusy);
    this.item.ariaBusy = String(isBusy);
    this.onChange();
  }

  setSaved(isSaved) {
    this.saved.textContent = isSaved ? this.t("questionSaved") : "";
    this.checkboxLabel.hidden = isSaved;
    this.error.textContent = "";
  }

  #createContent({ problem_type: type, question_html: html, choices, answer_value: answer, tolerance, explanation,
    demand_hints: hints }) {
    const more = [
      ...(explanation ? [element("h4", { textContent: this.t("explanation") }),
        element("p", { className: "pre-line", textContent: explanation })] : []),
      ...(hints?.length ? [element("h4", { textContent: this.t("hints") }),
        element("ul", {}, ...hints.map((hint) => element("li", { className: "pre-line", textContent: hint })))] : []),
    ];
    const typeId = `kind.${type}`;
    return [
      element("p", { className: "small", textContent: this.i18n.has(typeId) ? this.t(typeId) : type }),
      ...sanitize(html),
      ...(choices?.length ? [element("ul", { className: "choices", role: "list" }, ...choices.map((choice) =>
        this.#createChoice(choice)))] : []),
      ...(answer ? [element("p", {}, element("strong", { textContent: this.t("rightAnswer", { answer }) }),
        tolerance ? ` ${this.t("tolerance", { tolerance })}` : "")] : []),
      ...(more.length ? [element("details", {}, element("summary", { textContent: this.t("more") }), ...more)] : []),
    ];
  }

  #createChoice({ text, is_correct: isCorrect, feedback }) {
    return element("li", { className: isCorrect ? "correct" : "incorrect" }, icon(isCorrect ? "check" : "close"),
      element("span", { className: "sr-only", textContent: this.t(isCorrect ? "right" : "wrong") }), text,
      ...(feedback ? [element("small", { textContent: feedback })] : []));
  }
}
