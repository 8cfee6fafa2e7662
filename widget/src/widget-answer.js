// <openedx-ai-answer>: shows the Markdown of a model on a page, as the widget does. Its source is its own text, which may
// still grow.
import { Answer } from "./answer.js";
import { loadI18n } from "./i18n.js";
import css from "./styles.css";

const styles = new CSSStyleSheet();
styles.replaceSync(`${css} .answer { white-space: normal; }`);

class AnswerView extends HTMLElement {
  async connectedCallback() {
    if (this.shadowRoot) return;
    const i18n = await loadI18n(document.documentElement.lang);
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = [styles];
    const announcer = { announce: () => {} };
    const answer = new Answer({ host: this, i18n, announcer, signal: new AbortController().signal });
    this.shadowRoot.append(answer.node);
    const show = () => answer.show(this.textContent);
    new MutationObserver(show).observe(this, { childList: true, characterData: true, subtree: true });
    show();
  }
}

customElements.define("openedx-ai-answer", AnswerView);
