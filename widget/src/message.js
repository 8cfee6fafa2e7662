// One message of a chat: who said it, the words, and maybe a note on what became of it. A person's are only ever text.
import { Answer } from "./answer.js";
import { copyButton } from "./copying.js";
import { element, remark } from "./dom.js";
import { icon } from "./icons.js";

export class Message {
  constructor(page, role, text = "", id = "") {
    this.id = id;
    this.who = page.texts.say(role === "user" ? "you" : "tutor");
    this.answer = role === "user" ? undefined : new Answer();
    this.body = this.answer?.node ?? element("p", { className: "words", dir: "auto" });
    this.progress = element("p", { className: "waiting" });
    this.note = element("div", { className: "note", role: "note" });
    this.tools = element("div", { className: "tools" }, copyButton(page, () => this.text));
    this.item = element("li", { className: `message ${role}`, part: `message ${role}` },
      element("h3", { textContent: this.who }), this.body, this.progress, this.note);
    if (this.answer) this.item.append(this.tools);
    this.show(text);
  }

  get text() {
    return this.answer ? this.answer.text : this.body.textContent;
  }

  // All of the words so far, as they stream in. `around` draws.
  stream(text, around) {
    this.answer.stream(text, around);
    if (text) this.working("");
  }

  show(text = this.text) {
    if (this.answer) this.answer.show(text);
    else this.body.textContent = text;
    this.tools.hidden = !text;
  }

  working(words) {
    this.progress.textContent = words;
    if (words) this.tools.hidden = true;
  }

  // Say what became of it, and maybe offer a way on.
  mark(words, label, action) {
    this.note.classList.add("error");
    remark(this.note, words, label, action, icon("again"));
  }

  // Say that the answer was cut off, if it was, and offer to go on with it, if that helps.
  markCut(label, action) {
    if (this.cut) remark(this.note, this.cut.words, label, this.cut.isLong && action);
  }

  unmark() {
    this.note.replaceChildren();
  }

  // What came too late for another try stays marked.
  withdrawOffer() {
    this.note.querySelector("button")?.remove();
  }
}
