// HTML that may come from anybody, built anew from an allow-list: known tags, and of attributes only what is named here.
import { element } from "./dom.js";

const ALLOWED = new Set(("abbr b blockquote br caption cite code dd del dfn div dl dt em h3 h4 h5 h6 hr i ins kbd li mark ol "
  + "p pre q s samp small strong sub sup table tbody td tfoot th thead tr u ul var").split(" "));
const RENAMED = { h1: "h3", h2: "h4" }; // the page has headings above these
const WITHOUT_TEXT = new Set(["script", "style", "template", "noscript", "iframe", "object", "svg", "math"]);
const ADDRESS = /(https?:\/\/[^\s<>()[\]"'`*]+[^\s<>()[\]"'`*.,;:!?])/;
// What stands before the host (a name, as in good.example@host) or is not ASCII (letters that look like others, or that
// turn the direction) may make people see another host.
const ADDRESS_ALONE = /^(?:https?:\/\/)?([a-z0-9.[\]:-]+?)(?::\d*)?(?:[/?#][!-~]*)?$/i;

// The nodes for `html`. Links are made only where `links` says so; pictures never are, their words stand in for them.
export function safeNodes(html, { links = false } = {}) {
  return copies(new DOMParser().parseFromString(html, "text/html").body, links);
}

function copies(parent, links) {
  return [...parent.childNodes].flatMap((node) => {
    if (node.nodeType === Node.TEXT_NODE) return links ? linked(node.data) : [node.data];
    if (node.nodeType !== Node.ELEMENT_NODE || WITHOUT_TEXT.has(node.localName)) return [];
    return copy(node, links);
  });
}

function copy(node, links) {
  const name = RENAMED[node.localName] ?? node.localName;
  if (name === "img") return node.alt ? [node.alt] : [];
  if (name === "a") return links ? link(node.getAttribute("href"), copies(node, false)) : copies(node, false);
  if (!ALLOWED.has(name)) return copies(node, links);
  const isCode = name === "code" || name === "pre";
  const made = element(name, {}, ...copies(node, links && !isCode));
  if (name === "ol" && node.start > 1) made.start = node.start;
  if (["left", "center", "right"].includes(node.align)) made.className = `to-${node.align}`;
  // What is wider than the page scrolls by itself, also by keyboard.
  if (name === "pre") made.tabIndex = 0;
  return name === "table" ? [element("div", { className: "wide", tabIndex: 0 }, made)] : [made];
}

// Addresses in running text as links.
function linked(text) {
  return text.split(ADDRESS).flatMap((part, place) => (place % 2 ? link(part, [part]) : part ? [part] : []));
}

// A link to the web or to a mailbox, and nothing else. One that leaves the site says where it leads.
function link(href, children) {
  const url = URL.canParse(href ?? "", document.baseURI) ? new URL(href, document.baseURI) : undefined;
  if (!href || !url || !["http:", "https:", "mailto:"].includes(url.protocol)) return children;
  const made = element("a", { href: url.href, rel: "noopener noreferrer" }, ...children);
  if (url.origin === location.origin) return [made];
  const isMail = url.protocol === "mailto:";
  const target = isMail ? url.pathname : url.hostname;
  if (!isMail) made.target = "_blank";
  const shown = isMail ? made.textContent : hostIn(made.textContent);
  if (shown !== target) made.append(element("small", { textContent: ` (${target})` }));
  return [made];
}

// The host that people see in a text that is an address and nothing else.
function hostIn(text) {
  return ADDRESS_ALONE.exec(text)?.[1].toLowerCase();
}
