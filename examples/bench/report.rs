//! The report: figures, their requirements, and whether they hold.

use std::fmt;
use std::time::Duration;

/// The requirement of a figure.
#[derive(Clone, Copy)]
pub enum Required {
    AtLeast(f64),
    AtMost(f64),
    /// Exclusive: strictly less.
    Below(f64),
}

impl Required {
    fn holds(self, figure: f64) -> bool {
        match self {
            Self::AtLeast(least) => figure >= least,
            Self::AtMost(most) => figure <= most,
            Self::Below(limit) => figure < limit,
        }
    }

    fn text(self, unit: &str) -> String {
        match self {
            Self::AtLeast(least) => format!("≥ {least}{unit}"),
            Self::AtMost(most) => format!("≤ {most}{unit}"),
            Self::Below(limit) => format!("< {limit}{unit}"),
        }
    }
}

struct Figure {
    what: String,
    figure: f64,
    unit: &'static str,
    required: Required,
}

/// Everything that was measured.
pub struct Report {
    machine: Vec<String>,
    figures: Vec<Figure>,
    /// Tables and sentences with more detail.
    details: Vec<String>,
}

impl Report {
    pub fn new(machine: Vec<String>) -> Self {
        Self { machine, figures: Vec::new(), details: Vec::new() }
    }

    /// Adds a figure with its requirement. `unit` begins with a space, or is empty for a ratio.
    pub fn figure(&mut self, what: impl Into<String>, figure: f64, unit: &'static str, required: Required) {
        self.figures.push(Figure { what: what.into(), figure, unit, required });
    }

    /// Adds a paragraph or a table.
    pub fn detail(&mut self, text: impl Into<String>) {
        self.details.push(text.into());
    }

    /// Whether every figure meets its requirement.
    pub fn holds(&self) -> bool {
        self.figures.iter().all(|figure| figure.required.holds(figure.figure))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.machine {
            writeln!(f, "{line}")?;
        }
        writeln!(f, "\n| what | measured | required | |\n| --- | ---: | ---: | --- |")?;
        for Figure { what, figure, unit, required } in &self.figures {
            let digits = if *figure >= 100.0 || figure.fract() == 0.0 {
                0
            } else if *figure >= 10.0 {
                1
            } else {
                2
            };
            let verdict = if required.holds(*figure) { "holds" } else { "**missed**" };
            writeln!(f, "| {what} | {figure:.digits$}{unit} | {} | {verdict} |", required.text(unit))?;
        }
        for detail in &self.details {
            writeln!(f, "\n{detail}")?;
        }
        Ok(())
    }
}

/// The median of `values`.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

/// A duration in milliseconds.
pub fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1000.0
}
