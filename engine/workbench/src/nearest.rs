//! "Did you mean …?": the known word that a slip of the finger is nearest to.

/// The known word that is nearest, if it is near enough to be meant.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let far = |known: &str| distance(&word, &known.to_lowercase());
    let (far, best) = known.into_iter().map(|known| (far(known), known)).min_by_key(|(far, _)| *far)?;
    let length = word.chars().count().max(best.chars().count());
    (far <= 1 + length / 4).then_some(best)
}

/// Letters to change, add, leave out or swap with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0_usize; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let changed = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = changed.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = least;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_understood_and_a_stranger_is_not() {
        let check = |word: &str, expect: Option<&str>| {
            assert_eq!(nearest(word, ["memory_mib", "cpu_ms_per_step", "storage_kib"]), expect, "{word}");
        };
        check("memory_pib", Some("memory_mib"));
        check("memroy_mib", Some("memory_mib"));
        check("MEMORY_MIB", Some("memory_mib"));
        check("storage", None);
        check("colour", None);
        assert_eq!(nearest("привте", ["привет", "пока"]), Some("привет"));
        assert_eq!(nearest("a", []), None);
    }
}
