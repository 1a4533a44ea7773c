//! Gateways that are broken on purpose, one way each: what shows that the checks can fail.

use portolan::{
    exchange::Lesson,
    plan::health::{Signal, Standing, View},
    units::Millis,
};

use super::{report::Check, request::Flight, upstream::Truth};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// The first target is tried again when all others have failed.
    TriesAgain,
    /// A caller's fault counts as the provider's.
    BlamesProvider,
    /// A provider's fault that was a credential's counts as the model's.
    BlamesModel,
    /// Every isolate probes what was open long enough, without a permit.
    ManyProbes,
    /// Each stream gets its terminal marker, whatever came.
    CleanEnd,
    /// What was said is said twice.
    SaysTwice,
    TwoRecords,
    /// The outcome of a probe is not told.
    KeepsProbe,
    /// No limit to the wait for a head.
    Patient,
    /// Now and then a request is not woken.
    Forgets,
    /// Planning rolls dice of its own.
    OtherSeed,
    /// What is open is never probed.
    NeverProbes,
    /// What was open is wholly up after its probes.
    NoRamp,
    /// Nothing is ever shut.
    NoBreaker,
}

impl Mutant {
    /// With the check that must notice.
    pub const ALL: [(Self, Check); 14] = [
        (Self::TriesAgain, Check::NoRepeat),
        (Self::BlamesProvider, Check::Blame),
        (Self::BlamesModel, Check::Blame),
        (Self::ManyProbes, Check::OneProbe),
        (Self::CleanEnd, Check::TrueEnd),
        (Self::SaysTwice, Check::TrueWords),
        (Self::TwoRecords, Check::OneRecord),
        (Self::KeepsProbe, Check::ProbesSettle),
        (Self::Patient, Check::Deadline),
        (Self::Forgets, Check::Ends),
        (Self::OtherSeed, Check::Deterministic),
        (Self::NeverProbes, Check::Returns),
        (Self::NoRamp, Check::NoHerd),
        (Self::NoBreaker, Check::LeftAlone),
    ];

    pub fn view(self, view: View, now: Millis) -> View {
        let change = |standing: Standing| match (self, standing) {
            (Self::ManyProbes, Standing::Open { until }) if until <= now => Standing::Probe,
            (Self::NeverProbes, Standing::Probe) => Standing::Open { until: now },
            (Self::NoRamp, Standing::Ramping { .. }) | (Self::NoBreaker, _) => Standing::Up,
            (_, standing) => standing,
        };
        View::of(view.cells().map(|(key, standing)| (key.to_owned(), change(standing))))
    }

    pub fn lessons(self, flight: &Flight, lessons: &mut Vec<Lesson>) {
        let Some(last) = flight.sends.last() else { return };
        let cell = super::config::cell_name(last.place.provider, last.place.model);
        let failed = Lesson::Signal(cell, Signal::Failed { floor_ms: 0 });
        match self {
            Self::BlamesProvider if last.truth == Truth::Caller => lessons.push(failed),
            Self::BlamesModel if last.truth == Truth::Rejected => lessons.push(failed),
            Self::KeepsProbe => lessons.retain(|lesson| matches!(lesson, Lesson::Signal(..))),
            Self::BlamesProvider
            | Self::BlamesModel
            | Self::TriesAgain
            | Self::ManyProbes
            | Self::CleanEnd
            | Self::SaysTwice
            | Self::TwoRecords
            | Self::Patient
            | Self::Forgets
            | Self::OtherSeed
            | Self::NeverProbes
            | Self::NoRamp
            | Self::NoBreaker => {}
        }
    }
}
