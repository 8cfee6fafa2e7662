// Shows above a code block its language and a button to copy it, and colours the code.
import hljs from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import c from "highlight.js/lib/languages/c";
import cpp from "highlight.js/lib/languages/cpp";
import csharp from "highlight.js/lib/languages/csharp";
import css from "highlight.js/lib/languages/css";
import go from "highlight.js/lib/languages/go";
import java from "highlight.js/lib/languages/java";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import matlab from "highlight.js/lib/languages/matlab";
import python from "highlight.js/lib/languages/python";
import r from "highlight.js/lib/languages/r";
import rust from "highlight.js/lib/languages/rust";
import sql from "highlight.js/lib/languages/sql";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";
import rules from "./code.css";
import { copyButton } from "./copyButton.js";
import { element } from "./dom.js";

const LANGUAGES = { bash, c, cpp, csharp, css, go, java, javascript, json, matlab, python, r, rust, sql, typescript,
  xml, yaml };
const MAX_COLOURED_CHARS = 20_000; // colouring more takes too long for a text that streams in
const styles = new CSSStyleSheet();
styles.replaceSync(rules);
for (const [name, language] of Object.entries(LANGUAGES)) hljs.registerLanguage(name, language);

export function decorateCode(blocks, context) {
  const { shadowRoot } = context.host;
  if (!shadowRoot.adoptedStyleSheets.includes(styles)) shadowRoot.adoptedStyleSheets.push(styles);
  for (const block of blocks) decorate(block, context);
}

function decorate(block, context) {
  const code = block.querySelector("pre > code");
  if (!code || block.querySelector(".code-header")) return;
  const name = code.dataset.language;
  const language = hljs.getLanguage(name ?? "");
  const text = code.textContent;
  block.prepend(element("div", { className: "code-header" },
    element("span", { className: "small", textContent: language?.name.replace(/,.*/, "") ?? name ?? "" }),
    copyButton(context, () => text.replace(/\n$/, ""), context.i18n.t("copyCode"))));
  if (language && text.length <= MAX_COLOURED_CHARS) code.replaceChildren(...coloured(text, name));
}

function coloured(text, language) {
  const { value } = hljs.highlight(text, { language, ignoreIllegals: true });
  return new DOMParser().parseFromString(`<pre>${value}</pre>`, "text/html").querySelector("pre").childNodes;
}
