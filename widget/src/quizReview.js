// The quiz questions in review, and the form to save them to a library.
import { button, element, setAriaDisabled } from "./dom.js";
import { QuizQuestion } from "./quizQuestion.js";
import { StatusLines } from "./statusLines.js";

export class QuizReview {
  // `library`: {id, collections: [{key, title}]}. `handlers`: onRewrite, onSave, onDiscard.
  constructor(context, library, handlers) {
    Object.assign(this, { context, library, handlers, questions: [], lines: new StatusLines() });
    this.t = context.i18n.t;
    this.heading = element("h3", { tabIndex: -1 });
    this.list = element("ol", { role: "list", className: "questions" });
    this.node = element("div", { className: "review", hidden: true }, this.heading, this.list, this.#createForm());
  }

  #createForm() {
    this.libraryInput = element("input", { type: "text", required: true, value: this.library.id, dir: "ltr",
      placeholder: "lib:Org:name" });
    this.collectionSelect = element("select");
    this.collectionSelect.addEventListener("change", () => this.#update());
    this.nameInput = element("input", { type: "text", maxLength: 200, required: true, dir: "auto" });
    this.nameLabel = element("label", { className: "block" }, this.t("collectionName"), this.nameInput);
    this.publishCheckbox = element("input", { type: "checkbox" });
    this.saveButton = element("button", { className: "primary" });
    const form = element("form", { className: "save" }, element("h3", { textContent: this.t("saveTitle") }),
      element("p", { className: "small", textContent: this.t("saveHint") }),
      // The author types the key of the library only if neither the page nor the profile names it.
      ...(this.library.id ? [] : [element("label", { className: "block" }, this.t("library"), this.libraryInput,
        element("span", { className: "small", textContent: this.t("libraryHint") }))]),
      element("label", { className: "block" }, this.t("collection"), this.collectionSelect), this.nameLabel,
      element("label", { className: "checkbox" }, this.publishCheckbox, this.t("publish")),
      element("div", { className: "row" }, this.saveButton, button(this.t("discard"), this.handlers.onDiscard, "tertiary")),
      this.lines.node);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#canSave) this.handlers.onSave();
    });
    return form;
  }

  show({ question_slots: slots, collection_name: name }) {
    this.questions = slots.map((slot, index) => new QuizQuestion(this.context, slot, index, {
      onRewrite: this.handlers.onRewrite,
      onChange: () => this.#update(),
    }));
    this.list.replaceChildren(...this.questions.map((question) => question.item));
    this.heading.textContent = this.t("inReview", { name });
    this.nameInput.value = name;
    this.lines.clear();
    this.selectCollection("");
    this.node.hidden = false;
  }

  hide() {
    this.questions = [];
    this.list.replaceChildren();
    this.node.hidden = true;
  }

  // An empty key selects a new collection.
  selectCollection(key) {
    const collections = [{ key: "", title: this.t("newCollection") }, ...this.library.collections];
    this.collectionSelect.replaceChildren(...collections.map(({ key: value, title }) =>
      element("option", { value, textContent: title })));
    this.collectionSelect.value = key;
    this.#update();
  }

  // The questions that "Save" will send.
  get selectedQuestions() {
    return this.questions.filter((question) => question.isSelected);
  }

  // The input of the action `save`.
  get input() {
    const { value: key } = this.collectionSelect;
    return {
      library_id: this.libraryInput.value.trim(),
      questions: this.selectedQuestions.map((question) => question.question),
      publish: this.publishCheckbox.checked,
      ...(key ? { collection_key: key } : { collection_name: this.nameInput.value.trim() }),
    };
  }

  // Mark the questions that were sent as saved, except those in `failed`, whose errors are shown.
  markSaved(sent, failed) {
    for (const question of sent) question.setSaved(true);
    for (const { index, message } of failed) {
      sent[index].setSaved(false);
      sent[index].error.textContent = this.t("questionFailed", { message });
    }
  }

  setBusy(isBusy) {
    this.isBusy = isBusy;
    this.#update();
  }

  get #canSave() {
    return !this.isBusy && this.selectedQuestions.length > 0 && !this.questions.some((question) => question.isBusy);
  }

  #update() {
    this.nameLabel.hidden = this.collectionSelect.value !== "";
    this.nameInput.disabled = this.nameLabel.hidden;
    this.saveButton.textContent = this.t("saveQuestions", { count: this.selectedQuestions.length });
    setAriaDisabled(this.saveButton, !this.#canSave);
  }
}
