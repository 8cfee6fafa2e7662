// A line for what happens, and one for what went wrong.
import { element, remark } from "./dom.js";
import { icon } from "./icons.js";

export class Lines {
  constructor() {
    this.status = element("p", { className: "status", role: "status" });
    this.error = element("div", { className: "error", role: "alert" });
    this.node = element("div", { className: "lines" }, this.status, this.error);
  }

  tell(words) {
    this.status.textContent = words;
    this.error.replaceChildren();
  }

  // Say what went wrong, and maybe offer a way on.
  fail(words, label, action) {
    this.status.textContent = "";
    remark(this.error, words, label, action, icon("again"));
  }

  quiet() {
    this.tell("");
  }
}
