// Two lines of a form: one for its status, one for an error. Each is a live region.
import { element, showMessage } from "./dom.js";
import { icon } from "./icons.js";

export class StatusLines {
  constructor() {
    this.status = element("p", { className: "status", role: "status" });
    this.error = element("div", { className: "error", role: "alert" });
    this.node = element("div", { className: "status-lines" }, this.status, this.error);
  }

  showStatus(message) {
    this.status.textContent = message;
    this.error.replaceChildren();
  }

  // Show an error and, where `onClick` is given, a button to retry.
  showError(message, label, onClick) {
    this.status.textContent = "";
    showMessage(this.error, message, label, onClick, icon("again"));
  }

  clear() {
    this.showStatus("");
  }
}
