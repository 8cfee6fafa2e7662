// Bundle the widget. `node build.js [folder]` writes widget.js, the modules that it loads when an answer needs them, the
// licences of the packages in them, and the fonts of formulas to the folder; without one, to the plugin's static files.
import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));
const STATIC = join(HERE, "../openedx_ai_extensions/static/openedx_ai_extensions");
const TARGET = process.argv[2] ?? STATIC;
const BROWSERS = ["chrome123", "edge123", "firefox125", "safari17.5"];

const FONTS = "node_modules/katex/dist/fonts";
const OLD_FONT_FORMATS = /,url\([^)]*\.(?:woff|ttf)\) format\("[^"]*"\)/g; // all these browsers have WOFF2

// Each module after those that it loads.
const MODULES = [
  { name: "widget-katex", contains: "KaTeX" },
  { name: "widget-formulas" },
  { name: "widget-code", contains: "highlight.js" },
  { name: "widget-citations" },
  { name: "widget-selection" },
  { name: "widget-feedback" },
  { name: "widget-answer", contains: "micromark" },
  { name: "widget-flashcards", entry: "flashcards" },
  { name: "widget-quiz", entry: "quiz" },
  { name: "widget", entry: "index", contains: "micromark" },
];
const versions = {}; // of the files that are built, by name

// Imports of style sheets give the minified CSS as a string.
const styles = {
  name: "styles",
  setup({ onLoad }) {
    onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const css = (await readFile(path, "utf8")).replace(OLD_FONT_FORMATS, "");
      const { code } = await transform(css, { loader: "css", minify: true });
      return { contents: code.trim(), loader: "text" };
    });
  },
};

// A module is loaded when it is needed. With its version in the address, a browser that keeps files for long does not
// combine a new widget with an old module.
const modules = {
  name: "modules",
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/widget-.*\.js$/ }, ({ kind, path }) =>
      (kind === "dynamic-import" ? { path: `${path}?v=${versions[basename(path)]}`, external: true } : undefined));
  },
};

// KaTeX and micromark, for this use. KaTeX sets some style attributes as text, which a Content-Security-Policy may
// forbid, unlike styles that a script sets. The parts of micromark that find HTML are left out: HTML is text here.
const KATEX_ATTRIBUTE = "node.setAttribute(attr, this.attributes[attr]);";
const WITHOUT_TEXT = `if (attr === "style") node.style.cssText = this.attributes[attr]; else ${KATEX_ATTRIBUTE}`;
const adapted = {
  name: "adapted",
  setup({ onLoad }) {
    onLoad({ filter: /katex\/dist\/katex\.mjs$/ }, async ({ path }) => {
      const code = await readFile(path, "utf8");
      const found = code.split(KATEX_ATTRIBUTE);
      if (found.length !== 4) throw new Error("KaTeX sets attributes in another way: see to it that no style is text");
      return { contents: found.join(WITHOUT_TEXT) };
    });
    onLoad({ filter: /micromark-core-commonmark\/lib\/html-(flow|text)\.js$/ }, ({ path }) => {
      const name = path.includes("flow") ? "htmlFlow" : "htmlText";
      return { contents: `export const ${name} = { name: "${name}" };` };
    });
  },
};

// The licences of the packages whose code is in the bundle; packages with the same text are listed together.
async function licences(file, { outputs }) {
  const inputs = Object.values(outputs).flatMap((output) => Object.entries(output.inputs));
  const bundled = inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path);
  const folders = new Set(bundled.map((path) => path.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0]).filter(Boolean));
  const packages = {};
  for (const folder of [...folders].sort()) {
    const { name, version } = JSON.parse(await readFile(join(HERE, folder, "package.json"), "utf8"));
    const licence = (await readdir(join(HERE, folder))).find((each) => /^licen[cs]e/i.test(each));
    if (!licence) throw new Error(`${name} has no licence file: find its licence and add it here`);
    const text = await readFile(join(HERE, folder, licence), "utf8");
    (packages[text.trim()] ??= []).push(`${name} ${version}`);
  }
  const parts = Object.entries(packages).map(([text, names]) => `${names.join("\n")}\n\n${text}\n`);
  if (!parts.length) return `${file} contains no code of other packages.\n`;
  return [`${file} contains code of these packages:\n`, ...parts].join("\n");
}

await mkdir(join(TARGET, "fonts"), { recursive: true });
for (const { name, entry = name, contains } of MODULES) {
  const file = `${name}.js`;
  const notice = contains ? ` Contains ${contains}: see ${name}.LICENSE.txt.` : "";
  const { metafile } = await build({
    entryPoints: [join(HERE, `src/${entry}.js`)],
    outfile: join(TARGET, file),
    bundle: true,
    format: "esm",
    minify: true,
    target: BROWSERS,
    charset: "utf8",
    legalComments: "none",
    banner: { js: `// Made by \`make widget\` from widget/src.${notice}` },
    plugins: [styles, modules, adapted],
    absWorkingDir: HERE,
    metafile: true,
  });
  const built = await readFile(join(TARGET, file));
  versions[file] = createHash("sha256").update(built).digest("hex").slice(0, 8);
  const fonts = name === "widget-katex" ? `\n${await readFile(join(HERE, "fonts.LICENSE.txt"), "utf8")}` : "";
  await writeFile(join(TARGET, `${name}.LICENSE.txt`), await licences(file, metafile) + fonts);
}
for (const font of await readdir(join(HERE, FONTS))) {
  if (font.endsWith(".woff2")) await cp(join(HERE, FONTS, font), join(TARGET, "fonts", font));
}
