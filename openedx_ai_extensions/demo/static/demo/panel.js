// What a chat looks like: a button that opens it, the messages, the field to write in, and a question before forgetting.
import { button, element, texts } from "./api.js";
import { confirmed } from "./dialog.js";

const NEAR_END = 40; // pixels from the end within which somebody reads along

export class Panel {
  // `on` has what happens: open, send, stop, earlier, startOver.
  constructor(section, { openText, title }, on) {
    this.on = on;
    this.openButton = button(openText, () => this.expand(true), "ai-open");
    this.clearButton = button(texts.startOver, () => this.confirm(), "plain");
    const close = button(texts.close, () => this.expand(false), "plain");
    this.earlierButton = button(texts.earlier, on.earlier, "plain ai-earlier");
    this.earlierButton.hidden = true;
    this.list = element("ol", { role: "list" });
    this.log = element("div", { className: "ai-log", role: "region", ariaLabel: texts.conversation, tabIndex: 0 });
    this.log.append(this.earlierButton, this.list);
    // The messages themselves are not live: a reader hears a whole answer once, not every word as it comes.
    this.status = element("p", { className: "ai-hidden", role: "status" });
    this.error = element("p", { className: "ai-error", role: "alert" });
    this.panel = element("div", { className: "ai-panel", hidden: true },
      element("header", { className: "ai-row" }, element("h2", { textContent: title }), this.clearButton, close),
      this.log, this.status, this.error, this.form());
    this.panel.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.target.closest("dialog")) this.expand(false);
    });
    section.append(this.openButton, this.panel);
    section.ariaLabel = title;
    section.hidden = false;
  }

  form() {
    this.hint = element("p", { className: "ai-hint", id: "ai-chat-hint", textContent: texts.hint });
    this.input = element("textarea", { rows: 2, dir: "auto", ariaLabel: texts.message, placeholder: texts.message });
    this.input.setAttribute("aria-describedby", this.hint.id);
    this.input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.on.send();
    });
    this.sendButton = element("button", { textContent: texts.send });
    this.stopButton = button(texts.stop, this.on.stop, "plain");
    this.stopButton.hidden = true;
    const form = element("form", {}, this.input,
      element("div", { className: "ai-row" }, this.hint, this.stopButton, this.sendButton));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.on.send();
      this.input.focus();
    });
    return form;
  }

  async confirm() {
    if (await confirmed(this.panel, texts.confirmStartOver, texts.startOver, texts.keep)) this.on.startOver();
  }

  expand(isOpen) {
    this.panel.hidden = !isOpen;
    this.openButton.hidden = isOpen;
    (isOpen ? this.input : this.openButton).focus();
    if (!isOpen) return;
    this.toEnd();
    this.on.open();
  }

  busy(isBusy) {
    this.clearButton.disabled = isBusy;
    this.sendButton.hidden = isBusy;
    if (!isBusy && document.activeElement === this.stopButton) this.input.focus();
    this.stopButton.hidden = !isBusy;
  }

  tell(words) {
    this.status.textContent = words;
  }

  // Put older messages on top, and leave in place what is being read.
  prepend(items, hasMore) {
    const fromEnd = this.log.scrollHeight - this.log.scrollTop;
    this.list.prepend(...items);
    this.earlierButton.hidden = !hasMore;
    this.log.scrollTop = this.log.scrollHeight - fromEnd;
    this.tell(texts.earlierShown);
    (hasMore ? this.earlierButton : this.log).focus({ preventScroll: true });
  }

  // Stay at the end while something grows, unless somebody reads further up.
  follow(change) {
    const { scrollHeight, scrollTop, clientHeight } = this.log;
    change();
    if (scrollHeight - scrollTop - clientHeight < NEAR_END) this.toEnd();
  }

  toEnd() {
    this.log.scrollTop = this.log.scrollHeight;
  }
}
