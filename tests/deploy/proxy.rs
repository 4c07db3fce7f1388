//! A proxy between the binary and the local cloud that does to answers what a bad day does, and counts what came
//! through. It speaks enough of CloudFormation's form to put words of its own into an answer.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::wire::{XML, answer, answer_to, error, header, message};

/// Changes an answer.
pub(super) type Change = Box<dyn Fn(String) -> String + Send>;

/// What becomes of one call.
pub(super) enum Fault {
    /// It is passed on, and its answer too.
    Pass,
    /// It is passed on, and its answer changed.
    Change(Change),
    /// It is passed on, and its answer comes late.
    Late(Duration),
    /// It is not passed on; this is the answer: status and body.
    Answer(u16, String),
    /// It is not passed on, and the connection is cut.
    CutBefore,
    /// It is passed on, and the connection is cut instead of an answer.
    CutAfter,
    /// It is passed on, and the answer is that the service broke down.
    BreakAfter,
    /// Lists are answered one entry at a time.
    OneEntry,
}

/// A call of CloudFormation.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) action: String,
    /// How many calls of this action came before.
    pub(super) earlier: usize,
    /// Its parameters, as they stand in the request.
    pub(super) body: String,
}

impl Fault {
    /// It is passed on, and its answer changed so.
    pub(super) fn change(change: impl Fn(String) -> String + Send + 'static) -> Self {
        Self::Change(Box::new(change))
    }
}

/// Decides what becomes of a call, with those that were passed on before it.
type Rule = Box<dyn Fn(&Call, &[Call]) -> Fault + Send + Sync>;

/// The answer to a request of another service that is not passed on: its first line tells which. Status and JSON.
type Refusal = Box<dyn Fn(&str) -> Option<(u16, String)> + Send + Sync>;

struct State {
    rule: Rule,
    refusal: Option<Refusal>,
    seen: Vec<Call>,
    passed: Vec<Call>,
}

impl State {
    fn new(rule: Rule) -> Self {
        Self { rule, refusal: None, seen: Vec::new(), passed: Vec::new() }
    }
}

/// A running proxy. Its threads end with the process.
pub(super) struct Proxy {
    pub(super) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Proxy {
    /// Listens on this machine and passes on to `upstream`, `127.0.0.1:PORT`.
    pub(super) fn start(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let rule: Rule = Box::new(|_, _| Fault::Pass);
        let state = Arc::new(Mutex::new(State::new(rule)));
        let (shared, upstream) = (Arc::clone(&state), upstream.to_owned());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (shared, upstream) = (Arc::clone(&shared), upstream.clone());
                // A connection that breaks is the client's to notice.
                thread::spawn(move || serve(client, &upstream, &shared));
            }
        });
        Self { address, state }
    }

    /// From now on this rule holds, and counting begins anew.
    pub(super) fn set(&self, rule: impl Fn(&Call, &[Call]) -> Fault + Send + Sync + 'static) {
        let mut state = self.state.lock().expect("no panic");
        *state = State::new(Box::new(rule));
    }

    /// Some requests of other services are refused until the next rule is set.
    pub(super) fn refuse(&self, refusal: impl Fn(&str) -> Option<(u16, String)> + Send + Sync + 'static) {
        self.state.lock().expect("no panic").refusal = Some(Box::new(refusal));
    }

    /// Waits until a call of this action has come.
    pub(super) fn until(&self, action: &str) {
        for _ in 0..1_200 {
            if self.seen(action) > 0 {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("`{action}` never came");
    }

    /// The parameters of the calls of an action that have come since the rule was set.
    pub(super) fn bodies(&self, action: &str) -> Vec<String> {
        let state = self.state.lock().expect("no panic");
        state.seen.iter().filter(|call| call.action == action).map(|call| call.body.clone()).collect()
    }

    /// Calls of an action that the local cloud has got since the rule was set.
    pub(super) fn passed(&self, action: &str) -> usize {
        let state = self.state.lock().expect("no panic");
        state.passed.iter().filter(|call| call.action == action).count()
    }

    /// Calls of an action that were made since the rule was set.
    pub(super) fn seen(&self, action: &str) -> usize {
        let state = self.state.lock().expect("no panic");
        state.seen.iter().filter(|call| call.action == action).count()
    }
}

/// Serves the requests of one connection, one after the other.
fn serve(mut client: TcpStream, upstream: &str, state: &Mutex<State>) -> Option<()> {
    loop {
        let request = message(&mut client)?;
        let text = String::from_utf8_lossy(&request).into_owned();
        let body = text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
        let action =
            body.split('&').find_map(|pair| pair.strip_prefix("Action=")).unwrap_or_default().to_owned();
        // Other services are none of the rule's business, and neither is asking who one is.
        if header(&request, "content-type").is_none_or(|kind| !kind.contains("x-www-form-urlencoded"))
            || action == "GetCallerIdentity"
        {
            let line = text.lines().next().unwrap_or_default();
            let refused = state.lock().expect("no panic").refusal.as_ref().and_then(|refusal| refusal(line));
            let answer = match refused {
                Some((status, body)) => answer(status, "application/json", &body),
                None => forward(upstream, &request)?,
            };
            client.write_all(&answer).ok()?;
            continue;
        }
        let (call, fault) = {
            let mut state = state.lock().expect("no panic");
            let earlier = state.seen.iter().filter(|call| call.action == action).count();
            let call = Call { action, earlier, body };
            let fault = (state.rule)(&call, &state.passed);
            state.seen.push(call.clone());
            if !matches!(fault, Fault::Answer(..) | Fault::CutBefore) {
                state.passed.push(call.clone());
            }
            (call, fault)
        };
        let answer = match fault {
            Fault::Pass => forward(upstream, &request)?,
            Fault::Change(change) => changed(&forward(upstream, &request)?, &change)?,
            Fault::Late(time) => {
                let answer = forward(upstream, &request)?;
                thread::sleep(time);
                answer
            }
            Fault::Answer(status, body) => answer(status, XML, &body),
            Fault::CutBefore => return None,
            Fault::CutAfter => {
                forward(upstream, &request)?;
                return None;
            }
            Fault::BreakAfter => {
                forward(upstream, &request)?;
                answer(500, XML, &error("InternalFailure", "the service broke down"))
            }
            Fault::OneEntry => one_entry(upstream, &request, &call)?,
        };
        client.write_all(&answer).ok()?;
    }
}

fn forward(upstream: &str, request: &[u8]) -> Option<Vec<u8>> {
    let mut server = TcpStream::connect(upstream).ok()?;
    server.write_all(request).ok()?;
    answer_to(request, &mut server)
}

fn changed(response: &[u8], change: &Change) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(response).into_owned();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(answer(status, XML, &change(body.to_owned())))
}

/// The lists that CloudFormation answers in pages.
const LISTS: [(&str, &str); 5] = [
    ("DescribeStacks", "Stacks"),
    ("DescribeStackEvents", "StackEvents"),
    ("DescribeChangeSet", "Changes"),
    ("ListStackResources", "StackResourceSummaries"),
    ("ListChangeSets", "Summaries"),
];

/// One entry of a list, and a token for the next one. The local cloud is asked for the whole each time.
fn one_entry(upstream: &str, request: &[u8], call: &Call) -> Option<Vec<u8>> {
    let token = call.body.split('&').find_map(|pair| pair.strip_prefix("NextToken=entry-"));
    let place: usize = token.map_or(Some(0), |token| token.parse().ok())?;
    let text = String::from_utf8_lossy(request).into_owned();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let body: Vec<_> = body.split('&').filter(|pair| !pair.starts_with("NextToken=")).collect();
    let body = body.join("&");
    let head: Vec<_> =
        head.split("\r\n").filter(|line| !line.to_ascii_lowercase().starts_with("content-length:")).collect();
    let whole = format!("{}\r\ncontent-length: {}\r\n\r\n{body}", head.join("\r\n"), body.len());
    let response = forward(upstream, whole.as_bytes())?;
    let response_text = String::from_utf8_lossy(&response).into_owned();
    let Some((_, list)) = LISTS.iter().find(|(action, _)| *action == call.action) else {
        return Some(response);
    };
    let (open, close) = (format!("<{list}>"), format!("</{list}>"));
    let (Some(start), Some(end)) = (response_text.find(&open), response_text.find(&close)) else {
        return Some(response);
    };
    let entries = members(&response_text[start + open.len()..end]);
    let next = (place + 1 < entries.len()).then(|| format!("<NextToken>entry-{}</NextToken>", place + 1));
    let entry = entries.get(place).copied().unwrap_or_default();
    // A page of the local cloud has a token of its own, where it has more than a hundred entries.
    let rest = &response_text[end + close.len()..];
    let rest = match (rest.find("<NextToken>"), rest.find("</NextToken>")) {
        (Some(start), Some(end)) => format!("{}{}", &rest[..start], &rest[end + "</NextToken>".len()..]),
        _ => rest.to_owned(),
    };
    let page = format!("{}{open}{entry}{close}{}{rest}", &response_text[..start], next.unwrap_or_default(),);
    let (head, body) = page.split_once("\r\n\r\n")?;
    Some(answer(head.split(' ').nth(1)?.parse().ok()?, XML, body))
}

/// The outermost `<member>` elements of a list.
fn members(list: &str) -> Vec<&str> {
    let (mut found, mut depth, mut start, mut place) = (Vec::new(), 0, 0, 0);
    while let Some(next) = list[place..].find('<').map(|next| next + place) {
        if list[next..].starts_with("<member>") {
            if depth == 0 {
                start = next;
            }
            depth += 1;
        } else if list[next..].starts_with("</member>") {
            depth -= 1;
            if depth == 0 {
                found.push(&list[start..next + "</member>".len()]);
            }
        }
        place = next + 1;
    }
    found
}
