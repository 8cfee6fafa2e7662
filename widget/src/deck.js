// A deck of flashcards in review: one card at a time, its answer on the back, and buttons to grade how well it was known.
// Once all due cards were reviewed, all cards can be practised, which changes nothing of when they are due.
import { button, element, uniqueId } from "./dom.js";
import { markFormulas } from "./formulaNodes.js";
import { GRADES, isDue, reviewed } from "./sm2.js";
import { typeset } from "./typeset.js";

export class Deck {
  // `handlers`: onReview (a card was graded), onChange (the number of cards, or of those due, has changed), onEdit and
  // onDelete (the learner wants to do it with a card).
  constructor(context, handlers) {
    const { i18n, announcer } = context;
    Object.assign(this, { context, i18n, announcer, handlers, cards: new Map(), queue: [] });
    this.t = i18n.t;
    this.side = element("span", { className: "side" });
    this.text = element("span", { className: "content", dir: "auto" });
    this.card = button("", () => this.#flip(), "flashcard");
    this.card.part = "flashcard";
    this.card.append(this.side, this.text);
    this.hint = element("p", { className: "small", id: uniqueId() });
    this.card.setAttribute("aria-describedby", this.hint.id);
    this.gradeButtons = element("div", { className: "row grades", role: "group", ariaLabel: this.t("markHint") },
      ...GRADES.map((grade, index) => this.#createGradeButton(grade, index)));
    this.flipButton = button(this.t("flip"), () => this.#flip(), "primary");
    this.cardButtons = element("div", { className: "row" },
      button(this.t("editCard"), () => this.handlers.onEdit(this.cards.get(this.queue[0])), "tertiary"),
      button(this.t("deleteCard"), () => this.handlers.onDelete(this.cards.get(this.queue[0])), "tertiary"));
    this.review = element("div", {}, this.card,
      element("div", { className: "grades-slot" }, this.flipButton, this.gradeButtons), this.hint, this.cardButtons);
    this.review.addEventListener("keydown", (event) => this.#onKeyDown(event));
    this.reviewAllButton = button(this.t("reviewAll"), () => this.#startReview([...this.cards.keys()], { isPractice: true }));
    this.done = element("div", { className: "done" }, element("p", { textContent: this.t("reviewDone") }),
      this.reviewAllButton);
    this.node = element("div", { className: "deck", hidden: true }, this.review, this.done);
  }

  #createGradeButton(grade, index) {
    const node = button("", () => this.#grade(grade));
    const key = element("kbd", { textContent: this.i18n.formatValue(index + 1), ariaHidden: "true" });
    node.append(element("span", {}, key, this.t(`grade.${grade}`)), element("small", { className: "next-interval" }));
    return node;
  }

  #onKeyDown({ key, altKey, ctrlKey, metaKey }) {
    const grade = GRADES[Number(key) - 1];
    if (grade && this.isFlipped && !altKey && !ctrlKey && !metaKey) this.#grade(grade);
  }

  // Replace all cards.
  setCards(cards) {
    this.cards = new Map(cards.map((card) => [card.id, card]));
    this.#startReview(this.#dueIds(), { focus: false });
  }

  // Returns how many of the cards are new.
  addCards(cards) {
    const added = cards.filter((card) => !this.cards.has(card.id));
    for (const card of added) this.cards.set(card.id, card);
    const isInReview = this.queue.length > 0;
    if (this.isPractice) this.queue = [];
    this.isPractice = false;
    this.queue.push(...added.map((card) => card.id));
    if (isInReview && this.queue.length > added.length) this.handlers.onChange();
    else this.#showNext({ focus: false });
    return added.length;
  }

  // Show the changed words of a card, or add it.
  putCard({ id, question, answer, ...progress }) {
    if (!this.cards.has(id)) {
      this.addCards([{ id, question, answer, ...progress }]);
      return;
    }
    this.cards.set(id, { ...this.cards.get(id), question, answer });
    if (this.queue[0] === id) this.#showSide(this.isFlipped);
  }

  removeCard(id) {
    this.cards.delete(id);
    this.queue = this.queue.filter((other) => other !== id);
    this.#showNext();
  }

  #dueIds() {
    const due = [...this.cards.values()].filter((card) => isDue(card));
    return due.sort((one, other) => one.next_review_time - other.next_review_time).map((card) => card.id);
  }

  #startReview(ids, { focus = true, isPractice = false } = {}) {
    this.queue = ids;
    this.isPractice = isPractice;
    this.#showNext({ focus });
  }

  #showNext({ focus = true } = {}) {
    const isDone = this.queue.length === 0;
    this.node.hidden = this.cards.size === 0;
    this.review.hidden = isDone;
    this.done.hidden = !isDone;
    if (!isDone) this.#showSide(false);
    if (focus) (isDone ? this.reviewAllButton : this.card).focus();
    this.handlers.onChange();
  }

  #showSide(isFlipped) {
    const card = this.cards.get(this.queue[0]);
    this.isFlipped = isFlipped;
    this.side.textContent = this.t(isFlipped ? "answer" : "questionSide");
    this.words = isFlipped ? card.answer : card.question;
    this.text.textContent = this.words;
    typeset(markFormulas(this.text), this.context, uniqueId());
    this.card.classList.toggle("flipped", isFlipped);
    this.gradeButtons.hidden = !isFlipped;
    this.flipButton.hidden = isFlipped;
    this.hint.textContent = this.t(isFlipped ? "markHint" : "flipHint");
    GRADES.forEach((grade, index) => {
      this.gradeButtons.children[index].lastChild.textContent = this.isPractice ? ""
        : grade === "again" ? this.t("soon") : this.i18n.formatDays(reviewed(card, grade).interval);
    });
  }

  #flip() {
    const hadFocus = this.flipButton.matches(":focus");
    this.#showSide(!this.isFlipped);
    if (hadFocus) this.card.focus();
    // Screen readers do not announce a focused button whose text changes.
    this.announcer.announce(this.t("saidBy", { who: this.side.textContent, words: this.words }));
  }

  #grade(grade) {
    const [id, ...rest] = this.queue;
    this.queue = grade === "again" ? [...rest, id] : rest;
    if (!this.isPractice) {
      const card = reviewed(this.cards.get(id), grade);
      this.cards.set(id, card);
      this.handlers.onReview(card);
    }
    this.#showNext();
    this.announcer.announce(this.queue.length ? "" : this.t("reviewDone"));
  }
}
