// One line about the limit with the smallest share left, once little is left. Until then it is empty.
import { limitReachedMessage } from "./apiError.js";
import { element } from "./dom.js";

const LITTLE = 0.2; // a fifth

export class Limits {
  constructor({ client, i18n }) {
    Object.assign(this, { client, i18n });
    this.node = element("p", { className: "limits small", part: "limits" });
  }

  // Ask the server for the limits. If that fails, the line stays empty: it is not worth an error message.
  async refresh() {
    if (this.client.isSignedOut) return;
    const { limits = [] } = await this.client.get("limits").catch(() => ({}));
    const [tightest] = limits.filter((limit) => limit.exhausted || limit.left !== null).sort((one, other) =>
      fractionLeft(one) - fractionLeft(other));
    this.node.textContent = tightest && isNearlyUsedUp(tightest) ? this.#message(tightest) : "";
    this.node.classList.toggle("exhausted", Boolean(tightest?.exhausted));
  }

  #message(limit) {
    const { scope, period, kind, left, exhausted, resets_at: resetsAt } = limit;
    if (exhausted) return limitReachedMessage(this.i18n, scope === "person", resetsAt);
    return kind === "requests" ? this.i18n.t(`left.${period}`, { count: left })
      : this.i18n.t(`leftShare.${period}`, { share: this.i18n.formatPercent(fractionLeft(limit)) });
  }
}

function isNearlyUsedUp(limit) {
  return fractionLeft(limit) <= LITTLE || (limit.kind === "requests" && limit.left <= 1);
}

// Amounts of money are strings.
function fractionLeft({ left, limit, exhausted }) {
  return exhausted ? 0 : Number(left) / Number(limit);
}
