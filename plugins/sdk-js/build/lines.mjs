// From a source map to what an author needs of it: which line of the bundle came from which line of which file.

import { relative, resolve } from "node:path";

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/**
 * { sources: [file, …], places: [[source, line] or [] for each line of the bundle] }. Only the project's own files have a
 * source; the SDK's have none. `folder` is where the bundle would lie: the map's names are relative to it.
 */
export function lineTable(map, folder, project, sdk) {
  const paths = map.sources.map((source) => resolve(folder, source));
  const ours = paths.map((path) => !path.startsWith(sdk) && !path.includes("/node_modules/") && !path.endsWith("gudok-entry.js"));
  const sources = paths.map((path, at) => (ours[at] ? relative(project, path) : null));
  let source = 0;
  let line = 0;
  const places = map.mappings.split(";").map((segments) => {
    let first = [];
    for (const segment of segments.split(",").filter((segment) => segment !== "")) {
      const values = numbers(segment);
      if (values.length < 4) continue;
      source += values[1];
      line += values[2];
      if (first.length === 0 && ours[source]) first = [source, line + 1];
    }
    return first;
  });
  return { sources, places };
}

// Base 64, five bits a digit, the lowest first; the sixth says that more follow, the lowest of all is the sign.
function numbers(segment) {
  const found = [];
  let value = 0;
  let shift = 0;
  for (const character of segment) {
    const digit = DIGITS.indexOf(character);
    value |= (digit & 31) << shift;
    shift += 5;
    if (digit & 32) continue;
    found.push(value & 1 ? -(value >>> 1) : value >>> 1);
    value = 0;
    shift = 0;
  }
  return found;
}
