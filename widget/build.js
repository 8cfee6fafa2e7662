// Bundle the widget. `node build.js [folder]` writes widget.js and the licences of the packages in it to the folder;
// without one, to the plugin's static files.
import { readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));
const STATIC = join(HERE, "../openedx_ai_extensions/static/openedx_ai_extensions");
const TARGET = process.argv[2] ?? STATIC;
const BROWSERS = ["chrome123", "edge123", "firefox125", "safari17.5"];

// Imports of style sheets give the minified CSS as a string.
const styles = {
  name: "styles",
  setup({ onLoad }) {
    onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, "utf8"), { loader: "css", minify: true });
      return { contents: code.trim(), loader: "text" };
    });
  },
};

// The licences of the packages whose code is in the bundle; packages with the same text are listed together.
async function licences({ outputs }) {
  const inputs = Object.values(outputs).flatMap((output) => Object.entries(output.inputs));
  const bundled = inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path);
  const folders = new Set(bundled.map((path) => path.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0]).filter(Boolean));
  const packages = {};
  for (const folder of [...folders].sort()) {
    const { name, version } = JSON.parse(await readFile(join(HERE, folder, "package.json"), "utf8"));
    const file = (await readdir(join(HERE, folder))).find((each) => /^licen[cs]e/i.test(each));
    if (!file) throw new Error(`${name} has no licence file: find its licence and add it here`);
    const text = await readFile(join(HERE, folder, file), "utf8");
    (packages[text.trim()] ??= []).push(`${name} ${version}`);
  }
  const parts = Object.entries(packages).map(([text, names]) => `${names.join("\n")}\n\n${text}\n`);
  return ["widget.js contains code of these packages:\n", ...parts].join("\n");
}

const { metafile } = await build({
  entryPoints: [join(HERE, "src/index.js")],
  outfile: join(TARGET, "widget.js"),
  bundle: true,
  format: "esm",
  minify: true,
  target: BROWSERS,
  charset: "utf8",
  legalComments: "none",
  banner: { js: "// Made by `make widget` from widget/src. Contains micromark: see widget.LICENSE.txt." },
  plugins: [styles],
  absWorkingDir: HERE,
  metafile: true,
});
await writeFile(join(TARGET, "widget.LICENSE.txt"), await licences(metafile));
