//! What must hold, and what was found instead.

use std::fmt;

/// Something that was not as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What was broken.
    pub rule: Rule,
    /// What was found instead.
    pub found: String,
}

/// What breaking a rule means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Harm {
    /// Something that happened is gone.
    Lost,
    /// Something happened twice.
    Doubled,
    /// Something happened in another order.
    Disordered,
    /// An answer or a decision is wrong.
    Wrong,
    /// A view shows something else than what happened.
    WrongView,
    /// Stock or money do not add up.
    WrongMoney,
    /// Something never ends.
    Stuck,
    /// Something was given up.
    Parked,
    /// Something was shown, kept or sent that nobody may see.
    Revealed,
}

impl Harm {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Lost,
        Self::Doubled,
        Self::Disordered,
        Self::Wrong,
        Self::WrongView,
        Self::WrongMoney,
        Self::Stuck,
        Self::Parked,
        Self::Revealed,
    ];
}

impl fmt::Display for Harm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Lost => "lost",
            Self::Doubled => "doubled",
            Self::Disordered => "disordered",
            Self::Wrong => "wrong answers",
            Self::WrongView => "wrong views",
            Self::WrongMoney => "wrong stock or money",
            Self::Stuck => "stuck",
            Self::Parked => "parked",
            Self::Revealed => "revealed",
        })
    }
}

/// What must hold of every run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is its sentence, see below")]
pub enum Rule {
    AcknowledgedIsRecorded,
    EventsReachEveryone,
    EventsAreHeard,
    StoreKeeps,
    SentIsRun,
    RecordedOnce,
    TakesEffectOnce,
    HeardOnce,
    EffectsHaveOneId,
    VersionsAreDense,
    TimesNeverFall,
    HeardInOrder,
    LaterIsLater,
    ReceiptsStay,
    ReceiptsTellThePast,
    RefusalsAreRight,
    RefusedIsNotRecorded,
    OneIdOneCommand,
    ReuseIsReuse,
    DelayedWaits,
    EffectsAreDue,
    DecisionsFollow,
    StatesAreFolds,
    ReactionsFollow,
    RecordsAreTrue,
    TimersFollow,
    TimersFire,
    Readable,
    AnswersFit,
    ViewsAreFolds,
    ViewsAreThere,
    ListsFit,
    LooksAreCurrent,
    ViewsSawThePast,
    StockAddsUp,
    OffIsUndone,
    FilledIsComplete,
    ShippedIsPaid,
    AmountsFit,
    TransactionsEnd,
    OrdersEnd,
    ComesToRest,
    HandledInTheEnd,
    NothingIsParked,
    LettersArePoison,
    LettersAreSeenTo,
    RevisionsAreBuilt,
    PersonalIsSealed,
    ForgottenIsGone,
    ForgettingEnds,
    NothingPanics,
    HealthIsTold,
}

impl Rule {
    /// The rule as a sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::AcknowledgedIsRecorded => {
                "an acknowledged command is in the log as its receipt says"
            }
            Self::EventsReachEveryone => "every event reaches everyone who hears it",
            Self::EventsAreHeard => "every event is heard by its transaction",
            Self::StoreKeeps => "the store keeps what it took",
            Self::SentIsRun => "every command that the queue accepted is run",
            Self::RecordedOnce => "a command is in its stream once",
            Self::TakesEffectOnce => "a command takes effect once",
            Self::HeardOnce => "a transaction records each of its events once",
            Self::EffectsHaveOneId => "what a record asks for is sent under one id",
            Self::VersionsAreDense => "the versions of a stream have no gap",
            Self::TimesNeverFall => "the times of a stream never fall",
            Self::HeardInOrder => "a transaction hears a stream in its order",
            Self::LaterIsLater => "what is asked later is recorded later",
            Self::ReceiptsStay => "a command that took effect is answered with its receipt",
            Self::ReceiptsTellThePast => "a receipt tells of the past",
            Self::RefusalsAreRight => "a refusal was right at some moment of its attempt",
            Self::RefusedIsNotRecorded => "a refused command is not in the log",
            Self::OneIdOneCommand => "one id stands for one command",
            Self::ReuseIsReuse => "only an id used for something else is refused as such",
            Self::DelayedWaits => "a delayed command waits until it is due",
            Self::EffectsAreDue => "a delayed effect is due after its delay",
            Self::DecisionsFollow => "every event follows from a command and the state before it",
            Self::StatesAreFolds => "a state in a commit is the fold of what came before",
            Self::ReactionsFollow => "what is asked follows from what was heard",
            Self::RecordsAreTrue => "a record holds what happened",
            Self::TimersFollow => "a record names the timers that are set",
            Self::TimersFire => "a timer runs if it is set, and only then",
            Self::Readable => "what is stored can be read",
            Self::AnswersFit => "a function answers what it was asked",
            Self::ViewsAreFolds => "a view is the fold of the log",
            Self::ViewsAreThere => "no view is missing",
            Self::ListsFit => "a view is in the lists that it belongs to",
            Self::LooksAreCurrent => "a view that is looked at shows what it must",
            Self::ViewsSawThePast => "a view has seen what happened",
            Self::StockAddsUp => "stock adds up",
            Self::OffIsUndone => "what is off is undone in full",
            Self::FilledIsComplete => "a filled order has its goods and its money",
            Self::ShippedIsPaid => "what is shipped is paid",
            Self::AmountsFit => "amounts stay within their digits",
            Self::TransactionsEnd => "every transaction ends",
            Self::OrdersEnd => "a placed order is filled or given up",
            Self::ComesToRest => "the run comes to rest",
            Self::HandledInTheEnd => "whatever is delivered is handled in the end",
            Self::NothingIsParked => "nothing is parked",
            Self::LettersArePoison => "only poison is set aside",
            Self::LettersAreSeenTo => "every dead letter is closed once it is seen to",
            Self::RevisionsAreBuilt => "a new revision is built in the end",
            Self::PersonalIsSealed => "personal data leave a process sealed alone",
            Self::ForgottenIsGone => "what is forgotten is neither shown nor taken again",
            Self::ForgettingEnds => "who is to be forgotten is forgotten in the end",
            Self::NothingPanics => "nothing panics",
            Self::HealthIsTold => "an app that has kept up says so",
        }
    }

    /// What it means if it is broken.
    pub fn harm(self) -> Harm {
        match self {
            Self::AcknowledgedIsRecorded
            | Self::EventsReachEveryone
            | Self::EventsAreHeard
            | Self::StoreKeeps
            | Self::SentIsRun => Harm::Lost,
            Self::RecordedOnce
            | Self::TakesEffectOnce
            | Self::HeardOnce
            | Self::EffectsHaveOneId => Harm::Doubled,
            Self::VersionsAreDense
            | Self::TimesNeverFall
            | Self::HeardInOrder
            | Self::LaterIsLater => Harm::Disordered,
            Self::ReceiptsStay
            | Self::ReceiptsTellThePast
            | Self::RefusalsAreRight
            | Self::RefusedIsNotRecorded
            | Self::OneIdOneCommand
            | Self::ReuseIsReuse
            | Self::DelayedWaits
            | Self::EffectsAreDue
            | Self::DecisionsFollow
            | Self::StatesAreFolds
            | Self::ReactionsFollow
            | Self::RecordsAreTrue
            | Self::TimersFollow
            | Self::TimersFire
            | Self::Readable
            | Self::AnswersFit
            | Self::HealthIsTold
            | Self::NothingPanics => Harm::Wrong,
            Self::ViewsAreFolds
            | Self::ViewsAreThere
            | Self::ListsFit
            | Self::LooksAreCurrent
            | Self::ViewsSawThePast => Harm::WrongView,
            Self::StockAddsUp
            | Self::OffIsUndone
            | Self::FilledIsComplete
            | Self::ShippedIsPaid
            | Self::AmountsFit => Harm::WrongMoney,
            Self::TransactionsEnd
            | Self::OrdersEnd
            | Self::ComesToRest
            | Self::LettersAreSeenTo
            | Self::RevisionsAreBuilt
            | Self::ForgettingEnds
            | Self::HandledInTheEnd => Harm::Stuck,
            Self::NothingIsParked | Self::LettersArePoison => Harm::Parked,
            Self::PersonalIsSealed | Self::ForgottenIsGone => Harm::Revealed,
        }
    }
}

impl Violation {
    pub(crate) fn new(rule: Rule, found: impl Into<String>) -> Self {
        Self { rule, found: found.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "broken: {}\n{}", self.rule.sentence(), self.found)
    }
}

/// What a check comes to.
pub(crate) type Verdict = Result<(), Violation>;

/// Fails unless `holds`, with what was `found`.
pub(crate) fn ensure(rule: Rule, holds: bool, found: impl FnOnce() -> String) -> Verdict {
    match holds {
        true => Ok(()),
        false => Err(Violation::new(rule, found())),
    }
}
