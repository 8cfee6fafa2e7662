// Sanitizes untrusted HTML: it is rebuilt from an allow-list of tags, and of attributes only those named in this file.
import { element } from "./dom.js";

const ALLOWED_TAGS = new Set(("abbr b blockquote br caption cite code dd del dfn div dl dt em h3 h4 h5 h6 hr i ins kbd li "
  + "mark ol p pre q s samp small strong sub sup table tbody td tfoot th thead tr u ul var").split(" "));
const RENAMED_TAGS = { h1: "h3", h2: "h4" }; // the page and the widget have the headings above these
// The content of these tags is not text for people. Of other tags that are not allowed, the content is kept.
const DROPPED_TAGS = new Set(["script", "style", "template", "noscript", "iframe", "object", "svg", "math"]);
const URL_IN_TEXT = /(https?:\/\/[^\s<>()[\]"'`*]+[^\s<>()[\]"'`*.,;:!?])/;
// A user name before the host (good.example@host) and characters beyond ASCII (look-alikes, changes of direction) can
// make a reader see another host. A text with either does not match.
const ONLY_URL = /^(?:https?:\/\/)?([a-z0-9.[\]:-]+?)(?::\d*)?(?:[/?#][!-~]*)?$/i;

// Returns the nodes and strings for `html`. Links are kept only with `links`. Images are replaced by their alt texts.
export function sanitize(html, { links = false } = {}) {
  return copyChildren(new DOMParser().parseFromString(html, "text/html").body, links);
}

function copyChildren(parent, links) {
  return [...parent.childNodes].flatMap((node) => {
    if (node.nodeType === Node.TEXT_NODE) return links ? linkUrls(node.data) : [node.data];
    if (node.nodeType !== Node.ELEMENT_NODE || DROPPED_TAGS.has(node.localName)) return [];
    return copyElement(node, links);
  });
}

function copyElement(node, links) {
  const tag = RENAMED_TAGS[node.localName] ?? node.localName;
  if (tag === "img") return node.alt ? [node.alt] : [];
  if (tag === "a") {
    const children = copyChildren(node, false);
    return links ? createLink(node.getAttribute("href"), children) : children;
  }
  if (!ALLOWED_TAGS.has(tag)) return copyChildren(node, links);
  const isCode = tag === "code" || tag === "pre";
  const copy = element(tag, {}, ...copyChildren(node, links && !isCode));
  if (tag === "ol" && node.start > 1) copy.start = node.start;
  if (["center", "right"].includes(node.align)) copy.className = `align-${node.align}`;
  const language = tag === "code" && /^language-(\S+)$/.exec(node.className)?.[1];
  if (language) copy.dataset.language = language;
  // Wide code and tables scroll by themselves. A tabIndex lets the keyboard scroll them, too.
  if (tag === "pre") copy.tabIndex = 0;
  if (tag === "pre") return [element("div", { className: "code" }, copy)];
  return tag === "table" ? [element("div", { className: "scroll-x", tabIndex: 0 }, copy)] : [copy];
}

// Turn the URLs in a text into links.
export function linkUrls(text) {
  return text.split(URL_IN_TEXT).flatMap((part, index) => (index % 2 ? createLink(part, [part]) : part ? [part] : []));
}

// A link to a web page or an e-mail address; for any other, only its text. A link to another site shows its host, unless
// its text does.
function createLink(href, children) {
  const url = URL.canParse(href ?? "", document.baseURI) ? new URL(href, document.baseURI) : undefined;
  if (!href || !url || !["http:", "https:", "mailto:"].includes(url.protocol)) return children;
  const link = element("a", { href: url.href, rel: "noopener noreferrer" }, ...children);
  if (url.origin === location.origin) return [link];
  const isMail = url.protocol === "mailto:";
  const target = isMail ? url.pathname : url.hostname;
  if (!isMail) link.target = "_blank";
  const shown = isMail ? link.textContent : hostIn(link.textContent);
  if (shown !== target) link.append(element("small", { textContent: ` (${target})` }));
  return [link];
}

// The host in a text that consists of one URL.
function hostIn(text) {
  return ONLY_URL.exec(text)?.[1].toLowerCase();
}
