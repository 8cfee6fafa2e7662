// One question in review: what it asks, its versions, and what became of it when it was saved.
import { button, element, fill, texts } from "./api.js";
import { rich } from "./rich.js";

export class Question {
  // `rewrite` takes the question's number and the author's words, and resolves to its versions.
  constructor({ versions, selected }, index, { rewrite, change }) {
    Object.assign(this, { versions, index, rewrite, change });
    this.title = element("h3", { dir: "auto" });
    this.keep = element("input", { type: "checkbox", checked: true });
    this.keep.addEventListener("change", change);
    this.version = element("select");
    this.version.addEventListener("change", () => this.show(this.version.selectedIndex));
    this.versionLabel = element("label", {}, texts.version, this.version);
    this.body = element("div", { className: "ai-rich", dir: "auto" });
    this.note = element("p", { className: "ai-error", role: "alert" });
    this.saved = element("p", { className: "ai-saved" });
    this.keepLabel = element("label", { className: "ai-keep" }, this.keep, texts.keepQuestion);
    this.item = element("li", { className: "ai-question" }, this.title,
      element("div", { className: "ai-row" }, this.keepLabel, this.versionLabel), this.body, this.saved, this.note,
      this.form());
    this.take(versions, selected);
  }

  form() {
    this.words = element("textarea", { rows: 2, dir: "auto" });
    this.again = button(texts.rewrite, () => this.writeAnew(), "plain");
    this.status = element("p", { className: "ai-status", role: "status" });
    return element("details", {}, element("summary", { textContent: texts.rewriteTitle }),
      element("label", {}, texts.rewriteWords, this.words), this.again, this.status);
  }

  take(versions, selected) {
    this.versions = versions;
    this.version.replaceChildren(...versions.map((_version, place) =>
      element("option", { textContent: fill(texts.versionOf, { number: place + 1, all: versions.length }) })));
    this.versionLabel.hidden = versions.length < 2;
    this.show(selected);
  }

  show(selected) {
    this.version.selectedIndex = selected;
    this.question = this.versions[selected];
    this.title.textContent = `${this.index + 1}. ${this.question.display_name}`;
    this.body.replaceChildren(...parts(this.question));
    this.note.textContent = "";
    this.item.setAttribute("aria-label", this.title.textContent);
  }

  get isKept() {
    return this.keep.checked && !this.saved.textContent;
  }

  async writeAnew() {
    if (this.isBusy) return;
    this.busy(true);
    this.note.textContent = "";
    this.status.textContent = texts.rewriting;
    try {
      const { history, selected } = await this.rewrite(this.index, this.words.value.trim());
      this.take(history, selected);
      this.status.textContent = fill(texts.rewritten, { number: selected + 1 });
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
    this.again.ariaDisabled = String(isBusy);
    this.item.setAttribute("aria-busy", isBusy);
    this.change();
  }

  markSaved(isSaved) {
    this.saved.textContent = isSaved ? texts.questionSaved : "";
    this.keepLabel.hidden = isSaved;
    this.note.textContent = "";
  }
}

function parts(question) {
  const { problem_type: kind, choices, answer_value: answer, tolerance, explanation, demand_hints: hints } = question;
  const more = [...(explanation ? [element("h4", { textContent: texts.explanation }), ...rich(explanation)] : []),
    ...(hints.length ? [element("h4", { textContent: texts.hints }),
      element("ul", {}, ...hints.map((hint) => element("li", {}, ...rich(hint))))] : [])];
  return [
    element("p", { className: "ai-label", textContent: texts.kinds[kind] ?? kind }),
    ...rich(question.question_html),
    ...(choices.length ? [element("ul", { className: "ai-choices", role: "list" }, ...choices.map(choice))] : []),
    ...(answer ? [element("p", {}, element("strong", { textContent: fill(texts.rightAnswer, { answer }) }),
      tolerance ? ` ${fill(texts.tolerance, { tolerance })}` : "")] : []),
    ...(more.length ? [element("details", {}, element("summary", { textContent: texts.more }), ...more)] : []),
  ];
}

function choice({ text, is_correct: isRight, feedback }) {
  return element("li", { className: isRight ? "ai-right" : "ai-wrong" },
    element("span", { className: "ai-hidden", textContent: isRight ? texts.right : texts.wrong }), ...rich(text),
    ...(feedback ? [element("small", {}, ...rich(feedback))] : []));
}
