// Named values: for tags, screens, tickets, logs.

/** An object's values as the interface's fields. What is undefined or null is left out. */
export function fieldsOf(values) {
  return Object.entries(values ?? {})
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => ({ name, value: String(value) }));
}
