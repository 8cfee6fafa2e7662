// Finds formulas in a text: \(…\), \[…\], $…$, $$…$$ and environments of LaTeX. Code, addresses and prices are none.

// Longer ones are not looked for, so that a text full of openings costs no more than its length.
const MAX_INLINE_CHARS = 1000;
const MAX_DISPLAY_CHARS = 10_000;
const PARAGRAPH_END = /\n[ \t>]*\n/g;
const ENVIRONMENT = "(?:equation|(?:fl)?align(?:at|ed)?|gather(?:ed)?|multline|eqnarray|split|cases|[pbBvV]?matrix"
  + "|smallmatrix|array|CD)";
const TOKEN = new RegExp([
  /^([ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*)(`{3,}(?=[^`\n]*$)|~{3,})/, // the fence of a code block
  /`+/,
  /https?:\/\/[^\s<>"`]+/,
  new RegExp(`\\\\begin\\{(${ENVIRONMENT}\\*?)\\}`),
  /\\[^]/,
  /\$\$?/,
].map(({ source }) => source).join("|"), "gm");
// What follows the opening, up to the closing.
const BODIES = {
  "\\(": /((?:[^\\]|\\(?![()])[^])+?)\\\)/y,
  "\\[": /((?:[^\\]|\\(?![[\]])[^])+?)\\\]/y,
  $$: /((?:[^\\$]|\\[^]|\$(?!\$))+)\$\$/y,
  $: /((?:[^\\$]|\\[^])+)\$(?!\d)/y,
};
// In "$5 and 10$" the second amount has its sign behind; "5 mod 3" is a formula.
const PRICE = /^\d[\d.,]*[\s–-]+(?!mod\b)(?:an?|at|for|in|is|of|or|per|to|[a-z]{3,})\s/i;
// While "$5" streams in, it may become "$5x$". It may not once a price has become likely.
const LIKELY_PRICE = /^\d[\d.,]*(?:[,.;:!?)]*\s+(?!mod?\b)[a-z]{2,}|[;:!?)]|[.,]\s)/i;
const ONLY_NUMBERS = /^[\d\s,.–-]*$/; // \[1\] is a reference with its brackets escaped
const UNFINISHED_OPENING = /\\(?:b(?:e(?:g(?:in?(?:\{[a-zA-Z]*\*?)?)?)?)?)?$/;

// Split a text into strings and formulas: {source, isDisplay}. Of a text that is still streaming in, the end from an
// opening on whose closing has not arrived is {isPending: true}.
export function splitFormulas(text, { isStreaming = false, hasDollars = true } = {}) {
  const parts = [];
  let start = 0; // of the text that is not in `parts` yet
  let paragraphEnd = -1;
  const add = (end, formula) => {
    if (end > start) parts.push(text.slice(start, end));
    if (formula) parts.push(formula);
  };
  TOKEN.lastIndex = 0;
  for (let token; (token = TOKEN.exec(text));) {
    const [opening, indentation, fence, environment] = token;
    const { index } = token;
    const after = index + opening.length;
    if (paragraphEnd < after) paragraphEnd = find(PARAGRAPH_END, text, after)?.index ?? text.length;
    if (fence) TOKEN.lastIndex = codeBlockEnd(text, after, indentation, fence);
    else if (opening[0] === "`") {
      const closing = find(new RegExp(`(?<!\`)${opening}(?!\`)`, "g"), text, after);
      if (closing?.index < paragraphEnd) TOKEN.lastIndex = closing.index + opening.length;
      else if (isStreaming && paragraphEnd === text.length) break; // what follows may become code
    } else if (environment || (BODIES[opening] && (hasDollars || opening[0] === "\\"))) {
      const isInline = opening === "\\(" || opening === "$";
      const limit = isInline ? Math.min(paragraphEnd, after + MAX_INLINE_CHARS) : after + MAX_DISPLAY_CHARS;
      const end = environment ? environmentEnd(text, index, environment) : bodyEnd(text, opening, after, limit);
      if (end && end <= limit) {
        add(index, { source: unquoted(text, index, end), isDisplay: !isInline });
        start = TOKEN.lastIndex = end;
      } else if (isStreaming && end === undefined && text.length <= limit
        && !(opening === "$" && (!opensFormula(text, after) || LIKELY_PRICE.test(text.slice(after))))) {
        add(index, { isPending: true });
        return parts;
      }
    }
  }
  const unfinished = isStreaming ? UNFINISHED_OPENING.exec(text.slice(start)) : null;
  add(unfinished ? start + unfinished.index : text.length, unfinished && { isPending: true });
  return parts;
}

// The LaTeX code of a formula, without delimiters.
export function texOf(source) {
  return /^(?:\\[([]|\$\$?)([^]*?)(?:\\[)\]]|\$\$?)$/.exec(source)?.[1] ?? source;
}

function find(pattern, text, from) {
  pattern.lastIndex = from;
  return pattern.exec(text);
}

// A fence in a list or a quotation ends with the list or the quotation.
function codeBlockEnd(text, from, indentation, fence) {
  const closing = `[ \\t>]*${fence[0]}{${fence.length},}[ \\t]*\\r?$`;
  const isNested = !/^ {0,3}$/.test(indentation);
  const lineEnd = text.indexOf("\n", from);
  const pattern = new RegExp(isNested ? `^(?:${closing}|(?=[^\\s>]))` : `^${closing}`, "gm");
  const end = lineEnd < 0 ? null : find(pattern, text, lineEnd + 1);
  return end ? end.index + end[0].length : text.length;
}

// The end of a formula. Undefined: its closing is missing. Null: it is none.
function bodyEnd(text, opening, from, limit) {
  const pattern = BODIES[opening];
  const [matched, body] = find(pattern, text.slice(0, limit), from) ?? [];
  if (!matched) return opening === "$" && text.slice(from, limit).includes("$") ? null : undefined;
  const end = from + matched.length;
  const isFormula = {
    "\\(": () => /\S/.test(body),
    "\\[": () => !ONLY_NUMBERS.test(body),
    $$: () => /\S/.test(body) && !/\n[ \t>]*\n/.test(body.trim()),
    $: () => !/^\s|\s$/.test(body) && !PRICE.test(body) && opensFormula(text, from)
      && (/[\w})\]']$/.test(body) || !/[a-z]/i.test(text[end] ?? "")),
  }[opening]();
  return isFormula ? end : null;
}

// Whether the dollar before this place may open a formula.
function opensFormula(text, from) {
  return !/[a-z\d]/i.test(text[from - 2] ?? "") && !/\s/.test(text[from] ?? "");
}

function environmentEnd(text, from, name) {
  const pattern = new RegExp(`\\\\(begin|end)\\{${name.replace("*", "\\*")}\\}`, "g");
  let depth = 0;
  for (const { 0: matched, 1: kind, index } of text.slice(from, from + MAX_DISPLAY_CHARS).matchAll(pattern)) {
    depth += kind === "begin" ? 1 : -1;
    if (depth === 0) return from + index + matched.length;
  }
  return undefined;
}

// The source of a formula, without the marks of a quotation that contains it.
function unquoted(text, start, end) {
  const source = text.slice(start, end);
  const line = text.slice(text.lastIndexOf("\n", start) + 1, start);
  return /^\s*>/.test(line) ? source.replace(/\n[ \t]*(?:>[ \t]?)+/g, "\n") : source;
}
