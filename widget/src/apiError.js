// How a request ended without a complete answer: an error of the API or of the connection to it, or one of the endings
// below that are no faults. With a message for people.

// Ids of the messages for these codes. Other codes show the server's own message.
const MESSAGE_IDS = {
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
  answer_declined: "declined",
  answer_too_long: "answerTooLong",
  cancelled: "stopped",
};
// These are not shown as errors.
const NEUTRAL_CODES = new Set(["answer_declined", "answer_too_long", "cancelled"]);
// A retry would fail again.
const PERMANENT_CODES = new Set(["payload_too_large", "context_window_exceeded", "quota_exceeded", "permission_denied",
  "workflow_not_found", "unknown_action", "parse_error"]);

export class ApiError extends Error {
  // `details` are the other fields of the server's error; `retryAfter` is in seconds, from the header of that name.
  constructor(i18n, { code = "internal_error", message, status = 0, retryAfter, ...details }) {
    super(errorMessage(i18n, code, message, retryAfter, details));
    Object.assign(this, { code, status, details });
  }

  // Whether the same request may succeed a little later.
  get isTransient() {
    return this.status === 0 || this.status >= 500;
  }

  // What a moderator or a filter of the site rejects has a reason.
  get isNeutral() {
    return NEUTRAL_CODES.has(this.code) || ["moderation", "filter"].includes(this.details.reason);
  }

  get canRetry() {
    return !PERMANENT_CODES.has(this.code);
  }
}

function errorMessage(i18n, code, message, retryAfter, { scope, resets_at: resetsAt }) {
  if (code === "quota_exceeded") return limitReachedMessage(i18n, scope === "person", resetsAt);
  const serverMessage = [message ?? []].flat().join(" "); // validation errors are lists
  const text = Object.hasOwn(MESSAGE_IDS, code) ? i18n.t(MESSAGE_IDS[code]) : serverMessage || i18n.t("failedGeneral");
  return retryAfter && (code === "rate_limit_exceeded" || code === "service_unavailable")
    ? `${text} ${i18n.t("tryAgainIn", { time: i18n.formatDelay(retryAfter) })}` : text;
}

// That a limit is reached and, where known, when it resets. `isPersonal`: the limit is the person's own.
export function limitReachedMessage(i18n, isPersonal, resetsAt) {
  const text = i18n.t(isPersonal ? "usedUp" : "usedUpHere");
  return resetsAt ? `${text} ${i18n.t("backAt", { time: i18n.formatDateTime(resetsAt) })}` : text;
}
