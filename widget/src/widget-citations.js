// Explains the citations in an answer: their names for screen readers, and the passage while the pointer or the keyboard
// focus is on one.
import rules from "./citations.css";
import { element, uniqueId } from "./dom.js";

const HIDE_DELAY_MS = 200; // so that the pointer can move onto the passage (WCAG 2.2, 1.4.13)
const GAP_PX = 4;
const styles = new CSSStyleSheet();
styles.replaceSync(rules);
const tips = new WeakMap(); // by shadow root

export function explainCitations(citations, context) {
  const { shadowRoot } = context.host;
  if (!tips.has(shadowRoot)) {
    shadowRoot.adoptedStyleSheets.push(styles);
    tips.set(shadowRoot, new Tip(shadowRoot, context.signal));
  }
  const tip = tips.get(shadowRoot);
  for (const citation of citations) {
    const { title, second } = citation.dataset;
    const name = [title, second && formatSeconds(Number(second))].filter(Boolean).join(", ");
    citation.ariaLabel = context.i18n.t("source", { number: citation.textContent, title: name });
    tip.describe(citation, name);
  }
}

// One element that shows the passage of the citation that is pointed at.
class Tip {
  constructor(shadowRoot, signal) {
    this.shadowRoot = shadowRoot;
    this.node = element("div", { className: "citation-tip", role: "tooltip", id: uniqueId(), popover: "manual" });
    this.node.addEventListener("pointerenter", () => clearTimeout(this.timer));
    this.node.addEventListener("pointerleave", () => this.#hideSoon());
    // In the capture phase, so that the key closes the passage and not what contains it.
    addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.node.matches(":popover-open")) return;
      event.stopPropagation();
      this.#hide();
    }, { capture: true, signal });
    addEventListener("scroll", () => this.#hide(), { capture: true, passive: true, signal });
  }

  describe(citation, name) {
    const show = () => this.#show(citation, name);
    const hide = () => this.#hideSoon();
    for (const [type, listener] of Object.entries({ pointerenter: show, focus: show, pointerleave: hide, blur: hide })) {
      citation.addEventListener(type, listener);
    }
    if (citation.matches(":hover, :focus")) show(); // since before this module was loaded
  }

  #show(citation, name) {
    clearTimeout(this.timer);
    this.#hide();
    this.node.replaceChildren(element("p", { dir: "auto" }, element("strong", { textContent: name })),
      element("p", { dir: "auto", textContent: citation.dataset.quote }));
    // In a modal dialog, only what is in it can be seen.
    (citation.closest("dialog") ?? this.shadowRoot).append(this.node);
    this.described = citation;
    citation.setAttribute("aria-describedby", this.node.id);
    this.node.showPopover();
    this.#place(citation.getBoundingClientRect());
  }

  // Below the citation or, where there is more room, above it; within the window.
  #place({ left, right, top, bottom }) {
    const { width, height } = this.node.getBoundingClientRect();
    const isBelow = bottom + GAP_PX + height <= innerHeight || top < innerHeight - bottom;
    const x = Math.min(Math.max((left + right - width) / 2, GAP_PX), innerWidth - width - GAP_PX);
    const y = isBelow ? bottom + GAP_PX : top - GAP_PX - height;
    Object.assign(this.node.style, { left: `${x}px`, top: `${y}px` });
  }

  #hideSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#hide(), HIDE_DELAY_MS);
  }

  #hide() {
    if (this.node.matches(":popover-open")) this.node.hidePopover();
    this.described?.removeAttribute("aria-describedby");
  }
}

function formatSeconds(seconds) {
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const pad = (value) => String(value).padStart(2, "0");
  return hours ? `${hours}:${pad(minutes)}:${pad(rest)}` : `${minutes}:${pad(rest)}`;
}
