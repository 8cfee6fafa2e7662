// A form for the words of a flashcard: those of one that is there, or of a new one.
import { button, element } from "./dom.js";

const MAX_CHARS = 2000; // as on the server

export class CardForm {
  // `save` is called with the id of the card (null for a new one) and its words, and returns whether it was possible.
  constructor({ i18n: { t } }, save) {
    this.t = t;
    this.legend = element("legend");
    this.question = element("textarea", { rows: 2, required: true, maxLength: MAX_CHARS, dir: "auto" });
    this.answer = element("textarea", { rows: 2, required: true, maxLength: MAX_CHARS, dir: "auto" });
    this.addButton = button(t("addCard"), () => this.open(null, this.addButton), "tertiary");
    this.form = element("form", { hidden: true },
      element("fieldset", {}, this.legend,
        element("label", { className: "block" }, t("questionSide"), this.question),
        element("label", { className: "block" }, t("answer"), this.answer),
        element("div", { className: "row" },
          element("button", { className: "primary", part: "button", textContent: t("saveCard") }),
          button(t("cancel"), () => this.#close()))));
    this.form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const words = { question: this.question.value, answer: this.answer.value };
      if (await save(this.card?.id ?? null, words)) this.#close();
    });
  }

  // `opener` gets the focus back.
  open(card, opener) {
    Object.assign(this, { card, opener });
    this.legend.textContent = this.t(card ? "editCard" : "addCard");
    this.question.value = card?.question ?? "";
    this.answer.value = card?.answer ?? "";
    this.form.hidden = false;
    this.addButton.hidden = true;
    this.question.focus();
  }

  #close() {
    this.form.hidden = true;
    this.addButton.hidden = false;
    this.opener.focus();
  }
}
