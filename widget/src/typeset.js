// Typesets formulas, colours code and explains citations, with modules that are loaded only when an answer has some.
const withTypesetter = lazy(async () => (await import("./widget-formulas.js")).loadTypesetter());
const withCode = lazy(() => import("./widget-code.js"));
const withCitations = lazy(() => import("./widget-citations.js"));

// Typeset the formulas in a node, and complete its code and citations: immediately, once the modules are loaded. `id` distinguishes
// the node from others of the page.
export function typeset(node, context, id) {
  const formulas = select(node, ".formula[data-source]");
  if (formulas.length) withTypesetter((typesetFormulas) => typesetFormulas(formulas, context.host, id));
  const blocks = select(node, ".code");
  if (blocks.length) withCode(({ decorateCode }) => decorateCode(blocks, context));
  const citations = select(node, ".citation");
  if (citations.length) withCitations(({ explainCitations }) => explainCitations(citations, context));
}

function select(node, selector) {
  if (node.nodeType !== Node.ELEMENT_NODE) return [];
  return node.matches(selector) ? [node] : [...node.querySelectorAll(selector)];
}

// Without its module, a formula stays as its source, and code as it is.
// Returns a function that calls its argument with what `load` gives: at once, or when it is loaded.
export function lazy(load) {
  let loaded;
  let loading;
  return (use) => {
    if (loaded) return void use(loaded);
    loading ??= load().then((value) => {
      loaded = value;
    }, () => {
      loading = undefined; // the next answer tries again
    });
    loading.then(() => loaded && use(loaded));
  };
}
