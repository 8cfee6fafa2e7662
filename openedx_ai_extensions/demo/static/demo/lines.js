// A line for what happens, one for what went wrong, and one for ears only: what eyes see anyway.
import { button, element } from "./api.js";

export class Lines {
  constructor() {
    this.status = element("p", { className: "ai-status", role: "status" });
    this.error = element("div", { className: "ai-error", role: "alert" });
    this.whisper = element("p", { className: "ai-hidden", role: "status" });
    this.root = element("div", { className: "ai-lines" }, this.status, this.error, this.whisper);
  }

  tell(words) {
    this.status.textContent = words;
    this.error.replaceChildren();
  }

  announce(words) {
    this.whisper.textContent = words;
  }

  // Say what went wrong, and maybe offer a way on.
  fail(words, label, action) {
    this.status.textContent = "";
    this.error.replaceChildren(element("p", { textContent: words }));
    if (action) this.error.append(button(label, action, "plain"));
  }

  quiet() {
    this.tell("");
  }
}
