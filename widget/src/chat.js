// The tutor chat: a conversation about the unit, stored by the server. No model is called before the drawer is opened and,
// if the template has a greeting, before the learner asks something.
import { ApiError } from "./apiError.js";
import { showMessage } from "./dom.js";
import { Drawer } from "./drawer.js";
import { offerFeedback } from "./feedback.js";
import { icon } from "./icons.js";
import { Message } from "./message.js";
import { newTurn, Runner } from "./runner.js";
import { parseConversation, responseText, splitTruncationNotice } from "./streamReader.js";

const MODEL_GREETING = "model"; // in place of a greeting: the model writes it

export class Chat {
  constructor(context, { request, response }) {
    this.context = context;
    this.runner = new Runner(context);
    this.t = context.i18n.t;
    this.messages = [];
    this.greeting = response.greeting !== MODEL_GREETING && response.greeting;
    this.starters = response.starters ?? [];
    const texts = {
      openText: request.buttonText ?? this.t("askTutor"),
      customMessage: request.customMessage,
      title: response.customMessage ?? this.t("tutor"),
    };
    this.drawer = new Drawer(context, texts, {
      onOpen: (isReopened) => this.messages.length || this.isBusy || this.isLoading || this.#load(isReopened),
      onSend: () => this.#send(),
      onStop: () => this.runner.stop(),
      onEarlier: () => this.#loadEarlier(),
      onStartOver: () => this.#startOver(),
    });
    this.node = this.drawer.node;
    if (response.selectionText) this.#offerSelection(response.selectionText);
    // Once the node is in the page. A greeting of the model would cost a request that nobody asked for.
    if (this.greeting) queueMicrotask(() => this.drawer.reopen());
  }

  // Offer to ask about text that the learner selects on the page.
  #offerSelection(text) {
    const { signal } = this.context;
    const load = async () => {
      if (document.getSelection().isCollapsed) return;
      document.removeEventListener("selectionchange", load);
      const { offerQuestion } = await import("./widget-selection.js");
      if (!signal.aborted) offerQuestion(this.context, text, (passage) => this.#askAbout(text, passage));
    };
    document.addEventListener("selectionchange", load, { signal });
  }

  async #askAbout(text, passage) {
    this.drawer.setOpen(true);
    if (await this.loading !== false && !this.isBusy) {
      this.#ask(`${text}\n\n“${passage}”`, { text, passage });
    }
  }

  // Show the stored conversation; where there is none, the tutor greets the learner.
  #load(isQuiet = false) {
    const isReload = this.messages.length > 0;
    this.messages = [];
    this.drawer.list.replaceChildren();
    this.drawer.earlierButton.hidden = true;
    if (!this.greeting) {
      this.#run(newTurn(""));
      return;
    }
    if (!isReload) this.#greet();
    this.loading = this.#loadStored(isQuiet);
  }

  // Show the greeting of the template. It is no message of the conversation: the model does not know it.
  #greet() {
    this.welcome = new Message(this.context, "assistant", this.greeting);
    this.drawer.list.append(this.welcome.item);
    this.#showStarters();
  }

  // Show the stored conversation in place of the greeting. What the learner sends meanwhile is sent afterwards.
  // Returns whether that is possible.
  async #loadStored(isQuiet) {
    this.isLoading = true;
    this.drawer.clearButton.disabled = true;
    const stored = await this.#runAction("get_current_session_response", null, () => this.#load());
    this.isLoading = false;
    this.drawer.clearButton.disabled = false;
    if (stored) this.#showConversation(parseConversation(stored));
    else if (stored === null && !isQuiet) this.context.announcer.announceAnswer(this.greeting, this.t("tutor"));
    if (this.isQueued && stored !== undefined) this.#send();
    else this.#setQueued(false);
    return stored !== undefined;
  }

  // Until the learner has asked something, those of the template; then those that the last answer suggests.
  #showStarters() {
    const isNew = !this.messages.some(({ role }) => role === "user");
    const texts = isNew ? this.starters : this.messages.at(-1).followUps ?? [];
    this.drawer.showStarters(this.isBusy ? [] : texts, (text) => this.#sendStarter(text));
  }

  // What the learner has begun to write stays in the input.
  async #sendStarter(text) {
    this.drawer.input.focus();
    if (await this.loading !== false && !this.isBusy) this.#ask(text);
  }

  #send() {
    const text = this.drawer.input.value.trim();
    if (!text) return;
    const isWaiting = this.isBusy || this.isLoading;
    this.#setQueued(isWaiting);
    if (isWaiting) return;
    this.drawer.input.value = "";
    this.#ask(text);
  }

  // `input` is what is sent, if it differs from what is shown.
  #ask(text, input = text) {
    // The same question again is a retry, here as on the server.
    if (this.failedTurn?.question.text === text) this.#run(this.failedTurn);
    else {
      this.messages.at(-1)?.removeOffer();
      this.#run(newTurn(input, { question: this.#append(new Message(this.context, "user", text)) }));
    }
  }

  // Run a turn, or retry it.
  async #run(turn) {
    this.failedTurn = undefined;
    this.#setBusy(true);
    turn.question?.clearNote();
    this.#remove(turn.answer);
    turn.answer = this.#append(new Message(this.context, "assistant"));
    this.context.announcer.clear();
    this.#showProgress(turn.answer, this.t("thinking"));
    this.drawer.scrollToEnd();
    const failure = await this.runner.run(turn, {
      onText: (text) => turn.answer.stream(text, (render) => this.drawer.updateLog(render)),
      onStatus: (status) => this.#showProgress(turn.answer, status),
      onFollowUps: (followUps) => Object.assign(turn.answer, { followUps }),
      onCitation: (citation) => turn.answer.answer.citations.push(citation),
      onResponse: (response) => this.#showResponse(turn, response),
      onTruncated: (truncation) => Object.assign(turn.answer, { truncation }),
    });
    if (failure === null) return;
    this.drawer.updateLog(() => this.#finish(turn, failure));
    this.#setBusy(false);
    this.drawer.updateLog(() => this.#showStarters());
    this.context.limits.refresh();
    if (this.isQueued && !failure) this.#send();
    else this.#setQueued(false);
  }

  #showProgress(answer, status) {
    this.drawer.updateLog(() => answer.showProgress(status));
    this.context.announcer.announceProgress(status);
  }

  // A complete answer or, when the chat is opened, the stored conversation.
  #showResponse(turn, response) {
    const conversation = turn.input ? null : parseConversation(response);
    if (!conversation) {
      turn.answer.show(responseText(response));
      return;
    }
    this.#remove(turn.answer);
    this.#showConversation(conversation);
  }

  #showConversation(conversation) {
    conversation.messages.forEach((stored) => this.#append(this.#fromStored(stored)));
    this.drawer.earlierButton.hidden = !conversation.metadata?.has_more;
    if (conversation.messages.length) this.#showLastEnding(conversation.messages.at(-1));
    this.drawer.scrollToEnd();
  }

  #finish(turn, failure) {
    const { question, answer } = turn;
    const isShown = this.messages.includes(answer);
    const { announcer } = this.context;
    answer.showProgress("");
    answer.show();
    offerFeedback(this.context, answer.buttons, turn.runId);
    if (failure) announcer.announce(failure.message);
    else if (isShown && answer.text) announcer.announceAnswer(answer.text, this.t("tutor"), answer.truncation?.message);
    else announcer.clear();
    for (const message of [question, answer]) if (message) message.isStored = !failure;
    if (failure) this.#showFailure(turn, failure);
    else this.#offerContinuation(answer);
  }

  // Show how a turn failed at the message it belongs to, and offer a retry.
  #showFailure(turn, { canRetry = true, ...ending }) {
    const { question, answer } = turn;
    if (question) this.failedTurn = turn;
    if (question && !answer?.text) this.#remove(answer);
    // A greeting that broke off is stored by the server as it is, so there is nothing to retry.
    const retry = canRetry && (question || !answer.text) ? () => this.#retry(turn) : undefined;
    (answer?.text || !question ? answer : question).showEnding(ending, this.t("retry"), retry);
  }

  #offerContinuation(answer) {
    answer.showTruncation(this.t("continue"), () => {
      this.drawer.input.focus();
      if (!this.isBusy) this.#ask(this.t("pleaseContinue"));
    });
  }

  #retry(turn) {
    this.drawer.input.focus();
    this.#run(turn);
  }

  // Show how the last stored turn ended, unless it completed: cut off, failed, or not answered yet.
  #showLastEnding(stored) {
    const [previous, last] = [undefined, ...this.messages].slice(-2);
    const isQuestion = stored.role === "user";
    const [question, answer] = isQuestion ? [last] : [previous, last];
    if (last.truncation) this.#offerContinuation(last);
    else if (stored.status && question) {
      this.#showFailure(newTurn(question.text, { question, answer }), this.#endingOf(stored));
    } else if (isQuestion) {
      last.showEnding({ message: this.t("pending"), isNeutral: true }, this.t("checkAgain"), () => this.#reload());
    }
  }

  #reload() {
    this.drawer.input.focus();
    this.#load();
  }

  async #loadEarlier() {
    this.drawer.earlierButton.disabled = true;
    // Only messages that are certainly stored are counted. A count too low returns some messages twice, which their ids
    // show; a count too high would leave a gap.
    const count = this.messages.filter((message) => message.isStored).length;
    const conversation = parseConversation(await this.#runAction("lazy_load_chat_history", { current_messages: count }));
    this.drawer.earlierButton.disabled = false;
    if (!conversation) return;
    const known = new Set(this.messages.map((message) => message.id));
    const older = conversation.messages.filter(({ submission_id: id }) => !known.has(id))
      .map((stored) => this.#fromStored(stored));
    this.messages.unshift(...older);
    this.drawer.prepend(older.map((message) => message.item), conversation.metadata?.has_more);
  }

  async #startOver() {
    this.#setBusy(true);
    const isCleared = (await this.#runAction("clear_session", null)) !== undefined;
    this.#setBusy(false);
    this.drawer.input.focus();
    if (!isCleared) return;
    this.messages = [];
    this.#load();
  }

  // Run an action other than a turn. Shows an error if it fails, with a button if `retry` is given, and returns undefined.
  async #runAction(action, input, retry) {
    this.drawer.error.replaceChildren();
    try {
      return (await this.context.client.runAction(action, input)).response;
    } catch (error) {
      if (!this.context.signal.aborted) {
        showMessage(this.drawer.error, error.message, this.t("retry"), error.canRetry && retry, icon("again"));
      }
      return undefined;
    }
  }

  #append(message) {
    this.welcome?.item.remove();
    this.messages.push(message);
    this.#showStarters();
    this.drawer.list.append(message.item);
    return message;
  }

  #remove(message) {
    this.messages = this.messages.filter((other) => other !== message);
    message?.item.remove();
  }

  // A message sent while an answer arrives stays in the input, and is sent after the answer, unless that fails.
  #setQueued(isQueued) {
    this.isQueued = isQueued;
    this.drawer.hint.textContent = this.t(isQueued ? "queued" : "hint");
  }

  #setBusy(isBusy) {
    this.isBusy = isBusy;
    this.drawer.setBusy(isBusy);
  }

  #fromStored(stored) {
    const { role, content, status, finish_reason: reason, submission_id: id, citations, follow_ups: followUps } = stored;
    const { text, truncation } = splitTruncationNotice(content, reason);
    const message = Object.assign(new Message(this.context, role, text, id, citations), { truncation, followUps, isStored: true });
    offerFeedback(this.context, message.buttons, stored.run_id, stored.feedback);
    if (truncation) message.showTruncation();
    else if (status) message.showEnding(this.#endingOf(stored));
    return message;
  }

  // How a stored turn without a complete answer ended. Turns of earlier versions have no code.
  #endingOf({ status, code }) {
    const isRefused = status === "refused"; // by a moderator or a filter, which would refuse a retry, too
    const { message, isNeutral } = new ApiError(this.context.i18n, { code: isRefused ? "answer_declined" : code,
      message: this.t(status === "interrupted" ? "cutOff" : "failed") });
    return { message, isNeutral, canRetry: !isRefused };
  }
}
