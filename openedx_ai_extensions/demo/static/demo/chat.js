// The tutor chat: a conversation about the unit, kept by the server. No model is asked before somebody opens it.
import { events, isJson, refusal, texts } from "./api.js";
import { Message } from "./message.js";
import { Panel } from "./panel.js";

const WAIT = 1000; // ms between two tries while the server is still at work on the same request
const TRIES = 20;

export class Chat {
  constructor(section, place, { request, response }) {
    this.place = place;
    this.messages = [];
    const names = {
      openText: request.config?.buttonText ?? texts.askTutor,
      title: response?.config?.customMessage ?? texts.tutor,
    };
    this.panel = new Panel(section, names, {
      open: () => this.messages.length || this.isBusy || this.begin(),
      send: () => this.send(),
      stop: () => this.controller.abort(),
      earlier: () => this.earlier(),
      startOver: () => this.startOver(),
    });
  }

  // Show what was said before, or have the tutor greet.
  begin() {
    this.messages = [];
    this.panel.list.replaceChildren();
    this.panel.earlierButton.hidden = true;
    this.ask(newTurn(""));
  }

  send() {
    const text = this.panel.input.value.trim();
    if (!text) return;
    this.queue(this.isBusy);
    if (this.isBusy) return;
    this.panel.input.value = "";
    // The server takes the same words again for another try, and so do we.
    if (this.unanswered?.text === text) this.ask(this.unanswered);
    else {
      this.messages.at(-1)?.withdrawOffer();
      this.ask(newTurn(text, this.append(new Message("user", text))));
    }
  }

  // One turn. Another try has the same request id, so that the server answers it once, whatever became of the first.
  async ask(turn) {
    this.controller = new AbortController();
    this.unanswered = undefined;
    this.busy(true);
    turn.question?.unmark();
    this.remove(turn.answer);
    turn.answer = this.append(new Message("assistant"));
    this.working(turn.answer, texts.thinking);
    this.panel.toEnd();
    let problem;
    try {
      const response = await this.post(turn);
      if (!response.ok) problem = await refusal(response);
      else if (isJson(response)) this.take(turn, (await response.json()).response);
      else problem = await this.listen(response.body, turn.answer);
    } catch (error) {
      problem = error.name === "AbortError" ? texts.stopped : texts.offline;
    }
    this.panel.follow(() => this.settle(turn, problem));
    this.busy(false);
    if (this.isQueued && !problem) this.send();
    else this.queue(false);
  }

  async post({ text, requestId }) {
    const options = { requestId, signal: this.controller.signal, accept: "text/event-stream, application/json" };
    for (let tries = 1; ; tries += 1) {
      const response = await this.place.run("run", text || null, options);
      if (response.status !== 409 || tries === TRIES) return response;
      await new Promise((resolve) => setTimeout(resolve, WAIT));
    }
  }

  // Read a stream into the answer. Returns what went wrong, in words.
  async listen(body, answer) {
    for await (const { name, data } of events(body)) {
      if (name === "delta") this.panel.follow(() => answer.add(data.text));
      if (name === "status") this.working(answer, data.message);
      if (name === "tool" && data.state !== "completed") this.working(answer, toolWords(data));
      if (name === "error") return data.message;
      if (name === "done") return undefined;
    }
    return texts.cutOff;
  }

  working(answer, words) {
    this.panel.follow(() => answer.working(words));
    this.panel.tell(words);
  }

  // A whole answer at once; or, when the chat opens, what was said before.
  take(turn, response) {
    const page = turn.text ? null : pageIn(response);
    if (!page) {
      turn.answer.show(response);
      return;
    }
    this.remove(turn.answer);
    page.messages.forEach((message) => this.append(restored(message)));
    this.panel.earlierButton.hidden = !page.metadata.has_more;
    if (page.messages.length) this.offer(page.messages.at(-1));
    this.panel.toEnd();
  }

  // How a turn ended.
  settle(turn, problem) {
    const { question, answer } = turn;
    answer.working("");
    answer.show(answer.text);
    this.panel.tell(problem ?? (answer.text && `${texts.tutor}: ${answer.text}`));
    for (const message of [question, answer]) if (message) message.isStored = !problem;
    if (problem) this.mark(turn, problem);
  }

  // Say what went wrong with the last turn, where it shows, and offer another try.
  mark(turn, words) {
    const { question, answer } = turn;
    if (question) this.unanswered = turn;
    if (question && !answer?.text) this.remove(answer);
    // A greeting that has begun is kept by the server as it is: there is nothing to ask again.
    const again = question || !answer.text ? () => this.again(turn) : undefined;
    (answer?.text || !question ? answer : question).mark(words, texts.retry, again);
  }

  again(turn) {
    this.panel.input.focus();
    this.ask(turn);
  }

  // What became of the last message that was stored, if it did not go well.
  offer({ role, status }) {
    const [before, last] = [undefined, ...this.messages].slice(-2);
    const [question, answer] = role === "user" ? [last] : [before, last];
    if (status && question) this.mark({ ...newTurn(question.text, question), answer }, statusWords(status));
    else if (role === "user") last.mark(texts.pending, texts.checkAgain, () => this.checkAgain());
  }

  checkAgain() {
    this.panel.input.focus();
    this.begin();
  }

  async earlier() {
    this.panel.earlierButton.disabled = true;
    // What may not have been stored is not counted: a message that comes twice is known by its id, a gap is not.
    const count = this.messages.filter((message) => message.isStored).length;
    const page = pageIn(await this.run("lazy_load_chat_history", { current_messages: count }));
    this.panel.earlierButton.disabled = false;
    if (!page) return;
    const known = new Set(this.messages.map((message) => message.id));
    const older = page.messages.filter(({ submission_id: id }) => !known.has(id)).map(restored);
    this.messages.unshift(...older);
    this.panel.prepend(older.map((message) => message.item), page.metadata.has_more);
  }

  async startOver() {
    this.busy(true);
    const isCleared = (await this.run("clear_session", null)) !== undefined;
    this.busy(false);
    this.panel.input.focus();
    if (isCleared) this.begin();
  }

  // Run a short action. Returns undefined when it failed, and says so.
  async run(action, input) {
    this.panel.error.textContent = "";
    try {
      const response = await this.place.run(action, input);
      if (response.ok) return (await response.json()).response;
      this.panel.error.textContent = await refusal(response);
    } catch {
      this.panel.error.textContent = texts.offline;
    }
    return undefined;
  }

  append(message) {
    this.messages.push(message);
    this.panel.list.append(message.item);
    return message;
  }

  remove(message) {
    this.messages = this.messages.filter((other) => other !== message);
    message?.item.remove();
  }

  // What is sent too early goes out after the answer, unless that fails.
  queue(isQueued) {
    this.isQueued = isQueued;
    this.panel.hint.textContent = isQueued ? texts.queued : texts.hint;
  }

  busy(isBusy) {
    this.isBusy = isBusy;
    this.panel.busy(isBusy);
  }
}

function newTurn(text, question) {
  return { text, question, requestId: crypto.randomUUID() };
}

// The messages in an answer that holds any.
function pageIn(response) {
  try {
    const page = JSON.parse(response);
    return page?.messages ? page : null;
  } catch {
    return null;
  }
}

function restored({ role, content, status, submission_id: id }) {
  const message = new Message(role, content, id);
  message.isStored = true;
  if (status) message.mark(statusWords(status));
  return message;
}

function statusWords(status) {
  return status === "interrupted" ? texts.cutOff : texts.failed;
}

// A tool's name comes from a model, so it may be anything.
function toolWords({ name, state }) {
  if (state === "failed") return texts.toolFailed;
  return Object.hasOwn(texts.tools, name) ? texts.tools[name] : texts.tools[""];
}
