// What a model writes, as nodes. micromark makes no HTML of HTML, and what it makes goes through our own allow-list.
import { micromark } from "micromark";
import { gfmTable, gfmTableHtml } from "micromark-extension-gfm-table";
import { element } from "./dom.js";
import { safeNodes } from "./safe.js";

const OPTIONS = { extensions: [gfmTable()], htmlExtensions: [gfmTableHtml()] };
// Characters that micromark gets at once: the time that it takes for some texts grows with the square of their length.
const LONGEST = 4000;
const LINES = /(?<=\n|\r(?!\n))/;
const STARTS_BLOCK = /^(?:#|[-*+] |\d{1,9}[.)] )/;
const FENCE = /^([\s>]*(?:(?:[-*+]|\d{1,9}[.)])\s+)?)(`{3,}|~{3,})/;

export function markdown(text) {
  return (text.length > LONGEST ? piecesOf(text) : [text]).flatMap(nodesOf);
}

function nodesOf(piece) {
  if (piece.length > LONGEST) return [FENCE.test(piece) ? codeBlock(piece) : plain(piece)];
  return safeNodes(micromark(piece, OPTIONS), { links: true })
    // The line ends between paragraphs are of no use.
    .filter((node) => typeof node !== "string" || node.trim())
    .map((node) => (typeof node === "string" ? document.createTextNode(node) : node));
}

function plain(piece) {
  return element("p", { className: "plain", textContent: piece.trim() });
}

function codeBlock(piece) {
  const lines = piece.trimEnd().split(LINES);
  const end = lines.length > 1 && FENCE.test(lines.at(-1)) ? -1 : undefined;
  return element("pre", { tabIndex: 0 }, element("code", { textContent: lines.slice(1, end).join("") }));
}

// A text in pieces that are as long as micromark may get, but for blocks that are longer by themselves.
function piecesOf(text) {
  return blocksOf(text).reduce((pieces, block) => {
    const last = pieces.at(-1);
    if (last !== undefined && last.length + block.length <= LONGEST) pieces.splice(-1, 1, last + block);
    else pieces.push(block);
    return pieces;
  }, []);
}

// What stands between blank lines; fenced code, with the blank lines in it; and the items of a list.
function blocksOf(text) {
  const blocks = [""];
  let fence;
  let isNext = true;
  for (const line of text.split(LINES)) {
    // A fence in a list or a quotation ends with it.
    if (fence?.isInside && /^[^\s>]/.test(line)) fence = undefined;
    const [, before, marks] = FENCE.exec(line) ?? [];
    const after = marks && line.slice(before.length + marks.length);
    const isTop = before === "";
    if (!fence && (isTop || STARTS_BLOCK.test(line) || (isNext && /^\S/.test(line)))) blocks.push("");
    blocks[blocks.length - 1] += line;
    isNext = !line.trim();
    if (fence && marks?.startsWith(fence.marks) && /^[\s>]*$/.test(before + after)) {
      isNext = !fence.isInside;
      fence = undefined;
    } else if (!fence && marks && !(marks[0] === "`" && after.includes("`"))) {
      fence = { marks, isInside: !/^ {0,3}$/.test(before) };
    }
  }
  return blocks;
}
