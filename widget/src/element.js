// <openedx-ai-widget>: asks the server which form belongs to its slot, and shows that form. When the element is removed
// or an attribute changes, what is under way is aborted.
import { Announcer } from "./announcer.js";
import { Chat } from "./chat.js";
import { Client } from "./client.js";
import { followColourScheme } from "./colourScheme.js";
import { Consent } from "./consent.js";
import { element } from "./dom.js";
import { showNotes } from "./feedback.js";
import { HeightCache } from "./heightCache.js";
import { loadI18n } from "./i18n.js";
import { Limits } from "./limits.js";
import { OneShot } from "./oneShot.js";
import css from "./styles.css";

// What few pages show is not in the script that every learner loads.
const loadFlashcards = async () => (await import("./widget-flashcards.js")).Flashcards;
const loadQuiz = async () => (await import("./widget-quiz.js")).Quiz;
// The form for a request or response component, or a function that loads it. The last three names are those of templates for earlier versions.
const FORMS = {
  __proto__: null, // a component may be called "toString"
  AISidebarResponse: Chat,
  FlashcardCreator: loadFlashcards,
  LibraryProblemCreator: loadQuiz,
  AISidebarChatComponent: Chat,
  AIFlashcardsRequest: loadFlashcards,
  AIEducatorLibraryAssistComponent: loadQuiz,
};
let styleSheet; // shared by all widgets of a page

export class OpenedxAIWidget extends HTMLElement {
  static observedAttributes = ["ui-slot-selector-id", "course-id", "location-id", "api-base", "lang", "library-id",
    "collections"];

  constructor() {
    super();
    this.attachShadow({ mode: "open" });
    if (!styleSheet) {
      styleSheet = new CSSStyleSheet();
      styleSheet.replaceSync(css);
    }
    this.colourScheme = new CSSStyleSheet();
    this.shadowRoot.adoptedStyleSheets = [styleSheet, this.colourScheme];
  }

  connectedCallback() {
    this.#restart();
  }

  disconnectedCallback() {
    this.abortController?.abort();
    this.shadowRoot.replaceChildren();
  }

  attributeChangedCallback(_name, before, after) {
    if (this.isConnected && before !== after) this.#restart();
  }

  // Deferred, so that several attribute changes, or a move within the page, cause one start.
  #restart() {
    this.abortController?.abort();
    this.abortController = new AbortController();
    const { signal } = this.abortController;
    followColourScheme(this, this.colourScheme, signal);
    queueMicrotask(() => {
      if (!signal.aborted) this.#start(signal).catch(() => this.#clear(signal));
    });
  }

  async #start(signal) {
    const heightCache = new HeightCache(this.#placement);
    this.shadowRoot.replaceChildren(...heightCache.placeholder());
    const i18n = await loadI18n(this.#language);
    if (signal.aborted) return;
    const context = this.#createContext(i18n, signal);
    const profile = await context.client.get("profile");
    if (signal.aborted) return;
    if (!profile.ui_components?.request) {
      this.#clear(signal);
      heightCache.store(this);
      return;
    }
    const { request, response } = profile.ui_components;
    const found = FORMS[request.component] ?? FORMS[response?.component] ?? OneShot;
    const Form = found === loadQuiz || found === loadFlashcards ? await found() : found;
    if (signal.aborted) return;
    const configs = { request: request.config ?? {}, response: response?.config ?? {} };
    context.asksFeedback = configs.response.feedback === true;
    const form = new Form(context, configs, request.component);
    context.root.prepend(form.node);
    if (profile.unavailable) {
      form.node.append(element("p", { className: "small unavailable", textContent: profile.unavailable.message }));
    }
    if (profile.feedback_notes) showNotes(context, form.node, profile.feedback_notes);
    if (profile.has_consented) context.consent.showAccepted();
    // The chat has put this line into its drawer.
    if (!context.consent.node.parentNode) (form.body ?? form.node).append(context.consent.node);
    // The chat has put the live regions into its drawer: while a modal drawer is open, a screen reader ignores the rest.
    if (!context.announcer.status.parentNode) context.root.append(...context.announcer.nodes);
    this.shadowRoot.replaceChildren(context.root);
    heightCache.store(this);
  }

  // What the parts of a form share.
  #createContext(i18n, signal) {
    const root = element("div", { className: "widget", part: "widget", lang: i18n.language });
    const context = { host: this, root, i18n, signal, announcer: new Announcer() };
    context.consent = new Consent(context);
    const askConsent = (notice) => context.consent.ask(notice);
    context.client = new Client(this.#placement, { i18n, language: this.#language, signal, askConsent });
    context.limits = new Limits(context);
    context.emit = (name, detail) => this.#emit(name, detail);
    return context;
  }

  get #placement() {
    return {
      apiBase: this.getAttribute("api-base") ?? "",
      courseId: this.getAttribute("course-id") ?? undefined,
      locationId: this.getAttribute("location-id") ?? undefined,
      uiSlotSelectorId: this.getAttribute("ui-slot-selector-id") ?? undefined,
    };
  }

  get #language() {
    return this.getAttribute("lang") || document.documentElement.lang;
  }

  // Dispatch an event to the page. Its detail never contains questions or answers.
  #emit(name, detail) {
    const { uiSlotSelectorId } = this.#placement;
    this.dispatchEvent(new CustomEvent(`openedx-ai:${name}`,
      { bubbles: true, composed: true, detail: { uiSlotSelectorId, ...detail } }));
  }

  #clear(signal) {
    if (!signal.aborted) this.shadowRoot.replaceChildren();
  }
}
