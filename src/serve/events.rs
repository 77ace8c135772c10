//! `/events`: changes of the ranking as server-sent events, told as they are published.
//!
//! A listener is shown what `/feed.atom` would show it at that moment: its token, the board, the freeze and the feedback are
//! looked at again each time. Of what it has not read yet, one event at most is held.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use http_body_util::channel::{Channel, Sender};
use jiff::Timestamp;
use serde::Serialize;
use tokio::time::sleep;

use crate::serve::answer::{Failure, typed};
use crate::serve::board::Sight;
use crate::serve::connections::Stopped;
use crate::serve::feed::{self, Point, View};
use crate::serve::peer::Peer;
use crate::serve::state::{Shared, on_disk};

const EVENT_STREAM: &str = "text/event-stream";

/// How often is looked for news, and after how many looks without any a word is sent all the same.
const LOOK: Duration = Duration::from_secs(1);
const QUIET_LOOKS: u32 = 15;

/// How long a listener is told; it comes again by itself. Shorter than the life of a connection, which ends less well.
const LIFE: Duration = Duration::from_secs(240);

/// Seconds after which one who found no place may come again.
const COME_AGAIN: u64 = 30;

/// A change of the ranking.
#[derive(Serialize)]
struct Change<'a> {
    at: Timestamp,
    changes: &'a [&'a Point],
}

pub(super) async fn events(
    State(state): State<Shared>,
    Extension(peer): Extension<Peer>,
    Extension(Stopped(mut stopped)): Extension<Stopped>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    Sight::of_request(&state, &headers).await?.own()?;
    let full = || Failure::later(StatusCode::SERVICE_UNAVAILABLE, COME_AGAIN, "too many listen already");
    let place = state.listeners.enter(peer).ok_or_else(full)?;
    let after = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let mut listener = Listener { state, headers, after, looked_at: None };
    if after.is_none() {
        // Whoever has read the answer's head is told of all that comes later.
        listener.news().await?;
    }
    let (sender, body) = Channel::<Bytes>::new(1);
    tokio::spawn(async move {
        // It ends as soon as nobody reads it any more, too.
        tokio::select! {
            _ = listener.tell(sender) => {}
            () = sleep(LIFE) => {}
            _ = stopped.wait_for(|stop| *stop) => {}
        }
        drop(place);
    });
    Ok(typed(StatusCode::OK, EVENT_STREAM, Body::new(body)))
}

/// One who listens, and what it was told.
struct Listener {
    state: Shared,
    headers: HeaderMap,
    /// Time of the last change that it knows; None before the first look.
    after: Option<Timestamp>,
    /// History that held no news, and the view of it.
    looked_at: Option<(Arc<Vec<Point>>, View)>,
}

impl Listener {
    /// Sends what is new, until the listener leaves or may see nothing any more.
    async fn tell(&mut self, mut to: Sender<Bytes>) -> Option<()> {
        to.send_data(Bytes::from_static(b"retry: 2000\n\n")).await.ok()?;
        let mut quiet = 0;
        loop {
            if let Some(event) = self.news().await.ok()? {
                to.send_data(event).await.ok()?;
                quiet = 0;
                continue;
            }
            quiet += 1;
            if quiet % QUIET_LOOKS == 0 {
                to.send_data(Bytes::from_static(b": nothing new\n\n")).await.ok()?;
            }
            sleep(LOOK).await;
        }
    }

    /// The next event that the listener may see, if there is one.
    async fn news(&mut self) -> Result<Option<Bytes>, Failure> {
        let own = Sight::of_request(&self.state, &self.headers).await?.own()?;
        let snapshot = self.state.snapshot();
        let look = on_disk(move || io::Result::Ok((snapshot.published().history.get()?, snapshot.view(own))))
            .await?;
        let (history, view) = look.map_err(|_| Failure::ours())?;
        let history = history.unwrap_or_default();
        let known = self.looked_at.as_ref();
        if known.is_some_and(|(seen, with)| Arc::ptr_eq(seen, &history) && *with == view) {
            return Ok(None);
        }
        let shown = view.shown(&history);
        let after =
            *self.after.get_or_insert_with(|| shown.last().map_or_else(Timestamp::now, |last| last.at));
        let next = feed::changes(&shown).take_while(|change| change[0].at > after).last();
        if let Some(changes) = next {
            self.after = Some(changes[0].at);
            return event(changes).map(Some);
        }
        self.looked_at = Some((history, view));
        Ok(None)
    }
}

/// Changes of one time as an event.
fn event(changes: &[&Point]) -> Result<Bytes, Failure> {
    let at = changes[0].at;
    let data = serde_json::to_string(&Change { at, changes }).map_err(|_| Failure::ours())?;
    Ok(format!("id: {at}\nevent: ranking\ndata: {data}\n\n").into())
}
