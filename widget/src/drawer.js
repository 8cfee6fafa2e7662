// What a chat looks like: a button that opens it, a drawer at the side with the messages and the field to write in.
import { confirmed } from "./confirm.js";
import { button, element, iconButton, uniqueId } from "./dom.js";
import { icon } from "./icons.js";

const NEAR_END = 40; // pixels from the end within which somebody reads along
const NARROW = "(max-width: 40rem)"; // there the drawer covers the page, so it has to keep the focus

export class Drawer {
  // `on` has what happens: open, send, stop, earlier, startOver.
  constructor(page, { openText, message, title }, on) {
    this.page = page;
    this.on = on;
    this.t = (id, values) => page.texts.say(id, values);
    this.openButton = button(openText, () => this.expand(!this.isOpen), "main open", icon("chat"));
    this.openButton.ariaHasPopup = "dialog";
    this.openButton.ariaExpanded = "false";
    this.node = element("section", { className: "card box", part: "box", ariaLabel: title },
      element("div", { className: "row" }, this.openButton,
        ...(message ? [element("p", { className: "message", textContent: message })] : [])));
    this.node.append(this.drawer(title));
  }

  drawer(title) {
    this.clearButton = iconButton(this.t("startOver"), () => this.confirm(), icon("again"), "quiet");
    const close = iconButton(this.t("close"), () => this.expand(false), icon("close"), "quiet");
    const heading = element("h2", { textContent: title, id: uniqueId() });
    // The messages themselves are not live: a reader hears a whole answer once, not every word as it comes.
    this.error = element("p", { className: "error", role: "alert" });
    this.panel = element("dialog", { className: "drawer", part: "drawer" },
      element("header", {}, icon("sparkle"), heading, this.clearButton, close), this.messages(), this.error, this.form(),
      ...this.page.announcer.nodes);
    this.panel.setAttribute("aria-labelledby", heading.id);
    if ("popover" in this.panel) this.panel.popover = "manual";
    this.panel.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.isComposing) return;
      event.preventDefault();
      this.expand(false);
    });
    this.panel.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.expand(false);
    });
    return this.panel;
  }

  messages() {
    this.earlierButton = button(this.t("earlier"), this.on.earlier, "earlier");
    this.earlierButton.hidden = true;
    this.list = element("ol", { role: "list" });
    this.log = element("div", { className: "log", role: "region", ariaLabel: this.t("conversation"), tabIndex: 0 },
      this.earlierButton, this.list);
    return this.log;
  }

  form() {
    this.hint = element("p", { className: "small hint", id: uniqueId(), textContent: this.t("hint") });
    this.input = element("textarea", { rows: 1, dir: "auto", part: "input", ariaLabel: this.t("message") });
    this.input.placeholder = this.input.ariaLabel;
    this.input.setAttribute("aria-describedby", this.hint.id);
    this.input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.on.send();
    });
    this.sendButton = element("button", { className: "main icon", part: "button", ariaLabel: this.t("send"),
      title: this.t("send") }, icon("send"));
    this.stopButton = iconButton(this.t("stop"), this.on.stop, icon("stop"));
    this.stopButton.hidden = true;
    const form = element("form", {}, element("div", { className: "writing" }, this.input, this.stopButton, this.sendButton),
      this.hint, this.page.limits.node);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.on.send();
      this.input.focus();
    });
    return form;
  }

  async confirm() {
    const answers = { yes: this.t("startOver"), no: this.t("keep") };
    if (await confirmed(this.panel, this.t("confirmStartOver"), answers)) this.on.startOver();
  }

  get isOpen() {
    return this.openButton.ariaExpanded === "true";
  }

  expand(isOpen) {
    if (isOpen === this.isOpen) return;
    this.openButton.ariaExpanded = String(isOpen);
    if (!isOpen) this.hide();
    else if (matchMedia(NARROW).matches) this.panel.showModal();
    else if (this.panel.showPopover) this.panel.showPopover();
    else this.panel.show();
    (isOpen ? this.input : this.openButton).focus();
    if (!isOpen) return;
    this.toEnd();
    this.on.open();
  }

  hide() {
    if (this.panel.open) this.panel.close();
    else this.panel.hidePopover();
  }

  busy(isBusy) {
    this.clearButton.disabled = isBusy;
    this.sendButton.hidden = isBusy;
    const hadFocus = this.stopButton.matches(":focus");
    this.stopButton.hidden = !isBusy;
    if (!isBusy && hadFocus) this.input.focus();
  }

  // Put older messages on top, and leave in place what is being read.
  prepend(items, hasMore) {
    const fromEnd = this.log.scrollHeight - this.log.scrollTop;
    this.list.prepend(...items);
    this.earlierButton.hidden = !hasMore;
    this.log.scrollTop = this.log.scrollHeight - fromEnd;
    this.page.announcer.say(this.t("earlierShown"));
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
