use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use skyfold::{
    App, Category, Decider, Effect, Listed, Personal, Projection, RecordedEvent, Saga, Snapshots,
    StreamId, Subscription,
};

/// The app about members, who may ask to be forgotten.
pub fn members() -> App {
    App::new("club").decider::<Member>().projection::<Cards>().saga::<Welcome>()
}

/// A member of a club, whose personal data are kept wherever an app keeps anything.
#[derive(Debug)]
pub struct Member;

/// Who a member is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the fields say what they are")]
pub struct Profile {
    pub name: String,
    pub age: u8,
}

/// A member.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberState {
    /// Who it is, and who it was.
    pub profiles: Vec<Personal<Profile>>,
    /// How many letters it got.
    pub letters: u32,
    /// What makes the state too large for a commit.
    pub ballast: String,
}

/// What can be asked of a member.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the fields say what they are")]
pub enum MemberCommand {
    /// Tells who it is.
    Introduce { profile: Personal<Profile>, guests: Vec<Personal<String>> },
    /// Sends it a letter.
    Greet { name: Personal<String> },
    /// Takes down whatever is said.
    Note { anything: Value },
    /// Takes up room.
    Load { bytes: usize },
}

/// What can happen to a member.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the fields say what they are")]
pub enum MemberEvent {
    /// It told who it is.
    Introduced { profile: Personal<Profile>, guests: Vec<Personal<String>> },
    /// It got a letter.
    Greeted { name: Personal<String> },
    /// Something was taken down.
    Noted { anything: Value },
    /// Room was taken up.
    Loaded { bytes: usize },
}

impl Decider for Member {
    const CATEGORY: Category = "member";
    const SNAPSHOTS: Snapshots = Snapshots { every: 1, ..Snapshots::DEFAULT };
    type State = MemberState;
    type Command = MemberCommand;
    type Event = MemberEvent;
    type Error = std::convert::Infallible;

    fn decide(_: &MemberState, command: MemberCommand) -> Result<Vec<MemberEvent>, Self::Error> {
        Ok(vec![match command {
            MemberCommand::Introduce { profile, guests } => {
                MemberEvent::Introduced { profile, guests }
            }
            MemberCommand::Greet { name } => MemberEvent::Greeted { name },
            MemberCommand::Note { anything } => MemberEvent::Noted { anything },
            MemberCommand::Load { bytes } => MemberEvent::Loaded { bytes },
        }])
    }

    fn evolve(state: &mut MemberState, event: &MemberEvent) {
        match event {
            MemberEvent::Introduced { profile, .. } => state.profiles.push(profile.clone()),
            MemberEvent::Greeted { .. } => state.letters += 1,
            MemberEvent::Noted { .. } => {}
            MemberEvent::Loaded { bytes } => state.ballast = "x".repeat(*bytes),
        }
    }
}

/// A card for each member.
#[derive(Debug)]
pub struct Cards;

/// A card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the fields say what they are")]
pub struct Card {
    pub profile: Option<Personal<Profile>>,
    /// Derived from the profile, and as personal.
    pub initial: Option<Personal<char>>,
    pub guests: Vec<Personal<String>>,
    pub greeted: Option<Personal<String>>,
    pub letters: u32,
}

impl Projection for Cards {
    const NAME: &'static str = "cards";
    const LISTS: &'static [&'static str] = &["all"];
    type Input = MemberEvent;
    type View = Card;

    fn subscription() -> Subscription<MemberEvent> {
        Subscription::of::<Member>()
    }

    fn project(_: &str, card: Option<Card>, event: &RecordedEvent<MemberEvent>) -> Option<Card> {
        let mut card = card.unwrap_or_default();
        match &event.data {
            MemberEvent::Introduced { profile, guests } => {
                let initial = |profile: &Profile| profile.name.chars().next().unwrap_or('?');
                card.initial = Some(profile.as_ref().map(initial));
                card.profile = Some(profile.clone());
                card.guests.clone_from(guests);
            }
            MemberEvent::Greeted { name } => {
                card.letters += 1;
                card.greeted = Some(name.clone());
            }
            MemberEvent::Noted { .. } | MemberEvent::Loaded { .. } => {}
        }
        Some(card)
    }

    fn listed(key: &str, _: &Card) -> Vec<Listed> {
        vec![Listed::new("all", "everybody", key)]
    }
}

/// Greets each member that introduces itself, at once and once more an hour later.
#[derive(Debug)]
pub struct Welcome;

impl Saga for Welcome {
    const NAME: &'static str = "welcome";
    type Input = MemberEvent;
    type State = Option<Personal<Profile>>;

    fn subscription() -> Subscription<MemberEvent> {
        Subscription::of::<Member>()
    }

    fn correlate(event: &RecordedEvent<MemberEvent>) -> Option<StreamId> {
        matches!(event.data, MemberEvent::Introduced { .. }).then(|| event.stream.id())
    }

    fn react(
        state: &mut Option<Personal<Profile>>,
        event: &RecordedEvent<MemberEvent>,
    ) -> Vec<Effect> {
        let MemberEvent::Introduced { profile, .. } = &event.data else { return vec![] };
        *state = Some(profile.clone());
        let name = profile.clone().map(|profile| profile.name);
        let greet = || {
            Effect::send::<Member>(&event.stream.id(), MemberCommand::Greet { name: name.clone() })
        };
        vec![greet(), greet().after(Duration::from_secs(3600))]
    }

    fn has_ended(state: &Option<Personal<Profile>>) -> bool {
        state.is_some()
    }
}
