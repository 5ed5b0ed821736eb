//! Questions are answered from views alone, and show what the caller has done before.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use skyfold::ports::Order;
use skyfold::{
    After, App, ErrorKind, EventId, ListRequest, Payload, QueryRequest, ReadModels, Reply, Result,
    Trigger, ViewRequest,
};

use super::bank::{account, answer, deposit, open, tag};
use super::{Bank, Case, World, cases};
use crate::domain::{Balances, TaggedBy, Tags, app};
use crate::faults::{Counted, Gate, Request, tapped};

pub(super) const CASES: &[Case] = cases![
    a_query_is_answered_from_views,
    the_read_side_reads_no_events,
    a_view_is_pending_until_it_shows_what_it_must,
    a_keyed_view_is_pending_until_it_shows_what_it_must,
    a_list_is_pending_until_it_shows_what_it_must,
    a_query_is_pending_until_its_views_show_what_they_must,
    an_answer_waits_for_what_it_must_show,
    what_a_view_never_shows_is_not_waited_for,
    the_revision_of_a_view_changes_with_it_alone,
    a_question_that_makes_no_sense_is_invalid,
];

/// The parameters of the query of these cases.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct Owner {
    owner: String,
    tag: String,
}

/// What it answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Summary {
    cents: u64,
    tagged: usize,
}

async fn summary(params: Owner, read: ReadModels) -> Result<Summary> {
    let Owner { owner, tag } = params;
    let page = read.list::<Balances>("by-owner", &owner, Order::Descending, 100, None).await?;
    let tagged = read.get::<Tags>(&tag).await?.map_or(0, |tagged: TaggedBy| tagged.events.len());
    Ok(Summary { cents: page.items.iter().map(|view| view.cents).sum(), tagged })
}

fn with_query() -> App {
    app().query("summary", summary)
}

fn question(owner: &str, tag: &str, after: Option<After>) -> Trigger {
    let params = Owner { owner: owner.into(), tag: tag.into() };
    Trigger::Query(QueryRequest { params: Payload::encode(&params).unwrap(), after })
}

/// The demand that an answer shows the event `id`, and the time to wait for that.
fn after(id: &str, wait: Duration) -> Option<After> {
    Some(After { event: id.parse::<EventId>().unwrap(), wait })
}

/// An account of ada's, with 3 cents and the tag `x`, of which nothing was delivered.
async fn adas(world: &World) -> Bank {
    let bank = Bank::of(with_query(), world.ports.clone());
    bank.accept("1", "a", &open("ada")).await;
    bank.accept("1", "b", &deposit(3)).await;
    bank.accept("1", "c", &tag(&["x"])).await;
    bank
}

async fn a_query_is_answered_from_views(world: World) {
    let bank = adas(&world).await;
    let ask = async || {
        let reply = bank.runtime.invoke("summary", question("ada", "x", None)).await.unwrap();
        answer(reply).body.decode::<Summary>().unwrap()
    };
    assert_eq!(ask().await, Summary { cents: 0, tagged: 0 });
    for consumer in ["balances", "tags"] {
        bank.handle(consumer, &world.news(&account("1")).await).await;
    }
    let expected = Summary { cents: 3, tagged: 1 };
    world.eventually("the list", async || (ask().await == expected).then_some(())).await;
}

async fn the_read_side_reads_no_events(world: World) {
    let bank = adas(&world).await;
    for consumer in ["balances", "tags"] {
        bank.handle(consumer, &world.news(&account("1")).await).await;
    }
    let counted = Counted::new();
    let bank = Bank::of(with_query(), tapped(world.ports.clone(), counted.clone()));
    let wait = Duration::from_secs(1);
    bank.runtime.invoke("summary", question("ada", "x", after("account-1@3", wait))).await.unwrap();
    bank.view::<Balances>("1").await.unwrap();
    bank.view::<Balances>("missing").await;
    bank.list::<Balances>(list(None)).await.unwrap();
    let kinds: Vec<_> = counted.take().into_keys().collect();
    assert_eq!(kinds, ["get", "list"]);
}

fn view(key: &str, after: Option<After>) -> Trigger {
    Trigger::View(ViewRequest { key: key.into(), after })
}

fn list(after: Option<After>) -> ListRequest {
    ListRequest {
        list: "by-owner".into(),
        under: "ada".into(),
        order: Order::Ascending,
        limit: 10,
        cursor: None,
        after,
    }
}

/// Checks that `function` is pending on account-1@2 until it has handled that.
async fn is_pending_until_handled(
    world: &World,
    function: &str,
    consumers: &[&str],
    ask: impl Fn(Option<After>) -> Trigger,
) {
    let bank = adas(world).await;
    let news = world.news(&account("1")).await;
    let is_pending = async |id: &str| {
        let trigger = ask(after(id, Duration::ZERO));
        matches!(bank.runtime.invoke(function, trigger).await.unwrap(), Reply::Pending)
    };
    for (handled, version) in [(0, 1), (1, 2), (2, 3)] {
        let id = format!("account-1@{version}");
        assert!(is_pending(&id).await, "{handled} handled, {id} asked for");
        for consumer in consumers {
            assert!(is_pending(&id).await, "{consumer} has yet to handle {id}");
            bank.handle(consumer, &news[..version]).await;
        }
        assert!(!is_pending(&id).await, "{id} was handled");
        assert!(!is_pending("account-1@1").await, "and so was what came before it");
    }
    assert!(is_pending("account-1@4").await, "what has not happened");
    assert!(is_pending("account-2@1").await, "nor elsewhere");
}

async fn a_view_is_pending_until_it_shows_what_it_must(world: World) {
    is_pending_until_handled(&world, "balances", &["balances"], |after| view("1", after)).await;
}

async fn a_keyed_view_is_pending_until_it_shows_what_it_must(world: World) {
    let bank = world.bank();
    bank.accept("9", "a", &tag(&["x"])).await;
    bank.handle("tags", &world.news(&account("9")).await).await;
    is_pending_until_handled(&world, "tags", &["tags"], |after| view("x", after)).await;
}

async fn a_list_is_pending_until_it_shows_what_it_must(world: World) {
    let ask = |after| Trigger::List(list(after));
    is_pending_until_handled(&world, "balances", &["balances"], ask).await;
}

async fn a_query_is_pending_until_its_views_show_what_they_must(world: World) {
    let ask = |after| question("ada", "x", after);
    is_pending_until_handled(&world, "summary", &["tags", "balances"], ask).await;
}

async fn an_answer_waits_for_what_it_must_show(world: World) {
    for (function, trigger) in [
        ("balances", view("1", after("account-1@3", Duration::from_secs(60)))),
        ("summary", question("ada", "x", after("account-1@3", Duration::from_secs(60)))),
    ] {
        let world = world.another().await;
        let bank = adas(&world).await;
        let news = world.news(&account("1")).await;
        bank.handle("tags", &news).await;
        // Held at its second look, so that it is known to wait.
        let gate = Gate::nth(1, |request| matches!(request, Request::Get(_)));
        let waiting = Bank::of(with_query(), tapped(world.ports.clone(), gate.clone()));
        let asked = tokio::spawn(async move { waiting.runtime.invoke(function, trigger).await });
        gate.arrived().await;
        bank.handle("balances", &news).await;
        gate.release();
        let answered = asked.await.unwrap().unwrap();
        assert!(matches!(answered, Reply::Answer(_)), "{function}: {answered:?}");
    }
    // And not for longer than it may.
    let bank = adas(&world).await;
    let before = bank.runtime.now();
    let wait = Duration::from_secs(3);
    let reply = bank.runtime.invoke("balances", view("1", after("account-1@3", wait))).await;
    assert!(matches!(reply.unwrap(), Reply::Pending));
    let waited = bank.runtime.now() - before;
    assert!(waited >= wait && waited < 10 * wait, "it waited {waited}");
}

async fn what_a_view_never_shows_is_not_waited_for(world: World) {
    let bank = adas(&world).await;
    bank.handle("balances", &world.news(&account("1")).await).await;
    for never in ["archive-1@1", "order-9@1"] {
        let wait = Duration::from_secs(3600);
        let reply = bank.runtime.invoke("balances", view("1", after(never, wait))).await.unwrap();
        assert!(matches!(reply, Reply::Answer(_)), "{never}: {reply:?}");
    }
}

async fn the_revision_of_a_view_changes_with_it_alone(world: World) {
    let bank = adas(&world).await;
    let news = world.news(&account("1")).await;
    let revision = async || {
        answer(bank.runtime.invoke("balances", view("1", None)).await.unwrap()).revision.unwrap()
    };
    bank.handle("balances", &news[..2]).await;
    let first = revision().await;
    bank.handle("balances", &news[..2]).await;
    bank.handle("tags", &news).await;
    assert_eq!(revision().await, first);
    bank.handle("balances", &news).await;
    assert_ne!(revision().await, first);
}

async fn a_question_that_makes_no_sense_is_invalid(world: World) {
    let bank = adas(&world).await;
    for params in ["null", "{}", r#"{"owner":1,"tag":"x"}"#] {
        let params = Payload::parse(params).unwrap();
        let trigger = Trigger::Query(QueryRequest { params, after: None });
        let error = bank.runtime.invoke("summary", trigger).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    }
    for key in ["", "a\nb", &"x".repeat(129)] {
        let error = bank.runtime.invoke("balances", view(key, None)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{key:?}: {error}");
    }
    let error = bank.runtime.invoke("balances", view("nobody", None)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
}
