// A button, maybe with a field to write in, and the answer below as it streams in. Nothing is remembered.
import { Answer } from "./answer.js";
import { copyButton } from "./copying.js";
import { button, element, inert, isInert, remark } from "./dom.js";
import { icon } from "./icons.js";
import { conversationIn } from "./reading.js";
import { newTurn, Runner } from "./runner.js";

const ASKING = "AIQuestionComponent"; // what templates for earlier versions say in place of a placeholder
// A model that answers once does not remember its answer. To continue it, the model is told this, and gets the end of it.
const GO_ON = "Your answer was cut off. Continue it exactly where it stops, in its language, without repeating any of it. "
  + "It ends like this:";
const TAIL = 1500; // characters

export class Box {
  constructor(page, { request, response }, component) {
    this.page = page;
    this.runner = new Runner(page);
    this.t = (id, values) => page.texts.say(id, values);
    this.answer = new Answer();
    this.node = element("section", { className: "card box", part: "box", ariaBusy: "false" });
    this.node.append(this.form(request, Boolean(request.placeholder) || component === ASKING), this.result(response.customMessage ?? this.t("answer")));
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
      if (isInert(this.button)) return;
      this.asked = this.input?.value ?? "";
      this.ask(newTurn(this.asked, { before: "" }));
    });
    return form;
  }

  result(title) {
    this.title = element("h2", { textContent: title });
    this.waiting = element("p", { className: "waiting", textContent: this.t("working") });
    this.tools = element("div", { className: "row foot" },
      element("p", { className: "small", textContent: this.t("aiCanBeWrong") }), this.page.limits.node,
      copyButton(this.page, () => this.answer.text));
    this.note = element("div", { className: "note", role: "note" });
    this.error = element("div", { className: "error", role: "alert" });
    this.outcome = element("div", { className: "outcome", hidden: true }, this.title, this.answer.node, this.waiting,
      this.note, this.error, this.tools);
    return this.outcome;
  }

  // Another try is the same turn, so that it is not counted twice. `before` is the text that the answer continues.
  async ask(turn) {
    const { before } = turn;
    let cut;
    this.busy(true);
    this.answer.show(before);
    this.page.announcer.quiet();
    this.tell(this.t("working"));
    const problem = await this.runner.run(turn, {
      text: (text) => this.arrive(before, text),
      status: (words) => this.tell(words),
      whole: (response) => this.answer.show(before + asText(response)),
      cut: (found) => {
        cut = found;
      },
    });
    if (problem === null) return;
    const { text } = this.answer;
    this.answer.show();
    if (problem) this.fail(problem, () => this.ask(turn));
    else if (cut) remark(this.note, cut.words, this.t("continue"), cut.isLong && (() => this.goOn()));
    this.busy(false, before);
    this.page.announcer.read(text.slice(before.length), this.title.textContent, cut?.words);
    this.tools.hidden = !text;
    this.title.hidden = !text;
    this.page.limits.refresh();
  }

  goOn() {
    const { text } = this.answer;
    const end = [...text].slice(-TAIL).join("");
    this.ask(newTurn(`${this.asked}\n\n${GO_ON}\n\n${end}`.trimStart(), { before: text }));
  }

  arrive(before, text) {
    if (text) this.waiting.textContent = "";
    this.answer.stream(before + text);
  }

  tell(words) {
    this.waiting.textContent = words;
    this.page.announcer.working(words);
  }

  fail({ words, canRetry }, again) {
    remark(this.error, words, this.t("retry"), canRetry && again, icon("again"));
  }

  // After a continuation the focus goes to the button that continues further, if there is one.
  busy(isBusy, isContinued = false) {
    const { activeElement } = this.node.getRootNode();
    const hadFocus = this.node.contains(activeElement);
    this.node.ariaBusy = String(isBusy);
    this.outcome.hidden = false;
    this.title.hidden = false;
    this.tools.hidden = true;
    if (isBusy) {
      this.note.replaceChildren();
      this.error.replaceChildren();
    } else this.tell("");
    inert(this.button, isBusy);
    this.button.hidden = isBusy;
    this.stopButton.hidden = !isBusy;
    const next = (isContinued && this.note.querySelector("button")) || this.input || this.button;
    if (hadFocus) (isBusy ? this.stopButton : next).focus();
  }
}

// A workflow of an extension may answer with anything; one that remembers, with what was said before.
export function asText(response) {
  const before = conversationIn(response)?.messages.findLast(({ role }) => role === "assistant");
  if (before) return before.content;
  return typeof response === "string" ? response : response ? `\`\`\`\n${JSON.stringify(response, null, 2)}\n\`\`\`` : "";
}
