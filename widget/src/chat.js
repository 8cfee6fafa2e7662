// The tutor chat: a conversation about the unit, kept by the server. No model is asked before somebody opens it.
import { asText } from "./box.js";
import { Drawer } from "./drawer.js";
import { Message } from "./message.js";
import { conversationIn, parted } from "./reading.js";
import { newTurn, Runner } from "./runner.js";

export class Chat {
  constructor(page, { request, response }) {
    this.page = page;
    this.runner = new Runner(page);
    this.t = (id, values) => page.texts.say(id, values);
    this.messages = [];
    const names = {
      openText: request.buttonText ?? this.t("askTutor"),
      message: request.customMessage,
      title: response.customMessage ?? this.t("tutor"),
    };
    this.drawer = new Drawer(page, names, {
      open: () => this.messages.length || this.isBusy || this.begin(),
      send: () => this.send(),
      stop: () => this.runner.stop(),
      earlier: () => this.earlier(),
      startOver: () => this.startOver(),
    });
    this.node = this.drawer.node;
  }

  // Show what was said before, or have the tutor greet.
  begin() {
    this.messages = [];
    this.drawer.list.replaceChildren();
    this.drawer.earlierButton.hidden = true;
    this.ask(newTurn(""));
  }

  send() {
    const text = this.drawer.input.value.trim();
    if (!text) return;
    this.queue(this.isBusy);
    if (this.isBusy) return;
    this.drawer.input.value = "";
    this.say(text);
  }

  say(text) {
    // The server takes the same words again for another try, and so do we.
    if (this.unanswered?.text === text) this.ask(this.unanswered);
    else {
      this.messages.at(-1)?.withdrawOffer();
      this.ask(newTurn(text, { question: this.append(new Message(this.page, "user", text)) }));
    }
  }

  // One turn, or another try of it.
  async ask(turn) {
    this.unanswered = undefined;
    this.busy(true);
    turn.question?.unmark();
    this.remove(turn.answer);
    turn.answer = this.append(new Message(this.page, "assistant"));
    this.page.announcer.quiet();
    this.working(turn.answer, this.t("thinking"));
    this.drawer.toEnd();
    const problem = await this.runner.run(turn, {
      text: (text) => turn.answer.stream(text, (draw) => this.drawer.follow(draw)),
      status: (words) => this.working(turn.answer, words),
      whole: (response) => this.take(turn, response),
      cut: (cut) => Object.assign(turn.answer, { cut }),
    });
    if (problem === null) return;
    this.drawer.follow(() => this.settle(turn, problem));
    this.busy(false);
    this.page.limits.refresh();
    if (this.isQueued && !problem) this.send();
    else this.queue(false);
  }

  working(answer, words) {
    this.drawer.follow(() => answer.working(words));
    this.page.announcer.working(words);
  }

  // A whole answer at once; or, when the chat opens, what was said before.
  take(turn, response) {
    const page = turn.text ? null : conversationIn(response);
    if (!page) {
      turn.answer.show(asText(response));
      return;
    }
    this.remove(turn.answer);
    page.messages.forEach((message) => this.append(this.restored(message)));
    this.drawer.earlierButton.hidden = !page.metadata?.has_more;
    if (page.messages.length) this.offer(page.messages.at(-1));
    this.drawer.toEnd();
  }

  // How a turn ended.
  settle(turn, problem) {
    const { question, answer } = turn;
    const isShown = this.messages.includes(answer);
    answer.working("");
    answer.show();
    if (problem) this.page.announcer.say(problem.words);
    else if (isShown && answer.text) this.page.announcer.read(answer.text, this.t("tutor"), answer.cut?.words);
    else this.page.announcer.quiet();
    for (const message of [question, answer]) if (message) message.isStored = !problem;
    if (problem) this.mark(turn, problem);
    else this.offerMore(answer);
  }

  // Say what went wrong with the last turn, where it shows, and offer another try.
  mark(turn, { words, canRetry = true }) {
    const { question, answer } = turn;
    if (question) this.unanswered = turn;
    if (question && !answer?.text) this.remove(answer);
    // A greeting that has begun is kept by the server as it is: there is nothing to ask again.
    const again = canRetry && (question || !answer.text) ? () => this.again(turn) : undefined;
    (answer?.text || !question ? answer : question).mark(words, this.t("retry"), again);
  }

  // Offer to continue an answer that was cut off.
  offerMore(answer) {
    answer.markCut(this.t("continue"), () => {
      this.drawer.input.focus();
      if (!this.isBusy) this.say(this.t("pleaseContinue"));
    });
  }

  again(turn) {
    this.drawer.input.focus();
    this.ask(turn);
  }

  // What became of the last message that was stored, if it did not go well.
  offer({ role, status }) {
    const [before, last] = [undefined, ...this.messages].slice(-2);
    const [question, answer] = role === "user" ? [last] : [before, last];
    if (last.cut) this.offerMore(last);
    else if (status && question) this.mark(newTurn(question.text, { question, answer }), { words: this.statusWords(status) });
    else if (role === "user") last.mark(this.t("pending"), this.t("checkAgain"), () => this.checkAgain());
  }

  checkAgain() {
    this.drawer.input.focus();
    this.begin();
  }

  async earlier() {
    this.drawer.earlierButton.disabled = true;
    // What may not have been stored is not counted: a message that comes twice is known by its id, a gap is not.
    const count = this.messages.filter((message) => message.isStored).length;
    const page = conversationIn(await this.run("lazy_load_chat_history", { current_messages: count }));
    this.drawer.earlierButton.disabled = false;
    if (!page) return;
    const known = new Set(this.messages.map((message) => message.id));
    const older = page.messages.filter(({ submission_id: id }) => !known.has(id)).map((each) => this.restored(each));
    this.messages.unshift(...older);
    this.drawer.prepend(older.map((message) => message.item), page.metadata?.has_more);
  }

  async startOver() {
    this.busy(true);
    const isCleared = (await this.run("clear_session", null)) !== undefined;
    this.busy(false);
    this.drawer.input.focus();
    if (isCleared) this.begin();
  }

  // Run a short action. Returns undefined when it failed, and says so.
  async run(action, input) {
    this.drawer.error.textContent = "";
    try {
      return (await this.page.client.ask(action, input)).response;
    } catch (problem) {
      if (!this.page.signal.aborted) this.drawer.error.textContent = problem.message;
      return undefined;
    }
  }

  append(message) {
    this.messages.push(message);
    this.drawer.list.append(message.item);
    return message;
  }

  remove(message) {
    this.messages = this.messages.filter((other) => other !== message);
    message?.item.remove();
  }

  // What is sent too early goes out after the answer, unless that fails.
  queue(isQueued) {
    this.isQueued = isQueued;
    this.drawer.hint.textContent = this.t(isQueued ? "queued" : "hint");
  }

  busy(isBusy) {
    this.isBusy = isBusy;
    this.drawer.busy(isBusy);
  }

  restored({ role, content, status, finish_reason: reason, submission_id: id }) {
    const { text, cut } = parted(content, reason);
    const message = Object.assign(new Message(this.page, role, text, id), { cut, isStored: true });
    if (cut) message.markCut();
    else if (status) message.mark(this.statusWords(status));
    return message;
  }

  statusWords(status) {
    return this.t(status === "interrupted" ? "cutOff" : "failed");
  }
}
