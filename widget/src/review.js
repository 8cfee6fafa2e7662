// The questions in review, and where they are saved to.
import { button, element, inert } from "./dom.js";
import { Lines } from "./lines.js";
import { Question } from "./question.js";

export class Review {
  // `library`: {id, collections: [{key, title}]}. `on` has what happens: rewrite, save, discard.
  constructor(texts, library, on) {
    Object.assign(this, { texts, library, on, questions: [], lines: new Lines() });
    this.t = (id, values) => texts.say(id, values);
    this.heading = element("h3", { tabIndex: -1 });
    this.list = element("ol", { role: "list", className: "questions" });
    this.node = element("div", { className: "review", hidden: true }, this.heading, this.list, this.form());
  }

  form() {
    this.place = element("input", { type: "text", required: true, value: this.library.id, dir: "ltr",
      placeholder: "lib:Org:name" });
    this.target = element("select");
    this.target.addEventListener("change", () => this.refresh());
    this.name = element("input", { type: "text", maxLength: 200, required: true, dir: "auto" });
    this.nameLabel = element("label", { className: "block" }, this.t("collectionName"), this.name);
    this.publish = element("input", { type: "checkbox" });
    this.saveButton = element("button", { className: "main" });
    const form = element("form", { className: "save" }, element("h3", { textContent: this.t("saveTitle") }),
      element("p", { className: "small", textContent: this.t("saveHint") }),
      // Where the page says which library it is, nobody has to.
      ...(this.library.id ? [] : [element("label", { className: "block" }, this.t("library"), this.place,
        element("span", { className: "small", textContent: this.t("libraryHint") }))]),
      element("label", { className: "block" }, this.t("collection"), this.target), this.nameLabel,
      element("label", { className: "tick" }, this.publish, this.t("publish")),
      element("div", { className: "row" }, this.saveButton, button(this.t("discard"), this.on.discard, "quiet")),
      this.lines.node);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!this.isBusy && this.kept.length && !this.questions.some((question) => question.isBusy)) this.on.save();
    });
    return form;
  }

  show({ question_slots: slots, collection_name: name }) {
    this.questions = slots.map((slot, index) => new Question(this.texts, slot, index, {
      rewrite: this.on.rewrite,
      change: () => this.refresh(),
    }));
    this.list.replaceChildren(...this.questions.map((question) => question.item));
    this.heading.textContent = this.t("inReview", { name });
    this.name.value = name;
    this.lines.quiet();
    this.aim("");
    this.node.hidden = false;
  }

  hide() {
    this.questions = [];
    this.list.replaceChildren();
    this.node.hidden = true;
  }

  // Which collection is chosen; none for a new one.
  aim(key) {
    const options = this.library.collections.map((known) => element("option", { value: known.key, textContent: known.title }));
    this.target.replaceChildren(element("option", { value: "", textContent: this.t("newCollection") }), ...options);
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
      library_id: this.place.value.trim(),
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
      sent[index].note.textContent = this.t("questionFailed", { message });
    }
  }

  busy(isBusy) {
    this.isBusy = isBusy;
    this.refresh();
  }

  refresh() {
    this.nameLabel.hidden = this.target.value !== "";
    this.name.disabled = this.nameLabel.hidden;
    this.saveButton.textContent = this.t("saveQuestions", { count: this.kept.length });
    inert(this.saveButton, Boolean(this.isBusy) || this.kept.length === 0 || this.questions.some((question) => question.isBusy));
  }
}
