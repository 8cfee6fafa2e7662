// Typesets formulas with the MathJax of the page, version 2 or later. It does not reach into a shadow tree, so a formula
// of a widget is a child of the widget, and shown in a slot.
import { element, uniqueId } from "./dom.js";
import { texOf } from "./formulas.js";

const WAIT_MS = 3000; // for a MathJax that the page has configured, but not loaded yet
const INTERVAL_MS = 100;
const PREFIX = "ai-formula-";
// Unlike KaTeX, MathJax trusts its page: formulas may contain links to scripts, and styles. A definition would stay for
// the whole page, or be a way around this list. Formulas with one of these stay as their source.
const TRUSTED_ONLY = new RegExp("\\\\(?:href|url|class|cssId|css|style|html[a-zA-Z]*|data|bbox|includegraphics|require|"
  + "mmlToken|(?:math|text)tip|toggle|[egx]?def|let|futurelet|csname|(?:re)?new(?:command|environment)|providecommand|"
  + "DeclareMathOperator|DeclarePairedDelimiters?X*)(?![a-zA-Z])");

// Resolves to a function that typesets formula elements, or to undefined without a MathJax.
export async function loadMathJax() {
  for (let waited = 0; window.MathJax && waited < WAIT_MS; waited += INTERVAL_MS) {
    if (window.MathJax.Hub?.Queue) return typesetWith(version2(window.MathJax));
    if (window.MathJax.typesetPromise) return typesetWith(version3(window.MathJax));
    await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
  }
  return undefined;
}

function typesetWith(typesetElement) {
  return (formulas, host, id = uniqueId()) => formulas.forEach((formula, index) => {
    const { source } = formula.dataset;
    const isDisplay = formula.classList.contains("display");
    if (TRUSTED_ONLY.test(source)) return;
    if (!host) {
      typesetElement(formula, source, isDisplay);
      return;
    }
    const name = `${PREFIX}${id}-${formula.dataset.number ?? index}`;
    formula.replaceChildren(element("slot", { name, textContent: source }));
    const shown = [...host.children].find((child) => child.slot === name);
    if (shown?.dataset.source === source) return; // it is in the same place of an answer that streams in
    shown?.remove();
    const node = element("span", { slot: name, dir: "ltr" });
    node.dataset.source = source;
    host.append(node);
    typesetElement(node, source, isDisplay, () => removeUnused(host));
  });
}

function version2({ Hub }) {
  return (node, source, isDisplay, done) => {
    // Its own form, whichever delimiters the page has configured. Browsers do not run it. MathJax replaces the preview.
    node.replaceChildren(element("span", { className: "MathJax_Preview", textContent: source }), element("script", { type: isDisplay ? "math/tex; mode=display" : "math/tex",
      text: texOf(source) }));
    Hub.Queue(["Typeset", Hub, node], done ?? (() => {}));
  };
}

function version3(MathJax) {
  let queue = MathJax.startup?.promise ?? Promise.resolve();
  return (node, source, isDisplay, done) => {
    const tex = texOf(source);
    node.textContent = isDisplay ? `\\[${tex}\\]` : `\\(${tex}\\)`;
    queue = queue.then(() => MathJax.typesetPromise([node])).catch(() => {}).then(done);
  };
}

// Formulas whose answer is no longer shown.
function removeUnused(host) {
  for (const child of [...host.children]) if (child.slot.startsWith(PREFIX) && !child.assignedSlot) child.remove();
}
