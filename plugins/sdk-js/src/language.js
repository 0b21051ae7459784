// Texts in several languages.

/** What fits a language tag best: the same tag, else the same language ("ru" for "ru-RU"), else the first; undefined of none. */
export function choose(tag, texts) {
  const known = Object.entries(texts);
  const wanted = tag.toLowerCase();
  const found =
    known.find(([of]) => of.toLowerCase() === wanted) ?? known.find(([of]) => primary(of) === primary(tag)) ?? known[0];
  return found?.[1];
}

export function primary(tag) {
  return tag.split(/[-_]/)[0].toLowerCase();
}
