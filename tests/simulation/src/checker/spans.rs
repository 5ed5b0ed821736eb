use skyfold::Version;

/// Things that are to be found right at some version of a stream between two: each is looked at
/// only while the stream is there.
#[derive(Debug)]
pub(super) struct Spans<T> {
    /// Those that begin later, the next one last.
    later: Vec<Span<T>>,
    open: Vec<Span<T>>,
    /// Those that ended without being right.
    wrong: Vec<T>,
}

#[derive(Debug)]
struct Span<T> {
    from: Version,
    until: Version,
    item: T,
}

impl<T> Spans<T> {
    pub(super) fn new() -> Self {
        Self { later: vec![], open: vec![], wrong: vec![] }
    }

    /// `items`, each with its first and its last version.
    pub(super) fn of(items: impl IntoIterator<Item = (Version, Version, T)>) -> Self {
        let spans = items.into_iter().map(|(from, until, item)| Span { from, until, item });
        let mut later: Vec<_> = spans.collect();
        later.sort_by_key(|span| std::cmp::Reverse(span.from));
        Self { later, ..Self::new() }
    }

    /// Looks at what is open while the stream is at `version`, which never falls.
    pub(super) fn at(&mut self, version: Version, is_right: impl Fn(&T) -> bool) {
        while let Some(span) = self.later.pop_if(|span| span.from <= version) {
            self.open.push(span);
        }
        for span in std::mem::take(&mut self.open) {
            if version > span.until {
                self.wrong.push(span.item);
            } else if !is_right(&span.item) {
                self.open.push(span);
            }
        }
    }

    /// What was never right.
    pub(super) fn wrong(self) -> Vec<T> {
        let rest = self.open.into_iter().chain(self.later).map(|span| span.item);
        self.wrong.into_iter().chain(rest).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn what_is_right_at_no_version_of_its_span_is_wrong() {
        let spans = [(1, 2, 'a'), (2, 4, 'b'), (3, 3, 'c'), (9, 9, 'd')];
        let mut spans =
            Spans::of(spans.map(|(from, until, item)| (Version(from), Version(until), item)));
        for version in 1..=5 {
            spans.at(Version(version), |item| (version, *item) == (4, 'b') || version == 5);
        }
        assert_eq!(spans.wrong(), ['a', 'c', 'd']);
    }

    #[test]
    fn each_is_looked_at_only_within_its_span() {
        let looks = Cell::new(0);
        let mut spans = Spans::of((0..1_000).map(|n| (Version(n), Version(n + 1), n)));
        for version in 0..1_002 {
            spans.at(Version(version), |_| {
                looks.set(looks.get() + 1);
                false
            });
        }
        assert_eq!((looks.get(), spans.wrong().len()), (2_000, 1_000));
    }
}
