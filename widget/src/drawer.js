// The view of a chat: a button that opens it, and a drawer with the messages and the input. The drawer docks at the side
// of the page; a narrow page it covers.
import { confirmInDialog } from "./confirm.js";
import { Dock } from "./dock.js";
import { button, element, iconButton, ignoreSecondClick, uniqueId } from "./dom.js";
import { icon } from "./icons.js";

const NEAR_END_PX = 40; // a reader this close to the end is taken to follow the answer
const NARROW = matchMedia("(max-width: 699px)"); // here the drawer is a modal that keeps the focus
let openDrawer; // there is room for one

export class Drawer {
  // `handlers`: onOpen, onSend, onStop, onEarlier, onStartOver.
  constructor(context, { openText, customMessage, title }, handlers) {
    this.context = context;
    this.handlers = handlers;
    this.t = context.i18n.t;
    this.openButton = button(openText, () => this.setOpen(!this.isOpen), "primary open", icon("chat"));
    this.openButton.ariaHasPopup = "dialog";
    this.openButton.ariaExpanded = "false";
    this.node = element("section", { className: "card card-body", part: "box", ariaLabel: title },
      element("div", { className: "row" }, this.openButton,
        ...(customMessage ? [element("p", { className: "custom-message", textContent: customMessage })] : [])));
    this.node.append(this.#createPanel(title));
    NARROW.addEventListener("change", () => {
      if (!this.isOpen) return;
      this.#hidePanel();
      this.#showPanel();
    }, { signal: context.signal });
  }

  #createPanel(title) {
    this.clearButton = iconButton(this.t("startOver"), () => this.#confirmStartOver(), icon("again"), "tertiary");
    const closeButton = iconButton(this.t("close"), () => this.setOpen(false), icon("close"), "tertiary");
    const heading = element("h2", { textContent: title, id: uniqueId() });
    // The message list is not a live region: a screen reader hears the complete answer once, from the announcer.
    this.error = element("div", { className: "error", role: "alert" });
    this.panel = element("dialog", { className: "drawer", part: "drawer" },
      element("header", {}, icon("sparkle"), heading, this.clearButton, closeButton), this.#createLog(), this.error,
      this.#createForm(), ...this.context.announcer.nodes);
    this.panel.setAttribute("aria-labelledby", heading.id);
    this.panel.popover = "manual";
    this.dock = new Dock(this.panel, this.t("resize"), this.context.client.query, this.context.signal);
    this.panel.prepend(this.dock.handle);
    this.panel.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.isComposing) return;
      event.preventDefault();
      this.setOpen(false);
    });
    this.panel.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.setOpen(false);
    });
    return this.panel;
  }

  #createLog() {
    this.earlierButton = button(this.t("earlier"), this.handlers.onEarlier, "earlier");
    this.earlierButton.hidden = true;
    this.list = element("ol", { role: "list" });
    this.starters = element("ul", { className: "starters", role: "list", ariaLabel: this.t("starters"), hidden: true });
    this.log = element("div", { className: "log", role: "region", ariaLabel: this.t("conversation"), tabIndex: 0 },
      this.earlierButton, this.list, this.starters);
    // Formulas and code grow when they are typeset, some time after they are shown.
    this.isFollowing = true; // until the reader scrolls up
    this.log.addEventListener("scroll", () => {
      const isUp = this.log.scrollTop < this.scrollTop;
      this.scrollTop = this.log.scrollTop;
      this.isFollowing = this.#isNearEnd || (this.isFollowing && !isUp);
    });
    new ResizeObserver(() => {
      if (this.isFollowing) this.scrollToEnd();
    }).observe(this.list);
    return this.log;
  }

  #createForm() {
    this.hint = element("p", { className: "small hint", id: uniqueId(), textContent: this.t("hint") });
    this.input = element("textarea", { rows: 1, dir: "auto", part: "input", ariaLabel: this.t("message") });
    this.input.placeholder = this.input.ariaLabel;
    this.input.setAttribute("aria-describedby", this.hint.id);
    this.input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.handlers.onSend();
    });
    this.sendButton = element("button", { className: "primary icon-button", part: "button", ariaLabel: this.t("send"),
      title: this.t("send") }, icon("send"));
    this.stopButton = ignoreSecondClick(iconButton(this.t("stop"), this.handlers.onStop, icon("stop")));
    this.stopButton.hidden = true;
    const form = element("form", {},
      element("div", { className: "composer" }, this.input, this.stopButton, this.sendButton), this.hint,
      this.context.limits.node, this.context.consent.node);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.handlers.onSend();
      this.input.focus();
    });
    return form;
  }

  async #confirmStartOver() {
    const labels = { yes: this.t("startOver"), no: this.t("keep") };
    if (await confirmInDialog(this.panel, this.t("confirmStartOver"), labels)) this.handlers.onStartOver();
  }

  get isOpen() {
    return this.openButton.ariaExpanded === "true";
  }

  setOpen(isOpen) {
    if (isOpen === this.isOpen) return;
    this.openButton.ariaExpanded = String(isOpen);
    this.dock.remember(isOpen);
    if (isOpen) this.#showPanel();
    else this.#hidePanel();
    (isOpen ? this.input : this.openButton).focus();
    if (isOpen) this.handlers.onOpen();
  }

  // Open the drawer again if it was open when the page was left. The focus stays where it is.
  reopen() {
    if (!this.dock.wasOpen || NARROW.matches || openDrawer) return;
    const { activeElement } = document;
    this.openButton.ariaExpanded = "true";
    this.#showPanel();
    this.panel.getRootNode().activeElement?.blur(); // a dialog takes the focus
    activeElement?.focus({ preventScroll: true });
    this.handlers.onOpen(true);
  }

  #showPanel() {
    if (openDrawer !== this) openDrawer?.close();
    openDrawer = this;
    if (NARROW.matches) {
      this.panel.showModal();
      this.dock.cover();
    } else {
      this.panel.showPopover();
      this.dock.dock();
    }
    this.scrollToEnd();
  }

  #hidePanel() {
    openDrawer = undefined;
    this.dock.undock();
    if (this.panel.open) this.panel.close();
    else this.panel.hidePopover();
  }

  // Without moving the focus.
  close() {
    this.openButton.ariaExpanded = "false";
    this.dock.remember(false);
    this.#hidePanel();
  }

  setBusy(isBusy) {
    this.clearButton.disabled = isBusy;
    this.sendButton.hidden = isBusy;
    const hadFocus = this.stopButton.matches(":focus");
    this.stopButton.hidden = !isBusy;
    if (!isBusy && hadFocus) this.input.focus();
  }

  // Show questions that the learner can ask with one click.
  showStarters(texts, onClick) {
    this.starters.hidden = !texts.length;
    this.starters.replaceChildren(...texts.map((text) => {
      const starter = button(text, () => onClick(text));
      starter.dir = "auto";
      return element("li", {}, starter);
    }));
  }

  // Add older messages above, and keep the scroll position of what is being read.
  prepend(items, hasMore) {
    const fromEnd = this.log.scrollHeight - this.log.scrollTop;
    this.list.prepend(...items);
    this.earlierButton.hidden = !hasMore;
    this.log.scrollTop = this.log.scrollHeight - fromEnd;
    this.context.announcer.announce(this.t("earlierShown"));
    (hasMore ? this.earlierButton : this.log).focus({ preventScroll: true });
  }

  // Apply a change to the messages and stay scrolled to the end, unless the reader has scrolled up.
  updateLog(change) {
    const isNearEnd = this.#isNearEnd;
    change();
    if (isNearEnd) this.scrollToEnd();
  }

  get #isNearEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.log;
    return scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
  }

  scrollToEnd() {
    this.log.scrollTop = this.log.scrollHeight;
  }
}
