// The person's last answer at this place, which the server keeps if the profile wants it. Only a browser that got an
// answer here asks for it when the page opens: for all other pages, that would be one more request.
const PREFIX = "openedx-ai-answer:";

export class KeptAnswer {
  constructor({ client }) {
    this.client = client;
    this.key = PREFIX + client.query;
  }

  get isExpected() {
    try {
      return localStorage.getItem(this.key) !== null;
    } catch {
      return false; // the browser forbids storage
    }
  }

  set isExpected(isExpected) {
    try {
      if (isExpected) localStorage.setItem(this.key, "");
      else localStorage.removeItem(this.key);
    } catch {
      // The browser forbids storage, so the answer is not shown again.
    }
  }

  // {response, question, answered_at, finish_reason}; undefined if there is none, or the server cannot be reached. The
  // orchestrator of an extension may answer something else.
  async load() {
    const kept = await this.client.runAction("get_current_session_response").catch(() => undefined);
    if (kept) this.isExpected = Boolean(kept.answered_at);
    return kept?.answered_at ? kept : undefined;
  }
}
