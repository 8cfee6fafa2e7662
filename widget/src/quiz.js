// Quiz questions for authors: the model writes them, the author reviews and rewrites them, and saves them to a library.
import { confirmInDialog } from "./confirm.js";
import { Disclosure } from "./disclosure.js";
import { element } from "./dom.js";
import { enQuiz } from "./enQuiz.js";
import { QuizReview } from "./quizReview.js";

const MAX_QUESTIONS = 20; // per run; the server refuses more

export class Quiz extends Disclosure {
  constructor(context, { request, response }) {
    context.i18n.addEnglish(enQuiz);
    const title = request.titleText ?? context.i18n.t("quiz");
    super(context, { title, iconName: "quiz", intro: context.i18n.t("forAuthors"),
      restoresSession: request.preloadPreviousSession });
    this.savedTexts = response;
    this.library = libraryOf(context.host, request);
    this.review = new QuizReview(context, this.library, {
      onRewrite: (index, instructions) => this.#rewrite(index, instructions),
      onSave: () => this.#save(),
      onDiscard: () => this.#discard(),
    });
    this.link = element("div");
    this.body.append(this.#createForm(request.buttonText ?? this.t("writeQuestions")), this.run.node, this.lines.node,
      this.link, this.review.node, context.limits.node);
  }

  #createForm(startText) {
    this.countInput = element("input", { type: "number", min: 1, max: MAX_QUESTIONS, value: 3, required: true });
    this.instructions = element("textarea", { rows: 2, dir: "auto" });
    this.startButton = element("button", { className: "primary", textContent: startText });
    this.fields = element("form", { hidden: true },
      element("label", { className: "block" }, this.t("wishes"), this.instructions),
      element("div", { className: "row" }, element("label", {}, this.t("howManyQuestions"), this.countInput),
        this.startButton));
    this.fields.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#write();
    });
    return this.fields;
  }

  // The response of a session is the questions in review, the URL of the collection they were saved to, or null.
  showSession({ response }) {
    this.review.hide();
    this.link.replaceChildren();
    if (typeof response === "string") {
      const { titleText, customMessage } = this.savedTexts;
      this.link.append(element("h3", { textContent: titleText }), element("p", { textContent: customMessage }),
        this.#collectionLink(response));
    }
    else if (response) this.review.show(response);
    const count = response?.question_slots?.length;
    this.summaryCount.textContent = count ? this.t("questionCount", { count }) : "";
  }

  // `path` is relative to this site, or to Studio.
  #collectionLink(path) {
    const key = path.split("/").at(-1);
    const title = this.library.collections.find((collection) => collection.key === key)?.title ?? key;
    return element("a", { href: `${this.context.client.base}/${path}`,
      textContent: this.savedTexts.hyperlinkText ?? this.t("seeCollection", { title }) });
  }

  async #write() {
    const labels = { yes: this.t("replace"), no: this.t("keepThem") };
    const isEmpty = this.review.questions.length === 0;
    if (!isEmpty && !await confirmInDialog(this.body, this.t("confirmReplace"), labels)) return;
    this.start({ num_questions: this.countInput.valueAsNumber, extra_instructions: this.instructions.value.trim() });
  }

  showRunResult(response) {
    this.showSession({ response });
    this.context.announcer.announce(this.t("questionsReady"));
    return this.review.heading;
  }

  async #rewrite(index, instructions) {
    const input = { question_index: index, extra_instructions: instructions };
    return (await this.context.client.runAction("regenerate_question", input)).response;
  }

  async #save() {
    const { input, selectedQuestions: sent } = this.review;
    this.lines.clear();
    this.review.lines.showStatus(this.t("saving"));
    this.review.setBusy(true);
    try {
      this.#showSaved(sent, await this.context.client.runAction("save", input), input);
    } catch (error) {
      const { failed = [] } = error.details ?? {};
      this.review.markSaved(failed.length ? sent : [], failed);
      this.review.lines.showError(`${this.t("noneSaved")} ${failed.length ? "" : error.message}`);
    }
    this.review.setBusy(false);
  }

  #showSaved(sent, { response: path, saved, failed = [], message }, { collection_name: title }) {
    const key = path.split("/").at(-1);
    const { collections } = this.library;
    if (title && !collections.some((collection) => collection.key === key)) collections.push({ key, title });
    if (failed.length) {
      this.review.markSaved(sent, failed);
      this.review.selectCollection(key);
      this.review.lines.showError(this.t("someSaved", { saved, failed: failed.length }));
      this.link.replaceChildren(this.#collectionLink(path));
      return;
    }
    this.showSession({ response: path });
    this.lines.showStatus(this.t("allSaved", { count: saved }));
    if (message) this.lines.showError(`${this.t("allSaved", { count: saved })} ${message}`);
    this.link.lastChild.focus();
  }

  async #discard() {
    const labels = { yes: this.t("discard"), no: this.t("keepThem") };
    if (!await confirmInDialog(this.body, this.t("confirmDiscard"), labels)) return;
    try {
      await this.context.client.runAction("clear_session");
      this.showSession({});
      this.lines.showStatus(this.t("discarded"));
      this.startButton.focus();
    } catch (error) {
      this.lines.showError(error.message);
    }
  }
}

// The library to save to: the page's attribute, or else the profile's. The collections of both are offered.
function libraryOf(host, { libraryId, collections }) {
  let ofPage = [];
  try {
    ofPage = JSON.parse(host.getAttribute("collections") ?? "[]");
  } catch {
    // An attribute that is not JSON counts as none.
  }
  return { id: host.getAttribute("library-id") ?? libraryId ?? "", collections: [...ofPage, ...(collections ?? [])] };
}
