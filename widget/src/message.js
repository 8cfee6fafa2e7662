// One message of a chat: its author, its text, and a note on how it ended. Only a model's message is rendered as Markdown.
import { Answer } from "./answer.js";
import { copyButton } from "./copyButton.js";
import { element, showMessage } from "./dom.js";
import { icon } from "./icons.js";

export class Message {
  constructor(context, role, text = "", id = "", citations = []) {
    this.id = id;
    this.role = role;
    const author = context.i18n.t(role === "user" ? "you" : "tutor");
    this.answer = role === "user" ? undefined : new Answer(context);
    this.body = this.answer?.node ?? element("p", { className: "content", dir: "auto" });
    this.progress = element("p", { className: "progress-text" });
    this.note = element("div", { className: "note", role: "note" });
    this.buttons = element("div", { className: "message-actions" }, copyButton(context, () => this.text));
    this.item = element("li", { className: `message ${role}`, part: `message ${role}` },
      element("h3", { textContent: author }), this.body, this.progress, this.note);
    if (this.answer) this.item.append(this.buttons);
    if (this.answer) this.answer.citations = citations;
    this.show(text);
  }

  get text() {
    return this.answer ? this.answer.text : this.body.textContent;
  }

  // Show the text so far. `wrap` is called with the rendering.
  stream(text, wrap) {
    this.answer.stream(text, wrap);
    if (text) this.showProgress("");
  }

  show(text = this.text) {
    if (this.answer) this.answer.show(text);
    else this.body.textContent = text;
    this.buttons.hidden = !text;
  }

  showProgress(status) {
    this.progress.textContent = status;
    if (status) this.buttons.hidden = true;
  }

  // Show below the message how it ended and, where `onClick` is given, a button to retry.
  showEnding({ message, isNeutral }, label, onClick) {
    this.note.classList.toggle("error", !isNeutral);
    showMessage(this.note, message, label, onClick, icon("again"));
  }

  // If the answer was cut off, show the notice and, where the answer can be continued, a button for that.
  showTruncation(label, onClick) {
    if (!this.truncation) return;
    this.note.classList.remove("error");
    showMessage(this.note, this.truncation.message, label, this.truncation.canContinue && onClick);
  }

  clearNote() {
    this.note.replaceChildren();
  }

  // Once other messages follow, the note stays without its button.
  removeOffer() {
    this.note.querySelector("button")?.remove();
  }
}
