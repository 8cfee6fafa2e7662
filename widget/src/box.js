// A button, maybe with a field to write in, and the answer below as it streams in. Nothing is remembered.
import { Answer } from "./answer.js";
import { newId } from "./client.js";
import { copyButton } from "./copying.js";
import { button, element, inert, isInert } from "./dom.js";
import { icon } from "./icons.js";
import { Runner } from "./runner.js";

const ASKING = "AIQuestionComponent";

export class Box {
  constructor(page, { request, response }, component) {
    this.page = page;
    this.runner = new Runner(page);
    this.t = (id, values) => page.texts.say(id, values);
    this.answer = new Answer();
    this.node = element("section", { className: "card box", part: "box", ariaBusy: "false" });
    this.node.append(this.form(request, component === ASKING), this.result(response.customMessage ?? this.t("answer")));
    this.node.ariaLabel = request.buttonText ?? this.t("ask");
  }

  form({ buttonText, customMessage, placeholder }, asks) {
    const form = element("form", { className: asks ? "row asking" : "row" });
    this.button = element("button", { className: "main", part: "button", textContent: buttonText ?? this.t("ask") });
    if (!asks) this.button.prepend(icon("sparkle"));
    this.stopButton = button(this.t("stop"), () => this.runner.stop(), "", icon("stop"));
    this.stopButton.hidden = true;
    if (asks) {
      this.input = element("textarea", { rows: 1, required: true, dir: "auto", part: "input" });
      this.input.ariaLabel = placeholder ?? this.t("question");
      this.input.placeholder = this.input.ariaLabel;
      this.input.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
        event.preventDefault();
        form.requestSubmit();
      });
      form.append(this.input);
    }
    form.append(this.button, this.stopButton);
    if (customMessage) form.append(element("p", { className: "message", textContent: customMessage }));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!isInert(this.button)) this.ask({ input: this.input?.value ?? null, requestId: newId() });
    });
    return form;
  }

  result(title) {
    this.title = element("h2", { textContent: title });
    this.waiting = element("p", { className: "waiting", textContent: this.t("working") });
    this.tools = element("div", { className: "row foot" },
      element("p", { className: "small", textContent: this.t("aiCanBeWrong") }), this.page.limits.node,
      copyButton(this.page, () => this.answer.text));
    this.error = element("div", { className: "error", role: "alert" });
    this.outcome = element("div", { className: "outcome", hidden: true }, this.title, this.waiting, this.answer.node,
      this.error, this.tools);
    return this.outcome;
  }

  // Another try is the same request, so that it is not counted twice.
  async ask({ input, requestId }) {
    this.busy(true);
    this.answer.show("");
    this.page.announcer.quiet();
    this.tell(this.t("working"));
    const problem = await this.runner.run("run", input, requestId, {
      text: (text) => this.arrive(text),
      status: ({ message, tool }) => this.tell(message ?? this.toolWords(tool)),
      whole: (response) => this.answer.show(asText(response)),
    });
    if (problem === null) return;
    this.answer.show();
    this.busy(false);
    if (problem) this.fail(problem, () => this.ask({ input, requestId }));
    if (this.answer.text) this.page.announcer.read(this.answer.node, this.title.textContent);
    this.tools.hidden = !this.answer.text;
    this.title.hidden = !this.answer.text;
    this.page.limits.refresh();
  }

  arrive(text) {
    this.waiting.hidden = Boolean(text);
    this.answer.stream(text);
  }

  toolWords(tool) {
    const id = `tool.${tool.name}`;
    return this.t(tool.state === "failed" ? "toolFailed" : this.page.texts.has(id) ? id : "tool.other");
  }

  tell(words) {
    this.waiting.textContent = words;
    this.page.announcer.say(words);
  }

  fail({ words, canRetry }, again) {
    this.error.replaceChildren(element("p", { textContent: words }));
    if (canRetry) this.error.append(button(this.t("retry"), again, "", icon("again")));
  }

  busy(isBusy) {
    const { activeElement } = this.node.getRootNode();
    const hadFocus = this.node.contains(activeElement);
    this.node.ariaBusy = String(isBusy);
    this.outcome.hidden = false;
    this.title.hidden = false;
    this.waiting.hidden = !isBusy;
    this.tools.hidden = true;
    this.error.replaceChildren();
    if (!isBusy) this.tell("");
    inert(this.button, isBusy);
    this.button.hidden = isBusy;
    this.stopButton.hidden = !isBusy;
    if (hadFocus) (isBusy ? this.stopButton : this.input ?? this.button).focus();
  }
}

// A workflow of an extension may answer with anything.
export function asText(response) {
  return typeof response === "string" ? response : response ? `\`\`\`\n${JSON.stringify(response, null, 2)}\n\`\`\`` : "";
}
