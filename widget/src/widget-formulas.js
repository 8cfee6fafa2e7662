// Typesets formulas: with the page's MathJax, or with KaTeX, which is loaded only if the page has no MathJax.
import { copyWithSources } from "./copyFormulas.js";
import { element } from "./dom.js";
import { replaceTexts } from "./formulaNodes.js";
import { splitFormulas, texOf } from "./formulas.js";
import css from "./formulas.css";
import { loadMathJax } from "./mathJax.js";

const OPTIONS = { throwOnError: true, strict: "ignore", trust: false, maxExpand: 1000, maxSize: 40 };
// Environments that KaTeX has under another name. It would also number the lines of those without an asterisk.
const UNNUMBERED = /\\(begin|end)\{(equation|align|alignat|gather|multline|flalign|eqnarray)\*?\}/g;
const NAMES = { multline: "gather*", flalign: "align*", eqnarray: "align*" };
const LABEL = /\\label\{[^}]*\}/g;
const PLATFORM_DELIMITERS = /\[(mathjax(?:inline)?)\]([^]*?)\[\/\1\]/g;
const styles = new CSSStyleSheet();
styles.replaceSync(css);

// Resolves to a function that typesets formula elements. They are in `host`, a widget, or, without one, in the page.
export async function loadTypesetter() {
  const typesetFormulas = await loadMathJax() ?? await loadKatex();
  return (formulas, host, id) => {
    const root = host?.shadowRoot ?? document;
    adopt(root, styles);
    copyWithSources(root);
    typesetFormulas(formulas, host, id);
  };
}

// Typeset the formulas in the texts of elements of the page. `isCourse`: in course content, a dollar is a dollar, and the
// platform has delimiters of its own.
export async function typesetPage(elements, { isCourse = false } = {}) {
  const split = (text) => (isCourse ? splitFormulas(text.replace(PLATFORM_DELIMITERS, toLatex), { hasDollars: false })
    : splitFormulas(text));
  const formulas = elements.flatMap((each) => [...replaceTexts(each, split).querySelectorAll(".formula")]);
  if (formulas.length) (await loadTypesetter())(formulas);
}

async function loadKatex() {
  const { katex, styles: katexStyles } = await import("./widget-katex.js");
  return (formulas, host) => {
    adopt(host?.shadowRoot ?? document, katexStyles);
    for (const formula of formulas) typesetWithKatex(katex, formula);
  };
}

function typesetWithKatex(katex, formula) {
  const { source } = formula.dataset;
  const isDisplay = formula.classList.contains("display");
  const tex = texOf(source).replace(LABEL, "").replace(UNNUMBERED, (_whole, edge, name) =>
    `\\${edge}{${NAMES[name] ?? `${name}*`}}`);
  const content = element("span");
  try {
    katex.render(tex, content, { ...OPTIONS, displayMode: isDisplay });
  } catch {
    return; // KaTeX does not know something in it: the source stays
  }
  formula.replaceChildren(...content.childNodes);
  if (isDisplay) formula.tabIndex = 0; // wide formulas scroll by themselves, and with the keyboard
}

function toLatex(_whole, name, tex) {
  return name === "mathjax" ? `\\[${tex}\\]` : `\\(${tex}\\)`;
}

function adopt(root, sheet) {
  if (!root.adoptedStyleSheets.includes(sheet)) root.adoptedStyleSheets.push(sheet);
}
