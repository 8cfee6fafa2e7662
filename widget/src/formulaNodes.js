// Shows the formulas of a text as elements with their source, which typeset.js typesets.
import { element } from "./dom.js";
import { splitFormulas } from "./formulas.js";

const CODE = "code, pre, kbd, samp, script, style, textarea";

export function formulaNode({ source, isDisplay, isPending, number }) {
  // Neutral, as half a formula is nothing to read.
  if (isPending) return element("span", { className: "formula pending", ariaHidden: "true", textContent: "…" });
  const node = element("span", { className: isDisplay ? "formula display" : "formula", dir: "ltr", translate: false,
    textContent: source });
  node.dataset.source = source;
  if (number !== undefined) node.dataset.number = number;
  return node;
}

// Replace the formulas in the texts of an element. Returns it.
export function markFormulas(container) {
  return replaceTexts(container, (data) => splitFormulas(data));
}

// `split` returns the strings and formulas to show in place of a text; in code, formulas are shown as their source.
export function replaceTexts(container, split) {
  const texts = document.createTreeWalker(container, NodeFilter.SHOW_TEXT);
  const all = [];
  while (texts.nextNode()) all.push(texts.currentNode);
  for (const text of all) {
    const parts = split(text.data);
    if (parts.every((part) => typeof part === "string") && parts.join("") === text.data) continue;
    const isCode = text.parentElement.closest(CODE);
    const show = (part) => (isCode ? part.source ?? "" : formulaNode(part));
    text.replaceWith(...parts.map((part) => (typeof part === "string" ? part : show(part))));
  }
  return container;
}
