// Flashcards: have some made, go through them, and go on where one left off. The stack belongs to the course.
import { button, element, fill, texts } from "./api.js";
import { Background } from "./background.js";
import { Deck } from "./deck.js";
import { confirmed } from "./dialog.js";
import { Drawer } from "./drawer.js";

const MOST = 50; // cards at a time, as the server has it

export class Flashcards {
  constructor(section, place, { request, response }) {
    this.place = place;
    this.unsaved = new Map();
    this.drawer = new Drawer(section, response?.config?.customMessage ?? texts.flashcards, () => this.load());
    this.lines = this.drawer.lines;
    this.background = new Background(place);
    this.deck = new Deck({
      review: (card) => this.keep(card),
      change: () => this.count(),
      say: (words) => this.lines.announce(words),
    });
    this.clearButton = button(texts.clearCards, () => this.clear(), "plain");
    this.drawer.body.append(this.deck.root, this.form(request.config?.buttonText ?? texts.makeCards),
      this.background.box, this.lines.root);
  }

  form(makeText) {
    this.number = element("input", { type: "number", min: 1, max: MOST, value: 5, required: true });
    this.makeButton = element("button", { textContent: makeText });
    this.fields = element("div", { className: "ai-row", hidden: true },
      element("label", {}, texts.howManyCards, this.number), this.makeButton, this.clearButton);
    const form = element("form", {}, this.fields);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.make();
    });
    return form;
  }

  async load() {
    try {
      const { cards } = await this.place.ask("get_current_session_response");
      this.deck.take(cards ?? []);
      const outcome = await this.background.resume();
      if (outcome) this.finish(outcome);
    } catch (problem) {
      this.lines.fail(problem.message, texts.retry, () => this.load());
    }
    this.fields.hidden = false;
  }

  async make() {
    this.lines.quiet();
    this.fields.hidden = true;
    const outcome = this.background.start({ num_cards: this.number.valueAsNumber });
    this.background.cancelButton.focus();
    this.finish(await outcome);
  }

  // However it ended, that is said.
  finish({ status, response, error }) {
    this.fields.hidden = false;
    let focus = this.makeButton;
    if (status === "completed") {
      const number = this.deck.add(response);
      this.lines.tell(number ? fill(texts.cardsAdded, { number }) : texts.cardsNone);
      if (number) focus = this.deck.card;
    } else if (error) this.lines.fail(error);
    else this.lines.tell(texts.cancelled);
    if (this.background.hadFocus) focus.focus();
  }

  // What was learnt is stored card by card; what could not be stored is sent again with the next.
  keep(card) {
    this.unsaved.set(card.id, card);
    this.save();
  }

  async save() {
    if (this.isSaving || this.unsaved.size === 0) return;
    this.isSaving = true;
    const cards = [...this.unsaved.values()];
    try {
      await this.place.ask("save", { cards }, { keepalive: true });
      for (const card of cards) if (this.unsaved.get(card.id) === card) this.unsaved.delete(card.id);
      this.lines.quiet();
      this.isSaving = false;
      this.save();
    } catch (problem) {
      this.isSaving = false;
      if (problem.isPassing) this.lines.fail(`${texts.notSaved} ${problem.message}`, texts.retry, () => this.save());
      else this.startAgain(problem);
    }
  }

  // Another tab has changed the stack: what is there counts.
  async startAgain(problem) {
    this.unsaved.clear();
    this.lines.fail(problem.message);
    const { cards } = await this.place.ask("get_current_session_response").catch(() => ({}));
    if (cards !== undefined) this.deck.take(cards ?? []);
  }

  async clear() {
    if (!await confirmed(this.drawer.body, texts.confirmClearCards, texts.clearCards)) return;
    try {
      await this.place.ask("clear_session");
      this.unsaved.clear();
      this.deck.take([]);
      this.lines.tell(texts.cardsCleared);
      this.makeButton.focus();
    } catch (problem) {
      this.lines.fail(problem.message);
    }
  }

  count() {
    const all = this.deck.cards.size;
    this.drawer.count.textContent = all ? fill(texts.cardCount, { due: this.deck.queue.length, all }) : "";
    this.clearButton.hidden = all === 0;
  }
}
