// What is left of the limits that hold here: one quiet line about the tightest, and none where nothing is limited.
import { element } from "./dom.js";
import { usedUp } from "./problem.js";

export class Limits {
  constructor({ client, texts }) {
    Object.assign(this, { client, texts });
    this.node = element("p", { className: "limits small", part: "limits" });
  }

  // Look again; a line that can't be had is not missed.
  async refresh() {
    if (this.client.isSignedOut) return;
    const { limits = [] } = await this.client.get("limits").catch(() => ({}));
    const [tightest] = limits.filter((entry) => entry.exhausted || entry.left !== null).sort((one, other) =>
      share(one) - share(other));
    this.node.textContent = tightest ? this.words(tightest) : "";
    this.node.classList.toggle("used", Boolean(tightest?.exhausted));
  }

  words(entry) {
    const { scope, period, kind, left, exhausted, resets_at: resetsAt } = entry;
    if (exhausted) return usedUp(this.texts, scope === "person", resetsAt);
    return kind === "requests" ? this.texts.say(`left.${period}`, { count: left })
      : this.texts.say(`leftShare.${period}`, { share: this.texts.share(share(entry)) });
  }
}

// Amounts of money are texts.
function share({ left, limit, exhausted }) {
  return exhausted ? 0 : Number(left) / Number(limit);
}
