// Shows the formulas of a text as elements with their source, and its citations as links. typeset.js completes both.
import { element } from "./dom.js";
import { splitFormulas } from "./formulas.js";

const CODE = "code, pre, kbd, samp, script, style, textarea";

export function partNode(part) {
  return part.url ? citationNode(part) : formulaNode(part);
}

function citationNode({ number, url, title, quote, second = "" }) {
  const node = element("a", { className: "citation", href: url, target: "_blank", rel: "noopener", textContent: number });
  Object.assign(node.dataset, { title, quote, second });
  return node;
}

export function formulaNode({ source, isDisplay, isPending, index }) {
  // Neutral, as half a formula is nothing to read.
  if (isPending) return element("span", { className: "formula pending", ariaHidden: "true", textContent: "…" });
  const node = element("span", { className: isDisplay ? "formula display" : "formula", dir: "ltr", translate: false,
    textContent: source });
  node.dataset.source = source;
  if (index !== undefined) node.dataset.number = index;
  return node;
}

// Replace the formulas in the texts of an element. Returns it.
export function markFormulas(container) {
  return replaceTexts(container, (data) => splitFormulas(data));
}

// `split` returns the strings and formulas to show in place of a text; in code, formulas are shown as their source, and no citations.
export function replaceTexts(container, split) {
  const texts = document.createTreeWalker(container, NodeFilter.SHOW_TEXT);
  const all = [];
  while (texts.nextNode()) all.push(texts.currentNode);
  for (const text of all) {
    const parts = split(text.data);
    if (parts.every((part) => typeof part === "string") && parts.join("") === text.data) continue;
    const isCode = text.parentElement.closest(CODE);
    const show = (part) => (isCode ? part.source ?? "" : partNode(part));
    text.replaceWith(...parts.map((part) => (typeof part === "string" ? part : show(part))));
  }
  return container;
}
