// The widget's texts in one language, and how that language formats numbers and times.
import { en } from "./en.js";

const MINUTE_S = 60;
const HOUR_S = 3600;
const DAY_MS = 86_400_000;
const catalogues = new Map(); // promises by language, shared by all widgets of a page

export class I18n {
  constructor(language, messages) {
    this.language = language;
    this.messages = messages;
    this.numbers = new Intl.NumberFormat(language);
    this.plurals = new Intl.PluralRules(language);
    this.t = this.t.bind(this); // callers keep it as a function
  }

  // The text with this id, with `values` in place of {names}. A dot in an id leads into a group of texts.
  t(id, values = {}) {
    const found = lookUp(this.messages, id) ?? lookUp(en, id);
    if (found === undefined) return "";
    const text = typeof found === "string" ? found : (found[this.plurals.select(values.count)] ?? found.other);
    return text.replace(/\{(\w+)\}/g, (whole, name) => this.formatValue(values[name] ?? whole));
  }

  // Add the English texts of a module that was loaded later.
  addEnglish(texts) {
    Object.assign(en, texts);
  }

  has(id) {
    return typeof lookUp(en, id) === "string";
  }

  formatValue(value) {
    return typeof value === "number" ? this.numbers.format(value) : value;
  }

  formatPercent(fraction) {
    return new Intl.NumberFormat(this.language, { style: "percent" }).format(fraction);
  }

  // A time from now, such as "in 30 seconds".
  formatDelay(seconds) {
    const format = new Intl.RelativeTimeFormat(this.language);
    if (seconds < 2 * MINUTE_S) return format.format(Math.ceil(seconds), "second");
    if (seconds < 2 * HOUR_S) return format.format(Math.ceil(seconds / MINUTE_S), "minute");
    if (seconds < 48 * HOUR_S) return format.format(Math.ceil(seconds / HOUR_S), "hour");
    return format.format(Math.ceil(seconds / HOUR_S / 24), "day");
  }

  formatDays(days) {
    const [unit, number] = days < 60 ? ["day", days] : days < 720 ? ["month", days / 30] : ["year", days / 365];
    return new Intl.NumberFormat(this.language, { style: "unit", unit, unitDisplay: "short" }).format(Math.round(number));
  }

  // Only the time if that is less than 12 hours away, with the weekday if less than 6 days, else with the date.
  formatDateTime(iso) {
    const date = new Date(iso);
    const ms = Math.abs(date - Date.now());
    const day = ms < 6 * DAY_MS ? { weekday: "long" } : { day: "numeric", month: "long" };
    const time = { hour: "numeric", minute: "2-digit" };
    return new Intl.DateTimeFormat(this.language, ms < DAY_MS / 2 ? time : { ...day, ...time }).format(date);
  }
}

// The texts for a language such as "es-419": from its own catalogue, or that of "es", or English.
export async function loadI18n(language) {
  const wanted = isLanguage(language) ? language : "en";
  for (const name of new Set([wanted, wanted.split("-")[0]])) {
    if (name.split("-")[0] === "en") break;
    const messages = await loadCatalogue(name);
    if (messages) return new I18n(name, messages);
  }
  return new I18n(wanted.startsWith("en") ? wanted : "en", en);
}

export function isLanguage(text) {
  return /^[a-z]{2,3}(-[a-z\d]{1,8})*$/i.test(text);
}

function loadCatalogue(language) {
  if (!catalogues.has(language)) {
    const url = new URL(`widget-${language}.json`, import.meta.url);
    catalogues.set(language, fetch(url).then((response) => (response.ok ? response.json() : null)).catch(() => null));
  }
  return catalogues.get(language);
}

function lookUp(messages, id) {
  return id.split(".").reduce((found, name) => (found && Object.hasOwn(found, name) ? found[name] : undefined), messages);
}
