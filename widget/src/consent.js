// The AI notice, which a person accepts before a model is called, and a line to withdraw the consent.
import { showUntilClosed } from "./confirm.js";
import { button, element, uniqueId } from "./dom.js";
import { linkUrls } from "./sanitize.js";

export class Consent {
  constructor(context) {
    this.context = context;
    this.t = context.i18n.t;
    this.node = element("p", { className: "small consent-line" }); // empty until the notice is accepted
  }

  showAccepted(errorMessage = "") {
    this.node.replaceChildren(this.t("consentGiven"),
      button(this.t("withdrawConsent"), () => this.#withdraw(), "tertiary"),
      ...(errorMessage ? [element("span", { className: "error", role: "alert", textContent: errorMessage })] : []));
  }

  async #withdraw() {
    try {
      await this.context.client.withdrawConsent();
      this.node.textContent = this.t("consentWithdrawn");
      this.node.tabIndex = -1;
      this.node.focus(); // the button is gone
    } catch (error) {
      if (error.name === "AbortError") return;
      this.showAccepted(error.message);
      this.node.querySelector("button").focus();
    }
  }

  // Show a notice; resolves to whether it was accepted. Requests that need consent at the same time share one dialog.
  ask(notice) {
    this.pending ??= this.#ask(notice).finally(() => {
      this.pending = undefined;
    });
    return this.pending;
  }

  async #ask(notice, errorMessage = "") {
    if (!await showUntilClosed(this.context.root, this.#createDialog(notice, errorMessage))) return false;
    try {
      await this.context.client.acceptNotice(notice);
      this.showAccepted();
      return true;
    } catch (error) {
      if (error.name === "AbortError") throw error;
      const changed = error.details?.notice;
      return this.#ask(changed ?? notice, changed ? this.t("consentChanged") : error.message);
    }
  }

  #createDialog({ text, providers = [] }, errorMessage) {
    const title = element("h2", { textContent: this.t("consentTitle"), id: uniqueId() });
    const body = element("div", { className: "notice", tabIndex: 0, dir: "auto" }, ...linkUrls(text));
    for (const link of body.querySelectorAll("a")) link.target = "_blank"; // the dialog stays
    const names = new Intl.ListFormat(this.context.i18n.language).format(providers.map(({ provider, region }) =>
      (region ? this.t("consentProvider", { name: provider, region }) : provider)));
    const dialog = element("dialog", { className: "modal consent", part: "consent" },
      element("form", { method: "dialog" }, title,
        ...(errorMessage ? [element("p", { className: "error", role: "alert", textContent: errorMessage })] : []), body,
        ...(names ? [element("p", { className: "small", textContent: this.t("consentProviders", { names }) })] : []),
        element("div", { className: "row end" },
          element("button", { value: "", textContent: this.t("notNow") }),
          element("button", { value: "yes", className: "primary", textContent: this.t("accept") }))));
    dialog.setAttribute("aria-labelledby", title.id);
    return dialog;
  }
}
