// A text by a model that is shown as it comes, at most once a frame, and less often the longer drawing it takes.
import { element, patch } from "./dom.js";
import { markdown } from "./markdown.js";

const REST = 4; // times as long as drawing took

export class Answer {
  constructor(className = "") {
    this.node = element("div", { className: `text ${className}`, part: "answer", dir: "auto" });
    this.text = "";
    this.isDue = false;
    this.drawn = 0;
    this.took = 0;
  }

  // The text so far. `around` draws, and may do something before and after.
  stream(text, around = (draw) => draw()) {
    this.text = text;
    this.node.classList.add("streaming");
    if (this.isDue) return;
    this.isDue = true;
    const draw = () => {
      if (!this.isDue) return;
      if (performance.now() - this.drawn < this.took * REST) {
        requestAnimationFrame(draw);
        return;
      }
      around(() => this.draw());
    };
    requestAnimationFrame(draw);
  }

  // The whole text, at once.
  show(text = this.text) {
    this.text = text;
    this.node.classList.remove("streaming");
    this.draw();
  }

  draw() {
    const begun = performance.now();
    this.isDue = false;
    patch(this.node, markdown(this.text));
    this.drawn = performance.now();
    this.took = this.drawn - begun;
  }
}
