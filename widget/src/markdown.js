// Renders the Markdown of a model as DOM nodes. micromark shows HTML in it as text; its output is sanitized all the same.
// Formulas are taken out before: in Markdown, \( is an escaped bracket, and a*b*c has an emphasis.
import { micromark } from "micromark";
import { gfmTable, gfmTableHtml } from "micromark-extension-gfm-table";
import { cjkEmphasis } from "./cjk.js";
import { element } from "./dom.js";
import { partNode, replaceTexts } from "./formulaNodes.js";
import { splitFormulas } from "./formulas.js";
import { sanitize } from "./sanitize.js";

// HTML is text, so nothing has to find it.
const WITHOUT_HTML = { disable: { null: ["htmlFlow", "htmlText"] } };
const OPTIONS = { extensions: [gfmTable(), cjkEmphasis, WITHOUT_HTML], htmlExtensions: [gfmTableHtml()] };
// micromark's time grows with the square of the length of some texts, so it gets no more than this at once.
const MAX_PIECE_CHARS = 4000;
const AFTER_LINE_END = /(?<=\n|\r(?!\n))/;
const BLOCK_START = /^(?:#|[-*+] |\d{1,9}[.)] )/;
const FENCE = /^([\s>]*(?:(?:[-*+]|\d{1,9}[.)])\s+)?)(`{3,}|~{3,})/;

// In place of a formula or a citation, Markdown sees its index between two characters that are private and like letters.
// The thin space ends an emphasis before a citation.
const PLACEHOLDER = /\u200a?\ue000(\d+)\ue001/;
const PRIVATE = /[\ue000\ue001]/g;

// `isStreaming`: more of the text is to come. `citations`: the server's, in order; each has a position in the text.
export function markdown(text, isStreaming = false, citations = []) {
  const parts = [...citations];
  const placeholder = (index) => `\ue000${index}\ue001`;
  const cited = citations.reduceRight((before, { position }, index) =>
    `${before.slice(0, position)}\u200a${placeholder(index)}${before.slice(position)}`, text.replace(PRIVATE, "\ufffd"));
  const source = splitFormulas(cited, { isStreaming })
    .map((part) => (typeof part === "string" ? part : placeholder(parts.push(withoutPlaceholders(part)) - 1))).join("");
  const nodes = renderPieces(source);
  if (!parts.length) return nodes;
  const split = (data) => data.split(PLACEHOLDER).map((part, index) => (index % 2 ? { ...parts[part], index: part } : part));
  const container = replaceTexts(element("div", {}, ...nodes), split);
  if (!isStreaming) showAll(citations, container);
  return [...container.childNodes];
}

function withoutPlaceholders(formula) {
  return { ...formula, source: formula.source?.split(PLACEHOLDER).filter((_, index) => index % 2 === 0).join("") };
}

// Code and formulas cannot contain a citation, so theirs follow at the end.
function showAll(citations, container) {
  const shown = new Set([...container.querySelectorAll(".citation")].map((node) => node.textContent));
  const missing = citations.filter(({ number }) => shown.size < shown.add(String(number)).size);
  if (missing.length) container.append(element("p", {}, ...missing.map(partNode)));
}

function renderPieces(text) {
  return (text.length > MAX_PIECE_CHARS ? splitIntoPieces(text) : [text]).flatMap(render);
}

function render(piece) {
  if (piece.length > MAX_PIECE_CHARS) return [FENCE.test(piece) ? codeBlock(piece) : plainText(piece)];
  return sanitize(micromark(piece, OPTIONS), { links: true })
    // micromark writes line ends between blocks.
    .filter((node) => typeof node !== "string" || node.trim())
    .map((node) => (typeof node === "string" ? document.createTextNode(node) : node));
}

function plainText(piece) {
  return element("p", { className: "pre-line", textContent: piece.trim() });
}

function codeBlock(piece) {
  const lines = piece.trimEnd().split(AFTER_LINE_END);
  const end = lines.length > 1 && FENCE.test(lines.at(-1)) ? -1 : undefined;
  const code = element("code", { textContent: lines.slice(1, end).join("") });
  const [language] = lines[0].replace(FENCE, "").trim().split(/\s/);
  if (language) code.dataset.language = language;
  return element("div", { className: "code" }, element("pre", { tabIndex: 0 }, code));
}

// Join blocks into pieces of at most MAX_PIECE_CHARS. A longer block is a piece by itself.
function splitIntoPieces(text) {
  return splitIntoBlocks(text).reduce((pieces, block) => {
    const last = pieces.at(-1);
    if (last !== undefined && last.length + block.length <= MAX_PIECE_CHARS) pieces.splice(-1, 1, last + block);
    else pieces.push(block);
    return pieces;
  }, []);
}

// Split where a new block can start: after a blank line, at a heading or a list item, and at a fence. Fenced code stays
// in one block, with its blank lines.
function splitIntoBlocks(text) {
  const blocks = [""];
  let fence; // the one that is open
  let isAfterBlock = true;
  for (const line of text.split(AFTER_LINE_END)) {
    // A fence in a list or a quotation ends with the list or the quotation.
    if (fence?.isNested && /^[^\s>]/.test(line)) fence = undefined;
    const [, before, marks] = FENCE.exec(line) ?? [];
    const after = marks && line.slice(before.length + marks.length);
    const isTopLevelFence = before === "";
    if (!fence && (isTopLevelFence || BLOCK_START.test(line) || (isAfterBlock && /^\S/.test(line)))) blocks.push("");
    blocks[blocks.length - 1] += line;
    isAfterBlock = !line.trim();
    if (fence && marks?.startsWith(fence.marks) && /^[\s>]*$/.test(before + after)) {
      isAfterBlock = !fence.isNested;
      fence = undefined;
    } else if (!fence && marks && !(marks[0] === "`" && after.includes("`"))) {
      fence = { marks, isNested: !/^ {0,3}$/.test(before) };
    }
  }
  return blocks;
}
