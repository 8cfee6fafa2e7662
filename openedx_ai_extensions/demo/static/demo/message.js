// One message of a chat: who said it, the words, and maybe a note on what became of it. Only ever text, never HTML.
import { element, texts } from "./api.js";

export class Message {
  constructor(role, text = "", id = "") {
    this.text = text;
    this.id = id;
    this.who = element("h3", { textContent: role === "user" ? texts.you : texts.tutor });
    this.body = element("p", { className: "ai-text", dir: "auto" });
    this.progress = element("p", { className: "ai-progress" });
    this.note = element("div", { className: "ai-note" });
    this.item = element("li", { className: `ai-message ai-${role}` }, this.who, this.body, this.progress, this.note);
    this.show(text);
  }

  // More of the words, as they stream in.
  add(text) {
    this.text += text;
    this.body.append(text);
    this.working("");
  }

  show(text) {
    this.text = text;
    this.body.replaceChildren(...withLinks(text));
  }

  working(words) {
    this.progress.textContent = words;
  }

  // Say what became of it, and maybe offer a way on.
  mark(words, label, action) {
    this.note.replaceChildren(element("p", { textContent: words }));
    if (!action) return;
    const button = element("button", { type: "button", className: "plain", textContent: label });
    button.addEventListener("click", action);
    this.note.append(button);
  }

  unmark() {
    this.note.replaceChildren();
  }

  // What came too late for another try stays marked.
  withdrawOffer() {
    this.note.querySelector("button")?.remove();
  }
}

// The text, with addresses on this site as links. A model may be talked into writing any other address.
function withLinks(text) {
  return text.split(/(https?:\/\/[^\s<>()[\]"'`*]+[^\s<>()[\]"'`*.,;:!?])/).map((part, place) => {
    if (place % 2 === 0 || !URL.canParse(part) || new URL(part).origin !== location.origin) return part;
    return element("a", { href: part, textContent: part });
  });
}
