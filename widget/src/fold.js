// A form that opens in place.
import { element } from "./dom.js";
import { icon } from "./icons.js";
import { Lines } from "./lines.js";

export class Fold {
  // `onOpen` runs once, when it is first opened: before that nothing is asked of the server.
  constructor({ title, picture, intro }, onOpen) {
    this.count = element("span", { className: "count small" });
    this.lines = new Lines();
    this.intro = element("p", { className: "small", textContent: intro });
    this.body = element("div", { className: "inside" }, this.intro);
    const summary = element("summary", { part: "summary" }, icon(picture), element("h2", { textContent: title }), this.count);
    const details = element("details", {}, summary, this.body);
    details.addEventListener("toggle", onOpen, { once: true });
    this.node = element("section", { className: "card fold", part: "box", ariaLabel: title }, details);
  }
}
