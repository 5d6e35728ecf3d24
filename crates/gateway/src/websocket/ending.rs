//! Why a session ends that neither side closed, and how each side is told.

use bytes::Bytes;
use serde_json::json;
use tidegate_core::ApiError;
use tidegate_dialect::ClientDialect as _;
use tidegate_dialect::openai_chat::OpenAi;
use tidegate_websocket::frame::encode;
use tidegate_websocket::{CloseCode, Opcode, Sender, Violation};

use crate::record::End;
use crate::refuse::Refusal;

#[derive(Debug, Clone)]
pub enum Why {
    /// A connection ended without a word.
    Left(Sender),
    /// What came is no WebSocket frame.
    Wrong(Sender, Violation),
    /// A frame began and did not go on.
    Stalled(Sender),
    /// Nobody said anything for too long.
    Idle,
    /// The caller may not go on: a budget is used up, or the key is no longer good.
    Refused(Box<Refusal>),
    Draining,
}

impl Why {
    pub fn end(&self) -> End {
        match self {
            Self::Left(Sender::Client) | Self::Wrong(Sender::Client, _) | Self::Stalled(Sender::Client) => {
                End::ClientGone
            }
            Self::Left(Sender::Server) => End::UpstreamCut,
            Self::Wrong(Sender::Server, _) => End::UpstreamError,
            Self::Stalled(Sender::Server) => End::Stalled,
            Self::Idle => End::Idle,
            Self::Refused(_) => End::Refused,
            Self::Draining => End::Draining,
        }
    }

    /// For the operator's log.
    pub fn detail(&self) -> Option<String> {
        Some(match self {
            Self::Left(Sender::Client) | Self::Draining => return None,
            Self::Left(Sender::Server) => "the provider's connection ended without a closing frame".into(),
            Self::Wrong(Sender::Client, violation) => format!("the client: {}", violation.as_str()),
            Self::Wrong(Sender::Server, violation) => format!("the provider: {}", violation.as_str()),
            Self::Stalled(Sender::Client) => "the client left a frame unfinished for too long".into(),
            Self::Stalled(Sender::Server) => "the provider left a frame unfinished for too long".into(),
            Self::Idle => "neither side said anything for too long".into(),
            Self::Refused(refusal) => format!("{}: {}", refusal.reason, refusal.error.message),
        })
    }

    /// What a peer is told: whoever is at fault, that it is.
    pub fn close(&self, to: Sender) -> (CloseCode, &'static str) {
        let to_client = to == Sender::Client;
        match self {
            Self::Wrong(from, violation) if *from == to => (CloseCode::PROTOCOL_ERROR, violation.as_str()),
            Self::Stalled(from) if *from == to => (CloseCode::POLICY, "a frame was left unfinished"),
            Self::Left(Sender::Server) if to_client => {
                (CloseCode::INTERNAL, "the provider's connection broke")
            }
            Self::Wrong(..) | Self::Stalled(_) if to_client => {
                (CloseCode::INTERNAL, "the provider's connection failed")
            }
            Self::Refused(refusal) if to_client => (CloseCode::POLICY, refusal.reason),
            Self::Idle if to_client => (CloseCode::GOING_AWAY, "idle"),
            Self::Draining if to_client => (CloseCode::GOING_AWAY, "the gateway is being stopped"),
            // What is between a client and its gateway is not the provider's business.
            _ => (CloseCode::GOING_AWAY, ""),
        }
    }

    /// The event before the close, for clients of OpenAI's API.
    pub fn event(&self) -> Option<Bytes> {
        let error = match self {
            Self::Refused(refusal) => refusal.error.clone(),
            Self::Left(Sender::Server) | Self::Wrong(Sender::Server, _) => {
                ApiError::upstream("the provider's connection broke").with_code("upstream_stream_interrupted")
            }
            Self::Stalled(Sender::Server) => {
                ApiError::upstream("the provider left a message unfinished for too long")
                    .with_code("upstream_stalled")
            }
            Self::Draining => ApiError::upstream("the gateway is being stopped; connect again")
                .with_code("gateway_stopping"),
            Self::Left(Sender::Client) | Self::Wrong(..) | Self::Stalled(_) | Self::Idle => return None,
        };
        let told = OpenAi.encode_error(&error, None);
        let member = |name: &str| told.pointer(&format!("/error/{name}")).cloned().unwrap_or_default();
        let event = json!({
            "type": "error",
            "event_id": format!("event_{:016x}", (tidegate_core::id::draw() * u64::MAX as f64) as u64),
            "error": {
                "type": member("type"),
                "code": member("code"),
                "message": member("message"),
                "param": member("param"),
                "event_id": null,
            },
        });
        Some(encode(Sender::Server, Opcode::Text, event.to_string().as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use tidegate_core::ErrorKind;

    use super::*;

    #[test]
    fn whoever_is_at_fault_is_told_so_and_the_other_only_that_it_is_over() {
        use Sender::{Client, Server};
        let budget = Refusal::with_status("budget", ErrorKind::BadRequest, 412, "used up");
        for (why, client, server, has_event) in [
            (Why::Left(Client), 1001, 1001, false),
            (Why::Left(Server), 1011, 1001, true),
            (Why::Wrong(Client, Violation::Mask), 1002, 1001, false),
            (Why::Wrong(Server, Violation::Mask), 1011, 1002, true),
            (Why::Stalled(Client), 1008, 1001, false),
            (Why::Stalled(Server), 1011, 1008, true),
            (Why::Idle, 1001, 1001, false),
            (Why::Refused(Box::new(budget)), 1008, 1001, true),
            (Why::Draining, 1001, 1001, true),
        ] {
            assert_eq!((why.close(Client).0.0, why.close(Server).0.0), (client, server), "{why:?}");
            assert_eq!(why.event().is_some(), has_event, "{why:?}");
        }
    }
}
