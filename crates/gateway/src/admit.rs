//! Step 4. May this request enter? Today: not when it has been here too often.

use http::HeaderValue;
use tidegate_core::ErrorKind;

use crate::headers::GatewayHeaders;
use crate::refuse::Refusal;

/// The value of the hop header for the next gateway on the way.
#[derive(Debug, Clone)]
pub struct Permit {
    pub hops: HeaderValue,
}

/// # Errors
/// 508 when the request has passed through `max_hops` gateways: a gateway that was configured to call itself.
pub fn enter(own: &GatewayHeaders, max_hops: u32) -> Result<Permit, Refusal> {
    let passed = match &own.hops {
        None => 0,
        // Unreadable counts as far: only a gateway writes this header.
        Some(value) => value.to_str().ok().and_then(|text| text.trim().parse().ok()).unwrap_or(u32::MAX),
    };
    if passed >= max_hops {
        let message = format!(
            "this request has passed through the gateway {max_hops} times or more: a provider's base URL or custom host points back at it"
        );
        return Err(Refusal::with_status("loop", ErrorKind::Internal, 508, message));
    }
    Ok(Permit { hops: HeaderValue::from(passed + 1) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hops_are_counted_and_bounded() {
        let with = |value: &'static str| GatewayHeaders {
            hops: Some(HeaderValue::from_static(value)),
            ..GatewayHeaders::default()
        };
        assert_eq!(enter(&GatewayHeaders::default(), 4).unwrap().hops, "1");
        assert_eq!(enter(&with("3"), 4).unwrap().hops, "4");
        assert_eq!(enter(&with("4"), 4).unwrap_err().error.status, 508);
        assert_eq!(enter(&with("-1"), 4).unwrap_err().error.status, 508);
    }
}
