// Bundles entry.mjs into the one file that the page loads, with the licences of everything in it at its top.

import { readFileSync } from "node:fs";
import { build } from "esbuild";

const target = new URL("../../emulator/voice_emulator/ui/codemirror.js", import.meta.url).pathname;
const options = { entryPoints: ["entry.mjs"], bundle: true, minify: true, format: "esm", target: "es2022", legalComments: "none", metafile: true, outfile: target };

const { metafile } = await build({ ...options, write: false });
const names = [...new Set(Object.keys(metafile.inputs).flatMap((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []))].sort();
const packages = names.map((name) => {
	const { version, license } = JSON.parse(readFileSync(`node_modules/${name}/package.json`));
	if (license !== "MIT") throw new Error(`${name} is ${license}, not MIT`);
	return { line: `${name} ${version}`, copyright: /Copyright.*/.exec(readFileSync(`node_modules/${name}/LICENSE`, "utf8"))[0].replace(/ <[^>]*>/, "") };
});
const terms = readFileSync("node_modules/@codemirror/state/LICENSE", "utf8").split(/Copyright.*\n/)[1].trim();
const holders = [...new Set(packages.map(({ copyright }) => copyright))];
const banner = `/*! CodeMirror 6 for voice-emulator, made from vendor/codemirror; not to be edited by hand.\n${packages.map(({ line }) => `  ${line}`).join("\n")}\n\nMIT License\n\n${holders.join("\n")}\n\n${terms}\n*/`;
await build({ ...options, banner: { js: banner } });
