//! Laws that hold for any input: Kleene's logic, intervals, printing and parsing, hostile text.

use proptest::prelude::*;
use registry_core::rules::syntax::{
    Aggregate, Arg, Comparison, Expr, IgnoredAt, Node, Operation, Over, Path, Rows, Window,
};
use registry_core::rules::{At, Place, Range, Reason, Scalar, Truth, Unknown, parse};

fn unknowns() -> impl Strategy<Value = Unknown> {
    (0..6_usize, 0..4_u16).prop_map(|(reason, element)| Unknown {
        reason: Reason::ALL[reason],
        place: Place::Element(0, element),
    })
}

fn truths() -> impl Strategy<Value = Truth> {
    prop_oneof![
        Just(Truth::True),
        Just(Truth::False),
        unknowns().prop_map(Truth::Unknown)
    ]
}

/// Forgets why.
fn value(truth: Truth) -> Option<bool> {
    match truth {
        Truth::True => Some(true),
        Truth::False => Some(false),
        Truth::Unknown(_) => None,
    }
}

proptest! {
    #[test]
    fn kleene_laws(a in truths(), b in truths(), c in truths()) {
        prop_assert_eq!(value(a.and(b)), value(b.and(a)));
        prop_assert_eq!(value(a.or(b)), value(b.or(a)));
        prop_assert_eq!(value(a.and(b.and(c))), value(a.and(b).and(c)));
        prop_assert_eq!(value(a.or(b.or(c))), value(a.or(b).or(c)));
        prop_assert_eq!(value(a.and(b.or(c))), value(a.and(b).or(a.and(c))));
        prop_assert_eq!(a.and(a), a);
        prop_assert_eq!(a.or(a), a);
        prop_assert_eq!(a.negate().negate(), a);
        // De Morgan holds with the reason too: both read from the left.
        prop_assert_eq!(a.and(b).negate(), a.negate().or(b.negate()));
        prop_assert_eq!(a.or(b).negate(), a.negate().and(b.negate()));
        prop_assert_eq!(a.and(Truth::False), Truth::False);
        prop_assert_eq!(Truth::False.and(a), Truth::False);
        prop_assert_eq!(a.or(Truth::True), Truth::True);
        prop_assert_eq!(a.and(Truth::True), a);
        prop_assert_eq!(a.or(Truth::False), a);
        // The leftmost unknown is the one reported.
        if let (Truth::Unknown(first), Truth::Unknown(_)) = (a, b) {
            prop_assert_eq!(a.and(b).unknown(), Some(first));
            prop_assert_eq!(a.or(b).unknown(), Some(first));
        }
    }

    /// Making an unknown known never turns a result that was already certain.
    #[test]
    fn more_information_never_flips(a in truths(), b in truths(), c in truths(), known in any::<bool>()) {
        let learned = Truth::known(known);
        let formula = |a: Truth| a.and(b).or(c.negate().and(a.negate().or(b)));
        if let (Truth::Unknown(_), Some(before)) = (a, value(formula(a))) {
            prop_assert_eq!(value(formula(learned)), Some(before));
        }
    }
}

const WHY: Unknown = Unknown {
    reason: Reason::ImpreciseDate,
    place: Place::Element(0, 0),
};

/// An interval and a whole number inside it.
fn ranges() -> impl Strategy<Value = (Range, f64)> {
    (-60_i32..60, 0_i32..40, 0.0..=1.0_f64).prop_map(|(lo, width, part)| {
        let inside = f64::from(lo) + (f64::from(width) * part).round();
        (
            Range::new(f64::from(lo), f64::from(lo + width), Some(WHY)),
            inside,
        )
    })
}

/// An interval of days in the years around 2024 and a day inside it.
fn dates() -> impl Strategy<Value = (Range, f64)> {
    ranges().prop_map(|(range, inside)| {
        let shift = 738_900.0;
        (
            Range::new(range.lo * 9.0 + shift, range.hi * 9.0 + shift, range.why),
            inside * 9.0 + shift,
        )
    })
}

fn holds(comparison: Comparison, a: f64, b: f64) -> bool {
    match comparison {
        Comparison::Equal => a == b,
        Comparison::NotEqual => a != b,
        Comparison::Less => a < b,
        Comparison::LessOrEqual => a <= b,
        Comparison::Greater => a > b,
        Comparison::GreaterOrEqual => a >= b,
    }
}

fn within(result: Scalar, point: f64) -> bool {
    matches!(result, Scalar::Range(range) if range.lo <= point + 1e-9 && point <= range.hi + 1e-9)
}

proptest! {
    /// A verdict on two intervals holds for every pair of points in them.
    #[test]
    fn verdicts_on_intervals_are_sound((a, x) in ranges(), (b, y) in ranges()) {
        for comparison in Comparison::ALL {
            let verdict = Scalar::Range(a).compare(comparison, Scalar::Range(b));
            if let Some(verdict) = value(verdict) {
                prop_assert_eq!(verdict, holds(comparison, x, y), "{:?}", comparison);
            }
            if a.is_exact() && b.is_exact() {
                prop_assert!(value(verdict).is_some());
            }
        }
    }

    /// What may be NONE is never certainly equal, earlier or later, and never certainly different.
    #[test]
    fn what_may_be_none_is_never_certain((a, _) in ranges(), (b, _) in ranges()) {
        let maybe = Scalar::Range(Range { maybe_none: true, why: Some(WHY), ..a });
        for comparison in Comparison::ALL {
            prop_assert_ne!(maybe.compare(comparison, Scalar::Range(b)), Truth::True);
        }
        prop_assert_eq!(value(maybe.compare(Comparison::NotEqual, Scalar::Range(b))), None);
    }

    #[test]
    fn arithmetic_on_intervals_is_sound((a, x) in ranges(), (b, y) in ranges()) {
        let (left, right) = (Scalar::Range(a), Scalar::Range(b));
        prop_assert!(within(left.add(right), x + y));
        prop_assert!(within(left.subtract(right), x - y));
        prop_assert!(within(left.multiply(right), x * y));
        if y != 0.0 {
            prop_assert!(within(left.divide(right, Place::Element(0, 0)), x / y));
        }
        prop_assert!(within(left.absolute(), x.abs()));
        prop_assert!(within(Scalar::earliest([left, right]).unwrap(), x.min(y)));
        prop_assert!(within(Scalar::latest([left, right]).unwrap(), x.max(y)));
        for result in [left.add(right), left.multiply(right), left.absolute()] {
            if let Scalar::Range(range) = result {
                // Whatever is not exact can be explained.
                prop_assert_eq!(range.is_exact(), range.why.is_none());
            }
        }
    }

    #[test]
    fn dates_on_intervals_are_sound((a, x) in dates(), (b, y) in dates(), months in 0_i32..30) {
        let (first, second) = (Scalar::Range(a), Scalar::Range(b));
        let (at, other) = (Scalar::point(x), Scalar::point(y));
        let point = |scalar: Scalar| if let Scalar::Range(range) = scalar { range.lo } else { f64::NAN };
        prop_assert!(within(first.days_until(second), point(at.days_until(other))));
        prop_assert!(within(first.months_until(second), point(at.months_until(other))));
        prop_assert!(within(first.year(), point(at.year())));
        let months = Scalar::point(f64::from(months));
        prop_assert!(within(first.add_months(months, 1.0), point(at.add_months(months, 1.0))));
        prop_assert!(within(first.add_months(months, -1.0), point(at.add_months(months, -1.0))));
        // Adding completed months never overshoots.
        if y >= x {
            let completed = at.months_until(other);
            prop_assert!(point(at.add_months(completed, 1.0)) <= y);
        }
        prop_assert_eq!(point(at.months_until(other)), -point(other.months_until(at)));
    }

    #[test]
    fn absence_goes_through_arithmetic((a, _) in ranges(), unknown in unknowns()) {
        let place = Place::Element(0, 9);
        let (value, missing, none) = (Scalar::Range(a), Scalar::Unknown(unknown), Scalar::None(place));
        prop_assert_eq!(value.add(missing), missing);
        prop_assert_eq!(none.add(missing), missing);
        prop_assert_eq!(value.add(none), none);
        prop_assert_eq!(Scalar::earliest([none, value]), Some(value));
        prop_assert_eq!(Scalar::latest([none, none]), Some(none));
        prop_assert_eq!(Scalar::latest([value, missing]), Some(missing));
        prop_assert_eq!(none.compare(Comparison::Less, value), Truth::False);
        prop_assert_eq!(
            none.compare(Comparison::NotEqual, value),
            Truth::Unknown(Unknown { reason: Reason::UnknownRecorded, place })
        );
    }
}

fn node(node: Node) -> Expr {
    Expr {
        node,
        at: At::default(),
    }
}

fn identifiers() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9_]{0,6}".prop_filter("a keyword", |name| name != "true" && name != "false")
}

fn names() -> impl Strategy<Value = String> {
    "[A-Z][A-Z0-9_]{0,6}".prop_filter("a keyword", |name| {
        parse(name).is_ok_and(|tree| matches!(tree.node, Node::Name(_))) && !name.starts_with("PRE")
    })
}

fn paths() -> impl Strategy<Value = Path> {
    (identifiers(), identifiers()).prop_map(|(row, element)| Path {
        row,
        element,
        at: At::default(),
    })
}

fn leaves() -> impl Strategy<Value = Expr> {
    prop_oneof![
        (0..3_u8).prop_map(|number| Node::Number(f64::from(number))),
        (0..3_u32).prop_map(Node::Days),
        "[a-zA-Z0-9 ./_]{0,6}".prop_map(Node::Code),
        names().prop_map(Node::Parameter),
        paths().prop_map(Node::Path),
        any::<bool>().prop_map(Node::Boolean),
        paths().prop_map(Node::Unknown),
        names().prop_map(Node::Name),
    ]
    .prop_map(node)
}

/// Any tree the grammar has, with the limits the parser sets on depth.
fn trees() -> impl Strategy<Value = Expr> {
    leaves().prop_recursive(4, 40, 4, |inner| {
        let boxed = inner.clone().prop_map(Box::new).boxed();
        let many = prop::collection::vec(inner.clone(), 2..4).boxed();
        let window = prop_oneof![
            (boxed.clone(), boxed.clone()).prop_map(|(from, to)| Window::Range(from, to)),
            Just(Window::Pre),
            Just(Window::Pre0),
        ]
        .boxed();
        let rows = (
            any::<bool>(),
            identifiers(),
            prop::option::of(identifiers()),
            prop::option::of(inner.clone()),
            prop::option::of((window.clone(), prop::option::of(paths()))),
        )
            .prop_map(|(submitted, entity, alias, condition, within)| {
                Box::new(Rows {
                    submitted,
                    entity,
                    alias,
                    condition,
                    within,
                    at: IgnoredAt(At::default()),
                })
            })
            .boxed();
        let argument = prop_oneof![
            3 => inner.clone().prop_map(Arg::Value),
            1 => identifiers().prop_map(|name| Arg::Identifier(name, IgnoredAt(At::default()))),
        ];
        let set =
            prop::collection::vec(inner.clone(), 0..3).prop_map(|members| Box::new(node(Node::Set(members))));
        let comparison = prop::sample::select(Comparison::ALL.to_vec());
        let operation = prop::sample::select(vec![
            Operation::Add,
            Operation::Subtract,
            Operation::Multiply,
            Operation::Divide,
        ]);
        let aggregate =
            prop::sample::select(vec![Aggregate::Count, Aggregate::FirstDate, Aggregate::LastDate]);
        let over = prop::sample::select(vec![Over::Sum, Over::Min, Over::Max]);
        let (a, b) = (boxed.clone(), boxed.clone());
        prop_oneof![
            many.clone().prop_map(Node::Or),
            many.prop_map(Node::And),
            a.clone().prop_map(Node::Not),
            (comparison, a.clone(), b.clone()).prop_map(|(comparison, a, b)| Node::Compare(comparison, a, b)),
            (a.clone(), any::<bool>(), window).prop_map(|(value, negated, window)| Node::InWindow {
                value,
                negated,
                window
            }),
            (a.clone(), any::<bool>(), b.clone()).prop_map(|(value, negated, set)| Node::InSet {
                value,
                negated,
                set
            }),
            (a.clone(), any::<bool>()).prop_map(|(value, negated)| Node::IsNone { value, negated }),
            (operation, a.clone(), b.clone()).prop_map(|(operation, a, b)| Node::Arithmetic(operation, a, b)),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| Node::If(Box::new([a, b, c]))),
            rows.clone().prop_map(Node::Exists),
            (rows.clone(), a.clone()).prop_map(|(rows, test)| Node::All(rows, test)),
            (aggregate, rows.clone()).prop_map(|(aggregate, rows)| Node::Aggregate(aggregate, rows)),
            (over, rows.clone(), a.clone()).prop_map(|(over, rows, value)| Node::Over(over, rows, value)),
            (rows.clone(), a.clone(), b).prop_map(|(rows, from, to)| Node::MaxGap { rows, from, to }),
            (set, paths(), rows, a).prop_map(|(set, using, rows, pool)| Node::Covered {
                set,
                using,
                rows,
                pool
            }),
            (names(), prop::collection::vec(argument, 0..3))
                .prop_map(|(name, arguments)| Node::Call(name, arguments)),
        ]
        .prop_map(node)
    })
}

/// Pieces of the language in any order.
fn soup() -> impl Strategy<Value = String> {
    let words: Vec<&str> = "AND OR NOT ( ) { } [ ] , : = <> < <= > >= + - * / IN IS NONE IF THEN ELSE END EXISTS ALL COUNT \
         WHERE WITHIN ON AS ROWS SATISFY UNKNOWN COVERED USING FROM POOL MAX_GAP TO SUM MIN_OF MAX_OF FIRST_DATE \
         LAST_DATE PRE PRE0 T0 FT DEATH imaging presentation.seq imaging.date primary.side 'ct' 'left' $D10 0 1 2 1d 3 true \
         false HAS HAS_ANY REC NA DAYS MIN DIED_BY ATTESTED LOOKUP MEASURE INDEX TABLE"
        .split_whitespace()
        .collect();
    prop::collection::vec(prop::sample::select(words), 0..30).prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn printing_and_parsing_give_the_tree_back(tree in trees()) {
        let text = tree.to_string();
        let again = parse(&text);
        prop_assert_eq!(again.as_ref(), Ok(&tree), "{}", text);
        prop_assert_eq!(again.unwrap().to_string(), text);
    }

    #[test]
    fn any_text_is_parsed_or_refused_with_a_place(text in prop_oneof![".{0,200}", soup()]) {
        if let Err(fault) = parse(&text) {
            prop_assert!(fault.at.start <= text.len() && fault.at.end >= fault.at.start, "{:?}", fault);
            prop_assert!(!fault.message.is_empty());
        }
    }

    #[test]
    fn any_text_is_compiled_or_refused(text in soup()) {
        crate::corpus::compile_and_judge(&text);
    }
}
