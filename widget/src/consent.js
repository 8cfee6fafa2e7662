// The notice that a person accepts before a model is asked.
import { answered } from "./confirm.js";
import { element, uniqueId } from "./dom.js";

export class Consent {
  constructor({ root, texts, client }) {
    Object.assign(this, { root, texts, client });
  }

  // Show a notice until it is accepted, which what was asked goes on after, or not. Asks once, whoever waits for it.
  ask(notice) {
    this.asked ??= this.settle(notice).finally(() => {
      this.asked = undefined;
    });
    return this.asked;
  }

  async settle(notice, remark = "") {
    if (!await answered(this.root, this.dialog(notice, remark))) return false;
    try {
      await this.client().acceptNotice(notice);
      return true;
    } catch (problem) {
      if (problem.name === "AbortError") throw problem;
      const changed = problem.details?.notice;
      return this.settle(changed ?? notice, changed ? this.texts.say("consentChanged") : problem.message);
    }
  }

  dialog({ text, providers = [] }, remark) {
    const { texts } = this;
    const title = element("h2", { textContent: texts.say("consentTitle"), id: uniqueId() });
    const body = element("div", { className: "notice", tabIndex: 0, dir: "auto", textContent: text });
    const names = new Intl.ListFormat(texts.language).format(providers.map(({ provider, region }) =>
      (region ? texts.say("consentProvider", { name: provider, region }) : provider)));
    const dialog = element("dialog", { className: "question consent", part: "consent" },
      element("form", { method: "dialog" }, title,
        ...(remark ? [element("p", { className: "error", role: "alert", textContent: remark })] : []), body,
        ...(names ? [element("p", { className: "small", textContent: texts.say("consentProviders", { names }) })] : []),
        element("div", { className: "row end" },
          element("button", { value: "", textContent: texts.say("notNow") }),
          element("button", { value: "yes", className: "main", textContent: texts.say("accept") }))));
    dialog.setAttribute("aria-labelledby", title.id);
    return dialog;
  }
}
