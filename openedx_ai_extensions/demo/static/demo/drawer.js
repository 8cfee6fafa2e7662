// A panel that opens in place.
import { element, texts } from "./api.js";
import { Lines } from "./lines.js";

export class Drawer {
  // `onOpen` runs once, when it is first opened: before that nothing is asked of the server.
  constructor(section, title, onOpen) {
    this.count = element("span", { className: "ai-count" });
    this.lines = new Lines();
    this.body = element("div", { className: "ai-drawer" });
    if ("scripted" in section.dataset) this.body.append(element("p", { className: "ai-label", textContent: texts.scripted }));
    const summary = element("summary", {}, element("h2", { textContent: title }), this.count);
    const details = element("details", {}, summary, this.body);
    details.addEventListener("toggle", onOpen, { once: true });
    section.append(details);
    section.setAttribute("aria-label", title);
    section.hidden = false;
  }
}
