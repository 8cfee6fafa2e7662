// Quiz questions for an author: have some written, review them, have single ones written anew, save them to a library.
import { confirmed } from "./confirm.js";
import { element } from "./dom.js";
import { Fold } from "./fold.js";
import { Review } from "./review.js";

const MOST = 20; // questions at a time, as the server has it

export class Quiz extends Fold {
  constructor(page, { request, response }) {
    const title = request.titleText ?? page.texts.say("quiz");
    super(page, { title, picture: "quiz", intro: page.texts.say("forAuthors"), preloads: request.preloadPreviousSession });
    this.saved = response;
    this.library = libraryOf(page.host, request);
    this.review = new Review(page.texts, this.library, {
      rewrite: (index, words) => this.rewrite(index, words),
      save: () => this.save(),
      discard: () => this.discard(),
    });
    this.link = element("div");
    this.body.append(this.form(request.buttonText ?? this.t("writeQuestions")), this.background.node, this.lines.node,
      this.link, this.review.node, page.limits.node);
  }

  form(writeText) {
    this.number = element("input", { type: "number", min: 1, max: MOST, value: 3, required: true });
    this.words = element("textarea", { rows: 2, dir: "auto" });
    this.startButton = element("button", { className: "main", textContent: writeText });
    this.fields = element("form", { hidden: true },
      element("label", { className: "block" }, this.t("wishes"), this.words),
      element("div", { className: "row" }, element("label", {}, this.t("howManyQuestions"), this.number), this.startButton));
    this.fields.addEventListener("submit", (event) => {
      event.preventDefault();
      this.write();
    });
    return this.fields;
  }

  // What the session holds: questions in review, the address of the collection that they are in, or nothing.
  show({ response }) {
    this.review.hide();
    this.link.replaceChildren();
    if (typeof response === "string") {
      const { titleText, customMessage } = this.saved;
      this.link.append(element("h3", { textContent: titleText }), element("p", { textContent: customMessage }),
        this.linkTo(response));
    }
    else if (response) this.review.show(response);
    const count = response?.question_slots?.length;
    this.total.textContent = count ? this.t("questionCount", { count }) : "";
  }

  // The address is one within this site, or within Studio's.
  linkTo(address) {
    const key = address.split("/").at(-1);
    const title = this.library.collections.find((known) => known.key === key)?.title ?? key;
    return element("a", { href: `${this.page.client.base}/${address}`,
      textContent: this.saved.hyperlinkText ?? this.t("seeCollection", { title }) });
  }

  async write() {
    const answers = { yes: this.t("replace"), no: this.t("keepThem") };
    const isFree = this.review.questions.length === 0;
    if (!isFree && !await confirmed(this.body, this.t("confirmReplace"), answers)) return;
    this.start({ num_questions: this.number.valueAsNumber, extra_instructions: this.words.value.trim() });
  }

  take(response) {
    this.show({ response });
    this.page.announcer.say(this.t("questionsReady"));
    return this.review.heading;
  }

  async rewrite(index, words) {
    const input = { question_index: index, extra_instructions: words };
    return (await this.page.client.ask("regenerate_question", input)).response;
  }

  async save() {
    const { input, kept: sent } = this.review;
    this.lines.quiet();
    this.review.lines.tell(this.t("saving"));
    this.review.busy(true);
    try {
      this.settle(sent, await this.page.client.ask("save", input), input);
    } catch (problem) {
      const { failed = [] } = problem.details ?? {};
      this.review.settle(failed.length ? sent : [], failed);
      this.review.lines.fail(`${this.t("noneSaved")} ${failed.length ? "" : problem.message}`);
    }
    this.review.busy(false);
  }

  settle(sent, { response: address, saved, failed = [], message }, { collection_name: title }) {
    const key = address.split("/").at(-1);
    if (title && !this.library.collections.some((known) => known.key === key)) this.library.collections.push({ key, title });
    if (failed.length) {
      this.review.settle(sent, failed);
      this.review.aim(key);
      this.review.lines.fail(this.t("someSaved", { saved, failed: failed.length }));
      this.link.replaceChildren(this.linkTo(address));
      return;
    }
    this.show({ response: address });
    this.lines.tell(this.t("allSaved", { count: saved }));
    if (message) this.lines.fail(`${this.t("allSaved", { count: saved })} ${message}`);
    this.link.lastChild.focus();
  }

  async discard() {
    const answers = { yes: this.t("discard"), no: this.t("keepThem") };
    if (!await confirmed(this.body, this.t("confirmDiscard"), answers)) return;
    try {
      await this.page.client.ask("clear_session");
      this.show({});
      this.lines.tell(this.t("discarded"));
      this.startButton.focus();
    } catch (problem) {
      this.lines.fail(problem.message);
    }
  }
}

// Which library questions go to: as the page says, else as the profile does, else the author is asked.
function libraryOf(host, { libraryId, collections }) {
  let known = [];
  try {
    known = JSON.parse(host.getAttribute("collections") ?? "[]");
  } catch {
    // An attribute that is not JSON names no collections.
  }
  return { id: host.getAttribute("library-id") ?? libraryId ?? "", collections: [...known, ...(collections ?? [])] };
}
