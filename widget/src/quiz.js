// Quiz questions for an author: have some written, review them, have single ones written anew, save them to a library.
import { Background } from "./background.js";
import { confirmed } from "./confirm.js";
import { element } from "./dom.js";
import { Fold } from "./fold.js";
import { Review } from "./review.js";

const MOST = 20; // questions at a time, as the server has it

export class Quiz {
  constructor(page, { request, response }) {
    this.page = page;
    this.t = (id, values) => page.texts.say(id, values);
    this.library = libraryOf(page.host, request);
    const title = response.titleText ?? request.titleText ?? this.t("quiz");
    this.fold = new Fold({ title, picture: "quiz", intro: this.t("forAuthors") }, () => this.load());
    this.node = this.fold.node;
    this.lines = this.fold.lines;
    this.background = new Background(page);
    this.review = new Review(page.texts, this.library, {
      rewrite: (index, words) => this.rewrite(index, words),
      save: () => this.save(),
      discard: () => this.discard(),
    });
    this.link = element("p");
    this.fold.body.append(this.form(request.buttonText ?? this.t("writeQuestions")), this.background.node, this.lines.node,
      this.link, this.review.node, page.limits.node);
  }

  form(writeText) {
    this.number = element("input", { type: "number", min: 1, max: MOST, value: 3, required: true });
    this.words = element("textarea", { rows: 2, dir: "auto" });
    this.writeButton = element("button", { className: "main", textContent: writeText });
    this.fields = element("form", { hidden: true },
      element("label", { className: "block" }, this.t("wishes"), this.words),
      element("div", { className: "row" }, element("label", {}, this.t("howManyQuestions"), this.number), this.writeButton));
    this.fields.addEventListener("submit", (event) => {
      event.preventDefault();
      this.write();
    });
    return this.fields;
  }

  async load() {
    try {
      this.show((await this.page.client.ask("get_current_session_response")).response);
      this.page.limits.refresh();
      const outcome = await this.background.resume();
      if (outcome) this.finish(outcome);
    } catch (problem) {
      if (this.page.signal.aborted) return;
      this.lines.fail(problem.message, this.t("retry"), () => this.load());
    }
    this.fields.hidden = false;
  }

  // What the session holds: questions in review, the address of the collection that they are in, or nothing.
  show(response) {
    this.review.hide();
    this.link.replaceChildren();
    if (typeof response === "string") this.link.append(this.linkTo(response));
    else if (response) this.review.show(response);
    const count = response?.question_slots?.length;
    this.fold.count.textContent = count ? this.t("questionCount", { count }) : "";
  }

  // The address is one within this site, or within Studio's.
  linkTo(address) {
    const key = address.split("/").at(-1);
    const title = this.library.collections.find((known) => known.key === key)?.title ?? key;
    return element("a", { href: `${this.page.client.base}/${address}`, textContent: this.t("seeCollection", { title }) });
  }

  async write() {
    const answers = { yes: this.t("replace"), no: this.t("keepThem") };
    const isFree = this.review.questions.length === 0;
    if (!isFree && !await confirmed(this.fold.body, this.t("confirmReplace"), answers)) return;
    this.lines.quiet();
    this.fields.hidden = true;
    const outcome = this.background.start({
      num_questions: this.number.valueAsNumber,
      extra_instructions: this.words.value.trim(),
    });
    this.background.cancelButton.focus();
    this.finish(await outcome.catch(() => ({ status: "gone" })));
  }

  // However it ended, that is said.
  finish({ status, response, words }) {
    if (status === "gone") return;
    this.fields.hidden = false;
    let focus = this.writeButton;
    if (status === "completed") {
      this.show(response);
      this.page.announcer.say(this.t("questionsReady"));
      focus = this.review.heading;
    } else if (words) this.lines.fail(words);
    else if (status === "long") this.lines.fail(this.t("takesLong"), this.t("checkAgain"), () => this.load());
    else this.lines.tell(this.t("cancelled"));
    if (this.background.hadFocus) focus.focus();
    this.page.limits.refresh();
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
    this.show(address);
    this.lines.tell(this.t("allSaved", { count: saved }));
    if (message) this.lines.fail(`${this.t("allSaved", { count: saved })} ${message}`);
    this.link.firstChild.focus();
  }

  async discard() {
    const answers = { yes: this.t("discard"), no: this.t("keepThem") };
    if (!await confirmed(this.fold.body, this.t("confirmDiscard"), answers)) return;
    try {
      await this.page.client.ask("clear_session");
      this.show(null);
      this.lines.tell(this.t("discarded"));
      this.writeButton.focus();
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
