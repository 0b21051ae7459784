//! Where everything stands: places in layers, the first above; a way's label is a vertex of its own in the layer between,
//! and a long way has a vertex in every layer that it passes, so that nothing runs through a box or over a word.
//!
//! Layers are ours (a way back is one that closes a circle, seen from where the call begins), order within a layer and
//! columns are `rust-sugiyama`'s; a last pass moves apart what still touches.

use rust_sugiyama::configure::{Config, CrossingMinimization, RankingType};
use rust_sugiyama::from_vertices_and_edges;

/// Between neighbours in a layer.
const GAP_X_PX: f64 = 26.0;
/// Between layers, where the ways run straight.
const GAP_Y_MIN_PX: f64 = 18.0;
/// Between layers, where a way goes far to the side.
const GAP_Y_MAX_PX: f64 = 64.0;
/// How much of the way to the side a gap grows by.
const SLOPE: f64 = 0.07;
/// The width of a passing way.
const PASSING_PX: f64 = 6.0;
/// Ways leave and enter within this share of a box's side.
const PORTS_SHARE: f64 = 0.66;
/// Larger pictures are ordered without trying to swap neighbours, which takes long.
const TRANSPOSED_MAX: usize = 2_500;

/// How large something is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Size {
    pub(crate) w: f64,
    pub(crate) h: f64,
}

/// Where something stands: its upper left corner, and how large it is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Area {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) w: f64,
    pub(crate) h: f64,
}

impl Area {
    #[cfg(test)]
    pub(crate) fn touches(&self, other: &Self) -> bool {
        self.x < other.x + other.w
            && other.x < self.x + self.w
            && self.y < other.y + other.h
            && other.y < self.y + self.h
    }
}

/// Where a way runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Route {
    /// Where it begins.
    pub(crate) start: (f64, f64),
    /// Through these bands, upright: x, where it comes in, where it goes out.
    pub(crate) bands: Vec<(f64, f64, f64)>,
    /// Where its arrow is.
    pub(crate) end: (f64, f64),
    /// Its label.
    pub(crate) label: Option<Area>,
    /// It leads up.
    pub(crate) back: bool,
}

/// Where everything stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Laid {
    pub(crate) size: Size,
    pub(crate) places: Vec<Area>,
    pub(crate) routes: Vec<Route>,
}

/// A way to be laid: from, to, the size of its label. No way leads from a place to itself.
pub(crate) type WayOf = (usize, usize, Option<Size>);

/// Lays it out.
pub(crate) fn laid(places: &[Size], ways: &[WayOf]) -> Laid {
    if places.is_empty() {
        return Laid::default();
    }
    let back = backward(places.len(), ways);
    let levels = levels(places.len(), ways, &back);
    let mut grid = Grid::new(places, &levels);
    // What was joined last is looked at first: joined from behind, ways keep their order from left to right.
    let mut chains: Vec<Vec<usize>> = ways.iter().zip(&back).rev().map(|(way, back)| grid.chain(way, *back)).collect();
    chains.reverse();
    grid.place();
    grid.routed(places.len(), ways, &back, &chains)
}

/// Which ways close a circle: the ones that lead to a place on the path from the beginning to their own.
fn backward(places: usize, ways: &[WayOf]) -> Vec<bool> {
    let mut out: Vec<Vec<usize>> = vec![Vec::new(); places];
    for (at, way) in ways.iter().enumerate() {
        out[way.0].push(at);
    }
    let mut back = vec![false; ways.len()];
    // 0: not seen, 1: on the path, 2: done.
    let mut state = vec![0_u8; places];
    for root in 0..places {
        if state[root] != 0 {
            continue;
        }
        state[root] = 1;
        let mut path = vec![(root, 0)];
        while let Some((place, next)) = path.last_mut() {
            let Some(&way) = out[*place].get(*next) else {
                state[*place] = 2;
                path.pop();
                continue;
            };
            *next += 1;
            let to = ways[way].1;
            match state[to] {
                0 => {
                    state[to] = 1;
                    path.push((to, 0));
                }
                1 => back[way] = true,
                _ => {}
            }
        }
    }
    back
}

/// The layer of each place: one below the lowest that leads to it.
fn levels(places: usize, ways: &[WayOf], back: &[bool]) -> Vec<usize> {
    let edges: Vec<(usize, usize)> = directed(ways, back).collect();
    let mut waits = vec![0_usize; places];
    for (_, to) in &edges {
        waits[*to] += 1;
    }
    let mut levels = vec![0; places];
    let mut ready: Vec<usize> = (0..places).filter(|place| waits[*place] == 0).collect();
    while let Some(place) = ready.pop() {
        for (_, to) in edges.iter().filter(|(from, _)| *from == place) {
            levels[*to] = levels[*to].max(levels[place] + 1);
            waits[*to] -= 1;
            if waits[*to] == 0 {
                ready.push(*to);
            }
        }
    }
    levels
}

/// Every way downwards.
fn directed<'a>(ways: &'a [WayOf], back: &'a [bool]) -> impl Iterator<Item = (usize, usize)> + 'a {
    ways.iter().zip(back).map(|(way, back)| if *back { (way.1, way.0) } else { (way.0, way.1) })
}

/// Vertices in rows. A place's row is twice its level; labels are in the rows between.
struct Grid {
    sizes: Vec<Size>,
    rows: Vec<usize>,
    edges: Vec<(u32, u32)>,
    /// Centres.
    x: Vec<f64>,
}

impl Grid {
    fn new(places: &[Size], levels: &[usize]) -> Self {
        Self {
            sizes: places.to_vec(),
            rows: levels.iter().map(|level| level * 2).collect(),
            edges: Vec::new(),
            x: Vec::new(),
        }
    }

    /// The vertices of a way between its two places, from above.
    fn chain(&mut self, way: &WayOf, back: bool) -> Vec<usize> {
        let (upper, lower) = if back { (way.1, way.0) } else { (way.0, way.1) };
        let (first, last) = (self.rows[upper] + 1, self.rows[lower] - 1);
        // The label is beside the place where the choice is made.
        let labelled = if back { last } else { first };
        let mut chain = Vec::new();
        let mut above = upper;
        for row in first..=last {
            let vertex = self.sizes.len();
            let label = way.2.filter(|_| row == labelled);
            self.sizes.push(label.unwrap_or(Size { w: PASSING_PX, h: 0.0 }));
            self.rows.push(row);
            self.join(above, vertex);
            chain.push(vertex);
            above = vertex;
        }
        self.join(above, lower);
        chain
    }

    fn join(&mut self, upper: usize, lower: usize) {
        let index = |vertex: usize| u32::try_from(vertex).unwrap_or(u32::MAX);
        self.edges.push((index(upper), index(lower)));
    }

    /// Finds the columns.
    fn place(&mut self) {
        let config = Config {
            minimum_length: 1,
            vertex_spacing: GAP_X_PX,
            dummy_vertices: true,
            dummy_size: 1.0,
            // Every edge is one row long already, and each row begins below another: this keeps our rows.
            ranking_type: RankingType::Up,
            c_minimization: CrossingMinimization::Barycenter,
            transpose: self.sizes.len() <= TRANSPOSED_MAX,
        };
        let vertices: Vec<(u32, (f64, f64))> = (0_u32..).zip(self.sizes.iter().map(|size| (size.w, size.h))).collect();
        self.x = vec![0.0; self.sizes.len()];
        let mut from = 0.0;
        for (part, _, _) in from_vertices_and_edges(&vertices, &self.edges, &config) {
            let known = || part.iter().filter(|(vertex, _)| *vertex < self.sizes.len());
            let left = known().map(|(v, (x, _))| x - self.sizes[*v].w / 2.0).fold(f64::INFINITY, f64::min);
            let right = known().map(|(v, (x, _))| x + self.sizes[*v].w / 2.0).fold(f64::NEG_INFINITY, f64::max);
            let places: Vec<(usize, f64)> = known().map(|(vertex, (x, _))| (*vertex, *x)).collect();
            for (vertex, x) in places {
                self.x[vertex] = x - left + from;
            }
            from += right - left + GAP_X_PX;
        }
        self.part();
    }

    /// Moves apart what touches its neighbour, and all to the right of nothing.
    fn part(&mut self) {
        for row in 0..self.row_count() {
            let mut line: Vec<usize> = (0..self.sizes.len()).filter(|vertex| self.rows[*vertex] == row).collect();
            line.sort_by(|a, b| self.x[*a].total_cmp(&self.x[*b]).then(a.cmp(b)));
            for at in 1..line.len() {
                let (left, right) = (line[at - 1], line[at]);
                let nearest = self.x[left] + (self.sizes[left].w + self.sizes[right].w) / 2.0 + GAP_X_PX;
                self.x[right] = self.x[right].max(nearest);
            }
        }
        let left = (0..self.sizes.len()).map(|v| self.x[v] - self.sizes[v].w / 2.0).fold(f64::INFINITY, f64::min);
        for x in &mut self.x {
            *x -= left;
        }
    }

    fn row_count(&self) -> usize {
        self.rows.iter().max().map_or(0, |last| last + 1)
    }

    /// Each row's upper end and height.
    fn bands(&self) -> Vec<(f64, f64)> {
        let mut bands = vec![(0.0, 0.0); self.row_count()];
        for (size, row) in self.sizes.iter().zip(&self.rows) {
            bands[*row].1 = f64::max(bands[*row].1, size.h);
        }
        let mut gaps = vec![GAP_Y_MIN_PX; bands.len()];
        for (upper, lower) in &self.edges {
            let (upper, lower) = (*upper as usize, *lower as usize);
            let gap = &mut gaps[self.rows[upper]];
            *gap = gap.max((self.x[upper] - self.x[lower]).abs() * SLOPE).min(GAP_Y_MAX_PX);
        }
        let mut y = 0.0;
        for (band, gap) in bands.iter_mut().zip(gaps) {
            band.0 = y;
            y += band.1 + gap;
        }
        bands
    }

    fn area(&self, vertex: usize, bands: &[(f64, f64)], centred: bool) -> Area {
        let (size, (top, height)) = (self.sizes[vertex], bands[self.rows[vertex]]);
        let y = if centred { top + (height - size.h) / 2.0 } else { top };
        Area { x: self.x[vertex] - size.w / 2.0, y, w: size.w, h: size.h }
    }

    fn routed(&self, places: usize, ways: &[WayOf], back: &[bool], chains: &[Vec<usize>]) -> Laid {
        let bands = self.bands();
        let areas: Vec<Area> = (0..places).map(|place| self.area(place, &bands, false)).collect();
        let ports = self.ports(places, ways, back, chains);
        let mut routes = Vec::new();
        for (at, (way, chain)) in ways.iter().zip(chains).enumerate() {
            let (upper, lower) = if back[at] { (way.1, way.0) } else { (way.0, way.1) };
            let above = (ports[at].0, areas[upper].y + areas[upper].h);
            let below = (ports[at].1, areas[lower].y);
            // A box that is lower than its row is left straight down.
            let mut through = vec![(above.0, above.1, bands[self.rows[upper]].0 + bands[self.rows[upper]].1)];
            through.extend(chain.iter().map(|vertex| {
                let (top, height) = bands[self.rows[*vertex]];
                (self.x[*vertex], top, top + height)
            }));
            let labelled = if back[at] { chain.last() } else { chain.first() };
            let label = way.2.and(labelled).map(|vertex| self.area(*vertex, &bands, true));
            let (start, end) = if back[at] { (below, above) } else { (above, below) };
            if back[at] {
                through.reverse();
                through.iter_mut().for_each(|band| *band = (band.0, band.2, band.1));
            }
            routes.push(Route { start, bands: through, end, label, back: back[at] });
        }
        let right = (0..self.sizes.len()).map(|v| self.x[v] + self.sizes[v].w / 2.0).fold(0.0, f64::max);
        let bottom = bands.last().map_or(0.0, |(top, height)| top + height);
        Laid { size: Size { w: right, h: bottom }, places: areas, routes }
    }

    /// Where each way leaves its upper place and enters its lower one: side by side, in the order of where they come from.
    fn ports(&self, places: usize, ways: &[WayOf], back: &[bool], chains: &[Vec<usize>]) -> Vec<(f64, f64)> {
        let mut ports = vec![(0.0, 0.0); ways.len()];
        let (mut below, mut above) = (vec![Vec::new(); places], vec![Vec::new(); places]);
        for (at, (upper, lower)) in directed(ways, back).enumerate() {
            let (first, last) =
                (chains[at].first().copied().unwrap_or(lower), chains[at].last().copied().unwrap_or(upper));
            below[upper].push((self.x[first], at));
            above[lower].push((self.x[last], at));
        }
        for place in 0..places {
            for (side, is_below) in [(&mut below[place], true), (&mut above[place], false)] {
                side.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
                let (count, room) = (side.len() as f64, self.sizes[place].w * PORTS_SHARE);
                for (nth, (_, way)) in side.iter().enumerate() {
                    let x = self.x[place] + room * ((nth as f64 + 0.5) / count - 0.5);
                    if is_below { ports[*way].0 = x } else { ports[*way].1 = x }
                }
            }
        }
        ports
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small generator: the same numbers every time.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, max: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(self.0 >> 33).unwrap() % max
        }
    }

    fn any(seed: u64) -> (Vec<Size>, Vec<WayOf>) {
        let mut numbers = Numbers(seed);
        let count = 1 + numbers.below(30);
        let size =
            |numbers: &mut Numbers| Size { w: 40.0 + numbers.below(200) as f64, h: 20.0 + numbers.below(120) as f64 };
        let places = (0..count).map(|_| size(&mut numbers)).collect();
        let mut ways: Vec<WayOf> = Vec::new();
        for _ in 0..numbers.below(60) {
            let (from, to) = (numbers.below(count), numbers.below(count));
            if from != to && !ways.iter().any(|way| (way.0, way.1) == (from, to)) {
                let label = (numbers.below(3) > 0).then(|| size(&mut numbers));
                ways.push((from, to, label));
            }
        }
        (places, ways)
    }

    #[test]
    fn nothing_overlaps_whatever_the_flow() {
        for seed in 0..300 {
            let (places, ways) = any(seed);
            let laid = laid(&places, &ways);
            let labels = laid.routes.iter().filter_map(|route| route.label);
            let all: Vec<Area> = laid.places.iter().copied().chain(labels).collect();
            assert_eq!(laid.places.len(), places.len());
            assert_eq!(
                laid.routes.iter().filter(|route| route.label.is_some()).count(),
                ways.iter().filter(|way| way.2.is_some()).count()
            );
            for (at, one) in all.iter().enumerate() {
                assert!(
                    one.x >= -0.01
                        && one.y >= 0.0
                        && one.x + one.w <= laid.size.w + 0.01
                        && one.y + one.h <= laid.size.h + 0.01,
                    "{seed}"
                );
                for other in &all[at + 1..] {
                    assert!(!one.touches(other), "seed {seed}: {one:?} and {other:?}");
                }
            }
        }
    }

    #[test]
    fn no_way_runs_through_a_box() {
        for seed in 0..300 {
            let (places, ways) = any(seed);
            let laid = laid(&places, &ways);
            for (route, way) in laid.routes.iter().zip(&ways) {
                for (x, top, bottom) in &route.bands {
                    let line = Area { x: x - 0.5, y: top.min(*bottom), w: 1.0, h: (top - bottom).abs() };
                    let others = laid.places.iter().enumerate().filter(|(place, _)| *place != way.0 && *place != way.1);
                    for (place, area) in others {
                        assert!(!area.touches(&line), "seed {seed}: {way:?} runs through {place}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_same_flow_is_laid_the_same_way() {
        for seed in 0..20 {
            let (places, ways) = any(seed);
            assert_eq!(laid(&places, &ways), laid(&places, &ways));
        }
        assert_eq!(laid(&[], &[]), Laid::default());
    }

    #[test]
    fn ways_lead_down_but_for_those_that_close_a_circle() {
        let place = Size { w: 100.0, h: 40.0 };
        let laid = laid(&[place; 4], &[(0, 1, None), (1, 2, None), (2, 0, None), (0, 3, None), (1, 3, None)]);
        let back: Vec<bool> = laid.routes.iter().map(|route| route.back).collect();
        assert_eq!(back, [false, false, true, false, false]);
        let tops: Vec<f64> = laid.places.iter().map(|area| area.y).collect();
        assert!(tops[0] < tops[1] && tops[1] < tops[2] && tops[3] == tops[2], "{tops:?}");
    }
}
