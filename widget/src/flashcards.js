// Flashcards: have some made, go through them, and go on where one left off. The stack belongs to the course.
import { Background } from "./background.js";
import { confirmed } from "./confirm.js";
import { Deck } from "./deck.js";
import { button, element } from "./dom.js";
import { Fold } from "./fold.js";

const MOST = 50; // cards at a time, as the server has it

export class Flashcards {
  constructor(page, { request, response }) {
    this.page = page;
    this.t = (id, values) => page.texts.say(id, values);
    this.unsaved = new Map();
    const title = response.customMessage ?? this.t("flashcards");
    this.fold = new Fold({ title, picture: "cards", intro: this.t("cardsIntro") }, () => this.load());
    this.node = this.fold.node;
    this.lines = this.fold.lines;
    this.background = new Background(page);
    this.deck = new Deck(page, { review: (card) => this.keep(card), change: () => this.count() });
    this.clearButton = button(this.t("clearCards"), () => this.clear(), "quiet");
    this.fold.body.append(this.deck.node, this.form(request.buttonText ?? this.t("makeCards")), this.background.node,
      this.lines.node, page.limits.node);
  }

  form(makeText) {
    this.number = element("input", { type: "number", min: 1, max: MOST, value: 5, required: true });
    this.makeButton = element("button", { className: "main", textContent: makeText });
    this.fields = element("div", { className: "row", hidden: true },
      element("label", {}, this.t("howManyCards"), this.number), this.makeButton, this.clearButton);
    const form = element("form", {}, this.fields);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.make();
    });
    return form;
  }

  async load() {
    try {
      const { cards } = await this.page.client.ask("get_current_session_response");
      this.deck.take(cards ?? []);
      this.page.limits.refresh();
      const outcome = await this.background.resume();
      if (outcome) this.finish(outcome);
    } catch (problem) {
      if (this.page.signal.aborted) return;
      this.lines.fail(problem.message, this.t("retry"), () => this.load());
    }
    this.fields.hidden = false;
  }

  async make() {
    this.lines.quiet();
    this.fields.hidden = true;
    const outcome = this.background.start({ num_cards: this.number.valueAsNumber });
    this.background.cancelButton.focus();
    this.finish(await outcome.catch(() => ({ status: "gone" })));
  }

  // However it ended, that is said.
  finish({ status, response, words }) {
    if (status === "gone") return;
    this.fields.hidden = false;
    let focus = this.makeButton;
    if (status === "completed") {
      const count = this.deck.add(response);
      this.lines.tell(this.t(count ? "cardsAdded" : "cardsNone", { count }));
      if (count) focus = this.deck.card;
    } else if (words) this.lines.fail(words);
    else if (status === "long") this.lines.fail(this.t("takesLong"), this.t("checkAgain"), () => this.load());
    else this.lines.tell(this.t("cancelled"));
    if (this.background.hadFocus) focus.focus();
    this.page.limits.refresh();
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
    const { cards } = await this.page.client.ask("get_current_session_response").catch(() => ({}));
    if (cards !== undefined) this.deck.take(cards ?? []);
  }

  async clear() {
    const answers = { yes: this.t("clearCards"), no: this.t("keepThem") };
    if (!await confirmed(this.fold.body, this.t("confirmClearCards"), answers)) return;
    try {
      await this.page.client.ask("clear_session");
      this.unsaved.clear();
      this.deck.take([]);
      this.lines.tell(this.t("cardsCleared"));
      this.makeButton.focus();
    } catch (problem) {
      this.lines.fail(problem.message);
    }
  }

  count() {
    const all = this.deck.cards.size;
    this.fold.count.textContent = all ? this.t("cardCount", { due: this.deck.queue.length, all }) : "";
    this.clearButton.hidden = all === 0;
    this.fold.intro.hidden = all > 0;
  }
}
