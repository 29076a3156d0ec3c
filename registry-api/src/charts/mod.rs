//! Charts as SVG, drawn on the server. Colours, strokes and fonts are classes of the one stylesheet, so that a chart follows
//! light, dark and print like the page around it and needs no inline style (the policy forbids it).

mod axis;
mod bars;
mod forest;
mod funnel;
mod incidence;
mod ratio_funnel;
mod standalone;
mod survival;
mod svg;
mod timeline;
mod trend;

pub use bars::bars;
pub use forest::{ForestRow, Scale, forest};
pub use funnel::{funnel, not_assessable};
pub use incidence::incidence;
pub use ratio_funnel::ratio_funnel;
pub use standalone::standalone;
pub use survival::survival;
pub use timeline::{Mark, MarkKind, Span, Timeline, timeline};
pub use trend::trend;
