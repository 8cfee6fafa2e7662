// One question in review: what it asks, its versions, and what became of it when it was saved.
import { button, element, inert } from "./dom.js";
import { icon } from "./icons.js";
import { safeNodes } from "./safe.js";

export class Question {
  // `rewrite` takes the question's number and the author's words, and resolves to its versions.
  constructor(texts, { versions, selected }, index, { rewrite, change }) {
    Object.assign(this, { texts, versions, index, rewrite, change });
    this.t = (id, values) => texts.say(id, values);
    this.title = element("h3", { dir: "auto" });
    this.keep = element("input", { type: "checkbox", checked: true });
    this.keep.addEventListener("change", change);
    this.version = element("select");
    this.version.addEventListener("change", () => this.show(this.version.selectedIndex));
    this.versionLabel = element("label", {}, this.t("version"), this.version);
    this.body = element("div", { className: "rich", dir: "auto" });
    this.note = element("p", { className: "error", role: "alert" });
    this.saved = element("p", { className: "saved" });
    this.keepLabel = element("label", { className: "tick" }, this.keep, this.t("keepQuestion"));
    this.item = element("li", { className: "question-card", part: "question" }, this.title,
      element("div", { className: "row" }, this.keepLabel, this.versionLabel), this.body, this.saved, this.note,
      this.form());
    this.take(versions, selected);
  }

  form() {
    this.words = element("textarea", { rows: 2, dir: "auto" });
    this.again = button(this.t("rewrite"), () => this.writeAnew(), "", icon("again"));
    this.status = element("p", { className: "status", role: "status" });
    return element("details", {}, element("summary", { textContent: this.t("rewriteTitle") }),
      element("label", { className: "block" }, this.t("rewriteWords"), this.words), this.again, this.status);
  }

  take(versions, selected) {
    this.versions = versions;
    this.version.replaceChildren(...versions.map((_version, place) =>
      element("option", { textContent: this.t("versionOf", { number: place + 1, all: versions.length }) })));
    this.versionLabel.hidden = versions.length < 2;
    this.show(selected);
  }

  show(selected) {
    this.version.selectedIndex = selected;
    this.question = this.versions[selected];
    this.title.textContent = `${this.texts.write(this.index + 1)}. ${this.question.display_name}`;
    this.body.replaceChildren(...this.parts(this.question));
    this.note.textContent = "";
    this.item.ariaLabel = this.title.textContent;
  }

  get isKept() {
    return this.keep.checked && !this.saved.textContent;
  }

  async writeAnew() {
    if (this.isBusy) return;
    this.busy(true);
    this.note.textContent = "";
    this.status.textContent = this.t("rewriting");
    try {
      const { history, selected } = await this.rewrite(this.index, this.words.value.trim());
      this.take(history, selected);
      this.status.textContent = this.t("rewritten", { number: selected + 1 });
      this.words.value = "";
      this.markSaved(false);
    } catch (problem) {
      this.status.textContent = "";
      this.note.textContent = problem.message;
    }
    this.busy(false);
  }

  busy(isBusy) {
    this.isBusy = isBusy;
    inert(this.again, isBusy);
    this.item.ariaBusy = String(isBusy);
    this.change();
  }

  markSaved(isSaved) {
    this.saved.textContent = isSaved ? this.t("questionSaved") : "";
    this.keepLabel.hidden = isSaved;
    this.note.textContent = "";
  }

  parts({ problem_type: kind, question_html: html, choices, answer_value: answer, tolerance, explanation,
    demand_hints: hints }) {
    const more = [
      ...(explanation ? [element("h4", { textContent: this.t("explanation") }),
        element("p", { className: "plain", textContent: explanation })] : []),
      ...(hints?.length ? [element("h4", { textContent: this.t("hints") }),
        element("ul", {}, ...hints.map((hint) => element("li", { className: "plain", textContent: hint })))] : []),
    ];
    const id = `kind.${kind}`;
    return [
      element("p", { className: "small", textContent: this.texts.has(id) ? this.t(id) : kind }),
      ...safeNodes(html),
      ...(choices?.length ? [element("ul", { className: "choices", role: "list" }, ...choices.map((each) =>
        this.choice(each)))] : []),
      ...(answer ? [element("p", {}, element("strong", { textContent: this.t("rightAnswer", { answer }) }),
        tolerance ? ` ${this.t("tolerance", { tolerance })}` : "")] : []),
      ...(more.length ? [element("details", {}, element("summary", { textContent: this.t("more") }), ...more)] : []),
    ];
  }

  choice({ text, is_correct: isRight, feedback }) {
    return element("li", { className: isRight ? "right" : "wrong" }, icon(isRight ? "check" : "close"),
      element("span", { className: "unseen", textContent: this.t(isRight ? "right" : "wrong") }), text,
      ...(feedback ? [element("small", { textContent: feedback })] : []));
  }
}
