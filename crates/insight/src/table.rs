//! The table of metrics. Requests are counted at the time at which they began.

use crate::cell::Amount::{Cost, Saved, SavedSemantic};
use crate::cell::Shape::{Latency, Ttft};
use crate::cell::Sum as S;
use crate::metric::Better::{Down, None as Neither, Up};
use crate::metric::Formula as F;
use crate::metric::{Better, Formula, Kind, Metric, Unit};

const fn metric(
    id: &'static str,
    names: (&'static str, &'static str),
    (unit, kind, better): (Unit, Kind, Better),
    formula: Formula,
    definition: &'static str,
) -> Metric {
    let (name, name_zh) = names;
    Metric { id, name, name_zh, unit, kind, better, prometheus: None, definition, formula }
}

impl Metric {
    const fn exposed_as(mut self, prometheus: &'static str) -> Self {
        self.prometheus = Some(prometheus);
        self
    }
}

const COUNT: (Unit, Kind, Better) = (Unit::Count, Kind::Count, Neither);
const GOOD: (Unit, Kind, Better) = (Unit::Count, Kind::Count, Up);
const BAD: (Unit, Kind, Better) = (Unit::Count, Kind::Count, Down);
const TOTAL: (Unit, Kind, Better) = (Unit::Count, Kind::Sum, Neither);
const MEAN: (Unit, Kind, Better) = (Unit::Ratio, Kind::Ratio, Neither);
const SHARE: (Unit, Kind, Better) = (Unit::Percent, Kind::Ratio, Neither);
const GOOD_SHARE: (Unit, Kind, Better) = (Unit::Percent, Kind::Ratio, Up);
const BAD_SHARE: (Unit, Kind, Better) = (Unit::Percent, Kind::Ratio, Down);
const MONEY: (Unit, Kind, Better) = (Unit::Usd, Kind::Sum, Down);
const PRICE: (Unit, Kind, Better) = (Unit::Usd, Kind::Ratio, Down);
const TIME: (Unit, Kind, Better) = (Unit::Milliseconds, Kind::Ratio, Down);
const LONGEST: (Unit, Kind, Better) = (Unit::Milliseconds, Kind::Most, Down);
const QUANTILE: (Unit, Kind, Better) = (Unit::Milliseconds, Kind::Percentile, Down);
const MS: f64 = 1e-3;

#[rustfmt::skip]
pub(crate) const TABLE: &[Metric] = &[
    // Traffic.
    metric("requests", ("Requests", "请求数"), COUNT, F::Sum(&[S::Requests]),
        "Requests that the gateway answered, its own refusals among them; retries and fallbacks are parts of one.")
        .exposed_as("tidegate_requests_total"),
    metric("requests_per_second", ("Request rate", "请求速率"), (Unit::PerSecond, Kind::Ratio, Neither), F::Rate(S::Requests),
        "Requests over the length of the time they were counted in."),
    metric("success", ("Successes", "成功数"), GOOD, F::Sum(&[S::Success]),
        "Requests answered with a status from 200 to 299."),
    metric("success_rate", ("Success rate", "成功率"), GOOD_SHARE, F::Ratio(&[S::Success], &[S::Requests], 100.0),
        "Share of requests answered with a status from 200 to 299."),
    metric("streamed", ("Streamed requests", "流式请求数"), COUNT, F::Sum(&[S::Streams]),
        "Requests that asked for a stream."),
    metric("streamed_share", ("Share of streams", "流式占比"), SHARE, F::Ratio(&[S::Streams], &[S::Requests], 100.0),
        "Share of requests that asked for a stream."),
    metric("clients_gone", ("Clients gone", "客户端中断"), BAD, F::Sum(&[S::ClientsGone]),
        "Requests whose client left before the end of the answer."),
    metric("bytes_in", ("Bytes received", "接收字节"), (Unit::Bytes, Kind::Sum, Neither), F::Sum(&[S::RequestBytes]),
        "Bytes of request bodies, as clients sent them."),
    metric("bytes_out", ("Bytes sent", "发送字节"), (Unit::Bytes, Kind::Sum, Neither), F::Sum(&[S::ResponseBytes]),
        "Bytes of answers, as clients got them."),

    // Cost.
    metric("cost", ("Cost", "费用"), MONEY, F::Amount(&[Cost]),
        "What requests cost, as far as their models have prices.").exposed_as("tidegate_cost_usd_total"),
    metric("cost_per_request", ("Cost per request", "单次请求费用"), PRICE, F::Each(Cost, &[S::Priced], 1.0),
        "Mean cost of the requests whose cost is known."),
    metric("cost_per_1k_tokens", ("Cost per 1,000 tokens", "每千 token 费用"), PRICE, F::Each(Cost, &[S::Prompt, S::Output], 1_000.0),
        "Cost over tokens, times a thousand."),
    metric("cost_per_user", ("Cost per user", "每用户费用"), PRICE, F::CostPerUser,
        "Cost over the number of different users."),
    metric("unpriced_requests", ("Unpriced requests", "未定价请求数"), BAD, F::Sum(&[S::Unpriced]),
        "Requests with usage whose model has no price."),

    // Tokens.
    metric("tokens", ("Tokens", "token 总数"), TOTAL, F::Sum(&[S::Prompt, S::Output]),
        "Tokens read and generated.").exposed_as("tidegate_tokens_total"),
    metric("tokens_per_request", ("Tokens per request", "每请求 token"), MEAN, F::Ratio(&[S::Prompt, S::Output], &[S::WithUsage], 1.0),
        "Mean of the tokens read and generated, over requests with usage."),
    metric("tokens_in", ("Input tokens", "输入 token"), TOTAL, F::Sum(&[S::Prompt]),
        "Tokens that models read, cached ones among them."),
    metric("tokens_in_per_request", ("Input tokens per request", "每请求输入 token"), MEAN, F::Ratio(&[S::Prompt], &[S::WithUsage], 1.0),
        "Mean of the tokens read, over requests with usage."),
    metric("tokens_out", ("Output tokens", "输出 token"), TOTAL, F::Sum(&[S::Output]),
        "Tokens that models generated, reasoning among them."),
    metric("tokens_out_per_request", ("Output tokens per request", "每请求输出 token"), MEAN, F::Ratio(&[S::Output], &[S::WithUsage], 1.0),
        "Mean of the tokens generated, over requests with usage."),
    metric("tokens_cached", ("Cached input tokens", "缓存输入 token"), TOTAL, F::Sum(&[S::CacheRead]),
        "Input tokens that providers read from their prompt cache."),
    metric("tokens_cached_share", ("Share of cached input", "缓存输入占比"), GOOD_SHARE, F::Ratio(&[S::CacheRead], &[S::Prompt], 100.0),
        "Share of input tokens that providers read from their prompt cache."),
    metric("tokens_cache_write", ("Tokens written to prompt caches", "缓存写入 token"), TOTAL, F::Sum(&[S::CacheWrite]),
        "Input tokens that providers wrote to their prompt cache."),
    metric("tokens_reasoning", ("Reasoning tokens", "推理 token"), TOTAL, F::Sum(&[S::Reasoning]),
        "Output tokens spent on reasoning."),
    metric("tokens_reasoning_share", ("Share of reasoning", "推理占比"), SHARE, F::Ratio(&[S::Reasoning], &[S::Output], 100.0),
        "Share of output tokens spent on reasoning."),
    metric("tokens_audio", ("Audio tokens", "音频 token"), TOTAL, F::Sum(&[S::Audio]),
        "Audio tokens read and generated."),
    metric("tokens_image", ("Image tokens", "图像 token"), TOTAL, F::Sum(&[S::Image]),
        "Image tokens read and generated."),
    metric("searches", ("Billed searches", "计费搜索次数"), TOTAL, F::Sum(&[S::Searches]),
        "Searches and similar calls that providers made and billed."),
    metric("tokens_per_second", ("Generation speed", "生成速度"), (Unit::TokensPerSecond, Kind::Ratio, Up),
        F::Ratio(&[S::PacedTokens], &[S::PacedUs], 1e6),
        "Output tokens over the time from the first one to the last, of streams with eight or more."),
    metric("usage_estimated", ("Estimated usage", "估算用量请求数"), BAD, F::Sum(&[S::UsageEstimated]),
        "Requests whose tokens the gateway counted because the provider did not say."),

    // Latency.
    metric("latency", ("Latency", "平均延迟"), TIME, F::Ratio(&[S::LatencyUs], &[S::Requests], MS),
        "Mean time from the request to the last byte of the answer.").exposed_as("tidegate_request_duration_seconds"),
    metric("latency_p50", ("Latency p50", "延迟 p50"), QUANTILE, F::Quantile(Latency, 0.5), "Half of all requests were as quick as this."),
    metric("latency_p75", ("Latency p75", "延迟 p75"), QUANTILE, F::Quantile(Latency, 0.75), "75 of 100 requests were as quick as this."),
    metric("latency_p90", ("Latency p90", "延迟 p90"), QUANTILE, F::Quantile(Latency, 0.9), "90 of 100 requests were as quick as this."),
    metric("latency_p95", ("Latency p95", "延迟 p95"), QUANTILE, F::Quantile(Latency, 0.95), "95 of 100 requests were as quick as this."),
    metric("latency_p99", ("Latency p99", "延迟 p99"), QUANTILE, F::Quantile(Latency, 0.99), "99 of 100 requests were as quick as this."),
    metric("latency_max", ("Longest latency", "最大延迟"), LONGEST, F::Most(S::Requests, S::LatencyMost), "The longest request."),
    metric("ttft", ("Time to first token", "首 token 时间"), TIME, F::Ratio(&[S::TtftUs], &[S::Ttfts], MS),
        "Mean time from the request to the first content of the answer, of streams.").exposed_as("tidegate_time_to_first_token_seconds"),
    metric("ttft_p50", ("Time to first token p50", "首 token 时间 p50"), QUANTILE, F::Quantile(Ttft, 0.5), "Half of all streams began as soon as this."),
    metric("ttft_p90", ("Time to first token p90", "首 token 时间 p90"), QUANTILE, F::Quantile(Ttft, 0.9), "90 of 100 streams began as soon as this."),
    metric("ttft_p95", ("Time to first token p95", "首 token 时间 p95"), QUANTILE, F::Quantile(Ttft, 0.95), "95 of 100 streams began as soon as this."),
    metric("ttft_p99", ("Time to first token p99", "首 token 时间 p99"), QUANTILE, F::Quantile(Ttft, 0.99), "99 of 100 streams began as soon as this."),
    metric("ttft_max", ("Longest time to first token", "最大首 token 时间"), LONGEST, F::Most(S::Ttfts, S::TtftMost), "The longest time to the first content of a stream."),
    metric("upstream_latency", ("Time at providers", "上游耗时"), TIME, F::Ratio(&[S::UpstreamUs], &[S::WithAttempts], MS),
        "Mean time that a request's attempts took until they had an outcome, of requests that made any."),
    metric("queued", ("Requests that waited", "排队请求数"), BAD, F::Sum(&[S::Waited]),
        "Requests that waited in turn for a limit."),
    metric("queue_wait", ("Wait in turn", "平均排队时间"), TIME, F::Ratio(&[S::WaitedUs], &[S::Waited], MS),
        "Mean time in turn, of requests that waited."),
    metric("queue_wait_max", ("Longest wait in turn", "最长排队时间"), LONGEST, F::Most(S::Waited, S::WaitedMost), "The longest time in turn."),
    metric("apdex", ("Apdex", "Apdex"), (Unit::Ratio, Kind::Ratio, Up), F::Apdex,
        "Share of requests done within a second, and half of those within four: 0 to 1."),

    // Errors.
    metric("errors", ("Errors", "错误数"), BAD, F::Sum(&[S::Errors]),
        "Requests answered with a status from 400 on."),
    metric("error_rate", ("Error rate", "错误率"), BAD_SHARE, F::Ratio(&[S::Errors], &[S::Requests], 100.0),
        "Share of requests answered with a status from 400 on."),
    metric("client_errors", ("Client errors", "客户端错误数"), BAD, F::Sum(&[S::ClientErrors]),
        "Requests answered with a status from 400 to 499."),
    metric("server_errors", ("Server errors", "服务端错误数"), BAD, F::Sum(&[S::ServerErrors]),
        "Requests answered with a status from 500 on."),
    metric("rate_limited", ("Rate limited", "限流数"), BAD, F::Sum(&[S::RateLimited]),
        "Requests answered with 429, by the gateway or by a provider."),
    metric("limited", ("Refused by limits", "限额拒绝数"), BAD, F::Sum(&[S::Limited]),
        "Requests that the gateway's own limits or budgets refused.").exposed_as("tidegate_refusals_total"),
    metric("broken", ("Broken answers", "中断回答数"), BAD, F::Sum(&[S::Broken]),
        "Answers that broke off, stalled, or reported an error on the way.").exposed_as("tidegate_stream_ends_total"),

    // Rescue.
    metric("attempts", ("Attempts", "上游尝试次数"), TOTAL, F::Sum(&[S::Attempts]),
        "Requests to providers.").exposed_as("tidegate_attempts_total"),
    metric("attempts_per_request", ("Attempts per request", "每请求尝试次数"), (Unit::Ratio, Kind::Ratio, Down), F::Ratio(&[S::Attempts], &[S::WithAttempts], 1.0),
        "Mean number of attempts, of requests that made any."),
    metric("first_failures", ("First attempts that failed", "首次尝试失败数"), BAD, F::Sum(&[S::FirstFailed]),
        "Requests whose first attempt failed."),
    metric("rescued_retry", ("Rescued by retries", "重试挽救数"), GOOD,
        F::Sum(&[S::Retried1, S::Retried2, S::Retried3, S::Retried4, S::Retried5]),
        "Requests that succeeded after one or more retries at the same target."),
    metric("rescued_fallback", ("Rescued by fallbacks", "回退挽救数"), GOOD, F::Sum(&[S::FellBack]),
        "Requests that succeeded at another target than the first."),
    metric("rescue_rate", ("Rescue rate", "挽救率"), GOOD_SHARE, F::Ratio(&[S::Rescued], &[S::FirstFailed], 100.0),
        "Share of the requests whose first attempt failed that succeeded all the same."),

    // Cache.
    metric("cache_hits", ("Cache hits", "缓存命中数"), GOOD, F::Sum(&[S::CacheHits, S::SemanticHits]),
        "Requests answered from the gateway's cache."),
    metric("cache_hits_semantic", ("Semantic cache hits", "语义缓存命中数"), GOOD, F::Sum(&[S::SemanticHits]),
        "Requests answered with what a similar one got."),
    metric("cache_lookups", ("Cache look-ups", "缓存查询数"), COUNT, F::Sum(&[S::CacheHits, S::SemanticHits, S::CacheMisses, S::Refreshed]),
        "Requests for which the cache was asked."),
    metric("cache_hit_rate", ("Cache hit rate", "缓存命中率"), GOOD_SHARE,
        F::Ratio(&[S::CacheHits, S::SemanticHits], &[S::CacheHits, S::SemanticHits, S::CacheMisses, S::Refreshed], 100.0),
        "Share of the requests for which the cache was asked that were answered from it."),
    metric("cache_savings", ("Saved by the cache", "缓存节省费用"), (Unit::Usd, Kind::Sum, Up), F::Amount(&[Saved, SavedSemantic]),
        "What the requests answered from the cache would have cost."),
    metric("cache_latency", ("Latency of cache hits", "缓存命中延迟"), TIME,
        F::Ratio(&[S::CacheHitUs], &[S::CacheHits, S::SemanticHits], MS),
        "Mean time of requests answered from the cache."),
    metric("cache_speedup", ("Cache speed-up", "缓存加速比"), (Unit::Ratio, Kind::Ratio, Up), F::Speedup,
        "Mean time of requests that missed the cache over that of those that hit."),

    // Users.
    metric("users", ("Users", "用户数"), (Unit::Count, Kind::Distinct, Neither), F::Users,
        "Different users; requests without one are none."),
    metric("requests_with_user", ("Requests of users", "有用户的请求数"), COUNT, F::Sum(&[S::WithUser]),
        "Requests that name a user."),
    metric("requests_per_user", ("Requests per user", "每用户请求数"), MEAN, F::PerUser(S::WithUser),
        "Requests that name a user over the number of different users."),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Names that `/metrics` has: a name that it does not have would send people looking for it.
    #[test]
    fn prometheus_names_are_those_of_the_gateway() {
        let registry = include_str!("../../gateway/src/metrics.rs");
        for name in TABLE.iter().filter_map(|metric| metric.prometheus) {
            let plain = name.trim_start_matches("tidegate_").trim_end_matches("_total");
            let plain = plain.trim_end_matches("_seconds");
            assert!(registry.contains(&format!("\"{plain}")), "{name}");
        }
    }
}
