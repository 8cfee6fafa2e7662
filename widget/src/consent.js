// The AI notice, which a person accepts before a model is called.
import { showUntilClosed } from "./confirm.js";
import { element, uniqueId } from "./dom.js";

export class Consent {
  constructor(context) {
    this.context = context;
    this.t = context.i18n.t;
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
      return true;
    } catch (error) {
      if (error.name === "AbortError") throw error;
      const changed = error.details?.notice;
      return this.#ask(changed ?? notice, changed ? this.t("consentChanged") : error.message);
    }
  }

  #createDialog({ text, providers = [] }, errorMessage) {
    const title = element("h2", { textContent: this.t("consentTitle"), id: uniqueId() });
    const body = element("div", { className: "notice", tabIndex: 0, dir: "auto", textContent: text });
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
