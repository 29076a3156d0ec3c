//! Overview and data quality. The counts of a centre are held back together. In an overview every breakdown adds up to all cases, but for
//! cases in none of its levels, which nobody publishes. A centre knows its own cases, so a number of all is held back where what changed besides
//! one centre is few, and with it what adds up to it.

use std::collections::{BTreeMap, BTreeSet};

use super::Published;
use super::successive::{Counts, Earlier, New, Successive, counts};
use crate::disclosure::suppression::Sum;
use crate::disclosure::{Audience, FEW, Thresholds};
use crate::measures::MOST_MONTHS;
use crate::results::{CentreAccrual, CentreQuality, LevelCount, Overview, Quality};

/// Counts by name; those that are shown.
struct Table {
    run: i64,
    counts: BTreeMap<String, Counts>,
    shown: BTreeMap<String, bool>,
    /// Those that are hidden: neither shown nor told as of an earlier run.
    hidden: BTreeSet<String>,
    /// How many of the counts of [`ALL`] are told of the network, not of centres only.
    of_all: usize,
    /// Deaths by centre, as the counts of a centre are named; empty where that was not kept.
    deaths: BTreeMap<String, u32>,
}

impl Table {
    fn new(run: i64, of_all: usize) -> Self {
        Self {
            run,
            counts: BTreeMap::new(),
            shown: BTreeMap::new(),
            hidden: BTreeSet::new(),
            of_all,
            deaths: BTreeMap::new(),
        }
    }

    /// The centres it has counts of; for deaths none where those are not kept.
    fn centres(&self, name: &str) -> impl Iterator<Item = &String> {
        let kept = name != DEATHS || !self.deaths.is_empty();
        self.counts
            .keys()
            .filter(move |of| kept && of.starts_with(CENTRE))
    }

    /// What is left of a number of all centres without one of them.
    fn without(&self, name: &str, centre: &str) -> Counts {
        let all = self.counts.get(name).copied().unwrap_or_default();
        let own = match name {
            DEATHS => counts([self.deaths.get(centre).copied()]),
            _ => self.counts.get(centre).copied().unwrap_or_default(),
        };
        std::array::from_fn(|at| if at < self.of_all { all[at] - own[at] } else { 0 })
    }

    /// Whether a number of all centres differs from that of another run by few besides what one centre knows of itself.
    fn one_centre_alone(&self, then: &Table, name: &str, threshold: u32) -> bool {
        let both = self.centres(name).next().is_some() && then.centres(name).next().is_some();
        both && self.centres(name).chain(then.centres(name)).any(|centre| {
            let (now, then) = (self.without(name, centre), then.without(name, centre));
            now.iter()
                .zip(then)
                .any(|(now, then)| are_few(now - then, threshold))
        })
    }

    /// Whether a centre could subtract itself from a number of all centres.
    fn alone(&self, name: &str, threshold: u32) -> bool {
        self.centres(name).any(|centre| {
            self.without(name, centre)
                .into_iter()
                .any(|rest| are_few(rest, threshold))
        })
    }

    fn add<const M: usize>(&mut self, name: String, of: [Option<u32>; M], told: Told) {
        self.counts.insert(name.clone(), counts(of));
        self.shown.insert(name.clone(), told == Told::Here);
        if told == Told::Nowhere {
            self.hidden.insert(name);
        }
    }

    /// Whether nobody is there, of a level or a centre that may not be listed any more.
    fn is_empty(&self, name: &str) -> bool {
        self.counts
            .get(name)
            .is_none_or(|counts| *counts == Counts::default())
    }

    /// What this run showed itself; a name it has not is a level without cases.
    fn told(&self, name: &str) -> Option<Counts> {
        match self.counts.get(name) {
            Some(counts) => self
                .shown
                .get(name)
                .is_some_and(|shown| *shown)
                .then_some(*counts),
            None => Some(Counts::default()),
        }
    }
}

/// Where a count is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Here,
    /// In an earlier run: it stays.
    Before,
    Nowhere,
}

impl Told {
    fn of(shown: bool, as_of: Option<i64>) -> Self {
        match (shown, as_of) {
            (true, None) => Self::Here,
            (true, Some(_)) => Self::Before,
            (false, _) => Self::Nowhere,
        }
    }
}

/// The total is of this name; parts are named by what they break down, a slash, and their level.
const ALL: &str = "all";
const DEATHS: &str = "deaths/died";
const CENTRE: &str = "centre/";

/// The number of all that one of a name adds up to, or is: a centre's own is none.
fn of_all(name: &str) -> Option<&'static str> {
    match name {
        DEATHS => Some(DEATHS),
        centre if centre.starts_with(CENTRE) => None,
        _ => Some(ALL),
    }
}

fn are_few(by: i64, threshold: u32) -> bool {
    by != 0 && by.unsigned_abs() < u64::from(threshold)
}

/// Names of the levels and centres that nobody is in any more and of which an earlier run hid somebody: that all of them left must not be told.
fn left(new: &Table, earlier: &[Table]) -> BTreeSet<String> {
    let hid = |run: &Table| -> Vec<String> {
        let hidden = run.hidden.iter().filter(|name| !run.is_empty(name));
        hidden.filter(|name| new.is_empty(name)).cloned().collect()
    };
    earlier.iter().flat_map(hid).collect()
}

/// Names of the counts that are held back.
fn held(new: &Table, earlier: &[Table], threshold: u32) -> Vec<String> {
    let mut names: Vec<&str> = new.counts.keys().map(String::as_str).collect();
    for name in earlier.iter().flat_map(|run| run.counts.keys()) {
        if !new.counts.contains_key(name) && !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let all_left = left(new, earlier);
    let mut cells: Vec<New> = Vec::new();
    let mut breakdowns: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, name) in names.iter().enumerate() {
        let counts = new.counts.get(*name).copied().unwrap_or_default();
        let empty = counts == Counts::default() && !all_left.contains(*name);
        cells.push(New {
            counts,
            shown: empty || new.shown.get(*name).is_some_and(|shown| *shown),
            fixed: empty,
            unchanged: false,
        });
        if let Some((by, _)) = name.split_once('/') {
            breakdowns.entry(by).or_default().push(at);
        }
    }
    let total = names.iter().position(|name| *name == ALL);
    let mut sums = Vec::new();
    if let Some(total) = total {
        for mut parts in breakdowns.into_values() {
            parts.push(cells.len());
            cells.push(New::UNTOLD);
            sums.push(Sum { total, parts });
        }
    }
    let known = |run: &Table| Earlier {
        told: names.iter().map(|name| run.told(name)).collect(),
        sums: &sums,
    };
    let runs: Vec<Earlier<'_>> = earlier.iter().map(known).collect();
    // What is left of a centre's cases without the recent ones must not have changed by few.
    let rest_few = |at: usize| {
        let rest = |of: Counts| [of[0] - of[1], of[0] - of[2]];
        let counted = names.get(at).is_some_and(|name| *name != DEATHS);
        let Some(now) = cells.get(at).filter(|_| counted).map(|new| rest(new.counts)) else {
            return false;
        };
        let few = |by: i64| are_few(by, threshold);
        let mut then = runs.iter().filter_map(|run| run.told(at));
        then.any(|then| now.iter().zip(rest(then)).any(|(now, then)| few(now - then)))
    };
    let alone = |of: &str| {
        let told = |run: &&Table| run.shown.get(of).is_some_and(|shown| *shown);
        earlier
            .iter()
            .filter(told)
            .any(|run| new.one_centre_alone(run, of, threshold))
    };
    let (all_alone, deaths_alone) = (alone(ALL), alone(DEATHS));
    let by_centres = |at: usize| match names.get(at).and_then(|name| of_all(name)) {
        Some(DEATHS) => deaths_alone,
        Some(_) => all_alone,
        None => false,
    };
    let anyway: Vec<bool> = (0..cells.len())
        .map(|at| rest_few(at) || by_centres(at))
        .collect();
    let successive = Successive {
        new: &cells,
        sums: &sums,
        runs: &runs,
        left: &names
            .iter()
            .map(|name| all_left.contains(*name))
            .collect::<Vec<bool>>(),
        threshold,
    };
    let held = successive.held(&anyway);
    let all = names.iter().zip(held).filter(|(_, held)| *held);
    all.map(|(name, _)| (*name).to_owned()).collect()
}

/// The newest earlier run that showed the count of this name, and its number is below that of `new`; none where a centre could subtract itself
/// from it.
fn shown_last<'a, T>(
    new: &Table,
    earlier: &'a [(Table, &'a Published<T>)],
    name: &str,
    threshold: u32,
) -> Option<(i64, &'a T)> {
    let mut before = earlier.iter().filter(|(table, _)| table.run < new.run);
    let found = before.find(|(table, _)| table.shown.get(name).is_some_and(|shown| *shown));
    let alone = |table: &Table| of_all(name).is_some_and(|of| table.alone(of, threshold));
    let found = found.filter(|(table, _)| !alone(table));
    found.map(|(table, run)| (table.run, &run.shown))
}

fn newest_first<T>(
    earlier: &[Published<T>],
    table: impl Fn(&Published<T>) -> Table,
) -> Vec<(Table, &Published<T>)> {
    let mut tables: Vec<_> = earlier.iter().map(|run| (table(run), run)).collect();
    tables.sort_by_key(|(table, _)| std::cmp::Reverse(table.run));
    tables
}

type Levels = fn(&mut Overview) -> &mut Vec<LevelCount>;

/// The breakdowns of all cases, by name.
const BREAKDOWNS: [(&str, Levels); 4] = [
    ("accrual", |one| &mut one.accrual),
    ("histology", |one| &mut one.by_histology),
    ("eligibility", |one| &mut one.by_eligibility),
    ("timing", |one| &mut one.by_timing),
];

fn centre_name(centre: &str) -> String {
    format!("{CENTRE}{centre}")
}

fn of_overview(of: &Published<Overview>) -> Table {
    let (mut exact, mut shown) = (of.exact.clone(), of.shown.clone());
    let mut table = Table::new(exact.run.run, 1);
    let centre = |one: &CentreAccrual| [one.cases, one.cases_last_24_months, one.registered_in_those_years];
    let mut all = [exact.cases, Some(0), Some(0)];
    for one in &exact.by_centre {
        for (sum, n) in all.iter_mut().zip(centre(one)).skip(1) {
            *sum = Some(sum.unwrap_or(0) + n.unwrap_or(0));
        }
        let visible = shown.by_centre.iter().find(|other| other.centre == one.centre);
        let told = visible.map(|one| Told::of(centre(one).iter().any(Option::is_some), one.as_of));
        let told = told.unwrap_or(Told::Nowhere);
        table.add(centre_name(&one.centre), centre(one), told);
        let deaths = one.deaths.map(|deaths| (centre_name(&one.centre), deaths));
        table.deaths.extend(deaths);
    }
    table.add(
        ALL.to_owned(),
        all,
        Told::of(shown.cases.is_some(), shown.cases_as_of),
    );
    let told = Told::of(shown.deaths.is_some(), shown.deaths_as_of);
    // Those an estimate of overall survival leaves out follow from them, dead and alive.
    let left_out = |at: usize| exact.left_out_of_survival.get(at);
    let [first, second] =
        [left_out(0), left_out(1)].map(|out| [out.map(|one| one.dead), out.map(|one| one.alive)]);
    table.add(
        DEATHS.to_owned(),
        [exact.deaths, first[0], first[1], second[0], second[1]],
        told,
    );
    for (by, levels) in BREAKDOWNS {
        for level in levels(&mut exact).iter() {
            let mut visible = levels(&mut shown).iter();
            let visible = visible.find(|other| other.level == level.level);
            let told = visible.map(|one| Told::of(one.n.is_some(), one.as_of));
            let told = told.unwrap_or(Told::Nowhere);
            table.add(format!("{by}/{}", level.level), [level.n, None, None], told);
        }
        // Listed as hidden though nobody is in them.
        for level in levels(&mut shown).iter() {
            let name = format!("{by}/{}", level.level);
            if !table.counts.contains_key(&name) {
                table.add(name, [None; 3], Told::Nowhere);
            }
        }
    }
    for one in &shown.by_centre {
        let name = centre_name(&one.centre);
        if !table.counts.contains_key(&name) {
            table.add(name, [None; 3], Told::Nowhere);
        }
    }
    table
}

/// The overview of `new` as `audience` may see it beside `earlier`, which are all other published runs.
pub fn overview_beside(
    new: &Published<Overview>,
    earlier: &[Published<Overview>],
    audience: &Audience,
    thresholds: &Thresholds,
) -> Overview {
    let threshold = thresholds.of(audience);
    let table = of_overview(new);
    let (tables, runs): (Vec<Table>, Vec<&Published<Overview>>) =
        newest_first(earlier, of_overview).into_iter().unzip();
    let held = held(&table, &tables, threshold);
    let left = left(&table, &tables);
    let earlier: Vec<(Table, &Published<Overview>)> = tables.into_iter().zip(runs).collect();
    let is_held = |name: &str| held.iter().any(|held| held == name);
    let mut shown = new.shown.clone();
    if is_held(ALL) {
        let last = shown_last(&table, &earlier, ALL, threshold);
        shown.cases = last.and_then(|(_, one)| one.cases);
        shown.cases_as_of = last.map(|(run, _)| run);
    }
    if is_held(DEATHS) {
        let last = shown_last(&table, &earlier, DEATHS, threshold);
        shown.deaths = last.and_then(|(_, one)| one.deaths);
        shown.deaths_as_of = last.map(|(run, _)| run);
    }
    for centre in &mut shown.by_centre {
        let name = centre_name(&centre.centre);
        if !is_held(&name) {
            continue;
        }
        let last = shown_last(&table, &earlier, &name, threshold);
        let then = last.and_then(|(run, one)| {
            let found = one.by_centre.iter().find(|other| other.centre == centre.centre)?;
            Some((run, found))
        });
        let kept = CentreAccrual {
            centre: std::mem::take(&mut centre.centre),
            cases: then.and_then(|(_, one)| one.cases),
            cases_last_24_months: then.and_then(|(_, one)| one.cases_last_24_months),
            registered_in_those_years: then.and_then(|(_, one)| one.registered_in_those_years),
            deaths: None,
            months: BTreeMap::new(),
            eligible_seen: centre.eligible_seen,
            as_of: then.map(|(run, _)| run),
            suppressed: then.map_or(Some(FEW), |(_, one)| one.suppressed),
        };
        *centre = kept;
    }
    for (by, levels) in BREAKDOWNS {
        for level in levels(&mut shown) {
            let name = format!("{by}/{}", level.level);
            if !is_held(&name) {
                continue;
            }
            let then = shown_last(&table, &earlier, &name, threshold).and_then(|(run, one)| {
                let mut one = one.clone();
                let found = levels(&mut one).iter().find(|other| other.level == level.level)?;
                Some((run, found.n?))
            });
            level.n = then.map(|(_, n)| n);
            level.as_of = then.map(|(run, _)| run);
            level.suppressed = then.is_none().then_some(FEW);
        }
    }
    let gone: Vec<&String> = left
        .iter()
        .filter(|name| !table.counts.contains_key(*name))
        .collect();
    for (by, levels) in BREAKDOWNS {
        // Of months only the last ten years are listed.
        if by == "accrual" && new.exact.accrual.len() >= MOST_MONTHS {
            continue;
        }
        let listed = levels(&mut shown);
        let of_breakdown = gone
            .iter()
            .filter_map(|name| name.split_once('/').filter(|(of, _)| *of == by));
        listed.extend(of_breakdown.map(|(_, level)| LevelCount {
            level: level.to_owned(),
            n: None,
            suppressed: Some(FEW),
            as_of: None,
        }));
        listed.sort_by(|a, b| a.level.cmp(&b.level));
    }
    for centre in gone.iter().filter_map(|name| name.strip_prefix(CENTRE)) {
        let then = runs_with(&earlier, |one| {
            one.by_centre.iter().find(|one| one.centre == centre).cloned()
        });
        shown.by_centre.extend(then.map(|then| CentreAccrual {
            cases: None,
            cases_last_24_months: None,
            registered_in_those_years: None,
            deaths: None,
            months: BTreeMap::new(),
            as_of: None,
            suppressed: Some(FEW),
            ..then
        }));
    }
    shown.by_centre.sort_by(|a, b| a.centre.cmp(&b.centre));
    shown.centres = shown.by_centre.len() as u32;
    shown
}

/// What the newest earlier run has of something.
fn runs_with<T, V>(earlier: &[(Table, &Published<T>)], of: impl Fn(&T) -> Option<V>) -> Option<V> {
    earlier.iter().find_map(|(_, run)| of(&run.exact))
}

fn of_quality(of: &Published<Quality>) -> Table {
    let mut table = Table::new(of.exact.run.run, 2);
    let of_row = |one: &CentreQuality| [one.cases, one.cases_with_errors, None];
    let told = |one: &CentreQuality| Told::of(one.cases.is_some(), one.as_of);
    table.add(ALL.to_owned(), of_row(&of.exact.network), told(&of.shown.network));
    for one in &of.exact.centres {
        let mut visible = of.shown.centres.iter();
        let visible = visible.find(|other| other.centre == one.centre);
        let told = visible.map_or(Told::Nowhere, told);
        table.add(centre_name(&one.centre), of_row(one), told);
    }
    for one in &of.shown.centres {
        let name = centre_name(&one.centre);
        if !table.counts.contains_key(&name) {
            table.add(name, [None; 3], Told::Nowhere);
        }
    }
    table
}

/// Data quality of `new` as `audience` may see it beside `earlier`, which are all other published runs.
pub fn quality_beside(
    new: &Published<Quality>,
    earlier: &[Published<Quality>],
    audience: &Audience,
    thresholds: &Thresholds,
) -> Quality {
    let threshold = thresholds.of(audience);
    let table = of_quality(new);
    let (tables, runs): (Vec<Table>, Vec<&Published<Quality>>) =
        newest_first(earlier, of_quality).into_iter().unzip();
    let held = held(&table, &tables, threshold);
    let left = left(&table, &tables);
    let earlier: Vec<(Table, &Published<Quality>)> = tables.into_iter().zip(runs).collect();
    let mut shown = new.shown.clone();
    let rows = std::iter::once((ALL.to_owned(), &mut shown.network));
    let centres = shown.centres.iter_mut();
    for (name, row) in rows.chain(centres.map(|one| (centre_name(&one.centre), one))) {
        if !held.contains(&name) {
            continue;
        }
        let last = shown_last(&table, &earlier, &name, threshold).and_then(|(run, one)| {
            let mut all = std::iter::once(&one.network).chain(&one.centres);
            Some((run, all.find(|other| other.centre == row.centre)?))
        });
        *row = match last {
            Some((run, then)) => CentreQuality {
                as_of: Some(run),
                ..then.clone()
            },
            None => row.hidden(FEW),
        };
    }
    let gone = left.iter().filter(|name| !table.counts.contains_key(*name));
    for centre in gone.filter_map(|name| name.strip_prefix(CENTRE)) {
        let then = runs_with(&earlier, |one| {
            one.centres.iter().find(|one| one.centre == centre).cloned()
        });
        shown.centres.extend(then.map(|then| then.hidden(FEW)));
    }
    shown.centres.sort_by(|a, b| a.centre.cmp(&b.centre));
    shown
}
