// Simple HTML that the server has made safe, built anew from an allow-list: tags only, no attributes.
import { element } from "./api.js";

const ALLOWED = new Set(("abbr b blockquote br caption cite code dd del dfn div dl dt em h3 h4 h5 h6 hr i ins kbd li mark ol "
  + "p pre q s samp small strong sub sup table tbody td tfoot th thead tr u ul var").split(" "));

export function rich(html) {
  return copies(new DOMParser().parseFromString(html, "text/html").body);
}

function copies(parent) {
  return [...parent.childNodes].flatMap((node) => {
    if (node.nodeType === Node.TEXT_NODE) return [node.data];
    if (node.nodeType !== Node.ELEMENT_NODE) return [];
    const name = node.localName;
    return ALLOWED.has(name) ? [element(name, {}, ...copies(node))] : copies(node);
  });
}
