// Server-sent events (WHATWG HTML, 9.2.6), however the network has cut them up.
export class EventParser {
  constructor() {
    this.rest = "";
    this.forget();
  }

  forget() {
    this.name = "";
    this.data = [];
  }

  // Takes the next piece of text; returns the events that it completes, as {name, data}.
  push(chunk) {
    const text = this.rest + chunk;
    // A carriage return at the end may be half of a line's end.
    const end = text.endsWith("\r") ? text.length - 1 : text.length;
    const lines = text.slice(0, end).split(/\r\n|\r|\n/);
    this.rest = lines.pop() + text.slice(end);
    return lines.flatMap((line) => this.take(line));
  }

  take(line) {
    if (line === "") {
      const events = this.data.length ? [{ name: this.name || "message", data: this.data.join("\n") }] : [];
      this.forget();
      return events;
    }
    const [, field, value] = /^([^:]*)(?:: ?([^]*))?$/.exec(line);
    if (field === "event") this.name = value ?? "";
    if (field === "data") this.data.push(value ?? "");
    return [];
  }
}
