// A form for one request: a button, an input where the template asks for one, and below them the answer as it streams in.
// Requests do not know of each other.
import { Answer } from "./answer.js";
import { copyButton } from "./copyButton.js";
import { button, element, ignoreSecondClick, isAriaDisabled, setAriaDisabled, showMessage } from "./dom.js";
import { offerFeedback } from "./feedback.js";
import { icon } from "./icons.js";
import { KeptAnswer } from "./keptAnswer.js";
import { newTurn, Runner } from "./runner.js";
import { responseText, splitTruncationNotice } from "./streamReader.js";

const LEGACY_QUESTION_COMPONENT = "AIQuestionComponent"; // in templates for earlier versions, it means "has an input"
// To continue an answer that was cut off, the model gets this instruction and the end of the answer: the server sends it
// no history of these workflows.
const CONTINUE_PROMPT = "Your answer was cut off. Continue it exactly where it stops, in its language, without "
  + "repeating any of it. It ends like this:";
const CONTINUE_TAIL_CHARS = 1500; // enough for the model to find the place, and still a short input

export class OneShot {
  constructor(context, { request, response }, component) {
    this.context = context;
    this.runner = new Runner(context);
    this.t = context.i18n.t;
    this.answer = new Answer(context);
    const hasInput = Boolean(request.placeholder) || component === LEGACY_QUESTION_COMPONENT;
    this.node = element("section", { className: "card card-body", part: "box", ariaBusy: "false" });
    this.node.append(this.#createForm(request, hasInput), this.#createResult(response.customMessage ?? this.t("answer")));
    this.node.ariaLabel = request.buttonText ?? this.t("ask");
    this.kept = response.keepAnswer === true ? new KeptAnswer(context) : undefined;
    if (this.kept?.isExpected) this.#showKept();
  }

  #createForm({ buttonText, customMessage, placeholder }, hasInput) {
    const form = element("form", { className: hasInput ? "row question-form" : "row" });
    this.button = element("button", { className: "primary", part: "button", textContent: buttonText ?? this.t("ask") });
    if (!hasInput) this.button.prepend(icon("sparkle"));
    this.stopButton = button(this.t("stop"), () => this.runner.stop(), "", icon("stop"));
    this.stopButton.hidden = true;
    ignoreSecondClick(this.button);
    ignoreSecondClick(this.stopButton);
    if (hasInput) {
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
    if (customMessage) form.append(element("p", { className: "custom-message", textContent: customMessage }));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (isAriaDisabled(this.button)) return;
      this.question = this.input?.value ?? "";
      this.#run(newTurn(this.question, { prefix: "" }));
    });
    return form;
  }

  #createResult(title) {
    this.title = element("h2", { textContent: title });
    this.progress = element("p", { className: "progress-text", textContent: this.t("working") });
    this.footer = element("div", { className: "row result-footer" },
      element("p", { className: "small", textContent: this.t("aiCanBeWrong") }), this.context.limits.node,
      copyButton(this.context, () => this.answer.text));
    this.when = element("p", { className: "row small", hidden: true });
    this.note = element("div", { className: "note", role: "note" });
    this.error = element("div", { className: "error", role: "alert" });
    this.result = element("div", { className: "result", hidden: true }, this.title, this.answer.node, this.progress,
      this.when, this.note, this.error, this.footer);
    return this.result;
  }

  async #showKept() {
    const kept = await this.kept.load();
    if (!kept || !this.result.hidden) return;
    const { text, truncation } = splitTruncationNotice(kept.response, kept.finish_reason);
    const again = () => this.#run(newTurn(this.question, { prefix: "" }));
    this.question = kept.question;
    if (this.input && !this.input.value) this.input.value = kept.question;
    this.result.hidden = false;
    this.progress.textContent = "";
    this.answer.citations = kept.citations ?? [];
    this.answer.show(text);
    offerFeedback(this.context, this.footer, kept.run_id, kept.feedback);
    this.when.replaceChildren(this.t("answeredAt", { time: this.context.i18n.formatDateTime(kept.answered_at) }),
      button(this.t("askAgain"), again, "", icon("again")));
    this.when.hidden = false;
    this.#showTruncation(truncation);
  }

  #showTruncation(truncation) {
    if (!truncation) return;
    showMessage(this.note, truncation.message, this.t("continue"), truncation.canContinue && (() => this.#continue()));
  }

  // A retry runs the same turn, so that the server does not count it twice. `prefix` is the text that the answer
  // continues.
  async #run(turn) {
    const { prefix } = turn;
    let truncation;
    this.#setBusy(true);
    this.answer.citations = this.answer.citations.filter(({ position }) => position < prefix.length);
    this.answer.show(prefix);
    this.context.announcer.clear();
    this.#showProgress(this.t("working"));
    const failure = await this.runner.run(turn, {
      onText: (text) => {
        if (text) this.progress.textContent = "";
        this.answer.stream(prefix + text);
      },
      onStatus: (status) => this.#showProgress(status),
      onCitation: ({ position, ...citation }) =>
        this.answer.citations.push({ ...citation, position: prefix.length + position }),
      onResponse: (response) => this.answer.show(prefix + responseText(response)),
      onTruncated: (value) => {
        truncation = value;
      },
    });
    if (failure === null) return;
    const { text } = this.answer;
    this.answer.show();
    if (failure) {
      const retry = failure.canRetry && (() => this.#run(turn));
      showMessage(failure.isNeutral ? this.note : this.error, failure.message, this.t("retry"), retry, icon("again"));
    } else {
      this.#showTruncation(truncation);
      if (this.kept) this.kept.isExpected = true;
    }
    this.#setBusy(false, prefix);
    const notice = failure?.isNeutral ? failure.message : truncation?.message;
    this.context.announcer.announceAnswer(text.slice(prefix.length), this.title.textContent, notice);
    this.footer.hidden = !text.trim();
    offerFeedback(this.context, this.footer, turn.runId);
    this.title.hidden = this.footer.hidden;
    this.context.limits.refresh();
  }

  #continue() {
    const { text } = this.answer;
    const tail = [...text].slice(-CONTINUE_TAIL_CHARS).join("");
    const prompt = `${this.question}\n\n${CONTINUE_PROMPT}\n\n${tail}`.trimStart();
    this.#run(newTurn({ text: prompt, continues: true }, { prefix: text }));
  }

  #showProgress(status) {
    this.progress.textContent = status;
    this.context.announcer.announceProgress(status);
  }

  // After a continuation, the focus moves to the next "Continue" button if there is one.
  #setBusy(isBusy, isContinuation = false) {
    const { activeElement } = this.node.getRootNode();
    const hadFocus = this.node.contains(activeElement);
    this.node.ariaBusy = String(isBusy);
    this.when.hidden = true;
    this.result.hidden = false;
    this.title.hidden = false;
    this.footer.hidden = true;
    if (isBusy) {
      this.note.replaceChildren();
      this.error.replaceChildren();
    } else this.#showProgress("");
    setAriaDisabled(this.button, isBusy);
    this.button.hidden = isBusy;
    this.stopButton.hidden = !isBusy;
    const next = (isContinuation && this.note.querySelector("button")) || this.input || this.button;
    if (hadFocus) (isBusy ? this.stopButton : next).focus();
  }
}
