// What the widget says in one language, and how that language writes numbers and times.
import { en } from "./en.js";

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400_000; // ms
const files = new Map();

export class Texts {
  constructor(language, messages) {
    this.language = language;
    this.messages = messages;
    this.numbers = new Intl.NumberFormat(language);
    this.plurals = new Intl.PluralRules(language);
  }

  // The text with this id, where a dot leads to one of several, with `values` in place of {names}.
  say(id, values = {}) {
    const found = at(this.messages, id) ?? at(en, id);
    if (found === undefined) return "";
    const text = typeof found === "string" ? found : (found[this.plurals.select(values.count)] ?? found.other);
    return text.replace(/\{(\w+)\}/g, (whole, name) => this.write(values[name] ?? whole));
  }

  has(id) {
    return typeof at(en, id) === "string";
  }

  write(value) {
    return typeof value === "number" ? this.numbers.format(value) : value;
  }

  share(part) {
    return new Intl.NumberFormat(this.language, { style: "percent" }).format(part);
  }

  // How long from now, in words such as "in 30 seconds".
  after(seconds) {
    const format = new Intl.RelativeTimeFormat(this.language);
    if (seconds < 2 * MINUTE) return format.format(Math.ceil(seconds), "second");
    if (seconds < 2 * HOUR) return format.format(Math.ceil(seconds / MINUTE), "minute");
    if (seconds < 48 * HOUR) return format.format(Math.ceil(seconds / HOUR), "hour");
    return format.format(Math.ceil(seconds / HOUR / 24), "day");
  }

  days(count) {
    const [unit, number] = count < 60 ? ["day", count] : count < 720 ? ["month", count / 30] : ["year", count / 365];
    return new Intl.NumberFormat(this.language, { style: "unit", unit, unitDisplay: "short" }).format(Math.round(number));
  }

  // A moment that is near as a time, another with its day.
  moment(iso) {
    const moment = new Date(iso);
    const isNear = moment - Date.now() < DAY / 2;
    const day = moment - Date.now() < 6 * DAY ? { weekday: "long" } : { day: "numeric", month: "long" };
    const time = { hour: "numeric", minute: "2-digit" };
    return new Intl.DateTimeFormat(this.language, isNear ? time : { ...day, ...time }).format(moment);
  }
}

// The texts for a language such as "es-419": its own, or those of "es", or English.
export async function textsFor(language) {
  const wanted = /^[a-z]{2,3}(-[a-z\d]{1,8})*$/i.test(language) ? language : "en";
  for (const name of new Set([wanted, wanted.split("-")[0]])) {
    if (name.split("-")[0] === "en") break;
    const messages = await file(name);
    if (messages) return new Texts(name, messages);
  }
  return new Texts(wanted.startsWith("en") ? wanted : "en", en);
}

function file(language) {
  if (!files.has(language)) {
    const address = new URL(`widget-${language}.json`, import.meta.url);
    files.set(language, fetch(address).then((response) => (response.ok ? response.json() : null)).catch(() => null));
  }
  return files.get(language);
}

function at(messages, id) {
  return id.split(".").reduce((found, name) => (found && Object.hasOwn(found, name) ? found[name] : undefined), messages);
}
