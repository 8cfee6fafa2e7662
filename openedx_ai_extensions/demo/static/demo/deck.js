// A stack of cards under review: one card at a time, its answer on the back, and what the learner says of it.
import { button, element, fill, texts } from "./api.js";
import { isDue, reviewed } from "./schedule.js";

const KEYS = { ArrowLeft: false, ArrowRight: true };

export class Deck {
  // `on` has what happens: review (a card that has changed), and change (the numbers have).
  constructor(on) {
    this.on = on;
    this.cards = new Map();
    this.queue = [];
    this.side = element("span", { className: "ai-side" });
    this.words = element("span", { className: "ai-words", dir: "auto" });
    this.card = button("", () => this.flip(), "ai-card");
    this.card.append(this.side, this.words);
    this.hint = element("p", { className: "ai-hint", id: "ai-card-hint" });
    this.card.setAttribute("aria-describedby", this.hint.id);
    this.marks = element("div", { className: "ai-row ai-marks" },
      button(texts.again, () => this.mark(false), "plain"), button(texts.known, () => this.mark(true)));
    this.review = element("div", {}, this.card, this.hint, this.marks);
    this.review.addEventListener("keydown", (event) => {
      if (!(event.key in KEYS) || !this.isFlipped || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      this.mark(KEYS[event.key]);
    });
    this.allButton = button(texts.reviewAll, () => this.begin([...this.cards.keys()]), "plain");
    this.done = element("div", {}, element("p", { textContent: texts.reviewDone }), this.allButton);
    this.root = element("div", { hidden: true }, this.review, this.done);
  }

  // These are the cards, and nothing else is.
  take(cards) {
    this.cards = new Map(cards.map((card) => [card.id, card]));
    this.begin(this.due(), { focus: false });
  }

  // Returns how many of these are new.
  add(cards) {
    const fresh = cards.filter((card) => !this.cards.has(card.id));
    for (const card of fresh) this.cards.set(card.id, card);
    const isWaiting = this.queue.length > 0;
    this.queue.push(...fresh.map((card) => card.id));
    if (isWaiting) this.on.change();
    else this.next({ focus: false });
    return fresh.length;
  }

  due() {
    const waiting = [...this.cards.values()].filter((card) => isDue(card));
    return waiting.sort((one, other) => one.next_review_time - other.next_review_time).map((card) => card.id);
  }

  begin(ids, { focus = true } = {}) {
    this.queue = ids;
    this.next({ focus });
  }

  next({ focus = true } = {}) {
    const isDone = this.queue.length === 0;
    this.root.hidden = this.cards.size === 0;
    this.review.hidden = isDone;
    this.done.hidden = !isDone;
    if (!isDone) this.turn(false);
    if (focus) (isDone ? this.allButton : this.card).focus();
    this.on.change();
  }

  turn(isFlipped) {
    const { question, answer } = this.cards.get(this.queue[0]);
    this.isFlipped = isFlipped;
    this.side.textContent = isFlipped ? texts.answerSide : texts.questionSide;
    this.words.textContent = isFlipped ? answer : question;
    this.card.classList.toggle("ai-flipped", isFlipped);
    this.marks.hidden = !isFlipped;
    this.hint.textContent = isFlipped ? texts.markHint : texts.flipHint;
  }

  flip() {
    this.turn(!this.isFlipped);
    // The name of a button that has the focus may change without a word.
    this.on.say(fill(texts.sideSaid, { side: this.side.textContent, words: this.words.textContent }));
  }

  mark(isKnown) {
    const [id, ...rest] = this.queue;
    const card = reviewed(this.cards.get(id), isKnown);
    this.cards.set(id, card);
    this.queue = isKnown ? rest : [...rest, id];
    this.on.review(card);
    this.next();
    this.on.say(this.queue.length ? "" : texts.reviewDone);
  }
}
