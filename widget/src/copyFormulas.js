// Copies the LaTeX source of formulas, in place of what they look like.
import { element } from "./dom.js";

const roots = new WeakSet();

// `root`: a shadow root or the document.
export function copyWithSources(root) {
  if (roots.has(root)) return;
  roots.add(root);
  (root.host ?? root).addEventListener("copy", (event) => {
    const content = selectedContent(root);
    if (!content?.querySelector(".formula")) return;
    for (const formula of content.querySelectorAll(".formula")) formula.replaceChildren(formula.dataset.source ?? "");
    for (const header of content.querySelectorAll(".code-header")) header.remove();
    const html = element("div", {}, content);
    event.clipboardData.setData("text/html", html.innerHTML);
    event.clipboardData.setData("text/plain", plainText(html, root));
    event.preventDefault();
  });
}

// A copy of what is selected, with whole formulas.
function selectedContent(root) {
  const range = selectedRange(root);
  if (!range || range.collapsed) return undefined;
  const content = document.createRange();
  const start = formulaAround(range.startContainer);
  const end = formulaAround(range.endContainer);
  if (start) content.setStartBefore(start);
  else content.setStart(range.startContainer, range.startOffset);
  if (end) content.setEndAfter(end);
  else content.setEnd(range.endContainer, range.endOffset);
  return content.cloneContents();
}

function selectedRange(root) {
  const selection = document.getSelection();
  if (!selection?.rangeCount) return undefined;
  if (root === document) return selection.getRangeAt(0);
  // The last two are for browsers from before getComposedRanges().
  return selection.getComposedRanges?.({ shadowRoots: [root] })[0] ?? root.getSelection?.().getRangeAt(0)
    ?? selection.getRangeAt(0);
}

function formulaAround(node) {
  const found = node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement;
  return (found?.closest("[slot]")?.assignedSlot ?? found)?.closest(".formula");
}

// As the browser lays it out, with line breaks between blocks and tabs between cells.
function plainText(node, root) {
  Object.assign(node.style, { position: "fixed", insetInlineStart: "-200vw", insetBlockStart: 0 });
  (root.body ?? root).append(node);
  const text = node.innerText;
  node.remove();
  return text;
}
