// What went wrong, in words for people.
const OWN_WORDS = {
  offline: "offline",
  streaming_failed: "cutOff",
  not_authenticated: "signedOut",
  invalid_api_key: "unavailable",
  llm_config_error: "unavailable",
  rate_limit_exceeded: "busy",
  context_window_exceeded: "tooMuchToRead",
  payload_too_large: "tooLong",
  duplicate_request: "stillAnswering",
  consent_required: "consentNeeded",
};
// The same again would fail again.
const FINAL = new Set(["payload_too_large", "context_window_exceeded", "quota_exceeded", "permission_denied",
  "workflow_not_found", "unknown_action", "parse_error"]);

export class Problem extends Error {
  // `details` are the other fields of the server's error; `wait` the seconds after which to try again, if known.
  constructor(texts, { code = "internal_error", message, status = 0, wait, ...details }) {
    super(words(texts, code, message, wait, details));
    Object.assign(this, { code, status, details });
  }

  // Would the same, asked again a little later, perhaps work?
  get isPassing() {
    return this.status === 0 || this.status >= 500;
  }

  get canRetry() {
    return !FINAL.has(this.code);
  }
}

function words(texts, code, message, wait, { scope, resets_at: resetsAt }) {
  if (code === "quota_exceeded") return usedUp(texts, scope === "person", resetsAt);
  const said = [message ?? []].flat().join(" ");
  const text = Object.hasOwn(OWN_WORDS, code) ? texts.say(OWN_WORDS[code]) : said || texts.say("failedGeneral");
  return wait && (code === "rate_limit_exceeded" || code === "service_unavailable")
    ? `${text} ${texts.say("tryAgainIn", { time: texts.after(wait) })}` : text;
}

// That nothing is left, and when there is something again.
export function usedUp(texts, isOwn, resetsAt) {
  const text = texts.say(isOwn ? "usedUp" : "usedUpHere");
  return resetsAt ? `${text} ${texts.say("backAt", { time: texts.moment(resetsAt) })}` : text;
}
