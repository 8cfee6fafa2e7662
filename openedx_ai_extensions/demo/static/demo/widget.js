// The demo's widgets: each slot asks which UI it gets. Most run one action and show the answer as it streams in.
import { Place, chunks, element, isJson, refusal, texts } from "./api.js";
import { Chat } from "./chat.js";
import { Flashcards } from "./flashcards.js";
import { Quiz } from "./quiz.js";

const BREAK = "||{";

class Slot {
  constructor(section, place, { request, response }) {
    this.section = section;
    this.place = place;
    const config = request.config ?? {};
    const form = element("form");
    if (request.component === "AIQuestionComponent") {
      this.input = element("textarea", { rows: 2, required: true });
      form.append(element("label", {}, config.placeholder ?? texts.question, this.input));
    }
    this.button = element("button", { textContent: config.buttonText ?? texts.run });
    this.stopButton = element("button", { type: "button", className: "plain", textContent: texts.stop, hidden: true });
    this.stopButton.addEventListener("click", () => this.controller.abort());
    const row = element("div", { className: "ai-row" }, this.button, this.stopButton);
    if (config.customMessage) row.append(element("p", { textContent: config.customMessage }));
    form.append(row);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.run();
    });
    this.status = element("p", { className: "ai-status", role: "status" });
    this.heading = element("h2", { textContent: response?.config?.customMessage ?? texts.answer, hidden: true });
    // Off while text arrives: a reader hears the whole answer once, not every word as it comes.
    this.answer = element("p", { className: "ai-answer", ariaLive: "polite" });
    this.error = element("p", { className: "ai-error", role: "alert" });
    section.append(form, this.status, this.heading, this.answer, this.error);
    section.setAttribute("aria-label", this.button.textContent);
    section.hidden = false;
  }

  async run() {
    this.controller = new AbortController();
    this.busy(true);
    this.answer.textContent = "";
    this.error.textContent = "";
    try {
      const response = await this.place.run("run", this.input?.value ?? null, { signal: this.controller.signal });
      if (!response.ok) this.error.textContent = await refusal(response);
      else if (isJson(response)) this.show((await response.json()).response);
      else await this.read(response.body);
    } catch (error) {
      this.error.textContent = error.name === "AbortError" ? texts.stopped : texts.offline;
    }
    this.busy(false);
  }

  async read(body) {
    let text = "";
    for await (const chunk of chunks(body)) {
      text += chunk;
      this.show(text.split(BREAK)[0]);
    }
    const marker = text.indexOf(BREAK);
    if (marker >= 0) this.error.textContent = JSON.parse(text.slice(marker + 2, text.lastIndexOf("||"))).message;
  }

  show(text) {
    this.heading.hidden = false;
    this.answer.textContent = text;
  }

  busy(isBusy) {
    this.answer.setAttribute("aria-busy", isBusy);
    this.button.setAttribute("aria-disabled", isBusy);
    this.button.disabled = isBusy;
    this.stopButton.hidden = !isBusy;
    this.status.textContent = isBusy ? texts.working : "";
    if (!isBusy) this.button.focus();
  }
}

const COMPONENTS = {
  AISidebarChatComponent: Chat,
  AIFlashcardsRequest: Flashcards,
  AIEducatorLibraryAssistComponent: Quiz,
};

for (const section of document.querySelectorAll("[data-ui-slot-selector-id]")) {
  const place = new Place(section.dataset);
  place.components().then((components) => {
    if (!components) return;
    const Component = COMPONENTS[components.request.component] ?? Slot;
    new Component(section, place, components);
  });
}
