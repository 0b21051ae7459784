// Where editors and bundlers look for the SDK: where every package lies.

import { mkdirSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The SDK that this file belongs to. */
export const SDK = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** Lays the SDK into a project's node_modules, as a link. */
export function linkSdk(project) {
  const folder = join(project, "node_modules");
  const link = join(folder, "gudok");
  try {
    if (resolve(folder, readlinkSync(link)) === SDK) return;
  } catch {
    // None yet, or a folder.
  }
  mkdirSync(folder, { recursive: true });
  rmSync(link, { recursive: true, force: true });
  symlinkSync(SDK, link, "dir");
}
