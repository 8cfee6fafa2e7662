// Quiz questions for an author: have some written, review them, have single ones written anew, save them to a library.
import { element, fill, texts } from "./api.js";
import { Background } from "./background.js";
import { confirmed } from "./dialog.js";
import { Drawer } from "./drawer.js";
import { Review } from "./review.js";

const MOST = 20; // questions at a time, as the server has it

export class Quiz {
  constructor(section, place, { request, response }) {
    this.place = place;
    this.library = JSON.parse(document.getElementById("library").textContent);
    this.drawer = new Drawer(section, response?.config?.titleText ?? texts.quiz, () => this.load());
    this.lines = this.drawer.lines;
    this.background = new Background(place);
    this.review = new Review(this.library, {
      rewrite: async (index, words) => (await place.ask("regenerate_question",
        { question_index: index, extra_instructions: words })).response,
      save: () => this.save(),
      discard: () => this.discard(),
    });
    this.link = element("p");
    this.drawer.body.append(element("p", { textContent: texts.forAuthors }),
      this.form(request.config?.buttonText ?? texts.writeQuestions), this.background.box, this.lines.root, this.link,
      this.review.root);
  }

  form(writeText) {
    this.number = element("input", { type: "number", min: 1, max: MOST, value: 3, required: true });
    this.words = element("textarea", { rows: 2, dir: "auto" });
    this.writeButton = element("button", { textContent: writeText });
    this.fields = element("form", { hidden: true }, element("label", {}, texts.wishes, this.words),
      element("div", { className: "ai-row" }, element("label", {}, texts.howManyQuestions, this.number), this.writeButton));
    this.fields.addEventListener("submit", (event) => {
      event.preventDefault();
      this.write();
    });
    return this.fields;
  }

  async load() {
    try {
      this.show((await this.place.ask("get_current_session_response")).response);
      const outcome = await this.background.resume();
      if (outcome) this.finish(outcome);
    } catch (problem) {
      this.lines.fail(problem.message, texts.retry, () => this.load());
    }
    this.fields.hidden = false;
  }

  // What the session holds: questions in review, the address of the collection that they are in, or nothing.
  show(response) {
    this.review.hide();
    this.link.replaceChildren();
    if (typeof response === "string") this.link.append(this.linkTo(response));
    else if (response) this.review.show(response);
    this.drawer.count.textContent = response?.question_slots
      ? fill(texts.questionCount, { number: response.question_slots.length }) : "";
  }

  linkTo(address) {
    const key = address.split("/").at(-1);
    const title = this.library.collections.find((known) => known.key === key)?.title ?? key;
    return element("a", { href: `/${address}`, textContent: fill(texts.seeCollection, { title }) });
  }

  async write() {
    if (this.review.questions.length && !await confirmed(this.drawer.body, texts.confirmReplace, texts.replace)) return;
    this.lines.quiet();
    this.fields.hidden = true;
    const outcome = this.background.start({
      num_questions: this.number.valueAsNumber,
      extra_instructions: this.words.value.trim(),
    });
    this.background.cancelButton.focus();
    this.finish(await outcome);
  }

  // However it ended, that is said.
  finish({ status, response, error }) {
    this.fields.hidden = false;
    let focus = this.writeButton;
    if (status === "completed") {
      this.show(response);
      this.lines.announce(texts.questionsReady);
      focus = this.review.heading;
    } else if (error) this.lines.fail(error);
    else this.lines.tell(texts.cancelled);
    if (this.background.hadFocus) focus.focus();
  }

  async save() {
    const { input, kept: sent } = this.review;
    this.lines.quiet();
    this.review.lines.tell(texts.saving);
    this.review.busy(true);
    try {
      this.settle(sent, await this.place.ask("save", input), input);
    } catch (problem) {
      const { failed = [] } = problem.details ?? {};
      this.review.settle(failed.length ? sent : [], failed);
      this.review.lines.fail(`${texts.noneSaved} ${failed.length ? "" : problem.message}`);
    }
    this.review.busy(false);
  }

  settle(sent, { response: address, saved, failed, message }, { collection_name: title }) {
    const key = address.split("/").at(-1);
    if (title && !this.library.collections.some((known) => known.key === key)) this.library.collections.push({ key, title });
    if (failed.length) {
      this.review.settle(sent, failed);
      this.review.aim(key);
      this.review.lines.fail(fill(texts.someSaved, { number: saved, failed: failed.length }));
      this.link.replaceChildren(this.linkTo(address));
      return;
    }
    this.show(address);
    this.lines.tell(fill(texts.allSaved, { number: saved }));
    if (message) this.lines.fail(`${fill(texts.allSaved, { number: saved })} ${message}`);
    this.link.firstChild.focus();
  }

  async discard() {
    if (!await confirmed(this.drawer.body, texts.confirmDiscard, texts.discard)) return;
    try {
      await this.place.ask("clear_session");
      this.show(null);
      this.lines.tell(texts.discarded);
      this.writeButton.focus();
    } catch (problem) {
      this.lines.fail(problem.message);
    }
  }
}
