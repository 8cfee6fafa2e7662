// Flashcards: have some made, go through them, and go on where one left off. The stack belongs to the course.
import { confirmed } from "./confirm.js";
import { Deck } from "./deck.js";
import { button, element } from "./dom.js";
import { Fold } from "./fold.js";

const MOST = 50; // cards at a time, as the server has it

export class Flashcards extends Fold {
  constructor(page, { request, response }) {
    const title = request.titleText ?? page.texts.say("flashcards");
    super(page, { title, picture: "cards", preloads: request.preloadPreviousSession });
    // What stands above while there are no cards, and when there are.
    this.intros = [request.customMessage ?? this.t("cardsIntro"), response.customMessage];
    this.unsaved = new Map();
    this.deck = new Deck(page, { review: (card) => this.keep(card), change: () => this.count() });
    this.clearButton = button(this.t("clearCards"), () => this.clear(), "quiet");
    this.body.append(this.deck.node, this.form(request.buttonText ?? this.t("makeCards")), this.background.node,
      this.lines.node, page.limits.node);
    this.count();
  }

  form(makeText) {
    this.number = element("input", { type: "number", min: 1, max: MOST, value: 5, required: true });
    this.startButton = element("button", { className: "main", textContent: makeText });
    this.fields = element("div", { className: "row", hidden: true },
      element("label", {}, this.t("howManyCards"), this.number), this.startButton, this.clearButton);
    const form = element("form", {}, this.fields);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.start({ num_cards: this.number.valueAsNumber });
    });
    return form;
  }

  show({ cards }) {
    this.deck.take(cards ?? []);
  }

  take(response) {
    const count = this.deck.add(response);
    this.lines.tell(this.t(count ? "cardsAdded" : "cardsNone", { count }));
    return count ? this.deck.card : this.startButton;
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
      await this.page.client.ask("save", { cards }, { keepalive: true });
      for (const card of cards) if (this.unsaved.get(card.id) === card) this.unsaved.delete(card.id);
      this.lines.quiet();
      this.isSaving = false;
      this.save();
    } catch (problem) {
      this.isSaving = false;
      if (problem.isPassing || problem.code === "not_authenticated") {
        this.lines.fail(`${this.t("notSaved")} ${problem.message}`, this.t("retry"), () => this.save());
      } else this.startAgain(problem);
    }
  }

  // Another tab has changed the stack: what is there counts.
  async startAgain(problem) {
    this.unsaved.clear();
    this.lines.fail(problem.message);
    const state = await this.page.client.ask("get_current_session_response").catch(() => null);
    if (state) this.show(state);
  }

  async clear() {
    const answers = { yes: this.t("clearCards"), no: this.t("keepThem") };
    if (!await confirmed(this.body, this.t("confirmClearCards"), answers)) return;
    try {
      await this.page.client.ask("clear_session");
      this.unsaved.clear();
      this.deck.take([]);
      this.lines.tell(this.t("cardsCleared"));
      this.startButton.focus();
    } catch (problem) {
      this.lines.fail(problem.message);
    }
  }

  count() {
    const all = this.deck.cards.size;
    this.total.textContent = all ? this.t("cardCount", { due: this.deck.queue.length, all }) : "";
    this.clearButton.hidden = all === 0;
    this.intro.textContent = this.intros[Number(all > 0)];
  }
}
