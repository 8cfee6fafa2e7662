// The demo's widget: asks which UI its slot gets, runs the action and shows the answer as it streams in.
const API = "/openedx-ai-extensions/v1";
const texts = JSON.parse(document.getElementById("widget-texts").textContent);
const csrfToken = document.querySelector("[name=csrfmiddlewaretoken]").value;
const BREAK = "||{";

class Slot {
  constructor(section) {
    this.section = section;
    const { uiSlotSelectorId, courseId, locationId } = section.dataset;
    this.query = `?context=${encodeURIComponent(JSON.stringify({ courseId, locationId, uiSlotSelectorId }))}`;
  }

  async start() {
    const response = await fetch(`${API}/profile/${this.query}`);
    if (!response.ok) return;
    const { ui_components: components } = await response.json();
    if (components) this.render(components);
  }

  render({ request, response }) {
    const config = request.config ?? {};
    const asks = request.component === "AIQuestionComponent";
    const form = element("form");
    if (asks) {
      const label = element("label", { textContent: config.placeholder ?? texts.question });
      this.input = element("textarea", { rows: 2, required: true });
      label.append(this.input);
      form.append(label);
    }
    const row = element("div", { className: "ai-row" });
    this.button = element("button", { textContent: config.buttonText ?? texts.run });
    this.stopButton = element("button", { type: "button", className: "plain", textContent: texts.stop, hidden: true });
    this.stopButton.addEventListener("click", () => this.controller.abort());
    row.append(this.button, this.stopButton);
    if (config.customMessage) row.append(element("p", { textContent: config.customMessage }));
    form.append(row);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.run();
    });
    this.status = element("p", { className: "ai-status", role: "status" });
    this.heading = element("h2", { textContent: response?.config?.customMessage ?? texts.answer, hidden: true });
    // Off while text arrives: a reader hears the whole answer once, not every word as it comes.
    this.answer = element("p", { className: "ai-answer" });
    this.answer.setAttribute("aria-live", "polite");
    this.error = element("p", { className: "ai-error", role: "alert" });
    this.section.append(form, this.status, this.heading, this.answer, this.error);
    this.section.setAttribute("aria-label", this.button.textContent);
    this.section.hidden = false;
  }

  async run() {
    this.controller = new AbortController();
    this.busy(true);
    this.answer.textContent = "";
    this.error.textContent = "";
    try {
      const response = await fetch(`${API}/workflows/${this.query}`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken },
        body: JSON.stringify({
          action: "run", user_input: this.input?.value ?? null, request_id: crypto.randomUUID(),
        }),
        signal: this.controller.signal,
      });
      if (!response.ok) await this.fail(response);
      else if (response.headers.get("Content-Type").startsWith("application/json")) {
        this.show((await response.json()).response);
      } else await this.read(response.body);
    } catch (error) {
      this.error.textContent = error.name === "AbortError" ? texts.stopped : texts.offline;
    }
    this.busy(false);
  }

  async read(body) {
    let text = "";
    for (const reader = body.pipeThrough(new TextDecoderStream()).getReader(); ;) {
      const { done, value } = await reader.read();
      if (done) break;
      text += value;
      this.show(text.split(BREAK)[0]);
    }
    const marker = text.indexOf(BREAK);
    if (marker >= 0) this.error.textContent = JSON.parse(text.slice(marker + 2, text.lastIndexOf("||"))).message;
  }

  async fail(response) {
    const body = await response.json().catch(() => null);
    this.error.textContent = [body?.error?.message ?? texts.offline].flat().join(" ");
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

function element(name, properties = {}) {
  return Object.assign(document.createElement(name), properties);
}

for (const section of document.querySelectorAll("[data-ui-slot-selector-id]")) new Slot(section).start();
