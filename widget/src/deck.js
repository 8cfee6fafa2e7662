// A stack of cards under review: one card at a time, its answer on the back, and how well the learner knew it.
import { button, element, uniqueId } from "./dom.js";
import { GRADES, isDue, reviewed } from "./schedule.js";

export class Deck {
  // `on` has what happens: review (a card that has changed), and change (the numbers have).
  constructor({ texts, announcer }, on) {
    Object.assign(this, { texts, announcer, on, cards: new Map(), queue: [] });
    this.t = (id, values) => texts.say(id, values);
    this.side = element("span", { className: "side" });
    this.words = element("span", { className: "words", dir: "auto" });
    this.card = button("", () => this.flip(), "flashcard");
    this.card.part = "flashcard";
    this.card.append(this.side, this.words);
    this.hint = element("p", { className: "small", id: uniqueId() });
    this.card.setAttribute("aria-describedby", this.hint.id);
    this.marks = element("div", { className: "row marks", role: "group", ariaLabel: this.t("markHint") },
      ...GRADES.map((grade, place) => this.gradeButton(grade, place)));
    this.flipButton = button(this.t("flip"), () => this.flip(), "main");
    this.review = element("div", {}, this.card, element("div", { className: "marks-room" }, this.flipButton, this.marks),
      this.hint);
    this.review.addEventListener("keydown", (event) => this.key(event));
    this.allButton = button(this.t("reviewAll"), () => this.begin([...this.cards.keys()]));
    this.done = element("div", { className: "done" }, element("p", { textContent: this.t("reviewDone") }), this.allButton);
    this.node = element("div", { className: "deck", hidden: true }, this.review, this.done);
  }

  gradeButton(grade, place) {
    const made = button("", () => this.mark(grade));
    made.append(element("span", {}, element("kbd", { textContent: this.texts.write(place + 1), ariaHidden: "true" }),
      this.t(`grade.${grade}`)), element("small", { className: "next" }));
    return made;
  }

  key({ key, altKey, ctrlKey, metaKey }) {
    const grade = GRADES[Number(key) - 1];
    if (grade && this.isFlipped && !altKey && !ctrlKey && !metaKey) this.mark(grade);
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
    this.node.hidden = this.cards.size === 0;
    this.review.hidden = isDone;
    this.done.hidden = !isDone;
    if (!isDone) this.turn(false);
    if (focus) (isDone ? this.allButton : this.card).focus();
    this.on.change();
  }

  turn(isFlipped) {
    const card = this.cards.get(this.queue[0]);
    this.isFlipped = isFlipped;
    this.side.textContent = this.t(isFlipped ? "answer" : "questionSide");
    this.words.textContent = isFlipped ? card.answer : card.question;
    this.card.classList.toggle("flipped", isFlipped);
    this.marks.hidden = !isFlipped;
    this.flipButton.hidden = isFlipped;
    this.hint.textContent = this.t(isFlipped ? "markHint" : "flipHint");
    GRADES.forEach((grade, place) => {
      this.marks.children[place].lastChild.textContent = grade === "again" ? this.t("soon")
        : this.texts.days(reviewed(card, grade).interval);
    });
  }

  flip() {
    const hadFocus = this.flipButton.matches(":focus");
    this.turn(!this.isFlipped);
    if (hadFocus) this.card.focus();
    // The name of a button that has the focus may change without a word.
    this.announcer.say(this.t("saidBy", { who: this.side.textContent, words: this.words.textContent }));
  }

  mark(grade) {
    const [id, ...rest] = this.queue;
    const card = reviewed(this.cards.get(id), grade);
    this.cards.set(id, card);
    this.queue = grade === "again" ? [...rest, id] : rest;
    this.on.review(card);
    this.next();
    this.announcer.say(this.queue.length ? "" : this.t("reviewDone"));
  }
}
