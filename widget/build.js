// Bundle the widget. `node build.js [folder]` writes widget.js there, else to where the plugin serves it from.
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));
const STATIC = join(HERE, "../openedx_ai_extensions/static/openedx_ai_extensions");
const BROWSERS = ["chrome123", "edge123", "firefox125", "safari17.5"];

// Style sheets become texts without what only people need.
const styles = {
  name: "styles",
  setup({ onLoad }) {
    onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, "utf8"), { loader: "css", minify: true });
      return { contents: code.trim(), loader: "text" };
    });
  },
};

await build({
  entryPoints: [join(HERE, "src/index.js")],
  outfile: join(process.argv[2] ?? STATIC, "widget.js"),
  bundle: true,
  format: "esm",
  minify: true,
  target: BROWSERS,
  charset: "utf8",
  legalComments: "none",
  banner: { js: "// Made by `make widget` from widget/src. Contains micromark (MIT License)." },
  plugins: [styles],
});
