// A world with what a script uses and nothing else: a component imports every interface of its world, whether it is used or
// not, and the host refuses what is not declared.

import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const INTERFACE_VERSION = "0.1.0";

/** Writes the interface with one more world, `built-script`, to a folder. */
export function writeWorld(wit, folder, kind, imports, capabilities) {
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(wit).filter((name) => name.endsWith(".wit"))) copyFileSync(join(wit, name), join(folder, name));
  if (!capabilities.includes("secrets")) {
    // `fetch` brings the interface `secrets` in for its type: without the capability, only the type may come.
    const path = join(folder, "secrets.wit");
    const text = readFileSync(path, "utf8");
    const [first, ...rest] = text.split(/(?=\n\/\/\/ Reading a secret's text)/);
    const typeOnly = first.replace(/^.*secret-named: func.*\n/m, "").replace(/^ *use types\.\{call-error\};\n\n?/m, "");
    writeFileSync(path, typeOnly + rest.join(""));
  }
  const lines = imports.map((name) => `    import ${name};\n`).join("");
  const exported = kind === "campaign" ? "campaign" : "script";
  const world = `package gudok:ivr@${INTERFACE_VERSION};\n\nworld built-script {\n${lines}    export ${exported};\n}\n`;
  writeFileSync(join(folder, "built-script.wit"), world);
}
