// An answer of a model, rendered as it streams in: at most once per frame, and less often the longer rendering takes.
import { element, reconcileChildren, uniqueId } from "./dom.js";
import { markdown } from "./markdown.js";
import { typeset } from "./typeset.js";

const RENDER_INTERVAL_FACTOR = 4; // wait 4 times as long as the last rendering took: at most 20 % of the time

export class Answer {
  constructor(context) {
    this.context = context;
    this.id = uniqueId();
    this.node = element("div", { className: "answer", part: "answer", dir: "auto" });
    this.text = "";
    this.citations = [];
    this.isScheduled = false;
    this.renderedAt = 0;
    this.renderMs = 0;
  }

  // Schedule to show the text so far. `wrap` is called with the rendering, and may do something before and after it.
  stream(text, wrap = (render) => render()) {
    this.text = text;
    this.#isStreaming = true;
    if (this.isScheduled) return;
    this.isScheduled = true;
    const renderWhenDue = () => {
      if (!this.isScheduled) return;
      if (performance.now() - this.renderedAt < this.renderMs * RENDER_INTERVAL_FACTOR) {
        requestAnimationFrame(renderWhenDue);
        return;
      }
      wrap(() => this.#render());
    };
    requestAnimationFrame(renderWhenDue);
  }

  // Show the complete text at once.
  show(text = this.text) {
    this.text = text;
    this.#isStreaming = false;
    this.#render();
  }

  get #isStreaming() {
    return this.node.classList.contains("streaming");
  }

  set #isStreaming(isStreaming) {
    this.node.classList.toggle("streaming", isStreaming);
  }

  #render() {
    const start = performance.now();
    this.isScheduled = false;
    reconcileChildren(this.node, markdown(this.text, this.#isStreaming, this.citations),
      (node) => typeset(node, this.context, this.id));
    this.renderedAt = performance.now();
    this.renderMs = this.renderedAt - start;
  }
}
