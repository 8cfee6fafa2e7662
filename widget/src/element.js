// <openedx-ai-widget>: asks which form its slot gets, and shows that form. Whatever is under way ends with it.
import { Announcer } from "./announcer.js";
import { Box } from "./box.js";
import { Chat } from "./chat.js";
import { Client } from "./client.js";
import { Consent } from "./consent.js";
import { element } from "./dom.js";
import { Flashcards } from "./flashcards.js";
import { Limits } from "./limits.js";
import { Quiz } from "./quiz.js";
import { Seen } from "./seen.js";
import sheet from "./styles.css";
import { textsFor } from "./texts.js";

// By the name of either component. The last three are of templates that were written for earlier versions.
const FORMS = {
  __proto__: null, // a component may have any name
  AISidebarResponse: Chat,
  FlashcardCreator: Flashcards,
  LibraryProblemCreator: Quiz,
  AISidebarChatComponent: Chat,
  AIFlashcardsRequest: Flashcards,
  AIEducatorLibraryAssistComponent: Quiz,
};
let styles;

export class OpenedxAIWidget extends HTMLElement {
  static observedAttributes = ["ui-slot-selector-id", "course-id", "location-id", "api-base", "lang", "library-id",
    "collections"];

  constructor() {
    super();
    this.attachShadow({ mode: "open" });
    if (!styles) {
      styles = new CSSStyleSheet();
      styles.replaceSync(sheet);
    }
    this.shadowRoot.adoptedStyleSheets = [styles];
  }

  connectedCallback() {
    this.restart();
  }

  disconnectedCallback() {
    this.life?.abort();
    this.shadowRoot.replaceChildren();
  }

  attributeChangedCallback(_name, before, after) {
    if (this.isConnected && before !== after) this.restart();
  }

  // Several attributes that change at once, or a move within the page, make one start.
  restart() {
    this.life?.abort();
    this.life = new AbortController();
    const { signal } = this.life;
    queueMicrotask(() => {
      if (!signal.aborted) this.start(signal).catch(() => this.clear(signal));
    });
  }

  async start(signal) {
    const seen = new Seen(this);
    this.shadowRoot.replaceChildren(...seen.placeholder());
    const texts = await textsFor(this.language);
    if (signal.aborted) return;
    const page = this.page(texts, signal);
    const profile = await page.client.get("profile");
    if (signal.aborted) return;
    if (!profile.ui_components?.request) {
      this.clear(signal);
      seen.remember(this);
      return;
    }
    const { request, response } = profile.ui_components;
    const Form = FORMS[request.component] ?? FORMS[response?.component] ?? Box;
    const form = new Form(page, { request: request.config ?? {}, response: response?.config ?? {} }, request.component);
    page.root.prepend(form.node);
    if (profile.unavailable) form.node.append(element("p", { className: "small away", textContent: profile.unavailable.message }));
    // A drawer keeps them, as nothing outside of it can be heard while it covers the page.
    if (!page.announcer.status.parentNode) page.root.append(...page.announcer.nodes);
    this.shadowRoot.replaceChildren(page.root);
    seen.remember(this);
  }

  // What the parts of a form share.
  page(texts, signal) {
    const root = element("div", { className: "widget", part: "widget", lang: texts.language });
    const page = { host: this, root, texts, signal, announcer: new Announcer() };
    const consent = new Consent({ root, texts, client: () => page.client });
    page.client = new Client(this.place, { texts, signal, consent: (notice) => consent.ask(notice) });
    page.limits = new Limits(page);
    page.emit = (name, detail) => this.emit(name, detail);
    return page;
  }

  get place() {
    return {
      apiBase: this.getAttribute("api-base") ?? "",
      courseId: this.getAttribute("course-id") ?? undefined,
      locationId: this.getAttribute("location-id") ?? undefined,
      uiSlotSelectorId: this.getAttribute("ui-slot-selector-id") ?? undefined,
    };
  }

  get language() {
    return this.getAttribute("lang") || document.documentElement.lang || "en";
  }

  // Tell the page what happened, without a word of what was said.
  emit(name, detail) {
    const told = { uiSlotSelectorId: this.place.uiSlotSelectorId, ...detail };
    this.dispatchEvent(new CustomEvent(`openedx-ai:${name}`, { bubbles: true, composed: true, detail: told }));
  }

  clear(signal) {
    if (!signal.aborted) this.shadowRoot.replaceChildren();
  }
}
