//! A run with an earlier cut-off holds what was registered by then, and nobody else.

use chrono::NaiveDate;
use registry_core::synthetic;
use registry_etl::disclosure::Audience;
use registry_etl::runs::Reader;
use serde_json::Value;

use crate::registry::{Registry, system};

fn registered(body: &Value) -> NaiveDate {
    let day = body["patient"]["registration_date"].as_str().expect("a date");
    day.parse().expect("a day")
}

#[test]
fn patients_registered_after_the_cut_off_are_in_no_result() {
    let registry = Registry::with(60, 4);
    let mut days: Vec<NaiveDate> = (0..60)
        .map(|index| registered(&synthetic::case(&registry.plan, index).body))
        .collect();
    days.sort();
    // The day on which the 30th was registered: who came on that day counts.
    let cut_off = days[29];
    let by_then = days.iter().filter(|day| **day <= cut_off).count();
    assert!((30..60).contains(&by_then), "some were registered later");

    let run = registry.try_run(cut_off, |_| ()).expect("a run");
    let summary = run.summary.as_ref().expect("finished");
    assert_eq!(summary["cases"], 60);
    assert_eq!(summary["registered_later"], 60 - by_then);
    let scope = system();
    let reader = Reader::new(&registry.store, &scope, &run);
    let overview = reader.overview(&Audience::Exact).expect("an overview");
    assert_eq!(overview.cases, Some(by_then as u32));
    let accrued: u32 = overview.accrual.iter().filter_map(|month| month.n).sum();
    assert_eq!(accrued, by_then as u32, "accrual adds up to the cases");
    let of_centres: u32 = overview.by_centre.iter().filter_map(|centre| centre.cases).sum();
    assert_eq!(of_centres, by_then as u32);
    let quality = reader.quality(&Audience::Exact).expect("data quality");
    assert_eq!(quality.network.cases, Some(by_then as u32));
    let survival = reader.survival("S1", &Audience::Exact).expect("a curve");
    assert_eq!(survival.flow.cases, Some(by_then as u32));
}
