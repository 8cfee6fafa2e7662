// A parser for server-sent events (WHATWG HTML, 9.2.6) that accepts chunks cut anywhere.
export class EventParser {
  constructor() {
    this.rest = "";
    this.#reset();
  }

  #reset() {
    this.name = "";
    this.data = [];
  }

  // Take the next chunk of text. Returns the events that it completes, as {name, data}.
  push(chunk) {
    const text = this.rest + chunk;
    // A carriage return at the end may be the first half of \r\n.
    const end = text.endsWith("\r") ? text.length - 1 : text.length;
    const lines = text.slice(0, end).split(/\r\n|\r|\n/);
    this.rest = lines.pop() + text.slice(end);
    return lines.flatMap((line) => this.#parseLine(line));
  }

  #parseLine(line) {
    if (line === "") {
      const events = this.data.length ? [{ name: this.name || "message", data: this.data.join("\n") }] : [];
      this.#reset();
      return events;
    }
    const [, field, value] = /^([^:]*)(?:: ?([^]*))?$/.exec(line);
    if (field === "event") this.name = value ?? "";
    if (field === "data") this.data.push(value ?? "");
    return [];
  }
}
