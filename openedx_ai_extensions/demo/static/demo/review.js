// The questions in review, and where they are saved to.
import { button, element, fill, texts } from "./api.js";
import { Lines } from "./lines.js";
import { Question } from "./question.js";

export class Review {
  // `library`: {id, collections: [{key, title}]}. `on` has what happens: rewrite, save, discard.
  constructor(library, on) {
    this.library = library;
    this.on = on;
    this.questions = [];
    this.lines = new Lines();
    this.heading = element("h3", { tabIndex: -1 });
    this.list = element("ol", { role: "list", className: "ai-questions" });
    this.root = element("div", { className: "ai-review", hidden: true }, this.heading, this.list, this.form());
  }

  form() {
    this.target = element("select");
    this.target.addEventListener("change", () => this.refresh());
    this.name = element("input", { type: "text", maxLength: 200, required: true, dir: "auto" });
    this.nameLabel = element("label", {}, texts.collectionName, this.name);
    this.publish = element("input", { type: "checkbox" });
    this.saveButton = element("button");
    const form = element("form", { className: "ai-save" }, element("h3", { textContent: texts.saveTitle }),
      element("p", { textContent: texts.saveHint }),
      element("label", {}, texts.collection, this.target), this.nameLabel,
      element("label", { className: "ai-keep" }, this.publish, texts.publish),
      element("div", { className: "ai-row" }, this.saveButton, button(texts.discard, this.on.discard, "plain")),
      this.lines.root);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!this.isBusy && this.kept.length && !this.questions.some((question) => question.isBusy)) this.on.save();
    });
    return form;
  }

  show({ question_slots: slots, collection_name: name }) {
    this.questions = slots.map((slot, index) => new Question(slot, index, {
      rewrite: this.on.rewrite,
      change: () => this.refresh(),
    }));
    this.list.replaceChildren(...this.questions.map((question) => question.item));
    this.heading.textContent = fill(texts.inReview, { name });
    this.name.value = name;
    this.lines.quiet();
    this.aim("");
    this.root.hidden = false;
  }

  hide() {
    this.questions = [];
    this.list.replaceChildren();
    this.root.hidden = true;
  }

  // Which collection is chosen; none for a new one.
  aim(key) {
    const options = this.library.collections.map((known) => element("option", { value: known.key, textContent: known.title }));
    this.target.replaceChildren(element("option", { value: "", textContent: texts.newCollection }), ...options);
    this.target.value = key;
    this.refresh();
  }

  // Questions to be saved.
  get kept() {
    return this.questions.filter((question) => question.isKept);
  }

  // What `save` takes.
  get input() {
    return {
      library_id: this.library.id,
      questions: this.kept.map((question) => question.question),
      publish: this.publish.checked,
      ...(this.target.value ? { collection_key: this.target.value } : { collection_name: this.name.value.trim() }),
    };
  }

  // What became of the questions that were sent: these have failed, the others are saved.
  settle(sent, failed) {
    for (const question of sent) question.markSaved(true);
    for (const { index, message } of failed) {
      sent[index].markSaved(false);
      sent[index].note.textContent = fill(texts.questionFailed, { message });
    }
  }

  busy(isBusy) {
    this.isBusy = isBusy;
    this.refresh();
  }

  refresh() {
    this.nameLabel.hidden = this.target.value !== "";
    this.name.disabled = this.nameLabel.hidden;
    this.saveButton.textContent = fill(texts.saveQuestions, { number: this.kept.length });
    const isWaiting = this.isBusy || this.kept.length === 0 || this.questions.some((question) => question.isBusy);
    this.saveButton.ariaDisabled = String(isWaiting);
  }
}
