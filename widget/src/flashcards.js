// Flashcards: the model writes them, the learner reviews them over days. The deck belongs to the course.
import { CardForm } from "./cardForm.js";
import { confirmInDialog } from "./confirm.js";
import { Deck } from "./deck.js";
import { Disclosure } from "./disclosure.js";
import { button, element } from "./dom.js";
import { enFlashcards } from "./enFlashcards.js";

const MAX_CARDS = 50; // per run; the server refuses more

export class Flashcards extends Disclosure {
  constructor(context, { request, response }) {
    context.i18n.addEnglish(enFlashcards);
    const title = request.titleText ?? context.i18n.t("flashcards");
    super(context, { title, iconName: "cards", restoresSession: request.preloadPreviousSession });
    // The introduction for an empty deck, and for one with cards.
    this.intros = [request.customMessage ?? this.t("cardsIntro"), response.customMessage];
    this.unsaved = new Map();
    this.deck = new Deck(context, {
      onReview: (card) => this.#queueSave(card),
      onChange: () => this.#updateCounts(),
      onEdit: (card) => this.cardForm.open(card, this.deck.card),
      onDelete: (card) => this.#deleteCard(card),
    });
    this.cardForm = new CardForm(context, (id, words) => this.#saveWords(id, words));
    this.clearButton = button(this.t("clearCards"), () => this.#clear(), "tertiary");
    this.body.append(this.deck.node, this.cardForm.form, this.#createForm(request.buttonText ?? this.t("makeCards")),
      this.cardForm.addButton, this.run.node,
      this.lines.node, context.limits.node);
    this.#updateCounts();
  }

  #createForm(startText) {
    this.countInput = element("input", { type: "number", min: 1, max: MAX_CARDS, value: 5, required: true });
    this.startButton = element("button", { className: "primary", textContent: startText });
    this.fields = element("div", { className: "row", hidden: true },
      element("label", {}, this.t("howManyCards"), this.countInput), this.startButton, this.clearButton);
    const form = element("form", {}, this.fields);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.start({ num_cards: this.countInput.valueAsNumber });
    });
    return form;
  }

  showSession({ cards }) {
    this.deck.setCards(cards ?? []);
  }

  showRunResult(cards) {
    const count = this.deck.addCards(cards);
    this.lines.showStatus(this.t(count ? "cardsAdded" : "cardsNone", { count }));
    return count ? this.deck.card : this.startButton;
  }

  // Each graded card is saved at once; cards that could not be saved are sent again with the next one.
  #queueSave(card) {
    this.unsaved.set(card.id, card);
    this.#save();
  }

  async #save() {
    if (this.isSaving || this.unsaved.size === 0) return;
    this.isSaving = true;
    const cards = [...this.unsaved.values()];
    try {
      await this.context.client.runAction("save", { cards }, { keepalive: true });
      // A card that was graded again meanwhile is another object, and still to be saved.
      for (const card of cards) if (this.unsaved.get(card.id) === card) this.unsaved.delete(card.id);
      this.lines.clear();
      this.isSaving = false;
      this.#save();
    } catch (error) {
      this.isSaving = false;
      if (error.isTransient || error.code === "not_authenticated") {
        this.lines.showError(`${this.t("notSaved")} ${error.message}`, this.t("retry"), () => this.#save());
      } else this.#reloadDeck(error);
    }
  }

  // The deck was changed elsewhere, such as in another tab. The stored deck wins.
  async #reloadDeck(error) {
    this.unsaved.clear();
    this.lines.showError(error.message);
    const session = await this.context.client.runAction("get_current_session_response").catch(() => null);
    if (session) this.showSession(session);
  }

  // Returns whether it was possible.
  async #saveWords(id, words) {
    try {
      const { card } = await this.context.client.runAction("edit_card", { id, ...words });
      this.deck.putCard(card);
      this.lines.showStatus(this.t("cardSaved"));
      return true;
    } catch (error) {
      this.lines.showError(error.message);
      return false;
    }
  }

  async #deleteCard({ id }) {
    const labels = { yes: this.t("deleteCard"), no: this.t("keepIt") };
    if (!await confirmInDialog(this.body, this.t("confirmDeleteCard"), labels)) return;
    try {
      await this.context.client.runAction("delete_card", { id });
      this.unsaved.delete(id);
      this.deck.removeCard(id);
      this.lines.showStatus(this.t("cardDeleted"));
    } catch (error) {
      this.lines.showError(error.message);
    }
  }

  async #clear() {
    const labels = { yes: this.t("clearCards"), no: this.t("keepThem") };
    if (!await confirmInDialog(this.body, this.t("confirmClearCards"), labels)) return;
    try {
      await this.context.client.runAction("clear_session");
      this.unsaved.clear();
      this.deck.setCards([]);
      this.lines.showStatus(this.t("cardsCleared"));
      this.startButton.focus();
    } catch (error) {
      this.lines.showError(error.message);
    }
  }

  #updateCounts() {
    const all = this.deck.cards.size;
    this.summaryCount.textContent = all ? this.t("cardCount", { due: this.deck.queue.length, all }) : "";
    this.clearButton.hidden = all === 0;
    this.intro.textContent = this.intros[Number(all > 0)];
  }
}
