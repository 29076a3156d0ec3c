//! Cases of the survival reference as the estimators take them.

use crate::reference::{Tolerance, load};
use registry_etl::statistics::StatisticsError;
use registry_etl::statistics::survival::{Columns, Groups, Rows};
use serde_json::Value;
use std::sync::OnceLock;

pub(crate) const EXACT: Tolerance = Tolerance {
    relative: 1e-9,
    absolute: 1e-10,
};
/// Of estimates found by iteration.
pub(crate) const ITERATED: Tolerance = Tolerance {
    relative: 1e-6,
    absolute: 1e-8,
};

pub(crate) fn file() -> &'static Value {
    static FILE: OnceLock<Value> = OnceLock::new();
    FILE.get_or_init(|| load("survival_reference_cases.json.gz"))
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// One case with its input.
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) args: &'static Value,
    pub(crate) expected: &'static Value,
    columns: &'static Value,
}

pub(crate) fn cases(method: &str) -> Vec<Case> {
    let all = file()["cases"].as_array().expect("cases").iter();
    all.filter(|c| c["method"] == method)
        .map(|c| Case {
            id: text(&c["id"]),
            args: &c["args"],
            expected: &c["expected"],
            columns: &file()["inputs"][c["input"].as_str().expect("input")]["columns"],
        })
        .collect()
}

impl Case {
    fn column(&self, name: &str) -> &'static [Value] {
        let column = self.columns[name].as_array();
        column.unwrap_or_else(|| panic!("{}: column {name}", self.id))
    }

    /// The column an argument names, if it names one.
    pub(crate) fn named(&self, argument: &str) -> Option<&'static [Value]> {
        self.args[argument].as_str().map(|name| self.column(name))
    }

    /// Numbers; a null (not a number in the file) becomes NaN.
    pub(crate) fn numbers(&self, argument: &str) -> Option<Vec<f64>> {
        let number = |v: &Value| v.as_f64().unwrap_or(f64::NAN);
        self.named(argument).map(|c| c.iter().map(number).collect())
    }

    pub(crate) fn groups(&self, argument: &str) -> Option<Groups> {
        let labels = self.named(argument)?.iter().map(text).collect::<Vec<_>>();
        Some(Groups::of(&labels))
    }

    pub(crate) fn covariates(&self) -> Vec<Vec<f64>> {
        let names = self.args["covariates"].as_array().expect("covariates");
        let columns: Vec<&[Value]> = names.iter().map(|n| self.column(&text(n))).collect();
        let value = |column: &&[Value], i: usize| column[i].as_f64().expect("a number");
        (0..columns[0].len())
            .map(|i| columns.iter().map(|c| value(c, i)).collect())
            .collect()
    }

    /// Rows with events 0 and 1, or with the causes of `status`.
    pub(crate) fn rows(&self) -> Result<Rows, StatisticsError> {
        let (events, causes) = match self.named("event") {
            Some(event) => (event, 1),
            None => (self.named("status").expect("events"), 2),
        };
        let events: Vec<i64> = events.iter().map(|e| e.as_i64().expect("a code")).collect();
        let (start, weights) = (self.numbers("start"), self.numbers("weights"));
        let columns = Columns {
            exit: &self.numbers("time").expect("times"),
            event: &events,
            entry: start.as_deref(),
            weight: weights.as_deref(),
        };
        Rows::new(columns, causes)
    }

    pub(crate) fn at_times(&self, argument: &str) -> Vec<f64> {
        let times = self.args[argument].as_array();
        times
            .map(|t| t.iter().filter_map(Value::as_f64).collect())
            .unwrap_or_default()
    }
}
