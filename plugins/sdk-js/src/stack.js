// Stacks as the author knows the script: by the files that were written, not by the bundle that was made of them.

/** Calls of a stack that go to the author's log. */
const FRAMES_MAX = 20;

/**
 * The places of an error's stack in the author's files, the innermost first, one a line: "src/main.ts:12 in greet". The build
 * leaves which line of the bundle came from where in `globalThis.gudokLines`.
 */
export function authorsStack(thrown) {
  const lines = globalThis.gudokLines;
  const frames = String(thrown?.stack ?? "").split("\n").map((line) => frameOf(line, lines));
  return frames.filter((frame) => frame !== undefined).slice(0, FRAMES_MAX).join("\n");
}

function frameOf(line, lines) {
  // "    at greet (/script.js:12:7)"
  const parts = /^\s*at (.*?) ?\(?[^()\s]*?:(\d+)(?::\d+)?\)?$/.exec(line);
  if (parts === null) return undefined;
  const name = parts[1] === "" || parts[1].startsWith("<") ? "" : ` in ${parts[1]}`;
  if (lines === undefined) return `line ${parts[2]}${name}`;
  const [source, place] = lines.places[Number(parts[2]) - 1] ?? [];
  const file = lines.sources[source];
  // The SDK's own frames tell an author nothing.
  return typeof file !== "string" ? undefined : `${file}:${place}${name}`;
}
