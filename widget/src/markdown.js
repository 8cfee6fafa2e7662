// What a model writes, as nodes. micromark makes no HTML of HTML, and what it makes goes through our own allow-list.
import { micromark } from "micromark";
import { gfmTable, gfmTableHtml } from "micromark-extension-gfm-table";
import { safeNodes } from "./safe.js";

const OPTIONS = { extensions: [gfmTable()], htmlExtensions: [gfmTableHtml()] };

export function markdown(text) {
  return safeNodes(micromark(text, OPTIONS), { links: true })
    // The line ends between paragraphs are of no use.
    .filter((node) => typeof node !== "string" || node.trim())
    .map((node) => (typeof node === "string" ? document.createTextNode(node) : node));
}
